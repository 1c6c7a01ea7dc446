//! Tailoring: which rules an organisation leaves out or adds to a profile, and what its values are, with the reason for
//! each. It has two forms, an XCCDF tailoring file and the Compliance Operator's `TailoredProfile`, and one model,
//! [`Tailored`], between them.
//!
//! Names are resolved against a data stream, not against the benchmark in YAML, so that foreign content can be tailored
//! too.

mod catalog;
mod error;
mod manifest;
mod xccdf;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use virtscap_scap::id::{ProfileId, RuleId, ValueId};
use virtscap_scap::xccdf::ValueType;

pub use catalog::{BUNDLE, Catalog};
pub use error::{TailorError, TailorErrors};
pub use manifest::from_manifest;
pub use xccdf::from_xccdf;

use crate::model::Scope;

/// A profile with an organisation's own choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tailored {
    /// Its name, a DNS name as Kubernetes has them.
    pub name: String,
    /// The profile that it starts from; none: from nothing.
    pub extends: Option<ProfileId>,
    /// Its title, on one line.
    pub title: String,
    /// What it is for, on one line.
    pub description: String,
    /// What becomes of rules.
    pub rules: Vec<RuleChoice>,
    /// What values are set to.
    pub values: Vec<ValueChoice>,
}

/// What becomes of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChoice {
    /// The rule.
    pub rule: RuleId,
    /// What becomes of it.
    pub action: Action,
    /// Why.
    pub rationale: String,
}

/// What a tailoring does with a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Takes it in.
    Enable,
    /// Leaves it out.
    Disable,
    /// Takes it in, for a person to judge.
    Manual,
}

impl Action {
    /// What was done to the rule, in a sentence.
    fn done(self) -> &'static str {
        match self {
            Self::Enable => "enabled",
            Self::Disable => "disabled",
            Self::Manual => "made manual",
        }
    }
}

/// What a value is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueChoice {
    /// The value.
    pub id: ValueId,
    /// What it is set to.
    pub value: String,
    /// Why.
    pub rationale: String,
}

impl Tailored {
    /// Checks that the content can be tailored like this, and that the operator would take it.
    ///
    /// # Errors
    /// [`TailorErrors`] with everything that is wrong.
    pub fn check(&self, catalog: &Catalog<'_>) -> Result<(), TailorErrors> {
        let mut errors = Vec::new();
        self.check_name(catalog, &mut errors);
        let mut actions = BTreeMap::new();
        for choice in &self.rules {
            let rule = choice.rule.short_name().to_owned();
            match actions.insert(&choice.rule, choice.action) {
                Some(first) if first == choice.action => {
                    errors.push(TailorError::Twice { entry: rule.clone() });
                }
                Some(first) => errors.push(TailorError::Contradiction {
                    rule: rule.clone(),
                    first: first.done(),
                    second: choice.action.done(),
                }),
                None => {}
            }
            self.check_scope(choice, catalog, &mut errors);
            if choice.rationale.is_empty() {
                errors.push(TailorError::NoRationale { entry: rule });
            }
        }
        let mut set = BTreeMap::new();
        for choice in &self.values {
            let id = choice.id.short_name().to_owned();
            if set.insert(&choice.id, ()).is_some() {
                errors.push(TailorError::Twice { entry: id.clone() });
            }
            check_value(choice, catalog, &mut errors);
            if choice.rationale.is_empty() {
                errors.push(TailorError::NoRationale { entry: id });
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(TailorErrors(errors)) }
    }

    fn check_name(&self, catalog: &Catalog<'_>, errors: &mut Vec<TailorError>) {
        let label = |label: &str| {
            let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            !label.is_empty() && label.chars().all(inner) && !label.starts_with('-') && !label.ends_with('-')
        };
        if self.name.len() > 253 || !self.name.split('.').all(label) {
            errors.push(TailorError::Name { name: self.name.clone() });
        }
        // Without a profile to start from, the operator goes by the name alone; with one, the results' names should
        // tell all the same.
        let is_node = self.name.ends_with("-node");
        match &self.extends {
            Some(profile) if catalog.profile_scope(profile) == Some(Scope::Node) && !is_node => {
                errors.push(TailorError::NodeName {
                    name: self.name.clone(),
                    profile: profile.short_name().to_owned(),
                });
            }
            _ => {}
        }
    }

    /// The scope of the scan: that of the profile it starts from, else what the operator makes of the name.
    fn scope(&self, catalog: &Catalog<'_>) -> Scope {
        let by_name = if self.name.ends_with("-node") { Scope::Node } else { Scope::Platform };
        self.extends.as_ref().and_then(|profile| catalog.profile_scope(profile)).unwrap_or(by_name)
    }

    fn check_scope(&self, choice: &RuleChoice, catalog: &Catalog<'_>, errors: &mut Vec<TailorError>) {
        let wanted = self.scope(catalog);
        // The operator refuses a rule of another kind wherever it stands, even where it is left out.
        if catalog.rule_scope(&choice.rule).is_some_and(|scope| scope != wanted) {
            errors.push(TailorError::OtherScope {
                rule: choice.rule.short_name().to_owned(),
                scope: if wanted == Scope::Node { Scope::Platform } else { Scope::Node }.as_str(),
                wanted: wanted.as_str(),
            });
        }
    }
}

fn check_value(choice: &ValueChoice, catalog: &Catalog<'_>, errors: &mut Vec<TailorError>) {
    let id = choice.id.short_name().to_owned();
    let value = choice.value.clone();
    let Some(known) = catalog.value_of(&choice.id) else { return };
    if value.is_empty() {
        return errors.push(TailorError::Empty { id });
    }
    // XML cannot hold most of them, and reads some of the others back as spaces.
    if value.chars().any(char::is_control) {
        return errors.push(TailorError::Control { id });
    }
    match known.value_type {
        ValueType::Number if value.parse::<f64>().is_ok_and(f64::is_finite) => {}
        ValueType::Number => errors.push(TailorError::WrongType { id, value, wanted: "a number" }),
        ValueType::Boolean if matches!(value.as_str(), "true" | "false") => {}
        ValueType::Boolean => errors.push(TailorError::WrongType { id, value, wanted: "true or false" }),
        ValueType::String => {
            if catalog.is_pattern(&choice.id)
                && let Err(e) = pcre2::bytes::RegexBuilder::new().utf(true).build(&value)
            {
                errors.push(TailorError::NoPattern { id, value, reason: e.to_string() });
            }
        }
    }
}

/// A text on one line, as the operator wants titles and descriptions.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
