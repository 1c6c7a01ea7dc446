//! Layers: making one, and looking for programs in others.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write as _};

use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

/// A layer, compressed.
pub(super) struct Layer {
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// The digest of the layer before it was compressed, as an image's configuration has it.
    pub(super) diff_id: String,
}

/// `sha256:…` of bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

impl Layer {
    /// A layer with files at its root, readable by everybody and owned by root. The operator runs the image with a
    /// user of its own.
    pub(super) fn of(files: &BTreeMap<String, Vec<u8>>, seconds: u64) -> io::Result<Self> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(seconds);
            header.set_entry_type(tar::EntryType::Regular);
            archive.append_data(&mut header, name, content.as_slice())?;
        }
        let tar = archive.into_inner()?;
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        gzip.write_all(&tar)?;
        Ok(Self { bytes: gzip.finish()?, diff_id: digest(&tar) })
    }
}

/// What the operator runs within the image: `sh -c "cp /FILE /content | /bin/true"`.
pub(super) const PROGRAMS: [&str; 3] = ["sh", "cp", "true"];

/// The programs of [`PROGRAMS`] that an image has, from its layers.
#[derive(Default)]
pub(super) struct Programs(BTreeSet<String>);

impl Programs {
    /// Goes through a layer, the lowest one first.
    pub(super) fn look(&mut self, layer: impl Read) -> io::Result<()> {
        let mut layer = io::BufReader::new(layer);
        let start = io::BufRead::fill_buf(&mut layer)?;
        match start {
            [0x1f, 0x8b, ..] => self.look_in_tar(flate2::read::MultiGzDecoder::new(layer)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "compressed with zstd, which is not read here; convert the base to gzip",
            )),
            _ => self.look_in_tar(layer),
        }
    }

    fn look_in_tar(&mut self, tar: impl Read) -> io::Result<()> {
        for entry in tar::Archive::new(tar).entries()? {
            let entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = path.trim_start_matches("./").trim_matches('/');
            let Some(name) = path.strip_prefix("usr/").unwrap_or(path).strip_prefix("bin/") else {
                continue;
            };
            match name.strip_prefix(".wh.") {
                // A folder that hides what is below it; what the layer itself has there comes behind this entry.
                Some(".wh..opq") => self.0.clear(),
                Some(hidden) => {
                    self.0.remove(hidden);
                }
                None if PROGRAMS.contains(&name) && !entry.header().entry_type().is_dir() => {
                    self.0.insert(name.to_owned());
                }
                None => {}
            }
        }
        Ok(())
    }

    /// The first program that is missing.
    pub(super) fn missing(&self) -> Option<&'static str> {
        PROGRAMS.into_iter().find(|name| !self.0.contains(*name))
    }
}
