//! What the content's filters leave of the API answers, in the layout that the Compliance Operator's collector writes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Where the operator mounts a dump, and where content looks for it.
pub const DUMP_ROOT: &str = "/kubernetes-api-resources";

/// What the operator's collector writes for an API path that is not there.
pub const NOT_FOUND_MARKER: &str = "# kube-api-error=NotFound";

/// Files by path, as content names them (`/kubernetes-api-resources/apis/…`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    files: BTreeMap<String, DumpFile>,
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

/// What a probe gets when it asks for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState<'a> {
    /// Its content.
    Found(Cow<'a, [u8]>),
    /// There is none.
    Missing {
        /// Why, where that is known.
        reason: Option<String>,
    },
    /// There is one, and it cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// What the probes read files from.
pub trait Files {
    /// The state of the file at an absolute path.
    fn read(&self, path: &str) -> FileState<'_>;
}

impl Files for Dump {
    fn read(&self, path: &str) -> FileState<'_> {
        match self.files.get(path) {
            Some(DumpFile::Document(text)) => FileState::Found(Cow::Borrowed(text.as_bytes())),
            Some(DumpFile::NotFound) => {
                FileState::Found(Cow::Owned(format!("{NOT_FOUND_MARKER}\n").into_bytes()))
            }
            Some(DumpFile::Absent { reason }) => FileState::Missing { reason: Some(reason.clone()) },
            None => FileState::Missing { reason: None },
        }
    }
}

/// Files as oscap sees them: one whose data could not be had is missing, whatever the reason.
///
/// Platforms are told by these. A platform whose check is not decided counts as absent, and an answer that was refused
/// must not make the rules of the platform `notapplicable`.
pub(crate) struct WithoutReasons<'a>(pub(crate) &'a dyn Files);

impl Files for WithoutReasons<'_> {
    fn read(&self, path: &str) -> FileState<'_> {
        match self.0.read(path) {
            FileState::Missing { .. } => FileState::Missing { reason: None },
            state => state,
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
    /// The folder is there and holds something.
    #[error("{path}: is not empty; name a new folder, or empty this one")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
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

    /// Whether the dump has an entry for the path.
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The file of a path.
    pub fn get(&self, path: &str) -> Option<&DumpFile> {
        self.files.get(path)
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
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| DumpError::Io { path, source }
        };
        match std::fs::read_dir(folder) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(DumpError::NotEmpty { path: folder.to_owned() });
                }
                std::fs::remove_dir(folder).map_err(io(folder))?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(io(folder)(e)),
        }
        let parent = match folder.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        std::fs::create_dir_all(parent).map_err(io(parent))?;
        let temporary = tempfile::tempdir_in(parent).map_err(io(parent))?;
        for (path, file) in &self.files {
            let text = match file {
                DumpFile::Document(text) => text.clone(),
                DumpFile::NotFound => format!("{NOT_FOUND_MARKER}\n"),
                DumpFile::Absent { .. } => continue,
            };
            let target = temporary.path().join(relative(path)?);
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent).map_err(io(parent))?;
            }
            std::fs::write(&target, text).map_err(io(&target))?;
        }
        let finished = temporary.keep();
        #[cfg(unix)]
        {
            // Temporary folders are private; a dump is read by a scanner, often as another user.
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&finished, mode).map_err(io(&finished))?;
        }
        std::fs::rename(&finished, folder).map_err(io(folder))
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
        assert!(matches!(dump.write_to(&folder), Err(DumpError::NotEmpty { .. })));
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
