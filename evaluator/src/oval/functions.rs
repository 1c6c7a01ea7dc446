//! Functions of local variables (OVAL 5.11, 5.2.3.2.4), as OpenSCAP computes them.

use std::collections::HashSet;

use virtscap_scap::oval::{ArithmeticOperation, Component};

use super::variables::{MAX_VALUES, NoValues};
use super::{Session, glob, times};
use crate::pattern::Pattern;

impl<'a> Session<'a> {
    pub(super) fn function(&mut self, component: &'a Component) -> Result<Vec<String>, NoValues> {
        match component {
            Component::Literal { .. } | Component::Variable(_) | Component::Object { .. } => {
                self.component(component)
            }
            Component::Arithmetic { operation, components } => {
                let mut numbers = Vec::new();
                for values in self.components(components)? {
                    numbers.push(values.iter().map(|text| Number::of(text)).collect::<Result<Vec<_>, _>>()?);
                }
                let results = combinations(numbers, |a, b| a.combine(*operation, b))?;
                Ok(results.into_iter().map(Number::into_text).collect())
            }
            Component::Begin { character, component } => {
                let begin = |text: String| {
                    if text.starts_with(character) { text } else { format!("{character}{text}") }
                };
                Ok(self.component(component)?.into_iter().map(begin).collect())
            }
            Component::Concat(parts) => combinations(self.components(parts)?, |a, b| Ok(format!("{a}{b}"))),
            Component::Count(parts) => {
                Ok(vec![self.components(parts)?.iter().map(Vec::len).sum::<usize>().to_string()])
            }
            Component::End { character, component } => {
                let end = |text: String| {
                    if text.ends_with(character) { text } else { format!("{text}{character}") }
                };
                Ok(self.component(component)?.into_iter().map(end).collect())
            }
            Component::EscapeRegex(inner) => {
                Ok(self.component(inner)?.iter().map(|text| escape_regex(text)).collect())
            }
            Component::GlobToRegex { noescape, component } => {
                let globs = self.component(component)?;
                let regexes = globs.iter().map(|text| {
                    let open = || format!("the glob '{text}' opens a class and does not close it").into();
                    glob::to_regex(text, *noescape).ok_or_else(open)
                });
                regexes.collect()
            }
            Component::RegexCapture { pattern, component } => {
                let pattern = Pattern::new(pattern, false).map_err(|e| e.to_string())?;
                let captures = |text: String| {
                    let groups = pattern.first_match(&text).map_err(|e| e.to_string())?;
                    // What does not match, or has no group, gives nothing, which is a value.
                    Ok(groups.and_then(|groups| groups.into_iter().nth(1).flatten()).unwrap_or_default())
                };
                self.component(component)?.into_iter().map(captures).collect()
            }
            Component::Split { delimiter, component } => {
                let values = self.component(component)?;
                let pieces = values.iter().flat_map(|text| -> Vec<String> {
                    if delimiter.is_empty() {
                        text.chars().map(String::from).collect()
                    } else {
                        text.split(delimiter).map(str::to_owned).collect()
                    }
                });
                Ok(pieces.collect())
            }
            Component::Substring { start, length, component } => {
                let values = self.component(component)?;
                values.iter().map(|text| Ok(substring(text, *start, *length)?)).collect()
            }
            Component::TimeDifference { format_1, format_2, components } => {
                let values = self.components(components)?;
                match values.as_slice() {
                    [then] => times::differences_till_now(then, *format_2),
                    [first, second] => times::differences(first, *format_1, second, *format_2),
                    _ => Err("time_difference takes one or two components".to_owned()),
                }
                .map_err(NoValues::from)
            }
            Component::Unique(parts) => {
                let mut known = HashSet::new();
                let values = self.components(parts)?.into_iter().flatten();
                Ok(values.filter(|value| known.insert(value.clone())).collect())
            }
            Component::Unsupported { name } => {
                self.note_unsupported(name);
                Err(format!("the function <{name}> is not supported").into())
            }
        }
    }
}

