//! Reads an ARF, of oscap or of virtscap, into a form in which two can be compared.
//!
//! The file is read as a stream, since some are 60 MB. Elements are known by their local names: both tools write the
//! same namespaces, and `oscap ds rds-validate` looks at those elsewhere. oscap writes control characters as they are,
//! which no XML parser with a conscience reads; quick-xml lets them through.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// The values that two runs of one tool on the same files need not share.
const UNSTABLE: &[&str] = &[
    // Reading a file may change it.
    "a_time",
    // Of processes: the scan itself is one of them.
    "pid",
    "ppid",
    "start_time",
    "exec_time",
    "session_id",
    // Of partitions: the scan writes to one.
    "space_used",
    "space_left",
];

/// What a tool said.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The results of rules. One with several (`multi-check`) has them joined.
    pub rules: BTreeMap<String, String>,
    /// The OVAL reports.
    pub reports: Vec<Report>,
}

/// One OVAL report.
#[derive(Debug, Default)]
pub struct Report {
    /// Its id in the ARF.
    pub id: String,
    /// Whether no rule refers to it: it is of a CPE dictionary.
    pub cpe: bool,
    /// The results of definitions.
    pub definitions: BTreeMap<String, String>,
    /// The tests.
    pub tests: BTreeMap<String, Test>,
    /// The objects that were collected.
    pub objects: BTreeMap<String, Object>,
    /// The kinds of tests and objects, as `textfilecontent54`, by their ids.
    pub kinds: HashMap<String, String>,
    /// The variables that hold how long ago something was.
    ages: BTreeSet<String>,
    /// The objects of tests.
    pub object_of: HashMap<String, String>,
    /// The items by their ids.
    pub items: HashMap<String, String>,
}

/// What became of a test.
#[derive(Debug, Default)]
pub struct Test {
    /// Its result.
    pub result: String,
    /// The tested items by their ids, with their results.
    pub items: Vec<(String, String)>,
}

/// What was collected for an object.
#[derive(Debug, Default)]
pub struct Object {
    /// Its flag.
    pub flag: String,
    /// The items by their ids.
    pub items: BTreeSet<String>,
    /// The values of variables that it used.
    pub variables: BTreeSet<String>,
    /// What was said about it.
    pub messages: Vec<String>,
}

impl Report {
    /// The kind of a test or object.
    pub fn kind(&self, id: &str) -> &str {
        self.kinds.get(id).map_or("unknown kind", String::as_str)
    }

    /// The tested items in comparable form, each with its result.
    pub fn tested(&self, test: &Test) -> BTreeMap<String, usize> {
        count(test.items.iter().map(|(id, result)| format!("{result}: {}", self.item(id))))
    }

    /// The collected items in comparable form.
    pub fn collected(&self, object: &Object) -> BTreeMap<String, usize> {
        count(object.items.iter().map(|id| self.item(id).to_owned()))
    }

    fn item(&self, id: &str) -> &str {
        self.items.get(id).map_or("an item that is not there", String::as_str)
    }
}

fn count(all: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

/// Reads the file of an ARF.
pub fn read(file: &Path) -> Outcome {
    let bytes = std::fs::read(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    read_from(&String::from_utf8_lossy(&bytes))
}

/// Reads an ARF.
pub fn read_from(source: &str) -> Outcome {
    let mut reader = Reader::from_str(source);
    let mut reading = Reading::default();
    loop {
        match reader.read_event().unwrap() {
            // The data stream's copy says nothing new.
            Event::Start(tag) if local(&tag) == "report-requests" => {
                reader.read_to_end(tag.name()).unwrap();
            }
            Event::Start(tag) => reading.start(&tag),
            Event::Empty(tag) => {
                reading.start(&tag);
                reading.end();
            }
            Event::End(_) => reading.end(),
            Event::Text(text) => reading.text.push_str(&text.xml10_content()),
            Event::CData(text) => reading.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(one)) => reading.text.push(one),
                _ => {
                    reading.text.push_str(resolve_predefined_entity(&reference).unwrap_or("?"));
                }
            },
            Event::Eof => return reading.finish(),
            _ => {}
        }
    }
}

fn local(tag: &BytesStart<'_>) -> String {
    tag.local_name().as_ref().to_owned()
}

/// An entity or item on its way.
#[derive(Debug, Default)]
struct Part {
    name: String,
    datatype: String,
    status: String,
    parts: Vec<String>,
}

impl Part {
    fn of(name: &str, attributes: &HashMap<String, String>) -> Self {
        let attribute = |name: &str| attributes.get(name).cloned().unwrap_or_default();
        Self {
            // The fields of a record have their names in an attribute.
            name: attributes.get("name").cloned().unwrap_or_else(|| name.to_owned()),
            datatype: attribute("datatype"),
            status: attribute("status"),
            parts: Vec::new(),
        }
    }

    /// Name, datatype unless it is string, status unless it exists, and the value.
    fn write(mut self, text: &str) -> String {
        let mut written = self.name.clone();
        if !matches!(self.datatype.as_str(), "" | "string") {
            written = format!("{written}:{}", self.datatype);
        }
        if !matches!(self.status.as_str(), "" | "exists") {
            written = format!("{written}({})", self.status);
        }
        if self.parts.is_empty() {
            let text = if UNSTABLE.contains(&self.name.as_str()) { "~" } else { text };
            return format!("{written}={text}");
        }
        // The order of fields is that of oscap's hash, and that of entities is up to the schema.
        self.parts.sort();
        format!("{written}{{{}}}", self.parts.join(" | "))
    }
}

