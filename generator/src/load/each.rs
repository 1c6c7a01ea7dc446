//! Reading and checking of legs that look at every object of a resource.

use std::path::Path;

use super::Loader;
use super::leg::{ReadLeg, ReadResource};
use super::source::place;
use crate::diagnostic::Diagnostic;
use crate::file::{CoverFile, EachFile, LegFile, PartFile, Text, UsedByFile};
use crate::model::{Cover, CoveredKeys, Decision, Each, Leg, Loop, Part, Scope, Selection, UsedBy};

impl Loader {
    pub(super) fn each(&mut self, path: &Path, file: &LegFile, each: &EachFile) -> ReadLeg {
        let mut resources = Some(Vec::new());
        let selection = self.selection(path, each, &mut resources);
        let mut values = Some(Vec::new());
        if let Some(approved) = &file.approved {
            values = self.used_value(path, approved).map(|id| vec![id]);
            if file.parts.is_none() {
                self.wrong(path, approved, "'approved' goes with 'parts' that have a 'key'");
            }
            if file.covered_by.is_some() {
                self.wrong(path, approved, "'approved' does not go with 'covered_by'");
            }
        }
        let variable = each.variable.value.as_str();
        let parts = self.judgement(path, file, each, variable);
        let decision = self.decision(path, file, variable, &mut resources);
        let leg = match (selection, parts, decision) {
            (Some(selection), Some(parts), Some(decision)) => Some(Leg::Each(Box::new(Each {
                selection,
                required: each.required.as_ref().is_some_and(|required| required.value),
                parts,
                approved: file.approved.as_ref().map(|approved| approved.value.clone()),
                decision,
            }))),
            _ => None,
        };
        ReadLeg { leg, scope: Some(Scope::Platform), resources, values }
    }

    /// The objects that an `each` selects; adds its resource to those that are read, or makes them unknown.
    fn selection(
        &mut self,
        path: &Path,
        file: &EachFile,
        resources: &mut Option<Vec<ReadResource>>,
    ) -> Option<Selection> {
        let resource = self.resource(path, &file.api, &file.resource);
        match (&resource, resources.as_mut()) {
            (Some(resource), Some(resources)) => resources.push(ReadResource {
                resource: resource.clone(),
                required: file.required.as_ref().is_some_and(|required| required.value),
                optional: file.optional,
            }),
            _ => *resources = None,
        }
        let variable = self.variable(path, &file.variable)?;
        let condition = self.optional_expression(path, file.condition.as_ref(), &[&variable])?;
        Some(Selection { resource: resource?, variable, condition, optional: file.optional })
    }

    /// An expression that may be left out; the outer none is a mistake.
    fn optional_expression(
        &mut self,
        path: &Path,
        text: Option<&Text>,
        variables: &[&str],
    ) -> Option<Option<crate::expr::Expr>> {
        match text {
            None => Some(None),
            Some(text) => self.expression(path, text, variables).map(Some),
        }
    }

    /// What is found in an object: the object as a whole, or parts of it.
    fn judgement(
        &mut self,
        path: &Path,
        file: &LegFile,
        each: &EachFile,
        variable: &str,
    ) -> Option<Vec<Part>> {
        match (&file.offends, &file.detail, &file.parts) {
            (Some(offends), Some(detail), None) => {
                let offends = self.expression(path, offends, &[variable]);
                let detail = self.detail(path, detail, &[variable]);
                Some(vec![Part { loops: Vec::new(), condition: Some(offends?), detail: detail?, key: None }])
            }
            (None, None, Some(parts)) if parts.value.is_empty() => {
                let message = "'parts' is empty, so that nothing could offend";
                self.error(Diagnostic::at(path, place(parts.referenced), message));
                None
            }
            (None, None, Some(parts)) => {
                let with_key = file.approved.is_some() || file.covered_by.is_some();
                let parts: Vec<_> =
                    parts.value.iter().map(|part| self.part(path, part, variable, with_key)).collect();
                parts.into_iter().collect::<Option<_>>()
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
                self.wrong(path, &each.api, message);
                None
            }
        }
    }

