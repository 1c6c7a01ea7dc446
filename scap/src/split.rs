//! A source data stream taken apart into files, as `oscap ds sds-split` does.

use std::collections::BTreeSet;

use crate::datastream::{Fragments, is_remote, references};
use crate::namespace::XLINK;
use crate::xml::{Node, NodeExt as _, ReadError};

/// The parts of a data stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// Name and text of each file. A name comes from the content, and may be anything.
    pub files: Vec<(String, String)>,
    /// What is kept elsewhere.
    pub remote: Vec<String>,
}

/// Why a data stream cannot be taken apart.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such data stream or checklist.
    #[error(
        "Failed to locate a data stream with ID matching '{stream}' ID and checklist inside matching '{checklist}' ID."
    )]
    NotFound {
        /// What was asked for.
        stream: String,
        /// What was asked for.
        checklist: String,
    },
}

/// Takes a checklist with all that it refers to, and the dictionaries with all that they refer to. Without ids, the first
/// checklist of the first data stream that has one.
///
/// # Errors
/// [`SplitError`] where there is no such checklist.
pub fn split(xml: &str, stream: Option<&str>, checklist: Option<&str>) -> Result<Parts, SplitError> {
    let document = roxmltree::Document::parse(xml).map_err(ReadError::from)?;
    let root = document.root_element();
    let is = |node: &Node<'_, '_>, id: Option<&str>| id.is_none_or(|id| node.attribute("id") == Some(id));
    let found = root.named("data-stream").filter(|node| is(node, stream)).find_map(|stream| {
        let reference =
            references(stream, "checklists").into_iter().find(|reference| is(reference, checklist))?;
        Some((stream, reference))
    });
    let any = |id: Option<&str>| id.unwrap_or("<any>").to_owned();
    let (stream, reference) =
        found.ok_or_else(|| SplitError::NotFound { stream: any(stream), checklist: any(checklist) })?;
    let fragments = Fragments::of(xml)?;
    let mut splitter = Splitter { xml, stream, fragments, parts: Parts::default(), seen: BTreeSet::new() };
    for reference in std::iter::once(reference).chain(references(stream, "dictionaries")) {
        splitter.add(reference, reference.required("id")?)?;
    }
    Ok(splitter.parts)
}

struct Splitter<'a, 'i> {
    xml: &'i str,
    stream: Node<'a, 'i>,
    fragments: Fragments,
    parts: Parts,
    seen: BTreeSet<String>,
}

impl Splitter<'_, '_> {
    /// Adds what a reference leads to under a name, and what its catalog names.
    fn add(&mut self, reference: Node<'_, '_>, name: &str) -> Result<(), ReadError> {
        if !self.seen.insert(name.to_owned()) {
            return Ok(());
        }
        let href = reference.attribute((XLINK, "href")).unwrap_or_default();
        if is_remote(href) {
            self.parts.remote.push(href.to_owned());
            return Ok(());
        }
        let fragment = self.fragments.component(self.xml, href.trim_start_matches('#'))?;
        let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{fragment}\n");
        self.parts.files.push((name.to_owned(), text));
        let Some(catalog) = reference.child("catalog") else { return Ok(()) };
        for uri in catalog.named("uri") {
            let target = uri.required("uri")?.trim_start_matches('#');
            let found = ["checks", "checklists", "dictionaries", "extended-components"]
                .iter()
                .flat_map(|section| references(self.stream, section))
                .find(|other| other.attribute("id") == Some(target));
            let found = found.ok_or_else(|| ReadError::DanglingReference {
                line: uri.line(),
                what: "component-ref",
                reference: target.to_owned(),
            })?;
            self.add(found, uri.required("name")?)?;
        }
        Ok(())
    }
}
