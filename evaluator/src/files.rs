//! What probes read files from: the root of a node, a recording of one, or the filtered answers of an API.

use std::borrow::Cow;

use virtscap_scap::oval::FileType;

use crate::dump::DUMP_ROOT;
use crate::gap::Gap;

/// What came of asking for something at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// It is there.
    Found(T),
    /// There is none.
    Missing {
        /// Why it could not be had, where that is known. Without a reason there plainly is none.
        reason: Option<String>,
    },
    /// There is one, or may be one, and it cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// What a probe gets when it asks for a file's content.
pub type FileState<'a> = Lookup<Cow<'a, [u8]>>;

impl<T> Lookup<T> {
    /// There plainly is none.
    pub fn absent() -> Self {
        Self::Missing { reason: None }
    }

    /// It could not be had.
    pub fn withheld(reason: impl Into<String>) -> Self {
        Self::Missing { reason: Some(reason.into()) }
    }

    /// It cannot be read.
    pub fn unreadable(reason: impl Into<String>) -> Self {
        Self::Unreadable { reason: reason.into() }
    }

    /// Goes on with what was found.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Lookup<U>) -> Lookup<U> {
        match self {
            Self::Found(found) => next(found),
            Self::Missing { reason } => Lookup::Missing { reason },
            Self::Unreadable { reason } => Lookup::Unreadable { reason },
        }
    }

    /// Asks elsewhere where there plainly is none.
    pub fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Missing { reason: None } => other(),
            found => found,
        }
    }

    /// Makes something else of what was found.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Lookup<U> {
        self.and_then(|found| Lookup::Found(make(found)))
    }
}

/// What is known of a file beside its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// What kind of file it is.
    pub file_type: FileType,
    /// Permissions, set-id bits and the sticky bit.
    pub mode: u32,
    /// The owner's number.
    pub uid: u32,
    /// The owning group's number.
    pub gid: u32,
    /// The size that the file system tells, in bytes.
    pub size: u64,
    /// Where a symbolic link leads.
    pub target: Option<String>,
    /// When it was last read, changed in its metadata and changed in its content, in seconds since 1970; none where the
    /// source does not tell.
    pub times: Option<[i64; 3]>,
    /// The number of the file system that it is on; 0 where the source does not tell.
    pub device: u64,
}

impl Metadata {
    /// What is no link, of a source that tells no more than this.
    pub fn plain(file_type: FileType, mode: u32, uid: u32, gid: u32, size: u64) -> Self {
        Self { file_type, mode, uid, gid, size, target: None, times: None, device: 0 }
    }
}

/// How much room a file system has, in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// All blocks.
    pub blocks: u64,
    /// Those that are free.
    pub free: u64,
    /// How many bytes a block has.
    pub block_size: u64,
    /// The flags of the mount, as `statvfs` gives them.
    pub flags: u64,
}

/// The names in a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The names, sorted.
    pub names: Vec<String>,
    /// Why there may be more of them.
    pub withheld: Option<String>,
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// What kind of file it is; a link is not followed.
    pub file_type: FileType,
}

/// The entries of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// The entries, sorted by name.
    pub entries: Vec<Entry>,
    /// Why there may be more of them.
    pub withheld: Option<String>,
}

/// What the probes read files from. Paths are absolute; links on the way are followed, never out of the root.
pub trait Files {
    /// The content of the file at a path; of nothing but regular files. A link is followed.
    fn read(&self, path: &str) -> FileState<'_>;

    /// What is at a path; a link is not followed where it is the last component.
    fn metadata(&self, path: &str) -> Lookup<Metadata>;

    /// The path without links of the directory to which a path leads.
    fn directory(&self, path: &str) -> Lookup<String>;

    /// The names in a directory.
    fn list(&self, path: &str) -> Lookup<Listing>;

