//! Reports of results that are there already: an ARF or XCCDF results, of virtscap, of stock oscap or of the Compliance
//! Operator.
//!
//! What virtscap names as offenders stands in the messages of its rule-results. oscap says nothing of the kind, but writes
//! down all that it collected: of that the checks are evaluated once more, and what makes them fail is named as in a scan
//! of virtscap's own.

mod oval;

use std::collections::{BTreeMap, BTreeSet};

use virtscap_scap::id::{ProfileId, RuleId, ValueId};
use virtscap_scap::namespace::XCCDF;
use virtscap_scap::xccdf::results::OFFENDER_MESSAGE;
use virtscap_scap::xccdf::{Benchmark, Severity, XccdfResult};
use virtscap_scap::xml::{Node, NodeExt as _, ReadError};

use super::{
    BenchmarkReport, MessageReport, Offender, PARTIAL_FACT, ProfileReport, Report, ReportTexts, RuleReport,
    SCHEMA_VERSION, ScoreReport, SourceReport, tally,
};
use oval::OvalReports;

/// Why results cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The document breaks its schema.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The document holds no results.
    #[error("neither an ARF nor XCCDF results: there is no <TestResult> in <{root}>")]
    NoResults {
        /// Local name of the root element.
        root: String,
    },
    /// The benchmark is neither in the document nor the one that was given.
    #[error("the results are of the benchmark '{wanted}', which the document does not hold{}", other(.given))]
    NoBenchmark {
        /// Its id.
        wanted: String,
        /// The one that was given instead.
        given: Option<String>,
    },
}

fn other(given: &Option<String>) -> String {
    given.as_ref().map(|id| format!("; this one is '{id}'")).unwrap_or_default()
}

/// Makes a report of an ARF, or of XCCDF results. `known` is the benchmark where the document does not hold it.
///
/// # Errors
/// [`ReportError`] where the document is neither, or the benchmark is missing.
pub fn read(xml: &str, known: Option<&Benchmark>) -> Result<(Report, ReportTexts), ReportError> {
    let document = roxmltree::Document::parse(xml).map_err(ReadError::from)?;
    let root = document.root_element();
    let results = root.descendants().rfind(|node| node.is(XCCDF, "TestResult"));
    let results =
        results.ok_or_else(|| ReportError::NoResults { root: root.tag_name().name().to_owned() })?;
    let embedded = embedded(root, results)?;
    let wanted = results.child("benchmark").and_then(|node| node.attribute("id"));
    let fits = known.filter(|known| wanted.is_none_or(|id| known.id.as_str() == id));
    let benchmark = embedded.as_ref().or(fits).ok_or_else(|| ReportError::NoBenchmark {
        wanted: wanted.unwrap_or_default().to_owned(),
        given: known.map(|known| known.id.to_string()),
    })?;
    let values = values(benchmark, results);
    let reader =
        Reader { root, results, benchmark, oval: OvalReports::of(root, benchmark, &values)?, values };
    reader.read()
}

/// The benchmark that the document holds: the one that the results are of, else the first.
fn embedded(root: Node<'_, '_>, results: Node<'_, '_>) -> Result<Option<Benchmark>, ReportError> {
    let wanted = results.child("benchmark").and_then(|node| node.attribute("id"));
    let all: Vec<_> = root.descendants().filter(|node| node.is(XCCDF, "Benchmark")).collect();
    let node = all.iter().find(|node| wanted.is_some() && node.attribute("id") == wanted).or(all.first());
    Ok(node.map(|node| Benchmark::read(*node)).transpose()?)
}

/// The values that the scan used.
fn values(benchmark: &Benchmark, results: Node<'_, '_>) -> BTreeMap<ValueId, String> {
    let defaults = benchmark
        .values
        .iter()
        .filter_map(|value| Some((value.id.clone(), value.default_value()?.to_owned())));
    let set = results
        .named("set-value")
        .filter_map(|set| Some((ValueId::new(set.attribute("idref")?), set.full_text())));
    defaults.chain(set).collect()
}

struct Reader<'a, 'input> {
    root: Node<'a, 'input>,
    results: Node<'a, 'input>,
    benchmark: &'a Benchmark,
    values: BTreeMap<ValueId, String>,
    oval: OvalReports,
}

impl Reader<'_, '_> {
    fn read(&self) -> Result<(Report, ReportTexts), ReportError> {
        let mut known = BTreeMap::new();
        self.benchmark.for_each_rule(&mut |_, rule| {
            known.insert(&rule.id, rule);
        });
        let mut rules = Vec::new();
        for node in self.results.named("rule-result") {
            let id = RuleId::new(node.required("idref")?);
            let text = node.child("result").map(|result| result.full_text()).unwrap_or_default();
            let result = XccdfResult::from_text(text.trim())
                .ok_or_else(|| node.bad_value(text.trim(), "XCCDF result"))?;
            if result == XccdfResult::NotSelected {
                continue;
            }
            let rule = known.get(&id);
            let severity = Severity::read(node, "severity")?.or(rule.and_then(|rule| rule.severity));
            let (offenders, messages) = self.messages(node, result);
            let guide = rule.and_then(|rule| rule.guide.as_ref());
            rules.push(RuleReport {
                id: id.short_name().to_owned(),
                xccdf_id: id.to_string(),
                title: rule.map_or_else(|| id.short_name().to_owned(), |rule| rule.title.clone()),
                section: guide.map(|guide| guide.section.clone()),
                level: guide.and_then(|guide| guide.level),
                severity: severity.unwrap_or(Severity::Unknown).as_str(),
                result,
                offenders: offenders.iter().map(|text| Offender::from_text(text)).collect(),
                messages,
            });
        }
        let texts = {
            let selected: BTreeSet<_> = rules.iter().map(|rule| rule.xccdf_id.as_str()).collect();
            let value = |id: &str| self.values.get(&ValueId::new(id)).cloned().unwrap_or_default();
            ReportTexts::of(self.benchmark, &|rule| selected.contains(rule.id.as_str()), &value)
        };
        Ok((self.report(rules), texts))
    }

