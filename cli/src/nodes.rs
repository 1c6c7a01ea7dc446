//! The nodes of a cluster as a source of `virtscap scan`: which ones, with which profile, and what becomes of their results.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use virtscap_evaluator::folder::FolderError;
use virtscap_evaluator::nodes::{Target, record_nodes, scan_nodes, scan_recorded};
use virtscap_evaluator::report::nodes::NodesReport;
use virtscap_evaluator::report::{SourceReport, arf, html, text};
use virtscap_evaluator::scan::{Prepared, Request, Scan};
use virtscap_evaluator::source::cluster::{ClusterNode, NODE_ROOT, nodes};
use virtscap_evaluator::source::remote::{Executor, Limits};
use virtscap_evaluator::source::{NODES_FOLDER, RecordedNodes, node_file_name};

use crate::live::{Cluster, HEADING};
use crate::shown::{Shown, json};
use crate::{Outcome, output};

/// The end of a profile's name that is for nodes.
const OF_NODES: &str = "-node";

/// Which nodes of a cluster are scanned.
#[derive(Debug, Args)]
pub(crate) struct Nodes {
    /// Scan nodes of the cluster, by way of their virt-handler pods: all, none, or those of a label selector. With a
    /// profile NAME, the cluster is scanned for NAME and the nodes for NAME-node; with NAME-node, the nodes alone, and
    /// all where this is not given. Of a snapshot, all or none of the nodes that were recorded with it
    #[arg(long, value_name = "all|none|SELECTOR", help_heading = HEADING)]
    nodes: Option<String>,

    /// New folder for the results of nodes: summary.json, summary.html, and nodes/NODE.arf.xml, .json and .html
    #[arg(long, value_name = "DIR", help_heading = HEADING)]
    nodes_out: Option<PathBuf>,
}

/// Where the nodes are.
pub(crate) enum From<'a> {
    /// In a live cluster.
    Cluster(&'a Cluster),
    /// In the snapshot in this folder.
    Snapshot(&'a RecordedNodes, &'a Path),
}

/// A scan of nodes that can be begun.
pub(crate) struct Plan<'a> {
    /// Whether the cluster's objects are not scanned.
    pub(crate) alone: bool,
    profile: String,
    selector: Option<&'a str>,
    out: Option<&'a Path>,
}

impl Nodes {
    /// The first option that only makes sense with a live cluster or a snapshot.
    pub(crate) fn named(&self) -> Option<&'static str> {
        let options = [(self.nodes.is_some(), "--nodes"), (self.nodes_out.is_some(), "--nodes-out")];
        options.into_iter().find_map(|(given, option)| given.then_some(option))
    }

    /// What is to be done for a request; nothing where no nodes are wanted. Says what is wrong before anything is asked of
    /// a cluster.
    pub(crate) fn plan(&self, request: &Request<'_>) -> Result<Option<Plan<'_>>> {
        let alone = is_of_nodes(request);
        let nodes = match self.nodes.as_deref() {
            None if alone => "all",
            Some("none") | None if self.nodes_out.is_some() => {
                bail!("--nodes-out wants --nodes: no nodes are scanned")
            }
            Some("none") | None => return Ok(None),
            Some(nodes) => nodes,
        };
        let plan = Plan::of(nodes, request)?;
        let out = self.nodes_out.as_deref();
        if let Some(out) = out
            && std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some())
        {
            return Err(FolderError::NotEmpty { path: out.to_owned() }.into());
        }
        Ok(Some(Plan { out, ..plan }))
    }

    /// The nodes of a snapshot that a plan is for. A profile of nodes alone does not ask for them where there are none: it may
    /// have rules on the cluster's objects.
    pub(crate) fn of_snapshot(&self, plan: &Plan<'_>, snapshot: &Path) -> Result<Option<RecordedNodes>> {
        if let Some(selector) = plan.selector {
            bail!(
                "--nodes {selector}: a snapshot does not have the labels of its nodes; --nodes all scans each"
            );
        }
        let nodes = RecordedNodes::open(snapshot)?;
        if nodes.is_none() && self.named().is_some() {
            bail!(
                "{}: there is no folder {NODES_FOLDER} in it, as virtscap collect --out DIR --nodes all makes; an archive has to \
                 be unpacked",
                snapshot.display()
            );
        }
        Ok(nodes)
    }
}

/// Whether a request is for a profile of nodes.
fn is_of_nodes(request: &Request<'_>) -> bool {
    request.profile.is_some_and(|profile| profile.ends_with(OF_NODES))
}

/// The profile for the nodes: the one that is asked for, or its twin.
fn profile_of_nodes(request: &Request<'_>) -> Result<String> {
    let profile = request.profile.context("name the profile with --profile: nodes have one of their own")?;
    let profile = if is_of_nodes(request) { profile.to_owned() } else { format!("{profile}{OF_NODES}") };
    Prepared::new(&Request { profile: Some(&profile), ..*request }).context("the profile of the nodes")?;
    Ok(profile)
}

