//! What evaluating OVAL gives: results, and the items they rest on (system characteristics).

use std::collections::BTreeMap;

use super::{Check, Datatype, Existence, FileItem, Operator, OvalResult, split_path};
use crate::enumeration::enumeration;
use crate::id::{DefinitionId, ObjectId, TestId, VariableId};
use crate::xml::XmlWriter;

enumeration! {
    /// `FlagEnumeration`: how well an object was collected.
    Flag, "OVAL flag" {
        /// Everything that matches was collected.
        Complete => "complete",
        /// Something went wrong.
        Error => "error",
        /// Some of what matches was collected.
        Incomplete => "incomplete",
        /// Nothing matches.
        DoesNotExist => "does not exist",
        /// Nobody looked.
        NotCollected => "not collected",
        /// The object has no meaning on this system.
        NotApplicable => "not applicable",
    }
}

/// An item that was collected.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its number within the results.
    pub id: u64,
    /// What it is.
    pub kind: ItemKind,
}

/// The items that the model knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// `ind-sys:yamlfilecontent_item`.
    YamlFileContent {
        /// The file.
        filepath: String,
        /// What was selected.
        yamlpath: String,
        /// The records.
        records: Vec<Vec<ItemField>>,
    },
    /// `ind-sys:textfilecontent_item`.
    TextFileContent {
        /// The file.
        filepath: String,
        /// The regular expression.
        pattern: String,
        /// Which match, from 1.
        instance: u64,
        /// What matched.
        text: String,
        /// The groups.
        subexpressions: Vec<String>,
    },
    /// `ind-sys:variable_item`.
    Variable {
        /// The variable.
        var_ref: VariableId,
        /// Its values.
        values: Vec<String>,
    },
    /// `unix-sys:file_item`.
    File(FileItem),
    /// `ind-sys:family_item`.
    Family {
        /// The operating system's family.
        family: String,
    },
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemField {
    /// Its name, in OVAL's encoding.
    pub name: String,
    /// Its type.
    pub datatype: Datatype,
    /// Its value.
    pub value: String,
}

/// How an object was collected.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectedObject {
    /// How well.
    pub flag: Flag,
    /// What went wrong or was missing, for people.
    pub messages: Vec<String>,
    /// Numbers of the items.
    pub items: Vec<u64>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// The test's version.
    pub version: String,
    /// Its `check`.
    pub check: Check,
    /// Its `check_existence`.
    pub check_existence: Existence,
    /// Its `state_operator`.
    pub state_operator: Operator,
    /// The result.
    pub result: OvalResult,
    /// Why, where that is not plain.
    pub messages: Vec<String>,
    /// The items, with the result of each.
    pub tested_items: Vec<(u64, OvalResult)>,
    /// The texts within the items that do not satisfy the test's states: what makes a false test false.
    pub offenders: Vec<String>,
    /// The variables that were used, with their values.
    pub tested_variables: Vec<(VariableId, String)>,
}

/// What came of a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionResult {
    /// The definition's version.
    pub version: String,
    /// The result.
    pub result: OvalResult,
    /// The result of each part; none where the definition has no criteria.
    pub criteria: Option<CriteriaResult>,
}

/// What came of criteria.
#[derive(Debug, Clone, PartialEq)]
pub struct CriteriaResult {
    /// How the children combine.
    pub operator: Operator,
    /// Whether the result was turned round.
    pub negate: bool,
    /// The result, turned round where `negate` says so.
    pub result: OvalResult,
    /// The results of the children.
    pub children: Vec<CriteriaNodeResult>,
}

/// What came of a child of criteria.
#[derive(Debug, Clone, PartialEq)]
pub enum CriteriaNodeResult {
    /// A nested combination.
    Criteria(CriteriaResult),
    /// A test.
    Criterion {
        /// The test.
        test_ref: TestId,
        /// Its version.
        version: String,
        /// Whether the result was turned round.
        negate: bool,
        /// The result.
        result: OvalResult,
    },
    /// Another definition.
    ExtendDefinition {
        /// The definition.
        definition_ref: DefinitionId,
        /// Its version.
        version: String,
        /// Whether the result was turned round.
        negate: bool,
        /// The result.
        result: OvalResult,
    },
}

impl CriteriaNodeResult {
    /// The child's result.
    pub fn result(&self) -> OvalResult {
        match self {
            Self::Criteria(c) => c.result,
            Self::Criterion { result, .. } | Self::ExtendDefinition { result, .. } => *result,
        }
    }
}

/// All that came of evaluating one `oval_definitions` document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OvalResults {
    /// By definition.
    pub definitions: BTreeMap<DefinitionId, DefinitionResult>,
    /// By test.
    pub tests: BTreeMap<TestId, TestResult>,
    /// By object, with its version.
    pub objects: BTreeMap<ObjectId, (String, CollectedObject)>,
    /// The items, numbered from 1.
    pub items: Vec<Item>,
}

