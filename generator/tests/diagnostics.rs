//! What authors are told about a benchmark that is wrong: where, what, and what to do.
//!
//! `diagnostics/tree` is a benchmark with nothing wrong; `diagnostics/mutations.yaml` lists ways to spoil it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;
use virtscap_generator::diagnostic::{Diagnostic, Diagnostics};
use virtscap_generator::load::load;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutation {
    name: String,
    edits: Vec<Edit>,
    /// Whether the snapshot also shows what the terminal shows.
    #[serde(default)]
    rendered: bool,
}

/// A change of one file: `replace` by `by`, or its whole `content`, or nothing left of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    file: String,
    replace: Option<String>,
    #[serde(default)]
    by: String,
    content: Option<String>,
    #[serde(default)]
    remove: bool,
}

/// Short names for the files that are spoiled most.
fn path(file: &str) -> PathBuf {
    PathBuf::from(match file {
        "rule" => "benchmark/1-machines/vm-disks/rule.yaml",
        "cases" => "benchmark/1-machines/vm-disks/cases.yaml",
        "section" => "benchmark/1-machines/section.yaml",
        "benchmark" => "benchmark/benchmark.yaml",
        "values" => "benchmark/values.yaml",
        "profile" => "profiles/level-1.yaml",
        other => other,
    })
}

impl Edit {
    fn apply(&self, folder: &Path) {
        let path = folder.join(path(&self.file));
        if self.remove {
            return if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
        }
        let text = match (&self.content, &self.replace) {
            (Some(content), None) => content.clone(),
            (None, Some(replace)) => {
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.contains(replace), "{}: no {replace:?}", path.display());
                text.replacen(replace, &self.by, 1)
            }
            _ => panic!("{self:?}"),
        };
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to)
        } else {
            fs::write(&to, fs::read(entry.path()).unwrap()).unwrap()
        }
    }
}

fn tree() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics/tree"), folder.path());
    folder
}

fn diagnostics(folder: &TempDir) -> Diagnostics {
    load(folder.path()).err().unwrap_or_default()
}

/// The text that a diagnostic points at.
fn pointed_at(diagnostic: &Diagnostic) -> Option<String> {
    let place = diagnostic.place?;
    let bytes = fs::read(&diagnostic.path).unwrap();
    let source = String::from_utf8_lossy(&bytes).into_owned();
    let line = source.lines().nth(place.line - 1).unwrap_or_default().trim_end();
    Some(line.chars().skip(place.column - 1).take(place.length).collect())
}

fn report(folder: &TempDir, diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for diagnostic in &diagnostics.0 {
        writeln!(out, "{diagnostic}").unwrap();
        if let Some(text) = pointed_at(diagnostic) {
            writeln!(out, "    at «{text}»").unwrap();
        }
    }
    out.replace(&format!("{}/", folder.path().display()), "")
}

