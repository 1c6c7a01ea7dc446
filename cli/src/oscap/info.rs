//! `oscap info`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use virtscap_scap::info::{Question, info};

use super::refused::Refused;
use super::{Status, load, print};

/// Tell what a SCAP file is, and what is in it
#[derive(Debug, Args)]
#[command(infer_long_args = true)]
pub(super) struct Info {
    /// Tell about one profile, by the end of its id
    #[arg(long, value_name = "ID")]
    profile: Option<String>,

    /// List the profiles as ID:TITLE
    #[arg(long)]
    profiles: bool,

    #[command(flatten)]
    refused: Refused,

    /// SCAP file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Info {
    pub(super) fn run(&self) -> Result<Status> {
        self.refused.check()?;
        let question = match (&self.profile, self.profiles) {
            (Some(suffix), _) => Question::Profile(suffix),
            (None, true) => Question::Profiles,
            (None, false) => Question::Everything,
        };
        let answer = load::text(&self.file)
            .and_then(|xml| info(&xml, &imported(&self.file)?, question).map_err(Into::into))
            .with_context(|| format!("Unknown document type: '{}'", self.file.display()));
        let answer = match answer {
            Ok(answer) => answer,
            Err(e) => {
                print("Could not determine document type\n")?;
                return Err(e);
            }
        };
        print(&answer.text)?;
        for problem in &answer.problems {
            anstream::eprintln!(
                "{problem} Get available profiles using:\n$ oscap info \"{}\"",
                self.file.display()
            );
        }
        Ok(Status::Success)
    }
}

/// When a file was written, in local time.
fn imported(file: &Path) -> Result<String> {
    let written = Timestamp::try_from(std::fs::metadata(file)?.modified()?)?;
    Ok(written.to_zoned(TimeZone::system()).strftime("%Y-%m-%dT%H:%M:%S").to_string())
}
