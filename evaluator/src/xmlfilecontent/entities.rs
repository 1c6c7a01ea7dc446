//! References to entities that a document declares itself.

/// The document without references to its own entities in texts, as OpenSCAP leaves them out; none where it declares none.
pub(super) fn without_references(text: &str) -> Option<String> {
    if !text.contains("<!ENTITY") {
        return None;
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with('&') {
            let length = rest.find(';').map_or(rest.len(), |end| end + 1);
            let name = &rest[1..length];
            if name.starts_with('#') || matches!(name, "lt;" | "gt;" | "amp;" | "quot;" | "apos;") {
                kept.push_str(&rest[..length]);
            }
            length
        } else {
            let length = markup(rest);
            kept.push_str(&rest[..length]);
            length
        };
        rest = &rest[length..];
    }
    kept.push_str(rest);
    Some(kept)
}

/// The length of a tag, a comment, a section or a declaration.
fn markup(text: &str) -> usize {
    let until = |end: &str| text.find(end).map_or(text.len(), |at| at + end.len());
    if text.starts_with("<!--") {
        return until("-->");
    }
    if text.starts_with("<![CDATA[") {
        return until("]]>");
    }
    if text.starts_with("<?") {
        return until("?>");
    }
    let mut quote = None;
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let here = &text[at..];
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            // What is within a document type declaration.
            (None, '<') if at > 0 && (here.starts_with("<!--") || here.starts_with("<?")) => {
                at += markup(here);
                continue;
            }
            (None, '"' | '\'') => quote = Some(c),
            (None, '<') => depth += 1,
            (None, '>') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            (None, _) => {}
        }
        at += c.len_utf8();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_left_out_of_texts_alone() {
        let head = "<!DOCTYPE a [<!-- ' > --><!ENTITY e \"v>\"><?pi > ?>]>";
        let body = "<a b='&e;>'>x&e;y&lt;&#65;<!-- &e; --><![CDATA[&e;]]></a>";
        let kept = "<a b='&e;>'>xy&lt;&#65;<!-- &e; --><![CDATA[&e;]]></a>";
        assert_eq!(without_references(&format!("{head}{body}")), Some(format!("{head}{kept}")));
        assert_eq!(without_references(body), None);
        for broken in [
            "<!ENTITY",
            "<!DOCTYPE a [<!ENTITY e 'v",
            "<!ENTITY e 'v'>&e",
            "<!ENTITY <!--",
            "<!ENTITY e ''>é&é;",
        ] {
            assert!(without_references(broken).is_some());
        }
    }
}
