//! XCCDF and OVAL: the same cases through virtscap and through stock `oscap`.
//!
//! Each case holds a small data stream and what has to come of it. A difference between the two engines stands in the
//! case, with its reason; any other is a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "peer/outcome.rs"]
mod outcome;
#[path = "peer/root.rs"]
mod root;
#[path = "peer/stream.rs"]
mod stream;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use outcome::Outcome;
use serde::Deserialize;
use virtscap_evaluator::content::Content;
use virtscap_evaluator::dump::{Dump, DumpFile};
use virtscap_evaluator::report::{SourceReport, arf};
use virtscap_evaluator::scan::{Prepared, Request, Scan};
use virtscap_evaluator::source::{HostRoot, RecordedNode, Recording};
use virtscap_scap::oval::{FileItem, Item, ItemContent};
use virtscap_scap::xccdf::Tailoring;

/// Files of cases.
const CASES: &[(&str, &str)] = &[
    ("oval", include_str!("peer/oval.yaml")),
    ("variables", include_str!("peer/variables.yaml")),
    ("xccdf", include_str!("peer/xccdf.yaml")),
    ("profiles", include_str!("peer/profiles.yaml")),
    ("platforms", include_str!("peer/platforms.yaml")),
    ("nodes", include_str!("peer/nodes.yaml")),
    ("independent", include_str!("peer/independent.yaml")),
    ("unix", include_str!("peer/unix.yaml")),
    ("walks", include_str!("peer/walks.yaml")),
    ("linux", include_str!("peer/linux.yaml")),
    ("packages", include_str!("peer/packages.yaml")),
];
/// What cases without OVAL of their own check with.
const BASIC: &str = include_str!("peer/basic.xml");
/// What platforms are told by.
const PLATFORMS: &str = include_str!("peer/platforms.xml");
const CPE_NAMES: [(&str, &str); 5] = [
    ("cpe:/a:x:there", "def:91"),
    ("cpe:/a:x:absent", "def:92"),
    ("cpe:/a:x:unknown", "def:93"),
    ("cpe:/a:x:error", "def:94"),
    ("cpe:/a:x:empty", "def:95"),
];

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    benchmark: Option<String>,
    oval: Option<String>,
    tailoring: Option<String>,
    /// Items of a dictionary, in place of that of the other cases. `<item name="cpe:/a:x:y" def="91"/>` is one, whose
    /// platform is what definition 91 of platforms.xml says.
    dictionary: Option<String>,
    profile: Option<String>,
    /// Files below the dump's root.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Files of a node.
    #[serde(default)]
    root: BTreeMap<String, root::RootFile>,
    /// The system that runs the tests, in place of a made root.
    #[serde(default)]
    running: bool,
    /// To oscap the packages in the root are those of the system that runs the tests: it verifies no others.
    #[serde(default)]
    installed: bool,
    /// What has to come of it. Everything else has to be as oscap has it.
    expect: Outcome,
    /// What oscap makes of it where that differs; none: oscap has no such thing.
    #[serde(default)]
    oscap: BTreeMap<String, Option<String>>,
    /// Why virtscap does not follow oscap there.
    reason: Option<String>,
    /// oscap does not come to an end.
    #[serde(default)]
    oscap_crashes: bool,
    /// oscap may not come to an end: it frees memory twice, and not always does that show.
    #[serde(default)]
    oscap_may_crash: bool,
}

fn cases() -> Vec<Case> {
    // A process for cases about the system that is running to find. It ends by itself.
    static PROCESS: std::sync::Once = std::sync::Once::new();
    #[allow(clippy::zombie_processes)]
    PROCESS.call_once(|| {
        use std::process::Stdio;
        // What waits for the end of the tests' output must not wait for this.
        let mut sleep = Command::new("sleep");
        sleep.arg("99.25").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        sleep.spawn().unwrap();
    });
    let only = std::env::var("VIRTSCAP_PEER_CASE").ok();
    let mut cases = Vec::new();
    for (file, text) in CASES {
        let read: Vec<Case> = serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{file}.yaml: {e}"));
        cases.extend(read.into_iter().map(|case| Case { name: format!("{file}: {}", case.name), ..case }));
    }
    cases.push(existence_matrix());
    // Only root can make files that are root's, or give them away.
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    cases.retain(|case| is_root || !case.needs_root());
    cases.retain(|case| only.as_ref().is_none_or(|only| case.name.contains(only)));
    cases
}

