//! Regular expressions of OVAL: PCRE, which is what OpenSCAP uses, with a limit on backtracking.

use pcre2::bytes::{Regex, RegexBuilder};

/// A compiled regular expression.
#[derive(Debug)]
pub(crate) struct Pattern(Regex);

/// Why a regular expression gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    /// It is none.
    #[error("'{pattern}' is not a regular expression: {reason}")]
    Syntax {
        /// The text.
        pattern: String,
        /// What PCRE says of it.
        reason: String,
    },
    /// It was given up, for it backtracks too much.
    #[error("'{pattern}' was given up: {reason}")]
    Limit {
        /// The text.
        pattern: String,
        /// What PCRE says.
        reason: String,
    },
}

/// What stands before each expression: how many steps of PCRE a match may take, and how many KiB of memory. A match that
/// needs more is given up.
const LIMITS: &str = "(*LIMIT_MATCH=10000000)(*LIMIT_HEAP=20000)";

/// How an expression reads texts (OVAL 5.11, `Textfilecontent54Behaviors`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Options {
    /// `^` and `$` match at each line.
    pub(crate) multi_line: bool,
    /// Upper and lower case are the same.
    pub(crate) ignore_case: bool,
    /// A dot matches the end of a line too.
    pub(crate) single_line: bool,
}

impl Pattern {
    /// Compiles an expression; `multi_line` makes `^` and `$` match at each line.
    pub(crate) fn new(pattern: &str, multi_line: bool) -> Result<Self, PatternError> {
        Self::with(pattern, Options { multi_line, ..Options::default() })
    }

    /// Compiles an expression.
    pub(crate) fn with(pattern: &str, options: Options) -> Result<Self, PatternError> {
        let limited = format!("{LIMITS}{pattern}");
        RegexBuilder::new()
            .utf(true)
            .multi_line(options.multi_line)
            .caseless(options.ignore_case)
            .dotall(options.single_line)
            .build(&limited)
            .map(Self)
            .map_err(|e| PatternError::Syntax { pattern: pattern.to_owned(), reason: e.to_string() })
    }

    /// Whether it matches anywhere in the text.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        self.0.is_match(text.as_bytes()).map_err(|e| self.limit(&e))
    }

    /// The first match: all of it, and its groups, as far as they took part.
    pub(crate) fn first_match(&self, text: &str) -> Result<Option<Vec<Option<String>>>, PatternError> {
        let mut places = self.0.capture_locations();
        let found = self.0.captures_read(&mut places, text.as_bytes()).map_err(|e| self.limit(&e))?;
        let group = |i| places.get(i).and_then(|(start, end)| text.get(start..end)).map(str::to_owned);
        Ok(found.map(|_| (0..places.len()).map(group).collect()))
    }

    /// Every match from the front: the text, and the groups that took part. As OpenSCAP's `textfilecontent54` finds them, a
    /// search begins where the last match ended, and one character further where that match was empty.
    ///
    /// `wanted` is asked for each match, by its number from 1, whether it is to be kept.
    pub(crate) fn matches(
        &self,
        text: &str,
        mut wanted: impl FnMut(u64) -> bool,
    ) -> Result<Vec<(u64, String, Vec<String>)>, PatternError> {
        let mut found = Vec::new();
        let mut places = self.0.capture_locations();
        let mut start = 0;
        let mut number = 0;
        while start <= text.len() {
            let matched = self.0.captures_read_at(&mut places, text.as_bytes(), start);
            let Some(whole) = matched.map_err(|e| self.limit(&e))? else { break };
            number += 1;
            if wanted(number) {
                let groups = (1..places.len()).filter_map(|i| places.get(i));
                let groups = groups.filter_map(|(start, end)| text.get(start..end)).map(str::to_owned);
                let of_whole = text.get(whole.start()..whole.end()).unwrap_or_default();
                found.push((number, of_whole.to_owned(), groups.collect()));
            }
            start = if start == whole.end() {
                let next = text.get(start..).and_then(|rest| rest.chars().next());
                start + next.map_or(1, char::len_utf8)
            } else {
                whole.end()
            };
        }
        Ok(found)
    }

    fn limit(&self, error: &pcre2::Error) -> PatternError {
        let pattern = self.0.as_str();
        let pattern = pattern.strip_prefix(LIMITS).unwrap_or(pattern).to_owned();
        PatternError::Limit { pattern, reason: error.to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_backtracks_for_ever_is_given_up() {
        let pattern = Pattern::new("^(a+)+$", false).unwrap();
        let error = pattern.is_match(&format!("{}b", "a".repeat(60))).unwrap_err();
        assert!(error.to_string().starts_with("'^(a+)+$' was given up: "), "{error}");
    }

    #[test]
    fn syntax_errors_name_the_pattern() {
        assert!(
            matches!(Pattern::new("a(", false), Err(PatternError::Syntax { pattern, .. }) if pattern == "a(")
        );
    }

    #[test]
    fn look_ahead_works() {
        let pattern = Pattern::new("^(?!b)", false).unwrap();
        assert!(pattern.is_match("a").unwrap());
        assert!(!pattern.is_match("b").unwrap());
    }
}
