//! Runs both tools on one data stream, one root and one profile.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
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

/// The built program: `$VIRTSCAP`, or the one of the debug build.
pub fn virtscap_binary() -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::project().join("target"), PathBuf::from);
    std::env::var_os("VIRTSCAP").map_or_else(|| target.join("debug/virtscap"), PathBuf::from)
}

/// Runs stock oscap.
pub fn oscap(run: &Run) -> Said {
    let mut command = Command::new("oscap");
    // Debian builds with a self-check that is slow; schemas are checked elsewhere.
    command.env("SEXP_VALIDATE_DISABLE", "1").env_remove("OSCAP_PROBE_ROOT");
    if run.root != Path::new("/") {
        command.env("OSCAP_PROBE_ROOT", &run.root);
    }
    command.args(["xccdf", "eval", "--skip-validation", "--profile", &run.profile]);
    finish(command, "--results-arf", run)
}

/// Runs virtscap.
pub fn virtscap(run: &Run) -> Said {
    let mut command = Command::new(virtscap_binary());
    command.args(["scan", "--profile", &run.profile, "--root"]).arg(&run.root).arg("--datastream");
    let arf = tempfile::NamedTempFile::new().unwrap();
    command.arg(&run.stream).arg("--arf").arg(arf.path());
    read(command, arf.path())
}

fn finish(mut command: Command, option: &str, run: &Run) -> Said {
    let arf = tempfile::NamedTempFile::new().unwrap();
    command.arg(option).arg(arf.path()).arg(&run.stream);
    read(command, arf.path())
}

fn read(mut command: Command, arf: &Path) -> Said {
    let start = Instant::now();
    let Output { status, stdout, stderr } = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let took = start.elapsed();
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    let written = std::fs::metadata(arf).map_or(0, |file| file.len());
    let stdout = String::from_utf8_lossy(&stdout);
    assert!(written > 0, "{command:?} ended with {status} and wrote no ARF: {stderr}{stdout}");
    // For looking at them by hand.
    if let Some(folder) = std::env::var_os("VIRTSCAP_KEEP_ARF") {
        let name = if command.get_program() == "oscap" { "oscap.xml" } else { "virtscap.xml" };
        std::fs::copy(arf, Path::new(&folder).join(name)).unwrap();
    }
    Said { outcome: arf::read(arf), took, stderr }
}
