//! Reading and checking of the legs of a check.

use std::path::Path;

use super::Loader;
use super::source::place;
use crate::diagnostic::Diagnostic;
use crate::file::{EachFile, LegFile, PartFile, PermissionFile, Text};
use crate::model::{Each, Judgement, Leg, Part, Permission, Resource, WhoCan};

/// A leg, so far as it could be read.
#[derive(Default)]
pub(super) struct ReadLeg {
    /// The leg, if nothing is wrong with it.
    pub(super) leg: Option<Leg>,
    /// The resources that it reads, and whether each has to have an object.
    pub(super) resources: Option<Vec<(Resource, bool)>>,
    /// The values that it uses.
    pub(super) values: Option<Vec<String>>,
}

impl Loader {
    pub(super) fn leg(&mut self, path: &Path, file: &LegFile) -> ReadLeg {
        let of_who_can = [&file.approved_subjects, &file.approved_roles, &file.approved_namespaces];
        let of_each = [&file.offends, &file.detail, &file.approved];
        match (&file.each, &file.who_can) {
            (Some(each), None) => {
                for stray in of_who_can.into_iter().flatten() {
                    self.wrong(path, stray, "this goes with 'who_can', not with 'each'");
                }
                self.each(path, file, each)
            }
            (None, Some(permissions)) => {
                for stray in of_each.into_iter().flatten() {
                    self.wrong(path, stray, "this goes with 'each', not with 'who_can'");
                }
                let at = place(permissions.referenced);
                if permissions.value.is_empty() {
                    self.error(Diagnostic::at(path, at, "'who_can' is empty; name at least one permission"));
                }
                match &file.approved_subjects {
                    Some(subjects) => self.who_can(path, file, &permissions.value, subjects),
                    None => {
                        let message = "'who_can' needs 'approved_subjects', a value: who may do it";
                        self.error(Diagnostic::at(path, at, message));
                        ReadLeg::default()
                    }
                }
            }
            _ => {
                let message =
                    "a leg has either 'each', which names a resource, or 'who_can', a list of permissions";
                let near = of_each.into_iter().chain(of_who_can).flatten().next().map(|text| text.referenced);
                let near = file.who_can.as_ref().map(|permissions| permissions.referenced).or(near);
                self.error(match near {
                    Some(near) => Diagnostic::at(path, place(near), message),
                    None => Diagnostic::of_file(path, message),
                });
                self.incomplete = true;
                ReadLeg::default()
            }
        }
    }

    fn each(&mut self, path: &Path, file: &LegFile, each: &EachFile) -> ReadLeg {
        let resource = self.resource(path, &each.api, &each.resource);
        let mut values = Some(Vec::new());
        if let Some(approved) = &file.approved {
            values = self.used_value(path, approved).map(|id| vec![id]);
            if file.parts.is_none() {
                self.wrong(path, approved, "'approved' goes with 'parts' that have a 'key'");
            }
        }
        let variable = self.variable(path, &each.variable);
        let judgement = variable.as_ref().and_then(|variable| self.judgement(path, file, each, variable));
        let leg = match (resource.clone(), variable, judgement) {
            (Some(resource), Some(variable), Some(judgement)) => Some(Leg::Each(Each {
                resource,
                variable,
                required: each.required,
                judgement,
                approved: file.approved.as_ref().map(|approved| approved.value.clone()),
            })),
            _ => None,
        };
        ReadLeg { leg, resources: resource.map(|resource| vec![(resource, each.required)]), values }
    }

    fn who_can(
        &mut self,
        path: &Path,
        file: &LegFile,
        permissions: &[PermissionFile],
        subjects: &Text,
    ) -> ReadLeg {
        let permissions = permissions.iter().map(|p| self.permission(path, p)).collect();
        let mut value = |text: &Option<Text>| text.as_ref().map(|text| self.used_value(path, text));
        let values =
            [value(&Some(subjects.clone())), value(&file.approved_roles), value(&file.approved_namespaces)];
        let who_can = WhoCan {
            permissions,
            approved_subjects: subjects.value.clone(),
            approved_roles: file.approved_roles.as_ref().map(|text| text.value.clone()),
            approved_namespaces: file.approved_namespaces.as_ref().map(|text| text.value.clone()),
            other_namespaces_only: file.other_namespaces_only.as_ref().is_some_and(|only| only.value),
        };
        if !who_can.in_namespaces() {
            for stray in [&file.approved_roles, &file.approved_namespaces].into_iter().flatten() {
                let message = "every permission is cluster_scoped, so that no RoleBinding is looked at";
                self.wrong(path, stray, message);
            }
        }
        ReadLeg {
            resources: Some(who_can.resources().into_iter().map(|resource| (resource, false)).collect()),
            values: values.into_iter().flatten().collect(),
            leg: Some(Leg::WhoCan(who_can)),
        }
    }

    fn permission(&mut self, path: &Path, file: &PermissionFile) -> Permission {
        let legal = |text: &str| {
            text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-/".contains(c))
        };
        let texts = file.verbs.iter().chain([&file.group, &file.resource]);
        for text in texts.filter(|text| !legal(&text.value)) {
            let message =
                format!("'{}' is no API group, resource or verb; wildcards are for roles", text.value);
            self.wrong(path, text, message);
        }
        if file.verbs.is_empty() || file.resource.value.is_empty() {
            self.wrong(path, &file.resource, "a permission needs a resource and at least one verb");
        }
        Permission {
            group: file.group.value.clone(),
            resource: file.resource.value.clone(),
            verbs: file.verbs.iter().map(|verb| verb.value.clone()).collect(),
            cluster_scoped: file.cluster_scoped,
        }
    }

    /// The value of this id, which has to be in `values.yaml`.
    fn used_value(&mut self, path: &Path, text: &Text) -> Option<String> {
        let id = &text.value;
        self.used_values.push(id.clone());
        let ids: Vec<_> = self.values.as_ref()?.iter().map(|value| value.id.clone()).collect();
        if ids.contains(id) {
            return Some(id.clone());
        }
        let help = match ids.is_empty() {
            true => "values.yaml has none".to_owned(),
            false => format!("values.yaml has {}", ids.join(", ")),
        };
        self.wrong_help(path, text, format!("there is no value '{id}'"), help);
        self.incomplete = true;
        None
    }

    fn judgement(
        &mut self,
        path: &Path,
        file: &LegFile,
        each: &EachFile,
        variable: &str,
    ) -> Option<Judgement> {
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
                self.wrong(path, &each.api, message);
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
