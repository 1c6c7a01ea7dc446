//! The CEL form of every platform rule gives on every case the verdict that the case expects, so far as CEL can say it:
//! where a case is undecided, the form does not pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../../generator/tests/expr_agreement/engines/cel.rs"]
mod engine;

use std::sync::Mutex;

use serde_json::{Map, Value, json};
use virtscap_generator::case::{Case, Given};
use virtscap_generator::cel::form;
use virtscap_generator::model::{Leg, Rule, Scope};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{BENCHMARK, cases, in_parallel, platform_rules, say};

/// What a form says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Pass,
    Fail,
    /// It could not be evaluated: the data is not there, or the expression erred.
    Error,
}

/// What the case answers to a resource, as a list; none where it is not there.
fn items(leg: &Leg, case: &Case, resource: &virtscap_generator::model::Resource) -> Option<Value> {
    let selections = leg.selections();
    let mut selections = selections.iter().filter(|s| s.resource == *resource).peekable();
    let optional = selections.peek().is_some() && selections.all(|s| s.optional);
    let is_platform = BENCHMARK.platform.resources.contains(resource);
    let objects = match case.given(resource) {
        Some(Given::Objects(objects)) => objects.clone(),
        // The operator's scanner errs here; what is asked is what an admission policy or a list without objects gives.
        Some(Given::NotFound) if optional => Vec::new(),
        None if is_platform && optional => Vec::new(),
        _ => return None,
    };
    Some(json!({"items": objects}))
}

fn said(leg: &Leg, case: &Case) -> Said {
    let own_not_found = leg.selections().first().is_some_and(|selection| {
        selection.optional
            && match case.given(&selection.resource) {
                Some(given) => *given == Given::NotFound,
                None => BENCHMARK.platform.resources.contains(&selection.resource),
            }
    });
    if own_not_found {
        return Said::Pass;
    }
    let default = |id: &str| BENCHMARK.values.iter().find(|value| value.id == id).unwrap().default.clone();
    let form = form(leg, &|id| case.values.get(id).cloned().unwrap_or_else(|| default(id))).unwrap();
    let mut variables = Map::new();
    for input in &form.inputs {
        let Some(items) = items(leg, case, &input.resource) else { return Said::Error };
        variables.insert(input.name.clone(), items);
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
    let all = match &legs {
        legs if legs.contains(&Said::Fail) => Said::Fail,
        legs if legs.contains(&Said::Error) => Said::Error,
        _ => Said::Pass,
    };
    let agree = match case.expect {
        // CEL has no platforms.
        XccdfResult::NotApplicable => true,
        _ if case.cel_errs => all == Said::Error,
        XccdfResult::Pass => all == Said::Pass,
        XccdfResult::Fail => all == Said::Fail,
        _ => all != Said::Pass,
    };
    (!agree)
        .then(|| format!("{}, \"{}\": expected {}, the legs say {legs:?}", rule.id, case.name, case.expect))
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
