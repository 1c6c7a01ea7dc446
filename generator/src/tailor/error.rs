//! What is wrong with a tailoring.

use std::fmt;

/// Something that is wrong with a tailoring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TailorError {
    /// The content has no such profile, rule or value.
    #[error("the content has no {kind} '{name}'{}", hint(.nearest))]
    Unknown {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The name that is most like it.
        nearest: Option<String>,
    },
    /// An entry does not say why.
    #[error("{entry}: a rationale is missing")]
    NoRationale {
        /// The rule or value.
        entry: String,
    },
    /// A rule is to be two things at once.
    #[error("the rule {rule} is {first} and {second}")]
    Contradiction {
        /// The rule.
        rule: String,
        /// One thing.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// An entry is there twice.
    #[error("{entry} is there twice")]
    Twice {
        /// The rule or value.
        entry: String,
    },
    /// A rule on nodes in a profile for the platform, or the other way round.
    #[error("the rule {rule} is a {scope} rule; a {wanted} profile cannot hold it")]
    OtherScope {
        /// The rule.
        rule: String,
        /// What it looks at.
        scope: &'static str,
        /// What the profile looks at.
        wanted: &'static str,
    },
    /// A value is set to nothing.
    #[error("the value {id} is set to nothing; the operator takes no empty values")]
    Empty {
        /// The value.
        id: String,
    },
    /// A value has line breaks or other control characters.
    #[error("the value {id} holds a line break or another control character")]
    Control {
        /// The value.
        id: String,
    },
    /// A value is of another type.
    #[error("the value {id} cannot be '{value}': it has to be {wanted}")]
    WrongType {
        /// The value.
        id: String,
        /// What it is set to.
        value: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// A value that rules use as a regular expression is none.
    #[error("the value {id} cannot be '{value}', which is no regular expression: {reason}")]
    NoPattern {
        /// The value.
        id: String,
        /// What it is set to.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Kubernetes does not take the name.
    #[error("'{name}' cannot be the name of an object: small letters, digits, '-' and '.' make one")]
    Name {
        /// The name.
        name: String,
    },
    /// The name does not tell that nodes are scanned.
    #[error("the profile {profile} scans nodes, so the name has to end in -node, such as {name}-node")]
    NodeName {
        /// The name.
        name: String,
        /// The profile it starts from.
        profile: String,
    },
    /// A name is not one of the bundle that the others belong to.
    #[error("'{name}' is not of the bundle '{bundle}' that the rest belongs to")]
    OtherBundle {
        /// The name.
        name: String,
        /// The bundle.
        bundle: String,
    },
    /// A rule in CEL cannot be in a profile of SCAP rules.
    #[error(
        "{name}: a CustomRule cannot be in a profile with rules of a data stream; give it a profile of its own"
    )]
    CustomRule {
        /// The rule.
        name: String,
    },
    /// A group is left out, which a TailoredProfile cannot say.
    #[error("the group {group} is left out; a TailoredProfile can leave out rules only")]
    Group {
        /// The group.
        group: String,
    },
    /// A rule is refined, which a TailoredProfile cannot say.
    #[error(
        "the rule {rule} gets another severity, role, weight or check, which a TailoredProfile cannot say"
    )]
    Refined {
        /// The rule.
        rule: String,
    },
    /// A value is set to a list, which nothing here supports.
    #[error("the value {id} is set to a list, which is not supported")]
    List {
        /// The value.
        id: String,
    },
    /// A value has no such alternative.
    #[error("the value {id} has no alternative '{selector}'")]
    Selector {
        /// The value.
        id: String,
        /// The alternative.
        selector: String,
    },
    /// The tailoring holds several profiles, or none.
    #[error("the tailoring holds {}; name one", several(.profiles))]
    Profiles {
        /// Their names.
        profiles: Vec<String>,
    },
    /// The text is no TailoredProfile.
    #[error("not a TailoredProfile: {reason}")]
    Manifest {
        /// Why.
        reason: String,
    },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean '{name}'?)")).unwrap_or_default()
}

fn several(profiles: &[String]) -> String {
    match profiles {
        [] => "no profile".to_owned(),
        profiles => format!("the profiles {}", profiles.join(", ")),
    }
}

/// Everything that is wrong with a tailoring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailorErrors(pub Vec<TailorError>);

impl From<TailorError> for TailorErrors {
    fn from(error: TailorError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for TailorErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n  " };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for TailorErrors {}
