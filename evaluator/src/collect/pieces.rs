//! Takes a JSON text apart while it is read, so that of a list one item is held at a time.
//!
//! Where a value ends is all that is looked for here: whether it is JSON is seen when it is parsed.

use std::io::{ErrorKind, Read};

use crate::source::Refusal;

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// How large a value may be that is held. etcd's limit for an object is some MiB.
const MAX_VALUE: usize = 128 << 20;

/// A JSON text, and how far it is read.
pub(super) struct Pieces<R> {
    body: R,
    /// What is read, from `at` to `end`.
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// How much of the text came before the buffer.
    before: usize,
    /// Where in the text what was asked for last begins.
    asked: usize,
}

impl<R: Read> Pieces<R> {
    pub(super) fn new(body: R) -> Self {
        Self { body, buffer: vec![0; CHUNK], at: 0, end: 0, before: 0, asked: 0 }
    }

    /// What is wrong with what was asked for last.
    pub(super) fn malformed(&self, reason: impl std::fmt::Display) -> Refusal {
        let reason = format!("{reason} (in what begins at byte {})", self.asked);
        Refusal::Malformed { format: "JSON", reason }
    }

    /// The next byte that is no white space; none at the end of the text.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Refusal> {
        loop {
            let rest = &self.buffer[self.at..self.end];
            if let Some(space) = rest.iter().position(|&byte| !is_space(byte)) {
                self.at += space;
                self.asked = self.before + self.at;
                return Ok(Some(self.buffer[self.at]));
            }
            self.at = self.end;
            self.asked = self.before + self.at;
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Takes this byte, which has to be the next that is no white space.
    pub(super) fn take(&mut self, expected: u8) -> Result<(), Refusal> {
        match self.peek()? {
            Some(byte) if byte == expected => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.malformed(format_args!("expected `{}`", expected as char))),
            None => Err(self.malformed("it ends too early")),
        }
    }

    /// Between the elements of a list, or the fields of an object, that ends with this byte: whether one more comes.
    pub(super) fn another(&mut self, first: bool, close: u8) -> Result<bool, Refusal> {
        if self.peek()? == Some(close) {
            self.at += 1;
            return Ok(false);
        }
        if !first {
            self.take(b',')?;
        }
        Ok(true)
    }

    /// The value that is next, from its first byte to its last.
    pub(super) fn value(&mut self) -> Result<&[u8], Refusal> {
        if self.peek()?.is_none() {
            return Err(self.malformed("it ends too early"));
        }
        let mut scan = Scan::default();
        loop {
            if scan.on(&self.buffer[self.at..self.end]) {
                break;
            }
            if !self.more()? {
                if scan.may_end() {
                    break;
                }
                return Err(self.malformed("it ends too early"));
            }
        }
        let start = self.at;
        self.at += scan.length;
        Ok(&self.buffer[start..self.at])
    }

