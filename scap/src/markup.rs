//! Texts of XCCDF: XHTML with `<sub>` for the values of a benchmark.

use crate::namespace::{XCCDF, XHTML};
use crate::xml::{MAX_DEPTH, Node, NodeExt, ReadError, XmlWriter, escape};

/// A text with markup (XCCDF 1.2, 6.2.6 and 7.2.3.6: `htmlTextWithSubType`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markup(pub Vec<MarkupNode>);

/// A piece of a [`Markup`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkupNode {
    /// Plain text.
    Text(String),
    /// An XHTML element.
    Html {
        /// Local name.
        name: String,
        /// Attributes, in order.
        attributes: Vec<(String, String)>,
        /// What it holds.
        children: Vec<MarkupNode>,
    },
    /// The value of an XCCDF Value, filled in when the text is shown.
    Sub {
        /// Id of the Value.
        idref: String,
    },
}

/// An XHTML element of a text.
#[derive(Debug, Clone, Copy)]
pub struct HtmlElement<'a> {
    /// Local name.
    pub name: &'a str,
    /// Attributes, in order.
    pub attributes: &'a [(String, String)],
    /// What it holds.
    pub children: &'a [MarkupNode],
}

impl HtmlElement<'_> {
    /// The value of an attribute.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }
}

impl MarkupNode {
    /// An XHTML element without attributes.
    pub fn html(name: &str, children: Vec<MarkupNode>) -> Self {
        Self::Html { name: name.to_owned(), attributes: Vec::new(), children }
    }

    /// An XHTML element that holds a text.
    pub fn html_text(name: &str, attributes: &[(&str, &str)], text: &str) -> Self {
        Self::Html {
            name: name.to_owned(),
            attributes: attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            children: vec![Self::Text(text.to_owned())],
        }
    }
}

impl From<&str> for Markup {
    fn from(text: &str) -> Self {
        Self(vec![MarkupNode::Text(text.to_owned())])
    }
}

impl Markup {
    /// Reads the content of an element; elements other than XHTML and `<sub>` are left out.
    ///
    /// # Errors
    /// [`ReadError::TooDeep`] for markup nested beyond [`MAX_DEPTH`].
    pub fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        read_children(node, 0).map(Self)
    }

    /// Writes the content as it is, without indentation: white space counts in it.
    pub fn write(&self, w: &mut XmlWriter) {
        let mut out = String::new();
        write_nodes(&self.0, &mut out);
        w.raw(&out);
    }

    /// The text without markup; `value` gives the text for each `<sub>`.
    pub fn plain_text(&self, value: &dyn Fn(&str) -> String) -> String {
        let mut out = String::new();
        plain(&self.0, value, &mut out);
        out
    }

    /// Every XHTML element, in document order.
    pub fn html_elements(&self) -> Vec<HtmlElement<'_>> {
        fn walk<'a>(nodes: &'a [MarkupNode], out: &mut Vec<HtmlElement<'a>>) {
            for node in nodes {
                if let MarkupNode::Html { name, attributes, children } = node {
                    out.push(HtmlElement { name, attributes, children });
                    walk(children, out);
                }
            }
        }
        let mut out = Vec::new();
        walk(&self.0, &mut out);
        out
    }
}

fn read_children(node: Node<'_, '_>, depth: usize) -> Result<Vec<MarkupNode>, ReadError> {
    if depth > MAX_DEPTH {
        return Err(ReadError::TooDeep { line: node.line() });
    }
    let mut nodes = Vec::new();
    for child in node.children() {
        if child.is_text() {
            nodes.push(MarkupNode::Text(child.text().unwrap_or_default().to_owned()));
        } else if child.is(XCCDF, "sub") {
            nodes.push(MarkupNode::Sub { idref: child.required("idref")?.to_owned() });
        } else if child.is_element() && child.tag_name().namespace() == Some(XHTML) {
            nodes.push(MarkupNode::Html {
                name: child.tag_name().name().to_owned(),
                attributes: child.attributes().map(|a| (a.name().to_owned(), a.value().to_owned())).collect(),
                children: read_children(child, depth + 1)?,
            });
        }
    }
    Ok(nodes)
}

fn write_nodes(nodes: &[MarkupNode], out: &mut String) {
    for node in nodes {
        match node {
            MarkupNode::Text(text) => out.push_str(&escape(text)),
            MarkupNode::Html { name, attributes, children } => {
                out.push_str("<html:");
                out.push_str(name);
                for (key, value) in attributes {
                    out.push_str(&format!(" {key}=\"{}\"", escape(value)));
                }
                if children.is_empty() {
                    out.push_str("/>");
                } else {
                    out.push('>');
                    write_nodes(children, out);
                    out.push_str(&format!("</html:{name}>"));
                }
            }
            // The operator drops a <sub> with fewer than two attributes, or one whose first is not `idref`.
            MarkupNode::Sub { idref } => {
                out.push_str(&format!("<xccdf-1.2:sub idref=\"{}\" use=\"legacy\"/>", escape(idref)));
            }
        }
    }
}

fn plain(nodes: &[MarkupNode], value: &dyn Fn(&str) -> String, out: &mut String) {
    for node in nodes {
        match node {
            MarkupNode::Text(text) => out.push_str(text),
            MarkupNode::Html { children, .. } => plain(children, value, out),
            MarkupNode::Sub { idref } => out.push_str(&value(idref)),
        }
    }
}
