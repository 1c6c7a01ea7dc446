//! `virtscap scan`, `collect` and `rbac` on a cluster: a server on a socket that answers as an API server does.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

const MACHINES: &str = "/apis/kubevirt.io/v1/virtualmachines";

/// What a server does beside answering what a snapshot of the tests holds: `hardened` where it holds something back, so that
/// no offender elsewhere decides a rule, else `neglected`.
#[derive(Clone, Copy, Default)]
struct Odd {
    /// It never answers this path.
    hangs: Option<&'static str>,
    /// It answers 403 for this path, and says so before.
    forbids: Option<&'static str>,
    /// It does not know reviews of access.
    no_reviews: bool,
}

/// A server, and what it was asked: methods with paths and queries.
struct Server {
    kubeconfig: tempfile::NamedTempFile,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(odd: Odd) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut kubeconfig = tempfile::NamedTempFile::new().unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{}", listener.local_addr().unwrap())}}],
            "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {}}],
        });
        kubeconfig.write_all(config.to_string().as_bytes()).unwrap();
        let asked = Arc::<Mutex<Vec<_>>>::default();
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let noted = Arc::clone(&noted);
                std::thread::spawn(move || serve(stream.unwrap(), odd, &noted));
            }
        });
        Self { kubeconfig, asked }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_virtscap"));
        command.args(arguments).arg("--kubeconfig").arg(self.kubeconfig.path()).current_dir(project());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request, and closes.
fn serve(stream: TcpStream, odd: Odd, asked: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = first.split(' ');
    let (Some(method), Some(uri)) = (words.next(), words.next()) else { return };
    asked.lock().unwrap().push(format!("{method} {uri}"));
    let path = uri.split('?').next().unwrap();
    if odd.hangs == Some(path) {
        std::thread::sleep(Duration::from_secs(600));
    }
    let (code, answer) = answer(method, path, &body, odd);
    let head = format!(
        "HTTP/1.1 {code} x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    let mut stream = reader.into_inner();
    let _ = stream.write_all(&[head.as_bytes(), &answer].concat());
}

fn answer(method: &str, path: &str, body: &[u8], odd: Odd) -> (u64, Vec<u8>) {
    let refused = |code: u64| {
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "not for you",
        });
        (code, status.to_string().into_bytes())
    };
    if method == "POST" && !odd.no_reviews {
        let mut review: Value = serde_json::from_slice(body).unwrap();
        let wanted = &review["spec"]["resourceAttributes"];
        let wanted = format!("{}/{}", wanted["group"], wanted["resource"]).replace('"', "");
        let forbids = odd.forbids.map(|path| path.replace("/apis/", "").replace("/v1/", "/"));
        review["status"] = json!({"allowed": forbids.as_ref() != Some(&wanted)});
        return (201, review.to_string().into_bytes());
    }
    if odd.forbids == Some(path) {
        return refused(403);
    }
    let whole = odd.hangs.is_none() && odd.forbids.is_none();
    let snapshot = project().join("tests/snapshots").join(if whole { "neglected" } else { "hardened" });
    match std::fs::read(snapshot.join(format!("{}.json", &path[1..]))) {
        Ok(bytes) => {
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            let code = if answer["kind"] == "Status" { answer["code"].as_u64().unwrap() } else { 200 };
            (code, bytes)
        }
        Err(_) => refused(404),
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", stderr(output)))
}

fn of_snapshot(folder: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_virtscap"));
    let arguments = ["scan", "--profile", "level-2", "--json", "-", "--snapshot", folder];
    report(&command.args(arguments).current_dir(project()).output().unwrap())
}

fn rule<'a>(report: &'a Value, id: &str) -> &'a Value {
    report["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap()
}

const SCAN: [&str; 5] = ["scan", "--profile", "level-2", "--json", "-"];

