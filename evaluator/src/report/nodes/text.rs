//! The summary on a terminal.

use std::fmt::Write as _;

use super::{NodesReport, NodesRule};
use crate::report::counted;
use crate::report::text::{RESET, SHOWN, head, rest, shown};

/// How many nodes are named before the rest is counted.
const NAMED: usize = 8;

/// The summary as text with colours in ANSI escapes; `all` shows every offender and names every node.
pub fn render(report: &NodesReport, all: bool) -> String {
    let mut out = String::new();
    let width = report.rules.iter().map(|rule| rule.id.len()).max().unwrap_or_default();
    for rule in &report.rules {
        head(rule.result(), rule.section.as_deref(), (&rule.id, width), &rule.title, &mut out);
        details(rule, all, &mut out);
    }
    out.push('\n');
    for node in &report.nodes {
        let name = shown(&node.name);
        // Writing to a String does not fail.
        let _ = match &node.not_scanned {
            Some(reason) => writeln!(out, "{name}: \u{1b}[1;33mnot scanned{RESET}: {}", shown(reason)),
            None => {
                let verdict = if node.passed { "passed" } else { "not passed" };
                writeln!(out, "{name}: {verdict} ({})", counted(&node.counts))
            }
        };
    }
    let of = |count: usize| format!("{count} of {}", report.nodes.len());
    let passed = report.nodes.iter().filter(|node| node.passed).count();
    let not_scanned = report.nodes.iter().filter(|node| node.not_scanned.is_some()).count();
    let profile = report.profile.as_ref().map_or("the benchmark", |profile| &profile.name);
    let verdict = if report.passed { "passed" } else { "not passed" };
    let _ = writeln!(
        out,
        "\n{}: {verdict} ({} nodes passed, {} not scanned)",
        shown(profile),
        of(passed),
        of(not_scanned)
    );
    out
}

fn details(rule: &NodesRule, all: bool, out: &mut String) {
    if rule.inconsistent {
        let results =
            rule.results.iter().map(|of| format!("{} on {}", of.result.as_str(), named(&of.nodes, all)));
        let _ = writeln!(out, "    inconsistent: {}", results.collect::<Vec<_>>().join("; "));
    }
    let limit = if all { usize::MAX } else { SHOWN };
    for of in rule.offenders.iter().take(limit) {
        let _ = writeln!(out, "    - {} (on {})", shown(&of.offender.to_string()), named(&of.nodes, all));
    }
    rest(rule.offenders.len(), limit, out);
    for of in &rule.messages {
        let _ = writeln!(
            out,
            "    {}: {} (on {})",
            of.message.severity,
            shown(&of.message.text),
            named(&of.nodes, all)
        );
    }
}

/// Names of nodes; they are the API server's, and shown as such.
fn named(nodes: &[String], all: bool) -> String {
    let limit = if all { usize::MAX } else { NAMED };
    let mut text = nodes.iter().take(limit).map(|name| shown(name)).collect::<Vec<_>>().join(", ");
    if nodes.len() > limit {
        let _ = write!(text, " and {} more", nodes.len() - limit);
    }
    text
}
