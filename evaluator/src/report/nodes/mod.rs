//! The summary of a scan of nodes: what each node gave for each rule, and where they differ.

mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use virtscap_scap::xccdf::XccdfResult;

use super::{BenchmarkReport, MessageReport, Offender, ProfileReport, SCHEMA_VERSION, SourceReport};
use crate::nodes::NodeOutcome;
pub use text::render;

/// What a scan of nodes found, in a stable form for JSON.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NodesReport {
    /// Version of this form: 1.
    pub schema_version: u32,
    /// The program that made the report.
    pub tool: String,
    /// The benchmark.
    pub benchmark: BenchmarkReport,
    /// The profile; absent where the benchmark's own selection was used.
    pub profile: Option<ProfileReport>,
    /// Where the nodes are.
    pub source: SourceReport,
    /// When the scan began (RFC 3339, UTC).
    pub started: String,
    /// When it ended (RFC 3339, UTC).
    pub finished: String,
    /// Whether all nodes were scanned, and each of them passed.
    pub passed: bool,
    /// The nodes.
    pub nodes: Vec<NodeReport>,
    /// The rules of the profile, in the benchmark's order.
    pub rules: Vec<NodesRule>,
}

/// What became of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeReport {
    /// Its name.
    pub name: String,
    /// Whether every rule that was evaluated and applies passed, and at least one did.
    pub passed: bool,
    /// Why it was not scanned, or not to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_scanned: Option<String>,
    /// How many rules gave each result.
    pub counts: BTreeMap<&'static str, usize>,
}

/// What the nodes gave for a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodesRule {
    /// Its short name.
    pub id: String,
    /// Its XCCDF id.
    pub xccdf_id: String,
    /// Its title.
    pub title: String,
    /// Number of its section in the hardening guide; absent in content that has none.
    pub section: Option<String>,
    /// Its level in the guide; absent where it has none.
    pub level: Option<u8>,
    /// `low`, `medium`, `high`, `info` or `unknown`.
    pub severity: &'static str,
    /// Whether nodes that were scanned gave different results, which the Compliance Operator calls `INCONSISTENT`.
    pub inconsistent: bool,
    /// The results, and which nodes gave them; the results in the order of the nodes.
    pub results: Vec<ResultOfNodes>,
    /// What makes the rule fail, and on which nodes.
    pub offenders: Vec<OffenderOfNodes>,
    /// What else there is to know, and of which nodes that were scanned.
    pub messages: Vec<MessageOfNodes>,
}

/// A result of some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResultOfNodes {
    /// The result of XCCDF 1.2.
    #[serde(serialize_with = "super::result_text")]
    #[schemars(with = "String")]
    pub result: XccdfResult,
    /// The nodes' names.
    pub nodes: Vec<String>,
}

/// An offender of some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OffenderOfNodes {
    /// The offender.
    #[serde(flatten)]
    pub offender: Offender,
    /// The nodes' names.
    pub nodes: Vec<String>,
}

/// A message of some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MessageOfNodes {
    /// The message.
    #[serde(flatten)]
    pub message: MessageReport,
    /// The nodes' names.
    pub nodes: Vec<String>,
}

impl NodesReport {
    /// Of what the nodes of a source gave, which were scanned for the same; none where there are no nodes.
    pub fn new(source: SourceReport, outcomes: &[NodeOutcome]) -> Option<Self> {
        let first = &outcomes.first()?.report;
        let reports = || outcomes.iter().map(|outcome| &outcome.report);
        let node = |outcome: &NodeOutcome| NodeReport {
            name: outcome.name.clone(),
            passed: outcome.trouble.is_none() && outcome.report.passed,
            not_scanned: outcome.trouble.clone(),
            counts: outcome.report.counts.clone(),
        };
        let nodes: Vec<_> = outcomes.iter().map(node).collect();
        Some(Self {
            schema_version: SCHEMA_VERSION,
            tool: first.tool.clone(),
            benchmark: first.benchmark.clone(),
            profile: first.profile.clone(),
            source,
            started: reports().map(|report| &report.started).min()?.clone(),
            finished: reports().map(|report| &report.finished).max()?.clone(),
            passed: nodes.iter().all(|node| node.passed),
            rules: (0..first.rules.len()).filter_map(|index| rule(outcomes, index)).collect(),
            nodes,
        })
    }
}

/// What the nodes gave for a rule. The same content gives the same rules in the same order on each.
fn rule(outcomes: &[NodeOutcome], index: usize) -> Option<NodesRule> {
    let of_nodes = || outcomes.iter().filter_map(|outcome| Some((outcome, outcome.report.rules.get(index)?)));
    let scanned = || of_nodes().filter(|(outcome, _)| outcome.trouble.is_none());
    let (_, first) = of_nodes().next()?;
    let mut results = Grouped::default();
    let mut offenders = Grouped::default();
    let mut messages = Grouped::default();
    for (outcome, rule) in of_nodes() {
        results.add(&rule.result, &outcome.name);
        for offender in &rule.offenders {
            offenders.add(offender, &outcome.name);
        }
    }
    for (outcome, rule) in scanned() {
        for message in &rule.messages {
            messages.add(message, &outcome.name);
        }
    }
    let mut different = scanned().map(|(_, rule)| rule.result);
    let one = different.next();
    Some(NodesRule {
        id: first.id.clone(),
        xccdf_id: first.xccdf_id.clone(),
        title: first.title.clone(),
        section: first.section.clone(),
        level: first.level,
        severity: first.severity,
        inconsistent: different.any(|result| Some(result) != one),
        results: results.into(|result, nodes| ResultOfNodes { result, nodes }),
        offenders: offenders.into(|offender, nodes| OffenderOfNodes { offender, nodes }),
        messages: messages.into(|message, nodes| MessageOfNodes { message, nodes }),
    })
}

/// Things with the nodes that have them, in the order in which they came.
struct Grouped<T>(Vec<(T, Vec<String>)>);

impl<T> Default for Grouped<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + PartialEq> Grouped<T> {
    fn add(&mut self, thing: &T, node: &str) {
        match self.0.iter_mut().find(|(known, _)| known == thing) {
            Some((_, nodes)) => nodes.push(node.to_owned()),
            None => self.0.push((thing.clone(), vec![node.to_owned()])),
        }
    }

    fn into<U>(self, make: impl Fn(T, Vec<String>) -> U) -> Vec<U> {
        self.0.into_iter().map(|(thing, nodes)| make(thing, nodes)).collect()
    }
}

impl NodesRule {
    /// The result that stands for all nodes that matter: of several, that which is furthest from a pass.
    pub(super) fn result(&self) -> XccdfResult {
        let rank = |result: XccdfResult| match result {
            XccdfResult::Fail => 0,
            XccdfResult::Error => 1,
            XccdfResult::Unknown => 2,
            XccdfResult::NotChecked => 3,
            XccdfResult::Pass | XccdfResult::Fixed => 4,
            _ => 5,
        };
        let results = self.results.iter().map(|of| of.result);
        results.min_by_key(|result| rank(*result)).unwrap_or(XccdfResult::NotChecked)
    }
}