#[test]
fn a_cluster_is_scanned_and_recorded_with_the_results_of_its_snapshot() {
    let expected = of_snapshot("tests/snapshots/neglected");
    let server = Server::start(Odd::default());
    let output = server.run(&SCAN);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let scanned = report(&output);
    assert_eq!(scanned["rules"], expected["rules"]);
    assert_eq!(scanned["source"]["kind"], "cluster");
    assert!(scanned["source"]["location"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!(scanned.get("partial"), None);
    assert!(stderr(&output).contains("(context test)"), "{}", stderr(&output));
    let asked = server.asked();
    assert!(asked.contains(&format!("GET {MACHINES}?limit=500")), "{asked:?}");

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("snapshot").display().to_string();
    let output = server.run(&["collect", "--profile", "level-2", "--quiet", "--out", &out]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(of_snapshot(&out)["rules"], expected["rules"]);
    let again = server.run(&["collect", "--out", &out]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("is not empty"), "{}", stderr(&again));
}

#[test]
fn what_the_account_may_not_is_told_and_leaves_its_rules_undecided() {
    let server = Server::start(Odd { forbids: Some(MACHINES), ..Odd::default() });
    let output = server.run(&with(&SCAN, &["--quiet"]));
    let said = stderr(&output);
    assert!(said.contains("    list virtualmachines.kubevirt.io\n"), "{said}");
    assert_eq!(said.matches("    list ").count(), 1, "{said}");
    let report = report(&output);
    let rule = rule(&report, "vm-shareable-disks");
    assert_eq!(rule["result"], "unknown");
    assert!(rule["messages"].to_string().contains("not for you"), "{rule}");

    let server = Server::start(Odd { no_reviews: true, ..Odd::default() });
    let output = server.run(&SCAN);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("what the account may read is not known"), "{}", stderr(&output));
    let output = server.run(&with(&SCAN, &["--quiet"]));
    assert_eq!(stderr(&output), "");
}

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    base.iter().chain(more).copied().collect()
}

/// Waits until all paths but the one that hangs have been answered.
fn until_only_what_hangs_is_left(server: &Server) {
    for _ in 0..600 {
        let asked = server.asked();
        let is_asked = |path: &str| asked.iter().any(|line| line.starts_with(&format!("GET {path}")));
        // The last of the other paths.
        if is_asked(MACHINES) && is_asked("/apis/template.openshift.io/v1/templates") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_secs(2));
}

fn interrupt(scan: &Child) {
    assert!(Command::new("kill").args(["-INT", &scan.id().to_string()]).status().unwrap().success());
}

#[test]
fn an_interrupted_scan_reports_what_it_has() {
    let server = Server::start(Odd { hangs: Some(MACHINES), ..Odd::default() });
    let folder = tempfile::tempdir().unwrap();
    let arf = folder.path().join("arf.xml").display().to_string();
    let html = folder.path().join("report.html").display().to_string();
    let mut command = server.command(&with(&SCAN, &["--arf", &arf, "--html", &html]));
    let scan = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until_only_what_hangs_is_left(&server);
    interrupt(&scan);
    let output = scan.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("interrupted: what has been answered is made use of"),
        "{}",
        stderr(&output)
    );
    let report = report(&output);
    assert_eq!(report["partial"], "the scan was interrupted");
    assert_eq!(rule(&report, "vm-shareable-disks")["result"], "unknown");
    let decided = report["counts"]["pass"].as_u64().unwrap();
    assert!(decided > 5, "{}", report["counts"]);
    assert!(std::fs::read_to_string(arf).unwrap().contains("urn:virtscap:fact:partial"));
    assert!(std::fs::read_to_string(html).unwrap().contains("This scan is partial:"));
}

#[test]
fn a_second_interruption_ends_the_program() {
    let server = Server::start(Odd { hangs: Some(MACHINES), ..Odd::default() });
    let folder = tempfile::tempdir().unwrap();
    // Nobody reads the pipe, so writing to it does not end.
    let pipe = folder.path().join("arf.xml");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = server.command(&with(&SCAN, &["--arf", pipe.to_str().unwrap()]));
    let mut scan = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until_only_what_hangs_is_left(&server);
    interrupt(&scan);
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(scan.try_wait().unwrap(), None, "it writes");
    interrupt(&scan);
    assert_eq!(scan.wait().unwrap().code(), Some(130));
}

#[test]
fn a_deadline_ends_the_asking() {
    let server = Server::start(Odd { hangs: Some(MACHINES), ..Odd::default() });
    let begun = std::time::Instant::now();
    let output = server.run(&["scan", "--profile", "level-2", "--timeout", "4s"]);
    assert!(begun.elapsed() < Duration::from_secs(50));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("This scan is partial: the scan's deadline was over, after 4 s."), "{said}");

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("snapshot").display().to_string();
    let output = server.run(&["collect", "--timeout", "4s", "--out", &out]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains(&format!("not collected: {MACHINES}: the scan's deadline was over")), "{said}");
    let told: Value =
        serde_json::from_slice(&std::fs::read(Path::new(&out).join("virtscap-collection.json")).unwrap())
            .unwrap();
    assert_eq!(told["partial"], "the scan's deadline was over, after 4 s");
    assert_eq!(told["paths"][MACHINES]["outcome"], "missing");
}