fn rendered(folder: &TempDir, diagnostics: &Diagnostics) -> String {
    let colours = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    let text = diagnostics.render().replace(&format!("{}/", folder.path().display()), "");
    colours.replace_all(&text, "").lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn the_tree_itself_is_right() {
    let folder = tree();
    assert_eq!(report(&folder, &diagnostics(&folder)), "");
}

#[test]
fn every_mistake_is_told() {
    let text = include_str!("diagnostics/mutations.yaml");
    let mutations: Vec<Mutation> = serde_yaml::from_str(text).unwrap();
    let mut out = String::new();
    for mutation in &mutations {
        let folder = tree();
        mutation.edits.iter().for_each(|edit| edit.apply(folder.path()));
        let diagnostics = diagnostics(&folder);
        assert!(!diagnostics.0.is_empty(), "nothing is told: {}", mutation.name);
        writeln!(out, "# {}\n{}", mutation.name, report(&folder, &diagnostics)).unwrap();
        if mutation.rendered {
            writeln!(out, "{}", rendered(&folder, &diagnostics)).unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

#[test]
fn every_prefix_of_a_file_is_told_without_a_panic() {
    let folder = tree();
    for file in ["rule", "cases", "benchmark"] {
        let path = folder.path().join(path(file));
        let text = fs::read_to_string(&path).unwrap();
        for end in (0..text.len()).step_by(7) {
            fs::write(&path, &text[..end]).unwrap();
            diagnostics(&folder).render();
        }
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_told_with_their_place() {
    let folder = tree();
    let rule = folder.path().join(path("rule"));
    let mut bytes = fs::read(&rule).unwrap();
    let at = bytes.windows(4).position(|window| window == b"Data").unwrap();
    bytes[at + 1] = 0xE4;
    fs::write(rule, bytes).unwrap();
    insta::assert_snapshot!(report(&folder, &diagnostics(&folder)), @"
    benchmark/1-machines/vm-disks/rule.yaml:10:4: the file is not UTF-8 from here on (save it in UTF-8)
        at «�»
    ");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_shift_nothing() {
    let folder = tree();
    let rule = folder.path().join(path("rule"));
    let text = fs::read_to_string(&rule).unwrap().replace("string(vm.spec.owner)", "string(v.spec.owner)");
    fs::write(rule, format!("\u{feff}{}", text.replace('\n', "\r\n"))).unwrap();
    insta::assert_snapshot!(report(&folder, &diagnostics(&folder)), @"
    benchmark/1-machines/vm-disks/rule.yaml:29:16: unknown variable `v` (did you mean `vm`?)
        at «v»
    ");
    insta::assert_snapshot!(rendered(&folder, &diagnostics(&folder)), @"
    error: unknown variable `v`
      --> benchmark/1-machines/vm-disks/rule.yaml:29:16
       |
    29 |       + string(v.spec.owner)
       |                ^
       |
    help: did you mean `vm`?
    ");
}

#[test]
fn what_is_hidden_or_no_yaml_is_left_alone() {
    let folder = tree();
    for file in [
        "benchmark/.git/x",
        "benchmark/1-machines/.idea/rule.yaml",
        "profiles/.level-2.yaml.swp",
        "benchmark/README.md",
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    assert_eq!(report(&folder, &diagnostics(&folder)), "");
}

/// Nothing that a file holds takes long or much memory.
#[test]
fn huge_files_are_refused_quickly() {
    let mut bomb = "- name: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        writeln!(bomb, "- name: &a{i} [{}]", vec![format!("*a{}", i - 1); 9].join(", ")).unwrap();
    }
    let given = format!("- name: a\n  given: {{a.v1: {}{}}}\n", "[".repeat(3000), "]".repeat(3000));
    let aliases =
        bomb.replace("- name", "- given: {a.v1: {b").replace("]\n", "]}}\n  name: x\n  expect: pass\n");
    let mut out = String::new();
    for content in ["#".repeat(2 * 1024 * 1024), bomb, aliases, given] {
        let folder = tree();
        fs::write(folder.path().join(path("cases")), content).unwrap();
        let start = Instant::now();
        let diagnostics = diagnostics(&folder);
        assert!(start.elapsed() < Duration::from_secs(20));
        let report = diagnostics.0.iter().map(|d| format!("{}\n", d.message));
        out.extend(report);
    }
    insta::assert_snapshot!(out, @"
    the file is larger than 1048576 bytes
    wanted is a text
    the YAML is too large or too deep, or its aliases unfold to too much
    the YAML is too large or too deep, or its aliases unfold to too much
    ");
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_folder_in_place_of_a_file_does_not_block() {
    let folder = tree();
    let rule = folder.path().join(path("rule"));
    fs::remove_file(&rule).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &rule).unwrap();
    let cases = folder.path().join(path("cases"));
    fs::remove_file(&cases).unwrap();
    fs::create_dir(&cases).unwrap();
    insta::assert_snapshot!(report(&folder, &diagnostics(&folder)), @"
    benchmark/1-machines/vm-disks/cases.yaml: this is no file
    benchmark/1-machines/vm-disks/rule.yaml: this is no file
    ");
}

#[test]
fn a_folder_without_a_benchmark_says_where_to_go() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(report(&folder, &diagnostics(&folder)), @"benchmark: there is no such folder (run virtscap in the folder that holds benchmark/ and profiles/, or name that folder with --benchmark)");
}
