//! Lowering of checks: a leg becomes an API path with a jq filter, and OVAL that reads what the filter leaves.
//!
//! The filter's result is a list of strings: [`COLLECTED`] first, so that "collected and nothing found" is not "not
//! collected"; then [`OBJECT`] once per object where a leg needs one; then the offenders, `NAMESPACE/NAME: DETAIL`, or
//! candidates, `NAMESPACE/NAME: DETAIL [KEY]`, of which OVAL picks those whose key the value does not approve.

mod each;
mod who_can;

use sha2::{Digest as _, Sha256};
use virtscap_scap::id::{ObjectId, StateId, TestId, VariableId};
use virtscap_scap::oval::{
    Check, Component, Criteria, CriteriaNode, Datatype, Entity, Existence, FileSpec, Object, ObjectKind,
    Operator, OvalDefinitions, RecordField, State, StateKind, Test, TestKind, Variable, VariableKind,
};

use crate::model::{Leg, Rule};

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

/// The endpoints that a leg reads.
pub(crate) fn endpoints(leg: &Leg) -> Vec<Endpoint> {
    match leg {
        Leg::Each(leg) => vec![each::endpoint(leg)],
        Leg::WhoCan(leg) => who_can::endpoints(leg),
    }
}

/// The tests of a leg.
#[derive(Default)]
struct LegTests {
    /// What has to be true for the verdicts to count: the data was collected.
    guards: Vec<TestId>,
    /// Nothing offends.
    verdicts: Vec<TestId>,
}

/// Control characters would make oscap's results ill-formed XML, and a line feed would end a pattern's reach.
const CLEAN: &str =
    "explode | map(if . < 32 or . == 127 or . > 65533 and . < 65536 then 63 else . end) | implode";

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
        let tests = match leg {
            Leg::Each(leg) => each::add(oval, &names, leg),
            Leg::WhoCan(leg) => who_can::add(oval, &names, leg),
        };
        guards.extend(tests.guards.into_iter().map(criterion));
        verdicts.extend(tests.verdicts.into_iter().map(criterion));
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

/// Adds the object that reads an endpoint's dump.
fn add_dump(oval: &mut OvalDefinitions, names: &Names, what: &str, endpoint: &Endpoint) -> ObjectId {
    let path = Component::Concat(vec![
        Component::Variable(VariableId::new(DATA_ROOT_VARIABLE)),
        Component::Literal(endpoint.dump()),
    ]);
    let path = add_local(oval, names.variable(&format!("{what}_path")), "where the dump is", path);
    let id = names.object(what);
    oval.objects.push(Object {
        id: id.clone(),
        version: "1".to_owned(),
        comment: None,
        kind: ObjectKind::YamlFileContent {
            file: FileSpec::FilePath(Entity::variable(path)),
            yamlpath: Entity::equals("[:]"),
        },
    });
    id
}

/// Adds a local variable.
fn add_local(oval: &mut OvalDefinitions, id: VariableId, comment: &str, component: Component) -> VariableId {
    oval.variables.push(Variable {
        id: id.clone(),
        version: "1".to_owned(),
        datatype: Datatype::String,
        comment: comment.to_owned(),
        kind: VariableKind::Local(component),
    });
    id
}

/// The strings of a dump, as a component of a variable.
fn strings(dump: ObjectId) -> Component {
    Component::Object { object_ref: dump, item_field: "value".to_owned(), record_field: Some("#".to_owned()) }
}

/// Adds a variable of a dump's strings and the object of it.
///
/// stock oscap does not resolve a local variable in a field of a record, so what is compared with one goes through a
/// variable.
fn add_strings(oval: &mut OvalDefinitions, names: &Names, what: &str, dump: ObjectId) -> ObjectId {
    let var_ref = add_local(oval, names.variable(what), "the strings of the dump", strings(dump));
    let id = names.object(what);
    oval.objects.push(Object {
        id: id.clone(),
        version: "1".to_owned(),
        comment: None,
        kind: ObjectKind::Variable { var_ref },
    });
    id
}

fn add_variable_state(oval: &mut OvalDefinitions, id: StateId, value: Entity) -> StateId {
    oval.states.push(State {
        id: id.clone(),
        version: "1".to_owned(),
        comment: None,
        operator: Operator::And,
        kind: StateKind::Variable { value: Some(value) },
    });
    id
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
