//! Texts of the benchmark as HTML: a closed list of elements, everything else escaped.

use virtscap_scap::markup::{Markup, MarkupNode};
use virtscap_scap::xml::is_allowed;

/// Escapes a text for an element's content or an attribute's value, in HTML and XML alike.
///
/// What XML forbids becomes U+FFFD. Characters that reorder or hide text are spelled out: the name of an object must
/// not be able to make a line of the report read as another one.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\r' => out.push_str("&#13;"),
            '\u{AD}'
            | '\u{61C}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{7F}'..='\u{9F}'
            | '\u{E0000}'..='\u{E007F}' => {
                out.push_str(&format!("[U+{:04X}]", u32::from(c)));
            }
            c if is_allowed(c) => out.push(c),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
    out
}

/// A text of the benchmark as HTML, with a closed list of elements and attributes.
pub(super) fn markup_to_html(markup: &Markup) -> String {
    let mut out = String::new();
    write_markup(&markup.0, &mut out);
    out.trim().to_owned()
}

fn write_markup(nodes: &[MarkupNode], out: &mut String) {
    for node in nodes {
        match node {
            MarkupNode::Text(text) => out.push_str(&escape(text)),
            MarkupNode::Sub { idref } => {
                out.push_str("<code>");
                out.push_str(&escape(idref));
                out.push_str("</code>");
            }
            MarkupNode::Html { name, attributes, children } => match allowed_element(name) {
                Element::Tag(tag) => {
                    let attributes = allowed_attributes(tag, attributes);
                    if tag == "a" && attributes.is_empty() {
                        write_markup(children, out);
                    } else {
                        out.push_str(&format!("<{tag}{attributes}>"));
                        write_markup(children, out);
                        out.push_str(&format!("</{tag}>"));
                    }
                }
                Element::Void(tag) => out.push_str(&format!("<{tag}/>")),
                Element::ContentOnly => write_markup(children, out),
                Element::Nothing => {}
            },
        }
    }
}

enum Element {
    Tag(&'static str),
    Void(&'static str),
    ContentOnly,
    Nothing,
}

fn allowed_element(name: &str) -> Element {
    const TAGS: [&str; 28] = [
        "p",
        "div",
        "pre",
        "code",
        "kbd",
        "samp",
        "var",
        "em",
        "strong",
        "b",
        "i",
        "sub",
        "sup",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "blockquote",
        "a",
        "table",
        "thead",
        "tbody",
        "tfoot",
        "tr",
        "th",
        "td",
    ];
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        // The page's own headings end at h4, the rule.
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Element::Tag("h5"),
        "tt" => Element::Tag("code"),
        "br" => Element::Void("br"),
        "hr" => Element::Void("hr"),
        "script" | "style" | "template" | "iframe" | "object" | "title" => Element::Nothing,
        other => TAGS.into_iter().find(|t| *t == other).map_or(Element::ContentOnly, Element::Tag),
    }
}

fn allowed_attributes(tag: &str, attributes: &[(String, String)]) -> String {
    let mut out = String::new();
    for (key, value) in attributes {
        match (tag, key.as_str()) {
            ("a", "href") if is_web_address(value) => {
                out.push_str(&format!(" href=\"{}\" rel=\"noreferrer noopener\"", escape(value.trim())));
            }
            ("th" | "td", "colspan" | "rowspan") if value.parse::<u8>().is_ok_and(|n| n > 0) => {
                out.push_str(&format!(" {key}=\"{}\"", escape(value)));
            }
            _ => {}
        }
    }
    out
}

fn is_web_address(address: &str) -> bool {
    let address = address.trim();
    ["https://", "http://"]
        .iter()
        .any(|scheme| address.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme)))
}
