//! What the script says of a node.
//!
//! Records end with a NUL, which no name, no target of a link, no message and no encoded content can hold. So whatever is
//! on the node, nothing of it is taken for a record. What is not understood makes all of it worthless.

use std::collections::BTreeMap;
use std::ffi::CString;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use virtscap_scap::oval::FileType;

use crate::files::{Entries, Entry, Lookup, Metadata, join};

/// What is known of files, by paths without links.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What is there; a link always with its target.
    pub(super) metadata: BTreeMap<String, Lookup<Metadata>>,
    /// What is in directories.
    pub(super) entries: BTreeMap<String, Lookup<Entries>>,
    /// What is in regular files.
    pub(super) contents: BTreeMap<String, Lookup<Vec<u8>>>,
    /// Directories that could not be gone into.
    pub(super) closed: Vec<String>,
}

/// Answers that are not as the script gives them.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    /// There is no end.
    #[error("the answer is cut off")]
    CutOff,
    /// A record makes no sense.
    #[error("the answer makes no sense at its record {0}")]
    Record(usize),
}

/// Reads what the script said; `paths` are those of the questions, `file` is how many bytes a file may hold.
pub(super) fn read(answer: &[u8], paths: &[String], file: u64) -> Result<Known, Malformed> {
    let records = answer.strip_suffix(b"end\0").ok_or(Malformed::CutOff)?;
    let mut known = Known::default();
    // Entries of a directory come before the record that counts them, links before their targets.
    let mut listed: Vec<(&String, &[u8])> = Vec::new();
    let mut link: Option<(&String, Metadata)> = None;
    for (number, record) in records.split_inclusive(|byte| *byte == 0).enumerate() {
        let malformed = || Malformed::Record(number + 1);
        let record = record.strip_suffix(b"\0").ok_or(Malformed::CutOff)?;
        let (kind, rest) = split(record).ok_or_else(malformed)?;
        let (index, rest) = split(rest).unwrap_or((rest, b""));
        let path = number_of(index).and_then(|index: usize| paths.get(index)).ok_or_else(malformed)?;
        if let Some((of, metadata)) = link.take() {
            let target = (kind == b"t" && of == path).then(|| with_target(metadata, rest));
            known.metadata.insert(of.clone(), target.flatten().ok_or_else(malformed)?);
            continue;
        }
        match kind {
            b"m" => {
                let (metadata, b"") = facts(rest).ok_or_else(malformed)? else { return Err(malformed()) };
                if metadata.file_type == FileType::Link {
                    link = Some((path, metadata));
                } else {
                    known.metadata.insert(path.clone(), Lookup::Found(metadata));
                }
            }
            b"x" => {
                known.metadata.insert(path.clone(), not_there(rest));
            }
            b"c" => {
                known.contents.insert(path.clone(), content(rest, file).ok_or_else(malformed)?);
            }
            b"e" => listed.push((path, rest)),
            b"l" => {
                let count = number_of(rest).ok_or_else(malformed)?;
                let listing = listing(path, &std::mem::take(&mut listed), count, &mut known.metadata);
                known.entries.insert(path.clone(), Lookup::Found(listing.ok_or_else(malformed)?));
            }
            b"k" => {
                known.entries.insert(path.clone(), Lookup::unreadable(message(rest)));
            }
            b"f" => known.closed.push(path.clone()),
            _ => return Err(malformed()),
        }
    }
    if link.is_some() || !listed.is_empty() {
        return Err(Malformed::CutOff);
    }
    Ok(known)
}

fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b' ')?;
    Some((&text[..at], &text[at + 1..]))
}

fn number_of<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn message(text: &[u8]) -> String {
    String::from_utf8_lossy(text).trim().to_owned()
}

/// `MODE UID GID SIZE ATIME CTIME MTIME DEVICE INODE`, the mode in hexadecimal digits, and what comes behind.
fn facts(text: &[u8]) -> Option<(Metadata, &[u8])> {
    let mut fields = text.splitn(10, |byte| *byte == b' ');
    let mode = u32::from_str_radix(std::str::from_utf8(fields.next()?).ok()?, 16).ok()?;
    let file_type = match mode >> 12 {
        0o01 => FileType::Fifo,
        0o02 => FileType::CharacterSpecial,
        0o04 => FileType::Directory,
        0o06 => FileType::BlockSpecial,
        0o10 => FileType::Regular,
        0o12 => FileType::Link,
        0o14 => FileType::Socket,
        _ => return None,
    };
    let (uid, gid) = (number_of(fields.next()?)?, number_of(fields.next()?)?);
    let size = number_of(fields.next()?)?;
    let times = [number_of(fields.next()?)?, number_of(fields.next()?)?, number_of(fields.next()?)?];
    let device = number_of(fields.next()?)?;
    let _inode: u64 = number_of(fields.next()?)?;
    let plain = Metadata::plain(file_type, mode & 0o7777, uid, gid, size);
    Some((Metadata { times: Some(times), device, ..plain }, fields.next().unwrap_or_default()))
}