impl<'a> Plan<'a> {
    /// For all nodes, or those of a label selector.
    pub(crate) fn of(nodes: &'a str, request: &Request<'_>) -> Result<Self> {
        let selector = Some(nodes).filter(|nodes| *nodes != "all");
        Ok(Self { alone: is_of_nodes(request), profile: profile_of_nodes(request)?, selector, out: None })
    }

    /// Finds the nodes, and does something with them and with what the rules ask of them.
    fn with_nodes<T>(
        &self,
        cluster: &Cluster,
        request: &Request<'_>,
        work: impl FnOnce(&Prepared<'_>, &[Target<'_>]) -> Result<T>,
    ) -> Result<T> {
        let request = Request { profile: Some(&self.profile), ..*request };
        let prepared = Prepared::new(&request)?;
        let nodes = nodes(&cluster.source_of_nodes(), self.selector)?;
        let targets: Vec<_> = nodes.iter().map(target).collect();
        cluster.progress().begin_nodes(targets.len());
        let done = work(&prepared, &targets);
        cluster.progress().finish_nodes();
        done
    }

    /// Records the nodes in the folder of a snapshot, and tells what could not be read.
    pub(crate) fn record(
        &self,
        cluster: &Cluster,
        request: &Request<'_>,
        snapshot: &Path,
    ) -> Result<Outcome> {
        let recorded = self.with_nodes(cluster, request, |prepared, targets| {
            let done = |node: &str, trouble: Option<&str>| {
                cluster.progress().node_is_done(node, trouble.is_none());
            };
            Ok(record_nodes(prepared, targets, NODE_ROOT, Limits::default(), &done))
        })?;
        let nodes = RecordedNodes::new(recorded);
        nodes.write_to(snapshot)?;
        let mut outcome = Outcome::Success;
        for node in nodes.iter() {
            if let Some(reason) = &node.not_read {
                outcome = Outcome::NotPassed;
                anstream::eprintln!("{}", text::shown(&format!("node {}: {reason}", node.name)));
            }
        }
        let folder = snapshot.join(NODES_FOLDER);
        anstream::eprintln!("{} nodes: their files in {}", nodes.iter().len(), folder.display());
        Ok(outcome)
    }

    /// Scans the nodes, writes their results, and shows what they have in common.
    pub(crate) fn run(&self, from: From<'_>, request: &Request<'_>, shown: &Shown) -> Result<Outcome> {
        let source = |kind: &str, location| SourceReport { kind: kind.to_owned(), location };
        let wrong = Mutex::new(Vec::new());
        let done = |node: &str, scan: &Scan<'_>| {
            if let Some(Err(error)) = self.out.map(|out| write_node(&out.join("nodes"), node, scan)) {
                wrong.lock().unwrap_or_else(PoisonError::into_inner).push(error);
            }
        };
        let (outcomes, source) = match from {
            From::Cluster(cluster) => {
                let outcomes = self.with_nodes(cluster, request, |prepared, targets| {
                    Ok(scan_nodes(prepared, targets, NODE_ROOT, Limits::default(), &|node, scan| {
                        cluster.progress().node_is_done(node, scan.report.partial.is_none());
                        done(node, scan);
                    }))
                })?;
                (outcomes, source("cluster-nodes", cluster.name().to_owned()))
            }
            From::Snapshot(nodes, folder) => {
                let request = Request { profile: Some(&self.profile), ..*request };
                let outcomes = scan_recorded(&Prepared::new(&request)?, nodes, &done);
                (outcomes, source("snapshot-nodes", folder.display().to_string()))
            }
        };
        if let Some(error) = wrong.into_inner().unwrap_or_else(PoisonError::into_inner).pop() {
            return Err(error);
        }
        let report = NodesReport::new(source, &outcomes).context("there are no nodes")?;
        if let Some(out) = self.out {
            output::write(&out.join("summary.json"), &json(&report)?)?;
            output::write(&out.join("summary.html"), &html::nodes(&report, true)?)?;
        }
        shown.show_nodes(&report, self.alone)
    }
}

fn target(node: &ClusterNode) -> Target<'_> {
    let executor = node.handler.as_ref().map(|pod| pod as &dyn Executor).map_err(String::as_str);
    Target { name: &node.name, executor }
}

/// Writes what was found on a node.
fn write_node(folder: &Path, node: &str, scan: &Scan<'_>) -> Result<()> {
    let node = node_file_name(node)?;
    let file = |ending: &str| folder.join(format!("{node}.{ending}"));
    output::write(&file("arf.xml"), &arf::asset_report(scan)?)?;
    output::write(&file("json"), &json(&scan.report)?)?;
    output::write(&file("html"), &html::render(&scan.report, &scan.texts)?)
}
