//! `yamlfilecontent`: the same cases through virtscap and through stock `oscap`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;
use virtscap_evaluator::yamlfilecontent::{Record, YamlPath, select};

const CASES: &str = include_str!("yamlfilecontent_cases.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    text: String,
    /// Instead of `text`.
    bytes: Option<Vec<u8>>,
    path: String,
    expected: Outcome,
    /// Where it isn't `expected`.
    oscap: Option<Outcome>,
}

/// Name, datatype and value.
type Field = (String, String, String);

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Outcome {
    Flag(Flag),
    Records(Vec<Vec<Field>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Flag {
    Error,
    DoesNotExist,
    Crash,
}

impl Case {
    fn content(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.text.as_bytes())
    }

    fn generated(name: &str, text: String, path: &str, expected: Outcome, oscap: Option<Outcome>) -> Self {
        Self { name: name.to_owned(), text, bytes: None, path: path.to_owned(), expected, oscap }
    }
}

impl Outcome {
    /// With the fields of each record sorted: oscap's are in the order of a hash table.
    fn sorted(mut self) -> Self {
        if let Self::Records(records) = &mut self {
            records.iter_mut().for_each(|record| record.sort());
        }
        self
    }
}

/// The cases of the file, and those too long to write down.
fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = serde_yaml::from_str(CASES).unwrap();
    let field = |name: &str, value: &str| (name.to_owned(), "int".to_owned(), value.to_owned());
    let error = || Outcome::Flag(Flag::Error);
    let missing = || Outcome::Flag(Flag::DoesNotExist);
    for (length, fits) in [(1022, true), (1023, false)] {
        let key = "k".repeat(length);
        let expected = if fits { Outcome::Records(vec![vec![field(&key, "1")]]) } else { error() };
        for (form, text) in [("block", format!("\"{key}\": 1")), ("flow", format!("{{\"{key}\": 1}}"))] {
            let name = format!("a {form} key of {length} characters in quotes");
            cases.push(Case::generated(&name, text, "$", expected.clone(), None));
        }
    }
    for (count, fits) in [(256, true), (257, false)] {
        let path = format!("[{}]", vec!["'a'"; count].join(","));
        let expected = if fits { Outcome::Records(vec![vec![field("a", "1")]]) } else { error() };
        cases.push(Case::generated(
            &format!("{count} keys selected"),
            "a: 1".to_owned(),
            &path,
            expected,
            None,
        ));
    }
    let path = format!("[{}]", vec!["0"; 256].join(","));
    let records = Outcome::Records(vec![vec![field("#", "1")]]);
    cases.push(Case::generated("256 indices selected", "[1]".to_owned(), &path, records, None));
    let flow = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let block = |depth: usize| "- ".repeat(depth) + "x";
    for (form, nest) in [("flow", &flow as &dyn Fn(usize) -> String), ("block", &block)] {
        cases.push(Case::generated(&format!("{form} nesting"), nest(500), ".a", missing(), None));
        let name = format!("{form} nesting beyond the limit");
        cases.push(Case::generated(&name, nest(600), ".a", error(), Some(missing())));
    }
    cases
}

