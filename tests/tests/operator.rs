//! What the Compliance Operator's own code makes of what virtscap makes: of the content, of the tailorings, of the
//! results, of the CEL forms, and of the manifests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;
use virtscap_cli::node as case_node;
use virtscap_evaluator::files::OnNode;
use virtscap_evaluator::report::{SourceReport, arf};
use virtscap_evaluator::scan::{Prepared, Request, Scan};
use virtscap_evaluator::source::{MemorySource, Snapshot};
use virtscap_generator::artifacts;
use virtscap_generator::case::{Evidence, GivenFile};
use virtscap_generator::datastream::{FILE_NAME, profile_id};
use virtscap_generator::model::{Profile, Rule, Scope};
use virtscap_scap::markup::Markup;
use virtscap_scap::xccdf::{Tailoring, XccdfResult};
use virtscap_tests::cel_form::{self, Asked, Said, asked};
use virtscap_tests::operator::Operator;
use virtscap_tests::{
    BENCHMARK, READ_BACK, cases, full_rule_id, in_parallel, node, oscap, platform_rules, project, say,
};

/// The operator's code, where it can be built.
static OPERATOR: LazyLock<Option<Operator>> =
    LazyLock::new(|| Operator::build(Path::new(env!("CARGO_TARGET_TMPDIR"))));

/// What `virtscap build` writes.
static BUILD: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let files = artifacts::artifacts(&BENCHMARK, artifacts::CONTENT_IMAGE).unwrap();
    artifacts::write(folder.path(), &files).unwrap();
    folder
});

/// What the operator puts before names.
const PREFIX: &str = "ocp-virt-";

fn datastream() -> PathBuf {
    BUILD.path().join(FILE_NAME)
}

fn profile_bundle() -> PathBuf {
    BUILD.path().join("operator/profilebundle.yaml")
}

/// The manifests in a folder of the build whose file names begin so.
fn manifests(folder: &str, start: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(BUILD.path().join(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        name.starts_with(start) && name.ends_with(".yaml")
    });
    files.sort();
    files
}

/// The answer of the operator's code to a command on files.
fn answer(operator: &Operator, command: &str, files: &[PathBuf]) -> Value {
    operator.run(command, files.iter().map(PathBuf::as_path), String::new()).remove(0)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn list(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|one| one.as_str().unwrap()).collect()
}

/// The operator's name of what has an id.
fn named(id: &str) -> String {
    format!("{PREFIX}{}", id.replace('_', "-"))
}

/// The letters and digits of a text: what stays the same in another markup.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The same of texts with the defaults of values filled in.
fn letters_of(markup: &Markup) -> String {
    let default = |id: &str| {
        let value = BENCHMARK.values.iter().find(|value| id.ends_with(&format!("_value_{}", value.id)));
        value.map(|value| value.default.clone()).unwrap_or_default()
    };
    letters(&markup.plain_text(&default))
}

#[test]
fn the_operator_takes_all_of_the_content() {
    let Some(operator) = &*OPERATOR else { return };
    let bundle = answer(operator, "bundle", &[datastream(), profile_bundle()]);
    assert_eq!(bundle["complaints"], Value::Null, "the operator loses something");
    for (kind, expected) in [
        ("profiles", BENCHMARK.profiles.len()),
        ("rules", BENCHMARK.rules().count()),
        // The folder of the dumps is a value too.
        ("variables", BENCHMARK.values.len() + 1),
    ] {
        assert_eq!(bundle[kind].as_array().unwrap().len(), expected, "{kind}");
    }
    let find = |kind: &str, name: &str| {
        let all = bundle[kind].as_array().unwrap();
        all.iter().find(|one| text(one, "name") == name).unwrap_or_else(|| panic!("no {name} in {kind}"))
    };
    for profile in &BENCHMARK.profiles {
        check_profile(profile, find("profiles", &named(&profile.id)));
    }
    for rule in BENCHMARK.rules() {
        check_rule(rule, find("rules", &named(&rule.id)));
    }
    for value in &BENCHMARK.values {
        let variable = find("variables", &named(&value.id));
        assert_eq!(text(variable, "value"), value.default, "{variable:#}");
        assert_eq!(text(variable, "title"), value.title, "{variable:#}");
        assert_eq!(text(variable, "type"), "string", "{variable:#}");
        assert_eq!(letters(text(variable, "description")), letters_of(&value.description), "{variable:#}");
    }
    insta::assert_snapshot!("bundle", summary(&bundle));
    say(&format!(
        "operator: {} profiles, {} rules and {} variables of the bundle are what they should be",
        BENCHMARK.profiles.len(),
        BENCHMARK.rules().count(),
        BENCHMARK.values.len() + 1,
    ));
}

