//! What a source that is no API server cannot promise of its answers.
//!
//! A must-gather or a folder of manifests holds some objects of a cluster. OVAL knows nothing of that: its results stay
//! what they are. [`crate::oval::Session::certain`] asks which of them would stay with what may be missing, and a rule
//! whose result would not is `notchecked`, or `unknown` where something that is there could not be read.

use std::collections::BTreeSet;

/// How many problems are named.
const NAMED: usize = 5;

/// Problems in words; none where there are none. Of many the first are named.
pub(crate) fn told<'a>(problems: impl IntoIterator<Item = &'a String>) -> Option<String> {
    let all: Vec<_> = problems.into_iter().map(String::as_str).collect();
    let named = all.iter().take(NAMED).copied().collect::<Vec<_>>().join("; ");
    match all.len() {
        0 => None,
        many if many > NAMED => Some(format!("{named}; and {} more", many - NAMED)),
        _ => Some(named),
    }
}

/// What is known to be wanting in the answer to an API path, or in a node's files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// What kind of gap.
    pub kind: GapKind,
    /// Why, in words, with the path that was asked for.
    pub reason: String,
}

/// The kinds of gaps. Those that weigh more come first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GapKind {
    /// Something that belongs to the answer is there and could not be read.
    Damaged,
    /// There is no answer, since sources of this kind, or this one, do not have it.
    NotContained,
    /// There may be more than what was answered.
    Partial,
    /// Objects are given in these versions of the API, as they are written. Who reads all of these lacks nothing; for others
    /// it is as if they were not contained.
    Versions(BTreeSet<String>),
    /// Nothing of the kind was given. The answer is an empty list, for the sake of rules that read other kinds too.
    NoneGiven,
}
