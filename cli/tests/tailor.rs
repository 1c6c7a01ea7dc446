//! `virtscap tailor` and `virtscap report` on the command line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use assert_cmd::assert::{Assert, OutputAssertExt as _};

fn virtscap(arguments: &[&str]) -> Assert {
    Command::new(env!("CARGO_BIN_EXE_virtscap"))
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .env("SOURCE_DATE_EPOCH", "1780000000")
        .assert()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

const LEVEL_1: [&str; 5] = ["tailor", "--profile", "level-1", "--name", "acme"];
const CHOICES: [&str; 8] = [
    "--disable",
    "hco-ksm=KSM is wanted",
    "--enable",
    "vm-shareable-disks=strict",
    "--set",
    "var_approved_vm_devices=.*",
    "--why",
    "var_approved_vm_devices=all are ours",
];

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    base.iter().chain(more).copied().collect()
}

fn tailored(folder: &Path) -> (String, String) {
    let out = folder.display().to_string();
    virtscap(&with(&with(&LEVEL_1, &CHOICES), &["--out", &out])).code(0);
    (format!("{out}/acme-tailoring.xml"), format!("{out}/acme-tailoredprofile.yaml"))
}

#[test]
fn custom_rules_have_the_tailorings_rules_and_values() {
    let choices = with(&LEVEL_1, &CHOICES);
    let written = virtscap(&with(&choices, &["--benchmark", ".", "--custom-rules", "-"])).code(0);
    let text = stdout(&written);
    let rule = |name: &str| {
        let start = format!("  name: cel-acme-{name}\n");
        text.split("---\n")
            .find(|document| document.contains(&start) && document.contains("kind: CustomRule\n"))
    };
    assert!(rule("vm-shareable-disks").is_some() && rule("hco-nonroot").is_some());
    assert!(rule("hco-ksm").is_none() && rule("kubevirt-ksm").is_none(), "neither chosen nor of the level");
    let devices = rule("vm-host-devices").unwrap();
    assert!(devices.contains("^(?:.*)$") && !devices.contains("^(?:none)$"), "{devices}");
    let profile = text.split("---\n").last().unwrap();
    assert!(profile.contains("kind: TailoredProfile") && profile.contains("  name: cel-acme\n"), "{profile}");
    // Expressions are not in a data stream.
    let said = stderr(&virtscap(&with(&choices, &["--custom-rules", "-"])).code(1));
    assert!(said.contains("--benchmark"), "{said}");
}

#[test]
fn both_forms_are_written_converted_and_scanned_with() {
    let folder = tempfile::tempdir().unwrap();
    let (xml, yaml) = tailored(folder.path());
    let [xml_text, yaml_text] = [&xml, &yaml].map(|path| std::fs::read_to_string(path).unwrap());
    assert!(
        yaml_text.contains("extends: ocp-virt-level-1") && yaml_text.contains("rationale: KSM is wanted")
    );
    assert_eq!(stdout(&virtscap(&["tailor", "--from", &xml, "--tailored-profile", "-"]).code(0)), yaml_text);
    assert_eq!(stdout(&virtscap(&["tailor", "--from", &yaml, "--xccdf", "-"]).code(0)), xml_text);
    let scan = |file: &str| {
        let scan = ["scan", "--snapshot", "tests/snapshots/neglected", "--tailoring", file];
        stdout(&virtscap(&scan).code(2))
    };
    let said = scan(&xml);
    assert_eq!(said, scan(&yaml));
    assert!(
        said.contains("vm-shareable-disks")
            && !said.contains("hco-ksm ")
            && said.contains("acme: not passed")
    );
    assert!(said.contains("pass          2.1   vm-host-devices"), "{said}");
}

#[test]
fn everything_that_is_wrong_is_told_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let refused = |arguments: &[&str]| {
        let said = stderr(&virtscap(&with(&with(&LEVEL_1, arguments), &["--out", &out])).code(1));
        assert!(!Path::new(&out).exists());
        said
    };
    let said = refused(&["--disable", "hco-kms=x", "--set", "var_aproved_vm_devices=x"]);
    assert!(said.contains("(did you mean 'hco-ksm'?)"), "{said}");
    assert!(said.contains("(did you mean 'var_approved_vm_devices'?)"), "{said}");
    let said = refused(&["--disable", "hco-ksm", "--set", "var_approved_vm_devices=a("]);
    assert!(said.contains("hco-ksm: a rationale is missing"), "{said}");
    assert!(said.contains("var_approved_vm_devices: a rationale is missing"), "{said}");
    assert!(said.contains("no regular expression"), "{said}");
    assert!(refused(&["--why", "hco-ksm=x"]).contains("has no such entry"));
    assert!(refused(&["--set", "var_x"]).contains("write VALUE=TEXT"));
    let said = stderr(&virtscap(&["tailor", "--profile", "levle-1", "--name", "a", "--xccdf", "-"]).code(1));
    assert!(said.contains("did you mean 'level-1'"), "{said}");
    assert!(stderr(&virtscap(&LEVEL_1).code(1)).contains("name what to write"));
}

#[test]
fn results_are_shown_as_the_scan_showed_them_also_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let [arf, html, json] = ["arf.xml", "scan.html", "scan.json"].map(path);
    let scan = ["scan", "--snapshot", "tests/snapshots/neglected", "--profile", "level-2"];
    let said = stdout(&virtscap(&with(&scan, &["--arf", &arf, "--html", &html, "--json", &json])).code(2));
    let xml = std::fs::read(&arf).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&xml).unwrap();
    std::fs::write(path("arf.xml.gz"), gzip.finish().unwrap()).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&xml).unwrap();
    std::fs::write(path("arf.xml.bzip2"), bzip2.finish().unwrap()).unwrap();
    for name in ["arf.xml", "arf.xml.gz", "arf.xml.bzip2"] {
        let [html_again, json_again] = ["again.html", "again.json"].map(path);
        let report = ["report", &path(name), "--html", &html_again, "--json", &json_again];
        assert_eq!(stdout(&virtscap(&report).code(2)), said, "{name}");
        assert_eq!(std::fs::read(&html).unwrap(), std::fs::read(&html_again).unwrap());
        assert_eq!(std::fs::read(&json).unwrap(), std::fs::read(&json_again).unwrap());
    }
    let said = stderr(&virtscap(&["report", "build/ssg-ocp-virt-ds.xml"]).code(1));
    assert!(said.contains("neither an ARF nor XCCDF results"), "{said}");
    std::fs::write(path("cut.bz2"), &std::fs::read(path("arf.xml.bzip2")).unwrap()[..100]).unwrap();
    assert!(stderr(&virtscap(&["report", &path("cut.bz2")]).code(1)).contains("bzip2"));
}