fn check_profile(profile: &Profile, made: &Value) {
    let rules: Vec<_> = BENCHMARK.rules().filter(|rule| profile.selects(rule)).collect();
    let names: Vec<_> = rules.iter().map(|rule| named(&rule.id)).collect();
    assert_eq!(list(&made["rules"]), names, "{made:#}");
    let product_type = match profile.scope {
        Scope::Platform => "Platform",
        Scope::Node => "Node",
    };
    assert_eq!(made["annotations"]["compliance.openshift.io/product-type"], product_type, "{made:#}");
    assert_eq!(made["title"], *profile.title, "{made:#}");
    assert_eq!(letters(text(made, "description")), letters_of(&profile.description), "{made:#}");
    let used: BTreeSet<_> = rules.iter().flat_map(|rule| rule.values()).collect();
    let set = list(&made["values"]);
    let set = set.iter().map(|id| id.trim_start_matches("xccdf_org.ssgproject.content_value_"));
    assert_eq!(set.collect::<BTreeSet<_>>(), used, "{made:#}");
}

fn check_rule(rule: &Rule, made: &Value) {
    let check_type = match rule.scope() {
        Scope::Platform => "Platform",
        Scope::Node => "Node",
    };
    assert_eq!(text(made, "checkType"), check_type, "{made:#}");
    assert_eq!(text(made, "severity"), rule.severity.as_str(), "{made:#}");
    assert_eq!(text(made, "title"), rule.title, "{made:#}");
    let lines = |text: &str| text.trim_end().lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(text(made, "instructions")), lines(&rule.audit), "{made:#}");
    let mut expected = letters_of(&rule.description);
    for (label, markup) in [("Impact", &rule.impact), ("Default", &rule.default_value)] {
        let text = letters_of(markup);
        expected.push_str(if text.is_empty() { "" } else { label });
        expected.push_str(&text);
    }
    assert_eq!(letters(text(made, "description")), expected, "{made:#}");
    assert_eq!(letters(text(made, "rationale")), letters_of(&rule.rationale), "{made:#}");
    let annotation = |key: &str, separator: char| -> BTreeSet<String> {
        let text = made["annotations"][key].as_str().unwrap_or_default();
        text.split(separator).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let variables = rule.values().iter().map(|id| id.replace('_', "-")).collect();
    assert_eq!(annotation("compliance.openshift.io/rule-variable", ','), variables, "{made:#}");
    let controls = rule.nist_800_53.iter().cloned().collect();
    assert_eq!(annotation("control.compliance.openshift.io/NIST-800-53", ';'), controls, "{made:#}");
    let profiles = BENCHMARK.profiles.iter().filter(|profile| profile.selects(rule));
    let profiles = profiles.map(|profile| named(&profile.id)).collect();
    assert_eq!(annotation("compliance.openshift.io/profiles", ','), profiles, "{made:#}");
}

/// A bundle in short: a line for each thing that the operator made, with what it decides by.
fn summary(bundle: &Value) -> String {
    let mut all = String::new();
    let annotation = |one: &Value, key: &str| one["annotations"][key].as_str().unwrap_or("none").to_owned();
    for profile in bundle["profiles"].as_array().unwrap() {
        let product = annotation(profile, "compliance.openshift.io/product");
        let product_type = annotation(profile, "compliance.openshift.io/product-type");
        let (rules, values) = (list(&profile["rules"]).len(), list(&profile["values"]).len());
        writeln!(
            all,
            "profile {}: {product_type}, {product}, rules: {rules}, values: {values}",
            text(profile, "name")
        )
        .unwrap();
    }
    for rule in bundle["rules"].as_array().unwrap() {
        let variables = annotation(rule, "compliance.openshift.io/rule-variable");
        let controls = annotation(rule, "control.compliance.openshift.io/NIST-800-53");
        let (name, check, severity) = (text(rule, "name"), text(rule, "checkType"), text(rule, "severity"));
        writeln!(all, "rule {name}: {check}, {severity}, {controls}, variables: {variables}").unwrap();
        for fix in rule["availableFixes"].as_array().into_iter().flatten() {
            let object = &fix["fixObject"];
            writeln!(all, "    fix: {} {}", text(object, "kind"), text(&object["metadata"], "name")).unwrap();
        }
    }
    for variable in bundle["variables"].as_array().unwrap() {
        writeln!(all, "variable {}: {}", text(variable, "name"), text(variable, "type")).unwrap();
    }
    all
}

