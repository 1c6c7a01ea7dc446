//! Which files an object names, as OpenSCAP finds them.
//!
//! OpenSCAP walks a tree for all operations but `equals`. It follows links to directories, except back into a directory
//! that it is in. A `filepath` names anything but a directory, links to directories included; a `filename` anything but
//! a directory, of which a link is none; a nil `filename` the directory, or the link to one.

use std::collections::{BTreeSet, HashSet};

use virtscap_scap::oval::{
    Check, Datatype, Entity, EntityValue, FileItem, FileSpec, FileType, Operation, OvalResult, split_path,
};

use super::Findings;
use super::prefix::Prefix;
use crate::files::{Files, Lookup, join};
use crate::oval::Session;
use crate::oval::compare::Comparator;
use crate::oval::variables::NoValues;

/// How deep a walk goes.
const MAX_DEPTH: usize = 100;
/// How many names a walk may meet. In /sys, whose folders link to each other, a walk without a limit would not end.
const MAX_NAMES: usize = 100_000;

/// A file that an object names: its directory and its name, or the directory itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    path: String,
    filename: Option<String>,
    /// Whether a link to a directory counts.
    link_to_directory: bool,
}

impl Named {
    fn filepath(filepath: &str) -> Self {
        let (path, filename) = split_path(filepath);
        Self { path: path.to_owned(), filename: Some(filename.to_owned()), link_to_directory: false }
    }

    fn in_folder(folder: &str, name: &str) -> Self {
        Self { path: folder.to_owned(), filename: Some(name.to_owned()), link_to_directory: true }
    }

    fn folder(folder: String) -> Self {
        Self { path: folder, filename: None, link_to_directory: true }
    }

    /// The whole path.
    pub(super) fn full_path(&self) -> String {
        match &self.filename {
            Some(filename) => join(&self.path, filename),
            None => self.path.clone(),
        }
    }
}

/// What an entity wants.
enum Wanted {
    /// One of these.
    These(Vec<String>),
    /// What the comparisons say.
    Matching(Matching),
}

struct Matching {
    comparators: Vec<Comparator>,
    var_check: Check,
    /// Of each expression; none where the operation has none.
    prefixes: Vec<Prefix>,
}

impl Matching {
    fn is_match(&self, text: &str) -> Result<bool, String> {
        let results = self.comparators.iter().map(|comparator| comparator.compare(text));
        Ok(self.var_check.combine(results.collect::<Result<Vec<_>, _>>()?) == OvalResult::True)
    }

    /// Where to start to walk.
    fn starts(&self) -> BTreeSet<&str> {
        if self.prefixes.is_empty() {
            return BTreeSet::from(["/"]);
        }
        self.prefixes.iter().map(|prefix| prefix.start.as_str()).collect()
    }

    fn may_lead(&self, directory: &str) -> Result<bool, String> {
        if self.prefixes.is_empty() {
            return Ok(true);
        }
        let may = self.prefixes.iter().map(|prefix| prefix.may_lead(directory));
        Ok(may.collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?.contains(&true))
    }
}

impl<'a> Session<'a> {
    /// The files that an object may mean by its description, in order. Whether they are there is not said where the
    /// description is a plain path.
    pub(super) fn named_files(
        &mut self,
        file: &FileSpec,
        findings: &mut Findings,
    ) -> Result<Vec<Named>, NoValues> {
        match file {
            FileSpec::FilePath(filepath) => Ok(match self.wanted(filepath, "filepath")? {
                Wanted::These(paths) => {
                    let paths = paths.iter().filter(|path| !path.ends_with('/'));
                    plain_paths(paths)?.iter().map(|path| Named::filepath(path)).collect()
                }
                Wanted::Matching(matching) => {
                    let mut walk = Walk::new(self.files, &matching, findings);
                    walk.run(true)?;
                    walk.found.iter().map(|path| Named::filepath(path)).collect()
                }
            }),
            FileSpec::PathAndName { path, filename } => {
                let filename = filename.as_ref().map(|name| self.wanted(name, "filename")).transpose()?;
                let folders = match self.wanted(path, "path")? {
                    Wanted::These(paths) => plain_paths(paths.iter())?,
                    Wanted::Matching(matching) => {
                        let mut walk = Walk::new(self.files, &matching, findings);
                        walk.run(false)?;
                        walk.found.into_iter().collect()
                    }
                };
                let mut named = Vec::new();
                for folder in folders {
                    match &filename {
                        None => named.push(Named::folder(folder)),
                        Some(Wanted::These(names)) => {
                            let names = names.iter().filter(|name| is_name(name));
                            named.extend(names.map(|name| Named::in_folder(&folder, name)));
                        }
                        Some(Wanted::Matching(matching)) => {
                            for name in list(self.files, &folder, findings) {
                                if matching.is_match(&name)? {
                                    named.push(Named::in_folder(&folder, &name));
                                }
                            }
                        }
                    }
                }
                Ok(named)
            }
        }
    }

