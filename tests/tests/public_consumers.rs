//! Stock consumers take virtscap's results of public content: `oscap ds rds-validate`, `info` and `xccdf generate report`, and
//! the Compliance Operator's own parser, which reads the same as in oscap's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use virtscap_tests::operator::Operator;
use virtscap_tests::public::cases::{ALL, Case, Root, Roots, are_there};
use virtscap_tests::public::run::{self, Run};
use virtscap_tests::{oscap, say};

/// What is not done where something is missing.
const NOTHING: &str = "nothing was shown to consumers";

fn case(product: &str, root: Root, profile: &str) -> Case {
    let platforms = matches!(root, Root::Dump(_));
    Case { product: product.to_owned(), root, platforms, profile: profile.to_owned() }
}

/// Evaluates with both tools; the files of ARF and XCCDF results of oscap and of virtscap.
fn evaluated(program: &Path, run: &Run, folder: &Path) -> [PathBuf; 4] {
    let names = ["oscap-arf.xml", "oscap.xml", "virtscap-arf.xml", "virtscap.xml"];
    let files = names.map(|name| folder.join(name));
    for (command, arf, results) in
        [(Command::new("oscap"), &files[0], &files[1]), (Command::new(program), &files[2], &files[3])]
    {
        let mut command = command;
        if command.get_program() != "oscap" {
            command.arg("oscap");
        }
        command.args(["xccdf", "eval", "--skip-validation", "--profile", &run.profile, "--results-arf"]);
        command.arg(arf).arg("--results").arg(results).arg(&run.stream);
        command.env("SEXP_VALIDATE_DISABLE", "1").env("OSCAP_PROBE_ROOT", &run.root).env("HOME", folder);
        let output = command.output().unwrap();
        assert!(
            matches!(output.status.code(), Some(0 | 2)),
            "{command:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    files
}

#[test]
fn oscap_takes_results_of_public_content() {
    // `(all)` is no id, so results under it are not valid, of oscap neither.
    let cases = [
        case("ocp4", Root::Dump("ocp4-cis"), "cis"),
        case("debian11", Root::Made, "anssi_np_nt28_high"),
        case("rhel9", Root::Made, "stig"),
    ];
    if !are_there(&cases, NOTHING) {
        return;
    }
    let program = run::build();
    let roots = Roots::make(&cases);
    for case in &cases {
        let folder = tempfile::tempdir().unwrap();
        let [_, _, arf, results] = evaluated(&program, &case.run(&roots, folder.path()), folder.path());
        for (arguments, file) in [
            (&["ds", "rds-validate"][..], &arf),
            (&["info"], &arf),
            (&["xccdf", "generate", "report"], &arf),
            (&["xccdf", "validate", "--skip-schematron"], &results),
        ] {
            let arguments: Vec<_> = arguments.iter().copied().chain(file.to_str()).collect();
            let output = oscap::run(&arguments, None);
            let stderr = String::from_utf8_lossy(&output.stderr);
            let stderr: String = stderr.chars().take(2000).collect();
            assert!(output.status.success(), "{}: {arguments:?}: {stderr}", case.name());
        }
        say(&format!("consumers: oscap validates, shows and reports the ARF of {}", case.name()));
    }
}

#[test]
fn the_operator_reads_the_same_of_public_content() {
    let cases = ["ocp4-cis", "ocp4-mixed-1"].map(|dump| case("ocp4", Root::Dump(dump), ALL));
    if !are_there(&cases, NOTHING) {
        return;
    }
    let build = tempfile::tempdir().unwrap();
    let Some(operator) = Operator::build(build.path()) else { return };
    let program = run::build();
    let roots = Roots::make(&cases);
    for case in &cases {
        let folder = tempfile::tempdir().unwrap();
        let run = case.run(&roots, folder.path());
        let files = evaluated(&program, &run, folder.path());
        let paths = std::iter::once(run.stream.as_path()).chain(files.iter().map(PathBuf::as_path));
        let parsed = operator.run("results", paths, String::new()).remove(0);
        let checks = |file: &Path| -> BTreeMap<String, Value> {
            let of = &parsed[file.to_str().unwrap()]["checks"];
            let checks = of.as_array().unwrap_or_else(|| panic!("{}: {parsed}", file.display()));
            checks.iter().map(|check| (check["id"].as_str().unwrap().to_owned(), check.clone())).collect()
        };
        let expected = checks(&files[0]);
        assert!(expected.len() > 100);
        for file in &files[1..] {
            let found = checks(file);
            assert_eq!(found.len(), expected.len(), "{}", file.display());
            for (id, check) in found {
                assert_eq!(check, expected[&id], "{}, {id}, {}", case.name(), file.display());
            }
        }
        let checks = expected.len();
        say(&format!(
            "operator: {checks} checks of {}, the same in files of oscap and of virtscap",
            case.name()
        ));
    }
}
