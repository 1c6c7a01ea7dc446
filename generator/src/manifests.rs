//! Manifests for the Compliance Operator.

use serde_json::{Value, json};

use crate::datastream::FILE_NAME;
use crate::model::Benchmark;

mod rbac;
mod scans;

/// Name of the ProfileBundle; the operator puts it before the names of profiles, rules and variables.
pub(crate) const BUNDLE: &str = "ocp-virt";
pub(crate) const NAMESPACE: &str = "openshift-compliance";
/// The operator's API.
const API: &str = "compliance.openshift.io/v1alpha1";

/// A file of manifests.
pub(crate) struct Manifest {
    /// Its name.
    pub(crate) file: String,
    /// What it is for, as lines of comment.
    pub(crate) about: String,
    /// The objects.
    pub(crate) documents: Vec<Value>,
}

impl Manifest {
    fn new(file: impl Into<String>, about: impl Into<String>, documents: Vec<Value>) -> Self {
        Self { file: file.into(), about: about.into(), documents }
    }
}

/// All manifests.
pub(crate) fn manifests(benchmark: &Benchmark, content_image: &str) -> Vec<Manifest> {
    let bundle = json!({"contentFile": FILE_NAME, "contentImage": content_image});
    let bundle = object("ProfileBundle", BUNDLE, json!({"spec": bundle}));
    let mut applied = vec![
        rbac::collector(benchmark),
        Manifest::new("profilebundle.yaml", "The content.", vec![bundle]),
        scans::setting(),
    ];
    let mut others = scans::bindings(benchmark);
    // One level is scanned with. A scan with the next one has its rules too, so that both would find all things twice.
    if !others.is_empty() {
        applied.push(others.remove(0));
    }
    others.extend(scans::tailored(benchmark));
    others.extend(rbac::remediation(benchmark));
    let kustomization = kustomization(&applied, &others);
    applied.into_iter().chain(others).chain([kustomization]).collect()
}

/// What `oc apply -k` applies, in this order; the operator waits for what it does not find yet.
fn kustomization(applied: &[Manifest], others: &[Manifest]) -> Manifest {
    let names = |all: &[Manifest]| all.iter().map(|manifest| manifest.file.clone()).collect::<Vec<_>>();
    let mut about =
        "Applied by `oc apply -k`. What is left out is applied by itself, with `oc apply -f`:".to_owned();
    for name in names(others) {
        about.push_str(&format!("\n- {name}"));
    }
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "sortOptions": {"order": "fifo"},
        "resources": names(applied),
    });
    Manifest::new("kustomization.yaml", about, vec![kustomization])
}

/// An object of the operator's API, of what it has beside its metadata.
fn object(kind: &str, name: &str, rest: Value) -> Value {
    let mut object = json!({
        "apiVersion": API,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
    });
    if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
        object.extend(rest);
    }
    object
}