/// Every combination of one value of each list, put together from the left. The first list's values change fastest, as in
/// OpenSCAP.
fn combinations<T: Clone>(
    lists: Vec<Vec<T>>,
    put_together: impl Fn(&T, &T) -> Result<T, String>,
) -> Result<Vec<T>, NoValues> {
    // As oscap has it, a list without values takes no part.
    let mut lists = lists.into_iter().filter(|list| !list.is_empty());
    let mut results = lists.next().unwrap_or_default();
    for list in lists {
        if results.len().saturating_mul(list.len()) > MAX_VALUES {
            return Err(format!("a function gives more than {MAX_VALUES} values").into());
        }
        let mut combined = Vec::with_capacity(results.len() * list.len());
        for b in &list {
            for a in &results {
                combined.push(put_together(a, b)?);
            }
        }
        results = combined;
    }
    Ok(results)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    fn of(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let int = text.parse().map(Self::Int);
        int.or_else(|_| text.parse().map(Self::Float)).map_err(|_| format!("'{text}' is not a number"))
    }

    fn combine(&self, operation: ArithmeticOperation, other: &Self) -> Result<Self, String> {
        let too_large = || "a sum or product has more than 64 bits".to_owned();
        Ok(match (operation, *self, *other) {
            (ArithmeticOperation::Add, Self::Int(a), Self::Int(b)) => {
                Self::Int(a.checked_add(b).ok_or_else(too_large)?)
            }
            (ArithmeticOperation::Multiply, Self::Int(a), Self::Int(b)) => {
                Self::Int(a.checked_mul(b).ok_or_else(too_large)?)
            }
            (ArithmeticOperation::Add, a, b) => Self::Float(a.float() + b.float()),
            (ArithmeticOperation::Multiply, a, b) => Self::Float(a.float() * b.float()),
        })
    }

    #[allow(clippy::cast_precision_loss)]
    fn float(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    fn into_text(self) -> String {
        match self {
            Self::Int(number) => number.to_string(),
            // C's %f.
            Self::Float(number) => format!("{number:.6}"),
        }
    }
}

/// Bytes from `start`, counted from 1; a length below 0 means the rest.
fn substring(text: &str, start: i64, length: i64) -> Result<String, String> {
    let start = usize::try_from(start.max(1) - 1).unwrap_or(usize::MAX);
    let rest = text.as_bytes().get(start..).filter(|rest| !rest.is_empty());
    let rest = rest.ok_or_else(|| format!("'{text}' has no character {}", start.saturating_add(1)))?;
    let length = usize::try_from(length).unwrap_or(rest.len()).min(rest.len());
    Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
}

/// Escapes what is special in a regular expression (OVAL 5.11, `EscapeRegexFunctionType`).
fn escape_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"^$\.[](){}*+?|".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_texts() {
        assert_eq!(substring("abcdef", 2, 3).unwrap(), "bcd");
        assert_eq!(substring("abcdef", 0, -1).unwrap(), "abcdef");
        assert_eq!(substring("abcdef", 5, 9).unwrap(), "ef");
        assert!(substring("abc", 4, 1).is_err());
        assert!(substring("", 1, 1).is_err());
    }

    #[test]
    fn numbers() {
        let add = |a, b| Number::of(a).unwrap().combine(ArithmeticOperation::Add, &Number::of(b).unwrap());
        assert_eq!(add("1", " 2").unwrap().into_text(), "3");
        assert_eq!(add("1", "0.5").unwrap().into_text(), "1.500000");
        assert!(add("9223372036854775807", "1").is_err());
        assert!(Number::of("x").is_err());
    }

    #[test]
    fn the_first_list_changes_fastest() {
        let lists = vec![vec!["a", "b"], vec![], vec!["1", "2"]];
        let lists = lists.into_iter().map(|list| list.into_iter().map(str::to_owned).collect()).collect();
        let texts = combinations(lists, |a: &String, b| Ok(format!("{a}{b}"))).unwrap();
        assert_eq!(texts, ["a1", "b1", "a2", "b2"]);
    }
}
