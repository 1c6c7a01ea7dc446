//! The known differences, `tests/public/known-differences.yaml`: a ratchet. What is not listed fails, and so does what is
//! listed and no longer seen.

use std::cell::Cell;

use serde::Deserialize;

use super::compare::Difference;

/// Differences with one reason. Each text is a pattern, in which `*` stands for anything; without one, anything fits.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Why it is so, and why it may stay so.
    pub reason: String,
    /// The run, as `rhel9 on the made root`.
    #[serde(default = "anything")]
    pub content: String,
    /// What the difference is about: rule, definition, test, tested items, object, collected items, variables.
    #[serde(default = "anything")]
    level: String,
    /// The kind of test or object, as `textfilecontent54`.
    #[serde(default = "anything")]
    kind: String,
    /// The id of the rule, definition, test or object.
    #[serde(default = "anything")]
    id: String,
    /// What virtscap says.
    #[serde(default = "anything")]
    ours: String,
    /// What oscap says.
    #[serde(default = "anything")]
    theirs: String,
    /// How often it was seen.
    #[serde(skip)]
    pub seen: Cell<usize>,
}

fn anything() -> String {
    "*".to_owned()
}

/// Reads the file.
pub fn read() -> Vec<Known> {
    let file = crate::project().join("tests/public/known-differences.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let known: Option<Vec<Known>> =
        serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    known.unwrap_or_default()
}

impl Known {
    /// Whether the difference is one of these.
    pub fn covers(&self, run: &str, difference: &Difference) -> bool {
        fits(&self.content, run)
            && fits(&self.level, difference.level.name())
            && fits(&self.kind, &difference.kind)
            && fits(&self.id, &difference.id)
            && fits(&self.ours, &difference.ours)
            && fits(&self.theirs, &difference.theirs)
    }
}

/// Whether a text fits a pattern.
pub fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            let Some(text) = text.strip_prefix(start) else { return false };
            let mut ends = text.char_indices().map(|(index, _)| index).chain([text.len()]);
            rest.is_empty() || ends.any(|index| fits(rest, &text[index..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(fits("*", ""));
        assert!(fits("a*c", "abc") && fits("a*c", "ac") && fits("*b*", "abc") && fits("a*c*", "axcyc"));
        assert!(!fits("a*c", "abd") && !fits("a", "ab") && !fits("b*", "ab"));
    }
}
