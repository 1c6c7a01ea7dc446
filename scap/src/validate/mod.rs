//! A check of the structure of source data streams.
//!
//! No validation against XML schemas: what is looked at is what evaluations rest on. Ids and the references between them,
//! required attributes and children, enumerations, and whether the model can read the components.

mod oval;
mod xccdf;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::cpe::CpeList;
use crate::datastream::is_remote;
use crate::info::DocumentKind;
use crate::namespace::{DS, XLINK};
use crate::ocil::Ocil;
use crate::oval::OvalDefinitions;
use crate::xccdf::{Benchmark, Tailoring};
use crate::xml::{Node, NodeExt as _, ReadError};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line in the document, from 1.
    pub line: u32,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.line, self.what, self.advice)
    }
}

/// Looks for problems; none were found where the list is empty.
///
/// # Errors
/// [`ReadError`] where the text is no XML, or no source data stream.
pub fn validate(xml: &str) -> Result<Vec<Problem>, ReadError> {
    let document = roxmltree::Document::parse(xml)?;
    let root = document.root_element();
    if !root.is(DS, "data-stream-collection") {
        return Err(ReadError::WrongRoot {
            found: root.tag_name().name().to_owned(),
            expected: "<data-stream-collection> of a SCAP 1.2 or 1.3 source data stream",
        });
    }
    let lines = xml.match_indices('\n').map(|(offset, _)| offset).collect();
    let mut check = Check { lines, problems: Vec::new() };
    check.collection(root);
    check.problems.sort();
    check.problems.dedup();
    Ok(check.problems)
}

/// The texts of `xs:boolean`.
const BOOLEANS: [&str; 4] = ["true", "false", "1", "0"];

struct Check {
    /// Where lines end: to look for each problem's line from the start of the text takes too long where there are many.
    lines: Vec<usize>,
    problems: Vec<Problem>,
}

impl Check {
    fn problem(&mut self, node: Node<'_, '_>, what: String, advice: impl Into<String>) {
        let line = self.line(node);
        self.problems.push(Problem { line, what, advice: advice.into() });
    }

    /// Line of an element, from 1.
    fn line(&self, node: Node<'_, '_>) -> u32 {
        let before = self.lines.partition_point(|end| *end < node.range().start);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }

    /// An attribute that has to be there.
    fn required<'a>(&mut self, node: Node<'a, '_>, name: &str) -> Option<&'a str> {
        let found = node.attribute(name);
        if found.is_none() {
            let what = format!("<{}> has no attribute '{name}'", node.tag_name().name());
            self.problem(node, what, "add it");
        }
        found
    }

    /// An attribute that is one of some values, where it is there.
    fn one_of(&mut self, node: Node<'_, '_>, name: &str, values: &[&str]) {
        if let Some(value) = node.attribute(name).filter(|value| !values.contains(&value.trim())) {
            let what = format!("the attribute '{name}' of <{}> is '{value}'", node.tag_name().name());
            self.problem(node, what, format!("it has to be one of {}", values.join(", ")));
        }
    }

    /// A child that has to be there.
    fn child(&mut self, node: Node<'_, '_>, name: &str) {
        if node.child(name).is_none() {
            let what = format!("<{}> has no <{name}>", node.tag_name().name());
            self.problem(node, what, "add it");
        }
    }

    /// An id that only one element may have.
    fn unique<'a, 'i>(&mut self, node: Node<'a, 'i>, seen: &mut BTreeMap<&'a str, Node<'a, 'i>>) {
        let Some(id) = self.required(node, "id") else { return };
        if let Some(other) = seen.insert(id, node) {
            let what = format!("the id '{id}' is taken in line {}", self.line(other));
            self.problem(node, what, "give it another one");
        }
    }

    fn collection(&mut self, root: Node<'_, '_>) {
        let mut ids = BTreeMap::new();
        self.unique(root, &mut ids);
        self.form(root, "collection");
        self.required(root, "schematron-version");
        self.child(root, "data-stream");
        self.child(root, "component");
        let components: BTreeMap<&str, Node<'_, '_>> = root
            .elements()
            .filter(|node| matches!(node.tag_name().name(), "component" | "extended-component"))
            .filter_map(|node| Some((node.attribute("id")?, node)))
            .collect();
        for node in root.elements() {
            match node.tag_name().name() {
                "data-stream" => {
                    self.unique(node, &mut ids);
                    self.stream(node, &components, &mut ids);
                }
                "component" | "extended-component" => {
                    self.unique(node, &mut ids);
                    let is_component = node.tag_name().name() == "component";
                    self.form(node, if is_component { "comp" } else { "ecomp" });
                    if self.required(node, "timestamp").is_some_and(|time| !is_time(time)) {
                        let what = "the timestamp is no date and time".to_owned();
                        self.problem(node, what, "write it as 2026-01-31T12:00:00Z");
                    }
                    if is_component {
                        self.component(node);
                    }
                }
                "Signature" => {}
                other => {
                    let what = format!("<data-stream-collection> holds an element <{other}>");
                    self.problem(node, what, "remove it");
                }
            }
        }
    }

