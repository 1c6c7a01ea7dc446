//! Reading and checking of cases.

use std::path::Path;

use virtscap_scap::xccdf::XccdfResult;

use super::{Loader, place};
use crate::case::{Case, Given};
use crate::diagnostic::Diagnostic;
use crate::file::{CaseFile, GivenFile, Text};
use crate::model::{Resource, Rule, Value};

impl Loader {
    pub(super) fn cases(&mut self, path: &Path, values: &[Value]) -> Vec<Case> {
        let files: Vec<CaseFile> = self.read(path).unwrap_or_default();
        let mut cases: Vec<Case> = Vec::new();
        for file in files {
            let name = self.line(path, &file.name);
            let at = place(file.name.referenced);
            if cases.iter().any(|case| case.name == name) {
                self.error(Diagnostic::at(path, at, format!("two cases have the name '{name}'")));
            }
            let expect = XccdfResult::from_text(&file.expect.value).unwrap_or_else(|| {
                let message = format!("'{}' is no result", file.expect.value);
                let help = "write pass, fail, unknown, error or notapplicable";
                self.error(Diagnostic::at(path, place(file.expect.referenced), message).help(help));
                XccdfResult::Unknown
            });
            if (expect == XccdfResult::Fail) == file.offenders.is_empty() {
                let message = "a case that fails names its offenders, and only such a case has any";
                self.error(Diagnostic::at(path, at, message));
            }
            for (id, _) in file.values.iter().filter(|(id, _)| !values.iter().any(|v| v.id == id.value)) {
                let message = format!("there is no value '{}'", id.value);
                self.error(Diagnostic::at(path, place(id.referenced), message));
            }
            let given = file.given.iter().filter_map(|(name, given)| self.given(path, name, given)).collect();
            let values = file.values.into_iter().map(|(id, value)| (id.value, value)).collect();
            cases.push(Case { name, given, values, expect, offenders: file.offenders });
        }
        cases
    }

    fn given(&mut self, path: &Path, name: &Text, file: &GivenFile) -> Option<(Resource, Given)> {
        let at = place(name.referenced);
        let resource = Resource::from_full_name(&name.value);
        if resource.is_none() {
            let message = format!("'{}' is no resource", name.value);
            let help = "write it as kubectl does, RESOURCE.VERSION.GROUP, such as virtualmachines.v1.kubevirt.io";
            self.error(Diagnostic::at(path, at, message).help(help));
        }
        let given = match file {
            GivenFile::Objects(objects) => Some(Given::Objects(objects.clone())),
            GivenFile::Answer(word) => Given::from_word(word),
        };
        if given.is_none() {
            let message = "wanted is a list of objects, or not_found, forbidden or missing";
            self.error(Diagnostic::at(path, at, message));
        }
        Some((resource?, given?))
    }

    /// Every rule shows a pass, a fail, and that it passes nothing that was not collected.
    pub(super) fn cover(&mut self, path: &Path, rule: &Rule) {
        let expects = |result| rule.cases.iter().any(|case| case.expect == result);
        let gives = |wanted: &dyn Fn(&Given) -> bool| {
            let legs = rule.check.iter();
            legs.map(|leg| &leg.resource).all(|resource| {
                rule.cases.iter().any(|c| c.given.iter().any(|(r, given)| r == resource && wanted(given)))
            })
        };
        let mut missing = Vec::new();
        if !expects(XccdfResult::Pass) {
            missing.push("one that passes");
        }
        if !expects(XccdfResult::Fail) {
            missing.push("one that fails");
        }
        let situations: [(&str, &dyn Fn(&Given) -> bool); 4] = [
            ("one with an empty list of each resource", &|given| *given == Given::Objects(Vec::new())),
            ("one with each resource not_found", &|given| *given == Given::NotFound),
            ("one with each resource forbidden", &|given| *given == Given::Forbidden),
            ("one with each resource missing", &|given| *given == Given::Missing),
        ];
        missing.extend(situations.into_iter().filter(|(_, wanted)| !gives(*wanted)).map(|(what, _)| what));
        if !missing.is_empty() {
            let message = format!("the rule {} lacks cases: {}", rule.id, missing.join(", "));
            self.error(Diagnostic::of_file(path, message));
        }
    }
}
