//! A dump on disk, as the Compliance Operator's collector or `virtscap collect --dump` wrote it.

use std::path::{Path, PathBuf};

use super::{HostRoot, NodeError, NodeSource};
use crate::dump::{DUMP_ROOT, NO_NODE};
use crate::files::{FileState, Files, Listing, Lookup, Metadata, below_dump_root};
use crate::report::SourceReport;

/// A folder that stands for [`DUMP_ROOT`]. There are no other files: rules on a node's are not decided.
#[derive(Debug)]
pub struct DumpFolder {
    location: PathBuf,
    root: HostRoot,
}

impl DumpFolder {
    /// Opens a dump: the folder itself, or the one that holds it under its own name.
    ///
    /// # Errors
    /// [`NodeError::Io`] where it is no folder that can be opened.
    pub fn open(folder: &Path) -> Result<Self, NodeError> {
        let inside = folder.join(DUMP_ROOT.trim_start_matches('/'));
        let root = HostRoot::open(if inside.is_dir() { &inside } else { folder })?;
        Ok(Self { location: folder.to_owned(), root })
    }

    /// Asks the folder for what is below it, by the path within.
    fn ask<'f, T>(&'f self, path: &str, ask: impl FnOnce(&'f HostRoot, &str) -> Lookup<T>) -> Lookup<T> {
        if !below_dump_root(path) {
            return Lookup::withheld(NO_NODE);
        }
        let within = &path[DUMP_ROOT.len()..];
        ask(&self.root, if within.is_empty() { "/" } else { within })
    }
}

impl Files for DumpFolder {
    fn read(&self, path: &str) -> FileState<'_> {
        self.ask(path, |root, within| root.read(within))
    }

    fn metadata(&self, path: &str) -> Lookup<Metadata> {
        self.ask(path, |root, within| root.metadata(within))
    }

    fn directory(&self, path: &str) -> Lookup<String> {
        if path.trim_end_matches('/').is_empty() {
            return Lookup::Found("/".to_owned());
        }
        self.ask(path, |root, within| {
            root.directory(within).map(|found| format!("{DUMP_ROOT}{}", found.trim_end_matches('/')))
        })
    }

    fn list(&self, path: &str) -> Lookup<Listing> {
        if path.trim_end_matches('/').is_empty() {
            let names = vec![DUMP_ROOT.trim_start_matches('/').to_owned()];
            return Lookup::Found(Listing { names, withheld: Some(NO_NODE.to_owned()) });
        }
        self.ask(path, |root, within| root.list(within))
    }
}

impl NodeSource for DumpFolder {
    fn describe(&self) -> SourceReport {
        SourceReport { kind: "dump".to_owned(), location: self.location.display().to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_the_folder_or_inside_of_it_and_nothing_else_is_seen() {
        let temporary = tempfile::tempdir().unwrap();
        let inside = temporary.path().join("kubernetes-api-resources");
        std::fs::create_dir_all(inside.join("api/v1")).unwrap();
        std::fs::write(inside.join("api/v1/nodes#1"), "[]").unwrap();
        std::fs::write(temporary.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink("../secret", inside.join("link")).unwrap();
        for folder in [temporary.path(), &inside] {
            let dump = DumpFolder::open(folder).unwrap();
            let read = dump.read("/kubernetes-api-resources/api/v1/nodes#1");
            assert!(matches!(read, Lookup::Found(content) if content.as_ref() == b"[]"));
            assert!(matches!(dump.read("/secret"), Lookup::Missing { reason: Some(_) }));
            assert!(!matches!(dump.read("/kubernetes-api-resources/link"), Lookup::Found(_)));
            assert!(!matches!(dump.read("/kubernetes-api-resources/../secret"), Lookup::Found(_)));
            let found = dump.directory("/kubernetes-api-resources/api/v1");
            assert!(matches!(found, Lookup::Found(path) if path == "/kubernetes-api-resources/api/v1"));
            let list = dump.list("/kubernetes-api-resources");
            assert!(matches!(list, Lookup::Found(list) if list.names == ["api", "link"]));
        }
    }
}
