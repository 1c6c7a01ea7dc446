//! What the tests that cross crates share: the project's own benchmark, and stock oscap as a peer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of this is test code")]

pub mod oscap;
pub mod rbac_snapshot;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use virtscap_evaluator::content::Content;
use virtscap_evaluator::dump::Dump;
use virtscap_evaluator::report::SourceReport;
use virtscap_evaluator::scan::{Prepared, Request};
use virtscap_evaluator::source::MemorySource;
use virtscap_generator::datastream::{data_stream, rule_id, value_id};
use virtscap_generator::load::load;
use virtscap_generator::model::Benchmark;
use virtscap_scap::id::ProfileId;
use virtscap_scap::markup::Markup;
use virtscap_scap::xccdf::{Profile, SetValue, Tailoring, XccdfResult};

/// The profile that has every rule.
pub const EVERYTHING: &str = "level-2";

/// The project's folder.
pub fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The project's benchmark.
pub static BENCHMARK: LazyLock<Benchmark> =
    LazyLock::new(|| load(&project()).unwrap_or_else(|errors| panic!("the benchmark is wrong:\n{errors}")));

/// The benchmark's data stream as it was made in memory.
pub static IN_MEMORY: LazyLock<Content> = LazyLock::new(|| Content::from_model(data_stream(&BENCHMARK)));

/// The benchmark's data stream, written and read back.
pub static READ_BACK: LazyLock<Content> =
    LazyLock::new(|| Content::from_xml(IN_MEMORY.xml().to_owned()).unwrap());

/// A rule's result and offenders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The result.
    pub result: XccdfResult,
    /// The offenders, in order.
    pub offenders: Vec<String>,
    /// The messages, for people who read a failing test.
    pub messages: Vec<String>,
}

/// A tailoring of [`EVERYTHING`] that sets values; none where there is nothing to set.
pub fn tailoring(values: &BTreeMap<String, String>) -> Option<Tailoring> {
    if values.is_empty() {
        return None;
    }
    let set_values =
        values.iter().map(|(id, value)| SetValue { idref: value_id(id), value: value.clone() }).collect();
    let profile = Profile {
        id: ProfileId::new("xccdf_org.ssgproject.content_profile_tailored"),
        extends: Some(ProfileId::new(format!("xccdf_org.ssgproject.content_profile_{EVERYTHING}"))),
        title: "Tailored".to_owned(),
        description: Markup::default(),
        platforms: Vec::new(),
        selects: Vec::new(),
        set_values,
        refine_values: Vec::new(),
        refine_rules: Vec::new(),
    };
    Some(Tailoring {
        id: "xccdf_org.virtscap_tailoring_test".to_owned(),
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

/// Runs `work` with the content under a profile, tailored where there is a tailoring.
pub fn prepared<T>(
    content: &Content,
    tailoring: Option<&Tailoring>,
    work: impl FnOnce(&Prepared<'_>) -> T,
) -> T {
    let profile = if tailoring.is_some() { "tailored" } else { EVERYTHING };
    let request = Request {
        content,
        tailoring: tailoring.map(|tailoring| (tailoring, "tailoring.xml")),
        profile: Some(profile),
    };
    work(&Prepared::new(&request).unwrap())
}

/// What virtscap says of every rule, by the rule's name.
pub fn verdicts(prepared: &Prepared<'_>, dump: &Dump) -> BTreeMap<String, Verdict> {
    let source = SourceReport { kind: "test".to_owned(), location: "test".to_owned() };
    let results = prepared.evaluate(dump, source).test_result.rule_results;
    results
        .into_iter()
        .map(|result| {
            let verdict = Verdict {
                result: result.result,
                offenders: result.offenders,
                messages: result.messages.into_iter().map(|message| message.text).collect(),
            };
            (result.rule.short_name().to_owned(), verdict)
        })
        .collect()
}

/// The XCCDF id of a rule, as text.
pub fn full_rule_id(name: &str) -> String {
    rule_id(name).to_string()
}

/// Says something on standard error, past the capture of the test runner.
pub fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Runs `work` on every element, on all cores.
pub fn in_parallel<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}
