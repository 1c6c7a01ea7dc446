//! Must-gathers: what `oc adm must-gather` and `oc adm inspect` write, in a folder or an archive of it.
//!
//! A must-gather holds objects that somebody chose to collect. An object that is there is judged. That one is not there
//! says nothing, unless the must-gather shows that a list is whole (see [`Kind::gap`]); nor does it ever say that the API
//! server knows no such path, unless the definition of the resource is there and does not serve the version.

mod index;
mod kind;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use self::index::{Index, Resource};
use self::kind::Kind;
use super::archive::{ArchiveError, Unpacked, unpack};
use super::items::{InFile, Items};
use super::objects::content;
use super::{Answer, ApiSource, PageContent, Recorded, RecordedNode, Refusal};
use crate::api_path::ApiPath;
use crate::gap::{Gap, GapKind, told};
use crate::report::SourceReport;

/// The group and the resource of definitions of resources.
const DEFINITIONS: (&str, &str) = ("apiextensions.k8s.io", "customresourcedefinitions");

/// A must-gather.
#[derive(Debug)]
pub struct MustGather {
    location: PathBuf,
    root: PathBuf,
    index: Index,
    /// What was found of each resource, once it was asked for.
    kinds: Mutex<BTreeMap<Resource, Arc<Kind>>>,
    /// Holds what an archive was unpacked to, for as long as the source lives.
    _unpacked: Option<Unpacked>,
}

/// Why a must-gather cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum MustGatherError {
    /// It is not there, cannot be read, or is too large.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The must-gather.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// It is neither a folder nor an archive.
    #[error("{path}: is neither a folder nor a .tar or .tar.gz archive")]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing of a must-gather in it.
    #[error(
        "{path}: is no must-gather; expected folders named 'cluster-scoped-resources' or 'namespaces' somewhere in it, with YAML files"
    )]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

impl MustGather {
    /// Opens a folder, or unpacks what may count of an archive to a temporary folder.
    ///
    /// # Errors
    /// [`MustGatherError`] where there is no must-gather.
    pub fn open(path: &Path) -> Result<Self, MustGatherError> {
        let unreadable = |reason: String| MustGatherError::Unreadable { path: path.to_owned(), reason };
        let metadata = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?;
        let unpacked = if metadata.is_dir() {
            None
        } else {
            Some(unpack(path, &may_count).map_err(|e| match e {
                ArchiveError::Io(e) => unreadable(e.to_string()),
                ArchiveError::Broken(e) => unreadable(format!("the archive cannot be unpacked: {e}")),
                ArchiveError::NotAnArchive => MustGatherError::NotAFolder { path: path.to_owned() },
            })?)
        };
        let root = unpacked.as_ref().map_or(path, |unpacked| unpacked.folder.path()).to_owned();
        let mut index = Index::of(&root).map_err(unreadable)?;
        for link in unpacked.iter().flat_map(|unpacked| &unpacked.links) {
            index.add(&root, root.join(link), None);
        }
        if !index.is_must_gather {
            return Err(MustGatherError::Empty { path: path.to_owned() });
        }
        Ok(Self { location: path.to_owned(), root, index, kinds: Mutex::default(), _unpacked: unpacked })
    }