    /// What is in a directory. `folder` is a path without links, as [`Files::directory`] gives it.
    fn entries(&self, folder: &str) -> Lookup<Entries> {
        self.list(folder).map(|listing| {
            // What could not be had counts as a file, so that it is asked for, and says why.
            let entry = |name: String| {
                let file_type = match self.entry(folder, &name) {
                    Lookup::Found(metadata) => metadata.file_type,
                    _ => FileType::Regular,
                };
                Entry { name, file_type }
            };
            let entries = listing.names.into_iter().map(entry).collect();
            Entries { entries, withheld: listing.withheld }
        })
    }

    /// What is at a name in a directory; a link is not followed. `folder` is a path without links.
    fn entry(&self, folder: &str, name: &str) -> Lookup<Metadata> {
        self.metadata(&join(folder, name))
    }

    /// Whether an access control list says more of a file than its mode; none where that is not known.
    fn extended_acl(&self, _path: &str) -> Option<bool> {
        None
    }

    /// An extended attribute of what a path leads to; plainly missing where the file has none of this name.
    fn attribute(&self, _path: &str, _name: &str) -> Lookup<Vec<u8>> {
        Lookup::withheld(NO_ATTRIBUTES)
    }

    /// The room of the file system that a path leads to; none where the source does not tell.
    fn space(&self, _path: &str) -> Option<Space> {
        None
    }

    /// Whether these are the files of the system that is running: its processes, mounts and addresses can be asked for.
    fn is_running(&self) -> bool {
        false
    }

    /// What is wanting at a path; without a path, the worst that is wanting anywhere.
    fn gap(&self, _path: Option<&str>) -> Option<&Gap> {
        None
    }
}

/// Why most sources have no extended attributes.
const NO_ATTRIBUTES: &str = "this source has no extended attributes of files";

/// A tree of files that knows nothing of links: paths are followed outside of it, by [`resolve`].
pub(crate) trait Tree {
    /// Hears of a path that is about to be followed, component by component, where a question costs much.
    fn ahead(&self, _path: &str) {}

    /// What is at a path whose components but the last are directories.
    fn look(&self, path: &str) -> Lookup<Metadata>;

    /// The content of a regular file.
    fn content(&self, path: &str) -> FileState<'_>;

    /// The names in a directory.
    fn names(&self, path: &str) -> Lookup<Listing>;

    /// What is in a directory, where the tree knows a way faster than looking at each name.
    fn quick_entries(&self, _folder: &str) -> Option<Lookup<Entries>> {
        None
    }

    /// The content of what a path leads to, where the tree knows a way faster than following it.
    fn quick_content(&self, _path: &str) -> Option<FileState<'_>> {
        None
    }

    /// See [`Files::extended_acl`]; the path has no links but the last component.
    fn acl(&self, _path: &str) -> Option<bool> {
        None
    }

    /// See [`Files::attribute`]; the path has no links.
    fn attr(&self, _path: &str, _name: &str) -> Lookup<Vec<u8>> {
        Lookup::withheld(NO_ATTRIBUTES)
    }

    /// See [`Files::space`]; the path has no links.
    fn room(&self, _path: &str) -> Option<Space> {
        None
    }

    /// See [`Files::is_running`].
    fn runs(&self) -> bool {
        false
    }
}

