//! `virtscap test`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use virtscap_cli::Verdict;
use virtscap_evaluator::content::Content;
use virtscap_generator::case::Case;
use virtscap_generator::datastream::data_stream;

use crate::Outcome;
use crate::build::load_benchmark;

/// Run the cases of the benchmark's rules
///
/// Exit status: 0 if every case gives its verdict and offenders, 2 if some case does not, 1 if none could be run.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Folder that holds benchmark/ and profiles/
    #[arg(long, value_name = "DIR", default_value = ".")]
    benchmark: PathBuf,

    /// Rule whose cases to run; several times for several rules, left out for all
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
}

impl Test {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let benchmark = load_benchmark(&self.benchmark)?;
        if let Some(unknown) = self.rule.iter().find(|name| !benchmark.rules().any(|rule| rule.id == **name))
        {
            bail!("there is no rule '{unknown}' in the benchmark");
        }
        let content = Content::from_model(data_stream(&benchmark));
        let (mut cases, mut differences) = (0, 0);
        for rule in benchmark.rules() {
            if !self.rule.is_empty() && !self.rule.contains(&rule.id) {
                continue;
            }
            for case in &rule.cases {
                cases += 1;
                let verdict = virtscap_cli::run(&benchmark, &content, rule, case)?;
                if (verdict.result, &verdict.offenders) != (case.expect, &case.offenders) {
                    differences += 1;
                    anstream::println!("{}: {}\n{}", rule.id, case.name, difference(case, &verdict));
                }
            }
        }
        anstream::println!("{} of {cases} cases as expected", cases - differences);
        Ok(if differences == 0 { Outcome::Success } else { Outcome::NotPassed })
    }
}

/// What differs, in lines.
fn difference(case: &Case, verdict: &Verdict) -> String {
    let mut lines = Vec::new();
    if verdict.result != case.expect {
        lines.push(format!("  expected {}, got {}", case.expect, verdict.result));
        lines.extend(verdict.messages.iter().map(|message| format!("    {message}")));
    }
    let missing = case.offenders.iter().filter(|offender| !verdict.offenders.contains(offender));
    lines.extend(missing.map(|offender| format!("  not named: {offender}")));
    let more = verdict.offenders.iter().filter(|offender| !case.offenders.contains(offender));
    lines.extend(more.map(|offender| format!("  not expected: {offender}")));
    if lines.is_empty() {
        lines.push(format!("  the offenders come in another order: {}", verdict.offenders.join(", ")));
    }
    lines.join("\n")
}
