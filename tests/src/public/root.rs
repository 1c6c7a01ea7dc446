//! Makes a root to scan, from the description in `tests/public/root.yaml`.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// What is at a path: a file where there is text, a link, a pipe, or else a directory.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    text: Option<String>,
    link: Option<String>,
    #[serde(default)]
    fifo: bool,
    mode: Option<String>,
    owner: Option<String>,
}

/// Makes the root in an empty folder. What only root may do is left out for others: both tools see the same anyway.
pub fn make(folder: &Path) {
    let description = crate::project().join("tests/public/root.yaml");
    let text = std::fs::read_to_string(&description).unwrap();
    let entries: BTreeMap<String, Entry> =
        serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", description.display()));
    for (path, entry) in &entries {
        let path = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match entry {
            Entry { text: Some(text), .. } => std::fs::write(&path, text).unwrap(),
            Entry { link: Some(target), .. } => symlink(target, &path).unwrap(),
            Entry { fifo: true, .. } => {
                assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            }
            _ => std::fs::create_dir_all(&path).unwrap(),
        }
    }
    std::fs::create_dir_all(folder.join("var/lib/rpm")).unwrap();
    let packages = crate::project().join("tests/public/rpmdb.sqlite");
    std::fs::copy(packages, folder.join("var/lib/rpm/rpmdb.sqlite")).unwrap();
    // From the leaves to the root, since a directory without write permission takes nothing more.
    for (path, entry) in entries.iter().rev().filter(|(_, entry)| entry.link.is_none()) {
        let path = folder.join(path.trim_start_matches('/'));
        if let Some(owner) = &entry.owner {
            let (user, group) = owner.split_once(':').unwrap_or((owner, "0"));
            // Fails unless root.
            let _ = chown(&path, Some(user.parse().unwrap()), Some(group.parse().unwrap()));
        }
        // A change of the owner takes set-user-ID away.
        let default = if path.is_dir() { "0755" } else { "0644" };
        let mode = u32::from_str_radix(entry.mode.as_deref().unwrap_or(default), 8).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
}

/// A made root in a temporary folder.
pub fn temporary() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // A temporary folder is its maker's alone; a root is not.
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    make(folder.path());
    folder
}

/// Puts a committed dump of an API, `tests/public/dumps/NAME`, where both tools look for it below a root.
pub fn add_dump(name: &str, root: &Path) {
    let from = crate::project().join("tests/public/dumps").join(name);
    copy(&from, &root.join("kubernetes-api-resources"));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
