//! Policies for admission (`ValidatingAdmissionPolicy`): what the rules say of an object at the moment when somebody
//! creates or changes it.
//!
//! Admission sees one object at a time, and no status of it. So only legs on objects as such have a form here; the rest is
//! left out, with the reason.
//!
//! A policy compares what offends in the new object with what offended in the old one, and refuses only what is new.
//! Otherwise an object that offends could not be changed at all, not even by its operator to take off a finalizer.

mod offenders;
mod readme;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::expr::{absent, quote};
use crate::model::{Benchmark, Decision, Each, Leg, Part, Resource, Rule, Selection};

/// The namespace of the ConfigMap with the values.
pub const NAMESPACE: &str = "virtscap";

/// The name of the ConfigMap with the values.
pub const VALUES: &str = "virtscap-values";

const API: &str = "admissionregistration.k8s.io/v1";

/// What of a rule admission can see to.
#[derive(Debug, Clone)]
pub struct Coverage<'b> {
    /// The rule.
    pub rule: &'b Rule,
    /// The legs that it can see to, without the parts that it cannot.
    pub legs: Vec<Each>,
    /// What it cannot see to, and why.
    pub left_out: Vec<LeftOut>,
}

/// Something that admission cannot see to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The resource; none for what is no API.
    pub resource: Option<Resource>,
    /// Why.
    pub reason: &'static str,
}

/// What admission can see to, rule by rule.
pub fn coverage(benchmark: &Benchmark) -> Vec<Coverage<'_>> {
    let of_rule = |rule| {
        let mut coverage = Coverage { rule, legs: Vec::new(), left_out: Vec::new() };
        for leg in &rule.check {
            coverage.add(leg);
        }
        coverage.left_out.dedup();
        coverage
    };
    benchmark.rules().map(of_rule).collect()
}

/// The files below `build/admission/`: documents by path.
pub(crate) fn manifests(benchmark: &Benchmark) -> Vec<(String, Vec<Value>)> {
    let all = coverage(benchmark);
    let mut files = vec![("values.yaml".to_owned(), values(benchmark, &all))];
    for coverage in &all {
        if let Some(policy) = coverage.policy(benchmark) {
            files.push((format!("{}.yaml", coverage.rule.id), vec![policy, coverage.audit()]));
            files.push((format!("deny/{}.yaml", coverage.rule.id), vec![coverage.deny()]));
        }
    }
    files
}

/// The list of what is covered, in Markdown.
pub(crate) fn readme(benchmark: &Benchmark) -> String {
    readme::readme(&coverage(benchmark))
}

/// The namespace and the ConfigMap with the values that the policies read.
fn values(benchmark: &Benchmark, all: &[Coverage<'_>]) -> Vec<Value> {
    let used = |id: &str| all.iter().any(|coverage| coverage.values().contains(&id));
    let data: BTreeMap<_, _> = benchmark
        .values
        .iter()
        .filter(|value| used(&value.id))
        .map(|value| (value.id.clone(), value.default.clone()))
        .collect();
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": VALUES, "namespace": NAMESPACE},
            "data": data,
        }),
    ]
}

