//! `virtscap report`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use virtscap_evaluator::report::read;

use crate::Outcome;
use crate::content::ContentArgs;
use crate::input;
use crate::shown::Shown;

/// Show results that are there already: an ARF or XCCDF results
///
/// Takes what virtscap, oscap and the Compliance Operator write, also compressed with bzip2 or gzip as the operator stores
/// it. Results that do not hold their benchmark are read with the one that comes with virtscap, or the one that is named.
///
/// Exit status as virtscap scan: 0 if all rules passed, 2 if some rule did not pass, 1 if nothing could be shown.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// ARF or XCCDF results: XML, or .bz2, .bzip2 or .gz of it
    #[arg(value_name = "ARF")]
    file: PathBuf,

    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    content: ContentArgs,
}

impl Report {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let named = || self.file.display().to_string();
        let content = self.content.load()?;
        let known = content.checklist().with_context(|| self.content.href())?.benchmark;
        let bytes = input::bytes(&self.file).with_context(named)?;
        let xml = input::utf8(expanded(bytes).with_context(named)?).with_context(named)?;
        let (report, texts) = read::read(&xml, Some(known)).with_context(named)?;
        self.shown.show(&report, &texts)
    }
}

/// A file as it was before it was compressed. Its content tells how; names do not.
fn expanded(bytes: Vec<u8>) -> Result<Vec<u8>> {
    match bytes.as_slice() {
        [0x1f, 0x8b, ..] => {
            input::bounded(flate2::read::MultiGzDecoder::new(bytes.as_slice())).context("expanded from gzip")
        }
        [b'B', b'Z', b'h', ..] => {
            input::bounded(bzip2::read::MultiBzDecoder::new(bytes.as_slice())).context("expanded from bzip2")
        }
        _ => Ok(bytes),
    }
}
