//! All files of `build/`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::datastream::{self, FILE_NAME};
use crate::model::{Benchmark, Scope};
use crate::{admission, cel_content, manifests, table};

/// Where the content image is, as the manifests have it unless told otherwise: the cluster's own registry.
pub const CONTENT_IMAGE: &str =
    "image-registry.openshift-image-registry.svc:5000/openshift-compliance/virtscap-content:latest";

/// The first line of every generated YAML file.
const NOTICE: &str = "# Made by `virtscap build` from benchmark/ and profiles/. Do not edit.\n";

/// The folders below `build/` in which every file is a generated one.
const FOLDERS: [&str; 2] = ["operator", "admission"];

/// Why a file could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// A value cannot be written into CEL.
    #[error(transparent)]
    Cel(#[from] cel_content::CelContentError),
    /// A manifest could not be written as YAML.
    #[error("{file}: {reason}")]
    Yaml {
        /// The file.
        file: String,
        /// What went wrong.
        reason: String,
    },
    /// A file or folder could not be written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

/// The files by path below `build/`.
///
/// # Errors
/// [`ArtifactError::Yaml`] where YAML cannot express a manifest, [`ArtifactError::Cel`] where CEL cannot express a value's
/// default.
pub fn artifacts(
    benchmark: &Benchmark,
    content_image: &str,
) -> Result<BTreeMap<String, String>, ArtifactError> {
    let mut files = BTreeMap::new();
    files.insert(FILE_NAME.to_owned(), datastream::data_stream(benchmark).write());
    let resources = yaml("api-resources.yaml", "", &[api_resources(benchmark)])?;
    files.insert("api-resources.yaml".to_owned(), resources);
    files.insert("rules.md".to_owned(), table::rules(benchmark));
    for manifest in manifests::manifests(benchmark, content_image) {
        let text = yaml(&manifest.file, &manifest.about, &manifest.documents)?;
        files.insert(format!("operator/{}", manifest.file), text);
    }
    let defaults = cel_content::defaults(benchmark);
    let bundle = cel_content::bundle(benchmark, &defaults, &|_| true)?;
    files.insert(cel_content::FILE_NAME.to_owned(), yaml(cel_content::FILE_NAME, "", &[bundle])?);
    let custom_rules = cel_content::custom_rules(benchmark, &defaults, &|_| true)?.into_iter();
    let tailored = cel_content::tailored_profiles(benchmark, &defaults, &|_| true)?;
    for (name, documents) in custom_rules.chain(tailored) {
        let name = format!("operator/customrules/{name}");
        files.insert(name.clone(), yaml(&name, "", &documents)?);
    }
    for (name, documents) in admission::manifests(benchmark) {
        let name = format!("admission/{name}");
        files.insert(name.clone(), yaml(&name, "", &documents)?);
    }
    files.insert("admission/README.md".to_owned(), admission::readme(benchmark));
    Ok(files)
}

/// By rule, the API paths that its check reads, with the filters.
fn api_resources(benchmark: &Benchmark) -> serde_json::Value {
    let of_platform = benchmark.rules().filter(|rule| rule.scope() == Scope::Platform);
    let rules = of_platform.map(|rule| {
        let endpoints = datastream::endpoints(benchmark, rule);
        let endpoints: Vec<_> = endpoints
            .iter()
            .map(
                |endpoint| json!({"path": endpoint.path, "filter": endpoint.filter, "dump": endpoint.dump()}),
            )
            .collect();
        json!({"rule": rule.id, "resources": endpoints})
    });
    json!({"rules": rules.collect::<Vec<_>>()})
}

fn yaml(file: &str, about: &str, documents: &[serde_json::Value]) -> Result<String, ArtifactError> {
    let mut text = NOTICE.to_owned();
    for line in about.lines() {
        text.push_str("# ");
        text.push_str(line);
        text.push('\n');
    }
    text.push_str(&self::documents(file, documents)?);
    Ok(text)
}

/// Documents in YAML, each with its separator; `file` is for errors.
///
/// # Errors
/// [`ArtifactError::Yaml`] where YAML cannot express one.
pub fn documents(file: &str, documents: &[serde_json::Value]) -> Result<String, ArtifactError> {
    let mut text = String::new();
    for document in documents {
        let document = serde_yaml::to_string(document)
            .map_err(|e| ArtifactError::Yaml { file: file.to_owned(), reason: e.to_string() })?;
        text.push_str("---\n");
        text.push_str(&document);
    }
    Ok(text)
}

/// Writes the files below a folder, all or, where something cannot be written, none; and removes what an earlier build
/// left there.
///
/// # Errors
/// [`ArtifactError::Io`] where a file cannot be written.
pub fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), ArtifactError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ArtifactError::Io { path, source }
    };
    // All files are written beside their places before the first takes its place: a full disk leaves the old build.
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).map_err(io(parent))?;
        let mut temporary = tempfile::NamedTempFile::new_in(parent).map_err(io(parent))?;
        io::Write::write_all(&mut temporary, text.as_bytes()).map_err(io(&path))?;
        readable(temporary.path()).map_err(io(&path))?;
        written.push((temporary, path));
    }
    for (temporary, path) in written {
        temporary.persist(&path).map_err(|e| io(&path)(e.error))?;
    }
    for stale in stale(folder, files).map_err(io(folder))? {
        std::fs::remove_file(&stale).map_err(io(&stale))?;
    }
    Ok(())
}

/// The files below a folder that a build would write, change or remove, sorted.
pub fn differences(folder: &Path, files: &BTreeMap<String, String>) -> Vec<String> {
    let changed = files
        .iter()
        .filter(|(name, text)| !std::fs::read_to_string(folder.join(name)).is_ok_and(|old| old == **text))
        .map(|(name, _)| name.clone());
    let stale = stale(folder, files).unwrap_or_default();
    let stale = stale.iter().map(|path| path.strip_prefix(folder).unwrap_or(path).display().to_string());
    let mut all: Vec<_> = changed.chain(stale).collect();
    all.sort();
    all
}

/// Temporary files are private; what is built is for everybody.
fn readable(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

/// Generated files in the folders of the build that this build does not have.
fn stale(folder: &Path, files: &BTreeMap<String, String>) -> io::Result<Vec<PathBuf>> {
    let mut stale = Vec::new();
    let mut folders: Vec<_> =
        FOLDERS.map(|name| folder.join(name)).into_iter().filter(|f| f.is_dir()).collect();
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).ok().and_then(Path::to_str).unwrap_or_default();
            // Only what says that it was made by this program is this program's to remove.
            let made = std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with(NOTICE));
            if made && !files.contains_key(name) {
                stale.push(path);
            }
        }
    }
    stale.sort();
    Ok(stale)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_build_left_is_found_in_every_folder() {
        let folder = tempfile::tempdir().unwrap();
        let old = ["operator/a.yaml", "operator/customrules/b.yaml", "admission/deny/c.yaml"];
        let files =
            |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), NOTICE.to_owned())).collect();
        write(folder.path(), &files(&old)).unwrap();
        std::fs::write(folder.path().join("admission/own.yaml"), "mine").unwrap();
        let new = files(&["operator/a.yaml"]);
        assert_eq!(
            differences(folder.path(), &new),
            ["admission/deny/c.yaml", "operator/customrules/b.yaml"]
        );
        write(folder.path(), &new).unwrap();
        assert!(differences(folder.path(), &new).is_empty());
        assert!(folder.path().join("admission/own.yaml").exists());
    }
}
