//! `virtscap image` on the command line: a base, the content on top of it, and every digest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use assert_cmd::assert::{Assert, OutputAssertExt as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn image(base: &Path, out: &Path) -> Assert {
    let mut command = Command::new(env!("CARGO_BIN_EXE_virtscap"));
    command.arg("image").arg("--base").arg(base).arg("--out").arg(out);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).env("SOURCE_DATE_EPOCH", "1780000000");
    command.assert()
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn tar(names: &[&str]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for name in names {
        let mut header = tar::Header::new_ustar();
        header.set_size(2);
        header.set_mode(0o755);
        archive.append_data(&mut header, name, &b"#!"[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A layout that is put together.
struct Base<'a>(&'a Path);

impl Base<'_> {
    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = hash(bytes);
        std::fs::create_dir_all(self.0.join("blobs/sha256")).unwrap();
        std::fs::write(self.0.join("blobs/sha256").join(&digest), bytes).unwrap();
        json!({"mediaType": media_type, "size": bytes.len(), "digest": format!("sha256:{digest}")})
    }

    fn manifest(&self, architecture: &str, layers: &[(&str, Vec<u8>, Vec<u8>)]) -> Value {
        let ids: Vec<_> = layers.iter().map(|(.., tar)| format!("sha256:{}", hash(tar))).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {"Healthcheck": {"Test": ["NONE"]}},
            "rootfs": {"type": "layers", "diff_ids": ids},
            "history": ids.iter().map(|_| json!({"created_by": "base"})).collect::<Vec<_>>(),
        });
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let layers: Vec<_> = layers.iter().map(|(kind, bytes, _)| self.blob(kind, bytes)).collect();
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        let mut descriptor = self.blob(MANIFEST, manifest.to_string().as_bytes());
        descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
        descriptor
    }

    fn index(&self, manifests: &[Value]) {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        std::fs::write(self.0.join("index.json"), index.to_string()).unwrap();
        std::fs::write(self.0.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    }
}

const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";
const GZIPPED: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn plain(names: &[&str]) -> (&'static str, Vec<u8>, Vec<u8>) {
    (PLAIN, tar(names), tar(names))
}

fn gzipped(names: &[&str]) -> (&'static str, Vec<u8>, Vec<u8>) {
    (GZIPPED, gzip(&tar(names)), tar(names))
}

/// Two platforms in a nested index, as registries have them; one base's layers are plain, the other's compressed.
fn base(folder: &Path) {
    let base = Base(folder);
    let amd64 = base.manifest("amd64", &[plain(&["bin/sh", "bin/cp"]), gzipped(&["usr/bin/true"])]);
    let arm64 = base.manifest("arm64", &[gzipped(&["./bin/sh", "./bin/cp", "./bin/true"])]);
    let mut attestation = base.manifest("unknown", &[plain(&["statement"])]);
    attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [amd64, arm64, attestation],
        "annotations": {"c": "1", "a": "2", "b": "3", "d": "4"}});
    let mut descriptor = base.blob(INDEX, index.to_string().as_bytes());
    descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": "latest"});
    base.index(&[descriptor]);
}

