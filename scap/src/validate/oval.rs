//! OVAL definitions: ids, references and enumerations.

use std::collections::{BTreeMap, BTreeSet};

use super::{BOOLEANS, Check};
use crate::namespace::OVAL_COMMON;
use crate::oval::{Class, Existence, Operation, Operator};
use crate::xml::{Node, NodeExt as _};

/// [`CheckEnumeration`](crate::oval::Check), with the words of older schemas.
const CHECKS: [&str; 6] = ["all", "at least one", "none exist", "none satisfy", "only one", "none exists"];

/// Section of a document, the kind in the ids of what it holds, and the attribute that names them.
const SECTIONS: [(&str, &str, &[&str]); 5] = [
    ("definitions", "def", &["definition_ref"]),
    ("tests", "tst", &["test_ref"]),
    ("objects", "obj", &["object_ref"]),
    ("states", "ste", &["state_ref"]),
    ("variables", "var", &["var_ref"]),
];

impl Check {
    pub(super) fn oval(&mut self, document: Node<'_, '_>) {
        self.child(document, "generator");
        if let Some(generator) = document.child("generator") {
            for name in ["schema_version", "timestamp"] {
                if !generator.elements().any(|node| node.is(OVAL_COMMON, name)) {
                    self.problem(generator, format!("<generator> has no <oval:{name}>"), "add it");
                }
            }
        }
        let mut ids = BTreeMap::new();
        let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (section, kind, attributes) in SECTIONS {
            let items = document.child(section).map(|s| s.elements().collect::<Vec<_>>()).unwrap_or_default();
            let found: BTreeSet<_> = items.iter().filter_map(|item| item.attribute("id")).collect();
            known.extend(attributes.iter().map(|attribute| (*attribute, found.clone())));
            for item in items {
                self.unique(item, &mut ids);
                self.required(item, "version");
                self.form_of_oval(item, kind);
            }
        }
        for node in document.descendants().filter(roxmltree::Node::is_element) {
            self.element(node, &known);
        }
    }

    fn element(&mut self, node: Node<'_, '_>, known: &BTreeMap<&str, BTreeSet<&str>>) {
        let name = node.tag_name().name();
        match name {
            "definition" => {
                self.required(node, "class");
                self.one_of(node, "class", Class::TEXTS);
                self.child(node, "metadata");
            }
            "criterion" => {
                self.required(node, "test_ref");
            }
            "extend_definition" => {
                self.required(node, "definition_ref");
            }
            "criteria" => self.one_of(node, "operator", Operator::TEXTS),
            _ if name.ends_with("_test") && node.attribute("id").is_some() => {
                self.required(node, "check");
                self.one_of(node, "check", &CHECKS);
                self.one_of(node, "check_existence", Existence::TEXTS);
                self.one_of(node, "state_operator", Operator::TEXTS);
            }
            _ if name.ends_with("_state") && node.attribute("id").is_some() => {
                self.one_of(node, "operator", Operator::TEXTS);
            }
            _ => {}
        }
        self.one_of(node, "operation", Operation::TEXTS);
        self.one_of(node, "entity_check", &CHECKS);
        self.one_of(node, "var_check", &CHECKS);
        self.one_of(node, "negate", &BOOLEANS);
        for (attribute, ids) in known {
            if let Some(id) = node.attribute(*attribute).filter(|id| !ids.contains(id)) {
                self.problem(
                    node,
                    format!("<{name}> names '{id}', which the document does not define"),
                    "define it, or name another one",
                );
            }
        }
    }

    /// Ids in OVAL are `oval:<namespace>:<kind>:<number>`.
    fn form_of_oval(&mut self, node: Node<'_, '_>, kind: &str) {
        let Some(id) = node.attribute("id") else { return };
        let parts: Vec<_> = id.split(':').collect();
        let right = matches!(parts.as_slice(), ["oval", space, found, number]
            if !space.is_empty()
                && *found == kind
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit()));
        if !right {
            let what = format!("the id '{id}' is of another form");
            self.problem(node, what, format!("write it as oval:<namespace>:{kind}:<number>"));
        }
    }
}
