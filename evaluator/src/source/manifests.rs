//! Manifests: objects as they are written before they are applied, in files, folders and on standard input.
//!
//! What is given is judged as it stands. Nothing is known of what the cluster has beside it, and no default is filled in.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::objects::{Identity, content, documents, objects};
use super::{Answer, ApiSource, Format, Next, Page, PageContent, Pages, Refusal, bounded};
use crate::api_path::ApiPath;
use crate::gap::{self, Gap, GapKind};
use crate::report::SourceReport;

/// How many bytes of manifests are read.
const MAX_TOTAL: usize = 1 << 30;

/// How many files and folders may be looked at.
const MAX_ENTRIES: usize = 100_000;

/// Manifests.
#[derive(Debug, Default)]
pub struct Manifests {
    location: String,
    objects: BTreeMap<Identity, Vec<Vec<u8>>>,
    damaged: Vec<String>,
    notes: Vec<String>,
    total: usize,
    entries: usize,
}

/// Why manifests cannot be scanned.
#[derive(Debug, thiserror::Error)]
pub enum ManifestsError {
    /// A path that was named cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// There is more than anybody writes.
    #[error("{path}: there are more than {} MiB of manifests, or more than {MAX_ENTRIES} files", MAX_TOTAL >> 20)]
    TooLarge {
        /// Where that was noticed.
        path: PathBuf,
    },
    /// There is no object.
    #[error("there is no Kubernetes object in {location}{}", told(notes))]
    Empty {
        /// What was named.
        location: String,
        /// What there was.
        notes: Vec<String>,
    },
}

fn told(notes: &[String]) -> String {
    notes.iter().map(|note| format!("\n  {note}")).collect()
}

impl Manifests {
    /// Reads files, of folders those that end in `.yaml`, `.yml` or `.json`, and for `-` standard input.
    ///
    /// # Errors
    /// [`ManifestsError`] where a path that is named cannot be read, and where there is no object.
    pub fn open(paths: &[PathBuf], input: &mut dyn Read) -> Result<Self, ManifestsError> {
        let named = |path: &PathBuf| match path.to_str() {
            Some("-") => "standard input".to_owned(),
            _ => path.display().to_string(),
        };
        let location = paths.iter().map(named).collect::<Vec<_>>().join(", ");
        let mut manifests = Self { location, ..Self::default() };
        for path in paths {
            let io = |source| ManifestsError::Io { path: path.clone(), source };
            if path.as_os_str() == "-" {
                let mut bytes = Vec::new();
                input.take(super::MAX_CONTENT + 1).read_to_end(&mut bytes).map_err(io)?;
                manifests.add(Path::new("standard input"), &bounded(bytes).map_err(io)?)?;
            } else if std::fs::metadata(path).map_err(io)?.is_dir() {
                manifests.add_folder(path)?;
            } else {
                manifests.add_file(path)?;
            }
        }
        if manifests.objects.is_empty() {
            let mut notes = manifests.damaged;
            notes.extend(manifests.notes);
            return Err(ManifestsError::Empty { location: manifests.location, notes });
        }
        Ok(manifests)
    }

