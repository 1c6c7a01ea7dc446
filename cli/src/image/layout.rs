//! OCI image layouts: reading the base, writing the image.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use oci_spec::image::{Descriptor, Digest, ImageIndex, ImageManifest, MediaType, OciLayout};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::layer::{Layer, Programs, digest};
use crate::input;

/// How Docker calls what OCI took over from it.
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
/// By this, buildkit marks manifests that say how an image was built.
const ATTESTATION: &str = "vnd.docker.reference.type";
/// The base's own name, which the image does not go by.
const BASE_NAME: &str = "io.containerd.image.name";

/// Why an image cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum LayoutError {
    /// The folder is no image layout.
    #[error("no OCI image layout: {0}")]
    NoLayout(String),
    /// A blob is missing, or another file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A blob is not what it should be.
    #[error("{blob}: {reason}")]
    Blob {
        /// Its digest.
        blob: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The operator could not copy the content out of the image.
    #[error(
        "the base ({platform}) has no {program}; the Compliance Operator runs sh -c \"cp /FILE /content | /bin/true\" within the image, so the base needs sh, cp and true"
    )]
    NoProgram {
        /// The platform.
        platform: String,
        /// What is missing.
        program: &'static str,
    },
    /// There is nothing to build on.
    #[error("the layout holds no image")]
    NoImage,
}

type Result<T> = std::result::Result<T, LayoutError>;

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> LayoutError {
    let path = path.to_owned();
    move |source| LayoutError::Io { path, source }
}

/// A layout that is read.
pub(super) struct Source {
    folder: PathBuf,
}

impl Source {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("oci-layout");
        let text = input::bytes(&path).map_err(|e| LayoutError::NoLayout(format!("oci-layout: {e}")))?;
        let layout: OciLayout =
            serde_json::from_slice(&text).map_err(|e| LayoutError::NoLayout(format!("oci-layout: {e}")))?;
        if !layout.image_layout_version().starts_with("1.") {
            let version = layout.image_layout_version();
            return Err(LayoutError::NoLayout(format!("its version is {version}")));
        }
        Ok(Self { folder: folder.to_owned() })
    }

    fn index(&self) -> Result<ImageIndex> {
        let text = input::bytes(&self.folder.join("index.json"));
        let text = text.map_err(|e| LayoutError::NoLayout(format!("index.json: {e}")))?;
        serde_json::from_slice(&text).map_err(|e| LayoutError::NoLayout(format!("index.json: {e}")))
    }

    /// A blob, which has to have the digest that it is named by.
    fn blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>> {
        let name = descriptor.digest().to_string();
        let wrong = |reason: &str| LayoutError::Blob { blob: name.clone(), reason: reason.to_owned() };
        let hash = descriptor.as_digest_sha256().ok_or_else(|| wrong("not a SHA-256 digest"))?;
        let path = self.folder.join("blobs/sha256").join(hash);
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&path).map_err(io(&path))?;
        // One byte more than it should have tells that there is more.
        file.take(descriptor.size().saturating_add(1)).read_to_end(&mut bytes).map_err(io(&path))?;
        if bytes.len() as u64 != descriptor.size() || digest(&bytes) != name {
            return Err(wrong("the blob's size or digest is another one"));
        }
        Ok(bytes)
    }

    fn json<T: DeserializeOwned>(&self, descriptor: &Descriptor) -> Result<T> {
        serde_json::from_slice(&self.blob(descriptor)?)
            .map_err(|e| LayoutError::Blob { blob: descriptor.digest().to_string(), reason: e.to_string() })
    }
}

