//! The CEL form of every platform rule gives on every case the verdict that the case expects, so far as CEL can say it:
//! where a case is undecided, the form does not pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../generator/tests/expr_agreement/engines/cel.rs"]
mod engine;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::{Map, Value, json};
use virtscap_generator::case::Case;
use virtscap_generator::cel_content::{bundle, custom_rules, defaults, rules, tailored_profiles};
use virtscap_generator::model::{Leg, Rule, Scope};
use virtscap_tests::cel_form::{self, Asked, Said, asked};
use virtscap_tests::{BENCHMARK, cases, in_parallel, platform_rules, say};

fn said(leg: &Leg, case: &Case) -> Said {
    let (form, inputs) = match asked(leg, case) {
        Asked::Decided(said) => return said,
        Asked::Form(form, inputs) => (form, inputs),
    };
    let mut variables = Map::new();
    for (input, items) in inputs {
        let Some(items) = items else { return Said::Error };
        variables.insert(input.name, json!({"items": items}));
    }
    match engine::evaluate(&form.expression, &variables) {
        Ok(Value::Bool(true)) => Said::Pass,
        Ok(Value::Bool(false)) => Said::Fail,
        Ok(other) => panic!("{other} from {}", form.expression),
        Err(_) => Said::Error,
    }
}

/// What is wrong with what the form says of a case.
fn difference(rule: &Rule, case: &Case) -> Option<String> {
    let legs: Vec<_> = rule.check.iter().map(|leg| said(leg, case)).collect();
    cel_form::difference(rule, case, &legs)
}

#[test]
fn the_cel_form_says_the_same() {
    let differences = Mutex::new(Vec::new());
    let cases = cases(Scope::Platform);
    in_parallel(&cases, |(rule, case)| {
        differences.lock().unwrap().extend(difference(rule, case));
    });
    let differences = differences.into_inner().unwrap();
    let deviating = cases.iter().filter(|(_, case)| case.cel.is_some()).count();
    let agree = cases.len() - differences.len();
    let rules = platform_rules().count();
    say(&format!(
        "CEL: {agree} of {} cases of {rules} rules as expected, {deviating} of them by an error or a fail for a pass",
        cases.len()
    ));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_operator_can_use_the_content() {
    let defaults = defaults(&BENCHMARK);
    let all = rules(&BENCHMARK, &defaults, &|_| true).unwrap();
    let names: BTreeSet<_> = all.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "two CEL rules of one name");
    for rule in &all {
        // Names of results are made of this one and the scan's.
        assert!(rule.name.len() <= 150, "{} is too long", rule.name);
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(rule.name.chars().all(plain), "{}", rule.name);
        assert_eq!(rule.id().replace('_', "-"), rule.name);
        let inputs: BTreeMap<_, _> =
            rule.form.inputs.iter().map(|input| (&input.name, &input.resource)).collect();
        assert_eq!(inputs.len(), rule.form.inputs.len(), "{}: two inputs of one name", rule.name);
        cel::Program::compile(&rule.form.expression).unwrap_or_else(|e| panic!("{}: {e}", rule.name));
    }
    let parts = |rule: &Rule| all.iter().filter(|part| part.rule.id == rule.id).count();
    for rule in platform_rules() {
        assert!(parts(rule) > 0, "{} has no form in CEL", rule.id);
    }

    let bundle = bundle(&BENCHMARK, &defaults, &|_| true).unwrap();
    for profile in bundle["profiles"].as_array().unwrap() {
        for rule in profile["rules"].as_array().unwrap() {
            assert!(names.contains(rule.as_str().unwrap()), "{rule} is no rule");
        }
    }
    let files = custom_rules(&BENCHMARK, &defaults, &|_| true).unwrap();
    assert_eq!(files.iter().map(|(_, documents)| documents.len()).sum::<usize>(), all.len());
    let tailored = tailored_profiles(&BENCHMARK, &defaults, &|_| true).unwrap();
    assert_eq!(tailored.len(), bundle["profiles"].as_array().unwrap().len());
}

#[test]
fn content_takes_values_and_a_selection() {
    let rule = platform_rules().find(|rule| !rule.values().is_empty()).unwrap();
    let only = |other: &Rule| other.id == rule.id;
    let content = bundle(&BENCHMARK, &|_| "acme\\.com/gpu".to_owned(), &only).unwrap();
    for part in content["rules"].as_array().unwrap() {
        assert!(part["id"].as_str().unwrap().contains(&rule.id.replace('-', "_")));
    }
    assert!(content.to_string().contains("acme"), "the value is not in the content");
    let error = bundle(&BENCHMARK, &|_| "(".to_owned(), &only).unwrap_err();
    assert_eq!(error.rule, rule.id);
}
