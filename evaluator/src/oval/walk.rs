//! Which files an object names, as OpenSCAP finds them (`oval_fts.c`).
//!
//! OpenSCAP walks a tree for all operations but `equals`, and follows links there, except back into a directory that it is
//! in. A `filepath` names anything but a directory, what a link leads to counting for the link. A `filename` names anything
//! in the directory but directories; of links to them it names the link. A nil `filename` names the directory.
//! From the directories of a `path` it goes on by the behaviors: downwards without following links, unless they say so.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use virtscap_scap::oval::{FileType, ObjectContent, split_path};

use super::Session;
use super::behaviors::{Direction, FileBehaviors, FileSystem};
use super::matcher::Matcher;
use super::probes::{Findings, unescaped};
use super::variables::NoValues;
use crate::files::{Files, Lookup, join, text};

/// How deep a walk goes.
const MAX_DEPTH: usize = 1000;
/// How many names a walk that follows links may meet. In /sys, whose folders link to each other, a walk without a limit
/// would not end.
const MAX_NAMES: usize = 1_000_000;

/// A file that an object names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The directory, as the object names it.
    pub(super) path: Arc<str>,
    /// The same without links; none where it was not looked at.
    pub(super) folder: Option<Rc<str>>,
    /// The name in it; none: the directory itself.
    pub(super) filename: Option<String>,
}

impl Found {
    /// The whole path.
    pub(super) fn full_path(&self) -> String {
        match &self.filename {
            Some(filename) => join(&self.path, filename),
            None => self.path.to_string(),
        }
    }
}

/// What objects say of files. Objects that differ in the name only are looked for in one walk.
pub(super) struct FileQuery {
    target: Target,
    behaviors: FileBehaviors,
}

enum Target {
    FilePath(Matcher),
    /// A nil name stands for the directory itself.
    In {
        path: Matcher,
        filenames: Vec<Option<Matcher>>,
    },
}

/// What is done with a file: it gets the numbers of the query's names that name it.
type Visit<'v> = dyn FnMut(Found, &[usize], &mut Findings) -> Result<(), String> + 'v;

impl<'a> Session<'a> {
    /// What an object says of files.
    pub(super) fn file_query(&mut self, object: &ObjectContent) -> Result<FileQuery, NoValues> {
        let behaviors = FileBehaviors::of(&object.behaviors)?;
        let target = match (object.entity("filepath"), object.entity("path")) {
            (Some(filepath), _) => Target::FilePath(self.path_matcher(filepath)?),
            (None, Some(path)) => {
                let filename = object.entity("filename").map(|name| self.matcher(name)).transpose()?;
                Target::In { path: self.path_matcher(path)?, filenames: vec![filename] }
            }
            (None, None) => return Err("the object names neither a filepath nor a path".to_owned().into()),
        };
        Ok(FileQuery { target, behaviors })
    }

    /// Adds the name of another object to a query in directories, which that object shares but for the name.
    pub(super) fn add_name(&mut self, query: &mut FileQuery, object: &ObjectContent) -> Result<(), NoValues> {
        let filename = object.entity("filename").map(|name| self.matcher(name)).transpose()?;
        if let Target::In { filenames, .. } = &mut query.target {
            filenames.push(filename);
        }
        Ok(())
    }

    /// Visits the files that an object names. Where the object names a file by its plain path, it may not be there.
    pub(super) fn for_each_file(
        &self,
        query: &FileQuery,
        findings: &mut Findings,
        visit: &mut Visit<'_>,
    ) -> Result<(), String> {
        let mut walk = Walk {
            files: self.files,
            query,
            local: match query.behaviors.file_system {
                FileSystem::Local => self.local_devices.get_or_init(|| local_devices(self.files)).as_ref(),
                FileSystem::All | FileSystem::Defined => None,
            },
            findings,
            visit,
            names: 0,
            within: Vec::new(),
            device: None,
        };
        walk.run()
    }
}

