//! Manifests: they are judged as they stand, and what is not among them decides nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};

use serde_json::json;
use virtscap_evaluator::source::{Manifests, Snapshot};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::gathered::{Verdicts, copied, damage, files_below, judge, lists};
use virtscap_tests::{in_parallel, project};

const DISKS: &str = "vm-shareable-disks";

fn manifests(documents: &[(&str, &str)]) -> Result<Verdicts, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in documents {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let manifests = Manifests::open(&[folder.path().to_owned()], &mut std::io::empty());
    manifests.map(|manifests| judge(&manifests)).map_err(|e| e.to_string())
}

const GOOD: &str = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: a}\nspec: {template: {spec: {domain: {devices: {disks: [{name: root}]}}}}}\n";
const BAD: &str = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: b, namespace: lab}\nspec: {template: {spec: {domain: {devices: {disks: [{name: q, shareable: true}]}}}}}\n";
const HCO: &str = "apiVersion: hco.kubevirt.io/v1beta1\nkind: HyperConverged\nmetadata: {name: kubevirt-hyperconverged, namespace: openshift-cnv}\nspec: {}\n";

#[test]
fn manifests_are_judged_as_they_stand() {
    let (pass, fail, open, unknown) =
        (XccdfResult::Pass, XccdfResult::Fail, XccdfResult::NotChecked, XccdfResult::Unknown);
    let two = format!("# first\n---\n{GOOD}---\n# nothing\n---\n{BAD}");
    let listed = format!("apiVersion: v1\nkind: List\nitems:\n- {}", BAD.trim_end().replace('\n', "\n  "));
    let typed = listed
        .replace("v1\nkind: List", "kubevirt.io/v1\nkind: VirtualMachineList")
        .replace("- apiVersion: kubevirt.io/v1\n  kind: VirtualMachine\n  meta", "- meta");
    let generated = BAD.replace("name: b,", "generateName: b-,");
    let traps = BAD.replace("shareable: true", "shareable: yes");
    let old = GOOD.replace("kubevirt.io/v1", "kubevirt.io/v1alpha3");
    let gate = HCO.replace("spec: {}", "spec: {ksmConfiguration: {nodeLabelSelector: {}}}");
    let sriov = "apiVersion: sriovnetwork.openshift.io/v2\nkind: OVSNetwork\nmetadata: {name: x}\nspec: {}\n";
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str, XccdfResult, &'a [&'a str]);
    let cases: Vec<Case<'_>> = vec![
        ("good", vec![("a.yaml", GOOD)], DISKS, pass, &[]),
        ("bad", vec![("x/a.yml", BAD)], DISKS, fail, &["lab/b"]),
        ("several documents", vec![("a.yaml", &two)], DISKS, fail, &["lab/b"]),
        ("a list", vec![("a.yaml", &listed)], DISKS, fail, &["lab/b"]),
        ("a typed list", vec![("a.yaml", &typed)], DISKS, fail, &["lab/b"]),
        ("a generated name", vec![("a.yaml", &generated)], DISKS, fail, &["lab/b-*"]),
        ("yes is a text in YAML 1.2", vec![("a.yaml", &traps)], DISKS, pass, &[]),
        ("twice", vec![("a.yaml", BAD), ("b.yaml", BAD)], DISKS, fail, &["lab/b"]),
        (
            "skipped beside it",
            vec![("a.yaml", GOOD), ("values.yaml", "a: 1\n"), ("b.yaml", "# x\n")],
            DISKS,
            pass,
            &[],
        ),
        ("nothing beside it", vec![("a.yaml", GOOD), ("b.yaml", "\n")], DISKS, unknown, &[]),
        ("none of the kind", vec![("a.yaml", HCO)], DISKS, open, &[]),
        (
            "a template beside it",
            vec![("a.yaml", GOOD), ("t.yaml", "a: {{ .x }}\n b\n")],
            DISKS,
            unknown,
            &[],
        ),
        (
            "a template beside an offender",
            vec![("a.yaml", BAD), ("t.yaml", "a: {{ .x }}\n b\n")],
            DISKS,
            fail,
            &["lab/b"],
        ),
        ("a version that nobody reads", vec![("a.yaml", &old)], DISKS, open, &[]),
        ("one version of two", vec![("a.yaml", HCO)], "hco-ksm", pass, &[]),
        (
            "one version of two, and it offends",
            vec![("a.yaml", &gate)],
            "hco-ksm",
            fail,
            &["openshift-cnv/kubevirt-hyperconverged"],
        ),
        ("optional, in a version that nobody reads", vec![("a.yaml", sriov)], "net-vlan-ovn", open, &[]),
        ("joined resources are not there", vec![("a.yaml", GOOD)], "vm-host-devices", open, &[]),
        (
            "a list without items",
            vec![("a.yaml", GOOD), ("l.yaml", "apiVersion: v1\nkind: List\n")],
            DISKS,
            unknown,
            &[],
        ),
    ];
    for (name, files, rule, result, objects) in cases {
        let verdict = &manifests(&files).unwrap()[rule];
        assert_eq!(verdict.result, result, "{name}: {verdict:?}");
        let named: Vec<_> = verdict.offenders.iter().map(|o| o.split(": ").next().unwrap()).collect();
        assert_eq!(named, objects, "{name}");
    }
    for files in [vec![("values.yaml", "a: 1\n")], vec![]] {
        assert!(manifests(&files).unwrap_err().contains("no Kubernetes object"));
    }
    assert!(Manifests::open(&[PathBuf::from("/not/there")], &mut std::io::empty()).is_err());
    let piped = Manifests::open(&[PathBuf::from("-")], &mut BAD.as_bytes()).unwrap();
    assert_eq!(judge(&piped)[DISKS].result, XccdfResult::Fail);
}

/// The same objects as the snapshots have, as manifests: no rule fails that the hardened cluster passes, every rule that
/// the neglected one fails does so, with the same offenders, and damage makes no pass.
#[test]
fn whole_clusters_as_manifests() {
    let write = |snapshot: &str, folder: &Path| {
        for ([group, version, resource], objects) in lists(snapshot) {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            std::fs::write(folder.join(format!("{resource}.{version}.{group}.json")), list.to_string())
                .unwrap();
        }
    };
    let open = |folder: &Path| judge(&Manifests::open(&[folder.to_owned()], &mut std::io::empty()).unwrap());
    let (hardened, neglected) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write("hardened", hardened.path());
    write("neglected", neglected.path());
    let plain = judge(&Snapshot::open(&project().join("tests/snapshots/neglected")).unwrap());
    let before = open(hardened.path());
    for (rule, verdict) in &before {
        assert!(matches!(verdict.result, XccdfResult::Pass | XccdfResult::NotChecked), "{rule}: {verdict:?}");
    }
    for (rule, verdict) in open(neglected.path()) {
        assert_eq!(verdict.offenders, plain[&rule].offenders, "{rule}: {verdict:?}");
    }
    let files = files_below(hardened.path());
    in_parallel(&files, |file| {
        let (folder, elsewhere) = (copied(hardened.path()), tempfile::tempdir().unwrap());
        damage(&folder.path().join(file.file_name().unwrap()), "cut in half", elsewhere.path());
        for (rule, verdict) in open(folder.path()) {
            let place = format!("{rule}, {}: {verdict:?}", file.display());
            assert!(matches!(verdict.result, XccdfResult::Unknown | XccdfResult::NotChecked), "{place}");
        }
    });
}
