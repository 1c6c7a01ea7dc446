//! A made API server, scanned and recorded: what a recording holds, and that it scans as the cluster does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use virtscap_evaluator::collect::Endpoint;
use virtscap_evaluator::content::Content;
use virtscap_evaluator::record::{self, COLLECTION_FILE, Collection, Outcome, REDACTED, RecordError, record};
use virtscap_evaluator::report::{Report, arf, html, read, text};
use virtscap_evaluator::scan::{Prepared, Request as ScanRequest, scan};
use virtscap_evaluator::source::Snapshot;
use virtscap_evaluator::source::cluster::{ClusterSource, Connection, Stop};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn content() -> Content {
    Content::from_xml(std::fs::read_to_string(project().join("build/ssg-ocp-virt-ds.xml")).unwrap()).unwrap()
}

fn failure(code: u16) -> (u16, Value) {
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "made"}),
    )
}

/// A cluster whose answers a function gives, by path; its lists come in pages of this many objects.
fn cluster(page: usize, answer: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static) -> Connection {
    let answer = Arc::new(answer);
    let service = tower::service_fn(move |request: Request<Body>| {
        let answer = Arc::clone(&answer);
        async move {
            let uri = request.uri();
            let query = uri.query().unwrap_or_default();
            let (code, mut body) = answer(uri.path());
            if body["forever"] == true {
                std::future::pending::<()>().await;
            }
            if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
                let start: usize =
                    query.split_once("continue=").map_or(0, |(_, token)| token.parse().unwrap());
                let end = items.len().min(start + page);
                let rest = items.len() - end;
                *items = items[start..end].to_vec();
                if rest > 0 {
                    body["metadata"]["continue"] = json!(end.to_string());
                    body["metadata"]["remainingItemCount"] = json!(rest);
                }
            }
            let response = Response::builder().status(code).header("content-type", "application/json");
            response.body(Body::from(body.to_string().into_bytes()))
        }
    });
    Connection::of_client(|| Client::new(service, "default"), "https://cluster.example").unwrap()
}

/// A cluster that answers what a snapshot of the tests holds, and 404 otherwise.
fn neglected(page: usize) -> Connection {
    cluster(page, |path| {
        let file = project().join("tests/snapshots/neglected").join(format!("{}.json", &path[1..]));
        match std::fs::read(file) {
            Ok(bytes) => {
                let answer: Value = serde_json::from_slice(&bytes).unwrap();
                // A snapshot holds refusals as they were answered.
                let code = answer["code"].as_u64().filter(|_| answer["kind"] == "Status").unwrap_or(200);
                (u16::try_from(code).unwrap(), answer)
            }
            Err(_) => failure(404),
        }
    })
}

fn source(connection: &Connection, stop: Stop) -> ClusterSource<'_> {
    ClusterSource::new(connection, Arc::new(stop), Arc::new(()))
}

/// What a report says of the rules, without where and when.
fn rules(report: &Report) -> Value {
    serde_json::to_value(&report.rules).unwrap()
}

#[test]
fn a_recording_scans_as_the_cluster_does() {
    let content = content();
    let request = ScanRequest { content: &content, tailoring: None, profile: Some("level-2") };
    let expected =
        scan(&request, &Snapshot::open(&project().join("tests/snapshots/neglected")).unwrap()).unwrap();
    assert!(expected.report.counts["fail"] > 10);

    let whole = neglected(usize::MAX);
    let live = scan(&request, &source(&whole, Stop::new(None))).unwrap();
    assert_eq!(rules(&live.report), rules(&expected.report));
    assert_eq!(live.report.source.kind, "cluster");
    assert_eq!(live.report.source.location, "https://cluster.example");
    assert_eq!(live.report.partial, None);

    let paged = neglected(2);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("new/snapshot");
    let paths = record::paths(&Prepared::new(&request).unwrap().endpoints());
    let collection = record(&source(&paged, Stop::new(None)), &paths, &folder).unwrap();
    let recorded = scan(&request, &Snapshot::open(&folder).unwrap()).unwrap();
    assert_eq!(rules(&recorded.report), rules(&expected.report));
    assert_eq!(collection.partial, None);
    let version: Value =
        serde_json::from_slice(&std::fs::read(folder.join("version.json")).unwrap()).unwrap();
    assert_eq!(collection.server_version.as_deref(), version["gitVersion"].as_str());
    let machines = "/apis/kubevirt.io/v1/virtualmachines";
    let original = project().join(format!("tests/snapshots/neglected{machines}.json"));
    let original: Value = serde_json::from_slice(&std::fs::read(original).unwrap()).unwrap();
    let written: Value =
        serde_json::from_slice(&std::fs::read(folder.join(format!("{}.json", &machines[1..]))).unwrap())
            .unwrap();
    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&written), names(&original));
    assert_eq!(written["kind"], "VirtualMachineList");
    assert_eq!(written["metadata"].get("continue"), None);
    assert_eq!(collection.paths[machines], Outcome::Collected { objects: names(&original).len() as u64 });
}

