//! `virtscap oscap` beside stock oscap: the same bytes on standard output, the same exit status, the same files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const STREAM: &str = "build/ssg-ocp-virt-ds.xml";
const PUBLIC: &str = "/usr/share/xml/scap/ssg/content";

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn fixture(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oscap").join(name).display().to_string()
}

/// Whether oscap is there. Where it is not, says so loudly; where peers are required, panics.
fn oscap_is_there() -> bool {
    if Command::new("oscap").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    let message = "SKIPPED: oscap is not installed (Debian: openscap-scanner, openscap-utils); nothing was compared with it";
    assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{message}");
    eprintln!("{message}");
    false
}

/// Whether public content is there, which Debian has in packages of its own.
fn public_content(name: &str) -> Option<String> {
    let path = format!("{PUBLIC}/{name}");
    if Path::new(&path).exists() {
        return Some(path);
    }
    let message =
        format!("SKIPPED: {path} is not there (Debian: ssg-debian, ssg-nondebian, ssg-applications)");
    assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{message}");
    eprintln!("{message}");
    None
}

fn run(mut command: Command, arguments: &[&str], root: &Path, folder: &Path) -> Output {
    command.args(arguments).current_dir(folder).env("SEXP_VALIDATE_DISABLE", "1");
    command.env("OSCAP_PROBE_ROOT", root).output().unwrap()
}

fn ours() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_virtscap"));
    command.arg("oscap");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A root with one file, as the checks of `results-oval.xml` read it.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("etc")).unwrap();
    std::fs::write(root.path().join("etc/words"), "word\n").unwrap();
    root
}

/// Runs both in the project's folder and compares standard output and exit status.
fn same(root: &Path, arguments: &[&str]) {
    let theirs = run(Command::new("oscap"), arguments, root, &project());
    let ours = run(ours(), arguments, root, &project());
    let errors = || format!("{arguments:?}\noscap: {}\nours: {}", text(&theirs.stderr), text(&ours.stderr));
    assert_eq!(text(&ours.stdout), text(&theirs.stdout), "{}", errors());
    assert_eq!(ours.status.code(), theirs.status.code(), "{}", errors());
    // oscap warns of more; an error says why in both.
    let failed = !matches!(ours.status.code(), Some(0 | 2));
    assert!(!failed || !ours.stderr.is_empty(), "{}", errors());
}

#[test]
fn info_says_the_same() {
    if !oscap_is_there() {
        return;
    }
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    let arf = folder.path().join("arf.xml").display().to_string();
    let results = folder.path().join("results.xml").display().to_string();
    let made = ["xccdf", "eval", "--profile", "p", "--results", &results, "--results-arf", &arf];
    let made: Vec<_> = made.iter().copied().chain(["cli/tests/oscap/results-xccdf.xml"]).collect();
    run(ours(), &made, root.path(), &project());
    let nothing = folder.path().join("nothing").display().to_string();
    let mut files = vec![
        STREAM.to_owned(),
        fixture("results-xccdf.xml"),
        fixture("results-oval.xml"),
        fixture("tailoring.xml"),
        arf,
        results,
        nothing,
        project().join("Cargo.toml").display().to_string(),
    ];
    for name in
        ["ssg-debian11-cpe-dictionary.xml", "ssg-debian11-ocil.xml", "ssg-ocp4-ds.xml", "ssg-rhel9-ds.xml"]
    {
        files.extend(public_content(name));
    }
    for file in &files {
        same(root.path(), &["info", file]);
        same(root.path(), &["info", "--profiles", file]);
        for profile in ["standard", "level-1", "p", "nobody"] {
            same(root.path(), &["info", "--profile", profile, file]);
        }
    }
}

