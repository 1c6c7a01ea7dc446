//! The files of a node that only a shell can see: what is asked for is fetched by a script that runs there.
//!
//! What the rules ask of files depends on what they find. So they are evaluated in rounds: what is asked for and not known
//! yet is noted, fetched by one run of `look.sh`, and the rules are evaluated again, until nothing new is asked.

mod answers;
mod node;
mod questions;

use std::time::Duration;

pub use node::RemoteNode;
pub(crate) use node::told;

/// The script, without what only its readers need: it goes to the node by way of a URL.
fn script() -> String {
    let lines = include_str!("look.sh").lines().map(str::trim_start);
    lines.filter(|line| !line.starts_with('#')).fold(String::new(), |script, line| script + line + "\n")
}

/// Something that runs a script where the files are.
pub trait Executor: Send + Sync {
    /// Runs a command, and gives what it wrote to standard output.
    ///
    /// # Errors
    /// [`ExecError`] where it did not run to its end with exit status 0, whatever it wrote until then.
    fn run(&self, job: &Job<'_>) -> Result<Vec<u8>, ExecError>;
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job<'a> {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// What it reads from standard input. It may be left open: the command knows where the input ends.
    pub input: &'a [u8],
    /// How many bytes it may write to standard output.
    pub most: usize,
    /// How long it may take.
    pub time: Duration,
}

/// Why a command did not run to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// It may not be run.
    #[error("refused: {0}")]
    Refused(String),
    /// It ended otherwise than with exit status 0.
    #[error("the script ended with {status}{}", said(.stderr))]
    Failed {
        /// Its exit status, in words.
        status: String,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// It wrote more than it may.
    #[error("the script wrote more than {} MiB", .0 >> 20)]
    TooMuch(usize),
    /// It took longer than it may.
    #[error("the script took longer than {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The scan had to end.
    #[error("{0}")]
    Stopped(String),
    /// The way to it broke off.
    #[error("the connection broke: {0}")]
    Broken(String),
}

fn said(stderr: &str) -> String {
    match stderr.trim() {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

/// How much is asked of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often the script is run.
    pub rounds: usize,
    /// How many paths are asked for.
    pub paths: usize,
    /// How many entries a directory may have.
    pub entries: usize,
    /// How many bytes a file may hold.
    pub file: u64,
    /// How many bytes all files may hold together.
    pub bytes: u64,
    /// How long all runs of the script may take together.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rounds: 64,
            paths: 50_000,
            entries: 20_000,
            file: 8 << 20,
            bytes: 64 << 20,
            time: Duration::from_secs(180),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_script_is_short_enough_for_a_url() {
        let script = super::script();
        assert!(!script.contains('#') || script.contains("$#"), "{script}");
        // Proxies commonly take 8 KiB for the first line of a request; a URL encodes what is no letter or digit in three bytes.
        let encoded: usize = script.bytes().map(|b| if b.is_ascii_alphanumeric() { 1 } else { 3 }).sum();
        assert!(encoded < 6 << 10, "{encoded}");
    }
}
