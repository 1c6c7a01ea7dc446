//! Reading and checking of fixes. The Compliance Operator loses most of what is wrong in one without a word, or refuses
//! the whole content because of it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use serde_yaml::Spanned;

use super::Loader;
use super::source::place;
use super::text::is_api;
use crate::diagnostic::Diagnostic;
use crate::file::{FixFile, Text};
use crate::model::{Fix, Resource, Scope};

/// What the operator may write by itself, and completes with the pool of the nodes that were scanned.
const OF_NODES: [&str; 2] = ["MachineConfig", "KubeletConfig"];
const NODES_GROUP: &str = "machineconfiguration.openshift.io";

/// What the names of annotations for the operator begin with.
const PREFIX: &str = "complianceascode.io/";

impl Loader {
    /// Reads the fixes of a rule; its scope, if that is known.
    pub(super) fn fixes(&mut self, path: &Path, files: &[FixFile], scope: Option<Scope>) -> Vec<Fix> {
        files.iter().filter_map(|file| self.fix(path, file, scope)).collect()
    }

    fn fix(&mut self, path: &Path, file: &FixFile, scope: Option<Scope>) -> Option<Fix> {
        let before = self.diagnostics.len();
        self.no_traps(path, &file.object);
        let api = self.field(
            path,
            &file.object,
            "/apiVersion",
            "a version of an API, as v1 or GROUP/VERSION",
            is_api,
        );
        let kind = self.field(path, &file.object, "/kind", "a kind, as MachineConfig", is_kind);
        let name =
            self.field(path, &file.object, "/metadata/name", "a name of an object, in lower case", is_name);
        self.metadata(path, &file.object);
        let annotations = self.annotations(path, &file.annotations);
        let (api, kind, name) = (api?, kind?, name?);
        let of_nodes = api.split_once('/').is_some_and(|(group, _)| group == NODES_GROUP)
            && OF_NODES.contains(&kind.as_str());
        let resource = match &file.resource {
            Some(text) if of_nodes => {
                let message = "the Compliance Operator may write this kind by itself; leave 'resource' out";
                self.wrong(path, text, message);
                None
            }
            Some(text) => {
                let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
                if text.value.is_empty() || !text.value.chars().all(legal) {
                    let help =
                        "write the plural in lower case, as `oc api-resources` lists it: hyperconvergeds";
                    self.wrong_help(path, text, format!("'{}' is no name of a resource", text.value), help);
                }
                Some(Resource { api, resource: text.value.clone() })
            }
            None if of_nodes => None,
            None => {
                let message = "say beside 'object' which 'resource' it is, the plural of its kind";
                let help = "the Compliance Operator may not write this kind by itself; a role is made of it";
                self.at_object(path, &file.object, message, Some(help));
                None
            }
        };
        if of_nodes && scope == Some(Scope::Platform) {
            let message = "only a rule that reads files of nodes can have this kind of object as its fix";
            let help = "the Compliance Operator takes the pool to change from the nodes that were scanned";
            self.at_object(path, &file.object, message, Some(help));
        }
        let mut object = file.object.value.clone();
        if !annotations.is_empty() {
            let metadata = object.pointer_mut("/metadata").and_then(Value::as_object_mut)?;
            let all = metadata.entry("annotations").or_insert_with(|| Value::Object(serde_json::Map::new()));
            all.as_object_mut()?.extend(annotations);
        }
        let yaml = serde_yaml::to_string(&object)
            .map_err(|e| self.at_object(path, &file.object, format!("this cannot be written: {e}"), None))
            .ok()?;
        (self.diagnostics.len() == before).then_some(Fix { name, yaml, resource })
    }

    /// Tells what would not reach the cluster as it stands, anywhere in the object.
    fn no_traps(&mut self, path: &Path, object: &Spanned<Value>) {
        if holds(&object.value, &|value| value.is_null()) {
            let message = "a null in the object of a fix does not reach the cluster reliably";
            let help = "fixes are merged into objects, which sets fields and replaces lists; what has to be deleted is left to the text of 'remediation'";
            self.at_object(path, object, message, Some(help));
        }
        if holds(&object.value, &|value| value.as_str().is_some_and(|text| text.contains("{{"))) {
            let message = "'{{' begins a Go template in the Compliance Operator";
            let help = "the values of this benchmark approve names, so there is none to put into a fix";
            self.at_object(path, object, message, Some(help));
        }
    }

