//! Texts of rules: a small part of Markdown becomes the XHTML that XCCDF allows.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use virtscap_scap::markup::{Markup, MarkupNode};

/// Why a text cannot be used.
pub(crate) struct MarkdownError {
    /// What is wrong.
    pub(crate) message: String,
    /// Byte in the text where it is.
    pub(crate) offset: usize,
}

/// Reads paragraphs, lists, code, emphasis; anything else is an error.
pub(crate) fn parse(text: &str) -> Result<Markup, MarkdownError> {
    if let Some(offset) = text.find("{{") {
        let message = "'{{' begins a Go template in the Compliance Operator; write the text without it".to_owned();
        return Err(MarkdownError { message, offset });
    }
    // The stack of open elements; the first collects the text's own children.
    let mut open: Vec<(&'static str, Vec<MarkupNode>)> = vec![("", Vec::new())];
    for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
        let error = |message: &str| MarkdownError { message: message.to_owned(), offset: range.start };
        match event {
            Event::Start(tag) => open.push((element(&tag).ok_or_else(|| error("this kind of Markdown is not supported"))?, Vec::new())),
            Event::End(end) => {
                if let Some((name, mut children)) = open.pop() {
                    if matches!(end, TagEnd::CodeBlock) {
                        trim_end(&mut children);
                    }
                    push(&mut open, MarkupNode::html(name, children));
                }
            }
            Event::Text(text) => push_text(&mut open, &text),
            Event::SoftBreak => push_text(&mut open, " "),
            Event::HardBreak => push_text(&mut open, "\n"),
            Event::Code(code) => push(&mut open, MarkupNode::html_text("code", &[], &code)),
            Event::Html(_) | Event::InlineHtml(_) => {
                return Err(error(
                    "the Compliance Operator drops text in angle brackets; write placeholders in capitals, as VM_NAME",
                ));
            }
            _ => return Err(error("this kind of Markdown is not supported")),
        }
    }
    Ok(Markup(open.pop().map(|(_, nodes)| nodes).unwrap_or_default()))
}

fn element(tag: &Tag<'_>) -> Option<&'static str> {
    Some(match tag {
        Tag::Paragraph => "p",
        Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => "pre",
        Tag::List(None) => "ul",
        Tag::List(Some(_)) => "ol",
        Tag::Item => "li",
        Tag::Emphasis => "em",
        Tag::Strong => "strong",
        _ => return None,
    })
}

fn push(open: &mut [(&'static str, Vec<MarkupNode>)], node: MarkupNode) {
    if let Some((_, children)) = open.last_mut() {
        children.push(node);
    }
}

fn push_text(open: &mut [(&'static str, Vec<MarkupNode>)], text: &str) {
    let last = open.last_mut().and_then(|(_, children)| children.last_mut());
    match last {
        Some(MarkupNode::Text(before)) => before.push_str(text),
        _ => push(open, MarkupNode::Text(text.to_owned())),
    }
}

fn trim_end(children: &mut [MarkupNode]) {
    if let Some(MarkupNode::Text(text)) = children.last_mut() {
        text.truncate(text.trim_end().len());
    }
}

/// Puts a word in bold before a text, in its first paragraph.
pub(crate) fn labelled(label: &str, text: &Markup) -> Vec<MarkupNode> {
    let mut nodes = text.0.clone();
    let label = [MarkupNode::html_text("strong", &[], label), MarkupNode::Text(" ".to_owned())];
    match nodes.first_mut() {
        Some(MarkupNode::Html { name, children, .. }) if name == "p" => {
            children.splice(0..0, label);
        }
        _ => nodes.insert(0, MarkupNode::html("p", label.to_vec())),
    }
    nodes
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use virtscap_scap::xml::XmlWriter;

    fn html(text: &str) -> String {
        let Ok(markup) = parse(text) else { panic!("{text}") };
        let mut w = XmlWriter::fragment();
        markup.write(&mut w);
        w.finish().trim_end().replace("html:", "")
    }

    #[test]
    fn markdown_becomes_xhtml() {
        assert_eq!(html("One `a < b`\nline.\n\nTwo."), "<p>One <code>a &lt; b</code> line.</p><p>Two.</p>");
        assert_eq!(html("- a\n- *b*"), "<ul><li>a</li><li><em>b</em></li></ul>");
        assert_eq!(html("```\noc get vm\n\n  -A\n```"), "<pre>oc get vm\n\n  -A</pre>");
    }

    #[test]
    fn what_the_operator_would_lose_is_refused() {
        assert_eq!(parse("see <name>").map_err(|e| e.offset).unwrap_err(), 4);
        assert!(parse("{{ x }}").is_err());
        assert!(parse("# heading").is_err());
        assert!(parse("![a](b)").is_err());
    }
}
