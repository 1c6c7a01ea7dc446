//! API paths: which resource one is about, and what access it needs.

use std::collections::BTreeSet;

/// The resource that an API path is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiPath {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version of the group.
    pub version: String,
    /// The namespace; none: all namespaces, or a resource that has none.
    pub namespace: Option<String>,
    /// The resource, in the plural.
    pub resource: String,
    /// The object; none: all of them.
    pub name: Option<String>,
    /// The subresource, such as `status`.
    pub subresource: Option<String>,
}

impl ApiPath {
    /// Reads a path, with or without a query; none where it names no resource, as `/version` or the discovery of a group.
    pub fn parse(path: &str) -> Option<Self> {
        let path = path.split('?').next().unwrap_or_default();
        let segments: Vec<_> = path.strip_prefix('/')?.trim_end_matches('/').split('/').collect();
        if segments.iter().any(|segment| segment.is_empty()) {
            return None;
        }
        let (group, version, rest) = match segments.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        // `namespaces/NAME/status` and `finalize` are subresources of the namespace itself.
        let (namespace, rest) = match rest {
            ["namespaces", _, "status" | "finalize"] => (None, rest),
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
            _ => (None, rest),
        };
        let (resource, name, subresource) = match rest {
            // The deprecated way to watch.
            ["watch", ..] => return None,
            [resource] => (*resource, None, None),
            [resource, name] => (*resource, Some(*name), None),
            [resource, name, subresource @ ..] if !subresource.is_empty() => {
                (*resource, Some(*name), Some(subresource.join("/")))
            }
            _ => return None,
        };
        Some(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            namespace: namespace.map(str::to_owned),
            resource: resource.to_owned(),
            name: name.map(str::to_owned),
            subresource,
        })
    }

    /// Reads a path that asks for objects as they are, all of a kind or one; none where it asks for a selection of them, or for
    /// something else.
    pub(crate) fn of_objects(path: &str) -> Option<Self> {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let is_whole =
            query.split('&').all(|parameter| parameter.starts_with("limit=") || parameter.is_empty());
        Self::parse(path).filter(|path| is_whole && path.subresource.is_none())
    }

    /// Whether an object is among what is asked for, whatever its version.
    pub(crate) fn wants(&self, namespace: &str, name: &str) -> bool {
        self.namespace.as_ref().is_none_or(|wanted| wanted == namespace)
            && self.name.as_ref().is_none_or(|wanted| wanted == name)
    }

    /// The resource with its group, as its definition is called.
    pub(crate) fn shown(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// Whether it answers a list.
    pub fn is_collection(&self) -> bool {
        self.name.is_none()
    }

    /// Whether it answers what nobody else should hold: Secrets, tokens, and what reviews tokens.
    pub fn is_secret(&self) -> bool {
        let resource = (self.group.as_str(), self.resource.as_str());
        let named = matches!(
            resource,
            ("", "secrets") | ("authentication.k8s.io", "tokenreviews") | ("oauth.openshift.io", _)
        );
        named || self.subresource.as_deref() == Some("token")
    }
}

/// What an account has to be allowed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A verb on a resource.
    Resource {
        /// The namespace; none: everywhere.
        namespace: Option<String>,
        /// The API group.
        group: String,
        /// The resource, with its subresource, as RBAC writes it: `pods/exec`.
        resource: String,
        /// The object; none: all.
        name: Option<String>,
        /// The verb.
        verb: &'static str,
    },
    /// A GET of a path that is no resource's.
    Path(String),
}

impl Need {
    /// What a GET of the path needs.
    pub fn of_path(path: &str) -> Self {
        let Some(parsed) = ApiPath::parse(path) else {
            return Self::Path(path.split('?').next().unwrap_or_default().to_owned());
        };
        let verb = if parsed.is_collection() { "list" } else { "get" };
        let resource = match &parsed.subresource {
            Some(subresource) => format!("{}/{subresource}", parsed.resource),
            None => parsed.resource,
        };
        Self::Resource { namespace: parsed.namespace, group: parsed.group, resource, name: parsed.name, verb }
    }