struct Walk<'w, 'v> {
    files: &'w dyn Files,
    query: &'w FileQuery,
    /// The numbers of the local file systems, where only these count.
    local: Option<&'w HashSet<u64>>,
    findings: &'w mut Findings,
    visit: &'w mut Visit<'v>,
    names: usize,
    /// The directories that the walk is in, without links.
    within: Vec<Rc<str>>,
    /// The file system that the walk stays on, where the behaviors say so.
    device: Option<u64>,
}

impl Walk<'_, '_> {
    fn run(&mut self) -> Result<(), String> {
        let query = self.query;
        match &query.target {
            Target::FilePath(filepath) => match filepath.exactly() {
                Some(paths) => {
                    for path in plain_paths(paths.into_iter().filter(|path| !path.ends_with('/')))? {
                        let (folder, filename) = split_path(&path);
                        self.found(folder.into(), None, Some(filename.to_owned()), &[0])?;
                    }
                }
                None => self.walk_matching(filepath, true)?,
            },
            Target::In { path, .. } => match path.exactly() {
                Some(paths) => {
                    for path in plain_paths(paths.into_iter())? {
                        self.from(&path)?;
                    }
                }
                None => self.walk_matching(path, false)?,
            },
        }
        Ok(())
    }

    fn found(
        &mut self,
        path: Arc<str>,
        folder: Option<Rc<str>>,
        filename: Option<String>,
        names: &[usize],
    ) -> Result<(), String> {
        if names.is_empty() {
            Ok(())
        } else {
            (self.visit)(Found { path, folder, filename }, names, self.findings)
        }
    }

    /// Looks for what a matcher of paths wants: files, or directories to go on from.
    fn walk_matching(&mut self, wanted: &Matcher, files: bool) -> Result<(), String> {
        // From below a start that is itself below another one, nothing is to be found twice.
        let mut done: BTreeSet<String> = BTreeSet::new();
        for start in wanted.starts() {
            if let Some(folder) = self.findings.take(start, self.files.directory(start)) {
                self.matching_below(start, &folder, wanted, files, &mut done)?;
            }
        }
        Ok(())
    }

    fn matching_below(
        &mut self,
        path: &str,
        folder: &str,
        wanted: &Matcher,
        files: bool,
        done: &mut BTreeSet<String>,
    ) -> Result<(), String> {
        if self.within.iter().any(|within| &**within == folder) || self.is_foreign(path, folder) {
            return Ok(());
        }
        if !files && wanted.is_match(path)? && done.insert(path.to_owned()) {
            // The way here is no part of the way from here.
            let within = std::mem::take(&mut self.within);
            self.from(path)?;
            self.within = within;
        }
        self.enter(path, folder)?;
        let shown: Arc<str> = path.into();
        let folder: Rc<str> = folder.into();
        for entry in self.entries(path, &folder) {
            self.names += 1;
            if self.names > MAX_NAMES {
                return Err(format!("there are more than {MAX_NAMES} files to look through"));
            }
            let child = join(path, &entry.name);
            if !wanted.may_lead(&child)? {
                continue;
            }
            let below = match entry.file_type {
                FileType::Directory => Some(join(&folder, &entry.name)),
                FileType::Link => match self.files.directory(&join(&folder, &entry.name)) {
                    Lookup::Missing { reason: None } => None,
                    directory => match self.findings.take(&child, directory) {
                        Some(directory) => Some(directory),
                        None => continue,
                    },
                },
                _ => None,
            };
            match below {
                Some(below) => self.matching_below(&child, &below, wanted, files, done)?,
                None if files && wanted.is_match(&child)? && done.insert(child) => {
                    self.found(shown.clone(), Some(folder.clone()), Some(entry.name), &[0])?;
                }
                None => {}
            }
        }
        self.within.pop();
        Ok(())
    }

