use jaq_json::Val;
use serde::de::DeserializeSeed as _;

use super::*;
use crate::filter::Compiled;
use crate::filter::project::Wanted;

fn wanted(fields: &Fields, json: &str) -> Val {
    Wanted(fields).deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap()
}

const OBJECT: &str = r#"{"a": {"b": 1, "c": [{"d": 1, "e": 2}, {"d": null}, 3]}, "x": "y", "l": [[1], {"z": 2}],
    "m": {"k": {"v": 1, "w": 2}, "j": {"v": 3}}}"#;

#[test]
fn only_what_is_read_is_kept() {
    let cases = [
        (".a.b", r#"{"a":{"b":1}}"#),
        (".a.c[].d?", r#"{"a":{"c":[{"d":1},{"d":null},3]}}"#),
        ("[.a.c?][0] | arrays | .[] | select(.d? == 1) | .e", r#"{"a":{"c":[{"d":1,"e":2},{"d":null},3]}}"#),
        (". as $o | if $o.a?.b? == 1 then $o.x else empty end", r#"{"a":{"b":1},"x":"y"}"#),
        (".a | type", r#"{"a":{}}"#),
        (".m[].v", r#"{"m":{"k":{"v":1},"j":{"v":3}}}"#),
        ("def f(g): g | .d; any(.a.c[]; f(.) == 1)", r#"{"a":{"c":[{"d":1},{"d":null},3]}}"#),
        ("def f($p): p | .b; f(.a)", r#"{"a":{"b":1}}"#),
        ("\"t\"", "{}"),
    ];
    for (code, kept) in cases {
        assert_eq!(wanted(&Fields::of(code), OBJECT).to_string(), kept, "{code}");
    }
}

#[test]
fn what_cannot_be_followed_reads_everything() {
    for code in [
        ".",
        "..",
        "tostring",
        "to_entries",
        ".a = 1",
        "del(.a)",
        "{a}",
        "try error catch .",
        "[.[]?, .]",
        "keys",
    ] {
        assert_eq!(Fields::of(code), Fields::all(), "{code}");
    }
}

#[test]
fn a_filter_gives_the_same_on_what_it_reads() {
    let filters = [
        ".a.c | length",
        "[.m[]?.v?]",
        ".m | keys",
        ".m | map(.v)",
        "[.l[] | .z?]",
        ".a.c | map(.d?) | add",
        "[.. | scalars]",
        ".a == {\"b\": 1}",
        ".l[0] == [1]",
        "reduce .a.c[] as $i (0; . + 1)",
        ".x + \"z\"",
        "[.a.c[] | objects | select(.d)]",
        "any(.a.c[]; .e? == 2)",
        ".a.c | any(. == 3)",
        ".a.c[0:1]",
        ".a.c[-1]",
        ".a.c | first",
        "[limit(1; .a.c[])]",
        ".a | has(\"b\")",
        "\"\\(.a)\"",
        "@json",
        ".a // .x",
        ".q // .m.k",
        "[.a.c[] | .d? // empty]",
        ".m | to_entries | map(.value.w)",
        "if .a then .a.c[0] else .x end",
        ".a.c as [$f] | $f.e",
        "[.m | .[] | .v] | sort",
        ".x | test(\"y\")",
        ".a.c | map(type)",
        "(.a.c[0], .m.k) | .e?",
        "def r: if type == \"object\" then .b, (.a? | r) else . end; [r]",
        "[.a.c[] | numbers]",
        ".m | length",
        ".a[\"b\"]",
        ".[\"a\", \"x\"]",
        "[.a, .m] | .[1].j",
        "{p: .a.b, q: .m.j}",
        ".a.c | index(3)",
        "try .x.y catch 1",
        ".x.y?",
    ];
    for code in filters {
        let filter = Compiled::new(code).unwrap();
        let run = |fields: &Fields| {
            let results: Vec<_> =
                filter.results(wanted(fields, OBJECT)).map(|r| r.map(|v| v.to_string()).ok()).collect();
            results
        };
        assert_eq!(run(&Fields::of(code)), run(&Fields::all()), "{code}");
    }
}
