//! Lowering of legs that join two resources.
//!
//! A jq filter sees one resource, so OVAL joins: the leg's own filter writes a string per finding, the filter of the
//! other resource writes *regular expressions* over such strings, and a `variable_test` compares. Where others have to
//! use an object, no string may match; where others have to cover a finding, each has to.

use virtscap_scap::id::ObjectId;
use virtscap_scap::oval::{
    Check, Component, CriteriaNode, Entity, ObjectKind, OvalDefinitions, TestKind, TestType,
};

use super::jq::{COMMENT, LABEL, QUOTED, SELECTOR, namespace, object_name, over, value};
use super::{
    Endpoint, Names, add_dump, add_local, add_marker_test, add_not_found, add_object, add_state, add_strings,
    add_test, any, criterion, external, strings, variable_state,
};
use crate::expr::Expr;
use crate::model::{Cover, CoveredKeys, Each, Selection, UsedBy};

/// The first expression of those that say what is used: no string of a leg matches it.
const NOTHING: &str = "^@none$";
/// The first expression of those that say what is covered: it matches the markers.
const MARKERS: &str = "^@";
/// How many users of an object are named.
const NAMED_USERS: usize = 10;

/// The endpoint of objects that use those of a leg: an expression for each name that is used, the users in a comment.
pub(super) fn user_endpoint(user: &UsedBy) -> Endpoint {
    let object = object_name(&user.selection.variable);
    let names = value(&user.names);
    let used = over(
        &user.selection,
        // The name first: most objects use none, and for these nothing else has to be looked at.
        &format!(
            "(({names} | arrays | .[] | strings | select(. != \"\")) as $name_ | {{user: {object}, name: $name_}})"
        ),
    );
    let users = format!(
        "map(.user | comment) | unique | if length > {NAMED_USERS} then .[:{NAMED_USERS}] + [(length - {NAMED_USERS} | tostring) + \" others\"] else . end | join(\", \")"
    );
    let filter = format!(
        "{QUOTED} {COMMENT} [\"{NOTHING}\"] + ({used} | group_by(.name) | map(\"^\" + (.[0].name | quoted) + \": (?#used by \" + ({users}) + \")\"))"
    );
    Endpoint { path: user.selection.resource.path(), filter }
}

/// The endpoint of objects that cover findings: an expression for each key that is covered.
pub(super) fn cover_endpoint(cover: &Cover) -> Endpoint {
    let variable = &cover.selection.variable;
    let keys = match &cover.keys {
        CoveredKeys::List(list) => format!("({} | arrays | .[] | strings)", value(list)),
        // Multus strips spaces, and takes a name without a namespace for one of the object's own.
        CoveredKeys::Networks(text) => format!(
            "({} | strings | split(\",\") | .[] | explode | map(select(. > 32)) | implode | select(. != \"\") | if contains(\"/\") then . else {} + \"/\" + . end)",
            value(text),
            namespace(variable)
        ),
    };
    let namespace = match cover.same_namespace {
        true => format!("({} | quoted) + \"/\" + ", namespace(variable)),
        false => String::new(),
    };
    let (definitions, selector) = match &cover.selector {
        Some(selector) => {
            (format!("{QUOTED} {LABEL} {SELECTOR}"), format!(" + ({} | selector)", value(selector)))
        }
        None => (format!("{QUOTED} {LABEL}"), String::new()),
    };
    let pattern = format!(
        "{keys} as $key | \"^\" + {namespace}\"[^\\\\[]* \\\\[\" + ($key | plain | quoted) + \"\\\\]\"{selector}"
    );
    let filter =
        format!("{definitions} [\"{MARKERS}\"] + {}", over(&cover.selection, &format!("({pattern})")));
    Endpoint { path: cover.selection.resource.path(), filter }
}

/// jq: the labels of an object as ` labelled KEY=VALUE,KEY=VALUE`; empty where it has none.
pub(super) fn labels(labels: &Expr) -> String {
    format!(
        "([{} | objects | to_entries[] | (.key | plain) + \"=\" + (.value | plain)] | sort | if length > 0 then \" labelled \" + join(\",\") else \"\" end)",
        value(labels)
    )
}

