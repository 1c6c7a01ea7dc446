//! Reading and checking of rules.

use std::path::Path;

use virtscap_scap::xccdf::Severity;

use super::{Loader, place};
use crate::diagnostic::Diagnostic;
use crate::expr::{self, Expr};
use crate::file::{LegFile, PartFile, RuleFile, Text};
use crate::model::{Judgement, Leg, Part, Resource, Rule, Value};

impl Loader {
    pub(super) fn rule(&mut self, folder: &Path, values: &[Value]) -> Option<Rule> {
        let path = &folder.join("rule.yaml");
        let file: Option<RuleFile> = self.read(path);
        let cases = self.cases(&folder.join("cases.yaml"), values);
        let file = file?;
        let id = self.name(path, &file.id);
        if folder.file_name().and_then(|name| name.to_str()) != Some(&id) {
            let message = format!("the rule '{id}' has to be in a folder of this name");
            self.error(Diagnostic::at(path, place(file.id.referenced), message));
        }
        if file.check.is_empty() {
            self.error(Diagnostic::of_file(path, "the rule has no check; give it at least one leg"));
        }
        let check = file.check.iter().filter_map(|leg| self.leg(path, leg, values)).collect();
        let rule = Rule {
            id,
            section: self.section_number(path, &file.section),
            level: file.level.value,
            severity: self.severity(path, &file.severity),
            title: self.line(path, &file.title),
            description: self.markup(path, &file.description),
            rationale: self.markup(path, &file.rationale),
            impact: self.markup(path, &file.impact),
            audit: self.audit(path, &file.audit),
            remediation: self.markup(path, &file.remediation),
            default_value: self.markup(path, &file.default_value),
            nist_800_53: file.nist_800_53.iter().map(|control| self.control(path, control)).collect(),
            check,
            cases,
        };
        if !matches!(rule.level, 1 | 2) {
            let message = format!("there is no level {}; write 1 or 2", rule.level);
            self.error(Diagnostic::at(path, place(file.level.referenced), message));
        }
        self.cover(&folder.join("cases.yaml"), &rule);
        Some(rule)
    }

    fn section_number(&mut self, path: &Path, text: &Text) -> String {
        let section = self.line(path, text);
        let parts = section.split('.');
        if section.matches('.').count() != 1 || !parts.into_iter().all(|p| p.parse::<u32>().is_ok()) {
            let message = format!("'{section}' is no section; write it as \"1.2\", in quotes");
            self.error(Diagnostic::at(path, place(text.referenced), message));
        }
        section
    }

    fn severity(&mut self, path: &Path, text: &Text) -> Severity {
        let severity = Severity::from_text(&text.value);
        severity.filter(|s| matches!(s, Severity::Low | Severity::Medium | Severity::High)).unwrap_or_else(|| {
            let message = format!("'{}' is no severity; write low, medium or high", text.value);
            self.error(Diagnostic::at(path, place(text.referenced), message));
            Severity::Unknown
        })
    }

    /// The audit is shown as plain text, yet it has to be what the other texts may be.
    fn audit(&mut self, path: &Path, text: &Text) -> String {
        self.markup(path, text);
        text.value.trim_end().to_owned()
    }

    fn control(&mut self, path: &Path, text: &Text) -> String {
        let control = self.line(path, text);
        let form = regex::Regex::new(r"^[A-Z]{2}-[0-9]+(\([0-9]+\))*$");
        if !form.is_ok_and(|form| form.is_match(&control)) {
            let message = format!("'{control}' is no control of NIST SP 800-53; write it as AC-6 or AC-6(1)");
            self.error(Diagnostic::at(path, place(text.referenced), message));
        }
        control
    }

    fn leg(&mut self, path: &Path, file: &LegFile, values: &[Value]) -> Option<Leg> {
        let variable = self.line(path, &file.each.variable);
        let judgement = match (&file.offends, &file.detail, &file.parts) {
            (Some(offends), Some(detail), None) => {
                let offends = self.expression(path, offends, &[&variable]);
                let detail = self.detail(path, detail, &[&variable]);
                Some(Judgement::Whole { offends: offends?, detail: detail? })
            }
            (None, None, Some(parts)) => {
                let with_key = file.approved.is_some();
                let parts: Vec<_> = parts.iter().map(|p| self.part(path, p, &variable, with_key)).collect();
                Some(Judgement::Parts(parts.into_iter().collect::<Option<_>>()?))
            }
            _ => {
                let message = "a leg has either 'offends' and 'detail', or 'parts'";
                self.error(Diagnostic::at(path, place(file.each.api.referenced), message));
                None
            }
        };
        if let Some(approved) = &file.approved {
            if !values.iter().any(|value| value.id == approved.value) {
                let names: Vec<_> = values.iter().map(|value| value.id.as_str()).collect();
                let message = format!("there is no value '{}'", approved.value);
                let help = format!("values.yaml has {}", names.join(", "));
                self.error(Diagnostic::at(path, place(approved.referenced), message).help(help));
            }
            if file.parts.is_none() {
                let message = "'approved' goes with 'parts' that have a 'key'";
                self.error(Diagnostic::at(path, place(approved.referenced), message));
            }
        }
        Some(Leg {
            resource: Resource {
                api: self.api(path, &file.each.api),
                resource: self.line(path, &file.each.resource),
            },
            variable,
            required: file.each.required,
            judgement: judgement?,
            approved: file.approved.as_ref().map(|approved| approved.value.clone()),
        })
    }

    fn part(&mut self, path: &Path, file: &PartFile, object: &str, with_key: bool) -> Option<Part> {
        let variable = self.line(path, &file.variable);
        if variable == object {
            let message = format!("'{variable}' already means the object; give the part another name");
            self.error(Diagnostic::at(path, place(file.variable.referenced), message));
        }
        match (&file.key, with_key) {
            (None, true) => {
                let message = "a part of a leg with 'approved' needs a 'key', the text that the value may approve";
                self.error(Diagnostic::at(path, place(file.list.referenced), message));
            }
            (Some(key), false) => {
                let message = "a 'key' goes with 'approved' on the leg";
                self.error(Diagnostic::at(path, place(key.referenced), message));
            }
            _ => {}
        }
        let variables = [object, variable.as_str()];
        let list = self.expression(path, &file.list, &[object]);
        let condition = file.condition.as_ref().map(|text| self.expression(path, text, &variables));
        let detail = self.detail(path, &file.detail, &variables);
        let key = file.key.as_ref().map(|text| self.detail(path, text, &variables));
        Some(Part {
            list: list?,
            condition: condition.map_or(Some(None), |c| c.map(Some))?,
            detail: detail?,
            key: key.map_or(Some(None), |k| k.map(Some))?,
            variable,
        })
    }

    /// An expression whose value is shown: whatever it gives, it becomes a string.
    fn detail(&mut self, path: &Path, text: &Text, variables: &[&str]) -> Option<Expr> {
        self.expression(path, text, variables)?;
        expr::parse(&format!("string({})", text.value)).ok()
    }
}
