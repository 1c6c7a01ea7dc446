//! The engines at hand: jaq for jq, the `cel` crate for CEL.

#[path = "engines/cel.rs"]
mod strict_cel;

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read};
use serde_json::{Map, Value};

pub(crate) use strict_cel::evaluate as cel;

/// The one output of a jq filter.
pub(crate) fn jq(filter: &str, variables: &Map<String, Value>) -> Value {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let arena = Arena::default();
    let file = File { code: filter, path: () };
    let modules = Loader::new(defs).load(&arena, file).unwrap_or_else(|e| panic!("{filter}: {e:?}"));
    let names: Vec<String> = variables.keys().map(|name| format!("${name}")).collect();
    let compiled = Compiler::default()
        .with_funs(funs)
        .with_global_vars(names.iter().map(String::as_str))
        .compile(modules)
        .unwrap_or_else(|e| panic!("{filter}: {e:?}"));
    let values = variables.values().map(|v| read::parse_single(v.to_string().as_bytes()).unwrap());
    let context = Ctx::<data::JustLut<Val>>::new(&compiled.lut, Vars::new(values));
    let outputs: Vec<_> = compiled.id.run((context, Val::default())).map(unwrap_valr).collect();
    match outputs.as_slice() {
        [Ok(one)] => serde_json::from_str(&one.to_string()).unwrap(),
        other => panic!("{filter}: not one output: {other:?}"),
    }
}
