//! Cases of rules: given objects, expected verdict and offenders.

use std::collections::BTreeMap;

use virtscap_scap::xccdf::XccdfResult;

use crate::model::{Benchmark, Resource};

/// A case of a rule.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// What the API answers, by resource. What is not named is missing, except the platform's resource.
    pub given: Vec<(Resource, Given)>,
    /// Values that differ from the default.
    pub values: BTreeMap<String, String>,
    /// The verdict.
    pub expect: XccdfResult,
    /// The offenders, in order.
    pub offenders: Vec<String>,
}

/// What the API answers to a list of a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// These objects.
    Objects(Vec<serde_json::Value>),
    /// 404: the API is not served.
    NotFound,
    /// 403: the scanner may not read it.
    Forbidden,
    /// Nothing: it was not collected.
    Missing,
}

impl Given {
    /// From the word that stands in a case.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "not_found" => Some(Self::NotFound),
            "forbidden" => Some(Self::Forbidden),
            "missing" => Some(Self::Missing),
            _ => None,
        }
    }

    /// The answer's body, as the API server writes it; none where nothing was collected.
    pub fn body(&self, resource: &Resource) -> Option<String> {
        let status = |code: u16, reason: &str, message: String| {
            serde_json::json!({
                "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                "message": message, "reason": reason, "code": code,
            })
        };
        let body = match self {
            Self::Missing => return None,
            Self::Objects(objects) => serde_json::json!({
                "kind": "List", "apiVersion": resource.api, "metadata": {"resourceVersion": "1"}, "items": objects,
            }),
            Self::NotFound => {
                status(404, "NotFound", "the server could not find the requested resource".to_owned())
            }
            Self::Forbidden => {
                status(403, "Forbidden", format!("{} is forbidden: cannot list resource", resource.resource))
            }
        };
        Some(body.to_string())
    }
}

impl Case {
    /// The answers by API path, the platform's resource included: unless the case gives it, it answers one clean
    /// object, so that the product is installed.
    pub fn answers(&self, benchmark: &Benchmark) -> BTreeMap<String, String> {
        let platform = &benchmark.platform.resource;
        let mut answers = BTreeMap::new();
        if !self.given.iter().any(|(resource, _)| resource == platform) {
            let object = serde_json::json!({
                "apiVersion": platform.api,
                "kind": "HyperConverged",
                "metadata": {"name": "kubevirt-hyperconverged", "namespace": "openshift-cnv"},
                "spec": {},
            });
            answers.extend(Given::Objects(vec![object]).body(platform).map(|body| (platform.path(), body)));
        }
        for (resource, given) in &self.given {
            answers.extend(given.body(resource).map(|body| (resource.path(), body)));
        }
        answers
    }
}
