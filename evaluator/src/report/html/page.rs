//! What the template is given, made of the report.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use virtscap_scap::xccdf::{ScoringModel, XccdfResult};

use super::format::{hash_source, message_rank, number, readable_time, rules, severity_rank, thousands};
use super::look::{Counts, KINDS, Look, RESULTS, count, look, of_kind, of_result};
use super::markup::markup_to_html;
use super::{SCRIPT, STYLE};
use crate::report::{
    BenchmarkReport, ProfileReport, Report, ReportTexts, RuleReport, RuleTexts, ScoreReport, SourceReport,
};

/// How many offenders of a rule are shown without unfolding.
const SHOWN_OFFENDERS: usize = 20;
/// How many offenders of a rule the page holds at all: browsers give up on tables of hundreds of thousands of rows.
const HELD_OFFENDERS: usize = 10_000;
/// Up to how many values of the profile are shown without unfolding.
const SHOWN_VALUES: usize = 8;

/// What the template is given.
#[derive(Serialize)]
pub(super) struct Page<'a> {
    style: &'static str,
    style_hash: String,
    script: &'static str,
    script_hash: String,
    tool: &'a str,
    benchmark: &'a BenchmarkReport,
    profile: Option<&'a ProfileReport>,
    values: Vec<(&'a str, &'a str)>,
    values_folded: bool,
    source: &'a SourceReport,
    started: String,
    finished: String,
    scores: Vec<ScoreView<'a>>,
    unsupported: Option<String>,
    partial: Option<&'a str>,
    verdict: Verdict,
    attention: Vec<Attention>,
    columns: Vec<Column>,
    matrix: Vec<MatrixSection>,
    totals: Vec<MatrixRow>,
    filters: Vec<Filter>,
    rule_count: String,
    sections: Vec<SectionView<'a>>,
    meanings: Vec<Meaning>,
}

#[derive(Serialize)]
struct ScoreView<'a> {
    model: &'a str,
    system: &'a str,
    score: String,
    maximum: String,
}

#[derive(Serialize)]
struct Verdict {
    passed: bool,
    kind: &'static str,
    word: &'static str,
    sentence: String,
    tiles: Vec<Tile>,
}

#[derive(Serialize)]
struct Tile {
    kind: &'static str,
    label: &'static str,
    count: String,
    /// The results that the tile sums up, where they are several.
    parts: String,
    none: bool,
}

#[derive(Serialize, Clone)]
struct Attention {
    anchor: String,
    title: String,
    section: Option<String>,
    level: Option<u8>,
    severity: &'static str,
    kind: &'static str,
    icon: &'static str,
    word: &'static str,
    offenders: String,
    offender_count: usize,
    reasons: Vec<String>,
    order: (u8, u8),
}

#[derive(Serialize)]
struct Column {
    icon: &'static str,
    kind: &'static str,
    word: &'static str,
}

#[derive(Serialize)]
struct MatrixSection {
    title: String,
    anchor: String,
    rows: Vec<MatrixRow>,
}

#[derive(Serialize)]
struct MatrixRow {
    label: String,
    cells: Vec<Cell>,
    total: usize,
    /// Whether the row sums up the rows above it.
    sum: bool,
}

#[derive(Serialize)]
struct Cell {
    count: usize,
    kind: &'static str,
    word: &'static str,
}

#[derive(Serialize)]
struct Filter {
    kind: &'static str,
    label: &'static str,
    icon: &'static str,
    count: usize,
}

#[derive(Serialize)]
struct Meaning {
    icon: &'static str,
    kind: &'static str,
    word: &'static str,
    text: &'static str,
}

#[derive(Serialize)]
struct SectionView<'a> {
    title: String,
    anchor: String,
    count: usize,
    rules: Vec<RuleView<'a>>,
}

#[derive(Serialize)]
struct RuleView<'a> {
    anchor: String,
    id: &'a str,
    xccdf_id: &'a str,
    title: &'a str,
    section: Option<&'a str>,
    level: Option<u8>,
    severity: &'static str,
    kind: &'static str,
    icon: &'static str,
    word: &'static str,
    failed: bool,
    offenders: Vec<OffenderView<'a>>,
    more_offenders: Vec<OffenderView<'a>>,
    offender_count: String,
    offender_total: usize,
    more_count: String,
    /// How many offenders the page leaves out.
    left_out: Option<String>,
    details: bool,
    messages: Vec<MessageView<'a>>,
    description: String,
    rationale: String,
    fixtexts: Vec<String>,
    fixes: Vec<String>,
}