/// A tailoring that the operator made: the profile's id, and the file.
struct Made {
    name: String,
    scope: Scope,
    profile: String,
    file: PathBuf,
    tailoring: Tailoring,
}

/// The tailorings that the operator makes of TailoredProfiles, written to a folder.
fn tailorings(operator: &Operator, files: &[PathBuf], folder: &Path) -> Vec<Made> {
    let mut arguments = vec![datastream(), profile_bundle()];
    arguments.extend_from_slice(files);
    let made = answer(operator, "tailor", &arguments);
    let made = made.as_object().unwrap().values().map(|made| {
        assert_eq!(text(made, "state"), "READY", "{made:#}");
        let name = text(made, "name").to_owned();
        let product_type = made["annotations"]["compliance.openshift.io/product-type"].as_str().unwrap();
        let file = folder.join(format!("{name}.xml"));
        std::fs::write(&file, text(made, "xml")).unwrap();
        let tailoring = Tailoring::read(text(made, "xml")).unwrap();
        let scope = match product_type {
            "Node" => Scope::Node,
            "Platform" => Scope::Platform,
            other => panic!("{other}: {made:#}"),
        };
        Made { name, scope, profile: text(made, "profile").to_owned(), file, tailoring }
    });
    made.collect()
}

/// TailoredProfiles as somebody may write them from ours: a rule left out and all values set; rules without a profile.
fn edited(folder: &Path) -> Vec<PathBuf> {
    let path = manifests("operator", "tailoredprofile-level-2.yaml").remove(0);
    let mut extending: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    extending["metadata"]["name"] = json!("edited");
    for value in extending["spec"]["setValues"].as_array_mut().unwrap() {
        value["value"] = json!(".*");
    }
    extending["spec"]["disableRules"] = json!([{"name": named("hco-ksm"), "rationale": "no"}]);
    let mut alone = extending.clone();
    alone["metadata"]["name"] = json!("alone");
    let spec = alone["spec"].as_object_mut().unwrap();
    for key in ["extends", "disableRules"] {
        spec.remove(key);
    }
    let rules = platform_rules().map(|rule| json!({"name": named(&rule.id), "rationale": "yes"}));
    spec.insert("enableRules".to_owned(), rules.collect());
    let write = |manifest: &Value| {
        let path = folder.join(format!("{}.yaml", manifest["metadata"]["name"].as_str().unwrap()));
        std::fs::write(&path, serde_yaml::to_string(manifest).unwrap()).unwrap();
        path
    };
    vec![write(&extending), write(&alone)]
}

