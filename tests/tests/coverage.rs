//! Every recommendation of the guide, and every statement of the chapter on security policies that can be checked, has a
//! rule that a scanner runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use virtscap_generator::model::Scope;
use virtscap_tests::{BENCHMARK, say};

/// The recommendations of the guide, with their levels.
const GUIDE: [(&str, u8); 26] = [
    ("1.1", 1),
    ("1.2", 1),
    ("1.3", 1),
    ("1.4", 1),
    ("1.5", 1),
    ("1.6", 1),
    ("1.7", 2),
    ("1.8", 1),
    ("1.9", 1),
    ("1.10", 1),
    ("1.11", 1),
    ("1.12", 1),
    ("1.13", 1),
    ("1.14", 1),
    ("2.1", 1),
    ("2.2", 1),
    ("3.1", 1),
    ("3.2", 1),
    ("3.3", 1),
    ("4.1", 2),
    ("4.2", 1),
    ("4.3", 2),
    ("5.1", 1),
    ("6.1", 1),
    ("6.2", 1),
    ("6.3", 1),
];
/// The statements of the chapter, as sections.
const CHAPTER: [&str; 4] = ["7.1", "7.2", "7.3", "7.4"];

#[test]
fn every_recommendation_is_automated() {
    let mut levels: BTreeMap<&str, BTreeSet<Option<u8>>> = BTreeMap::new();
    for rule in BENCHMARK.rules() {
        assert!(!rule.check.is_empty(), "{} checks nothing", rule.id);
        levels.entry(&rule.section).or_default().insert(rule.level);
    }
    for (section, level) in GUIDE {
        assert_eq!(levels.remove(section), Some(BTreeSet::from([Some(level)])), "{section}");
    }
    for section in CHAPTER {
        assert_eq!(levels.remove(section), Some(BTreeSet::from([None])), "{section}");
    }
    assert!(levels.is_empty(), "the guide has no {levels:?}");
    say(&format!("all of {} recommendations and {} statements have rules", GUIDE.len(), CHAPTER.len()));
}

#[test]
fn every_rule_is_in_a_profile_of_its_scope_and_level() {
    let of = |profile: &str| {
        let profile = BENCHMARK.profiles.iter().find(|p| p.id == profile).unwrap();
        BENCHMARK.rules().filter(|rule| profile.selects(rule)).map(|rule| &rule.id).collect::<BTreeSet<_>>()
    };
    for rule in BENCHMARK.rules() {
        let suffix = if rule.scope() == Scope::Node { "-node" } else { "" };
        let expected = match rule.level {
            Some(1) => [true, true, false],
            Some(2) => [false, true, false],
            _ => [false, false, true],
        };
        let profiles = ["level-1", "level-2", "security-policies"].map(|p| format!("{p}{suffix}"));
        for (profile, expected) in profiles.iter().zip(expected) {
            assert_eq!(of(profile).contains(&rule.id), expected, "{} in {profile}", rule.id);
        }
        let selecting = BENCHMARK.profiles.iter().filter(|profile| profile.selects(rule)).count();
        assert_eq!(selecting, expected.iter().filter(|e| **e).count(), "{}", rule.id);
    }
}
