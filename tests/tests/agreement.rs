//! Every case of every rule gives the expected verdict and offenders in virtscap from memory, in virtscap from the
//! written data stream, and in stock oscap on the dump that `virtscap collect` writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::sync::Mutex;

use virtscap_evaluator::content::Content;
use virtscap_generator::case::Case;
use virtscap_generator::model::Rule;
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{
    BENCHMARK, EVERYTHING, IN_MEMORY, READ_BACK, Verdict, full_rule_id, in_parallel, oscap, prepared, say,
    source, tailoring, verdicts,
};

fn cases() -> Vec<(&'static Rule, &'static Case)> {
    BENCHMARK.rules().flat_map(|rule| rule.cases.iter().map(move |case| (rule, case))).collect()
}

fn virtscap(content: &Content, rule: &Rule, case: &Case) -> Verdict {
    let source = source(&case.answers(&BENCHMARK));
    prepared(content, tailoring(&case.values).as_ref(), |prepared| {
        verdicts(prepared, &prepared.collect(&source)).remove(&rule.id).unwrap()
    })
}

/// Runs the check on every case, and fails with every difference.
fn on_every_case(what: &str, check: impl Fn(&Rule, &Case) -> Result<(), String> + Sync) {
    let cases = cases();
    let differences = Mutex::new(Vec::new());
    in_parallel(&cases, |(rule, case)| {
        if let Err(difference) = check(rule, case) {
            differences.lock().unwrap().push(format!("{}, \"{}\": {difference}", rule.id, case.name));
        }
    });
    let mut differences = differences.into_inner().unwrap();
    differences.sort();
    let agree = cases.len() - differences.len();
    say(&format!("{what}: {agree} of {} cases of {} rules agree", cases.len(), BENCHMARK.rules().count()));
    assert!(!cases.is_empty() && differences.is_empty(), "{}", differences.join("\n"));
}

fn compare(case: &Case, verdict: &Verdict) -> Result<(), String> {
    let expected = (case.expect, &case.offenders);
    if expected == (verdict.result, &verdict.offenders) {
        return Ok(());
    }
    Err(format!("expected {expected:#?}, got {verdict:#?}"))
}

#[test]
fn virtscap_from_memory() {
    on_every_case("virtscap from memory", |rule, case| compare(case, &virtscap(&IN_MEMORY, rule, case)));
}

#[test]
fn virtscap_from_the_data_stream() {
    on_every_case("virtscap from the data stream", |rule, case| {
        compare(case, &virtscap(&READ_BACK, rule, case))
    });
}

#[test]
fn oscap_on_the_dump() {
    if !oscap::is_there() {
        return;
    }
    let datastream = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(datastream.path(), IN_MEMORY.xml()).unwrap();
    on_every_case("oscap", |rule, case| {
        let folder = tempfile::tempdir().unwrap();
        let tailoring = tailoring(&case.values);
        let source = source(&case.answers(&BENCHMARK));
        prepared(&IN_MEMORY, tailoring.as_ref(), |prepared| {
            prepared.collect(&source).write_to(&folder.path().join("kubernetes-api-resources")).unwrap();
        });
        let tailoring_file = tailoring.map(|tailoring| {
            let file = folder.path().join("tailoring.xml");
            let href = datastream.path().to_str().unwrap();
            std::fs::write(&file, tailoring.write(href)).unwrap();
            (file, tailoring.profiles[0].id.to_string())
        });
        let rule_id = full_rule_id(&rule.id);
        let evaluation = oscap::evaluate(&oscap::Request {
            datastream: datastream.path(),
            profile: tailoring_file.as_ref().map_or(EVERYTHING, |(_, profile)| profile),
            tailoring: tailoring_file.as_ref().map(|(file, _)| file.as_path()),
            rule: Some(&rule_id),
            probe_root: folder.path(),
        });
        let result = evaluation.results.get(&rule_id).copied();
        if result != Some(case.expect) {
            return Err(format!("expected {}, got {result:?} of {:?}", case.expect, evaluation.results));
        }
        compare_offenders(rule, case, &oscap::collected_strings(&evaluation.arf))
    });
}

/// What oscap collected is what offends; with a value that approves, what could offend.
fn compare_offenders(rule: &Rule, case: &Case, collected: &BTreeSet<String>) -> Result<(), String> {
    if case.expect != XccdfResult::Fail {
        return Ok(());
    }
    // The limit of a grant stands in the expression that matched, and not in the string.
    let plain = |offender: &String| match offender.split_once("] (limited to ") {
        Some((offender, _)) => format!("{offender}]"),
        None => offender.clone(),
    };
    let expected: BTreeSet<_> = case.offenders.iter().map(plain).collect();
    let agree = match rule.values().first() {
        None => expected == *collected,
        Some(_) => expected.is_subset(collected),
    };
    if agree {
        Ok(())
    } else {
        Err(format!("expected the offenders {expected:#?}, oscap collected {collected:#?}"))
    }
}