/// Every `check_existence` with every state of an object, with and without a state.
fn existence_matrix() -> Case {
    use std::fmt::Write as _;
    const OBJECTS: [&str; 6] = ["one", "two", "missing", "empty", "broken", "no key"];
    // Without and with a state that each item satisfies, in the order of the objects.
    const TABLE: [(&str, [&str; 6], [&str; 6]); 5] = [
        ("all_exist", ["T", "T", "F", "F", "E", "F"], ["T", "T", "F", "F", "E", "F"]),
        ("any_exist", ["T", "T", "T", "T", "T", "T"], ["T", "T", "T", "T", "E", "T"]),
        ("at_least_one_exists", ["T", "T", "F", "F", "E", "F"], ["T", "T", "F", "F", "E", "F"]),
        ("none_exist", ["F", "F", "T", "T", "E", "T"], ["F", "F", "T", "T", "E", "T"]),
        ("only_one_exists", ["T", "F", "F", "F", "E", "F"], ["T", "F", "F", "F", "E", "F"]),
    ];
    let mut oval = String::from(
        r##"<constant_variable id="var:1"><value>/k/one</value><value>/k/other</value></constant_variable>
<state id="1"><field name="#">x</field></state>"##,
    );
    for (number, object) in (1..).zip(OBJECTS) {
        let path = match object {
            "two" => "<ind:filepath var_ref=\"var:1\" var_check=\"at least one\"/>".to_owned(),
            "no key" => "<ind:filepath>/k/one</ind:filepath>".to_owned(),
            name => format!("<ind:filepath>/k/{name}</ind:filepath>"),
        };
        let key = if object == "no key" { ".b" } else { ".a" };
        write!(
            oval,
            r#"<ind:yamlfilecontent_object id="obj:{number}">{path}
<ind:yamlpath>{key}</ind:yamlpath></ind:yamlfilecontent_object>"#
        )
        .unwrap();
    }
    let mut expect = Outcome::new();
    let mut number = 0;
    for (existence, without, with) in TABLE {
        for (state, results) in [("", without), (r#"<ind:state state_ref="ste:1"/>"#, with)] {
            for (object, result) in (1..).zip(results) {
                number += 1;
                write!(
                    oval,
                    r#"<ind:yamlfilecontent_test id="tst:{number}" check_existence="{existence}">
<ind:object object_ref="obj:{object}"/>
{state}</ind:yamlfilecontent_test>"#
                )
                .unwrap();
                let (oval_result, rule_result) = match result {
                    "T" => ("true", "pass"),
                    "F" => ("false", "fail"),
                    _ => ("error", "error"),
                };
                expect.insert(format!("test {number}"), oval_result.to_owned());
                expect.insert(format!("rule {number}"), rule_result.to_owned());
            }
        }
    }
    let files = [("one", "a: x\n"), ("other", "a: x\n"), ("empty", ""), ("broken", "a: [x\n")];
    Case {
        name: "generated: check_existence of every kind of object".to_owned(),
        benchmark: None,
        oval: Some(oval),
        tailoring: None,
        dictionary: None,
        profile: None,
        files: files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
        root: BTreeMap::new(),
        running: false,
        installed: false,
        expect,
        oscap: BTreeMap::new(),
        reason: None,
        oscap_crashes: false,
        oscap_may_crash: false,
    }
}

impl Case {
    fn needs_root(&self) -> bool {
        let names_owners = self.expect.get("offenders").is_some_and(|texts| texts.contains("owner"));
        names_owners || root::have_owners(&self.root)
    }

    /// Makes all files below a folder.
    fn make(&self, folder: &Path) {
        let dump = folder.join("kubernetes-api-resources");
        for (name, text) in self.files() {
            let at = dump.join(name);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::fs::write(at, text).unwrap();
        }
        root::make(folder, &self.root);
    }

    fn data_stream(&self) -> String {
        let benchmark = self.benchmark.as_deref();
        let with_platforms = benchmark.is_some_and(|text| text.contains("<platform"));
        let parts = stream::Parts {
            benchmark,
            oval: self.oval.as_deref().unwrap_or(BASIC),
            platforms: if with_platforms && self.dictionary.is_none() {
                CPE_NAMES.to_vec()
            } else {
                Vec::new()
            },
            dictionary: self.dictionary.as_deref().unwrap_or_default(),
            cpe_oval: if with_platforms { PLATFORMS } else { "" },
        };
        parts.xml()
    }

    fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        [("basic", "a: x\nl: [x, y]\n"), ("broken", "a: [x\n")].into_iter().chain(own)
    }
}

