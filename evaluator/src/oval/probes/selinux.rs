//! `linux:selinuxboolean` and `linux:selinuxsecuritycontext`: what SELinux is set to, and its labels.

use virtscap_scap::oval::{FileType, ItemEntity, ObjectContent, TestType};

use super::process::numbers;
use super::{Findings, file_entities};
use crate::files::Lookup;
use crate::oval::Session;
use crate::oval::variables::NoValues;

/// Where the kernel tells of booleans.
const BOOLEANS: &str = "/sys/fs/selinux/booleans";

/// The extended attribute that holds a file's label.
const ATTRIBUTE: &str = "security.selinux";

impl<'a> Session<'a> {
    /// `linux:selinuxboolean_object`: one item per boolean. On the system that is running SELinux has to be there; of
    /// another root without it there plainly are none, as with OpenSCAP.
    pub(super) fn selinux_boolean(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let name = self.wanted(content, "name")?;
        let listing = match self.files.list(BOOLEANS) {
            Lookup::Missing { reason: None } if self.files.is_running() => {
                return Err(format!("{BOOLEANS}: is missing; SELinux is not enabled").into());
            }
            found => findings.take(BOOLEANS, found),
        };
        let Some(listing) = listing else { return Ok(()) };
        findings.withhold(listing.withheld);
        for boolean in listing.names {
            if !name.is_match(&boolean)? {
                continue;
            }
            let path = format!("{BOOLEANS}/{boolean}");
            let Some(text) = findings.take(&path, self.files.read(&path)) else { continue };
            let Some((current, pending)) = statuses(&text) else {
                findings.error(format!("{path}: does not hold the two states of a boolean"));
                continue;
            };
            let entities = vec![
                ItemEntity::text("name", boolean),
                ItemEntity::boolean("current_status", current),
                ItemEntity::boolean("pending_status", pending),
            ];
            findings.item(TestType::SelinuxBoolean, entities);
        }
        Ok(())
    }

    /// `linux:selinuxsecuritycontext_object`: one item per file or process.
    pub(super) fn selinux_security_context(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let of_files = content.file().is_some();
        if of_files {
            self.labels_of_files(content, findings)?;
        }
        match content.entity("pid") {
            Some(pid) => self.labels_of_processes(&pid.clone(), findings),
            None if of_files => Ok(()),
            None => Err("the object names neither files nor processes".to_owned().into()),
        }
    }

    fn labels_of_files(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let query = self.file_query(content)?;
        let files = self.files;
        let by_path = content.entity("filepath").is_some();
        self.for_each_file(&query, findings, &mut |found, _, findings| {
            let path = found.full_path();
            // An object may name what is not there by its plain path.
            let Some(there) = findings.take(&path, files.metadata(&path)) else { return Ok(()) };
            // A filepath names no directory, and neither does a filename; the latter names links to them.
            let is_directory = there.file_type == FileType::Directory
                || (by_path && matches!(files.directory(&path), Lookup::Found(_)));
            if found.filename.is_some() && is_directory {
                return Ok(());
            }
            let mut entities = match &found.filename {
                Some(_) => file_entities(&path),
                None => vec![
                    ItemEntity::text("filepath", format!("{}/", path.trim_end_matches('/'))),
                    ItemEntity::text("path", &*found.path),
                ],
            };
            let problem = match files.attribute(&path, ATTRIBUTE) {
                Lookup::Found(value) => {
                    entities.extend(label(&value, true));
                    findings.item(TestType::SelinuxSecurityContext, entities);
                    return Ok(());
                }
                Lookup::Missing { reason: Some(reason) } => {
                    findings.withhold(Some(reason));
                    return Ok(());
                }
                Lookup::Missing { reason: None } => "No data available".to_owned(),
                Lookup::Unreadable { reason } => reason,
            };
            findings.error(format!("Can't get context for {path}: {problem}"));
            findings.failed_item(TestType::SelinuxSecurityContext, entities);
            Ok(())
        })?;
        Ok(())
    }

