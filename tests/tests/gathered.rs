//! Must-gathers, and what a source may lack: an offender that is there is a fail, and a pass needs all there is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use virtscap_cli::Verdict;
use virtscap_evaluator::gap::{Gap, GapKind};
use virtscap_evaluator::report::{SourceReport, arf, read};
use virtscap_evaluator::scan::{Request, scan, scan_with_node};
use virtscap_evaluator::source::{Answer, ApiSource, Format, MustGather, Refusal, Snapshot};
use virtscap_generator::model::{Resource, Rule};
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::gathered::{copied, damage, files_below, judge, lists, must_gather, write_yaml};
use virtscap_tests::{BENCHMARK, IN_MEMORY, covers, in_parallel, platform_rules, project, say};

fn planted() -> BTreeMap<String, Vec<(String, String)>> {
    let text = std::fs::read_to_string(project().join("tests/snapshots/neglected/planted.yaml")).unwrap();
    let all: BTreeMap<String, Value> = serde_yaml::from_str(&text).unwrap();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let entries = |entries: &Value| {
        let entries = entries.as_array().into_iter().flatten();
        entries.map(|entry| (text(entry, "object"), text(entry, "what"))).collect()
    };
    all.iter().map(|(rule, value)| (rule.clone(), entries(value))).collect()
}

fn is_planted(planted: &[(String, String)], offender: &str) -> bool {
    let (object, detail) = offender.split_once(": ").unwrap_or((offender, ""));
    planted.iter().any(|(planted, what)| planted == object && detail.contains(what))
}

#[test]
fn a_must_gather_decides_what_it_can() {
    let expected: BTreeMap<String, [String; 2]> = serde_yaml::from_str(
        &std::fs::read_to_string(project().join("tests/must-gather/expected.yaml")).unwrap(),
    )
    .unwrap();
    let planted = planted();
    for (index, snapshot) in ["hardened", "neglected"].into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        must_gather(snapshot, usize::MAX, folder.path());
        let verdicts = judge(&MustGather::open(folder.path()).unwrap());
        let found: BTreeMap<_, _> = verdicts.iter().map(|(rule, v)| (rule, v.result.as_str())).collect();
        let wanted: BTreeMap<_, _> = expected.iter().map(|(rule, e)| (rule, &*e[index])).collect();
        assert_eq!(found, wanted, "{snapshot}");
        for (rule, verdict) in &verdicts {
            assert!(verdict.result != XccdfResult::NotChecked || !verdict.messages.is_empty(), "{rule}");
            for offender in &verdict.offenders {
                assert!(is_planted(&planted[rule], offender), "{rule}: {offender} was not planted");
            }
            // What is whole names all that was planted.
            if verdict.result == XccdfResult::Fail && expected[rule][0] == "pass" {
                let named: BTreeSet<_> = verdict.offenders.iter().collect();
                assert!(named.len() >= planted[rule].len(), "{rule}: {named:?}");
            }
        }
    }
}

/// A snapshot in which the answer to one path has a gap.
struct WithGap {
    snapshot: Snapshot,
    path: String,
    kind: GapKind,
}

impl ApiSource for WithGap {
    fn get(&self, path: &str) -> Answer {
        match self.kind {
            _ if path != self.path => self.snapshot.get(path),
            GapKind::NotContained => Answer::Refused(Refusal::NotContained("not contained".to_owned())),
            GapKind::NoneGiven => {
                let list = r#"{"kind": "List", "apiVersion": "v1", "items": []}"#;
                Answer::whole(list.as_bytes(), Format::Json)
            }
            _ => self.snapshot.get(path),
        }
    }

    fn gap(&self, path: &str) -> Option<Gap> {
        let gap = Gap { kind: self.kind.clone(), reason: format!("{path}: the gap") };
        (path == self.path).then_some(gap)
    }

