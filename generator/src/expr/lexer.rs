//! Source to tokens.

use std::ops::Range;

use super::error::ExprError;

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) span: Range<usize>,
}

/// A token. Keywords are identifiers here; the parser tells them apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Identifier(String),
    String(String),
    /// The magnitude of an integer; a sign is a token of its own.
    Int(u64),
    Float(f64),
    Punctuation(&'static str),
    End,
}

/// Longer ones first, so that `<=` is not read as `<`.
const PUNCTUATION: &[&str] =
    &["&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", ".", ",", "!", "<", ">", "+", "-", "?", ":"];

/// The tokens of `source`, with [`Token::End`] last.
pub(super) fn tokens(source: &str) -> Result<Vec<Spanned>, ExprError> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = rest(source, at).chars().next() {
        if matches!(c, ' ' | '\t' | '\n' | '\r') {
            at += 1;
            continue;
        }
        let (token, end) = match c {
            '"' | '\'' => string(source, at, c)?,
            '0'..='9' => number(source, at)?,
            'a'..='z' | 'A'..='Z' | '_' => {
                let end = word_end(source, at);
                (Token::Identifier(source[at..end].to_owned()), end)
            }
            _ => match PUNCTUATION.iter().find(|p| rest(source, at).starts_with(**p)) {
                Some(p) => (Token::Punctuation(p), at + p.len()),
                None => return Err(stray(source, at, c)),
            },
        };
        found.push(Spanned { token, span: at..end });
        at = end;
    }
    found.push(Spanned { token: Token::End, span: source.len()..source.len() });
    Ok(found)
}

fn rest(source: &str, at: usize) -> &str {
    source.get(at..).unwrap_or_default()
}

fn word_end(source: &str, from: usize) -> usize {
    let rest = rest(source, from);
    from + rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
}

fn digits_end(source: &str, from: usize) -> usize {
    let rest = rest(source, from);
    from + rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
}

fn number(source: &str, start: usize) -> Result<(Token, usize), ExprError> {
    let mut end = digits_end(source, start);
    let fraction =
        rest(source, end).strip_prefix('.').is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit()));
    if fraction {
        end = digits_end(source, end + 1);
    }
    let word = word_end(source, end);
    if word != end {
        return Err(ExprError::new("malformed number", start..word)
            .help("a number is written in decimal digits, without exponent or suffix"));
    }
    let text = &source[start..end];
    let token = if fraction {
        text.parse().ok().filter(|f: &f64| f.is_finite()).map(Token::Float)
    } else {
        text.parse().ok().map(Token::Int)
    };
    token.map(|t| (t, end)).ok_or_else(|| ExprError::new("the number is too large", start..end))
}

fn string(source: &str, start: usize, quote: char) -> Result<(Token, usize), ExprError> {
    let mut text = String::new();
    let mut chars = rest(source, start + 1).char_indices().map(|(i, c)| (start + 1 + i, c));
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((Token::String(text), at + 1)),
            '\n' | '\r' => {
                return Err(ExprError::new("the string does not end on its line", start..at)
                    .help("write a line break in a string as `\\n`"));
            }
            '\\' => match chars.next() {
                Some((_, e @ ('\\' | '"' | '\''))) => text.push(e),
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, 'r')) => text.push('\r'),
                Some((i, e)) => {
                    return Err(ExprError::new(
                        format!("unknown escape `\\{}`", e.escape_debug()),
                        at..i + e.len_utf8(),
                    )
                    .help("the escapes are \\\\ \\\" \\' \\n \\t \\r; a backslash itself is written \\\\"));
                }
                None => break,
            },
            _ => text.push(c),
        }
    }
    Err(ExprError::new("the string does not end", start..source.len()))
}

fn stray(source: &str, at: usize, c: char) -> ExprError {
    let width = if rest(source, at).starts_with("//") { 2 } else { c.len_utf8() };
    let span = at..at + width;
    match c {
        '/' if width == 2 => ExprError::new("comments are not part of the language", span),
        '*' | '/' | '%' => ExprError::new(format!("arithmetic is not part of the language: `{c}`"), span),
        '{' | '}' => ExprError::new("map literals are not part of the language", span),
        '=' => ExprError::new("`=` is not an operator", span).help("equality is written `==`"),
        '&' | '|' => {
            ExprError::new(format!("`{c}` is not an operator"), span).help(format!("did you mean `{c}{c}`?"))
        }
        _ => ExprError::new(format!("unexpected character `{}`", c.escape_debug()), span),
    }
}
