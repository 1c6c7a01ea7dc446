//! Reading of `oval_definitions`.

use super::*;
use crate::namespace::XSI;
use crate::xml::{MAX_DEPTH, Node, NodeExt, ReadError, unique_ids};

impl OvalDefinitions {
    /// Reads an `oval_definitions` element.
    ///
    /// Tests, objects, states and functions that the model does not know are kept as `Unsupported`, with their name.
    ///
    /// # Errors
    /// [`ReadError`] where the document breaks the OVAL schema in what the model reads.
    pub fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        fn each<T>(
            node: Node<'_, '_>,
            section: &str,
            read: impl Fn(Node<'_, '_>) -> Result<T, ReadError>,
        ) -> Result<Vec<T>, ReadError> {
            let Some(section) = node.child(section) else { return Ok(Vec::new()) };
            unique_ids(section.elements())?;
            section.elements().map(read).collect()
        }
        Ok(Self {
            generator: node.child("generator").map(Generator::read).unwrap_or_default(),
            definitions: each(node, "definitions", Definition::read)?,
            tests: each(node, "tests", Test::read)?,
            objects: each(node, "objects", Object::read)?,
            states: each(node, "states", State::read)?,
            variables: each(node, "variables", Variable::read)?,
        })
    }
}

impl Generator {
    pub(crate) fn read(node: Node<'_, '_>) -> Self {
        let text = |name| node.child(name).map(|n| n.full_text());
        Self {
            product_name: text("product_name"),
            product_version: text("product_version"),
            schema_version: text("schema_version").unwrap_or_default(),
            timestamp: text("timestamp").unwrap_or_default(),
        }
    }
}

fn version(node: Node<'_, '_>) -> String {
    node.attribute("version").unwrap_or("1").to_owned()
}

fn comment(node: Node<'_, '_>) -> Option<String> {
    node.attribute("comment").map(str::to_owned)
}

fn name(node: Node<'_, '_>) -> String {
    node.tag_name().name().to_owned()
}

impl Definition {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let metadata = node.child("metadata");
        let text = |name| metadata.and_then(|m| m.child(name)).map(|n| n.full_text()).unwrap_or_default();
        Ok(Self {
            id: DefinitionId::new(node.required("id")?),
            version: version(node),
            class: Class::read_or(node, "class", Class::Miscellaneous)?,
            title: text("title"),
            description: text("description"),
            criteria: node.child("criteria").map(|c| Criteria::read(c, 0)).transpose()?,
        })
    }
}

impl Criteria {
    fn read(node: Node<'_, '_>, depth: usize) -> Result<Self, ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep { line: node.line() });
        }
        let mut children = Vec::new();
        for child in node.elements() {
            let negate = child.boolean("negate", false)?;
            children.push(match child.tag_name().name() {
                "criteria" => CriteriaNode::Criteria(Self::read(child, depth + 1)?),
                "criterion" => CriteriaNode::Criterion {
                    test_ref: TestId::new(child.required("test_ref")?),
                    negate,
                    comment: comment(child),
                },
                "extend_definition" => CriteriaNode::ExtendDefinition {
                    definition_ref: DefinitionId::new(child.required("definition_ref")?),
                    negate,
                    comment: comment(child),
                },
                other => return Err(child.bad_value(other, "OVAL criteria")),
            });
        }
        Ok(Self {
            operator: Operator::read_or(node, "operator", Operator::And)?,
            negate: node.boolean("negate", false)?,
            comment: comment(node),
            children,
        })
    }
}

impl Test {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let kind = match TestType::of_element(node.tag_name().namespace(), node.tag_name().name(), "_test") {
            Some(TestType::Unknown) => TestKind::Unknown,
            Some(test_type) => TestKind::Known { test_type, comparison: Comparison::read(node)? },
            None => TestKind::Unsupported { name: name(node) },
        };
        Ok(Self {
            id: TestId::new(node.required("id")?),
            version: version(node),
            comment: comment(node).unwrap_or_default(),
            check: Check::read_test(node)?,
            check_existence: Existence::read_or(node, "check_existence", Existence::AtLeastOneExists)?,
            state_operator: Operator::read_or(node, "state_operator", Operator::And)?,
            kind,
        })
    }
}

impl Check {
    /// `none exist` is an old word for `none satisfy`.
    fn read_old(node: Node<'_, '_>, attribute: &str, default: Self) -> Result<Self, ReadError> {
        match node.attribute(attribute) {
            Some("none exist") => Ok(Self::NoneSatisfy),
            _ => Self::read_or(node, attribute, default),
        }
    }

