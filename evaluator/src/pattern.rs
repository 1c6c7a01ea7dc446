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

/// How many steps of PCRE a match may take; a match that needs more is given up.
const MATCH_LIMIT: u32 = 10_000_000;
/// How much memory a match may take, in KiB.
const HEAP_LIMIT: u32 = 20_000;

impl Pattern {
    /// Compiles an expression; `multi_line` makes `^` and `$` match at each line.
    pub(crate) fn new(pattern: &str, multi_line: bool) -> Result<Self, PatternError> {
        let limited = format!("(*LIMIT_MATCH={MATCH_LIMIT})(*LIMIT_HEAP={HEAP_LIMIT}){pattern}");
        RegexBuilder::new()
            .utf(true)
            .multi_line(multi_line)
            .build(&limited)
            .map(Self)
            .map_err(|e| PatternError::Syntax { pattern: pattern.to_owned(), reason: e.to_string() })
    }

    /// Whether it matches anywhere in the text.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, PatternError> {
        self.0.is_match(text.as_bytes()).map_err(|e| self.limit(&e))
    }

    /// Every match with its groups; a group that took no part is empty.
    pub(crate) fn matches(&self, text: &str) -> Result<Vec<Vec<String>>, PatternError> {
        let mut found = Vec::new();
        for captures in self.0.captures_iter(text.as_bytes()) {
            let captures = captures.map_err(|e| self.limit(&e))?;
            let groups = (0..captures.len()).map(|i| {
                captures
                    .get(i)
                    .map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned())
                    .unwrap_or_default()
            });
            found.push(groups.collect());
        }
        Ok(found)
    }

    fn limit(&self, error: &pcre2::Error) -> PatternError {
        PatternError::Limit { pattern: self.0.as_str().to_owned(), reason: error.to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_backtracks_for_ever_is_given_up() {
        let pattern = Pattern::new("^(a+)+$", false).unwrap();
        assert!(matches!(pattern.is_match(&format!("{}b", "a".repeat(60))), Err(PatternError::Limit { .. })));
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
