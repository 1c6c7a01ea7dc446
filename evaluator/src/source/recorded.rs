//! Recorded files of a node: in memory, or in a folder (see [`super::node_file`]).

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use virtscap_scap::oval::FileType;

use super::NodeSource;
use crate::files::{FileState, Listing, Lookup, Metadata, Tree, join};
use crate::report::SourceReport;

/// Files of a node as they were once, by path.
///
/// What is not recorded is missing with a reason, for nobody knows whether it was there. It is plainly absent where its
/// folder was recorded with all of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedNode {
    pub(super) name: String,
    pub(super) files: BTreeMap<String, Recorded>,
    /// Whether what is not recorded was not there.
    everything: bool,
    /// Holds the contents that are not in memory.
    pub(super) contents: Option<PathBuf>,
}

/// What was recorded of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Something was there.
    There {
        /// What.
        metadata: Metadata,
        /// Its content, or its entries.
        data: Data,
    },
    /// Nothing was there.
    Absent,
    /// It could not be told what was there.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// What was recorded of a file's content, or of a directory's entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// Nothing, or of a directory some of its entries.
    Unknown,
    /// A file's content.
    Content(Vec<u8>),
    /// A file's content, where it was recorded, is in the folder.
    InFolder,
    /// All entries of the directory are recorded.
    Complete,
    /// It could not be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

impl Recorded {
    /// A regular file.
    pub fn regular(mode: u32, uid: u32, gid: u32, content: impl Into<Vec<u8>>) -> Self {
        let content = content.into();
        let size = content.len() as u64;
        let metadata = Metadata::plain(FileType::Regular, mode, uid, gid, size);
        Self::There { metadata, data: Data::Content(content) }
    }

    /// A folder. Files in it are recorded by themselves.
    pub fn folder(mode: u32, uid: u32, gid: u32) -> Self {
        let metadata = Metadata::plain(FileType::Directory, mode, uid, gid, 0);
        Self::There { metadata, data: Data::Unknown }
    }

    /// A symbolic link of root's.
    pub fn link(target: impl Into<String>) -> Self {
        let target = target.into();
        let size = target.len() as u64;
        let metadata =
            Metadata { target: Some(target), ..Metadata::plain(FileType::Link, 0o777, 0, 0, size) };
        Self::There { metadata, data: Data::Unknown }
    }

    /// Something that cannot be read.
    pub fn unreadable(reason: impl Into<String>) -> Self {
        Self::Unreadable { reason: reason.into() }
    }
}

impl RecordedNode {
    /// A recording of some files; what else there was is not known.
    pub fn of_some(name: impl Into<String>) -> Self {
        Self { name: name.into(), files: BTreeMap::new(), everything: false, contents: None }
    }

    /// A recording of everything: what is not in it was not there.
    pub fn of_everything(name: impl Into<String>) -> Self {
        Self { everything: true, ..Self::of_some(name) }
    }

    /// Records a path, which is absolute and has no links in it. Folders on the way need not be recorded; they have
    /// mode 0755.
    pub fn insert(&mut self, path: &str, recorded: Recorded) {
        let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
        let plain = names.fold(String::new(), |path, name| format!("{path}/{name}"));
        self.files.insert(if plain.is_empty() { "/".to_owned() } else { plain }, recorded);
    }

    /// The paths and what was recorded of them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Recorded)> {
        self.files.iter().map(|(path, recorded)| (path.as_str(), recorded))
    }

    /// What the node is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first components of the paths below a folder, as often as they occur, with what was recorded of the path.
    fn below(&self, folder: &str) -> impl Iterator<Item = (&str, bool)> {
        let prefix = join(folder, "");
        let from = self.files.range(prefix.clone()..);
        from.map_while(move |(path, recorded)| {
            let rest = path.strip_prefix(&prefix)?;
            Some(match rest.split_once('/') {
                Some((first, _)) => (first, true),
                None => (rest, *recorded != Recorded::Absent),
            })
        })
        .filter(|(name, _)| !name.is_empty())
    }

    fn is_complete(&self, folder: &str) -> bool {
        self.everything
            || matches!(self.files.get(folder), Some(Recorded::There { data: Data::Complete, .. }))
    }
}

impl Tree for RecordedNode {
    fn look(&self, path: &str) -> Lookup<Metadata> {
        match self.files.get(path) {
            Some(Recorded::There { metadata, .. }) => Lookup::Found(metadata.clone()),
            Some(Recorded::Absent) => Lookup::absent(),
            Some(Recorded::Unreadable { reason }) => Lookup::unreadable(reason),
            None if path == "/" || self.below(path).next().is_some() => {
                Lookup::Found(Metadata::plain(FileType::Directory, 0o755, 0, 0, 0))
            }
            None => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                if self.is_complete(if folder.is_empty() { "/" } else { folder }) {
                    Lookup::absent()
                } else {
                    Lookup::withheld(format!("{path}: not recorded of the node {}", self.name))
                }
            }
        }
    }

    fn content(&self, path: &str) -> FileState<'_> {
        let not_recorded =
            || Lookup::withheld(format!("{path}: its content is not recorded of the node {}", self.name));
        let Some(Recorded::There { data, .. }) = self.files.get(path) else { return not_recorded() };
        match (data, &self.contents) {
            (Data::Content(content), _) => Lookup::Found(content.into()),
            (Data::Unreadable { reason }, _) => Lookup::unreadable(reason),
            (Data::InFolder, Some(folder)) => match read_below(folder, path) {
                Ok(Some(content)) => Lookup::Found(content.into()),
                Ok(None) => not_recorded(),
                Err(e) => Lookup::unreadable(format!("the recorded content cannot be read: {e}")),
            },
            (Data::InFolder | Data::Complete | Data::Unknown, _) => not_recorded(),
        }
    }

    fn names(&self, path: &str) -> Lookup<Listing> {
        if let Some(Recorded::There { data: Data::Unreadable { reason }, .. }) = self.files.get(path) {
            return Lookup::unreadable(reason);
        }
        let mut names: Vec<_> =
            self.below(path).filter(|(_, there)| *there).map(|(name, _)| name.to_owned()).collect();
        names.sort();
        names.dedup();
        let withheld = (!self.is_complete(path))
            .then(|| format!("{path}: not all of its entries are recorded of the node {}", self.name));
        Lookup::Found(Listing { names, withheld })
    }
}

/// Reads a recorded content; none where there is none. A recording is data of others: what is no regular file in the
/// folder itself is refused.
fn read_below(folder: &std::path::Path, path: &str) -> io::Result<Option<Vec<u8>>> {
    let mut at = folder.to_owned();
    for name in path.split('/').filter(|name| !name.is_empty()) {
        at.push(name);
        match std::fs::symlink_metadata(&at) {
            Ok(found) if found.is_file() || found.is_dir() => {}
            Ok(_) => return Err(io::Error::other(format!("{}: is no regular file", at.display()))),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(e) => return Err(e),
        }
    }
    if at.is_dir() {
        return Ok(None);
    }
    let mut content = Vec::new();
    File::open(&at)?.take(super::MAX_CONTENT + 1).read_to_end(&mut content)?;
    super::bounded(content).map(Some)
}

impl NodeSource for RecordedNode {
    fn describe(&self) -> SourceReport {
        SourceReport { kind: "node".to_owned(), location: self.name.clone() }
    }
}
