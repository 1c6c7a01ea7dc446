//! Lowering of a look at every object of a resource.

use virtscap_scap::id::{ObjectId, TestId};
use virtscap_scap::oval::{Check, Component, CriteriaNode, Entity, OvalDefinitions, TestKind, TestType};

use super::jq::{CLEAN, LABEL, each_of, object_name, only_if, over, value};
use super::{
    COLLECTED, Endpoint, Names, OBJECT, add_dump, add_local, add_marker_test, add_not_found, add_state,
    add_strings, add_test, any, criterion, decided, external, join, record_state, variable_state,
};
use crate::model::{Decision, Each, Part};

/// The endpoints that a leg reads, its own first.
pub(super) fn endpoints(leg: &Each) -> Vec<Endpoint> {
    let mut endpoints = vec![own_endpoint(leg)];
    match &leg.decision {
        Decision::Alone => {}
        Decision::UsedBy(users) => endpoints.extend(users.iter().map(join::user_endpoint)),
        Decision::Covered { by, .. } => endpoints.extend(by.iter().map(join::cover_endpoint)),
    }
    endpoints
}

/// The endpoint of the leg's own objects.
fn own_endpoint(leg: &Each) -> Endpoint {
    let variable = &leg.selection.variable;
    let findings: Vec<_> = leg.parts.iter().map(|part| self::part(leg, part)).collect();
    let (definitions, labels) = match &leg.decision {
        Decision::Covered { labels: Some(labels), .. } => {
            (format!("{LABEL} "), format!(" + {}", join::labels(labels)))
        }
        Decision::Covered { labels: None, .. } => (format!("{LABEL} "), String::new()),
        Decision::Alone | Decision::UsedBy(_) => (String::new(), String::new()),
    };
    let offenders =
        format!("({}) | {} + \": \" + .{labels} | {CLEAN}", findings.join(", "), object_name(variable));
    let per_object =
        if leg.required { format!("(\"{OBJECT}\", ({offenders}))") } else { format!("({offenders})") };
    let filter = format!("{definitions}[\"{COLLECTED}\"] + {}", over(&leg.selection, &per_object));
    Endpoint { path: leg.selection.resource.path(), filter }
}

fn part(leg: &Each, part: &Part) -> String {
    // The first bracket has to be the key's: a detail with brackets in it must not pass for an approved key.
    let detail = |key: &str| {
        format!(
            "({} | explode | map(if . == 91 then 40 elif . == 93 then 41 else . end) | implode) + \" [\" + {key} + \"]\"",
            value(&part.detail)
        )
    };
    let found = match (&part.key, &leg.decision) {
        (None, _) => value(&part.detail),
        (Some(key), Decision::Covered { .. }) => detail(&format!("({} | plain)", value(key))),
        (Some(key), _) => detail(&value(key)),
    };
    each_of(&part.loops, &only_if(part.condition.as_ref(), &found))
}

/// Adds the OVAL of a leg.
pub(super) fn add(oval: &mut OvalDefinitions, names: &Names, leg: &Each) -> CriteriaNode {
    let resource = leg.selection.resource.full_name();
    let own = own_endpoint(leg);
    let dump = add_dump(oval, names, "dump", &own);
    let (marker, comment) = match leg.required {
        true => (OBJECT, format!("at least one object of {resource} was collected")),
        false => (COLLECTED, format!("{resource} was collected")),
    };
    let marker = Entity::equals(marker).with_entity_check(Check::AtLeastOne);
    let guard = add_marker_test(oval, names, "dump", dump.clone(), marker, comment);
    let mut guards = vec![criterion(guard)];
    let mut verdicts = Vec::new();
    match &leg.decision {
        Decision::Alone => verdicts.push(criterion(add_verdict(oval, names, leg, dump))),
        Decision::UsedBy(users) => join::add_users(oval, names, leg, users, dump, &mut guards, &mut verdicts),
        Decision::Covered { by, .. } => join::add_covers(oval, names, by, dump, &mut guards, &mut verdicts),
    }
    let mut branches = decided(guards, verdicts);
    if leg.selection.optional {
        branches.insert(1, criterion(add_not_found(oval, names, "dump", &own, &resource)));
    }
    any(branches)
}

/// Adds the test that nothing offends but what a value approves.
fn add_verdict(oval: &mut OvalDefinitions, names: &Names, leg: &Each, dump: ObjectId) -> TestId {
    let comment = format!("nothing in {} offends", leg.selection.resource.full_name());
    let markers = format!("@({}|{})", &COLLECTED[1..], &OBJECT[1..]);
    let kind = match &leg.approved {
        None => {
            let state = record_state(Entity::matches(format!("^{markers}$")));
            let states = vec![add_state(oval, names.state("verdict"), state)];
            TestKind::of(TestType::YamlFileContent, dump, states)
        }
        Some(value) => {
            let pattern = Component::Concat(vec![
                Component::text(format!("^({markers}|[^\\[]* \\[(?:")),
                Component::Variable(external(value)),
                Component::text(")\\])$".to_owned()),
            ]);
            let comment = "the markers, and what the value approves";
            let pattern = add_local(oval, names.variable("approved"), comment, pattern);
            let state = variable_state(Entity::matches_variable(pattern, Check::All));
            let states = vec![add_state(oval, names.state("approved"), state)];
            TestKind::of(TestType::Variable, add_strings(oval, names, "candidates", dump), states)
        }
    };
    add_test(oval, names.test("verdict"), comment, kind)
}
