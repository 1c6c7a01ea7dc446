//! `ind:environmentvariable` and `ind:environmentvariable58`: what processes have in their environment.

use virtscap_scap::oval::{ItemEntity, ObjectContent, TestType};

use super::Findings;
use super::process::numbers;
use crate::files::Lookup;
use crate::oval::Session;
use crate::oval::variables::NoValues;

impl<'a> Session<'a> {
    /// `ind:environmentvariable_object`: one item per variable of the scanner's own environment. Elsewhere than on the
    /// system that is running it means nothing, as with OpenSCAP.
    pub(super) fn environment_variable(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        if !self.only_where_running(content, findings) {
            return Ok(());
        }
        let wanted = self.wanted(content, "name")?;
        for (name, value) in std::env::vars_os() {
            let (name, value) = (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned());
            if wanted.is_match(&name)? {
                let entities = vec![ItemEntity::text("name", name), ItemEntity::text("value", value)];
                findings.item(TestType::EnvironmentVariable, entities);
            }
        }
        Ok(())
    }

    /// `ind:environmentvariable58_object`: one item per process and variable.
    ///
    /// A pid that is nil or 0 is the scanner's own, whatever the operation.
    pub(super) fn environment_variable_58(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let wanted = self.wanted(content, "name")?;
        let pids = content.entity("pid").map(|pid| self.matcher(pid)).transpose()?;
        let pids = pids.filter(|pids| pids.values().iter().all(|value| value.trim() != "0"));
        let own = std::process::id();
        let Some(processes) = findings.take("/proc", self.files.list("/proc")) else {
            if findings.messages.texts.is_empty() {
                findings.error("/proc: is not there, so nothing is known of processes".to_owned());
            }
            return Ok(());
        };
        findings.withhold(processes.withheld);
        let mut found = false;
        for pid in numbers(&processes.names) {
            let is_wanted = match &pids {
                Some(pids) => pids.is_match(&pid.to_string())?,
                None => pid == own,
            };
            if !is_wanted {
                continue;
            }
            let path = format!("/proc/{pid}/environ");
            let environment = match self.files.read(&path) {
                Lookup::Found(environment) => environment,
                Lookup::Missing { reason: Some(reason) } => {
                    findings.withhold(Some(reason));
                    continue;
                }
                Lookup::Missing { reason: None } => {
                    unreadable(pid, format!("{path}: is not there"), findings);
                    continue;
                }
                Lookup::Unreadable { reason } => {
                    unreadable(pid, format!("{path}: {reason}"), findings);
                    continue;
                }
            };
            for (name, value) in variables(&environment) {
                if wanted.is_match(&name)? {
                    found = true;
                    let entities = vec![
                        ItemEntity::int("pid", pid),
                        ItemEntity::text("name", name),
                        ItemEntity::text("value", value),
                    ];
                    findings.item(TestType::EnvironmentVariable58, entities);
                }
            }
        }
        if !found && findings.messages.texts.is_empty() {
            findings.messages.push("no such process has such a variable".to_owned());
        }
        Ok(())
    }
}

/// A process whose environment could not be had.
fn unreadable(pid: u32, problem: String, findings: &mut Findings) {
    findings.error(problem);
    findings.failed_item(TestType::EnvironmentVariable58, vec![ItemEntity::int("pid", pid)]);
}

/// The variables of an environment as the kernel shows it. What has no equals sign is none.
fn variables(environment: &[u8]) -> Vec<(String, String)> {
    let entries = environment.split(|byte| *byte == 0);
    let split = |entry: &[u8]| {
        let equals = entry.iter().position(|byte| *byte == b'=')?;
        Some((lossy(&entry[..equals]), lossy(&entry[equals + 1..])))
    };
    entries.filter_map(split).collect()
}

/// Bytes as text. What is no UTF-8 cannot be written to results; OpenSCAP writes documents then that are no XML.
fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_split() {
        let found = variables(b"X=1\0noeq\0\0Y=a=b\0Z=\xff\0=v\0E=end");
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("X", "1"), ("Y", "a=b"), ("Z", "\u{fffd}"), ("", "v"), ("E", "end")]);
        assert!(variables(b"").is_empty());
    }
}
