//! The summary of a scan of nodes as a page.

use serde::Serialize;

use super::STYLE;
use super::format::{hash_source, readable_time, thousands};
use super::look::look;
use crate::report::counted;
use crate::report::nodes::{NodeReport, NodesReport, NodesRule, ResultOfNodes};

/// How many offenders of a rule the page holds; the nodes' own reports hold all.
const SHOWN_OFFENDERS: usize = 200;

/// What the template is given.
#[derive(Serialize)]
pub(super) struct NodesPage<'a> {
    style: &'static str,
    style_hash: String,
    report: &'a NodesReport,
    started: String,
    finished: String,
    tiles: Vec<Tile>,
    nodes: Vec<NodeView<'a>>,
    rules: Vec<RuleView<'a>>,
    links: bool,
}

#[derive(Serialize)]
struct Tile {
    kind: &'static str,
    word: &'static str,
    count: String,
}

#[derive(Serialize)]
struct NodeView<'a> {
    node: &'a NodeReport,
    kind: &'static str,
    word: &'static str,
    counts: String,
}

#[derive(Serialize)]
struct RuleView<'a> {
    rule: &'a NodesRule,
    results: Vec<ResultView>,
    offenders: Vec<Detail>,
    more: usize,
    messages: Vec<Detail>,
}

#[derive(Serialize)]
struct ResultView {
    kind: &'static str,
    word: &'static str,
    nodes: String,
}

#[derive(Serialize)]
struct Detail {
    text: String,
    nodes: String,
}

impl<'a> NodesPage<'a> {
    pub(super) fn new(report: &'a NodesReport, links: bool) -> Self {
        let nodes: Vec<_> = report.nodes.iter().map(NodeView::new).collect();
        let tile = |kind, word| {
            let count = nodes.iter().filter(|node| node.word == word).count();
            Tile { kind, word, count: thousands(count) }
        };
        Self {
            style: STYLE,
            style_hash: hash_source(STYLE),
            report,
            started: readable_time(&report.started),
            finished: readable_time(&report.finished),
            tiles: VERDICTS.iter().map(|(kind, word)| tile(kind, word)).collect(),
            nodes,
            rules: report.rules.iter().map(RuleView::new).collect(),
            links,
        }
    }
}

const VERDICTS: [(&str, &str); 3] =
    [("fail", "Not passed"), ("undecided", "Not scanned"), ("pass", "Passed")];

impl<'a> NodeView<'a> {
    fn new(node: &'a NodeReport) -> Self {
        let [not_passed, not_scanned, passed] = VERDICTS;
        let (kind, word) = match (&node.not_scanned, node.passed) {
            (Some(_), _) => not_scanned,
            (None, true) => passed,
            (None, false) => not_passed,
        };
        Self { node, kind, word, counts: counted(&node.counts) }
    }
}

impl<'a> RuleView<'a> {
    fn new(rule: &'a NodesRule) -> Self {
        let result = |of: &ResultOfNodes| {
            let look = look(of.result);
            ResultView { kind: look.kind, word: look.word, nodes: of.nodes.join(", ") }
        };
        let offenders = rule
            .offenders
            .iter()
            .take(SHOWN_OFFENDERS)
            .map(|of| Detail { text: of.offender.to_string(), nodes: of.nodes.join(", ") });
        let messages = rule.messages.iter().map(|of| Detail {
            text: format!("{}: {}", of.message.severity, of.message.text),
            nodes: of.nodes.join(", "),
        });
        Self {
            rule,
            results: rule.results.iter().map(result).collect(),
            offenders: offenders.collect(),
            more: rule.offenders.len().saturating_sub(SHOWN_OFFENDERS),
            messages: messages.collect(),
        }
    }
}
