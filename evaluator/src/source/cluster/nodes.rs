//! The nodes of a cluster, and the pods by which their files can be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::ObjectList;
use serde::de::DeserializeOwned;

use super::{ClusterSource, Part, PodExec};
use crate::source::Refusal;

/// Where a process of a container with the host's processes finds the root of the node.
pub const NODE_ROOT: &str = "/proc/1/root";

/// The pods of virt-handler, of which each node that runs virtual machines has one.
const LABEL: &str = "kubevirt.io=virt-handler";

/// The name of its container.
const VIRT_HANDLER: &str = "virt-handler";

/// A node.
pub struct ClusterNode {
    /// Its name.
    pub name: String,
    /// Its virt-handler, or why there is none to be used.
    pub handler: Result<PodExec, String>,
}

/// Why the nodes are not known.
#[derive(Debug, thiserror::Error)]
pub enum NodesError {
    /// They cannot be listed.
    #[error("{what} cannot be listed: {reason}; the user needs the verb list on {what} of all namespaces")]
    Refused {
        /// Nodes, or pods.
        what: &'static str,
        /// What the API server says.
        reason: Refusal,
    },
    /// There is no answer that could be read.
    #[error("{what} cannot be listed: {reason}")]
    Unreadable {
        /// Nodes, or pods.
        what: &'static str,
        /// Why.
        reason: Refusal,
    },
    /// There are none.
    #[error("the cluster has no nodes{}", selector.as_ref().map(|s| format!(" with the labels {s}")).unwrap_or_default())]
    None {
        /// The selector that no node matches.
        selector: Option<String>,
    },
}

/// The nodes of a cluster, those of a label selector or all, sorted by name. What is run on them ends where the source does.
///
/// # Errors
/// [`NodesError`] where nodes or pods cannot be listed, or there is no node.
pub fn nodes(source: &ClusterSource<'_>, selector: Option<&str>) -> Result<Vec<ClusterNode>, NodesError> {
    let nodes: Vec<Node> = list(source, "nodes", selector)?;
    let pods: Vec<Pod> = list(source, "pods", Some(LABEL))?;
    let mut of_node: BTreeMap<&str, Vec<&Pod>> = BTreeMap::new();
    for pod in &pods {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        of_node.entry(node.unwrap_or_default()).or_default().push(pod);
    }
    let mut names: Vec<_> = nodes.into_iter().filter_map(|node| node.metadata.name).collect();
    names.sort();
    if names.is_empty() {
        return Err(NodesError::None { selector: selector.map(str::to_owned) });
    }
    let node = |name: String| {
        let handler = handler(of_node.get(name.as_str()).map_or(&[], Vec::as_slice));
        let handler = handler.map(|(namespace, pod)| PodExec {
            client: source.connection.client().clone(),
            handle: source.connection.handle().clone(),
            stop: Arc::clone(&source.fetcher.stop),
            namespace,
            pod,
            container: VIRT_HANDLER.to_owned(),
        });
        ClusterNode { name, handler }
    };
    Ok(names.into_iter().map(node).collect())
}

