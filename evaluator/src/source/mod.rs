//! Where the data of a scan comes from.

mod memory;
mod snapshot;

pub use memory::MemorySource;
pub use snapshot::{Snapshot, SnapshotError};

use crate::report::SourceReport;

/// What an API path answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A body; it may still be the API server's refusal, or broken.
    Body {
        /// The bytes.
        bytes: Vec<u8>,
        /// How they are written.
        format: Format,
    },
    /// The source does not hold the path.
    Missing,
    /// The answer is there and cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
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
    /// The answer to a GET of the path.
    fn get(&self, path: &str) -> Answer;

    /// What the source is, for the report.
    fn describe(&self) -> SourceReport;
}
