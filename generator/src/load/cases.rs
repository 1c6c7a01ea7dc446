//! Reading and checking of cases.

use std::collections::HashSet;
use std::path::Path;

use serde_yaml::Spanned;
use virtscap_scap::xccdf::XccdfResult;

use super::Loader;
use super::source::place;
use crate::case::{Case, Given};
use crate::diagnostic::Diagnostic;
use crate::file::{CaseFile, Text};
use crate::model::{self, Resource};

/// Which answers are wanted.
type Wanted<'a> = &'a dyn Fn(&Given) -> bool;

/// What a rule reads, so far as that is known.
pub(super) struct Reads {
    /// The resources of its legs, and whether each has to have an object.
    pub(super) resources: Option<Vec<(Resource, bool)>>,
    /// The values of its legs.
    pub(super) values: Option<Vec<String>>,
}

impl Loader {
    pub(super) fn cases(&mut self, path: &Path, reads: &Reads) -> Vec<Case> {
        let Some(files) = self.read::<Vec<CaseFile>>(path) else { return Vec::new() };
        let mut cases = Vec::new();
        let mut names = HashSet::new();
        // A case with a slip of the pen may be the one that would seem to lack.
        let mut whole = true;
        for file in files {
            let name = self.line(path, &file.name);
            if !names.insert(name.clone()) {
                self.wrong(path, &file.name, format!("two cases have the name '{name}'"));
            }
            let expect = self.expect(path, &file.expect);
            if let Some(expect) = expect
                && (expect == XccdfResult::Fail) == file.offenders.is_empty()
            {
                let message = "a case that fails names its offenders, and only such a case has any";
                self.wrong(path, &file.expect, message);
            }
            for (id, value) in in_order(&file.values) {
                self.case_value(path, id, value, reads);
            }
            let given: Vec<_> = in_order(&file.given)
                .into_iter()
                .map(|(name, given)| self.given(path, name, given, reads))
                .collect();
            let known = expect.is_some() && given.iter().all(Option::is_some);
            whole &= known;
            let case = Case {
                name,
                given: given.into_iter().flatten().collect(),
                values: file.values.into_iter().map(|(id, value)| (id.value, value.value)).collect(),
                expect: expect.unwrap_or(XccdfResult::Unknown),
                offenders: file.offenders,
            };
            if known {
                self.earned(path, &file.expect, &case, reads);
            }
            cases.push(case);
        }
        if whole {
            self.cover(path, &cases, reads);
        }
        cases
    }

    fn expect(&mut self, path: &Path, text: &Text) -> Option<XccdfResult> {
        let result = match text.value.as_str() {
            "pass" => XccdfResult::Pass,
            "fail" => XccdfResult::Fail,
            "unknown" => XccdfResult::Unknown,
            "error" => XccdfResult::Error,
            "notapplicable" => XccdfResult::NotApplicable,
            other => {
                let message = format!("a case cannot expect '{other}'");
                self.wrong_help(path, text, message, "write pass, fail, unknown, error or notapplicable");
                return None;
            }
        };
        Some(result)
    }

    fn case_value(&mut self, path: &Path, id: &Text, value: &Text, reads: &Reads) {
        if self.values.as_ref().is_some_and(|values| !values.iter().any(|known| known.id == id.value)) {
            self.wrong(path, id, format!("there is no value '{}'", id.value));
        } else if reads.values.as_ref().is_some_and(|used| !used.contains(&id.value)) {
            self.wrong(path, id, format!("the rule does not use the value '{}'", id.value));
        }
        self.pattern(path, value);
    }

    fn given(
        &mut self,
        path: &Path,
        name: &Text,
        given: &Spanned<serde_json::Value>,
        reads: &Reads,
    ) -> Option<(Resource, Given)> {
        let resource = Resource::from_full_name(&name.value);
        let resource = match resource {
            None => {
                let message = format!("'{}' is no resource", name.value);
                let help = "write it as kubectl does, RESOURCE.VERSION.GROUP, such as virtualmachines.v1.kubevirt.io";
                self.wrong_help(path, name, message, help);
                None
            }
            Some(resource) => self.is_read(path, name, &resource, reads).then_some(resource),
        };
        let answer = match &given.value {
            serde_json::Value::Array(objects) => Some(Given::Objects(objects.clone())),
            serde_json::Value::String(word) => Given::from_word(word),
            _ => None,
        };
        let at = place(given.referenced);
        match &answer {
            None => {
                let message = "wanted is a list of objects, or not_found, forbidden or missing";
                self.error(Diagnostic::at(path, at, message));
            }
            Some(Given::Objects(objects)) if !objects.iter().all(serde_json::Value::is_object) => {
                self.error(Diagnostic::at(
                    path,
                    at,
                    "wanted is a list of objects, each with keys and values",
                ));
            }
            Some(_) => {}
        }
        Some((resource?, answer?))
    }

