//! A node that only a shell can see gives what its root gives, and nothing passes on what the shell did not say.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use virtscap_cli::{ONLY, only};
use virtscap_evaluator::files::{Files, Lookup, Metadata};
use virtscap_evaluator::nodes::{NodeOutcome, Target, record_nodes, scan_nodes, scan_recorded};
use virtscap_evaluator::report::nodes::NodesReport;
use virtscap_evaluator::report::{Report, SourceReport, html, nodes};
use virtscap_evaluator::scan::{Prepared, Request, scan_node};
use virtscap_evaluator::source::remote::{ExecError, Executor, Job, Limits, RemoteNode};
use virtscap_evaluator::source::{HostRoot, RecordedNode, RecordedNodes};
use virtscap_generator::case::Evidence;
use virtscap_generator::model::Scope;
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::shell::Shell;
use virtscap_tests::{BENCHMARK, IN_MEMORY, cases, in_parallel, node, project, say};

const SHELLS: [&str; 2] = ["sh", "bash"];

/// What is asked of files, in words; reasons differ in their texts, times of access in reading.
fn asked(files: &dyn Files, paths: &[String]) -> Vec<String> {
    let plain =
        |metadata: Metadata| Metadata { times: metadata.times.map(|[_, c, m]| [0, c, m]), ..metadata };
    fn said<T: std::fmt::Debug>(found: Lookup<T>) -> String {
        match found {
            Lookup::Unreadable { .. } => "unreadable".to_owned(),
            found => format!("{found:?}"),
        }
    }
    let mut answers = Vec::new();
    for path in paths {
        answers.push(format!("{path:?} is {}", said(files.metadata(path).map(plain))));
        answers.push(format!("{path:?} holds {}", said(files.read(path))));
        answers.push(format!("{path:?} leads to {}", said(files.directory(path))));
        answers.push(format!("{path:?} lists {}", said(files.list(path))));
        if let Lookup::Found(folder) = files.directory(path) {
            answers.push(format!("{path:?} has {}", said(files.entries(&folder))));
        }
    }
    answers
}

fn of_shell(
    shell: &dyn Executor,
    root: &Path,
    limits: Limits,
    paths: &[String],
) -> (Vec<String>, Option<String>) {
    let mut node = RemoteNode::new("worker-0", shell, root.to_str().unwrap(), limits);
    let answers = node.settle(|node| asked(node, paths));
    (answers, node.trouble())
}

/// All that a tree can hold, and more.
fn wild() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, content: &[u8]| {
        std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        std::fs::write(at(name), content).unwrap();
    };
    write("etc/plain", b"plain\n");
    write("etc/empty", b"");
    write("etc/binary", b"\0end\0\nm 0 41ed 0 0 0 0 0 0 0 0\0\xff\r\n\n\n");
    write("etc/large", &[b'x'; 100_000]);
    write("etc/.hidden", b"h");
    write("etc/..hidden", b"h");
    write("etc/-", b"dash");
    write("etc/-n", b"dash n");
    write("etc/*", b"star");
    write("etc/a b  c", b"spaces");
    write("etc/line\nbreak\n", b"newlines");
    write("etc/\"'`$(id)\\\\0101;&|<>", b"quotes");
    write("etc/\u{101}\u{108}\u{4e2d}\u{1f600}", b"letters");
    write("etc/dir/deep/er/file", b"deep");
    std::fs::create_dir_all(at("etc/empty dir")).unwrap();
    std::fs::create_dir_all(at("*")).unwrap();
    write("odd/fine", b"fine");
    std::fs::write(at("odd").join(OsStr::from_bytes(b"\xff\xfe")), "odd").unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(at("etc/fifo")).status().unwrap();
    assert!(fifo.success());
    let _socket = std::os::unix::net::UnixListener::bind(at("etc/socket")).unwrap();
    for (name, target) in [
        ("etc/to plain", "plain"),
        ("etc/absolute", "/etc/plain"),
        ("etc/out", "../../../../../../etc/hostname"),
        ("etc/out absolute", "/proc/self/root/etc/hostname"),
        ("etc/nowhere", "nothing/here"),
        ("etc/loop", "loop"),
        ("etc/loop a", "loop b"),
        ("etc/loop b", "loop a"),
        ("etc/to dir", "dir/./deep/../deep/er/"),
        ("etc/newline", "line\nbreak\n"),
        ("etc/to fifo", "fifo"),
        ("var", "etc/../etc//"),
        ("dev", "/etc/dir"),
    ] {
        symlink(target, at(name)).unwrap();
    }
    folder
}

