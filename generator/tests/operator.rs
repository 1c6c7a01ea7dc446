//! What is made for the Compliance Operator of this repository's benchmark.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use virtscap_generator::artifacts::{CONTENT_IMAGE, artifacts};
use virtscap_generator::load::load;
use virtscap_scap::datastream::{ComponentContent, DataStreamCollection};
use virtscap_scap::namespace::KUBERNETES_FIX;

fn built() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let benchmark = load(&folder).unwrap_or_else(|e| panic!("{e}"));
    artifacts(&benchmark, CONTENT_IMAGE).unwrap()
}

fn documents(text: &str) -> Vec<Value> {
    let documents = text.split("---\n").filter(|text| text.lines().any(|line| !line.starts_with('#')));
    documents.map(|text| serde_yaml::from_str(text).unwrap()).collect()
}

/// The manifests, with the objects in each. The CustomRules are a folder of their own, applied whole.
fn manifests(built: &BTreeMap<String, String>) -> BTreeMap<&str, Vec<Value>> {
    let files = built.iter().filter_map(|(path, text)| Some((path.strip_prefix("operator/")?, text)));
    let files = files.filter(|(name, _)| !name.contains('/'));
    files.map(|(name, text)| (name, documents(text))).collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// Rules with a fix, and the objects in it.
fn fixes(built: &BTreeMap<String, String>) -> Vec<(String, String, Vec<Value>)> {
    let stream = DataStreamCollection::read(&built["ssg-ocp-virt-ds.xml"]).unwrap();
    let benchmark = stream.components.iter().find_map(|component| match &component.content {
        ComponentContent::Benchmark(benchmark) => Some(benchmark),
        _ => None,
    });
    let mut fixes = Vec::new();
    benchmark.unwrap().for_each_rule(&mut |_, rule| {
        assert!(rule.fixes.len() <= 1, "the operator takes the first fix only: {}", rule.id);
        for fix in &rule.fixes {
            assert_eq!(fix.system, KUBERNETES_FIX);
            fixes.push((rule.id.short_name().to_owned(), fix.id.clone().unwrap(), documents(&fix.content)));
        }
    });
    fixes
}

#[test]
fn the_kustomization_names_what_is_there() {
    let built = built();
    let manifests = manifests(&built);
    let applied = texts(&manifests["kustomization.yaml"][0]["resources"]);
    let by_hand: Vec<_> =
        built["operator/kustomization.yaml"].lines().filter_map(|line| line.strip_prefix("# - ")).collect();
    let mut named: Vec<_> = applied.iter().chain(&by_hand).copied().chain(["kustomization.yaml"]).collect();
    named.sort_unstable();
    assert_eq!(named, manifests.keys().copied().collect::<Vec<_>>());
    // A role before what needs it, the content before what refers to it.
    let order =
        ["collector-rbac.yaml", "profilebundle.yaml", "scansetting.yaml", "scansettingbinding-level-1.yaml"];
    assert_eq!(applied, order);
}

#[test]
fn every_fix_is_what_the_operator_reads() {
    let built = built();
    let fixes = fixes(&built);
    assert!(!fixes.is_empty());
    for (rule, id, objects) in &fixes {
        assert_eq!(*id, id.to_lowercase(), "{rule}");
        assert!(!objects.is_empty(), "{rule}");
        for object in objects {
            for field in ["/apiVersion", "/kind", "/metadata/name"] {
                assert!(object.pointer(field).is_some_and(Value::is_string), "{rule}: {field}");
            }
            assert!(!object.to_string().contains("null"), "{rule}");
        }
    }
    let named: BTreeSet<_> = fixes.iter().map(|(_, id, _)| id).collect();
    assert_eq!(named.len(), fixes.len());
}

/// The operator may write objects for pools of nodes by itself; of all others exactly those that fixes name.
#[test]
fn the_role_for_remediations_is_what_the_fixes_need() {
    let built = built();
    let role = &manifests(&built)["remediation-rbac.yaml"][0];
    let mut allowed = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        assert_eq!(texts(&rule["verbs"]), ["get", "patch"]);
        for name in texts(&rule["resourceNames"]) {
            allowed.insert((texts(&rule["apiGroups"])[0].to_owned(), name.to_owned()));
        }
    }
    let fixes = fixes(&built);
    let objects = fixes.iter().flat_map(|(_, _, objects)| objects);
    let needed: BTreeSet<_> = objects
        .map(|object| {
            let (group, _) = object["apiVersion"].as_str().unwrap().split_once('/').unwrap();
            (group.to_owned(), object["metadata"]["name"].as_str().unwrap().to_owned())
        })
        .filter(|(group, _)| group != "machineconfiguration.openshift.io")
        .collect();
    assert_eq!(allowed, needed);
}

#[test]
fn every_profile_is_bound_once_and_can_be_tailored() {
    let built = built();
    let manifests = manifests(&built);
    let of_kind = |kind: &str| {
        let all = manifests.values().flatten().filter(|object| object["kind"] == kind);
        all.cloned().collect::<Vec<_>>()
    };
    let bindings = of_kind("ScanSettingBinding");
    let mut bound: Vec<_> = bindings
        .iter()
        .flat_map(|binding| binding["profiles"].as_array().unwrap())
        .map(|profile| profile["name"].as_str().unwrap())
        .collect();
    bound.sort_unstable();
    let tailored = of_kind("TailoredProfile");
    let mut extended: Vec<_> =
        tailored.iter().map(|profile| profile["spec"]["extends"].as_str().unwrap()).collect();
    extended.sort_unstable();
    assert_eq!(bound, extended);
    for level in ["level-1", "level-2", "security-policies"] {
        let binding = &manifests[format!("scansettingbinding-{level}.yaml").as_str()][0];
        let profiles: Vec<_> = binding["profiles"].as_array().unwrap().iter().map(|p| &p["name"]).collect();
        assert_eq!(profiles, [&format!("ocp-virt-{level}"), &format!("ocp-virt-{level}-node")]);
        assert_eq!(binding["settingsRef"]["name"], of_kind("ScanSetting")[0]["metadata"]["name"]);
    }
    for profile in &tailored {
        let name = |value: &Value| value.as_str().unwrap().ends_with("-node");
        assert_eq!(name(&profile["metadata"]["name"]), name(&profile["spec"]["extends"]), "{profile}");
        let values = profile["spec"]["setValues"].as_array().cloned().unwrap_or_default();
        assert!(values.iter().all(|value| value["rationale"].is_string()), "{profile}");
    }
}
