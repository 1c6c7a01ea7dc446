//! A scan, from a source to results.

use std::collections::{BTreeMap, BTreeSet};

use virtscap_scap::id::{RuleId, ValueId};
use virtscap_scap::oval::results::SystemInfo;
use virtscap_scap::xccdf::results::{TailoringReference, TestResult};
use virtscap_scap::xccdf::{Rule, Severity, Tailoring, XccdfResult};

use crate::collect::{self, Endpoint, Texts, field_name};
use crate::content::{Checklist, Content, ContentError};
use crate::dump::{Dump, NOT_FOUND_MARKER};
use crate::files::{Files, Lookup, OnNode};
use crate::report::{
    BenchmarkReport, MessageReport, Offender, PARTIAL_FACT, ProfileReport, Report, ReportTexts, RuleReport,
    SCHEMA_VERSION, ScoreReport, SourceReport, tally,
};
use crate::source::{ApiSource, NodeSource, WithNode};
use crate::system;
use crate::time;
use crate::xccdf::{Evaluation, Policy, PolicyError, evaluate};

/// Name and version of this program.
pub const TOOL: &str = concat!("virtscap ", env!("CARGO_PKG_VERSION"));

/// What to scan for.
pub struct Request<'a> {
    /// The content.
    pub content: &'a Content,
    /// A tailoring, and where it is.
    pub tailoring: Option<(&'a Tailoring, &'a str)>,
    /// The profile, by id or short name.
    pub profile: Option<&'a str>,
}

/// Why nothing could be scanned.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The content is of no use.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The profile is of no use.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A rule that was asked for is not in the benchmark.
    #[error("Rule '{0}' not found in selected profile.")]
    NoRule(String),
}

/// What a scan found, ready to be written down.
pub struct Scan<'a> {
    /// The content.
    pub content: &'a Content,
    /// The results of the rules, in XCCDF.
    pub test_result: TestResult,
    /// The results, in full.
    pub evaluation: Evaluation,
    /// What was scanned.
    pub system: SystemInfo,
    /// The results, for people and in JSON.
    pub report: Report,
    /// The benchmark's texts for the report.
    pub texts: ReportTexts,
}

impl Scan<'_> {
    /// Says in all reports that the scan ended before its time, and why. Then it is no pass.
    pub fn set_partial(&mut self, reason: String) {
        self.test_result.target_facts.push((PARTIAL_FACT.to_owned(), "string", reason.clone()));
        self.report.set_partial(reason);
    }
}

/// Content with a profile applied: what a source is asked for, and what is made of its answers.
pub struct Prepared<'a> {
    request: &'a Request<'a>,
    checklist: Checklist<'a>,
    policy: Policy<'a>,
    /// The values by the names that Go templates have for them.
    fields: BTreeMap<String, String>,
}

impl<'a> Prepared<'a> {
    /// Applies the profile to the content.
    ///
    /// # Errors
    /// [`ScanError`] where the content has no benchmark, or the profile cannot be applied.
    pub fn new(request: &'a Request<'a>) -> Result<Self, ScanError> {
        let checklist = request.content.checklist()?;
        let tailoring = request.tailoring.map(|(tailoring, _)| tailoring);
        let policy = Policy::new(checklist.benchmark, tailoring, request.profile)?;
        let values = policy.values().iter();
        let fields = values.map(|(id, value)| (field_name(id.short_name()), value.clone())).collect();
        Ok(Self { request, checklist, policy, fields })
    }

    /// Evaluates rules by name, whether the profile selects them or not, and leaves others out.
    ///
    /// # Errors
    /// [`ScanError::NoRule`] where the benchmark lacks one that is named, or it is left out too.
    pub fn restrict(&mut self, only: &[String], skip: &[String]) -> Result<(), ScanError> {
        let mut known = BTreeSet::new();
        self.checklist.benchmark.for_each_rule(&mut |_, rule| {
            known.insert(rule.id.clone());
        });
        let skip: BTreeSet<_> = skip.iter().map(|id| RuleId::new(&**id)).collect();
        let only: BTreeSet<_> = only.iter().map(|id| RuleId::new(&**id)).collect();
        if let Some(missing) = only.iter().find(|id| !known.contains(id) || skip.contains(id)) {
            return Err(ScanError::NoRule(missing.to_string()));
        }
        self.policy.restrict(&only, &skip);
        Ok(())
    }

