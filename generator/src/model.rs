//! The checked model of a benchmark: what the backends take. Everything in it is known to be right.

use virtscap_scap::markup::Markup;
use virtscap_scap::xccdf::Severity;

use crate::case::Case;
use crate::expr::Expr;

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
    /// The resource whose API is served where the product is installed.
    pub resource: Resource,
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

/// A profile: the rules of some levels.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name (`level-1`).
    pub id: String,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub description: Markup,
    /// The levels whose rules it selects.
    pub levels: Vec<u8>,
}

impl Profile {
    /// Whether the profile selects the rule.
    pub fn selects(&self, rule: &Rule) -> bool {
        self.levels.contains(&rule.level)
    }
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name (`hco-nonroot`).
    pub id: String,
    /// Its number in the guide (`1.2`).
    pub section: String,
    /// Its level.
    pub level: u8,
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
    /// Its cases.
    pub cases: Vec<Case>,
}

impl Rule {
    /// The values that the rule's check uses.
    pub fn values(&self) -> Vec<&str> {
        self.check.iter().flat_map(Leg::values).collect()
    }

    /// The resources that the rule's check reads.
    pub fn resources(&self) -> Vec<Resource> {
        self.check.iter().flat_map(Leg::resources).collect()
    }
}

/// A leg of a check.
#[derive(Debug, Clone)]
pub enum Leg {
    /// A look at every object of one resource.
    Each(Each),
    /// A question to RBAC: who may do something.
    WhoCan(WhoCan),
}

impl Leg {
    /// The resources that the leg reads.
    pub fn resources(&self) -> Vec<Resource> {
        match self {
            Self::Each(each) => vec![each.resource.clone()],
            Self::WhoCan(who_can) => who_can.resources(),
        }
    }

    /// The values that the leg uses.
    pub fn values(&self) -> Vec<&str> {
        match self {
            Self::Each(each) => each.approved.iter().map(String::as_str).collect(),
            Self::WhoCan(w) => [&w.approved_roles, &w.approved_namespaces]
                .into_iter()
                .flatten()
                .chain([&w.approved_subjects])
                .map(String::as_str)
                .collect(),
        }
    }
}

/// Who may do something, other than the subjects that are approved.
#[derive(Debug, Clone)]
pub struct WhoCan {
    /// What may be done; any of it counts.
    pub permissions: Vec<Permission>,
    /// The value whose expression approves subjects (`KIND:NAME`, `ServiceAccount:NAMESPACE:NAME`).
    pub approved_subjects: String,
    /// The value whose expression approves roles that a RoleBinding grants in its namespace.
    pub approved_roles: Option<String>,
    /// The value whose expression approves namespaces of RoleBindings.
    pub approved_namespaces: Option<String>,
    /// Whether service accounts may do it in their own namespace.
    pub other_namespaces_only: bool,
}

impl WhoCan {
    /// Whether a RoleBinding can grant any of it.
    pub fn in_namespaces(&self) -> bool {
        self.permissions.iter().any(|permission| !permission.cluster_scoped)
    }

    /// The resources of RBAC that have the answer.
    pub fn resources(&self) -> Vec<Resource> {
        let cluster = ["clusterroles", "clusterrolebindings"].into_iter();
        let namespaced = ["roles", "rolebindings"].into_iter().filter(|_| self.in_namespaces());
        cluster.chain(namespaced).map(rbac).collect()
    }
}

/// A resource of RBAC.
pub fn rbac(resource: &str) -> Resource {
    Resource { api: "rbac.authorization.k8s.io/v1".to_owned(), resource: resource.to_owned() }
}

/// Something that RBAC may allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource, or `RESOURCE/SUBRESOURCE`.
    pub resource: String,
    /// The verbs; any of them counts.
    pub verbs: Vec<String>,
    /// Whether the resource has no namespace, so that only ClusterRoleBindings count.
    pub cluster_scoped: bool,
}

/// A look at every object of one resource.
#[derive(Debug, Clone)]
pub struct Each {
    /// The resource.
    pub resource: Resource,
    /// What the expressions call an object of it.
    pub variable: String,
    /// Whether there has to be an object: without one, the rule is undecided.
    pub required: bool,
    /// What offends.
    pub judgement: Judgement,
    /// The value whose expression approves keys.
    pub approved: Option<String>,
}

/// What offends in an object.
#[derive(Debug, Clone)]
pub enum Judgement {
    /// The object as a whole.
    Whole {
        /// When it offends.
        offends: Expr,
        /// What to say about it, a string.
        detail: Expr,
    },
    /// Parts of it.
    Parts(Vec<Part>),
}

/// Parts of an object that are judged one by one.
#[derive(Debug, Clone)]
pub struct Part {
    /// The list of parts.
    pub list: Expr,
    /// What the expressions call a part.
    pub variable: String,
    /// When a part counts; none: always.
    pub condition: Option<Expr>,
    /// What to say about it, a string.
    pub detail: Expr,
    /// What the leg's value may approve, a string.
    pub key: Option<Expr>,
}

impl Benchmark {
    /// All rules, in order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.sections.iter().flat_map(|section| &section.rules)
    }
}