    /// What is known of a file that an object names, if it is there and of the kind that the object names.
    pub(super) fn file_item(&self, named: &Named, findings: &mut Findings) -> Option<FileItem> {
        let filepath = named.full_path();
        if named.filename.is_none() {
            findings.take(&filepath, self.files.directory(&filepath))?;
        }
        let metadata = findings.take(&filepath, self.files.metadata(&filepath))?;
        if named.filename.is_some() {
            match metadata.file_type {
                FileType::Directory => return None,
                FileType::Link if !named.link_to_directory => {
                    let directory = findings.take(&filepath, self.files.directory(&filepath));
                    if directory.is_some() {
                        return None;
                    }
                }
                _ => {}
            }
        }
        Some(FileItem {
            path: named.path.clone(),
            filename: named.filename.clone(),
            file_type: metadata.file_type,
            group_id: metadata.gid,
            user_id: metadata.uid,
            size: metadata.size,
            mode: metadata.mode,
        })
    }

    /// What an object's entity wants.
    fn wanted(&mut self, entity: &Entity, what: &str) -> Result<Wanted, NoValues> {
        if entity.operation == Operation::Equals {
            return self.equals_only(entity, what).map(Wanted::These);
        }
        let var_check = match &entity.value {
            EntityValue::Literal(_) => Check::AtLeastOne,
            EntityValue::Variable { var_check, .. } => *var_check,
        };
        let values = self.entity_values(&entity.value)?;
        let comparators =
            values.iter().map(|value| Comparator::new(entity.operation, Datatype::String, value));
        let comparators = comparators.collect::<Result<Vec<_>, _>>()?;
        // What none of several matches may be anywhere.
        let prefixes = match (entity.operation, var_check) {
            (Operation::PatternMatch, Check::All | Check::AtLeastOne | Check::OnlyOne) => {
                let prefixes = values.iter().map(|value| Prefix::of(value));
                prefixes.collect::<Result<_, _>>().map_err(|e| e.to_string())?
            }
            _ => Vec::new(),
        };
        Ok(Wanted::Matching(Matching { comparators, var_check, prefixes }))
    }
}

/// A walk through directories.
struct Walk<'w> {
    files: &'w dyn Files,
    matching: &'w Matching,
    findings: &'w mut Findings,
    found: BTreeSet<String>,
    names: usize,
    /// The directories that the walk is in, without links.
    within: Vec<String>,
}

impl<'w> Walk<'w> {
    fn new(files: &'w dyn Files, matching: &'w Matching, findings: &'w mut Findings) -> Self {
        Self { files, matching, findings, found: BTreeSet::new(), names: 0, within: Vec::new() }
    }

    /// Finds directories, or what is no directory.
    fn run(&mut self, want_files: bool) -> Result<(), String> {
        for start in self.matching.starts() {
            if let Some(directory) = self.findings.take(start, self.files.directory(start)) {
                self.directory(start, directory, want_files)?;
            }
        }
        Ok(())
    }

    fn directory(&mut self, path: &str, without_links: String, want_files: bool) -> Result<(), String> {
        if self.within.contains(&without_links) {
            return Ok(());
        }
        if !want_files && self.matching.is_match(path)? {
            self.found.insert(path.to_owned());
        }
        if self.within.len() >= MAX_DEPTH {
            return Err(format!("{path}: is more than {MAX_DEPTH} directories deep"));
        }
        self.within.push(without_links.clone());
        for name in list(self.files, &without_links, self.findings) {
            self.names += 1;
            if self.names > MAX_NAMES {
                return Err(format!("there are more than {MAX_NAMES} files to look through"));
            }
            let child = join(path, &name);
            if !self.matching.may_lead(&child)? {
                continue;
            }
            // The same by a shorter way.
            match self.files.directory(&join(&without_links, &name)) {
                Lookup::Missing { reason: None } => {
                    if want_files && self.matching.is_match(&child)? {
                        self.found.insert(child);
                    }
                }
                directory => {
                    if let Some(directory) = self.findings.take(&child, directory) {
                        self.directory(&child, directory, want_files)?;
                    }
                }
            }
        }
        self.within.pop();
        Ok(())
    }
}

/// The names in a directory, as far as they could be had.
fn list(files: &dyn Files, folder: &str, findings: &mut Findings) -> Vec<String> {
    let Some(listing) = findings.take(folder, files.list(folder)) else { return Vec::new() };
    findings.withhold(listing.withheld);
    listing.names
}

fn is_name(name: &str) -> bool {
    !name.contains('/') && !matches!(name, "" | "." | "..")
}

/// Paths without empty parts. What is not absolute names no file, and what `..` means depends on links.
fn plain_paths<'p>(paths: impl Iterator<Item = &'p String>) -> Result<Vec<String>, String> {
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
