//! Comparison of values (OVAL 5.11, 5.3.6.3), with the state's datatype, as OpenSCAP does it.

use std::cmp::Ordering;

use virtscap_scap::oval::{Datatype, Operation, OvalResult};

use super::address::Addresses;
use crate::pattern::Pattern;
use crate::versions;

/// What values are compared with, prepared once for all of them.
pub(super) enum Comparand {
    Pattern(Pattern),
    Boolean(bool),
    Int(i64),
    Float(f64),
    /// A version, of the type that says how it is read.
    Version(Datatype, String),
    Addresses(Addresses),
    /// Hexadecimal, whatever the case.
    Binary(String),
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
            (
                _,
                datatype @ (Datatype::Version
                | Datatype::EvrString
                | Datatype::DebianEvrString
                | Datatype::IosVersion
                | Datatype::FilesetRevision),
            ) => Comparand::Version(datatype, with.to_owned()),
            (_, Datatype::Ipv4Address) => {
                Comparand::Addresses(Addresses::v4(with).ok_or_else(|| bad("an IPv4 address"))?)
            }
            (_, Datatype::Ipv6Address) => {
                Comparand::Addresses(Addresses::v6(with).ok_or_else(|| bad("an IPv6 address"))?)
            }
            (_, Datatype::Binary) => Comparand::Binary(with.to_owned()),
            (_, datatype @ Datatype::Record) => {
                return Err(format!("a value cannot be compared as '{datatype}'"));
            }
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
            Comparand::Version(datatype, with) => match datatype {
                Datatype::EvrString => versions::evr(value, with),
                Datatype::DebianEvrString => versions::debian_evr(value, with),
                Datatype::IosVersion | Datatype::FilesetRevision => versions::mixed(value, with),
                _ => versions::numbers(value, with),
            },
            Comparand::Addresses(with) => {
                let parsed = if with.is_v4() { Addresses::v4(value) } else { Addresses::v6(value) };
                let value = parsed.ok_or_else(|| bad("an address"))?;
                match self.operation {
                    Operation::SubsetOf => return Ok(with.contains(&value).into()),
                    Operation::SupersetOf => return Ok(value.contains(with).into()),
                    Operation::Equals => return Ok((value == *with).into()),
                    Operation::NotEqual => return Ok((value != *with).into()),
                    _ if value.prefix() != with.prefix() => {
                        return Err(format!("'{value}' and '{with}' are of different sizes"));
                    }
                    _ => value.cmp(with),
                }
            }
            Comparand::Binary(with) => match self.operation {
                Operation::Equals => return Ok(value.eq_ignore_ascii_case(with).into()),
                Operation::NotEqual => return Ok((!value.eq_ignore_ascii_case(with)).into()),
                operation => return Err(format!("binary values cannot be compared with '{operation}'")),
            },
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
            (GreaterThan, Datatype::EvrString, "0:1.2-3", "0:1.10-1", true),
            (Equals, Datatype::EvrString, "1.2-3", "0:1.2-3", false),
            (GreaterThan, Datatype::DebianEvrString, "0:1.2~rc1-1", "0:1.2-1", true),
            (Operation::SubsetOf, Datatype::Ipv4Address, "10.0.0.0/8", "10.1.2.0/24", true),
            (Operation::SupersetOf, Datatype::Ipv6Address, "fe80::1", "fe80::/64", true),
            (Equals, Datatype::Ipv6Address, "::1", "0:0:0:0:0:0:0:1", true),
            (Equals, Datatype::Binary, "0aFf", "0AfF", true),
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
        assert!(Comparator::new(Equals, Datatype::Record, "1").is_err());
        assert!(Comparator::new(Equals, Datatype::Ipv4Address, "1.2").is_err());
        assert!(Comparator::new(Equals, Int, "1").unwrap().compare("one").is_err());
        assert!(Comparator::new(Equals, Int, "1").unwrap().compare("1 ").is_err());
        assert!(Comparator::new(LessThanOrEqual, Float, "1").unwrap().compare("NaN").is_err());
        assert!(Comparator::new(GreaterThan, Boolean, "false").unwrap().compare("true").is_err());
        assert!(Comparator::new(GreaterThan, Text, "a").unwrap().compare("b").is_err());
    }
}