    /// What a scan of nodes needs: to find them and the product's pods on them, and to run programs in those.
    pub fn of_nodes(namespace: &str) -> [Self; 4] {
        // kube-apiserver takes an exec by WebSocket for a GET, and one by SPDY for a POST.
        let in_product = Some(namespace);
        [
            (None, "nodes", "list"),
            (None, "pods", "list"),
            (in_product, "pods/exec", "create"),
            (in_product, "pods/exec", "get"),
        ]
        .map(|(namespace, resource, verb)| Self::Resource {
            namespace: namespace.map(str::to_owned),
            group: String::new(),
            resource: resource.to_owned(),
            name: None,
            verb,
        })
    }
}

impl std::fmt::Display for Need {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(f, "get {path}"),
            Self::Resource { namespace, group, resource, name, verb } => {
                write!(f, "{verb} {resource}")?;
                if !group.is_empty() {
                    write!(f, ".{group}")?;
                }
                if let Some(name) = name {
                    write!(f, " {name}")?;
                }
                match namespace {
                    Some(namespace) => write!(f, " in the namespace {namespace}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What GETs of the paths need.
pub fn needs<'a>(paths: impl IntoIterator<Item = &'a str>) -> BTreeSet<Need> {
    paths.into_iter().map(Need::of_path).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_what_it_needs() {
        let cases = [
            ("/api/v1/pods", "list pods"),
            ("/api/v1/pods?limit=5", "list pods"),
            ("/api/v1/namespaces", "list namespaces"),
            ("/api/v1/namespaces/a", "get namespaces a"),
            ("/api/v1/namespaces/a/status", "get namespaces/status a"),
            ("/api/v1/namespaces/a/pods", "list pods in the namespace a"),
            ("/api/v1/namespaces/a/pods/b", "get pods b in the namespace a"),
            ("/api/v1/namespaces/a/pods/b/log", "get pods/log b in the namespace a"),
            ("/apis/kubevirt.io/v1/virtualmachines", "list virtualmachines.kubevirt.io"),
            ("/apis/kubevirt.io/v1/virtualmachines/", "list virtualmachines.kubevirt.io"),
            (
                "/apis/config.openshift.io/v1/infrastructures/cluster",
                "get infrastructures.config.openshift.io cluster",
            ),
            ("/apis/kubevirt.io/v1", "get /apis/kubevirt.io/v1"),
            ("/version", "get /version"),
            ("/api/v1/watch/pods", "get /api/v1/watch/pods"),
            ("/apis/a//b", "get /apis/a//b"),
        ];
        for (path, need) in cases {
            assert_eq!(Need::of_path(path).to_string(), need, "{path}");
        }
    }

    #[test]
    fn paths_ask() {
        let asked =
            ApiPath::of_objects("/apis/kubevirt.io/v1/namespaces/a/virtualmachines/b?limit=500").unwrap();
        assert_eq!(
            (&*asked.group, &*asked.version, &*asked.resource),
            ("kubevirt.io", "v1", "virtualmachines")
        );
        assert!(asked.wants("a", "b") && !asked.wants("a", "c") && !asked.wants("b", "b"));
        assert_eq!(ApiPath::of_objects("/api/v1/nodes").unwrap().shown(), "nodes");
        for path in
            ["/version", "/apis", "/api/v1", "/api/v1/pods?labelSelector=a%3Db", "/apis/a/b/c/d/e/f/g"]
        {
            assert_eq!(ApiPath::of_objects(path), None, "{path}");
        }
    }

    #[test]
    fn secrets_and_tokens_are_known() {
        let cases = [
            ("/api/v1/secrets", true),
            ("/api/v1/namespaces/a/secrets/b", true),
            ("/api/v1/namespaces/a/serviceaccounts/b/token", true),
            ("/apis/authentication.k8s.io/v1/tokenreviews", true),
            ("/apis/oauth.openshift.io/v1/oauthaccesstokens", true),
            ("/api/v1/namespaces/secrets/pods", false),
            ("/api/v1/namespaces/a/serviceaccounts/b", false),
            ("/apis/example.com/v1/secrets", false),
        ];
        for (path, is_secret) in cases {
            assert_eq!(ApiPath::parse(path).unwrap().is_secret(), is_secret, "{path}");
        }
    }
}
