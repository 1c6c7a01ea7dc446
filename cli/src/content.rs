//! Which benchmark a command works with.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use virtscap_evaluator::content::Content;
use virtscap_generator::datastream::data_stream;
use virtscap_generator::model::Benchmark;
use virtscap_scap::xccdf::Tailoring;

use crate::build::load_benchmark;
use crate::input;

/// The benchmark that comes with the program.
const EMBEDDED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../build/ssg-ocp-virt-ds.xml"));

/// The benchmark, of one of three places.
#[derive(Debug, Args)]
pub(crate) struct ContentArgs {
    /// Source data stream to work with, instead of the benchmark that comes with virtscap
    #[arg(long, value_name = "FILE", conflicts_with = "benchmark")]
    datastream: Option<PathBuf>,

    /// Folder that holds benchmark/ and profiles/, to compile and work with
    #[arg(long, value_name = "DIR")]
    benchmark: Option<PathBuf>,
}

impl ContentArgs {
    pub(crate) fn load(&self) -> Result<Content> {
        match (&self.datastream, &self.benchmark) {
            (Some(file), _) => {
                let named = || file.display().to_string();
                let xml = input::text(file).with_context(named)?;
                Content::from_xml(xml).with_context(named)
            }
            (None, Some(folder)) => Ok(Content::from_model(data_stream(&load_benchmark(folder)?))),
            (None, None) => embedded(),
        }
    }

    /// The benchmark in YAML.
    pub(crate) fn benchmark(&self) -> Result<Benchmark> {
        let folder = self.benchmark.as_deref().context("name the benchmark's folder with --benchmark")?;
        load_benchmark(folder)
    }

    /// Whether the benchmark is the project's own.
    pub(crate) fn is_own(&self) -> bool {
        self.datastream.is_none()
    }

    /// The data stream's file name, as a tailoring refers to it.
    pub(crate) fn href(&self) -> String {
        match &self.datastream {
            Some(file) => file.display().to_string(),
            None => virtscap_generator::datastream::FILE_NAME.to_owned(),
        }
    }
}

/// The files to name where a profile cannot be applied: the content, and the tailoring where there is one.
pub(crate) fn named(file: &str, tailoring: Option<&(Tailoring, String)>) -> String {
    tailoring.map_or_else(|| file.to_owned(), |(_, href)| format!("{file} with {href}"))
}

/// The benchmark that comes with the program.
pub(crate) fn embedded() -> Result<Content> {
    Content::from_xml(EMBEDDED.to_owned()).context("the benchmark within virtscap")
}
