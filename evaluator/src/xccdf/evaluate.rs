//! Results of rules from results of definitions (XCCDF 1.2, 7.2.3), in OpenSCAP's order.

use std::collections::{BTreeMap, BTreeSet};

use virtscap_scap::id::{DefinitionId, VariableId};
use virtscap_scap::namespace::OVAL_DEF;
use virtscap_scap::oval::results::OvalResults;
use virtscap_scap::oval::{OvalDefinitions, OvalResult};
use virtscap_scap::xccdf::results::{Message, MessageSeverity, RuleResult, Score};
use virtscap_scap::xccdf::{
    Check, CheckContentRef, ComplexCheck, ComplexCheckNode, Group, Role, Rule, RuleCheck, XccdfResult,
};

use super::policy::{Policy, RuleState};
use super::score;
use crate::content::Checklist;
use crate::dump::Files;
use crate::oval::{ExternalValues, Session};

/// What came of a benchmark.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// One per rule, in the benchmark's order.
    pub rule_results: Vec<RuleResult>,
    /// The scores.
    pub scores: Vec<Score>,
    /// The platforms that were found.
    pub platforms: Vec<String>,
    /// Results in OVAL of the rules' checks.
    pub checks: Vec<OvalComponent>,
    /// Results in OVAL of the platforms' checks.
    pub platform_checks: Vec<OvalComponent>,
}

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

/// Evaluates all rules of a policy. `reasons` tells what is known of a rule's data that could not be had.
pub fn evaluate(
    checklist: &Checklist<'_>,
    policy: &Policy<'_>,
    files: &dyn Files,
    reasons: &dyn Fn(&Rule) -> Vec<String>,
    time: &str,
) -> Evaluation {
    let external = external_values(checklist, policy);
    let nothing = ExternalValues::new();
    let mut evaluator = Evaluator {
        checklist,
        checks: Sessions::new(files, &external),
        platform_checks: Sessions::new(files, &nothing),
        platforms: BTreeMap::new(),
    };
    let mut rule_results = Vec::new();
    checklist.benchmark.for_each_rule(&mut |groups, rule| {
        let state = policy.rule(rule);
        let mut result = RuleResult {
            rule: rule.id.clone(),
            role: state.role,
            severity: state.severity,
            weight: rule.selectable.weight,
            time: time.to_owned(),
            result: XccdfResult::NotSelected,
            messages: Vec::new(),
            offenders: Vec::new(),
            checks: Vec::new(),
        };
        if state.selected {
            evaluator.rule(groups, rule, state, &mut result);
            let undecided =
                !matches!(result.result, XccdfResult::Pass | XccdfResult::Fail | XccdfResult::NotChecked);
            for reason in reasons(rule) {
                let severity = if undecided { MessageSeverity::Error } else { MessageSeverity::Warning };
                if !result.messages.iter().any(|m| m.text == reason) {
                    result.messages.push(Message { severity, text: reason });
                }
            }
        }
        rule_results.push(result);
    });
    let found = evaluator.platforms.iter().filter(|(_, found)| **found == OvalResult::True);
    let platforms = found.map(|(name, _)| name.clone()).collect();
    let first_platform_report = evaluator.checks.by_component.len();
    Evaluation {
        scores: score::scores(checklist.benchmark, &rule_results),
        rule_results,
        platforms,
        checks: evaluator.checks.finish(0),
        platform_checks: evaluator.platform_checks.finish(first_platform_report),
    }
}

