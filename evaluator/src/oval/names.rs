//! What items are called where they make a test false.

use virtscap_scap::oval::results::ItemKind;
use virtscap_scap::oval::{FileItem, FileType};

/// A line of a file: `PATH: LINE`.
pub(super) fn line(filepath: &str, text: &str) -> String {
    format!("{filepath}: {text}")
}

/// A file with what its state may be about: `PATH: mode 0777, owner 0:0`. What a file is, is told where that is a
/// surprise.
pub(super) fn file(file: &FileItem) -> String {
    let FileItem { file_type, mode, user_id, group_id, .. } = file;
    let path = file.full_path();
    match file_type {
        FileType::Regular | FileType::Directory => {
            format!("{path}: mode {mode:04o}, owner {user_id}:{group_id}")
        }
        _ => format!("{path}: {file_type}, mode {mode:04o}, owner {user_id}:{group_id}"),
    }
}

/// An item that should not be there.
pub(super) fn presence(item: &ItemKind) -> Option<String> {
    match item {
        ItemKind::File(file) => Some(format!("{}: is there", file.full_path())),
        ItemKind::TextFileContent { filepath, text, .. } => Some(line(filepath, text)),
        // Of these an item is no object of the cluster, but all that a filter left.
        ItemKind::YamlFileContent { .. } | ItemKind::Variable { .. } | ItemKind::Family { .. } => None,
    }
}
