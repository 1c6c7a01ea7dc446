//! A node whose files are fetched as they are asked for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use virtscap_scap::oval::FileType;

use super::answers::{self, Known, too_large};
use super::questions::{Questions, Want};
use super::{ExecError, Executor, Job, Limits, script};
use crate::files::{Entries, FileState, Listing, Lookup, Metadata, Tree, join};
use crate::report::SourceReport;
use crate::source::NodeSource;

/// How many components a path may have. The script is as deep in subshells as a path in directories.
const MAX_DEPTH: usize = 100;

/// What a file counts for at least: in /proc and /sys the size says nothing.
const LEAST: u64 = 4 << 10;

/// Files of a node that is reached by an [`Executor`].
///
/// What is not known yet is withheld, and noted; [`RemoteNode::settle`] fetches it. Where anything about fetching fails,
/// everything is withheld, and says why: no rule passes on half of a node.
pub struct RemoteNode<'e> {
    name: String,
    executor: Option<&'e dyn Executor>,
    root: String,
    limits: Limits,
    known: Known,
    wanted: RefCell<BTreeMap<String, Want>>,
    /// What was asked for in earlier rounds.
    asked: BTreeMap<String, Want>,
    /// How many bytes may still be asked for.
    left: Cell<u64>,
    /// Why nothing is known, in words that follow the node's name.
    failed: Option<String>,
    /// Why nothing more is asked for, in such words.
    ended: RefCell<Option<String>>,
}

/// The trouble with a node, with its name.
pub(crate) fn told(name: &str, trouble: &str) -> String {
    format!("the node {name} {trouble}")
}

impl<'e> RemoteNode<'e> {
    /// The node of this name, whose root is at `root` for what the executor runs.
    pub fn new(name: impl Into<String>, executor: &'e dyn Executor, root: &str, limits: Limits) -> Self {
        Self { executor: Some(executor), root: root.to_owned(), ..Self::of_nothing(name, limits) }
    }

    /// A node of which nothing can be had.
    pub fn unreachable(name: impl Into<String>, reason: &str) -> Self {
        let mut node = Self::of_nothing(name, Limits::default());
        node.fail(reason);
        node
    }

    /// A node that could not be read once, for the reason that [`Self::trouble`] told then.
    pub(crate) fn not_read(name: impl Into<String>, trouble: &str) -> Self {
        Self { failed: Some(trouble.to_owned()), ..Self::of_nothing(name, Limits::default()) }
    }

    fn of_nothing(name: impl Into<String>, limits: Limits) -> Self {
        Self {
            name: name.into(),
            executor: None,
            root: String::new(),
            limits,
            known: Known::default(),
            wanted: RefCell::default(),
            asked: BTreeMap::new(),
            left: Cell::new(limits.bytes),
            failed: None,
            ended: RefCell::default(),
        }
    }

    /// Evaluates, fetches what was asked for, and evaluates again, until everything that is asked for is known. Gives what
    /// came of it the last time.
    pub fn settle<T>(&mut self, evaluate: impl Fn(&Self) -> T) -> T {
        let end = Instant::now() + self.limits.time;
        let mut rounds = 0;
        loop {
            let had_ended = self.ended.borrow().is_some();
            let outcome = evaluate(self);
            let wanted = self.wanted.take();
            if !had_ended && self.ended.borrow().is_some() {
                // What was noted before the end said that it would be fetched.
                continue;
            }
            if wanted.is_empty() {
                return outcome;
            }
            rounds += 1;
            if rounds > self.limits.rounds {
                self.end(format!("it was asked {} times and more", self.limits.rounds));
            } else if let Err(reason) = self.fetch(wanted, end) {
                self.fail(&reason);
            }
        }
    }

    /// Why not everything that was asked for is known of the node, in words that follow its name; none where it is.
    pub fn trouble(&self) -> Option<String> {
        self.failed.clone().or_else(|| self.ended.borrow().clone())
    }

