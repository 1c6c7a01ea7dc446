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
    pub(crate) node: NodePlatformFile,
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
    pub(crate) resources: Spanned<Vec<ResourceFile>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodePlatformFile {
    pub(crate) cpe: Text,
    pub(crate) title: Text,
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
    pub(crate) scope: Option<Text>,
    pub(crate) levels: Option<Spanned<Vec<Spanned<u8>>>>,
    pub(crate) chapters: Option<Spanned<Vec<Text>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub(crate) id: Text,
    pub(crate) section: Text,
    pub(crate) level: Option<Spanned<u8>>,
    pub(crate) severity: Text,
    pub(crate) title: Text,
    pub(crate) description: Text,
    pub(crate) rationale: Text,
    pub(crate) impact: Text,
    pub(crate) audit: Text,
    pub(crate) remediation: Text,
    pub(crate) default_value: Text,
    pub(crate) nist_800_53: Vec<Text>,
    pub(crate) check: Spanned<Vec<Spanned<LegFile>>>,
    #[serde(default)]
    pub(crate) fix: Vec<FixFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FixFile {
    pub(crate) object: Spanned<serde_json::Value>,
    pub(crate) resource: Option<Text>,
    #[serde(default)]
    pub(crate) annotations: HashMap<Text, Text>,
}

/// A leg: one of the kinds, and what goes with it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LegFile {
    pub(crate) each: Option<EachFile>,
    pub(crate) offends: Option<Text>,
    pub(crate) detail: Option<Text>,
    pub(crate) parts: Option<Spanned<Vec<PartFile>>>,
    pub(crate) approved: Option<Text>,
    pub(crate) used_by: Option<Spanned<Vec<UsedByFile>>>,
    pub(crate) labels: Option<Text>,
    pub(crate) covered_by: Option<Spanned<Vec<CoverFile>>>,
    pub(crate) who_can: Option<Spanned<Vec<PermissionFile>>>,
    pub(crate) approved_subjects: Option<Text>,
    pub(crate) approved_roles: Option<Text>,
    pub(crate) approved_namespaces: Option<Text>,
    pub(crate) other_namespaces_only: Option<Spanned<bool>>,
    pub(crate) file_mode: Option<FileModeFile>,
    pub(crate) lines: Option<LinesFile>,
    pub(crate) absent: Option<AbsentFile>,
    pub(crate) kernel_argument: Option<KernelArgumentFile>,
    pub(crate) firmware_attribute: Option<FirmwareAttributeFile>,
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
    #[serde(rename = "where")]
    pub(crate) condition: Option<Text>,
    pub(crate) required: Option<Spanned<bool>>,
    #[serde(default)]
    pub(crate) optional: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartFile {
    #[serde(rename = "in")]
    pub(crate) list: Option<Text>,
    #[serde(rename = "as")]
    pub(crate) variable: Option<Text>,
    #[serde(default)]
    pub(crate) then: Vec<LoopFile>,
    #[serde(rename = "where")]
    pub(crate) condition: Option<Text>,
    pub(crate) detail: Text,
    pub(crate) key: Option<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoopFile {
    #[serde(rename = "in")]
    pub(crate) list: Text,
    #[serde(rename = "as")]
    pub(crate) variable: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsedByFile {
    pub(crate) each: EachFile,
    pub(crate) names: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoverFile {
    pub(crate) each: EachFile,
    pub(crate) names: Option<Text>,
    pub(crate) networks: Option<Text>,
    pub(crate) selector: Option<Text>,
    #[serde(default)]
    pub(crate) same_namespace: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileModeFile {
    pub(crate) file: Option<Text>,
    pub(crate) folder: Option<Text>,
    pub(crate) at_most: Text,
    #[serde(default)]
    pub(crate) root_owned: bool,
    pub(crate) proof: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LinesFile {
    pub(crate) folder: Option<Text>,
    pub(crate) folder_matching: Option<Text>,
    pub(crate) file: Option<Text>,
    pub(crate) file_matching: Option<Text>,
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) offends: Text,
    pub(crate) fine: Option<Text>,
    pub(crate) also: Option<Text>,
    pub(crate) proof: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AbsentFile {
    pub(crate) folder: Option<Text>,
    pub(crate) folder_matching: Option<Text>,
    pub(crate) file: Option<Text>,
    pub(crate) file_matching: Option<Text>,
    pub(crate) proof: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KernelArgumentFile {
    pub(crate) name: Text,
    pub(crate) value: Text,
    #[serde(default)]
    pub(crate) otherwise: Vec<Text>,
    pub(crate) running: Option<RunningFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunningFile {
    pub(crate) file: Text,
    pub(crate) matches: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirmwareAttributeFile {
    pub(crate) matching: Text,
    pub(crate) disabled: Text,
    pub(crate) cpu_flag: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseFile {
    pub(crate) name: Text,
    pub(crate) given: Option<HashMap<Text, Spanned<serde_json::Value>>>,
    pub(crate) files: Option<HashMap<Text, Spanned<serde_json::Value>>>,
    #[serde(default)]
    pub(crate) values: HashMap<Text, Text>,
    pub(crate) expect: Text,
    #[serde(default)]
    pub(crate) offenders: Vec<String>,
    pub(crate) cel: Option<Text>,
}
