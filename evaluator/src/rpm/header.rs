//! The header of a package: numbered values of a few types.

use super::dependency::{Dependency, Relation};
use super::signature;

/// Numbers of values.
pub(crate) mod tag {
    pub(crate) const SIGNATURE_PGP: u32 = 259;
    pub(crate) const SIGNATURE_GPG: u32 = 262;
    pub(crate) const NAME: u32 = 1000;
    pub(crate) const VERSION: u32 = 1001;
    pub(crate) const RELEASE: u32 = 1002;
    pub(crate) const EPOCH: u32 = 1003;
    pub(crate) const ARCH: u32 = 1022;
    /// The name of the source package, which source packages have not.
    pub(super) const SOURCE: u32 = 1044;
    pub(super) const PROVIDE_NAMES: u32 = 1047;
    pub(super) const REQUIRE_FLAGS: u32 = 1048;
    pub(crate) const REQUIRE_NAMES: u32 = 1049;
    pub(super) const REQUIRE_VERSIONS: u32 = 1050;
    pub(super) const CONFLICT_FLAGS: u32 = 1053;
    pub(super) const CONFLICT_NAMES: u32 = 1054;
    pub(super) const CONFLICT_VERSIONS: u32 = 1055;
    pub(crate) const VERIFY_SCRIPT: u32 = 1079;
    pub(super) const OBSOLETE_NAMES: u32 = 1090;
    pub(super) const PROVIDE_FLAGS: u32 = 1112;
    pub(super) const PROVIDE_VERSIONS: u32 = 1113;
    pub(super) const OBSOLETE_FLAGS: u32 = 1114;
    pub(super) const OBSOLETE_VERSIONS: u32 = 1115;
    pub(super) const FILE_SIZES: u32 = 1028;
    pub(super) const FILE_STATES: u32 = 1029;
    pub(super) const FILE_MODES: u32 = 1030;
    pub(super) const FILE_MTIMES: u32 = 1034;
    pub(super) const FILE_DIGESTS: u32 = 1035;
    pub(super) const FILE_LINKS: u32 = 1036;
    pub(super) const FILE_FLAGS: u32 = 1037;
    pub(super) const FILE_USERS: u32 = 1039;
    pub(super) const FILE_GROUPS: u32 = 1040;
    pub(super) const FILE_VERIFY_FLAGS: u32 = 1045;
    pub(super) const FOLDER_INDEXES: u32 = 1116;
    pub(super) const BASE_NAMES: u32 = 1117;
    pub(super) const FOLDERS: u32 = 1118;
    pub(super) const LONG_FILE_SIZES: u32 = 5008;
    pub(super) const FILE_CAPABILITIES: u32 = 5010;
    pub(super) const FILE_DIGEST_ALGORITHM: u32 = 5011;
}

/// How a value is shown that a package has not.
pub(crate) const NONE: &str = "(none)";

/// How many values a header may have.
const MAX_ENTRIES: usize = 65_536;

#[derive(Debug)]
struct Entry {
    tag: u32,
    kind: u32,
    offset: usize,
    count: usize,
}

/// A package's header.
#[derive(Debug)]
pub(crate) struct Header {
    entries: Vec<Entry>,
    bytes: Vec<u8>,
    /// Where the data begin in the bytes.
    data: usize,
}

/// What a header says of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackageFile {
    pub(crate) path: String,
    pub(crate) size: u64,
    /// How it was installed.
    pub(crate) state: u8,
    /// Its type and its permissions.
    pub(crate) mode: u32,
    pub(crate) mtime: i64,
    pub(crate) digest: String,
    pub(crate) link: String,
    pub(crate) flags: u32,
    pub(crate) user: String,
    pub(crate) group: String,
    /// What is to be verified.
    pub(crate) verify: u32,
    pub(crate) capabilities: String,
}