/// `STATUS TARGET` of readlink.
fn with_target(metadata: Metadata, text: &[u8]) -> Option<Lookup<Metadata>> {
    let (status, target) = split(text)?;
    if status != b"0" {
        return Some(Lookup::unreadable(message(target)));
    }
    Some(match std::str::from_utf8(target) {
        Ok(target) => Lookup::Found(Metadata { target: Some(target.to_owned()), ..metadata }),
        Err(_) => Lookup::unreadable(format!("the name {:?} is not UTF-8", c_string(target))),
    })
}

/// `STATUS MESSAGE` of a stat that failed. Only what stat itself says tells that there is nothing: a shell says the same
/// where there is no stat. Where all tools are one program, as in `coreutils-single`, it calls itself by its path.
fn not_there(text: &[u8]) -> Lookup<Metadata> {
    let said = message(text);
    let by_stat = |said: &str| {
        let (name, rest) = said.strip_prefix("1 ")?.split_once(": ")?;
        Some((name == "stat" || name.ends_with("/stat")) && rest.starts_with("cannot stat"))
    };
    let plainly = by_stat(&said) == Some(true)
        && [": No such file or directory", ": Not a directory"].iter().any(|end| said.ends_with(end));
    if plainly { Lookup::absent() } else { Lookup::unreadable(said) }
}

/// `BASE64 STATUSES`: of head and of base64, in any order, and what they complained of.
fn content(text: &[u8], file: u64) -> Option<Lookup<Vec<u8>>> {
    let (encoded, said) = split(text)?;
    let said = message(said);
    if !matches!(said.as_str(), "h0\nb0" | "b0\nh0") {
        return Some(Lookup::unreadable(if said.is_empty() { "it cannot be read".to_owned() } else { said }));
    }
    let content = STANDARD.decode(encoded).ok()?;
    Some(if content.len() as u64 > file { too_large(file) } else { Lookup::Found(content) })
}

/// What is said of a file that holds more than is read.
pub(super) fn too_large<T>(file: u64) -> Lookup<T> {
    Lookup::unreadable(format!("it holds more than {} MiB", file >> 20))
}

/// The entries of a directory, of `FACTS ./NAME`. What is known of those that are no links is all that
/// there is to know.
fn listing(
    folder: &str,
    records: &[(&String, &[u8])],
    count: usize,
    metadata: &mut BTreeMap<String, Lookup<Metadata>>,
) -> Option<Entries> {
    let mut found = Entries::default();
    // The directory itself and its parent are counted, and not listed.
    if records.len() + 2 != count {
        found.withheld = Some(format!("{folder}: its entries changed while they were listed"));
    }
    for (path, record) in records {
        if path.as_str() != folder {
            return None;
        }
        let (of, name) = facts(record)?;
        let name = name.strip_prefix(b"./")?;
        let Ok(name) = std::str::from_utf8(name) else {
            found.withheld = Some(format!("{folder}: the name {:?} is not UTF-8", c_string(name)));
            continue;
        };
        if name.is_empty() || name.contains('/') {
            return None;
        }
        found.entries.push(Entry { name: name.to_owned(), file_type: of.file_type });
        if of.file_type != FileType::Link {
            metadata.entry(join(folder, name)).or_insert(Lookup::Found(of));
        }
    }
    found.entries.sort_by(|a, b| a.name.cmp(&b.name));
    Some(found)
}

