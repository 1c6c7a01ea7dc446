//! The syntax tree of an expression.

use std::collections::BTreeSet;
use std::ops::Range;

use super::error::ExprError;
use super::names;

/// A node of the tree with its place in the source.
///
/// Only [`parse`](super::parse) makes one, so every tree keeps the limits and the invariants stated at [`ExprKind`].
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub(super) kind: ExprKind,
    pub(super) span: Range<usize>,
    pub(super) depth: usize,
}

/// What a node is. Chains of `&&`, `||` and `+` are flat, with at least two operands.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer literal, its sign included.
    Int(i64),
    /// A decimal literal, its sign included; finite.
    Float(f64),
    /// A string literal, its escapes resolved.
    String(String),
    /// `[a, b]`
    List(Vec<Expr>),
    /// A variable: free, or bound by an enclosing [`ExprKind::Iterate`].
    Variable(String),
    /// `base.key` or `base["key"]`
    Select(Box<Expr>, String),
    /// `base[0]`
    Index(Box<Expr>, u32),
    /// `!a`
    Not(Box<Expr>),
    /// `a && b`
    And(Vec<Expr>),
    /// `a || b`
    Or(Vec<Expr>),
    /// `a == b` and its like
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `a in b`
    In(Box<Expr>, Box<Expr>),
    /// `a + b`
    Add(Vec<Expr>),
    /// `a ? b : c`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `range.exists(variable, body)` and its like
    Iterate {
        /// Which of the four.
        how: Iteration,
        /// The list.
        range: Box<Expr>,
        /// The name of the element inside `body`.
        variable: String,
        /// The predicate, or for `map` the new element.
        body: Box<Expr>,
    },
    /// `size(a)` or `a.size()`
    Size(Box<Expr>),
    /// `a.contains(b)` and its like
    Probe(Probe, Box<Expr>, Box<Expr>),
    /// `a.matches("pattern")`; the pattern was checked.
    Matches(Box<Expr>, String),
    /// `string(a)`
    ToString(Box<Expr>),
    /// `parseJSON(a)`
    ParseJson(Box<Expr>),
    /// `keys(a)`
    Keys(Box<Expr>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The operator as CEL and jq write it.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The operator that means the same with its operands swapped.
    pub(super) fn flipped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }
}

/// A method that binds a variable to each element of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iteration {
    /// Whether the predicate holds for an element.
    Exists,
    /// Whether the predicate holds for every element.
    All,
    /// The elements for which the predicate holds.
    Filter,
    /// The values of the body, nulls included.
    Map,
}

/// A method that looks for one string in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// `contains`
    Contains,
    /// `startsWith`
    StartsWith,
    /// `endsWith`
    EndsWith,
}

impl Expr {
    /// What the node is.
    #[must_use]
    pub fn kind(&self) -> &ExprKind {
        &self.kind
    }

    /// The place of the node, as byte offsets in the source.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The names of the variables that the expression reads and does not bind.
    #[must_use]
    pub fn free_variables(&self) -> BTreeSet<String> {
        let mut free = BTreeSet::new();
        self.each_free(&mut Vec::new(), &mut |name, _| {
            free.insert(name.to_owned());
        });
        free
    }

    /// Checks that every free variable is among `known`.
    ///
    /// # Errors
    /// The first variable that is not, with its place and the nearest known name.
    pub fn require_variables(&self, known: &[&str]) -> Result<(), ExprError> {
        let mut error = None;
        self.each_free(&mut Vec::new(), &mut |name, span| {
            if error.is_none() && !known.contains(&name) {
                let unknown = ExprError::new(format!("unknown variable `{name}`"), span);
                error = Some(match names::nearest(name, known) {
                    Some(near) => unknown.help(format!("did you mean `{near}`?")),
                    None if known.is_empty() => unknown.help("no variable is known here"),
                    None => unknown.help(format!("known here: {}", known.join(", "))),
                });
            }
        });
        error.map_or(Ok(()), Err)
    }

    /// Every name of a variable in the expression, free or bound.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.each_name(&mut names);
        names
    }

    fn each_name<'e>(&'e self, names: &mut BTreeSet<&'e str>) {
        if let ExprKind::Variable(name) | ExprKind::Iterate { variable: name, .. } = &self.kind {
            names.insert(name);
        }
        for child in self.kind.children() {
            child.each_name(names);
        }
    }

    fn each_free<'e>(&'e self, bound: &mut Vec<&'e str>, visit: &mut impl FnMut(&'e str, Range<usize>)) {
        match &self.kind {
            ExprKind::Variable(name) if !bound.contains(&name.as_str()) => visit(name, self.span()),
            ExprKind::Iterate { range, variable, body, .. } => {
                range.each_free(bound, visit);
                bound.push(variable);
                body.each_free(bound, visit);
                bound.pop();
            }
            kind => {
                for child in kind.children() {
                    child.each_free(bound, visit);
                }
            }
        }
    }
}

impl ExprKind {
    /// The nodes directly below, in the order of the source.
    pub(super) fn children(&self) -> Vec<&Expr> {
        match self {
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::String(_)
            | Self::Variable(_) => vec![],
            Self::List(all) | Self::And(all) | Self::Or(all) | Self::Add(all) => all.iter().collect(),
            Self::Select(a, _)
            | Self::Index(a, _)
            | Self::Not(a)
            | Self::Size(a)
            | Self::Matches(a, _)
            | Self::ToString(a)
            | Self::ParseJson(a)
            | Self::Keys(a) => vec![a],
            Self::Compare(_, a, b) | Self::In(a, b) | Self::Probe(_, a, b) => vec![a, b],
            Self::If(a, b, c) => vec![a, b, c],
            Self::Iterate { range, body, .. } => vec![range, body],
        }
    }
}
