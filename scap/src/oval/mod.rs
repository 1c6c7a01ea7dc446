//! OVAL 5.11: definitions, and the results of evaluating them.

mod enumerations;
mod item;
mod read;
pub mod results;
mod test_type;
mod write;
mod write_results;

use std::collections::BTreeMap;

use crate::id::{DefinitionId, ObjectId, StateId, TestId, VariableId};

pub use enumerations::{
    ArithmeticOperation, Check, Class, Datatype, DateTimeFormat, Existence, FileType, FilterAction,
    Operation, Operator, OvalResult, SetOperator,
};
pub use item::{
    FileItem, Item, ItemContent, ItemEntity, ItemField, ItemValue, MODE_BITS, Status, Values, split_path,
};
pub use test_type::{Family, TestType};

/// An `oval_definitions` document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OvalDefinitions {
    /// Who made the document, and when.
    pub generator: Generator,
    /// What can be asked.
    pub definitions: Vec<Definition>,
    /// Comparisons of objects with states.
    pub tests: Vec<Test>,
    /// What to collect.
    pub objects: Vec<Object>,
    /// What collected items are compared with.
    pub states: Vec<State>,
    /// Values that objects and states refer to.
    pub variables: Vec<Variable>,
}

/// OVAL common `GeneratorType`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generator {
    /// Name of the product.
    pub product_name: Option<String>,
    /// Version of the product.
    pub product_version: Option<String>,
    /// Version of the OVAL schema.
    pub schema_version: String,
    /// When the document was made (`xsd:dateTime`).
    pub timestamp: String,
}

/// A definition (OVAL 5.11, `DefinitionType`).
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its id.
    pub id: DefinitionId,
    /// Its version.
    pub version: String,
    /// What a true result says.
    pub class: Class,
    /// For people: what it is about.
    pub title: String,
    /// For people: what it says.
    pub description: String,
    /// What makes it true; without it a definition is not evaluated.
    pub criteria: Option<Criteria>,
}

/// A boolean combination of criterions.
#[derive(Debug, Clone, PartialEq)]
pub struct Criteria {
    /// How the children combine.
    pub operator: Operator,
    /// Whether the result is turned round.
    pub negate: bool,
    /// For people.
    pub comment: Option<String>,
    /// What is combined.
    pub children: Vec<CriteriaNode>,
}

/// A child of [`Criteria`].
#[derive(Debug, Clone, PartialEq)]
pub enum CriteriaNode {
    /// A nested combination.
    Criteria(Criteria),
    /// The result of a test.
    Criterion {
        /// The test.
        test_ref: TestId,
        /// Whether the result is turned round.
        negate: bool,
        /// For people.
        comment: Option<String>,
    },
    /// The result of another definition.
    ExtendDefinition {
        /// The definition.
        definition_ref: DefinitionId,
        /// Whether the result is turned round.
        negate: bool,
        /// For people.
        comment: Option<String>,
    },
}

/// A test (OVAL 5.11, `TestType`).
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// Its id.
    pub id: TestId,
    /// Its version.
    pub version: String,
    /// For people.
    pub comment: String,
    /// How the results of the items combine.
    pub check: Check,
    /// How many items there have to be.
    pub check_existence: Existence,
    /// How the results of the states combine, for one item.
    pub state_operator: Operator,
    /// What is collected and compared.
    pub kind: TestKind,
}

/// What a test does.
#[derive(Debug, Clone, PartialEq)]
pub enum TestKind {
    /// Compares an object with states of its own kind.
    Known {
        /// The kind.
        test_type: TestType,
        /// What is compared with what.
        comparison: Comparison,
    },
    /// `ind:unknown_test`, always unknown.
    Unknown,
    /// A test that the model does not know: it is named, and never guessed.
    Unsupported {
        /// Local name of the element.
        name: String,
    },
}

impl TestKind {
    /// A test of a kind that the model knows.
    pub fn of(test_type: TestType, object: ObjectId, states: Vec<StateId>) -> Self {
        Self::Known { test_type, comparison: Comparison { object, states } }
    }

    /// The test's object and states, for a kind that has them.
    pub fn comparison(&self) -> Option<&Comparison> {
        match self {
            Self::Known { comparison, .. } => Some(comparison),
            Self::Unknown | Self::Unsupported { .. } => None,
        }
    }
}

/// What a test compares with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What is collected.
    pub object: ObjectId,
    /// What each item is compared with; none: only existence counts.
    pub states: Vec<StateId>,
}

/// An object: what to collect.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its id.
    pub id: ObjectId,
    /// Its version.
    pub version: String,
    /// For people.
    pub comment: Option<String>,
    /// What is collected.
    pub kind: ObjectKind,
}

/// What an object asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectKind {
    /// What its entities describe.
    Content(ObjectContent),
    /// The items of other objects.
    Set {
        /// Their kind.
        test_type: TestType,
        /// How they are put together.
        set: Set,
    },
    /// An object that the model does not know.
    Unsupported {
        /// What is not known.
        name: String,
    },
}