/// The case through virtscap, with the texts of all messages. Where there is a node, the files are read from its root.
fn virtscap(case: &Case) -> (Outcome, String) {
    let content = Content::from_xml(case.data_stream()).unwrap();
    let tailoring =
        case.tailoring.as_ref().map(|profiles| Tailoring::read(&stream::tailoring(profiles)).unwrap());
    let profile = case.profile.as_deref().map(stream::profile_id);
    let request = Request {
        content: &content,
        tailoring: tailoring.as_ref().map(|tailoring| (tailoring, "tailoring.xml")),
        profile: profile.as_deref(),
    };
    let mut dump = Dump::default();
    for (name, text) in case.files() {
        dump.insert(format!("/kubernetes-api-resources/{name}"), DumpFile::Document(text.to_owned()));
    }
    let prepared = match Prepared::new(&request) {
        Ok(prepared) => prepared,
        Err(e) => return (Outcome::from([("refused".to_owned(), e.to_string())]), String::new()),
    };
    let source = SourceReport { kind: "dump".to_owned(), location: "test".to_owned() };
    let scan = if case.running {
        // What is recorded is no longer the system that is running.
        prepared.evaluate(&HostRoot::open(Path::new("/")).unwrap(), source)
    } else if case.root.is_empty() {
        prepared.evaluate(&dump, source)
    } else {
        let folder = tempfile::tempdir().unwrap();
        case.make(folder.path());
        let host = HostRoot::open(folder.path()).unwrap();
        let recording = Recording::new(&host);
        let scan = prepared.evaluate(&recording, source.clone());
        same_from_the_recording(&prepared, &scan, recording, source);
        scan
    };
    let mut outcome = outcome::read(&arf::asset_report(&scan).unwrap());
    let offenders = scan.evaluation.rule_results.iter().flat_map(|result| {
        result.offenders.iter().map(|text| format!("{}: {text}", result.rule.short_name()))
    });
    let offenders = offenders.collect::<Vec<_>>().join("\n");
    let messages = scan.evaluation.rule_results.iter().flat_map(|result| {
        let texts = result.messages.iter().map(|message| message.text.as_str());
        texts.map(|text| format!("{}: {text}", result.rule.short_name()))
    });
    let messages = messages.collect::<Vec<_>>().join("\n");
    // oscap has no such thing; `difference` leaves it out.
    outcome.insert("offenders".to_owned(), offenders);
    (outcome, messages)
}

/// What was recorded has to give the same, from memory and from disk.
fn same_from_the_recording(
    prepared: &Prepared<'_>,
    scan: &Scan<'_>,
    recording: Recording<'_>,
    source: SourceReport,
) {
    let node = recording.into_node("test");
    let folder = tempfile::tempdir().unwrap();
    node.write_to(&folder.path().join("node")).unwrap();
    let from_disk = RecordedNode::open(&folder.path().join("node")).unwrap();
    for node in [&node, &from_disk] {
        let again = prepared.evaluate(node, source.clone());
        let found = |scan: &Scan<'_>| {
            let results = scan.evaluation.rule_results.iter();
            let results =
                results.map(|r| (r.rule.clone(), r.result, r.offenders.clone(), r.messages.clone()));
            let items = scan.evaluation.checks.iter().map(|check| check.results.items.clone());
            let items = items.map(|items| items.into_iter().map(lasting).collect::<Vec<_>>());
            (results.collect::<Vec<_>>(), items.collect::<Vec<_>>())
        };
        assert_eq!(found(&again), found(scan), "{node:#?}");
    }
}

/// What a recording keeps of an item: when files were read is not among it.
fn lasting(item: Item) -> Item {
    match item.content {
        ItemContent::File(file) => {
            let file = FileItem { times: None, has_extended_acl: None, ..file };
            Item { content: ItemContent::File(file), ..item }
        }
        ItemContent::Entities { .. } => item,
    }
}

/// The case through stock oscap; none if it does not come to an end.
fn oscap(case: &Case) -> Option<Outcome> {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(&at("ds.xml"), &case.data_stream());
    case.make(&at("root"));
    let mut command = Command::new("oscap");
    command.args(["xccdf", "eval", "--skip-validation", "--results-arf"]).arg(at("arf.xml"));
    if let Some(profile) = &case.profile {
        command.args(["--profile", &stream::profile_id(profile)]);
    }
    if let Some(tailoring) = &case.tailoring {
        write(&at("tailoring.xml"), &stream::tailoring(tailoring));
        command.arg("--tailoring-file").arg(at("tailoring.xml"));
    }
    command.env("SEXP_VALIDATE_DISABLE", "1");
    command.arg(at("ds.xml"));
    if !case.running {
        if !case.installed {
            command.env("OSCAP_PROBE_ROOT", at("root"));
        }
        // Debian's RPM looks for its database in the home directory, if nothing tells it where else.
        let root = if case.installed { at("root").display().to_string() } else { String::new() };
        let is_berkeley = case.root.contains_key("/var/lib/rpm/Packages");
        let backend = if is_berkeley { "bdb_ro" } else { "sqlite" };
        let macros = format!("%_dbpath {root}/var/lib/rpm\n%_db_backend {backend}\n");
        write(&at("home/.rpmmacros"), &macros);
        command.env("HOME", at("home"));
    }
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code()?;
    match code {
        0 | 2 => {
            let mut outcome = outcome::read(&std::fs::read_to_string(at("arf.xml")).unwrap());
            outcome.insert("exit".to_owned(), code.to_string());
            Some(outcome)
        }
        _ => Some(Outcome::from([("refused".to_owned(), format!("{code}: {stderr}"))])),
    }
}

