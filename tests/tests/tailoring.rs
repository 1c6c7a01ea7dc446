//! One tailoring in all its forms, the operator's own file included, gives one verdict per rule; stock oscap takes it and
//! agrees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use virtscap_evaluator::scan::{Prepared, Request, scan};
use virtscap_evaluator::source::Snapshot;
use virtscap_generator::datastream::{profile_id, rule_id, value_id};
use virtscap_generator::tailor::{
    Action, BUNDLE, Catalog, RuleChoice, Tailored, ValueChoice, from_manifest, from_xccdf,
};
use virtscap_scap::xccdf::{Tailoring, XccdfResult};
use virtscap_tests::{READ_BACK, oscap, project, say};

const PROFILE: &str = "xccdf_compliance.openshift.io_profile_acme";
const TIME: &str = "2026-01-01T00:00:00Z";

fn catalog() -> Catalog<'static> {
    Catalog::of(READ_BACK.collection()).unwrap()
}

/// Level 1 with every kind of change: some of them next to each other, which oscap 1.3.7 can trip over.
fn tailored() -> Tailored {
    let rule =
        |name: &str, action| RuleChoice { rule: rule_id(name), action, rationale: "why & how".to_owned() };
    let value = |name: &str, value: &str| ValueChoice {
        id: value_id(name),
        value: value.to_owned(),
        rationale: "approved by <us>".to_owned(),
    };
    Tailored {
        name: "acme".to_owned(),
        extends: Some(profile_id("level-1")),
        title: "Acme".to_owned(),
        description: "Level 1 as Acme wants it".to_owned(),
        rules: vec![
            rule("vm-shareable-disks", Action::Enable),
            rule("hco-ksm", Action::Disable),
            rule("hco-nonroot", Action::Disable),
            rule("kubevirt-nonroot", Action::Disable),
            rule("rbac-vnc", Action::Manual),
        ],
        values: vec![
            value("var_approved_vm_devices", ".*"),
            value("var_approved_host_devices", ".*"),
            value("var_pod_exec_subjects", ".*"),
        ],
    }
}

/// The file that the operator makes of a TailoredProfile (`pkg/xccdf/tailoring.go`): every group comes first, manual
/// rules are merely selected, and nothing says why.
fn of_the_operator(tailored: &Tailored) -> String {
    let mut xml = r#"<?xml version="1.0" encoding="UTF-8"?>
<xccdf-1.2:Tailoring xmlns:xccdf-1.2="http://checklists.nist.gov/xccdf/1.2" id="xccdf_compliance.openshift.io_tailoring_acme">
  <xccdf-1.2:benchmark href="/content/ssg-ocp-virt-ds.xml"></xccdf-1.2:benchmark>
  <xccdf-1.2:version time="2026-11-25T03:00:00Z">1</xccdf-1.2:version>
  <xccdf-1.2:Profile id="xccdf_compliance.openshift.io_profile_acme" extends="xccdf_org.ssgproject.content_profile_level-1">
    <xccdf-1.2:title override="true">Acme</xccdf-1.2:title>
"#
    .to_owned();
    let mut select = |id: &str, selected: bool| {
        xml.push_str(&format!(
            "    <xccdf-1.2:select idref=\"{id}\" selected=\"{selected}\"></xccdf-1.2:select>\n"
        ));
    };
    for item in &READ_BACK.checklist().unwrap().benchmark.items {
        if let virtscap_scap::xccdf::Item::Group(group) = item {
            select(group.id.as_str(), true);
        }
    }
    for choice in &tailored.rules {
        select(choice.rule.as_str(), choice.action != Action::Disable);
    }
    for choice in &tailored.values {
        let (id, value) = (&choice.id, &choice.value);
        xml.push_str(&format!("    <xccdf-1.2:set-value idref=\"{id}\">{value}</xccdf-1.2:set-value>\n"));
    }
    xml + "  </xccdf-1.2:Profile>\n</xccdf-1.2:Tailoring>"
}

