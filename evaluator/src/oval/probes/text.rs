//! `ind:textfilecontent54` and `ind:textfilecontent`: what regular expressions match in files.

use virtscap_scap::oval::{ItemEntity, ObjectContent, TestType};

use super::{Findings, file_entities, required};
use crate::oval::Session;
use crate::oval::behaviors::pattern_options;
use crate::oval::variables::NoValues;
use crate::pattern::{Options, Pattern};

impl<'a> Session<'a> {
    /// `ind:textfilecontent54_object`: one item per match.
    pub(super) fn text_file_content_54(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let (Some(pattern), Some(instance)) = (content.entity("pattern"), content.entity("instance")) else {
            return Err("the object lacks a pattern or an instance".to_owned().into());
        };
        let options = pattern_options(&content.behaviors)?;
        let patterns = self.entity_values(&pattern.value)?;
        let compiled = patterns.iter().map(|text| Pattern::with(text, options).map(|p| (text, p)));
        let compiled = compiled.collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
        let instance = self.matcher(instance)?;
        for filepath in self.files_to_read(content, findings)? {
            let Some(bytes) = self.content(&filepath, findings) else { continue };
            let Some(text) = text(&bytes, &filepath, findings) else { continue };
            for (pattern, compiled) in &compiled {
                let mut problem = None;
                let matches = compiled.matches(text, |number| {
                    instance.is_match(&number.to_string()).unwrap_or_else(|e| {
                        problem = Some(e);
                        false
                    })
                });
                if let Some(problem) = problem {
                    return Err(problem.into());
                }
                match matches {
                    Ok(matches) => {
                        for (number, text, groups) in matches {
                            let mut entities = file_entities(&filepath);
                            entities.push(ItemEntity::text("pattern", pattern.as_str()));
                            entities.push(ItemEntity::int("instance", number));
                            entities.push(ItemEntity::text("line", pattern.as_str()));
                            entities.push(ItemEntity::text("text", text));
                            entities.extend(groups.into_iter().map(|g| ItemEntity::text("subexpression", g)));
                            findings.item(TestType::TextFileContent54, entities);
                        }
                    }
                    Err(e) => findings.error(format!("{filepath}: {e}")),
                }
            }
        }
        Ok(())
    }

    /// `ind:textfilecontent_object`: one item per line that matches, of which the first match counts.
    pub(super) fn text_file_content(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let line = required(content, "line")?;
        let patterns = self.entity_values(&line.value)?;
        let compiled = patterns.iter().map(|text| Pattern::with(text, Options::default()));
        let compiled = compiled.collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
        for filepath in self.files_to_read(content, findings)? {
            let Some(bytes) = self.content(&filepath, findings) else { continue };
            let Some(text) = text(&bytes, &filepath, findings) else { continue };
            for line in text.lines() {
                for compiled in &compiled {
                    let groups = match compiled.first_match(line) {
                        Ok(Some(groups)) => groups,
                        Ok(None) => continue,
                        Err(e) => {
                            findings.error(format!("{filepath}: {e}"));
                            continue;
                        }
                    };
                    let mut groups = groups.into_iter();
                    let whole = groups.next().flatten().unwrap_or_default();
                    let mut entities = file_entities(&filepath);
                    entities.push(ItemEntity::text("line", whole.clone()));
                    entities.push(ItemEntity::text("text", whole));
                    entities.extend(groups.flatten().map(|group| ItemEntity::text("subexpression", group)));
                    findings.item(TestType::TextFileContent, entities);
                }
            }
        }
        Ok(())
    }

    /// The paths of the files whose content an object wants. Whether they are regular files is not known yet.
    pub(super) fn files_to_read(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<Vec<String>, NoValues> {
        let query = self.file_query(content)?;
        let mut paths = Vec::new();
        self.for_each_file(&query, findings, &mut |found, _, _| {
            // A directory has no content.
            if found.filename.is_some() {
                paths.push(found.full_path());
            }
            Ok(())
        })?;
        Ok(paths)
    }
}

/// The text of a file, up to a NUL, as C programs see it. What is no UTF-8 cannot be searched, as with OpenSCAP.
fn text<'b>(bytes: &'b [u8], filepath: &str, findings: &mut Findings) -> Option<&'b str> {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    match std::str::from_utf8(&bytes[..end]) {
        Ok(text) => Some(text),
        Err(e) => {
            findings.error(format!("{filepath}: is not UTF-8 at byte {}", e.valid_up_to()));
            None
        }
    }
}
