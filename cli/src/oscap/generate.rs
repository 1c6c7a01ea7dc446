//! `oscap xccdf generate`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use virtscap_evaluator::content::Selection;
use virtscap_evaluator::report::{html, read};
use virtscap_evaluator::scan::Prepared;

use super::refused::Refused;
use super::xccdf::Profile;
use super::{Status, load};
use crate::content::named;
use crate::output;

/// A report of results, in HTML
#[derive(Debug, Args)]
#[command(infer_long_args = true)]
pub(super) struct Report {
    /// Write to this file, and not to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    refused: Refused,

    /// ARF, or XCCDF results
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Report {
    pub(super) fn run(&self) -> Result<Status> {
        self.refused.check()?;
        let xml = load::text(&self.file)?;
        let (report, texts) = read::read(&xml, None).with_context(|| self.file.display().to_string())?;
        output::write(target(&self.output), &html::render(&report, &texts)?)?;
        Ok(Status::Success)
    }
}

/// A guide: the rules of a profile with their texts, in HTML
#[derive(Debug, Args)]
#[command(infer_long_args = true)]
pub(super) struct Guide {
    /// Profile, by the end of its id
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Write to this file, and not to standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// XCCDF tailoring file
    #[arg(long, value_name = "FILE", conflicts_with = "tailoring_id")]
    tailoring_file: Option<PathBuf>,

    /// Tailoring within the data stream, by the id of the reference to it
    #[arg(long, value_name = "ID")]
    tailoring_id: Option<String>,

    /// Benchmark, by the id of the reference to it
    #[arg(long, value_name = "ID")]
    xccdf_id: Option<String>,

    /// Benchmark, by its id
    #[arg(long, value_name = "ID")]
    benchmark_id: Option<String>,

    /// Accepted: it has no effect in oscap either
    #[arg(long, hide = true)]
    hide_profile_info: bool,

    #[command(flatten)]
    refused: Refused,

    /// XCCDF file or source data stream
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Guide {
    /// The profile may stand before the word guide, too.
    pub(super) fn run(&self, profile: Option<&str>) -> Result<Status> {
        self.refused.check()?;
        let mut content = load::content(&self.file, &[])?;
        content.select(Selection {
            data_stream: None,
            reference: self.xccdf_id.clone(),
            benchmark: self.benchmark_id.clone(),
        });
        let tailoring =
            load::tailoring(&content, self.tailoring_file.as_deref(), self.tailoring_id.as_deref())?;
        let name = self.profile.as_deref().or(profile);
        let found = Profile::find(name, &content, tailoring.as_ref(), &self.file)?;
        let request = found.request(&content, tailoring.as_ref());
        let named = || named(&self.file.display().to_string(), tailoring.as_ref());
        let prepared = Prepared::new(&request).with_context(named)?;
        output::write(target(&self.output), &html::guide(&prepared)?)?;
        Ok(Status::Success)
    }
}

fn target(output: &Option<PathBuf>) -> &Path {
    output.as_deref().unwrap_or(Path::new("-"))
}
