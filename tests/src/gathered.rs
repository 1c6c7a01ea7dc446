//! Must-gathers made of snapshots, in the layouts of the images' collection scripts, and damage to files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use virtscap_cli::Verdict;
use virtscap_evaluator::source::ApiSource;

use crate::{IN_MEMORY, every_platform_rule, prepared, project, verdicts};

/// The lists of a snapshot: group, version, resource, and the objects, each with `apiVersion` and `kind`.
pub fn lists(snapshot: &str) -> Vec<([String; 3], Vec<Value>)> {
    let root = project().join("tests/snapshots").join(snapshot);
    let mut files = [files_below(&root.join("api")), files_below(&root.join("apis"))].concat();
    files.sort();
    let mut lists = Vec::new();
    for file in files {
        let mut list: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let Some(items) = list.get_mut("items").map(Value::take) else { continue };
        let relative = file.strip_prefix(&root).unwrap().with_extension("");
        let parts: Vec<_> = relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        let of = match &*parts {
            [_, version, resource] => [String::new(), version.clone(), resource.clone()],
            [_, group, version, resource] => [group.clone(), version.clone(), resource.clone()],
            _ => panic!("{}", file.display()),
        };
        let mut objects = items.as_array().unwrap().clone();
        for object in &mut objects {
            let kind = list["kind"].as_str().unwrap().trim_end_matches("List");
            let object = object.as_object_mut().unwrap();
            object.entry("kind").or_insert_with(|| kind.into());
            object.entry("apiVersion").or_insert_with(|| list["apiVersion"].clone());
        }
        lists.push((of, objects));
    }
    lists
}

/// Writes a file as `oc get -o yaml` does.
pub fn write_yaml(file: &Path, object: &Value) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, serde_yaml::to_string(object).unwrap()).unwrap();
}

/// Writes what OpenShift's and OpenShift Virtualization's must-gather images would have collected of a snapshot's
/// cluster, at most `limit` objects of each resource, a folder for each image.
pub fn must_gather(snapshot: &str, limit: usize, root: &Path) {
    let mut definitions: BTreeMap<String, (String, Value, BTreeSet<String>)> = BTreeMap::new();
    for ([group, version, resource], objects) in lists(snapshot) {
        let of_product = group.contains("kubevirt.io");
        let cnv = root.join("registry-cnv-must-gather-sha256-1");
        let ocp = root.join("quay-ocp-must-gather-sha256-2");
        let mut templates: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for object in objects.into_iter().take(limit) {
            let name = object["metadata"]["name"].as_str().unwrap();
            let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
            let of = format!("{resource}.{group}");
            let in_namespace = format!("namespaces/{namespace}");
            if of_product {
                let known = definitions.entry(of.clone());
                let known = known.or_insert((group.clone(), object["kind"].clone(), BTreeSet::new()));
                known.2.insert(version.clone());
            }
            let file = match (&*resource, namespace) {
                ("virtualmachines", _) => {
                    let labels = object["metadata"]["labels"].as_object();
                    let based =
                        labels.is_some_and(|l| l.keys().any(|k| k.starts_with("vm.kubevirt.io/template")));
                    let of_type = if based { "template-based" } else { "custom" };
                    cnv.join(in_namespace).join("kubevirt.io/virtualmachines").join(of_type)
                }
                ("templates", _) => {
                    templates.entry(namespace.to_owned()).or_default().push(object.clone());
                    continue;
                }
                (_, "") if of_product => cnv.join("cluster-scoped-resources").join(of),
                _ if of_product => cnv.join(in_namespace).join("crs").join(of),
                ("network-attachment-definitions", _) => {
                    let file =
                        cnv.join(&in_namespace).join(&group).join(&resource).join(format!("{name}.yaml"));
                    write_yaml(&file, &object);
                    ocp.join(in_namespace).join(&group).join(&resource)
                }
                ("clusteruserdefinednetworks" | "networks", _) => {
                    ocp.join("cluster-scoped-resources").join(&group).join(&resource)
                }
                ("nodes", _) => ocp.join("cluster-scoped-resources/core/nodes"),
                ("multi-networkpolicies" | "sriovnetworks" | "ovsnetworks" | "controllerrevisions", _) => {
                    ocp.join(in_namespace).join(&group).join(&resource)
                }
                // The images do not collect the others, or only some of them.
                _ => continue,
            };
            write_yaml(&file.join(format!("{name}.yaml")), &object);
        }
        for (namespace, items) in templates {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
            write_yaml(&cnv.join(format!("namespaces/{namespace}/templates/{namespace}.yaml")), &list);
        }
    }
    let cnv = root.join("registry-cnv-must-gather-sha256-1");
    for (name, (group, kind, versions)) in definitions {
        let of_version = |version| json!({"name": version, "served": true, "storage": true});
        let versions: Vec<_> = versions.iter().map(of_version).collect();
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": name, "uid": "6f4c7c7e-0000-4000-8000-000000000001"},
            "spec": {"group": group, "names": {"kind": kind}, "versions": versions},
            "status": {"storedVersions": [versions[0]["name"]]},
        });
        let folder = cnv.join("cluster-scoped-resources/apiextensions.k8s.io/customresourcedefinitions");
        write_yaml(&folder.join(format!("{name}.yaml")), &definition);
    }
    for folder in ["event-filter.html", "timestamp"] {
        std::fs::write(cnv.join(folder), "x").unwrap();
    }
}

/// Verdicts by the rule's name.
pub type Verdicts = BTreeMap<String, Verdict>;

/// What virtscap says of every rule that reads the API, on a source.
pub fn judge(source: &dyn ApiSource) -> Verdicts {
    prepared(&IN_MEMORY, &every_platform_rule(), |prepared| verdicts(prepared, &prepared.collect(source)))
}

/// Damages a file; `elsewhere` is another folder.
pub fn damage(file: &Path, how: &str, elsewhere: &Path) {
    let bytes = std::fs::read(file).unwrap();
    match how {
        "removed" => std::fs::remove_file(file).unwrap(),
        "empty" => std::fs::write(file, "").unwrap(),
        // Not at the end of a line, since what is left may then be a whole object.
        "cut in half" | "cut near the end" => {
            let wanted = if how == "cut in half" { bytes.len() / 2 } else { bytes.len() - 10 };
            let at = (wanted..bytes.len()).find(|at| *at > 0 && bytes[at - 1] != b'\n').unwrap();
            std::fs::write(file, &bytes[..at]).unwrap();
        }
        "no YAML" => std::fs::write(file, "error: {the server: is\n- not there\n").unwrap(),
        "another kind" => {
            let other = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {}, "metadata": {"name": "x", "uid": "y"}});
            write_yaml(file, &other);
        }
        "a link" => {
            let target = elsewhere.join("target.yaml");
            std::fs::write(&target, &bytes).unwrap();
            std::fs::remove_file(file).unwrap();
            std::os::unix::fs::symlink(&target, file).unwrap();
        }
        other => panic!("{other}"),
    }
}

/// The files below a folder, sorted.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// A folder's files in a temporary folder.
pub fn copied(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in files_below(folder) {
        let target = copy.path().join(file.strip_prefix(folder).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(file, target).unwrap();
    }
    copy
}
