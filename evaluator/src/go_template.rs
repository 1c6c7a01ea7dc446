//! Go templates in API paths and filters, as far as public content uses them.
//!
//! The Compliance Operator's collector renders them with Go's `text/template`. Here a closed subset is known: values
//! (`.name`), string literals, `if`, `else if`, `else` and `end`, `eq`, `ne`, `and`, `or` and `not`, parentheses, comments
//! and the markers that trim white space. Everything else is refused by name: a template that is guessed at would make a
//! filter that nobody wrote.

use std::iter::Peekable;
use std::vec::IntoIter;

/// Why a template cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    /// An action is not closed.
    #[error("the Go template has '{{{{' without '}}}}'")]
    Unclosed,
    /// An action is outside of what is known.
    #[error(
        "the Go template has '{0}', which is not supported; evaluate the operator's dump with --dump instead"
    )]
    Unsupported(String),
    /// A value is not in the benchmark.
    #[error("the Go template names the value '{0}', which the benchmark does not have")]
    UnknownValue(String),
    /// `else` or `end` without `if`, or `if` without `end`.
    #[error("the Go template has '{0}' in the wrong place")]
    Misplaced(&'static str),
}

/// How deep `if` and parentheses may be nested.
const MAX_DEPTH: usize = 50;

/// Whether a text has anything to render.
pub(crate) fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// Renders a template; `value` gives the text of a name, without its dot.
///
/// # Errors
/// [`TemplateError`] where the template is wrong, not in the subset, or names a value that is not there.
pub(crate) fn render(
    template: &str,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<String, TemplateError> {
    let mut parts = split(template)?.into_iter().peekable();
    let mut out = String::new();
    let end = block(&mut parts, true, value, &mut out, 0)?;
    match end {
        End::Text => Ok(out),
        End::Else(_) => Err(TemplateError::Misplaced("else")),
        End::Close => Err(TemplateError::Misplaced("end")),
    }
}

/// A piece of a template.
#[derive(Debug)]
enum Part {
    Text(String),
    Action(String),
}

fn split(template: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = template;
    let mut trim = false;
    loop {
        let (text, action) = match rest.split_once("{{") {
            Some((text, after)) => (text, Some(after)),
            None => (rest, None),
        };
        let mut text = if trim { text.trim_start() } else { text };
        let Some(mut after) = action else {
            parts.push(Part::Text(text.to_owned()));
            return Ok(parts);
        };
        // A marker is a hyphen with white space beside it; otherwise it belongs to the action.
        if let Some(trimmed) = after.strip_prefix('-').filter(|t| t.starts_with(char::is_whitespace)) {
            text = text.trim_end();
            after = trimmed;
        }
        parts.push(Part::Text(text.to_owned()));
        let end = action_end(after).ok_or(TemplateError::Unclosed)?;
        let mut action = &after[..end];
        trim = false;
        if let Some(trimmed) = action.strip_suffix('-').filter(|t| t.ends_with(char::is_whitespace)) {
            action = trimmed;
            trim = true;
        }
        parts.push(Part::Action(action.trim().to_owned()));
        rest = &after[end + 2..];
    }
}

/// Where an action ends: at the first `}}` outside of literals.
fn action_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if text[at..].starts_with("}}") => return Some(at),
            None => {}
        }
    }
    None
}

/// What ended a block.
enum End {
    /// The template's end.
    Text,
    /// `else`, with the condition of an `else if`.
    Else(Option<String>),
    Close,
}

type Parts = Peekable<IntoIter<Part>>;
type Values<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Renders up to what ends the block. A block that is not `live` is parsed and gives nothing.
fn block(
    parts: &mut Parts,
    live: bool,
    values: Values<'_>,
    out: &mut String,
    depth: usize,
) -> Result<End, TemplateError> {
    while let Some(part) = parts.next() {
        let action = match part {
            Part::Text(text) => {
                if live {
                    out.push_str(&text);
                }
                continue;
            }
            Part::Action(action) => action,
        };
        let (word, rest) = match action.split_once(char::is_whitespace) {
            Some((word, rest)) => (word, rest.trim()),
            None => (action.as_str(), ""),
        };
        match word {
            _ if action.starts_with("/*") && action.ends_with("*/") => {}
            "end" if rest.is_empty() => return Ok(End::Close),
            "else" if rest.is_empty() => return Ok(End::Else(None)),
            "else" => match rest.strip_prefix("if").filter(|c| c.starts_with(char::is_whitespace)) {
                Some(condition) => return Ok(End::Else(Some(condition.trim().to_owned()))),
                None => return Err(TemplateError::Unsupported(action)),
            },
            "if" => branches(parts, rest.to_owned(), live, values, out, depth + 1)?,
            _ => {
                let text = evaluate(&action, live, values)?.text();
                if live {
                    out.push_str(&text);
                }
            }
        }
    }
    Ok(End::Text)
}

