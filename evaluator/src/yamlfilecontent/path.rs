//! The yamlpath of a `yamlfilecontent_object`: what OpenSCAP's embedded path parser accepts.

use std::fmt;

/// The most keys or indices that one `['a','b',…]` or `[0,1,…]` may list.
const MAX_LISTED: usize = 256;

/// A parsed yamlpath.
///
/// The grammar is the one of OpenSCAP 1.3.7: `$`, `.key`, a bare first key, `['key']`, `["key"]`, `['a','b']`, `.*`,
/// `[*]`, `[n]`, `[n,m]`, `[:]` and a leading `&anchor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlPath {
    source: String,
    segments: Vec<Segment>,
}

/// One step of a path. The first is always [`Segment::Root`] or [`Segment::Anchor`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    Root,
    Anchor(String),
    Key(String),
    /// `['a','b']`; these keep the mapping around what they select.
    Keys(Vec<String>),
    AllKeys,
    Index(u64),
    /// `[n,m]`; these keep the sequence around what they select.
    Indices(Vec<u64>),
    AllIndices,
}

/// A yamlpath that OpenSCAP refuses with "Invalid YAML path".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid YAML path '{path}': {problem} (at character {})", offset + 1)]
pub struct YamlPathError {
    /// The path as written.
    pub path: String,
    /// What is wrong with it.
    pub problem: YamlPathProblem,
    /// The byte offset in the path where the parser gave up.
    pub offset: usize,
}

/// Why a yamlpath is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum YamlPathProblem {
    /// There is no path.
    #[error("the path is empty")]
    Empty,
    /// `.` or `['']` without a key.
    #[error("a key is missing")]
    MissingKey,
    /// A quotation mark without its partner.
    #[error("the closing quotation mark is missing")]
    MissingQuote,
    /// A `[` without `]`.
    #[error("']' is missing")]
    MissingBracket,
    /// Something between or after the keys of `['a','b']`.
    #[error("only quoted keys, separated by commas without white space, may stand in these brackets")]
    BadKeyList,
    /// `[…]` that is neither a quoted key nor an index; also slices, which OpenSCAP dropped.
    #[error("expected a quoted key, '*', ':' or indices in these brackets")]
    BadIndex,
    /// `[-1]`.
    #[error("an index can't be negative")]
    NegativeIndex,
    /// More than 256 keys or indices in one pair of brackets.
    #[error("more than {MAX_LISTED} keys or indices in one pair of brackets")]
    TooMany,
    /// `&` without a name.
    #[error("the anchor has no name")]
    EmptyAnchor,
    /// `&` or `$` after the start.
    #[error("'&' and '$' are only allowed at the beginning")]
    NotAtStart,
}

impl YamlPath {
    /// Parses `source` as OpenSCAP 1.3.7 does, leniencies included: `[]` is `[0]`, `[+1]` is `[1]`, `.*foo` is `.*`, and
    /// whatever follows `$` or `]` up to the next `.` or `[` is ignored (`$a` is `$`).
    ///
    /// # Errors
    /// Where OpenSCAP sets the object error "Invalid YAML path …", with the offset of the fault. One path more is
    /// refused: a list of 257 indices, which OpenSCAP writes past the end of its buffer.
    pub fn parse(source: &str) -> Result<Self, YamlPathError> {
        let mut parser = Parser { text: source, at: 0 };
        let segments = parser.path().map_err(|problem| YamlPathError {
            path: source.to_owned(),
            problem,
            offset: parser.at,
        })?;
        Ok(Self { source: source.to_owned(), segments })
    }