    /// What a case gives and nothing reads says nothing; most likely its name is wrong.
    fn is_read(&mut self, path: &Path, name: &Text, resource: &Resource, reads: &Reads) -> bool {
        let (Some(resources), Some(platform)) = (&reads.resources, &self.platform) else { return true };
        let is_read = resource == platform || resources.iter().any(|(read, _)| read == resource);
        if !is_read {
            let mut known: Vec<_> = resources.iter().map(|(read, _)| read.full_name()).collect();
            known.dedup();
            let message = format!("the rule does not read '{}'", name.value);
            self.wrong_help(path, name, message, format!("it reads {}", known.join(", ")));
        }
        is_read
    }

    /// A pass is earned: a case cannot expect one without the data for it.
    fn earned(&mut self, path: &Path, expect: &Text, case: &Case, reads: &Reads) {
        let (Some(resources), Some(platform)) = (&reads.resources, &self.platform) else { return };
        let given =
            |wanted: &Resource| case.given.iter().find(|(resource, _)| resource == wanted).map(|(_, g)| g);
        let absent = given(platform) == Some(&Given::NotFound);
        let full_name = platform.full_name();
        if absent != (case.expect == XccdfResult::NotApplicable) {
            let message =
                format!("a case expects notapplicable if it gives {full_name} as not_found, and only then");
            return self.wrong(path, expect, message);
        }
        if case.expect != XccdfResult::Pass {
            return;
        }
        let lacking = resources.iter().find_map(|(resource, required)| {
            let why = match given(resource) {
                Some(Given::NotFound) => "is not found",
                Some(Given::Forbidden) => "is forbidden",
                Some(Given::Missing) => "is missing",
                Some(Given::Objects(objects)) if objects.is_empty() && *required => {
                    "has no object, and the leg says that one is required"
                }
                None if resource != platform => "is not given, which means missing",
                Some(Given::Objects(_)) | None => return None,
            };
            Some(format!("the case cannot pass: {} {why}", resource.full_name()))
        });
        if let Some(message) = lacking {
            self.wrong(path, expect, message);
        }
    }

    /// Every rule shows a pass, a fail, and that it passes nothing that was not collected.
    fn cover(&mut self, path: &Path, cases: &[Case], reads: &Reads) {
        let expects = |result| cases.iter().any(|case| case.expect == result);
        let given = |resource: &Resource, wanted: Wanted<'_>| {
            cases.iter().any(|case| case.given.iter().any(|(r, given)| r == resource && wanted(given)))
        };
        // What several resources answer together needs one fault among them; the fault tests try them all.
        let rbac = |resource: &Resource| resource.api == model::rbac("").api;
        let gives = |wanted: Wanted<'_>| {
            let (of_rbac, others): (Vec<_>, Vec<_>) =
                reads.resources.iter().flatten().map(|(resource, _)| resource).partition(|r| rbac(r));
            others.into_iter().all(|resource| given(resource, wanted))
                && (of_rbac.is_empty() || of_rbac.into_iter().any(|resource| given(resource, wanted)))
        };
        let mut lacking = Vec::new();
        if !expects(XccdfResult::Pass) {
            lacking.push("one that passes");
        }
        if !expects(XccdfResult::Fail) {
            lacking.push("one that fails");
        }
        let situations: [(&str, Wanted<'_>); 4] = [
            ("one with an empty list ([]) of each resource", &|given| *given == Given::Objects(Vec::new())),
            ("one with each resource not_found", &|given| *given == Given::NotFound),
            ("one with each resource forbidden", &|given| *given == Given::Forbidden),
            ("one with each resource missing", &|given| *given == Given::Missing),
        ];
        lacking.extend(situations.into_iter().filter(|(_, wanted)| !gives(*wanted)).map(|(what, _)| what));
        if !lacking.is_empty() {
            let message = format!("the rule lacks cases: {}", lacking.join(", "));
            self.error(Diagnostic::of_file(path, message));
        }
    }
}

/// The entries of a map as they stand in the file.
fn in_order<V>(map: &std::collections::HashMap<Text, V>) -> Vec<(&Text, &V)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| (key.referenced.line(), key.referenced.column()));
    entries
}
