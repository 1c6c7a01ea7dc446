//! Writing of `oval_definitions`, with the prefixes that the Compliance Operator expects.

use super::*;
use crate::xml::XmlWriter;

/// Attributes of an element, those with a value that is not the default.
type Attributes<'a> = Vec<(&'a str, &'a str)>;

impl OvalDefinitions {
    /// Writes `<oval-def:oval_definitions>`. The prefixes have to be declared by an element around it, or by
    /// `namespaces`.
    ///
    /// What the model does not know ([`TestKind::Unsupported`] and its like) is left out: only the generator's own
    /// content, which has none, is written from the model.
    pub fn write(&self, w: &mut XmlWriter, namespaces: &[(&str, &str)]) {
        w.element("oval-def:oval_definitions", namespaces, |w| {
            self.generator.write("oval-def:generator", w);
            section(w, "oval-def:definitions", &self.definitions, Definition::write);
            section(w, "oval-def:tests", &self.tests, Test::write);
            section(w, "oval-def:objects", &self.objects, Object::write);
            section(w, "oval-def:states", &self.states, State::write);
            section(w, "oval-def:variables", &self.variables, Variable::write);
        });
    }
}

/// Writes a section, which the schema does not allow to be empty.
fn section<T>(w: &mut XmlWriter, name: &str, all: &[T], write: impl Fn(&T, &mut XmlWriter)) {
    if !all.is_empty() {
        w.element(name, &[], |w| all.iter().for_each(|one| write(one, w)));
    }
}

impl Generator {
    /// Writes the generator under the element name given.
    pub fn write(&self, element: &str, w: &mut XmlWriter) {
        w.element(element, &[], |w| {
            if let Some(name) = &self.product_name {
                w.text_element("oval:product_name", &[], name);
            }
            if let Some(version) = &self.product_version {
                w.text_element("oval:product_version", &[], version);
            }
            w.text_element("oval:schema_version", &[], &self.schema_version);
            w.text_element("oval:timestamp", &[], &self.timestamp);
        });
    }
}

impl Definition {
    fn write(&self, w: &mut XmlWriter) {
        let attributes =
            [("class", self.class.as_str()), ("id", self.id.as_str()), ("version", &self.version)];
        w.element("oval-def:definition", &attributes, |w| {
            w.element("oval-def:metadata", &[], |w| {
                w.text_element("oval-def:title", &[], &self.title);
                w.text_element("oval-def:description", &[], &self.description);
            });
            if let Some(criteria) = &self.criteria {
                criteria.write(w);
            }
        });
    }
}

fn push_negate_and_comment<'a>(attributes: &mut Attributes<'a>, negate: bool, comment: &'a Option<String>) {
    if negate {
        attributes.push(("negate", "true"));
    }
    if let Some(comment) = comment {
        attributes.push(("comment", comment));
    }
}

impl Criteria {
    fn write(&self, w: &mut XmlWriter) {
        let mut attributes = vec![("operator", self.operator.as_str())];
        push_negate_and_comment(&mut attributes, self.negate, &self.comment);
        w.element("oval-def:criteria", &attributes, |w| {
            for child in &self.children {
                match child {
                    CriteriaNode::Criteria(criteria) => criteria.write(w),
                    CriteriaNode::Criterion { test_ref, negate, comment } => {
                        let mut attributes = vec![("test_ref", test_ref.as_str())];
                        push_negate_and_comment(&mut attributes, *negate, comment);
                        w.empty("oval-def:criterion", &attributes);
                    }
                    CriteriaNode::ExtendDefinition { definition_ref, negate, comment } => {
                        let mut attributes = vec![("definition_ref", definition_ref.as_str())];
                        push_negate_and_comment(&mut attributes, *negate, comment);
                        w.empty("oval-def:extend_definition", &attributes);
                    }
                }
            }
        });
    }
}

