//! Items that are filtered one by one, where most are known by their like, give what the whole list gives: for all rules,
//! and for items that differ from those of the cases in any one place.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use virtscap_evaluator::collect::{Endpoint, collect};
use virtscap_evaluator::dump::DumpFile;
use virtscap_evaluator::source::{Answer, ApiSource, MemorySource, Snapshot};
use virtscap_generator::model::Scope;
use virtscap_tests::{BENCHMARK, IN_MEMORY, bytes_of, cases, every_platform_rule, prepared, project, say};

/// How a filter begins that goes over a list's items.
const EACH: &str = "[.items[] |";
/// The same in a form that is run on the whole list.
const WHOLE: &str = "[.items | .[] |";
/// How many items come in a list; one on which a filter fails hides all others of the list.
const AT_ONCE: usize = 100;

/// The filters of all rules on lists, by API path.
fn filters() -> BTreeMap<String, Vec<String>> {
    let mut filters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for endpoint in prepared(&IN_MEMORY, &every_platform_rule(), |prepared| prepared.endpoints()) {
        if let Some(filter) = endpoint.filter.filter(|filter| filter.contains(EACH)) {
            let of_path = filters.entry(endpoint.path).or_default();
            if !of_path.contains(&filter) {
                of_path.push(filter);
            }
        }
    }
    filters
}

/// The items of all cases and of the snapshots, by API path.
fn items(paths: impl Iterator<Item = String>) -> BTreeMap<String, Vec<Value>> {
    let mut items: BTreeMap<String, Vec<Value>> = paths.map(|path| (path, Vec::new())).collect();
    let mut add = |path: &str, answer: &str| {
        let answer: Value = serde_json::from_str(answer).unwrap();
        if let (Some(items), Some(found)) = (items.get_mut(path), answer["items"].as_array()) {
            for item in found {
                if !items.contains(item) {
                    items.push(item.clone());
                }
            }
        }
    };
    for (_, case) in cases(Scope::Platform) {
        case.answers(&BENCHMARK).iter().for_each(|(path, answer)| add(path, answer));
    }
    for name in ["hardened", "neglected"] {
        let snapshot = Snapshot::open(&project().join("tests/snapshots").join(name)).unwrap();
        for path in filters().into_keys() {
            if let Answer::Pages(pages) = snapshot.get(&path) {
                add(&path, &String::from_utf8(bytes_of(pages)).unwrap());
            }
        }
    }
    items
}

/// Adds what differs from a value in one place, of these every so many.
fn mutants(value: &Value, every: usize) -> Vec<Value> {
    fn all(value: &Value) -> Vec<Value> {
        let mut found: Vec<Value> = [
            json!(null),
            json!(true),
            json!(0),
            json!("x"),
            json!("*"),
            json!([]),
            json!(["*"]),
            json!({}),
            json!([{}]),
        ]
        .into();
        match value {
            Value::Object(map) => {
                for (name, inside) in map {
                    let with = |value: Option<Value>| {
                        let mut map = map.clone();
                        match value {
                            Some(value) => map.insert(name.clone(), value),
                            None => map.remove(name),
                        };
                        Value::Object(map)
                    };
                    found.push(with(None));
                    found.extend(all(inside).into_iter().map(|inside| with(Some(inside))));
                }
            }
            Value::Array(elements) => {
                for (place, inside) in elements.iter().enumerate() {
                    found.extend(all(inside).into_iter().map(|inside| {
                        let mut elements = elements.clone();
                        elements[place] = inside;
                        Value::Array(elements)
                    }));
                }
            }
            _ => {}
        }
        found
    }
    all(value).into_iter().filter(Value::is_object).step_by(every).collect()
}

/// What each filter leaves of a list.
fn outputs(path: &str, list: &str, filters: &[String]) -> Vec<DumpFile> {
    let mut source = MemorySource::default();
    source.insert(path, list);
    let place = |number: usize| format!("/kubernetes-api-resources/{number}");
    let endpoints = filters.iter().enumerate().map(|(number, filter)| Endpoint {
        path: path.to_owned(),
        filter: Some(filter.clone()),
        dump: place(number),
        refused: None,
    });
    let dump = collect(&source, endpoints);
    (0..filters.len()).map(|number| dump.get(&place(number)).unwrap().clone()).collect()
}

#[test]
fn items_known_by_their_like_give_what_the_list_gives() {
    let filters = filters();
    let (mut lists, mut documents, mut failed) = (0, 0, 0);
    for (path, items) in items(filters.keys().cloned()) {
        let filters = &filters[&path];
        let whole: Vec<String> = filters.iter().map(|filter| filter.replace(EACH, WHOLE)).collect();
        // The more cases a path has, the fewer mutants of each.
        let every = items.len().div_ceil(2);
        // Each item before and behind what differs from it.
        let around = |item: &Value| [vec![item.clone()], mutants(item, every), vec![item.clone()]].concat();
        let items: Vec<Value> = items.iter().flat_map(around).collect();
        for some in items.chunks(AT_ONCE) {
            let list = json!({"kind": "List", "apiVersion": "v1", "items": some}).to_string();
            let one_by_one = outputs(&path, &list, filters);
            let together = outputs(&path, &list, &whole);
            for (filter, (given, expected)) in filters.iter().zip(one_by_one.into_iter().zip(together)) {
                match (given, expected) {
                    (DumpFile::Document(given), DumpFile::Document(expected)) => {
                        assert_eq!(given, expected, "{path}: {filter} on {list}");
                        documents += 1;
                    }
                    // Reasons quote what was held of the item.
                    (DumpFile::Absent { .. }, DumpFile::Absent { .. }) => failed += 1,
                    (given, expected) => {
                        panic!("{given:?} is not {expected:?}: {path}: {filter} on {list}")
                    }
                }
            }
            lists += 1;
        }
    }
    assert!(lists > 100 && documents > 500, "only {lists} lists gave {documents} documents");
    say(&format!("{lists} lists gave {documents} documents and {failed} refusals, as the lists whole"));
}
