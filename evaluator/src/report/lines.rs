//! The lines that `oscap xccdf eval` prints, which scripts read: the same bytes as oscap 1.3.7.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use virtscap_scap::datastream::ComponentContent;
use virtscap_scap::namespace::XCCDF;
use virtscap_scap::xccdf::XccdfResult;
use virtscap_scap::xccdf::results::RuleResult;
use virtscap_scap::xml::{Node, NodeExt as _, ReadError, escape_text};

use crate::scan::Scan;

/// How much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A block of lines per rule.
    Blocks {
        /// With the colours of a terminal.
        colour: bool,
    },
    /// `RULE:RESULT`.
    Progress,
    /// `RULE|TITLE|RESULT`.
    ProgressFull,
}

/// What is printed before the first rule.
pub fn head(style: Style) -> &'static str {
    match style {
        Style::Blocks { .. } => "--- Starting Evaluation ---\n\n",
        Style::Progress => "",
        Style::ProgressFull => "---evaluation\n",
    }
}

/// The lines of the rules that were evaluated.
///
/// # Errors
/// [`ReadError`] where the content is not what it was when it was read.
pub fn lines(scan: &Scan<'_>, style: Style) -> Result<String, ReadError> {
    let component = scan.test_result.benchmark_href.trim_start_matches('#');
    let benchmark = scan.content.component_xml(component)?;
    let document = roxmltree::Document::parse(&benchmark)?;
    let labels = Labels::of(document.root_element(), scan);
    let mut out = String::new();
    for result in &scan.test_result.rule_results {
        if result.result != XccdfResult::NotSelected {
            write(&mut out, scan, result, labels.of_rule(result.rule.as_str()), style);
        }
    }
    Ok(out)
}

fn write(out: &mut String, scan: &Scan<'_>, result: &RuleResult, label: &Label, style: Style) {
    let (id, word, title) = (&result.rule, result.result.as_str(), &label.title);
    // Writing into memory does not fail.
    let _ = match style {
        Style::Progress => writeln!(out, "{id}:{word}"),
        Style::ProgressFull => writeln!(out, "{id}|{title}|{word}"),
        Style::Blocks { colour } => {
            let title = if colour { format!("\u{1b}[1m{title}\u{1b}[0;0m") } else { title.clone() };
            let word = if colour {
                format!("\u{1b}[{}m{word}\u{1b}[0m", colour_of(result.result))
            } else {
                word.to_owned()
            };
            let idents: String = label.idents.iter().map(|ident| format!("Ident\r\t{ident}\n")).collect();
            let definition = definition(scan, result);
            writeln!(out, "Title\r\t{title}\nRule\r\t{id}\n{idents}{definition}Result\r\t{word}\n")
        }
    };
}

/// The SGR parameters of a result.
fn colour_of(result: XccdfResult) -> &'static str {
    match result {
        XccdfResult::Pass | XccdfResult::Fixed => "32",
        XccdfResult::Fail => "31",
        XccdfResult::Error => "1;31",
        XccdfResult::Unknown => "1;30",
        XccdfResult::Informational => "34",
        XccdfResult::NotApplicable | XccdfResult::NotChecked | XccdfResult::NotSelected => "1",
    }
}

/// Of a check that gives a result per definition: which definition this result is of.
fn definition(scan: &Scan<'_>, result: &RuleResult) -> String {
    let reference = result.checks.iter().filter(|check| check.multi_check).find_map(|check| {
        let reference = check.content_refs.first()?;
        Some((reference.href.trim_start_matches('#'), reference.name.as_deref()?))
    });
    let Some((report, name)) = reference else { return String::new() };
    let component = scan.evaluation.checks.iter().find(|component| component.report == report);
    let content = component.and_then(|found| scan.content.collection().component(&found.component));
    let title = match content.map(|component| &component.content) {
        Some(ComponentContent::Oval(oval)) => {
            oval.definitions.iter().find(|definition| definition.id.as_str() == name).map(|d| &*d.title)
        }
        _ => None,
    };
    let title = escape_text(title.unwrap_or_default());
    format!("OVAL Definition ID\t{name}\nOVAL Definition Title\t{title}\n")
}

/// What is printed of a rule beside its result.
#[derive(Default)]
struct Label {
    /// As it stands in the document: oscap does not undo what XML escapes.
    title: String,
    idents: Vec<String>,
}

struct Labels {
    rules: BTreeMap<String, Label>,
    none: Label,
}

impl Labels {
    fn of(benchmark: Node<'_, '_>, scan: &Scan<'_>) -> Self {
        let values: BTreeMap<&str, &str> =
            scan.test_result.set_values.iter().map(|(id, value)| (id.as_str(), value.as_str())).collect();
        let rules = benchmark.descendants().filter(|node| node.is(XCCDF, "Rule")).filter_map(|rule| {
            let title = rule.child("title").map(|title| title_text(title, &values)).unwrap_or_default();
            let idents = rule.named("ident").map(|ident| escape_text(ident.full_text().trim())).collect();
            Some((rule.attribute("id")?.to_owned(), Label { title, idents }))
        });
        Self { rules: rules.collect(), none: Label::default() }
    }

    fn of_rule(&self, id: &str) -> &Label {
        self.rules.get(id).unwrap_or(&self.none)
    }
}

/// A title with the values in the place of `<sub>`s.
fn title_text(title: Node<'_, '_>, values: &BTreeMap<&str, &str>) -> String {
    let mut text = String::new();
    for node in title.descendants() {
        if node.is(XCCDF, "sub") {
            let value = node.attribute("idref").and_then(|id| values.get(id)).copied().unwrap_or_default();
            text.push_str(&escape_text(value));
        } else if node.is_text() {
            text.push_str(&escape_text(node.text().unwrap_or_default()));
        }
    }
    text
}
