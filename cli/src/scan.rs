//! `virtscap scan`, and what it shares with `virtscap collect`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use virtscap_evaluator::content::Content;
use virtscap_evaluator::report::arf;
use virtscap_evaluator::scan::{Prepared, Request, scan, scan_dump, scan_node, scan_with_node};
use virtscap_evaluator::source::{Manifests, MustGather, RecordedNode, Snapshot};
use virtscap_scap::xccdf::Tailoring;

use crate::content::{ContentArgs, named};
use crate::live::{Cluster, Live};
use crate::nodes::{From, Nodes, Plan};
use crate::shown::Shown;
use crate::tailor::read_tailoring;
use crate::{Outcome, output};

/// Scan a cluster, a snapshot of one, a dump of it, or the files of a node
///
/// A cluster, a snapshot or a dump decides the rules on the cluster's objects, a node's files those on nodes; the others are
/// unknown. A must-gather or manifests need not have all objects: a rule that depends on what they lack is notchecked.
///
/// The source is one of --snapshot, --dump, --must-gather, --manifests, --root and --node, or else the cluster of the current
/// kubeconfig. Ctrl-C ends the asking, and what has been answered is reported.
///
/// Exit status: 0 if all rules passed, 2 if some rule did not pass or the scan is partial, 1 if nothing could be scanned.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    #[command(flatten)]
    source: Source,

    /// Node of a must-gather: rules on nodes read its kernel's command line, which is all that there is of a node
    #[arg(long, value_name = "NAME", requires = "must_gather", conflicts_with_all = ["snapshot", "dump", "manifests", "root", "node"])]
    node_name: Option<String>,

    #[command(flatten)]
    live: Live,

    #[command(flatten)]
    nodes: Nodes,

    #[command(flatten)]
    what: What,

    /// Write an ARF 1.1 document
    #[arg(long, value_name = "FILE")]
    arf: Option<PathBuf>,

    /// Write XCCDF results
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,

    #[command(flatten)]
    shown: Shown,
}

/// What is scanned.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct Source {
    /// Snapshot: API answers under their API path, in a folder or a .tar.gz of it
    #[arg(long, value_name = "DIR|TAR.GZ")]
    snapshot: Option<PathBuf>,

    /// Dump: what the content's filters left of the API answers, as the Compliance Operator's collector or virtscap
    /// collect --dump writes it; the folder kubernetes-api-resources, or the one that holds it
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,

    /// Must-gather: what oc adm must-gather or oc adm inspect wrote, in a folder or an archive of it
    #[arg(long, value_name = "DIR|TAR.GZ")]
    must_gather: Option<PathBuf>,

    /// Manifests: objects as they are applied, in YAML or JSON files, in folders of them, or on standard input (-)
    #[arg(long, value_name = "PATH", num_args = 1..)]
    manifests: Vec<PathBuf>,

    /// Root of a node: /, or where it is mounted
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Recorded files of a node, as virtscap collect --root writes them
    #[arg(long, value_name = "DIR")]
    node: Option<PathBuf>,
}

/// What is scanned for.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// Profile: its short name or its id
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    #[command(flatten)]
    content: ContentArgs,

    /// Tailoring: an XCCDF tailoring file, or a TailoredProfile in YAML
    #[arg(long, value_name = "FILE")]
    tailoring: Option<PathBuf>,
}

/// What is scanned for, read.
pub(crate) struct Loaded {
    /// The files, to name them where they are of no use.
    pub(crate) name: String,
    content: Content,
    tailoring: Option<(Tailoring, String)>,
    profile: Option<String>,
}

/// The profile that is taken where none is named and the content is our own.
const DEFAULT_PROFILE: &str = "level-1";

impl What {
    pub(crate) fn load(&self) -> Result<Loaded> {
        let content = self.content.load()?;
        let tailoring = self.tailoring.as_deref().map(|file| {
            Ok::<_, anyhow::Error>((read_tailoring(file, &content)?, file.display().to_string()))
        });
        let tailoring = tailoring.transpose()?;
        let own = self.content.is_own() && tailoring.is_none();
        let profile = self.profile.clone().or_else(|| own.then(|| DEFAULT_PROFILE.to_owned()));
        let name = named(&self.content.href(), tailoring.as_ref());
        Ok(Loaded { name, content, tailoring, profile })
    }
}

impl Loaded {
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            content: &self.content,
            tailoring: self.tailoring.as_ref().map(|(tailoring, href)| (tailoring, href.as_str())),
            profile: self.profile.as_deref(),
        }
    }
}

#[cfg(unix)]
pub(crate) fn open_root(root: &Path) -> Result<virtscap_evaluator::source::HostRoot> {
    Ok(virtscap_evaluator::source::HostRoot::open(root)?)
}

#[cfg(not(unix))]
pub(crate) fn open_root(_: &Path) -> Result<RecordedNode> {
    bail!("the root of a node can be read on Unix systems only; record it there with virtscap collect --root")
}