/// Renders an `if` with all that belongs to it.
fn branches(
    parts: &mut Parts,
    mut condition: String,
    live: bool,
    values: Values<'_>,
    out: &mut String,
    depth: usize,
) -> Result<(), TemplateError> {
    if depth > MAX_DEPTH {
        return Err(TemplateError::Unsupported("more than 50 nested ifs".to_owned()));
    }
    let mut open = live;
    let mut last = false;
    loop {
        let holds = last || evaluate(&condition, open, values)?.truth();
        match block(parts, open && holds, values, out, depth)? {
            End::Close => return Ok(()),
            End::Text => return Err(TemplateError::Misplaced("if")),
            End::Else(_) if last => return Err(TemplateError::Misplaced("else")),
            End::Else(Some(next)) => condition = next,
            End::Else(None) => last = true,
        }
        open = open && !holds;
    }
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Bool(bool),
}

impl Value {
    fn truth(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Bool(truth) => *truth,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Bool(truth) => truth.to_string(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Field(String),
    Literal(String),
    Word(String),
}

/// Evaluates an expression. Where it is not `live` only its form counts, and no value has to be there.
fn evaluate(expression: &str, live: bool, values: Values<'_>) -> Result<Value, TemplateError> {
    let values: Values<'_> = if live { values } else { &|_| Some(String::new()) };
    let unsupported = || TemplateError::Unsupported(expression.to_owned());
    let mut tokens = tokens(expression).ok_or_else(unsupported)?.into_iter().peekable();
    let value = command(&mut tokens, values, &unsupported, 0)?;
    if tokens.next().is_some() {
        return Err(unsupported());
    }
    Ok(value)
}

/// A function with its arguments, or one operand.
fn command(
    tokens: &mut Peekable<IntoIter<Token>>,
    values: Values<'_>,
    unsupported: &dyn Fn() -> TemplateError,
    depth: usize,
) -> Result<Value, TemplateError> {
    if depth > MAX_DEPTH {
        return Err(unsupported());
    }
    let Some(Token::Word(function)) = tokens.peek().cloned() else {
        return operand(tokens, values, unsupported, depth);
    };
    if !matches!(function.as_str(), "eq" | "ne" | "and" | "or" | "not") {
        return Err(unsupported());
    }
    tokens.next();
    let mut arguments = Vec::new();
    while !matches!(tokens.peek(), None | Some(Token::Close)) {
        arguments.push(operand(tokens, values, unsupported, depth)?);
    }
    match (function.as_str(), arguments.as_slice()) {
        ("not", [one]) => Ok(Value::Bool(!one.truth())),
        ("eq", [first, others @ ..]) if !others.is_empty() => {
            let same_kind = |other: &Value| std::mem::discriminant(first) == std::mem::discriminant(other);
            if !others.iter().all(same_kind) {
                return Err(unsupported());
            }
            Ok(Value::Bool(others.contains(first)))
        }
        ("ne", [Value::Text(a), Value::Text(b)]) => Ok(Value::Bool(a != b)),
        ("ne", [Value::Bool(a), Value::Bool(b)]) => Ok(Value::Bool(a != b)),
        // As Go has it: the first argument that decides, or the last.
        ("and", [.., last]) => Ok(arguments.iter().find(|a| !a.truth()).unwrap_or(last).clone()),
        ("or", [.., last]) => Ok(arguments.iter().find(|a| a.truth()).unwrap_or(last).clone()),
        _ => Err(unsupported()),
    }
}

fn operand(
    tokens: &mut Peekable<IntoIter<Token>>,
    values: Values<'_>,
    unsupported: &dyn Fn() -> TemplateError,
    depth: usize,
) -> Result<Value, TemplateError> {
    match tokens.next() {
        Some(Token::Literal(text)) => Ok(Value::Text(text)),
        Some(Token::Field(name)) => match values(&name) {
            Some(text) => Ok(Value::Text(text)),
            None => Err(TemplateError::UnknownValue(name)),
        },
        Some(Token::Open) => {
            let value = command(tokens, values, unsupported, depth + 1)?;
            if tokens.next() == Some(Token::Close) { Ok(value) } else { Err(unsupported()) }
        }
        _ => Err(unsupported()),
    }
}

/// The tokens of an expression; none where there is something else in it.
fn tokens(expression: &str) -> Option<Vec<Token>> {
    let name = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let mut found = Vec::new();
    let mut rest = expression.trim();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' => {
                found.push(Token::Open);
                1
            }
            ')' => {
                found.push(Token::Close);
                1
            }
            '.' => {
                let end = 1 + name(&rest[1..]);
                // A lone dot, and a field of a field, are something else.
                if end == 1 || rest[end..].starts_with('.') {
                    return None;
                }
                found.push(Token::Field(rest[1..end].to_owned()));
                end
            }
            '`' => {
                let end = rest[1..].find('`')?;
                found.push(Token::Literal(rest[1..=end].to_owned()));
                end + 2
            }
            '"' => {
                let (text, length) = interpreted(rest)?;
                found.push(Token::Literal(text));
                length
            }
            c if c.is_alphabetic() => {
                let end = name(rest);
                found.push(Token::Word(rest[..end].to_owned()));
                end
            }
            _ => return None,
        };
        rest = rest[length..].trim_start();
    }
    Some(found)
}

