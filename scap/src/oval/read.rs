//! Reading of `oval_definitions`.

use super::*;
use crate::namespace::{OVAL_DEF_INDEPENDENT, OVAL_DEF_UNIX, XSI};
use crate::xml::{MAX_DEPTH, Node, NodeExt, ReadError};

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
            node.child(section).map_or(Ok(Vec::new()), |s| s.elements().map(read).collect())
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

fn required_child<'a, 'input>(
    node: Node<'a, 'input>,
    child: &'static str,
) -> Result<Node<'a, 'input>, ReadError> {
    node.child(child).ok_or_else(|| ReadError::MissingChild { line: node.line(), element: name(node), child })
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
        let known = |local: &str| node.is(OVAL_DEF_INDEPENDENT, local);
        let kind = if known("yamlfilecontent_test") {
            TestKind::YamlFileContent(Comparison::read(node)?)
        } else if known("textfilecontent54_test") {
            TestKind::TextFileContent54(Comparison::read(node)?)
        } else if known("variable_test") {
            TestKind::Variable(Comparison::read(node)?)
        } else if known("family_test") {
            TestKind::Family(Comparison::read(node)?)
        } else if node.is(OVAL_DEF_UNIX, "file_test") {
            TestKind::File(Comparison::read(node)?)
        } else if known("unknown_test") {
            TestKind::Unknown
        } else {
            TestKind::Unsupported { name: name(node) }
        };
        Ok(Self {
            id: TestId::new(node.required("id")?),
            version: version(node),
            comment: comment(node).unwrap_or_default(),
            check: Check::read_or(node, "check", Check::All)?,
            check_existence: Existence::read_or(node, "check_existence", Existence::AtLeastOneExists)?,
            state_operator: Operator::read_or(node, "state_operator", Operator::And)?,
            kind,
        })
    }
}

impl Comparison {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Ok(Self {
            object: ObjectId::new(required_child(node, "object")?.required("object_ref")?),
            states: node
                .named("state")
                .map(|state| state.required("state_ref").map(StateId::new))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Object {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let known = |local: &str| node.is(OVAL_DEF_INDEPENDENT, local);
        // Behaviors, sets and filters change what is collected; an object with any of them is not one of these.
        let plain = !node.elements().any(|c| matches!(c.tag_name().name(), "behaviors" | "set" | "filter"));
        let unsupported = || ObjectKind::Unsupported { name: name(node) };
        let kind = if let Some(union) = Self::union(node)? {
            union
        } else if !plain {
            unsupported()
        } else if known("yamlfilecontent_object") {
            ObjectKind::YamlFileContent {
                file: FileSpec::read(node)?,
                yamlpath: Entity::read(required_child(node, "yamlpath")?)?,
            }
        } else if known("textfilecontent54_object") {
            ObjectKind::TextFileContent54 {
                file: FileSpec::read(node)?,
                pattern: Entity::read(required_child(node, "pattern")?)?,
                instance: Entity::read(required_child(node, "instance")?)?,
            }
        } else if known("variable_object") {
            ObjectKind::Variable { var_ref: VariableId::new(required_child(node, "var_ref")?.full_text()) }
        } else if known("family_object") {
            ObjectKind::Family
        } else if node.is(OVAL_DEF_UNIX, "file_object") {
            ObjectKind::File { file: FileSpec::read(node)? }
        } else {
            unsupported()
        };
        Ok(Self {
            id: ObjectId::new(node.required("id")?),
            version: version(node),
            comment: comment(node),
            kind,
        })
    }

    /// The object as a union of others, if it is one without filters or nested sets.
    fn union(node: Node<'_, '_>) -> Result<Option<ObjectKind>, ReadError> {
        let prefixed = ["ind:", "unix:"].map(|prefix| format!("{prefix}{}", name(node)));
        let element = prefixed.iter().find_map(|name| ObjectElement::from_text(name));
        let (Some(set), Some(element)) = (node.child("set"), element) else { return Ok(None) };
        let plain = set.elements().all(|c| c.tag_name().name() == "object_reference");
        if !plain || set.attribute("set_operator").unwrap_or("UNION") != "UNION" {
            return Ok(None);
        }
        let objects = set.elements().map(|reference| ObjectId::new(reference.full_text().trim())).collect();
        Ok(Some(ObjectKind::Union { element, objects }))
    }
}

impl FileSpec {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        match node.child("filepath") {
            Some(filepath) => Entity::read(filepath).map(Self::FilePath),
            None => Ok(Self::PathAndName {
                path: Entity::read(required_child(node, "path")?)?,
                filename: match required_child(node, "filename")? {
                    nil if matches!(nil.attribute((XSI, "nil")), Some("true" | "1")) => None,
                    filename => Some(Entity::read(filename)?),
                },
            }),
        }
    }
}

impl Entity {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let value = match node.attribute("var_ref") {
            Some(var_ref) => EntityValue::Variable {
                var_ref: VariableId::new(var_ref),
                var_check: Check::read_or(node, "var_check", Check::All)?,
            },
            None => EntityValue::Literal(node.full_text()),
        };
        Ok(Self {
            operation: Operation::read_or(node, "operation", Operation::Equals)?,
            datatype: Datatype::read_or(node, "datatype", Datatype::String)?,
            value,
            entity_check: Check::read_or(node, "entity_check", Check::All)?,
        })
    }
}

