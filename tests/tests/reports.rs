//! The reports: offenders are named in each of them, and stock oscap takes the ARF.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;

use virtscap_evaluator::report::{Report, arf, html, text};
use virtscap_evaluator::scan::{Request, Scan, scan};
use virtscap_evaluator::source::Snapshot;
use virtscap_generator::artifacts;
use virtscap_tests::{BENCHMARK, READ_BACK, oscap, project};

fn neglected<T>(work: impl FnOnce(&Scan<'_>) -> T) -> T {
    let source = Snapshot::open(&project().join("tests/snapshots/neglected")).unwrap();
    let request = Request { content: &READ_BACK, tailoring: None, profile: Some("level-2") };
    work(&scan(&request, &source).unwrap())
}

fn offenders(report: &Report) -> Vec<(String, String)> {
    let all = report.rules.iter().flat_map(|rule| &rule.offenders);
    all.map(|offender| (offender.object.clone(), offender.detail.clone())).collect()
}

#[test]
fn offenders_are_named_in_every_report() {
    neglected(|scan| {
        let arf = arf::asset_report(scan).unwrap();
        let results = arf::xccdf_results(scan).unwrap();
        let json = serde_json::to_string(&scan.report).unwrap();
        let html = html::render(&scan.report, &scan.texts).unwrap();
        let terminal = text::render(&scan.report, true);
        let offenders = offenders(&scan.report);
        assert!(offenders.len() > 30);
        for (object, detail) in offenders {
            let line = format!("{object}: {detail}");
            for (name, report) in [("ARF", &arf), ("results", &results), ("terminal", &terminal)] {
                assert!(report.contains(&line), "{line} is not in the {name}");
            }
            for (name, report) in [("JSON", &json), ("HTML", &html)] {
                assert!(report.contains(&object) && report.contains(&detail), "{line} is not in the {name}");
            }
        }
    });
}

#[test]
fn the_arf_holds_results_in_oval_and_what_was_collected() {
    neglected(|scan| {
        let arf = arf::asset_report(scan).unwrap();
        let document = roxmltree::Document::parse(&arf).unwrap();
        let count = |name: &str| document.descendants().filter(|n| n.tag_name().name() == name).count();
        assert_eq!(count("TestResult"), 1);
        assert_eq!(count("oval_results"), 2, "one for the rules, one for the platform");
        assert_eq!(count("data-stream-collection"), 1);
        assert!(count("yamlfilecontent_item") >= BENCHMARK.rules().count());
        assert!(count("tested_item") > 0);
        let level_2 = BENCHMARK.profiles.iter().find(|profile| profile.id == "level-2").unwrap();
        for rule in BENCHMARK.rules().filter(|rule| level_2.selects(rule)) {
            let id = format!("oval:ssg-{}:def:1", rule.id);
            let results = document.descendants().filter(|n| n.attribute("definition_id") == Some(&id));
            assert_eq!(results.map(|n| n.attribute("result")).collect::<Vec<_>>(), [Some("false")], "{id}");
        }
    });
}

#[test]
fn oscap_takes_what_virtscap_writes() {
    if !oscap::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let accepted = |arguments: &[&str], file: &Path| {
        let arguments: Vec<_> = arguments.iter().copied().chain([file.to_str().unwrap()]).collect();
        let output = oscap::run(&arguments, None);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let datastream = write("ds.xml", READ_BACK.xml());
    accepted(&["ds", "sds-validate"], &datastream);
    let info = accepted(&["info"], &datastream);
    assert!(info.contains("content_profile_level-1") && info.contains("content_profile_level-2"), "{info}");
    neglected(|scan| {
        let arf = write("arf.xml", &arf::asset_report(scan).unwrap());
        accepted(&["ds", "rds-validate"], &arf);
        let report = accepted(&["xccdf", "generate", "report"], &arf);
        let results = write("results.xml", &arf::xccdf_results(scan).unwrap());
        accepted(&["xccdf", "validate"], &results);
        for (object, detail) in offenders(&scan.report) {
            assert!(
                report.contains(&format!("{object}: {detail}")),
                "{object}: {detail} is not in oscap's report"
            );
        }
    });
}

#[test]
fn the_committed_build_is_fresh() {
    let files = artifacts::artifacts(&BENCHMARK, artifacts::CONTENT_IMAGE).unwrap();
    let stale = artifacts::differences(&project().join("build"), &files);
    assert!(stale.is_empty(), "stale: {stale:?}; run `cargo run -- build`");
}

#[test]
fn the_committed_schema_of_the_json_report_is_fresh() {
    let path = project().join("docs/report.schema.json");
    let mut schema = serde_json::to_string_pretty(&schemars::schema_for!(Report)).unwrap();
    schema.push('\n');
    if std::env::var_os("VIRTSCAP_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &schema).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == schema, "docs/report.schema.json is stale; run the tests with VIRTSCAP_BLESS=1");
}
