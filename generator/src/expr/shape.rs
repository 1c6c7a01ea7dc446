//! What the form of an expression alone tells about its value.

use super::ast::{Expr, ExprKind, Iteration};

/// The kind of value that an expression has on every input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Null,
    Bool,
    Number,
    String,
    List,
    /// Not known; null included.
    Any,
}

/// The shape of `expr`.
pub(super) fn shape(expr: &Expr) -> Shape {
    match &expr.kind {
        ExprKind::Null => Shape::Null,
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Size(_) => Shape::Number,
        ExprKind::String(_) | ExprKind::ToString(_) => Shape::String,
        ExprKind::List(_) | ExprKind::Keys(_) => Shape::List,
        ExprKind::Iterate { how, .. } => match how {
            Iteration::Exists | Iteration::All => Shape::Bool,
            Iteration::Filter | Iteration::Map => Shape::List,
        },
        ExprKind::Variable(_) | ExprKind::Select(..) | ExprKind::Index(..) | ExprKind::ParseJson(_) => {
            Shape::Any
        }
        ExprKind::Add(all) => sum(all),
        ExprKind::If(_, then, otherwise) => {
            let then = shape(then);
            if then == shape(otherwise) { then } else { Shape::Any }
        }
        ExprKind::Bool(_)
        | ExprKind::Not(_)
        | ExprKind::And(_)
        | ExprKind::Or(_)
        | ExprKind::Compare(..)
        | ExprKind::In(..)
        | ExprKind::Probe(..)
        | ExprKind::Matches(..) => Shape::Bool,
    }
}

fn sum(all: &[Expr]) -> Shape {
    [Shape::String, Shape::List]
        .into_iter()
        .find(|wanted| all.iter().all(|e| shape(e) == *wanted))
        .unwrap_or(Shape::Any)
}
