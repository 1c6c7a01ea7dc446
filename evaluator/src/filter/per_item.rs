//! Filters that look at a list's items one by one, told from those that need the whole list.

use jaq_core::load::lex::{Lexer, StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::load::{parse, span};

/// A filter in two: what becomes of each item, and what becomes of all that came of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PerItem {
    /// Runs on each item.
    pub(crate) item: String,
    /// Runs on the array of all its results.
    pub(crate) rest: String,
}

/// Takes a filter apart that reads its input as `[.items[] | f]` only, once, and in a place where that is evaluated once on
/// the input: alone, added to what is constant, or piped further.
pub(crate) fn per_item(code: &str) -> Option<PerItem> {
    let tokens = Lexer::new(code).lex().ok()?;
    let gathered = gathering(&tokens)?;
    let at = span(code, gathered);
    // Definitions end with the last semicolon that is in no bracket.
    let definitions = tokens.iter().rev().find(|Token(text, _)| *text == ";");
    let definitions = definitions.map_or(0, |Token(text, _)| span(code, text).end);
    if at.start < definitions {
        return None;
    }
    let each = gathered.strip_prefix('[')?.strip_suffix(']')?.trim().strip_prefix(".items[]")?.trim_start();
    let each = match each.chars().next() {
        None => ".",
        Some('|') => &each[1..],
        Some('.') => each,
        Some(_) => return None,
    };
    let item = format!("{}{each}", &code[..definitions]);
    let rest = format!("{}.{}", &code[..at.start], &code[at.end..]);
    let term = parse(&rest, |parser| parser.term())?;
    let body = match &term {
        Term::Def(_, body) => body,
        body if definitions == 0 => body,
        _ => return None,
    };
    // What was cut out may be no term of its own, as before a `?`.
    parse(&item, |parser| parser.term())?;
    (reads(body) == Reads::Input).then_some(PerItem { item, rest })
}

/// The first bracket that begins with `.items[]`, in parentheses or not.
fn gathering<'s>(tokens: &[Token<&'s str>]) -> Option<&'s str> {
    tokens.iter().find_map(|Token(text, kind)| match kind {
        Tok::Block(inside) if text.starts_with('[') => {
            let [Token(".items", _), Token("[]", _), ..] = inside.as_slice() else { return None };
            Some(*text)
        }
        Tok::Block(inside) if text.starts_with('(') => gathering(inside),
        _ => None,
    })
}

/// What a term makes of the input that the whole filter has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    Nothing,
    /// Reads it in one place.
    Input,
    Otherwise,
}

fn reads(term: &Term<&str>) -> Reads {
    match term {
        Term::Id => Reads::Input,
        Term::Num(_) | Term::Arr(None) => Reads::Nothing,
        Term::Str(None, parts) if parts.iter().all(|part| !matches!(part, StrPart::Term(_))) => {
            Reads::Nothing
        }
        Term::Arr(Some(inside)) if reads(inside) == Reads::Nothing => Reads::Nothing,
        // What is behind the pipe has what comes out of it for its input.
        Term::BinOp(left, BinaryOp::Pipe(None), _) => reads(left),
        Term::BinOp(left, BinaryOp::Math(_) | BinaryOp::Comma, right) => match (reads(left), reads(right)) {
            (Reads::Nothing, right) => right,
            (left, Reads::Nothing) => left,
            _ => Reads::Otherwise,
        },
        _ => Reads::Otherwise,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_taken_apart() {
        let cases = [
            ("[.items[] | .a]", ".a", "."),
            ("[.items[]]", ".", "."),
            ("[.items[].a | .b]", ".a | .b", "."),
            (r#"["x"] + [ .items[] | .a, .b ]"#, ".a, .b", r#"["x"] + ."#),
            (r#"["x"] + ([.items[] | .a] | unique)"#, ".a", r#"["x"] + (. | unique)"#),
            (r#"def f: .b; ["x"] + [.items[] | f]"#, "def f: .b; f", r#"def f: .b; ["x"] + ."#),
            ("[.items[] | .a] | [.[] | . + 1] | sort", ".a", ". | [.[] | . + 1] | sort"),
            (r#"[.items[] | select(.a == "]")]"#, r#"select(.a == "]")"#, "."),
        ];
        for (code, item, rest) in cases {
            let found = per_item(code).unwrap();
            assert_eq!((found.item.trim(), found.rest.as_str()), (item, rest), "{code}");
        }
    }

    #[test]
    fn what_needs_the_list_is_left_whole() {
        let whole = [
            ".",
            ".items",
            "[.items[0]]",
            "[.items[] | .a] + [.kind]",
            "[.items[] | .a] + [.items[] | .b]",
            "[.items[] | .a] as $x | .kind",
            "map([.items[] | .a])",
            "[.items[], .kind]",
            "[.items[]?]",
            ".x | [.items[] | .a]",
            "[1, [.items[] | .a]]",
            "if . then [.items[] | .a] else 1 end",
            ". as $all | [.items[] | $all.kind]",
            "def f: [.items[] | .a]; f",
            "[.items[] as $i | $i]",
            "[.items[] | .a][0]",
            r#""\([.items[] | .a])""#,
            "[.items[] | .a",
        ];
        for code in whole {
            assert_eq!(per_item(code), None, "{code}");
        }
    }
}