impl ObjectKind {
    /// The kind of the items, where the model knows it.
    pub fn test_type(&self) -> Option<TestType> {
        match self {
            Self::Content(content) => Some(content.test_type),
            Self::Set { test_type, .. } => Some(*test_type),
            Self::Unsupported { .. } => None,
        }
    }

    /// What entities describe, without behaviors and filters.
    pub fn plain(test_type: TestType, entities: ObjectEntities) -> Self {
        Self::Content(ObjectContent::plain(test_type, entities))
    }

    /// The values of a variable.
    pub fn variable(var_ref: &VariableId) -> Self {
        Self::plain(TestType::Variable, vec![("var_ref", Some(Entity::equals(var_ref.as_str())))])
    }

    /// The union of other objects.
    pub fn union(test_type: TestType, objects: Vec<ObjectId>) -> Self {
        let set =
            Set { operator: SetOperator::Union, members: SetMembers::Objects(objects), filters: Vec::new() };
        Self::Set { test_type, set }
    }
}

/// A description of what is to be collected.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectContent {
    /// The kind of object.
    pub test_type: TestType,
    /// The entities; the names are among the kind's [`TestType::object_entities`].
    pub entities: ObjectEntities,
    /// How the probe goes about it, by name of the attribute.
    pub behaviors: BTreeMap<String, String>,
    /// Which of the items count.
    pub filters: Vec<Filter>,
}

impl ObjectContent {
    /// An object without behaviors and filters.
    pub fn plain(test_type: TestType, entities: ObjectEntities) -> Self {
        Self { test_type, entities, behaviors: BTreeMap::new(), filters: Vec::new() }
    }

    /// An entity that is there and not nil.
    pub fn entity(&self, name: &str) -> Option<&Entity> {
        self.entities.iter().find(|(known, _)| *known == name).and_then(|(_, entity)| entity.as_ref())
    }

    /// How the object names its files; none where it names none.
    pub fn file(&self) -> Option<FileSpec<'_>> {
        if let Some(filepath) = self.entity("filepath") {
            return Some(FileSpec::FilePath(filepath));
        }
        Some(FileSpec::PathAndName { path: self.entity("path")?, filename: self.entity("filename") })
    }
}

/// Which items of an object count (OVAL 5.11, `filter`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What becomes of an item that satisfies the state.
    pub action: FilterAction,
    /// The state.
    pub state: StateId,
}

/// A combination of the items of objects (OVAL 5.11, 5.3.4.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// How they combine.
    pub operator: SetOperator,
    /// What is combined.
    pub members: SetMembers,
    /// Which items of each object count.
    pub filters: Vec<Filter>,
}

/// What a [`Set`] combines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetMembers {
    /// Objects.
    Objects(Vec<ObjectId>),
    /// Sets.
    Sets(Vec<Set>),
}

/// How an object names its files.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FileSpec<'a> {
    /// The whole path.
    FilePath(&'a Entity),
    /// Directory and name.
    PathAndName {
        /// The directory.
        path: &'a Entity,
        /// The name in it; none (`xsi:nil`): the directory itself.
        filename: Option<&'a Entity>,
    },
}

/// The entities of an object by their names; without an entity it is nil (`xsi:nil`).
pub type ObjectEntities = Vec<(&'static str, Option<Entity>)>;

/// An entity of an object or a state: a value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// How values compare.
    pub operation: Operation,
    /// As what they compare.
    pub datatype: Datatype,
    /// What they compare with.
    pub value: EntityValue,
    /// How the values of an item combine, where it has several.
    pub entity_check: Check,
    /// Whether the item's value is kept out of the results.
    pub mask: bool,
}

/// The right hand side of an [`Entity`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityValue {
    /// A value in the document.
    Literal(String),
    /// The values of a variable.
    Variable {
        /// The variable.
        var_ref: VariableId,
        /// How the results for its values combine.
        var_check: Check,
    },
}

impl Entity {
    /// A string that has to be equal.
    pub fn equals(value: impl Into<String>) -> Self {
        Self {
            operation: Operation::Equals,
            datatype: Datatype::String,
            value: EntityValue::Literal(value.into()),
            entity_check: Check::All,
            mask: false,
        }
    }

    /// A regular expression that has to match.
    pub fn matches(pattern: impl Into<String>) -> Self {
        Self { operation: Operation::PatternMatch, ..Self::equals(pattern) }
    }

    /// A value equal to one of a variable's.
    pub fn variable(var_ref: VariableId) -> Self {
        Self { value: EntityValue::Variable { var_ref, var_check: Check::All }, ..Self::equals("") }
    }

    /// A string that any of a variable's values, as regular expressions, has to match.
    pub fn matches_variable(var_ref: VariableId, entity_check: Check) -> Self {
        Self {
            operation: Operation::PatternMatch,
            value: EntityValue::Variable { var_ref, var_check: Check::AtLeastOne },
            entity_check,
            ..Self::equals("")
        }
    }

    /// The same with another `entity_check`.
    pub fn with_entity_check(self, entity_check: Check) -> Self {
        Self { entity_check, ..self }
    }
}

