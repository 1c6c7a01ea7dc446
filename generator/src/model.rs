//! The checked model of a benchmark: what the backends take. Everything in it is known to be right.

use virtscap_scap::markup::Markup;
use virtscap_scap::xccdf::Severity;

use crate::case::Case;

mod leg;

pub use leg::{
    Cover, CoveredKeys, Decision, Each, FileCheck, FileLeg, FileMode, FirmwareAttribute, KernelArgument, Leg,
    Lines, Loop, Named, Part, Permission, Place, Running, Selection, UsedBy, WhoCan, rbac,
};

/// A benchmark.
#[derive(Debug, Clone)]
pub struct Benchmark {
    /// Name in the XCCDF id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Date of that version (`YYYY-MM-DD`).
    pub date: String,
    /// What it is about.
    pub description: Markup,
    /// What the guide is called that it comes from, revision included.
    pub reference: String,
    /// The product it is for.
    pub platform: Platform,
    /// The nodes it is for.
    pub node: NodePlatform,
    /// What an auditor can set.
    pub values: Vec<Value>,
    /// Its sections, in order.
    pub sections: Vec<Section>,
    /// Its profiles, in order.
    pub profiles: Vec<Profile>,
}

/// The product that a benchmark is for.
#[derive(Debug, Clone)]
pub struct Platform {
    /// Its CPE name.
    pub cpe: String,
    /// Its title.
    pub title: String,
    /// The resources, versions of one thing, of which the API serves at least one where the product is installed.
    pub resources: Vec<Resource>,
}

/// The nodes that node rules are for.
#[derive(Debug, Clone)]
pub struct NodePlatform {
    /// Their CPE name, of an operating system: by that the Compliance Operator knows profiles for nodes.
    pub cpe: String,
    /// Their title.
    pub title: String,
}

/// What a rule reads, and so what kind of scan it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Answers of the cluster's API.
    Platform,
    /// The files of a node.
    Node,
}

impl Scope {
    /// As it stands in profiles.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Node => "node",
        }
    }
}

/// A resource of the Kubernetes API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// Group and version (`kubevirt.io/v1`), or the version alone for the core group (`v1`).
    pub api: String,
    /// The plural (`virtualmachines`).
    pub resource: String,
}

impl Resource {
    /// The API path that lists the resource in all namespaces.
    pub fn path(&self) -> String {
        let root = if self.api.contains('/') { "apis" } else { "api" };
        format!("/{root}/{}/{}", self.api, self.resource)
    }

    /// As kubectl writes it in full: `RESOURCE.VERSION.GROUP`.
    pub fn full_name(&self) -> String {
        match self.api.split_once('/') {
            Some((group, version)) => format!("{}.{version}.{group}", self.resource),
            None => format!("{}.{}", self.resource, self.api),
        }
    }

    /// From the form of [`Resource::full_name`].
    pub fn from_full_name(name: &str) -> Option<Self> {
        let (resource, rest) = name.split_once('.')?;
        let api = match rest.split_once('.') {
            Some((version, group)) => format!("{group}/{version}"),
            None => rest.to_owned(),
        };
        Some(Self { api, resource: resource.to_owned() })
    }
}

/// What an auditor can set: a regular expression that has to match a whole name.
#[derive(Debug, Clone)]
pub struct Value {
    /// Its id (`var_…`).
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it means.
    pub description: Markup,
    /// What it is where nobody sets it.
    pub default: String,
}

/// A section of the guide.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its number.
    pub number: String,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: Markup,
    /// Its rules, in order.
    pub rules: Vec<Rule>,
}

/// A profile: the rules of some levels, or of some sections, that read one kind of thing.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name (`level-1`).
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub description: Markup,
    /// What its rules read.
    pub scope: Scope,
    /// Which of those rules it selects.
    pub selection: ProfileSelection,
}

/// Which rules a profile selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileSelection {
    /// Those of these levels.
    Levels(Vec<u8>),
    /// Those of the sections of these numbers.
    Chapters(Vec<String>),
}

impl Profile {
    /// Whether the profile selects the rule.
    pub fn selects(&self, rule: &Rule) -> bool {
        self.scope == rule.scope()
            && match &self.selection {
                ProfileSelection::Levels(levels) => rule.level.is_some_and(|level| levels.contains(&level)),
                ProfileSelection::Chapters(chapters) => {
                    chapters.iter().any(|chapter| chapter == rule.chapter())
                }
            }
    }
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name (`hco-nonroot`).
    pub id: String,
    /// Its number in the guide (`1.2`).
    pub section: String,
    /// Its level, where the guide gives one.
    pub level: Option<u8>,
    /// How bad a fail is.
    pub severity: Severity,
    /// Its title.
    pub title: String,
    /// What it says.
    pub description: Markup,
    /// Why it should hold.
    pub rationale: Markup,
    /// What one loses by it.
    pub impact: Markup,
    /// How a person checks it, as it stands in the file.
    pub audit: String,
    /// How to make it hold.
    pub remediation: Markup,
    /// What a fresh installation has.
    pub default_value: Markup,
    /// Controls of NIST SP 800-53.
    pub nist_800_53: Vec<String>,
    /// What is checked; every leg has to hold.
    pub check: Vec<Leg>,
    /// Objects that make it hold; none where a person has to do it.
    pub fixes: Vec<Fix>,
    /// Its cases.
    pub cases: Vec<Case>,
}

/// An object that the Compliance Operator creates, or merges into the one of that name that is there.
#[derive(Debug, Clone)]
pub struct Fix {
    /// The object's name.
    pub name: String,
    /// The object in YAML, with the annotations for the operator.
    pub yaml: String,
    /// What has to be written for it, where the operator may not do so by itself.
    pub resource: Option<Resource>,
}

impl Rule {
    /// What the rule's check reads. All its legs read the same kind of thing.
    pub fn scope(&self) -> Scope {
        match self.check.first() {
            Some(Leg::Files(_)) => Scope::Node,
            Some(Leg::Each(_) | Leg::WhoCan(_)) | None => Scope::Platform,
        }
    }

    /// The number of the section that the rule is in (`1` of `1.2`).
    pub fn chapter(&self) -> &str {
        self.section.split_once('.').map_or(&self.section, |(chapter, _)| chapter)
    }

    /// The values that the rule's check uses, each once.
    pub fn values(&self) -> Vec<&str> {
        let mut values = Vec::new();
        for value in self.check.iter().flat_map(Leg::values) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// The resources that the rule's check reads, each once, and what each leg that reads it makes of it.
    pub fn resources(&self) -> Vec<Resource> {
        let mut resources = Vec::new();
        for resource in self.check.iter().flat_map(Leg::resources) {
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
        resources
    }

    /// Whether the check is decided where the API does not serve the resource: every leg that reads it says so.
    pub fn is_optional(&self, resource: &Resource) -> bool {
        self.check.iter().flat_map(Leg::selections).filter(|s| s.resource == *resource).all(|s| s.optional)
            && !self.check.iter().any(|leg| matches!(leg, Leg::WhoCan(w) if w.resources().contains(resource)))
    }
}

impl Benchmark {
    /// All rules, in order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.sections.iter().flat_map(|section| &section.rules)
    }
}