    /// Goes on from a directory of a `path`, by the behaviors.
    fn from(&mut self, path: &str) -> Result<(), String> {
        let query = self.query;
        let Target::In { filenames, .. } = &query.target else { return Ok(()) };
        match query.behaviors.direction {
            Direction::None => {
                let mut looks = Vec::new();
                for (number, filename) in filenames.iter().enumerate() {
                    match filename.as_ref().map(Matcher::exactly) {
                        None => self.found(path.into(), None, None, &[number])?,
                        Some(Some(names)) => {
                            for name in names.into_iter().filter(|name| is_name(name)) {
                                self.found(path.into(), None, Some(name.to_owned()), &[number])?;
                            }
                        }
                        Some(None) => looks.push(number),
                    }
                }
                if looks.is_empty() { Ok(()) } else { self.inside(path, &looks) }
            }
            Direction::Down => {
                let Some(folder) = self.findings.take(path, self.files.directory(path)) else {
                    return Ok(());
                };
                self.device = None;
                self.down(path, &folder, 0)
            }
            Direction::Up => self.up(path),
        }
    }

    fn down(&mut self, path: &str, folder: &str, level: usize) -> Result<(), String> {
        let query = self.query;
        let Target::In { filenames, .. } = &query.target else { return Ok(()) };
        let behaviors = &query.behaviors;
        if self.within.iter().any(|within| &**within == folder) {
            return Ok(());
        }
        let deeper_than = |level: usize| behaviors.max_depth.is_some_and(|max| level > max);
        let nil = nil_names(filenames);
        let shown: Arc<str> = path.into();
        let folder: Rc<str> = folder.into();
        if !deeper_than(level) {
            self.found(shown.clone(), None, None, &nil)?;
        }
        if level > 0 && deeper_than(level) || self.is_foreign(path, &folder) {
            return Ok(());
        }
        self.enter(path, &folder)?;
        for entry in self.entries(path, &folder) {
            self.names += usize::from(behaviors.follows_links);
            if self.names > MAX_NAMES {
                return Err(format!("there are more than {MAX_NAMES} files to look through"));
            }
            if entry.file_type == FileType::Directory {
                if behaviors.follows_directories {
                    self.down(&join(path, &entry.name), &join(&folder, &entry.name), level + 1)?;
                } else if !deeper_than(level + 1) {
                    // It is named, and not gone into.
                    self.found(join(path, &entry.name).into(), None, None, &nil)?;
                }
                continue;
            }
            let names = self.naming(filenames, &entry.name);
            let is_link = entry.file_type == FileType::Link;
            let target = (is_link && behaviors.follows_links && !deeper_than(level + 1))
                .then(|| (join(path, &entry.name), self.files.directory(&join(&folder, &entry.name))));
            self.found(shown.clone(), Some(folder.clone()), Some(entry.name), &names)?;
            if let Some((link, Lookup::Found(target))) = target {
                self.down(&link, &target, level + 1)?;
            }
        }
        self.within.pop();
        Ok(())
    }

    /// The directory and those above it, each by itself.
    fn up(&mut self, path: &str) -> Result<(), String> {
        let query = self.query;
        let Target::In { filenames, .. } = &query.target else { return Ok(()) };
        let nil = nil_names(filenames);
        let all: Vec<usize> = (0..filenames.len()).collect();
        let mut at = path.to_owned();
        let mut level = 0;
        while query.behaviors.max_depth.is_none_or(|max| level <= max) {
            let Some(folder) = self.findings.take(&at, self.files.directory(&at)) else { break };
            if !self.is_foreign(&at, &folder) {
                self.found(at.as_str().into(), None, None, &nil)?;
                self.inside(&at, &all)?;
            }
            if at == "/" {
                break;
            }
            at = split_path(&at).0.to_owned();
            level += 1;
        }
        Ok(())
    }

    /// What is in a directory, for some of the query's names.
    fn inside(&mut self, path: &str, of: &[usize]) -> Result<(), String> {
        let query = self.query;
        let Target::In { filenames, .. } = &query.target else { return Ok(()) };
        let Some(folder) = self.findings.take(path, self.files.directory(path)) else { return Ok(()) };
        if self.is_foreign(path, &folder) {
            return Ok(());
        }
        let shown: Arc<str> = path.into();
        let folder: Rc<str> = folder.into();
        for entry in self.entries(path, &folder) {
            if entry.file_type != FileType::Directory {
                let mut names = self.naming(filenames, &entry.name);
                names.retain(|number| of.contains(number));
                self.found(shown.clone(), Some(folder.clone()), Some(entry.name), &names)?;
            }
        }
        Ok(())
    }

