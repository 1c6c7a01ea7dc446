//! The expression language of rules: CEL syntax, null-safe reading, total semantics.
//!
//! # Values and truth
//! Values are JSON values. Whatever cannot be read (an absent field, a field of something that is no map, an index past
//! the end) is null, and no expression ever fails. A value is *true* only if it is the boolean `true`; `!`, `&&`, `||`,
//! the condition of `?:` and the predicates of `exists`, `all` and `filter` ask for truth and give booleans, so `!null`
//! is true.
//!
//! # Meaning
//! | form | value |
//! |---|---|
//! | `x.key`, `x["key"]` | the value under the key of a map; else null |
//! | `x[0]` | the element of a list; else null |
//! | `==`, `!=` | deep equality; `1 == 1.0`; null equals absent |
//! | `<`, `<=`, `>`, `>=` | two numbers, or two strings by code point; else false |
//! | `x in y` | member of a list by `==`; a string that is a key of a map; else false |
//! | `x.exists(v, e)`, `all`, `filter`, `map` | over a list; anything else counts as the empty list |
//! | `size(x)`, `x.size()` | code points of a string, elements of a list, entries of a map; else 0 |
//! | `x.contains(y)`, `startsWith`, `endsWith` | two strings; else false |
//! | `x.matches("re")` | unanchored match of a string; else false |
//! | `x + y` | two strings or two lists, concatenated; else null |
//! | `string(x)` | see below |
//! | `parseJSON(x)` | the value that a string holds as JSON; null if it is no single JSON text |
//! | `keys(x)` | the keys of a map, sorted by code point; else the empty list |
//!
//! `string(x)` is the string itself, `"true"`, `"false"`, or the decimal digits of a whole number below 10^15 in
//! magnitude (`1` and `1.0` are the same number, since jq cannot tell them apart); everything else gives `""`.
//!
//! `matches` takes a literal in the subset of regular expressions that RE2, Rust and Oniguruma read alike.
//!
//! # Lowering
//! [`jq::lower`] and [`cel::lower`] keep these semantics exactly, on jq and strict CEL as they are. CEL differs twice:
//! - `parseJSON` is the Compliance Operator's, which reads maps only. Of a text that is no JSON object, unless it is empty
//!   or `null`, the CEL form errs, and an error is no pass.
//! - `keys` have no order there, so only what does not depend on it, such as `exists`, `in` and `size`, is the same.
//!
//! A text with lone surrogates (`"\\ud800"`), and one in which more than 5000 brackets open, is no JSON to `parseJSON`,
//! though CEL reads both. Of a number that no double can hold nothing is promised.

pub(crate) mod absent;
mod ast;
pub mod cel;
mod error;
pub mod jq;
mod lexer;
mod names;
mod parser;
pub(crate) mod pattern;
pub(crate) mod quote;
mod shape;

pub use ast::{Comparison, Expr, ExprKind, Iteration, Probe};
pub use error::ExprError;

/// The longest source, in bytes, that [`parse`] takes.
pub const MAX_SOURCE: usize = 16 * 1024;

/// The deepest nesting that [`parse`] takes: of brackets in the source, and of nodes in the tree.
pub const MAX_DEPTH: usize = 64;

/// Parses an expression.
///
/// # Errors
/// The first mistake in the source, with its place. Sources longer than [`MAX_SOURCE`] or nested deeper than
/// [`MAX_DEPTH`] are mistakes too, so later stages may recurse over the tree.
pub fn parse(source: &str) -> Result<Expr, ExprError> {
    if source.len() > MAX_SOURCE {
        return Err(ExprError::new(
            format!("the expression is {} bytes long; the limit is {MAX_SOURCE}", source.len()),
            0..0,
        ));
    }
    parser::parse(lexer::tokens(source)?)
}
