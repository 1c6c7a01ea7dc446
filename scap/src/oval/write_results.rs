//! Writing of `oval_results`.

use super::results::*;
use super::{Datatype, Item, ItemEntity, ItemValue, Status};
use crate::id::{DefinitionId, ObjectId, TestId, VariableId};
use crate::xml::XmlWriter;

/// What an `oval_results` document says besides the results.
pub struct ResultsFrame<'a> {
    /// Who evaluated, and when.
    pub generator: &'a super::Generator,
    /// The `oval_definitions` element, declarations of its namespaces included.
    pub definitions_xml: &'a str,
    /// What was evaluated.
    pub system: &'a SystemInfo,
}

impl OvalResults {
    /// Writes `<oval-res:oval_results>`.
    pub fn write(&self, frame: &ResultsFrame<'_>, w: &mut XmlWriter) {
        use crate::namespace::*;
        let namespaces = [
            ("xmlns:oval-res", OVAL_RES),
            ("xmlns:oval", OVAL_COMMON),
            ("xmlns:oval-sys", OVAL_SYS),
            ("xmlns:ind-sys", OVAL_SYS_INDEPENDENT),
            ("xmlns:unix-sys", OVAL_SYS_UNIX),
            ("xmlns:linux-sys", OVAL_SYS_LINUX),
            ("xmlns:xsi", XSI),
        ];
        w.element("oval-res:oval_results", &namespaces, |w| {
            frame.generator.write("oval-res:generator", w);
            w.element("oval-res:directives", &[], |w| {
                for result in ["true", "false", "unknown", "error", "not_evaluated", "not_applicable"] {
                    let element = format!("oval-res:definition_{result}");
                    w.empty(&element, &[("reported", "true"), ("content", "full")]);
                }
            });
            w.raw(&format!("\n{}\n", frame.definitions_xml));
            w.element("oval-res:results", &[], |w| {
                w.element("oval-res:system", &[], |w| self.write_system(frame, w));
            });
        });
    }

    fn write_system(&self, frame: &ResultsFrame<'_>, w: &mut XmlWriter) {
        if !self.definitions.is_empty() {
            w.element("oval-res:definitions", &[], |w| {
                for (id, definition) in &self.definitions {
                    write_definition(id, definition, w);
                }
            });
        }
        if !self.tests.is_empty() {
            w.element("oval-res:tests", &[], |w| {
                for (id, test) in &self.tests {
                    self.write_test(id, test, w);
                }
            });
        }
        w.element("oval-sys:oval_system_characteristics", &[], |w| {
            frame.generator.write("oval-sys:generator", w);
            frame.system.write(w);
            if !self.objects.is_empty() {
                w.element("oval-sys:collected_objects", &[], |w| {
                    for (id, (version, object)) in &self.objects {
                        self.write_object(id, version, object, w);
                    }
                });
            }
            if !self.items.is_empty() {
                w.element("oval-sys:system_data", &[], |w| {
                    for item in &self.items {
                        self.write_item(item, w);
                    }
                });
            }
        });
    }
}

impl SystemInfo {
    fn write(&self, w: &mut XmlWriter) {
        w.element("oval-sys:system_info", &[], |w| {
            w.text_element("oval-sys:os_name", &[], &self.os_name);
            w.text_element("oval-sys:os_version", &[], &self.os_version);
            w.text_element("oval-sys:architecture", &[], &self.architecture);
            w.text_element("oval-sys:primary_host_name", &[], &self.primary_host_name);
            if self.interfaces.is_empty() {
                return w.empty("oval-sys:interfaces", &[]);
            }
            w.element("oval-sys:interfaces", &[], |w| {
                for interface in &self.interfaces {
                    w.element("oval-sys:interface", &[], |w| {
                        w.text_element("oval-sys:interface_name", &[], &interface.name);
                        w.text_element("oval-sys:ip_address", &[], &interface.ip_address);
                        w.text_element("oval-sys:mac_address", &[], &interface.mac_address);
                    });
                }
            });
        });
    }
}

fn write_definition(id: &DefinitionId, definition: &DefinitionResult, w: &mut XmlWriter) {
    let attributes = [
        ("definition_id", id.as_str()),
        ("version", &definition.version),
        ("result", definition.result.as_str()),
    ];
    match &definition.criteria {
        None => w.empty("oval-res:definition", &attributes),
        Some(criteria) => {
            w.element("oval-res:definition", &attributes, |w| write_criteria(criteria, w));
        }
    }
}

