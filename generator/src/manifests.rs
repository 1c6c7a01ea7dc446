//! Manifests for the Compliance Operator.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::datastream::FILE_NAME;
use crate::model::{Benchmark, Rule};

/// Name of the ProfileBundle; the operator puts it before the names of profiles, rules and variables.
pub(crate) const BUNDLE: &str = "ocp-virt";
pub(crate) const NAMESPACE: &str = "openshift-compliance";

/// The manifests by file name.
pub(crate) fn manifests(benchmark: &Benchmark, content_image: &str) -> Vec<(String, Vec<Value>)> {
    let tailored = benchmark.profiles.iter().map(|profile| {
        let title = format!("{}, with values to set", profile.title);
        let mut spec = json!({
            "extends": format!("{BUNDLE}-{}", profile.id),
            "title": title,
            "description": format!("Start here to set values or to leave rules of {} out.", profile.id),
        });
        let used = benchmark.values.iter().filter(|value| {
            benchmark.rules().any(|rule| profile.selects(rule) && rule.values().contains(&value.id.as_str()))
        });
        let values: Vec<_> = used
            .map(|value| {
                json!({
                    "name": format!("{BUNDLE}-{}", value.id.replace('_', "-")),
                    "value": value.default,
                    "rationale": format!("The default. {}.", value.title),
                })
            })
            .collect();
        if !values.is_empty() {
            spec["setValues"] = json!(values);
        }
        let name = format!("{BUNDLE}-{}-tailored", profile.id);
        let manifest = object("compliance.openshift.io/v1alpha1", "TailoredProfile", &name, "spec", spec);
        (format!("tailoredprofile-{}.yaml", profile.id), vec![manifest])
    });
    let bundle = json!({"contentFile": FILE_NAME, "contentImage": content_image});
    let bundle = object("compliance.openshift.io/v1alpha1", "ProfileBundle", BUNDLE, "spec", bundle);
    let bindings = benchmark.profiles.iter().map(|profile| {
        let mut binding = object(
            "compliance.openshift.io/v1alpha1",
            "ScanSettingBinding",
            &format!("{BUNDLE}-{}", profile.id),
            "profiles",
            json!([{
                "apiGroup": "compliance.openshift.io/v1alpha1",
                "kind": "Profile",
                "name": format!("{BUNDLE}-{}", profile.id),
            }]),
        );
        binding["settingsRef"] = json!({
            "apiGroup": "compliance.openshift.io/v1alpha1", "kind": "ScanSetting", "name": "default",
        });
        (format!("scansettingbinding-{}.yaml", profile.id), vec![binding])
    });
    let mut all = vec![
        ("profilebundle.yaml".to_owned(), vec![bundle]),
        ("collector-rbac.yaml".to_owned(), collector_rbac(benchmark)),
    ];
    all.extend(bindings);
    all.extend(tailored);
    all
}

/// What the operator's collector has to read for the rules. Which of it the operator may read by itself differs from
/// release to release, so the role has all.
fn collector_rbac(benchmark: &Benchmark) -> Vec<Value> {
    let mut by_group: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let of_rules = benchmark.rules().flat_map(Rule::resources);
    for resource in of_rules.chain(benchmark.platform.resources.clone()) {
        let group = resource.api.split_once('/').map_or("", |(group, _)| group).to_owned();
        by_group.entry(group).or_default().insert(resource.resource);
    }
    let rules: Vec<_> = by_group
        .iter()
        .map(|(group, resources)| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list"]}))
        .collect();
    let name = format!("{BUNDLE}-collector");
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
        "subjects": [{"kind": "ServiceAccount", "name": "api-resource-collector", "namespace": NAMESPACE}],
    });
    vec![role, binding]
}

fn object(api_version: &str, kind: &str, name: &str, field: &str, value: Value) -> Value {
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        field: value,
    })
}
