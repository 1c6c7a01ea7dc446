//! Rows on thousands of virtual machines: all rules on them in one scan, of a snapshot and of an API server.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use virtscap_tests::apiserver::{ApiServer, Server, Start};

use super::public::paths;
use super::{DATASTREAM, Job, PROFILE, Row};

/// What each row is about, and how many machines it has.
const SIZES: [(&str, &str, &str, usize); 3] = [
    ("1,000 machines", "    list held whole", "1,000 on an API server", 1_000),
    ("10,000 machines", "    list held whole", "10,000 on an API server", 10_000),
    ("50,000 machines", "    list held whole", "50,000 on an API server", 50_000),
];
/// Machines of which each was made from an instance type: no two are alike to the rules on these.
const UNLIKE: (&str, usize) = ("50,000 with revisions", 50_000);
/// As many paths as the profile has filters on machines.
const PATHS: [&str; 8] = [
    ".items[:].metadata.name",
    ".items[:].metadata.namespace",
    ".items[:].spec.runStrategy",
    ".items[:].spec.template.spec.domain.devices.disks[:].shareable",
    ".items[:].spec.template.spec.domain.devices.disks[:].errorPolicy",
    ".items[:].spec.template.spec.domain.devices.gpus[:].deviceName",
    ".items[:].spec.template.spec.domain.memory.overcommitGuestOverhead",
    ".items[:].spec.template.spec.networks[:].multus",
];
const UNLIKE_FOLDER: &str = "unlike";
const MACHINES: &str = "apis/kubevirt.io/v1/virtualmachines.json";

/// What the rows work with.
pub(super) struct Machines {
    virtscap: PathBuf,
    scratch: PathBuf,
    /// A server of each size; none without Go.
    servers: Vec<Server>,
}

impl Machines {
    pub(super) fn prepare(virtscap: &Path, scratch: PathBuf) -> Result<Self> {
        // As the project's data stream, but with filters that are not taken apart.
        let content = std::fs::read_to_string(DATASTREAM)?;
        std::fs::write(scratch.join("whole.xml"), content.replace("[.items[] |", "[.items | .[] |"))?;
        let alike = SIZES.map(|(name, .., count)| (name, count.to_string(), count, false));
        let unlike = (UNLIKE.0, UNLIKE_FOLDER.to_owned(), UNLIKE.1, true);
        for (name, folder, count, revisions) in alike.into_iter().chain([unlike]) {
            let document = scratch.join(&folder).join(MACHINES);
            std::fs::create_dir_all(document.parent().context("a folder")?)?;
            write_machines(&document, count, revisions).with_context(|| name.to_owned())?;
            let content = paths(&document.display().to_string(), &PATHS);
            std::fs::write(scratch.join(format!("{folder}.xml")), content)?;
        }
        let program = ApiServer::build(&scratch);
        let start = |count| Start { vms: count, ..Start::default() };
        let servers =
            program.iter().flat_map(|program| SIZES.map(|(.., count)| program.start(&start(count))));
        let servers = servers.collect();
        Ok(Self { virtscap: virtscap.to_owned(), scratch, servers })
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (number, (name, whole, served, count)) in SIZES.into_iter().enumerate() {
            let folder = count.to_string();
            rows.push(self.beside_oscap(name, &folder));
            let snapshot = self.scratch.join(&folder).into_os_string();
            let held = self.scan(self.scratch.join("whole.xml").into(), "--snapshot", snapshot);
            rows.push(Row { name: whole, virtscap: held, oscap: None });
            if let Some(server) = self.servers.get(number) {
                let kubeconfig = server.place.kubeconfig.clone().into();
                let live = self.scan(DATASTREAM.into(), "--kubeconfig", kubeconfig);
                rows.push(Row { name: served, virtscap: live, oscap: None });
            }
        }
        rows.push(self.beside_oscap(UNLIKE.0, UNLIKE_FOLDER));
        rows
    }

