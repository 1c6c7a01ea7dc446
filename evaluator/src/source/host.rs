//! The root of a node: `/`, or where it is mounted.

use std::cell::RefCell;
use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, Stat, fstat, open, openat, readlinkat, stat, statat};
use virtscap_scap::oval::FileType;

use super::{MAX_CONTENT, NodeError, NodeSource, bounded};
use crate::files::{Entries, Entry, FileState, Listing, Lookup, Metadata, Space, Tree};
use crate::report::SourceReport;

/// How a directory is opened to go on from there. What cannot be listed may still be passed through.
#[cfg(any(target_os = "linux", target_os = "android"))]
const PASS: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const PASS: OFlags = OFlags::RDONLY;

/// How long an extended attribute may be, in Linux.
#[cfg(target_os = "linux")]
const MAX_ATTRIBUTE: usize = 64 << 10;

/// The files below a folder that stands for `/`.
#[derive(Debug)]
pub struct HostRoot {
    location: PathBuf,
    root: OwnedFd,
    /// The directory that was opened last. Most of what is asked for is in the same one.
    last: RefCell<Option<(String, Rc<OwnedFd>)>>,
    /// Whether the root is that of the system that is running.
    running: bool,
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
        let same = |a: &Stat, b: &Stat| (a.st_dev, a.st_ino) == (b.st_dev, b.st_ino);
        let running = match (fstat(&root), stat("/")) {
            (Ok(root), Ok(own)) => same(&root, &own),
            _ => false,
        };
        Ok(Self { location: folder.to_owned(), root, last: RefCell::default(), running })
    }

    /// A directory at a path without links.
    fn folder(&self, path: &str) -> io::Result<Rc<OwnedFd>> {
        if let Some((known, folder)) = &*self.last.borrow()
            && known == path
        {
            return Ok(folder.clone());
        }
        let folder = Rc::new(self.open_at(path, PASS | OFlags::DIRECTORY)?);
        *self.last.borrow_mut() = Some((path.to_owned(), folder.clone()));
        Ok(folder)
    }

    /// What the node calls itself, or where its root is.
    pub fn name(&self) -> String {
        let hostname = crate::files::text(self, "/etc/hostname").unwrap_or_default();
        match hostname.trim() {
            "" => self.location.display().to_string(),
            hostname => hostname.to_owned(),
        }
    }

    /// Opens what is at a path that has no links in it. A link that took the place of a directory is not followed.
    fn open_at(&self, path: &str, flags: OFlags) -> io::Result<OwnedFd> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{ResolveFlags, openat2};
            let relative = path.trim_start_matches('/');
            let relative = if relative.is_empty() { "." } else { relative };
            let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS;
            match openat2(&self.root, relative, flags, Mode::empty(), resolve) {
                // Linux before 5.6, or a sandbox that does not know the call.
                Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {}
                opened => return Ok(opened?),
            }
        }
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
        let folder = self.folder(folder)?;
        let mut found = metadata(&statat(&*folder, name, AtFlags::SYMLINK_NOFOLLOW)?);
        if found.file_type == FileType::Link {
            found.target = Some(text(&readlinkat(&*folder, name, Vec::new())?)?);
        }
        Ok(found)
    }

    fn read_at(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        // What was a file a moment ago may be a pipe by now, which must not block.
        content(self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY)?)
    }

    fn entries_at(&self, path: &str) -> io::Result<Entries> {
        let folder = Rc::new(self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY)?);
        let mut found = Entries::default();
        for entry in Dir::read_from(&*folder)? {
            let entry = entry?;
            if matches!(entry.file_name().to_bytes(), b"." | b"..") {
                continue;
            }
            let Ok(name) = text(entry.file_name()) else {
                found.withheld = Some(format!("{path}: the name {:?} is not UTF-8", entry.file_name()));
                continue;
            };
            let file_type = match entry.file_type() {
                // Some file systems do not tell.
                rustix::fs::FileType::Unknown => {
                    match statat(&*folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                        Ok(stat) => metadata(&stat).file_type,
                        Err(_) => continue,
                    }
                }
                known => kind(known),
            };
            found.entries.push(Entry { name, file_type });
        }
        found.entries.sort_by(|a, b| a.name.cmp(&b.name));
        *self.last.borrow_mut() = Some((path.to_owned(), folder));
        Ok(found)
    }

    /// An extended attribute, of which the length is given. Devices are not opened to be read: that may do something. By way
    /// of a descriptor that only names the file, the kernel asks the file itself.
    #[cfg(target_os = "linux")]
    fn extended_attribute(&self, path: &str, name: &str, value: &mut [u8]) -> rustix::io::Result<usize> {
        use std::os::fd::AsRawFd as _;
        let opened = self.open_at(path, PASS);
        let opened =
            opened.map_err(|e| rustix::io::Errno::from_io_error(&e).unwrap_or(rustix::io::Errno::IO))?;
        rustix::fs::getxattr(format!("/proc/self/fd/{}", opened.as_raw_fd()), name, value)
    }

    /// What a path leads to, with the kernel following links within the root; none where it cannot be asked to.
    #[cfg(target_os = "linux")]
    fn read_following(&self, path: &str) -> Option<io::Result<Option<Vec<u8>>>> {
        use rustix::fs::{ResolveFlags, openat2};
        use rustix::io::Errno;
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        match openat2(&self.root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
            Ok(opened) => Some(content(opened)),
            // These may mean that the kernel would not, and not that it could not.
            Err(Errno::NOSYS | Errno::PERM | Errno::LOOP | Errno::XDEV | Errno::AGAIN | Errno::NXIO) => None,
            Err(error) => Some(Err(error.into())),
        }
    }
}

