//! `unix:symlink`: where symbolic links lead.

use virtscap_scap::oval::{FileType, ItemEntity, ObjectContent, TestType, split_path};

use super::{Findings, required};
use crate::files::{Files, Lookup, join};
use crate::oval::Session;
use crate::oval::variables::NoValues;

/// How many links in a row are followed, as in Linux.
const MAX_LINKS: usize = 40;

impl<'a> Session<'a> {
    /// `unix:symlink_object`: one item per link.
    ///
    /// OpenSCAP takes the path for a plain one, whatever the operation. A link that leads nowhere is an error.
    pub(super) fn symlink(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let filepath = required(content, "filepath")?;
        for path in self.entity_values(&filepath.value)? {
            self.link(&path, findings);
        }
        Ok(())
    }

    fn link(&self, path: &str, findings: &mut Findings) {
        // A slash at the end leads on to what the link leads to, which is none.
        let look = if path.ends_with('/') {
            self.files.directory(path).map(|_| FileType::Directory)
        } else {
            self.files.metadata(path).map(|metadata| metadata.file_type)
        };
        match look {
            Lookup::Found(FileType::Link) => {}
            Lookup::Found(_) => return findings.messages.push(format!("{path}: is no symbolic link")),
            Lookup::Missing { reason: None } => {
                return match obstacle(self.files, path) {
                    Some(obstacle) => findings.error(obstacle),
                    None => findings.messages.push(format!("{path}: is not there")),
                };
            }
            other => {
                findings.take(path, other);
                return;
            }
        }
        match canonical(self.files, path) {
            Ok(Lookup::Found(target)) => {
                let entities =
                    vec![ItemEntity::text("filepath", path), ItemEntity::text("canonical_path", target)];
                findings.item(TestType::Symlink, entities);
            }
            Ok(Lookup::Missing { reason: None }) => findings.error(format!("{path}: leads nowhere")),
            Ok(other) => {
                findings.take(path, other);
            }
            Err(problem) => findings.error(problem),
        }
    }
}

/// The path without links of what a path leads to; an error where links lead in a circle.
fn canonical(files: &dyn Files, path: &str) -> Result<Lookup<String>, String> {
    let mut at = path.to_owned();
    for _ in 0..=MAX_LINKS {
        match files.directory(&at) {
            Lookup::Missing { reason: None } => {}
            directory => return Ok(directory),
        }
        let (folder, name) = split_path(&at);
        let folder = match files.directory(folder) {
            Lookup::Found(folder) => folder,
            other => return Ok(other),
        };
        let here = join(&folder, name);
        let metadata = match files.metadata(&here) {
            Lookup::Found(metadata) => metadata,
            other => return Ok(other.map(|_| here)),
        };
        match metadata.target {
            Some(target) if target.starts_with('/') => at = target,
            Some(target) => at = join(&folder, &target),
            None => return Ok(Lookup::Found(here)),
        }
    }
    Err(format!("{path}: is a circular link"))
}

/// The path without links of what a path leads to; none where there is nothing, or it cannot be told.
pub(super) fn leads_to(files: &dyn Files, path: &str) -> Option<String> {
    match canonical(files, path) {
        Ok(Lookup::Found(found)) => Some(found),
        _ => None,
    }
}

/// What is in the way to what is not there: something that is no directory, or links in a circle.
fn obstacle(files: &dyn Files, path: &str) -> Option<String> {
    let mut folder = split_path(path.trim_end_matches('/')).0;
    while folder != "/" {
        match files.metadata(folder) {
            Lookup::Missing { .. } => folder = split_path(folder).0,
            Lookup::Unreadable { .. } => return None,
            Lookup::Found(_) => {
                return match canonical(files, folder) {
                    Err(problem) => Some(problem),
                    Ok(Lookup::Found(found)) => match files.directory(&found) {
                        Lookup::Missing { reason: None } => Some(format!("{folder}: is no directory")),
                        _ => None,
                    },
                    Ok(_) => None,
                };
            }
        }
    }
    None
}
