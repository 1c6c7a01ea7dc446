//! Lowering of checks: a leg becomes an API path with a jq filter, and OVAL that reads what the filter leaves.
//!
//! The filter's result is a list of strings: [`COLLECTED`] first, so that "collected and nothing found" is not "not
//! collected"; then [`OBJECT`] once per object where a leg needs one; then the offenders, `NAMESPACE/NAME: DETAIL`, or
//! candidates, `NAMESPACE/NAME: DETAIL [KEY]`, of which OVAL picks those whose key the value does not approve.

use sha2::{Digest as _, Sha256};
use virtscap_scap::id::{ObjectId, StateId, TestId, VariableId};
use virtscap_scap::oval::{
    Check, Comparison, Component, Criteria, CriteriaNode, Datatype, Entity, EntityValue, Existence, FileSpec,
    Object, ObjectKind, Operation, Operator, OvalDefinitions, RecordField, State, StateKind, Test, TestKind,
    Variable, VariableKind,
};

use crate::expr::{self, Expr, jq};
use crate::model::{Judgement, Leg, Part, Rule};

/// The first string of every filter's result.
pub(crate) const COLLECTED: &str = "@collected";
/// The string that stands for each object, in legs that need one.
pub(crate) const OBJECT: &str = "@object";
/// Where dumps are; the value of the XCCDF Value that content for the Compliance Operator calls `ocp_data_root`.
pub(crate) const DATA_ROOT: &str = "/kubernetes-api-resources";
/// The variable that holds [`DATA_ROOT`].
pub(crate) const DATA_ROOT_VARIABLE: &str = "oval:ssg-ocp_data_root:var:1";
/// The test that is always unknown.
pub(crate) const UNKNOWN_TEST: &str = "oval:ssg-unknown:tst:1";

/// An API path with what becomes of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The API path.
    pub(crate) path: String,
    /// The jq filter.
    pub(crate) filter: String,
}

