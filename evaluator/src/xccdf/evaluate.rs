//! Results of rules from results of definitions (XCCDF 1.2, 7.2.3), in OpenSCAP's order.

use virtscap_scap::id::{DefinitionId, VariableId};
use virtscap_scap::namespace::OVAL_DEF;
use virtscap_scap::oval::OvalResult;
use virtscap_scap::xccdf::results::{Message, MessageSeverity, RuleResult, Score};
use virtscap_scap::xccdf::{
    Check, CheckContentRef, CheckExport, CheckOperator, ComplexCheck, ComplexCheckNode, Group, Role, Rule,
    RuleCheck, XccdfResult,
};

use super::platforms::{Missing, Platforms};
use super::policy::{Policy, RuleState};
use super::score;
use super::sessions::{OvalComponent, Sessions};
use crate::content::Checklist;
use crate::files::{Files, WithoutReasons};
use crate::gap::{Gap, GapKind};
use crate::oval::{ExternalValues, Session};

/// What came of a benchmark.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// One per rule, in the benchmark's order; of a rule with a multi-check one per definition.
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

impl Evaluation {
    /// All results in OVAL, in the order of their numbers.
    pub fn components(&self) -> impl Iterator<Item = &OvalComponent> {
        self.checks.iter().chain(&self.platform_checks)
    }
}

/// Evaluates all rules of a policy. `reasons` tells what is known of a rule's data that could not be had, once the rule
/// was decided or was not.
pub fn evaluate(
    checklist: &Checklist<'_>,
    policy: &Policy<'_>,
    files: &dyn Files,
    reasons: &dyn Fn(&Rule, bool) -> Vec<String>,
    time: &str,
) -> Evaluation {
    let platform_files = WithoutReasons(files);
    let mut evaluator = Evaluator {
        checklist,
        policy,
        checks: Sessions::new(files, external_values(checklist, policy)),
        platforms: Platforms::new(checklist, &platform_files, files),
    };
    let mut rule_results = Vec::new();
    checklist.benchmark.for_each_rule(&mut |groups, rule| {
        let state = policy.rule(rule);
        let result = RuleResult {
            rule: rule.id.clone(),
            role: state.role,
            severity: state.severity,
            weight: state.weight,
            time: time.to_owned(),
            result: XccdfResult::NotSelected,
            messages: Vec::new(),
            offenders: Vec::new(),
            checks: Vec::new(),
        };
        if !state.selected {
            return rule_results.push(result);
        }
        for mut result in evaluator.rule(groups, rule, state, result) {
            let undecided =
                !matches!(result.result, XccdfResult::Pass | XccdfResult::Fail | XccdfResult::NotChecked);
            for reason in reasons(rule, !undecided) {
                let severity = if undecided { MessageSeverity::Error } else { MessageSeverity::Warning };
                if !result.messages.iter().any(|m| m.text == reason) {
                    result.messages.push(Message { severity, text: reason });
                }
            }
            rule_results.push(result);
        }
    });
    let (platforms, platform_checks) = evaluator.platforms.finish(evaluator.checks.len());
    Evaluation {
        scores: score::scores(checklist.benchmark, &rule_results),
        rule_results,
        platforms,
        checks: evaluator.checks.finish(0),
        platform_checks,
    }
}

/// What the checks' exports bind to the variables of the OVAL documents; of several for one variable the first.
fn external_values(checklist: &Checklist<'_>, policy: &Policy<'_>) -> ExternalValues {
    let mut external = ExternalValues::new();
    checklist.benchmark.for_each_rule(&mut |_, rule| {
        let used = match &rule.check {
            RuleCheck::Simple(checks) => chosen(checks, policy.selector(rule)).into_iter().collect(),
            RuleCheck::Complex(_) => rule.check.checks(),
        };
        for export in used.into_iter().flat_map(|check| &check.exports) {
            if let Some((variable, values)) = binding(policy, export) {
                external.entry(variable).or_insert(values);
            }
        }
    });
    external
}

/// The variable that an export binds, with its values; none where the benchmark lacks the Value.
fn binding(policy: &Policy<'_>, export: &CheckExport) -> Option<(VariableId, Vec<String>)> {
    Some((VariableId::new(&*export.export_name), vec![policy.value(&export.value_id)?.to_owned()]))
}

struct Evaluator<'a> {
    checklist: &'a Checklist<'a>,
    policy: &'a Policy<'a>,
    checks: Sessions<'a>,
    platforms: Platforms<'a>,
}

/// Why a rule is unknown, so far.
#[derive(Debug, Clone, Copy, Default)]
struct Undecided {
    /// Because of what the source does not contain.
    by_gaps: bool,
    /// For other reasons.
    otherwise: bool,
}

