//! The CEL forms of rules on their cases: what a form is shown of a case, and what it should say.

use serde_json::{Value, json};
use virtscap_generator::case::{Case, CelDeviation, Given};
use virtscap_generator::cel::{CelForm, CelInput, form};
use virtscap_generator::model::{Leg, Resource, Rule};
use virtscap_scap::xccdf::XccdfResult;

use crate::BENCHMARK;

/// What a form says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Nothing offends.
    Pass,
    /// Something offends, or what is required is not there.
    Fail,
    /// It could not be evaluated: the data is not there, or the expression erred.
    Error,
}

/// What there is to ask of a leg on a case.
#[derive(Debug)]
pub enum Asked {
    /// Nothing: its API is not served, which decides it.
    Decided(Said),
    /// Its form, with the lists that the case gives; none where a list is not there.
    Form(CelForm, Vec<(CelInput, Option<Value>)>),
}

/// What the case answers to a resource, as a list; none where it is not there.
fn items(leg: &Leg, case: &Case, resource: &Resource) -> Option<Value> {
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
    Some(json!(objects))
}

/// What to ask of a leg on a case.
pub fn asked(leg: &Leg, case: &Case) -> Asked {
    let own_not_found = leg.selections().first().is_some_and(|selection| {
        selection.optional
            && match case.given(&selection.resource) {
                Some(given) => *given == Given::NotFound,
                None => BENCHMARK.platform.resources.contains(&selection.resource),
            }
    });
    if own_not_found {
        return Asked::Decided(Said::Pass);
    }
    let default = |id: &str| BENCHMARK.values.iter().find(|value| value.id == id).unwrap().default.clone();
    let form = form(leg, &|id| case.values.get(id).cloned().unwrap_or_else(|| default(id))).unwrap();
    let inputs = form.inputs.iter().map(|input| (input.clone(), items(leg, case, &input.resource)));
    let inputs = inputs.collect();
    Asked::Form(form, inputs)
}

/// What is wrong with what the forms of a rule's legs say of a case.
pub fn difference(rule: &Rule, case: &Case, legs: &[Said]) -> Option<String> {
    let all = match legs {
        legs if legs.contains(&Said::Fail) => Said::Fail,
        legs if legs.contains(&Said::Error) => Said::Error,
        _ => Said::Pass,
    };
    let agree = match case.expect {
        // CEL has no platforms.
        XccdfResult::NotApplicable => true,
        _ if case.cel == Some(CelDeviation::Errs) => all == Said::Error,
        _ if case.cel == Some(CelDeviation::Fails) => all == Said::Fail,
        XccdfResult::Pass => all == Said::Pass,
        XccdfResult::Fail => all == Said::Fail,
        _ => all != Said::Pass,
    };
    (!agree)
        .then(|| format!("{}, \"{}\": expected {}, the legs say {legs:?}", rule.id, case.name, case.expect))
}
