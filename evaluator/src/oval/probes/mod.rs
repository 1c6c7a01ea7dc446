//! The probes: what an object's description finds.

mod content;
mod files;
mod prefix;
mod union;

pub(super) use union::object_element;

use std::collections::HashSet;

use virtscap_scap::oval::results::{CollectedObject, Flag, ItemKind};
use virtscap_scap::oval::{Check, Entity, EntityValue, FileSpec, Object, ObjectKind, Operation};

use super::Session;
use super::variables::NoValues;
use crate::files::Lookup;

/// A collection that went wrong.
pub(super) fn failed(message: String) -> CollectedObject {
    CollectedObject { flag: Flag::Error, messages: vec![message], items: Vec::new() }
}

/// A collection that nobody can do.
fn not_collected(message: String) -> CollectedObject {
    CollectedObject { flag: Flag::NotCollected, messages: vec![message], items: Vec::new() }
}

/// What a probe found so far.
#[derive(Default)]
struct Findings {
    items: Vec<ItemKind>,
    messages: Vec<String>,
    error: bool,
    /// Whether a file is missing because its data could not be had.
    withheld: bool,
}

impl Findings {
    fn error(&mut self, message: String) {
        self.error = true;
        self.messages.push(message);
    }

    /// Notes why something is missing, where that is known: its data could not be had, which is not the same as that
    /// there is none. A test that is content with nothing must not be true of that.
    fn withhold(&mut self, reason: Option<String>) {
        self.withheld |= reason.is_some();
        if let Some(reason) = reason.filter(|reason| !self.messages.contains(reason)) {
            self.messages.push(reason);
        }
    }

    /// What was found; what went wrong is noted. A file that is missing is no error.
    fn take<T>(&mut self, path: &str, lookup: Lookup<T>) -> Option<T> {
        match lookup {
            Lookup::Found(found) => return Some(found),
            Lookup::Missing { reason } => self.withhold(reason),
            Lookup::Unreadable { reason } => self.error(format!("{path}: {reason}")),
        }
        None
    }
}

impl<'a> Session<'a> {
    pub(super) fn collect(&mut self, object: &'a Object) -> CollectedObject {
        let findings = match &object.kind {
            ObjectKind::YamlFileContent { file, yamlpath } => self.yaml_file_content(file, yamlpath),
            ObjectKind::TextFileContent54 { file, pattern, instance } => {
                self.text_file_content(file, pattern, instance)
            }
            ObjectKind::Variable { var_ref } => self.variable(var_ref).map(|values| {
                let mut findings = Findings::default();
                if !values.is_empty() {
                    findings.items.push(ItemKind::Variable { var_ref: var_ref.clone(), values });
                }
                findings
            }),
            // Nodes run Linux, and so do the scanners that read dumps.
            ObjectKind::Family => {
                let family = ItemKind::Family { family: "unix".to_owned() };
                Ok(Findings { items: vec![family], ..Findings::default() })
            }
            ObjectKind::File { file } => self.file(file),
            ObjectKind::Union { element, objects } => return self.union(*element, objects),
            ObjectKind::Unsupported { name } => {
                return not_collected(format!(
                    "{}: objects of this form ({name}) are not supported",
                    object.id
                ));
            }
        };
        let findings = match findings {
            Ok(findings) => findings,
            Err(none) => {
                return CollectedObject { flag: none.flag, messages: vec![none.reason], items: Vec::new() };
            }
        };
        let flag = match (findings.error, findings.withheld, findings.items.is_empty()) {
            (true, _, _) => Flag::Error,
            (false, true, true) => Flag::NotCollected,
            (false, true, false) => Flag::Incomplete,
            (false, false, true) => Flag::DoesNotExist,
            (false, false, false) => Flag::Complete,
        };
        let items = findings.items.into_iter().map(|item| self.add_item(item)).collect();
        CollectedObject { flag, messages: findings.messages, items }
    }

    /// `unix:file_object`: one item per file.
    fn file(&mut self, file: &FileSpec) -> Result<Findings, NoValues> {
        let mut findings = Findings::default();
        for named in self.named_files(file, &mut findings)? {
            let item = self.file_item(&named, &mut findings);
            findings.items.extend(item.map(ItemKind::File));
        }
        Ok(findings)
    }

    /// The values of an object's entity that has to be equal to one of them.
    fn equals_only(&mut self, entity: &Entity, what: &str) -> Result<Vec<String>, NoValues> {
        let var_check = match &entity.value {
            EntityValue::Literal(_) => Check::AtLeastOne,
            EntityValue::Variable { var_check, .. } => *var_check,
        };
        let mut values = self.entity_values(&entity.value)?;
        if entity.operation != Operation::Equals || !matches!(var_check, Check::AtLeastOne | Check::All) {
            let operation = entity.operation;
            return Err(format!(
                "an object's {what} with operation '{operation}' and var_check '{var_check}' is not supported"
            )
            .into());
        }
        let mut known = HashSet::new();
        values.retain(|value| known.insert(value.clone()));
        // Nothing is equal to all of several different values.
        if var_check == Check::All && values.len() > 1 {
            values.clear();
        }
        Ok(values)
    }
}
