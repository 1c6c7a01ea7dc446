//! Commands in a container of a pod, by way of the API server (`pods/exec`).

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::Client;
use kube::api::{Api, AttachParams, AttachedProcess};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Handle;

use super::Stop;
use crate::source::remote::{ExecError, Executor, Job};

/// How many bytes wait between the connection and what reads it.
const BUFFER: usize = 64 << 10;

/// How much is kept of standard error.
const MAX_STDERR: u64 = 4 << 10;

/// A container of a pod, to run commands in.
pub struct PodExec {
    pub(super) client: Client,
    pub(super) handle: Handle,
    pub(super) stop: Arc<Stop>,
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
}

impl Executor for PodExec {
    fn run(&self, job: &Job<'_>) -> Result<Vec<u8>, ExecError> {
        let run = async { tokio::time::timeout(job.time, self.attach(job)).await };
        let run = self.handle.block_on(self.stop.unless(run));
        let run = run.map_err(|reason| ExecError::Stopped(reason.to_string()))?;
        run.map_err(|_| ExecError::TimedOut(job.time))?
    }
}

impl PodExec {
    async fn attach(&self, job: &Job<'_>) -> Result<Vec<u8>, ExecError> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespace);
        let parameters = AttachParams {
            container: Some(self.container.clone()),
            stdin: true,
            stdout: true,
            stderr: true,
            tty: false,
            max_stdin_buf_size: Some(BUFFER),
            max_stdout_buf_size: Some(BUFFER),
            max_stderr_buf_size: Some(BUFFER),
        };
        let process = pods.exec(&self.pod, job.command.clone(), &parameters).await;
        let mut process = process.map_err(|e| self.refused(e))?;
        let status = process.take_status();
        let (Some(mut stdin), Some(stdout), Some(stderr), Some(status)) =
            (process.stdin(), process.stdout(), process.stderr(), status)
        else {
            return Err(ExecError::Broken("a stream is missing".to_owned()));
        };
        let write = async {
            // Where the command ended early, its status tells more than that nobody reads.
            let _ = stdin.write_all(job.input).await;
            Ok(())
        };
        let ((), output, errors) =
            tokio::try_join!(write, read(stdout, job.most), first(stderr, MAX_STDERR))?;
        let status = status.await;
        // Only now: before v5 of the protocol, to close standard input is to close the connection.
        drop(stdin);
        match status {
            Some(status) => ended(&status, &errors).map(|()| output),
            None => Err(broken(process).await),
        }
    }

    /// Why a command was not started.
    fn refused(&self, error: kube::Error) -> ExecError {
        match error {
            kube::Error::Api(status) if status.code == 403 => ExecError::Refused(format!(
                "{} (the user needs the verbs get and create on pods/exec in the namespace {})",
                brief(&status.message),
                self.namespace
            )),
            kube::Error::Api(status) if (400..500).contains(&status.code) && status.code != 429 => {
                ExecError::Refused(format!("{} ({})", brief(&status.message), status.code))
            }
            other => ExecError::Broken(brief(&other.to_string())),
        }
    }
}

/// How many characters of an error's text are told.
const MAX_TOLD: usize = 600;

/// An error's text without the command. An API server that does not reach the kubelet names the request's URL, and all of the
/// script is in its query.
fn brief(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(command) = rest.find("command=") {
        let Some(query) = rest[..command].rfind('?') else { break };
        let end = rest[command..].find(|c: char| c == '"' || c.is_whitespace());
        told.push_str(&rest[..=query]);
        told.push('…');
        rest = end.map_or("", |end| &rest[command + end..]);
    }
    told.push_str(rest);
    if let Some((end, _)) = told.char_indices().nth(MAX_TOLD) {
        told.truncate(end);
        told.push('…');
    }
    told
}

/// All that comes, if it is not too much.
async fn read(from: impl AsyncRead + Unpin, most: usize) -> Result<Vec<u8>, ExecError> {
    let mut output = Vec::new();
    let limit = (most as u64).saturating_add(1);
    from.take(limit).read_to_end(&mut output).await.map_err(|e| ExecError::Broken(e.to_string()))?;
    if output.len() > most { Err(ExecError::TooMuch(most)) } else { Ok(output) }
}

/// The beginning of what comes. The rest is read too, or whatever writes it would wait.
async fn first(mut from: impl AsyncRead + Unpin, most: u64) -> Result<String, ExecError> {
    let broken = |e: std::io::Error| ExecError::Broken(e.to_string());
    let mut text = Vec::new();
    (&mut from).take(most).read_to_end(&mut text).await.map_err(broken)?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await.map_err(broken)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// What the last message of the connection says.
fn ended(status: &Status, stderr: &str) -> Result<(), ExecError> {
    if status.status.as_deref() == Some("Success") {
        return Ok(());
    }
    let causes = status.details.iter().flat_map(|details| details.causes.iter().flatten());
    let code =
        causes.filter(|cause| cause.reason.as_deref() == Some("ExitCode")).find_map(|c| c.message.clone());
    Err(ExecError::Failed {
        status: match code {
            Some(code) => format!("exit status {code}"),
            None => format!("no exit status ({})", brief(status.message.as_deref().unwrap_or("no message"))),
        },
        stderr: stderr.to_owned(),
    })
}

/// Why there is no last message.
async fn broken(process: AttachedProcess) -> ExecError {
    ExecError::Broken(match process.join().await {
        Ok(()) => "it ended before the command did".to_owned(),
        Err(error) => brief(&error.to_string()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn status(json: serde_json::Value) -> Result<(), ExecError> {
        ended(&serde_json::from_value(json).unwrap(), "sh: no\n")
    }

    #[test]
    fn the_command_is_not_told() {
        let message = |query: &str| {
            format!("error sending request: Post \"https://10.0.0.1:10250/exec/ns/pod/c?{query}\": tls: no")
        };
        for query in ["command=sh&command=-c&command=export+LC_ALL%0A", "container=c&command=sh&input=1"] {
            assert_eq!(brief(&message(query)), message("…"));
        }
        assert_eq!(brief("Is command= a=b?"), "Is command= a=b?");
        assert_eq!(brief("a?command=x b?command=y"), "a?… b?…");
        assert_eq!(brief(&"é".repeat(1000)).chars().count(), MAX_TOLD + 1);
    }

    /// The statuses are those of the kubelet (k8s.io/kubelet/pkg/cri/streaming/remotecommand).
    #[test]
    fn only_success_is_success() {
        assert_eq!(status(serde_json::json!({"metadata": {}, "status": "Success"})), Ok(()));
        let failed = |json, expected: &str| {
            assert_eq!(status(json).unwrap_err().to_string(), expected);
        };
        failed(
            serde_json::json!({"metadata": {}, "status": "Failure", "reason": "NonZeroExitCode",
                "message": "command terminated with non-zero exit code: exit status 3",
                "details": {"causes": [{"reason": "ExitCode", "message": "3"}]}}),
            "the script ended with exit status 3: sh: no",
        );
        failed(
            serde_json::json!({"metadata": {}, "status": "Failure", "reason": "InternalError",
                "message": "error executing command in container: container is not running"}),
            "the script ended with no exit status (error executing command in container: container is not running): sh: no",
        );
        failed(
            serde_json::json!({"metadata": {}}),
            "the script ended with no exit status (no message): sh: no",
        );
    }
}
