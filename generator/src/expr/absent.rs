//! What an expression says where a field of an object is absent, so far as that can be told without the object.

use super::ast::{Comparison, Expr, ExprKind, Iteration};

/// Whether the expression cannot be true where the field of the variable is absent.
pub(crate) fn needs(expr: &Expr, variable: &str, field: &str) -> bool {
    Absent { variable, field }.truth(expr) == Some(false)
}

/// Whether the expression reads JSON out of a text anywhere.
pub(crate) fn parses_json(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::ParseJson(_)) || expr.kind.children().into_iter().any(parses_json)
}

struct Absent<'a> {
    variable: &'a str,
    field: &'a str,
}

impl Absent<'_> {
    /// The truth of an expression, where it does not depend on anything else.
    fn truth(&self, expr: &Expr) -> Option<bool> {
        match &expr.kind {
            ExprKind::Bool(b) => Some(*b),
            ExprKind::Not(a) => self.truth(a).map(|truth| !truth),
            ExprKind::And(all) => self.all(all, false),
            ExprKind::Or(all) => self.all(all, true),
            ExprKind::Compare(operator, a, b) => self.compare(*operator, a, b),
            ExprKind::In(a, list) if self.is_null(a) => match &list.kind {
                ExprKind::List(all) if all.iter().all(is_literal) => {
                    Some(all.iter().any(|e| matches!(e.kind, ExprKind::Null)))
                }
                _ => None,
            },
            ExprKind::In(_, list) if self.is_null(list) => Some(false),
            ExprKind::Iterate { how: Iteration::Exists, range, .. } if self.is_null(range) => Some(false),
            ExprKind::Iterate { how: Iteration::All, range, .. } if self.is_null(range) => Some(true),
            ExprKind::Probe(_, a, b) if self.is_null(a) || self.is_null(b) => Some(false),
            ExprKind::Matches(a, _) if self.is_null(a) => Some(false),
            _ if self.is_null(expr) => Some(false),
            _ => None,
        }
    }

    /// A chain of operands, of which one with the `decisive` truth decides.
    fn all(&self, operands: &[Expr], decisive: bool) -> Option<bool> {
        let truths: Vec<_> = operands.iter().map(|operand| self.truth(operand)).collect();
        if truths.contains(&Some(decisive)) {
            return Some(decisive);
        }
        truths.iter().all(|truth| *truth == Some(!decisive)).then_some(!decisive)
    }

    fn compare(&self, operator: Comparison, a: &Expr, b: &Expr) -> Option<bool> {
        let (other, null) = if self.is_null(a) { (b, true) } else { (a, self.is_null(b)) };
        if !null {
            return None;
        }
        let equal = self.is_null(other).then_some(true).or_else(|| is_literal(other).then_some(false));
        match operator {
            Comparison::Equal => equal,
            Comparison::NotEqual => equal.map(|equal| !equal),
            // Null is neither less nor greater than anything.
            _ => Some(false),
        }
    }

    /// Whether the expression is null for want of the field.
    fn is_null(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Null => true,
            ExprKind::Select(base, key) => {
                self.is_null(base)
                    || key == self.field
                        && matches!(&base.kind, ExprKind::Variable(name) if name == self.variable)
            }
            ExprKind::Index(base, _) => self.is_null(base),
            _ => false,
        }
    }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Null | ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::String(_)
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_field() {
        for (needed, source) in [
            (true, "x.status.user == 0"),
            (true, "x.spec.a == 1 && x.status.phase == \"Running\""),
            (true, "!(x.status.context in [null, \"\"])"),
            (true, "x.status.versions.exists(v, v.name == \"a\") || x.status.a.matches(\"b\")"),
            (false, "!(x.status.phase in [\"Failed\"])"),
            (false, "x.status.phase != \"Failed\""),
            (false, "x.spec.a == true || x.status.versions.exists(v, v.name == \"a\")"),
            (false, "x.spec.a == false && !x.status.versions.exists(v, v.name == \"a\")"),
            (false, "x.spec.status.a == 1"),
        ] {
            assert_eq!(needs(&crate::expr::parse(source).unwrap(), "x", "status"), needed, "{source}");
        }
    }
}