impl Coverage<'_> {
    fn add(&mut self, leg: &Leg) {
        let each = match leg {
            Leg::Each(each) => each,
            Leg::WhoCan(_) => {
                let reason = "who may do something is seen only in roles and bindings together";
                return self.leave_out(None, reason);
            }
            Leg::Files(_) => return self.leave_out(None, "files of a node do not pass admission"),
        };
        let resource = Some(each.selection.resource.clone());
        let reason = match each.decision {
            Decision::UsedBy(_) => Some("it counts only where other objects name it"),
            Decision::Covered { .. } => Some("other objects decide whether it offends"),
            Decision::Alone if parses_json(each) => Some("CEL of the API server reads no JSON in texts"),
            Decision::Alone => None,
        };
        if let Some(reason) = reason {
            return self.leave_out(resource, reason);
        }
        let mut each = each.as_ref().clone();
        let all = each.parts.len();
        let (selection, parts) = (&each.selection, std::mem::take(&mut each.parts));
        let seen = parts.into_iter().filter(|part| !needs_status(selection, part)).collect::<Vec<_>>();
        if seen.len() < all {
            self.leave_out(resource, "it is seen in the status only");
        }
        each.parts = seen;
        if !each.parts.is_empty() {
            self.legs.push(each);
        }
    }

    fn leave_out(&mut self, resource: Option<Resource>, reason: &'static str) {
        self.left_out.push(LeftOut { resource, reason });
    }

    /// The name of the policy.
    pub fn name(&self) -> String {
        format!("virtscap-{}", self.rule.id)
    }

    /// The resources that the policy looks at.
    pub fn resources(&self) -> Vec<Resource> {
        let mut resources = Vec::new();
        for leg in &self.legs {
            if !resources.contains(&leg.selection.resource) {
                resources.push(leg.selection.resource.clone());
            }
        }
        resources
    }

    /// The values that the policy reads.
    pub fn values(&self) -> Vec<&str> {
        let mut values: Vec<_> = self.legs.iter().filter_map(|leg| leg.approved.as_deref()).collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The policy; none where nothing is covered.
    pub fn policy(&self, benchmark: &Benchmark) -> Option<Value> {
        if self.legs.is_empty() {
            return None;
        }
        let mut variables: Vec<_> = self
            .values()
            .into_iter()
            .map(|id| {
                let value = benchmark.values.iter().find(|value| value.id == id);
                let default = quote::quote(value.map_or("", |value| value.default.as_str()));
                let id_text = quote::quote(id);
                let expression = format!(
                    "\"^(?:\" + (has(params.data) && {id_text} in params.data ? params.data[{id_text}] : {default}) + \")$\""
                );
                json!({"name": id, "expression": expression})
            })
            .collect();
        let before = offenders::offenders(&self.legs, "oldObject");
        variables.push(json!({
            "name": "offenders", "expression": offenders::offenders(&self.legs, "object"),
        }));
        variables.push(json!({
            "name": "before", "expression": format!("oldObject == null ? [] : {before}"),
        }));
        let rules: Vec<_> = self
            .resources()
            .iter()
            .map(|resource| {
                let (group, version) = resource.api.split_once('/').unwrap_or(("", &resource.api));
                json!({
                    "apiGroups": [group], "apiVersions": [version], "resources": [resource.resource],
                    "operations": ["CREATE", "UPDATE"],
                })
            })
            .collect();
        let id = &self.rule.id;
        let mut spec = json!({
            "failurePolicy": "Fail",
            // Other versions of a resource are converted to the one that is named.
            "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": rules},
            // What is going has to be let go.
            "matchConditions": [{
                "name": "not-being-deleted",
                "expression": "!has(object.metadata.deletionTimestamp)",
            }],
            "variables": variables,
            "validations": [{
                "expression": "variables.offenders.all(offender, offender in variables.before)",
                "message": format!("{id}: {}", self.rule.title),
                // A line break in a name would cost the whole message.
                "messageExpression": format!(
                    "\"{id}: \" + variables.offenders.filter(offender, !(offender in variables.before)).join(\"; \").replace(\"\\n\", \"?\")"
                ),
            }],
        });
        if !self.values().is_empty() {
            spec["paramKind"] = json!({"apiVersion": "v1", "kind": "ConfigMap"});
        }
        Some(json!({
            "apiVersion": API, "kind": "ValidatingAdmissionPolicy",
            "metadata": {
                "name": self.name(),
                "annotations": {
                    "virtscap.io/section": self.rule.section,
                    "virtscap.io/title": self.rule.title,
                },
            },
            "spec": spec,
        }))
    }

    /// The binding that only tells.
    pub fn audit(&self) -> Value {
        // Without the ConfigMap the API server would refuse requests in spite of the binding's actions.
        self.binding("audit", &["Warn", "Audit"], "Allow")
    }

    /// The binding that refuses.
    pub fn deny(&self) -> Value {
        self.binding("deny", &["Deny"], "Deny")
    }

    fn binding(&self, suffix: &str, actions: &[&str], without_values: &str) -> Value {
        let mut spec = json!({"policyName": self.name(), "validationActions": actions});
        if !self.values().is_empty() {
            spec["paramRef"] =
                json!({"name": VALUES, "namespace": NAMESPACE, "parameterNotFoundAction": without_values});
        }
        json!({
            "apiVersion": API, "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": format!("{}-{suffix}", self.name())}, "spec": spec,
        })
    }
}

fn parses_json(each: &Each) -> bool {
    let of_parts = each.parts.iter().flat_map(|part| {
        let lists = part.loops.iter().map(|step| &step.list);
        lists.chain(&part.condition).chain([&part.detail]).chain(&part.key)
    });
    each.selection.condition.iter().chain(of_parts).any(absent::parses_json)
}

/// Whether something cannot offend in an object that has no status, as a new one has none.
fn needs_status(selection: &Selection, part: &Part) -> bool {
    let needs = |expr| absent::needs(expr, &selection.variable, "status");
    selection
        .condition
        .iter()
        .chain(&part.condition)
        .chain(part.loops.iter().map(|step| &step.list))
        .any(needs)
}
