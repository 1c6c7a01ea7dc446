//! What applying a benchmark gives: `TestResult` (XCCDF 1.2, 6.6).

use super::{Check, Role, ScoringModel, Severity, XccdfResult};
use crate::id::{BenchmarkId, ProfileId, RuleId, ValueId};
use crate::namespace::{ASSET_IDENTIFICATION, XCCDF};
use crate::xml::XmlWriter;

/// The results of one scan.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// Its id.
    pub id: String,
    /// Version of the benchmark.
    pub benchmark_version: String,
    /// The tool, as a CPE name.
    pub test_system: String,
    /// When the scan began (`xsd:dateTime`).
    pub start_time: String,
    /// When it ended.
    pub end_time: String,
    /// The benchmark.
    pub benchmark: BenchmarkId,
    /// Where the benchmark is.
    pub benchmark_href: String,
    /// The tailoring that was used.
    pub tailoring: Option<TailoringReference>,
    /// The profile; none: the benchmark's own selection.
    pub profile: Option<ProfileId>,
    /// Name of what was scanned.
    pub target: String,
    /// Facts about it: name, type and value.
    pub target_facts: Vec<(String, &'static str, String)>,
    /// Platforms that were found applicable.
    pub platforms: Vec<String>,
    /// The values that were used.
    pub set_values: Vec<(ValueId, String)>,
    /// One per rule; several for a rule with a multi-check.
    pub rule_results: Vec<RuleResult>,
    /// The scores.
    pub scores: Vec<Score>,
}

/// The tailoring that a scan used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TailoringReference {
    /// Where it is.
    pub href: String,
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// When that version was made.
    pub time: String,
}

/// The result of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleResult {
    /// The rule.
    pub rule: RuleId,
    /// Its role, as tailored.
    pub role: Role,
    /// Its severity, as tailored.
    pub severity: Option<Severity>,
    /// Its weight.
    pub weight: f64,
    /// When it was evaluated.
    pub time: String,
    /// The result.
    pub result: XccdfResult,
    /// What a person has to know about it.
    pub messages: Vec<Message>,
    /// What makes the rule fail: `NAMESPACE/NAME: WHAT`, one per object or part of it.
    pub offenders: Vec<String>,
    /// The checks that were used.
    pub checks: Vec<Check>,
}

/// A message of a rule's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How bad it is.
    pub severity: MessageSeverity,
    /// What it says.
    pub text: String,
}

/// `msgSevEnumType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageSeverity {
    /// The result is not what it would be without this.
    Error,
    /// The result may not be what it would be without this.
    Warning,
    /// For information.
    Info,
}

impl MessageSeverity {
    /// As it stands in a document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A score.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// How it was computed.
    pub model: ScoringModel,
    /// The most that could have been reached.
    pub maximum: f64,
    /// The score.
    pub score: f64,
}

/// How an offender is announced in a rule-result's message.
pub const OFFENDER_MESSAGE: &str = "offender: ";

impl TestResult {
    /// Writes `<TestResult>` in the default namespace, as oscap does: `oscap xccdf generate report` and the operator's
    /// script find it by name.
    pub fn write(&self, w: &mut XmlWriter) {
        let attributes = [
            ("xmlns", XCCDF),
            ("id", self.id.as_str()),
            ("start-time", &self.start_time),
            ("end-time", &self.end_time),
            ("version", &self.benchmark_version),
            ("test-system", &self.test_system),
        ];
        w.element("TestResult", &attributes, |w| {
            w.empty("benchmark", &[("href", &self.benchmark_href), ("id", self.benchmark.as_str())]);
            if let Some(tailoring) = &self.tailoring {
                let attributes = [
                    ("href", tailoring.href.as_str()),
                    ("id", &tailoring.id),
                    ("version", &tailoring.version),
                    ("time", &tailoring.time),
                ];
                w.empty("tailoring-file", &attributes);
            }
            w.text_element("title", &[], "virtscap scan result");
            if let Some(profile) = &self.profile {
                w.empty("profile", &[("idref", profile.as_str())]);
            }
            w.text_element("target", &[], &self.target);
            w.element("target-facts", &[], |w| {
                for (name, kind, value) in &self.target_facts {
                    w.text_element("fact", &[("name", name), ("type", kind)], value);
                }
            });
            let asset = [("system", ASSET_IDENTIFICATION), ("name", "asset0"), ("href", "")];
            w.empty("target-id-ref", &asset);
            for platform in &self.platforms {
                w.empty("platform", &[("idref", platform)]);
            }
            for (id, value) in &self.set_values {
                w.text_element("set-value", &[("idref", id.as_str())], value);
            }
            self.rule_results.iter().for_each(|result| result.write(w));
            for score in &self.scores {
                let maximum = format!("{:.6}", score.maximum);
                let attributes = [("system", score.model.as_str()), ("maximum", maximum.as_str())];
                w.text_element("score", &attributes, &format!("{:.6}", score.score));
            }
        });
    }
}

impl RuleResult {
    fn write(&self, w: &mut XmlWriter) {
        let weight = format!("{:.6}", self.weight);
        let mut attributes =
            vec![("idref", self.rule.as_str()), ("role", self.role.as_str()), ("time", &self.time)];
        if let Some(severity) = self.severity {
            attributes.push(("severity", severity.as_str()));
        }
        attributes.push(("weight", &weight));
        w.element("rule-result", &attributes, |w| {
            w.text_element("result", &[], self.result.as_str());
            for offender in &self.offenders {
                let text = format!("{OFFENDER_MESSAGE}{offender}");
                w.text_element("message", &[("severity", "info")], &text);
            }
            for message in &self.messages {
                w.text_element("message", &[("severity", message.severity.as_str())], &message.text);
            }
            for check in &self.checks {
                w.element("check", &[("system", &check.system)], |w| {
                    for export in &check.exports {
                        let attributes = [
                            ("export-name", export.export_name.as_str()),
                            ("value-id", export.value_id.as_str()),
                        ];
                        w.empty("check-export", &attributes);
                    }
                    for reference in &check.content_refs {
                        let mut attributes = vec![("href", reference.href.as_str())];
                        if let Some(name) = &reference.name {
                            attributes.push(("name", name));
                        }
                        w.empty("check-content-ref", &attributes);
                    }
                });
            }
        });
    }
}
