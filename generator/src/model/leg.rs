//! The legs of checks.

use crate::expr::Expr;
use crate::model::Resource;

/// A leg of a check.
#[derive(Debug, Clone)]
pub enum Leg {
    /// A look at every object of one resource.
    Each(Box<Each>),
    /// A question to RBAC: who may do something.
    WhoCan(WhoCan),
    /// A look at a node's files.
    Files(FileLeg),
}

impl Leg {
    /// The resources that the leg reads.
    pub fn resources(&self) -> Vec<Resource> {
        match self {
            Self::WhoCan(who_can) => who_can.resources(),
            Self::Each(_) | Self::Files(_) => {
                self.selections().into_iter().map(|selection| selection.resource.clone()).collect()
            }
        }
    }

    /// The selections of objects that the leg makes.
    pub fn selections(&self) -> Vec<&Selection> {
        match self {
            Self::Each(each) => [&each.selection].into_iter().chain(each.decision.selections()).collect(),
            Self::WhoCan(_) | Self::Files(_) => Vec::new(),
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
            Self::Files(FileLeg::Proven { check: FileCheck::Lines(lines), .. }) => {
                lines.also.iter().map(String::as_str).collect()
            }
            Self::Files(_) => Vec::new(),
        }
    }
}

/// A look at every object of one resource.
#[derive(Debug, Clone)]
pub struct Each {
    /// The objects.
    pub selection: Selection,
    /// Whether there has to be an object: without one, the leg is undecided.
    pub required: bool,
    /// What is found in an object.
    pub parts: Vec<Part>,
    /// The value whose expression approves keys of what is found.
    pub approved: Option<String>,
    /// Which of what is found offends.
    pub decision: Decision,
}

/// Objects of a resource.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The resource.
    pub resource: Resource,
    /// What the expressions call an object of it.
    pub variable: String,
    /// Which objects count; none: all.
    pub condition: Option<Expr>,
    /// Whether an API server that does not serve the resource has no such object, and that is an answer.
    pub optional: bool,
}

/// What is found in an object: the object as a whole, or a part of it.
#[derive(Debug, Clone)]
pub struct Part {
    /// The lists that lead to a part, each within an element of the one before; none: the object as a whole.
    pub loops: Vec<Loop>,
    /// When a part counts; none: always.
    pub condition: Option<Expr>,
    /// What to say about it, a string.
    pub detail: Expr,
    /// By what it is approved or covered, a string.
    pub key: Option<Expr>,
}

/// A walk over a list.
#[derive(Debug, Clone)]
pub struct Loop {
    /// The list.
    pub list: Expr,
    /// What the expressions call an element.
    pub variable: String,
}

/// Which of what is found offends.
#[derive(Debug, Clone)]
pub enum Decision {
    /// All of it, but for what a value approves.
    Alone,
    /// What is found in objects that others name.
    UsedBy(Vec<UsedBy>),
    /// What no other object covers.
    Covered {
        /// Labels of the object, for selectors.
        labels: Option<Expr>,
        /// The others.
        by: Vec<Cover>,
    },
}

impl Decision {
    fn selections(&self) -> Vec<&Selection> {
        match self {
            Self::Alone => Vec::new(),
            Self::UsedBy(users) => users.iter().map(|user| &user.selection).collect(),
            Self::Covered { by, .. } => by.iter().map(|cover| &cover.selection).collect(),
        }
    }
}

/// Objects that name those of the leg.
#[derive(Debug, Clone)]
pub struct UsedBy {
    /// The objects.
    pub selection: Selection,
    /// The names, a list of `NAME` or `NAMESPACE/NAME`.
    pub names: Expr,
}

/// Objects that cover what is found.
#[derive(Debug, Clone)]
pub struct Cover {
    /// The objects.
    pub selection: Selection,
    /// The keys that one covers.
    pub keys: CoveredKeys,
    /// A label selector that the leg's object has to meet.
    pub selector: Option<Expr>,
    /// Whether only objects of the same namespace are covered.
    pub same_namespace: bool,
}

/// The keys that an object covers.
#[derive(Debug, Clone)]
pub enum CoveredKeys {
    /// A list of them.
    List(Expr),
    /// A text that names networks as Multus does: `[NAMESPACE/]NAME`, separated by commas; without a namespace, in the
    /// object's own.
    Networks(Expr),
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

impl Permission {
    /// The resources, one of which a policy rule names that grants it.
    pub fn granting_resources(&self) -> Vec<String> {
        let wildcard = self.resource.split_once('/').map(|(_, subresource)| format!("*/{subresource}"));
        ["*".to_owned(), self.resource.clone()].into_iter().chain(wildcard).collect()
    }

    /// The verbs: first those that a policy rule with `resourceNames` never allows, for a request to create an object of
    /// the resource itself names none yet; then the others.
    pub fn verbs_without_and_with_names(&self) -> (Vec<&str>, Vec<&str>) {
        let of_subresource = self.resource.contains('/');
        let verbs = self.verbs.iter().map(String::as_str);
        verbs.partition(|verb| !of_subresource && matches!(*verb, "create" | "deletecollection"))
    }
}

/// A look at a node's files.
#[derive(Debug, Clone)]
pub enum FileLeg {
    /// Files whose absence says something only where the rest of the node is there.
    Proven {
        /// A path that every node has; without it nothing was collected.
        proof: String,
        /// What is looked at.
        check: FileCheck,
    },
    /// What the kernel made of its command line.
    KernelArgument(KernelArgument),
    /// A setting of the firmware.
    FirmwareAttribute(FirmwareAttribute),
}

/// What is looked at in files.
#[derive(Debug, Clone)]
pub enum FileCheck {
    /// The mode of a file or folder.
    Mode(FileMode),
    /// The lines of files.
    Lines(Lines),
    /// A file or folder that must not be there.
    Absent(Place),
}

/// A name or path, or a regular expression (PCRE) of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// This very name.
    Exactly(String),
    /// What matches.
    Matching(String),
}

/// Files or folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: Named,
    /// The file in it; none: the folder itself.
    pub file: Option<Named>,
}

/// The mode that a file or folder may have at most, where it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileMode {
    /// Which.
    pub place: Place,
    /// The bits it may have.
    pub at_most: u16,
    /// Whether its owner and group have to be root's.
    pub root_owned: bool,
}

/// Lines of files that must not say something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// The files.
    pub place: Place,
    /// Whether there has to be a line: without one the leg is undecided.
    pub required: bool,
    /// PCRE: which lines offend.
    pub offends: String,
    /// PCRE: which lines are fine, where others leave the leg undecided.
    pub fine: Option<String>,
    /// The value whose expression, matched with the whole line, offends besides.
    pub also: Option<String>,
}

/// An argument of the kernel's command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KernelArgument {
    /// Its name.
    pub name: String,
    /// The value it has to have.
    pub value: String,
    /// The other values that the kernel understands.
    pub otherwise: Vec<String>,
    /// Where the kernel says what it does now, which counts more.
    pub running: Option<Running>,
}

/// A file in which the kernel says what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its path.
    pub file: String,
    /// PCRE: its line, if all is well.
    pub matches: String,
}

/// A setting of the firmware that has to be off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareAttribute {
    /// PCRE: its name or display name.
    pub matching: String,
    /// PCRE: its value, if it is off.
    pub disabled: String,
    /// A flag without which the processor has nothing that could be on.
    pub cpu_flag: String,
}