/// What an `oval_results` document says besides the results.
pub struct ResultsFrame<'a> {
    /// Who evaluated, and when.
    pub generator: &'a super::Generator,
    /// The `oval_definitions` element, declarations of its namespaces included.
    pub definitions_xml: &'a str,
    /// Name of the system that was evaluated.
    pub host_name: &'a str,
    /// What kind of system that is.
    pub os_name: &'a str,
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
                    write_test(id, test, w);
                }
            });
        }
        w.element("oval-sys:oval_system_characteristics", &[], |w| {
            frame.generator.write("oval-sys:generator", w);
            w.element("oval-sys:system_info", &[], |w| {
                w.text_element("oval-sys:os_name", &[], frame.os_name);
                w.text_element("oval-sys:os_version", &[], "Unknown");
                w.text_element("oval-sys:architecture", &[], "Unknown");
                w.text_element("oval-sys:primary_host_name", &[], frame.host_name);
                w.empty("oval-sys:interfaces", &[]);
            });
            if !self.objects.is_empty() {
                w.element("oval-sys:collected_objects", &[], |w| {
                    for (id, (version, object)) in &self.objects {
                        write_object(id, version, object, w);
                    }
                });
            }
            if !self.items.is_empty() {
                w.element("oval-sys:system_data", &[], |w| {
                    for item in &self.items {
                        write_item(item, w);
                    }
                });
            }
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

fn write_test(id: &TestId, test: &TestResult, w: &mut XmlWriter) {
    let attributes = [
        ("test_id", id.as_str()),
        ("version", &test.version),
        ("check_existence", test.check_existence.as_str()),
        ("check", test.check.as_str()),
        ("state_operator", test.state_operator.as_str()),
        ("result", test.result.as_str()),
    ];
    if test.messages.is_empty() && test.tested_items.is_empty() && test.tested_variables.is_empty() {
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
        for (variable, value) in &test.tested_variables {
            w.text_element("oval-res:tested_variable", &[("variable_id", variable.as_str())], value);
        }
    });
}

fn write_object(id: &ObjectId, version: &str, object: &CollectedObject, w: &mut XmlWriter) {
    let attributes = [("id", id.as_str()), ("version", version), ("flag", object.flag.as_str())];
    if object.messages.is_empty() && object.items.is_empty() {
        return w.empty("oval-sys:object", &attributes);
    }
    w.element("oval-sys:object", &attributes, |w| {
        for message in &object.messages {
            w.text_element("oval-sys:message", &[("level", "error")], message);
        }
        for item in &object.items {
            w.empty("oval-sys:reference", &[("item_ref", &item.to_string())]);
        }
    });
}

fn write_item(item: &Item, w: &mut XmlWriter) {
    let id = item.id.to_string();
    let attributes = [("id", id.as_str()), ("status", "exists")];
    match &item.kind {
        ItemKind::YamlFileContent { filepath, yamlpath, records } => {
            w.element("ind-sys:yamlfilecontent_item", &attributes, |w| {
                write_file(filepath, w);
                w.text_element("ind-sys:yamlpath", &[], yamlpath);
                for record in records {
                    w.element("ind-sys:value", &[("datatype", "record")], |w| {
                        for field in record {
                            let mut attributes = vec![("name", field.name.as_str())];
                            if field.datatype != Datatype::String {
                                attributes.push(("datatype", field.datatype.as_str()));
                            }
                            w.text_element("oval-sys:field", &attributes, &field.value);
                        }
                    });
                }
            });
        }
        ItemKind::TextFileContent { filepath, pattern, instance, text, subexpressions } => {
            w.element("ind-sys:textfilecontent_item", &attributes, |w| {
                write_file(filepath, w);
                w.text_element("ind-sys:pattern", &[], pattern);
                w.text_element("ind-sys:instance", &[("datatype", "int")], &instance.to_string());
                w.text_element("ind-sys:text", &[], text);
                for subexpression in subexpressions {
                    w.text_element("ind-sys:subexpression", &[], subexpression);
                }
            });
        }
        ItemKind::Variable { var_ref, values } => {
            w.element("ind-sys:variable_item", &attributes, |w| {
                w.text_element("ind-sys:var_ref", &[], var_ref.as_str());
                for value in values {
                    w.text_element("ind-sys:value", &[], value);
                }
            });
        }
        ItemKind::File(file) => {
            w.element("unix-sys:file_item", &attributes, |w| file.write(w));
        }
        ItemKind::Family { family } => {
            w.element("ind-sys:family_item", &attributes, |w| {
                w.text_element("ind-sys:family", &[], family);
            });
        }
    }
}

fn write_file(filepath: &str, w: &mut XmlWriter) {
    let (path, filename) = split_path(filepath);
    w.text_element("ind-sys:filepath", &[], filepath);
    w.text_element("ind-sys:path", &[], path);
    w.text_element("ind-sys:filename", &[], filename);
}