#[test]
fn virtscap_collects_what_is_expected() {
    let mut failures = Vec::new();
    for case in cases() {
        let outcome = match YamlPath::parse(&case.path).map(|path| select(case.content(), &path)) {
            Err(_) | Ok(Err(_)) => Outcome::Flag(Flag::Error),
            Ok(Ok(records)) if records.is_empty() => Outcome::Flag(Flag::DoesNotExist),
            Ok(Ok(records)) => Outcome::Records(records.iter().map(fields).collect()),
        };
        if outcome != case.expected {
            failures.push(format!("{}: {outcome:?}, expected {:?}", case.name, case.expected));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn fields(record: &Record) -> Vec<Field> {
    let field = |field: &virtscap_evaluator::yamlfilecontent::Field| {
        (field.name.clone(), field.value.datatype().to_owned(), field.value.as_text().into_owned())
    };
    record.fields.iter().map(field).collect()
}

#[test]
fn errors_say_what_and_where() {
    let error = |text: &str, path: &str| {
        select(text.as_bytes(), &YamlPath::parse(path).unwrap()).unwrap_err().to_string()
    };
    assert_eq!(
        error("a:\n  b: {c: 1}\n", ".a"),
        "YAML path '.a' points to a multi-dimensional structure (a map containing another map) at line 2, column 6"
    );
    assert_eq!(
        error("x: ü\na: !!int b", ".a"),
        "can't convert 'tag:yaml.org,2002:int b' at line 2, column 10"
    );
    assert_eq!(error("a: \"\u{7}\"", ".a"), "forbidden character U+0007 at line 1, column 5");
    assert_eq!(error("a: 1\nb: [1,\n", ".a"), "YAML parser error: unclosed bracket '[' at line 2, column 4");
    let deep = error(&"[".repeat(1_000_000), ".a");
    assert!(deep.ends_with("at line 1, column 513"), "{deep}");
}

/// A value may hold what XML forbids; the writer of the results has to deal with it (oscap's doesn't).
#[test]
fn control_characters_reach_the_item() {
    let records = select(br#"a: "\u0001""#, &YamlPath::parse(".a").unwrap()).unwrap();
    assert_eq!(fields(&records[0]), [("#".to_owned(), "string".to_owned(), "\u{1}".to_owned())]);
}

#[test]
fn oscap_collects_what_is_expected() {
    if Command::new("oscap").arg("--version").output().is_err() {
        assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "oscap not found");
        // Past the test harness, which swallows what a passing test prints.
        writeln!(
            std::io::stderr(),
            "SKIPPED: oscap not found; yamlfilecontent was not compared with OpenSCAP"
        )
        .unwrap();
        return;
    }
    let cases = cases();
    let expected = |case: &Case| case.oscap.clone().unwrap_or_else(|| case.expected.clone());
    let (crashing, sane): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(|case| expected(case) == Outcome::Flag(Flag::Crash));
    let mut failures = Vec::new();
    let outcomes = oscap(&sane).expect("oscap evaluates the cases");
    for (case, outcome) in sane.iter().zip(outcomes) {
        let expected = expected(case).sorted();
        if outcome != expected {
            failures.push(format!("{}: {outcome:?}, expected {expected:?}", case.name));
        }
    }
    for case in crashing {
        if oscap(&[case]).is_some() {
            failures.push(format!("{}: oscap survives", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs stock oscap on the cases, a file, object and test each; `None` if it doesn't come to an end.
fn oscap(cases: &[&Case]) -> Option<Vec<Outcome>> {
    let directory = tempfile::tempdir().unwrap();
    let (root, definitions, results) = (
        directory.path().join("root"),
        directory.path().join("oval.xml"),
        directory.path().join("results.xml"),
    );
    std::fs::create_dir(&root).unwrap();
    for (number, case) in cases.iter().enumerate() {
        std::fs::write(root.join(format!("f{number}")), case.content()).unwrap();
    }
    std::fs::write(&definitions, oval(cases)).unwrap();
    let output = Command::new("oscap")
        .args(["oval", "eval", "--results"])
        .args([&results, &definitions])
        .env("OSCAP_PROBE_ROOT", &root)
        .output()
        .unwrap();
    match output.status.code() {
        Some(0 | 2) => Some(outcomes(&results, cases.len())),
        Some(_) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        None => None,
    }
}

/// The definitions. oscap 1.3.7 skips every second of two elements without white space between them.
fn oval(cases: &[&Case]) -> String {
    let (mut criteria, mut tests, mut objects) = (String::new(), String::new(), String::new());
    for (number, case) in cases.iter().enumerate() {
        let id = number + 1;
        let path = case.path.replace('&', "&amp;").replace('<', "&lt;");
        writeln!(criteria, r#"<criterion test_ref="oval:x:tst:{id}"/>"#).unwrap();
        writeln!(
            tests,
            r#"<ind:yamlfilecontent_test id="oval:x:tst:{id}" version="1" check="all" comment="case">
<ind:object object_ref="oval:x:obj:{id}"/>
</ind:yamlfilecontent_test>"#
        )
        .unwrap();
        writeln!(
            objects,
            r#"<ind:yamlfilecontent_object id="oval:x:obj:{id}" version="1">
<ind:filepath>/f{number}</ind:filepath>
<ind:yamlpath>{path}</ind:yamlpath>
</ind:yamlfilecontent_object>"#
        )
        .unwrap();
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5"
    xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5"
    xmlns:ind="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent">
<generator>
<oval:schema_version>5.11.3</oval:schema_version>
<oval:timestamp>2020-01-01T00:00:00</oval:timestamp>
</generator>
<definitions>
<definition class="compliance" id="oval:x:def:1" version="1">
<metadata>
<title>Cases</title>
<description>Cases</description>
</metadata>
<criteria operator="OR">
{criteria}</criteria>
</definition>
</definitions>
<tests>
{tests}</tests>
<objects>
{objects}</objects>
</oval_definitions>
"#
    )
}

/// What oscap collected for each object.
fn outcomes(results: &Path, count: usize) -> Vec<Outcome> {
    let xml = std::fs::read_to_string(results).unwrap();
    let (mut flags, mut item_of, mut items) = (HashMap::new(), HashMap::new(), HashMap::new());
    let (mut object, mut item) = (String::new(), String::new());
    for element in elements(&xml) {
        let attribute = |name: &str| element.attributes.get(name).cloned().unwrap_or_default();
        match element.name {
            "object" => {
                object = attribute("id");
                flags.insert(object.clone(), attribute("flag"));
            }
            "reference" => {
                item_of.insert(object.clone(), attribute("item_ref"));
            }
            "yamlfilecontent_item" => {
                item = attribute("id");
                items.insert(item.clone(), Vec::<Vec<Field>>::new());
            }
            "value" => items.get_mut(&item).unwrap().push(Vec::new()),
            "field" => {
                let datatype = Some(attribute("datatype")).filter(|datatype| !datatype.is_empty());
                let datatype = datatype.unwrap_or_else(|| "string".to_owned());
                let record = items.get_mut(&item).unwrap().last_mut().unwrap();
                record.push((attribute("name"), datatype, element.text));
            }
            _ => {}
        }
    }
    let outcome = |number: usize| {
        let object = format!("oval:x:obj:{}", number + 1);
        match flags[&object].as_str() {
            "error" => Outcome::Flag(Flag::Error),
            "does not exist" => Outcome::Flag(Flag::DoesNotExist),
            "complete" => Outcome::Records(items[&item_of[&object]].clone()).sorted(),
            flag => panic!("unexpected flag '{flag}'"),
        }
    };
    (0..count).map(outcome).collect()
}

struct Element<'a> {
    /// Without prefix.
    name: &'a str,
    attributes: HashMap<&'a str, String>,
    /// Up to the next tag.
    text: String,
}

/// The elements of oscap's collected objects and items, in document order; enough XML for what oscap writes.
fn elements(xml: &str) -> impl Iterator<Item = Element<'_>> {
    let from = xml.find("<oval_system_characteristics").unwrap();
    let tags = xml[from..].split('<').filter(|tag| !tag.starts_with(['/', '?', '!']));
    tags.filter_map(|tag| {
        let (tag, text) = tag.split_once('>')?;
        let (name, mut rest) = tag.trim_end_matches('/').split_once(' ')?;
        let mut attributes = HashMap::new();
        while let Some((attribute, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').unwrap();
            attributes.insert(attribute.trim(), unescape(value));
            rest = after;
        }
        Some(Element { name: name.rsplit(':').next().unwrap(), attributes, text: unescape(text) })
    })
}

fn unescape(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (entity, after) = part.split_once(';').unwrap();
        plain.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let number = number.strip_prefix('#').unwrap();
                let code = match number.strip_prefix('x') {
                    Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                    None => number.parse(),
                };
                char::from_u32(code.unwrap()).unwrap()
            }
        });
        plain.push_str(after);
    }
    plain
}