impl<T: Tree> Files for T {
    fn read(&self, path: &str) -> FileState<'_> {
        if let Some(content) = self.quick_content(path) {
            return content;
        }
        resolve(self, path, true).and_then(|(path, metadata)| match metadata.file_type {
            FileType::Regular => self.content(&path),
            // As oscap has it: what is no regular file has no content.
            _ => Lookup::absent(),
        })
    }

    fn metadata(&self, path: &str) -> Lookup<Metadata> {
        resolve(self, path, false).map(|(_, metadata)| metadata)
    }

    fn directory(&self, path: &str) -> Lookup<String> {
        resolve(self, path, true).and_then(|(path, metadata)| match metadata.file_type {
            FileType::Directory => Lookup::Found(path),
            _ => Lookup::absent(),
        })
    }

    fn list(&self, path: &str) -> Lookup<Listing> {
        self.directory(path).and_then(|path| self.names(&path))
    }

    fn entries(&self, folder: &str) -> Lookup<Entries> {
        self.quick_entries(folder).unwrap_or_else(|| {
            self.names(folder).and_then(|listing| {
                let mut entries = Vec::with_capacity(listing.names.len());
                let mut withheld = listing.withheld;
                for name in listing.names {
                    match self.look(&join(folder, &name)) {
                        Lookup::Found(metadata) => {
                            entries.push(Entry { name, file_type: metadata.file_type });
                        }
                        // It went away meanwhile.
                        Lookup::Missing { reason: None } => {}
                        Lookup::Missing { reason: Some(reason) } | Lookup::Unreadable { reason } => {
                            withheld = withheld.or(Some(reason));
                        }
                    }
                }
                Lookup::Found(Entries { entries, withheld })
            })
        })
    }

    fn entry(&self, folder: &str, name: &str) -> Lookup<Metadata> {
        self.look(&join(folder, name))
    }

    fn extended_acl(&self, path: &str) -> Option<bool> {
        match resolve(self, path, false) {
            Lookup::Found((path, _)) => self.acl(&path),
            _ => None,
        }
    }

    fn attribute(&self, path: &str, name: &str) -> Lookup<Vec<u8>> {
        resolve(self, path, true).and_then(|(path, _)| self.attr(&path, name))
    }

    fn space(&self, path: &str) -> Option<Space> {
        match resolve(self, path, true) {
            Lookup::Found((path, _)) => self.room(&path),
            _ => None,
        }
    }

    fn is_running(&self) -> bool {
        self.runs()
    }
}

/// How many links may be followed on the way to a file, as in Linux.
const MAX_LINKS: usize = 40;

/// Follows a path component by component, as the kernel does for a process that is confined to the root: an absolute link
/// starts at the root, and `..` of the root is the root. Gives the path without links, and what is there.
pub(crate) fn resolve(tree: &impl Tree, path: &str, follow_last: bool) -> Lookup<(String, Metadata)> {
    tree.ahead(path);
    let mut todo: Vec<String> = components(path);
    let mut at = "/".to_owned();
    let mut here = match tree.look(&at) {
        Lookup::Found(here) => here,
        other => return other.map(|here| (at, here)),
    };
    let mut links = 0;
    while let Some(component) = todo.pop() {
        if here.file_type != FileType::Directory {
            return Lookup::absent();
        }
        let next = match component.as_str() {
            "" | "." => continue,
            ".." => parent(&at).to_owned(),
            name => join(&at, name),
        };
        let found = match tree.look(&next) {
            Lookup::Found(found) => found,
            other => return other.map(|found| (next, found)),
        };
        match &found.target {
            Some(target) if found.file_type == FileType::Link && (follow_last || !todo.is_empty()) => {
                links += 1;
                // No process can go on from there, so nothing is there.
                if links > MAX_LINKS || target.is_empty() {
                    return Lookup::absent();
                }
                todo.extend(components(target));
                if target.starts_with('/') {
                    "/".clone_into(&mut at);
                    here = match tree.look(&at) {
                        Lookup::Found(here) => here,
                        other => return other.map(|here| (at, here)),
                    };
                }
                tree.ahead(&todo.iter().rev().fold(at.clone(), |path, name| join(&path, name)));
            }
            _ => {
                at = next;
                here = found;
            }
        }
    }
    Lookup::Found((at, here))
}

/// The components of a path, the first at the end. An empty one at the end demands a directory, as the slash does.
fn components(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).rev().collect()
}

fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

/// The path of a name in a directory.
pub(crate) fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

/// The text of a file, where it can be had.
pub(crate) fn text(files: &dyn Files, path: &str) -> Option<String> {
    match files.read(path) {
        Lookup::Found(content) => Some(String::from_utf8_lossy(&content).into_owned()),
        _ => None,
    }
}