/// What there is to look at for a scope: a folder for oscap, and a way to scan the same with virtscap.
fn scanned<T>(
    scope: Scope,
    snapshot: &str,
    request: &Request<'_>,
    root: &Path,
    work: impl FnOnce(&Scan<'_>) -> T,
) -> Option<T> {
    let prepared = Prepared::new(request).unwrap();
    let report = SourceReport { kind: "test".to_owned(), location: snapshot.to_owned() };
    match scope {
        Scope::Platform => {
            let source = Snapshot::open(&project().join("tests/snapshots").join(snapshot)).unwrap();
            let dump = prepared.collect(&source);
            dump.write_to(&root.join("kubernetes-api-resources")).unwrap();
            Some(work(&prepared.evaluate(&dump, report)))
        }
        Scope::Node => {
            let files = neglected_node();
            node::write(&files, root).then(|| work(&prepared.evaluate(&OnNode(&case_node(&files)), report)))
        }
    }
}

/// Files of which many a node's rules fail: of each rule a failing case.
fn neglected_node() -> BTreeMap<String, GivenFile> {
    let failing = cases(Scope::Node).into_iter().filter(|(_, case)| case.expect == XccdfResult::Fail);
    let files = failing.filter_map(|(_, case)| match &case.evidence {
        Evidence::Files(files) if !files.values().any(|file| *file == GivenFile::Unreadable) => Some(files),
        _ => None,
    });
    let mut all: BTreeMap<String, GivenFile> = BTreeMap::new();
    for files in files {
        // A file cannot be where another case has a folder.
        let below = |path: &str, other: &str| other.starts_with(&format!("{path}/"));
        if !files.keys().any(|path| all.keys().any(|other| below(path, other) || below(other, path))) {
            all.extend(files.clone());
        }
    }
    all
}

#[test]
fn tailorings_by_the_operator_give_the_same_in_oscap() {
    let Some(operator) = &*OPERATOR else { return };
    if !oscap::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut files = manifests("operator", "tailoredprofile-");
    assert_eq!(files.len(), BENCHMARK.profiles.len());
    files.extend(edited(folder.path()));
    let made = tailorings(operator, &files, folder.path());
    assert_eq!(made.len(), files.len());
    in_parallel(&made, |made| {
        let root = tempfile::tempdir().unwrap();
        let tailoring = Some((&made.tailoring, made.file.to_str().unwrap()));
        let request = Request { content: &READ_BACK, tailoring, profile: Some(&made.profile) };
        let ours = scanned(made.scope, "neglected", &request, root.path(), |scan| {
            let results = scan.test_result.rule_results.iter();
            results.map(|result| (result.rule.to_string(), result.result)).collect::<BTreeMap<_, _>>()
        });
        let Some(ours) = ours else {
            say(&format!("operator: {} is for nodes, whose files only root can make here", made.name));
            return;
        };
        let evaluation = oscap::evaluate(&oscap::Request {
            datastream: &datastream(),
            profile: &made.profile,
            tailoring: Some(&made.file),
            rule: None,
            probe_root: root.path(),
        });
        let selected = |results: &BTreeMap<String, XccdfResult>| -> BTreeMap<_, _> {
            let selected = results.iter().filter(|(_, result)| **result != XccdfResult::NotSelected);
            selected.map(|(rule, result)| (rule.clone(), *result)).collect()
        };
        let (ours, theirs) = (selected(&ours), selected(&evaluation.results));
        assert!(!ours.is_empty(), "{}", made.name);
        assert_eq!(ours, theirs, "{}", made.name);
        if made.name == "edited" {
            assert!(!ours.contains_key(&full_rule_id("hco-ksm")), "the rule was left out");
            // With every value everything is approved.
            assert_eq!(ours[&full_rule_id("vm-host-devices")], XccdfResult::Pass);
        }
        if made.name == "alone" {
            assert_eq!(ours.len(), platform_rules().count());
        }
        say(&format!("operator: tailoring {}: {} rules give the same in oscap", made.name, ours.len()));
    });
}

#[test]
fn the_operator_reads_the_same_in_results_of_oscap_and_of_virtscap() {
    let Some(operator) = &*OPERATOR else { return };
    if !oscap::is_there() {
        return;
    }
    let of_platform = BENCHMARK.profiles.iter().filter(|profile| profile.scope == Scope::Platform);
    let mut runs: Vec<_> = of_platform
        .flat_map(|profile| ["neglected", "hardened", "empty"].map(|snapshot| (profile, snapshot)))
        .collect();
    let of_nodes = BENCHMARK.profiles.iter().filter(|profile| profile.scope == Scope::Node);
    runs.extend(of_nodes.map(|profile| (profile, "neglected")));
    in_parallel(&runs, |(profile, snapshot)| compare_results(operator, profile, snapshot));
}

/// Holds what the operator reads in the files of both against each other.
fn compare_results(operator: &Operator, profile: &Profile, snapshot: &str) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let id = profile_id(&profile.id).to_string();
    let request = Request { content: &READ_BACK, tailoring: None, profile: Some(&id) };
    let path = |name: &str| folder.path().join(name);
    let write = |scan: &Scan<'_>| {
        std::fs::write(path("virtscap.xml"), arf::xccdf_results(scan).unwrap()).unwrap();
        std::fs::write(path("virtscap-arf.xml"), arf::asset_report(scan).unwrap()).unwrap();
    };
    let done = match snapshot {
        "empty" => {
            let prepared = Prepared::new(&request).unwrap();
            let report = SourceReport { kind: "test".to_owned(), location: snapshot.to_owned() };
            write(&prepared.evaluate(&prepared.collect(&MemorySource::default()), report));
            Some(())
        }
        _ => scanned(profile.scope, snapshot, &request, &root, write),
    };
    if done.is_none() {
        return;
    }
    let (xccdf, arf) = (path("oscap.xml"), path("oscap-arf.xml"));
    let datastream = datastream();
    let arguments = [
        "xccdf",
        "eval",
        "--skip-validation",
        "--profile",
        &id,
        "--results",
        xccdf.to_str().unwrap(),
        "--results-arf",
        arf.to_str().unwrap(),
        datastream.to_str().unwrap(),
    ];
    let output = oscap::run(&arguments, Some(&root));
    assert!(matches!(output.status.code(), Some(0 | 2)), "{}", String::from_utf8_lossy(&output.stderr));
    let files = ["oscap.xml", "oscap-arf.xml", "virtscap.xml", "virtscap-arf.xml"].map(path);
    let mut arguments = vec![datastream];
    arguments.extend(files.clone());
    let parsed = answer(operator, "results", &arguments);
    let checks = |file: &Path| -> BTreeMap<String, Value> {
        let of = &parsed[file.to_str().unwrap()];
        assert_eq!(of["error"], "", "the operator loses a remediation: {}", file.display());
        let checks = of["checks"].as_array().unwrap();
        checks.iter().map(|check| (text(check, "id").to_owned(), check.clone())).collect()
    };
    let selected = BENCHMARK.rules().filter(|rule| profile.selects(rule));
    let selected: BTreeSet<_> = selected.map(|rule| full_rule_id(&rule.id)).collect();
    let expected = checks(&files[0]);
    assert_eq!(expected.keys().cloned().collect::<BTreeSet<_>>(), selected);
    for file in &files[1..] {
        let found = checks(file);
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "{}",
            file.display()
        );
        for (id, check) in found {
            assert_eq!(check, expected[&id], "{snapshot}, {id}, {}", file.display());
        }
    }
    for rule in BENCHMARK.rules().filter(|rule| profile.selects(rule)) {
        let used = list(&expected[&full_rule_id(&rule.id)]["valuesUsed"]).into_iter().map(str::to_owned);
        let values = rule.values().into_iter().map(|id| id.replace('_', "-"));
        assert_eq!(used.collect::<BTreeSet<_>>(), values.collect(), "{}", rule.id);
    }
    let count = |status: &str| expected.values().filter(|check| text(check, "status") == status).count();
    say(&format!(
        "operator: {} of {snapshot}: {} PASS, {} FAIL, {} ERROR, of {}, in files of oscap and of virtscap",
        profile.id,
        count("PASS"),
        count("FAIL"),
        count("ERROR"),
        selected.len()
    ));
}

