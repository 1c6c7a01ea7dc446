//! The CEL content for the Compliance Operator: the bundle that a ProfileBundle names as its `celContentFile`, and
//! CustomRules for those who have no content image.
//!
//! The operator puts the bundle's name before the names of both kinds of rules and profiles, those of the data stream and
//! those in CEL, so that `hco-ksm` in CEL would overwrite `hco-ksm` of the data stream. Here every name begins with `cel-`.
//!
//! A CEL rule is an error as a whole where the cluster does not serve one of its inputs. So the legs of a rule that read
//! optional resources become CEL rules of their own, one for each set of them.

use serde_json::{Value, json};

use crate::cel::{self, CelError, CelForm, CelInput};
use crate::model::{Benchmark, Leg, Profile, Resource, Rule, Scope};
use crate::plain::plain;

/// The name of the bundle's file.
pub const FILE_NAME: &str = "ocp-virt-cel-content.yaml";

const PREFIX: &str = "cel-";
const API: &str = "compliance.openshift.io/v1alpha1";
const NAMESPACE: &str = "openshift-compliance";

/// The values by their ids.
pub type Values<'a> = cel::Values<'a>;

/// Which rules are wanted.
pub type Selected<'a> = &'a dyn Fn(&Rule) -> bool;

/// A value that cannot be written into a rule's expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {rule}: {source}")]
pub struct CelContentError {
    /// The rule.
    pub rule: String,
    /// What is wrong.
    pub source: CelError,
}

/// A rule in CEL: the legs of a rule that read the same optional resources.
#[derive(Debug, Clone)]
pub struct CelRule<'b> {
    /// The rule that it is part of.
    pub rule: &'b Rule,
    /// Its name, which is a DNS label if the rule's is.
    pub name: String,
    /// The resources without which it errs, though the rule does well without them.
    pub optional: Vec<Resource>,
    /// Its inputs and expression, values included.
    pub form: CelForm,
}

impl CelRule<'_> {
    /// Its id. Names of results come from it, with dashes for the underscores.
    pub fn id(&self) -> String {
        self.name.replace('-', "_")
    }
}

/// The values' defaults.
pub fn defaults(benchmark: &Benchmark) -> impl Fn(&str) -> String {
    |id| {
        let value = benchmark.values.iter().find(|value| value.id == id);
        value.map(|value| value.default.clone()).unwrap_or_default()
    }
}

/// The rules in CEL, with values written into them. A rule that is too large for CEL has none.
///
/// # Errors
/// [`CelContentError`] where a value does not fit into an expression.
pub fn rules<'b>(
    benchmark: &'b Benchmark,
    values: Values<'_>,
    selected: Selected<'_>,
) -> Result<Vec<CelRule<'b>>, CelContentError> {
    prefixed(benchmark, PREFIX, values, selected)
}

/// The rules in CEL, with names that begin with a prefix.
fn prefixed<'b>(
    benchmark: &'b Benchmark,
    prefix: &str,
    values: Values<'_>,
    selected: Selected<'_>,
) -> Result<Vec<CelRule<'b>>, CelContentError> {
    let wanted = benchmark.rules().filter(|rule| rule.scope() == Scope::Platform && selected(rule));
    let mut all = Vec::new();
    for rule in wanted {
        match of_rule(benchmark, prefix, rule, values) {
            Ok(rules) => all.extend(rules),
            Err(source @ CelError::Value { .. }) => {
                return Err(CelContentError { rule: rule.id.clone(), source });
            }
            // The table of rules tells.
            Err(CelError::Size(_) | CelError::Files) => {}
        }
    }
    Ok(all)
}

/// The bundle: all rules that are selected, and every profile for the platform that has one of them.
///
/// # Errors
/// [`CelContentError`] where a value does not fit into an expression.
pub fn bundle(
    benchmark: &Benchmark,
    values: Values<'_>,
    selected: Selected<'_>,
) -> Result<Value, CelContentError> {
    let rules = rules(benchmark, values, selected)?;
    let profiles: Vec<_> = profiles(benchmark, &rules)
        .map(|(profile, rules)| {
            let name = format!("{PREFIX}{}", profile.id);
            let names: Vec<_> = rules.iter().map(|rule| &rule.name).collect();
            json!({
                "name": name, "id": name.replace('-', "_"), "title": title(profile),
                "description": plain(&profile.description), "productType": "Platform", "rules": names,
                "version": benchmark.version,
            })
        })
        .collect();
    let rules: Vec<_> = rules
        .iter()
        .map(|rule| {
            let mut content = payload(&rules, rule);
            content["name"] = json!(rule.name);
            if !rule.rule.nist_800_53.is_empty() {
                content["controls"] = json!({"NIST-800-53": rule.rule.nist_800_53});
            }
            content
        })
        .collect();
    Ok(json!({"rules": rules, "profiles": profiles}))
}

