//! Places inside of texts: where a part of a YAML scalar's value stands in the file.

use std::ops::Range;

use serde_yaml::Location;

use crate::diagnostic::Place;

/// The place of a YAML node. Of a node over several lines, its first line.
pub(super) fn place(location: Location) -> Place {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let length = match number(location.span().len()) {
        0 => usize::MAX,
        length => length,
    };
    Place { line: number(location.line()), column: number(location.column()), length }
}

/// The place of a part of a scalar's value; none where the value cannot be followed through the source.
///
/// A block scalar loses its indentation, a folded one its line breaks, a quoted one its quotes and escapes: the value
/// is followed character by character, white space apart.
pub(super) fn place_within(
    source: &str,
    location: Location,
    value: &str,
    part: &Range<usize>,
) -> Option<Place> {
    let start = usize::try_from(location.span().byte_offset()?).ok()?;
    let length = usize::try_from(location.span().byte_len()?).ok()?;
    let raw = source.get(start..start.checked_add(length)?)?;
    let styles = [Style::Plain, Style::Single, Style::Double];
    let steps = styles.into_iter().find_map(|style| follow(raw, value, style))?;
    let first = steps.iter().find(|step| step.value >= part.start);
    let last = steps.iter().take_while(|step| step.value < part.end).last();
    let end = steps.last().map_or(0, |step| step.raw.end);
    let from = first.map_or(end, |step| step.raw.start);
    let to = last.map_or(from, |step| step.raw.end).max(from);
    Some(at(source, start + from..start + to))
}

/// The place of some bytes of a text.
pub(super) fn at(source: &str, bytes: Range<usize>) -> Place {
    let before = source.get(..bytes.start).unwrap_or(source);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let text = source.get(bytes).unwrap_or_default();
    Place {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        length: text.chars().count(),
    }
}

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    /// Plain or as a block: what stands there is what is meant.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
}

/// A character of a value and where it comes from.
struct Step {
    value: usize,
    raw: Range<usize>,
}

/// Where each character of the value, white space apart, comes from; none if the source is not of that style.
fn follow(raw: &str, value: &str, style: Style) -> Option<Vec<Step>> {
    let mut rest = match style {
        Style::Plain => raw,
        Style::Single => raw.strip_prefix('\'')?.strip_suffix('\'')?,
        Style::Double => raw.strip_prefix('"')?.strip_suffix('"')?,
    };
    let offset = usize::from(style != Style::Plain);
    let whole = rest.len();
    let mut wanted = value.char_indices().filter(|(_, c)| !c.is_whitespace());
    let mut steps = Vec::new();
    while let Some((character, length)) = next(rest, style)? {
        if !character.is_whitespace() {
            let (value, _) = wanted.next().filter(|(_, c)| *c == character)?;
            let start = offset + whole - rest.len();
            steps.push(Step { value, raw: start..start + length });
        }
        rest = rest.get(length..)?;
    }
    wanted.next().is_none().then_some(steps)
}

/// The character that the source begins with, and the bytes that it takes there; the inner none is the end, the outer
/// one a source that is not of that style. An escaped line break counts as white space.
fn next(rest: &str, style: Style) -> Option<Option<(char, usize)>> {
    let Some(first) = rest.chars().next() else { return Some(None) };
    Some(Some(match (style, first) {
        (Style::Single, '\'') => rest.starts_with("''").then_some(('\'', 2))?,
        (Style::Double, '"') => return None,
        (Style::Double, '\\') => {
            let escaped = rest.get(1..)?.chars().next()?;
            let digits = match escaped {
                '"' | '\\' | '/' => return Some(Some((escaped, 2))),
                'n' | 't' | 'r' | ' ' | '\n' | '\r' => return Some(Some((' ', 2))),
                'x' => 2,
                'u' => 4,
                'U' => 8,
                _ => return None,
            };
            let code = u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?;
            (char::from_u32(code)?, 2 + digits)
        }
        _ => (first, first.len_utf8()),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_yaml::Spanned;

    /// Where the first `!` of the only value stands.
    fn found(yaml: &str) -> Option<(usize, usize, usize)> {
        let text: Vec<Spanned<String>> = serde_yaml::from_str(yaml).unwrap();
        let text = text.first().unwrap();
        let start = text.value.find('!').unwrap_or(text.value.len());
        let part = start..(start + 2).min(text.value.len());
        let place = place_within(yaml, text.defined, &text.value, &part)?;
        Some((place.line, place.column, place.length))
    }

    #[test]
    fn parts_are_found_in_every_style() {
        assert_eq!(found("- é a !x b\n"), Some((1, 7, 2)));
        assert_eq!(found("- a\n  !x b\n"), Some((2, 3, 2)));
        assert_eq!(found("- |\n  a\n\n    !x b\n"), Some((4, 5, 2)));
        assert_eq!(found("- >-\n  \"a\"\n  !x b\n"), Some((3, 3, 2)));
        assert_eq!(found("- >-\n  'a !x b'\n"), Some((2, 6, 2)));
        assert_eq!(found("- 'it''s \"!x\" b'\n"), Some((1, 11, 2)));
        assert_eq!(found("- \"\\\"\\u00e9\\\\\\n!x\"\n"), Some((1, 16, 2)));
        assert_eq!(found("- \"a\\\n  !x\"\n"), Some((2, 3, 2)));
        assert_eq!(found("- x\r\n- y\r\n"), Some((1, 4, 0)));
    }

    #[test]
    fn what_cannot_be_followed_is_not_guessed() {
        assert_eq!(found("- \"\\Na !x\"\n"), None);
    }
}