    /// Ids of a data stream's parts are `scap_<reverse DNS name>_<kind>_<name>` (SCAP 1.3, table 7).
    fn form(&mut self, node: Node<'_, '_>, kind: &str) {
        let Some(id) = node.attribute("id") else { return };
        let mut parts = id.splitn(4, '_');
        let right = parts.next() == Some("scap")
            && parts.next().is_some_and(|part| !part.is_empty())
            && parts.next() == Some(kind)
            && parts.next().is_some_and(|part| !part.is_empty());
        if !right {
            let what = format!("the id '{id}' is of another form");
            self.problem(node, what, format!("write it as scap_<reverse DNS name>_{kind}_<name>"));
        }
    }

    fn stream<'a, 'i>(
        &mut self,
        stream: Node<'a, 'i>,
        components: &BTreeMap<&'a str, Node<'a, 'i>>,
        ids: &mut BTreeMap<&'a str, Node<'a, 'i>>,
    ) {
        self.form(stream, "datastream");
        self.required(stream, "scap-version");
        self.one_of(stream, "scap-version", &["1.0", "1.1", "1.2", "1.3"]);
        self.required(stream, "use-case");
        self.one_of(stream, "use-case", &["CONFIGURATION", "VULNERABILITY", "INVENTORY", "OTHER"]);
        self.child(stream, "checks");
        let references: BTreeSet<&str> = stream
            .elements()
            .flat_map(|section| section.elements().collect::<Vec<_>>())
            .filter_map(|reference| reference.attribute("id"))
            .collect();
        for section in stream.elements() {
            let name = section.tag_name().name();
            if !matches!(name, "dictionaries" | "checklists" | "checks" | "extended-components") {
                self.problem(section, format!("<data-stream> holds an element <{name}>"), "remove it");
                continue;
            }
            self.child(section, "component-ref");
            for reference in section.named("component-ref") {
                self.unique(reference, ids);
                self.form(reference, "cref");
                self.reference(reference, name, components);
                for uri in reference.child("catalog").iter().flat_map(|catalog| catalog.named("uri")) {
                    self.required(uri, "name");
                    let target = self.required(uri, "uri").map(|uri| uri.trim_start_matches('#'));
                    if let Some(target) = target.filter(|t| !references.contains(t)) {
                        let what = format!("the catalog leads to '{target}', which the data stream lacks");
                        self.problem(uri, what, "name the id of a component-ref of this data stream");
                    }
                }
            }
        }
    }

    fn reference(
        &mut self,
        reference: Node<'_, '_>,
        section: &str,
        components: &BTreeMap<&str, Node<'_, '_>>,
    ) {
        let Some(href) = reference.attribute((XLINK, "href")) else {
            let what = "<component-ref> has no attribute 'xlink:href'".to_owned();
            return self.problem(reference, what, "name its component there, as #ID");
        };
        if is_remote(href) {
            return;
        }
        let Some(component) = href.strip_prefix('#').and_then(|id| components.get(id)) else {
            let what = format!("the reference leads to '{href}', which the collection lacks");
            return self.problem(reference, what, "name the id of a component, as #ID");
        };
        if component.tag_name().name() == "extended-component" || section == "extended-components" {
            return;
        }
        let kind = component.elements().next().and_then(DocumentKind::of);
        let fits = match section {
            "dictionaries" => kind == Some(DocumentKind::CpeDictionary),
            "checklists" => matches!(kind, Some(DocumentKind::Xccdf | DocumentKind::Tailoring)),
            _ => matches!(kind, Some(DocumentKind::OvalDefinitions | DocumentKind::Ocil)),
        };
        if !fits {
            let found = kind.map_or("something unknown", DocumentKind::name);
            let what = format!("<{section}> refers to a component that holds {found}");
            self.problem(reference, what, "move the reference to the section for it");
        }
    }

