//! Recording of what an evaluation asks of files.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::recorded::{Data, Recorded, RecordedNode};
use crate::files::{FileState, Files, Listing, Lookup, Metadata, Tree};

/// Files that note every path that is asked for, with the answer. Links on the way are noted as well, so that the
/// recording leads where the files led.
pub struct Recording<'a> {
    files: &'a dyn Files,
    noted: RefCell<BTreeMap<String, Recorded>>,
}

impl<'a> Recording<'a> {
    /// Starts with nothing noted.
    pub fn new(files: &'a dyn Files) -> Self {
        Self { files, noted: RefCell::default() }
    }

    /// What was noted, as a recorded node.
    pub fn into_node(self, name: impl Into<String>) -> RecordedNode {
        let mut node = RecordedNode::of_some(name);
        node.files = self.noted.into_inner();
        node
    }

    /// Notes what is at a path, unless that is known already.
    fn note(&self, path: &str, found: &Lookup<Metadata>) {
        let recorded = match found {
            Lookup::Found(metadata) => Recorded::There { metadata: metadata.clone(), data: Data::Unknown },
            Lookup::Missing { reason: None } => Recorded::Absent,
            // What could not be had is not recorded, which is as good a reason.
            Lookup::Missing { .. } => return,
            Lookup::Unreadable { reason } => Recorded::Unreadable { reason: reason.clone() },
        };
        self.noted.borrow_mut().entry(path.to_owned()).or_insert(recorded);
    }

    /// Notes content or entries of something that was looked at.
    fn note_data(&self, path: &str, new: Data) {
        if let Some(Recorded::There { data, .. }) = self.noted.borrow_mut().get_mut(path) {
            *data = new;
        }
    }
}

impl Tree for Recording<'_> {
    fn look(&self, path: &str) -> Lookup<Metadata> {
        let found = self.files.metadata(path);
        self.note(path, &found);
        found
    }

    fn content(&self, path: &str) -> FileState<'_> {
        let content = self.files.read(path);
        match &content {
            Lookup::Found(bytes) => self.note_data(path, Data::Content(bytes.to_vec())),
            Lookup::Unreadable { reason } => {
                self.note_data(path, Data::Unreadable { reason: reason.clone() });
            }
            Lookup::Missing { .. } => {}
        }
        content
    }

    fn names(&self, path: &str) -> Lookup<Listing> {
        let listing = self.files.list(path);
        match &listing {
            Lookup::Found(found) => {
                // A name of which nothing else is asked still is one of the entries.
                for name in &found.names {
                    self.look(&crate::files::join(path, name));
                }
                if found.withheld.is_none() {
                    self.note_data(path, Data::Complete);
                }
            }
            Lookup::Unreadable { reason } => {
                self.note_data(path, Data::Unreadable { reason: reason.clone() });
            }
            Lookup::Missing { .. } => {}
        }
        listing
    }
}
