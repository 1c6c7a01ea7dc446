//! A cluster that is running: its API server answers, page by page.

mod answer;
mod connection;
mod exec;
mod fetch;
mod nodes;
mod preflight;
mod retry;
mod stop;
#[cfg(test)]
mod tests;

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

pub(crate) use answer::Fault;
pub use connection::{Access, ConnectError, Connection};
pub use exec::PodExec;
pub use nodes::{ClusterNode, NODE_ROOT, NodesError, nodes};
pub use preflight::{Preflight, preflight};
pub use retry::Limits;
pub use stop::{Stop, StopReason};

use self::fetch::Fetcher;
use super::{Answer, ApiSource, Format, Next, Page, PageContent, Pages, Refusal};
use crate::api_path::ApiPath;
use crate::report::SourceReport;

/// How often an API server is asked at first: who named the wrong one should not wait for long.
const REACH_TRIES: u32 = 2;
/// How long it may take then.
const REACH_PATIENCE: Duration = Duration::from_secs(20);

/// What happens to a path while its answer is fetched.
#[derive(Debug)]
pub enum Event<'a> {
    /// It is asked for.
    Asked,
    /// A page of it is there.
    Page {
        /// How many objects the page holds.
        objects: u64,
    },
    /// A page is asked for once more.
    Again {
        /// Why.
        reason: &'a Refusal,
        /// After how long.
        wait: Duration,
    },
    /// The list is read anew: what was there of it does not count.
    Restarted,
    /// It is there, or is refused.
    Done(Option<&'a Refusal>),
}

/// Somebody who wants to know how far a scan is. Called from several threads.
pub trait Progress: Send + Sync {
    /// Something happened to a path.
    fn event(&self, path: &str, event: Event<'_>);
}

/// Nobody wants to know.
impl Progress for () {
    fn event(&self, _: &str, _: Event<'_>) {}
}

/// The API server cannot be asked at all.
#[derive(Debug, thiserror::Error)]
#[error("the API server {cluster} cannot be asked: {reason}")]
pub struct Unreachable {
    /// Its address.
    pub cluster: String,
    /// Why.
    pub reason: Refusal,
}

/// A running cluster as a source.
pub struct ClusterSource<'a> {
    connection: &'a Connection,
    fetcher: Arc<Fetcher>,
}

impl<'a> ClusterSource<'a> {
    /// A source that ends where `stop` says so.
    pub fn new(connection: &'a Connection, stop: Arc<Stop>, progress: Arc<dyn Progress>) -> Self {
        Self::with_limits(connection, Limits::default(), stop, progress)
    }

    /// A source with other limits than usual.
    pub fn with_limits(
        connection: &'a Connection,
        limits: Limits,
        stop: Arc<Stop>,
        progress: Arc<dyn Progress>,
    ) -> Self {
        let fetcher = Fetcher::new(connection.client().clone(), limits, stop, progress);
        Self { connection, fetcher: Arc::new(fetcher) }
    }

    /// Asks for the API server's version, to tell a cluster that can be asked from one that cannot. Another refusal than
    /// of who asks is no news here: each path will have its own.
    ///
    /// # Errors
    /// [`Unreachable`] where nothing answers, or the credentials are not accepted.
    pub fn reach(&self) -> Result<(), Unreachable> {
        let Fetcher { limits, stop, progress, .. } = &*self.fetcher;
        let limits = Limits { tries: REACH_TRIES, request: REACH_PATIENCE, ..limits.clone() };
        let client = self.connection.client().clone();
        let fetcher = Fetcher::new(client, limits, Arc::clone(stop), Arc::clone(progress));
        let answer = self.connection.handle().block_on(fetcher.page("/version", None, &mut None));
        match answer {
            // What was cut off tells its own reason.
            Err(Fault {
                refusal: reason @ (Refusal::Unreadable(_) | Refusal::Status { code: 401, .. }),
                ..
            }) if self.fetcher.stop.cut().is_none() => {
                Err(Unreachable { cluster: self.connection.cluster().to_owned(), reason })
            }
            _ => Ok(()),
        }
    }

