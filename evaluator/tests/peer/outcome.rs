//! What an ARF says, as names and texts that can be compared.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

/// `rule a` → `pass`, `test 1` → `true`, `score default` → `50.000 of 100.000`, and so on.
pub(crate) type Outcome = BTreeMap<String, String>;

/// Reads an ARF.
pub(crate) fn read(arf: &str) -> Outcome {
    let document = Document::parse(arf).unwrap_or_else(|e| panic!("{e}\n{arf}"));
    let mut outcome = Outcome::new();
    let mut any_bad = false;
    for node in document.descendants().filter(Node::is_element) {
        let attribute = |name| node.attribute(name).unwrap_or_default();
        match node.tag_name().name() {
            "rule-result" => {
                let name = short(attribute("idref"));
                let result = child_text(node, "result");
                any_bad |= matches!(result.as_str(), "fail" | "error" | "unknown");
                // A multi-check has several results.
                outcome
                    .entry(format!("rule {name}"))
                    .and_modify(|all| *all = format!("{all}, {result}"))
                    .or_insert(result);
                for key in ["severity", "role", "weight"] {
                    // Without a severity it is unknown, which oscap writes down.
                    let value = node.attribute(key).unwrap_or("unknown").to_owned();
                    outcome.insert(format!("{key} {name}"), value);
                }
            }
            "score" => {
                let name = attribute("system").rsplit(':').next().unwrap_or_default();
                // oscap computes with 32 bits.
                let round = |text: &str| format!("{:.3}", text.parse::<f64>().unwrap());
                let score = round(node.text().unwrap_or_default());
                let text = format!("{score} of {}", round(attribute("maximum")));
                outcome.insert(format!("score {name}"), text);
            }
            "set-value"
                if node.parent().is_some_and(|p| {
                    p.has_tag_name((p.tag_name().namespace().unwrap_or(""), "TestResult"))
                }) =>
            {
                let text = node.text().unwrap_or_default();
                outcome.insert(format!("value {}", short(attribute("idref"))), text.to_owned());
            }
            "report" => oval_report(node, &mut outcome),
            _ => {}
        }
    }
    outcome.insert("exit".to_owned(), if any_bad { "2" } else { "0" }.to_owned());
    outcome
}

/// Definitions, tests and objects of an OVAL report; those of platforms are in a report of their own.
fn oval_report(report: Node<'_, '_>, outcome: &mut Outcome) {
    let Some(results) = report.descendants().find(|n| n.is_element() && n.tag_name().name() == "results")
    else {
        return;
    };
    let is_platform = results.descendants().any(|n| n.attribute("definition_id") == Some("oval:x:def:91"))
        || results.descendants().any(|n| {
            n.attribute("definition_id").is_some_and(|id| id.starts_with("oval:x:def:9") && id.len() == 13)
        });
    let prefix = if is_platform { "platform " } else { "" };
    for node in results.descendants().filter(Node::is_element) {
        let result = node.attribute("result").or(node.attribute("flag")).unwrap_or_default().to_owned();
        let (kind, id) = match node.tag_name().name() {
            "definition" => ("definition", node.attribute("definition_id")),
            "test" => ("test", node.attribute("test_id")),
            "object" => ("object", node.attribute("id")),
            _ => continue,
        };
        // Those of oscap's own dictionary are not the case's.
        if !id.is_some_and(|id| id.starts_with("oval:x:")) {
            continue;
        }
        let number = id.unwrap_or_default().rsplit(':').next().unwrap_or_default();
        outcome.insert(format!("{prefix}{kind} {number}"), result);
        let files = if kind == "object" { file_items(node, results) } else { String::new() };
        if !files.is_empty() {
            outcome.insert(format!("{prefix}items {number}"), files);
        }
        let others = if kind == "object" { other_items(node, results) } else { String::new() };
        if !others.is_empty() {
            outcome.insert(format!("{prefix}items {number}"), others);
        }
    }
}

/// The items of files and of the linux schema of an object, with all entities but times and sizes of directories.
fn file_items(object: Node<'_, '_>, results: Node<'_, '_>) -> String {
    let references = object.children().filter_map(|c| c.attribute("item_ref"));
    let mut items: Vec<_> = references
        .filter_map(|id| {
            let is_told = |n: &Node<'_, '_>| {
                let of_linux = n.tag_name().namespace().is_some_and(|uri| uri.ends_with("#linux"));
                n.tag_name().name() == "file_item" || (of_linux && n.tag_name().name().ends_with("_item"))
            };
            let mut items = results.descendants().filter(is_told);
            let item = items.find(|item| item.attribute("id") == Some(id))?;
            let entities = item.children().filter(Node::is_element).filter_map(|entity| {
                let name = entity.tag_name().name();
                let told = !matches!(name, "a_time" | "c_time" | "m_time" | "size" | "has_extended_acl");
                told.then(|| format!("{name}={}", entity.text().unwrap_or_default()))
            });
            Some(entities.collect::<Vec<_>>().join(" "))
        })
        .collect();
    items.sort();
    items.join("\n")
}

/// Items that are compared whole: each entity with its type and status.
const WHOLE: [&str; 13] = [
    "environmentvariable_item",
    "environmentvariable58_item",
    "filehash58_item",
    "sql57_item",
    "xmlfilecontent_item",
    "interface_item",
    "password_item",
    "process58_item",
    "runlevel_item",
    "shadow_item",
    "symlink_item",
    "sysctl_item",
    "uname_item",
];

/// The items of an object that are compared whole, in any order.
fn other_items(object: Node<'_, '_>, results: Node<'_, '_>) -> String {
    let references = object.children().filter_map(|c| c.attribute("item_ref"));
    let mut items: Vec<_> = references
        .filter_map(|id| {
            let mut items = results.descendants().filter(|n| WHOLE.contains(&n.tag_name().name()));
            let item = items.find(|item| item.attribute("id") == Some(id))?;
            let entities = item.children().filter(Node::is_element).filter_map(|entity| {
                let name = entity.tag_name().name();
                let datatype = entity.attribute("datatype").map_or(String::new(), |t| format!(":{t}"));
                let status = entity.attribute("status").map_or(String::new(), |s| format!(" ({s})"));
                let text = entity.text().unwrap_or_default();
                (name != "message").then(|| format!("{name}{datatype}={text}{status}"))
            });
            let status = item.attribute("status").unwrap_or("exists");
            Some(format!("{status} {}", entities.collect::<Vec<_>>().join(" ")))
        })
        .collect();
    items.sort();
    items.join("\n")
}

fn child_text(node: Node<'_, '_>, name: &str) -> String {
    let child = node.children().find(|c| c.tag_name().name() == name);
    child.and_then(|c| c.text()).unwrap_or_default().to_owned()
}

fn short(id: &str) -> &str {
    id.splitn(4, '_').nth(3).unwrap_or(id)
}