/// Every path of a tree, and paths that lead about in it.
fn paths_of(root: &HostRoot) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let Lookup::Found(entries) = root.entries(if folder.is_empty() { "/" } else { &folder }) else {
            continue;
        };
        for entry in entries.entries {
            let path = format!("{folder}/{}", entry.name);
            if entry.file_type == virtscap_scap::oval::FileType::Directory {
                folders.push(path.clone());
            }
            paths.push(path);
        }
    }
    let more = [
        "/",
        "//",
        "/.",
        "/..",
        "/../etc",
        "/etc/",
        "/etc/.",
        "/etc/../etc/./plain",
        "/etc/plain/",
        "/etc/plain/x",
        "/nothing",
        "/nothing/at/all",
        "/var/plain",
        "/var/to plain",
        "/var/to dir/file",
        "/dev/deep/er/file",
        "/dev/deep/er/../er/file",
        "/etc/to dir/../../plain",
        "/etc/loop/x",
        "/var/../var/../etc/absolute",
        "/etc/fifo/x",
        "/etc/no\nthing",
        "/etc/to dir/nothing",
    ];
    paths.extend(more.map(str::to_owned));
    paths.push(format!("/etc/{}", "n".repeat(300)));
    paths
}

fn assert_same(expected: &[String], found: &[String], what: &str) {
    assert_eq!(expected.len(), found.len(), "{what}");
    let different: Vec<_> = expected.iter().zip(found).filter(|(a, b)| a != b).collect();
    assert!(different.is_empty(), "{what}: {different:#?}");
}

#[test]
fn a_shell_says_what_the_root_says() {
    let folder = wild();
    let root = HostRoot::open(folder.path()).unwrap();
    let paths = paths_of(&root);
    assert!(paths.len() > 50, "{paths:#?}");
    // Where it leads cannot be said. The kernel can follow it, and finds nothing.
    let odd = ["/etc/odd link".to_owned()];
    symlink(OsStr::from_bytes(b"to\xff"), folder.path().join("etc/odd link")).unwrap();
    for shell in SHELLS {
        let (found, _) = of_shell(&Shell::new(shell), folder.path(), Limits::default(), &odd);
        assert_eq!(found[..2], ["\"/etc/odd link\" is unreadable", "\"/etc/odd link\" holds unreadable"]);
    }
    std::fs::remove_file(folder.path().join("etc/odd link")).unwrap();
    let expected = asked(&root, &paths);
    for shell in SHELLS {
        let (found, trouble) = of_shell(&Shell::new(shell), folder.path(), Limits::default(), &paths);
        assert_same(&expected, &found, shell);
        assert_eq!(trouble, None);
    }
}

#[test]
fn files_whose_size_says_nothing_are_read() {
    for (at, wanted) in [
        (
            "/proc",
            &["/version", "/filesystems", "/cmdline", "/sys/kernel/ostype", "/nothing", "/sys/kernel"][..],
        ),
        (
            "/sys",
            &[
                "/devices/system/cpu/vulnerabilities",
                "/devices/system/cpu/vulnerabilities/meltdown",
                "/kernel/mm/ksm/run",
                "/devices/system/cpu/online",
                "/class/net/lo/mtu",
                "/class/net/lo/uevent",
            ][..],
        ),
    ] {
        let root = HostRoot::open(Path::new(at)).unwrap();
        let paths: Vec<_> = wanted.iter().map(|path| (*path).to_owned()).collect();
        let expected = asked(&root, &paths);
        for shell in SHELLS {
            let (found, trouble) = of_shell(&Shell::new(shell), Path::new(at), Limits::default(), &paths);
            assert_same(&expected, &found, at);
            assert_eq!(trouble, None);
        }
    }
}