    fn read_test(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Self::read_old(node, "check", Self::All)
    }
}

impl Comparison {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Ok(Self {
            object: {
                let object = node.child("object").ok_or_else(|| node.missing_child("object"))?;
                ObjectId::new(object.required("object_ref")?)
            },
            states: node
                .named("state")
                .map(|state| state.required("state_ref").map(StateId::new))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Object {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let test_type = TestType::of_element(node.tag_name().namespace(), node.tag_name().name(), "_object");
        let kind = match (test_type, node.child("set")) {
            (Some(test_type), Some(set)) => ObjectKind::Set { test_type, set: Set::read(set, 0)? },
            (Some(test_type), None) => ObjectContent::read(node, test_type)?
                .map_or_else(|name| ObjectKind::Unsupported { name }, ObjectKind::Content),
            (None, _) => ObjectKind::Unsupported { name: name(node) },
        };
        Ok(Self {
            id: ObjectId::new(node.required("id")?),
            version: version(node),
            comment: comment(node),
            kind,
        })
    }
}

/// Whether an element says that it has no value.
fn is_nil(node: Node<'_, '_>) -> bool {
    matches!(node.attribute((XSI, "nil")), Some("true" | "1"))
}

impl ObjectContent {
    /// Reads an object; gives the name of what is not known in it.
    fn read(node: Node<'_, '_>, test_type: TestType) -> Result<Result<Self, String>, ReadError> {
        let mut content = Self::plain(test_type, Vec::new());
        for child in node.elements() {
            match child.tag_name().name() {
                // A signature and notes say nothing about what is collected.
                "notes" | "Signature" => {}
                "behaviors" => {
                    let behaviors = child.attributes();
                    let pairs =
                        behaviors.map(|behavior| (behavior.name().to_owned(), behavior.value().to_owned()));
                    content.behaviors.extend(pairs);
                }
                "filter" => content.filters.push(Filter::read(child)?),
                other => match test_type.object_entity(other) {
                    Some(name) => {
                        let entity = if is_nil(child) { None } else { Some(Entity::read(child)?) };
                        content.entities.push((name, entity));
                    }
                    None => return Ok(Err(format!("{test_type}_object with {other}"))),
                },
            }
        }
        Ok(Ok(content))
    }
}

impl Filter {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Ok(Self {
            action: FilterAction::read_or(node, "action", FilterAction::Exclude)?,
            state: StateId::new(node.full_text().trim()),
        })
    }
}

impl Set {
    fn read(node: Node<'_, '_>, depth: usize) -> Result<Self, ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep { line: node.line() });
        }
        let sets = node.named("set").map(|set| Self::read(set, depth + 1)).collect::<Result<Vec<_>, _>>()?;
        let members = if sets.is_empty() {
            let references = node.named("object_reference");
            SetMembers::Objects(references.map(|r| ObjectId::new(r.full_text().trim())).collect())
        } else {
            SetMembers::Sets(sets)
        };
        Ok(Self {
            operator: SetOperator::read_or(node, "set_operator", SetOperator::Union)?,
            members,
            filters: node.named("filter").map(Filter::read).collect::<Result<_, _>>()?,
        })
    }
}

impl Entity {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let value = match node.attribute("var_ref") {
            Some(var_ref) => EntityValue::Variable {
                var_ref: VariableId::new(var_ref),
                var_check: Check::read_old(node, "var_check", Check::All)?,
            },
            None => EntityValue::Literal(node.full_text()),
        };
        Ok(Self {
            operation: Operation::read_or(node, "operation", Operation::Equals)?,
            datatype: Datatype::read_or(node, "datatype", Datatype::String)?,
            value,
            entity_check: Check::read_old(node, "entity_check", Check::All)?,
            mask: node.boolean("mask", false)?,
        })
    }
}

impl State {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let test_type = TestType::of_element(node.tag_name().namespace(), node.tag_name().name(), "_state");
        let kind = match test_type {
            Some(test_type) => StateKind::read(node, test_type)?,
            None => StateKind::Unsupported { name: name(node) },
        };
        Ok(Self {
            id: StateId::new(node.required("id")?),
            version: version(node),
            comment: comment(node),
            operator: Operator::read_or(node, "operator", Operator::And)?,
            kind,
        })
    }
}

