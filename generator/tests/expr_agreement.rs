//! An expression means the same to its definition, to jq and to CEL.
//!
//! The definition is the small interpreter in `expr_agreement/oracle.rs`. `EXPR_TRIPLES=<file>` makes the property test
//! write its expressions, inputs and values as JSON lines, to replay them in gojq and cel-go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "expr_agreement/engines.rs"]
mod engines;
#[path = "expr_agreement/generate.rs"]
mod generate;
#[path = "expr_agreement/oracle.rs"]
mod oracle;

use std::io::Write;

use oracle::Meaning;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use virtscap_generator::expr::{Expr, MAX_DEPTH, MAX_SOURCE, cel, jq, parse};

/// Checks every engine on one expression; gives its value.
fn agree(source: &str, variables: &Map<String, Value>) -> Value {
    let expr = parse(source).unwrap_or_else(|e| panic!("{source}: {e} at {:?}", e.span));
    let Meaning { value: expected, cel_may_fail } = oracle::meaning(&expr, variables);
    let filter = jq::lower(&expr);
    assert_fit_for_transport(&filter);
    let by_jq = engines::jq(&filter, variables);
    assert!(oracle::equal(&by_jq, &expected), "{source}\njq: {filter}\ngives {by_jq}, not {expected}");

    let strict = cel::lower(&expr);
    match engines::cel(&strict, variables) {
        Ok(by_cel) => {
            let same = oracle::equal(&by_cel, &expected);
            assert!(same, "{source}\nCEL: {strict}\ngives {by_cel}, not {expected}");
        }
        Err(error) => assert!(cel_may_fail, "{source}\nCEL: {strict}\nfails: {error}"),
    }
    let strict_bool = cel::lower_bool(&expr);
    match engines::cel(&strict_bool, variables) {
        Ok(by_cel) => {
            assert_eq!(by_cel, Value::Bool(expected == Value::Bool(true)), "{source}\nCEL: {strict_bool}");
        }
        Err(error) => assert!(cel_may_fail, "{source}\nCEL: {strict_bool}\nfails: {error}"),
    }
    record(&json!({
        "source": source, "variables": variables, "expected": expected, "cel_may_fail": cel_may_fail,
        "jq": filter, "cel": strict, "cel_bool": strict_bool,
    }));
    expected
}

/// The rules for text inside XML inside a Go template.
fn assert_fit_for_transport(filter: &str) {
    let tag = filter.as_bytes().windows(2).any(|w| w[0] == b'<' && w[1].is_ascii_alphabetic());
    let unfit =
        tag || filter.contains("{{") || filter.contains("  ") || filter.contains(|c: char| c.is_control());
    assert!(!unfit, "not fit for transport: {filter}");
}

