//! The two snapshots and the two recorded nodes: the hardened ones pass everything, and of the neglected ones every
//! planted offender is named, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use serde::Deserialize;
use virtscap_evaluator::report::Report;
use virtscap_evaluator::scan::{Request, scan, scan_node};
use virtscap_evaluator::source::{RecordedNode, Snapshot};
use virtscap_generator::model::{Profile, Scope};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{BENCHMARK, READ_BACK, project, say};

/// An entry of `planted.yaml`.
#[derive(Debug, Deserialize)]
struct Planted {
    object: String,
    /// What identifies the part, such as the disk's name.
    what: String,
}

fn platform_profiles() -> impl Iterator<Item = &'static Profile> {
    BENCHMARK.profiles.iter().filter(|profile| profile.scope == Scope::Platform)
}

fn report(snapshot: &str, profile: &str) -> Report {
    let source = Snapshot::open(&project().join("tests/snapshots").join(snapshot)).unwrap();
    let request = Request { content: &READ_BACK, tailoring: None, profile: Some(profile) };
    scan(&request, &source).unwrap().report
}

fn planted(folder: &str) -> BTreeMap<String, Vec<Planted>> {
    let path = project().join(folder).join("planted.yaml");
    let all: BTreeMap<String, serde_json::Value> =
        serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let rules = all.into_iter().filter(|(key, _)| key != "later");
    rules.map(|(rule, entries)| (rule, serde_json::from_value(entries).unwrap())).collect()
}

/// Asserts that a report names what was planted for its rules, and nothing else.
fn all_named(report: &Report, profile: &str, planted: &BTreeMap<String, Vec<Planted>>) {
    assert!(!report.passed);
    let mut named = 0;
    for rule in &report.rules {
        assert_eq!(rule.result, XccdfResult::Fail, "{profile}: {rule:?}");
        let mut expected: Vec<_> = planted[&rule.id].iter().collect();
        for offender in &rule.offenders {
            let found = expected
                .iter()
                .position(|p| p.object == offender.object && offender.detail.contains(&p.what));
            let Some(found) = found else {
                panic!("{}: {offender:?} was not planted", rule.id);
            };
            expected.swap_remove(found);
            named += 1;
        }
        assert!(expected.is_empty(), "{}: not named: {expected:?}", rule.id);
    }
    say(&format!("neglected, {profile}: {named} planted offenders of {} rules named", report.rules.len()));
}

#[test]
fn the_hardened_cluster_passes_everything() {
    for profile in platform_profiles() {
        let report = report("hardened", &profile.id);
        let selected = BENCHMARK.rules().filter(|rule| profile.selects(rule)).count();
        assert_eq!(report.rules.len(), selected);
        for rule in &report.rules {
            assert_eq!(rule.result, XccdfResult::Pass, "{}: {rule:?}", profile.id);
        }
        assert!(report.passed);
    }
}

#[test]
fn every_planted_offender_is_named_and_nothing_else() {
    let planted = planted("tests/snapshots/neglected");
    for profile in platform_profiles() {
        all_named(&report("neglected", &profile.id), &profile.id, &planted);
    }
}

fn node_profiles() -> impl Iterator<Item = &'static Profile> {
    BENCHMARK.profiles.iter().filter(|profile| profile.scope == Scope::Node)
}

fn node_report(node: &str, profile: &str) -> Report {
    let node = RecordedNode::open(&project().join("tests/nodes").join(node)).unwrap();
    let request = Request { content: &READ_BACK, tailoring: None, profile: Some(profile) };
    scan_node(&request, &node).unwrap().report
}

#[test]
fn the_hardened_node_passes_everything() {
    for profile in node_profiles() {
        let report = node_report("hardened", &profile.id);
        for rule in &report.rules {
            assert_eq!(rule.result, XccdfResult::Pass, "{}: {rule:?}", profile.id);
        }
        assert!(report.passed);
    }
}

#[test]
fn every_planted_offender_on_a_node_is_named_and_nothing_else() {
    let planted = planted("tests/nodes/neglected");
    for profile in node_profiles() {
        all_named(&node_report("neglected", &profile.id), &profile.id, &planted);
    }
}