    fn labels_of_processes(
        &mut self,
        pid: &virtscap_scap::oval::Entity,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let matcher = self.matcher(pid)?;
        // The process 0 is the one that asks.
        let own = matcher.exactly().is_some_and(|values| values == ["0"]);
        let listing = match self.files.list("/proc") {
            Lookup::Missing { reason: None } => return Err("/proc: is missing".to_owned().into()),
            found => findings.take("/proc", found),
        };
        let names = listing.map(|listing| listing.names).unwrap_or_default();
        for pid in numbers(&names) {
            let wanted = if own { pid == std::process::id() } else { matcher.is_match(&pid.to_string())? };
            if !wanted {
                continue;
            }
            let path = format!("/proc/{pid}/attr/current");
            match self.files.read(&path) {
                Lookup::Found(value) => {
                    let mut entities = vec![ItemEntity::int("pid", pid)];
                    entities.extend(label(&value, false));
                    findings.item(TestType::SelinuxSecurityContext, entities);
                }
                // Without SELinux no process has a label, and reading it is an error.
                Lookup::Unreadable { reason } if self.has_selinux() => {
                    findings.error(format!("{path}: {reason}"));
                }
                Lookup::Missing { reason } => findings.withhold(reason),
                Lookup::Unreadable { .. } => {}
            }
        }
        Ok(())
    }

    fn has_selinux(&self) -> bool {
        matches!(self.files.list(BOOLEANS), Lookup::Found(_))
    }
}

/// The states of a boolean now and after the next load of the policy.
fn statuses(text: &[u8]) -> Option<(bool, bool)> {
    let text = std::str::from_utf8(text).ok()?;
    let mut states = text.split_ascii_whitespace().map(|state| match state {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    });
    Some((states.next()??, states.next()??))
}

/// The parts of a label `user:role:type:range`; a file's range is told twice.
fn label(value: &[u8], of_file: bool) -> Vec<ItemEntity> {
    let text = String::from_utf8_lossy(value);
    let text = text.trim_end_matches(['\0', '\n']);
    let mut parts = text.splitn(4, ':');
    let mut entities = Vec::new();
    for name in ["user", "role", "type"] {
        entities.extend(parts.next().map(|part| ItemEntity::text(name, part)));
    }
    let Some(range) = parts.next() else { return entities };
    let (low, high) = match range.split_once('-') {
        Some((low, high)) => (low, Some(high)),
        None => (range, None),
    };
    let names = [
        ["low_sensitivity", "low_category", "high_sensitivity", "high_category"],
        ["rawlow_sensitivity", "rawlow_category", "rawhigh_sensitivity", "rawhigh_category"],
    ];
    for names in names.iter().take(if of_file { 2 } else { 1 }) {
        for (level, [sensitivity, category]) in
            [(Some(low), [names[0], names[1]]), (high, [names[2], names[3]])]
        {
            let Some(level) = level else { continue };
            let (of_level, categories) = match level.split_once(':') {
                Some((of_level, categories)) => (of_level, Some(categories)),
                None => (level, None),
            };
            entities.push(ItemEntity::text(sensitivity, of_level));
            entities.extend(categories.map(|categories| ItemEntity::text(category, categories)));
        }
    }
    entities
}

#[cfg(test)]
mod tests {
    use virtscap_scap::oval::ItemValue;

    use super::*;

    fn told(value: &str, of_file: bool) -> Vec<String> {
        let told = label(value.as_bytes(), of_file).into_iter().map(|entity| match entity.value {
            ItemValue::Text(text) => format!("{}={text}", entity.name),
            _ => String::new(),
        });
        told.collect()
    }

    #[test]
    fn labels_are_split_into_parts() {
        assert_eq!(told("u:r:t\0", true), ["user=u", "role=r", "type=t"]);
        assert_eq!(
            told("u:r:t:s0-s15:c0.c1023\n", false),
            [
                "user=u",
                "role=r",
                "type=t",
                "low_sensitivity=s0",
                "high_sensitivity=s15",
                "high_category=c0.c1023"
            ]
        );
        assert_eq!(
            told("u:r:t:s0", true)[3..],
            ["low_sensitivity=s0".to_owned(), "rawlow_sensitivity=s0".to_owned()]
        );
        assert_eq!(told("", true), ["user="]);
    }

    #[test]
    fn booleans_have_two_states() {
        assert_eq!(statuses(b"1 0"), Some((true, false)));
        assert_eq!(statuses(b"1"), None);
        assert_eq!(statuses(b"x y"), None);
        assert_eq!(statuses(&[0xff]), None);
    }
}
