//! `oscap xccdf eval`.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use virtscap_evaluator::content::{Content, Selection};
use virtscap_evaluator::report::lines::{self, Style};
use virtscap_evaluator::report::{arf, html, oval};
use virtscap_evaluator::scan::{Prepared, Request, Scan};
use virtscap_evaluator::xccdf::ALL_PROFILE;
use virtscap_scap::xccdf::{Tailoring, XccdfResult};

use super::refused::Refused;
use super::{Status, load, print};
use crate::content::named;
use crate::output;

/// Evaluate the rules of a benchmark on this system
///
/// FILE is a source data stream, or an XCCDF file with its OVAL files beside it. The system is what OSCAP_PROBE_ROOT names,
/// or /. Content is not validated against schemas.
#[derive(Debug, Args)]
#[command(infer_long_args = true)]
pub(super) struct Eval {
    /// Profile, by the end of its id; (all) is every rule
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// Evaluate this rule alone, selected or not; may be given several times
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,

    /// Leave this rule out; may be given several times
    #[arg(long, value_name = "ID")]
    skip_rule: Vec<String>,

    /// XCCDF tailoring file
    #[arg(long, value_name = "FILE", conflicts_with = "tailoring_id")]
    tailoring_file: Option<PathBuf>,

    /// Tailoring within the data stream, by the id of the reference to it
    #[arg(long, value_name = "ID")]
    tailoring_id: Option<String>,

    /// CPE dictionary that counts before the content's own; may be given several times
    #[arg(long, value_name = "FILE")]
    cpe: Vec<PathBuf>,

    /// Write OVAL results too, as NAME.result.xml in the working folder
    #[arg(long)]
    oval_results: bool,

    /// Write XCCDF results
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,

    /// Write an ARF 1.1 document
    #[arg(long, value_name = "FILE")]
    results_arf: Option<PathBuf>,

    /// Write a report to read, in HTML
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Accepted: nothing is validated in any case
    #[arg(long, alias = "skip-valid")]
    skip_validation: bool,

    /// Print RULE:RESULT
    #[arg(long)]
    progress: bool,

    /// Print RULE|TITLE|RESULT
    #[arg(long)]
    progress_full: bool,

    /// Data stream of the collection, by its id
    #[arg(long, value_name = "ID")]
    datastream_id: Option<String>,

    /// Benchmark, by the id of the reference to it
    #[arg(long, value_name = "ID")]
    xccdf_id: Option<String>,

    /// Benchmark, by its id; where neither --datastream-id nor --xccdf-id is given
    #[arg(long, value_name = "ID")]
    benchmark_id: Option<String>,

    #[command(flatten)]
    refused: Refused,

    /// XCCDF file or source data stream
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// OVAL files, in the place of those beside an XCCDF file that have the same names
    #[arg(value_name = "OVAL")]
    ovals: Vec<PathBuf>,
}

impl Eval {
    pub(super) fn run(&self) -> Result<Status> {
        self.refused.check()?;
        let mut content = load::content(&self.file, &self.ovals)?;
        for file in &self.cpe {
            load::add_cpe(&mut content, file)?;
        }
        content.select(self.selection());
        let tailoring =
            load::tailoring(&content, self.tailoring_file.as_deref(), self.tailoring_id.as_deref())?;
        let found = Profile::find(self.profile.as_deref(), &content, tailoring.as_ref(), &self.file)?;
        let request = found.request(&content, tailoring.as_ref());
        let named = || named(&self.file.display().to_string(), tailoring.as_ref());
        let mut prepared = Prepared::new(&request).with_context(named)?;
        let style = self.style();
        print(lines::head(style))?;
        prepared.restrict(&self.rule, &self.skip_rule)?;
        let (root, source) = load::system()?;
        let mut scan = prepared.evaluate(&root, source);
        print(&lines::lines(&scan, style)?)?;
        if let Some(unsupported) = scan.report.unsupported_text() {
            anstream::eprintln!(
                "W: virtscap: not supported, so that rules resting on it are not decided: {unsupported}"
            );
        }
        self.write(&mut scan, &prepared)?;
        let bad = |result| matches!(result, XccdfResult::Fail | XccdfResult::Unknown | XccdfResult::Error);
        let fails = scan.test_result.rule_results.iter().any(|rule| bad(rule.result));
        Ok(if fails { Status::Fail } else { Status::Success })
    }

