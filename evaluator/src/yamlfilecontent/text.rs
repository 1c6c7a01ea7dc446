//! What libyaml's reader accepts as text.

use super::Place;

/// Bytes that make a file unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodingProblem {
    /// A byte sequence that is no UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// A byte order mark of UTF-16. OpenSCAP would read the file.
    #[error("unsupported encoding UTF-16")]
    Utf16,
    /// A character that YAML forbids: a control character, U+FFFE or U+FFFF.
    #[error("forbidden character U+{:04X}", u32::from(*.0))]
    Forbidden(char),
}

/// Checks the whole text, as any fault makes OpenSCAP drop the file, and takes away a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, (EncodingProblem, Place)> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err((EncodingProblem::Utf16, Place { line: 1, column: 1 }));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        (EncodingProblem::InvalidUtf8, place(bytes.get(..error.valid_up_to()).unwrap_or_default()))
    })?;
    // Bytes first: they rule out nearly all text at the speed of memory.
    let mut from = 0;
    while let Some(found) = bytes.get(from..).and_then(|rest| rest.iter().position(|byte| is_suspect(*byte)))
    {
        let at = from + found;
        let character = text.get(at..).and_then(|rest| rest.chars().next());
        match character.filter(|character| is_forbidden(*character)) {
            Some(character) => {
                let before = bytes.get(..at).unwrap_or_default();
                return Err((EncodingProblem::Forbidden(character), place(before)));
            }
            None => from = at + 1,
        }
    }
    Ok(text)
}

/// The first bytes of the characters below, and of a few harmless ones.
fn is_suspect(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0B | 0x0C | 0x0E..=0x1F | 0x7F | 0xC2 | 0xEF)
}

fn is_forbidden(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\x7F'..='\u{84}' | '\u{86}'..='\u{9F}'
            | '\u{FFFE}' | '\u{FFFF}'
    )
}

/// Whether a double-quoted scalar, of the given value and source, writes a character as `"\ud83d\ude00"`. That is how JSON
/// escapes what lies beyond U+FFFF; YAML has no such escape and libyaml refuses the file.
pub(super) fn has_escaped_surrogates(value: &str, source: &str) -> bool {
    // Only the characters that UTF-8 writes in four bytes can come from a pair.
    if !value.bytes().any(|byte| byte >= 0xF0) {
        return false;
    }
    let mut rest = source.as_bytes();
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        rest = rest.get(at + 1..).unwrap_or_default();
        if let [b'u', b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..] = rest {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

fn place(before: &[u8]) -> Place {
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = String::from_utf8_lossy(before.get(line_start..).unwrap_or_default()).chars().count() + 1;
    Place { line, column }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_a_place() {
        let fault = |bytes: &[u8]| decode(bytes).unwrap_err();
        assert_eq!(
            fault("a: 1\nü: \x01".as_bytes()),
            (EncodingProblem::Forbidden('\x01'), Place { line: 2, column: 4 })
        );
        assert_eq!(fault(b"a\n\xFFb"), (EncodingProblem::InvalidUtf8, Place { line: 2, column: 1 }));
        assert_eq!(fault(b"\xFE\xFF\0a").0, EncodingProblem::Utf16);
        assert_eq!(fault("a\u{FFFE}".as_bytes()).0, EncodingProblem::Forbidden('\u{FFFE}'));
    }

    #[test]
    fn surrogates_count_only_where_they_are_escapes() {
        assert!(has_escaped_surrogates("😀", r#""\uD83D\uDE00""#));
        assert!(!has_escaped_surrogates("😀\\ud83d", r#""😀\\ud83d""#));
        assert!(!has_escaped_surrogates("\u{d7ff}😀", r#""\ud7ff\U0001F600""#));
    }

    #[test]
    fn harmless_text_passes() {
        let text = "\ta\r\n\u{85}\u{A0}é\u{FFFD}\u{10FFFF}";
        assert_eq!(decode(text.as_bytes()), Ok(text));
        assert_eq!(decode("\u{FEFF}a".as_bytes()), Ok("a"));
    }
}
