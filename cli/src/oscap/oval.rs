//! `oscap oval eval`.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use virtscap_evaluator::content::{Content, Selection};
use virtscap_evaluator::oval_scan::{evaluate, read_variables};
use virtscap_evaluator::report::{html, oval};
use virtscap_evaluator::time;
use virtscap_scap::datastream::ComponentContent;
use virtscap_scap::info::DocumentKind;
use virtscap_scap::oval::OvalDefinitions;

use super::refused::Refused;
use super::{Status, load, print};
use crate::output;

/// Evaluate OVAL definitions on this system
///
/// FILE is an OVAL file, or a source data stream that holds one. The system is what OSCAP_PROBE_ROOT names, or /.
#[derive(Debug, Args)]
#[command(infer_long_args = true)]
pub(super) struct Eval {
    /// Evaluate this definition alone
    #[arg(long, value_name = "ID")]
    id: Option<String>,

    /// Values of external variables: an oval_variables document
    #[arg(long, value_name = "FILE")]
    variables: Option<PathBuf>,

    /// Write OVAL results
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,

    /// Write a report to read, in HTML
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Accepted: nothing is validated in any case
    #[arg(long, alias = "skip-valid")]
    skip_validation: bool,

    /// Data stream of the collection, by its id
    #[arg(long, value_name = "ID")]
    datastream_id: Option<String>,

    /// OVAL definitions of the data stream, by the id of the reference to them
    #[arg(long, value_name = "ID")]
    oval_id: Option<String>,

    #[command(flatten)]
    refused: Refused,

    /// OVAL file or source data stream
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Eval {
    pub(super) fn run(&self) -> Result<Status> {
        self.refused.check()?;
        let (definitions, xml) = self.definitions()?;
        let external = match &self.variables {
            Some(file) => read_variables(&load::text(file)?).with_context(|| file.display().to_string())?,
            None => Default::default(),
        };
        let (root, source) = load::system()?;
        let Some(scan) = evaluate(&definitions, &root, &source.location, external, self.id.as_deref()) else {
            bail!("No definition with ID: {} in definition model.", self.id.as_deref().unwrap_or_default());
        };
        let mut text = String::new();
        for definition in &scan.definitions {
            writeln!(text, "Definition {}: {}", definition.id, definition.result)?;
        }
        text.push_str("Evaluation done.\n");
        print(&text)?;
        for (name, count) in &scan.results.unsupported {
            anstream::eprintln!("W: virtscap: not supported: {name} ({count})");
        }
        let now = time::now().to_string();
        if let Some(file) = &self.results {
            output::write(file, &oval::document(&scan.results, &xml, &scan.system, &now))?;
        }
        if let Some(file) = &self.report {
            output::write(file, &html::oval(&scan, &self.file.display().to_string(), &source, &now)?)?;
        }
        Ok(Status::Success)
    }

    /// The definitions, as a model and as a fragment of XML.
    fn definitions(&self) -> Result<(OvalDefinitions, String)> {
        let xml = load::text(&self.file)?;
        let named = || format!("Invalid OVAL Definitions content in {}", self.file.display());
        match load::kind(&self.file, &xml)? {
            DocumentKind::OvalDefinitions => {
                let document = roxmltree::Document::parse(&xml).with_context(named)?;
                let root = document.root_element();
                let definitions = OvalDefinitions::read(root).with_context(named)?;
                Ok((definitions, xml[root.range()].to_owned()))
            }
            DocumentKind::SourceDataStream => {
                let mut content = Content::from_xml(xml).with_context(named)?;
                content.select(Selection { data_stream: self.datastream_id.clone(), ..Selection::default() });
                let component =
                    &content.oval_component(self.oval_id.as_deref()).with_context(named)?.component;
                let xml = content.component_xml(component)?;
                match content.collection().component(component).map(|found| &found.content) {
                    Some(ComponentContent::Oval(oval)) => Ok((oval.clone(), xml)),
                    _ => bail!("the component {component} holds no OVAL definitions"),
                }
            }
            other => bail!(
                "{} is a document of the type {}; name an OVAL file or a source data stream",
                self.file.display(),
                other.name()
            ),
        }
    }
}
