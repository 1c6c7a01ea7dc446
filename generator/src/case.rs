//! Cases of rules: given objects or files, expected verdict and offenders.

use std::collections::BTreeMap;

use virtscap_scap::xccdf::XccdfResult;

use crate::model::{Benchmark, Resource};

/// A case of a rule.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// What is there to be judged.
    pub evidence: Evidence,
    /// Values that differ from the default.
    pub values: BTreeMap<String, String>,
    /// The verdict.
    pub expect: XccdfResult,
    /// The offenders, in order.
    pub offenders: Vec<String>,
    /// What the CEL form of the check says in place of that, where it cannot say it.
    pub cel: Option<CelDeviation>,
}

/// What a CEL form says where it cannot say what the check says. It is never a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CelDeviation {
    /// It errs.
    Errs,
    /// It fails.
    Fails,
}

/// What a case has to be judged.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// What the API answers, by resource. What is not named is missing, except the platform's resources.
    Answers(Vec<(Resource, Given)>),
    /// The files of a node, by path; nothing else is there.
    Files(BTreeMap<String, GivenFile>),
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

/// A file of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenFile {
    /// A regular file.
    Regular {
        /// What is in it.
        content: String,
        /// Who may do what with it.
        owned: Owned,
    },
    /// A folder.
    Folder(Owned),
    /// A symbolic link.
    Link {
        /// Where it leads.
        target: String,
    },
    /// Something that cannot be looked at.
    Unreadable,
}

/// Mode and owners of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// The mode, without the type.
    pub mode: u16,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
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
    /// What the case says that the API answers to a resource.
    pub fn given(&self, resource: &Resource) -> Option<&Given> {
        match &self.evidence {
            Evidence::Answers(given) => given.iter().find(|(r, _)| r == resource).map(|(_, given)| given),
            Evidence::Files(_) => None,
        }
    }

    /// The answers by API path, the platform's resources included: unless the case gives them, the first answers one
    /// clean object, so that the product is installed, and the others are not served.
    pub fn answers(&self, benchmark: &Benchmark) -> BTreeMap<String, String> {
        let mut answers = BTreeMap::new();
        for (index, platform) in benchmark.platform.resources.iter().enumerate() {
            let given = match index {
                0 => Given::Objects(vec![serde_json::json!({
                    "apiVersion": platform.api,
                    "kind": "HyperConverged",
                    "metadata": {"name": "kubevirt-hyperconverged", "namespace": "openshift-cnv"},
                    "spec": {},
                })]),
                _ => Given::NotFound,
            };
            if self.given(platform).is_none() {
                answers.extend(given.body(platform).map(|body| (platform.path(), body)));
            }
        }
        if let Evidence::Answers(given) = &self.evidence {
            for (resource, given) in given {
                answers.extend(given.body(resource).map(|body| (resource.path(), body)));
            }
        }
        answers
    }
}
