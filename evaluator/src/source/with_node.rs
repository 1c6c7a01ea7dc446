//! Answers of an API and files of a node, side by side.

use crate::files::{FileState, Files, Listing, Lookup, Metadata, below_dump_root};
use crate::gap::Gap;

/// Answers of an API with files of a node that came with them.
pub struct WithNode<'a> {
    /// The answers, and what is wanting elsewhere.
    pub answers: &'a dyn Files,
    /// The files. What is missing among them is wanting as it is without them.
    pub node: &'a dyn Files,
}

impl WithNode<'_> {
    fn of(&self, path: &str) -> &dyn Files {
        if below_dump_root(path) { self.answers } else { self.node }
    }
}

impl Files for WithNode<'_> {
    fn read(&self, path: &str) -> FileState<'_> {
        self.of(path).read(path)
    }

    fn metadata(&self, path: &str) -> Lookup<Metadata> {
        self.of(path).metadata(path)
    }

    fn directory(&self, path: &str) -> Lookup<String> {
        self.of(path).directory(path)
    }

    fn list(&self, path: &str) -> Lookup<Listing> {
        self.of(path).list(path)
    }

    fn gap(&self, path: Option<&str>) -> Option<&Gap> {
        let is_there = |path: &str| path != "/" && matches!(self.node.metadata(path), Lookup::Found(_));
        match path {
            Some(path) if !below_dump_root(path) && is_there(path) => None,
            path => self.answers.gap(path),
        }
    }
}