fn write_criteria(criteria: &CriteriaResult, w: &mut XmlWriter) {
    let mut attributes = vec![("operator", criteria.operator.as_str()), ("result", criteria.result.as_str())];
    if criteria.negate {
        attributes.push(("negate", "true"));
    }
    w.element("oval-res:criteria", &attributes, |w| {
        for child in &criteria.children {
            let (element, reference, version, negate, result) = match child {
                CriteriaNodeResult::Criteria(criteria) => {
                    write_criteria(criteria, w);
                    continue;
                }
                CriteriaNodeResult::Criterion { test_ref, version, negate, result } => {
                    ("oval-res:criterion", ("test_ref", test_ref.as_str()), version, negate, result)
                }
                CriteriaNodeResult::ExtendDefinition { definition_ref, version, negate, result } => (
                    "oval-res:extend_definition",
                    ("definition_ref", definition_ref.as_str()),
                    version,
                    negate,
                    result,
                ),
            };
            let mut attributes = vec![reference, ("version", version), ("result", result.as_str())];
            if *negate {
                attributes.push(("negate", "true"));
            }
            w.empty(element, &attributes);
        }
    });
}

impl OvalResults {
    /// The values of variables that have any, each with its variable.
    fn values<'r>(
        &'r self,
        ids: impl Iterator<Item = &'r VariableId>,
    ) -> impl Iterator<Item = (&'r VariableId, &'r String)> {
        let known = ids.filter_map(|id| Some((id, self.variables.get(id)?)));
        known.flat_map(|(id, values)| values.iter().map(move |value| (id, value)))
    }

    fn write_test(&self, id: &TestId, test: &TestResult, w: &mut XmlWriter) {
        let attributes = [
            ("test_id", id.as_str()),
            ("version", &test.version),
            ("check_existence", test.check_existence.as_str()),
            ("check", test.check.as_str()),
            ("state_operator", test.state_operator.as_str()),
            ("result", test.result.as_str()),
        ];
        let mut variables = self.values(test.tested_variables.iter()).peekable();
        if test.messages.is_empty() && test.tested_items.is_empty() && variables.peek().is_none() {
            return w.empty("oval-res:test", &attributes);
        }
        w.element("oval-res:test", &attributes, |w| {
            for message in &test.messages {
                w.text_element("oval-res:message", &[("level", "info")], message);
            }
            for (item, result) in &test.tested_items {
                let item = item.to_string();
                w.empty("oval-res:tested_item", &[("item_id", &item), ("result", result.as_str())]);
            }
            for (variable, value) in variables {
                w.text_element("oval-res:tested_variable", &[("variable_id", variable.as_str())], value);
            }
        });
    }

    fn write_object(&self, id: &ObjectId, version: &str, object: &CollectedObject, w: &mut XmlWriter) {
        let attributes = [("id", id.as_str()), ("version", version), ("flag", object.flag.as_str())];
        let ids = self.object_variables.get(id);
        let mut variables = self.values(ids.into_iter().flatten()).peekable();
        if object.messages.is_empty() && object.items.is_empty() && variables.peek().is_none() {
            return w.empty("oval-sys:object", &attributes);
        }
        w.element("oval-sys:object", &attributes, |w| {
            for message in &object.messages {
                w.text_element("oval-sys:message", &[("level", "error")], message);
            }
            for (variable, value) in variables {
                w.text_element("oval-sys:variable_value", &[("variable_id", variable.as_str())], value);
            }
            for item in &object.items {
                w.empty("oval-sys:reference", &[("item_ref", &item.to_string())]);
            }
        });
    }
}

impl OvalResults {
    fn write_item(&self, item: &Item, w: &mut XmlWriter) {
        let test_type = item.content.test_type();
        let prefix = format!("{}-sys", test_type.family().prefix());
        let id = item.id.to_string();
        let attributes = [("id", id.as_str()), ("status", item.content.status().as_str())];
        let entities = item.content.entities();
        let element = format!("{prefix}:{}_item", test_type.item_name());
        if entities.is_empty() {
            return w.empty(&element, &attributes);
        }
        w.element(&element, &attributes, |w| {
            for entity in entities.iter() {
                let masked = self.masked.contains(&(item.id, entity.name));
                write_entity(&format!("{prefix}:{}", entity.name), entity, masked, w);
            }
        });
    }
}

fn write_entity(element: &str, entity: &ItemEntity, masked: bool, w: &mut XmlWriter) {
    let mut attributes = Vec::new();
    if entity.datatype != Datatype::String {
        attributes.push(("datatype", entity.datatype.as_str()));
    }
    if entity.status != Status::Exists {
        attributes.push(("status", entity.status.as_str()));
    }
    if masked {
        attributes.push(("mask", "true"));
        return w.empty(element, &attributes);
    }
    match &entity.value {
        ItemValue::Text(_) if entity.status != Status::Exists => w.empty(element, &attributes),
        ItemValue::Text(text) => w.text_element(element, &attributes, text),
        ItemValue::Nil => {
            attributes.push(("xsi:nil", "true"));
            w.empty(element, &attributes);
        }
        ItemValue::Record(fields) => w.element(element, &attributes, |w| {
            for field in fields {
                let mut attributes = vec![("name", field.name.as_str())];
                if field.datatype != Datatype::String {
                    attributes.push(("datatype", field.datatype.as_str()));
                }
                w.text_element("oval-sys:field", &attributes, &field.value);
            }
        }),
    }
}
