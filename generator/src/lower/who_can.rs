//! Lowering of questions to RBAC: who may do something, other than the subjects that are approved.
//!
//! A jq filter sees one resource, so the join of roles and bindings is done by OVAL. The roles' filter writes *regular
//! expressions*: one for all roles that grant without limit, which is always there, and one for each role whose grants
//! are limited to named objects, with the limit in a comment `(?#…)` that the evaluator shows beside the offender. The
//! bindings' filter writes a string per subject, `BINDING: through KIND ROLE [SUBJECT]`. A `variable_test` asks that no
//! string matches any expression, each of which goes on with a look-ahead that keeps out the approved subjects.
//!
//! Names in RBAC may hold nearly anything. In the names of bindings and roles, on both sides, white space and brackets
//! become `?`: so the first ` [` of a string always begins the subject, and no name can be forged into another.

use virtscap_scap::id::{ObjectId, TestId};
use virtscap_scap::oval::{Check, Component, CriteriaNode, Entity, OvalDefinitions, TestKind, TestType};

use super::jq::{CLEAN, COMMENT, NAME, QUOTED};
use super::{
    COLLECTED, Endpoint, Names, add_dump, add_local, add_marker_test, add_state, add_strings, add_test, any,
    criterion, decided, external, strings, variable_state,
};
use crate::model::{Permission, WhoCan, rbac};

/// A kind of role, and where its grants are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grants {
    /// ClusterRoles bound by ClusterRoleBindings.
    Cluster,
    /// ClusterRoles bound by RoleBindings.
    ClusterInNamespace,
    /// Roles bound by RoleBindings.
    Namespace,
}

impl Grants {
    fn of(leg: &WhoCan) -> &'static [Self] {
        if leg.in_namespaces() {
            &[Self::Cluster, Self::ClusterInNamespace, Self::Namespace]
        } else {
            &[Self::Cluster]
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::ClusterInNamespace => "cluster_in_namespace",
            Self::Namespace => "namespace",
        }
    }

    fn roles(self) -> &'static str {
        if self == Self::Namespace { "roles" } else { "clusterroles" }
    }

    fn bindings(self) -> &'static str {
        if self == Self::Cluster { "clusterrolebindings" } else { "rolebindings" }
    }
}

/// The endpoints that a leg reads.
pub(super) fn endpoints(leg: &WhoCan) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for grants in Grants::of(leg) {
        for endpoint in [roles(leg, *grants), bindings(leg, *grants)] {
            if !endpoints.contains(&endpoint) {
                endpoints.push(endpoint);
            }
        }
    }
    endpoints
}

/// The filter that writes an expression for the roles that grant.
fn roles(leg: &WhoCan, grants: Grants) -> Endpoint {
    let permissions = leg.permissions.iter().filter(|p| grants == Grants::Cluster || !p.cluster_scoped);
    let grant = permissions.flat_map(grants_of).collect::<Vec<_>>().join(" or ");
    // A Role counts for bindings of its own namespace only.
    let (kind, before, role) = match grants {
        Grants::Cluster => ("ClusterRole", "", "(.metadata.name | name | quoted)"),
        Grants::ClusterInNamespace => ("ClusterRole", "", "(.metadata.name | name | quoted)"),
        Grants::Namespace => (
            "Role",
            "(.metadata.namespace | name | quoted) + \"/[^ ]+: through Role \" + ",
            "(.metadata.name | name | quoted)",
        ),
    };
    let lead = match grants {
        Grants::Namespace => "^".to_owned(),
        _ => format!("^[^ ]+: through {kind} "),
    };
    // Most roles grant nothing of it: their names are not looked at.
    let filter = format!(
        "{NAME} {QUOTED} {COMMENT} [.items[] | [.rules[]? | select({grant}) | [.resourceNames[]?]] as $limits | select($limits | length > 0) | {{role: ({before}{role}), limits: $limits}}] | [\"{lead}(?:@none\" + (map(select(.limits | any(length == 0)) | \"|\" + .role) | join(\"\")) + \") \\\\[\"] + map(select(.limits | all(length > 0)) | \"{lead}\" + .role + \" \\\\[(?#limited to \" + (.limits | add | unique | map(tostring | comment) | join(\", \")) + \")\")"
    );
    Endpoint { path: rbac(grants.roles()).path(), filter }
}

/// jq conditions on a policy rule, any of which grants the permission.
fn grants_of(permission: &Permission) -> Vec<String> {
    let any = |field: &str, wanted: Vec<&str>| {
        let tests: Vec<_> = wanted.iter().map(|text| format!(". == \"{text}\"")).collect();
        format!("any(.{field}[]?; {})", tests.join(" or "))
    };
    let group = any("apiGroups", vec!["*", &permission.group]);
    let resources = permission.granting_resources();
    let resource = any("resources", resources.iter().map(String::as_str).collect());
    let (unnamed, named) = permission.verbs_without_and_with_names();
    let condition = |verbs: Vec<&str>, names: &str| {
        let verbs = any("verbs", ["*"].into_iter().chain(verbs).collect());
        format!("({verbs} and {group} and {resource}{names})")
    };
    let mut conditions = Vec::new();
    if !unnamed.is_empty() {
        conditions.push(condition(unnamed, " and ([.resourceNames[]?] | length == 0)"));
    }
    if !named.is_empty() {
        conditions.push(condition(named, ""));
    }
    conditions
}