#[test]
fn virtscap_gives_what_is_expected() {
    let mut failures = Vec::new();
    for case in cases() {
        let (outcome, messages) = virtscap(&case);
        let mut bad = Vec::new();
        for (what, expected) in &case.expect {
            let found = outcome.get(what).map(String::as_str).unwrap_or("nothing");
            let refused_as_expected = what == "refused" && found.contains(expected.as_str());
            let message_as_expected = what == "message" && messages.contains(expected.as_str());
            if found != expected && !refused_as_expected && !message_as_expected {
                bad.push(format!("  {what}: {found}, expected {expected}"));
            }
        }
        let rules = outcome.iter().filter(|(what, _)| what.starts_with("rule "));
        let forgotten = rules.filter(|(what, _)| !case.expect.contains_key(*what));
        bad.extend(forgotten.map(|(what, found)| format!("  {what}: {found}, and the case expects nothing")));
        if !bad.is_empty() {
            failures.push(format!("{}\n{}\n{messages}", case.name, bad.join("\n")));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// A rule without an automatic verdict has to say why.
#[test]
fn what_is_undecided_has_a_message() {
    for case in cases() {
        let (outcome, messages) = virtscap(&case);
        for (what, result) in &outcome {
            let Some(rule) = what.strip_prefix("rule ") else { continue };
            if matches!(result.as_str(), "error" | "unknown" | "notapplicable") {
                let told = messages.lines().any(|line| line.starts_with(&format!("{rule}: ")));
                assert!(told, "{}: {rule} is '{result}' and says nothing", case.name);
            }
        }
    }
}

#[test]
fn oscap_gives_the_same() {
    if Command::new("oscap").arg("--version").output().is_err() {
        assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "oscap not found");
        // Past the test harness, which swallows what a passing test prints.
        let text = "SKIPPED: oscap not found; XCCDF and OVAL were not compared with OpenSCAP";
        writeln!(std::io::stderr(), "{text}").unwrap();
        return;
    }
    let cases = cases();
    let middle = cases.len() / 2;
    let failures = std::thread::scope(|scope| {
        let halves = [&cases[..middle], &cases[middle..]];
        let threads =
            halves.map(|half| scope.spawn(|| half.iter().filter_map(difference).collect::<Vec<_>>()));
        threads.map(|thread| thread.join().unwrap()).concat()
    });
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// How the engines differ beyond what the case says.
fn difference(case: &Case) -> Option<String> {
    let Some(theirs) = oscap(case) else {
        let known = case.oscap_crashes || case.oscap_may_crash;
        return (!known).then(|| format!("{}: oscap crashes", case.name));
    };
    if case.oscap_crashes {
        return Some(format!("{}: oscap survives: {theirs:?}", case.name));
    }
    let (mut ours, _) = virtscap(case);
    ours.remove("offenders");
    if ours.contains_key("refused") && theirs.contains_key("refused") {
        return None;
    }
    let mut found = BTreeMap::new();
    for key in ours.keys().chain(theirs.keys()) {
        // oscap lists also what it did not evaluate.
        let not_evaluated = theirs.get(key).is_some_and(|theirs| theirs == "not evaluated");
        let listed_only = not_evaluated && !ours.contains_key(key);
        if !listed_only && ours.get(key) != theirs.get(key) {
            found.insert(key.clone(), theirs.get(key).cloned());
        }
    }
    if found != case.oscap {
        let mut text = case.name.clone();
        for (key, theirs) in found.iter().filter(|(key, theirs)| case.oscap.get(*key) != Some(theirs)) {
            let ours = ours.get(key).map(String::as_str).unwrap_or("nothing");
            let theirs = theirs.as_deref().unwrap_or("nothing");
            text += &format!("\n  {key}: virtscap {ours}, oscap {theirs}");
        }
        for key in case.oscap.keys().filter(|key| !found.contains_key(*key)) {
            text += &format!("\n  {key}: no longer differs");
        }
        return Some(text);
    }
    (!found.is_empty() && case.reason.is_none())
        .then(|| format!("{}: a difference without a reason", case.name))
}
