//! What the operator may read and write for the rules beyond what it may by itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{BUNDLE, Manifest, NAMESPACE};
use crate::model::{Benchmark, Resource, Rule};

/// What the operator's collector has to read for the rules. Which of it the operator may read by itself differs from
/// release to release, so the role has all.
pub(super) fn collector(benchmark: &Benchmark) -> Manifest {
    let mut by_group: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let of_rules: Vec<_> = benchmark.rules().flat_map(Rule::resources).collect();
    for resource in of_rules.iter().chain(&benchmark.platform.resources) {
        by_group.entry(group(resource)).or_default().insert(&resource.resource);
    }
    let rules = by_group
        .iter()
        .map(|(group, resources)| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list"]}))
        .collect();
    let documents = role(&format!("{BUNDLE}-collector"), rules, "api-resource-collector");
    Manifest::new(
        "collector-rbac.yaml",
        "Lets the operator's collector read what the rules look at.",
        documents,
    )
}

/// What the operator has to write for the fixes; none where it may do so by itself. It creates an object that is not
/// there, but all of these are there or the rule does not apply: it may change them, by name, and nothing else.
pub(super) fn remediation(benchmark: &Benchmark) -> Option<Manifest> {
    let mut by_resource: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for fix in benchmark.rules().flat_map(|rule| &rule.fixes) {
        if let Some(resource) = &fix.resource {
            by_resource.entry((group(resource), &resource.resource)).or_default().insert(&fix.name);
        }
    }
    let rules: Vec<_> = by_resource
        .iter()
        .map(|((group, resource), names)| {
            json!({
                "apiGroups": [group],
                "resources": [resource],
                "resourceNames": names,
                "verbs": ["get", "patch"],
            })
        })
        .collect();
    let about = "Lets the operator apply remediations to objects that it may not change by itself. Optional: scans do\nnot need it.";
    (!rules.is_empty()).then(|| {
        let documents = role(&format!("{BUNDLE}-remediation"), rules, "compliance-operator");
        Manifest::new("remediation-rbac.yaml", about, documents)
    })
}

fn group(resource: &Resource) -> &str {
    resource.api.split_once('/').map_or("", |(group, _)| group)
}

/// A ClusterRole, and the binding that gives it to one of the operator's service accounts.
fn role(name: &str, rules: Vec<Value>, account: &str) -> Vec<Value> {
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
    });
    vec![role, binding]
}
