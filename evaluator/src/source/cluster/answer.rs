//! What an HTTP response says: an answer, the API server's refusal, or something else's.

use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;

use crate::source::Refusal;

/// Why a path is not answered, and the API server's own words where it has some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Why.
    pub(crate) refusal: Refusal,
    /// The API server's `Status` object, in JSON.
    pub(crate) status: Option<Vec<u8>>,
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, status: None }
    }
}

impl Fault {
    pub(super) fn unreadable(reason: impl Into<String>) -> Self {
        Refusal::Unreadable(reason.into()).into()
    }
}

/// What an answer says about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// How many objects it holds.
    pub(super) objects: u64,
    /// Whether there is more of the list.
    pub(super) continues: bool,
}

/// What to do about a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// It is an answer.
    Answer(Head),
    /// It is none, and will be none.
    Refused(Fault),
    /// Another try may give one.
    Transient(Fault),
}

#[derive(Deserialize)]
struct List {
    metadata: Option<ListMetadata>,
    items: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct ListMetadata {
    r#continue: Option<String>,
}

#[derive(Deserialize)]
struct Status {
    kind: String,
    #[serde(rename = "apiVersion")]
    api_version: String,
    code: u16,
    #[serde(default)]
    message: String,
}

/// Judges a response by its status, headers and whole body.
pub(super) fn judge(code: StatusCode, headers: &HeaderMap, body: &[u8]) -> Judged {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if code == StatusCode::OK {
        // A type that is left out says nothing; the text will tell.
        if !media_type.is_empty() && media_type != "application/json" {
            return Judged::Refused(Fault::unreadable(format!("the answer is {media_type}, not JSON")));
        }
        return match head(body) {
            Ok(head) => Judged::Answer(head),
            Err(e) if e.classify() == Category::Eof && !body.trim_ascii().is_empty() => {
                Judged::Transient(malformed(&e))
            }
            Err(_) if body.trim_ascii().is_empty() => Judged::Refused(Refusal::Empty.into()),
            Err(e) => Judged::Refused(malformed(&e)),
        };
    }
    if code.is_redirection() {
        let to = headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or("nowhere");
        let reason = format!("the answer is a redirect ({}) to {to}, which is not followed", code.as_u16());
        return Judged::Refused(Fault::unreadable(reason));
    }
    let status = serde_json::from_slice::<Status>(body).ok().filter(|status| {
        (status.kind.as_str(), status.api_version.as_str()) == ("Status", "v1")
            && status.code == code.as_u16()
    });
    let fault = match status {
        Some(status) => Fault {
            refusal: match code {
                StatusCode::NOT_FOUND => Refusal::NotFound,
                StatusCode::FORBIDDEN => Refusal::Forbidden(status.message),
                _ => Refusal::Status { code: code.as_u16().into(), message: status.message },
            },
            status: Some(body.to_vec()),
        },
        None if code == StatusCode::NOT_FOUND && is_api_servers_own_404(headers, &media_type, body) => {
            Refusal::NotFound.into()
        }
        None => Fault::unreadable(format!(
            "{} was answered, and not by a Kubernetes API server: {}",
            code.as_u16(),
            excerpt(&media_type, body)
        )),
    };
    match code {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::INTERNAL_SERVER_ERROR
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Judged::Transient(fault),
        _ => Judged::Refused(fault),
    }
}

/// kube-apiserver answers Go's own text, and no `Status`, for a group or resource that it does not serve
/// (`notfoundhandler`). Proxies in Go answer the same text, but not with the id that every answer of the API server has.
fn is_api_servers_own_404(headers: &HeaderMap, media_type: &str, body: &[u8]) -> bool {
    media_type == "text/plain" && body == b"404 page not found\n" && headers.contains_key("audit-id")
}

fn malformed(error: &serde_json::Error) -> Fault {
    Refusal::Malformed { format: "JSON", reason: error.to_string() }.into()
}

/// Reads to the end, so that what was cut off is noticed. What is no list, or an odd one, is for others to judge.
fn head(body: &[u8]) -> Result<Head, serde_json::Error> {
    let list = match serde_json::from_slice::<List>(body) {
        Ok(list) => list,
        Err(e) if e.classify() == Category::Data => {
            serde_json::from_slice::<IgnoredAny>(body)?;
            return Ok(Head::default());
        }
        Err(e) => return Err(e),
    };
    let token = list.metadata.and_then(|metadata| metadata.r#continue);
    Ok(Head {
        objects: list.items.map_or(1, |items| items.len() as u64),
        continues: token.is_some_and(|token| !token.is_empty()),
    })
}

/// The beginning of a text that nobody expected.
fn excerpt(media_type: &str, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(400)]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start: String = text.chars().take(120).collect();
    match (media_type, start.as_str()) {
        ("", "") => "nothing more".to_owned(),
        (media_type, "") => format!("an empty text of type {media_type}"),
        ("", start) => format!("'{start}'"),
        (media_type, start) => format!("{media_type}, '{start}'"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn status(code: u16) -> String {
        format!(r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","message":"why","code":{code}}}"#)
    }

    #[test]
    fn only_the_api_server_can_say_404_and_403() {
        let go = "404 page not found\n";
        let json = ("content-type", "application/json");
        let text = ("content-type", "text/plain; charset=utf-8");
        let cases = [
            (404, vec![json], status(404), Some(Refusal::NotFound)),
            (404, vec![text, ("audit-id", "x")], go.to_owned(), Some(Refusal::NotFound)),
            (404, vec![text], go.to_owned(), None),
            (404, vec![text, ("audit-id", "x")], "404 page not found, sorry".to_owned(), None),
            (404, vec![("content-type", "text/html")], "<html>404</html>".to_owned(), None),
            (404, vec![json], "{}".to_owned(), None),
            (404, vec![json], status(403), None),
            (404, vec![], String::new(), None),
            (403, vec![json], status(403), Some(Refusal::Forbidden("why".to_owned()))),
            (403, vec![json], "<html>".to_owned(), None),
            (401, vec![json], status(401), Some(Refusal::Status { code: 401, message: "why".to_owned() })),
            (409, vec![json], status(409), Some(Refusal::Status { code: 409, message: "why".to_owned() })),
            (410, vec![json], status(410), Some(Refusal::Status { code: 410, message: "why".to_owned() })),
        ];
        for (code, headers, body, refusal) in cases {
            let headers: HeaderMap = headers
                .into_iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            let judged = judge(StatusCode::from_u16(code).unwrap(), &headers, body.as_bytes());
            let Judged::Refused(fault) = judged else { panic!("{code} {body}: {judged:?}") };
            match refusal {
                Some(refusal) => assert_eq!(fault.refusal, refusal, "{code} {body}"),
                None => assert!(matches!(fault.refusal, Refusal::Unreadable(_)), "{code} {body}: {fault:?}"),
            }
        }
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let list = |body: &str| judge(StatusCode::OK, &HeaderMap::new(), body.as_bytes());
        let answer = |objects, continues| Judged::Answer(Head { objects, continues });
        assert_eq!(
            list(r#"{"items":[{},{}],"metadata":{"continue":"x","remainingItemCount":3}}"#),
            answer(2, true)
        );
        assert_eq!(list(r#"{"items":[],"metadata":{"continue":""}}"#), answer(0, false));
        assert_eq!(list(r#"{"kind":"Node","metadata":{}}"#), answer(1, false));
        assert_eq!(list(r#"{"items":1}"#), Judged::Answer(Head::default()));
        for cut in [r#"{"items":[{}"#, r#"{"items":1,"#, r#"{"metadata":{"continue":"#] {
            assert!(matches!(list(cut), Judged::Transient(_)), "{cut}");
        }
        for broken in ["<html>", "{} {}", "", " "] {
            assert!(matches!(list(broken), Judged::Refused(_)), "{broken}");
        }
    }
}
