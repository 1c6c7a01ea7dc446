//! What an object's entity wants: values that a probe holds against what it finds.

use std::collections::{BTreeSet, HashSet};

use virtscap_scap::oval::{Check, Datatype, Entity, EntityValue, Operation, OvalResult};

use super::Session;
use super::compare::Comparator;
use super::prefix::Prefix;
use super::variables::NoValues;

/// An object's entity with the values of its variable, ready to be held against values.
pub(super) struct Matcher {
    operation: Operation,
    values: Vec<String>,
    comparators: Vec<Comparator>,
    var_check: Check,
    /// Of each regular expression over paths; none where there are no such expressions.
    prefixes: Vec<Prefix>,
}

impl Matcher {
    /// Whether a value is wanted.
    pub(super) fn is_match(&self, value: &str) -> Result<bool, String> {
        if let [only] = self.comparators.as_slice() {
            return Ok(self.var_check.combine([only.compare(value)?]) == OvalResult::True);
        }
        let results = self.comparators.iter().map(|comparator| comparator.compare(value));
        Ok(self.var_check.combine(results.collect::<Result<Vec<_>, _>>()?) == OvalResult::True)
    }

    /// The values, each once, where nothing but one of them is wanted.
    pub(super) fn exactly(&self) -> Option<Vec<&str>> {
        if self.operation != Operation::Equals || !matches!(self.var_check, Check::AtLeastOne | Check::All) {
            return None;
        }
        let mut known = HashSet::new();
        let mut values: Vec<_> = self.values.iter().map(String::as_str).collect();
        values.retain(|value| known.insert(*value));
        // Nothing is equal to all of several different values.
        if self.var_check == Check::All && values.len() > 1 {
            values.clear();
        }
        Some(values)
    }

    /// The values, as they are.
    pub(super) fn values(&self) -> &[String] {
        &self.values
    }

    /// The directories below which everything is that this, a matcher of paths, can match.
    pub(super) fn starts(&self) -> BTreeSet<&str> {
        if self.prefixes.is_empty() {
            return BTreeSet::from(["/"]);
        }
        self.prefixes.iter().map(|prefix| prefix.start.as_str()).collect()
    }

    /// Whether a directory or anything below it can match, for a matcher of paths.
    pub(super) fn may_lead(&self, directory: &str) -> Result<bool, String> {
        if self.prefixes.is_empty() {
            return Ok(true);
        }
        for prefix in &self.prefixes {
            if prefix.may_lead(directory).map_err(|e| e.to_string())? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<'a> Session<'a> {
    /// What an object's entity wants.
    pub(super) fn matcher(&mut self, entity: &Entity) -> Result<Matcher, NoValues> {
        let var_check = match &entity.value {
            EntityValue::Literal(_) => Check::AtLeastOne,
            EntityValue::Variable { var_check, .. } => *var_check,
        };
        let datatype = self.datatype(entity);
        let values = self.entity_values(&entity.value)?;
        let comparators = values.iter().map(|value| Comparator::new(entity.operation, datatype, value));
        let comparators = comparators.collect::<Result<Vec<_>, _>>()?;
        Ok(Matcher { operation: entity.operation, values, comparators, var_check, prefixes: Vec::new() })
    }

    /// What an object's entity of paths wants.
    pub(super) fn path_matcher(&mut self, entity: &Entity) -> Result<Matcher, NoValues> {
        // Of a variable in whatever type the values are texts here.
        let text = Entity { datatype: Datatype::String, ..entity.clone() };
        let mut matcher = self.matcher(&text)?;
        // What none of several matches may be anywhere.
        if matcher.operation == Operation::PatternMatch
            && matches!(matcher.var_check, Check::All | Check::AtLeastOne | Check::OnlyOne)
        {
            let prefixes = matcher.values.iter().map(|value| Prefix::of(value));
            matcher.prefixes = prefixes.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        }
        Ok(matcher)
    }
}
