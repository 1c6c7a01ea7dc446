//! The root of a node: `/`, or where it is mounted.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat, fstat, open, openat, readlinkat, statat};
use virtscap_scap::oval::FileType;

use super::{MAX_CONTENT, NodeError, NodeSource, bounded};
use crate::files::{FileState, Files as _, Listing, Lookup, Metadata, Tree};
use crate::report::SourceReport;

/// How a directory is opened to go on from there. What cannot be listed may still be passed through.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASS: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASS: OFlags = OFlags::RDONLY;

/// The files below a folder that stands for `/`.
#[derive(Debug)]
pub struct HostRoot {
    location: PathBuf,
    root: OwnedFd,
}

impl HostRoot {
    /// Opens the root.
    ///
    /// # Errors
    /// [`NodeError::Io`] where it is no folder that can be opened.
    pub fn open(folder: &Path) -> Result<Self, NodeError> {
        let flags = PASS | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = open(folder, flags, Mode::empty())
            .map_err(|e| NodeError::Io { path: folder.to_owned(), source: e.into() })?;
        Ok(Self { location: folder.to_owned(), root })
    }

    /// What the node calls itself, or where its root is.
    pub fn name(&self) -> String {
        let hostname = match self.read("/etc/hostname") {
            Lookup::Found(content) => String::from_utf8_lossy(&content).trim().to_owned(),
            _ => String::new(),
        };
        if hostname.is_empty() { self.location.display().to_string() } else { hostname }
    }

    /// Opens what is at a path that has no links in it. A link that took the place of a directory is not followed.
    fn open_at(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        let mut names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
        let last = names.pop().unwrap_or(".");
        let mut folder = self.root.as_fd().try_clone_to_owned()?;
        for name in names {
            let flags = PASS | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            folder = openat(&folder, name, flags, Mode::empty())?;
        }
        Ok(openat(&folder, last, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?)
    }

    fn look_at(&self, path: &str) -> io::Result<Metadata> {
        let (folder, name) = match path.rsplit_once('/') {
            Some((_, "")) | None => return Ok(metadata(&fstat(&self.root)?)),
            Some((folder, name)) => (folder, name),
        };
        let folder = self.open_at(folder, PASS | OFlags::DIRECTORY)?;
        let mut found = metadata(&statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?);
        if found.file_type == FileType::Link {
            found.target = Some(text(&readlinkat(&folder, name, Vec::new())?)?);
        }
        Ok(found)
    }

    fn read_at(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        // What was a file a moment ago may be a pipe by now, which must not block.
        let opened = self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        if metadata(&fstat(&opened)?).file_type != FileType::Regular {
            return Ok(None);
        }
        // The size says nothing in /proc and /sys.
        let mut content = Vec::new();
        File::from(opened).take(MAX_CONTENT + 1).read_to_end(&mut content)?;
        bounded(content).map(Some)
    }

    fn names_at(&self, path: &str) -> io::Result<Vec<String>> {
        let folder = self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder)? {
            let name = text(entry?.file_name())?;
            if !matches!(name.as_str(), "." | "..") {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

fn metadata(stat: &Stat) -> Metadata {
    let file_type = match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::Directory => FileType::Directory,
        rustix::fs::FileType::Symlink => FileType::Link,
        rustix::fs::FileType::CharacterDevice => FileType::CharacterSpecial,
        rustix::fs::FileType::BlockDevice => FileType::BlockSpecial,
        rustix::fs::FileType::Fifo => FileType::Fifo,
        rustix::fs::FileType::Socket => FileType::Socket,
        rustix::fs::FileType::RegularFile | rustix::fs::FileType::Unknown => FileType::Regular,
    };
    Metadata {
        file_type,
        mode: Mode::from_raw_mode(stat.st_mode).bits() & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        target: None,
    }
}

fn text(name: &CStr) -> io::Result<String> {
    let text = name.to_str().map(str::to_owned);
    text.map_err(|_| io::Error::other(format!("the name {name:?} is not UTF-8")))
}

/// What an error says of what was asked for.
fn lookup<T>(result: io::Result<T>) -> Lookup<T> {
    match result {
        Ok(found) => Lookup::Found(found),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Lookup::absent()
        }
        Err(e) => Lookup::unreadable(e.to_string()),
    }
}

impl Tree for HostRoot {
    fn look(&self, path: &str) -> Lookup<Metadata> {
        lookup(self.look_at(path))
    }

    fn content(&self, path: &str) -> FileState<'_> {
        match lookup(self.read_at(path)) {
            Lookup::Found(None) => Lookup::absent(),
            found => found.map(|content| content.unwrap_or_default().into()),
        }
    }

    fn names(&self, path: &str) -> Lookup<Listing> {
        lookup(self.names_at(path)).map(|names| Listing { names, withheld: None })
    }
}

impl NodeSource for HostRoot {
    fn describe(&self) -> SourceReport {
        SourceReport { kind: "root".to_owned(), location: self.location.display().to_string() }
    }
}
