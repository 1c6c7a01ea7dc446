//! Many nodes, scanned or recorded: each by itself, some at a time.

use crate::files::OnNode;
use crate::parallel;
use crate::report::Report;
use crate::scan::{Prepared, Scan};
use crate::source::remote::{Executor, Limits, RemoteNode, told};
use crate::source::{NodeSource as _, OfCluster, RecordedNode, RecordedNodes, Recording};

/// How many nodes are scanned at a time. They wait for answers most of the time.
const AT_A_TIME: usize = 8;

/// A node to scan.
pub struct Target<'e> {
    /// Its name.
    pub name: &'e str,
    /// What runs commands on it, or why nothing does.
    pub executor: Result<&'e dyn Executor, &'e str>,
}

/// What a scan of a node found.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeOutcome {
    /// The node's name.
    pub name: String,
    /// Why it was not read, or not to the end, in words that follow its name. Rules that rest on what is missing are
    /// unknown.
    pub trouble: Option<String>,
    /// The results.
    pub report: Report,
}

/// Scans nodes. `root` is where their root is for what is run on them; `done` gets each node's results as soon as they are
/// there, from several threads. The outcomes are in the order of the nodes.
pub fn scan_nodes<'a>(
    prepared: &Prepared<'a>,
    nodes: &[Target<'_>],
    root: &str,
    limits: Limits,
    done: &(dyn Fn(&str, &Scan<'a>) + Sync),
) -> Vec<NodeOutcome> {
    parallel::each(nodes, AT_A_TIME, |node| {
        let (scan, trouble) = scan_node(prepared, node, root, limits);
        done(node.name, &scan);
        NodeOutcome { name: node.name.to_owned(), trouble, report: scan.report }
    })
}

/// Scans recorded nodes, as [`scan_nodes`] scans those of a live cluster.
pub fn scan_recorded<'a>(
    prepared: &Prepared<'a>,
    nodes: &RecordedNodes,
    done: &(dyn Fn(&str, &Scan<'a>) + Sync),
) -> Vec<NodeOutcome> {
    parallel::each(nodes.iter(), AT_A_TIME, |OfCluster { name, not_read, files }| {
        let mut scan = match files {
            Some(files) => prepared.evaluate(&OnNode(files), files.describe()),
            None => {
                let nothing = RemoteNode::not_read(name, not_read.as_deref().unwrap_or("was not recorded"));
                prepared.evaluate(&OnNode(&nothing), nothing.describe())
            }
        };
        if let Some(trouble) = not_read {
            scan.set_partial(told(name, trouble));
        }
        done(name, &scan);
        NodeOutcome { name: name.clone(), trouble: not_read.clone(), report: scan.report }
    })
}

/// Records what the rules ask of each node. What could not be read of a node is in no recording; why is told beside it.
/// `done` is told so as soon as a node was asked, from several threads.
pub fn record_nodes(
    prepared: &Prepared<'_>,
    nodes: &[Target<'_>],
    root: &str,
    limits: Limits,
    done: &(dyn Fn(&str, Option<&str>) + Sync),
) -> Vec<(RecordedNode, Option<String>)> {
    parallel::each(nodes, AT_A_TIME, |node| {
        let mut remote = remote(node, root, limits);
        let recorded = remote.settle(|remote| {
            let recording = Recording::new(remote);
            prepared.evaluate(&OnNode(&recording), remote.describe());
            recording.into_node(node.name)
        });
        let trouble = remote.trouble();
        done(node.name, trouble.as_deref());
        (recorded, trouble)
    })
}

fn remote<'e>(node: &Target<'e>, root: &str, limits: Limits) -> RemoteNode<'e> {
    match node.executor {
        Ok(executor) => RemoteNode::new(node.name, executor, root, limits),
        Err(reason) => RemoteNode::unreachable(node.name, reason),
    }
}

fn scan_node<'a>(
    prepared: &Prepared<'a>,
    node: &Target<'_>,
    root: &str,
    limits: Limits,
) -> (Scan<'a>, Option<String>) {
    let mut remote = remote(node, root, limits);
    let mut scan = remote.settle(|remote| prepared.evaluate(&OnNode(remote), remote.describe()));
    let trouble = remote.trouble();
    if let Some(trouble) = &trouble {
        scan.set_partial(told(node.name, trouble));
    }
    (scan, trouble)
}
