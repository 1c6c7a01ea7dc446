//! `virtscap build` as its user meets it: exit status, what it says, and what it leaves in the folder it writes to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

const RULE: &str = "benchmark/1-machines/vm-disks/rule.yaml";
const STALE: &str = "operator/scansettingbinding-level-0.yaml";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::write(&to, fs::read(entry.path()).unwrap()).unwrap();
        }
    }
}

/// A folder with a small benchmark that is right.
fn tree() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../generator/tests/diagnostics/tree");
    copy(&from, folder.path());
    folder
}

fn spoil(folder: &Path, file: &str, replace: &str, by: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(replace), "{file}: no {replace:?}");
    fs::write(path, text.replacen(replace, by, 1)).unwrap();
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_virtscap")).current_dir(folder).args(arguments).output().unwrap()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(output.stdout.is_empty());
    said
}

fn fails(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty());
    assert!(!said.contains('\u{1b}'), "colours in a pipe: {said}");
    said
}

/// All files below a folder with what is in them.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files
                .extend(contents(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            files.insert(name, fs::read(path).unwrap());
        }
    }
    files
}

#[test]
fn a_new_folder_gets_every_file() {
    let folder = tree();
    let said = succeeds(folder.path(), &["build", "--out", "a/new/folder"]);
    assert!(said.contains("rules: 1, files: 16"), "{said}");
    let files: Vec<_> = contents(&folder.path().join("a/new/folder")).into_keys().collect();
    assert_eq!(
        files,
        [
            "admission/README.md",
            "admission/deny/vm-disks.yaml",
            "admission/values.yaml",
            "admission/vm-disks.yaml",
            "api-resources.yaml",
            "ocp-virt-cel-content.yaml",
            "operator/collector-rbac.yaml",
            "operator/customrules/tailoredprofile-level-1.yaml",
            "operator/customrules/vm-disks.yaml",
            "operator/kustomization.yaml",
            "operator/profilebundle.yaml",
            "operator/scansetting.yaml",
            "operator/scansettingbinding-level-1.yaml",
            "operator/tailoredprofile-level-1.yaml",
            "rules.md",
            "ssg-ocp-virt-ds.xml",
        ]
    );
}

#[test]
fn a_wrong_tree_leaves_the_output_as_it_was() {
    let folder = tree();
    succeeds(folder.path(), &["build"]);
    fs::write(folder.path().join("build/notes.txt"), "mine").unwrap();
    let before = contents(&folder.path().join("build"));
    spoil(folder.path(), RULE, "severity: medium", "severity: critical");
    spoil(folder.path(), RULE, "string(vm.spec.owner)", "string(v.spec.owner)");
    spoil(folder.path(), "profiles/level-1.yaml", "title:", "titel:");
    let said = fails(folder.path(), &["build"]);
    let told = [
        &format!("{RULE}:4:11"),
        "'critical' is no severity",
        &format!("{RULE}:29:16"),
        "unknown variable `v`",
        "profiles/level-1.yaml:2:1",
        "no key 'titel'",
        "there are 3 errors in the benchmark; nothing was written",
    ];
    let places: Vec<_> =
        told.iter().map(|text| said.find(text).unwrap_or_else(|| panic!("no {text}: {said}"))).collect();
    // The places of a diagnostic stand below its message; the files and lines are in order.
    assert!(places[0] < places[2] && places[2] < places[4] && places[4] < places[6], "{said}");
    assert_eq!(contents(&folder.path().join("build")), before);
}

#[test]
fn a_wrong_tree_makes_no_folder() {
    let folder = tree();
    spoil(folder.path(), RULE, "level: 1", "level: 3");
    let said = fails(folder.path(), &["build", "--out", "new"]);
    assert!(said.contains("there is 1 error in the benchmark"), "{said}");
    assert!(!folder.path().join("new").exists());
}

#[test]
fn check_tells_stale_from_fresh_and_writes_nothing() {
    let folder = tree();
    let said = fails(folder.path(), &["build", "--check"]);
    assert!(said.contains("ssg-ocp-virt-ds.xml") && said.contains("run virtscap build"), "{said}");
    assert!(!folder.path().join("build").exists());
    succeeds(folder.path(), &["build"]);
    succeeds(folder.path(), &["build", "--check"]);

    spoil(folder.path(), "build/operator/profilebundle.yaml", "name:", "nam:");
    let before = contents(&folder.path().join("build"));
    let said = fails(folder.path(), &["build", "--check"]);
    assert!(said.contains("build is stale: operator/profilebundle.yaml;"), "{said}");
    assert_eq!(contents(&folder.path().join("build")), before);

    succeeds(folder.path(), &["build"]);
    spoil(folder.path(), RULE, "title: Share no disks", "title: Share no disk at all");
    let said = fails(folder.path(), &["build", "--check"]);
    assert!(said.contains("ssg-ocp-virt-ds.xml"), "{said}");
}

#[test]
fn outside_of_a_benchmark_it_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let said = fails(folder.path(), &["build"]);
    assert!(said.contains("benchmark") && said.contains("--benchmark"), "{said}");
    assert!(contents(folder.path()).is_empty());
    let tree = tree();
    let benchmark = tree.path().to_str().unwrap();
    succeeds(folder.path(), &["build", "--benchmark", benchmark]);
    assert!(folder.path().join("build/ssg-ocp-virt-ds.xml").is_file());
}

#[test]
fn two_builds_are_the_same_bytes() {
    let folder = tree();
    succeeds(folder.path(), &["build", "--out", "one"]);
    succeeds(folder.path(), &["build", "--out", "two"]);
    let one = contents(&folder.path().join("one"));
    assert_eq!(one, contents(&folder.path().join("two")));
    succeeds(folder.path(), &["build", "--out", "one"]);
    assert_eq!(one, contents(&folder.path().join("one")));
}

#[test]
fn only_what_an_older_build_made_is_removed() {
    let folder = tree();
    succeeds(folder.path(), &["build"]);
    let build = folder.path().join("build");
    let fresh = contents(&build);
    fs::copy(build.join("operator/scansettingbinding-level-1.yaml"), build.join(STALE)).unwrap();
    fs::write(build.join("operator/mine.yaml"), "kind: ScanSetting\n").unwrap();
    fs::write(build.join("operator/notes.txt"), [0xFF, 0xFE]).unwrap();
    let said = fails(folder.path(), &["build", "--check"]);
    assert!(said.contains(STALE) && !said.contains("mine") && !said.contains("notes"), "{said}");
    succeeds(folder.path(), &["build"]);
    let mut expected = fresh;
    expected.insert("operator/mine.yaml".to_owned(), b"kind: ScanSetting\n".to_vec());
    expected.insert("operator/notes.txt".to_owned(), vec![0xFF, 0xFE]);
    assert_eq!(contents(&build), expected);
}

/// Tests may run as root, for whom every folder is writable; nobody can make a folder in a file.
#[test]
fn an_output_that_cannot_be_written_is_named() {
    let folder = tree();
    fs::write(folder.path().join("file"), "mine").unwrap();
    for out in ["file", "file/below"] {
        let said = fails(folder.path(), &["build", "--out", out]);
        assert!(said.starts_with("error: file"), "{said}");
    }
    assert_eq!(fs::read(folder.path().join("file")).unwrap(), b"mine");
}
