//! XPath 1.0 over XML files, as `ind:xmlfilecontent` of OpenSCAP 1.3.7 has it.
//!
//! OpenSCAP takes all namespaces, comments and processing instructions out of a document before it evaluates the
//! expression: names are local names, and texts that then stand side by side are one. Entities of the document's own are
//! not expanded in texts, but in attributes. Where two attributes get the same name, the last one counts.

mod entities;

use std::borrow::Cow;

use uppsala::dom::{Document, NodeId, NodeKind, QName};
use uppsala::parser::Parser;
use uppsala::xpath::{XPathEvaluator, XPathValue};

/// The size of files that are parsed; a tree takes many times as much.
const MAX_SIZE: usize = 16 << 20;
/// How deep elements may be in each other, as with libxml2.
const MAX_DEPTH: u32 = 256;
/// How many nodes an evaluation may visit.
const MAX_VISITS: usize = 20_000_000;

/// A document without namespaces.
pub(crate) struct Tree {
    document: Document<'static>,
    evaluator: XPathEvaluator,
}

/// What an expression selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selected {
    /// No node at all.
    Nothing,
    /// The values of texts and attributes among the nodes, which may be none.
    Texts(Vec<String>),
    /// A text.
    Text(String),
    /// A number, as the whole number that OpenSCAP makes of it.
    Number(i32),
    /// True or false.
    Boolean(bool),
}

impl Tree {
    /// Parses a file. Entities expand to little, and nothing outside of the file is read.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_SIZE {
            return Err(format!("has more than {MAX_SIZE} bytes"));
        }
        let text = decode(bytes)?;
        let parse = |text: &str| {
            let parsed = Parser::new()
                .with_max_depth(MAX_DEPTH)
                .parse(text)
                .map(|document| without_namespaces(&document));
            parsed.map_err(|e| format!("is no XML that can be read: {e}"))
        };
        let mut document = parse(&text)?;
        if let Some(text) = entities::without_references(&text) {
            document = parse(&text)?;
        }
        document.prepare_xpath();
        Ok(Self { document, evaluator: XPathEvaluator::new().with_max_node_visits(MAX_VISITS) })
    }

    /// Evaluates an expression at the document's root.
    pub(crate) fn select(&self, expression: &str) -> Result<Selected, String> {
        if let Some(prefix) = prefix(expression) {
            return Err(format!(
                "the XPath '{expression}' has the prefix '{prefix}', which stands for no namespace"
            ));
        }
        let value = self.evaluator.evaluate(&self.document, self.document.root(), expression);
        Ok(match value.map_err(|e| format!("the XPath '{expression}' cannot be evaluated: {e}"))? {
            XPathValue::NodeSet(nodes) if nodes.is_empty() => Selected::Nothing,
            XPathValue::NodeSet(nodes) => {
                let texts = nodes.iter().filter_map(|node| match self.document.node_kind(*node)? {
                    NodeKind::Text(text) | NodeKind::Attribute(_, text) => Some(text.to_string()),
                    _ => None,
                });
                Selected::Texts(texts.collect())
            }
            XPathValue::Boolean(boolean) => Selected::Boolean(boolean),
            XPathValue::Number(number) => Selected::Number(whole(number)),
            XPathValue::String(text) => Selected::Text(text),
        })
    }
}

/// A number as C makes an int of it on x86: what does not fit, or is none, is the least.
fn whole(number: f64) -> i32 {
    let whole = number.trunc();
    if whole >= f64::from(i32::MIN) && whole <= f64::from(i32::MAX) { whole as i32 } else { i32::MIN }
}

/// The text of a file, by its byte order mark or the encoding that it names.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        let text = String::from_utf16(&units).map(Cow::Owned);
        text.map_err(|_| "is no UTF-16".to_owned())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            if names_latin_1(bytes) {
                return Ok(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into());
            }
            let text = std::str::from_utf8(bytes).map(Cow::Borrowed);
            text.map_err(|e| format!("is not UTF-8 at byte {}", e.valid_up_to()))
        }
    }
}

/// Whether the declaration names the encoding of Western Europe.
fn names_latin_1(bytes: &[u8]) -> bool {
    let end = bytes.windows(2).take(200).position(|pair| pair == b"?>").unwrap_or_default();
    let declaration = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    declaration.starts_with("<?xml") && declaration.contains("iso-8859-1")
}

/// A document of elements, attributes and texts alone, under their local names.
fn without_namespaces(document: &Document<'_>) -> Document<'static> {
    let mut made = Document::new();
    let mut open: Vec<(NodeId, NodeId)> = vec![(document.root(), made.root())];
    while let Some((from, to)) = open.pop() {
        let mut text = String::new();
        let mut children = Vec::new();
        for child in document.children(from) {
            match document.node_kind(child) {
                Some(NodeKind::Text(part) | NodeKind::CData(part)) => text.push_str(part),
                Some(NodeKind::Element(element)) => {
                    add_text(&mut made, to, &mut text);
                    let copy = made.create_element(QName::local(element.name.local_name.to_string()));
                    if let Some(copied) = made.element_mut(copy) {
                        for attribute in &element.attributes {
                            let name = QName::local(attribute.name.local_name.to_string());
                            copied.set_attribute(name, attribute.value.to_string().into());
                        }
                    }
                    made.append_child(to, copy);
                    children.push((child, copy));
                }
                _ => {}
            }
        }
        add_text(&mut made, to, &mut text);
        open.append(&mut children);
    }
    made
}

fn add_text(document: &mut Document<'static>, to: NodeId, text: &mut String) {
    if !text.is_empty() && to != document.root() {
        let node = document.create_text(std::mem::take(text));
        document.append_child(to, node);
    }
    text.clear();
}

/// A prefix in an expression, outside of its literals, that stands for no namespace.
fn prefix(expression: &str) -> Option<String> {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut name = String::new();
    let mut chars = expression.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {
                name.clear();
                chars.by_ref().find(|other| *other == c);
            }
            ':' if chars.peek() == Some(&':') => {
                chars.next();
                name.clear();
            }
            ':' if !name.is_empty() && name != "xml" => return Some(name),
            c if is_name(c) => name.push(c),
            _ => name.clear(),
        }
    }
    None
}

#[cfg(test)]
#[path = "xmlfilecontent/tests.rs"]
mod tests;