    /// What was skipped, and objects that were there twice.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn add_folder(&mut self, root: &Path) -> Result<(), ManifestsError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| ManifestsError::Io { path, source }
        };
        let whole = std::fs::canonicalize(root).map_err(io(root))?;
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let mut paths: Vec<_> =
                entries.map_err(io(&folder))?.iter().map(std::fs::DirEntry::path).collect();
            paths.sort();
            for path in paths {
                self.entries += 1;
                if self.entries > MAX_ENTRIES {
                    return Err(ManifestsError::TooLarge { path });
                }
                let is_manifest = path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
                let kind = std::fs::symlink_metadata(&path).map_err(io(&path))?;
                if kind.is_dir() {
                    // What a version control keeps for itself is nobody's manifest.
                    if path.file_name().is_none_or(|name| name != ".git") {
                        folders.push(path);
                    }
                } else if kind.is_file() {
                    if is_manifest {
                        self.add_file(&path)?;
                    }
                } else {
                    // What a link within the folder leads to is read under its own name.
                    let target = std::fs::canonicalize(&path).ok();
                    let is_inside = target.as_ref().is_some_and(|target| target.starts_with(&whole));
                    let may_count = is_manifest || target.is_some_and(|target| target.is_dir());
                    if may_count && !is_inside {
                        let text = "leads out of the folder, or nowhere, and was not followed";
                        self.damaged.push(format!("{}: {text}", path.display()));
                    }
                }
            }
        }
        Ok(())
    }

    fn add_file(&mut self, file: &Path) -> Result<(), ManifestsError> {
        match content(file) {
            Ok(bytes) => self.add(file, &bytes),
            Err(reason) => {
                self.damaged.push(format!("{}: {reason}", file.display()));
                Ok(())
            }
        }
    }

    fn add(&mut self, file: &Path, bytes: &[u8]) -> Result<(), ManifestsError> {
        self.total = self.total.saturating_add(bytes.len());
        if self.total > MAX_TOTAL {
            return Err(ManifestsError::TooLarge { path: file.to_owned() });
        }
        if bytes.trim_ascii().is_empty() {
            // Nobody applies nothing. Writing it may have failed.
            self.damaged.push(format!("{}: is empty", file.display()));
            return Ok(());
        }
        let documents = match documents(bytes) {
            Ok(documents) => documents,
            Err(reason) => {
                let hint = "a template has to be rendered first, as with helm template or kustomize build";
                self.damaged.push(format!("{}: is neither YAML nor JSON ({hint}): {reason}", file.display()));
                return Ok(());
            }
        };
        if documents.is_empty() {
            self.notes.push(format!("{}: skipped: holds no document", file.display()));
        }
        for document in documents {
            let whole = Identity::of(&document).is_some();
            for object in objects(document) {
                match object {
                    Ok((identity, value)) => self.add_object(file, identity, value),
                    // A document of something else, such as the values of a chart.
                    Err(reason) if !whole => {
                        self.notes.push(format!("{}: skipped: {reason}", file.display()))
                    }
                    Err(reason) => self.damaged.push(format!("{}: {reason}", file.display())),
                }
            }
        }
        Ok(())
    }

    fn add_object(&mut self, file: &Path, mut identity: Identity, mut value: Value) {
        let metadata = value.get_mut("metadata").and_then(Value::as_object_mut);
        let generated = metadata.as_ref().and_then(|m| m.get("generateName")).and_then(Value::as_str);
        let generated = generated.filter(|_| identity.name.is_empty()).map(|name| format!("{name}*"));
        if identity.group == "kustomize.config.k8s.io" {
            return self.notes.push(format!("{}: skipped: a {} of kustomize", file.display(), identity.kind));
        }
        if identity.name.is_empty() && generated.is_none() {
            self.notes.push(format!("{}: a {} has no name", file.display(), identity.kind));
        }
        // The API server puts letters in the place of the star. A name is what an offender is known by.
        if let (Some(name), Some(metadata)) = (generated, metadata) {
            identity.name.clone_from(&name);
            metadata.insert("name".to_owned(), name.into());
        }
        let bytes = value.to_string().into_bytes();
        let known = self.objects.entry(identity.clone()).or_default();
        if known.contains(&bytes) {
            self.notes.push(format!("{}: {} is there twice", file.display(), identity.shown()));
        } else {
            if !known.is_empty() && !identity.name.is_empty() && !identity.name.ends_with('*') {
                let text = format!(
                    "{}: {} is there twice and differs: each is judged",
                    file.display(),
                    identity.shown()
                );
                self.notes.push(text);
            }
            known.push(bytes);
        }
    }

    /// The objects that are asked for, in any version.
    fn of_kind(&self, asked: &ApiPath) -> Vec<(&Identity, &Vec<Vec<u8>>)> {
        let of_kind = self.objects.iter().filter(|(identity, _)| {
            identity.is_of(&asked.group, &asked.resource) && asked.wants(&identity.namespace, &identity.name)
        });
        of_kind.collect()
    }

    fn find(&self, path: &str) -> Found<'_> {
        let Some(asked) = ApiPath::of_objects(path) else {
            return Found::Other("manifests are objects alone, and no answer to this".to_owned());
        };
        let of_kind = self.of_kind(&asked);
        let of_version = of_kind.iter().filter(|(identity, _)| identity.version == asked.version);
        let objects: Vec<&[u8]> = of_version.flat_map(|(_, bytes)| *bytes).map(Vec::as_slice).collect();
        match (objects.is_empty(), of_kind.first(), &asked.name) {
            (false, _, None) => Found::List(objects),
            (false, _, Some(_)) if objects.len() == 1 => Found::One(objects[0]),
            (false, _, Some(name)) => Found::Other(format!("there are several {name}, and they differ")),
            (true, Some(_), _) => Found::OtherVersion,
            (true, None, Some(name)) => {
                Found::Other(format!("no {} {name} is among the manifests", asked.shown()))
            }
            (true, None, None) => Found::None(format!("no {} is among the manifests", asked.shown())),
        }
    }
}

