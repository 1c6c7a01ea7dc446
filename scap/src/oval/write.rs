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
        let (prefix, element) = match &self.kind {
            TestKind::Known { test_type, .. } => {
                let prefix = test_type.family().prefix();
                (prefix, format!("{prefix}:{test_type}_test"))
            }
            TestKind::Unknown => ("ind", "ind:unknown_test".to_owned()),
            TestKind::Unsupported { .. } => return,
        };
        let mut attributes = vec![
            ("id", self.id.as_str()),
            ("version", &self.version),
            ("check", self.check.as_str()),
            ("comment", &self.comment),
        ];
        let Some(comparison) = self.kind.comparison() else {
            return w.empty(&element, &attributes);
        };
        attributes.push(("check_existence", self.check_existence.as_str()));
        if self.state_operator != Operator::And {
            attributes.push(("state_operator", self.state_operator.as_str()));
        }
        w.element(&element, &attributes, |w| {
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
        let Some(test_type) = self.kind.test_type() else { return };
        let prefix = test_type.family().prefix();
        let element = format!("{prefix}:{test_type}_object");
        match &self.kind {
            ObjectKind::Content(content) if content.is_empty() => w.empty(&element, &attributes),
            ObjectKind::Content(content) => w.element(&element, &attributes, |w| content.write(prefix, w)),
            ObjectKind::Set { set, .. } => w.element(&element, &attributes, |w| set.write(w)),
            ObjectKind::Unsupported { .. } => {}
        }
    }
}

impl ObjectContent {
    fn is_empty(&self) -> bool {
        self.entities.is_empty() && self.behaviors.is_empty() && self.filters.is_empty()
    }

    fn write(&self, prefix: &str, w: &mut XmlWriter) {
        if !self.behaviors.is_empty() {
            let attributes: Vec<_> = self.behaviors.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            w.empty(&format!("{prefix}:behaviors"), &attributes);
        }
        for (name, entity) in &self.entities {
            let element = format!("{prefix}:{name}");
            match entity {
                Some(entity) => entity.write(&element, None, w),
                None => w.empty(&element, &[("xsi:nil", "true")]),
            }
        }
        self.filters.iter().for_each(|filter| filter.write(w));
    }
}

impl Filter {
    fn write(&self, w: &mut XmlWriter) {
        w.text_element("oval-def:filter", &[("action", self.action.as_str())], self.state.as_str());
    }
}

impl Set {
    fn write(&self, w: &mut XmlWriter) {
        w.element("oval-def:set", &[("set_operator", self.operator.as_str())], |w| {
            match &self.members {
                SetMembers::Objects(objects) => objects
                    .iter()
                    .for_each(|object| w.text_element("oval-def:object_reference", &[], object.as_str())),
                SetMembers::Sets(sets) => sets.iter().for_each(|set| set.write(w)),
            }
            self.filters.iter().for_each(|filter| filter.write(w));
        });
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
        if self.mask {
            attributes.push(("mask", "true"));
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
        let StateKind::Known { test_type, entities } = &self.kind else { return };
        let prefix = test_type.family().prefix();
        w.element(&format!("{prefix}:{test_type}_state"), &attributes, |w| {
            for (name, entity) in entities {
                entity.write(&format!("{prefix}:{name}"), w);
            }
        });
    }
}

impl StateEntity {
    fn write(&self, element: &str, w: &mut XmlWriter) {
        match self {
            Self::Value(entity) => entity.write(element, None, w),
            Self::Record { entity_check, fields, mask } => {
                let mut attributes = vec![("datatype", Datatype::Record.as_str())];
                if *entity_check != Check::All {
                    attributes.push(("entity_check", entity_check.as_str()));
                }
                if *mask {
                    attributes.push(("mask", "true"));
                }
                w.element(element, &attributes, |w| {
                    for field in fields {
                        field.entity.write("oval-def:field", Some(&field.name), w);
                    }
                });
            }
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
        let all = |name: &str, attributes: &[(&str, &str)], parts: &[Self], w: &mut XmlWriter| {
            w.element(name, attributes, |w| parts.iter().for_each(|part| part.write(w)));
        };
        let one = |name: &str, attributes: &[(&str, &str)], part: &Self, w: &mut XmlWriter| {
            w.element(name, attributes, |w| part.write(w));
        };
        match self {
            Self::Literal { value, datatype } => {
                let attributes = [("datatype", datatype.as_str())];
                let attributes = if *datatype == Datatype::String { &[][..] } else { &attributes };
                w.text_element("oval-def:literal_component", attributes, value);
            }
            Self::Variable(id) => w.empty("oval-def:variable_component", &[("var_ref", id.as_str())]),
            Self::Object { object_ref, item_field, record_field } => {
                let mut attributes = vec![("object_ref", object_ref.as_str()), ("item_field", item_field)];
                if let Some(field) = record_field {
                    attributes.push(("record_field", field));
                }
                w.empty("oval-def:object_component", &attributes);
            }
            Self::Arithmetic { operation, components } => {
                all("oval-def:arithmetic", &[("arithmetic_operation", operation.as_str())], components, w);
            }
            Self::Begin { character, component } => {
                one("oval-def:begin", &[("character", character)], component, w);
            }
            Self::Concat(parts) => all("oval-def:concat", &[], parts, w),
            Self::Count(parts) => all("oval-def:count", &[], parts, w),
            Self::End { character, component } => {
                one("oval-def:end", &[("character", character)], component, w);
            }
            Self::EscapeRegex(inner) => one("oval-def:escape_regex", &[], inner, w),
            Self::GlobToRegex { noescape, component } => {
                let noescape = if *noescape { "true" } else { "false" };
                one("oval-def:glob_to_regex", &[("glob_noescape", noescape)], component, w);
            }
            Self::RegexCapture { pattern, component } => {
                one("oval-def:regex_capture", &[("pattern", pattern)], component, w);
            }
            Self::Split { delimiter, component } => {
                one("oval-def:split", &[("delimiter", delimiter)], component, w);
            }
            Self::Substring { start, length, component } => {
                let (start, length) = (start.to_string(), length.to_string());
                let attributes = [("substring_start", &*start), ("substring_length", &*length)];
                one("oval-def:substring", &attributes, component, w);
            }
            Self::TimeDifference { format_1, format_2, components } => {
                let attributes = [("format_1", format_1.as_str()), ("format_2", format_2.as_str())];
                all("oval-def:time_difference", &attributes, components, w);
            }
            Self::Unique(parts) => all("oval-def:unique", &[], parts, w),
            Self::Unsupported { .. } => {}
        }
    }
}
