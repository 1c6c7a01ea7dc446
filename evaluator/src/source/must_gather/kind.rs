//! What a must-gather has of one resource.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::index::{Index, Place, Resource};
use crate::api_path::ApiPath;
use crate::source::items::InFile;
use crate::source::objects::{Identity, content, documents, objects};

/// An object that was found.
#[derive(Debug)]
struct Object {
    version: String,
    namespace: String,
    name: String,
    /// The file, and which of its objects.
    file: PathBuf,
    number: usize,
    has_status: bool,
}

/// Of what a definition of a resource says: one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    /// Whether the API server serves it.
    pub(super) served: bool,
    /// Whether a controller writes a status of objects.
    pub(super) has_status: bool,
}

/// The objects of a resource, in all versions and namespaces.
#[derive(Debug, Default)]
pub(super) struct Kind {
    objects: Vec<Object>,
    /// What could not be read.
    pub(super) damaged: Vec<String>,
    /// Names of objects, with namespaces, that are in places which hold all there are.
    of_whole: BTreeSet<(String, String)>,
    /// How many there were when they were counted.
    counts: Vec<u64>,
    /// An object whose values were replaced.
    redacted: Option<String>,
    /// Of definitions of resources: the versions, by name of the definition.
    definitions: BTreeMap<String, BTreeMap<String, Version>>,
}

impl Kind {
    /// Reads all files in which objects of the resource may be, one at a time.
    pub(super) fn read(root: &Path, index: &Index, resource: &Resource) -> Self {
        let mut kind = Self::default();
        let mut seen = BTreeSet::new();
        for place in index.places.get(resource).into_iter().flatten() {
            if let Err(reason) = kind.add(place, resource, &mut seen) {
                let file = place.file.strip_prefix(root).unwrap_or(&place.file);
                kind.damaged.push(format!("{}: {reason}", file.display()));
            }
        }
        for file in index.counts.get(resource).into_iter().flatten() {
            let text = content(file).map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
            match text.and_then(|text| text.parse().map_err(|_| "is no number".to_owned())) {
                Ok(count) => kind.counts.push(count),
                Err(reason) => {
                    let file = file.strip_prefix(root).unwrap_or(file);
                    kind.damaged.push(format!("{}: {reason}", file.display()));
                }
            }
        }
        kind
    }

    fn add(
        &mut self,
        place: &Place,
        resource: &Resource,
        seen: &mut BTreeSet<(Identity, Vec<u8>)>,
    ) -> Result<(), String> {
        if let Some(problem) = place.problem {
            return Err(problem.to_owned());
        }
        let bytes = content(&place.file)?;
        if bytes.trim_ascii().is_empty() {
            return Err("is empty".to_owned());
        }
        if !bytes.ends_with(b"\n") && !bytes.trim_ascii_start().starts_with(b"{") {
            return Err("has no end of line, as if cut off".to_owned());
        }
        let documents = documents(&bytes)?;
        if documents.is_empty() {
            return Err("holds no object".to_owned());
        }
        // What is wrong with one object does not take the others away; an offender among them is one all the same.
        let mut problem = None;
        for (number, object) in documents.into_iter().flat_map(objects).enumerate() {
            let checked = object.and_then(|(identity, value)| {
                check(&identity, &value, place, resource).map(|()| (identity, value))
            });
            match checked {
                Ok((identity, value)) => self.add_object(place, number, identity, &value, seen),
                Err(reason) => problem = problem.or(Some(reason)),
            }
        }
        problem.map_or(Ok(()), Err)
    }

    fn add_object(
        &mut self,
        place: &Place,
        number: usize,
        identity: Identity,
        value: &Value,
        seen: &mut BTreeSet<(Identity, Vec<u8>)>,
    ) {
        let digest = Sha256::digest(value.to_string()).to_vec();
        if place.whole {
            self.of_whole.insert((identity.namespace.clone(), identity.name.clone()));
        }
        // Several images collect the same objects. Where they differ each is judged, and an offender in one is enough.
        if !seen.insert((identity.clone(), digest)) {
            return;
        }
        if self.redacted.is_none() && is_redacted(value) {
            self.redacted = Some(identity.shown());
        }
        if identity.kind == "CustomResourceDefinition"
            && let Some(versions) = versions(value)
        {
            let known = self.definitions.entry(identity.name.clone()).or_default();
            for (name, version) in versions {
                let known = known.entry(name).or_insert(version);
                known.served |= version.served;
                known.has_status |= version.has_status;
            }
        }
        self.objects.push(Object {
            version: identity.version,
            namespace: identity.namespace,
            name: identity.name,
            file: place.file.clone(),
            number,
            has_status: value.get("status").is_some(),
        });
    }

    /// Where the objects are that a path asks for, by file.
    pub(super) fn objects(&self, asked: &ApiPath) -> Vec<InFile> {
        let mut files: Vec<InFile> = Vec::new();
        for object in self.wanted(asked).filter(|object| object.version == asked.version) {
            match files.last_mut() {
                Some(last) if last.file == object.file => last.numbers.push(object.number),
                _ => files.push(InFile { file: object.file.clone(), numbers: vec![object.number] }),
            }
        }
        files
    }