impl State {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let known = |local: &str| node.is(OVAL_DEF_INDEPENDENT, local);
        let only = |names: &[&str]| node.elements().all(|c| names.contains(&c.tag_name().name()));
        let entity = |name| node.child(name).map(Entity::read).transpose();
        let kind = if known("yamlfilecontent_state") && only(&["value"]) {
            let value = required_child(node, "value")?;
            StateKind::YamlFileContent {
                entity_check: Check::read_or(value, "entity_check", Check::All)?,
                fields: value.named("field").map(RecordField::read).collect::<Result<_, _>>()?,
            }
        } else if known("textfilecontent54_state") && only(&["text", "subexpression"]) {
            StateKind::TextFileContent54 { text: entity("text")?, subexpression: entity("subexpression")? }
        } else if known("variable_state") && only(&["value"]) {
            StateKind::Variable { value: entity("value")? }
        } else if known("family_state") && only(&["family"]) {
            StateKind::Family { family: entity("family")? }
        } else if node.is(OVAL_DEF_UNIX, "file_state")
            && node.elements().all(|c| FileEntity::from_text(c.tag_name().name()).is_some())
        {
            let entity = |c: Node<'_, '_>| {
                let known = FileEntity::from_text(c.tag_name().name());
                known.map(|known| Entity::read(c).map(|entity| (known, entity)))
            };
            StateKind::File { entities: node.elements().filter_map(entity).collect::<Result<_, _>>()? }
        } else {
            StateKind::Unsupported { name: name(node) }
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
                let component = component.ok_or_else(|| ReadError::MissingChild {
                    line: node.line(),
                    element: name(node),
                    child: "literal_component",
                })?;
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
        Ok(match node.tag_name().name() {
            "literal_component" => Self::Literal(node.full_text()),
            "variable_component" => Self::Variable(VariableId::new(node.required("var_ref")?)),
            "object_component" => Self::Object {
                object_ref: ObjectId::new(node.required("object_ref")?),
                item_field: node.required("item_field")?.to_owned(),
                record_field: node.attribute("record_field").map(str::to_owned),
            },
            "concat" => {
                Self::Concat(node.elements().map(|c| Self::read(c, depth + 1)).collect::<Result<_, _>>()?)
            }
            "escape_regex" => match node.elements().next() {
                Some(inner) => Self::EscapeRegex(Box::new(Self::read(inner, depth + 1)?)),
                None => Self::Unsupported { name: name(node) },
            },
            other => Self::Unsupported { name: other.to_owned() },
        })
    }
}