    fn selection(&self) -> Selection {
        let by_reference = self.datastream_id.is_some() || self.xccdf_id.is_some();
        Selection {
            data_stream: self.datastream_id.clone(),
            reference: self.xccdf_id.clone(),
            benchmark: self.benchmark_id.clone().filter(|_| !by_reference),
        }
    }

    fn style(&self) -> Style {
        if self.progress_full {
            Style::ProgressFull
        } else if self.progress {
            Style::Progress
        } else {
            Style::Blocks { colour: std::io::stdout().is_terminal() }
        }
    }

    fn write(&self, scan: &mut Scan<'_>, prepared: &Prepared<'_>) -> Result<()> {
        if let Some(file) = &self.results_arf {
            output::write(file, &arf::asset_report(scan)?)?;
        }
        if let Some(file) = &self.report {
            output::write(file, &html::render(&scan.report, &scan.texts)?)?;
        }
        let documents =
            if self.oval_results || self.results.is_some() { oval::documents(scan)? } else { Vec::new() };
        let names = file_names(documents.iter().map(|d| prepared.checklist().name_of(&d.component)));
        if self.oval_results {
            for (name, document) in names.iter().zip(&documents) {
                output::write(Path::new(&format!("{name}.result.xml")), &document.xml)?;
            }
        }
        if let Some(file) = &self.results {
            // Without an ARF around them, results name the file of the checks, and not the report in it.
            for reference in scan
                .test_result
                .rule_results
                .iter_mut()
                .flat_map(|rule| &mut rule.checks)
                .flat_map(|check| &mut check.content_refs)
            {
                let report = reference.href.trim_start_matches('#');
                if let Some(at) = documents.iter().position(|document| document.report == report) {
                    reference.href.clone_from(&names[at]);
                }
            }
            output::write(file, &arf::xccdf_results(scan)?)?;
        }
        Ok(())
    }
}

/// Names for files in the working folder, each once. A name of the content leads to no other folder.
fn file_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken: Vec<String> = Vec::new();
    for name in names {
        let file = Path::new(name).file_name().map(|name| name.to_string_lossy().into_owned());
        let first = file.unwrap_or_else(|| "oval".to_owned());
        let mut free = first.clone();
        let mut number = 1;
        while taken.contains(&free) {
            number += 1;
            free = format!("{first}-{number}");
        }
        taken.push(free);
    }
    taken
}

/// The profile that a name means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Profile {
    /// The benchmark's own selection.
    Default,
    /// Every rule.
    All,
    /// A profile, by its id.
    Named(String),
}

impl Profile {
    /// Looks for a profile by the end of its id, as oscap does.
    pub(super) fn find(
        name: Option<&str>,
        content: &Content,
        tailoring: Option<&(Tailoring, String)>,
        file: &Path,
    ) -> Result<Self> {
        let suffix = match name {
            None | Some("(default)") => return Ok(Self::Default),
            Some("(all)") => return Ok(Self::All),
            Some(suffix) => suffix,
        };
        let tailored = tailoring.map_or(&[][..], |(tailoring, _)| &tailoring.profiles);
        let own = &content.checklist().with_context(|| file.display().to_string())?.benchmark.profiles;
        let mut ids: Vec<&str> = Vec::new();
        for id in tailored.iter().chain(own).map(|profile| profile.id.as_str()) {
            if id.ends_with(suffix) && !ids.contains(&id) {
                ids.push(id);
            }
        }
        let list = format!("Get available profiles using:\n$ oscap info \"{}\"", file.display());
        match ids.as_slice() {
            [] => Err(anyhow!("No profile matching suffix \"{suffix}\" was found. {list}")),
            [only] => Ok(Self::Named((*only).to_owned())),
            several if several.contains(&suffix) => Ok(Self::Named(suffix.to_owned())),
            several => bail!(
                "At least two profiles matched suffix \"{suffix}\": {}. Use a more specific suffix. {list}",
                several.join(", ")
            ),
        }
    }

    /// What is to be evaluated, or shown, of content under this profile.
    pub(super) fn request<'r>(
        &'r self,
        content: &'r Content,
        tailoring: Option<&'r (Tailoring, String)>,
    ) -> Request<'r> {
        // oscap takes a tailoring's profile only where it is named.
        let tailoring = tailoring.filter(|_| matches!(self, Self::Named(_)));
        let profile = match self {
            Self::Named(id) => Some(id.as_str()),
            Self::All => Some(ALL_PROFILE),
            Self::Default => None,
        };
        Request { content, tailoring: tailoring.map(|(tailoring, href)| (tailoring, href.as_str())), profile }
    }
}
