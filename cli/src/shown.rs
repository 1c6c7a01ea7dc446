//! What becomes of a report: files, the terminal, the exit status.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use virtscap_evaluator::report::nodes::{self, NodesReport};
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
            output::write(file, &json(report)?)?;
        }
        self.print(&text::render(report, self.all));
        Ok(if report.passed { Outcome::Success } else { Outcome::NotPassed })
    }

    /// Shows what nodes have in common. The files are the cluster's, unless nodes `alone` were scanned.
    pub(crate) fn show_nodes(&self, report: &NodesReport, alone: bool) -> Result<Outcome> {
        if let Some(file) = self.html.as_ref().filter(|_| alone) {
            output::write(file, &html::nodes(report, false)?)?;
        }
        if let Some(file) = self.json.as_ref().filter(|_| alone) {
            output::write(file, &json(report)?)?;
        }
        self.print(&nodes::render(report, self.all));
        Ok(if report.passed { Outcome::Success } else { Outcome::NotPassed })
    }

    /// JSON on standard output stands alone, so that it can be piped.
    fn print(&self, text: &str) {
        if self.json.as_deref() != Some(Path::new("-")) {
            anstream::print!("{text}");
        }
    }
}

/// A report as JSON, as files hold it.
pub(crate) fn json(report: &impl serde::Serialize) -> Result<String> {
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    Ok(json)
}
