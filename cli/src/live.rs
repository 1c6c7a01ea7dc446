//! A cluster that is running, as `virtscap scan` and `virtscap collect` ask it: connection, progress, the end before time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use virtscap_evaluator::api_path::{Need, needs};
use virtscap_evaluator::report::text;
use virtscap_evaluator::source::cluster::{Access, ClusterSource, Connection, Stop, preflight};

use crate::progress::Shown;

/// How long a scan may take where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Where the help has what is about live clusters.
pub(crate) const HEADING: &str = "Live cluster";

/// Which cluster is asked, by whom, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Live {
    /// Kubeconfig [default: KUBECONFIG, ~/.kube/config, or the pod's service account]
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig [default: the current one]
    #[arg(long, value_name = "NAME", help_heading = HEADING)]
    context: Option<String>,

    /// User to impersonate
    #[arg(long = "as", value_name = "USER", help_heading = HEADING)]
    user: Option<String>,

    /// Group to impersonate; several times for several groups
    #[arg(long = "as-group", value_name = "GROUP", requires = "user", help_heading = HEADING)]
    groups: Vec<String>,

    /// How long the cluster is asked, as in 90s or 1h; what is not answered then is undecided [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = HEADING)]
    timeout: Option<Duration>,

    /// Show no progress
    #[arg(short, long, conflicts_with = "verbose", help_heading = HEADING)]
    quiet: bool,

    /// Show what becomes of each API path
    #[arg(short, long, help_heading = HEADING)]
    verbose: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration: jiff::SignedDuration = text.parse().map_err(|e: jiff::Error| e.to_string())?;
    match Duration::try_from(duration) {
        Ok(duration) if duration > Duration::ZERO => Ok(duration),
        _ => Err("write a time such as 90s, 10m or 1h".to_owned()),
    }
}

/// A cluster that can be asked.
pub(crate) struct Cluster {
    connection: Connection,
    stop: Arc<Stop>,
    shown: Arc<Shown>,
}

impl Live {
    /// The first option that only makes sense with a live cluster.
    pub(crate) fn named(&self) -> Option<&'static str> {
        let options = [
            (self.kubeconfig.is_some(), "--kubeconfig"),
            (self.context.is_some(), "--context"),
            (self.user.is_some(), "--as"),
            (self.timeout.is_some(), "--timeout"),
        ];
        options.into_iter().find_map(|(given, option)| given.then_some(option))
    }

    /// Finds the cluster. From now on Ctrl-C ends the asking; what is there already is made use of.
    pub(crate) fn connect(&self) -> Result<Cluster> {
        let connection = Connection::new(&Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            user: self.user.clone(),
            groups: self.groups.clone(),
        })?;
        let stop = Arc::new(Stop::new(Some(self.timeout.unwrap_or(TIMEOUT))));
        let shown = Arc::new(Shown::new(self.quiet, self.verbose));
        // Reports are written when the connection is gone, and signals are obeyed then too.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let obey = obey_signals(Arc::clone(&stop), Arc::clone(&shown));
        thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(obey))?;
        Ok(Cluster { connection, stop, shown })
    }
}

/// The first signal ends the asking, the second the program.
async fn obey_signals(stop: Arc<Stop>, shown: Arc<Shown>) {
    if !signalled().await {
        return;
    }
    stop.interrupt();
    shown.say("interrupted: what has been answered is made use of; once more to end at once");
    if signalled().await {
        // As a shell has it for a program that a signal ended.
        process::exit(130);
    }
}

/// Waits for a signal to end; false where there can be none.
#[cfg(unix)]
async fn signalled() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    // What ends a pod.
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return tokio::signal::ctrl_c().await.is_ok();
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.is_ok(),
        terminated = terminate.recv() => terminated.is_some(),
    }
}

#[cfg(not(unix))]
async fn signalled() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

impl Cluster {
    /// The cluster as a source, once it is clear that it can be asked: for these paths.
    pub(crate) fn source<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Result<ClusterSource<'_>> {
        let paths: BTreeSet<_> = paths.into_iter().collect();
        let source =
            ClusterSource::new(&self.connection, Arc::clone(&self.stop), Arc::clone(&self.shown) as _);
        let context = self.connection.context().map(|context| format!(" (context {context})"));
        let context = context.unwrap_or_default();
        self.shown.say(&format!("{}{context}: {} API paths", self.connection.cluster(), paths.len()));
        source.reach()?;
        self.tell_what_is_missing(&needs(paths.iter().copied()));
        self.shown.begin(&paths);
        Ok(source)
    }

    /// Says what the account may not. It is no reason not to try: the API server has the last word.
    fn tell_what_is_missing(&self, needs: &BTreeSet<Need>) {
        let preflight = preflight(&self.connection, needs, &self.stop);
        if let Some(note) = preflight.note {
            self.shown.say(&format!("what the account may read is not known: {note}"));
        }
        if preflight.missing.is_empty() {
            return;
        }
        let missing: Vec<_> = preflight
            .missing
            .iter()
            .map(|need| format!("    {}\n", text::shown(&need.to_string())))
            .collect();
        anstream::eprintln!(
            "the account may not do all that is needed; rules that rest on it are unknown:\n{}virtscap rbac prints a role that \
             allows it",
            missing.concat()
        );
    }

    /// The cluster as a source of its nodes.
    pub(crate) fn source_of_nodes(&self) -> ClusterSource<'_> {
        ClusterSource::new(&self.connection, Arc::clone(&self.stop), Arc::clone(&self.shown) as _)
    }

    /// The API server's address.
    pub(crate) fn name(&self) -> &str {
        self.connection.cluster()
    }

    /// How far it is with the nodes.
    pub(crate) fn progress(&self) -> &Shown {
        &self.shown
    }

    /// All has been asked for.
    pub(crate) fn finish(&self) {
        self.shown.finish();
    }
}