#[test]
fn evaluations_say_the_same() {
    if !oscap_is_there() {
        return;
    }
    let root = root();
    let (xccdf, tailoring) = (fixture("results-xccdf.xml"), fixture("tailoring.xml"));
    let rule = "xccdf_a_rule_fail";
    let of_stream = "xccdf_org.ssgproject.content_rule_hco-nonroot";
    let cases: [&[&str]; 24] = [
        &[&xccdf],
        &["--progress", &xccdf],
        &["--progress-full", &xccdf],
        &["--profile", "p", &xccdf],
        &["--profile", "a_profile_p", "--progress", &xccdf],
        &["--profile", "nobody", &xccdf],
        &["--profile", "(all)", "--progress", &xccdf],
        &["--rule", rule, &xccdf],
        &["--rule", rule, "--rule", "xccdf_a_rule_pass", "--progress", &xccdf],
        &["--rule", "nobody", &xccdf],
        &["--rule", "xccdf_a_rule_notselected", &xccdf],
        &["--skip-rule", rule, "--skip-rule", "nobody", "--progress", &xccdf],
        &["--rule", rule, "--skip-rule", rule, &xccdf],
        &["--skip-valid", "--prog", &xccdf],
        &["--profile", "level-1", STREAM],
        &["--profile", "level-1", "--progress-full", STREAM],
        &["--profile", "tailored", "--tailoring-file", &tailoring, "--progress", STREAM],
        &["--profile", "tailored", "--tailoring-file", &tailoring, "--rule", of_stream, STREAM],
        &["--tailoring-file", &tailoring, STREAM],
        &["--datastream-id", "nobody", STREAM],
        &["--xccdf-id", "nobody", STREAM],
        &["--benchmark-id", "nobody", STREAM],
        &["--tailoring-id", "nobody", STREAM],
        &["nothing.xml"],
    ];
    for case in cases {
        same(root.path(), &[&["xccdf", "eval"], case].concat());
    }
    let oval = fixture("results-oval.xml");
    for case in [&[oval.as_str()][..], &["--id", "oval:x:def:1", &oval], &["--id", "oval:x:def:99", &oval]] {
        same(root.path(), &[&["oval", "eval"], case].concat());
    }
    let usage: [&[&str]; 7] = [
        &[],
        &["nothing"],
        &["xccdf"],
        &["xccdf", "eval"],
        &["xccdf", "eval", "--nothing"],
        &["ds", "sds-split"],
        &["info"],
    ];
    for case in usage {
        same(root.path(), case);
    }
}

#[cfg(unix)]
#[test]
fn bad_content_ends_the_same() {
    if !oscap_is_there() {
        return;
    }
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    let oval = std::fs::read_to_string(fixture("results-oval.xml")).unwrap();
    let changed = |name: &str, from: &str, to: &str| {
        assert!(oval.contains(from), "{from}");
        let file = folder.path().join(name);
        std::fs::write(&file, oval.replacen(from, to, 1)).unwrap();
        file.display().to_string()
    };
    let files = [
        changed("twice.xml", "oval:x:def:3", "oval:x:def:2"),
        changed("check.xml", "check=\"all\"", "check=\"most\""),
        changed("operator.xml", "<criteria>", "<criteria operator=\"NAND\">"),
        changed("cut.xml", "</oval_definitions>", ""),
        folder.path().display().to_string(),
        "/dev/zero".to_owned(),
    ];
    for file in &files {
        same(root.path(), &["oval", "eval", file]);
        same(root.path(), &["xccdf", "eval", file]);
        same(root.path(), &["xccdf", "generate", "guide", file]);
        same(root.path(), &["ds", "sds-validate", file]);
    }
    for file in &files[3..] {
        same(root.path(), &["info", file]);
    }
}

/// What a document says, however it is written: names, attributes and texts.
fn infoset(xml: &str) -> String {
    let document = roxmltree::Document::parse(xml).unwrap();
    let mut out = String::new();
    for node in document.descendants() {
        if node.is_element() {
            let name =
                |namespace: Option<&str>, name: &str| format!("{{{}}}{name}", namespace.unwrap_or_default());
            let attributes: BTreeMap<_, _> =
                node.attributes().map(|a| (name(a.namespace(), a.name()), a.value())).collect();
            out.push_str(&format!(
                "<{} {attributes:?}>\n",
                name(node.tag_name().namespace(), node.tag_name().name())
            ));
        } else if let Some(text) = node.text().filter(|text| node.is_text() && !text.trim().is_empty()) {
            out.push_str(text);
        }
    }
    out
}