/// CustomRules, by the file for each rule.
///
/// # Errors
/// [`CelContentError`] where a value does not fit into an expression.
pub fn custom_rules(
    benchmark: &Benchmark,
    values: Values<'_>,
    selected: Selected<'_>,
) -> Result<Vec<(String, Vec<Value>)>, CelContentError> {
    let rules = rules(benchmark, values, selected)?;
    let mut files: Vec<(String, Vec<Value>)> = Vec::new();
    for rule in &rules {
        let manifest = custom_rule(&rules, rule);
        let file = format!("{}.yaml", rule.rule.id);
        match files.last_mut() {
            Some((last, documents)) if *last == file => documents.push(manifest),
            _ => files.push((file, vec![manifest])),
        }
    }
    Ok(files)
}

fn custom_rule(all: &[CelRule<'_>], rule: &CelRule<'_>) -> Value {
    let mut spec = payload(all, rule);
    spec["scannerType"] = json!("CEL");
    object("CustomRule", &rule.name, spec)
}

/// The CustomRules of a tailoring, with its values written into them, and the TailoredProfile that has them all. Their
/// names have the tailoring's in them, so that they stand beside those of others.
///
/// # Errors
/// [`CelContentError`] where a value does not fit into an expression.
pub fn of_tailoring(
    benchmark: &Benchmark,
    (name, title, description): (&str, &str, &str),
    values: Values<'_>,
    selected: Selected<'_>,
) -> Result<Vec<Value>, CelContentError> {
    let rules = prefixed(benchmark, &format!("{PREFIX}{name}-"), values, selected)?;
    let mut manifests: Vec<_> = rules.iter().map(|rule| custom_rule(&rules, rule)).collect();
    let spec = json!({
        "title": format!("{title} (CEL)"),
        "description": description,
        "enableRules": rules.iter().map(enabled).collect::<Vec<_>>(),
    });
    manifests.push(object("TailoredProfile", &format!("{PREFIX}{name}"), spec));
    Ok(manifests)
}

/// A TailoredProfile's entry for a rule.
fn enabled(rule: &CelRule<'_>) -> Value {
    let mut rationale = format!("§ {}. {}", rule.rule.section, rule.rule.title);
    if !rule.optional.is_empty() {
        rationale = format!(
            "{rationale}. Take this entry out where the cluster does not serve {}.",
            names(&rule.optional)
        );
    }
    json!({"kind": "CustomRule", "name": rule.name, "rationale": rationale})
}

/// A TailoredProfile with the CustomRules of every profile for the platform, by file.
///
/// # Errors
/// [`CelContentError`] where a value does not fit into an expression.
pub fn tailored_profiles(
    benchmark: &Benchmark,
    values: Values<'_>,
    selected: Selected<'_>,
) -> Result<Vec<(String, Vec<Value>)>, CelContentError> {
    let rules = rules(benchmark, values, selected)?;
    let files = profiles(benchmark, &rules).map(|(profile, rules)| {
        let name = format!("{PREFIX}{}", profile.id);
        let spec = json!({
            "title": title(profile),
            "description": plain(&profile.description),
            "enableRules": rules.iter().map(|rule| enabled(rule)).collect::<Vec<_>>(),
        });
        (format!("tailoredprofile-{}.yaml", profile.id), vec![object("TailoredProfile", &name, spec)])
    });
    Ok(files.collect())
}

/// The profiles that have some of the rules, with these.
fn profiles<'r, 'b: 'r>(
    benchmark: &'b Benchmark,
    rules: &'r [CelRule<'b>],
) -> impl Iterator<Item = (&'b Profile, Vec<&'r CelRule<'b>>)> {
    let of_platform = benchmark.profiles.iter().filter(|profile| profile.scope == Scope::Platform);
    let with_rules = of_platform
        .map(|profile| (profile, rules.iter().filter(|rule| profile.selects(rule.rule)).collect::<Vec<_>>()));
    with_rules.filter(|(_, rules)| !rules.is_empty())
}

fn title(profile: &Profile) -> String {
    format!("{} (CEL)", profile.title)
}

