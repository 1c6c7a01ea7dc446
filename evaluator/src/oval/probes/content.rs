//! Probes that read files: `yamlfilecontent` and `textfilecontent54`.

use std::borrow::Cow;

use virtscap_scap::oval::results::{ItemField, ItemKind};
use virtscap_scap::oval::{Datatype, Entity, FileSpec, OvalResult};

use super::Findings;
use crate::oval::Session;
use crate::oval::compare::Comparator;
use crate::oval::variables::NoValues;
use crate::pattern::Pattern;
use crate::yamlfilecontent::{Field, Record, YamlPath, select};

impl<'a> Session<'a> {
    /// `ind:yamlfilecontent_object`: one item per file in which the path finds something.
    pub(super) fn yaml_file_content(
        &mut self,
        file: &FileSpec,
        yamlpath: &Entity,
    ) -> Result<Findings, NoValues> {
        let mut findings = Findings::default();
        let paths = self.equals_only(yamlpath, "yamlpath")?;
        for filepath in self.paths_of_content(file, &mut findings)? {
            let Some(content) = self.content(&filepath, &mut findings) else { continue };
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
    pub(super) fn text_file_content(
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
        for filepath in self.paths_of_content(file, &mut findings)? {
            let Some(content) = self.content(&filepath, &mut findings) else { continue };
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

    /// The paths of the files whose content an object wants. A directory has none.
    fn paths_of_content(
        &mut self,
        file: &FileSpec,
        findings: &mut Findings,
    ) -> Result<Vec<String>, NoValues> {
        if matches!(file, FileSpec::PathAndName { filename: None, .. }) {
            return Ok(Vec::new());
        }
        let named = self.named_files(file, findings)?;
        Ok(named.iter().map(super::files::Named::full_path).collect())
    }

    fn content(&self, filepath: &str, findings: &mut Findings) -> Option<Cow<'a, [u8]>> {
        findings.take(filepath, self.files.read(filepath))
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
