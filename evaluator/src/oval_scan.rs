//! Evaluation of OVAL definitions without a benchmark, as `oscap oval eval` does.

use std::collections::BTreeSet;

use virtscap_scap::id::{DefinitionId, VariableId};
use virtscap_scap::oval::results::{OvalResults, SystemInfo};
use virtscap_scap::oval::{OvalDefinitions, OvalResult};
use virtscap_scap::xml::{NodeExt as _, ReadError};

use crate::files::Files;
use crate::oval::{ExternalValues, Session};
use crate::system;

/// What an evaluation gives.
#[derive(Debug, Clone)]
pub struct OvalScan {
    /// The definitions in oscap's order: by their ids, the last one first.
    pub definitions: Vec<DefinitionOutcome>,
    /// Everything, for a results document.
    pub results: OvalResults,
    /// What was evaluated.
    pub system: SystemInfo,
}

/// What became of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionOutcome {
    /// The definition.
    pub id: DefinitionId,
    /// Its class.
    pub class: &'static str,
    /// Its title.
    pub title: String,
    /// Its result.
    pub result: OvalResult,
    /// What makes it false, or why it is not decided.
    pub details: Vec<String>,
}

/// Evaluates definitions: all, or the one that is named. None where the document does not have that one. `location` says
/// whose files these are.
pub fn evaluate(
    oval: &OvalDefinitions,
    files: &dyn Files,
    location: &str,
    external: ExternalValues,
    only: Option<&str>,
) -> Option<OvalScan> {
    let mut session = Session::new(oval, files, external);
    let ids: BTreeSet<&DefinitionId> = match only {
        Some(id) => session.definition(&DefinitionId::new(id)).map(|d| &d.id).into_iter().collect(),
        None => session.definition_ids(),
    };
    if only.is_some() && ids.is_empty() {
        return None;
    }
    let mut definitions = Vec::new();
    for id in ids.into_iter().rev() {
        let result = session.evaluate(id);
        let details = match result {
            OvalResult::True => Vec::new(),
            OvalResult::False => session.offenders(id, None),
            _ => session.reasons(id),
        };
        let definition = session.definition(id);
        definitions.push(DefinitionOutcome {
            class: definition.map_or("", |d| d.class.as_str()),
            title: definition.map(|d| d.title.clone()).unwrap_or_default(),
            id: id.clone(),
            result,
            details,
        });
    }
    let results = session.into_results();
    Some(OvalScan { definitions, results, system: system::info(files, location) })
}

/// The values of an `oval_variables` document.
///
/// # Errors
/// [`ReadError`] where the text is none.
pub fn read_variables(xml: &str) -> Result<ExternalValues, ReadError> {
    let document = roxmltree::Document::parse(xml)?;
    let root = document.root_element();
    if root.tag_name().name() != "oval_variables" {
        let found = root.tag_name().name().to_owned();
        return Err(ReadError::WrongRoot { found, expected: "<oval_variables> of OVAL 5" });
    }
    let mut external = ExternalValues::new();
    for variable in root.child("variables").iter().flat_map(|variables| variables.named("variable")) {
        let values = variable.named("value").map(|value| value.full_text()).collect();
        external.insert(VariableId::new(variable.required("id")?), values);
    }
    Ok(external)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read() {
        let xml = r#"<oval_variables xmlns="http://oval.mitre.org/XMLSchema/oval-variables-5"><variables>
            <variable id="oval:a:var:1" datatype="string" comment=""><value>a</value><value>b</value></variable>
            </variables></oval_variables>"#;
        let values = read_variables(xml).unwrap();
        assert_eq!(values.get(&VariableId::new("oval:a:var:1")).unwrap(), &["a", "b"]);
        assert!(read_variables("<x/>").is_err());
    }
}
