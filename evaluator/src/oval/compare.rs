//! Comparison of values (OVAL 5.11, 5.3.6.3), with the state's datatype, as OpenSCAP does it.

use std::cmp::Ordering;

use virtscap_scap::oval::{Datatype, Operation, OvalResult};

use crate::pattern::Pattern;

/// What values are compared with, prepared once for all of them.
pub(super) enum Comparand {
    Pattern(Pattern),
    Boolean(bool),
    Int(i64),
    Float(f64),
    Version(Vec<u64>),
    Text(String),
}

/// A comparison that is ready to be used on values.
pub(super) struct Comparator {
    operation: Operation,
    with: Comparand,
    /// What a regular expression says to people in a comment, `(?#…)`.
    pub(super) note: Option<String>,
}

impl Comparator {
    /// Prepares a comparison; an error says why it cannot be done.
    pub(super) fn new(operation: Operation, datatype: Datatype, text: &str) -> Result<Self, String> {
        let with = text;
        let bad = |what: &str| format!("'{with}' is not {what}");
        let with = match (operation, datatype) {
            (Operation::PatternMatch, Datatype::String) => {
                Comparand::Pattern(Pattern::new(with, false).map_err(|e| e.to_string())?)
            }
            (_, Datatype::String) => Comparand::Text(with.to_owned()),
            (_, Datatype::Boolean) => Comparand::Boolean(boolean(with)),
            (_, Datatype::Int) => Comparand::Int(int(with).ok_or_else(|| bad("a whole number"))?),
            (_, Datatype::Float) => Comparand::Float(float(with).ok_or_else(|| bad("a number"))?),
            (_, Datatype::Version) => Comparand::Version(version(with).ok_or_else(|| bad("a version"))?),
            (_, datatype) => return Err(format!("comparing as '{datatype}' is not supported")),
        };
        Ok(Self { operation, note: note(&with, text), with })
    }

    /// Compares a value; an error says why that cannot be done.
    pub(super) fn compare(&self, value: &str) -> Result<OvalResult, String> {
        let bad = |what: &str| format!("'{value}' is not {what}");
        let ordering = match &self.with {
            Comparand::Pattern(pattern) => {
                return Ok(pattern.is_match(value).map_err(|e| e.to_string())?.into());
            }
            Comparand::Text(with) => return self.compare_text(value, with),
            Comparand::Boolean(with) => return self.compare_boolean(boolean(value), *with),
            Comparand::Int(with) => {
                let value = int(value).ok_or_else(|| bad("a whole number"))?;
                match self.operation {
                    Operation::BitwiseAnd => return Ok((value & with == *with).into()),
                    Operation::BitwiseOr => return Ok((value | with == *with).into()),
                    _ => value.cmp(with),
                }
            }
            Comparand::Float(with) => compare_float(float(value).ok_or_else(|| bad("a number"))?, *with),
            Comparand::Version(with) => version(value).ok_or_else(|| bad("a version"))?.cmp(with),
        };
        self.decide(ordering)
    }

    fn compare_text(&self, value: &str, with: &str) -> Result<OvalResult, String> {
        let same_letters = || value.to_lowercase() == with.to_lowercase();
        Ok(match self.operation {
            Operation::Equals => value == with,
            Operation::NotEqual => value != with,
            Operation::CaseInsensitiveEquals => same_letters(),
            Operation::CaseInsensitiveNotEqual => !same_letters(),
            operation => return Err(format!("texts cannot be compared with '{operation}'")),
        }
        .into())
    }

    fn compare_boolean(&self, value: bool, with: bool) -> Result<OvalResult, String> {
        match self.operation {
            Operation::Equals => Ok((value == with).into()),
            Operation::NotEqual => Ok((value != with).into()),
            operation => Err(format!("booleans cannot be compared with '{operation}'")),
        }
    }

    fn decide(&self, ordering: Ordering) -> Result<OvalResult, String> {
        Ok(match self.operation {
            Operation::Equals => ordering.is_eq(),
            Operation::NotEqual => ordering.is_ne(),
            Operation::GreaterThan => ordering.is_gt(),
            Operation::GreaterThanOrEqual => ordering.is_ge(),
            Operation::LessThan => ordering.is_lt(),
            Operation::LessThanOrEqual => ordering.is_le(),
            operation => {
                return Err(format!("comparing with '{operation}' is not supported for this datatype"));
            }
        }
        .into())
    }
}