    /// The objects that a path asks for, in any version.
    fn wanted<'a>(&'a self, asked: &'a ApiPath) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(|object| asked.wants(&object.namespace, &object.name))
    }

    /// Whether all who counted the resource's objects found none.
    pub(super) fn counted_none(&self) -> bool {
        self.objects.is_empty() && !self.counts.is_empty() && self.counts.iter().all(|count| *count == 0)
    }

    /// Why there is no answer, where nothing is wrong with what is there.
    pub(super) fn nothing(&self, asked: &ApiPath) -> String {
        let versions: BTreeSet<_> = self.wanted(asked).map(|object| &*object.version).collect();
        if versions.is_empty() {
            return format!(
                "the must-gather has no {}, which does not mean that the cluster has none",
                asked.shown()
            );
        }
        let versions: Vec<_> = versions.into_iter().collect();
        format!(
            "the must-gather has {} in version {} and not in this one, and objects are not converted",
            asked.shown(),
            versions.join(", ")
        )
    }

    /// Why objects that are there may not be all that there are, or not all of each; none where the must-gather shows that
    /// the answer is whole: one object was asked for, or all are in places to which all are written, or they were counted.
    pub(super) fn gap(&self, asked: &ApiPath, version: Option<&Version>) -> Option<String> {
        let names = |objects: &mut dyn Iterator<Item = &Object>| {
            objects.map(|object| (object.namespace.clone(), object.name.clone())).collect::<BTreeSet<_>>()
        };
        let all = names(&mut self.objects.iter());
        let wanted = names(&mut self.wanted(asked));
        let of_version = names(&mut self.wanted(asked).filter(|object| object.version == asked.version));
        let many = match of_version.len() {
            1 => "1 object is there".to_owned(),
            many => format!("{many} objects are there"),
        };
        if let Some(object) = &self.redacted {
            return Some(format!("values were taken out of the must-gather, such as in {object}; {many}"));
        }
        if wanted != of_version {
            return Some(format!("{many} in this version, others in another one only"));
        }
        let mut cut =
            self.wanted(asked).filter(|object| object.version == asked.version && !object.has_status);
        if version.is_some_and(|version| version.has_status)
            && let Some(object) = cut.next()
        {
            return Some(format!(
                "{}: has no status, as if the file were cut off; {many}",
                object.file.file_name().unwrap_or_default().to_string_lossy()
            ));
        }
        if asked.name.is_some() {
            return None;
        }
        let counted = self.counts.iter().all(|count| usize::try_from(*count) == Ok(all.len()));
        if !counted {
            return Some(format!("{} objects are there, and {:?} were counted", all.len(), self.counts));
        }
        // An object in another place that these lack shows that they do not have all.
        if self.counts.is_empty() && self.of_whole != all {
            return Some(format!("{many}; a must-gather need not have them all"));
        }
        None
    }

    /// What a definition says of a version; none where it is not there.
    pub(super) fn version_of(&self, definition: &str, version: &str) -> Option<Version> {
        let versions = self.definitions.get(definition)?;
        let unknown = Version { served: false, has_status: false };
        Some(versions.get(version).copied().unwrap_or(unknown))
    }
}

/// Tells an object as the API server serves it, in its place, from what is none, or was cut off.
fn check(
    identity: &Identity,
    value: &Value,
    place: &Place,
    (group, resource): &Resource,
) -> Result<(), String> {
    if !identity.is_of(group, resource) {
        return Err(format!("holds a {}, which does not belong there", identity.kind));
    }
    // A Namespace is in the folder of its own name, and has no namespace.
    let namespaces =
        [Some(&identity.namespace), (group.is_empty() && resource == "namespaces").then_some(&identity.name)];
    let is_there = place.namespace.as_ref().is_none_or(|n| namespaces.contains(&Some(n)));
    if !is_there {
        return Err(format!("holds {}, which belongs to another namespace", identity.shown()));
    }
    let uid = value.get("metadata").and_then(|metadata| metadata.get("uid")).and_then(Value::as_str);
    if identity.name.is_empty() || uid.is_none_or(str::is_empty) {
        return Err(format!("holds {} without a name or a uid, as if cut off", identity.shown()));
    }
    let is_more = |key: &String| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata");
    if !value.as_object().is_some_and(|object| object.keys().any(is_more)) {
        return Err(format!("holds {} with metadata alone, as if cut off", identity.shown()));
    }
    Ok(())
}

/// The versions that a definition of a resource names. Its status comes last, so that one with it was not cut off.
fn versions(definition: &Value) -> Option<Vec<(String, Version)>> {
    let stored = definition.get("status")?.get("storedVersions")?.as_array()?;
    let versions = definition.get("spec")?.get("versions")?.as_array()?;
    if stored.is_empty() || versions.is_empty() {
        return None;
    }
    let version = |version: &Value| {
        let has_status = version.get("subresources").and_then(|s| s.get("status")).is_some();
        Some((
            version.get("name")?.as_str()?.to_owned(),
            Version { served: version.get("served")?.as_bool()?, has_status },
        ))
    };
    versions.iter().map(version).collect()
}

/// Words that stand for values that were taken out.
const REDACTED: [&str; 4] = ["redacted", "obfuscated", "sanitized", "omitted"];

/// Whether values of an object were taken out or replaced, as `must-gather-clean` and people do.
fn is_redacted(value: &Value) -> bool {
    match value {
        Value::String(text) => is_redacted_text(text),
        Value::Array(items) => items.iter().any(is_redacted),
        Value::Object(map) => map.values().any(is_redacted),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_redacted_text(text: &str) -> bool {
    // `x-ipv4-0000000001-x`, and `xxx.xxx.xxx.xxx`.
    let replaced = |word: &str| {
        let inner = word.strip_prefix("x-").and_then(|rest| rest.strip_suffix("-x"));
        inner
            .and_then(|inner| inner.rsplit_once('-'))
            .is_some_and(|(_, number)| number.len() == 10 && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let word = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    REDACTED.iter().any(|redacted| word.eq_ignore_ascii_case(redacted))
        || matches!(text, "xxx.xxx.xxx.xxx" | "xx:xx:xx:xx:xx:xx")
        || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(replaced)
}
