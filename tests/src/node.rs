//! Files of nodes, of cases and recordings, written to a folder that stands for the root.

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use virtscap_evaluator::files::{Files as _, Lookup};
use virtscap_evaluator::source::{Recorded, RecordedNode};
use virtscap_generator::case::GivenFile;
use virtscap_scap::oval::FileType;

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

/// Writes a recorded node below a folder; false where the owners cannot be set.
pub fn write_recorded(node: &RecordedNode, root: &Path) -> bool {
    if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(root).unwrap()) != 0 {
        return false;
    }
    for (path, recorded) in node.iter() {
        let Recorded::There { metadata, .. } = recorded else { continue };
        let target = root.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        match metadata.file_type {
            FileType::Directory => std::fs::create_dir_all(&target).unwrap(),
            FileType::Link => {
                symlink(metadata.target.as_ref().unwrap(), &target).unwrap();
                continue;
            }
            FileType::Regular => match node.read(path) {
                Lookup::Found(content) => std::fs::write(&target, content).unwrap(),
                _ => std::fs::write(&target, "").unwrap(),
            },
            other => panic!("{path}: {other:?}"),
        }
        chown(&target, Some(metadata.uid), Some(metadata.gid)).unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(metadata.mode)).unwrap();
    }
    true
}