#[derive(Serialize)]
struct OffenderView<'a> {
    number: usize,
    object: &'a str,
    detail: &'a str,
}

#[derive(Serialize)]
struct MessageView<'a> {
    kind: &'static str,
    word: &'static str,
    text: &'a str,
}

impl<'a> Page<'a> {
    pub(super) fn new(report: &'a Report, texts: &'a ReportTexts) -> Self {
        let counts = count(&report.rules);
        let mut anchors = Anchors::default();
        let groups = group(report, texts);
        let columns: Vec<XccdfResult> = RESULTS
            .into_iter()
            .filter(|r| matches!(r, XccdfResult::Pass | XccdfResult::Fail) || of_result(&counts, *r) > 0)
            .collect();

        let mut sections = Vec::new();
        let mut matrix = Vec::new();
        let mut attention = Vec::new();
        for (title, rules) in groups {
            let anchor = anchors.take("section", &title);
            matrix.push(MatrixSection {
                title: title.clone(),
                anchor: anchor.clone(),
                rows: rows_by_level(&rules, &columns, false),
            });
            let mut views = Vec::new();
            for rule in rules {
                let view = RuleView::new(rule, texts.rules.get(&rule.id), anchors.take("rule", &rule.id));
                attention.extend(Attention::new(rule, &view));
                views.push(view);
            }
            sections.push(SectionView { title, anchor, count: views.len(), rules: views });
        }
        attention.sort_by_key(|a| a.order);

        let values: Vec<(&str, &str)> = report
            .profile
            .iter()
            .flat_map(|p| &p.values)
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Self {
            style: STYLE,
            style_hash: hash_source(STYLE),
            script: SCRIPT,
            script_hash: hash_source(SCRIPT),
            tool: &report.tool,
            benchmark: &report.benchmark,
            profile: report.profile.as_ref(),
            values_folded: values.len() > SHOWN_VALUES,
            values,
            source: &report.source,
            started: readable_time(&report.started),
            finished: readable_time(&report.finished),
            scores: report.scores.iter().map(ScoreView::new).collect(),
            unsupported: report.unsupported_text(),
            partial: report.partial.as_deref(),
            verdict: Verdict::new(report, &counts),
            attention,
            columns: columns
                .iter()
                .map(|r| {
                    let Look { kind, icon, word, .. } = look(*r);
                    Column { icon, kind, word }
                })
                .collect(),
            totals: rows_by_level(&report.rules.iter().collect::<Vec<_>>(), &columns, true),
            matrix,
            filters: KINDS
                .iter()
                .map(|(kind, label, icon)| Filter { kind, label, icon, count: of_kind(&counts, kind) })
                .filter(|f| f.count > 0)
                .collect(),
            rule_count: thousands(report.rules.len()),
            sections,
            meanings: columns
                .iter()
                .map(|r| {
                    let Look { kind, icon, word, meaning } = look(*r);
                    Meaning { icon, kind, word, text: meaning }
                })
                .collect(),
        }
    }
}

impl Verdict {
    fn new(report: &Report, counts: &Counts) -> Self {
        let [pass, fail, undecided, na] = ["pass", "fail", "undecided", "na"].map(|k| of_kind(counts, k));
        // `passed` looks at the rules that were evaluated; here a rule that nobody decided stands in the way, too.
        let passed = report.passed && fail == 0 && undecided == 0 && pass > 0;
        let sentence = match (fail, undecided) {
            _ if report.rules.is_empty() => "The profile selects no rule, so nothing was checked.".to_owned(),
            (0, 0) if passed && pass == 1 => "The only rule that applies passed.".to_owned(),
            (0, 0) if passed => format!("All {} that apply passed.", rules(pass)),
            (0, 0) if pass == 0 => {
                "No rule failed, but none passed either: nothing was shown to hold.".to_owned()
            }
            (0, 0) => "No rule failed, but the scan as a whole is not reported as passed.".to_owned(),
            (0, n) => format!("No rule failed, but {} could not be decided.", rules(n)),
            (n, 0) => format!("{} failed.", rules(n)),
            (n, m) => format!("{} failed, and {} could not be decided.", rules(n), thousands(m)),
        };
        let kind = if passed {
            "pass"
        } else if fail > 0 {
            "fail"
        } else {
            "undecided"
        };
        let mut tiles = vec![
            Tile::new("pass", "Pass", pass, counts),
            Tile::new("fail", "Fail", fail, counts),
            Tile::new("undecided", "Could not be decided", undecided, counts),
            Tile::new("na", "Not applicable", na, counts),
        ];
        let other = of_kind(counts, "other");
        if other > 0 {
            tiles.push(Tile::new("other", "Other", other, counts));
        }
        Self { passed, kind, word: if passed { "PASSED" } else { "NOT PASSED" }, sentence, tiles }
    }
}