    /// Runs the script once. A connection that breaks is tried once more.
    fn fetch(&mut self, wanted: BTreeMap<String, Want>, end: Instant) -> Result<(), String> {
        let executor = self.executor.ok_or("there is no way to it")?;
        let questions = Questions::new(&wanted);
        let Limits { file, entries, bytes, .. } = self.limits;
        let arguments =
            [script(), "sh".into(), self.root.clone(), (file + 1).to_string(), entries.to_string()];
        let job = |time| Job {
            command: ["sh".to_owned(), "-c".to_owned()].into_iter().chain(arguments.clone()).collect(),
            input: questions.input.as_bytes(),
            // Base64 adds a third; what is asked for may grow; and names and numbers need room, too.
            most: usize::try_from(bytes).unwrap_or(usize::MAX).saturating_mul(2).saturating_add(64 << 20),
            time,
        };
        let run = || match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(ExecError::TimedOut(self.limits.time)),
            left => executor.run(&job(left)),
        };
        let answer = match run() {
            Err(ExecError::Broken(_)) => run(),
            done => done,
        };
        let answer = answer.map_err(|e| e.to_string())?;
        let new = answers::read(&answer, &questions.paths, file).map_err(|e| e.to_string())?;
        self.learn(new, &wanted);
        for (path, want) in wanted {
            let asked = self.asked.entry(path).or_default();
            asked.entries |= want.entries;
            asked.content |= want.content;
        }
        Ok(())
    }

    /// Keeps what was answered. What was known before stays, so that all is judged on the same.
    fn learn(&mut self, new: Known, wanted: &BTreeMap<String, Want>) {
        let Known { metadata, entries, contents, .. } = &mut self.known;
        for (path, found) in new.metadata {
            metadata.entry(path).or_insert(found);
        }
        for (path, found) in new.entries {
            entries.entry(path).or_insert(found);
        }
        for (path, found) in new.contents {
            contents.entry(path).or_insert(found);
        }
        for folder in new.closed {
            let reason = format!("{folder}: it cannot be gone into, or was replaced meanwhile");
            entries.entry(folder.clone()).or_insert_with(|| Lookup::unreadable(&reason));
            let below = join(&folder, "");
            for (path, _) in wanted.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below)) {
                metadata.entry(path.clone()).or_insert_with(|| Lookup::unreadable(&reason));
            }
        }
    }

    fn fail(&mut self, reason: &str) {
        self.failed = Some(format!("could not be read: {reason}"));
        self.wanted.take();
    }

    fn end(&self, reason: String) {
        self.ended.borrow_mut().get_or_insert(format!("was not read to the end: {reason}"));
        self.wanted.take();
    }

    /// Notes that something is asked for, and says why it is not there.
    fn ask<T>(&self, path: &str, want: Want) -> Lookup<T> {
        if let Some(reason) = self.ended.borrow().as_ref() {
            return Lookup::withheld(told(&self.name, reason));
        }
        if path.contains('\0') {
            return Lookup::unreadable("no path holds a NUL");
        }
        if path.split('/').count() > MAX_DEPTH {
            return Lookup::unreadable(format!("{path}: it has more than {MAX_DEPTH} components"));
        }
        let asked = self.asked.get(path);
        if asked.is_some_and(|asked| asked.entries >= want.entries && asked.content >= want.content) {
            return Lookup::withheld(format!("{path}: the node {} did not say anything of it", self.name));
        }
        let mut wanted = self.wanted.borrow_mut();
        if self.asked.len() + wanted.len() >= self.limits.paths {
            drop(wanted);
            self.end(format!("it was asked for more than {} paths", self.limits.paths));
            return self.ask(path, want);
        }
        let noted = wanted.entry(path.to_owned()).or_default();
        noted.entries |= want.entries;
        noted.content |= want.content;
        Lookup::withheld(format!("{path}: not fetched yet"))
    }

    /// What is said of everything where nothing is known.
    fn failure<T>(&self) -> Option<Lookup<T>> {
        self.failed.as_ref().map(|trouble| Lookup::withheld(told(&self.name, trouble)))
    }

    /// Whether nothing is there, since the directory that would hold it was listed without it.
    fn is_not_listed(&self, path: &str) -> bool {
        let Some((folder, name)) = path.rsplit_once('/') else { return false };
        let folder = if folder.is_empty() { "/" } else { folder };
        match self.known.entries.get(folder) {
            Some(Lookup::Found(Entries { entries, withheld: None })) => {
                entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).is_err()
            }
            _ => false,
        }
    }
}

impl Tree for RemoteNode<'_> {
    fn ahead(&self, path: &str) {
        let plain = path.split('/').fold(Vec::new(), |mut names, name| {
            match name {
                "" | "." => {}
                ".." => {
                    names.pop();
                }
                name => names.push(name),
            }
            names
        });
        let path = format!("/{}", plain.join("/"));
        let known = &self.known.metadata;
        if self.failed.is_some() || known.contains_key(&path) || self.asked.contains_key(&path) {
            return;
        }
        // Below what is known to be no directory there is nothing to ask for.
        let leads = path.match_indices('/').skip(1).all(|(at, _)| match known.get(&path[..at]) {
            Some(Lookup::Found(metadata)) => metadata.file_type == FileType::Directory,
            Some(_) => false,
            None => !self.is_not_listed(&path[..at]),
        });
        if leads && !self.is_not_listed(&path) {
            let _: Lookup<()> = self.ask(&path, Want::default());
        }
    }

    fn look(&self, path: &str) -> Lookup<Metadata> {
        if let Some(failure) = self.failure() {
            return failure;
        }
        match self.known.metadata.get(path) {
            Some(found) => found.clone(),
            None if self.is_not_listed(path) => Lookup::absent(),
            None => self.ask(path, Want::default()),
        }
    }

    fn content(&self, path: &str) -> FileState<'_> {
        if let Some(failure) = self.failure() {
            return failure;
        }
        if let Some(content) = self.known.contents.get(path) {
            return match content {
                Lookup::Found(content) => Lookup::Found(content.into()),
                Lookup::Missing { reason } => Lookup::Missing { reason: reason.clone() },
                Lookup::Unreadable { reason } => Lookup::unreadable(reason),
            };
        }
        let size = match self.known.metadata.get(path) {
            Some(Lookup::Found(metadata)) => metadata.size,
            _ => 0,
        };
        if size > self.limits.file {
            return too_large(self.limits.file);
        }
        let is_new = self.wanted.borrow().get(path).is_none_or(|want| !want.content);
        if is_new {
            match self.left.get().checked_sub(size.max(LEAST)) {
                Some(left) => self.left.set(left),
                None => self.end(format!("its files hold more than {} MiB", self.limits.bytes >> 20)),
            }
        }
        self.ask(path, Want { content: true, ..Want::default() })
    }

    fn names(&self, path: &str) -> Lookup<Listing> {
        self.quick_entries(path).unwrap_or_else(Lookup::absent).map(|Entries { entries, withheld }| Listing {
            names: entries.into_iter().map(|entry| entry.name).collect(),
            withheld,
        })
    }

    fn quick_entries(&self, folder: &str) -> Option<Lookup<Entries>> {
        Some(self.failure().unwrap_or_else(|| match self.known.entries.get(folder) {
            Some(entries) => entries.clone(),
            None => self.ask(folder, Want { entries: true, ..Want::default() }),
        }))
    }
}

impl NodeSource for RemoteNode<'_> {
    fn describe(&self) -> SourceReport {
        SourceReport { kind: "cluster-node".to_owned(), location: self.name.clone() }
    }
}
