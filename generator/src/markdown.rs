//! Texts of rules: a small part of Markdown becomes the XHTML that XCCDF allows.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use virtscap_scap::markup::{Markup, MarkupNode};

/// Why a text cannot be used.
#[derive(Debug)]
pub(crate) struct MarkdownError {
    /// What is wrong.
    pub(crate) message: &'static str,
    /// What to do about it.
    pub(crate) help: &'static str,
    /// The bytes in the text that are wrong.
    pub(crate) span: Range<usize>,
}

const SUPPORTED: &str =
    "write paragraphs, lists, code, emphasis and strong emphasis; scanners show nothing else";
const TEMPLATE: &str = "'{{' begins a Go template in the Compliance Operator";
const TEMPLATE_HELP: &str = "write the text without it";
const TAG: &str = "the Compliance Operator drops text that begins with '<' and a letter, as if it were a tag";
const TAG_HELP: &str = "write placeholders in capitals, as VM_NAME";

/// Reads paragraphs, lists, code, emphasis; anything else is an error.
pub(crate) fn parse(text: &str) -> Result<Markup, Vec<MarkdownError>> {
    let mut errors = hostile(text, "{{", |_| true, TEMPLATE, TEMPLATE_HELP);
    // The stack of open elements; the first collects the text's own children.
    let mut open: Vec<(&'static str, Vec<MarkupNode>)> = vec![("", Vec::new())];
    for (event, range) in Parser::new_ext(text, Options::empty()).into_offset_iter() {
        let (message, help) = match event {
            Event::Start(Tag::HtmlBlock) => {
                open.push(("p", Vec::new()));
                (TAG, TAG_HELP)
            }
            Event::Start(tag) => match element(&tag) {
                Ok(name) => {
                    open.push((name, Vec::new()));
                    continue;
                }
                Err(message) => {
                    open.push(("p", Vec::new()));
                    (message, SUPPORTED)
                }
            },
            Event::End(end) => {
                if let Some((name, mut children)) = open.pop() {
                    if matches!(end, TagEnd::CodeBlock) {
                        trim_end(&mut children);
                    }
                    push(&mut open, MarkupNode::html(name, children));
                }
                continue;
            }
            Event::Text(piece) => {
                push_text(&mut open, &piece);
                if ends_in_tag(&open, &piece) {
                    errors.extend(tags(text, range));
                }
                continue;
            }
            Event::Code(code) => {
                push(&mut open, MarkupNode::html_text("code", &[], &code));
                if is_tag(&code) {
                    errors.extend(tags(text, range));
                }
                continue;
            }
            Event::SoftBreak => {
                push_text(&mut open, " ");
                continue;
            }
            Event::HardBreak => {
                push_text(&mut open, "\n");
                continue;
            }
            // Its start, or the tag that it closes, was told.
            Event::Html(_) => continue,
            Event::InlineHtml(tag) if tag.starts_with("</") => continue,
            Event::InlineHtml(_) => (TAG, TAG_HELP),
            Event::Rule => ("a line across the text is not supported", SUPPORTED),
            _ => ("this kind of Markdown is not supported", SUPPORTED),
        };
        let end = range.start + text[range.clone()].lines().next().unwrap_or_default().len();
        errors.push(MarkdownError { message, help, span: range.start..end });
    }
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.span.start);
        return Err(errors);
    }
    Ok(Markup(open.pop().map(|(_, nodes)| nodes).unwrap_or_default()))
}

/// What in a text of one line, which is no Markdown, the Compliance Operator would lose or choke on.
pub(crate) fn check_plain(text: &str) -> Result<(), Vec<MarkdownError>> {
    let mut errors = hostile(text, "{{", |_| true, TEMPLATE, TEMPLATE_HELP);
    errors.extend(hostile(text, "<", begins_tag, TAG, TAG_HELP));
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Every place where `what` stands in front of something that makes it wrong.
fn hostile(
    text: &str,
    what: &str,
    before: fn(&str) -> bool,
    message: &'static str,
    help: &'static str,
) -> Vec<MarkdownError> {
    let found = text.match_indices(what).map(|(start, _)| start..start + what.len());
    let found = found.filter(|span| before(&text[span.end..]));
    found.map(|span| MarkdownError { message, help, span }).collect()
}

/// Whether a '<' in front of this text makes it look like a tag.
fn begins_tag(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
}

/// Whether a text holds what looks like a tag.
fn is_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| begins_tag(&text[at + 1..]))
}

/// The tags in a part of the text; the part itself where none can be seen in the source.
fn tags(text: &str, part: Range<usize>) -> Vec<MarkdownError> {
    let mut errors = hostile(&text[part.clone()], "<", begins_tag, TAG, TAG_HELP);
    for error in &mut errors {
        error.span = part.start + error.span.start..part.start + error.span.end;
    }
    if errors.is_empty() {
        errors.push(MarkdownError { message: TAG, help: TAG_HELP, span: part });
    }
    errors
}

/// Whether the text that was pushed last makes a tag, alone or with the text before it.
fn ends_in_tag(open: &[(&'static str, Vec<MarkupNode>)], text: &str) -> bool {
    let joined = match open.last().and_then(|(_, children)| children.last()) {
        Some(MarkupNode::Text(all)) => all.as_str(),
        _ => text,
    };
    // One character more than the text itself: entities such as `&lt;` come as texts of their own.
    let start = joined.len().saturating_sub(text.len());
    let start = joined[..start].char_indices().next_back().map_or(start, |(before, _)| before);
    is_tag(&joined[start..])
}

/// The element that a tag becomes, or why there is none.
fn element(tag: &Tag<'_>) -> Result<&'static str, &'static str> {
    Ok(match tag {
        Tag::Paragraph => "p",
        Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => "pre",
        Tag::List(None) => "ul",
        Tag::List(Some(_)) => "ol",
        Tag::Item => "li",
        Tag::Emphasis => "em",
        Tag::Strong => "strong",
        Tag::Heading { .. } => return Err("a heading is not supported"),
        Tag::Link { .. } => return Err("a link is not supported"),
        Tag::Image { .. } => return Err("an image is not supported"),
        Tag::BlockQuote(_) => return Err("a quotation is not supported"),
        _ => return Err("this kind of Markdown is not supported"),
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

    fn refused(text: &str) -> Vec<(usize, &'static str)> {
        parse(text).unwrap_err().iter().map(|error| (error.span.start, error.message)).collect()
    }

    #[test]
    fn what_the_operator_would_lose_is_refused() {
        assert_eq!(refused("see <name> and `<x>`, {{ y }}"), [(4, TAG), (16, TAG), (22, TEMPLATE)]);
        assert_eq!(refused("&lt;name&gt;\n\n    cat <<EOF"), [(4, TAG), (23, TAG)]);
        assert_eq!(refused("<div>\nx\n</div>\n\n<b>y</b>"), [(0, TAG), (16, TAG)]);
        assert_eq!(
            refused("# a\n\n![a](b)\n\n***"),
            [
                (0, "a heading is not supported"),
                (5, "an image is not supported"),
                (14, "a line across the text is not supported"),
            ]
        );
        assert_eq!(html("1 < 2, `a < b`"), "<p>1 &lt; 2, <code>a &lt; b</code></p>");
    }
}
