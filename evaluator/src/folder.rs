//! Folders that are written whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

/// Why a folder was not written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It is there and holds something.
    #[error("{path}: is not empty; name a new folder, or empty this one")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// It, or the folder that holds it, cannot be written.
    #[error("{path}: {source}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
}

/// Writes a folder by way of a temporary one beside it. An empty folder that is there already gives way.
pub(crate) fn write_whole<E: From<FolderError>>(
    folder: &Path,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Io { path, source }
    };
    match std::fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(FolderError::NotEmpty { path: folder.to_owned() }.into());
            }
            std::fs::remove_dir(folder).map_err(io(folder))?;
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(io(folder)(e).into()),
    }
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(parent).map_err(io(parent))?;
    let temporary = tempfile::tempdir_in(parent).map_err(io(parent))?;
    write(temporary.path())?;
    #[cfg(unix)]
    {
        // Temporary folders are private; these are read by others, often as another user.
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(temporary.path(), mode).map_err(io(temporary.path()))?;
    }
    std::fs::rename(temporary.path(), folder).map_err(io(folder))?;
    // Its content has another name now; there is nothing left to remove.
    let _ = temporary.keep();
    Ok(())
}
