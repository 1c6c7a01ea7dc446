//! Runs the program under limits.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a run may take, without optimisation and beside others.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    time: Duration,
    /// In KiB; the shell sees to it.
    memory: u64,
}

pub(crate) const USUAL: Limits = Limits { time: Duration::from_secs(60), memory: 3 << 20 };
/// Of a run that refuses what it is given.
pub(crate) const LITTLE: Limits = Limits { memory: 512 << 10, ..USUAL };
/// Of a run on content that is larger than any that there is.
pub(crate) const MUCH: Limits = Limits { time: Duration::from_secs(600), memory: 16 << 20 };

/// What a run ended with.
pub(crate) struct Ended {
    pub(crate) arguments: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// What was said, to show where an assertion fails.
    pub(crate) fn shown(&self) -> String {
        format!("{}\nexit status {}\n{}{}", self.arguments, self.code, self.stdout, self.stderr)
    }
}

/// Runs the program in a folder; panics where it panics, is killed or does not end.
pub(crate) fn run(arguments: &[&str], folder: &Path, root: &Path) -> Ended {
    run_with(arguments, folder, root, Stdio::null(), USUAL)
}

/// As [`run`], with something on standard input, and other limits.
pub(crate) fn run_with(
    arguments: &[&str],
    folder: &Path,
    root: &Path,
    stdin: Stdio,
    limits: Limits,
) -> Ended {
    let Limits { time, memory } = limits;
    let written = |name: &str| folder.join(name);
    let mut child = Command::new("sh")
        .args(["-c", &format!("ulimit -v {memory}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_virtscap")])
        .args(arguments)
        .current_dir(folder)
        .env("OSCAP_PROBE_ROOT", root)
        .stdin(stdin)
        .stdout(File::create(written("stdout")).unwrap())
        .stderr(File::create(written("stderr")).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > time => {
                child.kill().unwrap();
                panic!("{arguments:?} does not end within {time:?}");
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let read = |name: &str| String::from_utf8_lossy(&std::fs::read(written(name)).unwrap()).into_owned();
    let (stdout, stderr) = (read("stdout"), read("stderr"));
    let arguments = arguments.join(" ");
    let code = status.code().unwrap_or_else(|| panic!("{arguments}: {status}: {stderr}"));
    assert!(!stderr.contains("panicked"), "{arguments}: {stderr}");
    Ended { arguments, code, stdout, stderr }
}