/// What the checks' exports bind to the variables of the OVAL documents.
fn external_values(checklist: &Checklist<'_>, policy: &Policy<'_>) -> ExternalValues {
    fn of_checks<'a>(check: &'a RuleCheck, all: &mut Vec<&'a Check>) {
        fn of_complex<'a>(complex: &'a ComplexCheck, all: &mut Vec<&'a Check>) {
            for child in &complex.children {
                match child {
                    ComplexCheckNode::Check(check) => all.push(check),
                    ComplexCheckNode::Complex(complex) => of_complex(complex, all),
                }
            }
        }
        match check {
            RuleCheck::Simple(checks) => all.extend(checks),
            RuleCheck::Complex(complex) => of_complex(complex, all),
        }
    }
    let mut external = ExternalValues::new();
    checklist.benchmark.for_each_rule(&mut |_, rule| {
        let mut checks = Vec::new();
        of_checks(&rule.check, &mut checks);
        for export in checks.into_iter().flat_map(|check| &check.exports) {
            if let Some(value) = policy.value(&export.value_id) {
                external.insert(VariableId::new(&*export.export_name), vec![value.to_owned()]);
            }
        }
    });
    external
}

/// The evaluations of the OVAL documents, by component.
struct Sessions<'a> {
    files: &'a dyn Files,
    external: &'a ExternalValues,
    /// In the order in which they were first needed, which numbers their reports.
    by_component: Vec<(String, Session<'a>)>,
}

impl<'a> Sessions<'a> {
    fn new(files: &'a dyn Files, external: &'a ExternalValues) -> Self {
        Self { files, external, by_component: Vec::new() }
    }

    fn of(&mut self, component: &str, oval: &'a OvalDefinitions) -> (usize, &mut Session<'a>) {
        let known = self.by_component.iter().position(|(id, _)| id == component);
        let index = known.unwrap_or_else(|| {
            self.by_component.push((component.to_owned(), Session::new(oval, self.files, self.external)));
            self.by_component.len() - 1
        });
        (index, &mut self.by_component[index].1)
    }

    fn finish(self, first_report: usize) -> Vec<OvalComponent> {
        let numbered = (first_report..).zip(self.by_component);
        numbered
            .map(|(number, (component, session))| OvalComponent {
                component,
                report: format!("oval{number}"),
                results: session.into_results(),
            })
            .collect()
    }
}

struct Evaluator<'a> {
    checklist: &'a Checklist<'a>,
    checks: Sessions<'a>,
    platform_checks: Sessions<'a>,
    platforms: BTreeMap<String, OvalResult>,
}