    /// The metadata of objects that are written: what they are called, and what they are marked with.
    fn metadata(&mut self, path: &Path, object: &Spanned<Value>) {
        let Some(metadata) = object.value.get("metadata").and_then(Value::as_object) else { return };
        for (key, value) in metadata {
            let right = match key.as_str() {
                "name" => true,
                "namespace" => value.as_str().is_some_and(is_name),
                "labels" | "annotations" => {
                    value.as_object().is_some_and(|map| map.values().all(Value::is_string))
                }
                _ => false,
            };
            if !right {
                let message = format!("'metadata.{key}' of the object is not what it can be in a fix");
                let help = "the keys are name, namespace, labels and annotations; the latter two hold texts";
                self.at_object(path, object, message, Some(help));
            } else if key == "annotations"
                && value.as_object().is_some_and(|map| map.keys().any(|key| key.starts_with(PREFIX)))
            {
                let message = format!("annotations that begin with {PREFIX} stand beside 'object'");
                self.at_object(
                    path,
                    object,
                    message,
                    Some("write them under 'annotations', without the prefix"),
                );
            }
        }
    }

    /// What the operator reads off the object, and takes away before it writes it.
    fn annotations(
        &mut self,
        path: &Path,
        file: &std::collections::HashMap<Text, Text>,
    ) -> BTreeMap<String, Value> {
        let mut annotations = BTreeMap::new();
        for (key, value) in file {
            let (right, wanted) = match key.value.as_str() {
                "optional" => (value.value == "true", "write \"true\", or leave it out"),
                "ocp-version" | "k8s-version" => {
                    (is_range(&value.value), "write a range with three numbers, as \">=4.14.0 <4.18.0\"")
                }
                other => {
                    let help = "the annotations are optional, ocp-version and k8s-version";
                    self.wrong_help(path, key, format!("there is no annotation '{other}' of fixes"), help);
                    continue;
                }
            };
            if !right {
                let message = format!("'{}' is no value of {}", value.value, key.value);
                self.wrong_help(path, value, message, wanted);
            }
            annotations.insert(format!("{PREFIX}{}", key.value), Value::String(value.value.clone()));
        }
        annotations
    }

    /// A text in the object; none if it is not there or wrong.
    fn field(
        &mut self,
        path: &Path,
        object: &Spanned<Value>,
        pointer: &str,
        wanted: &str,
        right: fn(&str) -> bool,
    ) -> Option<String> {
        let found = object.value.pointer(pointer).and_then(Value::as_str).filter(|text| right(text));
        if found.is_none() {
            let key = pointer.trim_start_matches('/').replace('/', ".");
            self.at_object(path, object, format!("the object needs '{key}', {wanted}"), None);
        }
        found.map(str::to_owned)
    }

    fn at_object(
        &mut self,
        path: &Path,
        object: &Spanned<Value>,
        message: impl Into<String>,
        help: Option<&str>,
    ) {
        let mut diagnostic = Diagnostic::at(path, place(object.referenced), message);
        diagnostic.help = help.map(str::to_owned);
        self.error(diagnostic);
    }
}

/// Whether something in a value, keys of maps included, is as asked.
fn holds(value: &Value, asked: &dyn Fn(&Value) -> bool) -> bool {
    asked(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| holds(item, asked)),
            Value::Object(map) => {
                map.iter().any(|(key, item)| asked(&Value::String(key.clone())) || holds(item, asked))
            }
            _ => false,
        }
}

fn is_kind(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Whether a text is a subdomain in the sense of RFC 1123: so are names of objects.
fn is_name(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.len() <= 253
        && text.split('.').all(|label| {
            label.starts_with(alphanumeric)
                && label.ends_with(alphanumeric)
                && label.chars().all(|c| c == '-' || alphanumeric(c))
        })
}

/// Whether a text is a range of versions as the operator's library for them reads it; all parts have to hold.
fn is_range(text: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    !text.is_empty()
        && text.split(' ').all(|part| {
            let version = [">=", "<=", ">", "<", "="].iter().find_map(|operator| part.strip_prefix(operator));
            version.is_some_and(|version| {
                let numbers: Vec<_> = version.split('.').collect();
                numbers.len() == 3 && numbers.into_iter().all(number)
            })
        })
}
