//! Every case of every rule gives the expected verdict and offenders in virtscap from memory, in virtscap from the
//! written data stream, and in stock oscap: on the dump that `virtscap collect` writes, or on a node's files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use virtscap_cli::{ONLY, Verdict, only, run, source};
use virtscap_evaluator::content::Content;
use virtscap_generator::case::{Case, Evidence};
use virtscap_generator::model::{Decision, Leg, Rule, Scope};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{
    BENCHMARK, IN_MEMORY, READ_BACK, cases, full_rule_id, in_parallel, node, oscap, prepared, say,
};

/// Runs the check on every case, and fails with every difference. The check says whether it could judge the case.
fn on_every_case(what: &str, check: impl Fn(&Rule, &Case) -> Result<bool, String> + Sync) {
    let all: Vec<_> = [Scope::Platform, Scope::Node].into_iter().flat_map(cases).collect();
    let differences = Mutex::new(Vec::new());
    let left_out = AtomicUsize::new(0);
    in_parallel(&all, |(rule, case)| match check(rule, case) {
        Ok(true) => {}
        Ok(false) => {
            left_out.fetch_add(1, Ordering::Relaxed);
        }
        Err(difference) => {
            differences.lock().unwrap().push(format!("{}, \"{}\": {difference}", rule.id, case.name));
        }
    });
    let mut differences = differences.into_inner().unwrap();
    differences.sort();
    let left_out = left_out.into_inner();
    let judged = all.len() - left_out;
    let agree = judged - differences.len();
    let rules = BENCHMARK.rules().count();
    let note = if left_out > 0 { format!("; it cannot be shown {left_out} more") } else { String::new() };
    say(&format!("{what}: {agree} of {judged} cases of {rules} rules agree{note}"));
    assert!(judged > 0 && differences.is_empty(), "{}", differences.join("\n"));
}

fn virtscap(content: &Content, rule: &Rule, case: &Case) -> Result<bool, String> {
    let verdict: Verdict = run(&BENCHMARK, content, rule, case).map_err(|e| e.to_string())?;
    let expected = (case.expect, &case.offenders);
    if expected == (verdict.result, &verdict.offenders) {
        return Ok(true);
    }
    Err(format!("expected {expected:#?}, got {verdict:#?}"))
}

#[test]
fn virtscap_from_memory() {
    on_every_case("virtscap from memory", |rule, case| virtscap(&IN_MEMORY, rule, case));
}

#[test]
fn virtscap_from_the_data_stream() {
    on_every_case("virtscap from the data stream", |rule, case| virtscap(&READ_BACK, rule, case));
}

#[test]
fn stock_oscap() {
    if !oscap::is_there() {
        return;
    }
    let datastream = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(datastream.path(), IN_MEMORY.xml()).unwrap();
    on_every_case("oscap", |rule, case| with_oscap(datastream.path(), rule, case));
}

fn with_oscap(datastream: &Path, rule: &Rule, case: &Case) -> Result<bool, String> {
    let folder = tempfile::tempdir().unwrap();
    let tailoring = only(&BENCHMARK, rule, &case.values).map_err(|e| e.to_string())?;
    match &case.evidence {
        Evidence::Answers(_) => {
            let source = source(&case.answers(&BENCHMARK));
            prepared(&IN_MEMORY, &tailoring, |prepared| {
                prepared.collect(&source).write_to(&folder.path().join("kubernetes-api-resources")).unwrap();
            });
        }
        Evidence::Files(files) => {
            if !node::write(files, folder.path()) {
                return Ok(false);
            }
        }
    }
    let tailoring_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(tailoring_file.path(), tailoring.write(datastream.to_str().unwrap())).unwrap();
    let rule_id = full_rule_id(&rule.id);
    let evaluation = oscap::evaluate(&oscap::Request {
        datastream,
        profile: ONLY,
        tailoring: Some(tailoring_file.path()),
        rule: Some(&rule_id),
        probe_root: folder.path(),
    });
    let result = evaluation.results.get(&rule_id).copied();
    if result != Some(case.expect) {
        return Err(format!("expected {}, got {result:?} of {:?}", case.expect, evaluation.results));
    }
    compare_offenders(rule, case, &oscap::findings(&evaluation.arf)).map(|()| true)
}

/// What oscap collected is what offends; where a value or another resource decides, what could offend.
fn compare_offenders(rule: &Rule, case: &Case, collected: &BTreeSet<String>) -> Result<(), String> {
    if case.expect != XccdfResult::Fail {
        return Ok(());
    }
    // Limits and users stand in the expression that matched, and not in the string; owner and mode in no text at all.
    let plain = |offender: &String| {
        let notes = [" (limited to ", " (used by "].into_iter().filter_map(|note| offender.rfind(note));
        let end = notes.max().unwrap_or(offender.len());
        match rule.scope() {
            Scope::Platform => offender[..end].to_owned(),
            Scope::Node => offender.clone(),
        }
    };
    let expected: BTreeSet<_> = case.offenders.iter().map(plain).collect();
    let alone = |leg: &Leg| matches!(leg, Leg::Each(each) if each.approved.is_none() && matches!(each.decision, Decision::Alone));
    let agree = match rule.check.iter().all(alone) {
        true => expected == *collected,
        false => expected.is_subset(collected),
    };
    if agree {
        Ok(())
    } else {
        Err(format!("expected the offenders {expected:#?}, oscap collected {collected:#?}"))
    }
}