#[test]
fn what_may_not_be_read_is_unreadable_and_not_absent() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = wild();
    let mode = |name: &str, mode| {
        let path = folder.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("", 0o755);
    mode("etc/plain", 0o600);
    mode("etc/dir", 0o700);
    mode("odd", 0o711);
    if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder.path()).unwrap()) != 0 {
        return;
    }
    for program in SHELLS {
        let shell = Shell { user: Some(65534), ..Shell::new(program) };
        let mut node =
            RemoteNode::new("worker-0", &shell, folder.path().to_str().unwrap(), Limits::default());
        node.settle(|node| {
            let last = (
                node.read("/etc/plain").map(|content| content.into_owned()),
                node.list("/etc/dir"),
                node.metadata("/etc/dir/deep"),
                node.list("/odd"),
                node.metadata("/odd/fine"),
                node.metadata("/odd/nothing"),
            );
            if node.trouble().is_none() && !format!("{last:?}").contains("not fetched yet") {
                assert!(matches!(&last.0, Lookup::Unreadable { .. }), "{last:?}");
                assert!(matches!(&last.1, Lookup::Unreadable { .. }), "{last:?}");
                assert!(matches!(&last.2, Lookup::Unreadable { .. }), "{last:?}");
                assert!(matches!(&last.3, Lookup::Unreadable { .. }), "{last:?}");
                assert!(matches!(&last.4, Lookup::Found(_)), "{last:?}");
                assert_eq!(last.5, Lookup::absent());
            }
        });
        assert_eq!(node.trouble(), None);
    }
}

fn request(profile: &str) -> Request<'_> {
    Request { content: &IN_MEMORY, tailoring: None, profile: Some(profile) }
}

