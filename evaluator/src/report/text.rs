//! The report on a terminal: a line per rule, its offenders below it.

use std::fmt::Write as _;

use virtscap_scap::xccdf::XccdfResult;

use super::{Report, counted};

/// How many offenders of a rule are shown before the rest is counted.
pub(super) const SHOWN: usize = 20;

pub(super) const RESET: &str = "\u{1b}[0m";

/// The report as text with colours in ANSI escapes; `all` shows every offender.
pub fn render(report: &Report, all: bool) -> String {
    let mut out = String::new();
    let width = report.rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    for rule in &report.rules {
        head(rule.result, rule.section.as_deref(), (&rule.id, width), &rule.title, &mut out);
        let limit = if all { usize::MAX } else { SHOWN };
        for offender in rule.offenders.iter().take(limit) {
            let _ = writeln!(out, "    - {}", shown(&offender.to_string()));
        }
        rest(rule.offenders.len(), limit, &mut out);
        for message in &rule.messages {
            let _ = writeln!(out, "    {}: {}", message.severity, shown(&message.text));
        }
    }
    if let Some(unsupported) = report.unsupported_text() {
        let _ = writeln!(
            out,
            "\nnot supported, so that rules resting on it are not decided: {}",
            shown(&unsupported)
        );
    }
    if let Some(partial) = &report.partial {
        let _ =
            writeln!(out, "\nThis scan is partial: {}. What was not answered is undecided.", shown(partial));
    }
    let name = report.profile.as_ref().map_or("the benchmark", |profile| &profile.name);
    let verdict = if report.passed { "passed" } else { "not passed" };
    let counts = if report.counts.is_empty() { "no rules".to_owned() } else { counted(&report.counts) };
    let _ = writeln!(out, "\n{}: {verdict} ({counts})", shown(name));
    out
}

/// The line that a rule begins with; its id is as wide as the widest.
pub(super) fn head(
    result: XccdfResult,
    section: Option<&str>,
    (id, width): (&str, usize),
    title: &str,
    out: &mut String,
) {
    // Writing to a String does not fail.
    let _ = writeln!(
        out,
        "{}{:<13}{RESET} {:<5} {:<width$}  {}",
        colour(result),
        result.as_str(),
        section.unwrap_or_default(),
        shown(id),
        shown(title)
    );
}

/// Says that there are more offenders than are shown.
pub(super) fn rest(offenders: usize, limit: usize, out: &mut String) {
    if offenders > limit {
        let more = offenders - limit;
        let _ = writeln!(out, "    … and {more} more (see the reports, or use --all)");
    }
}

fn colour(result: XccdfResult) -> &'static str {
    match result {
        XccdfResult::Pass | XccdfResult::Fixed => "\u{1b}[32m",
        XccdfResult::Fail => "\u{1b}[1;31m",
        XccdfResult::Error | XccdfResult::Unknown => "\u{1b}[1;33m",
        _ => "\u{1b}[2m",
    }
}

/// A text for a terminal. Names come from the cluster: control characters in them must not reach it.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}
