//! Reading and checking of rules.

use std::path::Path;

use serde_yaml::Spanned;
use virtscap_scap::xccdf::Severity;

use super::leg::ReadLeg;
use super::source::place;
use super::text::is_number;
use super::{Loader, cases::Reads};
use crate::diagnostic::Diagnostic;
use crate::file::{RuleFile, Text};
use crate::model::Rule;

impl Loader {
    /// Reads a rule and its cases; `chapter` is its section's number, if that could be read.
    pub(super) fn rule(&mut self, folder: &Path, chapter: Option<&str>) -> Option<Rule> {
        let path = &folder.join("rule.yaml");
        let entries = self.entries(folder);
        self.nothing_else(&entries, &["rule.yaml", "cases.yaml"]);
        let file: Option<RuleFile> = self.read(path);
        let legs = file.as_ref().map_or(&[][..], |file| &file.check.value);
        let legs: Vec<_> = legs.iter().map(|leg| self.leg(path, place(leg.referenced), &leg.value)).collect();
        // What a leg that is wrong would have used is not known.
        self.incomplete |= legs.iter().any(|leg| leg.leg.is_none());
        let reads = reads(&legs);
        self.one_scope(path, file.as_ref(), &legs);
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
        let check = legs.into_iter().filter_map(|leg| leg.leg).collect();
        let rule = Rule {
            id,
            section: self.section_number(path, &file.section, chapter),
            level: file.level.as_ref().map(|level| self.level(path, level)),
            severity: self.severity(path, &file.severity),
            title: self.title(path, &file.title),
            description: self.markup(path, &file.description),
            rationale: self.markup(path, &file.rationale),
            impact: self.markup(path, &file.impact),
            audit: self.audit(path, &file.audit),
            remediation: self.markup(path, &file.remediation),
            default_value: self.markup(path, &file.default_value),
            nist_800_53: self.controls(path, &file.nist_800_53),
            fixes: self.fixes(path, &file.fix, reads.scope),
            check,
            cases,
        };
        Some(rule)
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
            _ => {}
        }
        section
    }

    fn no_section(&mut self, path: &Path, text: &Text) {
        let message = format!("'{}' is no section of a rule; write it as \"1.2\", in quotes", text.value);
        self.wrong(path, text, message);
    }

    /// A scan reads the API or a node, so a rule cannot want both.
    fn one_scope(&mut self, path: &Path, file: Option<&RuleFile>, legs: &[ReadLeg]) {
        let mut scopes = legs.iter().filter_map(|leg| leg.scope);
        if let (Some(first), Some(file)) = (scopes.next(), file)
            && scopes.any(|scope| scope != first)
        {
            let message = "some legs read the API and others a node's files; make two rules of it";
            self.error(Diagnostic::at(path, place(file.check.referenced), message));
        }
    }

    fn level(&mut self, path: &Path, level: &Spanned<u8>) -> u8 {
        if !matches!(level.value, 1 | 2) {
            self.incomplete = true;
            let message = format!("there is no level {}; write 1 or 2", level.value);
            self.error(Diagnostic::at(path, place(level.referenced), message));
        }
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
}

/// What the legs read. Where one is wrong nothing is known, so that the cases are not blamed for it.
fn reads(legs: &[ReadLeg]) -> Reads {
    let resources: Option<Vec<_>> = legs.iter().map(|leg| leg.resources.clone()).collect();
    let values: Option<Vec<_>> = legs.iter().map(|leg| leg.values.clone()).collect();
    Reads {
        scope: legs.first().and_then(|leg| leg.scope),
        resources: resources.filter(|_| !legs.is_empty()).map(|all| all.concat()),
        values: values.filter(|_| !legs.is_empty()).map(|all| all.concat()),
    }
}