impl Tile {
    fn new(kind: &'static str, label: &'static str, number: usize, counts: &Counts) -> Self {
        let parts: Vec<String> = RESULTS
            .iter()
            .filter(|r| matches!(kind, "undecided" | "other") && look(**r).kind == kind)
            .filter_map(|r| {
                let n = of_result(counts, *r);
                (n > 0).then(|| format!("{} {}", thousands(n), look(*r).word.to_lowercase()))
            })
            .collect();
        Self { kind, label, count: thousands(number), parts: parts.join(", "), none: number == 0 }
    }
}

impl<'a> ScoreView<'a> {
    fn new(score: &'a ScoreReport) -> Self {
        let model = match ScoringModel::from_text(&score.system) {
            Some(ScoringModel::Default) => "Default",
            Some(ScoringModel::Flat) => "Flat",
            Some(ScoringModel::FlatUnweighted) => "Flat, unweighted",
            Some(ScoringModel::Absolute) => "Absolute",
            None => "Score",
        };
        let mut text = number(score.score);
        if score.score < score.maximum && text == number(score.maximum) {
            // Rounding must not turn "nearly all" into "all".
            text = score.score.to_string();
        }
        Self { model, system: &score.system, score: text, maximum: number(score.maximum) }
    }
}

impl Attention {
    fn new(rule: &RuleReport, view: &RuleView<'_>) -> Option<Self> {
        let order = match rule.result {
            XccdfResult::Fail => 0,
            XccdfResult::Error => 1,
            XccdfResult::Unknown => 2,
            XccdfResult::NotChecked => 3,
            _ => return None,
        };
        // The messages of a failed rule are for its own place: here the offenders speak for it.
        let reasons = if rule.result == XccdfResult::Fail {
            Vec::new()
        } else {
            let worst = rule.messages.iter().map(|m| message_rank(m.severity)).min();
            rule.messages
                .iter()
                .filter(|m| Some(message_rank(m.severity)) == worst)
                .take(1)
                .map(|m| m.text.clone())
                .collect()
        };
        Some(Self {
            anchor: view.anchor.clone(),
            title: rule.title.clone(),
            section: rule.section.clone(),
            level: rule.level,
            severity: rule.severity,
            kind: view.kind,
            icon: view.icon,
            word: view.word,
            offenders: view.offender_count.clone(),
            offender_count: rule.offenders.len(),
            reasons,
            order: (order, severity_rank(rule.severity)),
        })
    }
}