#[test]
fn a_cluster_that_cannot_be_asked_is_an_error() {
    let virtscap = |arguments: &[&str], kubeconfig: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_virtscap"));
        let output =
            command.args(arguments).env("KUBECONFIG", kubeconfig).current_dir(project()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        stderr(&output)
    };
    let server = Server::start(Odd::default());
    let kubeconfig = server.kubeconfig.path().to_str().unwrap();
    let cases: [(&[&str], &str, &str); 8] = [
        (&["scan"], "/nowhere", "no cluster: "),
        (&["scan", "--kubeconfig", "README.md"], "", "README.md"),
        (&["scan", "--context", "other"], kubeconfig, "other"),
        (&["scan", "--timeout", "soon"], kubeconfig, "soon"),
        (&["scan", "--timeout", "0s"], kubeconfig, "write a time such as 90s"),
        (
            &["scan", "--snapshot", "tests/snapshots/hardened", "--context", "x"],
            "",
            "--context is for a live cluster",
        ),
        (&["collect", "--as", "me", "--root", "/", "--node", "x"], "", "--as is for a live cluster"),
        (&["scan", "--as-group", "x"], kubeconfig, "--as"),
    ];
    for (arguments, kubeconfig, expected) in cases {
        let said = virtscap(arguments, kubeconfig);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[test]
fn a_role_allows_what_a_scan_asks_for_and_nothing_else() {
    let rbac = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_virtscap"));
        let output = command.arg("rbac").args(arguments).current_dir(project()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let yaml = rbac(&["--profile", "level-2", "--service-account", "audit:scanner", "--nodes"]);
    assert_eq!(rbac(&["--profile", "level-2", "--service-account", "audit:scanner", "--nodes"]), yaml);
    let documents: Vec<Value> = serde_yaml::from_multiple(&yaml).unwrap();
    let kinds: Vec<_> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]);
    let subject = json!([{"kind": "ServiceAccount", "namespace": "audit", "name": "scanner"}]);
    assert_eq!((&documents[1]["subjects"], &documents[3]["subjects"]), (&subject, &subject));
    assert_eq!(documents[3]["metadata"], json!({"name": "virtscap", "namespace": "openshift-cnv"}));
    assert_eq!(
        documents[2]["rules"],
        json!([
            {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]},
        ])
    );
    let in_cluster = documents[0]["rules"].as_array().unwrap();
    let core =
        in_cluster.iter().find(|rule| rule["apiGroups"] == json!([""]) && rule["verbs"] == json!(["list"]));
    for resource in ["nodes", "pods"] {
        let resources = core.unwrap()["resources"].as_array().unwrap();
        assert!(resources.contains(&json!(resource)), "{resources:?}");
    }

    // What a scan and a recording ask for, as the server sees it.
    let documents: Vec<Value> = serde_yaml::from_multiple(&rbac(&["--profile", "level-2"])).unwrap();
    let server = Server::start(Odd::default());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("snapshot").display().to_string();
    server.run(&SCAN);
    server.run(&["collect", "--profile", "level-2", "--out", &out]);
    let asked: BTreeSet<_> = server
        .asked()
        .iter()
        .filter_map(|line| Some(line.strip_prefix("GET ")?.split('?').next()?.to_owned()))
        .collect();
    let mut allowed = BTreeSet::new();
    for rule in documents[0]["rules"].as_array().unwrap() {
        let texts = |key: &str| -> Vec<String> {
            let texts = rule[key].as_array().into_iter().flatten();
            texts.map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        if let [url] = texts("nonResourceURLs").as_slice() {
            assert_eq!(texts("verbs"), ["get"]);
            allowed.insert(url.clone());
        }
        let names = texts("resourceNames");
        assert_eq!(
            texts("verbs").join(",") == "get",
            !names.is_empty() || rule.get("nonResourceURLs").is_some()
        );
        for group in texts("apiGroups") {
            for resource in texts("resources") {
                let group = if group.is_empty() { "api".to_owned() } else { format!("apis/{group}") };
                let of_resource = |path: &&String| {
                    path[1..]
                        .strip_prefix(&group)
                        .is_some_and(|rest| rest.split('/').nth(2) == Some(&resource))
                };
                let paths: Vec<_> = asked.iter().filter(of_resource).collect();
                assert!(!paths.is_empty(), "{group} {resource} is allowed, and nothing asks for it");
                let by_name =
                    |path: &String| names.iter().any(|name| path.ends_with(&format!("/{resource}/{name}")));
                let matching = |path: &&&String| {
                    if names.is_empty() { path.ends_with(&resource) } else { by_name(path) }
                };
                allowed.extend(paths.iter().filter(matching).map(|path| (*path).clone()));
            }
        }
    }
    assert_eq!(allowed, asked);

    let by_user = rbac(&["--user", "jane", "--name", "mine"]);
    assert!(by_user.contains("kind: User\n  name: jane\n"), "{by_user}");
    assert!(by_user.contains("name: mine\n"), "{by_user}");
    assert!(rbac(&["--group", "auditors"]).contains("kind: Group\n  name: auditors\n"));
}
