//! jq's standard library, of which a filter gets what it calls.
//!
//! jaq compiles the whole library with each filter, which takes longer than most filters run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::native::{Filter, Fun, bome, run, v};
use jaq_core::path::{Part, Path};
use jaq_core::{RunPtr, data};
use jaq_json::Val;

/// The data that filters run on.
pub(super) type Data = data::JustLut<Val>;

/// The definitions, in their order, with the places of those that each calls.
struct Prelude {
    defs: Vec<Def>,
    calls: Vec<BTreeSet<usize>>,
    /// Places by name. Names alone decide, since a name has few arities.
    places: BTreeMap<&'static str, Vec<usize>>,
}

static PRELUDE: LazyLock<Prelude> = LazyLock::new(|| {
    let natives = types().map(|(name, ..)| name);
    let all = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let defs: Vec<Def> = all.filter(|def| !natives.contains(&def.name)).collect();
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, def) in defs.iter().enumerate() {
        places.entry(def.name).or_default().push(place);
    }
    let called = |def: &Def| {
        let mut names = BTreeSet::new();
        names_in(&def.body, &mut names);
        names.iter().filter_map(|name| places.get(name)).flatten().copied().collect()
    };
    let calls = defs.iter().map(called).collect();
    Prelude { defs, calls, places }
});

/// The definitions that a filter may call, and those that they call.
pub(super) fn definitions(code: &str) -> Vec<Def> {
    let mut wanted = BTreeSet::new();
    let mut next: Vec<usize> =
        words(code).filter_map(|word| PRELUDE.places.get(word)).flatten().copied().collect();
    while let Some(place) = next.pop() {
        if wanted.insert(place) {
            next.extend(&PRELUDE.calls[place]);
        }
    }
    wanted.into_iter().map(|place| PRELUDE.defs[place].clone()).collect()
}

/// All definitions.
pub(super) fn all_definitions() -> Vec<Def> {
    PRELUDE.defs.clone()
}

/// The functions that are not written in jq.
pub(super) fn functions() -> impl Iterator<Item = Fun<Data>> {
    jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .chain(types().into_iter().map(run::<Data>))
        .chain(super::codes::functions())
}

/// What jaq defines in jq by comparisons, and filters call for each value that they look at.
fn types() -> [Filter<RunPtr<Data>>; 6] {
    [
        ("type", v(0), |cv| {
            let name = match cv.1 {
                Val::Null => "null",
                Val::Bool(_) => "boolean",
                Val::Num(_) => "number",
                Val::BStr(_) | Val::TStr(_) => "string",
                Val::Arr(_) => "array",
                Val::Obj(_) => "object",
            };
            bome(Ok(Val::utf8_str(name.as_bytes().to_vec())))
        }),
        ("isboolean", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Bool(_)))))),
        ("isnumber", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Num(_)))))),
        ("isstring", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::BStr(_) | Val::TStr(_)))))),
        ("isarray", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Arr(_)))))),
        ("isobject", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Obj(_)))))),
    ]
}

/// Everything in a filter's text that could be a name, `@json` and its like included.
pub(super) fn words(code: &str) -> impl Iterator<Item = &str> {
    let apart = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '@');
    code.split(apart).map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// The names that a term calls, and others that are no calls: fields and variables are not told from them by all of jq.
fn names_in(term: &Term<&'static str>, names: &mut BTreeSet<&'static str>) {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Var(_) | Term::Break(_) | Term::Arr(None) => {}
        Term::Str(format, parts) => {
            names.extend(format);
            for part in parts {
                if let StrPart::Term(term) = part {
                    names_in(term, names);
                }
            }
        }
        Term::Arr(Some(term)) | Term::Neg(term) | Term::Label(_, term) => names_in(term, names),
        Term::Obj(entries) => {
            for (key, value) in entries {
                names_in(key, names);
                value.iter().for_each(|value| names_in(value, names));
            }
        }
        Term::BinOp(left, operator, right) => {
            names_in(left, names);
            if let BinaryOp::Pipe(Some(pattern)) = operator {
                names_in_pattern(pattern, names);
            }
            names_in(right, names);
        }
        Term::Fold(_, term, pattern, arguments) => {
            names_in(term, names);
            names_in_pattern(pattern, names);
            arguments.iter().for_each(|argument| names_in(argument, names));
        }
        Term::TryCatch(term, catch) => {
            names_in(term, names);
            catch.iter().for_each(|catch| names_in(catch, names));
        }
        Term::IfThenElse(branches, otherwise) => {
            for (condition, then) in branches {
                names_in(condition, names);
                names_in(then, names);
            }
            otherwise.iter().for_each(|otherwise| names_in(otherwise, names));
        }
        Term::Def(defs, term) => {
            defs.iter().for_each(|def| names_in(&def.body, names));
            names_in(term, names);
        }
        Term::Call(name, arguments) => {
            names.insert(name);
            arguments.iter().for_each(|argument| names_in(argument, names));
        }
        Term::Path(term, Path(parts)) => {
            names_in(term, names);
            for (part, _) in parts {
                match part {
                    Part::Index(index) => names_in(index, names),
                    Part::Range(from, to) => from.iter().chain(to).for_each(|end| names_in(end, names)),
                }
            }
        }
    }
}

fn names_in_pattern(pattern: &Pattern<&'static str>, names: &mut BTreeSet<&'static str>) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(patterns) => patterns.iter().for_each(|pattern| names_in_pattern(pattern, names)),
        Pattern::Obj(entries) => {
            for (key, pattern) in entries {
                names_in(key, names);
                names_in_pattern(pattern, names);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_definition_has_what_it_calls() {
        for def in &PRELUDE.defs {
            let arguments = vec!["."; def.args.len()].join("; ");
            let call =
                if def.args.is_empty() { def.name.to_owned() } else { format!("{}({arguments})", def.name) };
            crate::filter::compile(&call, definitions(&call)).unwrap();
        }
    }

    #[test]
    fn a_filter_gets_little() {
        assert!(definitions("[.items[] | .metadata.name]").is_empty());
        let names: Vec<_> = definitions("map(select(.a))").iter().map(|def| def.name).collect();
        assert_eq!(names, ["empty", "select", "map"]);
    }
}
