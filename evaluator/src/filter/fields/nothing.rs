//! Which fields of its input decide whether a filter gives nothing: neither a result nor an error.
//!
//! Most filters name what offends, and most objects do not: what they give is nothing then. Inputs that are alike in the
//! fields found here are alike in that. The text that names an offender reads more, and is not looked at: a term that
//! always gives something (a result or an error) decides nothing.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Opt, Part, Path};

use super::{Bound, Fields, MAX_DEPTH, Places, ROOT, Scope, TooHard, Value, What, bind, bind_definitions};
use crate::filter::prelude;

/// What gives now this, now that, or ends other terms than its own.
const NOT_FOLLOWED: [&str; 8] = ["now", "input", "inputs", "halt", "halt_error", "break", "debug", "stderr"];
/// How many terms are looked at to see that one always gives something.
const MAX_ALWAYS: usize = 10_000;

impl Fields {
    /// The fields that decide whether a filter gives nothing; none where that cannot be told from a part of its input.
    pub(crate) fn deciding(code: &str) -> Option<Self> {
        if prelude::words(code).any(|word| NOT_FOLLOWED.contains(&word)) {
            return None;
        }
        let term = parse(code, |parser| parser.term())?;
        let mut places = Places::new();
        places.decide(&term, &Value::root(), &None, 0).ok()?;
        let fields = places.fields(ROOT);
        (!fields.whole && !fields.unless_text).then_some(fields)
    }
}

impl Places {
    /// Marks what decides whether a term gives nothing.
    fn decide<'t>(
        &mut self,
        term: &'t Term<&'t str>,
        input: &Value,
        scope: &Scope<'t>,
        depth: usize,
    ) -> Result<(), TooHard> {
        if depth > MAX_DEPTH {
            return Err(TooHard);
        }
        if is_sure(term, scope) {
            return Ok(());
        }
        let depth = depth + 1;
        match term {
            Term::BinOp(left, BinaryOp::Pipe(None), right) => {
                if is_sure(right, scope) {
                    return self.decide(left, input, scope, depth);
                }
                let between = self.run(left, input, scope, depth)?;
                self.decide(right, &between, scope, depth)
            }
            // Another pattern may itself give nothing: its keys are terms.
            Term::BinOp(left, BinaryOp::Pipe(Some(Pattern::Var(name))), right) => {
                let bound = |value| bind(name, What::Variable(value), scope);
                // What is bound does not matter to whether something is always given.
                if is_sure(right, &bound(Value::default())) {
                    return self.decide(left, input, scope, depth);
                }
                let value = self.run(left, input, scope, depth)?;
                self.decide(right, input, &bound(value), depth)
            }
            Term::BinOp(left, BinaryOp::Comma, right) => {
                self.decide(left, input, scope, depth)?;
                self.decide(right, input, scope, depth)
            }
            Term::IfThenElse(branches, otherwise) => {
                for (branch, input) in self.branches(branches, otherwise.as_deref(), input, scope, depth)? {
                    self.decide(branch, &input, scope, depth)?;
                }
                Ok(())
            }
            Term::Def(definitions, inside) => {
                self.decide(inside, input, &bind_definitions(definitions, scope), depth)
            }
            // How many results there are, and whether it fails.
            _ => self.run(term, input, scope, depth).map(|_| ()),
        }
    }
}

/// Whether a term gives a result or an error on every input, as far as can be seen.
fn is_sure<'t>(term: &'t Term<&'t str>, scope: &Scope<'t>) -> bool {
    let mut left = MAX_ALWAYS;
    always(term, scope, &mut left)
}

/// [`is_sure`], where no more than `left` terms are looked at.
fn always<'t>(term: &'t Term<&'t str>, scope: &Scope<'t>, left: &mut usize) -> bool {
    let Some(fewer) = left.checked_sub(1) else { return false };
    *left = fewer;
    match term {
        // An array gathers what its term gives, even nothing.
        Term::Id | Term::Num(_) | Term::Var(_) | Term::Arr(_) => true,
        Term::Str(_, parts) => parts.iter().all(|part| match part {
            StrPart::Term(term) => always(term, scope, left),
            _ => true,
        }),
        Term::Obj(entries) => entries
            .iter()
            .all(|(key, value)| always(key, scope, left) && value.iter().all(|v| always(v, scope, left))),
        Term::Neg(inside) => always(inside, scope, left),
        Term::BinOp(first, operator, second) => match operator {
            BinaryOp::Pipe(None) => always(first, scope, left) && always(second, scope, left),
            BinaryOp::Pipe(Some(Pattern::Var(name))) => {
                let inside = bind(name, What::Variable(Value::default()), scope);
                always(first, scope, left) && always(second, &inside, left)
            }
            BinaryOp::Math(_) | BinaryOp::Cmp(_) | BinaryOp::And | BinaryOp::Or => {
                always(first, scope, left) && always(second, scope, left)
            }
            BinaryOp::Comma => always(first, scope, left) || always(second, scope, left),
            BinaryOp::Alt => always(second, scope, left),
            _ => false,
        },
        Term::IfThenElse(branches, otherwise) => {
            let (first, rest) = match branches.split_first() {
                Some(((condition, then), rest)) => {
                    (always(condition, scope, left) && always(then, scope, left), rest)
                }
                None => return false,
            };
            first
                && rest
                    .iter()
                    .all(|(condition, then)| always(condition, scope, left) && always(then, scope, left))
                && otherwise.as_ref().is_none_or(|otherwise| always(otherwise, scope, left))
        }
        Term::Def(definitions, inside) => always(inside, &bind_definitions(definitions, scope), left),
        Term::Path(base, Path(parts)) => {
            always(base, scope, left)
                && parts.iter().all(|(part, opt)| match (part, opt) {
                    (Part::Index(index), Opt::Essential) => always(index, scope, left),
                    _ => false,
                })
        }
        Term::Call(name, arguments) => called(name, arguments, scope, left),
        _ => false,
    }
}

