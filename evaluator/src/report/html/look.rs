//! How results are shown: words, symbols, and which of them count alike.

use std::collections::BTreeMap;

use virtscap_scap::xccdf::XccdfResult;

use crate::report::RuleReport;

/// How a result is shown.
pub(super) struct Look {
    /// One of `pass`, `fail`, `undecided`, `na` and `other`; colours and filters go by it.
    pub(super) kind: &'static str,
    /// Name of the symbol in the template.
    pub(super) icon: &'static str,
    pub(super) word: &'static str,
    pub(super) meaning: &'static str,
}

/// The results in the order of the page's columns.
pub(super) const RESULTS: [XccdfResult; 9] = [
    XccdfResult::Pass,
    XccdfResult::Fail,
    XccdfResult::Error,
    XccdfResult::Unknown,
    XccdfResult::NotChecked,
    XccdfResult::NotApplicable,
    XccdfResult::Fixed,
    XccdfResult::Informational,
    XccdfResult::NotSelected,
];

pub(super) fn look(result: XccdfResult) -> Look {
    let (kind, icon, word, meaning) = match result {
        XccdfResult::Pass => ("pass", "pass", "Pass", "The data was read, and it is as the rule asks."),
        XccdfResult::Fail => ("fail", "fail", "Fail", "The data was read, and it is not as the rule asks."),
        XccdfResult::Error => {
            ("undecided", "error", "Error", "The check went wrong. The rule may hold or not: nobody knows.")
        }
        XccdfResult::Unknown => (
            "undecided",
            "unknown",
            "Unknown",
            "The data could not be read, or not in full. The rule may hold or not: nobody knows.",
        ),
        XccdfResult::NotChecked => (
            "undecided",
            "notchecked",
            "Not checked",
            "The scanner has no check for the rule, could not run it, or what was scanned need not hold all that the rule reads. Check it by hand.",
        ),
        XccdfResult::NotApplicable => {
            ("na", "na", "Not applicable", "The rule has no meaning on the system that was scanned.")
        }
        XccdfResult::Fixed => {
            ("other", "other", "Fixed", "The rule failed, and the system was changed to comply.")
        }
        XccdfResult::Informational => {
            ("other", "other", "Informational", "The rule only gathers information and judges nothing.")
        }
        XccdfResult::NotSelected => ("other", "other", "Not selected", "The profile leaves the rule out."),
    };
    Look { kind, icon, word, meaning }
}

pub(super) const KINDS: [(&str, &str, &str); 5] = [
    ("fail", "Fail", "fail"),
    ("undecided", "Not decided", "unknown"),
    ("pass", "Pass", "pass"),
    ("na", "Not applicable", "na"),
    ("other", "Other", "other"),
];

/// How many rules gave each result, counted from the rules that the page lists.
pub(super) type Counts = BTreeMap<&'static str, usize>;

pub(super) fn count<'a>(rules: impl IntoIterator<Item = &'a RuleReport>) -> Counts {
    let mut counts = Counts::new();
    for rule in rules {
        *counts.entry(rule.result.as_str()).or_default() += 1;
    }
    counts
}

pub(super) fn of_result(counts: &Counts, result: XccdfResult) -> usize {
    counts.get(result.as_str()).copied().unwrap_or_default()
}

pub(super) fn of_kind(counts: &Counts, kind: &str) -> usize {
    RESULTS.iter().filter(|r| look(**r).kind == kind).map(|r| of_result(counts, *r)).sum()
}
