//! `ind:yamlfilecontent`: what YAML paths select in files.

use std::collections::HashMap;

use virtscap_scap::oval::{
    Datatype, Entity, EntityValue, ItemEntity, ItemField, ObjectContent, ObjectKind, TestType,
};

use super::{Findings, file_entities, required};
use crate::oval::Session;
use crate::oval::variables::NoValues;
use crate::yamlfilecontent::{Field, Record, YamlError, YamlPath, select_each};

/// What paths selected in files, for objects that will ask for it.
///
/// Many objects read one dump. The first that does has it parsed for all that name the same file.
#[derive(Default)]
pub(in crate::oval) struct Selected {
    by_file_and_path: HashMap<(String, String), Result<Vec<Record>, YamlError>>,
}

impl<'a> Session<'a> {
    /// `ind:yamlfilecontent_object`: one item per file in which the path finds something.
    pub(super) fn yaml_file_content(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let yamlpath = required(content, "yamlpath")?;
        let wanted = self.matcher(yamlpath)?;
        let Some(paths) = wanted.exactly() else {
            let operation = yamlpath.operation;
            let text =
                format!("a yamlpath with operation '{operation}' and such a var_check is not supported");
            return Err(text.into());
        };
        for filepath in self.files_to_read(content, findings)? {
            for path in &paths {
                let Some(selected) = self.selected(content, &filepath, path, findings) else { continue };
                match selected {
                    Ok(records) if records.is_empty() => {}
                    Ok(records) => {
                        let mut entities = file_entities(&filepath);
                        entities.push(ItemEntity::text("yamlpath", *path));
                        let records = records.into_iter();
                        entities
                            .extend(records.map(|record| ItemEntity::record("value", item_fields(record))));
                        findings.item(TestType::YamlFileContent, entities);
                    }
                    Err(e) => findings.error(format!("{filepath}: {e}")),
                }
            }
        }
        Ok(())
    }

    /// What a path selects in a file; none where the file cannot be had, or the path is none.
    fn selected(
        &mut self,
        content: &ObjectContent,
        filepath: &str,
        path: &str,
        findings: &mut Findings,
    ) -> Option<Result<Vec<Record>, YamlError>> {
        let key = (filepath.to_owned(), path.to_owned());
        if let Some(known) = self.selected.by_file_and_path.remove(&key) {
            return Some(known);
        }
        let bytes = findings.take(filepath, self.files.read(filepath))?;
        if let Err(e) = YamlPath::parse(path) {
            findings.error(e.to_string());
            return None;
        }
        let mut texts = vec![path.to_owned()];
        for other in self.paths_for_same_files(content) {
            if !texts.contains(&other) {
                texts.push(other);
            }
        }
        let parsed: Vec<_> =
            texts.iter().filter_map(|text| YamlPath::parse(text).ok().map(|path| (text, path))).collect();
        let (texts, paths): (Vec<_>, Vec<_>) = parsed.into_iter().unzip();
        let selected = select_each(&bytes, &paths);
        for (text, selected) in texts.into_iter().zip(selected) {
            self.selected.by_file_and_path.insert((filepath.to_owned(), text.clone()), selected);
        }
        self.selected.by_file_and_path.remove(&key)
    }

    /// The paths that objects which name the same files, and were not collected yet, will ask for.
    fn paths_for_same_files(&self, content: &ObjectContent) -> Vec<String> {
        fn files(content: &ObjectContent) -> Vec<&(&'static str, Option<Entity>)> {
            content.entities.iter().filter(|(name, _)| *name != "yamlpath").collect()
        }
        let own = files(content);
        let mut paths = Vec::new();
        for (id, object) in &self.objects {
            if let ObjectKind::Content(other) = &object.kind
                && other.test_type == TestType::YamlFileContent
                && !self.results.objects.contains_key(id)
                && files(other) == own
                && let Some(EntityValue::Literal(path)) = other.entity("yamlpath").map(|entity| &entity.value)
            {
                paths.push(path.clone());
            }
        }
        paths.sort();
        paths
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