/// The tree of a recorded node.
fn tree(name: &str) -> Option<TempDir> {
    let recorded = RecordedNode::open(&project().join("tests/nodes").join(name)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    node::write_recorded(&recorded, folder.path()).then_some(folder)
}

/// A report without where and when it was made.
fn of_what(report: Report) -> Report {
    let source = SourceReport { kind: String::new(), location: String::new() };
    Report { source, started: String::new(), finished: String::new(), ..report }
}

fn by_shell(request: &Request<'_>, shell: &dyn Executor, root: &Path, limits: Limits) -> NodeOutcome {
    let prepared = Prepared::new(request).unwrap();
    let target = Target { name: "worker-0", executor: Ok(shell) };
    scan_nodes(&prepared, &[target], root.to_str().unwrap(), limits, &|_, _| {}).pop().unwrap()
}

#[test]
fn nodes_give_what_their_roots_give() {
    for (name, profile) in [
        ("hardened", "level-2-node"),
        ("hardened", "security-policies-node"),
        ("neglected", "level-2-node"),
        ("neglected", "security-policies-node"),
    ] {
        let Some(folder) = tree(name) else { return };
        let request = request(profile);
        let expected = scan_node(&request, &HostRoot::open(folder.path()).unwrap()).unwrap().report;
        assert!(
            !expected.rules.is_empty() && expected.passed == (name == "hardened"),
            "{name}: {expected:#?}"
        );
        for shell in SHELLS {
            let outcome = by_shell(&request, &Shell::new(shell), folder.path(), Limits::default());
            assert_eq!(outcome.trouble, None);
            assert_eq!(of_what(outcome.report), of_what(expected.clone()), "{name}, {profile}, {shell}");
        }
    }
}

#[test]
fn cases_give_what_their_roots_give() {
    let all = cases(Scope::Node);
    let judged = AtomicUsize::new(0);
    in_parallel(&all, |(rule, case)| {
        let Evidence::Files(files) = &case.evidence else { return };
        let folder = tempfile::tempdir().unwrap();
        if !node::write(files, folder.path()) {
            return;
        }
        let tailoring = only(&BENCHMARK, rule, &case.values).unwrap();
        let request = Request {
            content: &IN_MEMORY,
            tailoring: Some((&tailoring, "tailoring.xml")),
            profile: Some(ONLY),
        };
        let expected = scan_node(&request, &HostRoot::open(folder.path()).unwrap()).unwrap().report;
        let outcome = by_shell(&request, &Shell::new("sh"), folder.path(), Limits::default());
        assert_eq!(of_what(outcome.report), of_what(expected), "{}, {}", rule.id, case.name);
        judged.fetch_add(1, Ordering::Relaxed);
    });
    let judged = judged.into_inner();
    say(&format!("a shell on a node: {judged} of {} cases, as their roots", all.len()));
    assert!(judged > 0 || tree("hardened").is_none());
}

/// What goes wrong from one run on.
struct Broken<F> {
    from: usize,
    runs: AtomicUsize,
    wrong: F,
}

impl<F: Fn(Vec<u8>) -> Result<Vec<u8>, ExecError> + Send + Sync> Executor for Broken<F> {
    fn run(&self, job: &Job<'_>) -> Result<Vec<u8>, ExecError> {
        let answer = Shell::new("sh").run(job)?;
        if self.runs.fetch_add(1, Ordering::Relaxed) < self.from { Ok(answer) } else { (self.wrong)(answer) }
    }
}

/// No rule passes, and each says why.
fn assert_withheld(outcome: &NodeOutcome, what: &str) {
    assert!(
        outcome.trouble.is_some() && !outcome.report.passed && !outcome.report.rules.is_empty(),
        "{what}"
    );
    for rule in &outcome.report.rules {
        assert_eq!(rule.result, XccdfResult::Unknown, "{what}: {rule:#?}");
        assert!(
            rule.messages.iter().any(|message| message.text.contains("could not be read")),
            "{what}: {rule:#?}"
        );
    }
}

#[test]
fn no_rule_passes_on_half_an_answer() {
    let Some(folder) = tree("hardened") else { return };
    let request = request("level-2-node");
    type Wrong = Box<dyn Fn(Vec<u8>) -> Result<Vec<u8>, ExecError> + Send + Sync>;
    let failed = || ExecError::Failed { status: "exit status 1".to_owned(), stderr: String::new() };
    let mut ways: Vec<(&str, Wrong)> = vec![
        ("refused", Box::new(|_| Err(ExecError::Refused("403".to_owned())))),
        ("failed", Box::new(move |_| Err(failed()))),
        ("broken", Box::new(|_| Err(ExecError::Broken("reset".to_owned())))),
        ("timed out", Box::new(|_| Err(ExecError::TimedOut(std::time::Duration::from_secs(1))))),
        ("too much", Box::new(|_| Err(ExecError::TooMuch(1)))),
        ("empty", Box::new(|_| Ok(Vec::new()))),
        ("end alone, behind nonsense", Box::new(|_| Ok(b"nonsense\0end\0".to_vec()))),
    ];
    for part in 1..10 {
        ways.push(("cut off", Box::new(move |answer| Ok(answer[..answer.len() * part / 10].to_vec()))));
    }
    ways.push(("cut off by one", Box::new(|answer| Ok(answer[..answer.len() - 1].to_vec()))));
    let good = Broken { from: usize::MAX, runs: AtomicUsize::new(0), wrong: Ok };
    assert_eq!(by_shell(&request, &good, folder.path(), Limits::default()).trouble, None);
    let rounds = good.runs.into_inner();
    assert!(rounds > 1);
    for (what, wrong) in ways {
        for from in [0, rounds - 1] {
            let broken = Broken { from, runs: AtomicUsize::new(0), wrong: &wrong };
            let outcome = by_shell(&request, &broken, folder.path(), Limits::default());
            assert_withheld(&outcome, what);
            assert!(broken.runs.into_inner() <= from + 2, "{what}");
        }
    }
    // An answer to nothing says nothing: what was asked is not known, whatever else is.
    let silent = Broken { from: 0, runs: AtomicUsize::new(0), wrong: |_| Ok(b"end\0".to_vec()) };
    let outcome = by_shell(&request, &silent, folder.path(), Limits::default());
    assert!(outcome.report.rules.iter().all(|rule| rule.result == XccdfResult::Unknown), "{outcome:#?}");
}

#[test]
fn a_connection_that_breaks_once_is_tried_again() {
    let Some(folder) = tree("hardened") else { return };
    let first = AtomicUsize::new(0);
    let broken = Broken {
        from: 0,
        runs: AtomicUsize::new(0),
        wrong: |answer| match first.fetch_add(1, Ordering::Relaxed) {
            0 => Err(ExecError::Broken("reset".to_owned())),
            _ => Ok(answer),
        },
    };
    let outcome = by_shell(&request("level-2-node"), &broken, folder.path(), Limits::default());
    assert!(outcome.report.passed && outcome.trouble.is_none(), "{outcome:#?}");
}

#[test]
fn a_container_without_a_tool_or_without_the_node_is_refused() {
    let Some(folder) = tree("hardened") else { return };
    let tools = tempfile::tempdir().unwrap();
    for tool in ["base64", "head", "ls", "stat", "wc"] {
        symlink(format!("/usr/bin/{tool}"), tools.path().join(tool)).unwrap();
    }
    let shell = Shell { path: Some(tools.path().display().to_string()), ..Shell::new("/bin/sh") };
    let outcome = by_shell(&request("level-2-node"), &shell, folder.path(), Limits::default());
    assert_withheld(&outcome, "a missing tool");
    assert!(outcome.trouble.as_ref().unwrap().contains("has no readlink"), "{:?}", outcome.trouble);
    for (root, said) in [("/", "container's own root"), ("/nothing/here", "exit status: 3")] {
        let outcome =
            by_shell(&request("level-2-node"), &Shell::new("sh"), Path::new(root), Limits::default());
        assert_withheld(&outcome, root);
        assert!(outcome.trouble.as_ref().unwrap().contains(said), "{:?}", outcome.trouble);
    }
}

#[test]
fn limits_leave_nothing_passed_that_was_not_read() {
    let Some(folder) = tree("hardened") else { return };
    let usual = Limits::default();
    for limits in
        [Limits { rounds: 1, ..usual }, Limits { paths: 20, ..usual }, Limits { bytes: 10_000, ..usual }]
    {
        let outcome = by_shell(&request("level-2-node"), &Shell::new("sh"), folder.path(), limits);
        let trouble = outcome.trouble.as_ref().unwrap();
        assert!(trouble.contains("was not read to the end"), "{trouble}");
        assert!(
            !outcome.report.passed
                && outcome.report.rules.iter().any(|rule| rule.result == XccdfResult::Unknown)
        );
        let text = format!("{:?}", outcome.report.rules);
        assert!(!text.contains("not fetched yet"), "{limits:?}: {text}");
    }
    let folder = wild();
    let small = Limits { file: 99_999, entries: 10, ..usual };
    let paths = ["/etc/large", "/etc"].map(str::to_owned);
    let (found, trouble) = of_shell(&Shell::new("sh"), folder.path(), small, &paths);
    assert!(found.contains(&"\"/etc/large\" holds unreadable".to_owned()), "{found:#?}");
    assert!(found.contains(&"\"/etc\" lists unreadable".to_owned()), "{found:#?}");
    assert_eq!(trouble, None);
}

/// Puts a link to another place where a directory was, before a run.
struct Swapped<'a> {
    root: &'a Path,
    before: usize,
    runs: AtomicUsize,
}

