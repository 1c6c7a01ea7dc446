//! The probes: what an object's description finds.

use std::collections::HashSet;

use virtscap_scap::oval::results::{CollectedObject, Flag, ItemField, ItemKind};
use virtscap_scap::oval::{
    Check, Datatype, Entity, EntityValue, FileSpec, Object, ObjectKind, Operation, OvalResult,
};

use super::Session;
use super::compare::Comparator;
use super::variables::NoValues;
use crate::dump::FileState;
use crate::pattern::Pattern;
use crate::yamlfilecontent::{Field, Record, YamlPath, select};

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
            ObjectKind::Family | ObjectKind::File { .. } | ObjectKind::Union { .. } => {
                return not_collected(format!("{}: objects of this form are not supported", object.id));
            }
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

    /// `ind:yamlfilecontent_object`: one item per file in which the path finds something.
    fn yaml_file_content(&mut self, file: &FileSpec, yamlpath: &Entity) -> Result<Findings, NoValues> {
        let mut findings = Findings::default();
        let paths = self.equals_only(yamlpath, "yamlpath")?;
        for filepath in self.file_paths(file)? {
            let Some(content) = self.read(&filepath, &mut findings) else { continue };
            for text in &paths {
                let path = match YamlPath::parse(text) {
                    Ok(path) => path,
                    Err(e) => {
                        findings.error(e.to_string());
                        continue;
                    }
                };
                match select(&content, &path) {
                    Ok(records) if records.is_empty() => {}
                    Ok(records) => findings.items.push(ItemKind::YamlFileContent {
                        filepath: filepath.clone(),
                        yamlpath: text.clone(),
                        records: records.into_iter().map(item_fields).collect(),
                    }),
                    Err(e) => findings.error(format!("{filepath}: {e}")),
                }
            }
        }
        Ok(findings)
    }

    /// `ind:textfilecontent54_object`: one item per match.
    fn text_file_content(
        &mut self,
        file: &FileSpec,
        pattern: &Entity,
        instance: &Entity,
    ) -> Result<Findings, NoValues> {
        let mut findings = Findings::default();
        let patterns = self.entity_values(&pattern.value)?;
        let instances = self.entity_values(&instance.value)?;
        let instances = instances
            .iter()
            .map(|value| Comparator::new(instance.operation, Datatype::Int, value))
            .collect::<Result<Vec<_>, _>>()?;
        for filepath in self.file_paths(file)? {
            let Some(content) = self.read(&filepath, &mut findings) else { continue };
            let content = String::from_utf8_lossy(&content);
            for pattern in &patterns {
                let compiled = Pattern::new(pattern, true).map_err(|e| e.to_string())?;
                let matches = compiled.matches(&content).map_err(|e| e.to_string())?;
                for (number, groups) in (1_u64..).zip(matches) {
                    let wanted = instances
                        .iter()
                        .map(|instance| instance.compare(&number.to_string()))
                        .collect::<Result<Vec<_>, _>>()?;
                    if !wanted.contains(&OvalResult::True) {
                        continue;
                    }
                    let mut groups = groups.into_iter();
                    findings.items.push(ItemKind::TextFileContent {
                        filepath: filepath.clone(),
                        pattern: pattern.clone(),
                        instance: number,
                        text: groups.next().unwrap_or_default(),
                        subexpressions: groups.collect(),
                    });
                }
            }
        }
        Ok(findings)
    }

    /// The files that an object names.
    fn file_paths(&mut self, file: &FileSpec) -> Result<Vec<String>, NoValues> {
        let paths = match file {
            FileSpec::FilePath(filepath) => self.equals_only(filepath, "filepath")?,
            FileSpec::PathAndName { path, filename } => {
                let Some(filename) = filename else {
                    return Err(NoValues::from("a directory has no content".to_owned()));
                };
                let names = self.equals_only(filename, "filename")?;
                let folders = self.equals_only(path, "path")?;
                let join =
                    |folder: &String, name: &String| format!("{}/{name}", folder.trim_end_matches('/'));
                folders.iter().flat_map(|folder| names.iter().map(|name| join(folder, name))).collect()
            }
        };
        paths.iter().map(|path| plain_path(path).map_err(NoValues::from)).collect()
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

    /// Reads a file; a missing one is no error, yet its reason is kept.
    fn read(&self, filepath: &str, findings: &mut Findings) -> Option<std::borrow::Cow<'a, [u8]>> {
        match self.files.read(filepath) {
            FileState::Found(content) => Some(content),
            FileState::Missing { reason } => {
                // Where the reason is known, the file is missing because its data could not be had, not because there
                // is none: a test that is content with nothing must not be true of that.
                findings.withheld |= reason.is_some();
                findings.messages.extend(reason);
                None
            }
            FileState::Unreadable { reason } => {
                findings.error(format!("{filepath}: {reason}"));
                None
            }
        }
    }
}

/// The path as dumps have it: without empty parts. What `..` means depends on links, which a dump does not have.
fn plain_path(path: &str) -> Result<String, String> {
    if path.split('/').any(|part| part == "..") {
        return Err(format!("the path '{path}' with '..' is not supported"));
    }
    if !path.starts_with('/') {
        return Ok(path.to_owned());
    }
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    Ok(parts.fold(String::new(), |path, part| format!("{path}/{part}")))
}

fn item_fields(record: Record) -> Vec<ItemField> {
    let field = |field: Field| ItemField {
        name: field.name,
        datatype: Datatype::from_text(field.value.datatype()).unwrap_or(Datatype::String),
        value: field.value.as_text().into_owned(),
    };
    record.fields.into_iter().map(field).collect()
}
