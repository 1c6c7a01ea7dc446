//! Expressions as jq filters.
//!
//! The filters keep to what gojq and jaq have in common. Whatever their input, they give exactly one output and no error.
//! They are one line without runs of spaces, and hold neither `{{` nor `<` before a letter, so they can travel inside XML
//! inside a Go template.
//!
//! A path is read as `[$vm.spec?.running?][0]`: `?` drops the value where a step fails, and `[][0]` is null. (`//` would
//! take false for absent.) Where only the elements of a list matter, the stream is `$vm.spec?.disks? | arrays[]`.

use super::ast::{Comparison, Expr, ExprKind, Iteration, Probe};
use super::names::is_jq_field;
use super::quote::quote;
use super::shape::{Shape, shape};

/// The jq filter with the value of `expr`. Its free variables are the jq variables of the same name.
#[must_use]
pub fn lower(expr: &Expr) -> String {
    value(expr).text
}

/// How tightly the outermost operator of a filter binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    /// `a | b`, `a as $b | c`
    Pipe,
    Or,
    And,
    Compare,
    Add,
    Term,
}

/// A filter that never looks at its input, so that it can stand anywhere in a pipe.
struct Filter {
    text: String,
    binding: Binding,
}

impl Filter {
    fn new(binding: Binding, text: impl Into<String>) -> Self {
        Self { text: text.into(), binding }
    }

    fn term(text: impl Into<String>) -> Self {
        Self::new(Binding::Term, text)
    }

    /// The text as an operand of an operator that needs at least `binding`.
    fn within(self, binding: Binding) -> String {
        if self.binding < binding { format!("({})", self.text) } else { self.text }
    }
}

