//! Recorded nodes on disk: `DIR/node.yaml` says what was there, `DIR/files/PATH` is the content of a regular file.
//!
//! ```yaml
//! node: worker-0
//! files:
//! - {path: /proc/cmdline, type: regular, mode: "0444", uid: 0, gid: 0}
//! - {path: /var/lib/kubelet, type: directory, mode: "0755", uid: 0, gid: 0, complete: true}
//! - {path: /var/run, type: link, target: ../run, mode: "0777", uid: 0, gid: 0}
//! - {path: /x, type: absent}
//! - {path: /y, type: unreadable, reason: permission denied}
//! ```
//!
//! `complete` says that all entries of the directory are recorded. A `reason` on a regular file or a directory says why
//! its content could not be read; `size` is what the file system told, where that is not the length of the content.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_yaml::Spanned;
use virtscap_scap::oval::FileType;

use super::recorded::{Data, Recorded, RecordedNode};
use super::{MAX_CONTENT, NodeError};
use crate::files::{Lookup, Metadata, Tree as _};
use crate::folder;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile<T> {
    node: String,
    files: Vec<T>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    #[serde(rename = "type")]
    entry_type: EntryType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    complete: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EntryType {
    Regular,
    Directory,
    Link,
    #[serde(rename = "character special")]
    CharacterSpecial,
    #[serde(rename = "block special")]
    BlockSpecial,
    Fifo,
    Socket,
    Absent,
    Unreadable,
}

/// The types of files that are there.
const TYPES: [(EntryType, FileType); 7] = [
    (EntryType::Regular, FileType::Regular),
    (EntryType::Directory, FileType::Directory),
    (EntryType::Link, FileType::Link),
    (EntryType::CharacterSpecial, FileType::CharacterSpecial),
    (EntryType::BlockSpecial, FileType::BlockSpecial),
    (EntryType::Fifo, FileType::Fifo),
    (EntryType::Socket, FileType::Socket),
];

impl RecordedNode {
    /// Opens a folder that holds `node.yaml`.
    ///
    /// # Errors
    /// [`NodeError`] where it cannot be read, or says what makes no sense.
    pub fn open(folder: &Path) -> Result<Self, NodeError> {
        let path = folder.join("node.yaml");
        read(&read_text(&path)?, &path, &folder.join("files"))
    }

    /// Writes the recording to a folder, which appears whole or not at all.
    ///
    /// # Errors
    /// [`NodeError`] where the folder holds something, or writing fails.
    pub fn write_to(&self, folder: &Path) -> Result<(), NodeError> {
        folder::write_whole(folder, |folder| {
            let io = |path: &Path| {
                let path = path.to_owned();
                move |source| NodeError::Io { path, source }
            };
            let mut files = Vec::new();
            for (path, recorded) in self.iter() {
                files.push(entry(path, recorded));
                let Recorded::There { data: Data::Content(_) | Data::InFolder, .. } = recorded else {
                    continue;
                };
                if let Lookup::Found(content) = self.content(path) {
                    let target = folder.join("files").join(path.trim_start_matches('/'));
                    if let Some(parent) = target.parent() {
                        std::fs::create_dir_all(parent).map_err(io(parent))?;
                    }
                    std::fs::write(&target, content).map_err(io(&target))?;
                }
            }
            let path = folder.join("node.yaml");
            write_yaml(&path, &NodeFile { node: self.name().to_owned(), files })
        })
    }
}

/// The text of a file of a recording.
pub(super) fn read_text(path: &Path) -> Result<String, NodeError> {
    let io = |source| NodeError::Io { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(io)?.len();
    if size > MAX_CONTENT {
        return Err(io(std::io::Error::other(format!("it holds more than {} MiB", MAX_CONTENT >> 20))));
    }
    std::fs::read_to_string(path).map_err(io)
}

/// What a file of a recording says in YAML. The path is for errors.
pub(super) fn parse_yaml<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, NodeError> {
    let options = serde_yaml::options! {
        budget: None,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    let malformed = |e: serde_yaml::Error| {
        let line = e.location().map_or(1, |location| location.line());
        NodeError::Malformed { path: path.to_owned(), line, problem: e.without_snippet().to_string() }
    };
    serde_yaml::from_str_with_options(text, options).map_err(malformed)
}

/// Writes a file of a recording.
pub(super) fn write_yaml(path: &Path, value: &impl Serialize) -> Result<(), NodeError> {
    let io = |source| NodeError::Io { path: path.to_owned(), source };
    let text = serde_yaml::to_string(value).map_err(|e| io(std::io::Error::other(e)))?;
    std::fs::write(path, text).map_err(io)
}

fn read(text: &str, path: &Path, contents: &Path) -> Result<RecordedNode, NodeError> {
    let file: NodeFile<Spanned<Entry>> = parse_yaml(text, path)?;
    let mut node = RecordedNode::of_some(file.node);
    node.contents = Some(contents.to_owned());
    for entry in file.files {
        let line = entry.referenced.line();
        let problem = |problem| NodeError::Malformed { path: path.to_owned(), line, problem };
        let size_is_told = entry.value.size.is_some();
        let (of, mut recorded) = recorded(entry.value).map_err(problem)?;
        if let Recorded::There { metadata, data: Data::InFolder } = &mut recorded
            && !size_is_told
        {
            let content = contents.join(of.trim_start_matches('/'));
            metadata.size = std::fs::symlink_metadata(content).map_or(0, |content| content.len());
        }
        if node.files.contains_key(&of) {
            return Err(problem(format!("'{of}' is there twice")));
        }
        node.files.insert(of, recorded);
    }
    Ok(node)
}

/// What an entry says, or what is wrong with it.
fn recorded(entry: Entry) -> Result<(String, Recorded), String> {
    let path = entry.path;
    let plain = path == "/"
        || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(|n| !matches!(n, "" | "." | "..")));
    if !plain {
        return Err(format!("the path '{path}' is not absolute and plain"));
    }
    let said = [
        ("mode", entry.mode.is_some()),
        ("uid", entry.uid.is_some()),
        ("gid", entry.gid.is_some()),
        ("size", entry.size.is_some()),
        ("target", entry.target.is_some()),
        ("complete", entry.complete),
        ("reason", entry.reason.is_some()),
    ];
    let allowed: &[&str] = match entry.entry_type {
        EntryType::Absent => &[],
        EntryType::Unreadable => &["reason"],
        EntryType::Regular => &["mode", "uid", "gid", "size", "reason"],
        EntryType::Directory => &["mode", "uid", "gid", "size", "complete", "reason"],
        EntryType::Link => &["mode", "uid", "gid", "size", "target"],
        _ => &["mode", "uid", "gid", "size"],
    };
    if let Some((key, _)) = said.iter().find(|(key, said)| *said && !allowed.contains(key)) {
        return Err(format!("'{path}' is of a type that has no '{key}'"));
    }
    let file_type = match entry.entry_type {
        EntryType::Absent => return Ok((path, Recorded::Absent)),
        EntryType::Unreadable => {
            let reason = entry.reason.ok_or_else(|| format!("'{path}' is unreadable and has no 'reason'"))?;
            return Ok((path, Recorded::Unreadable { reason }));
        }
        there => TYPES.iter().find(|(known, _)| *known == there).map_or(FileType::Regular, |(_, t)| *t),
    };
    let missing = |key: &str| format!("'{path}' has no '{key}'");
    let mode = entry.mode.ok_or_else(|| missing("mode"))?;
    let metadata = Metadata {
        file_type,
        mode: u32::from_str_radix(&mode, 8)
            .ok()
            .filter(|mode| *mode <= 0o7777)
            .ok_or_else(|| format!("the mode '{mode}' of '{path}' is no octal number up to 7777"))?,
        uid: entry.uid.ok_or_else(|| missing("uid"))?,
        gid: entry.gid.ok_or_else(|| missing("gid"))?,
        size: entry.size.unwrap_or_default(),
        times: None,
        device: 0,
        target: match file_type {
            FileType::Link => Some(entry.target.ok_or_else(|| missing("target"))?),
            _ => None,
        },
    };
    let data = match (entry.reason, file_type) {
        (Some(reason), _) => Data::Unreadable { reason },
        (None, FileType::Regular) => Data::InFolder,
        (None, FileType::Directory) if entry.complete => Data::Complete,
        _ => Data::Unknown,
    };
    Ok((path, Recorded::There { metadata, data }))
}

fn entry(path: &str, recorded: &Recorded) -> Entry {
    let bare = |entry_type| Entry {
        path: path.to_owned(),
        entry_type,
        mode: None,
        uid: None,
        gid: None,
        size: None,
        target: None,
        complete: false,
        reason: None,
    };
    match recorded {
        Recorded::Absent => bare(EntryType::Absent),
        Recorded::Unreadable { reason } => {
            Entry { reason: Some(reason.clone()), ..bare(EntryType::Unreadable) }
        }
        Recorded::There { metadata, data } => {
            let of_type = TYPES.iter().find(|(_, known)| *known == metadata.file_type);
            Entry {
                mode: Some(format!("{:04o}", metadata.mode)),
                uid: Some(metadata.uid),
                gid: Some(metadata.gid),
                size: Some(metadata.size).filter(|size| match data {
                    Data::Content(content) => *size != content.len() as u64,
                    Data::InFolder => true,
                    _ => *size > 0,
                }),
                target: metadata.target.clone(),
                complete: *data == Data::Complete,
                reason: match data {
                    Data::Unreadable { reason } => Some(reason.clone()),
                    _ => None,
                },
                ..bare(of_type.map_or(EntryType::Regular, |(entry_type, _)| *entry_type))
            }
        }
    }
}