/// Text that holds no NUL, as records do not.
fn c_string(text: &[u8]) -> CString {
    CString::new(text).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    const DIRECTORY: &str = "41ed 0 0 4096 1 2 3 64 2";

    fn answer(records: &[&str]) -> Result<Known, Malformed> {
        let paths = ["/", "/a", "/a/b"].map(str::to_owned);
        read(records.iter().map(|record| format!("{record}\0")).collect::<String>().as_bytes(), &paths, 4)
    }

    #[test]
    fn what_is_not_understood_or_cut_off_is_worthless() {
        let good =
            [format!("m 0 {DIRECTORY}"), "m 1 a1ff 0 0 2 1 2 3 64 9".to_owned(), "t 1 0 ..".to_owned()];
        let good: Vec<_> = good.iter().map(String::as_str).collect();
        assert!(answer(&[&good[..], &["end"]].concat()).is_ok());
        let bad: [&[&str]; 15] = [
            &good,
            &["m 0 41ed 0 0 4096 1 2 3 64 2"],
            &["m 0 41ed 0 0 4096 1 2 3 64", "end"],
            &["m 0 41ed 0 0 4096 1 2 3 64 2 x", "end"],
            &["m 0 f1ed 0 0 4096 1 2 3 64 2", "end"],
            &["m 0 41ed -1 0 4096 1 2 3 64 2", "end"],
            &["m 7 41ed 0 0 4096 1 2 3 64 2", "end"],
            &["z 0 x", "end"],
            &["m 1 a1ff 0 0 2 1 2 3 64 9", "end"],
            &["m 1 a1ff 0 0 2 1 2 3 64 9", "t 2 0 ..", "end"],
            &["t 1 0 ..", "end"],
            &["c 1 =?= h0\nb0", "end"],
            &["e 0 81a4 0 0 0 1 2 3 64 9 ./x", "end"],
            &["e 1 81a4 0 0 0 1 2 3 64 9 ./x", "l 0 3", "end"],
            &["e 0 81a4 0 0 0 1 2 3 64 9 ./x/y", "l 0 3", "end"],
        ];
        for records in bad {
            assert!(answer(records).is_err(), "{records:?}");
        }
    }

    #[test]
    fn only_stat_itself_tells_that_nothing_is_there() {
        for (said, absent) in [
            ("1 stat: cannot statx './b': No such file or directory", true),
            ("1 stat: cannot stat './b': Not a directory", true),
            ("1 /usr/bin/stat: cannot stat './b': No such file or directory", true),
            ("1 stat: cannot statx './b': Permission denied", false),
            ("1 /usr/bin/stat: No such file or directory", false),
            ("127 stat: cannot statx './b': No such file or directory", false),
            ("127 sh: 1: /usr/bin/stat: No such file or directory", false),
            ("127 stat: not found", false),
            ("1 stat: cannot statx 'No such file or directory': Input/output error", false),
            ("", false),
        ] {
            let known = answer(&[&format!("x 2 {said}"), "end"]).unwrap();
            let found = &known.metadata["/a/b"];
            assert_eq!(*found == Lookup::absent(), absent, "{said}");
            assert!(absent || matches!(found, Lookup::Unreadable { .. }), "{said}");
        }
    }

    #[test]
    fn content_counts_only_where_head_and_base64_ended_well() {
        for (said, content) in [
            ("aGk= h0\nb0", Some("hi")),
            ("aGk= b0\nh0\n", Some("hi")),
            (" h0\nb0", Some("")),
            ("aGk= h1\nb0", None),
            ("aGk= head: error reading 'standard input': Input/output error\nh1\nb0", None),
            ("aGk= h0", None),
            (" sh: 1: cannot open ./b: Permission denied", None),
            // Five bytes, where four are allowed.
            ("aGVsbG8= h0\nb0", None),
        ] {
            let known = answer(&[&format!("c 2 {said}"), "end"]).unwrap();
            match (&known.contents["/a/b"], content) {
                (Lookup::Found(found), Some(content)) => assert_eq!(found, content.as_bytes()),
                (Lookup::Unreadable { .. }, None) => {}
                (other, _) => panic!("{said}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_listing_that_is_not_whole_says_so() {
        let entry = "e 1 81a4 0 0 0 1 2 3 64 9 ./b";
        let entries = |records: &[&str]| match answer(records).unwrap().entries.remove("/a").unwrap() {
            Lookup::Found(entries) => entries,
            other => panic!("{other:?}"),
        };
        let whole = entries(&[entry, "l 1 3", "end"]);
        assert_eq!((whole.entries.len(), whole.withheld), (1, None));
        assert!(entries(&[entry, "l 1 4", "end"]).withheld.is_some());
        assert!(entries(&["l 1 3", "end"]).withheld.is_some());
        assert!(entries(&["l 1 2", "end"]).withheld.is_none());
    }
}
