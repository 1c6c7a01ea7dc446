//! A snapshot with much RBAC in it, for the benchmark.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

/// What the snapshot holds.
pub const DESCRIPTION: &str = "5,000 RoleBindings of two subjects each, 250 ClusterRoleBindings, 250 ClusterRoles and 250 Roles, one in ten with grants";

const BINDINGS: usize = 5000;
const ROLES: usize = 250;
const NAMESPACES: usize = 50;

/// Writes the snapshot.
///
/// # Errors
/// What writing a file gives.
pub fn write(folder: &Path) -> io::Result<()> {
    let namespace = |i: usize| format!("project-{}", i % NAMESPACES);
    // One role in ten grants what the rules ask for.
    let rules = |i: usize| match i % 10 {
        0 => json!([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]),
        _ => json!([{"apiGroups": [""], "resources": ["pods", "configmaps"], "verbs": ["get", "list"]}]),
    };
    let subjects = |i: usize| json!([{"kind": "User", "name": format!("user-{i}")}, {"kind": "Group", "name": format!("group-{i}")}]);
    let cluster_roles =
        (0..ROLES).map(|i| json!({"metadata": {"name": format!("role-{i}")}, "rules": rules(i)}));
    let roles = (0..ROLES).map(
        |i| json!({"metadata": {"name": format!("local-{i}"), "namespace": namespace(i)}, "rules": rules(i)}),
    );
    let cluster_bindings = (0..ROLES).map(|i| {
        let subject =
            json!([{"kind": "ServiceAccount", "namespace": "openshift-ingress", "name": format!("sa-{i}")}]);
        json!({
            "metadata": {"name": format!("binding-{i}")},
            "roleRef": {"kind": "ClusterRole", "name": format!("role-{i}")},
            "subjects": subject,
        })
    });
    let bindings = (0..BINDINGS).map(|i| {
        let role = match i % 2 {
            0 => json!({"kind": "Role", "name": format!("local-{}", i % ROLES)}),
            _ => json!({"kind": "ClusterRole", "name": format!("role-{}", i % ROLES)}),
        };
        json!({
            "metadata": {"name": format!("binding-{i}"), "namespace": namespace(i)},
            "roleRef": role,
            "subjects": subjects(i),
        })
    });
    let rbac = "apis/rbac.authorization.k8s.io/v1";
    list(folder, &format!("{rbac}/clusterroles"), cluster_roles.collect())?;
    list(folder, &format!("{rbac}/roles"), roles.collect())?;
    list(folder, &format!("{rbac}/clusterrolebindings"), cluster_bindings.collect())?;
    list(folder, &format!("{rbac}/rolebindings"), bindings.collect())?;
    let installed =
        json!({"metadata": {"name": "kubevirt-hyperconverged", "namespace": "openshift-cnv"}, "spec": {}});
    list(folder, "apis/hco.kubevirt.io/v1beta1/hyperconvergeds", vec![installed])?;
    list(folder, "apis/kubevirt.io/v1/virtualmachines", Vec::new())
}

fn list(folder: &Path, path: &str, items: Vec<Value>) -> io::Result<()> {
    let file = folder.join(format!("{path}.json"));
    std::fs::create_dir_all(file.parent().unwrap())?;
    std::fs::write(file, json!({"kind": "List", "metadata": {}, "items": items}).to_string())
}
