//! Whether a package's file is as it was installed, as RPM's `rpmfilesVerify` has it.

use std::collections::HashMap;

use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use virtscap_scap::oval::FileType;

use super::PackageFile;
use super::capabilities;
use crate::files::{Files, Lookup, Metadata};

/// What can differ of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    Digest,
    Size,
    Link,
    User,
    Group,
    Mtime,
    Mode,
    Device,
    Capabilities,
}

impl Attribute {
    /// The bit of this in what a package says is to be verified.
    fn bit(self) -> u32 {
        1 << match self {
            Self::Digest => 0,
            Self::Size => 1,
            Self::Link => 2,
            Self::User => 3,
            Self::Group => 4,
            Self::Mtime => 5,
            Self::Mode => 6,
            Self::Device => 7,
            Self::Capabilities => 8,
        }
    }
}

/// The permissions' and the type's bits of a mode.
const TYPE: u32 = 0o170_000;
/// The bit of a file that may not be there, in its flags.
const GHOST: u32 = 1 << 6;

/// What was found of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    omitted: u32,
    differs: u32,
    /// Whether the file could not be looked at.
    missing: bool,
}

impl Verified {
    /// A result in OVAL's words.
    pub(crate) fn result(&self, attribute: Attribute) -> &'static str {
        if self.missing || self.omitted & attribute.bit() != 0 {
            "not performed"
        } else if self.differs & attribute.bit() != 0 {
            "fail"
        } else {
            "pass"
        }
    }
}

/// Why it is not known whether a file is as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Its data could not be had.
    Withheld(String),
    /// Something went wrong.
    Failed(String),
}

/// What is missing is `None`.
fn found<T>(path: &str, lookup: Lookup<T>) -> Result<Option<T>, Problem> {
    match lookup {
        Lookup::Found(found) => Ok(Some(found)),
        Lookup::Missing { reason: None } => Ok(None),
        Lookup::Missing { reason: Some(reason) } => Err(Problem::Withheld(reason)),
        Lookup::Unreadable { reason } => Err(Problem::Failed(format!("{path}: {reason}"))),
    }
}

/// Verifies files.
pub(crate) struct Verifier<'f> {
    files: &'f dyn Files,
    omitted: u32,
    users: Option<HashMap<String, u32>>,
    groups: Option<HashMap<String, u32>>,
}

impl<'f> Verifier<'f> {
    /// A verifier that leaves out some attributes.
    pub(crate) fn new(files: &'f dyn Files, omitted: &[Attribute]) -> Self {
        let omitted = omitted.iter().fold(0, |bits, attribute| bits | attribute.bit());
        Self { files, omitted, users: None, groups: None }
    }

    /// Looks at a file. `algorithm` is that of the package's digests.
    pub(crate) fn verify(&mut self, file: &PackageFile, algorithm: u64) -> Result<Verified, Problem> {
        let mut verified = Verified { omitted: self.omitted, differs: 0, missing: false };
        let mut wanted = file.verify;
        match file.state {
            // Not installed, or on another machine: all is well.
            2 | 3 => return Ok(verified),
            // Replaced by another package's: it has to be there.
            1 => wanted = 0,
            // Shared with a package for another architecture.
            4 => {
                for attribute in [Attribute::Digest, Attribute::Size, Attribute::Mtime, Attribute::Device] {
                    wanted &= !attribute.bit();
                }
            }
            _ => {}
        }
        let Some(mut there) = found(&file.path, self.files.metadata(&file.path))? else {
            return Ok(Verified { missing: true, ..verified });
        };
        if file.mode & TYPE == 0o040_000 && there.file_type == FileType::Link {
            there = self.behind(&file.path, there)?;
        }
        wanted &= !without_meaning(file, &there) & !self.omitted;
        let mut differs = |attribute: Attribute, is: bool| {
            if is {
                verified.differs |= attribute.bit();
            }
        };
        let is_wanted = |attribute: Attribute| wanted & attribute.bit() != 0;
        if is_wanted(Attribute::Digest) {
            differs(Attribute::Digest, !self.has_digest(file, algorithm)?);
        }
        if is_wanted(Attribute::Link) {
            differs(Attribute::Link, there.target.as_deref() != Some(&file.link));
        }
        if is_wanted(Attribute::Size) {
            differs(Attribute::Size, there.size != file.size);
        }
        if is_wanted(Attribute::Mode) {
            // Of what is no more than a place for a file the type does not matter.
            let bits = if file.flags & GHOST == 0 { 0o177_777 } else { 0o7777 };
            differs(Attribute::Mode, (type_bits(there.file_type) | there.mode) & bits != file.mode & bits);
        }
        if is_wanted(Attribute::Device) {
            let device = |kind: u32| matches!(kind, 0o020_000 | 0o060_000).then_some(kind);
            let (told, is) = (device(file.mode & TYPE), device(type_bits(there.file_type)));
            if told.is_some() && told == is {
                let reason = format!("{}: the numbers of devices cannot be compared", file.path);
                return Err(Problem::Withheld(reason));
            }
            differs(Attribute::Device, told != is);
        }
        if is_wanted(Attribute::Capabilities) {
            differs(Attribute::Capabilities, !self.has_capabilities(file)?);
        }
        if is_wanted(Attribute::Mtime) {
            let Some([_, _, mtime]) = there.times else {
                return Err(Problem::Withheld(format!("{}: its times are not known", file.path)));
            };
            differs(Attribute::Mtime, mtime != file.mtime);
        }
        if is_wanted(Attribute::User) {
            differs(Attribute::User, self.user(&file.user)? != there.uid);
        }
        if is_wanted(Attribute::Group) {
            differs(Attribute::Group, self.group(&file.group)? != there.gid);
        }
        Ok(verified)
    }