    /// The nodes of which there is the kernel's command line.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.index.command_lines.keys().map(String::as_str)
    }

    /// A node with the kernel's command line, and nothing else recorded; none where that is not there.
    pub fn node(&self, name: &str) -> Option<RecordedNode> {
        let files = self.index.command_lines.get(name)?;
        let mut node = RecordedNode::of_some(name);
        node.insert("/proc/cmdline", command_line(files));
        Some(node)
    }

    /// What there is of a resource, read when it is asked for first.
    fn kind(&self, group: &str, resource: &str) -> Arc<Kind> {
        let key = (group.to_owned(), resource.to_owned());
        let known = |kinds: &BTreeMap<Resource, Arc<Kind>>| kinds.get(&key).cloned();
        if let Some(kind) = known(&self.kinds.lock().unwrap_or_else(PoisonError::into_inner)) {
            return kind;
        }
        let kind = Arc::new(Kind::read(&self.root, &self.index, &key));
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner).insert(key, kind.clone());
        kind
    }

    /// What the definition of a resource says of a version, where it is there: whether it is served, and whether objects
    /// have a status of their own.
    fn version(&self, asked: &ApiPath) -> Option<kind::Version> {
        let definitions = self.kind(DEFINITIONS.0, DEFINITIONS.1);
        definitions.version_of(&asked.shown(), &asked.version)
    }

    fn find(&self, path: &str) -> Found {
        let refused = |reason: &str| Found {
            objects: Vec::new(),
            is_list: true,
            refusal: Some(Refusal::NotContained(reason.to_owned())),
            gap: Some((GapKind::NotContained, reason.to_owned())),
        };
        let Some(asked) = ApiPath::of_objects(path) else {
            return refused("a must-gather holds objects alone, and no answer to this");
        };
        let kind = self.kind(&asked.group, &asked.resource);
        let version = self.version(&asked);
        let objects = kind.objects(&asked);
        let is_list = asked.name.is_none();
        let unreadable = |reason| Found {
            objects: Vec::new(),
            is_list,
            refusal: Some(Refusal::Unreadable(reason)),
            gap: None,
        };
        let damaged = self.damaged(&kind);
        if objects.is_empty() {
            return match (damaged, version) {
                (Some(reason), _) => unreadable(reason),
                (None, Some(version)) if !version.served => {
                    Found { objects, is_list, refusal: Some(Refusal::NotFound), gap: None }
                }
                (None, _) if is_list && kind.counted_none() => {
                    Found { objects, is_list, refusal: None, gap: None }
                }
                (None, _) => refused(&kind.nothing(&asked)),
            };
        }
        if !is_list && objects.len() > 1 {
            return unreadable("the must-gather holds several of the name, and they differ".to_owned());
        }
        let gap = match damaged {
            Some(reason) => Some((GapKind::Damaged, reason)),
            None => kind.gap(&asked, version.as_ref()).map(|reason| (GapKind::Partial, reason)),
        };
        Found { objects, is_list, refusal: None, gap }
    }

    /// What could not be read of a resource, in words.
    fn damaged(&self, kind: &Kind) -> Option<String> {
        told(self.index.flaws.iter().chain(&kind.damaged))
    }
}

/// What is there for a path.
struct Found {
    objects: Vec<InFile>,
    is_list: bool,
    refusal: Option<Refusal>,
    gap: Option<(GapKind, String)>,
}

impl ApiSource for MustGather {
    fn get(&self, path: &str) -> Answer {
        let Found { objects, is_list, refusal, .. } = self.find(path);
        match refusal {
            Some(refusal) => Answer::Refused(refusal),
            None if is_list => Answer::Pages(Box::new(Items::new(objects, PageContent::Item))),
            None => Answer::Pages(Box::new(Items::new(objects, PageContent::Answer))),
        }
    }

    fn gap(&self, path: &str) -> Option<Gap> {
        let (kind, reason) = self.find(path).gap?;
        Some(Gap { kind, reason: format!("{path}: {reason}") })
    }

    fn elsewhere(&self) -> Option<Gap> {
        let reason =
            "a must-gather has no files of nodes but the kernel's command line, and no answers beside its objects"
                .to_owned();
        Some(Gap { kind: GapKind::NotContained, reason })
    }

    fn describe(&self) -> SourceReport {
        SourceReport { kind: "must-gather".to_owned(), location: self.location.display().to_string() }
    }
}

/// Whether a file of an archive may count.
fn may_count(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("yaml" | "yml" | "json" | "count"))
        || path.file_name().is_some_and(|n| n == "proc_cmdline")
}

/// A kernel's command line. The scripts read it through a terminal and append, so that lines end with CR and may be there
/// several times.
fn command_line(files: &[PathBuf]) -> Recorded {
    let mut found: Option<String> = None;
    for file in files {
        let text = match content(file).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return Recorded::unreadable(format!("{}: is no text", file.display())),
            Err(reason) => return Recorded::unreadable(format!("{}: {reason}", file.display())),
        };
        if !text.ends_with('\n') {
            return Recorded::unreadable(format!("{}: has no end of line, as if cut off", file.display()));
        }
        for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            match &found {
                Some(other) if other != line => {
                    return Recorded::unreadable(format!("{}: says different things", file.display()));
                }
                _ => found = Some(line.to_owned()),
            }
        }
    }
    match found {
        Some(line) => Recorded::regular(0o444, 0, 0, format!("{line}\n")),
        None => Recorded::unreadable("the kernel's command line is empty"),
    }
}