/// A layout that is written: a base with a layer on top.
pub(super) struct Writer<'a> {
    base: &'a Source,
    folder: PathBuf,
    platforms: Vec<String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(base: &'a Source, folder: &Path) -> Result<Self> {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).map_err(io(&blobs))?;
        Ok(Self { base, folder: folder.to_owned(), platforms: Vec::new() })
    }

    /// Writes the layout, and says for which platforms. `created` is the time in the image's history.
    pub(super) fn write(mut self, layer: &Layer, created: Option<&str>) -> Result<Vec<String>> {
        let mut index = self.base.index()?;
        self.extend_index(&mut index, layer, created)?;
        if self.platforms.is_empty() {
            return Err(LayoutError::NoImage);
        }
        self.file("index.json", &in_order(&index)?)?;
        self.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        Ok(self.platforms)
    }

    fn extend_index(&mut self, index: &mut ImageIndex, layer: &Layer, created: Option<&str>) -> Result<()> {
        let mut manifests = Vec::new();
        for descriptor in index.manifests() {
            // What attests the base says nothing of this image.
            let annotations = descriptor.annotations().as_ref();
            if annotations.is_some_and(|annotations| annotations.contains_key(ATTESTATION)) {
                continue;
            }
            manifests.extend(self.extend(descriptor, layer, created)?);
        }
        index.set_manifests(manifests);
        Ok(())
    }

    /// An image, or an index of images, with the layer on top; none for anything else.
    fn extend(
        &mut self,
        descriptor: &Descriptor,
        layer: &Layer,
        created: Option<&str>,
    ) -> Result<Option<Descriptor>> {
        let bytes = match descriptor.media_type() {
            MediaType::ImageIndex => self.index(descriptor, layer, created)?,
            MediaType::Other(other) if other == DOCKER_INDEX => self.index(descriptor, layer, created)?,
            MediaType::ImageManifest => self.manifest(descriptor, layer, created)?,
            MediaType::Other(other) if other == DOCKER_MANIFEST => {
                self.manifest(descriptor, layer, created)?
            }
            _ => return Ok(None),
        };
        let mut extended = descriptor.clone();
        let written = self.blob(descriptor.media_type().clone(), &bytes)?;
        extended.set_digest(written.digest().clone());
        extended.set_size(written.size());
        let annotations = descriptor.annotations().clone().map(|mut annotations| {
            annotations.remove(BASE_NAME);
            annotations
        });
        extended.set_annotations(annotations.filter(|annotations| !annotations.is_empty()));
        Ok(Some(extended))
    }

    fn index(&mut self, descriptor: &Descriptor, layer: &Layer, created: Option<&str>) -> Result<Vec<u8>> {
        let mut index: ImageIndex = self.base.json(descriptor)?;
        self.extend_index(&mut index, layer, created)?;
        in_order(&index)
    }

    fn manifest(&mut self, descriptor: &Descriptor, layer: &Layer, created: Option<&str>) -> Result<Vec<u8>> {
        let mut manifest: ImageManifest = self.base.json(descriptor)?;
        // What the types do not know of a configuration, such as Docker's health checks, must not be lost.
        let mut config: Value = self.base.json(manifest.config())?;
        let text = |key: &str| config[key].as_str().unwrap_or("unknown").to_owned();
        let platform = format!("{}/{}", text("os"), text("architecture"));
        let mut programs = Programs::default();
        let mut layers = Vec::new();
        for base in manifest.layers() {
            let bytes = self.base.blob(base)?;
            programs
                .look(bytes.as_slice())
                .map_err(|e| LayoutError::Blob { blob: base.digest().to_string(), reason: e.to_string() })?;
            self.blob(base.media_type().clone(), &bytes)?;
            layers.push(base.clone());
        }
        if let Some(program) = programs.missing() {
            return Err(LayoutError::NoProgram { platform, program });
        }
        let is_docker = matches!(descriptor.media_type(), MediaType::Other(_));
        let layer_type = match is_docker {
            true => MediaType::Other(DOCKER_LAYER.to_owned()),
            false => MediaType::ImageLayerGzip,
        };
        layers.push(self.blob(layer_type, &layer.bytes)?);
        manifest.set_layers(layers);
        extend_config(&mut config, layer, created).map_err(|reason| LayoutError::Blob {
            blob: manifest.config().digest().to_string(),
            reason: reason.to_owned(),
        })?;
        let config = self.blob(manifest.config().media_type().clone(), &in_order(&config)?)?;
        manifest.set_config(config);
        self.platforms.push(platform);
        in_order(&manifest)
    }

    /// Writes a blob under its digest.
    fn blob(&self, media_type: MediaType, bytes: &[u8]) -> Result<Descriptor> {
        let name = digest(bytes);
        self.file(&format!("blobs/{}", name.replace(':', "/")), bytes)?;
        let digest = Digest::from_str(&name)
            .map_err(|e| LayoutError::Blob { blob: name.clone(), reason: e.to_string() })?;
        Ok(Descriptor::new(media_type, bytes.len() as u64, digest))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes).map_err(io(&path))
    }
}

/// Says in an image's configuration that there is a layer more.
fn extend_config(
    config: &mut Value,
    layer: &Layer,
    created: Option<&str>,
) -> std::result::Result<(), &'static str> {
    let diff_ids = config.pointer_mut("/rootfs/diff_ids").and_then(Value::as_array_mut);
    diff_ids.ok_or("the configuration names no layers")?.push(json!(layer.diff_id));
    // A history has to tell of every layer; a base without one gets none.
    if let Some(history) = config.get_mut("history").and_then(Value::as_array_mut) {
        history.push(json!({
            "created": created.unwrap_or("1970-01-01T00:00:00Z"),
            "created_by": "virtscap image",
        }));
    }
    if let Some(created) = created {
        config["created"] = json!(created);
    }
    Ok(())
}

/// JSON with its keys in order: the types keep annotations in hash maps.
fn in_order(value: &impl Serialize) -> Result<Vec<u8>> {
    let value = serde_json::to_value(value);
    let value = value.map_err(|e| LayoutError::Blob { blob: "JSON".to_owned(), reason: e.to_string() })?;
    Ok(value.to_string().into_bytes())
}