    fn describe(&self) -> SourceReport {
        SourceReport { kind: "test".to_owned(), location: "test".to_owned() }
    }
}

fn path_of([group, version, resource]: &[String; 3]) -> String {
    let root = if group.is_empty() { "/api".to_owned() } else { format!("/apis/{group}") };
    format!("{root}/{version}/{resource}")
}

/// Every kind of gap in every resource, for every rule: no rule passes that passed before, none fails that passed, and
/// who fails names nobody who was not planted.
#[test]
fn gaps_in_every_resource() {
    let resources: BTreeSet<Resource> = platform_rules().flat_map(Rule::resources).collect();
    let kinds = [GapKind::NotContained, GapKind::Partial, GapKind::Damaged];
    let all: Vec<_> = resources.iter().flat_map(|r| kinds.iter().map(move |kind| (r, kind))).collect();
    let open = |snapshot: &str| Snapshot::open(&project().join("tests/snapshots").join(snapshot)).unwrap();
    let planted = planted();
    let plain = judge(&open("neglected"));
    let answered: BTreeSet<_> = lists("hardened").into_iter().map(|(of, _)| path_of(&of)).collect();
    in_parallel(&all, |(resource, kind)| {
        let source =
            |snapshot| WithGap { snapshot: open(snapshot), path: resource.path(), kind: (*kind).clone() };
        let hardened = judge(&source("hardened"));
        let neglected = judge(&source("neglected"));
        for rule in platform_rules() {
            let place = format!("{}, {kind:?} in {}", rule.id, resource.path());
            let (hardened, neglected) = (&hardened[&rule.id], &neglected[&rule.id]);
            if !rule.resources().contains(resource) {
                assert_eq!(hardened.result, XccdfResult::Pass, "{place}: {hardened:?}");
                continue;
            }
            // More of what covers others covers more of them.
            let only_covers =
                rule.check.iter().all(|leg| !leg.resources().contains(resource) || covers(leg, resource));
            let wanted = match kind {
                GapKind::Damaged => XccdfResult::Unknown,
                GapKind::Partial if only_covers => XccdfResult::Pass,
                _ => XccdfResult::NotChecked,
            };
            // Where the API server answered 404 there is nothing of which there may be more.
            let answered = answered.contains(&resource.path());
            if answered || **kind == GapKind::NotContained {
                assert_eq!(hardened.result, wanted, "{place}: {hardened:?}");
                assert!(hardened.messages.iter().any(|m| m.contains("the gap")), "{place}: {hardened:?}");
            }
            let undecided = match kind {
                GapKind::Damaged => XccdfResult::Unknown,
                _ => XccdfResult::NotChecked,
            };
            assert!(
                neglected.result == XccdfResult::Fail || neglected.result == undecided,
                "{place}: {neglected:?}"
            );
            for offender in &neglected.offenders {
                assert!(plain[&rule.id].offenders.contains(offender), "{place}: {offender}");
                assert!(is_planted(&planted[&rule.id], offender), "{place}: {offender}");
            }
        }
    });
    say(&format!("gaps: {} in all rules that read the API", all.len()));
}

/// What can happen to a file.
const DAMAGES: [&str; 7] =
    ["removed", "empty", "cut in half", "cut near the end", "no YAML", "another kind", "a link"];

/// Whether a file of a must-gather is read for a rule.
fn is_read(rule: &Rule, file: &Path) -> bool {
    rule.resources().iter().any(|resource| {
        let group = resource.api.split_once('/').map_or("core", |(group, _)| group);
        let text = file.to_str().unwrap();
        text.contains(&format!("/{}.{group}/", resource.resource))
            || text.contains(&format!("/{group}/{}/", resource.resource))
            || (resource.resource == "templates" && text.contains("/templates/"))
    })
}

/// Each file in one way, by turns.
#[test]
fn damaged_files_of_a_must_gather() {
    damaged_files(|number, way| number % DAMAGES.len() == way);
}

