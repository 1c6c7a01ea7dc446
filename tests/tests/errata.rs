//! The errata of the guide and of ComplianceAsCode: for each claim of `errata.yaml` there are cases that show it. That
//! the cases come out as they say is what the agreement tests are for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::fs;

use serde::Deserialize;
use virtscap_generator::case::Case;
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{BENCHMARK, project, say};

/// The recommendations of the guide that have errata.
const GUIDE: &[&str] = &[
    "1.1", "1.2", "1.3", "1.4", "1.6", "1.7", "1.10", "1.11", "1.12", "1.13", "1.14", "2.1", "2.2", "3.1",
    "3.2", "3.3", "4.1", "4.2", "4.3", "5.1", "6.1", "6.2", "6.3",
];

/// The rules of ComplianceAsCode that have errata, by their short names.
const COMPLIANCE_AS_CODE: &[&str] = &[
    "all HCO rules",
    "no-permitted-host-devices",
    "nonroot",
    "persistent-reservation",
    "downward-metrics",
    "bridge-mac-spoof",
    "localnet-vlan",
    "sriov",
    "VM rules",
    "cpu-vulnerabilities",
    "ksm",
    "disk-error-policy",
    "migration",
    "exec",
    "VNC",
    "instancetypes",
    "CDI",
    "cloning",
    "MNP",
    "TXT",
];

/// How the names of cases begin that were written for an erratum.
const MARKS: &[&str] = &["errata, ", "guide ", "the guide's ", "CAC ", "ComplianceAsCode: "];

/// Where the error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Source {
    #[serde(rename = "guide")]
    Guide,
    ComplianceAsCode,
}

/// An entry of `errata.yaml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Erratum {
    source: Source,
    section: String,
    claim: String,
    #[serde(default)]
    violating: Vec<Shown>,
    #[serde(default)]
    compliant: Vec<Shown>,
    #[serde(default)]
    undecided: Vec<Shown>,
    #[serde(default)]
    text: Vec<Said>,
}

/// A case that shows a claim.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    rule: String,
    case: String,
    /// A part of the line that names what the claim is about.
    offender: Option<String>,
}

/// What a rule says about a claim that no case can show.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    rule: String,
    says: String,
}

fn errata() -> Vec<Erratum> {
    serde_yaml::from_str(&fs::read_to_string(project().join("tests/errata.yaml")).unwrap()).unwrap()
}

fn named(shown: &Shown) -> Option<&'static Case> {
    let rule = BENCHMARK.rules().find(|rule| rule.id == shown.rule)?;
    rule.cases.iter().find(|case| case.name == shown.case)
}

/// The text of a rule's file; none where there is no such rule.
fn rule_file(rule: &str) -> Option<String> {
    let sections = fs::read_dir(project().join("benchmark")).unwrap();
    let mut files = sections.map(|section| section.unwrap().path().join(rule).join("rule.yaml"));
    files.find(|file| file.is_file()).map(|file| fs::read_to_string(file).unwrap())
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong with a case that should show a claim.
fn wrong_case(shown: &Shown, expect: XccdfResult) -> Option<String> {
    let Some(case) = named(shown) else {
        return Some("there is no such case".to_owned());
    };
    if case.expect != expect {
        return Some(format!("expects {} in place of {}", case.expect.as_str(), expect.as_str()));
    }
    let offender = shown.offender.as_ref()?;
    let found = case.offenders.iter().any(|line| line.contains(offender.as_str()));
    (!found).then(|| format!("no offender says \"{offender}\""))
}

/// What is wrong with an entry.
fn wrong(erratum: &Erratum) -> Vec<String> {
    let mut wrong = Vec::new();
    let lists = [
        (&erratum.violating, XccdfResult::Fail),
        (&erratum.compliant, XccdfResult::Pass),
        (&erratum.undecided, XccdfResult::Unknown),
    ];
    for (list, expect) in lists {
        for shown in list {
            let found = wrong_case(shown, expect);
            wrong.extend(found.map(|found| format!("{}, \"{}\": {found}", shown.rule, shown.case)));
        }
    }
    for said in &erratum.text {
        match rule_file(&said.rule) {
            Some(text) if in_one_line(&text).contains(&in_one_line(&said.says)) => {}
            Some(_) => wrong.push(format!("{} does not say \"{}\"", said.rule, said.says)),
            None => wrong.push(format!("there is no rule {}", said.rule)),
        }
    }
    let shown = !erratum.violating.is_empty() || !erratum.compliant.is_empty();
    let said = !erratum.text.is_empty();
    if shown == said {
        wrong.push("either cases show it, or a text says it".to_owned());
    }
    wrong
}

/// The different cases of a list of each claim.
fn different(lists: impl Iterator<Item = &'static Vec<Shown>>) -> BTreeSet<(&'static str, &'static str)> {
    lists.flatten().map(|shown| (shown.rule.as_str(), shown.case.as_str())).collect()
}

#[test]
fn every_claim_is_shown_by_cases() {
    let errata: &'static [Erratum] = errata().leak();
    let violating = different(errata.iter().map(|erratum| &erratum.violating));
    let compliant = different(errata.iter().map(|erratum| &erratum.compliant));
    let undecided = different(errata.iter().map(|erratum| &erratum.undecided));
    let lines: BTreeSet<_> = errata.iter().map(|e| (e.source, e.section.as_str())).collect();
    let expected: BTreeSet<_> = (GUIDE.iter().map(|section| (Source::Guide, *section)))
        .chain(COMPLIANCE_AS_CODE.iter().map(|rule| (Source::ComplianceAsCode, *rule)))
        .collect();

    let mut all_wrong = Vec::new();
    for erratum in errata {
        let place = format!("{:?} {}, \"{}\"", erratum.source, erratum.section, erratum.claim);
        all_wrong.extend(wrong(erratum).into_iter().map(|wrong| format!("{place}: {wrong}")));
    }
    for (source, section) in expected.difference(&lines) {
        all_wrong.push(format!("{source:?} {section}: no claim"));
    }
    for (source, section) in lines.difference(&expected) {
        all_wrong.push(format!("{source:?} {section}: no line of this name is known"));
    }
    for rule in BENCHMARK.rules() {
        for case in rule.cases.iter().filter(|case| MARKS.iter().any(|mark| case.name.starts_with(mark))) {
            let key = (rule.id.as_str(), case.name.as_str());
            if ![&violating, &compliant, &undecided].iter().any(|cases| cases.contains(&key)) {
                all_wrong.push(format!("{}, \"{}\": no claim names this case", rule.id, case.name));
            }
        }
    }

    say(&format!(
        "errata: {} claims of {} lines, {} violating and {} compliant cases",
        errata.len(),
        lines.len(),
        violating.len(),
        compliant.len(),
    ));
    assert!(all_wrong.is_empty(), "{}", all_wrong.join("\n"));
}

/// The guide's patches are no JSON; ours are.
#[test]
fn every_patch_in_a_rule_is_json() {
    let mut patches = 0;
    for rule in BENCHMARK.rules() {
        let text = rule_file(&rule.id).unwrap();
        for patch in text.split("-p '").skip(1) {
            let patch = patch.split('\'').next().unwrap();
            if let Err(error) = serde_json::from_str::<serde_json::Value>(patch) {
                panic!("{}: {error}: {patch}", rule.id);
            }
            patches += 1;
        }
    }
    assert!(patches > 0);
    say(&format!("errata: {patches} patches of the rules are JSON"));
}
