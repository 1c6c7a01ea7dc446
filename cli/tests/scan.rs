//! `virtscap scan` and `virtscap collect` on the command line: exit status, messages, files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::assert::{Assert, OutputAssertExt as _};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn virtscap(arguments: &[&str]) -> Assert {
    Command::new(env!("CARGO_BIN_EXE_virtscap"))
        .args(arguments)
        .current_dir(project())
        .env("SOURCE_DATE_EPOCH", "1780000000")
        // Where nothing else is named, the cluster of whoever runs the tests would be scanned.
        .env("KUBECONFIG", "/nonexistent")
        .assert()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

const HARDENED: [&str; 3] = ["scan", "--snapshot", "tests/snapshots/hardened"];
const NEGLECTED: [&str; 3] = ["scan", "--snapshot", "tests/snapshots/neglected"];

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    base.iter().chain(more).copied().collect()
}

/// How many rules of the benchmark have one of these levels and read the API.
fn rules(levels: &[&str]) -> usize {
    let sections = std::fs::read_dir(project().join("benchmark")).unwrap().map(|entry| entry.unwrap().path());
    let rules = sections
        .filter(|section| section.is_dir())
        .flat_map(|section| std::fs::read_dir(section).unwrap())
        .map(|rule| rule.unwrap().path())
        .filter(|rule| !rule.file_name().unwrap().to_str().unwrap().starts_with("node-"))
        .filter_map(|rule| std::fs::read_to_string(rule.join("rule.yaml")).ok());
    rules.filter(|rule| levels.iter().any(|level| rule.contains(&format!("\nlevel: {level}\n")))).count()
}

#[test]
fn exit_status_tells_the_verdict() {
    virtscap(&HARDENED).code(0);
    virtscap(&NEGLECTED).code(2);
    virtscap(&["scan", "--snapshot", "nowhere"]).code(1);
    virtscap(&["scan"]).code(1);
    virtscap(&["--version"]).code(0);
}

#[test]
fn a_line_per_rule_with_its_offenders() {
    let said = stdout(&virtscap(&with(&NEGLECTED, &["--profile", "level-2"])));
    assert!(said.contains("fail          3.2   vm-shareable-disks"), "{said}");
    assert!(said.contains("    - shop/catalog-db: disk wal\n"), "{said}");
    assert!(said.ends_with(&format!("level-2: not passed ({} fail)\n", rules(&["1", "2"]))), "{said}");
    assert!(!said.contains('\u{1b}'), "no colours where the output is no terminal");
}

#[test]
fn every_report_is_written_and_the_same_input_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["arf.xml", "results.xml", "report.html", "report.json"];
    let scan = |below: &str| -> Vec<String> {
        let paths: Vec<_> =
            names.iter().map(|name| folder.path().join(below).join(name).display().to_string()).collect();
        let options = ["--arf", "--results", "--html", "--json"];
        let pairs: Vec<&str> = options.iter().zip(&paths).flat_map(|(o, p)| [*o, p.as_str()]).collect();
        virtscap(&with(&NEGLECTED, &pairs)).code(2);
        paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
    };
    let first = scan("a/new/folder");
    assert_eq!(first, scan("b"));
    let json: serde_json::Value = serde_json::from_str(&first[3]).unwrap();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(json["profile"]["name"], "level-1");
    assert_eq!(json["source"]["kind"], "snapshot");
    assert_eq!(json["rules"].as_array().unwrap().len(), rules(&["1"]));
    assert_eq!(json["started"], "2026-05-28T20:26:40Z");
}

#[test]
fn json_on_standard_output_stands_alone() {
    let said = stdout(&virtscap(&with(&HARDENED, &["--json", "-"])).code(0));
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(json["passed"], true);
}

fn copy_as_yaml(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy_as_yaml(&from, &to);
        } else {
            std::fs::copy(&from, to.with_extension("yaml")).unwrap();
        }
    }
}

