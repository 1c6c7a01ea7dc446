//! The two snapshots: the hardened one passes everything, and of the neglected one every planted offender is named,
//! and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use serde::Deserialize;
use virtscap_evaluator::report::Report;
use virtscap_evaluator::scan::{Request, scan};
use virtscap_evaluator::source::Snapshot;
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

fn planted() -> BTreeMap<String, Vec<Planted>> {
    let path = project().join("tests/snapshots/neglected/planted.yaml");
    let all: BTreeMap<String, serde_json::Value> =
        serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let rules = all.into_iter().filter(|(key, _)| key != "later");
    rules.map(|(rule, entries)| (rule, serde_json::from_value(entries).unwrap())).collect()
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
    let planted = planted();
    for profile in platform_profiles() {
        let report = report("neglected", &profile.id);
        assert!(!report.passed);
        let mut named = 0;
        for rule in &report.rules {
            assert_eq!(rule.result, XccdfResult::Fail, "{}: {rule:?}", profile.id);
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
        say(&format!(
            "neglected, {}: {named} planted offenders of {} rules named",
            profile.id,
            report.rules.len()
        ));
    }
}