    fn component(&mut self, component: Node<'_, '_>) {
        let mut children = component.elements();
        let Some(document) = children.next() else {
            return self.problem(component, "<component> is empty".to_owned(), "put a document into it");
        };
        if children.next().is_some() {
            let what = "<component> holds more than one document".to_owned();
            self.problem(component, what, "give each a component of its own");
        }
        let read = match DocumentKind::of(document) {
            Some(DocumentKind::Xccdf) => {
                self.benchmark(document);
                Benchmark::read(document).map(|_| ())
            }
            Some(DocumentKind::OvalDefinitions) => {
                self.oval(document);
                OvalDefinitions::read(document).map(|_| ())
            }
            Some(DocumentKind::Ocil) => Ocil::read(document).map(|_| ()),
            Some(DocumentKind::CpeDictionary) => CpeList::read(document).map(|_| ()),
            Some(DocumentKind::Tailoring) => {
                self.profiles(document, None);
                let xml = &document.document().input_text()[document.range()];
                // A fragment may use what is declared around it; only what reads by itself can be read here.
                Tailoring::read(xml).map_or(Ok(()), |_| Ok(()))
            }
            _ => {
                let what = format!("<component> holds an element <{}>", document.tag_name().name());
                return self.problem(
                    document,
                    what,
                    "a component is a benchmark, a tailoring, OVAL or OCIL definitions, or a CPE dictionary",
                );
            }
        };
        if let Err(e) = read {
            let (line, what) = match e {
                ReadError::MissingAttribute { line, element, attribute } => {
                    (line, format!("<{element}> has no attribute '{attribute}'"))
                }
                ReadError::MissingChild { line, element, child } => {
                    (line, format!("<{element}> has no <{child}>"))
                }
                ReadError::BadValue { line, value, what } => {
                    (line, format!("'{value}' is not a value of {what}"))
                }
                ReadError::DanglingReference { line, what, reference } => {
                    (line, format!("{what} '{reference}' is not in the document"))
                }
                ReadError::DuplicateId { line, id, taken } => {
                    (line, format!("the id '{id}' is taken in line {taken}"))
                }
                other => (document.line(), other.to_string()),
            };
            self.problems.push(Problem {
                line,
                what,
                advice: "virtscap cannot read the component so".to_owned(),
            });
        }
    }
}

/// Whether a text begins as `xs:dateTime` does.
fn is_time(text: &str) -> bool {
    let bytes = text.trim().as_bytes();
    let shape = b"0000-00-00T00:00:00";
    bytes.len() >= shape.len()
        && shape.iter().zip(bytes).all(|(s, b)| if *s == b'0' { b.is_ascii_digit() } else { s == b })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const GOOD: &str = include_str!("good-ds.xml");

    fn problems(from: &str, to: &str) -> Vec<String> {
        let changed = GOOD.replace(from, to);
        assert_ne!(changed, GOOD, "{from}");
        validate(&changed).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_in_order_gives_nothing() {
        assert_eq!(validate(GOOD).unwrap(), []);
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let cases = [
            (" use-case=\"OTHER\"", "", "3: <data-stream> has no attribute 'use-case'"),
            ("use-case=\"OTHER\"", "use-case=\"X\"", "3: the attribute 'use-case' of <data-stream> is 'X'"),
            ("#scap_a_comp_oval", "#scap_a_comp_none", "10: the reference leads to '#scap_a_comp_none'"),
            (
                "uri=\"#scap_a_cref_oval\"",
                "uri=\"#scap_a_cref_x\"",
                "6: the catalog leads to 'scap_a_cref_x'",
            ),
            ("id=\"scap_a_cref_oval\"", "id=\"cref\"", "10: the id 'cref' is of another form"),
            ("2020-01-01T", "yesterday", "13: the timestamp is no date and time"),
            ("idref=\"xccdf_a_rule_r\"", "idref=\"xccdf_a_rule_x\"", "19: <select> names 'xccdf_a_rule_x'"),
            ("severity=\"low\"", "severity=\"bad\"", "21: the attribute 'severity' of <Rule> is 'bad'"),
            ("href=\"o.xml\"", "href=\"p.xml\"", "24: the check is in 'p.xml', which no catalog names"),
            ("name=\"oval:a:def:1\"", "name=\"oval:a:def:2\"", "24: the check is 'oval:a:def:2'"),
            ("id=\"oval:a:ste:1\"", "id=\"oval:a:ste:2\"", "49: <state> names 'oval:a:ste:1'"),
            ("check=\"all\"", "check=\"every\"", "47: the attribute 'check' of <family_test> is 'every'"),
            ("id=\"oval:a:obj:1\"", "id=\"oval:a:tst:1\"", "53: the id 'oval:a:tst:1'"),
        ];
        for (from, to, expected) in cases {
            let found = problems(from, to);
            assert!(found.iter().any(|problem| problem.starts_with(expected)), "{expected}: {found:#?}");
        }
        assert!(validate("<x/>").is_err());
    }
}
