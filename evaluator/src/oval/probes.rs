//! The probes: what an object's description finds.

use virtscap_scap::oval::results::{CollectedObject, Flag, ItemField, ItemKind};
use virtscap_scap::oval::{Check, Datatype, Entity, EntityValue, FileSpec, Object, ObjectKind, Operation, OvalResult};

use super::Session;
use super::compare::Comparator;
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
            ObjectKind::Unsupported { name } => {
                return not_collected(format!("{}: objects of this form ({name}) are not supported", object.id));
            }
        };
        let findings = match findings {
            Ok(findings) => findings,
            Err(message) => return failed(message),
        };
        let flag = match (findings.error, findings.items.is_empty()) {
            (true, _) => Flag::Error,
            (false, true) => Flag::DoesNotExist,
            (false, false) => Flag::Complete,
        };
        let items = findings.items.into_iter().map(|item| self.add_item(item)).collect();
        CollectedObject { flag, messages: findings.messages, items }
    }

    /// `ind:yamlfilecontent_object`: one item per file in which the path finds something.
    fn yaml_file_content(&mut self, file: &FileSpec, yamlpath: &Entity) -> Result<Findings, String> {
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
    ) -> Result<Findings, String> {
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
    fn file_paths(&mut self, file: &FileSpec) -> Result<Vec<String>, String> {
        match file {
            FileSpec::FilePath(filepath) => self.equals_only(filepath, "filepath"),
            FileSpec::PathAndName { path, filename } => {
                let names = self.equals_only(filename, "filename")?;
                let folders = self.equals_only(path, "path")?;
                let join = |folder: &String, name: &String| format!("{}/{name}", folder.trim_end_matches('/'));
                Ok(folders.iter().flat_map(|folder| names.iter().map(|name| join(folder, name))).collect())
            }
        }
    }

    /// The values of an object's entity that has to be equal to one of them.
    fn equals_only(&mut self, entity: &Entity, what: &str) -> Result<Vec<String>, String> {
        let var_check = match &entity.value {
            EntityValue::Literal(_) => Check::AtLeastOne,
            EntityValue::Variable { var_check, .. } => *var_check,
        };
        let values = self.entity_values(&entity.value)?;
        // `all` of several different values can never be equal; of one it is the same as `at least one`.
        let one_of = match var_check {
            Check::AtLeastOne => true,
            Check::All => values.len() <= 1,
            Check::NoneSatisfy | Check::OnlyOne => false,
        };
        if entity.operation != Operation::Equals || !one_of {
            return Err(format!(
                "an object's {what} with operation '{}' and var_check '{var_check}' is not supported",
                entity.operation
            ));
        }
        Ok(values)
    }

    /// Reads a file; a missing one is no error, yet its reason is kept.
    fn read(&self, filepath: &str, findings: &mut Findings) -> Option<std::borrow::Cow<'a, [u8]>> {
        match self.files.read(filepath) {
            FileState::Found(content) => Some(content),
            FileState::Missing { reason } => {
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

fn item_fields(record: Record) -> Vec<ItemField> {
    let field = |field: Field| ItemField {
        name: field.name,
        datatype: Datatype::from_text(field.value.datatype()).unwrap_or(Datatype::String),
        value: field.value.as_text().into_owned(),
    };
    record.fields.into_iter().map(field).collect()
}
