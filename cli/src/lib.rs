//! What the binary shares with the project's tests: running the cases of rules. Only here do the generator, which has
//! the cases, and the evaluator, which judges them, meet.

use std::collections::BTreeMap;

use virtscap_evaluator::content::Content;
use virtscap_evaluator::files::OnNode;
use virtscap_evaluator::report::SourceReport;
use virtscap_evaluator::scan::{Prepared, Request, ScanError};
use virtscap_evaluator::source::{MemorySource, Recorded, RecordedNode};
use virtscap_generator::case::{Case, Evidence, GivenFile};
use virtscap_generator::datastream::{profile_id, rule_id, value_id};
use virtscap_generator::model::{Benchmark, Rule};
use virtscap_scap::id::ProfileId;
use virtscap_scap::markup::Markup;
use virtscap_scap::xccdf::{Profile, Select, SetValue, Tailoring, XccdfResult};

/// The profile of [`only`].
pub const ONLY: &str = "xccdf_org.ssgproject.content_profile_only";

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The result.
    pub result: XccdfResult,
    /// The offenders, in order.
    pub offenders: Vec<String>,
    /// Why, where the result is not plain.
    pub messages: Vec<String>,
}

/// Why a case could not be run.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// No profile selects the rule, so that no scan would ever evaluate it.
    #[error("no profile selects the rule {0}")]
    NoProfile(String),
    /// The compiled content is of no use.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The evaluator gave no result for the rule.
    #[error("there is no result for the rule {0}")]
    NoResult(String),
}

/// A tailoring with the profile [`ONLY`], which selects one rule and sets values.
///
/// # Errors
/// [`CaseError::NoProfile`] where no profile selects the rule.
pub fn only(
    benchmark: &Benchmark,
    rule: &Rule,
    values: &BTreeMap<String, String>,
) -> Result<Tailoring, CaseError> {
    let base = benchmark.profiles.iter().find(|profile| profile.selects(rule));
    let base = base.ok_or_else(|| CaseError::NoProfile(rule.id.clone()))?;
    let others = benchmark.rules().filter(|other| base.selects(other) && other.id != rule.id);
    let set = |(id, value): (&String, &String)| SetValue { idref: value_id(id), value: value.clone() };
    let profile = Profile {
        id: ProfileId::new(ONLY),
        extends: Some(profile_id(&base.id)),
        title: format!("Only {}", rule.id),
        description: Markup::default(),
        is_abstract: false,
        complex_values: Vec::new(),
        platforms: Vec::new(),
        selects: others
            .map(|other| Select { idref: rule_id(&other.id).to_string(), selected: false })
            .collect(),
        set_values: values.iter().map(set).collect(),
        refine_values: Vec::new(),
        refine_rules: Vec::new(),
        remarks: Default::default(),
    };
    Ok(Tailoring {
        id: "xccdf_org.virtscap_tailoring_only".to_owned(),
        version: "1".to_owned(),
        version_time: Some("2026-01-01T00:00:00".to_owned()),
        profiles: vec![profile],
    })
}

/// Answers by API path as a source.
pub fn source(answers: &BTreeMap<String, String>) -> MemorySource {
    let mut source = MemorySource::default();
    for (path, body) in answers {
        source.insert(path.clone(), body.clone());
    }
    source
}

/// A case's files as a node on which there is nothing else.
pub fn node(files: &BTreeMap<String, GivenFile>) -> RecordedNode {
    let mut node = RecordedNode::of_everything("case");
    for (path, file) in files {
        let recorded = match file {
            GivenFile::Regular { content, owned } => {
                Recorded::regular(owned.mode.into(), owned.uid, owned.gid, content.as_bytes())
            }
            GivenFile::Folder(owned) => Recorded::folder(owned.mode.into(), owned.uid, owned.gid),
            GivenFile::Link { target } => Recorded::link(target),
            GivenFile::Unreadable => Recorded::unreadable("permission denied"),
        };
        node.insert(path, recorded);
    }
    node
}

/// Runs a case of a rule; `content` is the compiled benchmark.
///
/// # Errors
/// [`CaseError`] where there is no verdict.
pub fn run(benchmark: &Benchmark, content: &Content, rule: &Rule, case: &Case) -> Result<Verdict, CaseError> {
    let tailoring = only(benchmark, rule, &case.values)?;
    let request = Request { content, tailoring: Some((&tailoring, "tailoring.xml")), profile: Some(ONLY) };
    let prepared = Prepared::new(&request)?;
    let report = SourceReport { kind: "case".to_owned(), location: case.name.clone() };
    let scan = match &case.evidence {
        Evidence::Answers(_) => {
            prepared.evaluate(&prepared.collect(&source(&case.answers(benchmark))), report)
        }
        Evidence::Files(files) => prepared.evaluate(&OnNode(&node(files)), report),
    };
    let id = rule_id(&rule.id);
    let mut results = scan.test_result.rule_results.into_iter();
    let result = results.find(|result| result.rule == id);
    let result = result.ok_or_else(|| CaseError::NoResult(rule.id.clone()))?;
    Ok(Verdict {
        result: result.result,
        offenders: result.offenders,
        messages: result.messages.into_iter().map(|message| message.text).collect(),
    })
}
