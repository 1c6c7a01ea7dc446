//! The source against made API servers: within the process, and on a socket where the connection itself is at fault.
#![allow(clippy::unwrap_used, clippy::panic)]

mod faults;
mod socket;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use kube::Client;
use kube::client::Body;
use tokio::runtime::Handle;

use super::fetch::Fetcher;
use super::*;

/// What a made API server does with a request.
#[derive(Clone)]
struct Reply {
    after: Duration,
    code: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    fn new(code: u16, body: impl Into<String>) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { after: Duration::ZERO, code, headers, body: body.into() }
    }

    fn status(code: u16) -> Self {
        let body = serde_json::json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": format!("made {code}"),
        });
        Self::new(code, body.to_string())
    }

    /// A page of a list of this many objects; `token` names the next page.
    fn page(objects: usize, token: &str) -> Self {
        let items: Vec<_> =
            (0..objects).map(|n| serde_json::json!({"metadata": {"name": n.to_string()}})).collect();
        let list = serde_json::json!({
            "kind": "PodList", "apiVersion": "v1", "items": items,
            "metadata": {"resourceVersion": "7", "continue": token},
        });
        Self::new(200, list.to_string())
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(other, _)| *other != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn after(mut self, after: Duration) -> Self {
        self.after = after;
        self
    }
}

/// What a made API server was asked: the paths with their queries, and when.
type Asked = Arc<Mutex<Vec<(String, tokio::time::Instant)>>>;

/// A client whose requests are answered by a function of path and query.
fn client(answer: impl Fn(&str, &HeaderMap) -> Reply + Send + Sync + 'static) -> (Client, Asked) {
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Body>| {
        let uri = request.uri().to_string();
        noted.lock().unwrap().push((uri.clone(), tokio::time::Instant::now()));
        let reply = answer(&uri, request.headers());
        async move {
            tokio::time::sleep(reply.after).await;
            let mut response = Response::builder().status(reply.code);
            for (name, value) in reply.headers {
                response = response.header(name, value);
            }
            response.body(Body::from(reply.body.into_bytes()))
        }
    });
    (Client::new(service, "default"), asked)
}

/// A client whose requests get these replies, one after the other, and the last one for ever.
fn replies(replies: impl IntoIterator<Item = Reply>) -> (Client, Asked) {
    let replies: Mutex<VecDeque<_>> = Mutex::new(replies.into_iter().collect());
    client(move |_, _| {
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 { replies.pop_front().unwrap() } else { replies.front().unwrap().clone() }
    })
}

fn fetcher(client: Client, stop: Stop) -> Arc<Fetcher> {
    Arc::new(Fetcher::new(client, Limits::default(), Arc::new(stop), Arc::new(())))
}

fn pages(fetcher: &Arc<Fetcher>, path: &str) -> ClusterPages {
    ClusterPages::new(Arc::clone(fetcher), Handle::current(), path)
}

/// Reads a list as the collection does: `R` for a restart, else how many bytes a page has.
async fn read_all(pages: &mut ClusterPages) -> Result<Vec<String>, Refusal> {
    let mut token: Option<String> = None;
    let mut parts = Vec::new();
    loop {
        match pages.fetch(token.as_deref()).await.map_err(|fault| fault.refusal)? {
            Part::Page(bytes) => {
                let page: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                parts.push(page["items"].as_array().map_or(0, Vec::len).to_string());
                token = page["metadata"]["continue"].as_str().filter(|t| !t.is_empty()).map(str::to_owned);
            }
            Part::Restart => {
                parts.push("R".to_owned());
                token = None;
            }
            Part::End => return Ok(parts),
        }
    }
}

fn uris(asked: &Asked) -> Vec<String> {
    asked.lock().unwrap().iter().map(|(uri, _)| uri.clone()).collect()
}
