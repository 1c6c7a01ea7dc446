//! The API server that other tests scan does what they count on: it pages, refuses, knows what is not installed, and runs
//! commands on nodes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use virtscap_tests::apiserver::{ApiServer, Request, Server, Start};
use virtscap_tests::project;

const VMS: usize = 3000;
const VIRT_HANDLER: [&str; 3] = ["openshift-cnv", "virt-handler-worker-0", "virt-handler"];

const OBJECTS: &str = r#"
apiVersion: hco.kubevirt.io/v1beta1
kind: HyperConverged
metadata: {name: kubevirt-hyperconverged, namespace: openshift-cnv}
spec: {featureGates: {downwardMetrics: false}}
status: {versions: [{name: operator, version: 4.19.3}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reads-vms, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{apiGroups: [kubevirt.io], resources: [virtualmachines], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: scanner}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: scanner}]
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Node
  metadata: {name: control-0}
  status: {conditions: [{type: Ready, status: "False"}]}
"#;

/// One server for all tests here: a start takes seconds.
struct Fixture {
    server: Server,
    /// The files that it was started with, and the node's.
    folder: TempDir,
}

static PROGRAM: LazyLock<Option<ApiServer>> =
    LazyLock::new(|| ApiServer::build(Path::new(env!("CARGO_TARGET_TMPDIR"))));

static FIXTURE: LazyLock<Option<Fixture>> = LazyLock::new(|| {
    let program = PROGRAM.as_ref()?;
    let folder = tempfile::tempdir().unwrap();
    let (objects, node) = (folder.path().join("objects.yaml"), folder.path().join("worker-0"));
    std::fs::write(&objects, OBJECTS).unwrap();
    std::fs::create_dir_all(node.join("etc")).unwrap();
    std::fs::write(node.join("etc/hostname"), "worker-0.example\n").unwrap();
    let server = program.start(&Start {
        without: vec![
            "virtualmachinepools.pool.kubevirt.io".into(),
            "hyperconvergeds.hco.kubevirt.io/v1".into(),
        ],
        vms: VMS,
        apply: vec![objects],
        nodes: vec![("worker-0".into(), node)],
        ..Start::default()
    });
    Some(Fixture { server, folder })
});

fn get(fixture: &Fixture, user: &str, path: &str) -> (u16, Value) {
    fixture.server.get(user, &[path]).pop().unwrap()
}

fn items(answer: &Value) -> &Vec<Value> {
    answer["items"].as_array().unwrap()
}

