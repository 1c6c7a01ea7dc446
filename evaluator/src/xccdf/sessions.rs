//! The evaluations of the OVAL documents that one scan needs.

use virtscap_scap::oval::OvalDefinitions;
use virtscap_scap::oval::results::OvalResults;

use crate::files::Files;
use crate::oval::{ExternalValues, Session};

/// Results in OVAL, with the component that holds the definitions.
#[derive(Debug, Clone)]
pub struct OvalComponent {
    /// Id of the component.
    pub component: String,
    /// How rule-results refer to it, such as `oval0`.
    pub report: String,
    /// The results.
    pub results: OvalResults,
}

/// The evaluations of the OVAL documents.
pub(super) struct Sessions<'a> {
    files: &'a dyn Files,
    external: ExternalValues,
    /// In the order in which they were first needed, which numbers their reports.
    sessions: Vec<Evaluated<'a>>,
}

struct Evaluated<'a> {
    component: String,
    /// Values that are bound otherwise than in the evaluations of other checks.
    special: ExternalValues,
    session: Session<'a>,
}

impl<'a> Sessions<'a> {
    /// None yet; `external` are the values that all evaluations begin with.
    pub(super) fn new(files: &'a dyn Files, external: ExternalValues) -> Self {
        Self { files, external, sessions: Vec::new() }
    }

    /// The evaluation of a document with the values that a check binds.
    pub(super) fn of(
        &mut self,
        component: &str,
        oval: &'a OvalDefinitions,
        mut bound: ExternalValues,
    ) -> (usize, &mut Session<'a>) {
        bound.retain(|name, values| self.external.get(name) != Some(values));
        let known = self.sessions.iter().position(|s| s.component == component && s.special == bound);
        let index = known.unwrap_or_else(|| {
            let mut external = self.external.clone();
            external.extend(bound.clone());
            self.sessions.push(Evaluated {
                component: component.to_owned(),
                special: bound,
                session: Session::new(oval, self.files, external),
            });
            self.sessions.len() - 1
        });
        (index, &mut self.sessions[index].session)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Their results, numbered from `first_report` on.
    pub(super) fn finish(self, first_report: usize) -> Vec<OvalComponent> {
        let numbered = (first_report..).zip(self.sessions);
        numbered
            .map(|(number, evaluated)| OvalComponent {
                component: evaluated.component,
                report: format!("oval{number}"),
                results: evaluated.session.into_results(),
            })
            .collect()
    }
}
