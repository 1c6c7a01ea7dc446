//! Programs in Go that tests run beside the project's own: peers, and servers.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{project, say};

/// Runs `go` in a module's folder below `tests/`; nothing where it is not installed.
pub fn go(module: &str, arguments: &[&str]) -> Option<Output> {
    Command::new("go").args(arguments).current_dir(project().join("tests").join(module)).output().ok()
}

/// Why the module's program cannot be built with what is installed.
fn obstacle(module: &str) -> Option<String> {
    let Some(output) = go(module, &["list", "-m"]) else { return Some("Go is not installed".to_owned()) };
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then(|| format!("Go is of no use here ({})", stderr.trim()))
}

/// Builds the program of a module below `tests/` into a folder, with flags for `go build`. Where Go is not there or too old, says loudly what was not
/// tested and gives nothing; where peers are required, panics.
pub fn build(module: &str, flags: &[&str], folder: &Path, not_tested: &str) -> Option<PathBuf> {
    if let Some(obstacle) = obstacle(module) {
        let message = format!("SKIPPED: {obstacle}; {not_tested}");
        assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{message}");
        say(&message);
        return None;
    }
    let program = folder.join(format!("{module}-peer"));
    let output = go(module, &[&["build", "-o", program.to_str().unwrap()], flags, &["."]].concat()).unwrap();
    assert!(output.status.success(), "go build: {}", String::from_utf8_lossy(&output.stderr));
    Some(program)
}