#[test]
fn lists_come_in_pages() {
    let Some(fixture) = &*FIXTURE else { return };
    let (mut names, mut pages, mut token) = (BTreeSet::new(), 0, String::new());
    loop {
        let path = format!("/apis/kubevirt.io/v1/virtualmachines?limit=500&continue={token}");
        let (status, body) = get(fixture, "admin", &path);
        assert_eq!(status, 200, "{body}");
        pages += 1;
        for vm in items(&body) {
            names.insert(format!("{}/{}", vm["metadata"]["namespace"], vm["metadata"]["name"]));
            let bytes = vm.to_string().len();
            assert!((4000..4500).contains(&bytes), "{bytes} bytes");
        }
        token = body["metadata"]["continue"].as_str().unwrap_or_default().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!((names.len(), pages), (VMS, VMS / 500));
}

#[test]
fn users_may_do_what_bindings_let_them() {
    let Some(fixture) = &*FIXTURE else { return };
    let path = "/apis/kubevirt.io/v1/virtualmachines?limit=1";
    let (status, body) = get(fixture, "limited", path);
    assert_eq!((status, body["reason"].as_str()), (403, Some("Forbidden")), "{body}");
    // The role `view` has this by aggregation alone.
    assert_eq!(get(fixture, "scanner", path).0, 200);
    assert_eq!(get(fixture, "scanner", "/api/v1/nodes").0, 403);
    let requests = fixture.server.requests("limited");
    let expected = Request { verb: "list".into(), uri: path.into(), code: 403 };
    assert!(requests.contains(&expected), "{requests:?}");
}

#[test]
fn what_is_not_installed_is_not_found() {
    let Some(fixture) = &*FIXTURE else { return };
    for path in
        ["/apis/pool.kubevirt.io/v1beta1/virtualmachinepools", "/apis/hco.kubevirt.io/v1/hyperconvergeds"]
    {
        assert_eq!(get(fixture, "admin", path).0, 404, "{path}");
    }
}

#[test]
fn objects_have_their_status() {
    let Some(fixture) = &*FIXTURE else { return };
    let (_, hco) = get(fixture, "admin", "/apis/hco.kubevirt.io/v1beta1/hyperconvergeds");
    assert_eq!(items(&hco)[0]["status"]["versions"][0]["version"], "4.19.3");
    let (_, node) = get(fixture, "admin", "/api/v1/nodes/control-0");
    assert_eq!(node["status"]["conditions"][0]["status"], "False");
    let (_, pods) = get(fixture, "admin", "/api/v1/pods?labelSelector=kubevirt.io%3Dvirt-handler");
    let pod = &items(&pods)[0];
    assert_eq!(
        (pod["spec"]["nodeName"].as_str(), pod["status"]["phase"].as_str()),
        (Some("worker-0"), Some("Running"))
    );
}

#[test]
fn objects_can_be_replaced() {
    let Some(fixture) = &*FIXTURE else { return };
    let file = fixture.folder.path().join("changed.yaml");
    let changed = "{apiVersion: v1, kind: Node, metadata: {name: control-0, labels: {new: 'yes'}}, status: {conditions: [{type: Ready, status: 'False'}]}}";
    std::fs::write(&file, changed).unwrap();
    fixture.server.apply(&[&file]);
    let (_, node) = get(fixture, "admin", "/api/v1/nodes/control-0");
    assert_eq!(node["metadata"]["labels"]["new"], "yes");
}

#[test]
fn commands_see_the_files_of_a_node() {
    let Some(fixture) = &*FIXTURE else { return };
    let script = "cat /proc/1/root/etc/hostname; stat -c %a /proc/1/root/etc/hostname; echo said >&2; exit 3";
    for flags in [&[][..], &["--spdy"]] {
        let done = fixture.server.exec("admin", VIRT_HANDLER, flags, &["sh", "-c", script]);
        assert_eq!(
            (done.stdout.as_str(), done.stderr.as_str(), done.exit),
            ("worker-0.example\n644\n", "said\n", Some(3)),
            "{flags:?}: {done:?}"
        );
    }
    let refused = fixture.server.exec("limited", VIRT_HANDLER, &[], &["true"]);
    assert!(refused.exit.is_none() && refused.error.unwrap().contains("forbidden"));
    let elsewhere = fixture.server.exec("admin", [VIRT_HANDLER[0], VIRT_HANDLER[1], "other"], &[], &["true"]);
    assert!(elsewhere.exit.is_none() && elsewhere.error.is_some());
}

/// Every path that a rule reads is one that the server can have, and the snapshots can be loaded.
#[test]
fn the_server_has_what_rules_read_and_ends_with_its_test() {
    let Some(program) = &*PROGRAM else { return };
    let text = std::fs::read_to_string(project().join("build/api-resources.yaml")).unwrap();
    let paths: BTreeSet<_> = text.lines().filter_map(|line| line.trim().strip_prefix("path: ")).collect();
    assert!(paths.len() > 20, "{paths:?}");
    let snapshot = project().join("tests/snapshots/neglected");
    let server = program
        .start(&Start { apply: vec![snapshot.join("api"), snapshot.join("apis")], ..Start::default() });
    let paths: Vec<_> = paths.into_iter().collect();
    for (path, (status, body)) in paths.iter().zip(server.get("admin", &paths)) {
        assert_eq!(status, 200, "{path}: {body}");
        let there = snapshot.join(format!("{}.json", path.trim_start_matches('/')));
        let expected: Value = serde_json::from_slice(&std::fs::read(&there).unwrap()).unwrap();
        if let Some(expected) = expected["items"].as_array() {
            let names = |items: &[Value]| -> BTreeSet<String> {
                items.iter().map(|item| item["metadata"]["name"].to_string()).collect()
            };
            assert!(names(items(&body)).is_superset(&names(expected)), "{path}");
        }
    }
    let folder = server.place.log.parent().unwrap().to_owned();
    let begin = Instant::now();
    drop(server);
    assert!(!folder.exists());
    assert!(begin.elapsed() < Duration::from_secs(10));
}
