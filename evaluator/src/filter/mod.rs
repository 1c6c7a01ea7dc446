//! jq filters, run as the Compliance Operator's collector runs them: the first result counts, and there has to be one.

pub(crate) mod alike;
mod codes;
pub(crate) mod fields;
pub(crate) mod per_item;
mod prelude;
pub(crate) mod project;

use jaq_core::load::parse::Def;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::Val;

use self::prelude::Data;

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

/// A filter, ready to run. There is no limit on its steps: callers run it under a deadline.
pub(crate) struct Compiled(Filter<Data>);

impl Compiled {
    /// Compiles a filter.
    pub(crate) fn new(code: &str) -> Result<Self, FilterError> {
        // An author sees errors in the text that he wrote.
        Self::without_tables(&codes::with_tables(code)).or_else(|_| Self::without_tables(code))
    }

    /// Compiles a filter as it is written.
    fn without_tables(code: &str) -> Result<Self, FilterError> {
        // Where the words of a filter do not tell what it calls, the whole library does.
        compile(code, prelude::definitions(code))
            .or_else(|_| compile(code, prelude::all_definitions()))
            .map(Self)
            .map_err(FilterError::Syntax)
    }

    /// All results, up to the first error.
    pub(crate) fn results(&self, input: Val) -> impl Iterator<Item = Result<Val, FilterError>> {
        let context = Ctx::<Data>::new(&self.0.lut, Vars::new([]));
        self.0
            .id
            .run((context, input))
            .map(unwrap_valr)
            .map(|result| result.map_err(|e| FilterError::Run(e.to_string())))
    }

    /// The first result.
    pub(crate) fn run(&self, input: Val) -> Result<Val, FilterError> {
        self.results(input).next().unwrap_or(Err(FilterError::Empty))
    }
}

/// Compiles a filter that may call these definitions and the native functions; or tells what is wrong with it.
fn compile(code: &str, definitions: Vec<Def>) -> Result<Filter<Data>, String> {
    let arena = Arena::default();
    let modules = Loader::new(definitions)
        .load(&arena, File { code, path: () })
        .map_err(|errors| errors.iter().map(|(_, e)| format!("{e:?}")).collect::<String>())?;
    Compiler::default()
        .with_funs(prelude::functions())
        .compile(modules)
        .map_err(|errors| format!("{:?}", errors.iter().map(|(_, e)| e).collect::<Vec<_>>()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(code: &str, input: &str) -> Result<String, FilterError> {
        let input = jaq_json::read::parse_single(input.as_bytes()).unwrap();
        Compiled::new(code)?.run(input).map(|v| v.to_string())
    }

    #[test]
    fn the_first_result_counts_and_none_is_an_error() {
        assert_eq!(text(".a, .b", r#"{"a": 1, "b": 2}"#).unwrap(), "1");
        assert_eq!(text("empty", "{}"), Err(FilterError::Empty));
        assert!(matches!(text(".items[]", "{}"), Err(FilterError::Run(_))));
        assert!(matches!(text(".a |", "{}"), Err(FilterError::Syntax(_))));
        assert!(matches!(text("nosuch(1)", "{}"), Err(FilterError::Syntax(_))));
    }

    #[test]
    fn types_are_what_jq_says() {
        let values = r#"[null, true, 1, 1.5, "a", [1], {"a": 1}]"#;
        let types = r#"["null","boolean","number","number","string","array","object"]"#;
        assert_eq!(text("map(type)", values).unwrap(), types);
        assert_eq!(
            text("[.[] | arrays, objects, strings, booleans]", values).unwrap(),
            r#"[true,"a",[1],{"a":1}]"#
        );
        assert_eq!(text("[.[] | numbers, nulls, scalars] | length", values).unwrap(), "8");
        assert_eq!(text(r#"[.[] | @json "\(.)"] | .[5]"#, values).unwrap(), r#""[1]""#);
    }
}
