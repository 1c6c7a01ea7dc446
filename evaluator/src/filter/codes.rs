//! A short cut for `explode | map(f) | implode`, with which filters make texts safe to print and to match.
//!
//! jq goes through a text character by character, which took most of the time that naming an offender takes. Where `f` is
//! made of its input, numbers and comparisons only, what it gives for each ASCII character is found once, by running it,
//! and texts of ASCII characters are taken from that table. All others are left to jq.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use jaq_core::load::lex::{Lexer, Tok, Token};
use jaq_core::load::span;
use jaq_core::native::{Filter, Fun, bome, run, v};
use jaq_core::{RunPtr, ValR};
use jaq_json::Val;

use super::Compiled;
use super::prelude::Data;

/// The function that tells whether the table applies.
const IS_ASCII: &str = "is_ascii_";
/// The function that takes a text from a table.
const FROM_TABLE: &str = "from_table_";

/// The filter with the short cut where it applies.
pub(super) fn with_tables(code: &str) -> String {
    let mut places = Vec::new();
    if let Ok(tokens) = Lexer::new(code).lex()
        && !defines_its_own(&tokens)
    {
        find(&tokens, code, &mut places);
    }
    let mut shorter = String::new();
    let mut done = 0;
    for Place { start, end, each } in places {
        let whole = &code[start..end];
        shorter.push_str(&code[done..start]);
        match known_table(each) {
            // Writing to a String does not fail.
            Some(table) => {
                let _ = write!(shorter, "if {IS_ASCII} then {FROM_TABLE}(\"{table}\") else {whole} end");
            }
            None => shorter.push_str(whole),
        }
        done = end;
    }
    shorter.push_str(&code[done..]);
    shorter
}

/// Where `explode | map(f) | implode` stands.
struct Place<'c> {
    start: usize,
    end: usize,
    /// `(f)`
    each: &'c str,
}

/// Whether a filter has functions of its own by the names that are looked for.
fn defines_its_own(tokens: &[Token<&str>]) -> bool {
    tokens.windows(2).any(|pair| pair[0].0 == "def" && matches!(pair[1].0, "explode" | "map" | "implode"))
        || tokens.iter().any(|Token(_, kind)| matches!(kind, Tok::Block(inside) if defines_its_own(inside)))
}

fn find<'c>(tokens: &[Token<&'c str>], code: &'c str, places: &mut Vec<Place<'c>>) {
    let mut at = 0;
    while let Some(Token(text, kind)) = tokens.get(at) {
        let before = at.checked_sub(1).map(|before| tokens[before].0);
        if let [
            Token("explode", _),
            Token("|", _),
            Token("map", _),
            Token(each, Tok::Block(inside)),
            Token("|", _),
            Token("implode", _),
            rest @ ..,
        ] = &tokens[at..]
            // Where anything binds closer than the pipe, the three are not one term.
            && matches!(before, None | Some("|" | "(" | "[" | ":" | "then" | "else" | "if" | "elif"))
            && matches!(rest.first().map(|next| next.0), None | Some("|" | ")" | "]" | ";" | "then" | "else" | "elif" | "end"))
            && is_of_codes(inside)
        {
            places.push(Place { start: span(code, text).start, end: span(code, tokens[at + 5].0).end, each });
            at += 6;
            continue;
        }
        if let Tok::Block(inside) = kind {
            find(inside, code, places);
        }
        at += 1;
    }
}

/// Whether a term is made of its input, numbers and comparisons.
fn is_of_codes(tokens: &[Token<&str>]) -> bool {
    tokens.iter().all(|Token(text, kind)| match kind {
        Tok::Num => true,
        Tok::Block(inside) => text.starts_with('(') && is_of_codes(inside),
        Tok::Word | Tok::Sym => matches!(
            *text,
            "." | "<"
                | ">"
                | "<="
                | ">="
                | "=="
                | "!="
                | ","
                | "|"
                | "+"
                | "-"
                | "("
                | ")"
                | "if"
                | "then"
                | "elif"
                | "else"
                | "end"
                | "and"
                | "or"
                | "not"
        ),
        _ => false,
    })
}

/// [`table`], made once: a few terms stand in all filters of a benchmark, many times.
fn known_table(each: &str) -> Option<Arc<str>> {
    static TABLES: Mutex<BTreeMap<String, Option<Arc<str>>>> = Mutex::new(BTreeMap::new());
    let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
    tables.entry(each.to_owned()).or_insert_with(|| table(each).map(Arc::from)).clone()
}

/// What is added to each number in a table, so that none is a quote or a backslash: of a text with escapes jaq makes a value
/// for each part, each time.
const SHIFT: u32 = 0x100;

/// What a term gives for each ASCII character, as the inside of a jq string: of each that becomes something else the code,
/// how many characters come of it, and these; none where the term does not give characters.
fn table(each: &str) -> Option<String> {
    let every = Compiled::without_tables(&format!("[range(128) | [{each}] | implode | explode]")).ok()?;
    let Val::Arr(every) = every.run(Val::Null).ok()? else { return None };
    let mut table = String::new();
    for (code, gives) in every.iter().enumerate() {
        let Val::Arr(gives) = gives else { return None };
        let gives = gives.iter().map(|given| given.to_string().parse::<u32>().ok());
        let gives: Vec<u32> = gives.collect::<Option<_>>()?;
        let code = u32::try_from(code).ok()?;
        if gives != [code] {
            let entry = [code, u32::try_from(gives.len()).ok()?].into_iter().chain(gives);
            let entry: Option<String> = entry.map(|number| char::from_u32(number + SHIFT)).collect();
            table.push_str(&entry?);
        }
    }
    Some(table)
}

