//! The regular expressions that RE2, the Rust engines and Oniguruma read alike.
//!
//! Literals, `.`, `^`, `$`, `|`, groups, simple classes, and the greedy and lazy quantifiers.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// What is wrong with a pattern: the message, the place in the pattern, and what to write instead.
pub(crate) struct PatternError {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
    pub(crate) help: &'static str,
}

/// What a backslash may precede, besides `n`, `t` and `r`.
const ESCAPABLE: &str = r"\.+*?()|[]{}^$-/";

/// RE2 refuses a counted repetition that unrolls to more.
const MAX_REPEAT: u32 = 1000;

/// Checks that `pattern` is in the common subset and compiles.
pub(crate) fn check(pattern: &str) -> Result<(), PatternError> {
    Scanner { chars: pattern.char_indices().peekable(), end: pattern.len() }.scan()?;
    regex::Regex::new(pattern).map(drop).map_err(|error| {
        // The error draws the pattern over several lines and ends with what is wrong.
        let message = error.to_string();
        let reason = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
        PatternError { message: format!("malformed pattern: {reason}"), span: 0..pattern.len(), help: "" }
    })
}

struct Scanner<'p> {
    chars: Peekable<CharIndices<'p>>,
    end: usize,
}

impl Scanner<'_> {
    fn scan(mut self) -> Result<(), PatternError> {
        // How often a counted repetition inside each open group, or in the atom before, unrolls.
        let mut groups = vec![1_u32];
        let mut atom: Option<u32> = None;
        while let Some((at, c)) = self.chars.next() {
            match c {
                '\\' => {
                    self.escape(at)?;
                    atom = Some(1);
                }
                '[' => {
                    self.class(at)?;
                    atom = Some(1);
                }
                '(' => {
                    self.group(at)?;
                    groups.push(1);
                    atom = None;
                }
                ')' => {
                    let inside = groups.pop().unwrap_or(1);
                    raise(&mut groups, inside);
                    atom = Some(inside);
                }
                '*' | '+' | '?' | '{' => {
                    let Some(inside) = atom.take() else {
                        return Err(self.error(at, "nothing to repeat before the quantifier", ""));
                    };
                    let times = if c == '{' { self.count(at)? } else { 1 };
                    let unrolled = inside.saturating_mul(times.max(1));
                    if unrolled > MAX_REPEAT {
                        return Err(self.error(at, "the repetition counts multiply to more than 1000", ""));
                    }
                    raise(&mut groups, unrolled);
                    self.chars.next_if(|(_, c)| *c == '?');
                }
                '^' | '$' | '|' => atom = None,
                ']' | '}' => {
                    return Err(self.error(at, format!("unescaped `{c}`"), "put a backslash before it"));
                }
                _ => atom = Some(1),
            }
        }
        Ok(())
    }

    fn escape(&mut self, at: usize) -> Result<char, PatternError> {
        match self.chars.next() {
            Some((_, c)) if ESCAPABLE.contains(c) => Ok(c),
            Some((_, 'n')) => Ok('\n'),
            Some((_, 't')) => Ok('\t'),
            Some((_, 'r')) => Ok('\r'),
            Some((_, c)) => {
                let help = match c {
                    'd' | 'D' => "write [0-9] or [^0-9]",
                    'w' | 'W' => "write [0-9A-Za-z_] or [^0-9A-Za-z_]",
                    's' | 'S' => "write [ \\t\\n\\r] or [^ \\t\\n\\r]",
                    _ => "",
                };
                Err(self.error(
                    at,
                    format!("`\\{}` is not read alike by all engines", c.escape_debug()),
                    help,
                ))
            }
            None => Err(self.error(at, "the pattern ends with a backslash", "")),
        }
    }

    fn group(&mut self, at: usize) -> Result<(), PatternError> {
        if self.chars.next_if(|(_, c)| *c == '?').is_some()
            && self.chars.next_if(|(_, c)| *c == ':').is_none()
        {
            return Err(self.error(
                at,
                "flags, named groups and look-around are not read alike by all engines",
                "",
            ));
        }
        Ok(())
    }

    fn class(&mut self, at: usize) -> Result<(), PatternError> {
        self.chars.next_if(|(_, c)| *c == '^');
        let mut empty = true;
        // Whether the item before can start a range.
        let mut item = false;
        while let Some((i, c)) = self.chars.next() {
            let next = self.chars.peek().map(|(_, c)| *c);
            match c {
                ']' if empty => {
                    return Err(self.error(i, "empty class", "a `]` inside a class is written `\\]`"));
                }
                ']' => return Ok(()),
                '[' => {
                    return Err(self.error(i, "unescaped `[` inside a class", "put a backslash before it"));
                }
                '&' | '~' if next == Some(c) => {
                    return Err(self.error(
                        i,
                        format!("`{c}{c}` inside a class is not read alike by all engines"),
                        "",
                    ));
                }
                '-' if empty || next == Some(']') => item = false,
                '-' if item && next != Some('-') => {
                    if let Some((i, '\\')) = self.chars.next() {
                        self.escape(i)?;
                    }
                    item = false;
                }
                '-' => {
                    return Err(self.error(
                        i,
                        "`-` is neither between two characters nor at an end",
                        "write `\\-`",
                    ));
                }
                '\\' => {
                    self.escape(i)?;
                    item = true;
                }
                _ => item = true,
            }
            empty = false;
        }
        Err(self.error(at, "the class does not end", ""))
    }

    /// Reads `n}`, `n,}` or `n,m}` and gives the larger bound.
    fn count(&mut self, at: usize) -> Result<u32, PatternError> {
        let help = "write {n}, {n,} or {n,m}, or for the brace itself a backslash before it";
        let mut text = String::new();
        while let Some((_, c)) = self.chars.next_if(|(_, c)| c.is_ascii_digit() || *c == ',') {
            text.push(c);
        }
        let closed = self.chars.next_if(|(_, c)| *c == '}').is_some();
        let (low, high) = text.split_once(',').unwrap_or((&text, ""));
        let bounds: Option<(u32, u32)> = (|| {
            let low = low.parse().ok()?;
            Some((low, if high.is_empty() { low } else { high.parse().ok()? }))
        })();
        match bounds {
            Some((low, high)) if closed && low <= high => Ok(high),
            _ => Err(self.error(at, "malformed repetition count", help)),
        }
    }

    /// An error from `at` to where the scanner is.
    fn error(&mut self, at: usize, message: impl Into<String>, help: &'static str) -> PatternError {
        let to = self.chars.peek().map_or(self.end, |(i, _)| *i);
        PatternError { message: message.into(), span: at..to, help }
    }
}

/// Notes in the innermost open group that it unrolls `times`.
fn raise(groups: &mut [u32], times: u32) {
    if let Some(group) = groups.last_mut() {
        *group = (*group).max(times);
    }
}
