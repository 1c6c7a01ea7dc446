//! `virtscap scan` and `virtscap collect` on the files of a node.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::Command;

use assert_cmd::assert::{Assert, OutputAssertExt as _};

/// A benchmark with a rule on modes, one on lines, one on what must not be there, and one on the API.
const DATA_STREAM: &str = include_str!("node-ds.xml");

fn virtscap(folder: &Path, arguments: &[&str]) -> Assert {
    Command::new(env!("CARGO_BIN_EXE_virtscap"))
        .args(arguments)
        .current_dir(folder)
        .env("SOURCE_DATE_EPOCH", "1780000000")
        // Where nothing else is named, the cluster of whoever runs the tests would be scanned.
        .env("KUBECONFIG", "/nonexistent")
        .assert()
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

/// A folder that holds the data stream and the root of a node.
fn node() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("ds.xml", DATA_STREAM);
    write("host/etc/hostname", "worker-0\n");
    write("host/run/kubevirt-private/x", "");
    write("host/sys/vulnerabilities/mds", "Vulnerable\n");
    write("host/sys/vulnerabilities/meltdown", "Not affected\n");
    write("host/modules/100/virt_launcher/cil", "");
    std::fs::create_dir_all(folder.path().join("host/var")).unwrap();
    std::os::unix::fs::symlink("../run", folder.path().join("host/var/run")).unwrap();
    folder
}

const PROFILE: [&str; 4] = ["--datastream", "ds.xml", "--profile", "node"];

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    base.iter().chain(&PROFILE).chain(more).copied().collect()
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let said = virtscap(folder, &with(arguments, &["--json", "-"])).code(2);
    serde_json::from_slice(&said.get_output().stdout).unwrap()
}

fn results(report: &serde_json::Value) -> Vec<(String, String)> {
    let rules = report["rules"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    rules.map(|rule| (text(&rule["id"]), text(&rule["result"]))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(rule, result)| ((*rule).to_owned(), (*result).to_owned())).collect()
}

#[test]
fn a_root_and_its_recording_give_the_same() {
    let folder = node();
    let mut of_root = json(folder.path(), &["scan", "--root", "host"]);
    let expected = pairs(&[("mode", "pass"), ("lines", "fail"), ("absent", "fail"), ("api", "unknown")]);
    assert_eq!(results(&of_root), expected, "{of_root:#}");
    assert_eq!(of_root["source"], serde_json::json!({"kind": "root", "location": "host"}));
    let offenders = |rule: usize| of_root["rules"][rule]["offenders"].clone();
    let offender = |object: &str, detail: &str| serde_json::json!([{"object": object, "detail": detail}]);
    assert_eq!(offenders(1), offender("/sys/vulnerabilities/mds", "Vulnerable"));
    assert_eq!(offenders(2), offender("/modules/100/virt_launcher", "is there"));
    assert_eq!(of_root["rules"][3]["messages"][0]["text"], "this source has no API answers");

    let collect = ["collect", "--root", "host", "--node", "out"];
    let said = stderr(&virtscap(folder.path(), &with(&collect, &[])).code(0));
    assert!(said.contains("paths of worker-0 in out"), "{said}");
    let mut of_node = json(folder.path(), &["scan", "--node", "out"]);
    assert_eq!(of_node["source"], serde_json::json!({"kind": "node", "location": "worker-0"}));
    of_root["source"].take();
    of_node["source"].take();
    assert_eq!(of_root, of_node);
    let said = stderr(&virtscap(folder.path(), &with(&collect, &[])).code(1));
    assert!(said.contains("is not empty"), "{said}");

    // What was not recorded is not known, and says so.
    std::fs::write(folder.path().join("out/node.yaml"), "node: empty\nfiles: []\n").unwrap();
    let of_nothing = json(folder.path(), &["scan", "--node", "out"]);
    assert!(results(&of_nothing).iter().all(|(_, result)| result == "unknown"), "{of_nothing:#}");
    let said = of_nothing["rules"][0]["messages"][0]["text"].as_str().unwrap();
    assert!(said.contains("not recorded of the node empty"), "{said}");
}

#[test]
fn a_snapshot_has_no_files_of_a_node() {
    let folder = node();
    std::fs::create_dir_all(folder.path().join("snapshot/api/v1")).unwrap();
    std::fs::write(
        folder.path().join("snapshot/api/v1/nodes.json"),
        "{\"kind\": \"NodeList\", \"items\": []}",
    )
    .unwrap();
    let report = json(folder.path(), &["scan", "--snapshot", "snapshot"]);
    let expected =
        pairs(&[("mode", "unknown"), ("lines", "unknown"), ("absent", "unknown"), ("api", "pass")]);
    assert_eq!(results(&report), expected, "{report:#}");
    for rule in 0..3 {
        let said = &report["rules"][rule]["messages"][0]["text"];
        assert_eq!(said, "this source has no files of a node", "{report:#}");
    }
}

#[test]
fn the_nodes_of_a_snapshot_are_scanned_as_those_of_a_cluster() {
    let folder = node();
    let run = |arguments: &[&str], code: i32| virtscap(folder.path(), arguments).code(code);
    run(&["collect", "--root", "host", "--node", "snapshot/nodes/worker-0", "--profile", "level-1-node"], 0);
    let index = "nodes: [{name: worker-1, not_read: could not be read at all}, {name: worker-0}]";
    std::fs::write(folder.path().join("snapshot/nodes/nodes.yaml"), index).unwrap();
    let alone = ["scan", "--snapshot", "snapshot", "--profile", "level-1-node"];
    let said = run(&[&alone[..], &["--nodes-out", "out", "--json", "-"]].concat(), 2);
    let report: serde_json::Value = serde_json::from_slice(&said.get_output().stdout).unwrap();
    assert_eq!(report["source"], serde_json::json!({"kind": "snapshot-nodes", "location": "snapshot"}));
    let nodes = report["nodes"].as_array().unwrap();
    let names: Vec<_> = nodes.iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["worker-0", "worker-1"]);
    assert_eq!(nodes[1]["not_scanned"], "could not be read at all");
    assert_eq!(nodes[1]["counts"].as_object().unwrap().keys().collect::<Vec<_>>(), ["unknown"]);
    let of_node: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("out/nodes/worker-0.json")).unwrap())
            .unwrap();
    let node = ["scan", "--node", "snapshot/nodes/worker-0", "--profile", "level-1-node", "--json", "-"];
    let said = run(&node, 2);
    let expected: serde_json::Value = serde_json::from_slice(&said.get_output().stdout).unwrap();
    assert_eq!(of_node["rules"], expected["rules"]);
    for file in ["summary.json", "summary.html", "nodes/worker-1.arf.xml"] {
        assert!(folder.path().join("out").join(file).is_file(), "{file}");
    }
    // With the cluster's objects, if they are asked for.
    std::fs::create_dir_all(folder.path().join("snapshot/api/v1")).unwrap();
    std::fs::write(folder.path().join("snapshot/api/v1/pods.json"), r#"{"kind": "PodList", "items": []}"#)
        .unwrap();
    let said = run(&["scan", "--snapshot", "snapshot", "--profile", "level-1", "--nodes", "all"], 2);
    let said = String::from_utf8_lossy(&said.get_output().stdout).into_owned();
    assert!(said.contains("level-1: ") && said.contains("level-1-node: not passed (0 of 2 nodes"), "{said}");

    let told = |arguments: &[&str], what: &str| {
        let said = stderr(&run(arguments, 1));
        assert!(said.contains(what), "{arguments:?}: {said}");
    };
    told(&[&alone[..], &["--nodes", "a=b"]].concat(), "does not have the labels");
    told(&["scan", "--snapshot", "host", "--profile", "level-1", "--nodes", "all"], "no folder nodes in it");
    told(
        &["scan", "--snapshot", "host", "--profile", "level-1-node", "--nodes-out", "x"],
        "no folder nodes in it",
    );
    std::fs::write(folder.path().join("snapshot/nodes/nodes.yaml"), "nodes: [{name: worker-2}]").unwrap();
    told(&alone, "of the node 'worker-2' there is no folder");
    // A profile for nodes may be for what the cluster says of them.
    std::fs::remove_dir_all(folder.path().join("snapshot/nodes")).unwrap();
    let said = run(&[&alone[..], &["--json", "-"]].concat(), 2);
    let report: serde_json::Value = serde_json::from_slice(&said.get_output().stdout).unwrap();
    assert_eq!(report["source"]["kind"], "snapshot");
}

