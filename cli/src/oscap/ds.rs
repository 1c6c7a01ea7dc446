//! `oscap ds`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use virtscap_scap::info::DocumentKind;
use virtscap_scap::split::split;
use virtscap_scap::validate::validate;

use super::refused::Refused;
use super::{Status, load};
use crate::output;

/// Write the parts of a source data stream as files of their own: a checklist with all that it refers to, and the
/// dictionaries
#[derive(Debug, Args)]
#[command(infer_long_args = true)]
pub(super) struct Split {
    /// Data stream of the collection, by its id
    #[arg(long, value_name = "ID")]
    datastream_id: Option<String>,

    /// Checklist, by the id of the reference to it
    #[arg(long, value_name = "ID")]
    xccdf_id: Option<String>,

    /// Accepted: nothing is validated in any case
    #[arg(long, alias = "skip-valid")]
    skip_validation: bool,

    #[command(flatten)]
    refused: Refused,

    /// Source data stream
    #[arg(value_name = "SDS")]
    file: PathBuf,

    /// Folder to write to; it is made where it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Split {
    pub(super) fn run(&self) -> Result<Status> {
        self.refused.check()?;
        let xml = load::text(&self.file)?;
        if load::kind(&self.file, &xml)? != DocumentKind::SourceDataStream {
            bail!("Could not create Source DataStream session: File is not Source DataStream.");
        }
        let named = || self.file.display().to_string();
        let parts = split(&xml, self.datastream_id.as_deref(), self.xccdf_id.as_deref());
        let parts = parts.with_context(named)?;
        for remote in &parts.remote {
            anstream::eprintln!("WARNING: Skipping '{remote}': virtscap fetches nothing from the net.");
        }
        for (name, text) in &parts.files {
            output::write(&self.folder.join(within(name)?), text)?;
        }
        Ok(Status::Success)
    }
}

/// A name of the content as a path that leads to no other folder.
fn within(name: &str) -> Result<&Path> {
    let path = Path::new(name);
    let plain = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if plain && !name.is_empty() {
        Ok(path)
    } else {
        Err(anyhow!("the content names a part '{name}', which leads out of the folder"))
    }
}

/// Check the structure of a source data stream
///
/// This is no validation against XML schemas, which oscap does. What is checked: that the text is well-formed and a source
/// data stream; that ids are unique and of the right form; required attributes and children, and values of enumerations;
/// that references, catalogs and the hrefs of checks lead somewhere; and that benchmark, OVAL, OCIL and CPE components can
/// be read. What is found is named with its line, and with what to do.
///
/// Exit status: 0 where nothing was found, 1 otherwise.
#[derive(Debug, Args)]
#[command(infer_long_args = true)]
pub(super) struct Validate {
    #[command(flatten)]
    refused: Refused,

    /// Source data stream
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// How many problems are shown.
const SHOWN: usize = 100;

impl Validate {
    pub(super) fn run(&self) -> Result<Status> {
        self.refused.check()?;
        let xml = load::text(&self.file)?;
        match load::kind(&self.file, &xml)? {
            DocumentKind::SourceDataStream => {}
            other => bail!(
                "{} is a document of the type {}; only source data streams can be checked",
                self.file.display(),
                other.name()
            ),
        }
        let problems = validate(&xml).with_context(|| self.file.display().to_string())?;
        let name = self.file.display();
        for problem in problems.iter().take(SHOWN) {
            anstream::eprintln!("{name}:{problem}");
        }
        if problems.len() > SHOWN {
            anstream::eprintln!("{name}: {} more problems are not shown", problems.len() - SHOWN);
        }
        if !problems.is_empty() {
            bail!("Invalid SCAP Source Datastream content in {name}: {} problems.", problems.len());
        }
        anstream::eprintln!(
            "{name}: the structure is in order. It was not validated against the XML schemas; oscap ds sds-validate does that."
        );
        Ok(Status::Success)
    }
}
