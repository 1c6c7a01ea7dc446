//! Reading and checking of rules.

use std::path::Path;

use serde_yaml::Spanned;
use virtscap_scap::xccdf::Severity;

use super::source::place;
use super::text::is_number;
use super::{Loader, cases::Reads};
use crate::diagnostic::Diagnostic;
use crate::file::{LegFile, PartFile, RuleFile, Text};
use crate::model::{Judgement, Leg, Part, Resource, Rule};

impl Loader {
    /// Reads a rule and its cases; `chapter` is its section's number, if that could be read.
    pub(super) fn rule(&mut self, folder: &Path, chapter: Option<&str>) -> Option<Rule> {
        let path = &folder.join("rule.yaml");
        let entries = self.entries(folder);
        self.nothing_else(&entries, &["rule.yaml", "cases.yaml"]);
        let file: Option<RuleFile> = self.read(path);
        let legs = file.as_ref().map_or(&[][..], |file| &file.check.value);
        let resources: Vec<_> =
            legs.iter().map(|leg| self.resource(path, &leg.each.api, &leg.each.resource)).collect();
        let reads = self.reads(legs, &resources);
        let cases = self.cases(&folder.join("cases.yaml"), &reads);
        let Some(file) = &file else {
            self.incomplete = true;
            return None;
        };
        let id = self.object_name(path, &file.id);
        if folder.file_name().and_then(|name| name.to_str()) != Some(&id) {
            let help = "rename the folder, or write its name here";
            self.wrong_help(
                path,
                &file.id,
                format!("the rule '{id}' has to be in a folder of this name"),
                help,
            );
        } else {
            self.only_one("rule", path, &file.id);
        }
        if legs.is_empty() {
            let message = "the rule checks nothing; give it at least one leg, '- each: …'";
            self.error(Diagnostic::at(path, place(file.check.referenced), message));
            self.incomplete = true;
        }
        let check =
            legs.iter().zip(resources).filter_map(|(leg, resource)| self.leg(path, leg, resource)).collect();
        let rule = Rule {
            id,
            section: self.section_number(path, &file.section, chapter),
            level: self.level(path, &file.level),
            severity: self.severity(path, &file.severity),
            title: self.title(path, &file.title),
            description: self.markup(path, &file.description),
            rationale: self.markup(path, &file.rationale),
            impact: self.markup(path, &file.impact),
            audit: self.audit(path, &file.audit),
            remediation: self.markup(path, &file.remediation),
            default_value: self.markup(path, &file.default_value),
            nist_800_53: self.controls(path, &file.nist_800_53),
            check,
            cases,
        };
        Some(rule)
    }

    /// What the legs read. Where one is wrong nothing is known, so that the cases are not blamed for it.
    fn reads(&self, legs: &[LegFile], resources: &[Option<Resource>]) -> Reads {
        let resources = resources.iter().zip(legs);
        let resources = resources.map(|(resource, leg)| Some((resource.clone()?, leg.each.required)));
        let approved: Vec<_> = legs.iter().filter_map(|leg| leg.approved.as_ref()).collect();
        let known = |id: &str| self.values.iter().flatten().any(|value| value.id == id);
        let values = approved.iter().map(|id| known(&id.value).then(|| id.value.clone()));
        Reads {
            resources: resources.collect::<Option<_>>().filter(|_| !legs.is_empty()),
            values: values.collect::<Option<_>>().filter(|_| !legs.is_empty()),
        }
    }

    fn section_number(&mut self, path: &Path, text: &Text, chapter: Option<&str>) -> String {
        let section = self.line(path, text);
        match (section.split_once('.'), chapter) {
            (Some((first, second)), _) if !is_number(first) || !is_number(second) => {
                self.no_section(path, text)
            }
            (None, _) => self.no_section(path, text),
            (Some((first, _)), Some(chapter)) if first != chapter => {
                let message = format!("the rule's section {section} does not belong to section {chapter}");
                let help =
                    format!("write \"{chapter}.NUMBER\", or move the rule to the folder of section {first}");
                self.wrong_help(path, text, message, help);
            }
            _ => self.only_one("section", path, text),
        }
        section
    }

    fn no_section(&mut self, path: &Path, text: &Text) {
        let message = format!("'{}' is no section of a rule; write it as \"1.2\", in quotes", text.value);
        self.wrong(path, text, message);
    }

    fn level(&mut self, path: &Path, level: &Spanned<u8>) -> u8 {
        if !matches!(level.value, 1 | 2) {
            self.incomplete = true;
            let message = format!("there is no level {}; write 1 or 2", level.value);
            self.error(Diagnostic::at(path, place(level.referenced), message));
        }
        self.used_levels.push(level.value);
        level.value
    }

    fn severity(&mut self, path: &Path, text: &Text) -> Severity {
        let severity = Severity::from_text(&text.value);
        severity.filter(|s| matches!(s, Severity::Low | Severity::Medium | Severity::High)).unwrap_or_else(
            || {
                self.wrong(path, text, format!("'{}' is no severity; write low, medium or high", text.value));
                Severity::Unknown
            },
        )
    }