/// The CEL rules of a rule: first the legs that need no optional resource.
fn of_rule<'b>(
    benchmark: &Benchmark,
    prefix: &str,
    rule: &'b Rule,
    values: Values<'_>,
) -> Result<Vec<CelRule<'b>>, CelError> {
    let mut sets: Vec<(Vec<Resource>, Vec<&Leg>)> = vec![(Vec::new(), Vec::new())];
    for leg in &rule.check {
        let optional = optional(benchmark, leg);
        match sets.iter_mut().find(|(set, _)| *set == optional) {
            Some((_, legs)) => legs.push(leg),
            None => sets.push((optional, vec![leg])),
        }
    }
    sets.retain(|(_, legs)| !legs.is_empty());
    let rules = sets.into_iter().map(|(optional, legs)| {
        let forms = legs.iter().map(|leg| cel::form(leg, values)).collect::<Result<Vec<_>, _>>()?;
        let suffix: String = optional.iter().map(|resource| suffix(rule, resource)).collect();
        let name = format!("{prefix}{}{suffix}", rule.id);
        Ok(CelRule { rule, name, optional, form: cel::all_of(forms) })
    });
    rules.collect()
}

/// The resources that a leg can do without, sorted. The first of the platform's resources is there wherever the product
/// is, whatever the legs say.
fn optional(benchmark: &Benchmark, leg: &Leg) -> Vec<Resource> {
    let selections = leg.selections().into_iter().filter(|selection| selection.optional);
    let mut optional: Vec<_> = selections
        .map(|selection| selection.resource.clone())
        .filter(|resource| benchmark.platform.resources.first() != Some(resource))
        .collect();
    optional.sort();
    optional.dedup();
    optional
}

/// What an optional resource adds to a rule's name: the version too, where the rule reads several.
fn suffix(rule: &Rule, resource: &Resource) -> String {
    let group = |resource: &Resource| resource.api.rsplit_once('/').map(|(group, _)| group.to_owned());
    let all = rule.resources();
    let mut others = all.iter().filter(|other| *other != resource && other.resource == resource.resource);
    if others.any(|other| group(other) == group(resource)) {
        format!("-{}-{}", resource.resource, cel::version(resource))
    } else {
        format!("-{}", resource.resource)
    }
}

fn names(resources: &[Resource]) -> String {
    resources.iter().map(Resource::full_name).collect::<Vec<_>>().join(", ")
}

/// What both a bundle's rule and a CustomRule say.
fn payload(all: &[CelRule<'_>], rule: &CelRule<'_>) -> Value {
    let text = rule.rule;
    json!({
        "id": rule.id(),
        "title": title_of(rule),
        "description": description(all, rule),
        "rationale": plain(&text.rationale),
        "severity": text.severity.as_str(),
        "checkType": "Platform",
        "expression": rule.form.expression,
        "inputs": rule.form.inputs.iter().map(input).collect::<Vec<_>>(),
        "failureReason": format!(
            "Something offends: {}. CEL does not say what; `virtscap scan` and the rule's instructions do.",
            text.title
        ),
        "instructions": text.audit.trim_end(),
    })
}

/// The rule's title, with what tells its parts apart.
fn title_of(rule: &CelRule<'_>) -> String {
    match rule.optional.as_slice() {
        [] => rule.rule.title.clone(),
        optional => format!("{} ({})", rule.rule.title, names(optional)),
    }
}

fn description(all: &[CelRule<'_>], rule: &CelRule<'_>) -> String {
    let inputs: Vec<_> = rule.form.inputs.iter().map(|input| input.resource.clone()).collect();
    let mut text = format!("{}\n\nThis part reads {}.", plain(&rule.rule.description), names(&inputs));
    if !rule.optional.is_empty() {
        text.push_str(&format!(
            " Where the cluster does not serve {}, it ends in an error that says nothing: leave it out there.",
            names(&rule.optional)
        ));
    }
    let others = all.iter().filter(|other| other.rule.id == rule.rule.id && other.name != rule.name);
    let others: Vec<_> = others.map(|other| other.name.as_str()).collect();
    if !others.is_empty() {
        text.push_str(&format!(" The rest of the rule is in {}.", others.join(", ")));
    }
    text
}

fn input(input: &CelInput) -> Value {
    let (group, version) = input.resource.api.split_once('/').unwrap_or(("", &input.resource.api));
    let mut spec = json!({"apiVersion": version, "resource": input.resource.resource});
    if !group.is_empty() {
        spec["group"] = json!(group);
    }
    json!({"name": input.name, "kubernetesInputSpec": spec})
}

fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
}