impl<'a> RuleView<'a> {
    fn new(rule: &'a RuleReport, texts: Option<&RuleTexts>, anchor: String) -> Self {
        let Look { kind, icon, word, .. } = look(rule.result);
        let mut offenders: Vec<OffenderView<'_>> = rule
            .offenders
            .iter()
            .take(HELD_OFFENDERS)
            .enumerate()
            .map(|(i, o)| OffenderView { number: i + 1, object: &o.object, detail: &o.detail })
            .collect();
        let more_offenders = offenders.split_off(offenders.len().min(SHOWN_OFFENDERS));
        let mut messages: Vec<_> = rule.messages.iter().collect();
        messages.sort_by_key(|m| message_rank(m.severity));
        Self {
            anchor,
            id: &rule.id,
            xccdf_id: &rule.xccdf_id,
            title: &rule.title,
            section: rule.section.as_deref(),
            level: rule.level,
            severity: rule.severity,
            kind,
            icon,
            word,
            failed: rule.result == XccdfResult::Fail,
            offender_count: thousands(rule.offenders.len()),
            offender_total: rule.offenders.len(),
            more_count: thousands(more_offenders.len()),
            left_out: rule.offenders.len().checked_sub(HELD_OFFENDERS).filter(|n| *n > 0).map(thousands),
            offenders,
            more_offenders,
            details: rule.offenders.iter().any(|o| !o.detail.is_empty()),
            messages: messages
                .into_iter()
                .map(|m| {
                    let (kind, word) = match m.severity {
                        "error" => ("error", "Error"),
                        "warning" => ("warning", "Warning"),
                        _ => ("info", "Note"),
                    };
                    MessageView { kind, word, text: &m.text }
                })
                .collect(),
            description: texts.map(|t| markup_to_html(&t.description)).unwrap_or_default(),
            rationale: texts.and_then(|t| t.rationale.as_ref()).map(markup_to_html).unwrap_or_default(),
            fixtexts: texts
                .map(|t| t.fixtexts.iter().map(markup_to_html).filter(|html| !html.is_empty()).collect())
                .unwrap_or_default(),
            fixes: texts.map(|t| t.fixes.clone()).unwrap_or_default(),
        }
    }
}

/// The rules by section, in the benchmark's order; sections without a rule in the report are left out.
fn group<'a>(report: &'a Report, texts: &ReportTexts) -> Vec<(String, Vec<&'a RuleReport>)> {
    let mut left: Vec<&RuleReport> = report.rules.iter().collect();
    let mut groups = Vec::new();
    for (title, ids) in &texts.sections {
        let place: BTreeMap<&str, usize> = ids.iter().enumerate().map(|(i, id)| (id.as_str(), i)).collect();
        let (mut here, others): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|rule| place.contains_key(rule.id.as_str()));
        left = others;
        here.sort_by_key(|rule| place.get(rule.id.as_str()));
        if !here.is_empty() {
            groups.push((numbered(title, &here), here));
        }
    }
    if !left.is_empty() {
        groups.push((if groups.is_empty() { "All rules" } else { "Other rules" }.to_owned(), left));
    }
    groups
}

/// The title with the section's number, where the rules agree on one and the title does not bear it.
fn numbered(title: &str, rules: &[&RuleReport]) -> String {
    let numbers: BTreeSet<Option<&str>> = rules
        .iter()
        .map(|r| r.section.as_deref().and_then(|s| s.rsplit_once('.')).map(|(head, _)| head))
        .collect();
    match (numbers.len(), numbers.first()) {
        (1, Some(Some(number))) if !title.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{number} {title}")
        }
        _ => title.to_owned(),
    }
}

fn rows_by_level(rules: &[&RuleReport], columns: &[XccdfResult], totals: bool) -> Vec<MatrixRow> {
    let row = |label: &str, rules: Vec<&RuleReport>, sum: bool| {
        let total = rules.len();
        let counts = count(rules);
        let cells = columns
            .iter()
            .map(|r| Cell { count: of_result(&counts, *r), kind: look(*r).kind, word: look(*r).word })
            .collect();
        MatrixRow { label: label.to_owned(), cells, total, sum }
    };
    // `None` sorts first; rules without a level come last.
    let levels: BTreeSet<(bool, Option<u8>)> = rules.iter().map(|r| (r.level.is_none(), r.level)).collect();
    let mut rows: Vec<MatrixRow> = levels
        .iter()
        .map(|(_, level)| {
            let label = match level {
                Some(level) => format!("Level {level}"),
                None if levels.len() == 1 => "All rules".to_owned(),
                None => "No level".to_owned(),
            };
            row(&label, rules.iter().copied().filter(|r| r.level == *level).collect(), false)
        })
        .collect();
    if totals && rows.len() != 1 {
        rows.push(row("All rules", rules.to_vec(), true));
    }
    rows
}

/// Ids of elements, each given once.
#[derive(Default)]
pub(super) struct Anchors(BTreeSet<String>);

impl Anchors {
    pub(super) fn take(&mut self, prefix: &str, text: &str) -> String {
        let name: String = text
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
            .collect();
        let first = format!("{prefix}-{name}");
        let mut anchor = first.clone();
        let mut n = 1;
        while !self.0.insert(anchor.clone()) {
            n += 1;
            anchor = format!("{first}--{n}");
        }
        anchor
    }
}
