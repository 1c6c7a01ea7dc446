//! `unix:sysctl`: parameters of the running kernel.

use virtscap_scap::oval::{FileType, ItemEntity, ObjectContent, TestType};

use super::Findings;
use crate::files::{Lookup, join};
use crate::oval::Session;
use crate::oval::matcher::Matcher;
use crate::oval::variables::NoValues;

const ROOT: &str = "/proc/sys";
/// How many directories deep OpenSCAP goes.
const MAX_DEPTH: usize = 7;
/// How much of a value OpenSCAP reads, and into how many parts it takes it apart.
const MAX_VALUE: usize = 8191;
const MAX_PARTS: usize = 511;

impl<'a> Session<'a> {
    /// `unix:sysctl_object`: one item per parameter, with one value per line; only of the system that is running, as with
    /// OpenSCAP.
    pub(super) fn sysctl(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        if !self.only_where_running(content, findings) {
            return Ok(());
        }
        let wanted = self.wanted(content, "name")?;
        if let Some(root) = findings.take(ROOT, self.files.directory(ROOT)) {
            self.parameters(&root, "", 0, &wanted, findings)?;
        }
        Ok(())
    }

    fn parameters(
        &self,
        folder: &str,
        prefix: &str,
        depth: usize,
        wanted: &Matcher,
        findings: &mut Findings,
    ) -> Result<(), String> {
        let Some(entries) = findings.take(folder, self.files.entries(folder)) else { return Ok(()) };
        let exactly = wanted.exactly();
        for entry in entries.entries {
            let path = join(folder, &entry.name);
            let name = format!("{prefix}{}", entry.name);
            if entry.file_type == FileType::Directory {
                let prefix = format!("{name}.");
                let may_lead =
                    exactly.as_ref().is_none_or(|names| names.iter().any(|name| name.starts_with(&prefix)));
                if depth < MAX_DEPTH && may_lead {
                    self.parameters(&path, &prefix, depth + 1, wanted, findings)?;
                }
            } else if wanted.is_match(&name)? {
                self.parameter(&path, name, findings);
            }
        }
        Ok(())
    }

    fn parameter(&self, path: &str, name: String, findings: &mut Findings) {
        // What can only be written has no value.
        let Lookup::Found(metadata) = self.files.metadata(path) else { return };
        if metadata.mode & 0o400 == 0 {
            return;
        }
        match self.files.read(path) {
            Lookup::Found(value) if value.is_empty() => {}
            Lookup::Found(value) => {
                let mut entities = vec![ItemEntity::text("name", name)];
                entities.extend(parts(&value).into_iter().map(|part| ItemEntity::text("value", part)));
                findings.item(TestType::Sysctl, entities);
            }
            // Secrets of interfaces cannot be read until they are set.
            Lookup::Unreadable { .. }
                if path.starts_with("/proc/sys/net/ipv6/conf/") && path.ends_with("/stable_secret") => {}
            Lookup::Unreadable { reason } => {
                findings.error(format!("{path}: {reason}"));
                findings.failed_item(TestType::Sysctl, Vec::new());
            }
            Lookup::Missing { reason } => findings.withhold(reason),
        }
    }
}

/// The lines of a value. What is neither printable nor white space parts it too; an empty part at the end is none.
fn parts(value: &[u8]) -> Vec<String> {
    let value = &value[..value.len().min(MAX_VALUE)];
    let is_shown = |byte: u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c);
    let parts = value.splitn(MAX_PARTS + 1, |byte| !is_shown(*byte));
    let mut parts: Vec<_> = parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    if parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_lines() {
        assert_eq!(parts(b"4\t4\t1\t7\n"), ["4\t4\t1\t7"]);
        assert_eq!(parts(b"file\npipe\n"), ["file", "pipe"]);
        assert_eq!(parts(b"\n"), [""]);
        assert_eq!(parts(b"a\n\nb"), ["a", "", "b"]);
        assert_eq!(parts(b"a\x80b"), ["a", "b"]);
        assert_eq!(parts(&vec![b'\n'; 10_000]).len(), MAX_PARTS + 1);
    }
}
