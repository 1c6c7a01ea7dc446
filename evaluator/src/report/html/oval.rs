//! Results in OVAL as a page: what became of each definition.

use serde::Serialize;
use virtscap_scap::oval::OvalResult;

use super::STYLE;
use super::format::{hash_source, readable_time, thousands};
use crate::oval_scan::{DefinitionOutcome, OvalScan};
use crate::report::SourceReport;
use crate::scan::TOOL;

/// How many details of a definition are shown.
const SHOWN_DETAILS: usize = 20;

/// What the template is given.
#[derive(Serialize)]
pub(super) struct OvalPage<'a> {
    style: &'static str,
    style_hash: String,
    tool: &'static str,
    file: &'a str,
    source: &'a SourceReport,
    time: String,
    tiles: Vec<Tile>,
    definitions: Vec<Definition<'a>>,
}

#[derive(Serialize)]
struct Tile {
    kind: &'static str,
    word: String,
    count: String,
}

#[derive(Serialize)]
struct Definition<'a> {
    id: &'a str,
    title: &'a str,
    class: &'static str,
    kind: &'static str,
    result: String,
    details: &'a [String],
    more: usize,
}

impl<'a> OvalPage<'a> {
    pub(super) fn new(scan: &'a OvalScan, file: &'a str, source: &'a SourceReport, time: &str) -> Self {
        let mut tiles = Vec::new();
        for result in [
            OvalResult::False,
            OvalResult::True,
            OvalResult::Error,
            OvalResult::Unknown,
            OvalResult::NotEvaluated,
            OvalResult::NotApplicable,
        ] {
            let count = scan.definitions.iter().filter(|definition| definition.result == result).count();
            if count > 0 {
                tiles.push(Tile { kind: kind(result), word: result.to_string(), count: thousands(count) });
            }
        }
        Self {
            style: STYLE,
            style_hash: hash_source(STYLE),
            tool: TOOL,
            file,
            source,
            time: readable_time(time),
            tiles,
            definitions: scan.definitions.iter().map(Definition::new).collect(),
        }
    }
}

impl<'a> Definition<'a> {
    fn new(outcome: &'a DefinitionOutcome) -> Self {
        let shown = outcome.details.len().min(SHOWN_DETAILS);
        Self {
            id: outcome.id.as_str(),
            title: &outcome.title,
            class: outcome.class,
            kind: kind(outcome.result),
            result: outcome.result.to_string(),
            details: &outcome.details[..shown],
            more: outcome.details.len() - shown,
        }
    }
}

/// Neither true nor false is good news by itself, so that neither is coloured as such.
fn kind(result: OvalResult) -> &'static str {
    match result {
        OvalResult::True | OvalResult::False => "other",
        OvalResult::Error | OvalResult::Unknown => "undecided",
        OvalResult::NotEvaluated | OvalResult::NotApplicable => "na",
    }
}
