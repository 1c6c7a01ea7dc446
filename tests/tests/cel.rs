//! The CEL form of every platform rule gives on every case the verdict that the case expects, so far as CEL can say it:
//! where a case is undecided, the form does not pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../generator/tests/expr_agreement/engines/cel.rs"]
mod engine;

use std::sync::Mutex;

use serde_json::{Map, Value, json};
use virtscap_generator::case::Case;
use virtscap_generator::model::{Leg, Rule, Scope};
use virtscap_tests::cel_form::{self, Asked, Said, asked};
use virtscap_tests::{cases, in_parallel, platform_rules, say};

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
    let erring = cases.iter().filter(|(_, case)| case.cel_errs).count();
    let agree = cases.len() - differences.len();
    let rules = platform_rules().count();
    say(&format!("CEL: {agree} of {} cases of {rules} rules agree, {erring} by an error", cases.len()));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
