//! `virtscap image`.

mod layer;
mod layout;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use virtscap_evaluator::time;
use virtscap_generator::datastream::FILE_NAME;

use crate::{Outcome, input};
use layer::Layer;
use layout::{Source, Writer};

/// The rules in CEL, which a build may have beside the data stream.
const CEL_FILE: &str = "cel-content.yaml";

/// Make a content image for the Compliance Operator, as an OCI image layout
///
/// Puts the built content at the root of an image, as one layer on top of a base. The operator copies the content with
/// the image's own sh and cp, so the base has to have them. All platforms of the base are kept.
///
/// The same input gives the same bytes; SOURCE_DATE_EPOCH sets the times in the image, which are otherwise 1970.
#[derive(Debug, Args)]
pub(crate) struct Image {
    /// Base image: an OCI image layout, as a folder or a tar archive of it
    #[arg(long, value_name = "OCI-LAYOUT")]
    base: PathBuf,

    /// Folder that virtscap build wrote
    #[arg(long, value_name = "DIR", default_value = "build")]
    build: PathBuf,

    /// Folder to write the image layout to; an older layout there is replaced
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Image {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let created = time::source_date();
        let seconds = created.map_or(0, |time| u64::try_from(time.as_second()).unwrap_or_default());
        let files = content(&self.build)?;
        let layer = Layer::of(&files, seconds).context("the layer")?;
        let created = created.map(|time| time.to_string());
        let base = open_base(&self.base)?;
        if self.out.exists() && !is_replaceable(&self.out)? {
            bail!("{}: is there already, and is no OCI image layout", self.out.display());
        }
        let parent = self.out.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).with_context(|| parent.display().to_string())?;
        // The layout takes its place only when all of it is there.
        let temporary = tempfile::Builder::new().prefix(".virtscap-image").tempdir_in(parent);
        let temporary = temporary.with_context(|| parent.display().to_string())?;
        let folder = temporary.path().join("layout");
        let writer = Writer::new(&base.source, &folder)?;
        let platforms =
            writer.write(&layer, created.as_deref()).with_context(|| self.base.display().to_string())?;
        let place = || -> std::io::Result<()> {
            if self.out.exists() {
                std::fs::rename(&self.out, temporary.path().join("old"))?;
            }
            std::fs::rename(&folder, &self.out)
        };
        place().with_context(|| self.out.display().to_string())?;
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        anstream::eprintln!("{} for {} in {}", names.join(", "), platforms.join(", "), self.out.display());
        Ok(Outcome::Success)
    }
}

/// The files of a build that the operator reads, by name.
fn content(build: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let path = build.join(FILE_NAME);
    let stream = input::bytes(&path).with_context(|| path.display().to_string());
    files.insert(FILE_NAME.to_owned(), stream.context("there is no content to put in; run virtscap build")?);
    let path = build.join(CEL_FILE);
    if path.is_file() {
        files.insert(CEL_FILE.to_owned(), input::bytes(&path).with_context(|| path.display().to_string())?);
    }
    Ok(files)
}

struct Base {
    source: Source,
    /// Where an archive was unpacked, as long as it is needed.
    _unpacked: Option<tempfile::TempDir>,
}

fn open_base(base: &Path) -> Result<Base> {
    let named = || base.display().to_string();
    if base.is_dir() {
        return Ok(Base { source: Source::open(base).with_context(named)?, _unpacked: None });
    }
    if base.is_file() {
        let unpacked = tempfile::tempdir()?;
        let file = std::fs::File::open(base).with_context(named)?;
        tar::Archive::new(file).unpack(unpacked.path()).context("no tar archive").with_context(named)?;
        let source = Source::open(unpacked.path()).with_context(named)?;
        return Ok(Base { source, _unpacked: Some(unpacked) });
    }
    bail!(
        "{base}: no such folder or archive. An image in a registry has to be fetched first: skopeo copy --all docker://{base} oci:base",
        base = named()
    )
}

/// Whether nothing is lost where a new layout takes this place.
fn is_replaceable(out: &Path) -> Result<bool> {
    let mut entries = std::fs::read_dir(out).with_context(|| out.display().to_string())?;
    Ok(out.join("oci-layout").is_file() || entries.next().is_none())
}
