//! Tailorings as `TailoredProfile`s of the Compliance Operator.

use serde::Deserialize;
use serde_json::{Value, json};

use super::catalog::object_name;
use super::{Action, Catalog, RuleChoice, TailorError, TailorErrors, Tailored, ValueChoice, one_line};
use crate::manifests::NAMESPACE;

const API_VERSION: &str = "compliance.openshift.io/v1alpha1";
const KIND: &str = "TailoredProfile";

/// The kind of the rules that the cluster holds itself, in CEL.
const CUSTOM_RULE: &str = "CustomRule";

#[derive(Deserialize)]
struct Manifest {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

/// What the operator knows at this place; what it does not know it would not take.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    extends: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    enable_rules: Vec<RuleReference>,
    #[serde(default)]
    disable_rules: Vec<RuleReference>,
    #[serde(default)]
    manual_rules: Vec<RuleReference>,
    #[serde(default)]
    set_values: Vec<SetValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleReference {
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    rationale: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetValue {
    name: String,
    value: String,
    #[serde(default)]
    rationale: String,
}

/// Reads the `TailoredProfile` of a text in YAML, which may hold other objects too. Gives the name of the bundle with it.
///
/// The caller checks it ([`Tailored::check`]).
///
/// # Errors
/// [`TailorErrors`] where there is none, or it names what the content does not have.
pub fn from_manifest(yaml: &str, catalog: &Catalog<'_>) -> Result<(Tailored, String), TailorErrors> {
    let wrong = |reason: String| TailorError::Manifest { reason };
    let documents: Vec<Value> = serde_yaml::from_multiple(yaml).map_err(|e| wrong(e.to_string()))?;
    let mut profiles = documents.into_iter().filter(|document| {
        document["kind"] == KIND && document["apiVersion"].as_str().is_some_and(|v| v.starts_with(GROUP))
    });
    let manifest =
        profiles.next().ok_or_else(|| wrong(format!("no object of kind {KIND} of {API_VERSION}")))?;
    if profiles.next().is_some() {
        return Err(wrong("the file holds several".to_owned()).into());
    }
    let Manifest { metadata, spec } = serde_json::from_value(manifest).map_err(|e| wrong(e.to_string()))?;
    Reader { catalog, bundle: None, errors: Vec::new() }.read(metadata.name, spec)
}

const GROUP: &str = "compliance.openshift.io/";

struct Reader<'a> {
    catalog: &'a Catalog<'a>,
    /// The bundle that all names have to belong to, once one has told it.
    bundle: Option<String>,
    errors: Vec<TailorError>,
}

impl Reader<'_> {
    fn read(mut self, name: String, spec: Spec) -> Result<(Tailored, String), TailorErrors> {
        let extends = spec.extends.filter(|extends| !extends.is_empty());
        let extends = extends.and_then(|extends| match self.catalog.bundled_profile(&extends) {
            Ok((profile, bundle)) => {
                self.bundle = Some(bundle);
                Some(profile.clone())
            }
            Err(error) => {
                self.errors.push(error);
                None
            }
        });
        let mut rules = Vec::new();
        let lists = [
            (Action::Enable, spec.enable_rules),
            (Action::Disable, spec.disable_rules),
            (Action::Manual, spec.manual_rules),
        ];
        for (action, entries) in lists {
            for entry in entries {
                if entry.kind == CUSTOM_RULE {
                    self.errors.push(TailorError::CustomRule { name: entry.name });
                    continue;
                }
                let rule = self.own_name(&entry.name).and_then(|own| self.catalog.rule(&own).cloned());
                match rule {
                    Ok(rule) => {
                        let rationale = entry.rationale.trim().to_owned();
                        rules.push(RuleChoice { rule, action, rationale });
                    }
                    Err(error) => self.errors.push(error),
                }
            }
        }
        let mut values = Vec::new();
        for entry in spec.set_values {
            match self.own_name(&entry.name).and_then(|own| self.catalog.value(&own).cloned()) {
                Ok(id) => {
                    let rationale = entry.rationale.trim().to_owned();
                    values.push(ValueChoice { id, value: entry.value, rationale });
                }
                Err(error) => self.errors.push(error),
            }
        }
        if !self.errors.is_empty() {
            return Err(TailorErrors(self.errors));
        }
        let (title, description) = (one_line(&spec.title), one_line(&spec.description));
        let bundle = self.bundle.unwrap_or_else(|| super::BUNDLE.to_owned());
        Ok((Tailored { name, extends, title, description, rules, values }, bundle))
    }

    /// A name without the bundle's before it.
    fn own_name(&mut self, name: &str) -> Result<String, TailorError> {
        if self.bundle.is_none() {
            self.bundle = self.catalog.bundle_of(name);
        }
        // Where nothing has told the bundle, the name is not known either.
        let Some(bundle) = &self.bundle else { return Ok(name.to_owned()) };
        let own = name.strip_prefix(bundle.as_str()).and_then(|rest| rest.strip_prefix('-'));
        own.map(str::to_owned)
            .ok_or_else(|| TailorError::OtherBundle { name: name.to_owned(), bundle: bundle.clone() })
    }
}

impl Tailored {
    /// The tailoring as a `TailoredProfile` in YAML. The names of what is in the bundle begin with the bundle's.
    ///
    /// # Errors
    /// [`TailorError::Manifest`] where YAML cannot express it.
    pub fn to_manifest(&self, bundle: &str) -> Result<String, TailorError> {
        let name = |short: &str| format!("{bundle}-{}", object_name(short));
        let rules = |action: Action| -> Vec<Value> {
            let chosen = self.rules.iter().filter(|choice| choice.action == action);
            let entry = |choice: &RuleChoice| json!({"name": name(choice.rule.short_name()), "rationale": choice.rationale});
            chosen.map(entry).collect()
        };
        let values = self.values.iter().map(|choice| {
            json!({
                "name": name(choice.id.short_name()), "value": choice.value, "rationale": choice.rationale,
            })
        });
        // The operator wants both, and each on one line.
        let text = |text: &str| if text.is_empty() { self.name.clone() } else { one_line(text) };
        let mut spec = json!({"title": text(&self.title), "description": text(&self.description)});
        if let Some(profile) = &self.extends {
            spec["extends"] = json!(name(profile.short_name()));
        }
        let lists = [
            ("enableRules", rules(Action::Enable)),
            ("disableRules", rules(Action::Disable)),
            ("manualRules", rules(Action::Manual)),
            ("setValues", values.collect()),
        ];
        for (field, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            spec[field] = json!(list);
        }
        let manifest = json!({
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": self.name, "namespace": NAMESPACE},
            "spec": spec,
        });
        let yaml = serde_yaml::to_string(&manifest);
        let yaml = yaml.map_err(|e| TailorError::Manifest { reason: e.to_string() })?;
        Ok(format!("---\n{yaml}"))
    }
}