    /// The answer to a GET of the path, with the API server's own words where it refuses.
    pub(crate) fn pages(&self, path: &str) -> ClusterPages {
        ClusterPages::new(Arc::clone(&self.fetcher), self.connection.handle().clone(), path)
    }
}

impl ApiSource for ClusterSource<'_> {
    fn get(&self, path: &str) -> Answer {
        Answer::Pages(Box::new(self.pages(path)))
    }

    fn at_a_time(&self) -> usize {
        self.fetcher.limits.in_flight
    }

    fn describe(&self) -> SourceReport {
        SourceReport { kind: "cluster".to_owned(), location: self.connection.cluster().to_owned() }
    }

    fn partial(&self) -> Option<String> {
        self.fetcher.stop.cut().map(|reason| reason.to_string())
    }
}

/// A part of an answer.
pub(crate) enum Part {
    /// A page's bytes.
    Page(Vec<u8>),
    /// The list has to be read anew.
    Restart,
    /// There is nothing more.
    End,
}

/// The pages of one path. The first fixes the list's resource version, and the tokens keep to it.
pub(crate) struct ClusterPages {
    fetcher: Arc<Fetcher>,
    handle: Handle,
    path: String,
    /// How many objects a page may have; none: the path has no pages.
    limit: Option<u32>,
    at_start: bool,
    asked: bool,
    restarts: u32,
}

impl ClusterPages {
    fn new(fetcher: Arc<Fetcher>, handle: Handle, path: &str) -> Self {
        let is_list = ApiPath::parse(path).is_some_and(|path| path.is_collection());
        let limit = is_list.then_some(fetcher.limits.page_items);
        Self { fetcher, handle, path: path.to_owned(), limit, at_start: true, asked: false, restarts: 0 }
    }

    /// What comes next, as in [`Pages::next`].
    pub(crate) fn part(&mut self, token: Option<&str>) -> Result<Part, Fault> {
        let handle = self.handle.clone();
        let part = handle.block_on(self.fetch(token));
        if let Err(fault) = &part {
            self.fetcher.progress.event(&self.path, Event::Done(Some(&fault.refusal)));
        }
        part
    }

    async fn fetch(&mut self, token: Option<&str>) -> Result<Part, Fault> {
        let progress = &self.fetcher.progress;
        if !std::mem::replace(&mut self.asked, true) {
            progress.event(&self.path, Event::Asked);
        }
        let at_start = std::mem::replace(&mut self.at_start, false);
        // A token of what is void means nothing.
        let token = token.filter(|_| !at_start);
        if !at_start && token.is_none() {
            return Ok(Part::End);
        }
        let fault = match self.fetcher.page(&self.path, token, &mut self.limit).await {
            Ok(fetched) => {
                let head = &fetched.head;
                progress.event(&self.path, Event::Page { objects: head.objects });
                if !head.continues {
                    progress.event(&self.path, Event::Done(None));
                }
                return Ok(Part::Page(fetched.body));
            }
            Err(fault) => fault,
        };
        match fault.refusal {
            Refusal::Status { code: 410, .. }
                if !at_start && self.restarts < self.fetcher.limits.restarts =>
            {
                self.restarts += 1;
                self.at_start = true;
                progress.event(&self.path, Event::Restarted);
                Ok(Part::Restart)
            }
            // There was a first page, so this is not the answer that there is no such resource.
            Refusal::NotFound if !at_start || self.restarts > 0 => Err(Fault::unreadable(
                "the API server knew the path no longer (404) when the list was half read",
            )),
            _ => Err(fault),
        }
    }
}

impl Pages for ClusterPages {
    fn next(&mut self, token: Option<&str>) -> Result<Next, Refusal> {
        match self.part(token).map_err(|fault| fault.refusal)? {
            Part::Page(bytes) => Ok(Next::Page(Page {
                content: PageContent::Answer,
                format: Format::Json,
                body: Box::new(Cursor::new(bytes)),
            })),
            Part::Restart => Ok(Next::Restart),
            Part::End => Ok(Next::End),
        }
    }
}
