//! The table of all rules: what checks which recommendation, and where it runs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::case::CelDeviation;
use crate::cel::form;
use crate::model::{Benchmark, Rule, Scope};

/// The table, in Markdown.
pub(crate) fn rules(benchmark: &Benchmark) -> String {
    let mut text = format!(
        "<!-- Made by `virtscap build` from benchmark/ and profiles/. Do not edit. -->\n\n# Rules of the {}\n\n",
        benchmark.title
    );
    text.push_str(
        "Several rules share a recommendation where several places decide it, and not every scanner may read each. Every\n\
         case runs in virtscap and in stock oscap, offenders included; `CEL` is the form for the Compliance Operator's CEL\n\
         scanner, which runs on every case too.\n\n",
    );
    text.push_str("| § | rule | level | reads | virtscap | OpenSCAP | CEL | cases |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for rule in benchmark.rules() {
        let level = rule.level.map_or("–".to_owned(), |level| level.to_string());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | `{}` | {level} | {} | yes | yes | {} | {} |",
            rule.section,
            rule.id,
            match rule.scope() {
                Scope::Platform => "API",
                Scope::Node => "node",
            },
            cel(benchmark, rule),
            rule.cases.len()
        );
    }
    let sections: BTreeSet<_> = benchmark.rules().map(|rule| rule.section.as_str()).collect();
    let cases: usize = benchmark.rules().map(|rule| rule.cases.len()).sum();
    let _ = writeln!(
        text,
        "\n{} recommendations and statements, {} rules, {cases} cases.",
        sections.len(),
        benchmark.rules().count()
    );
    text
}

/// Whether the rule has a CEL form, or why it has none.
fn cel(benchmark: &Benchmark, rule: &Rule) -> String {
    let default = |id: &str| {
        let value = benchmark.values.iter().find(|value| value.id == id);
        value.map(|value| value.default.clone()).unwrap_or_default()
    };
    match rule.check.iter().find_map(|leg| form(leg, &default).err()) {
        Some(reason) => format!("no: {reason}"),
        None => {
            let count = |deviation| rule.cases.iter().filter(|case| case.cel == Some(deviation)).count();
            let mut text = "yes".to_owned();
            for (verb, count) in [("errs", count(CelDeviation::Errs)), ("fails", count(CelDeviation::Fails))]
            {
                if count > 0 {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "; {verb} on {count} cases");
                }
            }
            text
        }
    }
}
