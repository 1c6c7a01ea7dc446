//! What is where in a must-gather, by the names of folders and files alone.
//!
//! The layouts are those of `oc adm inspect` and of the collection scripts of OpenShift's and of OpenShift Virtualization's
//! must-gather images. Each image has a folder of its own; the names that mean something are looked for below any folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::FileType;
use std::path::{Path, PathBuf};

/// How many files and folders a must-gather may have.
const MAX_ENTRIES: usize = 2_000_000;

/// How deep folders may be in folders.
const MAX_DEPTH: usize = 40;

/// Endings of files that hold no objects.
const OTHER: [&str; 6] = ["log", "txt", "html", "gz", "xml", "journal"];

/// A resource: the group of its API, empty for the core, and its name.
pub(super) type Resource = (String, String);

/// A file in which objects of a resource are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The file.
    pub(super) file: PathBuf,
    /// The namespace of the folder that it is in.
    pub(super) namespace: Option<String>,
    /// Whether the must-gather puts all objects of the resource in places like this.
    pub(super) whole: bool,
    /// Why it is not to be read.
    pub(super) problem: Option<&'static str>,
}

/// What is where.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) places: BTreeMap<Resource, Vec<Place>>,
    /// Files that say how many objects of a resource there were.
    pub(super) counts: BTreeMap<Resource, Vec<PathBuf>>,
    /// Command lines of kernels, by node.
    pub(super) command_lines: BTreeMap<String, Vec<PathBuf>>,
    /// What could not be looked at, so that anything may be missing.
    pub(super) flaws: Vec<String>,
    /// Whether any of the folders was found that make a must-gather.
    pub(super) is_must_gather: bool,
}

impl Index {
    /// Walks a folder. Links are not followed.
    pub(super) fn of(root: &Path) -> Result<Self, String> {
        let mut index = Self::default();
        let mut folders = vec![root.to_owned()];
        let mut entries = 0;
        while let Some(folder) = folders.pop() {
            let names = std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let names = match names {
                Ok(names) => names,
                Err(e) if folder == root => return Err(e.to_string()),
                Err(e) => {
                    index.flaws.push(format!("{}: {e}", folder.display()));
                    continue;
                }
            };
            for entry in names {
                entries += 1;
                if entries > MAX_ENTRIES {
                    return Err(format!("holds more than {MAX_ENTRIES} files and folders"));
                }
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => {
                        if path.components().count() - root.components().count() > MAX_DEPTH {
                            return Err(format!("{}: too many folders in folders", path.display()));
                        }
                        folders.push(path);
                    }
                    Ok(kind) => index.add(root, path, Some(kind)),
                    Err(e) => index.flaws.push(format!("{}: {e}", path.display())),
                }
            }
        }
        // The order of a directory is anybody's.
        index.places.values_mut().for_each(|places| places.sort_by(|a, b| a.file.cmp(&b.file)));
        index.counts.values_mut().chain(index.command_lines.values_mut()).for_each(|files| files.sort());
        index.flaws.sort();
        Ok(index)
    }

    /// Adds what is no folder; without a kind a link of an archive.
    pub(super) fn add(&mut self, root: &Path, file: PathBuf, kind: Option<FileType>) {
        let relative = file.strip_prefix(root).unwrap_or(&file);
        let names: Vec<_> = relative.components().map(|c| c.as_os_str().to_string_lossy()).collect();
        let is_top =
            |name: &str| matches!(name, "cluster-scoped-resources" | "namespaces" | "nodes" | "virt_info");
        let is_regular = kind.is_some_and(|kind| kind.is_file());
        let problem = match kind {
            Some(kind) if kind.is_file() => None,
            Some(kind) if !kind.is_symlink() => Some("is no regular file"),
            Some(_) | None => Some("is a link, which is not followed"),
        };
        let top = names.iter().position(|name| is_top(name));
        let below: Vec<&str> =
            names.iter().skip(top.map_or(names.len(), |top| top + 1)).map(AsRef::as_ref).collect();
        let mut flaw = |problem: Option<&str>| {
            // It may stand for a folder, or for a file that counts.
            let is_other = relative.extension().is_some_and(|e| OTHER.iter().any(|other| e == *other));
            if let Some(problem) = problem
                && !is_other
            {
                self.flaws.push(format!("{}: {problem}", relative.display()));
            }
        };
        let Some(top) = top else { return flaw(problem) };
        let mut places = match &*names[top] {
            "cluster-scoped-resources" => cluster_scoped(&below),
            "namespaces" => namespaced(&below),
            "nodes" | "virt_info" if problem.is_some() => return flaw(problem),
            "nodes" => {
                if let [node, "proc_cmdline"] = &*below {
                    self.command_lines.entry((*node).to_owned()).or_default().push(file);
                }
                return;
            }
            _ => {
                if let ["crd", name] = &*below
                    && let Some((resource, group)) =
                        name.strip_suffix(".count").and_then(|n| n.split_once('.'))
                {
                    let resource = (group.to_owned(), resource.to_owned());
                    self.counts.entry(resource).or_default().push(file);
                }
                return;
            }
        };
        self.is_must_gather |= is_regular;
        if places.is_empty() {
            flaw(problem);
        }
        let namespace =
            (names[top] == "namespaces").then(|| below.first().map(|n| (*n).to_owned())).flatten();
        let known: BTreeSet<_> = places.drain(..).collect();
        for (group, resource, whole) in known {
            let place = Place { file: file.clone(), namespace: namespace.clone(), whole, problem };
            self.places.entry((group, resource)).or_default().push(place);
        }
    }
}

