//! Lowering of checks: a leg becomes an API path with a jq filter, and OVAL that reads what the filter leaves; or OVAL
//! that reads a node's files.
//!
//! The filter's result is a list of strings: [`COLLECTED`] first, so that "collected and nothing found" is not "not
//! collected"; then [`OBJECT`] once per object where a leg needs one; then the offenders, `NAMESPACE/NAME: DETAIL`, or
//! candidates, `NAMESPACE/NAME: DETAIL [KEY]`, of which OVAL picks those whose key the value does not approve.

mod each;
mod files;
mod join;
mod jq;
mod kernel;
mod who_can;

use sha2::{Digest as _, Sha256};
use virtscap_scap::id::{ObjectId, StateId, TestId, VariableId};
use virtscap_scap::oval::{
    Check, Component, Criteria, CriteriaNode, Datatype, Entity, Existence, Object, ObjectEntities,
    ObjectKind, Operation, Operator, OvalDefinitions, RecordField, State, StateEntity, StateKind, Test,
    TestKind, TestType, Variable, VariableKind,
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
/// The line that stands in a dump where the API server answered 404.
pub(crate) const NOT_FOUND: &str = "^# kube-api-error=NotFound$";
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
        Leg::Each(leg) => each::endpoints(leg),
        Leg::WhoCan(leg) => who_can::endpoints(leg),
        Leg::Files(_) => Vec::new(),
    }
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

/// Adds the OVAL of a rule's check and gives its criteria: every leg holds. So an offender fails the rule even where
/// another leg is undecided.
pub(crate) fn add_check(oval: &mut OvalDefinitions, rule: &Rule) -> Criteria {
    let legs = (1..).zip(&rule.check).map(|(number, leg)| {
        let names = Names { stem: format!("oval:ssg-{}_{number}", rule.id) };
        match leg {
            Leg::Each(leg) => each::add(oval, &names, leg),
            Leg::WhoCan(leg) => who_can::add(oval, &names, leg),
            Leg::Files(leg) => files::add(oval, &names, leg),
        }
    });
    let mut legs: Vec<_> = legs.collect();
    match (legs.len(), legs.pop()) {
        (1, Some(CriteriaNode::Criteria(only))) => only,
        (_, last) => plain(Operator::And, legs.into_iter().chain(last).collect()),
    }
}

/// (guards AND verdicts) OR (NOT guards AND unknown): what was not collected does not pass.
fn decided(guards: Vec<CriteriaNode>, verdicts: Vec<CriteriaNode>) -> Vec<CriteriaNode> {
    let not_collected =
        CriteriaNode::Criteria(Criteria { negate: true, ..plain(Operator::And, guards.clone()) });
    vec![all(guards.into_iter().chain(verdicts).collect()), all(vec![not_collected, unknown()])]
}

fn plain(operator: Operator, children: Vec<CriteriaNode>) -> Criteria {
    Criteria { operator, negate: false, comment: None, children }
}

fn all(children: Vec<CriteriaNode>) -> CriteriaNode {
    CriteriaNode::Criteria(plain(Operator::And, children))
}

fn any(children: Vec<CriteriaNode>) -> CriteriaNode {
    CriteriaNode::Criteria(plain(Operator::Or, children))
}

fn criterion(test_ref: TestId) -> CriteriaNode {
    CriteriaNode::Criterion { test_ref, negate: false, comment: None }
}

fn not(test_ref: TestId) -> CriteriaNode {
    CriteriaNode::Criterion { test_ref, negate: true, comment: None }
}

fn unknown() -> CriteriaNode {
    criterion(TestId::new(UNKNOWN_TEST))
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
    let mut entities = dump_file(oval, names, what, endpoint);
    entities.push(("yamlpath", Some(Entity::equals("[:]"))));
    let kind = ObjectKind::plain(TestType::YamlFileContent, entities);
    add_object(oval, names.object(what), kind)
}

/// The file of an endpoint's dump; adds the variable of its path, once.
fn dump_file(oval: &mut OvalDefinitions, names: &Names, what: &str, endpoint: &Endpoint) -> ObjectEntities {
    let id = names.variable(&format!("{what}_path"));
    if !oval.variables.iter().any(|variable| variable.id == id) {
        let path = Component::Concat(vec![
            Component::Variable(VariableId::new(DATA_ROOT_VARIABLE)),
            Component::text(endpoint.dump()),
        ]);
        add_local(oval, id.clone(), "where the dump is", path);
    }
    vec![("filepath", Some(Entity::variable(id)))]
}

/// Adds a test that is true where the API server answered 404: it does not serve the resource.
fn add_not_found(
    oval: &mut OvalDefinitions,
    names: &Names,
    what: &str,
    endpoint: &Endpoint,
    resource: &str,
) -> TestId {
    let file = dump_file(oval, names, what, endpoint);
    let what = format!("{what}_not_found");
    let object = add_object(oval, names.object(&what), text_object(file, NOT_FOUND));
    let comment = format!("the API server knows no {resource}");
    add_test(oval, names.test(&what), comment, TestKind::of(TestType::TextFileContent54, object, Vec::new()))
}

/// The matches of a pattern in files.
pub(crate) fn text_object(file: ObjectEntities, pattern: &str) -> ObjectKind {
    matches(file, pattern, Operation::GreaterThanOrEqual)
}

/// The first match of a pattern in each file.
fn first_match(file: ObjectEntities, pattern: &str) -> ObjectKind {
    matches(file, pattern, Operation::Equals)
}

fn matches(mut file: ObjectEntities, pattern: &str, operation: Operation) -> ObjectKind {
    let instance = Entity { operation, datatype: Datatype::Int, ..Entity::equals("1") };
    file.extend([("pattern", Some(Entity::matches(pattern))), ("instance", Some(instance))]);
    ObjectKind::plain(TestType::TextFileContent54, file)
}

fn add_object(oval: &mut OvalDefinitions, id: ObjectId, kind: ObjectKind) -> ObjectId {
    oval.objects.push(Object { id: id.clone(), version: "1".to_owned(), comment: None, kind });
    id
}

fn add_state(oval: &mut OvalDefinitions, id: StateId, kind: StateKind) -> StateId {
    let state =
        State { id: id.clone(), version: "1".to_owned(), comment: None, operator: Operator::And, kind };
    oval.states.push(state);
    id
}

fn add_test(oval: &mut OvalDefinitions, id: TestId, comment: String, kind: TestKind) -> TestId {
    oval.tests.push(test(id.clone(), comment, kind));
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
    add_object(oval, names.object(what), ObjectKind::variable(&var_ref))
}

fn variable_state(value: Entity) -> StateKind {
    StateKind::one(TestType::Variable, "value", value)
}

fn record_state(entity: Entity) -> StateKind {
    let fields = vec![RecordField { name: "#".to_owned(), entity }];
    let value = StateEntity::Record { entity_check: Check::All, fields, mask: false };
    StateKind::Known { test_type: TestType::YamlFileContent, entities: vec![("value", value)] }
}

/// Adds a test that a dump holds a string: it was collected.
fn add_marker_test(
    oval: &mut OvalDefinitions,
    names: &Names,
    what: &str,
    dump: ObjectId,
    marker: Entity,
    comment: String,
) -> TestId {
    let what = format!("{what}_collected");
    let states = vec![add_state(oval, names.state(&what), record_state(marker))];
    let kind = TestKind::of(TestType::YamlFileContent, dump, states);
    add_test(oval, names.test(&what), comment, kind)
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