/// What is there for a path.
enum Found<'a> {
    List(Vec<&'a [u8]>),
    One(&'a [u8]),
    /// All objects are written in another version: that is the one that is judged, as if this were not served.
    OtherVersion,
    /// There is none of the kind.
    None(String),
    /// There is no answer.
    Other(String),
}

impl ApiSource for Manifests {
    fn get(&self, path: &str) -> Answer {
        let list = |objects: Vec<&[u8]>| {
            let objects: Vec<_> = objects.into_iter().map(<[u8]>::to_vec).collect();
            Answer::Pages(Box::new(InMemory(objects.into_iter())))
        };
        match self.find(path) {
            Found::List(objects) => list(objects),
            Found::One(object) => Answer::whole(io::Cursor::new(object.to_vec()), Format::Json),
            Found::OtherVersion => Answer::Refused(Refusal::NotFound),
            Found::None(_) => list(Vec::new()),
            Found::Other(reason) => Answer::Refused(Refusal::NotContained(reason)),
        }
    }

    fn gap(&self, path: &str) -> Option<Gap> {
        let gap = |kind, reason: &str| Some(Gap { kind, reason: format!("{path}: {reason}") });
        // Anything may be in what could not be read.
        if let Some(reason) = gap::told(&self.damaged) {
            return Some(Gap { kind: GapKind::Damaged, reason });
        }
        if let Some(asked) = ApiPath::of_objects(path) {
            let of_kind = self.of_kind(&asked).into_iter();
            let versions: BTreeSet<_> = of_kind.map(|(identity, _)| identity.version.clone()).collect();
            if versions.iter().any(|version| *version != asked.version) {
                let named = versions.iter().cloned().collect::<Vec<_>>().join(" and ");
                let reason = format!("{} is among the manifests in version {named}", asked.shown());
                return gap(GapKind::Versions(versions), &reason);
            }
        }
        match self.find(path) {
            Found::List(_) | Found::One(_) | Found::OtherVersion => None,
            Found::None(reason) => gap(GapKind::NoneGiven, &reason),
            Found::Other(reason) => gap(GapKind::NotContained, &reason),
        }
    }

    fn elsewhere(&self) -> Option<Gap> {
        let reason = "manifests have neither files of nodes nor answers of a cluster".to_owned();
        Some(Gap { kind: GapKind::NotContained, reason })
    }

    fn describe(&self) -> SourceReport {
        SourceReport { kind: "manifests".to_owned(), location: self.location.clone() }
    }
}

/// Objects in memory, a page each.
struct InMemory(std::vec::IntoIter<Vec<u8>>);

impl Pages for InMemory {
    fn next(&mut self, _: Option<&str>) -> Result<Next, Refusal> {
        let page = |object| Page {
            content: PageContent::Item,
            format: Format::Json,
            body: Box::new(io::Cursor::new(object)),
        };
        Ok(self.0.next().map_or(Next::End, |object| Next::Page(page(object))))
    }
}