    /// The directory that a link leads to, where a directory was installed and the link is its owner's or root's.
    fn behind(&self, path: &str, link: Metadata) -> Result<Metadata, Problem> {
        let Some(directory) = found(path, self.files.directory(path))? else { return Ok(link) };
        let behind = found(path, self.files.metadata(&directory))?;
        Ok(behind.filter(|behind| link.uid == 0 || link.uid == behind.uid).unwrap_or(link))
    }

    fn has_digest(&self, file: &PackageFile, algorithm: u64) -> Result<bool, Problem> {
        // A file without a digest cannot have it.
        if file.digest.is_empty() {
            return Ok(false);
        }
        let Some(content) = found(&file.path, self.files.read(&file.path))? else { return Ok(false) };
        let digest = match algorithm {
            8 => Sha256::digest(&content).to_vec(),
            9 => Sha384::digest(&content).to_vec(),
            10 => Sha512::digest(&content).to_vec(),
            11 => Sha224::digest(&content).to_vec(),
            other => {
                let reason = format!("{}: digests of the algorithm {other} are not supported", file.path);
                return Err(Problem::Failed(reason));
            }
        };
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(digest == file.digest)
    }

    fn has_capabilities(&self, file: &PackageFile) -> Result<bool, Problem> {
        let is = match found(&file.path, self.files.attribute(&file.path, "security.capability"))? {
            Some(value) => capabilities::of_attribute(&value),
            None => Some(capabilities::Sets::default()),
        };
        let told = capabilities::of_text(&file.capabilities);
        match (is, told) {
            (Some(is), Some(told)) => Ok(is == told),
            _ => Err(Problem::Failed(format!("{}: its capabilities are not understood", file.path))),
        }
    }

    /// The number of a user; what was installed as that of somebody unknown is root's.
    fn user(&mut self, name: &str) -> Result<u32, Problem> {
        let files = self.files;
        let users = match &mut self.users {
            Some(users) => users,
            none => none.insert(numbers(files, "passwd")?),
        };
        Ok(users.get(name).copied().unwrap_or(0))
    }

    fn group(&mut self, name: &str) -> Result<u32, Problem> {
        let files = self.files;
        let groups = match &mut self.groups {
            Some(groups) => groups,
            none => none.insert(numbers(files, "group")?),
        };
        Ok(groups.get(name).copied().unwrap_or(0))
    }
}

/// The attributes that have no meaning for what is there.
fn without_meaning(file: &PackageFile, there: &Metadata) -> u32 {
    use Attribute::{Capabilities, Digest, Link, Mode, Mtime, Size};
    let mut without = Vec::new();
    without.push(if there.file_type == FileType::Link { Mode } else { Link });
    if there.file_type != FileType::Regular {
        without.extend([Digest, Size, Mtime, Capabilities]);
    }
    if file.flags & GHOST != 0 {
        without.extend([Digest, Size, Mtime, Link]);
    }
    without.into_iter().fold(0, |bits, attribute| bits | attribute.bit())
}

fn type_bits(file_type: FileType) -> u32 {
    match file_type {
        FileType::Fifo => 0o010_000,
        FileType::CharacterSpecial => 0o020_000,
        FileType::Directory => 0o040_000,
        FileType::BlockSpecial => 0o060_000,
        FileType::Regular => 0o100_000,
        FileType::Link => 0o120_000,
        FileType::Socket => 0o140_000,
    }
}

/// Names with their numbers, from a file of users or groups; systems that are images keep their own below `/usr/lib`.
fn numbers(files: &dyn Files, name: &str) -> Result<HashMap<String, u32>, Problem> {
    let mut numbers = HashMap::from([("root".to_owned(), 0)]);
    for path in [format!("/etc/{name}"), format!("/usr/lib/{name}")] {
        let Some(text) = found(&path, files.read(&path))? else { continue };
        for line in String::from_utf8_lossy(&text).lines() {
            let mut fields = line.split(':');
            if let (Some(name), Some(number)) = (fields.next(), fields.nth(1).and_then(|n| n.parse().ok())) {
                numbers.entry(name.to_owned()).or_insert(number);
            }
        }
    }
    Ok(numbers)
}
