//! The filters of all rules give in gojq, which the Compliance Operator's collector uses, what they give here: on every
//! case, and on the snapshots. So do the expressions whose engines' own functions differ most.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use virtscap_cli::{only, source};
use virtscap_evaluator::collect::{Endpoint, collect};
use virtscap_evaluator::dump::DumpFile;
use virtscap_evaluator::source::{Answer, ApiSource, Snapshot};
use virtscap_generator::model::Scope;
use virtscap_scap::xccdf::Tailoring;
use virtscap_tests::{BENCHMARK, IN_MEMORY, bytes_of, cases, every_platform_rule, prepared, project, say};

/// A filter, what it is given, and what it gives here.
struct Run {
    filter: String,
    input: Value,
    output: Value,
}

/// Every filter on what a source answers, where it gives something.
fn runs(tailoring: &Tailoring, source: &dyn ApiSource) -> Vec<Run> {
    prepared(&IN_MEMORY, tailoring, |prepared| {
        let dump = prepared.collect(source);
        let endpoints = prepared.endpoints().into_iter();
        let run = |endpoint: virtscap_evaluator::collect::Endpoint| {
            let Some(DumpFile::Document(document)) = dump.get(&endpoint.dump) else { return None };
            let Answer::Pages(pages) = source.get(&endpoint.path) else { return None };
            let bytes = bytes_of(pages);
            Some(Run {
                filter: endpoint.filter?,
                input: serde_json::from_slice(&bytes).unwrap(),
                output: serde_json::from_str(document).unwrap(),
            })
        };
        endpoints.filter_map(run).collect()
    })
}

/// What gojq gives for filters and their inputs; nothing, said aloud, where Go is not installed.
fn gojq<'r>(requests: impl Iterator<Item = (&'r str, &'r Value)>) -> Option<Vec<Value>> {
    let folder = project().join("tests/gojq");
    if !Command::new("go").arg("version").output().is_ok_and(|output| output.status.success()) {
        let message = "SKIPPED: Go is not installed; no filter was compared with gojq";
        assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{message}");
        say(message);
        return None;
    }
    let requests: String =
        requests.map(|(filter, input)| format!("{}\n", json!({"filter": filter, "input": input}))).collect();
    let mut child = Command::new("go")
        .args(["run", "."])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(requests.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the Go program failed");
    writer.join().unwrap();
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    Some(answers.map(Result::unwrap).collect())
}

#[test]
fn gojq_gives_the_same() {
    let cases = cases(Scope::Platform).into_iter();
    let runs_of_cases = cases.flat_map(|(rule, case)| {
        let tailoring = only(&BENCHMARK, rule, &case.values).unwrap();
        runs(&tailoring, &source(&case.answers(&BENCHMARK)))
    });
    let mut all: Vec<Run> = runs_of_cases.collect();
    for snapshot in ["hardened", "neglected"] {
        let snapshot = Snapshot::open(&project().join("tests/snapshots").join(snapshot)).unwrap();
        all.extend(runs(&every_platform_rule(), &snapshot));
    }
    let Some(answers) = gojq(all.iter().map(|run| (run.filter.as_str(), &run.input))) else { return };
    assert_eq!(answers.len(), all.len());
    for (run, answer) in all.iter().zip(answers) {
        assert_eq!(answer.get("error"), None, "gojq refuses {}", run.filter);
        assert_eq!(answer["output"], run.output, "gojq differs on {}", run.filter);
    }
    say(&format!("gojq: {} runs of filters give the same", all.len()));
}

