//! `virtscap rbac`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use virtscap_evaluator::api_path::{Need, needs};
use virtscap_evaluator::record;
use virtscap_evaluator::scan::Prepared;
use virtscap_generator::artifacts;

use crate::Outcome;
use crate::output;
use crate::scan::What;

const API_VERSION: &str = "rbac.authorization.k8s.io/v1";

/// Print the role that a scan of a live cluster needs, and its binding
///
/// The role allows what virtscap scan and virtscap collect read for the profile's rules, and nothing else.
#[derive(Debug, Args)]
pub(crate) struct Rbac {
    /// Name of the role and its binding
    #[arg(long, value_name = "NAME", default_value = "virtscap")]
    name: String,

    /// Service account to bind the role to
    #[arg(long, value_name = "NAMESPACE:NAME", default_value = "virtscap:virtscap")]
    service_account: String,

    /// User to bind the role to
    #[arg(long, value_name = "NAME", conflicts_with_all = ["service_account", "group"])]
    user: Option<String>,

    /// Group to bind the role to
    #[arg(long, value_name = "NAME", conflicts_with = "service_account")]
    group: Option<String>,

    /// Allow what a scan of the nodes needs too: to run programs in the product's pods
    #[arg(long)]
    nodes: bool,

    /// Namespace of the product
    #[arg(long, value_name = "NAME", default_value = "openshift-cnv", requires = "nodes")]
    namespace: String,

    #[command(flatten)]
    what: What,
}

impl Rbac {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let loaded = self.what.load()?;
        let request = loaded.request();
        let endpoints = Prepared::new(&request)?.endpoints();
        let understood = endpoints.iter().filter(|endpoint| endpoint.refused.is_none());
        let paths = record::paths(understood);
        let mut needs = needs(paths.keys().map(String::as_str));
        if self.nodes {
            needs.extend(Need::of_nodes(&self.namespace));
        }
        let documents = documents(&self.name, &self.subject()?, &needs);
        output::write("-".as_ref(), &artifacts::documents("rbac", &documents)?)?;
        Ok(Outcome::Success)
    }

    fn subject(&self) -> Result<Value> {
        let named = |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
        if let Some(user) = &self.user {
            return Ok(named("User", user));
        }
        if let Some(group) = &self.group {
            return Ok(named("Group", group));
        }
        let (namespace, name) =
            self.service_account.split_once(':').context("--service-account: write NAMESPACE:NAME")?;
        if namespace.is_empty() || name.is_empty() {
            bail!("--service-account: write NAMESPACE:NAME");
        }
        Ok(json!({"kind": "ServiceAccount", "namespace": namespace, "name": name}))
    }
}

/// A role with its binding for the cluster, and for each namespace in which something is needed.
fn documents(name: &str, subject: &Value, needs: &BTreeSet<Need>) -> Vec<Value> {
    let mut by_scope: BTreeMap<Option<&str>, Vec<&Need>> = BTreeMap::new();
    for need in needs {
        let scope = match need {
            Need::Resource { namespace, .. } => namespace.as_deref(),
            Need::Path(_) => None,
        };
        by_scope.entry(scope).or_default().push(need);
    }
    let mut documents = Vec::new();
    for (namespace, needs) in by_scope {
        let (kind, binding) = match namespace {
            Some(_) => ("Role", "RoleBinding"),
            None => ("ClusterRole", "ClusterRoleBinding"),
        };
        let mut metadata = json!({"name": name});
        if let Some(namespace) = namespace {
            metadata["namespace"] = json!(namespace);
        }
        documents.push(json!({
            "apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "rules": rules(&needs),
        }));
        documents.push(json!({
            "apiVersion": API_VERSION,
            "kind": binding,
            "metadata": metadata,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
            "subjects": [subject],
        }));
    }
    documents
}

/// Resources of a group with the same verbs are one rule; objects by name are rules of their own.
fn rules(needs: &[&Need]) -> Vec<Value> {
    type Key<'a> = (&'a str, &'a str);
    let mut verbs: BTreeMap<(Key<'_>, Option<&str>), BTreeSet<&str>> = BTreeMap::new();
    let mut urls = BTreeSet::new();
    for need in needs {
        match need {
            Need::Resource { group, resource, name, verb, .. } => {
                verbs.entry(((group, resource), name.as_deref())).or_default().insert(verb);
            }
            Need::Path(path) => {
                urls.insert(path);
            }
        }
    }
    let mut whole: BTreeMap<(&str, &BTreeSet<&str>), BTreeSet<&str>> = BTreeMap::new();
    let mut named: BTreeMap<(Key<'_>, &BTreeSet<&str>), BTreeSet<&str>> = BTreeMap::new();
    for (((group, resource), name), verbs) in &verbs {
        match name {
            Some(name) => named.entry(((group, resource), verbs)).or_default().insert(name),
            None => whole.entry((group, verbs)).or_default().insert(resource),
        };
    }
    let whole = whole.iter().map(
        |((group, verbs), resources)| json!({"apiGroups": [group], "resources": resources, "verbs": verbs}),
    );
    let named = named.iter().map(|(((group, resource), verbs), names)| {
        json!({"apiGroups": [group], "resources": [resource], "resourceNames": names, "verbs": verbs})
    });
    let mut rules: Vec<_> = whole.chain(named).collect();
    if !urls.is_empty() {
        rules.push(json!({"nonResourceURLs": urls, "verbs": ["get"]}));
    }
    rules
}