#[cfg(unix)]
fn open_dump(dump: &Path) -> Result<virtscap_evaluator::source::DumpFolder> {
    Ok(virtscap_evaluator::source::DumpFolder::open(dump)?)
}

#[cfg(not(unix))]
fn open_dump(_: &Path) -> Result<RecordedNode> {
    bail!("a dump can be read on Unix systems only; scan the snapshot that it was made of")
}

fn scan_cluster<'a>(
    request: &'a Request<'a>,
    cluster: &Cluster,
) -> Result<virtscap_evaluator::scan::Scan<'a>> {
    let prepared = Prepared::new(request)?;
    let endpoints = prepared.endpoints();
    let paths = endpoints.iter().filter(|endpoint| endpoint.refused.is_none());
    let source = cluster.source(paths.map(|endpoint| endpoint.path.as_str()))?;
    let scan = prepared.scan(&source);
    cluster.finish();
    Ok(scan)
}

fn node_of(gathered: &MustGather, name: &str) -> Result<RecordedNode> {
    gathered.node(name).with_context(|| {
        let known = gathered.nodes().collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "of no node".to_owned() } else { format!("of {known}") };
        format!("the must-gather has no kernel command line of the node '{name}', but {known}")
    })
}

fn open_manifests(paths: &[PathBuf]) -> Result<Manifests> {
    let manifests = Manifests::open(paths, &mut std::io::stdin().lock())?;
    for note in manifests.notes() {
        anstream::eprintln!("{note}");
    }
    Ok(manifests)
}

impl Scan {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let loaded = self.what.load()?;
        let request = loaded.request();
        let named = || loaded.name.clone();
        let Source { snapshot, dump, must_gather, manifests, root, node } = &self.source;
        let recorded = [snapshot, dump, must_gather, root, node].into_iter().any(Option::is_some);
        let recorded = recorded || !manifests.is_empty();
        if let Some(option) = self.live.named().filter(|_| recorded) {
            bail!("{option} is for a live cluster; name it, or another source");
        }
        let may_have_nodes = !recorded || snapshot.is_some();
        if let Some(option) = self.nodes.named().filter(|_| !may_have_nodes) {
            bail!("{option} is for a live cluster or a snapshot; name it, or another source");
        }
        let plan = if may_have_nodes { self.nodes.plan(&request)? } else { None };
        let of_snapshot = match (&plan, snapshot) {
            (Some(plan), Some(snapshot)) => self.nodes.of_snapshot(plan, snapshot)?,
            _ => None,
        };
        let nodes = plan.filter(|_| snapshot.is_none() || of_snapshot.is_some());
        let alone = nodes.as_ref().is_some_and(|nodes| nodes.alone);
        if alone && (self.arf.is_some() || self.results.is_some()) {
            bail!(
                "--arf and --results are of one source; name a folder for those of the nodes with --nodes-out"
            );
        }
        let cluster = if recorded { None } else { Some(self.live.connect()?) };
        let scan_nodes = |plan: &Plan<'_>| match (&of_snapshot, snapshot, &cluster) {
            (Some(nodes), Some(folder), _) => plan.run(From::Snapshot(nodes, folder), &request, &self.shown),
            (.., Some(cluster)) => plan.run(From::Cluster(cluster), &request, &self.shown),
            _ => Ok(Outcome::Success),
        };
        if let Some(nodes) = nodes.as_ref().filter(|_| alone) {
            return scan_nodes(nodes);
        }
        let scan = match (snapshot, dump, must_gather, root, node, &cluster) {
            _ if !manifests.is_empty() => scan(&request, &open_manifests(manifests)?).with_context(named)?,
            (Some(snapshot), ..) => scan(&request, &Snapshot::open(snapshot)?).with_context(named)?,
            (_, Some(dump), ..) => scan_dump(&request, &open_dump(dump)?).with_context(named)?,
            (_, _, Some(gathered), ..) => {
                let gathered = MustGather::open(gathered)?;
                match &self.node_name {
                    None => scan(&request, &gathered).with_context(named)?,
                    Some(name) => {
                        scan_with_node(&request, &gathered, &node_of(&gathered, name)?).with_context(named)?
                    }
                }
            }
            (_, _, _, Some(root), ..) => scan_node(&request, &open_root(root)?).with_context(named)?,
            (.., Some(node), _) => scan_node(&request, &RecordedNode::open(node)?).with_context(named)?,
            (.., Some(cluster)) => scan_cluster(&request, cluster)?,
            (None, None, None, None, None, None) => {
                bail!("name a source: --snapshot, --dump, --must-gather, --manifests, --root or --node")
            }
        };
        if let Some(file) = &self.arf {
            output::write(file, &arf::asset_report(&scan)?)?;
        }
        if let Some(file) = &self.results {
            output::write(file, &arf::xccdf_results(&scan)?)?;
        }
        let outcome = self.shown.show(&scan.report, &scan.texts)?;
        match &nodes {
            Some(nodes) => Ok(outcome.and(scan_nodes(nodes)?)),
            None => Ok(outcome),
        }
    }
}
