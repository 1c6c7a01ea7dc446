//! The recorded nodes of a cluster: `DIR/nodes.yaml` names all of them, and `DIR/NAME` holds what was recorded of each.
//!
//! ```yaml
//! nodes:
//! - {name: worker-0}
//! - {name: worker-1, not_read: "could not be read: no virt-handler pod runs on it"}
//! ```
//!
//! `not_read` says why a node was not read, or not to its end. A node of which nothing was recorded has no folder.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::node_file::{parse_yaml, read_text, write_yaml};
use super::{NodeError, RecordedNode};
use crate::folder;

/// The folder of a snapshot that holds its nodes.
pub const NODES_FOLDER: &str = "nodes";
/// Names them.
const INDEX: &str = "nodes.yaml";

/// Recorded nodes, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedNodes {
    nodes: Vec<OfCluster>,
}

/// What was recorded of a node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfCluster {
    /// Its name.
    pub name: String,
    /// Why it was not read, or not to its end, in words that follow its name.
    pub not_read: Option<String>,
    /// Its files; none where nothing was recorded.
    pub files: Option<RecordedNode>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    nodes: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_read: Option<String>,
}

impl RecordedNodes {
    /// Of recordings, each with why it does not have all.
    pub fn new(recorded: impl IntoIterator<Item = (RecordedNode, Option<String>)>) -> Self {
        let of_cluster = |(node, not_read): (RecordedNode, Option<String>)| {
            let name = node.name().to_owned();
            let any = node.iter().next().is_some();
            OfCluster { name, not_read, files: any.then_some(node) }
        };
        let mut nodes: Vec<_> = recorded.into_iter().map(of_cluster).collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Self { nodes }
    }

    /// Opens those of a snapshot; none where its folder has no folder `nodes`.
    ///
    /// # Errors
    /// [`NodeError`] where they cannot be read, or what is there makes no sense.
    pub fn open(snapshot: &Path) -> Result<Option<Self>, NodeError> {
        let folder = snapshot.join(NODES_FOLDER);
        if !folder.is_dir() {
            return Ok(None);
        }
        let path = folder.join(INDEX);
        let malformed = |problem| NodeError::Malformed { path: path.clone(), line: 1, problem };
        let index: Index = parse_yaml(&read_text(&path)?, &path)?;
        let mut names = BTreeSet::new();
        let mut nodes = Vec::new();
        for Entry { name, not_read } in index.nodes {
            let of_node = folder.join(node_file_name(&name)?);
            if !names.insert(name.clone()) {
                return Err(malformed(format!("the node '{name}' is there twice")));
            }
            let files = of_node.exists().then(|| RecordedNode::open(&of_node)).transpose()?;
            if let Some(files) = files.as_ref().filter(|files| files.name() != name) {
                return Err(malformed(format!("in '{name}' is the node '{}'", files.name())));
            }
            if files.is_none() && not_read.is_none() {
                return Err(malformed(format!("of the node '{name}' there is no folder")));
            }
            nodes.push(OfCluster { name, not_read, files });
        }
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(Self { nodes }))
    }

    /// Adds them to a snapshot: its folder `nodes` appears whole or not at all.
    ///
    /// # Errors
    /// [`NodeError`] where the snapshot has nodes, or writing fails.
    pub fn write_to(&self, snapshot: &Path) -> Result<(), NodeError> {
        folder::write_whole(&snapshot.join(NODES_FOLDER), |folder| {
            let mut index = Index { nodes: Vec::new() };
            for OfCluster { name, not_read, files } in &self.nodes {
                if let Some(files) = files {
                    files.write_to(&folder.join(node_file_name(name)?))?;
                }
                index.nodes.push(Entry { name: name.clone(), not_read: not_read.clone() });
            }
            write_yaml(&folder.join(INDEX), &index)
        })
    }

    /// The nodes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &OfCluster> {
        self.nodes.iter()
    }
}

/// The name of a node, as that of a file.
///
/// # Errors
/// [`NodeError::Name`] where it is none: no API server lets such a name be, and it would lead elsewhere.
pub fn node_file_name(name: &str) -> Result<&str, NodeError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\']) || name == INDEX {
        return Err(NodeError::Name { name: name.to_owned() });
    }
    Ok(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::Recorded;

    fn recorded(name: &str, files: usize) -> RecordedNode {
        let mut node = RecordedNode::of_some(name);
        for number in 0..files {
            node.insert(&format!("/{number}"), Recorded::regular(0o644, 0, 0, "x"));
        }
        node
    }

    #[test]
    fn nodes_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(RecordedNodes::open(folder.path()).unwrap(), None);
        let reason = || Some("no: pod".to_owned());
        let nodes = RecordedNodes::new([
            (recorded("b", 2), None),
            (recorded("a", 0), reason()),
            (recorded("c", 1), reason()),
        ]);
        nodes.write_to(folder.path()).unwrap();
        let found = RecordedNodes::open(folder.path()).unwrap().unwrap();
        let short = |nodes: &RecordedNodes| -> Vec<_> {
            nodes
                .iter()
                .map(|node| {
                    let files = node.files.as_ref().map(|files| files.iter().count());
                    (node.name.clone(), node.not_read.clone(), files)
                })
                .collect()
        };
        assert_eq!(short(&found), short(&nodes));
        let expected = [
            ("a".to_owned(), reason(), None),
            ("b".to_owned(), None, Some(2)),
            ("c".to_owned(), reason(), Some(1)),
        ];
        assert_eq!(short(&found), expected);
        assert!(matches!(nodes.write_to(folder.path()), Err(NodeError::Folder(_))));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        RecordedNodes::new([(recorded("a", 1), None)]).write_to(folder.path()).unwrap();
        let index = folder.path().join("nodes/nodes.yaml");
        for (text, problem) in [
            ("nodes: [{name: a}, {name: a}]", "'a' is there twice"),
            ("nodes: [{name: b}]", "of the node 'b' there is no folder"),
            ("nodes: [{name: ../nodes/a}]", "\"../nodes/a\" is no name of a node"),
            ("nodes: [{name: \"\"}]", "\"\" is no name"),
            ("nodes:\n- {name: a, read: x}", "nodes.yaml:2: "),
            ("", "nodes.yaml:1: "),
        ] {
            std::fs::write(&index, text).unwrap();
            let error = RecordedNodes::open(folder.path()).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
        std::fs::rename(folder.path().join("nodes/a"), folder.path().join("nodes/b")).unwrap();
        std::fs::write(&index, "nodes: [{name: b}]").unwrap();
        let error = RecordedNodes::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("in 'b' is the node 'a'"), "{error}");
        std::fs::remove_file(&index).unwrap();
        let error = RecordedNodes::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("nodes.yaml: No such file"), "{error}");
    }
}