/// Files as oscap sees them: one whose data could not be had is missing, whatever the reason.
///
/// Platforms are told by these. A platform whose check is not decided counts as absent, and an answer that was refused
/// must not make the rules of the platform `notapplicable`.
pub(crate) struct WithoutReasons<'a>(pub(crate) &'a dyn Files);

fn without_reason<T>(found: Lookup<T>) -> Lookup<T> {
    match found {
        Lookup::Missing { .. } => Lookup::absent(),
        found => found,
    }
}

impl Files for WithoutReasons<'_> {
    fn read(&self, path: &str) -> FileState<'_> {
        without_reason(self.0.read(path))
    }

    fn metadata(&self, path: &str) -> Lookup<Metadata> {
        without_reason(self.0.metadata(path))
    }

    fn directory(&self, path: &str) -> Lookup<String> {
        without_reason(self.0.directory(path))
    }

    fn list(&self, path: &str) -> Lookup<Listing> {
        without_reason(self.0.list(path)).map(|listing| Listing { withheld: None, ..listing })
    }

    fn entries(&self, folder: &str) -> Lookup<Entries> {
        without_reason(self.0.entries(folder)).map(|entries| Entries { withheld: None, ..entries })
    }

    fn entry(&self, folder: &str, name: &str) -> Lookup<Metadata> {
        without_reason(self.0.entry(folder, name))
    }

    fn extended_acl(&self, path: &str) -> Option<bool> {
        self.0.extended_acl(path)
    }

    fn attribute(&self, path: &str, name: &str) -> Lookup<Vec<u8>> {
        without_reason(self.0.attribute(path, name))
    }

    fn space(&self, path: &str) -> Option<Space> {
        self.0.space(path)
    }

    fn is_running(&self) -> bool {
        self.0.is_running()
    }
}

/// Files of a node alone: what an API answered is not among them, so that rules on it are `unknown` and say why.
pub struct OnNode<'a>(pub &'a dyn Files);

/// Why rules on the API are not decided on a node.
const NO_ANSWERS: &str = "this source has no API answers";

impl OnNode<'_> {
    fn ask<'f, T>(&'f self, path: &str, ask: impl FnOnce(&'f dyn Files) -> Lookup<T>) -> Lookup<T> {
        if below_dump_root(path) { Lookup::withheld(NO_ANSWERS) } else { ask(self.0) }
    }
}

impl Files for OnNode<'_> {
    fn read(&self, path: &str) -> FileState<'_> {
        self.ask(path, |files| files.read(path))
    }

    fn metadata(&self, path: &str) -> Lookup<Metadata> {
        self.ask(path, |files| files.metadata(path))
    }

    fn directory(&self, path: &str) -> Lookup<String> {
        self.ask(path, |files| files.directory(path))
    }

    fn list(&self, path: &str) -> Lookup<Listing> {
        self.ask(path, |files| files.list(path))
    }

    fn entries(&self, folder: &str) -> Lookup<Entries> {
        self.ask(folder, |files| files.entries(folder))
    }

    fn entry(&self, folder: &str, name: &str) -> Lookup<Metadata> {
        self.ask(&join(folder, name), |files| files.entry(folder, name))
    }

    fn extended_acl(&self, path: &str) -> Option<bool> {
        self.0.extended_acl(path)
    }

    fn attribute(&self, path: &str, name: &str) -> Lookup<Vec<u8>> {
        self.ask(path, |files| files.attribute(path, name))
    }

    fn space(&self, path: &str) -> Option<Space> {
        self.0.space(path)
    }

    fn is_running(&self) -> bool {
        self.0.is_running()
    }
}

/// Whether a path is that of the dump, or leads into it.
pub(crate) fn below_dump_root(path: &str) -> bool {
    path.strip_prefix(DUMP_ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
