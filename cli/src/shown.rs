//! What becomes of a report: files, the terminal, the exit status.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use virtscap_evaluator::report::{Report, ReportTexts, html, text};

use crate::{Outcome, output};

/// How a report is shown.
#[derive(Debug, Args)]
pub(crate) struct Shown {
    /// Write a report to read, in HTML
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Write the results as JSON; - is standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Show every offender on the terminal
    #[arg(long)]
    all: bool,
}

impl Shown {
    pub(crate) fn show(&self, report: &Report, texts: &ReportTexts) -> Result<Outcome> {
        if let Some(file) = &self.html {
            output::write(file, &html::render(report, texts)?)?;
        }
        if let Some(file) = &self.json {
            let mut json = serde_json::to_string_pretty(report)?;
            json.push('\n');
            output::write(file, &json)?;
        }
        // JSON on standard output stands alone, so that it can be piped.
        if self.json.as_deref() != Some(Path::new("-")) {
            anstream::print!("{}", text::render(report, self.all));
        }
        Ok(if report.passed { Outcome::Success } else { Outcome::NotPassed })
    }
}
