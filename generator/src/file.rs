//! The files of a benchmark as they are written; [`crate::load`] checks them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_yaml::Spanned;

/// A text with its place in the file.
pub(crate) type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BenchmarkFile {
    pub(crate) id: Text,
    pub(crate) title: Text,
    pub(crate) version: Text,
    pub(crate) date: Text,
    pub(crate) description: Text,
    pub(crate) reference: ReferenceFile,
    pub(crate) platform: PlatformFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReferenceFile {
    pub(crate) title: Text,
    pub(crate) revision: Text,
    pub(crate) date: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlatformFile {
    pub(crate) cpe: Text,
    pub(crate) title: Text,
    pub(crate) resource: ResourceFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResourceFile {
    pub(crate) api: Text,
    pub(crate) resource: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ValueFile {
    pub(crate) id: Text,
    pub(crate) title: Text,
    pub(crate) description: Text,
    pub(crate) default: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SectionFile {
    pub(crate) number: Text,
    pub(crate) title: Text,
    pub(crate) description: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileFile {
    pub(crate) id: Text,
    pub(crate) title: Text,
    pub(crate) description: Text,
    pub(crate) levels: Spanned<Vec<Spanned<u8>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub(crate) id: Text,
    pub(crate) section: Text,
    pub(crate) level: Spanned<u8>,
    pub(crate) severity: Text,
    pub(crate) title: Text,
    pub(crate) description: Text,
    pub(crate) rationale: Text,
    pub(crate) impact: Text,
    pub(crate) audit: Text,
    pub(crate) remediation: Text,
    pub(crate) default_value: Text,
    pub(crate) nist_800_53: Vec<Text>,
    pub(crate) check: Spanned<Vec<LegFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LegFile {
    pub(crate) each: Option<EachFile>,
    pub(crate) offends: Option<Text>,
    pub(crate) detail: Option<Text>,
    pub(crate) parts: Option<Spanned<Vec<PartFile>>>,
    pub(crate) approved: Option<Text>,
    pub(crate) who_can: Option<Spanned<Vec<PermissionFile>>>,
    pub(crate) approved_subjects: Option<Text>,
    pub(crate) approved_roles: Option<Text>,
    pub(crate) approved_namespaces: Option<Text>,
    pub(crate) other_namespaces_only: Option<Spanned<bool>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PermissionFile {
    pub(crate) group: Text,
    pub(crate) resource: Text,
    pub(crate) verbs: Vec<Text>,
    #[serde(default)]
    pub(crate) cluster_scoped: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EachFile {
    pub(crate) api: Text,
    pub(crate) resource: Text,
    #[serde(rename = "as")]
    pub(crate) variable: Text,
    #[serde(default)]
    pub(crate) required: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartFile {
    #[serde(rename = "in")]
    pub(crate) list: Text,
    #[serde(rename = "as")]
    pub(crate) variable: Text,
    #[serde(rename = "where")]
    pub(crate) condition: Option<Text>,
    pub(crate) detail: Text,
    pub(crate) key: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    pub(crate) name: Text,
    #[serde(default)]
    pub(crate) given: HashMap<Text, Spanned<serde_json::Value>>,
    #[serde(default)]
    pub(crate) values: HashMap<Text, Text>,
    pub(crate) expect: Text,
    #[serde(default)]
    pub(crate) offenders: Vec<String>,
}
