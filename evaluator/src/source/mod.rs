//! Where the data of a scan comes from.

mod archive;
pub mod cluster;
#[cfg(unix)]
mod dump_folder;
#[cfg(unix)]
mod host;
mod items;
mod manifests;
mod memory;
mod must_gather;
mod node_file;
mod objects;
mod pages;
mod recorded;
mod recorded_nodes;
mod recording;
pub mod remote;
mod snapshot;
mod with_node;

use std::io;
use std::path::PathBuf;

#[cfg(unix)]
pub use dump_folder::DumpFolder;
#[cfg(unix)]
pub use host::HostRoot;
pub use manifests::{Manifests, ManifestsError};
pub use memory::MemorySource;
pub use must_gather::{MustGather, MustGatherError};
pub use pages::{Next, OnePage, Page, PageContent, Pages, Refusal};
pub use recorded::{Data, Recorded, RecordedNode};
pub use recorded_nodes::{NODES_FOLDER, OfCluster, RecordedNodes, node_file_name};
pub use recording::Recording;
pub(crate) use snapshot::place;
pub use snapshot::{Snapshot, SnapshotError};
pub use with_node::WithNode;

use crate::files::Files;
use crate::folder::FolderError;
use crate::gap::Gap;
use crate::report::SourceReport;

/// What an API path answered.
pub enum Answer {
    /// Its pages, of which the first may still be the API server's refusal, or broken.
    Pages(Box<dyn Pages>),
    /// There is none.
    Refused(Refusal),
}

impl Answer {
    /// An answer that is whole in these bytes.
    pub fn whole(body: impl io::Read + Send + 'static, format: Format) -> Self {
        Self::Pages(Box::new(OnePage::new(body, format)))
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON, as the API server writes it.
    Json,
    /// YAML, as `oc get -o yaml` writes it.
    Yaml,
}

/// Something that answers API paths.
pub trait ApiSource: Sync {
    /// The answer to a GET of the path; of a list in as many pages as the source likes.
    fn get(&self, path: &str) -> Answer;

    /// How many answers may be asked for at a time.
    fn at_a_time(&self) -> usize {
        2
    }

    /// What is wanting in the answer to a path, with the path in the reason's words; none for a live API.
    fn gap(&self, _path: &str) -> Option<Gap> {
        None
    }

    /// Why nothing but API answers can be had of the source; none where that says nothing about what is there.
    fn elsewhere(&self) -> Option<Gap> {
        None
    }

    /// What the source is, for the report.
    fn describe(&self) -> SourceReport;

    /// Why some of what it was asked for was left out, where it was told to end before its time. Asked when all answers are
    /// there.
    fn partial(&self) -> Option<String> {
        None
    }
}

/// Something that has the files of a node.
pub trait NodeSource: Files {
    /// What the source is, for the report.
    fn describe(&self) -> SourceReport;
}

/// Why the files of a node cannot be had, or a recording of them not be written.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// A file or folder cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// A recording says what makes no sense.
    #[error("{path}:{line}: {problem}")]
    Malformed {
        /// Its `node.yaml`.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong there.
        problem: String,
    },
    /// A node has a name that no node can have.
    #[error("{name:?} is no name of a node")]
    Name {
        /// The name.
        name: String,
    },
    /// The folder to write to is of no use.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// How much of a file of a node is read.
const MAX_CONTENT: u64 = 64 << 20;

/// Content that was read up to one byte more than is allowed.
fn bounded(content: Vec<u8>) -> io::Result<Vec<u8>> {
    if content.len() as u64 > MAX_CONTENT {
        return Err(io::Error::other(format!("it holds more than {} MiB", MAX_CONTENT >> 20)));
    }
    Ok(content)
}