/// Records these paths of a cluster.
fn recorded(
    connection: &Connection,
    paths: &[&str],
    stop: Stop,
) -> (tempfile::TempDir, Result<Collection, RecordError>) {
    let endpoints: Vec<_> = paths
        .iter()
        .map(|path| Endpoint {
            path: (*path).to_owned(),
            filter: None,
            dump: format!("/kubernetes-api-resources{path}"),
            refused: None,
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let collection =
        record(&source(connection, stop), &record::paths(&endpoints), &folder.path().join("snapshot"));
    (folder, collection)
}

fn all_below(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                files.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    files
}

#[test]
fn refusals_are_kept_and_secrets_are_not_even_asked_for() {
    let connection = cluster(500, |path| {
        assert!(!path.contains("secrets") && !path.contains("token"), "{path} was asked for");
        match path {
            "/version" => (200, json!({"gitVersion": "v1.33.1"})),
            "/api/v1/pods" => failure(403),
            "/api/v1/nodes" => failure(409),
            "/api/v1/namespaces" => (200, json!({"kind": "NamespaceList", "items": [1]})),
            "/apis/kubevirt.io/v1/virtualmachines" => (
                200,
                json!({"kind": "VirtualMachineList", "metadata": {}, "items": [{
                    "metadata": {"name": "vm", "managedFields": [{}]},
                    "spec": {"volumes": [{"cloudInitNoCloud": {"userData": "hunter2"}}]},
                }]}),
            ),
            _ => failure(404),
        }
    });
    let asked = [
        "/api/v1/pods",
        "/api/v1/nodes",
        "/api/v1/namespaces",
        "/apis/kubevirt.io/v1/virtualmachines",
        "/api/v1/secrets",
        "/api/v1/namespaces/a/serviceaccounts/b/token",
        "/apis/a.io/v1/x?labelSelector=a",
        "/apis/a.io/v1/x",
        "/api/../x",
    ];
    let (folder, collection) = recorded(&connection, &asked, Stop::new(None));
    let collection = collection.unwrap();
    let outcome = |path: &str| match &collection.paths[path] {
        Outcome::Collected { objects } => format!("collected {objects}"),
        Outcome::Refused { code, .. } => format!("refused {code}"),
        Outcome::Missing { reason } => format!("missing: {reason}"),
    };
    assert_eq!(outcome("/api/v1/pods"), "refused 403");
    assert_eq!(outcome("/apis/config.openshift.io/v1/networks/cluster"), "refused 404");
    assert_eq!(outcome("/apis/kubevirt.io/v1/virtualmachines"), "collected 1");
    assert_eq!(outcome("/version"), "collected 1");
    for (path, part) in [
        ("/api/v1/nodes", "409"),
        ("/api/v1/namespaces", "no list"),
        ("/api/v1/secrets", "never collected"),
        ("/api/v1/namespaces/a/serviceaccounts/b/token", "never collected"),
        ("/apis/a.io/v1/x", "several"),
        ("/apis/a.io/v1/x?labelSelector=a", "several"),
        ("/api/../x", "not an API path"),
    ] {
        let outcome = outcome(path);
        assert!(outcome.starts_with("missing: ") && outcome.contains(part), "{path}: {outcome}");
    }

    let files = all_below(&folder.path().join("snapshot"));
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let expected = [
        "api/v1/pods.json",
        "apis/config.openshift.io/v1/clusteroperators/openshift-apiserver.json",
        "apis/config.openshift.io/v1/infrastructures/cluster.json",
        "apis/config.openshift.io/v1/networks/cluster.json",
        "apis/kubevirt.io/v1/virtualmachines.json",
        "version.json",
        COLLECTION_FILE,
    ];
    assert_eq!(names, expected);
    let status: Value = serde_json::from_str(&files["api/v1/pods.json"]).unwrap();
    assert_eq!(
        (&status["kind"], &status["code"], &status["message"]),
        (&json!("Status"), &json!(403), &json!("made"))
    );
    let machines: Value = serde_json::from_str(&files["apis/kubevirt.io/v1/virtualmachines.json"]).unwrap();
    assert_eq!(machines["items"][0]["spec"]["volumes"][0]["cloudInitNoCloud"]["userData"], REDACTED);
    assert_eq!(machines["items"][0]["metadata"], json!({"name": "vm"}));
    assert!(files.values().all(|text| !text.contains("hunter2")));
    let told: Value = serde_json::from_str(&files[COLLECTION_FILE]).unwrap();
    assert_eq!(told["server_version"], "v1.33.1");
    assert_eq!(told["cluster"], "https://cluster.example");
    assert_eq!(told["paths"]["/api/v1/pods"]["code"], 403);
    assert!(told["paths"]["/api/v1/nodes"]["reason"].as_str().unwrap().contains("made"));
    assert_eq!(told.get("partial"), None);
}

#[test]
fn nothing_is_written_where_nothing_was_answered() {
    let connection = cluster(500, |_| failure(401));
    let (folder, collection) = recorded(&connection, &["/api/v1/pods"], Stop::new(None));
    let error = collection.unwrap_err();
    assert!(matches!(error, RecordError::Nothing { .. }), "{error}");
    assert!(error.to_string().contains("401"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn what_the_deadline_cuts_off_makes_the_results_partial() {
    let connection = || {
        cluster(500, |path| match path {
            "/apis/kubevirt.io/v1/virtualmachines" => (200, json!({"forever": true})),
            _ => (200, json!({"kind": "List", "metadata": {}, "items": []})),
        })
    };
    let content = content();
    let request = ScanRequest { content: &content, tailoring: None, profile: Some("level-2") };
    let deadline = || Stop::new(Some(Duration::from_secs(2)));
    let of_scan = connection();
    let scan = scan(&request, &source(&of_scan, deadline())).unwrap();
    let reason = "the scan's deadline was over, after 2 s";
    assert_eq!(scan.report.partial.as_deref(), Some(reason));
    assert!(!scan.report.passed);
    let shareable = scan.report.rules.iter().find(|rule| rule.id == "vm-shareable-disks").unwrap();
    assert_eq!(shareable.result.as_str(), "unknown");
    assert!(shareable.messages.iter().any(|message| message.text.contains(reason)), "{shareable:?}");
    let said = text::render(&scan.report, false);
    assert!(said.contains(&format!("This scan is partial: {reason}.")), "{said}");
    let page = html::render(&scan.report, &scan.texts).unwrap();
    assert!(page.contains("This scan is partial:"), "{page}");
    let arf = arf::asset_report(&scan).unwrap();
    assert!(arf.contains("urn:virtscap:fact:partial"));
    let (again, _) = read::read(&arf, None).unwrap();
    assert_eq!(again.partial.as_deref(), Some(reason));
    assert!(!again.passed);

    let of_record = connection();
    let machines = "/apis/kubevirt.io/v1/virtualmachines";
    let (folder, collection) = recorded(&of_record, &[machines, "/api/v1/pods"], deadline());
    let collection = collection.unwrap();
    assert_eq!(collection.partial.as_deref(), Some(reason));
    assert!(matches!(&collection.paths[machines], Outcome::Missing { reason: why } if why == reason));
    assert!(folder.path().join("snapshot/api/v1/pods.json").is_file());
    assert!(!folder.path().join("snapshot/apis/kubevirt.io").join("v1/virtualmachines.json").exists());
}
