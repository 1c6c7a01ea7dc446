//! `virtscap collect`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use virtscap_evaluator::collect::collect_always;
use virtscap_evaluator::dump::DumpFile;
use virtscap_evaluator::files::OnNode;
use virtscap_evaluator::record;
use virtscap_evaluator::report::text;
use virtscap_evaluator::scan::Prepared;
use virtscap_evaluator::source::{NodeSource as _, Recorded, Recording, Snapshot};

use crate::Outcome;
use crate::live::{Cluster, Live};
use crate::nodes::Plan;
use crate::scan::{What, open_root};

/// Collect what the rules of a profile want, to be scanned elsewhere
///
/// --snapshot and --dump filter a snapshot into a dump, as the Compliance Operator's collector would, for oscap to scan:
/// it reads the dump with OSCAP_PROBE_ROOT set to the folder that holds kubernetes-api-resources.
///
/// --root and --node record the files of a node, for virtscap scan --node.
///
/// --out records a snapshot of the cluster of the current kubeconfig, for virtscap scan --snapshot. Secrets, tokens, cloud-init's
/// data and the like are left out. Exit status: 2 if something could not be collected.
#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// Snapshot: API answers under their API path, in a folder or a .tar.gz of it
    #[arg(long, value_name = "DIR|TAR.GZ", requires = "dump")]
    snapshot: Option<PathBuf>,

    /// Folder to write a dump to; it stands for /kubernetes-api-resources
    #[arg(long, value_name = "DIR", requires = "snapshot")]
    dump: Option<PathBuf>,

    /// Root of a node: /, or where it is mounted
    #[arg(long, value_name = "DIR", requires = "node", conflicts_with_all = ["snapshot", "dump"])]
    root: Option<PathBuf>,

    /// Folder to write the recorded files to
    #[arg(long, value_name = "DIR", requires = "root")]
    node: Option<PathBuf>,

    /// Folder to write a snapshot of the live cluster to
    #[arg(long, value_name = "DIR", conflicts_with_all = ["snapshot", "dump", "root", "node"])]
    out: Option<PathBuf>,

    /// Record nodes of the cluster too, by way of their virt-handler pods: all, or those of a label selector. They are written to
    /// nodes/NAME in the folder of --out, for virtscap scan --snapshot with --nodes all
    #[arg(long, value_name = "all|SELECTOR", requires = "out")]
    nodes: Option<String>,

    #[command(flatten)]
    live: Live,

    #[command(flatten)]
    what: What,
}

impl Collect {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let loaded = self.what.load()?;
        let request = loaded.request();
        let prepared = Prepared::new(&request).with_context(|| loaded.name.clone())?;
        if let Some(out) = &self.out {
            let nodes = self.nodes.as_deref().map(|nodes| Plan::of(nodes, &request)).transpose()?;
            let cluster = self.live.connect()?;
            let recorded = record_cluster(&prepared, &cluster, out)?;
            return match nodes {
                Some(nodes) => Ok(recorded.and(nodes.record(&cluster, &request, out)?)),
                None => Ok(recorded),
            };
        }
        if let Some(option) = self.live.named() {
            bail!("{option} is for a live cluster: name a folder for its snapshot with --out");
        }
        match (&self.snapshot, &self.dump, &self.root, &self.node) {
            (Some(snapshot), Some(dump), None, None) => collect_snapshot(&prepared, snapshot, dump)?,
            (None, None, Some(root), Some(node)) => record_node(&prepared, root, node)?,
            _ => bail!("name a source and a folder: --snapshot with --dump, --root with --node, or --out"),
        }
        Ok(Outcome::Success)
    }
}

fn record_cluster(prepared: &Prepared<'_>, cluster: &Cluster, folder: &Path) -> Result<Outcome> {
    let paths = record::paths(&prepared.endpoints());
    let asked = paths.iter().filter(|(_, refusal)| refusal.is_none());
    let source = cluster.source(asked.map(|(path, _)| path.as_str()))?;
    let collection = record::record(&source, &paths, folder)?;
    cluster.finish();
    let (mut written, mut missing) = (0, 0);
    for (path, outcome) in &collection.paths {
        match outcome {
            record::Outcome::Refused { code: 403, reason } => {
                written += 1;
                anstream::eprintln!("kept as refused: {}", text::shown(&format!("{path}: {reason}")));
            }
            // What a cluster does not serve is no news.
            record::Outcome::Collected { .. } | record::Outcome::Refused { .. } => written += 1,
            record::Outcome::Missing { reason } => {
                missing += 1;
                anstream::eprintln!("not collected: {}", text::shown(&format!("{path}: {reason}")));
            }
        }
    }
    if let Some(partial) = &collection.partial {
        anstream::eprintln!("this snapshot is partial: {partial}");
    }
    anstream::eprintln!("{written} answers in {}", folder.display());
    Ok(if missing == 0 { Outcome::Success } else { Outcome::NotPassed })
}

fn collect_snapshot(prepared: &Prepared<'_>, snapshot: &Path, folder: &Path) -> Result<()> {
    let source = Snapshot::open(snapshot)?;
    let mut dump = prepared.collect(&source);
    collect_always(&source, &mut dump);
    dump.write_to(folder)?;
    let mut written = 0;
    for (_, file) in dump.iter() {
        match file {
            DumpFile::Document(_) | DumpFile::NotFound => written += 1,
            DumpFile::Absent { reason } => anstream::eprintln!("not written: {reason}"),
        }
    }
    anstream::eprintln!("{written} files in {}", folder.display());
    Ok(())
}

/// What the rules ask of files depends on what they find, so they are evaluated once.
fn record_node(prepared: &Prepared<'_>, root: &Path, folder: &Path) -> Result<()> {
    let source = open_root(root)?;
    let recording = Recording::new(&source);
    prepared.evaluate(&OnNode(&recording), source.describe());
    let node = recording.into_node(source.name());
    node.write_to(folder)?;
    let mut written = 0;
    for (path, recorded) in node.iter() {
        match recorded {
            Recorded::Unreadable { reason } => anstream::eprintln!("unreadable: {path}: {reason}"),
            Recorded::There { .. } | Recorded::Absent => written += 1,
        }
    }
    anstream::eprintln!("{written} paths of {} in {}", node.name(), folder.display());
    Ok(())
}