#[test]
fn the_cel_scanner_says_what_the_cases_expect() {
    let Some(operator) = &*OPERATOR else { return };
    let cases = cases(Scope::Platform);
    let mut requests = String::new();
    let mut asked_of: Vec<Vec<Option<Said>>> = Vec::new();
    for (rule, case) in &cases {
        let legs = rule.check.iter().map(|leg| match asked(leg, case) {
            Asked::Decided(said) => Some(said),
            Asked::Form(form, inputs) => {
                let inputs: Vec<_> = inputs
                    .iter()
                    .map(|(input, items)| {
                        let (group, version) = input.resource.api.split_once('/').unwrap_or(("", &input.resource.api));
                        json!({"name": input.name, "group": group, "version": version, "resource": input.resource.resource, "items": items})
                    })
                    .collect();
                writeln!(requests, "{}", json!({"expression": form.expression, "inputs": inputs})).unwrap();
                None
            }
        });
        asked_of.push(legs.collect());
    }
    let mut verdicts = operator.run("cel", [], requests).into_iter();
    let mut differences = Vec::new();
    for ((rule, case), legs) in cases.iter().zip(asked_of) {
        let mut said = Vec::new();
        let mut why = Vec::new();
        for leg in legs {
            said.push(leg.unwrap_or_else(|| {
                let verdict = verdicts.next().unwrap();
                assert_eq!(verdict["invalid"], "", "the scanner does not take a form of {}", rule.id);
                why.extend(list(&verdict["warnings"]).into_iter().map(str::to_owned));
                match text(&verdict, "status") {
                    "PASS" => Said::Pass,
                    "FAIL" => Said::Fail,
                    "ERROR" => Said::Error,
                    other => panic!("{other}"),
                }
            }));
        }
        let difference = cel_form::difference(rule, case, &said);
        differences.extend(difference.map(|difference| format!("{difference}: {}", why.join("; "))));
    }
    assert!(verdicts.next().is_none());
    let agree = cases.len() - differences.len();
    let rules = platform_rules().count();
    say(&format!("operator: CEL scanner: {agree} of {} cases of {rules} rules agree", cases.len()));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn an_api_server_objects_to_what_is_wrong() {
    let Some(operator) = &*OPERATOR else { return };
    let meta = json!({"name": "wrong", "namespace": "openshift-compliance"});
    let api = "compliance.openshift.io/v1alpha1";
    let input = json!({"name": "pods", "kubernetesInputSpec": {"apiVersion": "v1", "resource": "pods"}});
    let wrong = [
        json!({
            "apiVersion": api, "kind": "TailoredProfile", "metadata": meta,
            "spec": {"title": "x", "description": "x", "extnds": "x", "setValues": [{"name": "x", "value": "x"}]},
        }),
        json!({
            "apiVersion": api, "kind": "CustomRule", "metadata": meta,
            "spec": {
                "id": "wrong", "title": "x", "severity": "low", "checkType": "Platform", "scannerType": "CEL",
                "failureReason": "x", "inputs": [input], "expression": "vms.items.size() > 0",
            },
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "wrong"},
            "rules": [{"apiGroups": [""], "resource": ["pods"], "verbs": ["get"]}],
        }),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.yaml");
    let documents: Vec<_> = wrong.iter().map(|object| serde_yaml::to_string(object).unwrap()).collect();
    std::fs::write(&file, documents.join("---\n")).unwrap();
    let judged = answer(operator, "manifests", &[operator.crds.clone(), file.clone()]);
    let judged = judged[file.to_str().unwrap()].as_array().unwrap().clone();
    let expected = [
        vec!["unknown field spec.extnds", "spec.setValues[0].rationale: Required value"],
        vec!["undeclared reference to 'vms'"],
        vec!["unknown field \"rules[0].resource\""],
    ];
    assert_eq!(judged.len(), expected.len());
    for (document, expected) in judged.iter().zip(expected) {
        let objections = list(&document["objections"]);
        assert_eq!(objections.len(), expected.len(), "{document:#}");
        for (objection, expected) in objections.iter().zip(expected) {
            assert!(objection.contains(expected), "{document:#}");
        }
    }
}

#[test]
fn an_api_server_takes_the_manifests() {
    let Some(operator) = &*OPERATOR else { return };
    let mut files = vec![operator.crds.clone()];
    files.extend(manifests("operator", ""));
    files.extend(manifests("operator/customrules", ""));
    let judged = answer(operator, "manifests", &files);
    let mut by: BTreeMap<String, usize> = BTreeMap::new();
    let mut profiles = BTreeSet::new();
    for (file, documents) in judged.as_object().unwrap() {
        for document in documents.as_array().unwrap() {
            assert_eq!(document["objections"], Value::Null, "{file}: {document:#}");
            *by.entry(format!("{} {}", text(document, "kind"), text(document, "by"))).or_default() += 1;
            if text(document, "kind") == "TailoredProfile" {
                profiles.insert(text(document, "name").to_owned());
            }
        }
    }
    for kind in ["ProfileBundle", "ScanSetting", "ScanSettingBinding", "TailoredProfile", "CustomRule"] {
        assert!(by.contains_key(&format!("{kind} CustomResourceDefinition")), "{by:?}");
    }
    profiles.extend(BENCHMARK.profiles.iter().map(|profile| named(&profile.id)));
    for file in manifests("operator", "scansettingbinding-") {
        let binding: Value = serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        for profile in binding["profiles"].as_array().unwrap() {
            assert!(profiles.contains(text(profile, "name")), "{}: {profile}", file.display());
        }
    }
    let by: Vec<_> = by.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    say(&format!("operator: no objection to {}", by.join(", ")));
}
