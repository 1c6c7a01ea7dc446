//! XML reading and writing that every part of the model shares.

use std::collections::HashMap;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// Why a document is not the SCAP content that it should be.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The document is not well-formed XML, or holds a document type declaration.
    #[error("not well-formed XML: {0}")]
    Malformed(#[from] roxmltree::Error),
    /// The root element is another one than expected.
    #[error("the root element is <{found}>; expected {expected}")]
    WrongRoot {
        /// Local name of the element found.
        found: String,
        /// What would have been right.
        expected: &'static str,
    },
    /// An element lacks an attribute that the standard requires.
    #[error("line {line}: <{element}> has no attribute '{attribute}'")]
    MissingAttribute {
        /// Line in the document, from 1.
        line: u32,
        /// Local name of the element.
        element: String,
        /// Name of the attribute.
        attribute: &'static str,
    },
    /// An element lacks a child that the standard requires.
    #[error("line {line}: <{element}> has no <{child}>")]
    MissingChild {
        /// Line in the document, from 1.
        line: u32,
        /// Local name of the element.
        element: String,
        /// Local name of the child.
        child: &'static str,
    },
    /// A value outside of its enumeration or of the wrong form.
    #[error("line {line}: '{value}' is not a value of {what}")]
    BadValue {
        /// Line in the document, from 1.
        line: u32,
        /// The value found.
        value: String,
        /// What it should have been a value of.
        what: &'static str,
    },
    /// A reference leads nowhere.
    #[error("line {line}: {what} '{reference}' is not in the document")]
    DanglingReference {
        /// Line in the document, from 1.
        line: u32,
        /// What is referred to.
        what: &'static str,
        /// The reference.
        reference: String,
    },
    /// Two elements have an id that only one may have, so that it is not clear which is meant.
    #[error("line {line}: the id '{id}' is taken in line {taken}; give one of the two another id")]
    DuplicateId {
        /// Line of the second element in the document, from 1.
        line: u32,
        /// The id.
        id: String,
        /// Line of the first element.
        taken: u32,
    },
    /// An item extends itself, by way of others or not.
    #[error("line {line}: what extends '{id}' is extended by it in turn")]
    ExtendsItself {
        /// Line in the document, from 1.
        line: u32,
        /// Id of the item.
        id: String,
    },
    /// Elements are nested deeper than [`MAX_DEPTH`].
    #[error("line {line}: elements are nested more than {MAX_DEPTH} deep")]
    TooDeep {
        /// Line in the document, from 1.
        line: u32,
    },
}

/// Deepest nesting of Groups, criteria, functions or markup that is read, and longest way over `extends`.
///
/// roxmltree itself does not recurse: a document of a million nested elements is parsed in constant stack.
pub const MAX_DEPTH: usize = 100;

/// A node of a parsed document.
pub type Node<'a, 'input> = roxmltree::Node<'a, 'input>;