#[test]
#[ignore = "minutes: each file in each way"]
fn files_of_a_must_gather_damaged_in_every_way() {
    damaged_files(|_, _| true);
}

fn damaged_files(chosen: impl Fn(usize, usize) -> bool) {
    for snapshot in ["hardened", "neglected"] {
        let whole = tempfile::tempdir().unwrap();
        must_gather(snapshot, 2, whole.path());
        let before = judge(&MustGather::open(whole.path()).unwrap());
        let all = files_below(whole.path());
        let all: Vec<_> =
            all.into_iter().filter(|file| file.extension().is_some_and(|e| e == "yaml")).collect();
        let mut damages = Vec::new();
        for (number, file) in all.iter().enumerate() {
            let ways = DAMAGES.into_iter().enumerate().filter(|(way, _)| chosen(number, *way));
            damages.extend(ways.map(|(_, how)| (file, how)));
        }
        in_parallel(&damages, |(file, how)| {
            let relative = file.strip_prefix(whole.path()).unwrap();
            let (folder, elsewhere) = (copied(whole.path()), tempfile::tempdir().unwrap());
            damage(&folder.path().join(relative), how, elsewhere.path());
            let after = judge(&MustGather::open(folder.path()).unwrap());
            for (name, verdict) in after {
                let rule = BENCHMARK.rules().find(|rule| rule.id == name).unwrap();
                let place = format!("{snapshot}, {name}, {how}: {}: {verdict:?}", relative.display());
                if verdict.result != XccdfResult::Pass {
                    continue;
                }
                // A file that is gone leaves no trace; what is left may be fine.
                let was = before[&name].result;
                assert!(was == XccdfResult::Pass || (*how == "removed" && is_read(rule, file)), "{place}");
                assert!(*how == "removed" || !is_read(rule, file), "{place}");
            }
        });
        say(&format!("must-gather of {snapshot}: {} damages, none passes", damages.len()));
    }
}

/// A must-gather of a few files, with a virtual machine or two.
fn small(files: &[(&str, Value)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, object) in files {
        write_yaml(&folder.path().join(path), object);
    }
    folder
}

fn machine(name: &str, disk: Value) -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}")},
        "spec": {"template": {"spec": {"domain": {"devices": {"disks": [disk]}}}}},
        "status": {"ready": true},
    })
}

fn instance(name: &str) -> Value {
    json!({
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("uid-i-{name}")},
        "spec": {"domain": {"devices": {}}},
        "status": {"phase": "Running"},
    })
}

const DISKS: &str = "vm-shareable-disks";
const BY_TYPE: &str = "i/namespaces/shop/kubevirt.io/virtualmachines/custom/a.yaml";
const INSPECTED: &str = "i/namespaces/shop/kubevirt.io/virtualmachines/a.yaml";
const INSTANCE: &str = "i/namespaces/shop/crs/virtualmachineinstances.kubevirt.io/a.yaml";

fn good() -> Value {
    machine("a", json!({"name": "root", "disk": {"bus": "virtio"}}))
}

fn bad() -> Value {
    machine("a", json!({"name": "quorum", "lun": {}, "shareable": true}))
}

fn disks(folder: &Path) -> Verdict {
    judge(&MustGather::open(folder).unwrap()).remove(DISKS).unwrap()
}

