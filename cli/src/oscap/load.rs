//! Files of SCAP content, and the system that is looked at.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use virtscap_evaluator::content::Content;
use virtscap_evaluator::content::compose::{Document, referenced};
use virtscap_evaluator::report::SourceReport;
use virtscap_scap::datastream::is_remote;
use virtscap_scap::info::DocumentKind;
use virtscap_scap::xccdf::Tailoring;

use crate::input;

/// The text of a file.
pub(super) fn text(file: &Path) -> Result<String> {
    let bytes = input::bytes(file).with_context(|| format!("Unable to open file: '{}'", file.display()))?;
    input::utf8(bytes).with_context(|| format!("Unable to parse XML at: '{}'", file.display()))
}

/// What a text is, by its root element.
pub(super) fn kind(file: &Path, xml: &str) -> Result<DocumentKind> {
    DocumentKind::of_text(xml)
        .with_context(|| format!("Unable to parse XML at: '{}'", file.display()))?
        .with_context(|| format!("Unknown document type: '{}'", file.display()))
}

/// The documents that a text refers to, from beside it, or from `given` where one has the same name.
fn beside(file: &Path, xml: &str, given: &[PathBuf]) -> Result<Vec<Document>> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut documents = Vec::new();
    for href in referenced(xml)? {
        if is_remote(&href) {
            anstream::eprintln!("WARNING: Skipping '{href}': virtscap fetches nothing from the net.");
            continue;
        }
        let named = given.iter().find(|path| path.file_name() == Path::new(&href).file_name());
        let path = named.cloned().unwrap_or_else(|| folder.join(&href));
        if named.is_none() && !path.exists() {
            anstream::eprintln!(
                "WARNING: Skipping {} file which is referenced from XCCDF content",
                path.display()
            );
            continue;
        }
        documents.push(Document { xml: text(&path)?, href });
    }
    Ok(documents)
}

/// Content to evaluate: a source data stream, or an XCCDF file with the OVAL files that it refers to.
pub(super) fn content(file: &Path, ovals: &[PathBuf]) -> Result<Content> {
    let xml = text(file)?;
    let named = || format!("Invalid content in {}", file.display());
    match kind(file, &xml)? {
        DocumentKind::SourceDataStream if ovals.is_empty() => Content::from_xml(xml).with_context(named),
        DocumentKind::SourceDataStream => {
            bail!("a source data stream holds its OVAL definitions; leave out {}", ovals[0].display())
        }
        DocumentKind::Xccdf => {
            let checks = beside(file, &xml, ovals).with_context(named)?;
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            Content::from_xccdf(&name, &xml, &checks).with_context(named)
        }
        other => bail!(
            "{} is a document of the type {}; name an XCCDF file or a source data stream",
            file.display(),
            other.name()
        ),
    }
}

/// A tailoring, of a file or of the data stream, with what results call it.
pub(super) fn tailoring(
    content: &Content,
    file: Option<&Path>,
    id: Option<&str>,
) -> Result<Option<(Tailoring, String)>> {
    Ok(match (file, id) {
        (Some(file), _) => {
            let named = || format!("Invalid XCCDF Tailoring content in {}", file.display());
            let tailoring = Tailoring::read(&text(file)?).with_context(named)?;
            Some((tailoring, file.display().to_string()))
        }
        (None, Some(id)) => Some((content.tailoring(id)?, format!("#{id}"))),
        (None, None) => None,
    })
}

/// Adds the dictionary of `--cpe`.
pub(super) fn add_cpe(content: &mut Content, file: &Path) -> Result<()> {
    let xml = text(file)?;
    match kind(file, &xml)? {
        DocumentKind::CpeDictionary => {}
        other => bail!(
            "--cpe takes a CPE dictionary, and {} is a document of the type {}",
            file.display(),
            other.name()
        ),
    }
    let checks = beside(file, &xml, &[])?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    content.add_dictionary(&name, &xml, &checks).with_context(|| file.display().to_string())
}

/// The system that is looked at: below `OSCAP_PROBE_ROOT`, or all of this one.
#[cfg(unix)]
pub(super) fn system() -> Result<(virtscap_evaluator::source::HostRoot, SourceReport)> {
    let root = std::env::var_os("OSCAP_PROBE_ROOT").filter(|root| !root.is_empty());
    let root = root.map_or_else(|| PathBuf::from("/"), PathBuf::from);
    let root = virtscap_evaluator::source::HostRoot::open(&root).context("OSCAP_PROBE_ROOT")?;
    let source = SourceReport { kind: "root".to_owned(), location: root.name() };
    Ok((root, source))
}

/// The system that is looked at.
#[cfg(not(unix))]
pub(super) fn system() -> Result<(virtscap_evaluator::source::RecordedNode, SourceReport)> {
    bail!("systems can be evaluated on Unix only; record one there with virtscap collect --root")
}