/// The name of a file of objects, without its ending.
fn stem(name: &str) -> Option<&str> {
    [".yaml", ".yml", ".json"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .filter(|stem| !stem.is_empty())
}

/// A group as a folder is called.
fn group(name: &str) -> String {
    if name == "core" { String::new() } else { name.to_owned() }
}

/// What may be in a file: group, resource, and whether such files hold all there is.
type Candidate = (String, String, bool);

/// The name of a definition, such as `cdis.cdi.kubevirt.io`.
fn of_definition(name: &str) -> Option<Candidate> {
    let (resource, group) = name.split_once('.')?;
    Some((group.to_owned(), resource.to_owned(), true))
}

fn cluster_scoped(below: &[&str]) -> Vec<Candidate> {
    let [folders @ .., name] = below else { return Vec::new() };
    let Some(stem) = stem(name) else { return Vec::new() };
    match folders {
        // Both schemes look alike: `cdis.cdi.kubevirt.io/cdi.yaml` is an object, `core/nodes.yaml` a list.
        [folder] => {
            of_definition(folder).into_iter().chain([(group(folder), stem.to_owned(), false)]).collect()
        }
        [of, resource] => vec![(group(of), (*resource).to_owned(), false)],
        _ => Vec::new(),
    }
}

fn namespaced(below: &[&str]) -> Vec<Candidate> {
    let [namespace, folders @ .., name] = below else { return Vec::new() };
    let Some(stem) = stem(name) else { return Vec::new() };
    let owned = |group: &str, resource: &str, whole| vec![(group.to_owned(), resource.to_owned(), whole)];
    match folders {
        [] if stem == *namespace => owned("", "namespaces", false),
        ["crs", definition] => of_definition(definition).into_iter().collect(),
        // Below the resource there is a folder for each type of virtual machine.
        ["kubevirt.io", "virtualmachines", _] => owned("kubevirt.io", "virtualmachines", true),
        ["templates"] => owned("template.openshift.io", "templates", false),
        ["pods", pod] if stem == *pod => owned("", "pods", false),
        ["pods" | "crs" | "vms", ..] => Vec::new(),
        [of] => vec![(group(of), stem.to_owned(), false)],
        [of, resource] => vec![(group(of), (*resource).to_owned(), false)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        type Found<'a> = (&'a str, &'a str, bool);
        let cases: [(&str, &[Found<'_>]); 13] = [
            (
                "cluster-scoped-resources/cdis.cdi.kubevirt.io/cdi.yaml",
                &[("cdi.kubevirt.io", "cdis", true), ("cdis.cdi.kubevirt.io", "cdi", false)],
            ),
            ("cluster-scoped-resources/core/nodes/n1.yaml", &[("", "nodes", false)]),
            ("cluster-scoped-resources/core/nodes.yaml", &[("", "nodes", false)]),
            (
                "x/y/cluster-scoped-resources/k8s.ovn.org/clusteruserdefinednetworks/a.b.yaml",
                &[("k8s.ovn.org", "clusteruserdefinednetworks", false)],
            ),
            (
                "q/namespaces/a/crs/hyperconvergeds.hco.kubevirt.io/h.yaml",
                &[("hco.kubevirt.io", "hyperconvergeds", true)],
            ),
            (
                "namespaces/a/kubevirt.io/virtualmachines/custom/v.yaml",
                &[("kubevirt.io", "virtualmachines", true)],
            ),
            ("namespaces/a/kubevirt.io/virtualmachines/v.yaml", &[("kubevirt.io", "virtualmachines", false)]),
            ("namespaces/a/core/pods.yaml", &[("", "pods", false)]),
            ("namespaces/a/pods/p/p.yaml", &[("", "pods", false)]),
            ("namespaces/a/pods/p/c/c/logs/current.yaml", &[]),
            ("namespaces/a/a.yaml", &[("", "namespaces", false)]),
            ("namespaces/a/templates/a.yaml", &[("template.openshift.io", "templates", false)]),
            ("event-filter.html", &[]),
        ];
        for (path, expected) in cases {
            let root = tempfile::tempdir().unwrap();
            let file = root.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, "").unwrap();
            let index = Index::of(root.path()).unwrap();
            let found: Vec<_> = index.places.iter().map(|((g, r), p)| (&**g, &**r, p[0].whole)).collect();
            assert_eq!(found, expected, "{path}");
        }
    }
}