    /// The benchmark that is evaluated.
    pub fn checklist(&self) -> &Checklist<'a> {
        &self.checklist
    }

    pub(crate) fn policy(&self) -> &Policy<'a> {
        &self.policy
    }

    fn endpoints_of(&self, rule: &Rule) -> Vec<Endpoint> {
        let field = |name: &str| self.fields.get(name).cloned();
        collect::endpoints(rule, &Texts { sub: &|id| self.value(id), field: &field })
    }

    pub(crate) fn value(&self, id: &str) -> String {
        self.policy.value(&ValueId::new(id)).unwrap_or_default().to_owned()
    }

    /// The values that selected rules use, by short names.
    pub(crate) fn used_values(&self) -> impl Iterator<Item = (String, String)> {
        let used = self.checklist.benchmark.values_of(&|rule| self.policy.rule(rule).selected);
        let values = self.policy.values().iter().filter(move |(id, _)| used.contains(id));
        values.map(|(id, value)| (id.short_name().to_owned(), value.clone()))
    }

    /// The API paths that the selected rules want.
    pub fn endpoints(&self) -> BTreeSet<Endpoint> {
        let mut endpoints = BTreeSet::new();
        self.checklist.benchmark.for_each_rule(&mut |_, rule| {
            if self.policy.rule(rule).selected {
                endpoints.extend(self.endpoints_of(rule));
            }
        });
        endpoints
    }

    /// Fetches and filters what the selected rules want.
    pub fn collect(&self, source: &dyn ApiSource) -> Dump {
        let endpoints = self.endpoints();
        let mut dump = collect::collect(source, endpoints.clone());
        for endpoint in endpoints {
            if let Some(gap) = source.gap(&endpoint.path) {
                dump.note_gap(endpoint.dump, gap);
            }
        }
        if let Some(gap) = source.elsewhere() {
            // What no rule names may tell the platform.
            collect::collect_always(source, &mut dump);
            dump.note_elsewhere(gap);
        }
        dump
    }

    /// Scans a source: fetches and filters what the selected rules want, and evaluates them.
    pub fn scan(&self, source: &dyn ApiSource) -> Scan<'a> {
        let mut scan = self.evaluate(&self.collect(source), source.describe());
        if let Some(reason) = source.partial() {
            scan.set_partial(reason);
        }
        scan
    }

    /// Evaluates the selected rules on files: a [`Dump`], or a node's, by way of [`OnNode`].
    pub fn evaluate(&self, files: &dyn Files, source: SourceReport) -> Scan<'a> {
        let started = time::now();
        let reasons = |rule: &Rule, decided: bool| {
            let endpoints = self.endpoints_of(rule).into_iter();
            let reason = |endpoint: Endpoint| match files.read(&endpoint.dump) {
                // A gap is told where it matters.
                _ if files.gap(Some(&endpoint.dump)).is_some() => None,
                Lookup::Missing { reason } => reason,
                // An answer too, and no news where it was enough to decide.
                Lookup::Found(content)
                    if !decided && content.trim_ascii_end() == NOT_FOUND_MARKER.as_bytes() =>
                {
                    Some(format!("{}: the API server knows no such path (404)", endpoint.path))
                }
                Lookup::Found(_) | Lookup::Unreadable { .. } => None,
            };
            endpoints.filter_map(reason).collect()
        };
        let evaluation = evaluate(&self.checklist, &self.policy, files, &reasons, &started.to_string());
        let finished = time::now();
        let test_result = self.test_result(&evaluation, &source, started.to_string(), finished.to_string());
        let system = system::info(files, &source.location);
        let mut report = self.report(&test_result, source);
        for component in evaluation.components() {
            for (name, count) in &component.results.unsupported {
                *report.unsupported.entry(name.clone()).or_default() += count;
            }
        }
        Scan { content: self.request.content, test_result, evaluation, system, report, texts: self.texts() }
    }

    fn test_result(
        &self,
        evaluation: &Evaluation,
        source: &SourceReport,
        started: String,
        finished: String,
    ) -> TestResult {
        let benchmark = self.checklist.benchmark;
        let profile = self.policy.profile.map(|profile| profile.id.clone());
        // Parentheses, of `(all)`, cannot be in an id.
        let short_or_default = profile.as_ref().map_or("default", |id| id.as_str().trim_matches(['(', ')']));
        let tailoring = self.request.tailoring.map(|(tailoring, href)| TailoringReference {
            href: href.to_owned(),
            id: tailoring.id.clone(),
            version: tailoring.version.clone(),
            time: tailoring.version_time.clone().unwrap_or_else(|| started.clone()),
        });
        TestResult {
            id: format!("xccdf_io.virtscap_testresult_{short_or_default}"),
            benchmark_version: benchmark.version.clone(),
            test_system: format!("cpe:/a:virtscap:virtscap:{}", env!("CARGO_PKG_VERSION")),
            start_time: started,
            end_time: finished,
            benchmark: benchmark.id.clone(),
            benchmark_href: format!("#{}", self.checklist.component_id()),
            tailoring,
            profile,
            target: source.location.clone(),
            target_facts: vec![
                ("urn:xccdf:fact:scanner:name".to_owned(), "string", "virtscap".to_owned()),
                ("urn:xccdf:fact:scanner:version".to_owned(), "string", env!("CARGO_PKG_VERSION").to_owned()),
                ("urn:virtscap:fact:source:kind".to_owned(), "string", source.kind.clone()),
            ],
            platforms: evaluation.platforms.clone(),
            set_values: self.policy.values().iter().map(|(id, value)| (id.clone(), value.clone())).collect(),
            rule_results: evaluation.rule_results.clone(),
            scores: evaluation.scores.clone(),
        }
    }

    fn report(&self, results: &TestResult, source: SourceReport) -> Report {
        let mut rules = BTreeMap::new();
        self.checklist.benchmark.for_each_rule(&mut |_, rule| {
            rules.insert(&rule.id, rule);
        });
        let selected = results.rule_results.iter().filter(|r| r.result != XccdfResult::NotSelected);
        let rules: Vec<_> = selected
            .filter_map(|result| {
                let rule = rules.get(&result.rule)?;
                let messages = result.messages.iter();
                Some(RuleReport {
                    id: rule.id.short_name().to_owned(),
                    xccdf_id: rule.id.to_string(),
                    title: rule.title.clone(),
                    section: rule.guide.as_ref().map(|guide| guide.section.clone()),
                    level: rule.guide.as_ref().and_then(|guide| guide.level),
                    severity: result.severity.unwrap_or(Severity::Unknown).as_str(),
                    result: result.result,
                    offenders: result.offenders.iter().map(|text| Offender::from_text(text)).collect(),
                    messages: messages
                        .map(|m| MessageReport { severity: m.severity.as_str(), text: m.text.clone() })
                        .collect(),
                })
            })
            .collect();
        let (counts, passed) = tally(&rules);
        Report {
            schema_version: SCHEMA_VERSION,
            tool: TOOL.to_owned(),
            benchmark: BenchmarkReport {
                id: self.checklist.benchmark.id.to_string(),
                title: self.checklist.benchmark.title.clone(),
                version: self.checklist.benchmark.version.clone(),
            },
            profile: self.policy.profile.map(|profile| ProfileReport {
                id: profile.id.to_string(),
                name: profile.id.short_name().to_owned(),
                title: self.policy.profile_title.clone(),
                values: self.used_values().collect(),
                tailoring: self.policy.tailoring.map(|tailoring| tailoring.id.clone()),
            }),
            source,
            started: results.start_time.clone(),
            finished: results.end_time.clone(),
            partial: None,
            passed,
            counts,
            scores: results
                .scores
                .iter()
                .map(|s| ScoreReport { system: s.model.to_string(), score: s.score, maximum: s.maximum })
                .collect(),
            unsupported: BTreeMap::new(),
            rules,
        }
    }

    fn texts(&self) -> ReportTexts {
        let selected = |rule: &Rule| self.policy.rule(rule).selected;
        ReportTexts::of(self.checklist.benchmark, &selected, &|id| self.value(id))
    }
}

