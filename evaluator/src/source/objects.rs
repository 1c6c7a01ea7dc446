//! Objects of the Kubernetes API in files: streams of YAML documents, JSON, and lists of objects in them.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::bounded;

/// How deep lists may be in lists.
const MAX_LISTS: usize = 4;

/// What a document is, by its own words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    /// The group of its API; empty for the core.
    pub(super) group: String,
    /// The version.
    pub(super) version: String,
    /// The kind.
    pub(super) kind: String,
    /// The namespace; empty where it has none.
    pub(super) namespace: String,
    /// The name; empty where it has none.
    pub(super) name: String,
}

impl Identity {
    /// What an object says that it is; none where it is no object of an API.
    pub(super) fn of(object: &Value) -> Option<Self> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let api_version = text(object.get("apiVersion"));
        let kind = text(object.get("kind"));
        if api_version.is_empty() || kind.is_empty() {
            return None;
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
        let metadata = object.get("metadata");
        let of_metadata = |key| text(metadata.and_then(|metadata| metadata.get(key)));
        Some(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind,
            namespace: of_metadata("namespace"),
            name: of_metadata("name"),
        })
    }

    /// Whether a resource is that of the kind, such as `network-attachment-definitions` of `NetworkAttachmentDefinition`.
    pub(super) fn is_of(&self, group: &str, resource: &str) -> bool {
        if self.group != group {
            return false;
        }
        let kind = self.kind.to_lowercase();
        let plural =
            ApiResource::from_gvk(&GroupVersionKind::gvk(&self.group, &self.version, &self.kind)).plural;
        let resource = resource.replace('-', "");
        resource == plural || resource == kind
    }

    /// As people write it: `KIND NAMESPACE/NAME`.
    pub(super) fn shown(&self) -> String {
        let separator = if self.namespace.is_empty() { "" } else { "/" };
        format!("{} {}{separator}{}", self.kind, self.namespace, self.name)
    }
}

/// The content of a regular file that is not too large.
pub(super) fn content(path: &Path) -> Result<Vec<u8>, String> {
    let read = || {
        let mut content = Vec::new();
        File::open(path)?.take(super::MAX_CONTENT + 1).read_to_end(&mut content)?;
        bounded(content)
    };
    read().map_err(|e: std::io::Error| e.to_string())
}

/// The documents of a file in YAML or JSON. Comments alone are no document.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Value>, String> {
    if bytes.trim_ascii_start().starts_with(b"{") {
        let json: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(bytes).into_iter().collect();
        // What begins like JSON may still be YAML, and its parser then says better what is wrong.
        if let Ok(documents) = json {
            return Ok(documents);
        }
    }
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_documents: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
        },
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_yaml::from_slice_multiple_with_options(bytes, options).map_err(|e| e.to_string().replace('\n', " "))
}

/// The objects of a document: itself, or those of a list. What is no object of an API is given back with what it is.
pub(super) fn objects(document: Value) -> Vec<Result<(Identity, Value), String>> {
    let mut found = Vec::new();
    add_objects(document, 0, &mut found);
    found
}

fn add_objects(document: Value, depth: usize, found: &mut Vec<Result<(Identity, Value), String>>) {
    let Some(identity) = Identity::of(&document) else {
        return found.push(Err("is no Kubernetes object: it has no apiVersion and kind".to_owned()));
    };
    let is_list =
        identity.kind == "List" || (identity.kind.ends_with("List") && document.get("items").is_some());
    if !is_list {
        return found.push(Ok((identity, document)));
    }
    let is_page = document
        .get("metadata")
        .and_then(|metadata| metadata.get("continue"))
        .and_then(Value::as_str)
        .is_some_and(|token| !token.is_empty());
    if is_page {
        found.push(Err("is one page of a longer list".to_owned()));
    }
    let Value::Object(mut map) = document else { return };
    let Some(Value::Array(items)) = map.remove("items") else {
        return found.push(Err("is a list without items".to_owned()));
    };
    if depth == MAX_LISTS {
        return found.push(Err("has too many lists in lists".to_owned()));
    }
    for mut item in items {
        // The API server does not repeat these in the items of built-in types.
        if let Value::Object(item) = &mut item
            && identity.kind != "List"
        {
            let kind = identity.kind.trim_end_matches("List");
            item.entry("kind").or_insert_with(|| kind.into());
            item.entry("apiVersion").or_insert_with(|| map.get("apiVersion").cloned().unwrap_or_default());
        }
        add_objects(item, depth + 1, found);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_resources() {
        let cases = [
            ("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "network-attachment-definitions", true),
            ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy", "multi-networkpolicies", true),
            ("hco.kubevirt.io/v1beta1", "HyperConverged", "hyperconvergeds", true),
            ("security.openshift.io/v1", "SecurityContextConstraints", "securitycontextconstraints", true),
            ("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", "migrationpolicies", true),
            ("v1", "Pod", "pods", true),
            ("v1", "PodTemplate", "pods", false),
        ];
        for (api, kind, resource, expected) in cases {
            let object = serde_json::json!({"apiVersion": api, "kind": kind});
            let identity = Identity::of(&object).unwrap();
            let group = api.split_once('/').map_or("", |(group, _)| group);
            assert_eq!(identity.is_of(group, resource), expected, "{kind}");
            assert!(!identity.is_of("other.example", resource));
        }
    }

    #[test]
    fn documents_are_bounded_and_read_without_surprises() {
        assert_eq!(documents(b"# nothing\n---\n").unwrap(), Vec::<Value>::new());
        assert_eq!(documents(b"{\"a\": 1}\n{\"a\": 2}").unwrap().len(), 2);
        let traps = documents(b"{a: on, b: 0755, c: yes}\n").unwrap();
        assert_eq!(traps[0], serde_json::json!({"a": "on", "b": "0755", "c": "yes"}));
        for broken in ["a: {b: [\n", "{\"a\": 1} x", "a: 1\na: 2\n", "\u{0}"] {
            assert!(documents(broken.as_bytes()).is_err(), "{broken}");
        }
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = level - 1;
            let ten = vec![format!("*a{before}"); 10].join(", ");
            laughs += &format!("a{level}: &a{level} [{ten}]\n");
        }
        assert!(documents(laughs.as_bytes()).is_err());
    }
}
