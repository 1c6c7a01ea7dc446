//! What the tests that cross crates share: the project's own benchmark, with stock oscap and the operator's code as peers,
//! and a Kubernetes API server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of this is test code")]

pub mod apiserver;
pub mod cel_form;
pub mod gathered;
pub mod go;
pub mod node;
pub mod operator;
pub mod oscap;
pub mod public;
pub mod rbac_snapshot;
pub mod shell;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::LazyLock;

use virtscap_cli::Verdict;
use virtscap_evaluator::content::Content;
use virtscap_evaluator::dump::Dump;
use virtscap_evaluator::report::SourceReport;
use virtscap_evaluator::scan::{Prepared, Request};
use virtscap_evaluator::source::{Next, Pages};
use virtscap_generator::case::{Case, Evidence};
use virtscap_generator::datastream::{data_stream, profile_id, rule_id};
use virtscap_generator::load::load;
use virtscap_generator::model::{Benchmark, Decision, Leg, Resource, Rule, Scope};
use virtscap_scap::id::ProfileId;
use virtscap_scap::markup::Markup;
use virtscap_scap::xccdf::{Profile, Select, Tailoring, XccdfResult};

/// The profile of [`every_platform_rule`].
pub const EVERYTHING: &str = "xccdf_org.ssgproject.content_profile_everything";

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

/// The rules that read the API.
pub fn platform_rules() -> impl Iterator<Item = &'static Rule> {
    BENCHMARK.rules().filter(|rule| rule.scope() == Scope::Platform)
}

/// The cases of a scope, with their rules.
pub fn cases(scope: Scope) -> Vec<(&'static Rule, &'static Case)> {
    let rules = BENCHMARK.rules().filter(|rule| rule.scope() == scope);
    rules.flat_map(|rule| rule.cases.iter().map(move |case| (rule, case))).collect()
}

/// A tailoring with the profile [`EVERYTHING`], which has all rules that read the API.
pub fn every_platform_rule() -> Tailoring {
    let profile = Profile {
        id: ProfileId::new(EVERYTHING),
        extends: Some(profile_id("level-2")),
        title: "Everything".to_owned(),
        description: Markup::default(),
        is_abstract: false,
        complex_values: Vec::new(),
        platforms: Vec::new(),
        selects: platform_rules()
            .map(|rule| Select { idref: rule_id(&rule.id).to_string(), selected: true })
            .collect(),
        set_values: Vec::new(),
        refine_values: Vec::new(),
        refine_rules: Vec::new(),
        remarks: Default::default(),
    };
    Tailoring {
        id: "xccdf_org.virtscap_tailoring_everything".to_owned(),
        version: "1".to_owned(),
        version_time: Some("2026-01-01T00:00:00".to_owned()),
        profiles: vec![profile],
    }
}

/// Runs `work` with the content under the only profile of a tailoring.
pub fn prepared<T>(content: &Content, tailoring: &Tailoring, work: impl FnOnce(&Prepared<'_>) -> T) -> T {
    let profile = tailoring.profiles[0].id.as_str();
    let request = Request { content, tailoring: Some((tailoring, "tailoring.xml")), profile: Some(profile) };
    work(&Prepared::new(&request).unwrap())
}

/// What virtscap says of every selected rule, by the rule's name.
pub fn verdicts(prepared: &Prepared<'_>, dump: &Dump) -> BTreeMap<String, Verdict> {
    let source = SourceReport { kind: "test".to_owned(), location: "test".to_owned() };
    let results = prepared.evaluate(dump, source).test_result.rule_results;
    results
        .into_iter()
        .filter(|result| result.result != XccdfResult::NotSelected)
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

/// The bytes of an answer that is whole in one page.
pub fn bytes_of(mut pages: Box<dyn Pages>) -> Vec<u8> {
    let mut bytes = Vec::new();
    match pages.next(None) {
        Ok(Next::Page(mut page)) => page.body.read_to_end(&mut bytes).unwrap(),
        _ => panic!("there is no page"),
    };
    bytes
}

/// Whether the leg's findings need an object of the resource to cover them.
pub fn covers(leg: &Leg, resource: &Resource) -> bool {
    match leg {
        Leg::Each(each) => matches!(&each.decision, Decision::Covered { by, .. }
            if by.iter().any(|cover| cover.selection.resource == *resource)),
        Leg::WhoCan(_) | Leg::Files(_) => false,
    }
}

/// Whether a case gives answers of the API.
pub fn has_answers(case: &Case) -> bool {
    matches!(case.evidence, Evidence::Answers(_))
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