fn neglected() -> Snapshot {
    Snapshot::open(&project().join("tests/snapshots/neglected")).unwrap()
}

fn verdicts(tailoring: &Tailoring) -> BTreeMap<String, XccdfResult> {
    let request =
        Request { content: &READ_BACK, tailoring: Some((tailoring, "tailoring.xml")), profile: None };
    let report = scan(&request, &neglected()).unwrap().report;
    report.rules.into_iter().map(|rule| (rule.xccdf_id, rule.result)).collect()
}

#[test]
fn every_form_gives_the_same_verdicts() {
    let tailored = tailored();
    tailored.check(&catalog()).unwrap();
    let expected = verdicts(&tailored.to_xccdf(TIME));
    let result = |name: &str| expected.get(rule_id(name).as_str()).copied();
    assert_eq!(result("vm-shareable-disks"), Some(XccdfResult::Fail));
    assert_eq!(result("hco-ksm"), None);
    assert_eq!(result("rbac-vnc"), Some(XccdfResult::NotChecked));
    assert_eq!(result("vm-host-devices"), Some(XccdfResult::Pass));
    assert_eq!(result("rbac-pod-exec"), Some(XccdfResult::Pass));
    assert_eq!(result("rbac-migration"), Some(XccdfResult::Fail));
    for bundle in [BUNDLE, "renamed"] {
        let (read, _) = from_manifest(&tailored.to_manifest(bundle).unwrap(), &catalog()).unwrap();
        assert_eq!(verdicts(&read.to_xccdf(TIME)), expected);
    }
    let of_the_operator = Tailoring::read(&of_the_operator(&tailored)).unwrap();
    let mut evaluated = verdicts(&of_the_operator);
    // Of a manual rule the operator throws the verdict away.
    assert_eq!(
        evaluated.insert(rule_id("rbac-vnc").to_string(), XccdfResult::NotChecked),
        Some(XccdfResult::Fail)
    );
    assert_eq!(evaluated, expected);
    // The file says nothing of what was manual or why.
    let mut read = from_xccdf(&of_the_operator, None, &catalog()).unwrap();
    assert!(read.check(&catalog()).unwrap_err().to_string().contains("hco-ksm: a rationale is missing"));
    read.rules.iter_mut().for_each(|choice| choice.rationale = "why & how".to_owned());
    assert_eq!((read.name.as_str(), read.rules.len()), ("acme", tailored.rules.len()));
}

#[test]
fn oscap_accepts_a_tailoring_and_agrees() {
    if !oscap::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let datastream = folder.path().join("ds.xml");
    std::fs::write(&datastream, READ_BACK.xml()).unwrap();
    let tailored = tailored();
    let ours = tailored.to_xccdf(TIME).write(datastream.to_str().unwrap());
    for (name, xml) in [("ours.xml", ours), ("operator.xml", of_the_operator(&tailored))] {
        let file = folder.path().join(name);
        std::fs::write(&file, &xml).unwrap();
        // oscap 1.3.7 has no Schematron rules for tailorings, and fails over that.
        let output = oscap::run(&["xccdf", "validate", "--skip-schematron", file.to_str().unwrap()], None);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tailoring = Tailoring::read(&xml).unwrap();
        let probe_root = folder.path().join(name.replace(".xml", ""));
        let request =
            Request { content: &READ_BACK, tailoring: Some((&tailoring, "tailoring.xml")), profile: None };
        let dump = Prepared::new(&request).unwrap().collect(&neglected());
        dump.write_to(&probe_root.join("kubernetes-api-resources")).unwrap();
        let evaluation = oscap::evaluate(&oscap::Request {
            datastream: &datastream,
            profile: PROFILE,
            tailoring: Some(&file),
            rule: None,
            probe_root: &probe_root,
        });
        assert_eq!(evaluation.results, verdicts(&tailoring), "{name}");
        say(&format!("tailored, {name}: {} verdicts as in oscap", evaluation.results.len()));
    }
}
