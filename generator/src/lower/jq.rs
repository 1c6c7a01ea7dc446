//! jq that filters share. Each filter stands alone, so it carries the definitions that it uses.

use crate::expr::{self, Expr, jq};
use crate::model::{Loop, Selection};

/// Control characters would make oscap's results ill-formed XML, and a line feed would end a pattern's reach.
pub(super) const CLEAN: &str =
    "explode | map(if . < 32 or . == 127 or . > 65533 and . < 65536 then 63 else . end) | implode";
/// A name in which nothing can be taken for a string's own structure: white space and brackets become `?`. Of most names
/// `@uri` leaves all characters, and is far quicker to tell so than a walk over them.
pub(super) const NAME: &str = "def name: tostring | if @uri == . then . else explode | map(if . < 33 or . == 91 or . == 93 or . == 127 or . > 65533 and . < 65536 then 63 else . end) | implode end;";
/// A text as a regular expression that matches it.
pub(super) const QUOTED: &str = "def quoted: explode | map(if . > 47 and . < 58 or . > 64 and . < 91 or . > 96 and . < 123 or . == 45 or . == 58 or . == 95 or . > 127 then . else 92, . end) | implode;";
/// A text that can stand in a comment of a regular expression.
pub(super) const COMMENT: &str = "def comment: explode | map(if . < 32 or . == 40 or . == 41 or . == 92 or . == 127 then 63 else . end) | implode;";
/// A text of the characters that labels, and names of objects, are made of; all else becomes `?`.
pub(super) const LABEL: &str = "def plain: tostring | explode | map(if . > 44 and . < 58 or . > 64 and . < 91 or . == 95 or . > 96 and . < 123 then . else 63 end) | implode;";
/// A label selector as look-aheads over ` labelled KEY=VALUE,KEY=VALUE`; needs [`QUOTED`] and [`LABEL`]. What is no
/// selector selects nothing.
pub(super) const SELECTOR: &str = r#"def pair: "(?=.*[ ,]" + (.key | plain | quoted) + "=" + (.value | plain | quoted) + "(?:,|$))"; def values: "=(?:" + ([.values[]? | plain | quoted] | join("|")) + ")(?:,|$))"; def requirement: if type != "object" then "(?!)" else (.key | plain | quoted) as $key | if .operator == "In" then "(?=.*[ ,]" + $key + values elif .operator == "NotIn" then "(?!.*[ ,]" + $key + values elif .operator == "Exists" then "(?=.*[ ,]" + $key + "=)" elif .operator == "DoesNotExist" then "(?!.*[ ,]" + $key + "=)" else "(?!)" end end; def selector: if . == null then "" elif type != "object" then "(?!)" else (.matchLabels | if . == null then "" elif type != "object" then "(?!)" else [to_entries[] | pair] | join("") end) + (.matchExpressions | if . == null then "" elif type != "array" then "(?!)" else [.[] | requirement] | join("") end) end;"#;

/// The value of an expression, in brackets.
pub(super) fn value(expr: &Expr) -> String {
    format!("({})", jq::lower(expr))
}

/// What `then` gives for each object of a selection, as a list.
pub(super) fn over(selection: &Selection, then: &str) -> String {
    let then = only_if(selection.condition.as_ref(), then);
    format!("[.items[] | . as ${} | {then}]", selection.variable)
}

/// A stream where a condition holds, and nothing elsewhere.
pub(super) fn only_if(condition: Option<&Expr>, then: &str) -> String {
    match condition {
        None => then.to_owned(),
        Some(condition) => format!("if {} == true then {then} else empty end", value(condition)),
    }
}

/// A stream for each element of nested lists.
pub(super) fn each_of(loops: &[Loop], then: &str) -> String {
    let mut text = then.to_owned();
    for Loop { list, variable } in loops.iter().rev() {
        text = format!("({} | arrays | .[]) as ${variable} | {text}", value(list));
    }
    format!("({text})")
}

/// The name of an object: `NAMESPACE/NAME`, or `NAME` where it has no namespace.
pub(super) fn object_name(variable: &str) -> String {
    let name = parsed(&format!("string({variable}.metadata.name)"));
    let namespace = parsed(&format!(
        "string({variable}.metadata.namespace) == \"\" ? \"\" : string({variable}.metadata.namespace) + \"/\""
    ));
    match (name, namespace) {
        (Some(name), Some(namespace)) => format!("({} + {})", value(&namespace), value(&name)),
        _ => "\"\"".to_owned(),
    }
}

/// The namespace of an object; empty where it has none.
pub(super) fn namespace(variable: &str) -> String {
    parsed(&format!("string({variable}.metadata.namespace)")).map_or_else(|| "\"\"".to_owned(), |e| value(&e))
}

fn parsed(source: &str) -> Option<Expr> {
    expr::parse(source).ok()
}