impl StateKind {
    fn read(node: Node<'_, '_>, test_type: TestType) -> Result<Self, ReadError> {
        let mut entities = Vec::new();
        for child in node.elements() {
            let local = child.tag_name().name();
            if matches!(local, "notes" | "Signature") {
                continue;
            }
            // How many of an item's entities have to exist is asked by nobody's content.
            let asks_existence =
                child.attribute("check_existence").is_some_and(|c| c != "at_least_one_exists");
            let Some(name) = test_type.entity(local).filter(|_| !asks_existence) else {
                return Ok(Self::Unsupported { name: format!("{test_type}_state with {local}") });
            };
            let datatype = Datatype::read_or(child, "datatype", Datatype::String)?;
            let entity = if datatype == Datatype::Record {
                StateEntity::Record {
                    entity_check: Check::read_old(child, "entity_check", Check::All)?,
                    fields: child.named("field").map(RecordField::read).collect::<Result<_, _>>()?,
                    mask: child.boolean("mask", false)?,
                }
            } else {
                StateEntity::Value(Entity::read(child)?)
            };
            entities.push((name, entity));
        }
        Ok(Self::Known { test_type, entities })
    }
}

impl RecordField {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Ok(Self { name: node.required("name")?.to_owned(), entity: Entity::read(node)? })
    }
}

impl Variable {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let kind = match node.tag_name().name() {
            "external_variable" => VariableKind::External,
            "constant_variable" => {
                VariableKind::Constant(node.named("value").map(|v| v.full_text()).collect())
            }
            "local_variable" => {
                let component = node.elements().find(|c| c.tag_name().name() != "notes");
                let component = component.ok_or_else(|| node.missing_child("literal_component"))?;
                VariableKind::Local(Component::read(component, 0)?)
            }
            other => return Err(node.bad_value(other, "OVAL variables")),
        };
        Ok(Self {
            id: VariableId::new(node.required("id")?),
            version: version(node),
            datatype: Datatype::read_or(node, "datatype", Datatype::String)?,
            comment: comment(node).unwrap_or_default(),
            kind,
        })
    }
}

impl Component {
    fn read(node: Node<'_, '_>, depth: usize) -> Result<Self, ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep { line: node.line() });
        }
        let inner = || node.elements().map(|c| Self::read(c, depth + 1)).collect::<Result<Vec<_>, _>>();
        // oscap looks at the first only.
        let only = || {
            let first = node.elements().next();
            let first = first.ok_or_else(|| node.missing_child("literal_component"))?;
            Self::read(first, depth + 1).map(Box::new)
        };
        let text = |attribute| node.required(attribute).map(str::to_owned);
        let number = |attribute: &'static str| {
            let text = node.required(attribute)?;
            text.trim().parse().map_err(|_| node.bad_value(text, "whole numbers"))
        };
        let format = |attribute| DateTimeFormat::read_or(node, attribute, DateTimeFormat::YearMonthDay);
        Ok(match node.tag_name().name() {
            "literal_component" => Self::Literal {
                value: node.full_text(),
                datatype: Datatype::read_or(node, "datatype", Datatype::String)?,
            },
            "variable_component" => Self::Variable(VariableId::new(node.required("var_ref")?)),
            "object_component" => Self::Object {
                object_ref: ObjectId::new(node.required("object_ref")?),
                item_field: text("item_field")?,
                record_field: node.attribute("record_field").map(str::to_owned),
            },
            "arithmetic" => Self::Arithmetic {
                operation: ArithmeticOperation::read_or(
                    node,
                    "arithmetic_operation",
                    ArithmeticOperation::Add,
                )?,
                components: inner()?,
            },
            "begin" => Self::Begin { character: text("character")?, component: only()? },
            "concat" => Self::Concat(inner()?),
            "count" => Self::Count(inner()?),
            "end" => Self::End { character: text("character")?, component: only()? },
            "escape_regex" => Self::EscapeRegex(only()?),
            "glob_to_regex" => {
                Self::GlobToRegex { noescape: node.boolean("glob_noescape", false)?, component: only()? }
            }
            "regex_capture" => Self::RegexCapture {
                pattern: node.attribute("pattern").unwrap_or_default().to_owned(),
                component: only()?,
            },
            "split" => Self::Split { delimiter: text("delimiter")?, component: only()? },
            "substring" => Self::Substring {
                start: number("substring_start")?,
                length: number("substring_length")?,
                component: only()?,
            },
            "time_difference" => Self::TimeDifference {
                format_1: format("format_1")?,
                format_2: format("format_2")?,
                components: inner()?,
            },
            "unique" => Self::Unique(inner()?),
            other => Self::Unsupported { name: other.to_owned() },
        })
    }
}
