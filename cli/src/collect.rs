//! `virtscap collect`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use virtscap_evaluator::collect::collect_always;
use virtscap_evaluator::dump::DumpFile;
use virtscap_evaluator::files::OnNode;
use virtscap_evaluator::scan::Prepared;
use virtscap_evaluator::source::{NodeSource as _, Recorded, Recording, Snapshot};

use crate::Outcome;
use crate::scan::{What, open_root};

/// Collect what the rules of a profile want, to be scanned elsewhere
///
/// --snapshot and --dump filter a snapshot into a dump, as the Compliance Operator's collector would, for oscap to scan:
/// it reads the dump with OSCAP_PROBE_ROOT set to the folder that holds kubernetes-api-resources.
///
/// --root and --node record the files of a node, for virtscap scan --node.
#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// Snapshot: API answers under their API path, in a folder or a .tar.gz of it
    #[arg(long, value_name = "DIR|TAR.GZ", requires = "dump", required_unless_present = "root")]
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

    #[command(flatten)]
    what: What,
}

impl Collect {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let loaded = self.what.load()?;
        let request = loaded.request();
        let prepared = Prepared::new(&request).with_context(|| loaded.name.clone())?;
        match (&self.snapshot, &self.dump, &self.root, &self.node) {
            (Some(snapshot), Some(dump), None, None) => collect_snapshot(&prepared, snapshot, dump)?,
            (None, None, Some(root), Some(node)) => record_node(&prepared, root, node)?,
            _ => bail!("name a source and a folder: --snapshot with --dump, or --root with --node"),
        }
        Ok(Outcome::Success)
    }
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
