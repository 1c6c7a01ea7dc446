//! The nodes of a real API server, by way of `pods/exec`, give what their roots give.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use virtscap_evaluator::nodes::{NodeOutcome, Target, record_nodes, scan_nodes};
use virtscap_evaluator::scan::{Prepared, Request, scan_node};
use virtscap_evaluator::source::cluster::{
    Access, ClusterSource, Connection, NODE_ROOT, NodesError, Stop, nodes,
};
use virtscap_evaluator::source::remote::{Executor, Limits};
use virtscap_evaluator::source::{HostRoot, RecordedNode};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::apiserver::{ApiServer, Server, Start};
use virtscap_tests::{IN_MEMORY, node, project};

/// A node without a pod; who may list and run commands, and who may only list.
const OBJECTS: &str = r#"
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: control-0}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: lists}
  rules: [{apiGroups: [""], resources: [nodes, pods], verbs: [list]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: runs}
  rules: [{apiGroups: [""], resources: [pods/exec], verbs: [get, create]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: lists}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: lists}
  subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: scanner}, {kind: User, apiGroup: rbac.authorization.k8s.io, name: limited}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: runs, namespace: openshift-cnv}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: runs}
  subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: scanner}]
"#;

const NODES: [(&str, &str); 2] = [("worker-0", "hardened"), ("worker-1", "neglected")];

fn request() -> Request<'static> {
    Request { content: &IN_MEMORY, tailoring: None, profile: Some("level-2-node") }
}

fn root(folder: &TempDir, node: &str) -> std::path::PathBuf {
    folder.path().join(node)
}

fn start() -> Option<(Server, TempDir)> {
    let program = ApiServer::build(Path::new(env!("CARGO_TARGET_TMPDIR")))?;
    let folder = tempfile::tempdir().unwrap();
    let objects = folder.path().join("objects.yaml");
    std::fs::write(&objects, OBJECTS).unwrap();
    for (name, recorded) in NODES {
        std::fs::create_dir(root(&folder, name)).unwrap();
        let recorded = RecordedNode::open(&project().join("tests/nodes").join(recorded)).unwrap();
        if !node::write_recorded(&recorded, &root(&folder, name)) {
            return None;
        }
    }
    let nodes = NODES.map(|(name, _)| (name.to_owned(), root(&folder, name)));
    let server = program.start(&Start { apply: vec![objects], nodes: nodes.into(), ..Start::default() });
    Some((server, folder))
}

fn connection(server: &Server, user: &str) -> Connection {
    let kubeconfig = Some(server.place.kubeconfig.clone());
    Connection::new(&Access { kubeconfig, context: Some(user.to_owned()), ..Access::default() }).unwrap()
}

fn scan(server: &Server, user: &str, selector: Option<&str>) -> Result<Vec<NodeOutcome>, NodesError> {
    let connection = connection(server, user);
    let request = request();
    let prepared = Prepared::new(&request).unwrap();
    let source = ClusterSource::new(&connection, Arc::new(Stop::new(None)), Arc::new(()));
    let nodes = nodes(&source, selector)?;
    let targets: Vec<_> = nodes
        .iter()
        .map(|node| Target {
            name: &node.name,
            executor: node.handler.as_ref().map(|pod| pod as &dyn Executor).map_err(String::as_str),
        })
        .collect();
    Ok(scan_nodes(&prepared, &targets, NODE_ROOT, Limits::default(), &|_, _| {}))
}

