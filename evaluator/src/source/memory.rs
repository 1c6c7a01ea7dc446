//! Answers in memory: cases of rules, and tests.

use std::collections::BTreeMap;
use std::io;

use super::{Answer, ApiSource, Format, Refusal};
use crate::report::SourceReport;

/// Answers by API path.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    answers: BTreeMap<String, Vec<u8>>,
}

impl MemorySource {
    /// Adds an answer in JSON.
    pub fn insert(&mut self, path: impl Into<String>, json: impl Into<Vec<u8>>) {
        self.answers.insert(path.into(), json.into());
    }
}

impl ApiSource for MemorySource {
    fn get(&self, path: &str) -> Answer {
        match self.answers.get(path) {
            Some(bytes) => Answer::whole(io::Cursor::new(bytes.clone()), Format::Json),
            None => Answer::Refused(Refusal::Missing),
        }
    }

    fn describe(&self) -> SourceReport {
        SourceReport { kind: "memory".to_owned(), location: "memory".to_owned() }
    }
}