/// The reading helpers that [`Node`] gets here.
pub trait NodeExt<'a, 'input: 'a> {
    /// Whether this is the element `name` of namespace `namespace`.
    fn is(&self, namespace: &str, name: &str) -> bool;
    /// The child elements.
    fn elements(&self) -> impl Iterator<Item = Node<'a, 'input>>;
    /// The first child element `name`, whatever its namespace.
    fn child(&self, name: &str) -> Option<Node<'a, 'input>>;
    /// All child elements `name`, whatever their namespace.
    fn named(&self, name: &str) -> impl Iterator<Item = Node<'a, 'input>>;
    /// Text of this element and all below it.
    fn full_text(&self) -> String;
    /// An attribute that has to be there.
    ///
    /// # Errors
    /// [`ReadError::MissingAttribute`] where it is not.
    fn required(&self, attribute: &'static str) -> Result<&'a str, ReadError>;
    /// A boolean attribute of XML Schema (`true`, `1`, `false`, `0`), or `default` where it is absent.
    ///
    /// # Errors
    /// [`ReadError::BadValue`] for any other text.
    fn boolean(&self, attribute: &'static str, default: bool) -> Result<bool, ReadError>;
    /// Line of the element in the document, from 1.
    fn line(&self) -> u32;
    /// A [`ReadError::BadValue`] at this element.
    fn bad_value(&self, value: &str, what: &'static str) -> ReadError;
    /// A [`ReadError::MissingChild`] at this element.
    fn missing_child(&self, child: &'static str) -> ReadError;
}

impl<'a, 'input: 'a> NodeExt<'a, 'input> for Node<'a, 'input> {
    fn is(&self, namespace: &str, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name && self.tag_name().namespace() == Some(namespace)
    }

    fn elements(&self) -> impl Iterator<Item = Node<'a, 'input>> {
        self.children().filter(Node::is_element)
    }

    fn child(&self, name: &str) -> Option<Node<'a, 'input>> {
        self.elements().find(|node| node.tag_name().name() == name)
    }

    fn named(&self, name: &str) -> impl Iterator<Item = Node<'a, 'input>> {
        self.elements().filter(move |node| node.tag_name().name() == name)
    }

    fn full_text(&self) -> String {
        self.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
    }

    fn required(&self, attribute: &'static str) -> Result<&'a str, ReadError> {
        self.attribute(attribute).ok_or_else(|| ReadError::MissingAttribute {
            line: self.line(),
            element: self.tag_name().name().to_owned(),
            attribute,
        })
    }

    fn boolean(&self, attribute: &'static str, default: bool) -> Result<bool, ReadError> {
        match self.attribute(attribute).map(str::trim) {
            None => Ok(default),
            Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => Err(self.bad_value(other, "boolean")),
        }
    }

    fn line(&self) -> u32 {
        self.document().text_pos_at(self.range().start).row
    }

    fn bad_value(&self, value: &str, what: &'static str) -> ReadError {
        ReadError::BadValue { line: self.line(), value: value.to_owned(), what }
    }

    fn missing_child(&self, child: &'static str) -> ReadError {
        ReadError::MissingChild { line: self.line(), element: self.tag_name().name().to_owned(), child }
    }
}

/// Sees to it that each `id` is that of one element alone; elements without one do not count.
///
/// # Errors
/// [`ReadError::DuplicateId`] for the first that is taken.
pub(crate) fn unique_ids<'a, 'input: 'a>(
    nodes: impl Iterator<Item = Node<'a, 'input>>,
) -> Result<(), ReadError> {
    let mut seen = HashMap::new();
    for node in nodes {
        let Some(id) = node.attribute("id") else { continue };
        if let Some(other) = seen.insert(id, node) {
            return Err(ReadError::DuplicateId { line: node.line(), id: id.to_owned(), taken: other.line() });
        }
    }
    Ok(())
}

/// Writes indented XML.
///
/// stock oscap 1.3.7 skips every second element where siblings follow each other without white space (and crashes on
/// adjacent `local_variable`s), so siblings always stand on lines of their own; only mixed content runs on.
pub struct XmlWriter {
    writer: Writer<Vec<u8>>,
}

impl XmlWriter {
    /// A writer of a document, with the XML declaration.
    pub fn document() -> Self {
        let mut document = Self::fragment();
        document.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        document
    }

    /// A writer of a fragment, without the XML declaration.
    pub fn fragment() -> Self {
        Self { writer: Writer::new_with_indent(Vec::new(), b' ', 1) }
    }

    /// Writes an element with what `content` writes inside.
    pub fn element(&mut self, name: &str, attributes: &[(&str, &str)], content: impl FnOnce(&mut Self)) {
        self.event(Event::Start(start(name, attributes)));
        content(self);
        self.event(Event::End(BytesEnd::new(name)));
    }

    /// Writes an element without content.
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.event(Event::Empty(start(name, attributes)));
    }

    /// Writes an element that holds a text.
    pub fn text_element(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.element(name, attributes, |w| w.text(text));
    }

    /// Writes a text; what XML forbids in it becomes U+FFFD.
    pub fn text(&mut self, text: &str) {
        let clean = allowed(text);
        self.event(Event::Text(BytesText::new(&clean)));
    }

    /// Writes a piece of XML as it is. It has to be well-formed in this place.
    pub fn raw(&mut self, xml: &str) {
        self.event(Event::Text(BytesText::from_escaped(xml)));
    }

    /// The document as text, with a newline at its end.
    pub fn finish(self) -> String {
        let mut bytes = self.writer.into_inner();
        bytes.push(b'\n');
        // Every byte came in as `str`.
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    fn event(&mut self, event: Event<'_>) {
        // Writing into memory does not fail.
        let _ = self.writer.write_event(event);
    }
}

fn start<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut start = BytesStart::new(name);
    for (key, value) in attributes {
        start.push_attribute((*key, allowed(value).as_ref()));
    }
    start
}

/// Whether XML 1.0 allows the character in a document (production 2, `Char`).
pub fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Escapes a text for an element's content or an attribute's value; what XML forbids becomes U+FFFD.
pub fn escape(text: &str) -> String {
    quick_xml::escape::escape(allowed(text).as_ref()).into_owned()
}

/// The text of an element and all below it as XML writes it: `&`, `<` and `>` escaped.
pub fn raw_text(node: Node<'_, '_>) -> String {
    escape_text(&node.full_text())
}

/// Escapes what XML escapes in an element's content, and nothing else.
pub fn escape_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#13;")
}

fn allowed(text: &str) -> std::borrow::Cow<'_, str> {
    if text.chars().all(is_allowed) {
        text.into()
    } else {
        text.chars().map(|c| if is_allowed(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_are_separated_and_forbidden_characters_replaced() {
        let mut w = XmlWriter::document();
        w.element("a", &[("k", "x<\u{1}\"")], |w| {
            w.empty("b", &[]);
            w.text_element("c", &[], "1 < 2\u{FFFE}");
        });
        assert_eq!(
            w.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a k=\"x&lt;\u{FFFD}&quot;\">\n <b/>\n <c>1 &lt; 2\u{FFFD}</c>\n</a>\n"
        );
    }
}
