//! The policies for admission compile as the API server compiles them, and refuse exactly those objects of the cases that
//! offend by what the policies cover, naming what offends.
//!
//! What offends by that is asked of virtscap itself: with a benchmark that has nothing but the covered legs on one resource.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use virtscap_evaluator::content::Content;
use virtscap_generator::admission::{Coverage, coverage};
use virtscap_generator::case::{Case, Evidence, Given};
use virtscap_generator::datastream::data_stream;
use virtscap_generator::model::{Benchmark, Leg, Resource};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{BENCHMARK, project, say};

/// A request that a policy is asked about, and what it should say.
struct Asked {
    /// What is asked, for messages.
    about: String,
    request: Value,
    /// What offends, as virtscap says it; nothing: the request is admitted.
    offenders: Vec<String>,
}

/// The benchmark with one rule, of which only the covered legs on a resource are left.
fn cut(coverage: &Coverage<'_>, resource: &Resource) -> Benchmark {
    let mut benchmark = BENCHMARK.clone();
    for section in &mut benchmark.sections {
        section.rules.retain(|rule| rule.id == coverage.rule.id);
        for rule in &mut section.rules {
            let legs = coverage.legs.iter().filter(|leg| leg.selection.resource == *resource);
            rule.check = legs.map(|leg| Leg::Each(Box::new(leg.clone()))).collect();
        }
    }
    benchmark
}

/// How offenders that lie in an object begin.
fn prefix(object: &Value) -> String {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
    match text("namespace").as_str() {
        "" => format!("{}: ", text("name")),
        namespace => format!("{namespace}/{}: ", text("name")),
    }
}

fn request(resource: &Resource, case: &Case, object: &Value, old: Option<&Value>) -> Value {
    let (group, version) = resource.api.split_once('/').unwrap_or(("", &resource.api));
    json!({
        "group": group, "version": version, "resource": resource.resource,
        "object": object, "old": old, "values": case.values,
    })
}

/// What is asked about the objects of a resource in all cases: created, changed without a change, and being deleted.
fn asked(coverage: &Coverage<'_>, resource: &Resource) -> Vec<Asked> {
    let benchmark = cut(coverage, resource);
    let content = Content::from_model(data_stream(&benchmark));
    let rule = benchmark.rules().next().unwrap();
    let mut all = Vec::new();
    // Where the product is not installed, virtscap does not look.
    for case in rule.cases.iter().filter(|case| case.expect != XccdfResult::NotApplicable) {
        let Some(Given::Objects(objects)) = case.given(resource) else { continue };
        for object in objects.iter().filter(|object| object["metadata"].is_object()) {
            let prefix = prefix(object);
            let about = |how: &str| format!("{}, \"{}\", {prefix}{how}", coverage.rule.id, case.name);
            // Admission sees one object at a time, and so does virtscap here: two may have the same name.
            let mut alone = case.clone();
            alone.evidence =
                Evidence::Answers(vec![(resource.clone(), Given::Objects(vec![object.clone()]))]);
            let found = virtscap_cli::run(&benchmark, &content, rule, &alone).unwrap().offenders;
            let offenders: Vec<_> = found
                .iter()
                .filter_map(|offender| offender.strip_prefix(&prefix))
                .map(str::to_owned)
                .collect();
            let mut deleted = object.clone();
            deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            for (how, request) in [
                ("unchanged", request(resource, case, object, Some(object))),
                ("being deleted", request(resource, case, &deleted, Some(&json!({"metadata": {}})))),
            ] {
                all.push(Asked { about: about(how), request, offenders: Vec::new() });
            }
            all.push(Asked {
                about: about("created"),
                request: request(resource, case, object, None),
                offenders,
            });
        }
    }
    all
}

/// Answers for policies and what they are asked; none, said aloud, where Go is not installed.
fn answers(lines: &[Value]) -> Option<Vec<Value>> {
    if !Command::new("go").arg("version").output().is_ok_and(|output| output.status.success()) {
        let message = "SKIPPED: Go is not installed; no policy for admission was tried";
        assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{message}");
        say(message);
        return None;
    }
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let mut child = Command::new("go")
        .args(["run", "."])
        .current_dir(project().join("tests/admission"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the Go program failed");
    writer.join().unwrap().unwrap();
    Some(serde_json::Deserializer::from_slice(&output.stdout).into_iter().map(Result::unwrap).collect())
}

/// What is wrong with an answer.
fn difference(asked: &Asked, answer: &Value) -> Option<String> {
    // virtscap writes the brackets of a detail as parentheses, so that the first bracket is the key's, and control
    // characters as question marks. The API server trims messages.
    let round = |text: &str| {
        let text = text.trim_end().replace('[', "(").replace(']', ")");
        text.replace(|c: char| c.is_control(), "?")
    };
    let message = round(answer["message"].as_str().unwrap_or_default());
    let unnamed = asked.offenders.iter().any(|offender| !message.contains(&round(offender)));
    let denied = answer["denied"].as_bool().unwrap_or_default();
    let wrong = answer.get("error").is_some() || denied == asked.offenders.is_empty() || unnamed;
    wrong.then(|| format!("{}: expected {:?}, got {answer}", asked.about, asked.offenders))
}

#[test]
fn policies_refuse_what_offends() {
    let covered = coverage(&BENCHMARK).into_iter().filter(|coverage| !coverage.legs.is_empty());
    let (lines, asked): (Vec<_>, Vec<_>) = covered
        .map(|coverage| {
            let asked: Vec<_> =
                coverage.resources().iter().flat_map(|resource| self::asked(&coverage, resource)).collect();
            let requests: Vec<_> = asked.iter().map(|asked| &asked.request).collect();
            let line = json!({
                "policy": coverage.policy(&BENCHMARK), "bindings": [coverage.audit(), coverage.deny()],
                "requests": requests,
            });
            (line, asked)
        })
        .unzip();
    let Some(answers) = answers(&lines) else { return };
    assert_eq!(answers.len(), lines.len());
    let (mut differences, mut requests, mut refused) = (Vec::new(), 0, 0);
    for ((line, asked), answer) in lines.iter().zip(&asked).zip(&answers) {
        assert_eq!(answer.get("error"), None, "{}", line["policy"]["metadata"]["name"]);
        let answers = answer["answers"].as_array().map(Vec::as_slice).unwrap_or_default();
        assert_eq!(answers.len(), asked.len());
        for (asked, answer) in asked.iter().zip(answers) {
            requests += 1;
            refused += usize::from(answer["denied"] == true);
            differences.extend(difference(asked, answer));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    say(&format!(
        "admission: {} policies compile; {requests} requests are answered as virtscap would, {refused} refused",
        lines.len()
    ));
}