    /// Reads on; what is read and not taken stays. Gives whether there was more.
    fn more(&mut self) -> Result<bool, Refusal> {
        self.buffer.copy_within(self.at..self.end, 0);
        self.before += self.at;
        self.end -= self.at;
        self.at = 0;
        if self.end == self.buffer.len() {
            if self.end >= MAX_VALUE {
                return Err(self.malformed(format_args!("a value is larger than {} MiB", MAX_VALUE >> 20)));
            }
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.body.read(&mut self.buffer[self.end..]) {
                Ok(length) => {
                    self.end += length;
                    return Ok(length > 0);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Refusal::Unreadable(e.to_string())),
            }
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Looks for the end of a value.
#[derive(Default)]
struct Scan {
    /// How much of the text belongs to it.
    length: usize,
    depth: usize,
    inside: Inside,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// At its first byte, or between brackets.
    #[default]
    Brackets,
    Text,
    /// In a number, or a word.
    Word,
}

impl Scan {
    /// Goes on, on all of the text that is known now. Gives whether the end was found.
    fn on(&mut self, text: &[u8]) -> bool {
        while let Some(&byte) = text.get(self.length) {
            match self.inside {
                Inside::Text => {
                    let Some(found) = memchr::memchr2(b'"', b'\\', &text[self.length..]) else {
                        self.length = text.len();
                        return false;
                    };
                    self.length += found;
                    if text[self.length] == b'\\' {
                        if self.length + 1 == text.len() {
                            return false;
                        }
                        self.length += 2;
                        continue;
                    }
                    self.inside = Inside::Brackets;
                    self.length += 1;
                }
                Inside::Word if is_space(byte) || matches!(byte, b',' | b']' | b'}') => return true,
                Inside::Word => {
                    self.length += 1;
                    continue;
                }
                Inside::Brackets => {
                    self.length += 1;
                    match byte {
                        b'"' => {
                            self.inside = Inside::Text;
                            continue;
                        }
                        b'{' | b'[' => self.depth += 1,
                        b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                        _ if self.depth == 0 => self.inside = Inside::Word,
                        _ => {}
                    }
                    if self.depth > 0 || self.inside == Inside::Word {
                        continue;
                    }
                }
            }
            if self.depth == 0 {
                return true;
            }
        }
        false
    }

    /// Whether the value is whole where the text ends.
    fn may_end(&self) -> bool {
        self.inside == Inside::Word
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Gives its bytes so many at a time.
    struct Slowly<'a>(&'a [u8], usize);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(length);
            buffer[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    fn elements(text: &str, at_once: usize) -> Result<Vec<String>, Refusal> {
        let mut json = Pieces::new(Slowly(text.as_bytes(), at_once));
        let mut found = Vec::new();
        json.take(b'[')?;
        while json.another(found.is_empty(), b']')? {
            found.push(String::from_utf8(json.value()?.to_vec()).unwrap());
        }
        assert_eq!(json.peek()?, None);
        Ok(found)
    }

    const VALUES: [&str; 14] = [
        "1",
        "-1.5e3",
        "null",
        "true",
        r#""""#,
        r#""a\"b\\""#,
        r#""]},[{\\\"""#,
        "[]",
        "{}",
        r#"[[1, "]"], {"a}": [{}]}]"#,
        r#"{"a": "{", "b\"]": [1, 2]}"#,
        "\"\u{e9}\u{1f600}\"",
        "[\n1\t,\r2 ]",
        r#"{"k": {"k": {"k": "\\"}}}"#,
    ];

    #[test]
    fn values_end_where_they_end() {
        for separator in [",", " , ", "\n,\t"] {
            let text = format!(" [ {} ] ", VALUES.join(separator));
            for at_once in [1, 2, 3, 7, 1000] {
                assert_eq!(elements(&text, at_once).unwrap(), VALUES, "{at_once}");
            }
        }
        assert_eq!(elements("[]", 1).unwrap(), [""; 0]);
    }

    #[test]
    fn a_text_that_breaks_off_is_refused() {
        let text = format!("[{}]", VALUES.join(","));
        for length in (0..text.len()).filter(|&length| text.is_char_boundary(length)) {
            for at_once in [1, 1000] {
                let refusal = elements(&text[..length], at_once).unwrap_err();
                assert!(matches!(refusal, Refusal::Malformed { .. }), "{length}: {refusal}");
            }
        }
    }

    #[test]
    fn what_separates_values_has_to_be_there() {
        for (text, problem) in [
            ("[1 2]", "expected `,` (in what begins at byte 3)"),
            ("[1,2} ", "expected `,` (in what begins at byte 4)"),
            ("{}", "expected `[` (in what begins at byte 0)"),
            ("[", "ends too early"),
        ] {
            let refusal = elements(text, 1000).unwrap_err().to_string();
            assert!(refusal.contains(problem), "{text}: {refusal}");
        }
    }

    #[test]
    fn a_value_may_be_longer_than_what_is_read_at_once() {
        let long = format!("\"{}\"", "x".repeat(3 * CHUNK));
        let text = format!("[1,{long},2]");
        assert_eq!(elements(&text, usize::MAX).unwrap(), ["1", &long, "2"]);
        let mut json = Pieces::new(std::io::repeat(b'[').take(2 * MAX_VALUE as u64));
        assert!(json.value().unwrap_err().to_string().contains("larger than 128 MiB"));
    }
}