#[test]
fn a_list_passes_where_the_must_gather_shows_that_it_is_whole() {
    let (pass, fail, open) = (XccdfResult::Pass, XccdfResult::Fail, XccdfResult::NotChecked);
    let other = |name: &str| machine(name, json!({"name": "root", "disk": {}}));
    let count = "o/virt_info/crd/virtualmachines.kubevirt.io.count";
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "virtualmachines.kubevirt.io", "uid": "u"},
        "spec": {"versions": [{"name": "v1", "served": true, "subresources": {"status": {}}}]},
        "status": {"storedVersions": ["v1"]},
    });
    let defined = "i/cluster-scoped-resources/apiextensions.k8s.io/customresourcedefinitions/vms.yaml";
    let mut cut = good();
    cut.as_object_mut().unwrap().remove("status");
    let mut redacted = good();
    redacted["spec"]["template"]["spec"]["domain"]["devices"]["disks"][0]["serial"] = json!("<redacted>");
    let mut old = good();
    old["apiVersion"] = json!("kubevirt.io/v1alpha3");
    type Case<'a> = (&'a str, Vec<(&'a str, Value)>, XccdfResult, &'a str);
    let cases: Vec<Case<'_>> = vec![
        ("its own layout", vec![(BY_TYPE, good())], pass, ""),
        ("an offender", vec![(BY_TYPE, bad())], fail, ""),
        ("inspected", vec![(INSPECTED, good())], open, "1 object is there"),
        ("inspected, an offender", vec![(INSPECTED, bad())], fail, ""),
        ("inspected and counted", vec![(INSPECTED, good()), (count, json!(1))], pass, ""),
        ("miscounted", vec![(BY_TYPE, good()), (count, json!(2))], open, "2"),
        ("counted none", vec![(count, json!(0))], pass, ""),
        ("none", vec![], open, "does not mean"),
        (
            "more elsewhere",
            vec![(BY_TYPE, good()), ("j/namespaces/shop/kubevirt.io/virtualmachines/b.yaml", other("b"))],
            open,
            "2 objects",
        ),
        (
            "twice the same",
            vec![(BY_TYPE, good()), ("j/namespaces/shop/kubevirt.io/virtualmachines/a.yaml", good())],
            pass,
            "",
        ),
        (
            "twice, one offends",
            vec![(BY_TYPE, good()), ("j/namespaces/shop/kubevirt.io/virtualmachines/a.yaml", bad())],
            fail,
            "",
        ),
        ("whole, as its definition says", vec![(BY_TYPE, good()), (defined, definition.clone())], pass, ""),
        ("cut off at the end of a line", vec![(BY_TYPE, cut), (defined, definition)], open, "no status"),
        ("redacted", vec![(BY_TYPE, redacted)], open, "taken out"),
        ("another version", vec![(BY_TYPE, old)], open, "v1alpha3"),
        (
            "a list",
            vec![(
                "i/namespaces/shop/kubevirt.io/virtualmachines.yaml",
                json!({"kind": "VirtualMachineList", "apiVersion": "kubevirt.io/v1", "items": [bad()]}),
            )],
            fail,
            "",
        ),
        (
            "another namespace",
            vec![("i/namespaces/lab/kubevirt.io/virtualmachines/custom/a.yaml", good())],
            XccdfResult::Unknown,
            "another namespace",
        ),
        (
            "broken beside an offender",
            vec![
                (BY_TYPE, bad()),
                ("i/namespaces/shop/kubevirt.io/virtualmachines/custom/b.yaml", json!("x")),
            ],
            fail,
            "b.yaml",
        ),
        (
            "broken beside a good one",
            vec![
                (BY_TYPE, good()),
                ("i/namespaces/shop/kubevirt.io/virtualmachines/custom/b.yaml", json!("x")),
            ],
            XccdfResult::Unknown,
            "b.yaml",
        ),
    ];
    for (name, mut files, result, message) in cases {
        files.push((INSTANCE, instance("a")));
        let verdict = disks(small(&files).path());
        assert_eq!(verdict.result, result, "{name}: {verdict:?}");
        assert!(verdict.messages.concat().contains(message), "{name}: {verdict:?}");
        let offenders: &[&str] = if result == fail { &["shop/a: quorum"] } else { &[] };
        assert_eq!(verdict.offenders.len(), offenders.len(), "{name}: {verdict:?}");
    }
}

