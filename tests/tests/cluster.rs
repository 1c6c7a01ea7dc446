//! A real API server with thousands of objects: pages, refusals, resources that are not served, and the memory that a scan takes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use virtscap_evaluator::record;
use virtscap_evaluator::scan::{Prepared, Request, scan};
use virtscap_evaluator::source::Snapshot;
use virtscap_evaluator::source::cluster::{Access, ClusterSource, Connection, Stop};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::apiserver::{ApiServer, Server, Start};
use virtscap_tests::{IN_MEMORY, project, say};

/// Who may read everything, and who may read all but roles and virtual machines.
const ACCESS: &str = r#"
apiVersion: v1
kind: List
items:
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: reads-all}
  rules: [{apiGroups: ["*"], resources: ["*"], verbs: [get, list]}, {nonResourceURLs: ["/version"], verbs: [get]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: reads-all}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reads-all}
  subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: scanner}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRole
  metadata: {name: reads-some}
  rules: [{apiGroups: [hco.kubevirt.io, cdi.kubevirt.io], resources: ["*"], verbs: [get, list]}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: reads-some}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reads-some}
  subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: limited}]
"#;

fn request() -> Request<'static> {
    Request { content: &IN_MEMORY, tailoring: None, profile: Some("level-2") }
}

fn start(program: &ApiServer, without: &[&str], vms: usize) -> Server {
    let access = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(access.path(), ACCESS).unwrap();
    let snapshot = project().join("tests/snapshots/neglected");
    let mut apply = vec![access.path().to_owned()];
    // Objects of what is not served cannot be made.
    if without.is_empty() {
        apply.extend([snapshot.join("api"), snapshot.join("apis")]);
    }
    program.start(&Start {
        without: without.iter().map(|&name| name.to_owned()).collect(),
        vms,
        apply,
        ..Start::default()
    })
}

fn connection(server: &Server, user: &str) -> Connection {
    let access = Access {
        kubeconfig: Some(server.place.kubeconfig.clone()),
        context: Some(user.to_owned()),
        ..Access::default()
    };
    Connection::new(&access).unwrap()
}

fn source(connection: &Connection) -> ClusterSource<'_> {
    ClusterSource::new(connection, Arc::new(Stop::new(None)), Arc::new(()))
}

type Verdicts = BTreeMap<String, (XccdfResult, Vec<String>)>;

fn verdicts(scan: &virtscap_evaluator::scan::Scan<'_>) -> Verdicts {
    let results = scan.test_result.rule_results.iter();
    let selected = results.filter(|result| result.result != XccdfResult::NotSelected);
    selected
        .map(|result| (result.rule.short_name().to_owned(), (result.result, result.offenders.clone())))
        .collect()
}

/// The highest resident set since the last call, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    kib >> 10
}