    /// The steps, never empty.
    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl fmt::Display for YamlPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// A cursor over the path. `at` is always a character boundary: it only moves past ASCII or to an ASCII character.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn path(&mut self) -> Result<Vec<Segment>, YamlPathProblem> {
        let mut segments = Vec::new();
        match self.peek() {
            None => return Err(YamlPathProblem::Empty),
            Some(b'$') => {
                self.at += 1;
                segments.push(Segment::Root);
            }
            Some(b'&') => {
                self.at += 1;
                let name = self.word();
                if name.is_empty() {
                    return Err(YamlPathProblem::EmptyAnchor);
                }
                segments.push(Segment::Anchor(name.to_owned()));
            }
            Some(b'.' | b'[') => segments.push(Segment::Root),
            Some(_) => {
                segments.push(Segment::Root);
                // The first character may be anything, even `]` or `*`: `*` alone is a key of that name.
                segments.push(Segment::Key(self.word().to_owned()));
            }
        }
        while let Some(byte) = self.peek() {
            match byte {
                b'.' => segments.push(self.dotted()?),
                b'[' => segments.push(self.bracketed()?),
                b'&' | b'$' => return Err(YamlPathProblem::NotAtStart),
                _ => self.at += 1,
            }
        }
        Ok(segments)
    }

    fn dotted(&mut self) -> Result<Segment, YamlPathProblem> {
        let dot = self.at;
        self.at += 1;
        let word = self.word();
        if word.starts_with('*') {
            Ok(Segment::AllKeys)
        } else if word.is_empty() {
            self.at = dot;
            Err(YamlPathProblem::MissingKey)
        } else {
            Ok(Segment::Key(word.to_owned()))
        }
    }

    fn bracketed(&mut self) -> Result<Segment, YamlPathProblem> {
        self.at += 1;
        if self.take("*]") {
            return Ok(Segment::AllKeys);
        }
        if self.take(":]") {
            return Ok(Segment::AllIndices);
        }
        match self.peek() {
            Some(b'\'' | b'"') => self.keys(),
            _ => self.indices(),
        }
    }

    fn keys(&mut self) -> Result<Segment, YamlPathProblem> {
        let mut keys = Vec::new();
        loop {
            if keys.len() == MAX_LISTED {
                return Err(YamlPathProblem::TooMany);
            }
            keys.push(self.quoted()?);
            match self.peek() {
                None => return Err(YamlPathProblem::MissingBracket),
                Some(b']') => break,
                Some(b',') => self.at += 1,
                Some(_) => return Err(YamlPathProblem::BadKeyList),
            }
            if !matches!(self.peek(), Some(b'\'' | b'"')) {
                return Err(YamlPathProblem::BadKeyList);
            }
        }
        self.at += 1;
        Ok(match keys.pop() {
            Some(key) if keys.is_empty() => Segment::Key(key),
            last => {
                keys.extend(last);
                Segment::Keys(keys)
            }
        })
    }

    fn quoted(&mut self) -> Result<String, YamlPathProblem> {
        let rest = self.rest();
        let Some(quote) = rest.chars().next() else {
            return Err(YamlPathProblem::MissingKey);
        };
        match rest.get(1..).and_then(|rest| rest.split_once(quote)) {
            None => Err(YamlPathProblem::MissingQuote),
            Some(("", _)) => Err(YamlPathProblem::MissingKey),
            Some((key, _)) => {
                self.at += key.len() + 2;
                Ok(key.to_owned())
            }
        }
    }

    fn indices(&mut self) -> Result<Segment, YamlPathProblem> {
        let mut indices = Vec::new();
        loop {
            let (index, written) = self.number()?;
            match self.peek() {
                // `[]` reads as `[0]`: strtoul answers 0 where there is no digit.
                Some(b']') if written || indices.is_empty() => {
                    self.at += 1;
                    indices.push(index);
                    break;
                }
                Some(b',') if written => {
                    self.at += 1;
                    indices.push(index);
                    if indices.len() == MAX_LISTED {
                        return Err(YamlPathProblem::TooMany);
                    }
                }
                None if indices.is_empty() => return Err(YamlPathProblem::MissingBracket),
                _ => return Err(YamlPathProblem::BadIndex),
            }
        }
        Ok(match indices.as_slice() {
            [index] => Segment::Index(*index),
            _ => Segment::Indices(indices),
        })
    }

    /// Reads a number as C's `strtoul` does, and whether anything at all was read.
    fn number(&mut self) -> Result<(u64, bool), YamlPathProblem> {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.at += 1;
        }
        if self.peek() == Some(b'-') {
            return Err(YamlPathProblem::NegativeIndex);
        }
        let digits_from = self.at + usize::from(self.peek() == Some(b'+'));
        let digits = self.text.get(digits_from..).unwrap_or_default();
        let length = digits.bytes().take_while(u8::is_ascii_digit).count();
        if length == 0 {
            return Ok((0, self.at > start));
        }
        self.at = digits_from + length;
        // Out of range saturates, like strtoul.
        Ok((digits.get(..length).and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX), true))
    }

    /// Reads up to the next `.` or `[`; at least the character under the cursor when that is neither.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn segments(path: &str) -> Vec<Segment> {
        YamlPath::parse(path).unwrap().segments
    }

    fn problem(path: &str) -> (YamlPathProblem, usize) {
        let error = YamlPath::parse(path).unwrap_err();
        (error.problem, error.offset)
    }

    fn key(name: &str) -> Segment {
        Segment::Key(name.to_owned())
    }

    #[test]
    fn equal_spellings() {
        for path in ["$.a.b", ".a.b", "a.b", "['a'].b", "a[\"b\"]", "$['a']['b']"] {
            assert_eq!(segments(path), [Segment::Root, key("a"), key("b")], "{path}");
        }
    }

    #[test]
    fn every_segment() {
        assert_eq!(segments("$"), [Segment::Root]);
        assert_eq!(segments("&x[:]"), [Segment::Anchor("x".into()), Segment::AllIndices]);
        assert_eq!(segments(".*[*]"), [Segment::Root, Segment::AllKeys, Segment::AllKeys]);
        assert_eq!(segments("[7][0, 2]"), [Segment::Root, Segment::Index(7), Segment::Indices(vec![0, 2])]);
        assert_eq!(
            segments(r#"['a.b',"c'd"]"#),
            [Segment::Root, Segment::Keys(vec!["a.b".into(), "c'd".into()])]
        );
        assert_eq!(segments("größe.Ü"), [Segment::Root, key("größe"), key("Ü")]);
    }

    #[test]
    fn faults_name_their_place() {
        assert_eq!(problem(""), (YamlPathProblem::Empty, 0));
        assert_eq!(problem("a..b"), (YamlPathProblem::MissingKey, 1));
        assert_eq!(problem("a[-1]"), (YamlPathProblem::NegativeIndex, 2));
        assert_eq!(problem("a[0]$"), (YamlPathProblem::NotAtStart, 4));
        assert_eq!(problem("['a"), (YamlPathProblem::MissingQuote, 1));
        assert_eq!(
            YamlPath::parse("a[1").unwrap_err().to_string(),
            "invalid YAML path 'a[1': ']' is missing (at character 4)"
        );
    }

    #[test]
    fn lists_are_bounded() {
        let keys = |n: usize| format!("[{}]", vec!["'k'"; n].join(","));
        assert!(YamlPath::parse(&keys(256)).is_ok());
        assert_eq!(problem(&keys(257)).0, YamlPathProblem::TooMany);
        let indices = |n: usize| format!("[{}]", vec!["1"; n].join(","));
        assert!(YamlPath::parse(&indices(256)).is_ok());
        assert_eq!(problem(&indices(257)).0, YamlPathProblem::TooMany);
    }
}
