//! What makes checks fail, from results in OVAL: what was collected is evaluated once more.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use virtscap_scap::id::{DefinitionId, ObjectId, ValueId, VariableId};
use virtscap_scap::namespace::{OVAL_DEF, OVAL_RES, OVAL_SYS};
use virtscap_scap::oval::results::Flag;
use virtscap_scap::oval::{
    Datatype, FileItem, ItemContent, ItemEntity, ItemField, ItemValue, OvalDefinitions, OvalResult, Status,
    TestType,
};
use virtscap_scap::xccdf::{Benchmark, RuleCheck};
use virtscap_scap::xml::{Node, NodeExt as _, ReadError};

use crate::dump::Dump;
use crate::oval::{ExternalValues, Recorded, Session};

/// At most so many items of a test are shown as they are.
const SHOWN: usize = 100;

/// The results in OVAL of a document, by the id of their report.
pub(super) struct OvalReports(BTreeMap<String, OvalReport>);

/// What made definitions false.
struct OvalReport {
    offenders: BTreeMap<String, Vec<String>>,
}

impl OvalReports {
    pub(super) fn of(
        root: Node<'_, '_>,
        benchmark: &Benchmark,
        values: &BTreeMap<ValueId, String>,
    ) -> Result<Self, ReadError> {
        let external = external(benchmark, values);
        let mut reports = BTreeMap::new();
        for node in root.descendants().filter(|node| node.is(OVAL_RES, "oval_results")) {
            let id = node.ancestors().find(|node| node.tag_name().name() == "report");
            if let Some(id) = id.and_then(|report| report.attribute("id")) {
                reports.insert(id.to_owned(), OvalReport::of(node, &external)?);
            }
        }
        Ok(Self(reports))
    }

    /// What made a definition false; without a name, what made any of the report's false.
    pub(super) fn offenders(&self, report: &str, definition: &str) -> Vec<String> {
        let Some(report) = self.0.get(report) else { return Vec::new() };
        let all = report.offenders.iter().filter(|(id, _)| definition.is_empty() || *id == definition);
        all.flat_map(|(_, offenders)| offenders.clone()).collect()
    }
}

/// What the rules' checks bind to variables.
fn external(benchmark: &Benchmark, values: &BTreeMap<ValueId, String>) -> ExternalValues {
    let mut external = ExternalValues::new();
    benchmark.for_each_rule(&mut |_, rule| {
        if let RuleCheck::Simple(checks) = &rule.check {
            for export in checks.iter().flat_map(|check| &check.exports) {
                if let Some(value) = values.get(&export.value_id) {
                    external.insert(VariableId::new(&*export.export_name), vec![value.clone()]);
                }
            }
        }
    });
    external
}

impl OvalReport {
    fn of(results: Node<'_, '_>, external: &ExternalValues) -> Result<Self, ReadError> {
        let definitions = results.elements().find(|node| node.is(OVAL_DEF, "oval_definitions"));
        let definitions = definitions.map(OvalDefinitions::read).transpose()?.unwrap_or_default();
        let items = Items::of(results);
        let nothing = Dump::default();
        let mut session = Session::new(&definitions, &nothing, external.clone()).on(items.recorded(results));
        let mut offenders = BTreeMap::new();
        let of_definitions = results.descendants().filter(|node| node.is(OVAL_RES, "definition"));
        for node in of_definitions.filter(|node| node.attribute("result") == Some("false")) {
            let id = node.required("definition_id")?;
            let definition = DefinitionId::new(id);
            let again = session.evaluate(&definition);
            let mut of_definition = match again {
                OvalResult::False => session.offenders(&definition, None),
                _ => Vec::new(),
            };
            // What cannot be evaluated here is shown as it was collected.
            if of_definition.is_empty() {
                of_definition = items.of_false_tests(results, node);
            }
            offenders.insert(id.to_owned(), of_definition);
        }
        Ok(Self { offenders })
    }
}