/// Texts and what `parseJSON` makes of them.
fn texts() -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    // Every kind of value, and white space.
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5",
        "1e3",
        "1E+2",
        "2.5e-1",
        "9007199254740993",
        "-9223372036854775808",
        "\"\"",
        r#""a\"\\\/\b\f\n\r\t""#,
        r#""\u00e9\ud83d\ude00\uD83D\uDE00 😀\u0000\u007f""#,
        "\"\u{7f}\u{2028}\"",
        "[]",
        "{}",
        " \t\r\n[ 1 , [ ] , { \"a\" : [ null ] } ] \n",
        r#"{"": 1, "b": {"a": "{\"c\": 1}"}, "a": [1, "[", "{{"]}"#,
        "[1,-1,1.0,true]",
    ] {
        all.push((text.to_owned(), serde_json::from_str(text).unwrap()));
    }
    all.push((r#"{"a": 1, "b": 2, "a": 3}"#.to_owned(), json!({"a": 3, "b": 2})));
    // More digits than a double has: only the double is compared.
    all.push(("123456789012345678901234567890".to_owned(), json!(1.234_567_890_123_456_8e29)));
    let brackets = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    all.push((format!("[{}]", vec!["[]"; 4999].join(",")), vec![json!([]); 4999].into()));
    // What is no JSON, or more than one text, or too much.
    for text in [
        "",
        " ",
        "\n",
        "1 2",
        "1\n2",
        "{} {}",
        "null null",
        "[] x",
        "nan",
        "NaN",
        "-NaN",
        "Infinity",
        "-Infinity",
        "+Infinity",
        "inf",
        "[NaN]",
        "[1,]",
        "[,]",
        "[1 2]",
        "[,1]",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "[1",
        "]",
        "[1}",
        "{\"a\":1]",
        "// c",
        "/* c */ 1",
        "1 // c",
        "# c\n1",
        "[1, # c\n2]",
        "1#",
        "'a'",
        "{'a':1}",
        "{a:1}",
        "{1:2}",
        "{null:1}",
        "{\"a\":1,2:3}",
        "{[]:1}",
        "{\"a\"::1}",
        "\"a\":1",
        "01",
        "-01",
        "00",
        "1.",
        "1.e5",
        ".5",
        "-.5",
        "+1",
        "++1",
        "-",
        "--1",
        "- 1",
        "1e",
        "1e+",
        "1e1.5",
        "1.5.5",
        "0x10",
        "1_000",
        "1-2",
        "[1-2]",
        "1true",
        "true1",
        "truefalse",
        "nul",
        "nullx",
        "Null",
        "TRUE",
        "b\"a\"",
        "[b\"a\"]",
        "\"a",
        "a\"",
        "\"a\"\"b\"",
        "\"\t\"",
        "\"\n\"",
        "\"\u{0}\"",
        "\"\u{1f}\"",
        r#""\x41""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\'""#,
        r#""\""#,
        "\u{feff}1",
        "\u{feff}",
        "1\u{a0}",
        "\u{c}1",
        "1\u{0}",
        "١",
        "undefined",
        "yes",
        "\u{1e}1",
        "\"\\\n\"",
        // Lone surrogates: gojq would put another character in their place.
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800x""#,
        r#""\ud800\ud800""#,
        r#""\udc00\ud800""#,
        r#"{"\uDBFF": 1}"#,
        r#""\ud800\u0041""#,
        r#""\uD83D\n""#,
    ] {
        all.push((text.to_owned(), Value::Null));
    }
    for text in [brackets(5001), brackets(200_000), "[".repeat(200_000), "{\"a\":".repeat(200_000)] {
        all.push((text, Value::Null));
    }
    all
}

/// A filter with the values of an expression over the items `x` of a list.
fn of_items(expression: &str) -> String {
    let expression = virtscap_generator::expr::parse(expression).unwrap();
    format!("[.items[] | . as $x | {}]", virtscap_generator::expr::jq::lower(&expression))
}

/// What a filter gives here, on the way that a scan takes.
fn here(filter: &str, input: &Value) -> Value {
    let path = "/api/v1/pods".to_owned();
    let dump = "/kubernetes-api-resources/pods".to_owned();
    let source = source(&[(path.clone(), input.to_string())].into());
    let endpoint = Endpoint { path, filter: Some(filter.to_owned()), dump: dump.clone(), refused: None };
    match collect(&source, [endpoint]).get(&dump) {
        Some(DumpFile::Document(document)) => serde_json::from_str(document).unwrap(),
        other => panic!("{filter} gives {other:?}"),
    }
}

/// Numbers as doubles.
fn doubled(value: &Value) -> Value {
    match value {
        Value::Number(n) => json!(n.as_f64()),
        Value::Array(all) => all.iter().map(doubled).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), doubled(v))).collect(),
        other => other.clone(),
    }
}

#[test]
fn json_and_keys_are_read_alike() {
    let (texts, mut expected): (Vec<String>, Vec<Value>) = texts().into_iter().unzip();
    let mut items: Vec<Value> = texts.into_iter().map(|text| json!({"a": text})).collect();
    // What is no string, and what is not there.
    for other in [json!({"a": {}}), json!({"a": ["{}"]}), json!({"a": 1}), json!({"a": true}), json!({})] {
        items.push(other);
        expected.push(Value::Null);
    }
    let parsed = (of_items("parseJSON(x.a)"), json!({"kind": "PodList", "items": items}), expected);

    let maps = json!([{"b": 1, "a": 2, "B": 3, "é": 4, "\u{ff41}": 5, "😀": 6, "": 7, "aa": 8}, {}, [1], "a", 1, null]);
    let maps: Vec<Value> = maps.as_array().unwrap().iter().map(|map| json!({"a": map})).collect();
    let sorted = json!(["", "B", "a", "aa", "b", "é", "\u{ff41}", "😀"]);
    let empty = json!([]);
    let expected = vec![sorted, empty.clone(), empty.clone(), empty.clone(), empty.clone(), empty];
    let keys = (of_items("keys(x.a)"), json!({"kind": "PodList", "items": maps}), expected);

    // Both take numbers that no double can hold. As values they are written in different ways, but they compare alike.
    let huge =
        json!({"kind": "PodList", "items": [{"a": "1e400"}, {"a": "-1e400"}, {"a": "[1e400, 1e500]"}]});
    let compared = [json!([true, false]), json!([false, true]), json!([false, false])];
    let huge = (of_items("[parseJSON(x.a) > 1, parseJSON(x.a) < 1]"), huge, compared.into());

    // The deepest text that is read; deeper than what reads the results here.
    let deepest = [("[", "]"), ("{\"a\":[", "]}")].map(|(open, close)| {
        let depth = 5000 / open.matches(['[', '{']).count();
        json!({"a": format!("{}{}", open.repeat(depth), close.repeat(depth))})
    });
    let deepest = json!({"kind": "PodList", "items": deepest});
    let deepest = (of_items("size(parseJSON(x.a)) == 1"), deepest, vec![json!(true); 2]);

    let all = [parsed, keys, huge, deepest];
    for (filter, input, expected) in &all {
        for ((item, found), expected) in input["items"]
            .as_array()
            .unwrap()
            .iter()
            .zip(here(filter, input).as_array().unwrap())
            .zip(expected)
        {
            assert_eq!(doubled(found), doubled(expected), "jaq on {item:.200}");
        }
    }
    let Some(answers) = gojq(all.iter().map(|(filter, input, _)| (filter.as_str(), input))) else { return };
    for ((filter, input, expected), answer) in all.iter().zip(answers) {
        assert_eq!(answer.get("error"), None, "gojq refuses {filter}");
        let found = answer["output"].as_array().unwrap();
        for ((item, found), expected) in input["items"].as_array().unwrap().iter().zip(found).zip(expected) {
            assert_eq!(doubled(found), doubled(expected), "gojq on {item:.200}");
        }
        assert_eq!(found.len(), expected.len());
    }
}