#[test]
fn the_same_from_an_archive_from_yaml_files_and_from_the_sources() {
    let expected = stdout(&virtscap(&NEGLECTED));
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("snapshot.tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-czf").arg(&archive).args(["-C", "tests/snapshots", "neglected"]).current_dir(project());
    assert!(tar.status().unwrap().success());
    assert_eq!(stdout(&virtscap(&["scan", "--snapshot", archive.to_str().unwrap()])), expected);
    // Every JSON document is a YAML document too.
    let as_yaml = folder.path().join("as-yaml");
    copy_as_yaml(&project().join("tests/snapshots/neglected"), &as_yaml);
    assert_eq!(stdout(&virtscap(&["scan", "--snapshot", as_yaml.to_str().unwrap()])), expected);
    assert_eq!(stdout(&virtscap(&with(&NEGLECTED, &["--benchmark", "."]))), expected);
    let written = ["--datastream", "build/ssg-ocp-virt-ds.xml", "--profile", "level-1"];
    assert_eq!(stdout(&virtscap(&with(&NEGLECTED, &written))), expected);
    let full_id = ["--profile", "xccdf_org.ssgproject.content_profile_level-1"];
    assert_eq!(stdout(&virtscap(&with(&NEGLECTED, &full_id))), expected);
}

#[test]
fn a_tailoring_leaves_rules_out_and_approves_devices() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tailoring.xml");
    let tailoring = r#"<xccdf-1.2:Tailoring xmlns:xccdf-1.2="http://checklists.nist.gov/xccdf/1.2" id="xccdf_org.example_tailoring_acme">
  <xccdf-1.2:benchmark href="ssg-ocp-virt-ds.xml"/>
  <xccdf-1.2:version time="2026-11-22T00:00:00">1</xccdf-1.2:version>
  <xccdf-1.2:Profile id="xccdf_org.example_profile_acme" extends="xccdf_org.ssgproject.content_profile_level-1">
    <xccdf-1.2:title>Acme</xccdf-1.2:title>
    <xccdf-1.2:select idref="xccdf_org.ssgproject.content_rule_hco-nonroot" selected="false"/>
    <xccdf-1.2:set-value idref="xccdf_org.ssgproject.content_value_var_approved_host_devices">.*</xccdf-1.2:set-value>
  </xccdf-1.2:Profile>
</xccdf-1.2:Tailoring>
"#;
    std::fs::write(&file, tailoring).unwrap();
    let said = stdout(&virtscap(&with(&NEGLECTED, &["--tailoring", file.to_str().unwrap()])).code(2));
    assert!(said.contains("pass          1.1   hco-permitted-host-devices"), "{said}");
    assert!(!said.contains("hco-nonroot"), "{said}");
    assert!(said.contains("acme: not passed"), "{said}");

    std::fs::write(&file, tailoring.replace("var_approved_host_devices", "var_approved_host_device"))
        .unwrap();
    let said = stderr(&virtscap(&with(&NEGLECTED, &["--tailoring", file.to_str().unwrap()])).code(1));
    assert!(
        said.contains("did you mean 'xccdf_org.ssgproject.content_value_var_approved_host_devices'?"),
        "{said}"
    );
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let told = |arguments: &[&str], what: &[&str]| {
        let said = stderr(&virtscap(arguments).code(1));
        for what in what {
            assert!(said.contains(what), "{arguments:?}: {said}");
        }
    };
    told(&with(&NEGLECTED, &["--profile", "levl-1"]), &["levl-1", "did you mean 'level-1'?", "level-2"]);
    told(&["scan", "--snapshot", "benchmark"], &["benchmark", "apis/kubevirt.io/v1/virtualmachines.json"]);
    told(&["scan", "--snapshot", "README.md"], &["README.md", "neither a folder nor a .tar.gz"]);
    told(&with(&NEGLECTED, &["--datastream", "README.md"]), &["README.md", "not well-formed XML"]);
    told(&with(&NEGLECTED, &["--datastream", "nowhere.xml"]), &["nowhere.xml", "No such file"]);
    told(&with(&NEGLECTED, &["--tailoring", "build/ssg-ocp-virt-ds.xml"]), &["expected <Tailoring>"]);
    told(&with(&NEGLECTED, &["--arf", "README.md/arf.xml"]), &["README.md/arf.xml"]);
}