#[derive(Default)]
struct Reading {
    outcome: Outcome,
    path: Vec<String>,
    text: String,
    rule: Option<String>,
    /// The OVAL reports that results of rules refer to.
    referred: BTreeSet<String>,
    report: Report,
    test: Option<String>,
    object: Option<String>,
    variable: Option<String>,
    /// The item that is being read, and in it the entity and the field.
    parts: Vec<Part>,
    item: String,
}

impl Reading {
    fn start(&mut self, tag: &BytesStart<'_>) {
        let name = local(tag);
        let attributes: HashMap<String, String> = tag
            .attributes()
            .flatten()
            .map(|one| {
                let key = one.key.local_name().as_ref().to_owned();
                (key, one.normalized_value(XmlVersion::Explicit1_0).unwrap().into_owned())
            })
            .collect();
        let get = |name: &str| attributes.get(name).cloned().unwrap_or_default();
        let parent = self.path.last().map(String::as_str).unwrap_or_default();
        self.text.clear();
        if !self.parts.is_empty() {
            self.parts.push(Part::of(&name, &attributes));
        } else if parent == "system_data" {
            self.item = get("id");
            self.parts.push(Part::of(&name, &attributes));
        } else {
            match (name.as_str(), parent) {
                ("report", "reports") => {
                    self.keep();
                    self.report.id = get("id");
                }
                ("rule-result", _) => self.rule = Some(get("idref")),
                ("check-content-ref", _) if self.rule.is_some() => {
                    self.referred.insert(get("href").trim_start_matches('#').to_owned());
                }
                (_, "tests" | "objects") if attributes.contains_key("id") => {
                    let kind = name.trim_end_matches("_test").trim_end_matches("_object").to_owned();
                    self.report.kinds.insert(get("id"), kind);
                    self.test = (parent == "tests").then(|| get("id"));
                }
                (_, "variables") => self.variable = Some(get("id")),
                ("time_difference", _) => self.report.ages.extend(self.variable.clone()),
                ("object", _) if attributes.contains_key("object_ref") => {
                    if let Some(test) = &self.test {
                        self.report.object_of.insert(test.clone(), get("object_ref"));
                    }
                }
                ("definition", "definitions") if attributes.contains_key("definition_id") => {
                    self.report.definitions.insert(get("definition_id"), get("result"));
                }
                ("test", "tests") => {
                    let test = Test { result: get("result"), items: Vec::new() };
                    self.report.tests.insert(get("test_id"), test);
                    self.test = Some(get("test_id"));
                }
                ("tested_item", _) => {
                    let test = self.test.as_ref().and_then(|id| self.report.tests.get_mut(id));
                    test.unwrap().items.push((get("item_id"), get("result")));
                }
                ("object", "collected_objects") => {
                    let object = self.report.objects.entry(get("id")).or_default();
                    object.flag = get("flag");
                    self.object = Some(get("id"));
                }
                ("reference", "object") => {
                    self.object().items.insert(get("item_ref"));
                }
                ("variable_value", "object") => self.variable = Some(get("variable_id")),
                _ => {}
            }
        }
        self.path.push(name);
    }

    fn object(&mut self) -> &mut Object {
        let id = self.object.clone().unwrap_or_default();
        self.report.objects.entry(id).or_default()
    }

    fn end(&mut self) {
        let name = self.path.pop().unwrap_or_default();
        let text = std::mem::take(&mut self.text);
        if let Some(mut part) = self.parts.pop() {
            let message = part.name == "message";
            if part.name == "variable_item" {
                self.hide_age(&mut part);
            }
            let written = part.write(&text);
            match self.parts.last_mut() {
                // Messages are each tool's own.
                Some(_) if message => {}
                Some(parent) => parent.parts.push(written),
                None => {
                    self.report.items.insert(std::mem::take(&mut self.item), written);
                }
            }
            return;
        }
        match name.as_str() {
            "rule-result" => self.rule = None,
            "result" => {
                if let Some(rule) = &self.rule {
                    let results = self.outcome.rules.entry(rule.clone()).or_default();
                    let comma = if results.is_empty() { "" } else { "," };
                    *results = format!("{results}{comma}{}", text.trim());
                }
            }
            "variable_value" => {
                if let Some(variable) = self.variable.take() {
                    let text = if self.report.ages.contains(&variable) { "~" } else { &text };
                    self.object().variables.insert(format!("{variable}={text}"));
                }
            }
            "message" if self.object.is_some() => self.object().messages.push(text),
            "object" if self.path.last().is_some_and(|parent| parent == "collected_objects") => {
                self.object = None;
            }
            _ => {}
        }
    }

    /// Takes the value out of the item of a variable that is another a second later.
    fn hide_age(&self, part: &mut Part) {
        let of = |id: &String| part.parts.contains(&format!("var_ref={id}"));
        if self.report.ages.iter().any(of) {
            part.parts.retain(|entity| !entity.starts_with("value"));
        }
    }

    fn keep(&mut self) {
        let report = std::mem::take(&mut self.report);
        if !report.definitions.is_empty() {
            self.outcome.reports.push(report);
        }
    }

    fn finish(mut self) -> Outcome {
        self.keep();
        for report in &mut self.outcome.reports {
            report.cpe = !self.referred.contains(&report.id);
        }
        self.outcome
    }
}