#[test]
fn the_arf_of_a_node_is_valid() {
    let folder = node();
    virtscap(folder.path(), &with(&["scan", "--root", "host", "--arf", "arf.xml"], &[])).code(2);
    let arf = std::fs::read_to_string(folder.path().join("arf.xml")).unwrap();
    assert!(arf.contains("<unix-sys:file_item"), "{arf}");
    let mut oscap = Command::new("oscap");
    let oscap = oscap.args(["ds", "rds-validate", "arf.xml"]).current_dir(folder.path());
    match oscap.env("SEXP_VALIDATE_DISABLE", "1").output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
        Err(_) => assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "oscap not found"),
    }
}

#[test]
fn a_source_is_exactly_one() {
    let folder = node();
    let told = |arguments: &[&str], what: &str| {
        let said = stderr(&virtscap(folder.path(), arguments).code(1));
        assert!(said.contains(what), "{arguments:?}: {said}");
    };
    told(&with(&["scan"], &[]), "Name a kubeconfig with --kubeconfig, or a source such as --snapshot");
    told(&["scan", "--root", "host", "--node", "out"], "cannot be used with");
    told(&["scan", "--root", "host", "--snapshot", "x"], "cannot be used with");
    told(
        &with(&["scan", "--root", "host", "--nodes", "all"], &[]),
        "--nodes is for a live cluster or a snapshot",
    );
    told(&["scan", "--nodes-out", "x"], "--nodes-out wants --nodes");
    told(&["scan", "--profile", "level-1-node", "--arf", "x"], "with --nodes-out");
    told(&["scan", "--profile", "level-1-node", "--nodes-out", "host"], "host: is not empty");
    told(
        &with(&["scan", "--nodes", "all"], &[]),
        "the profile of the nodes: there is no profile 'node-node'",
    );
    told(&["collect"], "--snapshot with --dump, --root with --node, or --out");
    told(&["scan", "--must-gather", "x", "--manifests", "y"], "cannot be used with");
    told(&["scan", "--manifests", "y", "--node-name", "n"], "cannot be used with");
    told(&["collect", "--root", "host"], "--node");
    told(&["collect", "--node", "out"], "--root");
    told(&["collect", "--snapshot", "x"], "--dump");
    told(&["collect", "--root", "host", "--dump", "out"], "cannot be used with");
    told(&with(&["scan", "--root", "nowhere"], &[]), "nowhere: No such file");
    told(&with(&["scan", "--root", "ds.xml"], &[]), "ds.xml: Not a directory");
    told(&with(&["scan", "--node", "host"], &[]), "host/node.yaml: No such file");
    std::fs::write(folder.path().join("node.yaml"), "node: x\nfiles:\n- {path: a, type: absent}\n").unwrap();
    told(&with(&["scan", "--node", "."], &[]), "node.yaml:3: the path 'a' is not absolute");
}