/// All objects of a kind that have the labels.
fn list<K: Clone + DeserializeOwned>(
    source: &ClusterSource<'_>,
    what: &'static str,
    selector: Option<&str>,
) -> Result<Vec<K>, NodesError> {
    let refused = |reason: Refusal| match reason {
        Refusal::Forbidden(_) => NodesError::Refused { what, reason },
        reason => NodesError::Unreadable { what, reason },
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(selector) = selector {
        query.append_pair("labelSelector", selector);
    }
    let mut pages = source.pages(&format!("/api/v1/{what}?{}", query.finish()));
    let mut all = Vec::new();
    let mut token = None;
    loop {
        match pages.part(token.as_deref()).map_err(|fault| refused(fault.refusal))? {
            Part::Page(bytes) => {
                let page: ObjectList<K> = serde_json::from_slice(&bytes)
                    .map_err(|e| refused(Refusal::Malformed { format: "JSON", reason: e.to_string() }))?;
                all.extend(page.items);
                token = page.metadata.continue_.filter(|token| !token.is_empty());
            }
            Part::Restart => all.clear(),
            Part::End => return Ok(all),
        }
    }
}

/// Namespace and name of the virt-handler among a node's pods with its label, or why there is none to be used.
///
/// Anybody who may create pods may give them this label, and what answers there is taken for the node. So only a pod
/// counts that could do anything to the node anyway, as KubeVirt's own can: it has the host's processes and is privileged.
fn handler(pods: &[&Pod]) -> Result<(String, String), String> {
    let mut usable = Vec::new();
    let mut not_usable = Vec::new();
    for pod in pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let name = pod.metadata.name.clone().unwrap_or_default();
        match objection(pod) {
            None => usable.push((namespace, name)),
            Some(objection) => not_usable.push(format!("the pod {namespace}/{name} {objection}")),
        }
    }
    match (usable.len(), not_usable.is_empty()) {
        (1, _) => usable.pop().ok_or_else(String::new),
        (0, true) => Err("no virt-handler pod runs on it".to_owned()),
        (0, false) => Err(not_usable.join("; ")),
        _ => {
            let names: Vec<_> =
                usable.iter().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
            Err(format!("there are several virt-handler pods on it: {}", names.join(", ")))
        }
    }
}

/// Why a pod cannot be used.
fn objection(pod: &Pod) -> Option<&'static str> {
    let Some(spec) = pod.spec.as_ref() else { return Some("has no specification") };
    if spec.host_pid != Some(true) {
        return Some("does not have the host's processes (hostPID)");
    }
    let Some(container) = spec.containers.iter().find(|container| container.name == VIRT_HANDLER) else {
        return Some("has no container virt-handler");
    };
    let context = container.security_context.as_ref();
    if context.and_then(|context| context.privileged) != Some(true) {
        return Some("has a container virt-handler that is not privileged");
    }
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    if !conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True") {
        return Some("is not ready");
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(name: &str) -> Value {
        json!({
            "metadata": {"name": name, "namespace": "openshift-cnv"},
            "spec": {"hostPID": true, "nodeName": "worker-0", "containers": [
                {"name": "virt-handler", "securityContext": {"privileged": true}},
            ]},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        })
    }

    fn chosen(pods: &[Value]) -> Result<String, String> {
        let pods: Vec<Pod> = pods.iter().map(|pod| serde_json::from_value(pod.clone()).unwrap()).collect();
        handler(&pods.iter().collect::<Vec<_>>()).map(|(namespace, name)| format!("{namespace}/{name}"))
    }

    #[test]
    fn a_virt_handler_is_one_that_could_do_anything_to_the_node() {
        assert_eq!(chosen(&[pod("a")]), Ok("openshift-cnv/a".to_owned()));
        assert_eq!(chosen(&[]), Err("no virt-handler pod runs on it".to_owned()));
        for (at, value, said) in [
            ("/spec/hostPID", json!(false), "hostPID"),
            ("/spec/containers/0/name", json!("other"), "no container"),
            ("/spec/containers/0/securityContext/privileged", json!(false), "not privileged"),
            ("/spec/containers/0/securityContext", json!({}), "not privileged"),
            ("/status/conditions/0/status", json!("False"), "not ready"),
            ("/status", json!({}), "not ready"),
            ("/spec", Value::Null, "no specification"),
        ] {
            let mut wrong = pod("b");
            *wrong.pointer_mut(at).unwrap() = value;
            let error = chosen(std::slice::from_ref(&wrong)).unwrap_err();
            assert!(error.contains(said) && error.contains("openshift-cnv/b"), "{at}: {error}");
            // One that is wrong does not hide the one that is right.
            assert_eq!(chosen(&[wrong, pod("a")]), Ok("openshift-cnv/a".to_owned()), "{at}");
        }
    }

    #[test]
    fn of_two_that_could_be_meant_none_is_taken() {
        let error = chosen(&[pod("a"), pod("b")]).unwrap_err();
        assert!(error.contains("several"), "{error}");
        let mut leaving = pod("b");
        leaving["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        assert_eq!(chosen(&[pod("a"), leaving]), Ok("openshift-cnv/a".to_owned()));
    }
}