#[test]
fn a_report_that_cannot_be_written_leaves_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    std::fs::write(&report, "old").unwrap();
    let blocked = "README.md/report.html";
    let paths = ["--json", report.to_str().unwrap(), "--html", blocked];
    virtscap(&with(&NEGLECTED, &paths)).code(1);
    assert_eq!(std::fs::read_to_string(&report).unwrap(), "old");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left");
}

#[test]
fn collect_writes_the_operators_layout() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("kubernetes-api-resources");
    let arguments = ["collect", "--snapshot", "tests/snapshots/neglected", "--profile", "level-1", "--dump"];
    let said = stderr(&virtscap(&with(&arguments, &[dump.to_str().unwrap()])).code(0));
    assert!(said.contains("files in"), "{said}");
    assert!(dump.join("version").is_file());
    let filtered = std::fs::read_dir(dump.join("apis/kubevirt.io/v1")).unwrap();
    let names: Vec<_> = filtered.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    let hashed = |name: &String| name.split_once('#').is_some_and(|(_, hash)| hash.len() == 64);
    assert!(names.iter().all(hashed), "{names:?}");
    // One dump for each filter of the rules on virtual machines.
    assert!(names.iter().filter(|name| name.starts_with("virtualmachines#")).count() >= 4, "{names:?}");
    let said = stderr(&virtscap(&with(&arguments, &[dump.to_str().unwrap()])).code(1));
    assert!(said.contains("is not empty"), "{said}");
}

/// A dump says what the snapshot said that it was made of, whether its folder is named or the one that holds it.
#[cfg(unix)]
#[test]
fn a_dump_is_scanned_as_its_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("kubernetes-api-resources").display().to_string();
    let collect =
        ["collect", "--snapshot", "tests/snapshots/neglected", "--profile", "level-2", "--dump", &dump];
    virtscap(&collect).success();
    let counts = |source: &[&str]| -> serde_json::Value {
        let report = virtscap(&with(source, &["--profile", "level-2", "--json", "-"])).code(2);
        let report: serde_json::Value = serde_json::from_str(&stdout(&report)).unwrap();
        report["rules"].clone()
    };
    let expected = counts(&NEGLECTED);
    for folder in [&dump, &folder.path().display().to_string()] {
        assert_eq!(counts(&["scan", "--dump", folder]), expected);
    }
}

const MACHINE: &str = "apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: m, namespace: lab, uid: u}
spec: {template: {spec: {domain: {devices: {disks: [{name: q, shareable: true}]}}}}}
status: {ready: true}
";

#[test]
fn manifests_and_must_gathers() {
    let folder = tempfile::tempdir().unwrap();
    let machines = folder.path().join("namespaces/lab/kubevirt.io/virtualmachines/custom");
    std::fs::create_dir_all(&machines).unwrap();
    std::fs::write(machines.join("m.yaml"), MACHINE).unwrap();
    let path = folder.path().to_str().unwrap();
    let said = |assert: Assert| {
        let said = stdout(&assert.code(2));
        assert!(said.contains("    - lab/m: disk q"), "{said}");
        assert!(said.contains("notchecked    1.10  rbac-migration"), "{said}");
    };
    said(virtscap(&["scan", "--must-gather", path]));
    said(virtscap(&["scan", "--manifests", path]));
    let mut piped = assert_cmd::Command::new(env!("CARGO_BIN_EXE_virtscap"));
    said(piped.args(["scan", "--manifests", "-"]).write_stdin(MACHINE).assert());

    std::fs::write(folder.path().join("values.yaml"), "a: 1\n").unwrap();
    let told = stderr(&virtscap(&["scan", "--manifests", path]));
    assert!(told.contains("values.yaml: skipped"), "{told}");
    let told = stderr(&virtscap(&["scan", "--must-gather", path, "--node-name", "n"]).code(1));
    assert!(told.contains("node 'n'"), "{told}");
    let told = stderr(&virtscap(&["scan", "--must-gather", "cli"]).code(1));
    assert!(told.contains("is no must-gather"), "{told}");
    let told = stderr(&virtscap(&["scan", "--manifests", "nowhere"]).code(1));
    assert!(told.contains("nowhere: No such file"), "{told}");
    let told = stderr(&virtscap(&["scan", "--manifests", "cli"]).code(1));
    assert!(told.contains("no Kubernetes object"), "{told}");
}
