//! The Compliance Operator's own code as a peer: the Go program of `tests/operator`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::go;

const MODULE: &str = "github.com/ComplianceAsCode/compliance-operator";

/// The built program.
pub struct Operator {
    program: PathBuf,
    /// The folder of the operator's CustomResourceDefinitions.
    pub crds: PathBuf,
}

impl Operator {
    /// Builds the program into a folder. Where Go is not there or too old, says so loudly and gives nothing; where peers
    /// are required, panics.
    pub fn build(folder: &Path) -> Option<Self> {
        let program =
            go::build("operator", &[], folder, "nothing was compared with the Compliance Operator's code")?;
        let output = go::go("operator", &["list", "-m", "-f", "{{.Dir}}", MODULE]).unwrap();
        let module = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
        Some(Self { program, crds: module.join("config/crd/bases") })
    }

    /// Runs a command, and gives its answers.
    pub fn run<'p>(
        &self,
        command: &str,
        paths: impl IntoIterator<Item = &'p Path>,
        input: String,
    ) -> Vec<Value> {
        let mut child = Command::new(&self.program)
            .arg(command)
            .args(paths)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        writer.join().unwrap().unwrap();
        let answers = serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>();
        answers.map(Result::unwrap).collect()
    }
}