    /// The audit is shown as plain text, yet it has to be what the other texts may be.
    fn audit(&mut self, path: &Path, text: &Text) -> String {
        self.markup(path, text);
        text.value.trim_end().to_owned()
    }

    fn controls(&mut self, path: &Path, texts: &[Text]) -> Vec<String> {
        let form = regex::Regex::new(r"^[A-Z]{2}-[1-9][0-9]*(\([1-9][0-9]*\))?$").ok();
        let mut controls = Vec::new();
        for text in texts {
            let control = self.line(path, text);
            if !form.as_ref().is_some_and(|form| form.is_match(&control)) {
                let message =
                    format!("'{control}' is no control of NIST SP 800-53; write it as AC-6 or AC-6(1)");
                self.wrong(path, text, message);
            } else if controls.contains(&control) {
                self.wrong(path, text, format!("the control {control} is there twice"));
            }
            controls.push(control);
        }
        controls
    }

    fn leg(&mut self, path: &Path, file: &LegFile, resource: Option<Resource>) -> Option<Leg> {
        if let Some(approved) = &file.approved {
            self.approved(path, approved, file.parts.is_some());
        }
        let variable = self.variable(path, &file.each.variable)?;
        let judgement = self.judgement(path, file, &variable);
        Some(Leg {
            resource: resource?,
            variable,
            required: file.each.required,
            judgement: judgement?,
            approved: file.approved.as_ref().map(|approved| approved.value.clone()),
        })
    }

    fn approved(&mut self, path: &Path, approved: &Text, parts: bool) {
        let id = &approved.value;
        self.used_values.push(id.clone());
        let ids: Option<Vec<_>> = self.values.as_ref().map(|all| all.iter().map(|v| v.id.clone()).collect());
        if let Some(ids) = ids.filter(|ids| !ids.contains(id)) {
            let help = match ids.is_empty() {
                true => "values.yaml has none".to_owned(),
                false => format!("values.yaml has {}", ids.join(", ")),
            };
            self.wrong_help(path, approved, format!("there is no value '{id}'"), help);
            self.incomplete = true;
        }
        if !parts {
            self.wrong(path, approved, "'approved' goes with 'parts' that have a 'key'");
        }
    }

    fn judgement(&mut self, path: &Path, file: &LegFile, variable: &str) -> Option<Judgement> {
        match (&file.offends, &file.detail, &file.parts) {
            (Some(offends), Some(detail), None) => {
                let offends = self.expression(path, offends, &[variable]);
                let detail = self.detail(path, detail, &[variable]);
                Some(Judgement::Whole { offends: offends?, detail: detail? })
            }
            (None, None, Some(parts)) if parts.value.is_empty() => {
                let message = "'parts' is empty, so that nothing could offend";
                self.error(Diagnostic::at(path, place(parts.referenced), message));
                None
            }
            (None, None, Some(parts)) => {
                let with_key = file.approved.is_some();
                let parts: Vec<_> =
                    parts.value.iter().map(|part| self.part(path, part, variable, with_key)).collect();
                Some(Judgement::Parts(parts.into_iter().collect::<Option<_>>()?))
            }
            (Some(offends), _, Some(_)) => {
                self.wrong(path, offends, "a leg has either 'offends' with 'detail', or 'parts', not both");
                None
            }
            (None, Some(detail), Some(_)) => {
                self.wrong(path, detail, "beside 'parts' there is no 'detail'; each part has its own");
                None
            }
            (Some(offends), None, None) => {
                let message =
                    "'offends' needs a 'detail' beside it: what to say about an object that offends";
                self.wrong(path, offends, message);
                None
            }
            (None, Some(detail), None) => {
                self.wrong(path, detail, "'detail' needs an 'offends' beside it: when an object offends");
                None
            }
            (None, None, None) => {
                let message =
                    "the leg does not say what offends; give it 'offends' with 'detail', or 'parts'";
                self.wrong(path, &file.each.api, message);
                None
            }
        }
    }

    fn part(&mut self, path: &Path, file: &PartFile, object: &str, with_key: bool) -> Option<Part> {
        match (&file.key, with_key) {
            (None, true) => {
                let message =
                    "a part of a leg with 'approved' needs a 'key', the text that the value may approve";
                self.wrong(path, &file.list, message);
            }
            (Some(key), false) => self.wrong(path, key, "a 'key' goes with 'approved' on the leg"),
            _ => {}
        }
        let list = self.expression(path, &file.list, &[object]);
        let variable = self.variable(path, &file.variable)?;
        if variable == object {
            let message = format!("'{variable}' already means the object; give the part another name");
            self.wrong(path, &file.variable, message);
        }
        let variables = [object, variable.as_str()];
        let condition = file.condition.as_ref().map(|text| self.expression(path, text, &variables));
        let key = file.key.as_ref().map(|text| self.detail(path, text, &variables));
        let detail = self.detail(path, &file.detail, &variables);
        Some(Part {
            list: list?,
            condition: condition.map_or(Some(None), |c| c.map(Some))?,
            detail: detail?,
            key: key.map_or(Some(None), |k| k.map(Some))?,
            variable,
        })
    }
}
