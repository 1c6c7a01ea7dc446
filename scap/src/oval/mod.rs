//! OVAL 5.11: definitions, and the results of evaluating them.

mod enumerations;
mod file_item;
mod read;
pub mod results;
mod write;

use crate::id::{DefinitionId, ObjectId, StateId, TestId, VariableId};

pub use enumerations::{
    Check, Class, Datatype, Existence, FileEntity, FileType, ObjectElement, Operation, Operator, OvalResult,
};
pub use file_item::{FileItem, split_path};

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

/// The tests that the model knows. A test has an object and states of its own kind.
#[derive(Debug, Clone, PartialEq)]
pub enum TestKind {
    /// `ind:yamlfilecontent_test`.
    YamlFileContent(Comparison),
    /// `ind:textfilecontent54_test`.
    TextFileContent54(Comparison),
    /// `ind:variable_test`.
    Variable(Comparison),
    /// `ind:family_test`.
    Family(Comparison),
    /// `unix:file_test`.
    File(Comparison),
    /// `ind:unknown_test`, always unknown.
    Unknown,
    /// A test that the model does not know: it is named, and never guessed.
    Unsupported {
        /// Local name of the element.
        name: String,
    },
}

impl TestKind {
    /// The test's object and states, for a kind that has them.
    pub fn comparison(&self) -> Option<&Comparison> {
        match self {
            Self::YamlFileContent(c)
            | Self::TextFileContent54(c)
            | Self::Variable(c)
            | Self::Family(c)
            | Self::File(c) => Some(c),
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

/// The objects that the model knows.
#[derive(Debug, Clone, PartialEq)]
pub enum ObjectKind {
    /// `ind:yamlfilecontent_object`.
    YamlFileContent {
        /// The files.
        file: FileSpec,
        /// What to select in each.
        yamlpath: Entity,
    },
    /// `ind:textfilecontent54_object`.
    TextFileContent54 {
        /// The files.
        file: FileSpec,
        /// The regular expression.
        pattern: Entity,
        /// Which matches count, from 1.
        instance: Entity,
    },
    /// `ind:variable_object`.
    Variable {
        /// The variable.
        var_ref: VariableId,
    },
    /// `ind:family_object`.
    Family,
    /// `unix:file_object`.
    File {
        /// The files.
        file: FileSpec,
    },
    /// A `set` of the items of other objects (OVAL 5.11, 5.3.4.5): the union of all of them.
    Union {
        /// The element's kind (`yamlfilecontent_object`), with its prefix.
        element: ObjectElement,
        /// The objects.
        objects: Vec<ObjectId>,
    },
    /// An object that the model does not know.
    Unsupported {
        /// Local name of the element.
        name: String,
    },
}

/// How an object names its files.
#[derive(Debug, Clone, PartialEq)]
pub enum FileSpec {
    /// The whole path.
    FilePath(Entity),
    /// Directory and name.
    PathAndName {
        /// The directory.
        path: Entity,
        /// The name in it; none (`xsi:nil`): the directory itself.
        filename: Option<Entity>,
    },
}

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

/// The states that the model knows.
#[derive(Debug, Clone, PartialEq)]
pub enum StateKind {
    /// `ind:yamlfilecontent_state`: the record's fields.
    YamlFileContent {
        /// How the results of the item's records combine.
        entity_check: Check,
        /// Each has to hold.
        fields: Vec<RecordField>,
    },
    /// `ind:textfilecontent54_state`.
    TextFileContent54 {
        /// The text that matched.
        text: Option<Entity>,
        /// The groups of the regular expression.
        subexpression: Option<Entity>,
    },
    /// `ind:variable_state`.
    Variable {
        /// The variable's values.
        value: Option<Entity>,
    },
    /// `ind:family_state`.
    Family {
        /// The operating system's family (`unix`).
        family: Option<Entity>,
    },
    /// `unix:file_state`: entities of the item, each of which counts.
    File {
        /// The entities, in the order of the schema.
        entities: Vec<(FileEntity, Entity)>,
    },
    /// A state that the model does not know, or that compares what it does not know.
    Unsupported {
        /// Local name of the element.
        name: String,
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

/// How a local variable is computed.
#[derive(Debug, Clone, PartialEq)]
pub enum Component {
    /// A text.
    Literal(String),
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
    /// Every combination of the components' values, put together.
    Concat(Vec<Component>),
    /// The values with what is special in a regular expression escaped.
    EscapeRegex(Box<Component>),
    /// A function that the model does not know.
    Unsupported {
        /// Local name of the element.
        name: String,
    },
}
