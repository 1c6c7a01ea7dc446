//! Recording of a cluster: a snapshot of what the API server answers, to be scanned elsewhere.
//!
//! The layout is that of [`Snapshot`](crate::source::Snapshot). Secrets are left out (`redact.rs`); otherwise an answer is as
//! it was given, with the pages of a list put together.

mod list;
mod redact;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use redact::REDACTED;

use self::list::Answered;
use crate::api_path::ApiPath;
use crate::collect::{ALWAYS, Endpoint};
use crate::folder::{FolderError, write_whole};
use crate::parallel;
use crate::scan::TOOL;
use crate::source::cluster::{ClusterSource, Fault};
use crate::source::{ApiSource as _, Refusal, place};
use crate::time;

/// The file that says what is in a recording and what is not.
pub const COLLECTION_FILE: &str = "virtscap-collection.json";

/// What a 404 without a `Status` of its own is kept as.
const NOT_SERVED: &str =
    r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}"#;

/// What was recorded, as [`COLLECTION_FILE`] has it.
#[derive(Debug, Serialize)]
pub struct Collection {
    /// Version of this form: 1.
    pub schema_version: u32,
    /// The program that recorded it.
    pub tool: String,
    /// The API server's address.
    pub cluster: String,
    /// When it began (RFC 3339, UTC).
    pub started: String,
    /// When it ended (RFC 3339, UTC).
    pub finished: String,
    /// What the API server says it is; absent where it did not say.
    pub server_version: Option<String>,
    /// Why it ended before its time; absent where it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<String>,
    /// The text that stands in the place of what is left out.
    pub redacted: &'static str,
    /// What became of each API path.
    pub paths: BTreeMap<String, Outcome>,
}

/// What became of an API path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The answer is there.
    Collected {
        /// How many objects it has.
        objects: u64,
    },
    /// The API server refused; its `Status` is there in place of an answer.
    Refused {
        /// The HTTP status: 403 or 404.
        code: u16,
        /// What it said.
        reason: String,
    },
    /// There is no file.
    Missing {
        /// Why.
        reason: String,
    },
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No path was answered.
    #[error("{cluster} answered nothing of what was asked; nothing was written. {first}")]
    Nothing {
        /// The API server's address.
        cluster: String,
        /// Why the first path was not answered.
        first: String,
    },
    /// The folder is of no use.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

/// Which paths a recording asks for: what the endpoints want, and what every scan of the operator's does.
pub fn paths<'a>(endpoints: impl IntoIterator<Item = &'a Endpoint>) -> BTreeMap<String, Option<Refusal>> {
    let wanted = endpoints.into_iter().map(|endpoint| (endpoint.path.clone(), endpoint.refused.clone()));
    let always = ALWAYS.into_iter().map(|path| (path.to_owned(), None));
    let mut paths: BTreeMap<_, _> = wanted
        .chain(always)
        .map(|(path, refused)| {
            let refusal = refused.map(Refusal::Unreadable).or_else(|| forbidden(&path));
            (path, refusal)
        })
        .collect();
    // A snapshot has one answer per path, whatever the query.
    let mut by_place: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in paths.keys() {
        by_place.entry(place(path).unwrap_or(path).to_owned()).or_default().push(path.clone());
    }
    for rivals in by_place.into_values().filter(|rivals| rivals.len() > 1) {
        let reason =
            format!("a snapshot has one answer per path, and these are several: {}", rivals.join(", "));
        for path in rivals {
            paths.insert(path, Some(Refusal::Unreadable(reason.clone())));
        }
    }
    paths
}

/// What is never asked for, whatever the content says.
fn forbidden(path: &str) -> Option<Refusal> {
    let reason = if place(path).is_none() {
        format!("'{path}' is not an API path")
    } else if ApiPath::parse(path).is_some_and(|path| path.is_secret()) {
        "Secrets and tokens are never collected".to_owned()
    } else {
        return None;
    };
    Some(Refusal::Unreadable(reason))
}

/// Records what the paths answer as a folder, which appears whole or not at all. Memory follows the pages.
///
/// # Errors
/// [`RecordError`] where nothing was answered, the folder holds something, or writing fails. A path that cannot be had is
/// no error but a line of the [`Collection`].
pub fn record(
    source: &ClusterSource<'_>,
    paths: &BTreeMap<String, Option<Refusal>>,
    folder: &Path,
) -> Result<Collection, RecordError> {
    let mut collection = Collection {
        schema_version: 1,
        tool: TOOL.to_owned(),
        cluster: source.describe().location,
        started: time::now().to_string(),
        finished: String::new(),
        server_version: None,
        partial: None,
        redacted: REDACTED,
        paths: BTreeMap::new(),
    };
    write_whole(folder, |folder| {
        collection.paths = record_all(source, paths, folder)?;
        let mut missing = collection.paths.values().filter_map(|outcome| match outcome {
            Outcome::Missing { reason } => Some(reason),
            _ => None,
        });
        if missing.clone().count() == collection.paths.len() {
            let first = missing.next().cloned().unwrap_or_default();
            return Err(RecordError::Nothing { cluster: collection.cluster.clone(), first });
        }
        collection.server_version = server_version(folder);
        collection.partial = source.partial();
        collection.finished = time::now().to_string();
        let path = folder.join(COLLECTION_FILE);
        let write = || {
            let mut json = serde_json::to_string_pretty(&collection)?;
            json.push('\n');
            std::fs::write(&path, json)
        };
        write().map_err(|source| RecordError::Io { path: path.clone(), source })
    })?;
    Ok(collection)
}

fn record_all(
    source: &ClusterSource<'_>,
    paths: &BTreeMap<String, Option<Refusal>>,
    folder: &Path,
) -> Result<BTreeMap<String, Outcome>, RecordError> {
    let outcomes = parallel::each(paths, source.at_a_time(), |(path, refusal)| {
        let outcome = match refusal {
            Some(refusal) => Outcome::Missing { reason: refusal.to_string() },
            None => record_path(source, path, folder)?,
        };
        Ok((path.clone(), outcome))
    });
    outcomes.into_iter().collect()
}

/// Writes what a path answers: the answer, or the API server's refusal in its place.
fn record_path(source: &ClusterSource<'_>, path: &str, folder: &Path) -> Result<Outcome, RecordError> {
    let Some(place) = place(path) else {
        return Ok(Outcome::Missing { reason: format!("'{path}' is not an API path") });
    };
    let file = folder.join(format!("{place}.json"));
    let io = |source| RecordError::Io { path: file.clone(), source };
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent).map_err(io)?;
    }
    match list::write(&mut source.pages(path), &file).map_err(io)? {
        Answered::Objects(objects) => Ok(Outcome::Collected { objects }),
        Answered::Refused(Fault { refusal, status }) => {
            let reason = refusal.to_string();
            let code = match refusal {
                Refusal::NotFound => 404,
                Refusal::Forbidden(_) => 403,
                // Another time there may be an answer.
                _ => return Ok(Outcome::Missing { reason }),
            };
            // The API server says 404 in plain words where it serves no such resource.
            let status = status.unwrap_or_else(|| NOT_SERVED.as_bytes().to_vec());
            std::fs::write(&file, status).map_err(io)?;
            Ok(Outcome::Refused { code, reason })
        }
    }
}

fn server_version(folder: &Path) -> Option<String> {
    let version: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("version.json")).ok()?).ok()?;
    Some(version.get("gitVersion")?.as_str()?.to_owned())
}