impl Undecided {
    /// What becomes of a result: `notchecked` is neutral where results are combined, so that it is said only at the end.
    fn settle(self, result: XccdfResult) -> XccdfResult {
        match result {
            XccdfResult::Unknown if self.by_gaps && !self.otherwise => XccdfResult::NotChecked,
            other => other,
        }
    }
}

impl<'a> Evaluator<'a> {
    /// Fills in the result of a rule that is selected: one, or several where a check asks for that.
    fn rule(
        &mut self,
        groups: &[&'a Group],
        rule: &'a Rule,
        state: RuleState,
        mut result: RuleResult,
    ) -> Vec<RuleResult> {
        if state.role == Role::Unchecked {
            result.result = XccdfResult::NotChecked;
            return vec![result];
        }
        // Of the platforms of the benchmark, of each Group and of the rule, one each has to be there.
        let of_groups = groups.iter().map(|group| &*group.selectable.platforms);
        let levels = [&*self.checklist.benchmark.platforms].into_iter().chain(of_groups);
        let levels: Vec<_> = levels.chain([&*rule.selectable.platforms]).collect();
        if let Some(Missing { titles, reasons }) = self.platforms.missing(&levels) {
            if reasons.is_empty() {
                result.result = XccdfResult::NotApplicable;
                let text = format!("the platform is not there: {titles}");
                result.messages.push(Message { severity: MessageSeverity::Info, text });
            } else {
                result.result = XccdfResult::NotChecked;
                let first = format!("whether the platform is there is not known: {titles}");
                let texts = [first].into_iter().chain(reasons);
                let warning = |text| Message { severity: MessageSeverity::Warning, text };
                result.messages.extend(texts.map(warning));
            }
            return vec![result];
        }
        let mut results = match &rule.check {
            RuleCheck::Simple(checks) => self.simple(chosen(checks, self.policy.selector(rule)), result),
            RuleCheck::Complex(complex) => {
                let mut used = Vec::new();
                let mut undecided = Undecided::default();
                let outcome = self.complex(complex, &mut result, &mut used, &mut undecided);
                result.result = undecided.settle(outcome);
                result.checks = used;
                vec![result]
            }
        };
        let exports = rule.check.checks().into_iter().flat_map(|check| &check.exports);
        for export in exports.filter(|export| self.policy.is_unset(&export.value_id)) {
            let text = format!(
                "the profile sets the value '{}' to a list, which is not supported; its plain value was used",
                export.value_id
            );
            for result in &mut results {
                result.messages.push(Message { severity: MessageSeverity::Warning, text: text.clone() });
            }
        }
        for result in &mut results {
            if state.role == Role::Unscored {
                result.result = XccdfResult::Informational;
            }
            if result.result != XccdfResult::Fail && result.result != XccdfResult::Informational {
                result.offenders.clear();
            }
        }
        results
    }

    fn simple(&mut self, chosen: Option<&'a Check>, mut result: RuleResult) -> Vec<RuleResult> {
        let Some(check) = chosen else {
            let text = "the rule has no check for a machine; a person has to judge it".to_owned();
            result.messages.push(Message { severity: MessageSeverity::Info, text });
            result.result = XccdfResult::NotChecked;
            return vec![result];
        };
        if check.multi_check && self.unbound(check).is_none() {
            let several = self.multi_check(check, &result);
            if !several.is_empty() {
                return several;
            }
        }
        let mut undecided = Undecided::default();
        let (outcome, used) = self.check(check, &mut result, &mut undecided);
        result.result = undecided.settle(outcome);
        result.checks = used.into_iter().collect();
        vec![result]
    }

    /// A result per definition, the last one first, as OpenSCAP has it; none where the check names a definition.
    fn multi_check(&mut self, check: &'a Check, result: &RuleResult) -> Vec<RuleResult> {
        let bound = self.bound(check);
        let documents = check.content_refs.iter();
        let mut found = documents.filter_map(|r| Some((r, self.checklist.oval(&r.href)?)));
        let Some((_, (component, oval))) = found.next().filter(|(r, _)| r.name.is_none()) else {
            return Vec::new();
        };
        let (number, session) = self.checks.of(component, oval, bound);
        let results = session.definition_ids().into_iter().rev().map(|id| {
            let mut of_definition = result.clone();
            let mut undecided = Undecided::default();
            let outcome = definition(session, id, check.negate, &mut of_definition, &mut undecided);
            of_definition.result = undecided.settle(outcome.negate_if(check.negate));
            let name = Some(id.as_str().to_owned());
            let content_refs = vec![CheckContentRef { href: format!("#oval{number}"), name }];
            of_definition.checks = vec![Check { content_refs, ..check.clone() }];
            of_definition
        });
        results.collect()
    }

    /// A Value that a check exports and the benchmark lacks.
    fn unbound(&self, check: &Check) -> Option<String> {
        let mut missing = check.exports.iter().filter(|export| self.policy.value(&export.value_id).is_none());
        missing.next().map(|export| format!("the benchmark has no value '{}'", export.value_id))
    }

    /// What a check binds to variables.
    fn bound(&self, check: &Check) -> ExternalValues {
        check.exports.iter().filter_map(|export| binding(self.policy, export)).collect()
    }

    fn complex(
        &mut self,
        complex: &'a ComplexCheck,
        result: &mut RuleResult,
        used: &mut Vec<Check>,
        undecided: &mut Undecided,
    ) -> XccdfResult {
        let mut combined = XccdfResult::NotChecked;
        for child in &complex.children {
            let outcome = match child {
                ComplexCheckNode::Complex(complex) => self.complex(complex, result, used, undecided),
                ComplexCheckNode::Check(check) if check.system == OVAL_DEF => {
                    let (outcome, check) = self.check(check, result, undecided);
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
    fn check(
        &mut self,
        check: &'a Check,
        result: &mut RuleResult,
        undecided: &mut Undecided,
    ) -> (XccdfResult, Option<Check>) {
        if let Some(text) = self.unbound(check) {
            undecided.otherwise = true;
            result.messages.push(Message { severity: MessageSeverity::Error, text });
            return (XccdfResult::Unknown, None);
        }
        for reference in &check.content_refs {
            let Some((component, oval)) = self.checklist.oval(&reference.href) else { continue };
            let bound = self.bound(check);
            let (number, session) = self.checks.of(component, oval, bound);
            let definitions: Vec<DefinitionId> = match &reference.name {
                Some(name) => vec![DefinitionId::new(&**name)],
                // Without a name, all definitions have to hold.
                None => session.definition_ids().into_iter().cloned().collect(),
            };
            let mut outcome = XccdfResult::NotChecked;
            for id in &definitions {
                let of_definition = definition(session, id, check.negate, result, undecided);
                outcome = CheckOperator::And.combine(outcome, of_definition);
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

/// The check that is used (XCCDF 1.2, 7.2.3.5.2): of those that the profile's selector names, or that have none where it
/// names no check, the last one in OVAL.
fn chosen<'a>(checks: &'a [Check], selector: Option<&str>) -> Option<&'a Check> {
    let is_named = |check: &&Check| check.selector.as_deref() == selector;
    let any_named = checks.iter().any(|check| is_named(&check));
    let mut candidates =
        checks.iter().filter(|check| if any_named { is_named(check) } else { check.selector.is_none() });
    candidates.rfind(|check| check.system == OVAL_DEF)
}

fn definition(
    session: &mut Session<'_>,
    id: &DefinitionId,
    negate: bool,
    result: &mut RuleResult,
    undecided: &mut Undecided,
) -> XccdfResult {
    let Some(class) = session.definition(id).map(|definition| definition.class) else {
        let text = format!("the definition {id} is not in the document");
        result.messages.push(Message { severity: MessageSeverity::Error, text });
        return XccdfResult::NotChecked;
    };
    let oval = session.evaluate(id);
    let certain = session.certain(id);
    let outcome = certain.as_ref().map_or(oval, |certain| certain.result);
    let decided = matches!(outcome, OvalResult::True | OvalResult::False);
    if outcome == OvalResult::False && !negate {
        result.offenders.extend(session.offenders(id, certain.as_ref()));
    }
    // What was not evaluated because of gaps alone; what the content does not let be evaluated is so without them too.
    let by_gaps = outcome == OvalResult::NotEvaluated && oval != OvalResult::NotEvaluated;
    if let Some(certain) = &certain {
        let told = certain.gaps.iter().map(|gap| tell(gap, decided));
        result.messages.extend(told);
    }
    let damaged = certain.iter().flat_map(|certain| &certain.gaps).any(|gap| gap.kind == GapKind::Damaged);
    if !decided && !by_gaps && !damaged {
        let mut reasons = session.reasons(id);
        if reasons.is_empty() {
            reasons.push(format!("the definition {id} is '{outcome}'"));
        }
        result
            .messages
            .extend(reasons.into_iter().map(|text| Message { severity: MessageSeverity::Error, text }));
    }
    undecided.by_gaps |= by_gaps;
    undecided.otherwise |= !decided && !by_gaps;
    let outcome = if by_gaps { OvalResult::Unknown } else { outcome };
    XccdfResult::from_oval(outcome, class)
}

/// What is told of a gap. A rule that was decided nevertheless, by an offender for instance, does not depend on it.
fn tell(gap: &Gap, decided: bool) -> Message {
    let severity = match (&gap.kind, decided) {
        (GapKind::Damaged, false) => MessageSeverity::Error,
        (GapKind::Damaged, true) | (_, false) => MessageSeverity::Warning,
        (_, true) => MessageSeverity::Info,
    };
    Message { severity, text: gap.reason.clone() }
}