/// Another resource's dump with what says that it was collected.
struct Other {
    dump: ObjectId,
    /// True where it was collected, or the API server does not serve it and that is an answer.
    guard: CriteriaNode,
    /// True where the API server does not serve it, and that is an answer.
    not_found: Option<CriteriaNode>,
}

fn add_other(
    oval: &mut OvalDefinitions,
    names: &Names,
    what: &str,
    selection: &Selection,
    endpoint: &Endpoint,
    marker: &str,
) -> Other {
    let resource = selection.resource.full_name();
    let dump = add_dump(oval, names, what, endpoint);
    let marker = Entity::equals(marker).with_entity_check(Check::AtLeastOne);
    let comment = format!("{resource} was collected");
    let collected = criterion(add_marker_test(oval, names, what, dump.clone(), marker, comment));
    let not_found =
        selection.optional.then(|| criterion(add_not_found(oval, names, what, endpoint, &resource)));
    let guard = match &not_found {
        None => collected,
        Some(not_found) => any(vec![collected, not_found.clone()]),
    };
    Other { dump, guard, not_found }
}

/// Adds the tests that nothing offends which others use.
pub(super) fn add_users(
    oval: &mut OvalDefinitions,
    names: &Names,
    leg: &Each,
    users: &[UsedBy],
    dump: ObjectId,
    guards: &mut Vec<CriteriaNode>,
    verdicts: &mut Vec<CriteriaNode>,
) {
    let findings = add_strings(oval, names, "findings", dump);
    for (number, user) in (1..).zip(users) {
        let what = format!("users_{number}");
        let other = add_other(oval, names, &what, &user.selection, &user_endpoint(user), NOTHING);
        guards.push(other.guard);
        let used = strings(other.dump);
        let pattern = match &leg.approved {
            None => used,
            Some(approved) => Component::Concat(vec![
                used,
                Component::text("[^\\[]* \\[(?!(?:".to_owned()),
                Component::Variable(external(approved)),
                Component::text(")\\]$)".to_owned()),
            ]),
        };
        let comment = "what is used, and not approved";
        let variable = names.variable(&format!("{what}_pattern"));
        let pattern = add_local(oval, variable, comment, pattern);
        let state = variable_state(Entity::matches_variable(pattern, Check::NoneSatisfy));
        let states = vec![add_state(oval, names.state(&what), state)];
        let comment = format!(
            "nothing in {} offends that {} use",
            leg.selection.resource.full_name(),
            user.selection.resource.full_name()
        );
        let kind = TestKind::of(TestType::Variable, findings.clone(), states);
        let verdict = criterion(add_test(oval, names.test(&what), comment, kind));
        // Without users there is no expression, and the test could not be evaluated.
        verdicts.push(match other.not_found {
            None => verdict,
            Some(not_found) => any(vec![not_found, verdict]),
        });
    }
}

/// Adds the test that others cover every finding.
pub(super) fn add_covers(
    oval: &mut OvalDefinitions,
    names: &Names,
    covers: &[Cover],
    dump: ObjectId,
    guards: &mut Vec<CriteriaNode>,
    verdicts: &mut Vec<CriteriaNode>,
) {
    let mut objects = Vec::new();
    let mut resources = Vec::new();
    for (number, cover) in (1..).zip(covers) {
        let what = format!("covers_{number}");
        let other = add_other(oval, names, &what, &cover.selection, &cover_endpoint(cover), MARKERS);
        guards.push(other.guard);
        objects.push(other.dump);
        resources.push(cover.selection.resource.full_name());
    }
    let union = ObjectKind::union(TestType::YamlFileContent, objects);
    let union = add_object(oval, names.object("covers"), union);
    let comment = "the markers, and what is covered";
    let pattern = add_local(oval, names.variable("covers"), comment, strings(union));
    let state = variable_state(Entity::matches_variable(pattern, Check::All));
    let states = vec![add_state(oval, names.state("covers"), state)];
    let object = add_strings(oval, names, "findings", dump);
    let comment = format!("everything is covered by {}", resources.join(" or "));
    let kind = TestKind::of(TestType::Variable, object, states);
    verdicts.push(criterion(add_test(oval, names.test("verdict"), comment, kind)));
}
