//! The list of what the policies cover.

use std::fmt::Write as _;

use super::{Coverage, NAMESPACE, VALUES};

const INTRODUCTION: &str = "\
<!-- Made by `virtscap build` from benchmark/ and profiles/. Do not edit. -->

# Policies for admission

They say at once, when somebody creates or changes an object, what a scan would say of it later. They need Kubernetes 1.30
(OpenShift 4.17).

    oc apply -f build/admission/                   # values, policies, and bindings that warn and write to the audit log
    oc apply -f build/admission/deny/RULE.yaml     # refuse what breaks one rule

Apply `values.yaml` first where you apply single rules. Nothing is refused before you apply something of `deny/`.

";

const BEHAVIOUR: &str = "\
- A policy refuses what is new: on an update, what offended in the object before is let through, so that objects from before
  can be worked on, stopped and deleted. A scan still finds them. Objects that are being deleted are let through.
- The policy's message names what offends. Where that would take more than 5 KiB, it has the rule's title instead.
- A policy whose values cannot be used, such as a broken regular expression, refuses (`failurePolicy: Fail`); in the
  audit bindings it warns.
";

const CAUTION: &str = "\
## Before you deny

Operators write many of these objects: the HyperConverged operator writes the KubeVirt and CDI objects, the KubeVirt operator
DaemonSets, roles and security context constraints, its controllers the instances and pods of virtual machines and the
virtual machines of pools. They do not understand a refusal: they try again and again, and the cluster stays half
configured. A virtual machine from before that offends cannot start again when its instance is refused. So:

- deny first on what people write: VirtualMachines, templates, pools and the HyperConverged object;
- look for `validation.policy.admission.k8s.io/validation_failure` in the audit log until it is quiet;
- expect an upgrade of the product to bring objects that a policy does not know yet, and take the `deny` bindings of
  KubeVirt, CDI, DaemonSet, role and security context constraint policies off before it.

";

/// The list, in Markdown.
pub(super) fn readme(all: &[Coverage<'_>]) -> String {
    let mut text = INTRODUCTION.to_owned();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "- Values are read from the ConfigMap `{VALUES}` in the namespace `{NAMESPACE}`; a change counts at once. Who may\n  \
         change it may approve. A value that is not in it has the benchmark's default. Without the ConfigMap the audit\n  \
         bindings are silent and the deny bindings refuse."
    );
    text.push_str(BEHAVIOUR);
    text.push('\n');
    text.push_str(CAUTION);
    text.push_str(
        "## What is covered\n\n| § | rule | objects | values | not covered |\n|---|---|---|---|---|\n",
    );
    for coverage in all.iter().filter(|coverage| !coverage.legs.is_empty()) {
        let resources: Vec<_> =
            coverage.resources().iter().map(|resource| format!("`{}`", resource.full_name())).collect();
        let values: Vec<_> = coverage.values().iter().map(|value| format!("`{value}`")).collect();
        let _ = writeln!(
            text,
            "| {} | `{}` | {} | {} | {} |",
            coverage.rule.section,
            coverage.rule.id,
            resources.join(", "),
            values.join(", "),
            left_out(coverage)
        );
    }
    text.push_str("\n## What is not\n\n| § | rule | why |\n|---|---|---|\n");
    for coverage in all.iter().filter(|coverage| coverage.legs.is_empty()) {
        let _ =
            writeln!(text, "| {} | `{}` | {} |", coverage.rule.section, coverage.rule.id, left_out(coverage));
    }
    text
}

/// What a rule leaves out, with each reason once.
fn left_out(coverage: &Coverage<'_>) -> String {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for left_out in &coverage.left_out {
        let resource = left_out.resource.as_ref().map(|resource| format!("`{}`", resource.full_name()));
        match reasons.iter_mut().find(|(reason, _)| *reason == left_out.reason) {
            Some((_, resources)) => resources.extend(resource.filter(|name| !resources.contains(name))),
            None => reasons.push((left_out.reason, resource.into_iter().collect())),
        }
    }
    let reasons = reasons.into_iter().map(|(reason, resources)| match resources.as_slice() {
        [] => reason.to_owned(),
        resources => format!("{}: {reason}", resources.join(", ")),
    });
    reasons.collect::<Vec<_>>().join("; ")
}