/// Scans a source: collects what the profile's rules want and evaluates them.
///
/// # Errors
/// [`ScanError`] where the content has no benchmark, or the profile cannot be applied. What goes wrong with the source's
/// answers is no error but a result of the rules that wanted them.
pub fn scan<'a>(request: &'a Request<'a>, source: &dyn ApiSource) -> Result<Scan<'a>, ScanError> {
    Ok(Prepared::new(request)?.scan(source))
}

/// Scans a source together with the files of a node that it has.
///
/// # Errors
/// As [`scan`].
pub fn scan_with_node<'a>(
    request: &'a Request<'a>,
    source: &dyn ApiSource,
    node: &dyn Files,
) -> Result<Scan<'a>, ScanError> {
    let prepared = Prepared::new(request)?;
    let answers = prepared.collect(source);
    Ok(prepared.evaluate(&WithNode { answers: &answers, node }, source.describe()))
}

/// Scans the files of a node: evaluates the profile's rules on them. Rules on the API are `unknown`, and say why.
///
/// # Errors
/// [`ScanError`] where the content has no benchmark, or the profile cannot be applied.
pub fn scan_node<'a>(request: &'a Request<'a>, node: &dyn NodeSource) -> Result<Scan<'a>, ScanError> {
    Ok(Prepared::new(request)?.evaluate(&OnNode(node), node.describe()))
}

/// Scans a dump that was collected before: evaluates the profile's rules on it as it is.
///
/// # Errors
/// [`ScanError`] where the content has no benchmark, or the profile cannot be applied.
pub fn scan_dump<'a>(request: &'a Request<'a>, dump: &dyn NodeSource) -> Result<Scan<'a>, ScanError> {
    Ok(Prepared::new(request)?.evaluate(dump, dump.describe()))
}
