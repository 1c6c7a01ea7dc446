//! Reading and checking of cases.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde_yaml::Spanned;
use virtscap_scap::xccdf::XccdfResult;

use super::Loader;
use super::leg::ReadResource;
use super::source::place;
use crate::case::{Case, CelDeviation, Evidence, Given, GivenFile, Owned};
use crate::diagnostic::Diagnostic;
use crate::file::{CaseFile, Text};
use crate::model::{self, Resource, Scope};

/// Which answers are wanted.
type Wanted<'a> = &'a dyn Fn(&Given) -> bool;

/// What a case may call everything that the rule reads and the case does not name.
const ALL_OTHERS: &str = "*";

/// What a rule reads, so far as that is known.
pub(super) struct Reads {
    /// The API or files.
    pub(super) scope: Option<Scope>,
    /// The resources of its legs.
    pub(super) resources: Option<Vec<ReadResource>>,
    /// The values of its legs.
    pub(super) values: Option<Vec<String>>,
}

/// A file as a case gives it.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFields {
    #[serde(default)]
    folder: bool,
    content: Option<String>,
    link: Option<String>,
    mode: Option<String>,
    #[serde(default)]
    uid: u32,
    #[serde(default)]
    gid: u32,
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
            for (id, value) in in_order(Some(&file.values)) {
                self.case_value(path, id, value, reads);
            }
            let cel = file.cel.as_ref().and_then(|text| self.cel_deviation(path, text));
            let evidence = self.evidence(path, &file, reads);
            let known = expect.is_some() && evidence.is_some();
            whole &= known;
            let case = Case {
                name,
                evidence: evidence.unwrap_or(Evidence::Files(BTreeMap::new())),
                values: file.values.into_iter().map(|(id, value)| (id.value, value.value)).collect(),
                expect: expect.unwrap_or(XccdfResult::Unknown),
                offenders: file.offenders,
                cel,
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

    fn cel_deviation(&mut self, path: &Path, text: &Text) -> Option<CelDeviation> {
        match text.value.as_str() {
            "error" => Some(CelDeviation::Errs),
            "fail" => Some(CelDeviation::Fails),
            _ => {
                let message = "'cel' is error or fail; it is left out where the CEL form agrees";
                self.wrong(path, text, message);
                None
            }
        }
    }

    /// What a case has to be judged; none if something in it is wrong.
    fn evidence(&mut self, path: &Path, file: &CaseFile, reads: &Reads) -> Option<Evidence> {
        match (&file.given, &file.files, reads.scope) {
            (Some(_), _, Some(Scope::Node)) | (None, None, Some(Scope::Node)) => {
                self.wrong(
                    path,
                    &file.name,
                    "the rule reads files; the case has to say which are there, as 'files'",
                );
                None
            }
            (_, Some(_), Some(Scope::Platform)) => {
                self.wrong(
                    path,
                    &file.name,
                    "the rule reads the API; the case has to say what it answers, as 'given'",
                );
                None
            }
            (Some(_), Some(_), None) => {
                self.wrong(path, &file.name, "a case has either 'given' or 'files', not both");
                None
            }
            (_, Some(files), _) => {
                let files: Vec<_> = in_order(Some(files))
                    .into_iter()
                    .map(|(name, file)| self.file(path, name, file))
                    .collect();
                Some(Evidence::Files(files.into_iter().collect::<Option<_>>()?))
            }
            (given, None, _) => {
                let given: Vec<_> = in_order(given.as_ref())
                    .into_iter()
                    .map(|(name, given)| self.given(path, name, given, reads))
                    .collect();
                let given: Vec<_> = given.into_iter().collect::<Option<Vec<_>>>()?.concat();
                let (named, others): (Vec<_>, Vec<_>) =
                    given.into_iter().partition(|(resource, _)| resource.is_some());
                let mut all: Vec<_> =
                    named.into_iter().filter_map(|(resource, given)| Some((resource?, given))).collect();
                for (_, given) in others {
                    for read in reads.resources.iter().flatten() {
                        if !all.iter().any(|(resource, _)| *resource == read.resource) {
                            all.push((read.resource.clone(), given.clone()));
                        }
                    }
                }
                Some(Evidence::Answers(all))
            }
        }
    }

    /// A file of a case.
    fn file(
        &mut self,
        path: &Path,
        name: &Text,
        file: &Spanned<serde_json::Value>,
    ) -> Option<(String, GivenFile)> {
        let name = self.absolute(path, name);
        let at = place(file.referenced);
        if file.value.as_str() == Some("unreadable") {
            return Some((name?, GivenFile::Unreadable));
        }
        let fields = match serde_json::from_value::<FileFields>(file.value.clone()) {
            Ok(fields) if file.value.is_object() => fields,
            wrong => {
                let why = wrong.err().filter(|_| file.value.is_object()).map(|e| format!(": {e}"));
                let message = format!("this is no file{}", why.unwrap_or_default());
                let help =
                    "write {content: …}, {folder: true} or {link: …}, with mode, uid and gid, or unreadable";
                self.error(Diagnostic::at(path, at, message).help(help));
                return None;
            }
        };
        let default = if fields.folder { "0755" } else { "0644" };
        let text = fields.mode.as_deref().unwrap_or(default);
        let mode = u16::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
        if mode.is_none() {
            let message = format!("'{text}' is no mode; write it in octal digits, \"0755\"");
            self.error(Diagnostic::at(path, at, message));
        }
        let owned = Owned { mode: mode?, uid: fields.uid, gid: fields.gid };
        let given = match (fields.folder, fields.content, fields.link) {
            (true, None, None) => GivenFile::Folder(owned),
            (false, content, None) => GivenFile::Regular { content: content.unwrap_or_default(), owned },
            (false, None, Some(target)) => GivenFile::Link { target },
            _ => {
                let message = "this is either a folder, a file with content, or a link";
                self.error(Diagnostic::at(path, at, message));
                return None;
            }
        };
        Some((name?, given))
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

    /// What a case gives for a resource, or for all others.
    fn given(
        &mut self,
        path: &Path,
        name: &Text,
        given: &Spanned<serde_json::Value>,
        reads: &Reads,
    ) -> Option<Vec<(Option<Resource>, Given)>> {
        let resource = match (name.value.as_str(), Resource::from_full_name(&name.value)) {
            (ALL_OTHERS, _) => Some(None),
            (_, None) => {
                let message = format!("'{}' is no resource", name.value);
                let help = "write it as kubectl does, RESOURCE.VERSION.GROUP, such as virtualmachines.v1.kubevirt.io";
                self.wrong_help(path, name, message, help);
                None
            }
            (_, Some(resource)) => self.is_read(path, name, &resource, reads).then_some(Some(resource)),
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
        Some(vec![(resource?, answer?)])
    }

    /// What a case gives and nothing reads says nothing; most likely its name is wrong.
    fn is_read(&mut self, path: &Path, name: &Text, resource: &Resource, reads: &Reads) -> bool {
        let (Some(resources), Some(platform)) = (&reads.resources, &self.platform) else { return true };
        let is_read = platform.contains(resource) || resources.iter().any(|read| read.resource == *resource);
        if !is_read {
            let mut known: Vec<_> = resources.iter().map(|read| read.resource.full_name()).collect();
            known.sort();
            known.dedup();
            let message = format!("the rule does not read '{}'", name.value);
            self.wrong_help(path, name, message, format!("it reads {}", known.join(", ")));
        }
        is_read
    }

    /// A pass is earned: a case cannot expect one without the data for it.
    fn earned(&mut self, path: &Path, expect: &Text, case: &Case, reads: &Reads) {
        let (Some(resources), Some(platform)) = (&reads.resources, &self.platform) else { return };
        if let Evidence::Files(files) = &case.evidence {
            if case.expect == XccdfResult::Pass && files.is_empty() {
                self.wrong(path, expect, "the case cannot pass: it gives no file");
            }
            return;
        }
        // What a case does not give of the platform is there for the first of its resources, and not served for others.
        let absent = platform.iter().enumerate().all(|(index, resource)| match case.given(resource) {
            Some(given) => *given == Given::NotFound,
            None => index > 0,
        });
        if absent != (case.expect == XccdfResult::NotApplicable) {
            let names: Vec<_> = platform.iter().map(Resource::full_name).collect();
            let message = format!(
                "a case expects notapplicable if {} is not_found, and only then",
                names.join(" and ")
            );
            return self.wrong(path, expect, message);
        }
        if case.expect != XccdfResult::Pass {
            return;
        }
        let lacking = resources.iter().find_map(|read| {
            let why = match case.given(&read.resource) {
                Some(Given::NotFound) if !read.optional => "is not found",
                Some(Given::Forbidden) => "is forbidden",
                Some(Given::Missing) => "is missing",
                Some(Given::Objects(objects)) if objects.is_empty() && read.required => {
                    "has no object, and the leg says that one is required"
                }
                None if !platform.contains(&read.resource) => "is not given, which means missing",
                Some(Given::Objects(_) | Given::NotFound) | None => return None,
            };
            Some(format!("the case cannot pass: {} {why}", read.resource.full_name()))
        });
        if let Some(message) = lacking {
            self.wrong(path, expect, message);
        }
    }

    /// Every rule shows a pass, a fail, and that it passes nothing that was not collected.
    fn cover(&mut self, path: &Path, cases: &[Case], reads: &Reads) {
        let expects = |result| cases.iter().any(|case| case.expect == result);
        let given = |resource: &Resource, wanted: Wanted<'_>| {
            cases.iter().any(|case| case.given(resource).is_some_and(wanted))
        };
        // What several resources answer together needs one fault among them; the fault tests try them all.
        let rbac = |resource: &Resource| resource.api == model::rbac("").api;
        let gives = |wanted: Wanted<'_>| {
            let (of_rbac, others): (Vec<_>, Vec<_>) =
                reads.resources.iter().flatten().map(|read| &read.resource).partition(|r| rbac(r));
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
        if reads.scope == Some(Scope::Node) {
            let nothing = |case: &Case| matches!(&case.evidence, Evidence::Files(files) if files.is_empty());
            if !cases.iter().any(nothing) {
                lacking.push("one without any file");
            }
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
pub(super) fn in_order<V>(map: Option<&HashMap<Text, V>>) -> Vec<(&Text, &V)> {
    let mut entries: Vec<_> = map.into_iter().flatten().collect();
    entries.sort_by_key(|(key, _)| (key.referenced.line(), key.referenced.column()));
    entries
}