/// The files of a folder, by path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for below in ["", "blobs/sha256"] {
        for entry in std::fs::read_dir(folder.join(below)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn read(files: &BTreeMap<String, Vec<u8>>, descriptor: &Value) -> Vec<u8> {
    let digest = descriptor["digest"].as_str().unwrap().replace(':', "/");
    let bytes = files[&format!("blobs/{digest}")].clone();
    assert_eq!(descriptor["size"], bytes.len());
    bytes
}

fn read_json(files: &BTreeMap<String, Vec<u8>>, descriptor: &Value) -> Value {
    serde_json::from_slice(&read(files, descriptor)).unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap();
    out
}

#[test]
fn the_content_is_on_top_of_every_platform() {
    let folder = tempfile::tempdir().unwrap();
    base(&folder.path().join("base"));
    let out = folder.path().join("image");
    image(&folder.path().join("base"), &out).code(0);
    let files = files(&out);
    for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with("blobs/")) {
        assert_eq!(*name, format!("blobs/sha256/{}", hash(bytes)));
    }
    assert_eq!(files["oci-layout"], br#"{"imageLayoutVersion":"1.0.0"}"#);
    let outer: Value = serde_json::from_slice(&files["index.json"]).unwrap();
    assert_eq!(outer["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"], "latest");
    let index = read_json(&files, &outer["manifests"][0]);
    let manifests = index["manifests"].as_array().unwrap();
    let platforms: Vec<_> = manifests.iter().map(|m| m["platform"]["architecture"].clone()).collect();
    assert_eq!(platforms, ["amd64", "arm64"], "what attests the base is left out");
    for (descriptor, of_base) in manifests.iter().zip([2, 1]) {
        let manifest = read_json(&files, descriptor);
        let config = read_json(&files, &manifest["config"]);
        let layers = manifest["layers"].as_array().unwrap();
        assert_eq!(layers.len(), of_base + 1);
        for (layer, id) in layers.iter().zip(config["rootfs"]["diff_ids"].as_array().unwrap()) {
            let bytes = read(&files, layer);
            let tar = if layer["mediaType"] == PLAIN { bytes } else { gunzip(&bytes) };
            assert_eq!(*id, format!("sha256:{}", hash(&tar)));
        }
        assert_eq!(config["history"].as_array().unwrap().len(), of_base + 1);
        assert_eq!(config["history"][of_base]["created"], "2026-05-28T20:26:40Z");
        assert_eq!(config["config"]["Healthcheck"]["Test"][0], "NONE", "nothing of the base is lost");
        let layer = gunzip(&read(&files, &layers[of_base]));
        let mut archive = tar::Archive::new(layer.as_slice());
        let mut entries = archive.entries().unwrap();
        let mut entry = entries.next().unwrap().unwrap();
        assert_eq!(entry.path().unwrap().to_str(), Some("ssg-ocp-virt-ds.xml"));
        let header = entry.header().clone();
        assert_eq!((header.mode().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0o644, 0, 0));
        assert_eq!(header.mtime().unwrap(), 1_780_000_000);
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(hash(&content), hash(include_bytes!("../../build/ssg-ocp-virt-ds.xml")));
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    base(&folder.path().join("base"));
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    image(&folder.path().join("base"), &one).code(0);
    image(&folder.path().join("base"), &two).code(0);
    assert!(files(&one) == files(&two));
    // An older layout is replaced; nothing is left beside it.
    image(&folder.path().join("base"), &two).code(0);
    assert!(files(&one) == files(&two));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn an_archive_of_a_layout_will_do() {
    let folder = tempfile::tempdir().unwrap();
    base(&folder.path().join("base"));
    let mut archive = tar::Builder::new(std::fs::File::create(folder.path().join("base.tar")).unwrap());
    archive.append_dir_all(".", folder.path().join("base")).unwrap();
    archive.finish().unwrap();
    let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
    image(&folder.path().join("base"), &one).code(0);
    image(&folder.path().join("base.tar"), &two).code(0);
    assert!(files(&one) == files(&two));
}

/// What is said of a base that is of no use.
fn refused(make: impl FnOnce(&Base<'_>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("base");
    std::fs::create_dir(&base).unwrap();
    make(&Base(&base));
    let out = folder.path().join("image");
    let assert = image(&base, &out).code(1);
    assert!(!out.exists());
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

#[test]
fn a_base_without_a_shell_is_refused() {
    let said = refused(|base| base.index(&[base.manifest("amd64", &[gzipped(&["bin/cp", "bin/true"])])]));
    assert!(said.contains("the base (linux/amd64) has no sh"), "{said}");
    assert!(said.contains("Compliance Operator runs sh -c"), "{said}");
    let hidden = ["bin/.wh.sh"];
    let said = refused(|base| {
        let layers = [plain(&["bin/sh", "bin/cp", "bin/true"]), plain(&hidden)];
        base.index(&[base.manifest("amd64", &layers)]);
    });
    assert!(said.contains("has no sh"), "{said}");
}

#[test]
fn what_is_no_layout_or_a_broken_one_is_refused() {
    assert!(refused(|_| ()).contains("no OCI image layout"));
    let said = refused(|base| {
        let manifest = base.manifest("amd64", &[plain(&["bin/sh", "bin/cp", "bin/true"])]);
        let config: Value = {
            let digest = manifest["digest"].as_str().unwrap().replace(':', "/");
            serde_json::from_slice(&std::fs::read(base.0.join("blobs").join(digest)).unwrap()).unwrap()
        };
        let digest = config["layers"][0]["digest"].as_str().unwrap().replace(':', "/");
        std::fs::write(base.0.join("blobs").join(digest), "changed").unwrap();
        base.index(&[manifest]);
    });
    assert!(said.contains("the blob's size or digest is another one"), "{said}");
    assert!(refused(|base| base.index(&[])).contains("the layout holds no image"));
    let folder = tempfile::tempdir().unwrap();
    let said = image(Path::new("registry.example/ubi9:latest"), &folder.path().join("image")).code(1);
    assert!(String::from_utf8_lossy(&said.get_output().stderr).contains("skopeo copy"));
    std::fs::write(folder.path().join("mine"), "precious").unwrap();
    base(&folder.path().join("base"));
    let said = image(&folder.path().join("base"), folder.path()).code(1);
    assert!(String::from_utf8_lossy(&said.get_output().stderr).contains("is no OCI image layout"));
}