/// A literal in double quotes, with its length. Of the escapes the plain ones are known.
fn interpreted(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, at + 1)),
            '\\' => out.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                '"' => '"',
                '\\' => '\\',
                _ => return None,
            }),
            c => out.push(c),
        }
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rendered(template: &str) -> Result<String, TemplateError> {
        render(template, &|name| match name {
            "cluster" => Some("None".to_owned()),
            "prefix" => Some("clusters".to_owned()),
            "empty" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn what_public_content_uses_is_rendered() {
        let path = r#"{{if ne .cluster "None"}}/{{.prefix}}-{{.cluster}}/x{{else}}/default/x{{end}}"#;
        let cases = [
            ("no template", "no template"),
            ("/a/{{.prefix}}/b", "/a/clusters/b"),
            (path, "/default/x"),
            (r#"{{ if eq .cluster "a" "None" }}yes{{ end }}"#, "yes"),
            (r#"{{if .empty}}a{{else if eq .prefix "x"}}b{{else if .prefix}}c{{else}}d{{end}}"#, "c"),
            (r#"{{if and .prefix (ne .cluster "x")}}{{if not .empty}}in{{end}}{{end}}"#, "in"),
            (
                r#"{{or .empty .prefix}}|{{and .empty .prefix}}|{{"a}}\"b"}}|{{`r\w`}}"#,
                r#"clusters||a}}"b|r\w"#,
            ),
            ("a  {{- /* note */ -}}  b {{- .prefix -}} c", "abclustersc"),
            ("[.data | map({a: {b: 1}})]", "[.data | map({a: {b: 1}})]"),
        ];
        for (template, expected) in cases {
            assert_eq!(rendered(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn what_is_not_taken_is_parsed_all_the_same() {
        assert_eq!(rendered("{{if .empty}}{{if .prefix}}a{{else}}b{{end}}{{else}}c{{end}}").unwrap(), "c");
        assert_eq!(rendered("{{if .empty}}{{.nobody}}{{else}}c{{end}}").unwrap(), "c");
        assert!(rendered("{{if .empty}}{{len .nobody}}{{end}}").is_err());
    }

    #[test]
    fn everything_else_is_refused_by_name() {
        let unsupported = |text: &str| Err(TemplateError::Unsupported(text.to_owned()));
        assert_eq!(rendered("{{.prefix | printf}}"), unsupported(".prefix | printf"));
        assert_eq!(rendered("{{range .x}}{{end}}"), unsupported("range .x"));
        assert_eq!(rendered("{{.a.b}}"), unsupported(".a.b"));
        assert_eq!(rendered("{{.}}"), unsupported("."));
        assert_eq!(rendered("{{ $x := 1 }}"), unsupported("$x := 1"));
        assert_eq!(rendered("{{eq .prefix}}"), unsupported("eq .prefix"));
        assert_eq!(rendered("{{else with .x}}"), unsupported("else with .x"));
        assert_eq!(rendered("{{.nobody}}"), Err(TemplateError::UnknownValue("nobody".to_owned())));
        assert_eq!(rendered("{{.prefix"), Err(TemplateError::Unclosed));
        assert_eq!(rendered("{{if .prefix}}x"), Err(TemplateError::Misplaced("if")));
        assert_eq!(rendered("x{{end}}"), Err(TemplateError::Misplaced("end")));
        assert_eq!(rendered("{{else}}"), Err(TemplateError::Misplaced("else")));
    }
}
