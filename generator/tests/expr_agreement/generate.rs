//! Random expressions, and inputs that share keys and values with them.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const NAMES: &[&str] = &["a", "b", "c"];

/// Also the names of loop variables, so that a generated expression has no unknown name wherever a part ends up.
const VARIABLES: &[&str] = &["o", "d", "e"];

const STEPS: &[&str] = &[".a", ".b", ".c", "[\"a-b\"]", ".size", "[\"in\"]", "[0]", "[1]"];

const LITERALS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "-1",
    "2",
    "1.0",
    "1.5",
    "-0.5",
    "''",
    "'a'",
    "'ab'",
    "'é'",
    "'1'",
    "'{{ }}  <a'",
    "'\\n\"'",
    "[]",
    "['a', 'b']",
    "[1, 2]",
    "[null]",
    "[1, 'a', true]",
];

/// JSON texts, some of which are none; in single quotes, so that they can stand in an expression.
const TEXTS: &[&str] = &[
    r#"{"a": 1, "b": "a"}"#,
    r#"{"c": {"a": [1.0, true, null, "é"]}, "a": true, "c": {"b": [{}]}}"#,
    r#"{"a-b": 1e0, "in": {"b": "{}"}}"#,
    " {} ",
    "null",
    " ",
    "true",
    "1",
    r#""a""#,
    r#"[{"a": 1}, "b"]"#,
    r#"{"a": 1,}"#,
    "{} {}",
    "{a: 1}",
    "NaN",
];

fn path() -> impl Strategy<Value = String> {
    (select(VARIABLES), prop::collection::vec(select(STEPS), 0..3))
        .prop_map(|(v, steps)| v.to_owned() + &steps.concat())
}

/// Source text of an expression over `o`, `d` and `e`.
pub(crate) fn source() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => path(), 2 => select(LITERALS).prop_map(str::to_owned)];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let x = inner.clone().prop_map(|x| format!("({x})"));
        // A path needs no brackets, and is what rules mostly use.
        let x = prop_oneof![path(), x].boxed();
        let operators = select(&["==", "!=", "<", "<=", ">", ">=", "in", "+", "&&", "||"][..]);
        let loops = select(&["exists", "all", "filter", "map"][..]);
        let probes = select(&["contains", "startsWith", "endsWith"][..]);
        let patterns = select(&["a", "^a", "b$", "^[ab]+$", "1|é", "[^a]", "."][..]);
        prop_oneof![
            6 => (x.clone(), operators, x.clone()).prop_map(|(a, o, b)| format!("{a} {o} {b}")),
            4 => (x.clone(), loops, select(&["d", "e"][..]), inner.clone())
                .prop_map(|(a, l, v, b)| format!("{a}.{l}({v}, {b})")),
            1 => x.clone().prop_map(|a| format!("!{a}")),
            1 => (x.clone(), x.clone(), x.clone()).prop_map(|(a, b, c)| format!("{a} ? {b} : {c}")),
            1 => (x.clone(), x.clone(), x.clone()).prop_map(|(a, b, c)| format!("{a} + {b} + {c}")),
            1 => (x.clone(), x.clone(), x.clone()).prop_map(|(a, b, c)| format!("{a} && {b} || {c}")),
            1 => prop::collection::vec(inner.clone(), 0..3).prop_map(|all| format!("[{}]", all.join(", "))),
            1 => x.clone().prop_map(|a| format!("size({a})")),
            1 => x.clone().prop_map(|a| format!("string({a})")),
            1 => x.clone().prop_map(|a| format!("parseJSON({a})")),
            1 => x.clone().prop_map(|a| format!("parseJSON(string({a}))")),
            1 => select(TEXTS).prop_map(|text| format!("parseJSON('{text}')")),
            // The order of keys is not the same everywhere, so they stand only where it does not matter.
            1 => x.clone().prop_map(|a| format!("size(keys({a}))")),
            1 => (x.clone(), x.clone()).prop_map(|(a, b)| format!("{a} in keys({b})")),
            1 => (x.clone(), select(&["exists", "all"][..]), inner.clone())
                .prop_map(|(a, l, b)| format!("keys({a}).{l}(d, {b})")),
            1 => (x.clone(), inner.clone()).prop_map(|(a, b)| format!("size(keys({a}).filter(d, {b}))")),
            1 => (x.clone(), probes, inner).prop_map(|(a, p, b)| format!("{a}.{p}({b})")),
            1 => (x.clone(), patterns).prop_map(|(a, p)| format!("{a}.matches('{p}')")),
            2 => (x, select(STEPS)).prop_map(|(a, s)| format!("{a}{s}")),
        ]
    })
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        2 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::from),
        2 => (-1..3_i64).prop_map(Value::from),
        1 => select(&[1.0, 1.5, -0.5, 2.0, 1e16][..]).prop_map(Value::from),
        3 => select(&["", "a", "ab", "b", "1", "é", "{{ }}  <a"][..]).prop_map(Value::from),
        1 => select(TEXTS).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![4 => select(NAMES), 1 => select(&["a-b", "size", "in"][..])];
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => prop::collection::vec((key, inner), 0..5)
                .prop_map(|all| all.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>().into()),
        ]
    })
}

/// Values for the variables; `o` is mostly a map.
pub(crate) fn variables() -> impl Strategy<Value = Map<String, Value>> {
    let field = || prop_oneof![4 => json_value(), 1 => Just(json!([{"a": 1, "b": "a"}, {"a": true}, null]))];
    let object = (field(), field(), field()).prop_map(|(a, b, c)| json!({"a": a, "b": b, "c": c}));
    let o = prop_oneof![5 => object, 1 => json_value()];
    (o, json_value(), json_value()).prop_map(|(o, d, e)| {
        [("o", o), ("d", d), ("e", e)].into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
    })
}

/// Regular expressions, most of them well-formed.
pub(crate) fn pattern() -> impl Strategy<Value = String> {
    let leaf =
        select(
            &[
                "a", "b", "1", "é", ".", "[ab]", "[^a]", "[a-b-]", "\\.", "\\-", "^", "$", "-", "\\n",
                "[\\]-a]",
            ][..],
        )
        .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| all.concat()),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| all.join("|")),
            (inner.clone(), select(&["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "++"][..]))
                .prop_map(|(a, q)| format!("(?:{a}){q}")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}
