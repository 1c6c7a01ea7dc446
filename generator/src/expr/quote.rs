//! String literals that jq and CEL read alike.

use std::fmt::Write;

/// Writes `text` as a double-quoted literal on one line.
///
/// The text travels inside XML inside a Go template, and white space is folded on the way. So neither `{{` nor a run of
/// spaces nor `<` nor a character that XML lacks is left as it is.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut previous = None;
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if must_escape(c, previous) => {
                // Every character that must be escaped lies in the basic plane. Writing to a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
        previous = Some(c);
    }
    out.push('"');
    out
}

fn must_escape(c: char, previous: Option<char>) -> bool {
    match c {
        '<' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        '{' | '}' | ' ' => previous == Some(c),
        _ => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn escapes() {
        assert_eq!(quote("a\"\\\n\u{1}b"), r#""a\"\\\n\u0001b""#);
        assert_eq!(quote("{{{ a }}   é"), r#""{\u007b\u007b a }\u007d \u0020\u0020é""#);
        assert_eq!(quote("<a>"), r#""\u003ca>""#);
    }
}