#[test]
fn an_archive_and_what_is_no_must_gather() {
    let folder = small(&[(BY_TYPE, bad()), (INSTANCE, instance("a"))]);
    for compressed in [true, false] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let flags = if compressed { "czf" } else { "cf" };
        let mut tar = std::process::Command::new("tar");
        tar.arg(flags).arg(file.path()).arg("-C").arg(folder.path()).arg(".");
        assert!(tar.status().unwrap().success());
        assert_eq!(disks(file.path()).result, XccdfResult::Fail);
        let bytes = std::fs::read(file.path()).unwrap();
        std::fs::write(file.path(), &bytes[..bytes.len() / 2]).unwrap();
        assert!(MustGather::open(file.path()).is_err());
    }
    let empty = tempfile::tempdir().unwrap();
    let error = MustGather::open(empty.path()).unwrap_err().to_string();
    assert!(error.contains("cluster-scoped-resources"), "{error}");
    std::fs::write(empty.path().join("x"), "x").unwrap();
    assert!(MustGather::open(&empty.path().join("x")).is_err());
    assert!(MustGather::open(&empty.path().join("y")).is_err());
}

#[test]
fn all_reports_say_the_same() {
    let folder = tempfile::tempdir().unwrap();
    must_gather("neglected", usize::MAX, folder.path());
    let request = Request { content: &IN_MEMORY, tailoring: None, profile: Some("level-2") };
    let scan = scan(&request, &MustGather::open(folder.path()).unwrap()).unwrap();
    let (again, _) = read::read(&arf::asset_report(&scan).unwrap(), None).unwrap();
    assert_eq!(again.counts, scan.report.counts);
    assert!(!scan.report.passed);
    for (one, other) in scan.report.rules.iter().zip(&again.rules) {
        assert_eq!((&one.id, one.result, &one.offenders), (&other.id, other.result, &other.offenders));
        assert_eq!(one.messages, other.messages, "{}", one.id);
    }
}

/// The kernel's command line is all there is of a node: it can make a rule fail, and pass none.
#[test]
fn a_kernels_command_line_in_a_must_gather() {
    let (fail, open, error) = (XccdfResult::Fail, XccdfResult::NotChecked, XccdfResult::Error);
    let cases = [
        ("as a terminal writes it", "BOOT_IMAGE=x kvm_intel.nested=1\r\n", fail),
        ("nothing offends", "BOOT_IMAGE=x kvm_intel.nested=0\n", open),
        ("twice the same", "BOOT_IMAGE=x kvm_intel.nested=1\nBOOT_IMAGE=x kvm_intel.nested=1\n", fail),
        ("twice, and different", "BOOT_IMAGE=x\nBOOT_IMAGE=x kvm_intel.nested=1\n", error),
        ("cut off", "BOOT_IMAGE=x kvm_int", error),
        ("empty", "", error),
    ];
    for (name, text, expected) in cases {
        let folder = small(&[(BY_TYPE, good())]);
        let node = folder.path().join("i/nodes/worker-0");
        std::fs::create_dir_all(&node).unwrap();
        std::fs::write(node.join("proc_cmdline"), text).unwrap();
        let gathered = MustGather::open(folder.path()).unwrap();
        assert_eq!(gathered.nodes().collect::<Vec<_>>(), ["worker-0"]);
        assert!(gathered.node("worker-1").is_none());
        let request = Request { content: &IN_MEMORY, tailoring: None, profile: Some("level-2-node") };
        let scan = scan_with_node(&request, &gathered, &gathered.node("worker-0").unwrap()).unwrap();
        for rule in &scan.report.rules {
            let wanted = if rule.id == "node-nested-virtualization" { expected } else { open };
            let cannot_be_read = expected == error && rule.id == "node-vcpu-metrics";
            assert!(rule.result == wanted || cannot_be_read, "{name}: {rule:?}");
            assert!(rule.result != XccdfResult::Pass && !rule.messages.is_empty(), "{name}: {rule:?}");
        }
    }
}
