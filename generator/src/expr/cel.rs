//! Expressions as strict CEL, for any CEL with the standard library alone; only `parseJSON` needs the Compliance
//! Operator's.
//!
//! Every node lowers to a raw expression and the guards under which the raw expression can be evaluated; where a guard
//! fails the value is null. The output passes the type checker of cel-go with homogeneous list literals, if all free
//! variables are declared `dyn`, and never fails at run time, but for the one exception below. It is one line.
//!
//! The operator's `parseJSON(x)` reads maps only, and fails on every other text. No guard can tell beforehand; the
//! failure stands, since an error is no pass. Only of an empty text and of `null`, of which it would make an empty map,
//! null is made here.
//!
//! Two habits of the checker shape the output. `c ? x : null` is of type null although `x` is `dyn`, so null is written
//! `dyn(null)` wherever it is one of several values. And values of two known types do not compare, so one of them is
//! wrapped in `dyn()`.

mod operators;
mod text;

use std::collections::BTreeSet;

use self::text::{Conditions, Level, Text};
use super::ast::{Expr, ExprKind, Iteration};
use super::names::is_cel_field;
use super::quote::quote;

/// Strict CEL with the value of `expr`; null where `expr` is null.
#[must_use]
pub fn lower(expr: &Expr) -> String {
    Lowering::new(expr).value(expr).text
}

/// Strict CEL for the truth of `expr`, always a boolean.
#[must_use]
pub fn lower_bool(expr: &Expr) -> String {
    Lowering::new(expr).truth(expr).all().text
}

/// Strict CEL with the text of `expr`, always a string: what `string(expr)` is.
#[must_use]
pub fn lower_text(expr: &Expr) -> String {
    Lowering::new(expr).string(expr).raw.text
}

/// The type that the checker of cel-go gives to a raw expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Dyn,
    Null,
    Bool,
    Int,
    Double,
    String,
    /// A list of elements of type `dyn`.
    List,
    /// A list whose elements are of a known type.
    TypedList,
}

impl Type {
    fn is_list(self) -> bool {
        matches!(self, Self::List | Self::TypedList)
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }
}

/// A lowered expression: null unless all of `guards` hold, else `raw`.
#[derive(Debug, Clone)]
struct Lowered {
    guards: Conditions,
    raw: Text,
    kind: Type,
    /// Whether `raw` is a path, which may be repeated.
    path: bool,
}

impl Lowered {
    /// A value without guards.
    fn total(kind: Type, raw: Text) -> Self {
        Self { guards: Conditions::default(), raw, kind, path: false }
    }

    fn null() -> Self {
        Self::total(Type::Null, Text::term("dyn(null)"))
    }

    fn variable(name: &str) -> Self {
        Self { path: true, ..Self::total(Type::Dyn, Text::term(name)) }
    }

    /// The raw expression as an operand.
    fn operand(&self, level: Level) -> String {
        self.raw.within(level)
    }

    /// The raw expression with its static type hidden.
    fn hidden(&self) -> Text {
        match self.kind {
            Type::Dyn | Type::Null => self.raw.clone(),
            _ => Text::term(format!("dyn({})", self.raw.text)),
        }
    }

    /// The same value without guards.
    fn unguarded(self) -> Self {
        if self.guards.is_empty() {
            return self;
        }
        Self { raw: self.hidden(), kind: Type::Dyn, ..self }.or("dyn(null)")
    }

    /// The raw expression, or `otherwise` of the same type where a guard fails.
    fn or(self, otherwise: &str) -> Self {
        if self.guards.is_empty() {
            return self;
        }
        let raw =
            format!("{} ? {} : {otherwise}", self.guards.all().within(Level::Or), self.raw.within(Level::Or));
        Self::total(self.kind, Text::new(Level::Conditional, raw))
    }

    /// The condition that the value is a `kind`, where its type does not say so.
    fn is(&self, kind: &str) -> Conditions {
        match self.kind {
            Type::Dyn => Conditions::one(self.has_type(kind)),
            _ => Conditions::default(),
        }
    }

    fn has_type(&self, kind: &str) -> Text {
        Text::new(Level::Relation, format!("type({}) == {kind}", self.raw.text))
    }
}

/// A name for a value that is used more than once: `[value].exists(name, …)`.
struct Bound {
    name: String,
    value: Text,
}

/// The state of lowering one expression.
struct Lowering<'e> {
    taken: BTreeSet<&'e str>,
    bound: usize,
}

impl<'e> Lowering<'e> {
    fn new(expr: &'e Expr) -> Self {
        Self { taken: expr.names(), bound: 0 }
    }

    fn value(&mut self, expr: &Expr) -> Text {
        self.lower(expr).unguarded().raw
    }

    fn lower(&mut self, expr: &Expr) -> Lowered {
        match &expr.kind {
            ExprKind::Null => Lowered::null(),
            ExprKind::Bool(b) => Lowered::total(Type::Bool, Text::term(b.to_string())),
            ExprKind::Int(i) => Lowered::total(Type::Int, Text::term(i.to_string())),
            ExprKind::Float(f) => Lowered::total(Type::Double, Text::term(format!("{f:?}"))),
            ExprKind::String(s) => Lowered::total(Type::String, Text::term(quote(s))),
            ExprKind::List(all) => self.list(all),
            ExprKind::Variable(name) => Lowered::variable(name),
            ExprKind::Select(..) | ExprKind::Index(..) => self.path(expr),
            ExprKind::Add(all) => self.sum(all),
            ExprKind::If(condition, then, otherwise) => self.conditional(condition, then, otherwise),
            ExprKind::Iterate { how: how @ (Iteration::Filter | Iteration::Map), range, variable, body } => {
                self.collect(*how, range, variable, body)
            }
            ExprKind::Size(a) => self.size(a),
            ExprKind::ToString(a) => self.string(a),
            ExprKind::ParseJson(a) => self.parse_json(a),
            ExprKind::Keys(a) => self.keys(a),
            _ => Lowered::total(Type::Bool, self.truth(expr).all()),
        }
    }

