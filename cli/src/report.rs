//! `virtscap report`.

use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use virtscap_evaluator::report::read;

use crate::Outcome;
use crate::content::ContentArgs;
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
        let known = content.checklist()?.benchmark;
        let bytes = std::fs::read(&self.file).with_context(named)?;
        let xml = String::from_utf8(expanded(bytes).with_context(named)?);
        let xml = xml.context("the text is not in UTF-8").with_context(named)?;
        let (report, texts) =
            read::read(xml.trim_start_matches('\u{feff}'), Some(known)).with_context(named)?;
        self.shown.show(&report, &texts)
    }
}

/// The most that a compressed file may expand to: results of real clusters have some tens of megabytes.
const MAX_EXPANDED: u64 = 2 << 30;

/// A file as it was before it was compressed. Its content tells how; names do not.
fn expanded(bytes: Vec<u8>) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let limit = MAX_EXPANDED + 1;
    match bytes.as_slice() {
        [0x1f, 0x8b, ..] => {
            let gzip = flate2::read::MultiGzDecoder::new(bytes.as_slice());
            gzip.take(limit).read_to_end(&mut out).context("gzip")?;
        }
        [b'B', b'Z', b'h', ..] => {
            let bzip2 = bzip2::read::MultiBzDecoder::new(bytes.as_slice());
            bzip2.take(limit).read_to_end(&mut out).context("bzip2")?;
        }
        _ => return Ok(bytes),
    }
    if out.len() as u64 > MAX_EXPANDED {
        bail!("it expands to more than {MAX_EXPANDED} bytes");
    }
    Ok(out)
}
