//! Lowering of a look at every object of a resource.

use virtscap_scap::id::{ObjectId, VariableId};
use virtscap_scap::oval::{
    Check, Comparison, Component, Datatype, Entity, EntityValue, Operation, OvalDefinitions, TestKind,
};

use super::{
    CLEAN, COLLECTED, Endpoint, LegTests, Names, OBJECT, add_dump, add_local, add_variable_state, external,
    record_state, test,
};
use crate::expr::{self, Expr, jq};
use crate::model::{Each, Judgement, Part};

/// The endpoint that a leg reads.
pub(super) fn endpoint(leg: &Each) -> Endpoint {
    let object = object_name(&leg.variable);
    let findings = match &leg.judgement {
        Judgement::Whole { offends, detail } => {
            format!("if ({}) == true then ({}) else empty end", jq::lower(offends), jq::lower(detail))
        }
        Judgement::Parts(parts) => parts.iter().map(part).collect::<Vec<_>>().join(", "),
    };
    let offenders = format!("({findings}) | {object} + \": \" + . | {CLEAN}");
    let per_object = if leg.required { format!("\"{OBJECT}\", ({offenders})") } else { offenders };
    let filter = format!("[\"{COLLECTED}\"] + [.items[] | . as ${} | {per_object}]", leg.variable);
    Endpoint { path: leg.resource.path(), filter }
}

fn part(part: &Part) -> String {
    let detail = match &part.key {
        None => format!("({})", jq::lower(&part.detail)),
        // The first bracket has to be the key's: a detail with brackets in it must not pass for an approved key.
        Some(key) => format!(
            "(({}) | explode | map(if . == 91 then 40 elif . == 93 then 41 else . end) | implode) + \" [\" + ({}) + \"]\"",
            jq::lower(&part.detail),
            jq::lower(key)
        ),
    };
    let each = format!("(({}) | arrays | .[]) as ${}", jq::lower(&part.list), part.variable);
    match &part.condition {
        None => format!("({each} | {detail})"),
        Some(condition) => {
            format!("({each} | if ({}) == true then {detail} else empty end)", jq::lower(condition))
        }
    }
}

/// The jq that names an object: `NAMESPACE/NAME`, or `NAME` where it has no namespace.
fn object_name(variable: &str) -> String {
    let name = parsed(&format!("string({variable}.metadata.name)"));
    let namespace = parsed(&format!(
        "string({variable}.metadata.namespace) == \"\" ? \"\" : string({variable}.metadata.namespace) + \"/\""
    ));
    match (name, namespace) {
        (Some(name), Some(namespace)) => format!("(({}) + ({}))", jq::lower(&namespace), jq::lower(&name)),
        _ => "\"\"".to_owned(),
    }
}

fn parsed(source: &str) -> Option<Expr> {
    expr::parse(source).ok()
}

/// Adds the OVAL of a leg.
pub(super) fn add(oval: &mut OvalDefinitions, names: &Names, leg: &Each) -> LegTests {
    let resource = leg.resource.full_name();
    let dump = add_dump(oval, names, "dump", &endpoint(leg));

    let guard = names.test("collected");
    let (marker, comment) = match leg.required {
        true => (OBJECT, format!("at least one object of {resource} was collected")),
        false => (COLLECTED, format!("{resource} was collected")),
    };
    let state =
        record_state(names.state("collected"), Entity::equals(marker).with_entity_check(Check::AtLeastOne));
    let comparison = Comparison { object: dump.clone(), states: vec![state.id.clone()] };
    oval.states.push(state);
    oval.tests.push(test(guard.clone(), comment, TestKind::YamlFileContent(comparison)));

    let verdict = names.test("verdict");
    let comment = format!("nothing in {resource} offends");
    let markers = format!("@({}|{})", &COLLECTED[1..], &OBJECT[1..]);
    let kind = match &leg.approved {
        None => {
            let state = record_state(names.state("verdict"), Entity::matches(format!("^{markers}$")));
            let comparison = Comparison { object: dump, states: vec![state.id.clone()] };
            oval.states.push(state);
            TestKind::YamlFileContent(comparison)
        }
        Some(value) => TestKind::Variable(add_approval(oval, names, dump, &markers, external(value))),
    };
    oval.tests.push(test(verdict.clone(), comment, kind));
    LegTests { guards: vec![guard], verdicts: vec![verdict] }
}

/// A comparison of every string of the dump with a pattern that is put together from the approving value.
fn add_approval(
    oval: &mut OvalDefinitions,
    names: &Names,
    dump: ObjectId,
    markers: &str,
    value: VariableId,
) -> Comparison {
    let pattern = vec![
        Component::Literal(format!("^({markers}|[^\\[]* \\[(?:")),
        Component::Variable(value),
        Component::Literal(")\\])$".to_owned()),
    ];
    let pattern = add_local(
        oval,
        names.variable("approved"),
        "the markers, and what the value approves",
        Component::Concat(pattern),
    );
    let entity = Entity {
        operation: Operation::PatternMatch,
        datatype: Datatype::String,
        value: EntityValue::Variable { var_ref: pattern, var_check: Check::AtLeastOne },
        entity_check: Check::All,
    };
    Comparison {
        object: super::add_strings(oval, names, "candidates", dump),
        states: vec![add_variable_state(oval, names.state("approved"), entity)],
    }
}