fn record(line: &Value) {
    let Some(path) = std::env::var_os("EXPR_TRIPLES") else { return };
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
    // One write for each line, since the tests run at the same time.
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

proptest! {
    #[test]
    fn engines_agree(source in generate::source(), variables in generate::variables()) {
        agree(&source, &variables);
    }

    #[test]
    fn any_text_is_parsed_or_refused(source in "[a-c\"'\\\\.()\\[\\]{}!&|=<>+?:, 0-9éin-]{0,40}") {
        if let Err(error) = parse(&source) {
            prop_assert!(source.get(error.span.clone()).is_some(), "{:?}", error);
        }
    }

    #[test]
    fn patterns_that_pass_mean_the_same(
        pattern in generate::pattern(), subject in "[ab1\\-.\n]{0,6}",
    ) {
        let source = format!("o.a.matches({})", serde_json::to_string(&pattern).unwrap());
        if parse(&source).is_ok() {
            agree(&source, json!({"o": {"a": subject}}).as_object().unwrap());
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    expr: String,
    #[serde(default)]
    input: Value,
    value: Value,
    /// Where it differs.
    cel: Option<CelCase>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum CelCase {
    /// It fails.
    Error,
    /// It gives the list in any order.
    Unordered,
}

#[test]
fn cases() {
    let cases: Vec<Case> = serde_yaml::from_str(include_str!("expr_cases.yaml")).unwrap();
    for Case { expr, input, value, cel } in cases {
        let variables = json!({"vm": input});
        let variables = variables.as_object().unwrap();
        let strict = cel::lower(&parse(&expr).unwrap());
        let found = match cel {
            None | Some(CelCase::Error) => agree(&expr, variables),
            // What does not depend on the order is in what `agree` checks.
            Some(CelCase::Unordered) => engines::jq(&jq::lower(&parse(&expr).unwrap()), variables),
        };
        assert!(oracle::equal(&found, &value), "{expr} on {input} is {found}, not {value}");
        let by_cel = engines::cel(&strict, variables);
        match cel {
            None => assert!(by_cel.is_ok(), "{expr} on {input} fails in CEL: {by_cel:?}"),
            Some(CelCase::Error) => assert!(by_cel.is_err(), "{expr} on {input} gives {by_cel:?} in CEL"),
            Some(CelCase::Unordered) => {
                let mut by_cel: Vec<String> = serde_json::from_value(by_cel.unwrap()).unwrap();
                by_cel.sort();
                assert_eq!(json!(by_cel), value, "{expr} on {input}");
            }
        }
    }
}

/// The mistake in `source`, with `^` under its place.
fn mistake(result: Result<Expr, virtscap_generator::expr::ExprError>, source: &str) -> String {
    let error = result.expect_err(source);
    let mut marks = " ".repeat(error.span.start);
    marks.push_str(&"^".repeat(error.span.len().max(1)));
    let help = error.help.map(|h| format!("\nhelp: {h}")).unwrap_or_default();
    format!("{source}\n{marks}\n{}{help}", error.message)
}

#[test]
fn mistakes() {
    let sources = [
        "has(vm.spec) && vm.spec.x",
        "vm.spec.",
        "vm.a = 1",
        "vm.a & vm.b",
        "vm.a == 'x",
        "vm.a == \"\\d\"",
        "vm.a - 1",
        "vm.a * 2",
        "vm.a // why",
        "{'a': 1}",
        "1e3",
        "9223372036854775808",
        "vm.a[-1]",
        "vm.a[vm.b]",
        "vm.in",
        "vm.a.exist(d, d)",
        "vm.a.exists(d)",
        "vm.a.exists(map, true)",
        "vm.a.map(end, end)",
        "sizes(vm)",
        "parseJson(vm.a)",
        "parseJSON()",
        "parseJSON(vm.a, vm.b)",
        "keys()",
        "vm.keys()",
        "vm.a.parseJSON()",
        "exists(vm, d)",
        "vm.a.matches(vm.b)",
        "vm.a.matches('a[')",
        "vm.a.matches('[[:alpha:]]')",
        "vm.a.matches('[a&&b]')",
        "vm.a.matches('(?i)a')",
        "vm.a.matches('a++')",
        "vm.a.matches('\\\\d+')",
        "vm.a.matches('(a{40}){40}')",
        "vm.a.matches('a)')",
        "(vm.a",
        "vm.a vm.b",
        "a ? b",
        "",
    ];
    let report: Vec<String> = sources.iter().map(|s| mistake(parse(s), s)).collect();
    insta::assert_snapshot!(report.join("\n\n"));
}

#[test]
fn unknown_variables_are_found() {
    let source = "vm.a.exists(d, d.x == vn.x)";
    let expr = parse(source).unwrap();
    assert_eq!(expr.free_variables().into_iter().collect::<Vec<_>>(), ["vm", "vn"]);
    assert!(expr.require_variables(&["vm", "vn"]).is_ok());
    let result = expr.require_variables(&["vm", "node"]).map(|()| expr.clone());
    insta::assert_snapshot!(mistake(result, source), @r"
    vm.a.exists(d, d.x == vn.x)
                          ^^
    unknown variable `vn`
    help: did you mean `vm`?
    ");
}

#[test]
fn limits_hold() {
    let deep = |n: usize| format!("{}vm{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&deep(MAX_DEPTH - 1)).is_ok());
    for source in [
        deep(MAX_DEPTH),
        deep(8000),
        format!("vm{}", ".a".repeat(MAX_DEPTH)),
        format!("{}vm", "!".repeat(16_000)),
        "[".repeat(16_000),
        format!("vm{}", "==1".repeat(5000)),
    ] {
        assert_eq!(parse(&source).unwrap_err().message, "the expression is nested deeper than 64 levels");
    }
    let long = format!("vm.a == '{}'", "x".repeat(MAX_SOURCE));
    assert!(parse(&long).unwrap_err().message.contains("the limit is 16384"));
    // A long flat chain is not deep.
    assert!(parse(&vec!["vm.a"; 2000].join(" && ")).is_ok());
}

#[test]
fn output_grows_with_the_source() {
    let mut source = "vm.a".to_owned();
    for _ in 0..20 {
        source = format!("({source} + {source}.b).filter(x, x)[0]");
        if source.len() > 2000 {
            break;
        }
    }
    let expr = parse(&source).unwrap();
    assert!(cel::lower(&expr).len() < 60 * source.len());
    assert!(jq::lower(&expr).len() < 30 * source.len());

    let mut source = "vm.a".to_owned();
    for _ in 0..12 {
        source = format!("(string({source}.filter(x, x)[0].b) + 'x')");
    }
    let expr = parse(&source).unwrap();
    assert!(cel::lower(&expr).len() < 60 * source.len());
    assert!(jq::lower(&expr).len() < 30 * source.len());
    agree(&source, json!({"vm": {"a": "x"}}).as_object().unwrap());
}

#[test]
fn lowered_forms() {
    let sources = [
        "vm.spec.template.spec.domain.devices.disks.exists(d, d.shareable == true)",
        "vm.spec.template.spec.domain.devices.disks.filter(d, d.shareable == true).map(d, d.name)",
        "vm.spec.running",
        "vm.metadata.annotations['a.b/c'] == null",
        "vm.n >= 3 && !(vm.kind in ['a', 'b'])",
        "vm.a.all(x, x.startsWith('ok-') || x.matches('^[0-9]+$'))",
        "'disk ' + vm.name + ' on ' + string(vm.bus)",
        "vm.items.filter(x, x.ok)[0].name",
        "vm.a == vm.b",
        "vm.a < vm.b",
        "vm.a in vm.b",
        "'key' in vm.labels",
        "size(vm.a) > 0 ? vm.a : 'none'",
        "parseJSON(vm.config).type",
        "keys(vm.labels).exists(k, k.startsWith('x-'))",
        "keys(parseJSON('{}'))",
    ];
    let report: Vec<String> = sources
        .iter()
        .map(|s| {
            let e = parse(s).unwrap();
            format!(
                "{s}\n  jq:   {}\n  CEL:  {}\n  bool: {}",
                jq::lower(&e),
                cel::lower(&e),
                cel::lower_bool(&e)
            )
        })
        .collect();
    insta::assert_snapshot!(report.join("\n\n"));
}
