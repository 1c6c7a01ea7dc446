//! A shell of this machine in the place of one on a node.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use virtscap_evaluator::source::remote::{ExecError, Executor, Job};

/// Runs jobs here.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The program in the place of `sh`.
    pub program: &'static str,
    /// Where it looks for other programs.
    pub path: Option<String>,
    /// Who runs it; none: who runs the tests.
    pub user: Option<u32>,
}

impl Shell {
    /// A shell by name.
    pub fn new(program: &'static str) -> Self {
        Self { program, path: None, user: None }
    }
}

impl Executor for Shell {
    fn run(&self, job: &Job<'_>) -> Result<Vec<u8>, ExecError> {
        assert_eq!(job.command[0], "sh");
        let mut command = Command::new(self.program);
        command.args(&job.command[1..]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        if let Some(user) = self.user {
            command.gid(user).uid(user).current_dir("/");
        }
        let mut child = command.spawn().unwrap();
        let (mut stdin, mut stdout, mut stderr) =
            (child.stdin.take().unwrap(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (mut output, mut errors) = (Vec::new(), String::new());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // It stays open, as with protocols that cannot close it. Who ended early does not read.
                let _ = stdin.write_all(job.input);
            });
            scope.spawn(|| stderr.read_to_string(&mut errors).unwrap());
            stdout.read_to_end(&mut output).unwrap();
        });
        let status = child.wait().unwrap();
        drop(stdin);
        if output.len() > job.most {
            return Err(ExecError::TooMuch(job.most));
        }
        if status.success() {
            return Ok(output);
        }
        Err(ExecError::Failed { status: status.to_string(), stderr: errors })
    }
}
