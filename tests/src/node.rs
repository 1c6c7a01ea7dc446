//! Nodes for stock oscap: a case's files, written to a folder.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use virtscap_generator::case::GivenFile;

/// Writes files below a folder that stands for the root; false where this cannot be done: a file that root could not
/// read, or one of another's by somebody who is not root.
pub fn write(files: &BTreeMap<String, GivenFile>, root: &Path) -> bool {
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(root).unwrap()) == 0;
    if files.values().any(|file| *file == GivenFile::Unreadable) || !is_root {
        return false;
    }
    for (path, file) in files {
        let target = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        match file {
            GivenFile::Regular { content, .. } => std::fs::write(&target, content).unwrap(),
            GivenFile::Folder(_) => std::fs::create_dir_all(&target).unwrap(),
            GivenFile::Link { target: to } => symlink(to, &target).unwrap(),
            GivenFile::Unreadable => return false,
        }
        if let GivenFile::Regular { owned, .. } | GivenFile::Folder(owned) = file {
            chown(&target, Some(owned.uid), Some(owned.gid)).unwrap();
            // After the owner, for a change of it takes set-id bits away.
            std::fs::set_permissions(&target, std::fs::Permissions::from_mode(owned.mode.into())).unwrap();
        }
    }
    true
}