/// Whether a call gives a result or an error on every input.
fn called<'t>(name: &str, arguments: &'t [Term<&'t str>], scope: &Scope<'t>, left: &mut usize) -> bool {
    let mut at = scope;
    while let Some(bound) = at {
        let Bound { name: other, what, outer } = bound.as_ref();
        match what {
            What::Function(def) if *other == name && def.args.len() == arguments.len() => {
                // What the arguments give is not followed.
                return arguments.is_empty() && always(&def.body, at, left);
            }
            What::Closure(..) if *other == name => return false,
            _ => at = outer,
        }
    }
    match (name, arguments) {
        (
            "add" | "explode" | "floor" | "implode" | "length" | "not" | "sort" | "tojson" | "tostring"
            | "type" | "unique" | "true" | "false" | "null",
            [],
        ) => true,
        // Both gather what the argument gives, even nothing.
        ("map" | "any" | "all", [_]) | ("any" | "all", [_, _]) => true,
        ("contains" | "endswith" | "join" | "startswith" | "test", [argument]) => {
            always(argument, scope, left)
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use serde::de::DeserializeSeed as _;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::filter::Compiled;
    use crate::filter::alike::key_of;
    use crate::filter::project::Wanted;

    fn seen(fields: &Fields, json: &str) -> String {
        Wanted(fields).deserialize(&mut serde_json::Deserializer::from_str(json)).unwrap().to_string()
    }

    const OBJECT: &str =
        r#"{"n": "x", "a": {"b": 1, "c": [{"d": 1, "e": 2}, {"d": null}, 3]}, "l": {"k": "v"}}"#;

    #[test]
    fn what_names_an_offender_decides_nothing() {
        let cases = [
            (r#"if .a.b == 2 then "\(.n)" else empty end"#, r#"{"a":{"b":1}}"#),
            (r#". as $o | (if $o.a.b == 2 then "b" else empty end) | $o.n + ": " + ."#, r#"{"a":{"b":1}}"#),
            ("select(.a.b == 2) | {name: .n, l}", r#"{"a":{"b":1}}"#),
            (
                r#". as $o | (([$o.a?.c?][0]) | arrays | .[]) as $i | if [$i.d?][0] == 2 then [$i.e?][0] else empty end"#,
                r#"{"a":{"c":[{"d":1},{"d":null},3]}}"#,
            ),
            (
                r#". as $o | (([$o.a?.c?][0]) | arrays | .[]) as $i | $o.n + ([$i.e?][0] | tostring)"#,
                r#"{"a":{"c":[{},{},3]}}"#,
            ),
            ("def up: explode | map(. - 32) | implode; select(.a.b == 2) | .n | up", r#"{"a":{"b":1}}"#),
            ("(.a.b | select(. == 2)), (.n | numbers) | tostring", r#"{"n":"x","a":{"b":1}}"#),
            (r#"if .n == "y" then .a.c[] else empty end"#, r#"{"n":"x","a":{"c":[{},{},3]}}"#),
            (r#""always""#, "{}"),
            ("[.a.c[]]", "{}"),
        ];
        for (code, decides) in cases {
            assert_eq!(seen(&Fields::deciding(code).unwrap(), OBJECT), decides, "{code}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_not() {
        for code in
            ["select(now > 1) | 1", "label $x | break $x", "..", "input", ". = 1", "to_entries[]", "("]
        {
            assert_eq!(Fields::deciding(code), None, "{code}");
        }
    }

    /// All values that differ from this one in one place.
    fn mutants(value: &Json) -> Vec<Json> {
        let mut all: Vec<_> = [
            json!(null),
            json!(true),
            json!(2),
            json!("y"),
            json!([]),
            json!({}),
            json!([{"d": 2}]),
            json!({"b": 2}),
        ]
        .into();
        match value {
            Json::Object(map) => {
                for (name, inside) in map {
                    for mutant in mutants(inside) {
                        let mut map = map.clone();
                        map[name] = mutant;
                        all.push(Json::Object(map));
                    }
                    let mut map = map.clone();
                    map.remove(name);
                    all.push(Json::Object(map));
                }
            }
            Json::Array(elements) => {
                for (place, inside) in elements.iter().enumerate() {
                    for mutant in mutants(inside) {
                        let mut elements = elements.clone();
                        elements[place] = mutant;
                        all.push(Json::Array(elements));
                    }
                }
            }
            _ => {}
        }
        all
    }

    #[test]
    fn what_looks_the_same_is_nothing_or_something_together() {
        let filters = [
            "select(.a.b == 2) | .n",
            "select(.n == \"y\") | .a",
            "select(.n != \"y\" and .a.b != \"y\") | 1",
            "select(.n > \"x\") | 1",
            "select(\"x\" < .a.b) | 1",
            "select(([.a?.b?][0] | if type == \"string\" then . elif type == \"boolean\" then tostring elif type == \"number\" and . > -1e15 then floor | tostring else \"\" end) == \"2\") | .n",
            "select(([.n?][0] | if type == \"string\" then . else length end) == \"y\") | 1",
            "select(if .n | type == \"string\" then .a.b == 2 else .n == [] end) | 1",
            "def type: \"string\"; select(([.n?][0] | if type == \"string\" then 1 else length end) == 1) | 1",
            "select(([.a?.b?][0] | if type != \"string\" then . == 2 else length == 1 end)) | 1",
            ".n as $n | select($n == \"y\" or ($n | if type == \"string\" then empty else tojson end) == \"[]\") | 1",
            "select(any(.l?, .n; . == \"y\")) | 1",
            "[.n, .a.b] | select(.[0] == \"y\") | 1",
            "select((.n | if . == \"q\" then 5 else explode?[0] end) == 121) | .a",
            ".n | if . == \"q\" then 5 else explode? | .[0] | select(. == 121) end",
            ".n | if type == \"array\" then 5 else explode? | .[0] | select(. == 121) end",
            ".n | if . == \"string\" then 5 else explode? | .[0] | select(. == 121) end",
            "[.n] | select(. == \"y\" or . == [\"y\"]) | 1",
            ". as $o | if ([$o.a?.b?][0] == 2 and ([$o.n?][0] | type == \"string\")) == true then $o.n + \"!\" else empty end",
            "if .a.b == 2 then .n | strings else empty end",
            "{n: (.n | strings), b: .a.b}",
            "{n: (.n + 1), b: (.a.b | select(. == 2))}",
            "(.a.b | numbers) as $b | {n: .n, $b}",
            "\"\\(.a.c[])\"",
            "(.a.c | arrays | .[].d?) | tostring | explode | implode",
            ".a.c[0] | .d?",
            "(.n | explode), empty",
            "try error(.n) catch empty",
            "(.a.b // empty) | 1",
            "empty // (.n | strings)",
            "reduce .a.c[]? as $i (empty; . + 1)",
            "def f: .n | strings; f",
            "def f(g): g | g; f(.a?)",
            "def f(g): [g]; f(.a.b)",
            "def length: empty; .n | length",
            "def tostring: .a?; .n | tostring",
            "first(.a.c[]?) | 1",
            "limit(1; .a.c[]?.d) | 1",
            "(.l | to_entries?[]) | .key + \"=\" + .value",
            "[.l | objects | to_entries[]] | sort | if length > 0 then .[0].key else empty end",
            "any(.a.c[]?; .d? == 2) | select(.)",
            "if .a.b then .n else empty end",
            "if (.a.c | arrays | .[]) == 3 then .n | numbers else empty end",
            ".a.b as [$x] | $x | values",
            ".a.b? as {b: $x} | $x | values",
            ". as {(.n | strings): $x} | 1",
            ". as [{(.n | strings): $x}] | 1",
            "if empty then 1 else 2 end",
            "if true then empty elif .n then 1 else 2 end",
            "(.n, .a.b) | numbers | . * 2",
            "[.a.c[]? | .d?][1:][0] | values",
            "-(.a.b)",
            ".a[.n]? | values",
            "(.a.b and .n) | select(.)",
            ".n | contains(\"x\", \"y\") | select(. | not)",
            "select(.n | test(\"y\")) | .a.b",
            "[.a.c[]?.d?] | add | values",
            "[.a.c[]?.d?] | join(\",\") | select(. == \"\")",
        ];
        let object: Json = serde_json::from_str(OBJECT).unwrap();
        let mut items = mutants(&object);
        items.extend(mutants(&items[20].clone()));
        items.push(object);
        let items: Vec<_> = items.iter().map(Json::to_string).collect();
        let mut told = 0;
        for code in filters {
            let Some(fields) = Fields::deciding(code) else { continue };
            let filter = Compiled::new(code).unwrap();
            let mut kinds: BTreeMap<Vec<u8>, (bool, &str)> = BTreeMap::new();
            for item in &items {
                let value = jaq_json::read::parse_single(item.as_bytes()).unwrap();
                let nothing = filter.results(value).next().is_none();
                let (as_before, other) = *kinds.entry(key_of(&fields, item)).or_insert((nothing, item));
                assert_eq!(nothing, as_before, "{code}: {item} and {other}");
            }
            assert!(kinds.len() < items.len(), "{code} tells all apart");
            told += 1;
        }
        assert!(told > 30, "only {told} filters were told");
    }
}