impl<'a> Evaluator<'a> {
    fn rule(&mut self, groups: &[&'a Group], rule: &'a Rule, state: RuleState, result: &mut RuleResult) {
        if state.role == Role::Unchecked {
            result.result = XccdfResult::NotChecked;
            return;
        }
        if let Some(missing) = self.missing_platform(groups, rule) {
            result.result = XccdfResult::NotApplicable;
            result.messages.push(Message { severity: MessageSeverity::Info, text: missing });
            return;
        }
        let (outcome, used) = match &rule.check {
            RuleCheck::Simple(checks) => self.simple(checks, result),
            RuleCheck::Complex(complex) => {
                let mut used = Vec::new();
                (self.complex(complex, result, &mut used), used)
            }
        };
        result.checks = used;
        result.result = match (outcome, state.role) {
            (outcome, Role::Unscored) if outcome.is_scored() => XccdfResult::Informational,
            (outcome, _) => outcome,
        };
        if result.result != XccdfResult::Fail && result.result != XccdfResult::Informational {
            result.offenders.clear();
        }
    }

    /// Of the platforms of the benchmark, of each Group and of the rule, one each has to be there.
    fn missing_platform(&mut self, groups: &[&'a Group], rule: &'a Rule) -> Option<String> {
        let levels = [&self.checklist.benchmark.platforms]
            .into_iter()
            .chain(groups.iter().map(|group| &group.selectable.platforms))
            .chain([&rule.selectable.platforms]);
        for platforms in levels {
            if !platforms.is_empty() && !platforms.iter().any(|name| self.platform(name) == OvalResult::True) {
                let titles: Vec<_> = platforms.iter().map(|name| self.platform_title(name)).collect();
                return Some(format!("the platform is not there: {}", titles.join(", ")));
            }
        }
        None
    }

    fn platform_title(&self, name: &str) -> String {
        match self.checklist.platform_check(name) {
            Some(check) => format!("{} ({name})", check.title),
            None => format!("{name} (the content cannot tell whether it is there)"),
        }
    }

    fn platform(&mut self, name: &str) -> OvalResult {
        if let Some(known) = self.platforms.get(name) {
            return *known;
        }
        let found = match self.checklist.platform_check(name) {
            Some(check) => {
                let (_, session) = self.platform_checks.of(check.component, check.oval);
                session.evaluate(check.definition)
            }
            None => OvalResult::Unknown,
        };
        self.platforms.insert(name.to_owned(), found);
        found
    }

    /// Of several checks the last one in OVAL counts.
    fn simple(&mut self, checks: &'a [Check], result: &mut RuleResult) -> (XccdfResult, Vec<Check>) {
        match checks.iter().rev().find(|check| check.system == OVAL_DEF) {
            Some(check) => {
                let (outcome, used) = self.check(check, result);
                (outcome, used.into_iter().collect())
            }
            None => {
                let text = "the rule has no check for a machine; a person has to judge it".to_owned();
                result.messages.push(Message { severity: MessageSeverity::Info, text });
                (XccdfResult::NotChecked, Vec::new())
            }
        }
    }

    fn complex(&mut self, complex: &'a ComplexCheck, result: &mut RuleResult, used: &mut Vec<Check>) -> XccdfResult {
        let mut combined = XccdfResult::NotChecked;
        for child in &complex.children {
            let outcome = match child {
                ComplexCheckNode::Complex(complex) => self.complex(complex, result, used),
                ComplexCheckNode::Check(check) if check.system == OVAL_DEF => {
                    let (outcome, check) = self.check(check, result);
                    used.extend(check);
                    outcome
                }
                ComplexCheckNode::Check(_) => XccdfResult::NotChecked,
            };
            combined = complex.operator.combine(combined, outcome);
        }
        combined.negate_if(complex.negate)
    }

    /// The content references are alternatives; the first that can be evaluated counts.
    fn check(&mut self, check: &'a Check, result: &mut RuleResult) -> (XccdfResult, Option<Check>) {
        for reference in &check.content_refs {
            let Some((component, oval)) = self.checklist.oval(&reference.href) else { continue };
            let (number, session) = self.checks.of(component, oval);
            let definitions: Vec<DefinitionId> = match &reference.name {
                Some(name) => vec![DefinitionId::new(&**name)],
                // Without a name, all definitions have to hold. Sorted, for the same input gives the same bytes.
                None => session.definition_ids().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
            };
            let mut outcome = XccdfResult::NotChecked;
            for id in &definitions {
                let of_definition = definition(session, id, check.negate, result);
                outcome = virtscap_scap::xccdf::CheckOperator::And.combine(outcome, of_definition);
            }
            if outcome != XccdfResult::NotChecked {
                let href = format!("#oval{number}");
                let content_refs = vec![CheckContentRef { href, name: reference.name.clone() }];
                return (outcome.negate_if(check.negate), Some(Check { content_refs, ..check.clone() }));
            }
        }
        (XccdfResult::NotChecked, None)
    }
}

fn definition(session: &mut Session<'_>, id: &DefinitionId, negate: bool, result: &mut RuleResult) -> XccdfResult {
    let Some(class) = session.definition(id).map(|definition| definition.class) else {
        let text = format!("the definition {id} is not in the document");
        result.messages.push(Message { severity: MessageSeverity::Error, text });
        return XccdfResult::NotChecked;
    };
    let oval = session.evaluate(id);
    if oval == OvalResult::False && !negate {
        result.offenders.extend(session.offenders(id));
    }
    if !matches!(oval, OvalResult::True | OvalResult::False) {
        let messages = session.reasons(id).into_iter();
        result.messages.extend(messages.map(|text| Message { severity: MessageSeverity::Error, text }));
    }
    XccdfResult::from_oval(oval, class)
}