    /// The conditions that hold together exactly where `expr` is true.
    fn truth(&mut self, expr: &Expr) -> Conditions {
        match &expr.kind {
            ExprKind::Not(a) => self.truth(a).negated(),
            ExprKind::And(all) => {
                let mut conditions = Conditions::default();
                for e in all {
                    conditions.extend(self.truth(e));
                }
                conditions
            }
            ExprKind::Or(all) => {
                let all: Vec<Conditions> = all.iter().map(|e| self.truth(e)).collect();
                Conditions::any(all)
            }
            ExprKind::Compare(operator, a, b) => self.compare(*operator, a, b),
            ExprKind::In(a, b) => self.membership(a, b),
            ExprKind::Iterate { how: how @ (Iteration::Exists | Iteration::All), range, variable, body } => {
                self.quantify(*how, range, variable, body)
            }
            ExprKind::Probe(probe, a, b) => self.probe(*probe, a, b),
            ExprKind::Matches(a, pattern) => self.matches(a, pattern),
            _ => self.is_true(expr),
        }
    }

    fn is_true(&mut self, expr: &Expr) -> Conditions {
        let Lowered { mut guards, raw, kind, .. } = self.lower(expr);
        match kind {
            Type::Bool if raw.text == "true" => {}
            Type::Bool => guards.add(raw),
            Type::Dyn => {
                guards.add(Text::new(Level::Relation, format!("{} == true", raw.within(Level::Add))))
            }
            _ => return Conditions::never(),
        }
        guards
    }

    fn path(&mut self, expr: &Expr) -> Lowered {
        let mut steps = Vec::new();
        let mut base = expr;
        while let ExprKind::Select(next, _) | ExprKind::Index(next, _) = &base.kind {
            steps.push(&base.kind);
            base = next;
        }
        let mut start = self.lower(base);
        if start.kind.is_list() {
            start = start.unguarded();
            start = Lowered::total(Type::Dyn, start.hidden());
        }
        if start.kind != Type::Dyn {
            return Lowered::null();
        }
        let mut bound = Vec::new();
        let mut at = self.repeatable(start, &mut bound);
        for step in steps.into_iter().rev() {
            let text = at.operand(Level::Term);
            match step {
                ExprKind::Select(_, key) if is_cel_field(key) => {
                    at.guards.extend(at.is("map"));
                    at.guards.add(Text::term(format!("has({text}.{key})")));
                    at.raw = Text::term(format!("{text}.{key}"));
                }
                ExprKind::Select(_, key) => {
                    let key = quote(key);
                    at.guards.extend(at.is("map"));
                    at.guards.add(Text::new(Level::Relation, format!("{key} in {text}")));
                    at.raw = Text::term(format!("{text}[{key}]"));
                }
                ExprKind::Index(_, index) => {
                    at.guards.extend(at.is("list"));
                    at.guards.add(Text::new(Level::Relation, format!("size({text}) > {index}")));
                    at.raw = Text::term(format!("{text}[{index}]"));
                }
                _ => {}
            }
        }
        Self::bind(bound, at)
    }

    /// Lowers `expr` for use in more than one place.
    fn operand(&mut self, expr: &Expr, bound: &mut Vec<Bound>) -> Lowered {
        let lowered = self.lower(expr);
        self.repeatable(lowered, bound)
    }

    /// Gives the value a name if it is neither a path nor of a known type, which needs no guard on it. So the output does
    /// not double with each level of the source.
    fn repeatable(&mut self, lowered: Lowered, bound: &mut Vec<Bound>) -> Lowered {
        if lowered.path || lowered.kind != Type::Dyn {
            return lowered;
        }
        let name = self.fresh();
        let named = Lowered::variable(&name);
        bound.push(Bound { name, value: lowered.unguarded().raw });
        named
    }

    /// Puts the names in `bound` around the value that uses them.
    fn bind(bound: Vec<Bound>, value: Lowered) -> Lowered {
        if bound.is_empty() {
            return value;
        }
        let value = value.unguarded();
        let raw = bound.into_iter().rev().fold(value.raw.clone(), |raw, Bound { name, value }| {
            Text::term(format!("[{}].map({name}, {})[0]", value.text, raw.text))
        });
        Lowered { raw, path: false, ..value }
    }

    /// Puts the names in `bound` around the conditions that use them.
    fn bind_conditions(bound: Vec<Bound>, conditions: Conditions) -> Conditions {
        bound.into_iter().rev().fold(conditions, |conditions, Bound { name, value }| {
            Conditions::one(Text::term(format!("[{}].exists({name}, {})", value.text, conditions.all().text)))
        })
    }

    fn fresh(&mut self) -> String {
        loop {
            self.bound += 1;
            let name = if self.bound == 1 { "it".to_owned() } else { format!("it{}", self.bound) };
            if !self.taken.contains(name.as_str()) {
                return name;
            }
        }
    }
}
