//! The report on a terminal: a line per rule, its offenders below it.

use std::fmt::Write as _;

use virtscap_scap::xccdf::XccdfResult;

use super::Report;

/// How many offenders of a rule are shown before the rest is counted.
pub(super) const SHOWN: usize = 20;

pub(super) const RESET: &str = "\u{1b}[0m";

/// The report as text with colours in ANSI escapes; `all` shows every offender.
pub fn render(report: &Report, all: bool) -> String {
    let mut out = String::new();
    let width = report.rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    for rule in &report.rules {
        let colour = colour(rule.result);
        let section = rule.section.as_deref().unwrap_or_default();
        // Writing to a String does not fail.
        let _ = writeln!(
            out,
            "{colour}{:<13}{RESET} {section:<5} {:<width$}  {}",
            rule.result.as_str(),
            shown(&rule.id),
            shown(&rule.title)
        );
        let limit = if all { usize::MAX } else { SHOWN };
        for offender in rule.offenders.iter().take(limit) {
            let separator = if offender.detail.is_empty() { "" } else { ": " };
            let _ = writeln!(out, "    - {}{separator}{}", shown(&offender.object), shown(&offender.detail));
        }
        if rule.offenders.len() > limit {
            let more = rule.offenders.len() - limit;
            let _ = writeln!(out, "    … and {more} more (see the reports, or use --all)");
        }
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
    let counts: Vec<_> = report.counts.iter().map(|(result, count)| format!("{count} {result}")).collect();
    let name = report.profile.as_ref().map_or("the benchmark", |profile| &profile.name);
    let verdict = if report.passed { "passed" } else { "not passed" };
    let counts = if counts.is_empty() { "no rules".to_owned() } else { counts.join(", ") };
    let _ = writeln!(out, "\n{}: {verdict} ({counts})", shown(name));
    out
}

pub(super) fn colour(result: XccdfResult) -> &'static str {
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