impl Endpoint {
    /// SHA-256 over dump path and filter: what tells this filter's result from another one's of the same path.
    pub(crate) fn hash(&self) -> String {
        let digest = Sha256::digest(format!("{DATA_ROOT}{}{}", self.path, self.filter).as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Where the result goes, below [`DATA_ROOT`].
    pub(crate) fn dump(&self) -> String {
        format!("{}#{}", self.path, self.hash())
    }
}

/// The endpoint that a leg reads.
pub(crate) fn endpoint(leg: &Leg) -> Endpoint {
    let object = object_name(&leg.variable);
    let findings = match &leg.judgement {
        Judgement::Whole { offends, detail } => {
            format!("if {} == true then {} else empty end", jq::lower(offends), jq::lower(detail))
        }
        Judgement::Parts(parts) => parts.iter().map(part).collect::<Vec<_>>().join(", "),
    };
    // Control characters would make oscap's results ill-formed XML, and a line feed would end a pattern's reach.
    let clean =
        "explode | map(if . < 32 or . == 127 or . > 65533 and . < 65536 then 63 else . end) | implode";
    let offenders = format!("({findings}) | {object} + \": \" + . | {clean}");
    let per_object = if leg.required { format!("\"{OBJECT}\", ({offenders})") } else { offenders };
    let filter = format!("[\"{COLLECTED}\"] + [.items[] | . as ${} | {per_object}]", leg.variable);
    Endpoint { path: leg.resource.path(), filter }
}

fn part(part: &Part) -> String {
    let detail = match &part.key {
        None => jq::lower(&part.detail),
        // The first bracket has to be the key's: a detail with brackets in it must not pass for an approved key.
        Some(key) => format!(
            "({} | explode | map(if . == 91 then 40 elif . == 93 then 41 else . end) | implode) + \" [\" + {} + \"]\"",
            jq::lower(&part.detail),
            jq::lower(key)
        ),
    };
    let each = format!("({} | arrays | .[]) as ${}", jq::lower(&part.list), part.variable);
    match &part.condition {
        None => format!("({each} | {detail})"),
        Some(condition) => {
            format!("({each} | if {} == true then {detail} else empty end)", jq::lower(condition))
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
        (Some(name), Some(namespace)) => format!("({} + {})", jq::lower(&namespace), jq::lower(&name)),
        _ => "\"\"".to_owned(),
    }
}

fn parsed(source: &str) -> Option<Expr> {
    expr::parse(source).ok()
}

/// Adds what is needed once in a document: the dump's root and the unknown test.
pub(crate) fn add_common(oval: &mut OvalDefinitions) {
    oval.variables.push(Variable {
        id: VariableId::new(DATA_ROOT_VARIABLE),
        version: "1".to_owned(),
        datatype: Datatype::String,
        comment: "where the dumps of API answers are".to_owned(),
        kind: VariableKind::External,
    });
    oval.tests.push(Test {
        id: TestId::new(UNKNOWN_TEST),
        version: "1".to_owned(),
        comment: "the result if the data was not collected".to_owned(),
        check: Check::All,
        check_existence: Existence::AtLeastOneExists,
        state_operator: Operator::And,
        kind: TestKind::Unknown,
    });
}

/// Adds a value's variable.
pub(crate) fn add_external(oval: &mut OvalDefinitions, value: &str, title: &str) {
    oval.variables.push(Variable {
        id: external(value),
        version: "1".to_owned(),
        datatype: Datatype::String,
        comment: title.to_owned(),
        kind: VariableKind::External,
    });
}

/// The OVAL variable of a value.
pub(crate) fn external(value: &str) -> VariableId {
    VariableId::new(format!("oval:ssg-{value}:var:1"))
}

/// Adds the OVAL of a rule's check and gives its criteria:
/// (collected AND nothing offends) OR (NOT collected AND unknown).
pub(crate) fn add_check(oval: &mut OvalDefinitions, rule: &Rule) -> Criteria {
    let mut guards = Vec::new();
    let mut verdicts = Vec::new();
    for (number, leg) in (1..).zip(&rule.check) {
        let names = Names { stem: format!("oval:ssg-{}_{number}", rule.id) };
        let (guard, verdict) = add_leg(oval, &names, leg);
        guards.push(criterion(guard));
        verdicts.push(criterion(verdict));
    }
    let all = |children: Vec<CriteriaNode>, negate| {
        let comment = None;
        CriteriaNode::Criteria(Criteria { operator: Operator::And, negate, comment, children })
    };
    let not_collected = all(guards.clone(), true);
    Criteria {
        operator: Operator::Or,
        negate: false,
        comment: None,
        children: vec![
            all(guards.into_iter().chain(verdicts).collect(), false),
            all(vec![not_collected, criterion(TestId::new(UNKNOWN_TEST))], false),
        ],
    }
}

fn criterion(test_ref: TestId) -> CriteriaNode {
    CriteriaNode::Criterion { test_ref, negate: false, comment: None }
}

/// The ids of a leg's parts.
struct Names {
    stem: String,
}

impl Names {
    fn test(&self, what: &str) -> TestId {
        TestId::new(format!("{}_{what}:tst:1", self.stem))
    }

    fn object(&self, what: &str) -> ObjectId {
        ObjectId::new(format!("{}_{what}:obj:1", self.stem))
    }

    fn state(&self, what: &str) -> StateId {
        StateId::new(format!("{}_{what}:ste:1", self.stem))
    }

    fn variable(&self, what: &str) -> VariableId {
        VariableId::new(format!("{}_{what}:var:1", self.stem))
    }
}

/// Adds the OVAL of a leg and gives its guard and its verdict.
fn add_leg(oval: &mut OvalDefinitions, names: &Names, leg: &Leg) -> (TestId, TestId) {
    let resource = leg.resource.full_name();
    let dump = names.object("dump");
    let path = add_path(oval, names, &endpoint(leg).dump());
    oval.objects.push(dump_object(path, dump.clone()));

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
    (guard, verdict)
}

/// A comparison of every string of the dump with a pattern that is put together from the approving value.
///
/// stock oscap does not resolve a local variable in a field of a record, so the strings go through a variable.
fn add_approval(
    oval: &mut OvalDefinitions,
    names: &Names,
    dump: ObjectId,
    markers: &str,
    value: VariableId,
) -> Comparison {
    let local = |id: VariableId, comment: &str, component| Variable {
        id,
        version: "1".to_owned(),
        datatype: Datatype::String,
        comment: comment.to_owned(),
        kind: VariableKind::Local(component),
    };
    let candidates = names.variable("candidates");
    let pattern = names.variable("approved");
    oval.variables.push(local(
        candidates.clone(),
        "what the value has to approve",
        Component::Object {
            object_ref: dump,
            item_field: "value".to_owned(),
            record_field: Some("#".to_owned()),
        },
    ));
    oval.variables.push(local(
        pattern.clone(),
        "the markers, and what the value approves",
        Component::Concat(vec![
            Component::Literal(format!("^({markers}|[^\\[]* \\[(?:")),
            Component::Variable(value),
            Component::Literal(")\\])$".to_owned()),
        ]),
    ));
    let object = names.object("candidates");
    oval.objects.push(Object {
        id: object.clone(),
        version: "1".to_owned(),
        comment: None,
        kind: ObjectKind::Variable { var_ref: candidates },
    });
    let state = names.state("approved");
    let value = Entity {
        operation: Operation::PatternMatch,
        datatype: Datatype::String,
        value: EntityValue::Variable { var_ref: pattern, var_check: Check::AtLeastOne },
        entity_check: Check::All,
    };
    oval.states.push(State {
        id: state.clone(),
        version: "1".to_owned(),
        comment: None,
        operator: Operator::And,
        kind: StateKind::Variable { value: Some(value) },
    });
    Comparison { object, states: vec![state] }
}

fn add_path(oval: &mut OvalDefinitions, names: &Names, dump: &str) -> VariableId {
    let id = names.variable("path");
    oval.variables.push(Variable {
        id: id.clone(),
        version: "1".to_owned(),
        datatype: Datatype::String,
        comment: "where the dump is".to_owned(),
        kind: VariableKind::Local(Component::Concat(vec![
            Component::Variable(VariableId::new(DATA_ROOT_VARIABLE)),
            Component::Literal(dump.to_owned()),
        ])),
    });
    id
}

fn dump_object(path: VariableId, id: ObjectId) -> Object {
    Object {
        id,
        version: "1".to_owned(),
        comment: None,
        kind: ObjectKind::YamlFileContent {
            file: FileSpec::FilePath(Entity::variable(path)),
            yamlpath: Entity::equals("[:]"),
        },
    }
}

fn record_state(id: StateId, entity: Entity) -> State {
    State {
        id,
        version: "1".to_owned(),
        comment: None,
        operator: Operator::And,
        kind: StateKind::YamlFileContent {
            entity_check: Check::All,
            fields: vec![RecordField { name: "#".to_owned(), entity }],
        },
    }
}

fn test(id: TestId, comment: String, kind: TestKind) -> Test {
    Test {
        id,
        version: "1".to_owned(),
        comment,
        check: Check::All,
        check_existence: Existence::AtLeastOneExists,
        state_operator: Operator::And,
        kind,
    }
}
