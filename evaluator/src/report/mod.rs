//! The reports of a scan: ARF and XCCDF results for machines, JSON, HTML and the terminal for people.

pub mod arf;
pub mod html;
pub mod lines;
pub mod nodes;
pub mod oval;
pub mod read;
pub mod text;
mod texts;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use virtscap_scap::xccdf::XccdfResult;

pub(crate) use texts::resolved;
pub use texts::{ReportTexts, RuleTexts};

/// Version of the JSON report's form. It changes when a field goes away or changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// The fact about the target that a partial scan has in XCCDF; its value is the reason.
pub(crate) const PARTIAL_FACT: &str = "urn:virtscap:fact:partial";

/// What a scan found, in the stable form of `virtscap scan --json`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// Version of this form: 1.
    pub schema_version: u32,
    /// The program that made the report, such as `virtscap 0.1.0`.
    pub tool: String,
    /// The benchmark.
    pub benchmark: BenchmarkReport,
    /// The profile; absent where the benchmark's own selection was used.
    pub profile: Option<ProfileReport>,
    /// What was scanned.
    pub source: SourceReport,
    /// When the scan began (RFC 3339, UTC).
    pub started: String,
    /// When it ended (RFC 3339, UTC).
    pub finished: String,
    /// Why the scan ended before its time, so that rules are undecided which otherwise might not be; absent where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partial: Option<String>,
    /// Whether every rule that was evaluated and applies passed, at least one did, and the scan is not partial.
    pub passed: bool,
    /// How many rules gave each result. Rules outside of the profile are not counted, nor listed.
    pub counts: BTreeMap<&'static str, usize>,
    /// The scores of XCCDF 1.2.
    pub scores: Vec<ScoreReport>,
    /// What the content asks for and this program does not support, by name, with how often it was met. Rules that rest on it
    /// are not decided.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unsupported: BTreeMap<String, usize>,
    /// The rules of the profile, in the benchmark's order.
    pub rules: Vec<RuleReport>,
}

impl Report {
    /// Says that the scan ended before its time, and why. Then it is no pass.
    pub(crate) fn set_partial(&mut self, reason: String) {
        self.partial = Some(reason);
        self.passed = false;
    }

    /// What is not supported, in words; none where all is.
    pub fn unsupported_text(&self) -> Option<String> {
        let counted: Vec<_> =
            self.unsupported.iter().map(|(name, count)| format!("{name} ({count})")).collect();
        (!counted.is_empty()).then(|| counted.join(", "))
    }
}

/// The benchmark of a report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct BenchmarkReport {
    /// Its XCCDF id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
}

/// The profile of a report.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ProfileReport {
    /// Its XCCDF id.
    pub id: String,
    /// Its short name, such as `level-1`.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The values that the scan used, by short name, as tailored.
    pub values: BTreeMap<String, String>,
    /// Id of the tailoring, where one was used.
    pub tailoring: Option<String>,
}

/// What was scanned.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SourceReport {
    /// The kind of source: `snapshot`, …
    pub kind: String,
    /// Where it is.
    pub location: String,
}

/// A score.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScoreReport {
    /// The scoring model, a URN of XCCDF 1.2.
    pub system: String,
    /// The score.
    pub score: f64,
    /// The most that could have been reached.
    pub maximum: f64,
}

/// The result of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RuleReport {
    /// Its short name, such as `hco-nonroot`.
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
    /// The result of XCCDF 1.2: `pass`, `fail`, `error`, `unknown`, `notapplicable`, `notchecked`, `informational`, …
    #[serde(serialize_with = "result_text")]
    #[schemars(with = "String")]
    pub result: XccdfResult,
    /// What makes the rule fail.
    pub offenders: Vec<Offender>,
    /// What else there is to know: why a rule could not be decided, what was not readable.
    pub messages: Vec<MessageReport>,
}

/// An object, or a part of one, that makes a rule fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Offender {
    /// The object: `NAMESPACE/NAME`, or `NAME` where it has no namespace.
    pub object: String,
    /// What about it; empty where the object says it all.
    pub detail: String,
}

impl Offender {
    /// From `OBJECT: DETAIL`.
    pub fn from_text(text: &str) -> Self {
        let (object, detail) = text.split_once(": ").unwrap_or((text, ""));
        Self { object: object.to_owned(), detail: detail.to_owned() }
    }
}

impl std::fmt::Display for Offender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.detail.is_empty() { "" } else { ": " };
        write!(f, "{}{separator}{}", self.object, self.detail)
    }
}

/// A message of a rule's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MessageReport {
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// What it says.
    pub text: String,
}

fn result_text<S: serde::Serializer>(result: &XccdfResult, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(result.as_str())
}

/// How many rules gave each result, in words.
fn counted(counts: &BTreeMap<&'static str, usize>) -> String {
    counts.iter().map(|(result, count)| format!("{count} {result}")).collect::<Vec<_>>().join(", ")
}

/// How many rules gave each result, and whether that is a pass: no objection, and something passed.
pub(crate) fn tally(rules: &[RuleReport]) -> (BTreeMap<&'static str, usize>, bool) {
    let mut counts = BTreeMap::new();
    for rule in rules {
        *counts.entry(rule.result.as_str()).or_insert(0) += 1;
    }
    let passes = rules.iter().any(|rule| rule.result == XccdfResult::Pass);
    let no_objection = rules.iter().all(|rule| {
        matches!(rule.result, XccdfResult::Pass | XccdfResult::NotApplicable | XccdfResult::Informational)
    });
    (counts, passes && no_objection)
}
