//! What the content's filters leave of the API answers, in the layout that the Compliance Operator's collector writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use virtscap_scap::oval::FileType;

use crate::files::{FileState, Files, Listing, Lookup, Metadata, below_dump_root};
use crate::folder::{FolderError, write_whole};
use crate::gap::Gap;

/// Where the operator mounts a dump, and where content looks for it.
pub const DUMP_ROOT: &str = "/kubernetes-api-resources";

/// What the operator's collector writes for an API path that is not there.
pub const NOT_FOUND_MARKER: &str = "# kube-api-error=NotFound";

/// Files by path, as content names them (`/kubernetes-api-resources/apis/…`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    files: BTreeMap<String, DumpFile>,
    /// What is wanting in files, by path.
    gaps: BTreeMap<String, Gap>,
    /// What is wanting in a source that has nothing else than these files, a node's included.
    elsewhere: Option<Gap>,
}

/// A file of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpFile {
    /// What the filter left.
    Document(String),
    /// The API server knows no such path.
    NotFound,
    /// There is no file, for this reason.
    Absent {
        /// What happened.
        reason: String,
    },
}

/// Why rules on a node's files are not decided on a dump.
pub(crate) const NO_NODE: &str = "this source has no files of a node";

impl Files for Dump {
    fn read(&self, path: &str) -> FileState<'_> {
        match self.files.get(path) {
            Some(DumpFile::Document(text)) => Lookup::Found(Cow::Borrowed(text.as_bytes())),
            Some(DumpFile::NotFound) => {
                Lookup::Found(Cow::Owned(format!("{NOT_FOUND_MARKER}\n").into_bytes()))
            }
            Some(DumpFile::Absent { reason }) => Lookup::withheld(reason),
            None => match &self.elsewhere {
                Some(gap) => Lookup::withheld(&*gap.reason),
                None if below_dump_root(path) => Lookup::absent(),
                None => Lookup::withheld(NO_NODE),
            },
        }
    }

    /// A dump has no links, no owners and no modes of its own; these are what the operator's collector writes.
    fn metadata(&self, path: &str) -> Lookup<Metadata> {
        let metadata = |file_type, mode, size| Metadata::plain(file_type, mode, 0, 0, size);
        self.read(path)
            .map(|content| metadata(FileType::Regular, 0o644, content.len() as u64))
            .or_else(|| self.directory(path).map(|_| metadata(FileType::Directory, 0o755, 0)))
    }

    fn directory(&self, path: &str) -> Lookup<String> {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return Lookup::Found("/".to_owned());
        }
        if !below_dump_root(path) {
            return Lookup::withheld(NO_NODE);
        }
        if path == DUMP_ROOT || self.below(path).next().is_some() {
            return Lookup::Found(path.to_owned());
        }
        Lookup::absent()
    }

    fn list(&self, path: &str) -> Lookup<Listing> {
        self.directory(path).map(|path| {
            if path == "/" {
                let names = vec![DUMP_ROOT.trim_start_matches('/').to_owned()];
                return Listing { names, withheld: Some(NO_NODE.to_owned()) };
            }
            // Files whose data could not be had are among them, so that they are asked for, and say why.
            let mut names: Vec<_> = self.below(&path).collect();
            names.sort();
            names.dedup();
            Listing { names, withheld: self.elsewhere.as_ref().map(|gap| gap.reason.clone()) }
        })
    }

    fn gap(&self, path: Option<&str>) -> Option<&Gap> {
        match path {
            Some(path) if self.files.contains_key(path) => self.gaps.get(path),
            Some(_) => self.elsewhere.as_ref(),
            None => self.gaps.values().chain(&self.elsewhere).min(),
        }
    }
}

/// Why a dump was not written.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// A path of the content leads out of the dump.
    #[error("the content names the dump path '{path}', which leads out of {DUMP_ROOT}")]
    Escapes {
        /// The path.
        path: String,
    },
    /// The folder is of no use.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file could not be written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

impl Dump {
    /// Adds a file; the first of a path stays.
    pub fn insert(&mut self, path: String, file: DumpFile) {
        self.files.entry(path).or_insert(file);
    }

