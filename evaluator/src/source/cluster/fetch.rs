//! One page of an answer: asked for, waited for, asked for again.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_LENGTH};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use tokio::sync::Semaphore;

use super::answer::{Fault, Head, Judged, judge};
use super::retry::{Limits, retry_after};
use super::stop::{Stop, StopReason};
use super::{Event, Progress};
use crate::source::Refusal;

/// Asks an API server for pages.
pub(super) struct Fetcher {
    client: Client,
    pub(super) limits: Limits,
    pub(super) stop: Arc<Stop>,
    pub(super) progress: Arc<dyn Progress>,
    /// One permit per request that may be under way.
    in_flight: Semaphore,
}

/// A page, whole.
pub(super) struct Fetched {
    pub(super) body: Vec<u8>,
    pub(super) head: Head,
}

/// What came of one request.
enum Tried {
    Fetched(Fetched),
    Refused(Fault),
    Again { fault: Fault, after: Option<Duration> },
    TooLarge,
}

struct Response {
    code: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl From<StopReason> for Fault {
    fn from(reason: StopReason) -> Self {
        Self::unreadable(reason.to_string())
    }
}

impl Fetcher {
    pub(super) fn new(client: Client, limits: Limits, stop: Arc<Stop>, progress: Arc<dyn Progress>) -> Self {
        let in_flight = Semaphore::new(limits.in_flight);
        Self { client, limits, stop, progress, in_flight }
    }

    /// A page of a list, or an answer that has no pages where there is no `limit`. The limit is lowered where a page is too
    /// large.
    pub(super) async fn page(
        &self,
        path: &str,
        token: Option<&str>,
        limit: &mut Option<u32>,
    ) -> Result<Fetched, Fault> {
        let mut tries = 0;
        loop {
            let uri = uri(path, token, *limit)?;
            let most = match limit {
                Some(limit) if *limit > 1 => self.limits.page_bytes,
                _ => self.limits.answer_bytes,
            };
            let (fault, after) = match self.stop.unless(self.request(&uri, most)).await? {
                Tried::Fetched(fetched) => return Ok(fetched),
                Tried::Refused(fault) => return Err(fault),
                Tried::Again { fault, after } => (fault, after),
                Tried::TooLarge => {
                    let Some(limit) = limit.as_mut().filter(|limit| **limit > 1) else {
                        let reason = format!("the answer is larger than {} MiB", most >> 20);
                        return Err(Fault::unreadable(reason));
                    };
                    *limit = (*limit / 4).max(1);
                    continue;
                }
            };
            tries += 1;
            if tries >= self.limits.tries {
                return Err(given_up(fault, tries));
            }
            let wait = self.limits.wait_after(tries, after);
            self.progress.event(path, Event::Again { reason: &fault.refusal, wait });
            self.stop.unless(tokio::time::sleep(wait)).await?;
        }
    }

    async fn request(&self, uri: &str, most: usize) -> Tried {
        let Ok(_permit) = self.in_flight.acquire().await else {
            return Tried::Refused(Fault::unreadable("no more requests are made"));
        };
        let response = match tokio::time::timeout(self.limits.request, self.response(uri, most)).await {
            Ok(Ok(response)) => response,
            Ok(Err(tried)) => return tried,
            Err(_) => {
                let reason = format!("no whole answer within {} s", self.limits.request.as_secs());
                return Tried::Again { fault: Fault::unreadable(reason), after: None };
            }
        };
        match judge(response.code, &response.headers, &response.body) {
            Judged::Answer(head) => Tried::Fetched(Fetched { body: response.body, head }),
            Judged::Refused(fault) => Tried::Refused(fault),
            Judged::Transient(fault) => {
                Tried::Again { fault, after: retry_after(&response.headers, jiff::Timestamp::now()) }
            }
        }
    }

    async fn response(&self, uri: &str, most: usize) -> Result<Response, Tried> {
        let request = Request::get(uri).header(ACCEPT, "application/json").body(Body::empty());
        let request = request.map_err(|e| Tried::Refused(not_a_path(uri, &e.to_string())))?;
        let answered = self.client.send(request).await.map_err(|e| failed(&e))?;
        let (parts, mut body) = answered.into_parts();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|e| failed(&e))?.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(Tried::TooLarge);
            }
            bytes.extend_from_slice(&data);
        }
        let announced =
            parts.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if let Some(announced) = announced.filter(|announced: &usize| *announced != bytes.len()) {
            let reason = format!("the answer has {} bytes of {announced}", bytes.len());
            return Err(Tried::Again { fault: Fault::unreadable(reason), after: None });
        }
        Ok(Response { code: parts.status, headers: parts.headers, body: bytes })
    }
}

fn given_up(fault: Fault, tries: u32) -> Fault {
    match fault.refusal {
        Refusal::Unreadable(reason) => {
            Fault { refusal: Refusal::Unreadable(format!("{reason} (tried {tries} times)")), ..fault }
        }
        _ => fault,
    }
}

/// A request without a response, or with half of one. Credentials that cannot be had stay so.
fn failed(error: &kube::Error) -> Tried {
    let reason = match error {
        // What kube itself calls it is no news.
        kube::Error::Service(inner) => with_causes(&**inner),
        _ => with_causes(error),
    };
    let fault = Fault::unreadable(reason);
    match error {
        kube::Error::Auth(_) => Tried::Refused(fault),
        _ => Tried::Again { fault, after: None },
    }
}

/// An error with what caused it. Libraries repeat their causes in their own texts, or do not.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let further = cause.to_string();
        if !text.contains(&further) {
            text = format!("{text}: {further}");
        }
        next = cause.source();
    }
    text
}

fn not_a_path(path: &str, reason: &str) -> Fault {
    Fault::unreadable(format!("'{path}' is not an API path: {reason}"))
}

/// The path with its own query, and what names the page. A limit or token of the path's own makes way.
fn uri(path: &str, token: Option<&str>, limit: Option<u32>) -> Result<String, Fault> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    if !path.starts_with('/') || path.starts_with("//") {
        return Err(not_a_path(path, "it does not begin with one slash"));
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(not_a_path(path, "it leads elsewhere"));
    }
    let own = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != "limit" && key != "continue");
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.extend_pairs(own);
    if let Some(limit) = limit {
        pairs.append_pair("limit", &limit.to_string());
    }
    if let Some(token) = token {
        pairs.append_pair("continue", token);
    }
    let query = pairs.finish();
    Ok(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_query_names_the_page() {
        let cases = [
            ("/api/v1/pods", None, Some(500), "/api/v1/pods?limit=500"),
            ("/api/v1/pods", Some("a=+/"), Some(5), "/api/v1/pods?limit=5&continue=a%3D%2B%2F"),
            ("/api/v1/pods?limit=2&continue=x", None, Some(5), "/api/v1/pods?limit=5"),
            (
                "/api/v1/pods?labelSelector=a%3Db",
                Some("t"),
                Some(5),
                "/api/v1/pods?labelSelector=a%3Db&limit=5&continue=t",
            ),
            ("/version", None, None, "/version"),
        ];
        for (path, token, limit, expected) in cases {
            assert_eq!(uri(path, token, limit).unwrap(), expected);
        }
        for path in ["api", "//host/api", "/api/../x", ""] {
            assert!(uri(path, None, None).is_err(), "{path}");
        }
    }
}