    /// What makes a rule fail, and what else there is to know.
    fn messages(&self, node: Node<'_, '_>, result: XccdfResult) -> (Vec<String>, Vec<MessageReport>) {
        let mut offenders = Vec::new();
        let mut messages = Vec::new();
        for message in node.named("message") {
            let text = message.full_text();
            match text.strip_prefix(OFFENDER_MESSAGE) {
                Some(offender) => offenders.push(offender.to_owned()),
                None => {
                    let severity = match message.attribute("severity") {
                        Some("error") => "error",
                        Some("warning") => "warning",
                        _ => "info",
                    };
                    messages.push(MessageReport { severity, text: text.trim().to_owned() });
                }
            }
        }
        if offenders.is_empty() && matches!(result, XccdfResult::Fail | XccdfResult::Informational) {
            for reference in node.descendants().filter(|node| node.is(XCCDF, "check-content-ref")) {
                let report = reference.attribute("href").unwrap_or_default().trim_start_matches('#');
                for offender in self.oval.offenders(report, reference.attribute("name").unwrap_or_default()) {
                    if !offenders.contains(&offender) {
                        offenders.push(offender);
                    }
                }
            }
        }
        (offenders, messages)
    }

    fn report(&self, rules: Vec<RuleReport>) -> Report {
        let (counts, passed) = tally(&rules);
        let text = |child: &str| self.results.child(child).map(|node| node.full_text().trim().to_owned());
        let fact = |name: &str| {
            let facts = self.results.child("target-facts")?;
            let fact = facts.named("fact").find(|fact| fact.attribute("name") == Some(name));
            fact.map(|fact| fact.full_text())
        };
        let number = |text: &str| text.trim().parse().unwrap_or_default();
        let scores = self.results.named("score").map(|score| ScoreReport {
            system: score.attribute("system").unwrap_or("urn:xccdf:scoring:default").to_owned(),
            score: number(&score.full_text()),
            maximum: number(score.attribute("maximum").unwrap_or("100")),
        });
        let mut report = Report {
            schema_version: SCHEMA_VERSION,
            tool: self.tool(),
            benchmark: BenchmarkReport {
                id: self.benchmark.id.to_string(),
                title: self.benchmark.title.clone(),
                version: self.benchmark.version.clone(),
            },
            profile: self.profile(&rules),
            source: SourceReport {
                kind: fact("urn:virtscap:fact:source:kind").unwrap_or_else(|| "results".to_owned()),
                location: text("target").unwrap_or_default(),
            },
            started: time(self.results.attribute("start-time").or(self.results.attribute("end-time"))),
            finished: time(self.results.attribute("end-time")),
            partial: None,
            passed,
            counts,
            scores: scores.collect(),
            unsupported: BTreeMap::new(),
            rules,
        };
        if let Some(reason) = fact(PARTIAL_FACT) {
            report.set_partial(reason);
        }
        report
    }

    /// `openscap 1.3.7` of `cpe:/a:redhat:openscap:1.3.7`.
    fn tool(&self) -> String {
        let system = self.results.attribute("test-system").unwrap_or("unknown");
        match system.split(':').collect::<Vec<_>>().as_slice() {
            ["cpe", _, _, product, version, ..] => format!("{product} {version}"),
            _ => system.to_owned(),
        }
    }

    fn profile(&self, rules: &[RuleReport]) -> Option<ProfileReport> {
        let selected: BTreeSet<_> = rules.iter().map(|rule| rule.xccdf_id.as_str()).collect();
        let used = self.benchmark.values_of(&|rule| selected.contains(rule.id.as_str()));
        let id = ProfileId::new(self.results.child("profile")?.attribute("idref")?);
        // A tailoring's profile is in the document, and not in the benchmark.
        let profiles = self.root.descendants().filter(|node| node.is(XCCDF, "Profile"));
        let mut titles = profiles
            .filter(|node| node.attribute("id") == Some(id.as_str()))
            .filter_map(|node| Some(node.child("title")?.full_text().trim().to_owned()));
        let own = self.benchmark.profiles.iter().find(|profile| profile.id == id);
        let title = own.map(|profile| profile.title.clone()).or_else(|| titles.next());
        let tailoring = self.results.child("tailoring-file");
        Some(ProfileReport {
            name: id.short_name().to_owned(),
            title: title.unwrap_or_else(|| id.short_name().to_owned()),
            values: self
                .values
                .iter()
                .filter(|(id, _)| used.contains(id))
                .map(|(id, value)| (id.short_name().to_owned(), value.clone()))
                .collect(),
            tailoring: tailoring.and_then(|node| node.attribute("id")).map(str::to_owned),
            id: id.to_string(),
        })
    }
}

/// A time in RFC 3339 and UTC; one without a zone is as it stands.
fn time(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    text.parse::<jiff::Timestamp>().map_or_else(|_| text.to_owned(), |time| time.to_string())
}
