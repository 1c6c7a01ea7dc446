//! jq filters, run as the Compliance Operator's collector runs them: the first result counts, and there has to be one.

use std::sync::LazyLock;

use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::Val;

/// Why a filter gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FilterError {
    /// It is no jq, or uses what jaq does not know.
    #[error("the filter is not valid jq: {0}")]
    Syntax(String),
    /// It failed on this answer.
    #[error("the filter failed: {0}")]
    Run(String),
    /// It gave no result.
    #[error("the filter gave no result")]
    Empty,
}

/// The definitions of jq's standard library, parsed once.
static PRELUDE: LazyLock<Vec<Def<&'static str>>> =
    LazyLock::new(|| jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).collect());

/// Runs a filter on an answer. There is no limit on its steps: callers run it under a deadline.
pub(crate) fn run(code: &str, input: Val) -> Result<Val, FilterError> {
    let arena = Arena::default();
    let modules = Loader::new(PRELUDE.iter().cloned())
        .load(&arena, File { code, path: () })
        .map_err(|errors| FilterError::Syntax(errors.iter().map(|(_, e)| format!("{e:?}")).collect()))?;
    let filter = Compiler::default()
        .with_funs(jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()))
        .compile(modules)
        .map_err(|errors| {
            FilterError::Syntax(format!("{:?}", errors.iter().map(|(_, e)| e).collect::<Vec<_>>()))
        })?;
    let context = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    match filter.id.run((context, input)).map(unwrap_valr).next() {
        Some(Ok(value)) => Ok(value),
        Some(Err(e)) => Err(FilterError::Run(e.to_string())),
        None => Err(FilterError::Empty),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(code: &str, input: &str) -> Result<String, FilterError> {
        run(code, jaq_json::read::parse_single(input.as_bytes()).unwrap()).map(|v| v.to_string())
    }

    #[test]
    fn the_first_result_counts_and_none_is_an_error() {
        assert_eq!(text(".a, .b", r#"{"a": 1, "b": 2}"#).unwrap(), "1");
        assert_eq!(text("empty", "{}"), Err(FilterError::Empty));
        assert!(matches!(text(".items[]", "{}"), Err(FilterError::Run(_))));
        assert!(matches!(text(".a |", "{}"), Err(FilterError::Syntax(_))));
        assert!(matches!(text("nosuch(1)", "{}"), Err(FilterError::Syntax(_))));
    }
}