impl Test {
    fn write(&self, w: &mut XmlWriter) {
        let element = match &self.kind {
            TestKind::YamlFileContent(_) => "ind:yamlfilecontent_test",
            TestKind::TextFileContent54(_) => "ind:textfilecontent54_test",
            TestKind::Variable(_) => "ind:variable_test",
            TestKind::Family(_) => "ind:family_test",
            TestKind::File(_) => "unix:file_test",
            TestKind::Unknown => "ind:unknown_test",
            TestKind::Unsupported { .. } => return,
        };
        let mut attributes = vec![
            ("id", self.id.as_str()),
            ("version", &self.version),
            ("check", self.check.as_str()),
            ("comment", &self.comment),
        ];
        let Some(comparison) = self.kind.comparison() else {
            return w.empty(element, &attributes);
        };
        attributes.push(("check_existence", self.check_existence.as_str()));
        if self.state_operator != Operator::And {
            attributes.push(("state_operator", self.state_operator.as_str()));
        }
        let prefix = element.split_once(':').map_or("", |(prefix, _)| prefix);
        w.element(element, &attributes, |w| {
            w.empty(&format!("{prefix}:object"), &[("object_ref", comparison.object.as_str())]);
            for state in &comparison.states {
                w.empty(&format!("{prefix}:state"), &[("state_ref", state.as_str())]);
            }
        });
    }
}

fn head<'a>(id: &'a str, version: &'a str, comment: &'a Option<String>) -> Attributes<'a> {
    let mut attributes = vec![("id", id), ("version", version)];
    if let Some(comment) = comment {
        attributes.push(("comment", comment));
    }
    attributes
}

impl Object {
    fn write(&self, w: &mut XmlWriter) {
        let attributes = head(self.id.as_str(), &self.version, &self.comment);
        match &self.kind {
            ObjectKind::YamlFileContent { file, yamlpath } => {
                w.element("ind:yamlfilecontent_object", &attributes, |w| {
                    file.write("ind", w);
                    yamlpath.write("ind:yamlpath", None, w);
                });
            }
            ObjectKind::TextFileContent54 { file, pattern, instance } => {
                w.element("ind:textfilecontent54_object", &attributes, |w| {
                    file.write("ind", w);
                    pattern.write("ind:pattern", None, w);
                    instance.write("ind:instance", None, w);
                });
            }
            ObjectKind::Variable { var_ref } => {
                w.element("ind:variable_object", &attributes, |w| {
                    w.text_element("ind:var_ref", &[], var_ref.as_str());
                });
            }
            ObjectKind::Family => w.empty("ind:family_object", &attributes),
            ObjectKind::File { file } => {
                w.element("unix:file_object", &attributes, |w| file.write("unix", w));
            }
            ObjectKind::Union { element, objects } => w.element(element.as_str(), &attributes, |w| {
                w.element("oval-def:set", &[("set_operator", "UNION")], |w| {
                    for object in objects {
                        w.text_element("oval-def:object_reference", &[], object.as_str());
                    }
                });
            }),
            ObjectKind::Unsupported { .. } => {}
        }
    }
}

impl FileSpec {
    fn write(&self, prefix: &str, w: &mut XmlWriter) {
        let element = |name: &str| format!("{prefix}:{name}");
        match self {
            Self::FilePath(filepath) => filepath.write(&element("filepath"), None, w),
            Self::PathAndName { path, filename } => {
                path.write(&element("path"), None, w);
                match filename {
                    Some(filename) => filename.write(&element("filename"), None, w),
                    None => w.empty(&element("filename"), &[("xsi:nil", "true")]),
                }
            }
        }
    }
}