#[test]
fn nodes_of_a_cluster_give_what_their_roots_give() {
    let Some((server, folder)) = start() else { return };
    let outcomes = scan(&server, "scanner", None).unwrap();
    let names: Vec<_> = outcomes.iter().map(|outcome| outcome.name.as_str()).collect();
    assert_eq!(names, ["control-0", "worker-0", "worker-1"]);
    for outcome in &outcomes[1..] {
        assert_eq!(outcome.trouble, None);
        let source = HostRoot::open(&root(&folder, &outcome.name)).unwrap();
        let expected = scan_node(&request(), &source).unwrap().report;
        assert_eq!(outcome.report.rules, expected.rules, "{}", outcome.name);
        assert_eq!(outcome.report.passed, outcome.name == "worker-0");
    }
    let none = |outcome: &NodeOutcome, said: &str| {
        let trouble = outcome.trouble.as_deref().unwrap_or_default();
        assert!(trouble.contains(said), "{}: {trouble}", outcome.name);
        let rules = &outcome.report.rules;
        assert!(
            !rules.is_empty() && rules.iter().all(|rule| rule.result == XccdfResult::Unknown),
            "{rules:#?}"
        );
    };
    none(&outcomes[0], "no virt-handler pod runs on it");

    let selected =
        scan(&server, "scanner", Some("node-role.kubernetes.io/worker,kubernetes.io/hostname!=x")).unwrap();
    assert_eq!(selected.len(), 2);
    let error = scan(&server, "scanner", Some("no=such")).unwrap_err();
    assert!(error.to_string().contains("no nodes with the labels no=such"), "{error}");

    let outcomes = scan(&server, "limited", None).unwrap();
    outcomes[1..]
        .iter()
        .for_each(|outcome| none(outcome, "get and create on pods/exec in the namespace openshift-cnv"));
    let error = scan(&server, "nobody", None).err().unwrap();
    let error = error.to_string();
    assert!(
        error.contains("nodes cannot be listed") && error.contains("needs the verb list on nodes"),
        "{error}"
    );
    let error = scan(&server, "scanner", Some("a in")).err().unwrap().to_string();
    assert!(error.contains("nodes cannot be listed: the API server answered 400"), "{error}");

    let connection = connection(&server, "scanner");
    let stop = Arc::new(Stop::new(None));
    let source = ClusterSource::new(&connection, Arc::clone(&stop), Arc::new(()));
    let found = nodes(&source, None).unwrap();
    stop.interrupt();
    let request = request();
    let prepared = Prepared::new(&request).unwrap();
    let pod = found[1].handler.as_ref().unwrap();
    let target = Target { name: "worker-0", executor: Ok(pod) };
    let (nothing, trouble) =
        record_nodes(&prepared, std::slice::from_ref(&target), NODE_ROOT, Limits::default(), &|_, _| {})
            .pop()
            .unwrap();
    assert!(nothing.iter().next().is_none() && trouble.is_some(), "{trouble:?}");
    let outcome = scan_nodes(&prepared, &[target], NODE_ROOT, Limits::default(), &|_, _| {}).pop().unwrap();
    none(&outcome, "the scan was interrupted");
}

#[test]
fn recorded_nodes_give_what_their_roots_give() {
    let Some((server, folder)) = start() else { return };
    let connection = connection(&server, "scanner");
    let request = request();
    let prepared = Prepared::new(&request).unwrap();
    let source = ClusterSource::new(&connection, Arc::new(Stop::new(None)), Arc::new(()));
    let nodes = nodes(&source, None).unwrap();
    let targets: Vec<_> = nodes[1..]
        .iter()
        .map(|node| Target {
            name: &node.name,
            executor: Ok(node.handler.as_ref().unwrap() as &dyn Executor),
        })
        .collect();
    let recorded = record_nodes(&prepared, &targets, NODE_ROOT, Limits::default(), &|_, _| {});
    assert_eq!(recorded.len(), 2);
    for (node, trouble) in recorded {
        assert_eq!(trouble, None);
        let kept = folder.path().join("recorded").join(node.name());
        node.write_to(&kept).unwrap();
        let source = HostRoot::open(&root(&folder, node.name())).unwrap();
        let expected = scan_node(&request, &source).unwrap().report;
        let found = scan_node(&request, &RecordedNode::open(&kept).unwrap()).unwrap().report;
        assert_eq!(found.rules, expected.rules, "{}", node.name());
    }
}
