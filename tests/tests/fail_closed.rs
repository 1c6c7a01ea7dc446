//! A pass is earned: whatever is wrong with the data that a rule reads, the rule does not pass, in virtscap or in oscap.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;

use virtscap_evaluator::dump::{Dump, DumpFile};
use virtscap_evaluator::source::{Answer, ApiSource, MemorySource, Snapshot};
use virtscap_generator::case::Given;
use virtscap_generator::model::{Resource, Rule};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{
    BENCHMARK, EVERYTHING, IN_MEMORY, bytes_of, covers, every_platform_rule, full_rule_id, in_parallel,
    oscap, platform_rules, prepared, project, say, verdicts,
};

/// What can be wrong with an answer.
const FAULTS: [&str; 11] = [
    "removed",
    "404",
    "403",
    "500",
    "empty",
    "white space",
    "truncated",
    "no object",
    "no list",
    "items null",
    "first page",
];

/// The answer with a fault; none: removed.
fn faulty(fault: &str, resource: &Resource, body: &[u8]) -> Option<Vec<u8>> {
    let text = |text: &str| Some(text.as_bytes().to_vec());
    match fault {
        "removed" => None,
        "404" => Given::NotFound.body(resource).map(String::into_bytes),
        "403" => Given::Forbidden.body(resource).map(String::into_bytes),
        "500" => text(
            r#"{"kind": "Status", "status": "Failure", "code": 500, "message": "etcdserver: request timed out"}"#,
        ),
        "empty" => text(""),
        "white space" => text(" \n"),
        "truncated" => Some(body[..body.len() * 2 / 3].to_vec()),
        "no object" => text("[]"),
        "no list" => text("{}"),
        "items null" => text(r#"{"kind": "List", "items": null}"#),
        "first page" => text(r#"{"kind": "List", "metadata": {"continue": "eyJ2Ijo"}, "items": []}"#),
        other => panic!("{other}"),
    }
}

/// The hardened snapshot's answers that the rules read.
fn hardened() -> BTreeMap<Resource, Vec<u8>> {
    let snapshot = Snapshot::open(&project().join("tests/snapshots/hardened")).unwrap();
    let resources = platform_rules().flat_map(Rule::resources);
    resources
        .chain(BENCHMARK.platform.resources.clone())
        .map(|resource| match snapshot.get(&resource.path()) {
            Answer::Pages(pages) => (resource, bytes_of(pages)),
            Answer::Refused(refusal) => panic!("{}: {refusal}", resource.path()),
        })
        .collect()
}

fn source(answers: &BTreeMap<Resource, Vec<u8>>) -> MemorySource {
    let mut source = MemorySource::default();
    for (resource, body) in answers {
        source.insert(resource.path(), body.clone());
    }
    source
}

/// The rule of this name.
fn rule(name: &str) -> &'static Rule {
    BENCHMARK.rules().find(|r| r.id == name).unwrap()
}

/// What oscap says of every rule on a dump.
fn oscap_results(dump: &Dump) -> BTreeMap<String, XccdfResult> {
    let folder = tempfile::tempdir().unwrap();
    dump.write_to(&folder.path().join("kubernetes-api-resources")).unwrap();
    oscap_on(folder.path())
}

fn oscap_on(probe_root: &Path) -> BTreeMap<String, XccdfResult> {
    let datastream = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(datastream.path(), IN_MEMORY.xml()).unwrap();
    let tailoring = tempfile::NamedTempFile::new().unwrap();
    let href = datastream.path().to_str().unwrap();
    std::fs::write(tailoring.path(), every_platform_rule().write(href)).unwrap();
    let request = oscap::Request {
        datastream: datastream.path(),
        profile: EVERYTHING,
        tailoring: Some(tailoring.path()),
        rule: None,
        probe_root,
    };
    oscap::evaluate(&request).results
}

#[test]
fn faulty_answers() {
    let with_oscap = oscap::is_there();
    let hardened = hardened();
    let combinations: Vec<_> =
        hardened.keys().flat_map(|resource| FAULTS.map(|fault| (resource, fault))).collect();
    let judged = std::sync::atomic::AtomicUsize::new(0);
    let optional = std::sync::atomic::AtomicUsize::new(0);
    in_parallel(&combinations, |(resource, fault)| {
        let mut answers = hardened.clone();
        match faulty(fault, resource, &hardened[*resource]) {
            Some(body) => answers.insert((*resource).clone(), body),
            None => answers.remove(*resource),
        };
        prepared(&IN_MEMORY, &every_platform_rule(), |prepared| {
            let dump = prepared.collect(&source(&answers));
            let verdicts = verdicts(prepared, &dump);
            let theirs = if with_oscap { oscap_results(&dump) } else { BTreeMap::new() };
            for (name, verdict) in &verdicts {
                let rule = rule(name);
                if with_oscap {
                    let their = theirs[&full_rule_id(name)];
                    assert_eq!(verdict.result, their, "{name}, {} {fault}: oscap differs", resource.path());
                }
                if !rule.resources().contains(resource) {
                    continue;
                }
                let not_served = |r: &Resource| String::from_utf8_lossy(&answers[r]).contains("\"NotFound\"");
                if *fault == "404" && BENCHMARK.platform.resources.iter().all(not_served) {
                    assert_eq!(verdict.result, XccdfResult::NotApplicable, "{name}: {verdict:?}");
                    continue;
                }
                // Where a 404 is an answer, the hardened cluster without the resource is as good as with it.
                if *fault == "404" && rule.is_optional(resource) {
                    optional.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    // What nobody covers any more offends.
                    let covers = rule.check.iter().any(|leg| covers(leg, resource));
                    let expected = if covers { XccdfResult::Fail } else { XccdfResult::Pass };
                    assert_eq!(verdict.result, expected, "{name}, {} 404: {verdict:?}", resource.path());
                    continue;
                }
                judged.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                assert_eq!(
                    verdict.result,
                    XccdfResult::Unknown,
                    "{name}, {} {fault}: {verdict:?}",
                    resource.path()
                );
                assert!(!verdict.messages.is_empty(), "{name}, {} {fault}: no reason", resource.path());
            }
        });
    });
    let peers = if with_oscap { "virtscap and oscap" } else { "virtscap" };
    let (judged, optional) = (judged.into_inner(), optional.into_inner());
    say(&format!(
        "faulty answers: {judged} verdicts, none passes in {peers}; {optional} where a 404 is an answer"
    ));
}

/// The product is not installed only if none of its resources is served.
#[test]
fn absent_product() {
    let mut answers = hardened();
    for resource in &BENCHMARK.platform.resources {
        answers.insert(resource.clone(), faulty("404", resource, &[]).unwrap());
    }
    prepared(&IN_MEMORY, &every_platform_rule(), |prepared| {
        let dump = prepared.collect(&source(&answers));
        let theirs = if oscap::is_there() { oscap_results(&dump) } else { BTreeMap::new() };
        for (name, verdict) in verdicts(prepared, &dump) {
            assert_eq!(verdict.result, XccdfResult::NotApplicable, "{name}");
            assert!(
                theirs.is_empty() || theirs[&full_rule_id(&name)] == XccdfResult::NotApplicable,
                "{name}"
            );
        }
    });
}

/// What can be wrong with a file of a dump.
const DAMAGES: [&str; 8] = ["", "\n", "# nothing\n", "[]", "{}", "[\"@collec", "null", "\"@collected\""];

#[test]
fn damaged_dumps() {
    let with_oscap = oscap::is_there();
    let hardened = source(&hardened());
    in_parallel(&DAMAGES, |damage| {
        prepared(&IN_MEMORY, &every_platform_rule(), |prepared| {
            let whole = prepared.collect(&hardened);
            let mut damaged = Dump::default();
            for (path, _) in whole.iter() {
                damaged.insert(path.to_owned(), DumpFile::Document((*damage).to_owned()));
            }
            let theirs = if with_oscap { oscap_results(&damaged) } else { BTreeMap::new() };
            for (rule, verdict) in verdicts(prepared, &damaged) {
                let undecided = matches!(verdict.result, XccdfResult::Unknown | XccdfResult::Error);
                assert!(undecided, "{rule} on {damage:?}: {verdict:?}");
                if with_oscap {
                    assert_eq!(
                        verdict.result,
                        theirs[&full_rule_id(&rule)],
                        "{rule} on {damage:?}: oscap differs"
                    );
                }
            }
        });
    });
}

#[test]
fn no_data_at_all() {
    let verdicts =
        prepared(&IN_MEMORY, &every_platform_rule(), |prepared| verdicts(prepared, &Dump::default()));
    assert!(verdicts.values().all(|verdict| verdict.result == XccdfResult::Unknown), "{verdicts:?}");
    if oscap::is_there() {
        let results = oscap_on(tempfile::tempdir().unwrap().path());
        assert!(results.values().all(|result| *result == XccdfResult::Unknown), "{results:?}");
    }
}
