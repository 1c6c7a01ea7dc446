//! Roots of nodes that are made for cases.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use serde::Deserialize;

/// A file of a case's root.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RootFile {
    content: String,
    /// A file beside this one with the content.
    copy: Option<String>,
    folder: bool,
    link: Option<String>,
    fifo: bool,
    mode: Option<String>,
    uid: u32,
    gid: u32,
}

/// Makes the files below a folder.
pub(crate) fn make(folder: &Path, files: &BTreeMap<String, RootFile>) {
    for (path, file) in files {
        let at = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        if let Some(target) = &file.link {
            symlink(target, &at).unwrap();
            continue;
        }
        if file.folder {
            std::fs::create_dir_all(&at).unwrap();
        } else if file.fifo {
            assert!(std::process::Command::new("mkfifo").arg(&at).status().unwrap().success());
        } else if let Some(copy) = &file.copy {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer").join(copy);
            std::fs::copy(from, &at).unwrap();
        } else {
            std::fs::write(&at, &file.content).unwrap();
        }
        if file.uid != 0 || file.gid != 0 {
            chown(&at, Some(file.uid), Some(file.gid)).unwrap();
        }
        let mode = file.mode.as_deref().unwrap_or(if file.folder { "0755" } else { "0644" });
        let mode = u32::from_str_radix(mode, 8).unwrap();
        std::fs::set_permissions(&at, PermissionsExt::from_mode(mode)).unwrap();
    }
}

/// Whether the files belong to others than who runs the tests.
pub(crate) fn have_owners(files: &BTreeMap<String, RootFile>) -> bool {
    files.values().any(|file| file.uid != 0 || file.gid != 0)
}