/// A state: what items are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Its id.
    pub id: StateId,
    /// Its version.
    pub version: String,
    /// For people.
    pub comment: Option<String>,
    /// How the results of the entities combine.
    pub operator: Operator,
    /// What is compared.
    pub kind: StateKind,
}

/// What a state compares.
#[derive(Debug, Clone, PartialEq)]
pub enum StateKind {
    /// Entities of the item.
    Known {
        /// The kind of item.
        test_type: TestType,
        /// The entities by their names, which are among the kind's [`TestType::entities`].
        entities: Vec<(&'static str, StateEntity)>,
    },
    /// A state that the model does not know, or that compares what it does not know.
    Unsupported {
        /// What is not known.
        name: String,
    },
}

impl StateKind {
    /// A state that compares one value.
    pub fn one(test_type: TestType, name: &'static str, entity: Entity) -> Self {
        Self::Known { test_type, entities: vec![(name, StateEntity::Value(entity))] }
    }

    /// All entities, those within records included.
    pub fn entities(&self) -> Vec<&Entity> {
        let Self::Known { entities, .. } = self else { return Vec::new() };
        let mut all = Vec::new();
        for (_, entity) in entities {
            match entity {
                StateEntity::Value(entity) => all.push(entity),
                StateEntity::Record { fields, .. } => all.extend(fields.iter().map(|field| &field.entity)),
            }
        }
        all
    }
}

/// What an entity of an item is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum StateEntity {
    /// A value.
    Value(Entity),
    /// The fields of a record.
    Record {
        /// How the results of the item's records combine.
        entity_check: Check,
        /// Each has to hold.
        fields: Vec<RecordField>,
        /// Whether the item's records are kept out of the results.
        mask: bool,
    },
}

/// A field of a record state.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordField {
    /// Its name, in OVAL's encoding (`^a` for `A`).
    pub name: String,
    /// What its values are compared with.
    pub entity: Entity,
}

/// A variable.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its id.
    pub id: VariableId,
    /// Its version.
    pub version: String,
    /// Type of its values.
    pub datatype: Datatype,
    /// For people.
    pub comment: String,
    /// Where the values come from.
    pub kind: VariableKind,
}

impl Variable {
    /// Whether its value is a count.
    pub fn counts(&self) -> bool {
        matches!(self.kind, VariableKind::Local(Component::Count(_)))
    }
}

/// Where a variable's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum VariableKind {
    /// From outside: an XCCDF Value that is exported.
    External,
    /// In the document.
    Constant(Vec<String>),
    /// Computed.
    Local(Component),
}

/// How a local variable is computed (OVAL 5.11, `ComponentGroup` and `FunctionGroup`).
#[derive(Debug, Clone, PartialEq)]
pub enum Component {
    /// A text.
    Literal {
        /// The text.
        value: String,
        /// Its type.
        datatype: Datatype,
    },
    /// The values of a variable.
    Variable(VariableId),
    /// A field of collected items.
    Object {
        /// The object.
        object_ref: ObjectId,
        /// The item's entity.
        item_field: String,
        /// The field, where the entity is a record.
        record_field: Option<String>,
    },
    /// Numbers added or multiplied, in every combination.
    Arithmetic {
        /// What is done.
        operation: ArithmeticOperation,
        /// With what.
        components: Vec<Component>,
    },
    /// The values, each with the text at its beginning.
    Begin {
        /// The text.
        character: String,
        /// The values.
        component: Box<Component>,
    },
    /// Every combination of the components' values, put together.
    Concat(Vec<Component>),
    /// How many values there are.
    Count(Vec<Component>),
    /// The values, each with the text at its end.
    End {
        /// The text.
        character: String,
        /// The values.
        component: Box<Component>,
    },
    /// The values with what is special in a regular expression escaped.
    EscapeRegex(Box<Component>),
    /// Globs as regular expressions.
    GlobToRegex {
        /// Whether a backslash in a glob stands for itself.
        noescape: bool,
        /// The globs.
        component: Box<Component>,
    },
    /// The first group of what an expression matches in the values.
    RegexCapture {
        /// The expression.
        pattern: String,
        /// The values.
        component: Box<Component>,
    },
    /// The pieces of the values between delimiters.
    Split {
        /// The delimiter.
        delimiter: String,
        /// The values.
        component: Box<Component>,
    },
    /// Pieces of the values.
    Substring {
        /// Where they begin, from 1.
        start: i64,
        /// How long they are, in bytes; negative: to the end.
        length: i64,
        /// The values.
        component: Box<Component>,
    },
    /// Seconds from the second time to the first; with one component, from it till now.
    TimeDifference {
        /// How the first times are written.
        format_1: DateTimeFormat,
        /// How the second times are written.
        format_2: DateTimeFormat,
        /// One or two components.
        components: Vec<Component>,
    },
    /// The values, each once.
    Unique(Vec<Component>),
    /// A function that the model does not know.
    Unsupported {
        /// Local name of the element.
        name: String,
    },
}

impl Component {
    /// A text.
    pub fn text(value: impl Into<String>) -> Self {
        Self::Literal { value: value.into(), datatype: Datatype::String }
    }
}