impl Header {
    /// Reads a header as the database keeps it.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, String> {
        let malformed = || "a package's header is malformed".to_owned();
        let number = |at: usize| {
            let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map(u32::from_be_bytes).ok_or_else(malformed)
        };
        let count = usize::try_from(number(0)?).map_err(|_| malformed())?;
        if count > MAX_ENTRIES {
            return Err(malformed());
        }
        let data = 8 + 16 * count;
        let mut entries = Vec::with_capacity(count);
        for at in (8..data).step_by(16) {
            let size = |at: usize| number(at).map(|number| number as usize);
            entries.push(Entry {
                tag: number(at)?,
                kind: number(at + 4)?,
                offset: size(at + 8)?,
                count: size(at + 12)?,
            });
        }
        let length = number(4)? as usize;
        if bytes.len() < data.saturating_add(length) {
            return Err(malformed());
        }
        let header = Self { entries, bytes, data };
        // Without a name it says nothing of any package.
        header.text(tag::NAME).map(|_| ()).ok_or_else(malformed)?;
        Ok(header)
    }

    /// An entry with the data from where it begins.
    fn entry(&self, tag: u32) -> Option<(&Entry, &[u8])> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag)?;
        Some((entry, self.bytes.get(self.data.checked_add(entry.offset)?..)?))
    }

    /// Texts, as many as there are.
    fn texts(&self, tag: u32) -> Vec<String> {
        let Some((entry, data)) = self.entry(tag).filter(|(entry, _)| matches!(entry.kind, 6 | 8 | 9)) else {
            return Vec::new();
        };
        let texts = data.split(|byte| *byte == 0).take(entry.count);
        texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    fn text(&self, tag: u32) -> Option<String> {
        self.texts(tag).into_iter().next()
    }

    /// Whole numbers, as many as there are.
    fn numbers(&self, tag: u32) -> Vec<u64> {
        let Some((entry, data)) = self.entry(tag) else { return Vec::new() };
        let width = match entry.kind {
            1 | 2 => 1,
            3 => 2,
            4 => 4,
            5 => 8,
            _ => return Vec::new(),
        };
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        data.chunks_exact(width).take(entry.count).map(number).collect()
    }

    /// A text or a number, as `rpm --queryformat` shows it.
    pub(crate) fn shown(&self, tag: u32) -> String {
        let number = || self.numbers(tag).first().map(u64::to_string);
        self.text(tag).or_else(number).unwrap_or_else(|| NONE.to_owned())
    }

    /// Epoch, version and release in one; a package without an epoch has the epoch 0 here.
    pub(crate) fn evr(&self) -> String {
        let epoch = self.numbers(tag::EPOCH).first().copied().unwrap_or(0);
        format!("{epoch}:{}-{}", self.shown(tag::VERSION), self.shown(tag::RELEASE))
    }

    /// Whether there is a value.
    pub(crate) fn has(&self, tag: u32) -> bool {
        self.entry(tag).is_some()
    }

    /// Whether it is the header of a source package.
    pub(super) fn is_source(&self) -> bool {
        !self.has(tag::SOURCE)
    }

    /// What the package says of others, or of itself to them.
    pub(super) fn dependencies(&self, relation: Relation) -> Vec<Dependency> {
        let [names, versions, flags] = match relation {
            Relation::Provides => [tag::PROVIDE_NAMES, tag::PROVIDE_VERSIONS, tag::PROVIDE_FLAGS],
            Relation::Requires => [tag::REQUIRE_NAMES, tag::REQUIRE_VERSIONS, tag::REQUIRE_FLAGS],
            Relation::Conflicts => [tag::CONFLICT_NAMES, tag::CONFLICT_VERSIONS, tag::CONFLICT_FLAGS],
            Relation::Obsoletes => [tag::OBSOLETE_NAMES, tag::OBSOLETE_VERSIONS, tag::OBSOLETE_FLAGS],
        };
        let mut versions = self.texts(versions).into_iter();
        let mut flags = self.numbers(flags).into_iter();
        let dependency = |name| Dependency {
            name,
            version: versions.next().unwrap_or_default(),
            flags: flags.next().map_or(0, |flags| flags as u32),
        };
        self.texts(names).into_iter().map(dependency).collect()
    }

    /// The places of the files: folder, name in it, and how it was installed.
    pub(super) fn places(&self) -> Vec<(String, String, u8)> {
        let folders = self.texts(tag::FOLDERS);
        let states = self.numbers(tag::FILE_STATES);
        let names = self.texts(tag::BASE_NAMES).into_iter().zip(self.numbers(tag::FOLDER_INDEXES));
        let place = |(index, (name, folder)): (usize, (String, u64))| {
            let folder = usize::try_from(folder).ok().and_then(|folder| folders.get(folder));
            let state = states.get(index).map_or(0, |state| *state as u8);
            (folder.cloned().unwrap_or_default(), name, state)
        };
        names.enumerate().map(place).collect()
    }

    /// `name-epoch:version-release.arch`
    pub(crate) fn extended_name(&self) -> String {
        format!("{}-{}.{}", self.shown(tag::NAME), self.evr(), self.shown(tag::ARCH))
    }

    /// The number of the key that signed the package, `0` where there is none.
    pub(crate) fn key_id(&self) -> String {
        let bytes = |tag: u32| self.entry(tag).map(|(entry, data)| &data[..entry.count.min(data.len())]);
        let signature = bytes(tag::SIGNATURE_GPG).or_else(|| bytes(tag::SIGNATURE_PGP));
        signature.and_then(signature::key_id).unwrap_or_else(|| "0".to_owned())
    }

    /// The algorithm of the files' digests (RFC 4880, 9.4).
    pub(crate) fn digest_algorithm(&self) -> u64 {
        self.numbers(tag::FILE_DIGEST_ALGORITHM).first().copied().unwrap_or(1)
    }

    /// The files, in the package's order.
    pub(crate) fn files(&self) -> Vec<PackageFile> {
        let names = self.texts(tag::BASE_NAMES);
        let folders = self.texts(tag::FOLDERS);
        let indexes = self.numbers(tag::FOLDER_INDEXES);
        let mut sizes = self.numbers(tag::LONG_FILE_SIZES);
        if sizes.is_empty() {
            sizes = self.numbers(tag::FILE_SIZES);
        }
        let numbers =
            [tag::FILE_STATES, tag::FILE_MODES, tag::FILE_MTIMES, tag::FILE_FLAGS, tag::FILE_VERIFY_FLAGS]
                .map(|tag| self.numbers(tag));
        let texts =
            [tag::FILE_DIGESTS, tag::FILE_LINKS, tag::FILE_USERS, tag::FILE_GROUPS, tag::FILE_CAPABILITIES]
                .map(|tag| self.texts(tag));
        let files = names.iter().enumerate().map(|(index, name)| {
            let number = |which: usize| numbers[which].get(index).copied();
            let text = |which: usize| texts[which].get(index).cloned().unwrap_or_default();
            let folder = indexes.get(index).and_then(|folder| folders.get(usize::try_from(*folder).ok()?));
            PackageFile {
                path: format!("{}{name}", folder.map_or("", String::as_str)),
                size: sizes.get(index).copied().unwrap_or(0),
                state: number(0).map_or(0, |state| state as u8),
                mode: number(1).unwrap_or(0) as u32,
                mtime: number(2).unwrap_or(0) as i64,
                flags: number(3).unwrap_or(0) as u32,
                // Without flags everything is verified.
                verify: number(4).map_or(u32::MAX, |flags| flags as u32),
                digest: text(0),
                link: text(1),
                user: text(2),
                group: text(3),
                capabilities: text(4),
            }
        });
        files.collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    /// A header of values: number, type, how many, and their bytes.
    pub(in crate::rpm) fn header(entries: &[(u32, u32, u32, &[u8])]) -> Vec<u8> {
        let mut data: Vec<u8> = Vec::new();
        let mut index: Vec<u8> = Vec::new();
        for (tag, kind, count, bytes) in entries {
            for number in [*tag, *kind, data.len() as u32, *count] {
                index.extend(number.to_be_bytes());
            }
            data.extend(*bytes);
        }
        let mut all = (entries.len() as u32).to_be_bytes().to_vec();
        all.extend((data.len() as u32).to_be_bytes());
        all.extend(index);
        all.extend(data);
        all
    }

    #[test]
    fn values_are_shown_as_rpm_does() {
        let bytes = header(&[
            (tag::NAME, 6, 1, b"a\0"),
            (tag::VERSION, 6, 1, b"1\0"),
            (tag::RELEASE, 6, 1, b"2\0"),
            (tag::BASE_NAMES, 8, 2, b"x\0y\0"),
            (tag::FOLDERS, 8, 1, b"/usr/\0"),
            (tag::FOLDER_INDEXES, 4, 2, &[0, 0, 0, 0, 0, 0, 0, 9]),
        ]);
        let header = Header::read(bytes).unwrap();
        assert_eq!(header.shown(tag::EPOCH), "(none)");
        assert_eq!(header.extended_name(), "a-0:1-2.(none)");
        assert_eq!(header.key_id(), "0");
        let paths: Vec<_> = header.files().into_iter().map(|file| file.path).collect();
        assert_eq!(paths, ["/usr/x", "y"]);
    }

    #[test]
    fn what_is_damaged_is_an_error_and_no_panic() {
        let bytes = header(&[(tag::NAME, 6, 1, b"a\0"), (tag::FILE_SIZES, 4, u32::MAX, &[1])]);
        let whole = Header::read(bytes.clone()).unwrap();
        assert_eq!(whole.files(), []);
        for length in 0..bytes.len() {
            assert!(Header::read(bytes[..length].to_vec()).is_err());
        }
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] = 0xff;
            if let Ok(header) = Header::read(damaged) {
                header.files();
                header.key_id();
            }
        }
    }
}
