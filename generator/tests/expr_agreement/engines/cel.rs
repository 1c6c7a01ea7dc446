//! CEL: the `cel` crate, with the Compliance Operator's `parseJSON`.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

/// The value of strict CEL, or how it failed.
pub(crate) fn evaluate(source: &str, variables: &Map<String, Value>) -> Result<Value, String> {
    let program = cel::Program::compile(source).unwrap_or_else(|e| panic!("{source}: {e}"));
    let mut context = cel::Context::default();
    context.add_function("parseJSON", parse_json).unwrap();
    for (name, value) in variables {
        context.add_variable_from_value(name.clone(), to_cel(value));
    }
    program.execute(&context).map(from_cel).map_err(|e| e.to_string())
}

/// The Compliance Operator's function, as its `compliance-sdk` has it: maps only, and every number is a double.
fn parse_json(ftx: &cel::FunctionContext, text: Arc<String>) -> cel::ResolveResult {
    let fail = || ftx.error(format!("failed to decode '{text}' in parseJSON"));
    match serde_json::from_str(&text) {
        Ok(mut value @ Value::Object(_)) => {
            all_doubles(&mut value);
            Ok(to_cel(&value))
        }
        Ok(Value::Null) => Ok(to_cel(&Value::Object(Map::new()))),
        _ => Err(fail()),
    }
}

fn all_doubles(value: &mut Value) {
    match value {
        Value::Number(n) => *value = n.as_f64().unwrap().into(),
        Value::Array(all) => all.iter_mut().for_each(all_doubles),
        Value::Object(map) => map.values_mut().for_each(all_doubles),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// JSON as Kubernetes decodes it: integers are ints.
fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => match n.as_i64() {
            Some(i) => i.into(),
            None => n.as_f64().unwrap().into(),
        },
        Value::String(s) => s.as_str().into(),
        Value::Array(all) => all.iter().map(to_cel).collect::<Vec<_>>().into(),
        Value::Object(map) => {
            map.iter().map(|(k, v)| (k.clone(), to_cel(v))).collect::<HashMap<_, _>>().into()
        }
    }
}

fn from_cel(value: cel::Value) -> Value {
    value.json().unwrap_or_else(|e| panic!("no JSON: {e}"))
}
