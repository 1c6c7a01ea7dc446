//! `virtscap build`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use virtscap_generator::artifacts;
use virtscap_generator::load::load;
use virtscap_generator::model::Benchmark;

use crate::Outcome;

/// Compile the benchmark: data stream, API resources, manifests
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Folder that holds benchmark/ and profiles/
    #[arg(long, value_name = "DIR", default_value = ".")]
    benchmark: PathBuf,

    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "build")]
    out: PathBuf,

    /// Content image that the ProfileBundle names
    #[arg(long, value_name = "REF", default_value = artifacts::CONTENT_IMAGE)]
    content_image: String,

    /// Write nothing; fail if what is there differs from what would be written
    #[arg(long)]
    check: bool,
}

/// Reads a benchmark, or says everything that is wrong with it.
pub(crate) fn load_benchmark(folder: &Path) -> Result<Benchmark> {
    match load(folder) {
        Ok(benchmark) => Ok(benchmark),
        Err(diagnostics) => {
            anstream::eprint!("{}", diagnostics.render());
            let count = diagnostics.0.len();
            let errors = if count == 1 { "is 1 error" } else { &format!("are {count} errors") };
            bail!("there {errors} in the benchmark; nothing was written");
        }
    }
}

impl Build {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let benchmark = load_benchmark(&self.benchmark)?;
        let files = artifacts::artifacts(&benchmark, &self.content_image)?;
        if self.check {
            let stale = artifacts::differences(&self.out, &files);
            if stale.is_empty() {
                return Ok(Outcome::Success);
            }
            bail!("{} is stale: {}; run virtscap build", self.out.display(), stale.join(", "));
        }
        artifacts::write(&self.out, &files)?;
        let rules = benchmark.rules().count();
        anstream::eprintln!("rules: {rules}, files: {}, in {}", files.len(), self.out.display());
        Ok(Outcome::Success)
    }
}