/// The first comment of a regular expression.
fn note(with: &Comparand, text: &str) -> Option<String> {
    let Comparand::Pattern(_) = with else { return None };
    let (_, rest) = text.split_once("(?#")?;
    rest.split_once(')').map(|(comment, _)| comment.to_owned())
}

/// "true" and "1" are true, all else is false.
fn boolean(text: &str) -> bool {
    matches!(text, "true" | "1")
}

/// As C's `strtoimax`, which OpenSCAP uses: white space may stand in front, not behind.
fn int(text: &str) -> Option<i64> {
    text.trim_ascii_start().parse().ok()
}

/// As `strtod`, but for NaN: oscap takes it for less than every number.
fn float(text: &str) -> Option<f64> {
    text.trim_ascii_start().parse().ok().filter(|number: &f64| !number.is_nan())
}

/// Equal within a relative tolerance of 1e-9, as OpenSCAP has it.
fn compare_float(a: f64, b: f64) -> Ordering {
    // The distance to an infinite number is infinite, and so is its tolerance.
    if a == b || (a - b).abs() / a.abs().max(b.abs()) <= 1e-9 {
        Ordering::Equal
    } else {
        a.partial_cmp(&b).unwrap_or(Ordering::Less)
    }
}

/// Numbers separated by anything else; trailing zeros do not count.
fn version(text: &str) -> Option<Vec<u64>> {
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .map(|part| part.parse().ok())
        .collect::<Option<Vec<u64>>>()?;
    while numbers.last() == Some(&0) {
        numbers.pop();
    }
    Some(numbers)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use Datatype::{Boolean, Float, Int, String as Text, Version};
    use Operation::{
        BitwiseAnd, BitwiseOr, CaseInsensitiveEquals, Equals, GreaterThan, LessThanOrEqual, NotEqual,
        PatternMatch,
    };

    #[test]
    fn comparisons() {
        let cases = [
            (Equals, Text, "a", "a", true),
            (Equals, Text, "a", "A", false),
            (NotEqual, Text, "a", "b", true),
            (CaseInsensitiveEquals, Text, "Ä", "ä", true),
            (PatternMatch, Text, "^a.c$", "abc", true),
            (PatternMatch, Text, "b", "abc", true),
            (PatternMatch, Text, "^b", "a\nb", false),
            (Equals, Boolean, "true", "1", true),
            (Equals, Boolean, "false", "yes", true),
            (GreaterThan, Int, "9", "10", true),
            (Equals, Int, "7", "07", true),
            (Equals, Float, "1.5", "1.500000", true),
            (Equals, Int, "10", " 10", true),
            (Equals, Float, "1.5", "inf", false),
            (GreaterThan, Float, "1.5", "inf", true),
            (Equals, Float, "inf", "inf", true),
            (BitwiseAnd, Int, "2", "6", true),
            (BitwiseAnd, Int, "2", "4", false),
            (BitwiseOr, Int, "6", "2", true),
            (BitwiseOr, Int, "4", "2", false),
            (LessThanOrEqual, Version, "4.19", "4.9.1", true),
            (Equals, Version, "4.0", "4", true),
        ];
        for (operation, datatype, with, value, expected) in cases {
            let result = Comparator::new(operation, datatype, with).unwrap().compare(value).unwrap();
            assert_eq!(result, expected.into(), "{value} {operation} {with} as {datatype}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_an_error() {
        assert!(Comparator::new(Equals, Int, "x").is_err());
        assert!(Comparator::new(PatternMatch, Text, "(").is_err());
        assert!(Comparator::new(Equals, Datatype::EvrString, "1").is_err());
        assert!(Comparator::new(Equals, Int, "1").unwrap().compare("one").is_err());
        assert!(Comparator::new(Equals, Int, "1").unwrap().compare("1 ").is_err());
        assert!(Comparator::new(LessThanOrEqual, Float, "1").unwrap().compare("NaN").is_err());
        assert!(Comparator::new(GreaterThan, Boolean, "false").unwrap().compare("true").is_err());
        assert!(Comparator::new(GreaterThan, Text, "a").unwrap().compare("b").is_err());
    }
}
