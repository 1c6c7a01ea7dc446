//! Reading and checking of the legs of a check: which kind it is, and questions to RBAC.

use std::path::Path;

use super::Loader;
use super::source::place;
use crate::diagnostic::{Diagnostic, Place};
use crate::file::{LegFile, PermissionFile, Text};
use crate::model::{Leg, Permission, Resource, Scope, WhoCan};

/// A leg, so far as it could be read.
#[derive(Default)]
pub(super) struct ReadLeg {
    /// The leg, if nothing is wrong with it.
    pub(super) leg: Option<Leg>,
    /// What it reads, if that is known.
    pub(super) scope: Option<Scope>,
    /// The resources that it reads.
    pub(super) resources: Option<Vec<ReadResource>>,
    /// The values that it uses.
    pub(super) values: Option<Vec<String>>,
}

/// A resource that a leg reads.
#[derive(Clone)]
pub(super) struct ReadResource {
    pub(super) resource: Resource,
    /// Whether there has to be an object.
    pub(super) required: bool,
    /// Whether a 404 is an answer.
    pub(super) optional: bool,
}

/// The kinds of legs, as they are written.
const KINDS: &str = "each, who_can, file_mode, lines, absent, kernel_argument or firmware_attribute";

impl Loader {
    pub(super) fn leg(&mut self, path: &Path, at: Place, file: &LegFile) -> ReadLeg {
        let of_who_can = [&file.approved_subjects, &file.approved_roles, &file.approved_namespaces];
        let of_each = [&file.offends, &file.detail, &file.approved, &file.labels];
        let files = [
            file.file_mode.is_some(),
            file.lines.is_some(),
            file.absent.is_some(),
            file.kernel_argument.is_some(),
            file.firmware_attribute.is_some(),
        ];
        let files = files.into_iter().filter(|is| *is).count();
        match (&file.each, &file.who_can, files) {
            (Some(each), None, 0) => {
                for stray in of_who_can.into_iter().flatten() {
                    self.wrong(path, stray, "this goes with 'who_can', not with 'each'");
                }
                self.each(path, file, each)
            }
            (None, Some(permissions), 0) => {
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
                        ReadLeg { scope: Some(Scope::Platform), ..ReadLeg::default() }
                    }
                }
            }
            (None, None, 1) => {
                for stray in of_each.into_iter().chain(of_who_can).flatten() {
                    self.wrong(path, stray, "this goes with a leg that reads the API, not with one on files");
                }
                self.files(path, file)
            }
            _ => {
                let near = of_each.into_iter().chain(of_who_can).flatten().next().map(|text| text.referenced);
                let near = file.who_can.as_ref().map(|permissions| permissions.referenced).or(near);
                let at = near.map_or(at, place);
                self.error(Diagnostic::at(path, at, format!("a leg is of one kind: {KINDS}")));
                self.incomplete = true;
                ReadLeg::default()
            }
        }
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
        let read = |resource| ReadResource { resource, required: false, optional: false };
        ReadLeg {
            scope: Some(Scope::Platform),
            resources: Some(who_can.resources().into_iter().map(read).collect()),
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
    pub(super) fn used_value(&mut self, path: &Path, text: &Text) -> Option<String> {
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
}
