//! Which scans the operator does, and how.

use serde_json::json;

use super::{API, BUNDLE, Manifest, object};
use crate::model::{Benchmark, Profile, Scope};

/// What ids of profiles for nodes end with, and names by which the operator knows tailored ones.
const NODE: &str = "-node";

/// How scans run: as with the operator's own `default`, which somebody may have changed for other content.
pub(super) fn setting() -> Manifest {
    let unless = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    let setting = json!({
        "roles": ["master", "worker"],
        "schedule": "0 1 * * *",
        "scanTolerations": [{"operator": "Exists"}],
        "autoApplyRemediations": false,
        "autoUpdateRemediations": false,
        "strictNodeScan": true,
        "rawResultStorage": {
            "size": "1Gi",
            "rotation": 3,
            "pvAccessModes": ["ReadWriteOnce"],
            "nodeSelector": {"node-role.kubernetes.io/master": ""},
            "tolerations": [
                {"key": "node-role.kubernetes.io/master", "operator": "Exists", "effect": "NoSchedule"},
                unless("node.kubernetes.io/not-ready"),
                unless("node.kubernetes.io/unreachable"),
                {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
            ],
        },
    });
    let about = "When and where scans run, and what is kept of them. Name the roles of your pools under `roles`. With\n\
                 `autoApplyRemediations` the operator would change the cluster, and restart nodes, by itself.";
    Manifest::new("scansetting.yaml", about, vec![object("ScanSetting", BUNDLE, setting)])
}

/// A binding per profile; one for nodes shares that of the platform profile that it completes.
pub(super) fn bindings(benchmark: &Benchmark) -> Vec<Manifest> {
    let profiles = &benchmark.profiles;
    let completes = |node: &Profile, other: &Profile| {
        node.scope == Scope::Node && other.scope == Scope::Platform && stem(node) == other.id
    };
    let first = profiles.iter().filter(|profile| !profiles.iter().any(|other| completes(profile, other)));
    let binding = |profile: &Profile| {
        let together = profiles.iter().filter(|other| other.id == profile.id || completes(other, profile));
        let references: Vec<_> = together
            .map(|profile| {
                json!({"apiGroup": API, "kind": "Profile", "name": format!("{BUNDLE}-{}", profile.id)})
            })
            .collect();
        let rest = json!({
            "profiles": references,
            "settingsRef": {"apiGroup": API, "kind": "ScanSetting", "name": BUNDLE},
        });
        let binding = object("ScanSettingBinding", &format!("{BUNDLE}-{}", profile.id), rest);
        let about = format!("Scans with {}.", profile.id);
        Manifest::new(format!("scansettingbinding-{}.yaml", profile.id), about, vec![binding])
    };
    first.map(binding).collect()
}

/// A tailored profile to start from per profile. Rules of nodes and of the platform cannot be in one.
pub(super) fn tailored(benchmark: &Benchmark) -> Vec<Manifest> {
    let tailored = benchmark.profiles.iter().map(|profile| {
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
        let mut spec = json!({
            "extends": format!("{BUNDLE}-{}", profile.id),
            "title": format!("{}, tailored", profile.title),
            "description": format!("Start here to set values or to leave rules of {} out.", profile.id),
        });
        if !values.is_empty() {
            spec["setValues"] = json!(values);
        }
        // What tells the operator the kind is the end of the name.
        let name = match profile.scope {
            Scope::Platform => format!("{BUNDLE}-{}-tailored", profile.id),
            Scope::Node => format!("{BUNDLE}-{}-tailored{NODE}", stem(profile)),
        };
        let about = format!(
            "To set values or to leave rules of {} out. A binding names it in place of the profile, with the kind\n\
             TailoredProfile.",
            profile.id
        );
        let object = object("TailoredProfile", &name, json!({"spec": spec}));
        Manifest::new(format!("tailoredprofile-{}.yaml", profile.id), about, vec![object])
    });
    tailored.collect()
}

/// What a profile for nodes is called without that.
fn stem(profile: &Profile) -> &str {
    profile.id.strip_suffix(NODE).unwrap_or(&profile.id)
}