fn value(expr: &Expr) -> Filter {
    match &expr.kind {
        ExprKind::Null => Filter::term("null"),
        ExprKind::Bool(b) => Filter::term(b.to_string()),
        ExprKind::Int(i) => Filter::term(i.to_string()),
        ExprKind::Float(f) => Filter::term(format!("{f:?}")),
        ExprKind::String(s) => Filter::term(quote(s)),
        ExprKind::List(all) => Filter::term(format!("[{}]", list(all))),
        ExprKind::Variable(name) => Filter::term(format!("${name}")),
        ExprKind::Select(..) | ExprKind::Index(..) => Filter::term(format!("[{}][0]", read(expr))),
        ExprKind::Not(a) => Filter::new(Binding::Pipe, format!("{} | not", truth(a).text)),
        ExprKind::And(all) => junction(all, " and ", Binding::And),
        ExprKind::Or(all) => junction(all, " or ", Binding::Or),
        ExprKind::Compare(operator, a, b) => compare(*operator, a, b),
        ExprKind::In(a, b) => membership(a, b),
        ExprKind::Add(all) => sum(all),
        ExprKind::If(..) => Filter::new(Binding::Pipe, format!("if {} end", branches(expr))),
        ExprKind::Iterate { how, range, variable, body } => iterate(*how, range, variable, body),
        ExprKind::Size(a) => size(a),
        ExprKind::Probe(probe, a, b) => self::probe(*probe, a, b),
        ExprKind::Matches(a, pattern) => pipe(a, format!(r#"type == "string" and test({})"#, quote(pattern))),
        ExprKind::ToString(a) => to_string(a),
        ExprKind::ParseJson(a) => parse_json(a),
        ExprKind::Keys(_) => Filter::term(format!("[{}]", elements(expr))),
    }
}

/// The filter that is true where `expr` is true, and false elsewhere.
fn truth(expr: &Expr) -> Filter {
    match shape(expr) {
        Shape::Bool => value(expr),
        Shape::Any => Filter::new(Binding::Compare, format!("{} == true", value(expr).within(Binding::Add))),
        Shape::Null | Shape::Number | Shape::String | Shape::List => Filter::term("false"),
    }
}

fn pipe(first: &Expr, then: impl AsRef<str>) -> Filter {
    Filter::new(Binding::Pipe, format!("{} | {}", value(first).text, then.as_ref()))
}

/// The filters of `all` with commas between them.
fn list(all: &[Expr]) -> String {
    let all: Vec<String> = all.iter().map(|e| value(e).within(Binding::Or)).collect();
    all.join(", ")
}

fn junction(all: &[Expr], operator: &str, binding: Binding) -> Filter {
    // `a and b` inside `or` reads better in brackets, though it needs none.
    let all: Vec<String> = all.iter().map(|e| truth(e).within(Binding::Compare)).collect();
    Filter::new(binding, all.join(operator))
}

/// A stream of the value of a path, or of nothing where a step of the path fails.
fn read(expr: &Expr) -> String {
    let (base, key) = match &expr.kind {
        ExprKind::Variable(name) => return format!("${name}"),
        // gojq reads a character where a string is indexed.
        ExprKind::Index(base, index) => return format!("{} | arrays[{index}]", read(base)),
        ExprKind::Select(base, key) => (base, key),
        _ => return value(expr).text,
    };
    let suffix = matches!(base.kind, ExprKind::Variable(_) | ExprKind::Select(..) | ExprKind::Index(..));
    let base = read(base);
    match (suffix, is_jq_field(key)) {
        (true, true) => format!("{base}.{key}?"),
        (true, false) => format!("{base}[{}]?", quote(key)),
        (false, true) => format!("{base} | .{key}?"),
        (false, false) => format!("{base} | .[{}]?", quote(key)),
    }
}

/// A stream of the elements of a list, or of nothing where `expr` is none.
fn elements(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Iterate { how: Iteration::Filter, range, variable, body } => {
            format!("{} | select(. as ${variable} | {})", elements(range), truth(body).text)
        }
        // The brackets keep the variable from what follows in the pipe.
        ExprKind::Iterate { how: Iteration::Map, range, variable, body } => {
            format!("{} | (. as ${variable} | {})", elements(range), value(body).text)
        }
        ExprKind::Keys(map) => format!("{} | objects | keys[]", read(map)),
        _ if shape(expr) == Shape::List => format!("{}[]", value(expr).within(Binding::Term)),
        _ => format!("{} | arrays[]", read(expr)),
    }
}

fn iterate(how: Iteration, range: &Expr, variable: &str, body: &Expr) -> Filter {
    let range = elements(range);
    Filter::term(match how {
        Iteration::Exists => format!("any({range}; . as ${variable} | {})", truth(body).text),
        Iteration::All => format!("all({range}; . as ${variable} | {})", truth(body).text),
        Iteration::Filter => format!("[{range} | select(. as ${variable} | {})]", truth(body).text),
        Iteration::Map => format!("[{range} | . as ${variable} | {}]", value(body).text),
    })
}

fn compare(operator: Comparison, a: &Expr, b: &Expr) -> Filter {
    let symbol = operator.symbol();
    let plain = || {
        let [a, b] = [value(a).within(Binding::Add), value(b).within(Binding::Add)];
        Filter::new(Binding::Compare, format!("{a} {symbol} {b}"))
    };
    if matches!(operator, Comparison::Equal | Comparison::NotEqual) {
        return plain();
    }
    let ordered = |known: Shape, operator: Comparison, other: &Expr, bound: &Expr| {
        let kind = if known == Shape::Number { "number" } else { "string" };
        let bound = value(bound).within(Binding::Add);
        pipe(other, format!(r#"type == "{kind}" and . {} {bound}"#, operator.symbol()))
    };
    match (shape(a), shape(b)) {
        (Shape::Number, Shape::Number) | (Shape::String, Shape::String) => plain(),
        (Shape::Any, known @ (Shape::Number | Shape::String)) => ordered(known, operator, a, b),
        (known @ (Shape::Number | Shape::String), Shape::Any) => ordered(known, operator.flipped(), b, a),
        (Shape::Any, Shape::Any) => {
            let [a, b] = [value(a).within(Binding::Or), value(b).within(Binding::Or)];
            let same = r#"all(.[]; type == "number") or all(.[]; type == "string")"#;
            Filter::new(Binding::Pipe, format!("[{a}, {b}] | ({same}) and .[0] {symbol} .[1]"))
        }
        _ => Filter::term("false"),
    }
}

fn membership(a: &Expr, b: &Expr) -> Filter {
    // With a literal on one side the common cases need no variable.
    if let ExprKind::List(all) = &b.kind {
        let all: Vec<String> =
            all.iter().map(|e| format!(". == {}", value(e).within(Binding::Add))).collect();
        return if all.is_empty() { Filter::term("false") } else { pipe(a, all.join(" or ")) };
    }
    let (is_string, has) = match &a.kind {
        ExprKind::String(key) => (String::new(), quote(key)),
        _ => (r#" and ($e | type == "string")"#.to_owned(), "$e".to_owned()),
    };
    let found = match shape(b) {
        Shape::List => format!("any(.[]; . == {has})"),
        Shape::Any => format!(
            r#"if type == "array" then any(.[]; . == {has}) elif type == "object"{is_string} then has({has}) else false end"#
        ),
        Shape::Null | Shape::Bool | Shape::Number | Shape::String => return Filter::term("false"),
    };
    if is_string.is_empty() {
        return pipe(b, found);
    }
    let [a, b] = [value(a).within(Binding::Or), value(b).within(Binding::Or)];
    Filter::new(Binding::Pipe, format!("[{a}, {b}] | .[0] as $e | .[1] | {found}"))
}

fn sum(all: &[Expr]) -> Filter {
    let known = |wanted: Shape| all.iter().any(|e| shape(e) == wanted);
    let strings = r#"all(.[]; type == "string")"#;
    let lists = r#"all(.[]; type == "array")"#;
    let kind = match (known(Shape::String), known(Shape::List)) {
        _ if known(Shape::Null) || known(Shape::Bool) || known(Shape::Number) => return Filter::term("null"),
        (true, true) => return Filter::term("null"),
        (true, false) => strings.to_owned(),
        (false, true) => lists.to_owned(),
        (false, false) => format!("{strings} or {lists}"),
    };
    if !known(Shape::Any) {
        let all: Vec<String> = all.iter().map(|e| value(e).within(Binding::Add)).collect();
        return Filter::new(Binding::Add, all.join(" + "));
    }
    Filter::new(Binding::Pipe, format!("[{}] | if {kind} then add else null end", list(all)))
}

/// What stands between `if` and `end`.
fn branches(expr: &Expr) -> String {
    let ExprKind::If(condition, then, otherwise) = &expr.kind else {
        return format!("true then {} else null", value(expr).text);
    };
    let head = format!("{} then {}", truth(condition).text, value(then).text);
    match &otherwise.kind {
        ExprKind::If(..) => format!("{head} elif {}", branches(otherwise)),
        _ => format!("{head} else {}", value(otherwise).text),
    }
}

fn size(a: &Expr) -> Filter {
    match shape(a) {
        Shape::String | Shape::List => pipe(a, "length"),
        // The length of null is 0.
        Shape::Any => pipe(a, r#"if type == "number" or type == "boolean" then 0 else length end"#),
        Shape::Null | Shape::Bool | Shape::Number => Filter::term("0"),
    }
}

fn probe(probe: Probe, a: &Expr, b: &Expr) -> Filter {
    let name = match probe {
        Probe::Contains => "contains",
        Probe::StartsWith => "startswith",
        Probe::EndsWith => "endswith",
    };
    match shape(b) {
        Shape::String => pipe(a, format!(r#"type == "string" and {name}({})"#, value(b).text)),
        Shape::Any => {
            let [a, b] = [value(a).within(Binding::Or), value(b).within(Binding::Or)];
            let strings = r#"all(.[]; type == "string")"#;
            Filter::new(Binding::Pipe, format!("[{a}, {b}] | {strings} and (.[1] as $e | .[0] | {name}($e))"))
        }
        Shape::Null | Shape::Bool | Shape::Number | Shape::List => Filter::term("false"),
    }
}

fn to_string(a: &Expr) -> Filter {
    match shape(a) {
        Shape::String => value(a),
        Shape::Bool => pipe(a, "tostring"),
        Shape::Null | Shape::List => Filter::term("\"\""),
        // `floor` makes 1 of 1.0 before it is written.
        Shape::Number | Shape::Any => pipe(
            a,
            concat!(
                r#"if type == "string" then . elif type == "boolean" then tostring"#,
                r#" elif type == "number" and . > -1e15 and . < 1e15 and . == floor then floor | tostring"#,
                r#" else "" end"#,
            ),
        ),
    }
}

/// What of jaq's JSON is JSON. Its `fromjson` also takes `NaN`, `+1`, `01`, `1.e5`, `b"bytes"`, `{1: 2}`, `# comments`;
/// and gojq's takes lone surrogates, which jaq's does not.
///
/// The pattern tells tokens only. It lets pass what no `fromjson` takes, such as `[1,` or `"\x"`.
const JSON_TOKENS: &str = concat!(
    r#"^(?:[\s,\[\]{}]|true|false|null"#,
    r#"|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?:[\s,\]}]|$)"#,
    r#"|"(?:[^"\\]|\\(?:[^u]|u[^dD]|u[dD][0-7]|u[dD][89abAB]..\\u[dD][c-fC-F]))*"(?:\s*:)?)*$"#,
);

/// The most brackets that open in a text that is read as JSON. It bounds the depth: jaq recurses without a limit of its
/// own until its stack overflows, and gojq gives up at 10000 levels.
const JSON_BRACKETS: usize = 5000;

fn parse_json(a: &Expr) -> Filter {
    match shape(a) {
        // jaq's `fromjson` gives all the values that stand one after the other in a text.
        Shape::String | Shape::Any => pipe(
            a,
            format!(
                concat!(
                    r#"if type == "string" and test({}) and (split("[") + split("{{") | length) <= {}"#,
                    r#" then try [fromjson] catch [] else [] end | if length == 1 then .[0] else null end"#,
                ),
                quote(JSON_TOKENS),
                // Each text that is split has one part more than it has brackets.
                JSON_BRACKETS + 2,
            ),
        ),
        Shape::Null | Shape::Bool | Shape::Number | Shape::List => Filter::term("null"),
    }
}
