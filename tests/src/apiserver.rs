//! A real Kubernetes API server with its etcd: the Go program of `tests/apiserver`, which says at its top what it is.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use serde::Deserialize;
use serde_json::{Deserializer, Value};

use crate::go;

/// Without symbols the program is a third smaller, and linked faster.
const FLAGS: [&str; 3] = ["-trimpath", "-buildvcs=false", "-ldflags=-s -w"];

/// The built program.
pub struct ApiServer {
    program: PathBuf,
}

/// What a server is started with. With nothing of this, it has all resources of `tests/apiserver/crds.yaml`, no objects but
/// its own, and no nodes.
#[derive(Default)]
pub struct Start {
    /// Resources (`PLURAL.GROUP`), versions of them (`PLURAL.GROUP/VERSION`) and groups that are not installed.
    pub without: Vec<String>,
    /// How many compliant virtual machines of 4 KiB there are, over the namespaces `vms-0` to `vms-9`.
    pub vms: usize,
    /// Files and folders of objects, as API objects, lists or answers, in YAML or JSON.
    pub apply: Vec<PathBuf>,
    /// Names of nodes, and the folders with their files. Each has a pod `virt-handler-NAME` in `openshift-cnv`, in whose
    /// container `virt-handler` the files are below `/proc/1/root`; unless `apply` has a virt-handler pod on the node.
    pub nodes: Vec<(String, PathBuf)>,
    /// More flags for kube-apiserver.
    pub flags: Vec<String>,
}

/// What the program says of the server that it started.
#[derive(Deserialize)]
pub struct Place {
    /// The server's URL, on a port of 127.0.0.1.
    pub url: String,
    /// The file with the certificate that the server's is signed with.
    pub ca: PathBuf,
    /// A kubeconfig file with a context of each user's name; `admin` is current.
    pub kubeconfig: PathBuf,
    /// The bearer token of each user: `admin`, who may do all, and `scanner`, `limited`, `nobody` and `node-admin`, who may
    /// do nothing until bindings let them.
    pub tokens: BTreeMap<String, String>,
    /// The process.
    pub pid: u32,
    /// What Kubernetes and etcd log.
    pub log: PathBuf,
    /// The audit log, see [`Server::requests`].
    pub audit: PathBuf,
    /// How many seconds each part of the start took.
    pub seconds: BTreeMap<String, f64>,
}

/// A server that runs. It ends, and its files go, when this is dropped or the test's process ends.
pub struct Server {
    program: PathBuf,
    child: Child,
    /// The program ends when this closes.
    stdin: Option<ChildStdin>,
    /// Where it is.
    pub place: Place,
}

/// A request that the server answered to a user other than `admin`.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// `get`, `list`, `watch`, `create`, …, as RBAC names it.
    pub verb: String,
    /// Path and query.
    pub uri: String,
    /// The status code of the answer.
    pub code: u64,
}

/// How a command in a container ended.
#[derive(Debug, Deserialize)]
pub struct Executed {
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// The command's exit status; nothing where it did not run.
    pub exit: Option<i32>,
    /// Why it did not run.
    pub error: Option<String>,
}

impl ApiServer {
    /// Builds the program into a folder. Where Go is not there or too old, says so loudly and gives nothing; where peers
    /// are required, panics. The first build takes minutes.
    pub fn build(folder: &Path) -> Option<Self> {
        let program = go::build("apiserver", &FLAGS, folder, "nothing was asked of a Kubernetes API server")?;
        Some(Self { program })
    }

    /// Starts a server, and waits until it has everything.
    pub fn start(&self, start: &Start) -> Server {
        let mut command = Command::new(&self.program);
        command.arg("serve").arg(format!("--vms={}", start.vms));
        for (flag, values) in [("--without", &start.without), ("--server-flag", &start.flags)] {
            command.args(values.iter().map(|value| format!("{flag}={value}")));
        }
        command.args(start.apply.iter().map(|path| format!("--apply={}", path.display())));
        command.args(start.nodes.iter().map(|(name, folder)| format!("--node={name}={}", folder.display())));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ok(place) = serde_json::from_str(&line) else {
            let mut stderr = String::new();
            child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
            panic!("the API server did not start: {line}{stderr}");
        };
        Server { program: self.program.clone(), child, stdin, place }
    }
}

impl Server {
    /// The status codes and bodies of what a user is answered to GETs of paths.
    pub fn get(&self, user: &str, paths: &[&str]) -> Vec<(u16, Value)> {
        #[derive(Deserialize)]
        struct Answer {
            status: u16,
            body: Value,
        }
        let answers = self.run("request", user, &[], paths);
        let answers = Deserializer::from_str(&answers).into_iter::<Answer>();
        answers.map(Result::unwrap).map(|answer| (answer.status, answer.body)).collect()
    }

    /// Runs a command in a container as a user, with the client of `kubectl`.
    pub fn exec(&self, user: &str, pod: [&str; 3], flags: &[&str], command: &[&str]) -> Executed {
        let answer = self.run("exec", user, flags, &[&pod, command].concat());
        serde_json::from_str(&answer).unwrap()
    }

    /// Creates or replaces the objects of files and folders, as `admin`.
    pub fn apply(&self, paths: &[&Path]) {
        let paths: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
        self.run("apply", "admin", &[], &paths);
    }

    /// What the server answered to a user other than `admin`, in the order of the answers.
    pub fn requests(&self, user: &str) -> Vec<Request> {
        let text = std::fs::read_to_string(&self.place.audit).unwrap();
        let events = Deserializer::from_str(&text).into_iter::<Value>().map(Result::unwrap);
        events
            .filter(|event| event["user"]["username"] == user)
            .map(|event| Request {
                verb: event["verb"].as_str().unwrap().to_owned(),
                uri: event["requestURI"].as_str().unwrap().to_owned(),
                code: event["responseStatus"]["code"].as_u64().unwrap(),
            })
            .collect()
    }

    fn run(&self, command: &str, user: &str, flags: &[&str], arguments: &[&str]) -> String {
        let output = Command::new(&self.program)
            .arg(command)
            .arg("--kubeconfig")
            .arg(&self.place.kubeconfig)
            .args(["--user", user])
            .args(flags)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