    /// The numbers of the names that name a file. As with oscap, what cannot be compared makes the object an error, and the
    /// walk goes on.
    fn naming(&mut self, filenames: &[Option<Matcher>], name: &str) -> Vec<usize> {
        let mut naming = Vec::new();
        for (number, filename) in filenames.iter().enumerate() {
            match filename.as_ref().map(|wanted| wanted.is_match(name)) {
                Some(Ok(true)) => naming.push(number),
                Some(Err(problem)) => self.findings.error(problem),
                None | Some(Ok(false)) => {}
            }
        }
        naming
    }

    fn enter(&mut self, path: &str, folder: &str) -> Result<(), String> {
        if self.within.len() >= MAX_DEPTH {
            return Err(format!("{path}: is more than {MAX_DEPTH} directories deep"));
        }
        self.within.push(folder.into());
        Ok(())
    }

    fn entries(&mut self, path: &str, folder: &str) -> Vec<crate::files::Entry> {
        let found = match self.files.entries(folder) {
            // Processes hide what is theirs, and vanish. Nothing there is a file of the system.
            Lookup::Unreadable { .. } if folder.starts_with("/proc/") && self.files.is_running() => {
                return Vec::new();
            }
            found => found,
        };
        let Some(found) = self.findings.take(path, found) else { return Vec::new() };
        self.findings.withhold(found.withheld);
        found.entries
    }

    /// Whether a directory is on a file system where the behaviors do not lead.
    fn is_foreign(&mut self, path: &str, folder: &str) -> bool {
        let file_system = self.query.behaviors.file_system;
        if file_system == FileSystem::All || file_system == FileSystem::Local && self.local.is_none() {
            return false;
        }
        let (parent, name) = split_path(folder);
        let metadata = if folder == "/" { self.files.metadata("/") } else { self.files.entry(parent, name) };
        let Some(metadata) = self.findings.take(path, metadata) else { return false };
        match (self.local, file_system) {
            (Some(local), FileSystem::Local) => !local.contains(&metadata.device),
            _ => *self.device.get_or_insert(metadata.device) != metadata.device,
        }
    }
}

/// The numbers of the names that are nil.
fn nil_names(filenames: &[Option<Matcher>]) -> Vec<usize> {
    filenames.iter().enumerate().filter(|(_, name)| name.is_none()).map(|(number, _)| number).collect()
}

/// The numbers of the file systems that are no other machine's, by the mounts of the running system; none where the files
/// are not those of the running system.
fn local_devices(files: &dyn Files) -> Option<HashSet<u64>> {
    if !files.is_running() {
        return None;
    }
    let mounts = text(files, "/proc/self/mounts")?;
    let mut devices = HashSet::new();
    for line in mounts.lines() {
        let mut fields = line.split_whitespace();
        let (Some(source), Some(at), Some(kind)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        // `//server/share` and `server:/path` are elsewhere, as OpenSCAP has it.
        let remote = source.starts_with("//")
            || source.find(['/', ':']).is_some_and(|index| source[index..].starts_with(':'));
        if kind == "autofs" || remote {
            continue;
        }
        if let Lookup::Found(folder) = files.directory(&unescaped(at))
            && let Lookup::Found(metadata) = files.metadata(&folder)
        {
            devices.insert(metadata.device);
        }
    }
    Some(devices)
}

fn is_name(name: &str) -> bool {
    !name.contains('/') && !matches!(name, "" | "." | "..")
}

/// Paths without empty parts. What is not absolute names no file, and what `..` means depends on links.
fn plain_paths<'p>(paths: impl Iterator<Item = &'p str>) -> Result<Vec<String>, String> {
    let mut plain = Vec::new();
    let mut known = HashSet::new();
    for path in paths.filter(|path| path.starts_with('/')) {
        if path.split('/').any(|part| part == "..") {
            return Err(format!("the path '{path}' with '..' is not supported"));
        }
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        let mut path = parts.fold(String::new(), |path, part| format!("{path}/{part}"));
        if path.is_empty() {
            path.push('/');
        }
        if known.insert(path.clone()) {
            plain.push(path);
        }
    }
    Ok(plain)
}
