//! What a SCAP document is, and what is in it: the text of `oscap info`.
//!
//! Reads leniently: who asks what a file is wants an answer for a file that breaks its schema, too. The words and the
//! indentation are oscap 1.3.7's, which scripts read.

mod arf;
mod xccdf;

use quick_xml::events::Event;
use roxmltree::Document;

use crate::datastream::references;
use crate::namespace::{ARF, DS, OCIL, OVAL_COMMON, OVAL_DEF, OVAL_RES, OVAL_SYS, XCCDF, XLINK};
use crate::xml::{Node, NodeExt as _, ReadError};

/// The kinds of documents that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentKind {
    /// A SCAP source data stream collection.
    SourceDataStream,
    /// ARF, which oscap calls a result data stream.
    ResultDataStream,
    /// An XCCDF benchmark, with or without results.
    Xccdf,
    /// An XCCDF tailoring.
    Tailoring,
    /// OVAL definitions.
    OvalDefinitions,
    /// Values of OVAL's external variables.
    OvalVariables,
    /// What OVAL collected.
    OvalSystemCharacteristics,
    /// OVAL results.
    OvalResults,
    /// What OVAL results should hold.
    OvalDirectives,
    /// A CPE dictionary.
    CpeDictionary,
    /// CPE applicability language.
    CpeLanguage,
    /// OCIL questionnaires.
    Ocil,
}

impl DocumentKind {
    /// The kind of a document, by the start tag of its root element; what follows is not read.
    ///
    /// # Errors
    /// [`ReadError`] where the text is no XML up to there.
    pub fn of_text(xml: &str) -> Result<Option<Self>, ReadError> {
        let mut reader = quick_xml::Reader::from_str(xml);
        let root = loop {
            match reader.read_event() {
                Ok(Event::Start(_)) => {
                    let end = usize::try_from(reader.buffer_position()).ok();
                    let tag = end.and_then(|end| xml.get(..end)?.strip_suffix('>'));
                    break tag.map(|tag| format!("{tag}/>"));
                }
                // The other reader tells what is wrong, or that it is nothing.
                Ok(Event::Empty(_) | Event::Eof) | Err(_) => break None,
                Ok(_) => {}
            }
        };
        let document = Document::parse(root.as_deref().unwrap_or(xml))?;
        Ok(Self::of(document.root_element()))
    }

    /// The kind of a document, by its root element.
    pub fn of(root: Node<'_, '_>) -> Option<Self> {
        let namespace = root.tag_name().namespace().unwrap_or_default();
        Some(match root.tag_name().name() {
            "data-stream-collection" if namespace == DS => Self::SourceDataStream,
            "asset-report-collection" if namespace == ARF => Self::ResultDataStream,
            "Benchmark" if namespace.starts_with(XCCDF_ANY) => Self::Xccdf,
            "Tailoring" if namespace == XCCDF => Self::Tailoring,
            "oval_definitions" if namespace == OVAL_DEF => Self::OvalDefinitions,
            "oval_variables" => Self::OvalVariables,
            "oval_system_characteristics" if namespace == OVAL_SYS => Self::OvalSystemCharacteristics,
            "oval_results" if namespace == OVAL_RES => Self::OvalResults,
            "oval_directives" => Self::OvalDirectives,
            "cpe-list" => Self::CpeDictionary,
            "platform-specification" => Self::CpeLanguage,
            "ocil" if namespace == OCIL => Self::Ocil,
            _ => return None,
        })
    }

    /// What oscap calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SourceDataStream => "Source Data Stream",
            Self::ResultDataStream => "Result Data Stream",
            Self::Xccdf => "XCCDF Checklist",
            Self::Tailoring => "XCCDF Tailoring",
            Self::OvalDefinitions => "OVAL Definitions",
            Self::OvalVariables => "OVAL Variables",
            Self::OvalSystemCharacteristics => "OVAL System Characteristics",
            Self::OvalResults => "OVAL Results",
            Self::OvalDirectives => "OVAL Directives",
            Self::CpeDictionary => "CPE Dictionary",
            Self::CpeLanguage => "CPE Language",
            Self::Ocil => "OCIL Definitions file",
        }
    }
}

/// XCCDF of any version.
const XCCDF_ANY: &str = "http://checklists.nist.gov/xccdf/";

/// What is asked about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question<'a> {
    /// All about it.
    Everything,
    /// Its profiles, one per line.
    Profiles,
    /// One profile, by the end of its id.
    Profile(&'a str),
}

/// What there is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The text, for standard output.
    pub text: String,
    /// What could not be answered, for standard error.
    pub problems: Vec<ProfileProblem>,
}

/// Why a profile was not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileProblem {
    /// No id ends so.
    #[error("No profile matching suffix \"{0}\" was found.")]
    None(String),
    /// Several do.
    #[error("At least two profiles matched suffix \"{suffix}\": {}.", .ids.join(", "))]
    Several {
        /// What was asked for.
        suffix: String,
        /// The ids that end so.
        ids: Vec<String>,
    },
}

/// Why nothing can be said about a document.
#[derive(Debug, thiserror::Error)]
pub enum InfoError {
    /// It is no XML.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is none of the kinds that are known.
    #[error("the root element <{0}> is of no SCAP document")]
    UnknownKind(String),
}