    /// A scan of a snapshot, and oscap on as many paths of the same.
    fn beside_oscap(&self, name: &'static str, folder: &str) -> Row {
        let snapshot = self.scratch.join(folder).into_os_string();
        let oscap = Job {
            program: "oscap".into(),
            arguments: [
                "oval".into(),
                "eval".into(),
                "--skip-validation".into(),
                "--results".into(),
                self.scratch.join("results.xml").into_os_string(),
                self.scratch.join(format!("{folder}.xml")).into_os_string(),
            ]
            .into(),
            environment: vec![("SEXP_VALIDATE_DISABLE", "1".into())],
            done: &[0],
            makes: None,
        };
        Row { name, virtscap: self.scan(DATASTREAM.into(), "--snapshot", snapshot), oscap: Some(oscap) }
    }

    fn scan(&self, content: OsString, source: &str, place: OsString) -> Job {
        Job {
            program: self.virtscap.clone(),
            arguments: [
                "scan".into(),
                "--profile".into(),
                PROFILE.into(),
                "--datastream".into(),
                content,
                "--arf".into(),
                self.scratch.join("arf.xml").into_os_string(),
                source.into(),
                place,
            ]
            .into(),
            environment: Vec::new(),
            done: &[2],
            makes: None,
        }
    }
}

/// A list of machines of 4 KB, none of which offends, as an API server answers it; each with a revision of its instance
/// type, where they are to have one.
fn write_machines(path: &Path, count: usize, revisions: bool) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let words = "a note on a machine that says a little ".repeat(70);
    write!(
        file,
        r#"{{"apiVersion":"kubevirt.io/v1","kind":"VirtualMachineList","metadata":{{"resourceVersion":"1"}},"items":["#
    )?;
    for number in 0..count {
        let mut machine = serde_json::json!({
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
            "metadata": {
                "name": format!("vm-{number}"), "namespace": format!("vms-{}", number % 10),
                "labels": {"app": "a", "tier": format!("{}", number % 7)}, "annotations": {"note": words},
            },
            "spec": {"runStrategy": "Always", "template": {
                "metadata": {"labels": {"kubevirt.io/vm": format!("vm-{number}")}},
                "spec": {
                    "domain": {
                        "cpu": {"cores": 2}, "machine": {"type": "pc-q35-rhel9.4.0"}, "memory": {"guest": "4Gi"},
                        "resources": {"requests": {"memory": "4Gi"}},
                        "devices": {
                            "disks": [
                                {"name": "root", "disk": {"bus": "virtio"}}, {"name": "data", "disk": {"bus": "virtio"}},
                                {"name": "init", "disk": {"bus": "virtio"}},
                            ],
                            "interfaces": [{"name": "default", "masquerade": {}, "model": "virtio"}], "rng": {},
                        },
                    },
                    "networks": [{"name": "default", "pod": {}}],
                    "volumes": [
                        {"name": "root", "dataVolume": {"name": format!("vm-{number}-root")}},
                        {"name": "data", "persistentVolumeClaim": {"claimName": format!("vm-{number}-data")}},
                        {"name": "init", "cloudInitNoCloud": {"secretRef": {"name": "init"}}},
                    ],
                },
            }},
            "status": {
                "created": true, "ready": true, "printableStatus": "Running",
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            },
        });
        if revisions {
            machine["spec"]["instancetype"] =
                serde_json::json!({"kind": "VirtualMachineClusterInstancetype", "name": "u1.medium"});
            machine["status"]["instancetypeRef"] = serde_json::json!({
                "kind": "VirtualMachineClusterInstancetype", "name": "u1.medium",
                "controllerRevisionRef": {"name": format!("vm-{number}-u1.medium-v1beta1-6f0b6c5e-1")},
            });
        }
        write!(file, "{}{machine}", if number == 0 { "" } else { "," })?;
    }
    write!(file, "]}}")?;
    file.flush()
}
