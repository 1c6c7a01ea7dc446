//! `ind:xmlfilecontent`: what XPath expressions select in files.

use virtscap_scap::oval::{ItemEntity, ObjectContent, TestType};

use super::{Findings, file_entities, required};
use crate::files::Lookup;
use crate::oval::Session;
use crate::oval::variables::NoValues;
use crate::xmlfilecontent::{Selected, Tree};

impl<'a> Session<'a> {
    /// `ind:xmlfilecontent_object`: one item per file in which the expression selects something.
    ///
    /// OpenSCAP takes the expression as it is, whatever the operation. Of nodes only texts and attributes have values.
    pub(super) fn xml_file_content(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let xpath = required(content, "xpath")?;
        let expressions = self.entity_values(&xpath.value)?;
        for filepath in self.files_to_read(content, findings)? {
            let bytes = match self.files.read(&filepath) {
                Lookup::Missing { reason: None } if self.leads_nowhere(&filepath) => {
                    findings.error(format!("{filepath}: leads nowhere"));
                    continue;
                }
                found => match findings.take(&filepath, found) {
                    Some(bytes) => bytes,
                    None => continue,
                },
            };
            let tree = match Tree::read(&bytes) {
                Ok(tree) => tree,
                Err(problem) => {
                    findings.error(format!("{filepath}: {problem}"));
                    continue;
                }
            };
            for expression in &expressions {
                let value = |value: String| ItemEntity::text("value_of", value);
                let values = match tree.select(expression) {
                    Ok(Selected::Nothing) => continue,
                    Ok(Selected::Texts(texts)) => texts.into_iter().map(value).collect(),
                    Ok(Selected::Text(text)) => vec![value(text)],
                    Ok(Selected::Number(number)) => vec![ItemEntity::int("value_of", number)],
                    Ok(Selected::Boolean(boolean)) => vec![ItemEntity::boolean("value_of", boolean)],
                    Err(problem) => {
                        findings.error(format!("{filepath}: {problem}"));
                        continue;
                    }
                };
                let mut entities = file_entities(&filepath);
                entities.push(ItemEntity::text("xpath", expression));
                entities.extend(values);
                findings.item(TestType::XmlFileContent, entities);
            }
        }
        Ok(())
    }
}