#[test]
fn a_data_stream_is_split_into_the_same_files() {
    if !oscap_is_there() {
        return;
    }
    let root = root();
    let mut streams = vec![STREAM.to_owned()];
    streams.extend(public_content("ssg-debian11-ds.xml"));
    for stream in streams {
        let (theirs, mine) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (command, folder) in [(Command::new("oscap"), &theirs), (ours(), &mine)] {
            let folder = folder.path().display().to_string();
            let output = run(command, &["ds", "sds-split", &stream, &folder], root.path(), &project());
            assert!(output.status.success(), "{}", text(&output.stderr));
        }
        let files = |folder: &tempfile::TempDir| -> BTreeMap<String, String> {
            let entries = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
            entries
                .map(|e| (e.file_name().into_string().unwrap(), std::fs::read_to_string(e.path()).unwrap()))
                .collect()
        };
        let (theirs, mine) = (files(&theirs), files(&mine));
        assert_eq!(mine.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        for (name, xml) in &mine {
            assert!(infoset(xml) == infoset(&theirs[name]), "{stream}: {name}");
        }
    }
}

#[test]
fn stock_oscap_takes_the_files() {
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    let xccdf = fixture("results-xccdf.xml");
    let made = ["xccdf", "eval", "--results", "r.xml", "--results-arf", "a.xml", "--report", "r.html"];
    let output = run(ours(), &[&made[..], &["--oval-results", &xccdf]].concat(), root.path(), folder.path());
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let oval = std::fs::read_to_string(folder.path().join("results-oval.xml.result.xml")).unwrap();
    assert!(oval.contains("oval_results"));
    let results = std::fs::read_to_string(folder.path().join("r.xml")).unwrap();
    assert!(results.contains("href=\"results-oval.xml\""), "results name the file of the checks");
    if !oscap_is_there() {
        return;
    }
    for file in ["r.xml", "a.xml"] {
        let page =
            run(Command::new("oscap"), &["xccdf", "generate", "report", file], root.path(), folder.path());
        assert!(page.status.success() && page.stdout.len() > 10_000, "{file}: {}", text(&page.stderr));
    }
    let valid = run(Command::new("oscap"), &["xccdf", "validate", "r.xml"], root.path(), folder.path());
    assert!(valid.status.success(), "{}", text(&valid.stderr));
    let valid = run(Command::new("oscap"), &["ds", "rds-validate", "a.xml"], root.path(), folder.path());
    assert!(valid.status.success(), "{}", text(&valid.stderr));
}

#[test]
fn pages_are_made() {
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    let stream = project().join(STREAM).display().to_string();
    for before in [true, false] {
        let mut arguments = vec!["xccdf", "generate"];
        let profile = ["--profile", "level-1"];
        arguments.extend(profile.iter().filter(|_| before));
        arguments.push("guide");
        arguments.extend(profile.iter().filter(|_| !before));
        arguments.push(&stream);
        let page = text(&run(ours(), &arguments, root.path(), folder.path()).stdout);
        roxmltree::Document::parse_with_options(
            &page,
            roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() },
        )
        .unwrap();
        assert!(page.contains("Hardening guide") && page.contains("hco-nonroot"));
    }
    let oval = fixture("results-oval.xml");
    let output = run(ours(), &["oval", "eval", "--report", "o.html", &oval], root.path(), folder.path());
    assert!(output.status.success());
    assert!(std::fs::read_to_string(folder.path().join("o.html")).unwrap().contains("three true"));
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let root = root();
    for option in ["--fetch-remote-resources", "--remediate", "--thin-results", "--export-variables"] {
        let output = run(ours(), &["xccdf", "eval", option, STREAM], root.path(), &project());
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(option), "{}", text(&output.stderr));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_structure_of_data_streams_is_checked_and_no_more_is_said() {
    let root = root();
    let output = run(ours(), &["ds", "sds-validate", STREAM], root.path(), &project());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()));
    assert!(text(&output.stderr).contains("not validated against the XML schemas"));
    let folder = tempfile::tempdir().unwrap();
    let broken =
        std::fs::read_to_string(project().join(STREAM)).unwrap().replacen(" use-case=\"OTHER\"", "", 1);
    std::fs::write(folder.path().join("x.xml"), broken).unwrap();
    let output = run(ours(), &["ds", "sds-validate", "x.xml"], root.path(), folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("x.xml:3: <data-stream> has no attribute 'use-case'"));
}

#[cfg(unix)]
#[test]
fn a_link_named_oscap_is_oscap() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("oscap");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_virtscap"), &link).unwrap();
    let output = run(Command::new(&link), &["-V"], folder.path(), folder.path());
    assert!(output.status.success() && text(&output.stdout).contains("XCCDF Version: 1.2"));
    let output = run(Command::new(&link), &["info", "--profiles", STREAM], folder.path(), &project());
    assert!(text(&output.stdout).starts_with("xccdf_org.ssgproject.content_profile_level-1:"));
}

/// The templates in the filters of ssg-ocp4 are filled in with the profile's values.
#[test]
fn go_templates_of_public_content_are_rendered() {
    let Some(stream) = public_content("ssg-ocp4-ds.xml") else { return };
    let snapshot = tempfile::tempdir().unwrap();
    let file = snapshot.path().join("api/v1/namespaces/openshift-kube-apiserver/configmaps/config.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let answer = r#"{"kind": "ConfigMap", "apiVersion": "v1", "data": {"config.yaml": "{\"apiServerArguments\": {}}"}}"#;
    std::fs::write(&file, answer).unwrap();
    let dump = snapshot.path().join("dump");
    let arguments =
        ["collect", "--snapshot", ".", "--datastream", &stream, "--profile", "cis", "--dump", "dump"];
    let output =
        run(Command::new(env!("CARGO_BIN_EXE_virtscap")), &arguments, snapshot.path(), snapshot.path());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let folder = dump.join("api/v1/namespaces/openshift-kube-apiserver/configmaps");
    let names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_string_lossy().starts_with("config#")), "{names:?}");
    assert!(!text(&output.stderr).contains("{{"), "{}", text(&output.stderr));
}
