//! What an expression means, by direct interpretation.
//!
//! It looks at every part of an expression, also at those that others may skip, for the sake of [`Meaning::cel_may_fail`].

use std::cell::Cell;
use std::cmp::Ordering;

use serde_json::{Map, Value, json};
use virtscap_generator::expr::{Comparison, Expr, ExprKind, Iteration, Probe};

/// What an expression gives.
pub(crate) struct Meaning {
    pub(crate) value: Value,
    /// Whether the expression hands `parseJSON` a text that CEL cannot read.
    pub(crate) cel_may_fail: bool,
}

/// The meaning of `expr` where its free variables are `variables`.
pub(crate) fn meaning(expr: &Expr, variables: &Map<String, Value>) -> Meaning {
    let refused = Cell::new(false);
    let value = value(expr, variables, &refused);
    Meaning { value, cel_may_fail: refused.get() }
}

fn value(expr: &Expr, variables: &Map<String, Value>, refused: &Cell<bool>) -> Value {
    let of = |e: &Expr| value(e, variables, refused);
    let truth = |e: &Expr| of(e) == Value::Bool(true);
    match expr.kind() {
        ExprKind::Null => Value::Null,
        ExprKind::Bool(b) => json!(b),
        ExprKind::Int(i) => json!(i),
        ExprKind::Float(f) => json!(f),
        ExprKind::String(s) => json!(s),
        ExprKind::List(all) => all.iter().map(of).collect(),
        ExprKind::Variable(name) => variables[name].clone(),
        ExprKind::Select(base, key) => of(base).get(key).cloned().unwrap_or_default(),
        ExprKind::Index(base, index) => of(base).get(*index as usize).cloned().unwrap_or_default(),
        ExprKind::Not(a) => json!(!truth(a)),
        ExprKind::And(all) => json!(all.iter().filter(|e| !truth(e)).count() == 0),
        ExprKind::Or(all) => json!(all.iter().filter(|e| truth(e)).count() > 0),
        ExprKind::Compare(operator, a, b) => json!(compare(*operator, &of(a), &of(b))),
        ExprKind::In(a, b) => json!(match (of(a), of(b)) {
            (a, Value::Array(all)) => all.iter().any(|x| equal(x, &a)),
            (Value::String(key), Value::Object(map)) => map.contains_key(&key),
            _ => false,
        }),
        ExprKind::Add(all) => all.iter().map(of).reduce(add).unwrap(),
        ExprKind::If(condition, then, otherwise) => {
            let (then, otherwise) = (of(then), of(otherwise));
            if truth(condition) { then } else { otherwise }
        }
        ExprKind::Iterate { how, range, variable, body } => {
            let elements = match of(range) {
                Value::Array(all) => all,
                _ => vec![],
            };
            let body = |x: &Value| {
                let mut inner = variables.clone();
                inner.insert(variable.clone(), x.clone());
                value(body, &inner, refused)
            };
            let values: Vec<Value> = elements.iter().map(body).collect();
            let holds = |value: &Value| *value == Value::Bool(true);
            match how {
                Iteration::Exists => json!(values.iter().any(holds)),
                Iteration::All => json!(values.iter().all(holds)),
                Iteration::Filter => {
                    elements.into_iter().zip(values).filter(|(_, v)| holds(v)).map(|(x, _)| x).collect()
                }
                Iteration::Map => values.into(),
            }
        }
        ExprKind::Size(a) => json!(match of(a) {
            Value::String(s) => s.chars().count(),
            Value::Array(all) => all.len(),
            Value::Object(map) => map.len(),
            _ => 0,
        }),
        ExprKind::Probe(probe, a, b) => json!(match (of(a), of(b)) {
            (Value::String(a), Value::String(b)) => match probe {
                Probe::Contains => a.contains(&b),
                Probe::StartsWith => a.starts_with(&b),
                Probe::EndsWith => a.ends_with(&b),
            },
            _ => false,
        }),
        ExprKind::Matches(a, pattern) => json!(match of(a) {
            Value::String(a) => regex::Regex::new(pattern).unwrap().is_match(&a),
            _ => false,
        }),
        ExprKind::ToString(a) => json!(match of(a) {
            Value::String(s) => s,
            Value::Bool(b) => b.to_string(),
            Value::Number(n) => match n.as_f64().unwrap() {
                f if f.fract() == 0.0 && f.abs() < 1e15 => (f as i64).to_string(),
                _ => String::new(),
            },
            _ => String::new(),
        }),
        ExprKind::ParseJson(a) => match of(a) {
            Value::String(text) => {
                let value: Value = serde_json::from_str(&text).unwrap_or_default();
                let null = matches!(text.trim(), "" | "null");
                refused.set(refused.get() || !(null || value.is_object()));
                value
            }
            _ => Value::Null,
        },
        // The keys of a `Map` are sorted.
        ExprKind::Keys(a) => of(a).as_object().into_iter().flat_map(Map::keys).cloned().collect(),
    }
}

/// Deep equality, with 1 equal to 1.0.
pub(crate) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| equal(v, w)))
        }
        _ => a == b,
    }
}

fn compare(operator: Comparison, a: &Value, b: &Value) -> bool {
    let order = match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    };
    match operator {
        Comparison::Equal => equal(a, b),
        Comparison::NotEqual => !equal(a, b),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => order.is_some_and(Ordering::is_le),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
    }
}

fn add(a: Value, b: Value) -> Value {
    match (a, b) {
        (Value::String(a), Value::String(b)) => json!(a + &b),
        (Value::Array(a), Value::Array(b)) => a.into_iter().chain(b).collect(),
        _ => Value::Null,
    }
}