impl Executor for Swapped<'_> {
    fn run(&self, job: &Job<'_>) -> Result<Vec<u8>, ExecError> {
        if self.runs.fetch_add(1, Ordering::Relaxed) == self.before {
            std::fs::rename(self.root.join("etc"), self.root.join("was")).unwrap();
            symlink("/etc", self.root.join("etc")).unwrap();
        }
        Shell::new("sh").run(job)
    }
}

#[test]
fn a_link_in_the_place_of_a_directory_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let name =
        std::fs::read_dir("/etc").unwrap().flatten().find(|entry| entry.file_type().unwrap().is_file());
    let name = name.unwrap().file_name().into_string().unwrap();
    std::fs::create_dir_all(folder.path().join("etc")).unwrap();
    std::fs::write(folder.path().join("etc").join(&name), "of the node").unwrap();
    let swapped = Swapped { root: folder.path(), before: 1, runs: AtomicUsize::new(0) };
    let mut node = RemoteNode::new("worker-0", &swapped, folder.path().to_str().unwrap(), Limits::default());
    let content = node.settle(|node| node.read(&format!("/etc/{name}")).map(|content| content.into_owned()));
    assert!(matches!(content, Lookup::Missing { reason: Some(_) }), "{content:?}");
    assert_eq!(swapped.runs.into_inner(), 2);
}