/// The filter that writes a string for each subject of each binding.
fn bindings(leg: &WhoCan, grants: Grants) -> Endpoint {
    let (namespace, own) = match grants {
        Grants::Cluster => ("\"\"", ""),
        _ if leg.other_namespaces_only => (
            "(.metadata.namespace | name) + \"/\"",
            " | select((.kind == \"ServiceAccount\" and $from == $namespace or .kind == \"Group\" and .name == \"system:serviceaccounts:\" + $namespace) | not)",
        ),
        _ => ("(.metadata.namespace | name) + \"/\"", ""),
    };
    // A service account without namespace is one of the binding's (Kubernetes, `rbac.appliesToUser`).
    let from = "(if (.namespace // \"\") == \"\" then $namespace else .namespace | tostring end)";
    let subject = "if .kind == \"ServiceAccount\" then \"ServiceAccount:\" + $from + \":\" + (.name | tostring) else (.kind | tostring) + \":\" + (.name | tostring) end";
    let filter = format!(
        "{NAME} [\"{COLLECTED}\"] + [.items[] | (.metadata.namespace // \"\" | tostring) as $namespace | ({namespace} + (.metadata.name | name) + \": through \" + (.roleRef.kind | name) + \" \" + (.roleRef.name | name)) as $grant | .subjects[]? | objects | {from} as $from{own} | $grant + \" [\" + ({subject} | {CLEAN}) + \"]\"]"
    );
    Endpoint { path: rbac(grants.bindings()).path(), filter }
}

/// Adds the OVAL of a leg.
pub(super) fn add(oval: &mut OvalDefinitions, names: &Names, leg: &WhoCan) -> CriteriaNode {
    let mut guards = Vec::new();
    let mut verdicts = Vec::new();
    for grants in Grants::of(leg) {
        let roles_word = format!("{}_roles", grants.word());
        let roles_dump = add_dump(oval, names, &roles_word, &roles(leg, *grants));
        // The bindings of a namespace are looked at twice, for ClusterRoles and for Roles, and read once.
        let bindings_word = grants.bindings();
        let bindings_dump = names.object(bindings_word);
        if !oval.objects.iter().any(|object| object.id == bindings_dump) {
            add_dump(oval, names, bindings_word, &bindings(leg, *grants));
            let marker = Entity::equals(COLLECTED).with_entity_check(Check::AtLeastOne);
            let comment = format!("{} was collected", rbac(bindings_word).full_name());
            let dump = bindings_dump.clone();
            guards.push(criterion(add_marker_test(oval, names, bindings_word, dump, marker, comment)));
        }
        let comment = format!("{} was collected", rbac(grants.roles()).full_name());
        let dump = roles_dump.clone();
        let marker = Entity::matches("^\\^");
        guards.push(criterion(add_marker_test(oval, names, &roles_word, dump, marker, comment)));
        verdicts.push(criterion(add_verdict(oval, names, leg, *grants, roles_dump, bindings_dump)));
    }
    any(decided(guards, verdicts))
}

fn add_verdict(
    oval: &mut OvalDefinitions,
    names: &Names,
    leg: &WhoCan,
    grants: Grants,
    roles: ObjectId,
    bindings: ObjectId,
) -> TestId {
    let word = grants.word();
    let literal = |text: &str| Component::text(text.to_owned());
    let mut pattern = Vec::new();
    if grants != Grants::Cluster {
        if let Some(approved) = &leg.approved_roles {
            pattern.push(literal("(?!^[^ ]+: through [^ ]+ (?:"));
            pattern.push(Component::Variable(external(approved)));
            pattern.push(literal(") \\[)"));
        }
        if let Some(approved) = &leg.approved_namespaces {
            pattern.push(literal("(?!^(?:"));
            pattern.push(Component::Variable(external(approved)));
            pattern.push(literal(")/)"));
        }
    }
    pattern.push(strings(roles));
    pattern.push(literal("(?!(?:"));
    pattern.push(Component::Variable(external(&leg.approved_subjects)));
    pattern.push(literal(")\\]$)"));
    let what = format!("{word}_holders");
    let comment = "bindings of roles that grant, to subjects that are not approved";
    let pattern = add_local(oval, names.variable(&what), comment, Component::Concat(pattern));
    let state = variable_state(Entity::matches_variable(pattern, Check::NoneSatisfy));
    let states = vec![add_state(oval, names.state(&what), state)];
    let object = add_strings(oval, names, &format!("{word}_subjects"), bindings);
    let comment = format!("no subject that is not approved, in {}", rbac(grants.bindings()).full_name());
    let kind = TestKind::of(TestType::Variable, object, states);
    add_test(oval, names.test(&format!("{word}_verdict")), comment, kind)
}