/// The items of a document, by their number.
struct Items<'a, 'input>(HashMap<&'a str, Node<'a, 'input>>);

impl<'a, 'input> Items<'a, 'input> {
    fn of(results: Node<'a, 'input>) -> Self {
        let data = results.descendants().find(|node| node.is(OVAL_SYS, "system_data"));
        let items = data.into_iter().flat_map(|data| data.children().filter(Node::is_element));
        Self(items.filter_map(|item| Some((item.attribute("id")?, item))).collect())
    }

    /// What was collected, of the kinds of items that can be evaluated.
    fn recorded(&self, results: Node<'a, 'input>) -> Recorded {
        let mut recorded = Recorded::new();
        for object in results.descendants().filter(|node| node.is(OVAL_SYS, "object")) {
            let Some(id) = object.attribute("id") else { continue };
            let flag = object.attribute("flag").and_then(Flag::from_text).unwrap_or(Flag::NotCollected);
            let references = object.named("reference").filter_map(|node| node.attribute("item_ref"));
            let items: Option<Vec<_>> =
                references.map(|item| self.0.get(item).and_then(|item| kind(*item))).collect();
            let collected = items.map_or((Flag::NotCollected, Vec::new()), |items| (flag, items));
            recorded.insert(ObjectId::new(id), collected);
        }
        recorded
    }

    /// The items that made a definition's tests false, as text.
    fn of_false_tests(&self, results: Node<'_, '_>, definition: Node<'_, '_>) -> Vec<String> {
        let is_false = |node: &Node<'_, '_>| {
            node.attribute("result") == Some("false") && node.attribute("negate") != Some("true")
        };
        let criterions = definition.descendants().filter(|node| node.is(OVAL_RES, "criterion"));
        let tests: BTreeSet<_> =
            criterions.filter(is_false).filter_map(|node| node.attribute("test_ref")).collect();
        let nodes = results.descendants().filter(|node| node.is(OVAL_RES, "test"));
        let mut texts = Vec::new();
        for test in nodes.filter(|node| node.attribute("test_id").is_some_and(|id| tests.contains(id))) {
            // Items that should not be there are not compared with anything.
            let counts = match (test.attribute("check_existence"), test.attribute("check")) {
                (Some("none_exist"), _) => None,
                (_, Some("none satisfy")) => Some("true"),
                _ => Some("false"),
            };
            let tested = test.named("tested_item");
            let tested = tested.filter(|item| counts.is_none() || item.attribute("result") == counts);
            let items = tested.filter_map(|item| self.0.get(item.attribute("item_id")?));
            texts.extend(items.take(SHOWN).map(|item| described(*item)));
        }
        texts
    }
}

fn text(item: Node<'_, '_>, child: &str) -> String {
    item.child(child).map(|node| node.full_text()).unwrap_or_default()
}

/// An item in words: what it is, and its values.
fn described(item: Node<'_, '_>) -> String {
    const NAMES: [&str; 4] = ["filepath", "name", "path", "var_ref"];
    let name = NAMES.iter().map(|name| text(item, name)).find(|text| !text.is_empty());
    let name = name.unwrap_or_else(|| item.tag_name().name().trim_end_matches("_item").to_owned());
    let is_name = |node: &Node<'_, '_>| {
        NAMES.contains(&node.tag_name().name()) || matches!(node.tag_name().name(), "filename" | "message")
    };
    let values = item.elements().filter(|node| !is_name(node)).map(|node| {
        let fields: Vec<_> = node.elements().map(|field| field.full_text()).collect();
        let value = if fields.is_empty() { node.full_text() } else { fields.join(", ") };
        format!("{} {}", node.tag_name().name(), value.trim())
    });
    let values = values.collect::<Vec<_>>().join(", ");
    if values.is_empty() { name } else { format!("{name}: {values}") }
}

/// An item that the model knows.
fn kind(item: Node<'_, '_>) -> Option<ItemContent> {
    let test_type = TestType::of_item(item.tag_name().namespace(), item.tag_name().name())?;
    if test_type == TestType::File {
        let text = |name: &str| item.child(name).map(|node| node.full_text());
        return FileItem::from_texts(&text).map(ItemContent::File);
    }
    let status =
        |node: Node<'_, '_>| node.attribute("status").and_then(Status::from_text).unwrap_or(Status::Exists);
    let entities = item.elements().filter_map(|node| {
        let name = test_type.entity(node.tag_name().name())?;
        let datatype = node.attribute("datatype").and_then(Datatype::from_text).unwrap_or(Datatype::String);
        let value = match datatype {
            Datatype::Record => ItemValue::Record(node.elements().map(field).collect()),
            _ => ItemValue::Text(node.full_text()),
        };
        Some(ItemEntity { name, datatype, status: status(node), value })
    });
    Some(ItemContent::Entities { test_type, status: status(item), entities: entities.collect() })
}

fn field(node: Node<'_, '_>) -> ItemField {
    let datatype = node.attribute("datatype").and_then(Datatype::from_text).unwrap_or(Datatype::String);
    let name = node.attribute("name").unwrap_or_default().to_owned();
    ItemField { name, datatype, value: node.full_text() }
}