#[test]
fn a_cluster_is_read_page_by_page() {
    let Some(program) = ApiServer::build(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
    let server = start(&program, &[], 2_300);
    let connection = connection(&server, "scanner");
    let live = verdicts(&scan(&request(), &source(&connection)).unwrap());

    // What the neglected cluster has offends here too, and thousands of machines beside it do not.
    let snapshot = Snapshot::open(&project().join("tests/snapshots/neglected")).unwrap();
    let planted = verdicts(&scan(&request(), &snapshot).unwrap());
    let about_machines = |rule: &&String| rule.starts_with("vm-");
    assert!(planted.keys().filter(about_machines).count() >= 3);
    for rule in planted.keys().filter(about_machines) {
        assert_eq!(live[rule], planted[rule], "{rule}");
    }

    let asked = server.requests("scanner");
    let pages: Vec<_> =
        asked.iter().filter(|request| request.uri.contains("/virtualmachines?")).map(|r| &r.uri).collect();
    assert!(pages.len() >= 5 && pages[1..].iter().all(|uri| uri.contains("continue=")), "{pages:?}");

    // A recording of the cluster gives what the cluster gave.
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("snapshot");
    let paths = record::paths(&Prepared::new(&request()).unwrap().endpoints());
    record::record(&source(&connection), &paths, &folder).unwrap();
    let recorded = verdicts(&scan(&request(), &Snapshot::open(&folder).unwrap()).unwrap());
    assert_eq!(recorded, live);
    say(&format!(
        "API server: {} pages of virtual machines, {} rules as from the recording",
        pages.len(),
        live.len()
    ));
}

#[test]
fn what_is_refused_passes_nothing() {
    let Some(program) = ApiServer::build(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
    let server = start(&program, &[], 10);
    let all = connection(&server, "scanner");
    let all = verdicts(&scan(&request(), &source(&all)).unwrap());
    for user in ["limited", "nobody"] {
        let connection = connection(&server, user);
        let request = request();
        let scanned = scan(&request, &source(&connection)).unwrap();
        for result in &scanned.test_result.rule_results {
            let rule = result.rule.short_name();
            let Some((full, _)) = all.get(rule) else { continue };
            match result.result {
                // What this user may read is decided as for who may read all. CDI lets everybody read its configuration.
                XccdfResult::Pass | XccdfResult::Fail => assert_eq!(result.result, *full, "{user}: {rule}"),
                XccdfResult::Unknown => {
                    let said = result.messages.iter().any(|message| message.text.contains("403"));
                    assert!(said, "{user}: {rule}: {:?}", result.messages);
                }
                other => panic!("{user}: {rule} is {other:?}"),
            }
        }
        let unknown = scanned.report.counts.get("unknown").copied().unwrap_or_default();
        assert!(unknown > 10, "{user}: {:?}", scanned.report.counts);
    }

    // Who acts for another may what the other may.
    let as_jane = |group: &str| {
        let access = Access {
            kubeconfig: Some(server.place.kubeconfig.clone()),
            context: Some("admin".to_owned()),
            user: Some("jane".to_owned()),
            groups: vec![group.to_owned()],
        };
        verdicts(&scan(&request(), &source(&Connection::new(&access).unwrap())).unwrap())
    };
    assert_eq!(as_jane("system:masters"), all);
    let nobody = connection(&server, "nobody");
    assert_eq!(as_jane("guests"), verdicts(&scan(&request(), &source(&nobody)).unwrap()));
}

#[test]
fn what_is_not_served_is_told_from_what_is_refused() {
    let Some(program) = ApiServer::build(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
    let server = start(&program, &["hyperconvergeds.hco.kubevirt.io"], 0);
    let asking = connection(&server, "scanner");
    let absent = verdicts(&scan(&request(), &source(&asking)).unwrap());
    assert!(absent.values().all(|(result, _)| *result == XccdfResult::NotApplicable), "{absent:?}");
    // Who may not ask does not know whether the product is there.
    let refused = connection(&server, "nobody");
    let refused = verdicts(&scan(&request(), &source(&refused)).unwrap());
    assert!(refused.values().all(|(result, _)| *result != XccdfResult::Pass), "{refused:?}");
}

/// Run alone: memory is the whole process's.
#[test]
#[ignore = "alone: cargo test -p virtscap-tests --test cluster -- --ignored"]
fn memory_follows_the_page() {
    let Some(program) = ApiServer::build(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
    let mut peaks = Vec::new();
    for vms in [1_000, 10_000] {
        let server = start(&program, &[], vms);
        let connection = connection(&server, "scanner");
        // Once for what is made once.
        scan(&request(), &source(&connection)).unwrap();
        peak();
        scan(&request(), &source(&connection)).unwrap();
        peaks.push(peak());
    }
    say(&format!("peak memory of a scan of 1,000 and of 10,000 machines: {peaks:?} MiB"));
    assert!(peaks[1] < peaks[0] + 24, "{peaks:?}");
}