    /// Notes what is wanting in a file.
    pub fn note_gap(&mut self, path: String, gap: Gap) {
        self.gaps.entry(path).or_insert(gap);
    }

    /// Notes that nothing but these files can be had, and why.
    pub fn note_elsewhere(&mut self, gap: Gap) {
        self.elsewhere = Some(gap);
    }

    /// Whether the dump has an entry for the path.
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The file of a path.
    pub fn get(&self, path: &str) -> Option<&DumpFile> {
        self.files.get(path)
    }

    /// The first components of the paths below a folder, as often as they occur.
    fn below(&self, folder: &str) -> impl Iterator<Item = String> {
        let prefix = format!("{folder}/");
        let from = self.files.range(prefix.clone()..);
        from.map_while(move |(path, _)| {
            let rest = path.strip_prefix(&prefix)?;
            Some(rest.split_once('/').map_or(rest, |(first, _)| first).to_owned())
        })
    }

    /// The paths and files, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &DumpFile)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Writes the files below a folder, which stands for [`DUMP_ROOT`]. The folder appears whole or not at all.
    ///
    /// # Errors
    /// [`DumpError`] where the folder holds something, a path leads out of it, or writing fails.
    pub fn write_to(&self, folder: &Path) -> Result<(), DumpError> {
        write_whole(folder, |folder| {
            let io = |path: &Path| {
                let path = path.to_owned();
                move |source| DumpError::Io { path, source }
            };
            for (path, file) in &self.files {
                let text = match file {
                    DumpFile::Document(text) => text.clone(),
                    DumpFile::NotFound => format!("{NOT_FOUND_MARKER}\n"),
                    DumpFile::Absent { .. } => continue,
                };
                let target = folder.join(relative(path)?);
                if let Some(parent) = target.parent() {
                    std::fs::create_dir_all(parent).map_err(io(parent))?;
                }
                std::fs::write(&target, text).map_err(io(&target))?;
            }
            Ok(())
        })
    }
}

/// The path below the folder that stands for [`DUMP_ROOT`].
fn relative(path: &str) -> Result<PathBuf, DumpError> {
    let escapes = || DumpError::Escapes { path: path.to_owned() };
    let below = path.strip_prefix(DUMP_ROOT).ok_or_else(escapes)?;
    let below = Path::new(below.trim_start_matches('/'));
    let plain = below.components().all(|c| matches!(c, Component::Normal(_)));
    if plain && !below.as_os_str().is_empty() { Ok(below.to_owned()) } else { Err(escapes()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn dump(path: &str) -> Dump {
        let mut dump = Dump::default();
        dump.insert(path.to_owned(), DumpFile::Document("[]".to_owned()));
        dump
    }

    #[test]
    fn files_land_below_the_folder() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("a/kubernetes-api-resources");
        let mut dump = dump("/kubernetes-api-resources/api/v1/nodes#1");
        dump.insert("/kubernetes-api-resources/apis/x".to_owned(), DumpFile::NotFound);
        dump.insert(
            "/kubernetes-api-resources/apis/y".to_owned(),
            DumpFile::Absent { reason: "forbidden".to_owned() },
        );
        dump.write_to(&folder).unwrap();
        assert_eq!(std::fs::read_to_string(folder.join("api/v1/nodes#1")).unwrap(), "[]");
        assert_eq!(std::fs::read_to_string(folder.join("apis/x")).unwrap(), "# kube-api-error=NotFound\n");
        assert!(!folder.join("apis/y").exists());
        assert!(matches!(dump.write_to(&folder), Err(DumpError::Folder(FolderError::NotEmpty { .. }))));
    }

    #[test]
    fn a_path_cannot_lead_out_of_the_folder() {
        let temporary = tempfile::tempdir().unwrap();
        for path in ["/kubernetes-api-resources/../x", "/etc/passwd", "/kubernetes-api-resources"] {
            let folder = temporary.path().join("out");
            assert!(matches!(dump(path).write_to(&folder), Err(DumpError::Escapes { .. })), "{path}");
            assert!(!folder.exists());
        }
    }
}