fn source(location: &str) -> SourceReport {
    SourceReport { kind: "cluster-nodes".to_owned(), location: location.to_owned() }
}

#[test]
fn the_summary_names_nodes_that_differ_and_nodes_that_were_not_scanned() {
    let (Some(hardened), Some(neglected)) = (tree("hardened"), tree("neglected")) else { return };
    let request = request("level-2-node");
    let prepared = Prepared::new(&request).unwrap();
    // Each node's root, below one folder, under the name that its executor knows.
    struct At<'a>(&'a Path);
    impl Executor for At<'_> {
        fn run(&self, job: &Job<'_>) -> Result<Vec<u8>, ExecError> {
            let root = |argument: &String| {
                if argument == "ROOT" { self.0.to_str().unwrap().to_owned() } else { argument.clone() }
            };
            Shell::new("sh").run(&Job { command: job.command.iter().map(root).collect(), ..job.clone() })
        }
    }
    let (good, bad) = (At(hardened.path()), At(neglected.path()));
    let targets = [
        Target { name: "a", executor: Ok(&good) },
        Target { name: "b", executor: Err("no virt-handler pod runs on it") },
        Target { name: "c", executor: Ok(&bad) },
        Target { name: "d", executor: Ok(&good) },
    ];
    let done = AtomicUsize::new(0);
    let outcomes = scan_nodes(&prepared, &targets, "ROOT", Limits::default(), &|_, _| {
        done.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(done.into_inner(), 4);
    let report = NodesReport::new(source("https://cluster.example"), &outcomes).unwrap();
    let passed: Vec<_> = report.nodes.iter().map(|node| (node.name.as_str(), node.passed)).collect();
    assert_eq!(passed, [("a", true), ("b", false), ("c", false), ("d", true)]);
    assert!(!report.passed);
    let differs = report.rules.iter().find(|rule| rule.inconsistent).unwrap();
    let results: Vec<_> = differs.results.iter().map(|of| (of.result, of.nodes.join(" "))).collect();
    let expected = [(XccdfResult::Pass, "a d"), (XccdfResult::Unknown, "b"), (XccdfResult::Fail, "c")];
    assert_eq!(results, expected.map(|(result, nodes)| (result, nodes.to_owned())));
    assert!(differs.offenders.iter().all(|of| of.nodes == ["c"]) && !differs.offenders.is_empty());
    // What was recorded of them gives the same.
    let snapshot = tempfile::tempdir().unwrap();
    let recorded = record_nodes(&prepared, &targets, "ROOT", Limits::default(), &|_, _| {});
    RecordedNodes::new(recorded).write_to(snapshot.path()).unwrap();
    let recorded = RecordedNodes::open(snapshot.path()).unwrap().unwrap();
    let again = scan_recorded(&prepared, &recorded, &|_, _| {});
    assert_eq!(again.len(), outcomes.len());
    for (again, before) in again.iter().zip(&outcomes) {
        assert_eq!((&again.name, &again.trouble), (&before.name, &before.trouble));
        for (again, before) in again.report.rules.iter().zip(&before.report.rules) {
            assert_eq!(again, before);
        }
    }
    let text = nodes::render(&report, false);
    assert!(text.contains("inconsistent: pass on a, d; unknown on b; fail on c"), "{text}");
    assert!(text.contains("no virt-handler pod runs on it"), "{text}");
    assert!(text.contains("level-2-node: not passed (2 of 4 nodes passed, 1 of 4 not scanned)"), "{text}");
    let page = html::nodes(&report, true).unwrap();
    roxmltree::Document::parse_with_options(
        &page,
        roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() },
    )
    .unwrap();
    assert!(page.contains("nodes/c.html") && page.contains("Nodes differ."), "{page}");
    // One node alone that passes is a pass; one that was not scanned makes none of the others differ.
    let alone = NodesReport::new(source("x"), &outcomes[..1]).unwrap();
    assert!(alone.passed && alone.rules.iter().all(|rule| !rule.inconsistent));
    let with_b = NodesReport::new(source("x"), &outcomes[..2]).unwrap();
    assert!(!with_b.passed && with_b.rules.iter().all(|rule| !rule.inconsistent));
}
