//! Runs both tools on one data stream, one root and one profile.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::arf::{self, Outcome};

/// What to evaluate.
#[derive(Clone, Debug)]
pub struct Run {
    /// The data stream's file.
    pub stream: PathBuf,
    /// The root of what is scanned.
    pub root: PathBuf,
    /// The profile: an id, or `(all)`.
    pub profile: String,
}

/// The outcome of a run, and how long the tool took.
#[derive(Debug)]
pub struct Said {
    /// The outcome.
    pub outcome: Outcome,
    /// The tool's own time.
    pub took: Duration,
    /// What it wrote to standard error.
    pub stderr: String,
}

/// Builds the program as tests are built; `$VIRTSCAP` is taken as it is.
pub fn build() -> PathBuf {
    if let Some(program) = std::env::var_os("VIRTSCAP") {
        return program.into();
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["build", "--locked", "-p", "virtscap", "--message-format", "json-render-diagnostics"];
    let output = Command::new(cargo).args(arguments).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "virtscap does not build");
    // One message a line; the last is about the program.
    let messages = String::from_utf8(output.stdout).unwrap();
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let program = messages.filter(|message| message["target"]["name"] == "virtscap");
    program.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back().unwrap()
}

/// Runs stock oscap.
pub fn oscap(run: &Run) -> Result<Said, String> {
    evaluate(Command::new("oscap"), run)
}

/// Runs virtscap in oscap's place. `virtscap scan --root` would not read a dump of an API below a node's root.
pub fn virtscap(program: &Path, run: &Run) -> Result<Said, String> {
    let mut command = Command::new(program);
    command.arg("oscap");
    evaluate(command, run)
}

fn evaluate(mut command: Command, run: &Run) -> Result<Said, String> {
    // Debian builds oscap with a self-check that is slow; schemas are checked elsewhere.
    command.env("SEXP_VALIDATE_DISABLE", "1").env_remove("OSCAP_PROBE_ROOT");
    let home = tempfile::tempdir().unwrap();
    if run.root != Path::new("/") {
        command.env("OSCAP_PROBE_ROOT", &run.root);
        // Debian's librpm looks for packages in ~/.rpmdb. What has packages of this kind has them elsewhere.
        std::fs::write(home.path().join(".rpmmacros"), "%_dbpath /var/lib/rpm\n").unwrap();
        command.env("HOME", home.path());
    }
    let arf = tempfile::NamedTempFile::new().unwrap();
    command.args(["xccdf", "eval", "--skip-validation", "--profile", &run.profile, "--results-arf"]);
    command.arg(arf.path()).arg(&run.stream);
    read(command, arf.path())
}

fn read(mut command: Command, arf: &Path) -> Result<Said, String> {
    let start = Instant::now();
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let took = start.elapsed();
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    let written = std::fs::metadata(arf).map_or(0, |file| file.len());
    let stdout = String::from_utf8_lossy(&stdout);
    if written == 0 {
        return Err(format!("{command:?} ended with {status} and wrote no ARF: {stderr}{stdout}"));
    }
    // For looking at them by hand.
    if let Some(folder) = std::env::var_os("VIRTSCAP_KEEP_ARF") {
        let name = if command.get_program() == "oscap" { "oscap.xml" } else { "virtscap.xml" };
        std::fs::copy(arf, Path::new(&folder).join(name)).unwrap();
    }
    Ok(Said { outcome: arf::read(arf), took, stderr })
}
