//! How far the asking of a cluster is: a line that moves on a terminal, plain lines elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use virtscap_evaluator::report::text;
use virtscap_evaluator::source::cluster::{Event, Progress};

/// Progress on standard error.
pub(crate) struct Shown {
    quiet: bool,
    verbose: bool,
    begun: Instant,
    bar: ProgressBar,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The paths that are asked for; what else is asked, such as the version, is not counted.
    wanted: BTreeSet<String>,
    /// The paths that are being fetched.
    active: BTreeSet<String>,
    /// How many objects of each path are there.
    objects: BTreeMap<String, u64>,
    done: u64,
    /// Since when nodes are asked.
    nodes: Option<Instant>,
}

impl State {
    fn objects(&self) -> u64 {
        self.objects.values().sum()
    }
}

impl Shown {
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        let bar = ProgressBar::hidden();
        Self { quiet, verbose, begun: Instant::now(), bar, state: Mutex::default() }
    }

    /// These paths will be asked for.
    pub(crate) fn begin(&self, paths: &BTreeSet<&str>) {
        self.state().wanted = paths.iter().map(|path| (*path).to_owned()).collect();
        self.show_bar("{spinner} {elapsed} {pos}/{len} paths, {wide_msg}", paths.len());
    }

    /// All has been asked for.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
        let state = self.state();
        let (done, objects) = (state.done, state.objects());
        drop(state);
        self.say(&format!("{done} paths, {objects} objects in {} s", self.begun.elapsed().as_secs()));
    }

    /// So many nodes will be asked.
    pub(crate) fn begin_nodes(&self, nodes: usize) {
        *self.state() = State { nodes: Some(Instant::now()), ..State::default() };
        self.bar.reset();
        self.show_bar("{spinner} {elapsed} {pos}/{len} nodes, {wide_msg}", nodes);
    }

    /// A node has been asked: for all that was wanted, or not. Why is told with the results.
    pub(crate) fn node_is_done(&self, node: &str, whole: bool) {
        let mut state = self.state();
        state.done += 1;
        self.bar.set_position(state.done);
        self.bar.set_message(text::shown(node));
        drop(state);
        if self.verbose {
            self.say(&format!("node {node}: {}", if whole { "read" } else { "not read to the end" }));
        }
    }

    /// All nodes have been asked.
    pub(crate) fn finish_nodes(&self) {
        self.bar.finish_and_clear();
        let state = self.state();
        let (done, begun) = (state.done, state.nodes.unwrap_or(self.begun));
        drop(state);
        self.say(&format!("{done} nodes in {} s", begun.elapsed().as_secs()));
    }

    /// On a terminal.
    fn show_bar(&self, template: &str, length: usize) {
        if self.quiet || !std::io::stderr().is_terminal() {
            return;
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(length as u64);
        self.bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        self.bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// A line for people.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            self.bar.suspend(|| anstream::eprintln!("{}", text::shown(line)));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Shown {
    fn event(&self, path: &str, event: Event<'_>) {
        let mut state = self.state();
        if !state.wanted.contains(path) {
            return;
        }
        let mut line = None;
        match event {
            Event::Asked => {
                state.active.insert(path.to_owned());
            }
            Event::Page { objects } => *state.objects.entry(path.to_owned()).or_default() += objects,
            Event::Restarted => {
                state.objects.remove(path);
                line = Some(format!("{path}: the list has expired, and is read anew"));
            }
            Event::Again { reason, wait } => {
                line = Some(format!("{path}: {reason}; asked again in {} ms", wait.as_millis()));
            }
            Event::Done(refusal) => {
                state.active.remove(path);
                state.done += 1;
                line = Some(match refusal {
                    Some(refusal) => {
                        // What was there of it is of no use.
                        state.objects.remove(path);
                        format!("{path}: {refusal}")
                    }
                    None => {
                        format!("{path}: {} objects", state.objects.get(path).copied().unwrap_or_default())
                    }
                });
            }
        }
        self.bar.set_position(state.done);
        let current = state.active.first().cloned().unwrap_or_default();
        self.bar.set_message(format!("{} objects, {}", state.objects(), text::shown(&current)));
        drop(state);
        if let Some(line) = line.filter(|_| self.verbose) {
            self.say(&line);
        }
    }
}