impl Entity {
    fn write(&self, element: &str, field: Option<&str>, w: &mut XmlWriter) {
        let mut attributes: Attributes<'_> = Vec::new();
        if let Some(name) = field {
            attributes.push(("name", name));
        }
        if self.datatype != Datatype::String {
            attributes.push(("datatype", self.datatype.as_str()));
        }
        if self.operation != Operation::Equals {
            attributes.push(("operation", self.operation.as_str()));
        }
        if self.entity_check != Check::All {
            attributes.push(("entity_check", self.entity_check.as_str()));
        }
        match &self.value {
            EntityValue::Literal(value) => w.text_element(element, &attributes, value),
            EntityValue::Variable { var_ref, var_check } => {
                attributes.push(("var_ref", var_ref.as_str()));
                if *var_check != Check::All {
                    attributes.push(("var_check", var_check.as_str()));
                }
                w.empty(element, &attributes);
            }
        }
    }
}

impl State {
    fn write(&self, w: &mut XmlWriter) {
        let mut attributes = head(self.id.as_str(), &self.version, &self.comment);
        if self.operator != Operator::And {
            attributes.push(("operator", self.operator.as_str()));
        }
        match &self.kind {
            StateKind::YamlFileContent { entity_check, fields } => {
                w.element("ind:yamlfilecontent_state", &attributes, |w| {
                    let mut attributes = vec![("datatype", Datatype::Record.as_str())];
                    if *entity_check != Check::All {
                        attributes.push(("entity_check", entity_check.as_str()));
                    }
                    w.element("ind:value", &attributes, |w| {
                        for field in fields {
                            field.entity.write("oval-def:field", Some(&field.name), w);
                        }
                    });
                });
            }
            StateKind::TextFileContent54 { text, subexpression } => {
                w.element("ind:textfilecontent54_state", &attributes, |w| {
                    if let Some(text) = text {
                        text.write("ind:text", None, w);
                    }
                    if let Some(subexpression) = subexpression {
                        subexpression.write("ind:subexpression", None, w);
                    }
                });
            }
            StateKind::Variable { value } => {
                w.element("ind:variable_state", &attributes, |w| {
                    if let Some(value) = value {
                        value.write("ind:value", None, w);
                    }
                });
            }
            StateKind::Family { family } => {
                w.element("ind:family_state", &attributes, |w| {
                    if let Some(family) = family {
                        family.write("ind:family", None, w);
                    }
                });
            }
            StateKind::File { entities } => {
                w.element("unix:file_state", &attributes, |w| {
                    for (name, entity) in entities {
                        entity.write(&format!("unix:{name}"), None, w);
                    }
                });
            }
            StateKind::Unsupported { .. } => {}
        }
    }
}

impl Variable {
    fn write(&self, w: &mut XmlWriter) {
        let attributes = [
            ("id", self.id.as_str()),
            ("version", &self.version),
            ("datatype", self.datatype.as_str()),
            ("comment", &self.comment),
        ];
        match &self.kind {
            VariableKind::External => w.empty("oval-def:external_variable", &attributes),
            VariableKind::Constant(values) => w.element("oval-def:constant_variable", &attributes, |w| {
                for value in values {
                    w.text_element("oval-def:value", &[], value);
                }
            }),
            VariableKind::Local(component) => {
                w.element("oval-def:local_variable", &attributes, |w| component.write(w));
            }
        }
    }
}

impl Component {
    fn write(&self, w: &mut XmlWriter) {
        match self {
            Self::Literal(text) => w.text_element("oval-def:literal_component", &[], text),
            Self::Variable(id) => w.empty("oval-def:variable_component", &[("var_ref", id.as_str())]),
            Self::Object { object_ref, item_field, record_field } => {
                let mut attributes = vec![("object_ref", object_ref.as_str()), ("item_field", item_field)];
                if let Some(field) = record_field {
                    attributes.push(("record_field", field));
                }
                w.empty("oval-def:object_component", &attributes);
            }
            Self::Concat(parts) => {
                w.element("oval-def:concat", &[], |w| parts.iter().for_each(|part| part.write(w)));
            }
            Self::EscapeRegex(inner) => w.element("oval-def:escape_regex", &[], |w| inner.write(w)),
            Self::Unsupported { .. } => {}
        }
    }
}