/// Answers a question about a document; `imported` is when its file was written.
///
/// # Errors
/// [`InfoError`] where the text is no SCAP document.
pub fn info(xml: &str, imported: &str, question: Question<'_>) -> Result<Answer, InfoError> {
    let document = roxmltree::Document::parse(xml).map_err(ReadError::from)?;
    let root = document.root_element();
    let kind =
        DocumentKind::of(root).ok_or_else(|| InfoError::UnknownKind(root.tag_name().name().to_owned()))?;
    let mut out = Out { text: String::new(), question, problems: Vec::new() };
    let head = |out: &mut Out<'_>| out.line(0, &format!("Document type: {}", kind.name()));
    let imported = |out: &mut Out<'_>| out.line(0, &format!("Imported: {imported}"));
    match kind {
        DocumentKind::SourceDataStream => {
            if question != Question::Profiles {
                head(&mut out);
                imported(&mut out);
            }
            root.named("data-stream").for_each(|stream| out.stream(stream));
        }
        DocumentKind::ResultDataStream => {
            head(&mut out);
            imported(&mut out);
            out.assets(root);
        }
        DocumentKind::Xccdf => {
            if question != Question::Profiles {
                head(&mut out);
            }
            if question == Question::Everything {
                let namespace = root.tag_name().namespace().unwrap_or_default();
                let version = namespace.strip_prefix(XCCDF_ANY).unwrap_or_default();
                out.line(0, &format!("Checklist version: {version}"));
                imported(&mut out);
            }
            out.benchmark(root, 0);
        }
        DocumentKind::Tailoring => {
            out.question = Question::Everything;
            head(&mut out);
            imported(&mut out);
            out.tailoring(root, 0);
        }
        DocumentKind::OvalDefinitions
        | DocumentKind::OvalVariables
        | DocumentKind::OvalSystemCharacteristics
        | DocumentKind::OvalResults
        | DocumentKind::OvalDirectives => {
            head(&mut out);
            let generator = root.child("generator");
            let of_oval = |name: &str| {
                let node = generator?.elements().find(|node| node.is(OVAL_COMMON, name))?;
                Some(node.full_text())
            };
            out.line(0, &format!("OVAL version: {}", or_null(of_oval("schema_version"))));
            out.line(0, &format!("Generated: {}", or_null(of_oval("timestamp"))));
            imported(&mut out);
        }
        DocumentKind::CpeDictionary | DocumentKind::CpeLanguage => {
            head(&mut out);
            imported(&mut out);
        }
        DocumentKind::Ocil => head(&mut out),
    }
    Ok(Answer { text: out.text, problems: out.problems })
}

fn or_null(text: Option<String>) -> String {
    text.unwrap_or_else(|| "(null)".to_owned())
}

/// What is written to.
struct Out<'q> {
    text: String,
    question: Question<'q>,
    problems: Vec<ProfileProblem>,
}

impl Out<'_> {
    fn line(&mut self, indent: usize, text: &str) {
        self.text.push_str(&"\t".repeat(indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn stream(&mut self, stream: Node<'_, '_>) {
        let attribute = |name: &str| or_null(stream.attribute(name).map(str::to_owned));
        if self.question != Question::Profiles {
            self.line(0, "");
            self.line(0, &format!("Stream: {}", attribute("id")));
            self.line(0, &format!("Generated: {}", attribute("timestamp")));
            self.line(0, &format!("Version: {}", attribute("scap-version")));
        }
        if self.question == Question::Everything {
            self.line(0, "Checklists:");
        }
        for reference in references(stream, "checklists") {
            if self.question == Question::Everything {
                self.reference(reference);
            }
            match component(reference).and_then(|node| Some((DocumentKind::of(node)?, node))) {
                Some((DocumentKind::Xccdf, benchmark)) => self.benchmark(benchmark, 2),
                Some((DocumentKind::Tailoring, tailoring)) => self.tailoring(tailoring, 2),
                _ => {}
            }
        }
        match self.question {
            Question::Everything => {}
            Question::Profiles => return,
            Question::Profile(_) => return,
        }
        self.line(0, "Checks:");
        references(stream, "checks").into_iter().for_each(|reference| self.reference(reference));
        let dictionaries = references(stream, "dictionaries");
        self.line(0, if dictionaries.is_empty() { "No dictionaries." } else { "Dictionaries:" });
        dictionaries.into_iter().for_each(|reference| self.reference(reference));
    }

    fn reference(&mut self, reference: Node<'_, '_>) {
        self.line(1, &format!("Ref-Id: {}", reference.attribute("id").unwrap_or("(null)")));
    }
}

/// The document that a reference leads to, within the collection.
fn component<'a, 'i>(reference: Node<'a, 'i>) -> Option<Node<'a, 'i>> {
    let id = reference.attribute((XLINK, "href"))?.strip_prefix('#')?;
    let root = reference.document().root_element();
    let found = root.elements().find(|node| {
        matches!(node.tag_name().name(), "component" | "extended-component")
            && node.attribute("id") == Some(id)
    })?;
    found.elements().next()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_start_tag_of_the_root_tells_the_kind() {
        let kinds = [
            (
                r#"<?xml version="1.0"?><!-- <a> --><cpe-list a="1>2" b='"'>no <xml"#,
                Some(DocumentKind::CpeDictionary),
            ),
            ("<cpe-list/>", Some(DocumentKind::CpeDictionary)),
            ("<x:ocil xmlns:x='http://scap.nist.gov/schema/ocil/2.0'></x:ocil>", Some(DocumentKind::Ocil)),
            ("<ocil/>", None),
        ];
        for (xml, kind) in kinds {
            assert_eq!(DocumentKind::of_text(xml).unwrap(), kind, "{xml}");
        }
        for xml in
            ["", "text", "<cpe-list", "<x:cpe-list>", "<a b='<'>", "<!DOCTYPE a [<!ENTITY b 'c'>]><cpe-list>"]
        {
            assert!(DocumentKind::of_text(xml).is_err(), "{xml}");
        }
    }
}