    fn part(&mut self, path: &Path, file: &PartFile, object: &str, with_key: bool) -> Option<Part> {
        match (&file.key, with_key) {
            (None, true) => {
                let message = "a part of a leg with 'approved' or 'covered_by' needs a 'key', the text that is approved or covered";
                self.wrong(path, file.list.as_ref().unwrap_or(&file.detail), message);
            }
            (Some(key), false) => {
                self.wrong(path, key, "a 'key' goes with 'approved' or 'covered_by' on the leg");
            }
            _ => {}
        }
        let first = match (&file.list, &file.variable) {
            (Some(list), Some(variable)) => Some((list, variable)),
            (None, None) => None,
            (Some(stray), None) | (None, Some(stray)) => {
                self.wrong(path, stray, "'in' and 'as' go together: a list, and what an element is called");
                return None;
            }
        };
        let mut variables = vec![object.to_owned()];
        let mut loops = Vec::new();
        let further = file.then.iter().map(|then| (&then.list, &then.variable));
        for (list, variable) in first.into_iter().chain(further) {
            let known: Vec<_> = variables.iter().map(String::as_str).collect();
            let list = self.expression(path, list, &known);
            let name = self.variable(path, variable)?;
            if variables.contains(&name) {
                let message = match name == object {
                    true => format!("'{name}' already means the object; give the part another name"),
                    false => format!("'{name}' already means a part; give this one another name"),
                };
                self.wrong(path, variable, message);
            }
            variables.push(name.clone());
            loops.push(list.map(|list| Loop { list, variable: name }));
        }
        let variables: Vec<_> = variables.iter().map(String::as_str).collect();
        let condition = self.optional_expression(path, file.condition.as_ref(), &variables);
        let key = file.key.as_ref().map(|text| self.detail(path, text, &variables));
        let detail = self.detail(path, &file.detail, &variables);
        Some(Part {
            loops: loops.into_iter().collect::<Option<_>>()?,
            condition: condition?,
            detail: detail?,
            key: key.map_or(Some(None), |k| k.map(Some))?,
        })
    }

    fn decision(
        &mut self,
        path: &Path,
        file: &LegFile,
        variable: &str,
        resources: &mut Option<Vec<ReadResource>>,
    ) -> Option<Decision> {
        if let (Some(stray), None) = (&file.labels, &file.covered_by) {
            self.wrong(path, stray, "labels go with 'covered_by'");
        }
        match (&file.used_by, &file.covered_by) {
            (None, None) => Some(Decision::Alone),
            (Some(users), None) => {
                let users: Vec<_> =
                    users.value.iter().map(|user| self.used_by(path, user, resources)).collect();
                Some(Decision::UsedBy(users.into_iter().collect::<Option<_>>()?))
            }
            (None, Some(covers)) => {
                let labels = self.optional_expression(path, file.labels.as_ref(), &[variable]);
                let by: Vec<_> =
                    covers.value.iter().map(|cover| self.cover_of(path, cover, resources)).collect();
                let by: Vec<Cover> = by.into_iter().collect::<Option<_>>()?;
                if by.iter().all(|cover| cover.selection.optional) {
                    let message =
                        "one of 'covered_by' at least has to be there on every cluster, without 'optional'";
                    self.error(Diagnostic::at(path, place(covers.referenced), message));
                }
                Some(Decision::Covered { labels: labels?, by })
            }
            (Some(users), Some(_)) => {
                let message = "a leg has either 'used_by' or 'covered_by', not both";
                self.error(Diagnostic::at(path, place(users.referenced), message));
                None
            }
        }
    }

    fn used_by(
        &mut self,
        path: &Path,
        file: &UsedByFile,
        resources: &mut Option<Vec<ReadResource>>,
    ) -> Option<UsedBy> {
        self.never_required(path, &file.each);
        let selection = self.selection(path, &file.each, resources);
        let names = self.expression(path, &file.names, &[&file.each.variable.value]);
        Some(UsedBy { selection: selection?, names: names? })
    }

    fn cover_of(
        &mut self,
        path: &Path,
        file: &CoverFile,
        resources: &mut Option<Vec<ReadResource>>,
    ) -> Option<Cover> {
        self.never_required(path, &file.each);
        let selection = self.selection(path, &file.each, resources);
        let variables = [file.each.variable.value.as_str()];
        let keys = match (&file.names, &file.networks) {
            (Some(names), None) => self.expression(path, names, &variables).map(CoveredKeys::List),
            (None, Some(networks)) => self.expression(path, networks, &variables).map(CoveredKeys::Networks),
            (Some(stray), Some(_)) => {
                self.wrong(path, stray, "what is covered is said by either 'names' or 'networks', not both");
                None
            }
            (None, None) => {
                let message = "the cover does not say what it covers; give it 'names' or 'networks'";
                self.wrong(path, &file.each.api, message);
                None
            }
        };
        let selector = self.optional_expression(path, file.selector.as_ref(), &variables);
        Some(Cover {
            selection: selection?,
            keys: keys?,
            selector: selector?,
            same_namespace: file.same_namespace,
        })
    }

    fn never_required(&mut self, path: &Path, each: &EachFile) {
        if let Some(required) = &each.required {
            let message =
                "'required' is for the leg's own objects; without others, nothing is used or covered";
            self.error(Diagnostic::at(path, place(required.referenced), message));
        }
    }
}
