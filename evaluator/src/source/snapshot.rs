//! Snapshots: raw API answers under their API path, in a folder or in a `.tar.gz` of it.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::archive::{ArchiveError, Unpacked, unpack};
use super::{Answer, ApiSource, Format, Refusal};
use crate::report::SourceReport;

/// How the file of an API path may end. The path alone is what `oc get --raw PATH > file` users write.
const ENDINGS: [(&str, Format); 4] =
    [(".json", Format::Json), (".yaml", Format::Yaml), (".yml", Format::Yaml), ("", Format::Json)];

/// A snapshot of a cluster.
#[derive(Debug)]
pub struct Snapshot {
    location: PathBuf,
    root: PathBuf,
    /// Holds what an archive was unpacked to, for as long as the snapshot lives.
    _unpacked: Option<Unpacked>,
}

/// Why a snapshot cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It is not there, or cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The snapshot.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// It is neither a folder nor an archive.
    #[error("{path}: is neither a folder nor a .tar.gz archive")]
    NotASnapshot {
        /// The file.
        path: PathBuf,
    },
    /// The archive is broken.
    #[error("{path}: the archive cannot be unpacked: {source}")]
    Archive {
        /// The archive.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// There are no API answers in it.
    #[error(
        "{path}: holds no API answers; expected folders named 'api' or 'apis', as in apis/kubevirt.io/v1/virtualmachines.json"
    )]
    Empty {
        /// The snapshot.
        path: PathBuf,
    },
}

impl Snapshot {
    /// Opens a folder, or unpacks an archive to a temporary folder.
    ///
    /// # Errors
    /// [`SnapshotError`] where there is no snapshot.
    pub fn open(path: &Path) -> Result<Self, SnapshotError> {
        let io = |source| SnapshotError::Io { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(io)?;
        let (folder, unpacked) = if metadata.is_dir() {
            (path.to_owned(), None)
        } else {
            let unpacked = unpack(path, &|_| true).map_err(|e| match e {
                ArchiveError::Io(source) => io(source),
                ArchiveError::NotAnArchive => SnapshotError::NotASnapshot { path: path.to_owned() },
                ArchiveError::Broken(source) => SnapshotError::Archive { path: path.to_owned(), source },
            })?;
            (unpacked.folder.path().to_owned(), Some(unpacked))
        };
        let root = find_root(&folder).ok_or_else(|| SnapshotError::Empty { path: path.to_owned() })?;
        Ok(Self { location: path.to_owned(), root, _unpacked: unpacked })
    }
}

impl ApiSource for Snapshot {
    fn get(&self, path: &str) -> Answer {
        let Some(path) = place(path) else {
            return Answer::Refused(Refusal::Unreadable(format!("'{path}' is not an API path")));
        };
        let candidates = ENDINGS.map(|(ending, format)| (self.root.join(format!("{path}{ending}")), format));
        let mut found = candidates.into_iter().filter(|(file, _)| file.is_file() || file.is_symlink());
        match (found.next(), found.next()) {
            (None, _) => Answer::Refused(Refusal::Missing),
            (Some((a, _)), Some((b, _))) => {
                let reason = format!("there are two answers, {} and {}", a.display(), b.display());
                Answer::Refused(Refusal::Unreadable(reason))
            }
            (Some((file, format)), None) => match File::open(&file) {
                Ok(opened) => Answer::whole(opened, format),
                Err(e) => Answer::Refused(Refusal::Unreadable(format!("{}: {e}", file.display()))),
            },
        }
    }

    fn describe(&self) -> SourceReport {
        SourceReport { kind: "snapshot".to_owned(), location: self.location.display().to_string() }
    }
}

/// Where in a snapshot an API path's answer is, without the file's ending; none where the path would lead out of it.
pub(crate) fn place(path: &str) -> Option<&str> {
    let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
    let plain = Path::new(path).components().all(|c| matches!(c, Component::Normal(_)));
    (plain && !path.is_empty()).then_some(path)
}

/// The folder that holds `api` or `apis`: the one given, or the only folder in it, as in an archive of a folder.
fn find_root(folder: &Path) -> Option<PathBuf> {
    let is_root = |folder: &Path| folder.join("apis").is_dir() || folder.join("api").is_dir();
    if is_root(folder) {
        return Some(folder.to_owned());
    }
    let entries = std::fs::read_dir(folder).ok()?;
    let mut folders = entries.flatten().map(|entry| entry.path()).filter(|path| is_root(path));
    match (folders.next(), folders.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let gz = flate2::write::GzEncoder::new(file.reopen().unwrap(), flate2::Compression::fast());
        let mut tar = tar::Builder::new(gz);
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            tar.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap();
        file
    }

    #[test]
    fn a_folder_inside_of_an_archive_is_found() {
        let file = archive(&[("snap/apis/kubevirt.io/v1/virtualmachines.json", "{}")]);
        let snapshot = Snapshot::open(file.path()).unwrap();
        assert!(matches!(snapshot.get("/apis/kubevirt.io/v1/virtualmachines"), Answer::Pages(_)));
        assert!(matches!(snapshot.get("/apis/kubevirt.io/v1/virtualmachines?limit=500"), Answer::Pages(_)));
        let missing = snapshot.get("/apis/kubevirt.io/v1/kubevirts");
        assert!(matches!(missing, Answer::Refused(Refusal::Missing)));
        assert!(matches!(snapshot.get("/apis/../../etc/passwd"), Answer::Refused(Refusal::Unreadable(_))));
    }

    #[test]
    fn a_truncated_archive_is_an_error() {
        let long = "x".repeat(100_000);
        let file = archive(&[("apis/a.json", &long)]);
        let bytes = std::fs::read(file.path()).unwrap();
        std::fs::write(file.path(), &bytes[..bytes.len() / 2]).unwrap();
        assert!(matches!(Snapshot::open(file.path()), Err(SnapshotError::Archive { .. })));
    }

    #[test]
    fn what_is_no_snapshot_is_told_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Snapshot::open(folder.path()), Err(SnapshotError::Empty { .. })));
        let file = folder.path().join("x");
        assert!(matches!(Snapshot::open(&file), Err(SnapshotError::Io { .. })));
        std::fs::write(&file, "hello").unwrap();
        assert!(matches!(Snapshot::open(&file), Err(SnapshotError::NotASnapshot { .. })));
    }

    #[test]
    fn two_answers_for_a_path_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("api/v1")).unwrap();
        std::fs::write(folder.path().join("api/v1/nodes.json"), "{}").unwrap();
        std::fs::write(folder.path().join("api/v1/nodes.yaml"), "{}").unwrap();
        let snapshot = Snapshot::open(folder.path()).unwrap();
        assert!(matches!(snapshot.get("/api/v1/nodes"), Answer::Refused(Refusal::Unreadable(_))));
    }
}