/// The content of what was opened, where it is a regular file.
fn content(opened: OwnedFd) -> io::Result<Option<Vec<u8>>> {
    let found = metadata(&fstat(&opened)?);
    if found.file_type != FileType::Regular {
        return Ok(None);
    }
    // The size says nothing in /proc and /sys.
    let mut content =
        Vec::with_capacity(usize::try_from(found.size.min(MAX_CONTENT)).unwrap_or_default() + 1);
    File::from(opened).take(MAX_CONTENT + 1).read_to_end(&mut content)?;
    bounded(content).map(Some)
}

fn kind(file_type: rustix::fs::FileType) -> FileType {
    match file_type {
        rustix::fs::FileType::Directory => FileType::Directory,
        rustix::fs::FileType::Symlink => FileType::Link,
        rustix::fs::FileType::CharacterDevice => FileType::CharacterSpecial,
        rustix::fs::FileType::BlockDevice => FileType::BlockSpecial,
        rustix::fs::FileType::Fifo => FileType::Fifo,
        rustix::fs::FileType::Socket => FileType::Socket,
        rustix::fs::FileType::RegularFile | rustix::fs::FileType::Unknown => FileType::Regular,
    }
}

fn metadata(stat: &Stat) -> Metadata {
    let file_type = kind(rustix::fs::FileType::from_raw_mode(stat.st_mode));
    Metadata {
        file_type,
        mode: Mode::from_raw_mode(stat.st_mode).bits() & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: u64::try_from(stat.st_size).unwrap_or_default(),
        target: None,
        times: Some([stat.st_atime, stat.st_ctime, stat.st_mtime]),
        device: stat.st_dev,
    }
}

fn text(name: &CStr) -> io::Result<String> {
    let text = name.to_str().map(str::to_owned);
    text.map_err(|_| io::Error::other(format!("the name {name:?} is not UTF-8")))
}

fn found_content<'a>(content: io::Result<Option<Vec<u8>>>) -> FileState<'a> {
    match lookup(content) {
        // As oscap has it: what is no regular file has no content.
        Lookup::Found(None) => Lookup::absent(),
        found => found.map(|content| content.unwrap_or_default().into()),
    }
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
        found_content(self.read_at(path))
    }

    fn names(&self, path: &str) -> Lookup<Listing> {
        lookup(self.entries_at(path)).map(|found| Listing {
            names: found.entries.into_iter().map(|entry| entry.name).collect(),
            withheld: found.withheld,
        })
    }

    fn quick_entries(&self, folder: &str) -> Option<Lookup<Entries>> {
        Some(lookup(self.entries_at(folder)))
    }

    #[cfg(target_os = "linux")]
    fn quick_content(&self, path: &str) -> Option<FileState<'_>> {
        self.read_following(path).map(found_content)
    }

    #[cfg(target_os = "linux")]
    fn acl(&self, path: &str) -> Option<bool> {
        use rustix::io::Errno;
        match self.extended_attribute(path, "system.posix_acl_access", &mut []) {
            Ok(size) => Some(size > 0),
            Err(Errno::NODATA) => Some(false),
            Err(_) => None,
        }
    }

    #[cfg(target_os = "linux")]
    fn attr(&self, path: &str, name: &str) -> Lookup<Vec<u8>> {
        use rustix::io::Errno;
        let mut value = vec![0; MAX_ATTRIBUTE];
        match self.extended_attribute(path, name, &mut value) {
            Ok(size) => {
                value.truncate(size);
                Lookup::Found(value)
            }
            Err(Errno::NODATA) => Lookup::absent(),
            Err(error) => lookup(Err(error.into())),
        }
    }

    #[cfg(target_os = "linux")]
    fn room(&self, path: &str) -> Option<Space> {
        let opened = self.open_at(path, PASS).ok()?;
        let found = rustix::fs::fstatvfs(&opened).ok()?;
        Some(Space {
            blocks: found.f_blocks,
            free: found.f_bfree,
            block_size: found.f_frsize,
            flags: found.f_flag.bits(),
        })
    }

    fn runs(&self) -> bool {
        self.running
    }
}

impl NodeSource for HostRoot {
    fn describe(&self) -> SourceReport {
        SourceReport { kind: "root".to_owned(), location: self.location.display().to_string() }
    }
}