/// The functions that the short cut calls.
pub(super) fn functions() -> impl Iterator<Item = Fun<Data>> {
    let functions: [Filter<RunPtr<Data>>; 2] = [
        (IS_ASCII, v(0), |cv| bome(Ok(Val::Bool(matches!(&cv.1, Val::TStr(text) if text.is_ascii()))))),
        (FROM_TABLE, v(1), |mut cv| {
            let table = cv.0.pop_var();
            bome(from_table(&table, cv.1))
        }),
    ];
    functions.into_iter().map(run::<Data>)
}

fn from_table(table: &Val, text: Val) -> ValR<Val> {
    let (Val::TStr(table), Val::TStr(bytes)) = (table, &text) else { return Ok(text) };
    let table = String::from_utf8_lossy(table);
    let mut entries: [Option<&str>; 128] = [None; 128];
    let mut rest = table.chars();
    let number = |c: char| (c as usize).saturating_sub(SHIFT as usize);
    while let (Some(code), Some(length)) = (rest.next(), rest.next()) {
        let from = rest.as_str();
        for _ in 0..number(length) {
            rest.next();
        }
        if let Some(place) = entries.get_mut(number(code)) {
            *place = Some(&from[..from.len() - rest.as_str().len()]);
        }
    }
    let mut made = String::with_capacity(bytes.len());
    for &byte in bytes.iter() {
        match entries.get(usize::from(byte)) {
            Some(Some(gives)) => made.extend(gives.chars().filter_map(|c| char::from_u32(c as u32 - SHIFT))),
            _ => made.push(char::from(byte)),
        }
    }
    Ok(Val::utf8_str(made.into_bytes()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SAFE: &str =
        "explode | map(if . < 32 or . == 127 or . > 65533 and . < 65536 then 63 else . end) | implode";
    const QUOTED: &str = "explode | map(if . > 47 and . < 58 or . > 96 and . < 123 or . > 127 then . else 92, . end) | implode";

    #[test]
    fn texts_become_what_jq_makes_of_them() {
        let filters = [
            SAFE,
            QUOTED,
            "explode | map(.) | implode",
            "explode | map(if . == 97 then (98, 99, 233) elif . == 65 or . == 66 then 128512 else . + 1 end) | implode",
            "[.[]? | tostring] | map(explode | map(if . == 34 then 39 else . end) | implode)",
            "def f: explode | map(if . < 97 then 63 else . end) | implode; tostring | f",
            "explode | map(if . > 97 then . - 200 else . end) | implode",
            "if . == \"a\" then explode | map(if . == 97 then 98 else . end) | implode else \"\" end",
            "[tostring | (explode | map(. + 1) | implode), .]",
        ];
        let inputs =
            ["", "a", "abc/d.e:f-g", "A \u{1}\u{7f}~ \"\\", "é", "😀 a", "\u{fffe}", "a[b](c)", "\u{0}"];
        let inputs = inputs.map(|text| Val::utf8_str(text.as_bytes().to_vec())).into_iter();
        let inputs = inputs.chain([Val::Null, Val::Bool(true), "[\"x\", 1]".parse_json(), "{}".parse_json()]);
        for input in inputs {
            for code in filters {
                let given = |filter: Compiled| {
                    let all =
                        filter.results(input.clone()).map(|result| result.map(|value| value.to_string()));
                    all.collect::<Vec<_>>()
                };
                let plain = given(Compiled::without_tables(code).unwrap());
                assert_eq!(given(Compiled::new(code).unwrap()), plain, "{code} on {input}");
            }
        }
    }

    trait ParseJson {
        fn parse_json(self) -> Val;
    }

    impl ParseJson for &str {
        fn parse_json(self) -> Val {
            jaq_json::read::parse_single(self.as_bytes()).unwrap()
        }
    }

    #[test]
    fn the_short_cut_is_taken_where_the_three_are_one_term() {
        let taken = |code: &str| with_tables(code).matches(FROM_TABLE).count();
        assert_eq!(taken(SAFE), 1);
        assert_eq!(
            taken(&format!("def q: {QUOTED}; [.items[] | .a + ({SAFE}) | {QUOTED}] | if {SAFE} then 1 end")),
            4
        );
        for code in [
            format!("1, {SAFE}"),
            format!("{SAFE}, 1"),
            format!("{SAFE} + \"x\""),
            format!("{SAFE} as $x | $x"),
            format!("{SAFE}[1:]"),
            format!("def map(f): [f]; {SAFE}"),
            format!("[def explode: [1]; {SAFE}]"),
            "explode | map(tostring) | implode".to_owned(),
            "explode | map($x) | implode".to_owned(),
            "explode | map(if . == 97 then 55296 else . end) | implode".to_owned(),
            "explode | map(. - 200) | implode".to_owned(),
            "explode | map(. > 1) | implode".to_owned(),
            format!("\"{SAFE}\""),
        ] {
            assert_eq!(with_tables(&code), code);
        }
    }
}
