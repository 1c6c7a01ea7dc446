//! Texts of rules as plain text, for consumers that show no markup.

use virtscap_scap::markup::{Markup, MarkupNode};

/// The text with paragraphs apart, items of lists behind dashes and blocks of code indented.
pub(crate) fn plain(markup: &Markup) -> String {
    let mut blocks = Vec::new();
    collect(&markup.0, &mut blocks);
    blocks.join("\n\n")
}

/// The blocks that nodes make. Text outside of any block, as in tight items of lists, is a block of its own.
fn collect(nodes: &[MarkupNode], blocks: &mut Vec<String>) {
    let mut inline = String::new();
    for node in nodes {
        let (name, children) = match node {
            MarkupNode::Html { name, children, .. } => (name.as_str(), children),
            MarkupNode::Text(_) | MarkupNode::Sub { .. } => {
                inline.push_str(&text(std::slice::from_ref(node)));
                continue;
            }
        };
        if !matches!(name, "p" | "pre" | "ul" | "ol") {
            inline.push_str(&text(std::slice::from_ref(node)));
            continue;
        }
        flush(&mut inline, blocks);
        match name {
            "pre" => blocks.push(indented(&text(children), "    ", "    ")),
            "p" => blocks.push(text(children).trim().to_owned()),
            _ => blocks.push(children.iter().map(item).collect::<Vec<_>>().join("\n")),
        }
    }
    flush(&mut inline, blocks);
}

fn flush(inline: &mut String, blocks: &mut Vec<String>) {
    let text = std::mem::take(inline);
    if !text.trim().is_empty() {
        blocks.push(text.trim().to_owned());
    }
}

/// An item of a list.
fn item(node: &MarkupNode) -> String {
    let mut blocks = Vec::new();
    match node {
        MarkupNode::Html { children, .. } => collect(children, &mut blocks),
        other => collect(std::slice::from_ref(other), &mut blocks),
    }
    indented(&blocks.join("\n"), "- ", "  ")
}

fn indented(text: &str, first: &str, rest: &str) -> String {
    let line = |(number, line): (usize, &str)| {
        let line = format!("{}{line}", if number == 0 { first } else { rest });
        line.trim_end().to_owned()
    };
    text.lines().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn text(nodes: &[MarkupNode]) -> String {
    Markup(nodes.to_vec()).plain_text(&|_| String::new())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown;

    #[test]
    fn blocks_stay_apart() {
        let markup = markdown::parse("One `a`\ntwo.\n\n- *b*\n- c\n\n```\noc get vm\n\n  -A\n```");
        let plain = markup.map(|nodes| plain(&nodes)).unwrap_or_default();
        assert_eq!(plain, "One a two.\n\n- b\n- c\n\n    oc get vm\n\n      -A");
    }
}
