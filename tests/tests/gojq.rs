//! The filters of all rules give in gojq, which the Compliance Operator's collector uses, what they give here: on every
//! case, and on the snapshots.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use virtscap_evaluator::dump::DumpFile;
use virtscap_evaluator::source::{Answer, ApiSource, Snapshot};
use virtscap_cli::{only, source};
use virtscap_generator::model::Scope;
use virtscap_scap::xccdf::Tailoring;
use virtscap_tests::{BENCHMARK, IN_MEMORY, cases, every_platform_rule, prepared, project, say};

/// A filter, what it is given, and what it gives here.
struct Run {
    filter: String,
    input: Value,
    output: Value,
}

/// Every filter on what a source answers, where it gives something.
fn runs(tailoring: &Tailoring, source: &dyn ApiSource) -> Vec<Run> {
    prepared(&IN_MEMORY, tailoring, |prepared| {
        let dump = prepared.collect(source);
        let endpoints = prepared.endpoints().into_iter();
        let run = |endpoint: virtscap_evaluator::collect::Endpoint| {
            let Some(DumpFile::Document(document)) = dump.get(&endpoint.dump) else { return None };
            let Answer::Body { bytes, .. } = source.get(&endpoint.path) else { return None };
            Some(Run {
                filter: endpoint.filter?,
                input: serde_json::from_slice(&bytes).unwrap(),
                output: serde_json::from_str(document).unwrap(),
            })
        };
        endpoints.filter_map(run).collect()
    })
}

#[test]
fn gojq_gives_the_same() {
    let folder = project().join("tests/gojq");
    if !Command::new("go").arg("version").output().is_ok_and(|output| output.status.success()) {
        let message = "SKIPPED: Go is not installed; no filter was compared with gojq";
        assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{message}");
        return say(message);
    }
    let cases = cases(Scope::Platform).into_iter();
    let runs_of_cases = cases.flat_map(|(rule, case)| {
        let tailoring = only(&BENCHMARK, rule, &case.values).unwrap();
        runs(&tailoring, &source(&case.answers(&BENCHMARK)))
    });
    let mut all: Vec<Run> = runs_of_cases.collect();
    for snapshot in ["hardened", "neglected"] {
        let snapshot = Snapshot::open(&project().join("tests/snapshots").join(snapshot)).unwrap();
        all.extend(runs(&every_platform_rule(), &snapshot));
    }
    let requests: String =
        all.iter().map(|run| format!("{}\n", json!({"filter": run.filter, "input": run.input}))).collect();
    let mut child = Command::new("go")
        .args(["run", "."])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(requests.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the Go program failed");
    writer.join().unwrap();
    let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
    let mut compared = 0;
    for (run, answer) in all.iter().zip(answers) {
        let answer = answer.unwrap();
        assert_eq!(answer.get("error"), None, "gojq refuses {}", run.filter);
        assert_eq!(answer["output"], run.output, "gojq differs on {}", run.filter);
        compared += 1;
    }
    assert_eq!(compared, all.len());
    say(&format!("gojq: {compared} runs of filters give the same"));
}
