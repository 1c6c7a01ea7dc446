//! Whether the dependencies of installed packages hold, as `rpm -V` of RPM 4.18 has it: what a package requires is there,
//! what it conflicts with or obsoletes is not, and no other package conflicts with it or obsoletes it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use virtscap_scap::oval::split_path;

use super::dependency::{Dependency, EQUAL, Need, Relation};
use super::{Header, tag};
use crate::files::{Files, Lookup};

/// What RPM 4.18 can.
const FEATURES: [(&str, &str); 21] = [
    ("rpmlib(BuiltinLuaScripts)", "4.2.2-1"),
    ("rpmlib(CaretInVersions)", "4.15.0-1"),
    ("rpmlib(CompressedFileNames)", "3.0.4-1"),
    ("rpmlib(ConcurrentAccess)", "4.1-1"),
    ("rpmlib(DynamicBuildRequires)", "4.15.0-1"),
    ("rpmlib(ExplicitPackageProvide)", "4.0-1"),
    ("rpmlib(FileCaps)", "4.6.1-1"),
    ("rpmlib(FileDigests)", "4.6.0-1"),
    ("rpmlib(HeaderLoadSortsTags)", "4.0.1-1"),
    ("rpmlib(LargeFiles)", "4.12.0-1"),
    ("rpmlib(PartialHardlinkSets)", "4.0.4-1"),
    ("rpmlib(PayloadFilesHavePrefix)", "4.0-1"),
    ("rpmlib(PayloadIsBzip2)", "3.0.5-1"),
    ("rpmlib(PayloadIsLzma)", "4.4.2-1"),
    ("rpmlib(PayloadIsXz)", "5.2-1"),
    ("rpmlib(PayloadIsZstd)", "5.4.18-1"),
    ("rpmlib(RichDependencies)", "4.12.0-1"),
    ("rpmlib(ScriptletExpansion)", "4.9.0-1"),
    ("rpmlib(ScriptletInterpreterArgs)", "4.0.3-1"),
    ("rpmlib(TildeInVersions)", "4.10.0-1"),
    ("rpmlib(VersionedDependencies)", "3.0.3-1"),
];

/// How a file is that is in its place.
const NORMAL: u8 = 0;
const NET_SHARED: u8 = 3;

/// The longest path that Linux takes, in bytes.
const LONGEST_PATH: usize = 4096;

/// Entries by a name: a package's number, and the number of what it says.
type Index = BTreeMap<String, Vec<(usize, usize)>>;

/// What all installed packages say of each other.
pub(crate) struct Dependencies<'f> {
    files: &'f dyn Files,
    packages: Vec<Package>,
    /// Packages by their own names.
    names: HashMap<String, Vec<usize>>,
    provides: Index,
    /// Names in conflicts.
    conflicts: Index,
    /// Names that must not be there for something else not to be required.
    conditions: Index,
    obsoletes: Index,
    /// The files that somebody asks for by their names in folders.
    places: HashMap<String, Vec<Place>>,
    directories: RefCell<HashMap<String, Result<String, String>>>,
}

/// What a package says of itself and of others.
struct Package {
    itself: Dependency,
    is_source: bool,
    provides: Vec<Dependency>,
    requires: Vec<Said>,
    conflicts: Vec<Said>,
    obsoletes: Vec<Said>,
}

struct Said {
    need: Need,
    /// Whether it matters no more.
    is_transient: bool,
}

struct Place {
    package: usize,
    folder: String,
    is_installed: bool,
}

/// Who asks, and why.
#[derive(Clone, Copy)]
struct Asking {
    relation: Relation,
    /// The package that is verified.
    verified: usize,
    /// The package that says so; what is in an expression is said by nobody.
    says: Option<usize>,
}

impl Asking {
    /// Whether what a package is itself does not count, as it does not for its own conflicts.
    fn leaves_out(self, package: usize) -> bool {
        self.relation != Relation::Requires && self.says == Some(package)
    }
}

impl<'f> Dependencies<'f> {
    /// Takes in what the headers say. Files tell which folders are the same.
    pub(crate) fn new(files: &'f dyn Files, headers: &[Header]) -> Self {
        let packages: Vec<_> = headers.iter().map(Package::read).collect();
        let mut all = Self {
            files,
            packages: Vec::new(),
            names: HashMap::new(),
            provides: Index::new(),
            conflicts: Index::new(),
            conditions: Index::new(),
            obsoletes: Index::new(),
            places: HashMap::new(),
            directories: RefCell::default(),
        };
        let mut note = |name: &str, _| {
            if name.starts_with('/') {
                all.places.entry(split_path(name).1.to_owned()).or_default();
            }
        };
        for package in &packages {
            for said in package.requires.iter().chain(&package.conflicts) {
                said.need.names(false, &mut note);
            }
        }
        for (number, (package, header)) in packages.iter().zip(headers).enumerate() {
            all.names.entry(package.itself.name.clone()).or_default().push(number);
            let add = |index: &mut Index, name: &str, which| {
                let entries = index.entry(name.to_owned()).or_default();
                // An expression may have a name twice.
                if entries.last() != Some(&(number, which)) {
                    entries.push((number, which));
                }
            };
            for (which, provided) in package.provides.iter().enumerate() {
                add(&mut all.provides, &provided.name, which);
            }
            for (which, said) in package.conflicts.iter().enumerate() {
                said.need.names(false, &mut |name, negated| {
                    if !negated {
                        add(&mut all.conflicts, name, which);
                    }
                });
            }
            for (which, said) in package.requires.iter().enumerate().filter(|(_, said)| !said.is_transient) {
                said.need.names(false, &mut |name, negated| {
                    if negated {
                        add(&mut all.conditions, name, which);
                    }
                });
            }
            for (which, said) in package.obsoletes.iter().enumerate() {
                said.need.names(false, &mut |name, _| add(&mut all.obsoletes, name, which));
            }
            if all.places.is_empty() {
                continue;
            }
            for (folder, name, state) in header.places() {
                if let Some(places) = all.places.get_mut(&name) {
                    let is_installed = matches!(state, NORMAL | NET_SHARED);
                    places.push(Place { package: number, folder, is_installed });
                }
            }
        }
        Self { packages, ..all }
    }

    /// Whether the dependencies of all packages of a name hold; an error says why that cannot be told.
    pub(crate) fn hold(&self, name: &str) -> Result<bool, String> {
        let mut problems = Problems::default();
        for package in self.names.get(name).into_iter().flatten() {
            self.check(*package, &mut problems);
        }
        match problems {
            Problems { any: true, .. } => Ok(false),
            Problems { undecided: Some(reason), .. } => Err(reason),
            Problems { .. } => Ok(true),
        }
    }

    fn check(&self, verified: usize, problems: &mut Problems) {
        let package = &self.packages[verified];
        let mut judge = |relation: Relation, says: usize, which: usize| {
            let package = &self.packages[says];
            let said = match relation {
                Relation::Requires => &package.requires[which],
                Relation::Conflicts => &package.conflicts[which],
                _ => &package.obsoletes[which],
            };
            let asking = Asking { relation, verified, says: Some(says) };
            let is = if said.is_transient { Ok(true) } else { self.is_there(&said.need, asking) };
            problems.note(is.map(|is| is != (relation == Relation::Requires)));
        };
        let own = [
            (Relation::Requires, &package.requires),
            (Relation::Conflicts, &package.conflicts),
            (Relation::Obsoletes, &package.obsoletes),
        ];
        for (relation, said) in own {
            (0..said.len()).for_each(|which| judge(relation, verified, which));
        }
        if package.is_source {
            return;
        }
        let entries = |index: &Index, name: &str| index.get(name).cloned().unwrap_or_default();
        for provided in &package.provides {
            for (says, which) in entries(&self.conflicts, &provided.name) {
                if says != verified && self.packages[says].conflicts[which].may_mean(provided) {
                    judge(Relation::Conflicts, says, which);
                }
            }
            for (says, which) in entries(&self.conditions, &provided.name) {
                judge(Relation::Requires, says, which);
            }
        }
        for (says, which) in entries(&self.obsoletes, &package.itself.name) {
            if says != verified && self.packages[says].obsoletes[which].may_mean(&package.itself) {
                judge(Relation::Obsoletes, says, which);
            }
        }
        let mut undecided = Vec::new();
        for (index, relation) in
            [(&self.conflicts, Relation::Conflicts), (&self.conditions, Relation::Requires)]
        {
            for (path, entries) in index.iter().filter(|(name, _)| name.starts_with('/')) {
                match self.has_file(path, |place| place.package == verified, |_| false) {
                    Ok(false) => {}
                    Ok(true) => {
                        let others = entries
                            .iter()
                            .filter(|(says, _)| relation == Relation::Requires || *says != verified);
                        others.for_each(|(says, which)| judge(relation, *says, *which));
                    }
                    Err(reason) => undecided.push(reason),
                }
            }
        }
        undecided.into_iter().for_each(|reason| problems.note(Err(reason)));
    }

    fn is_there(&self, need: &Need, asking: Asking) -> Result<bool, String> {
        let inside = Asking { says: None, ..asking };
        let is = |need: &Need| self.is_there(need, inside);
        match need {
            Need::One(dependency) => self.has_one(dependency, asking),
            Need::And(all) => all.iter().try_fold(true, |so_far, need| Ok(so_far && is(need)?)),
            Need::Or(all) => all.iter().try_fold(false, |so_far, need| Ok(so_far || is(need)?)),
            Need::With(_) | Need::Without(..) => Ok(!self.those(need, inside)?.is_empty()),
            Need::If { then, condition, otherwise } => match (is(condition)?, otherwise) {
                (true, _) => is(then),
                (false, Some(otherwise)) => is(otherwise),
                (false, None) => Ok(true),
            },
            Need::Unless { then, condition, otherwise } => match (is(condition)?, otherwise) {
                (false, _) => is(then),
                (true, Some(otherwise)) => is(otherwise),
                (true, None) => Ok(false),
            },
            Need::Unknown(text) => Err(format!("the dependency '{text}' is not understood")),
        }
    }

    /// The packages that are what is said.
    fn those(&self, need: &Need, asking: Asking) -> Result<BTreeSet<usize>, String> {
        match need {
            Need::One(dependency) if dependency.is_of_rpm() => Ok(BTreeSet::new()),
            Need::One(dependency) => {
                let mut those = BTreeSet::new();
                self.providers(dependency, asking, |package| {
                    those.insert(package);
                    true
                })?;
                Ok(those)
            }
            Need::Or(all) => all.iter().try_fold(BTreeSet::new(), |mut those, need| {
                those.append(&mut self.those(need, asking)?);
                Ok(those)
            }),
            Need::With(all) => {
                let mut sets = all.iter().map(|need| self.those(need, asking));
                let first = sets.next().unwrap_or_else(|| Ok(BTreeSet::new()))?;
                sets.try_fold(first, |those, next| Ok(&those & &next?))
            }
            Need::Without(these, others) => Ok(&self.those(these, asking)? - &self.those(others, asking)?),
            Need::Unknown(text) => Err(format!("the dependency '{text}' is not understood")),
            // RPM does not build such packages.
            Need::And(_) | Need::If { .. } | Need::Unless { .. } => {
                Err("a dependency on one package by 'and', 'if' or 'unless' is not understood".to_owned())
            }
        }
    }

    fn has_one(&self, dependency: &Dependency, asking: Asking) -> Result<bool, String> {
        if dependency.is_weak() {
            return Ok(true);
        }
        if dependency.is_of_rpm() {
            let feature = |(name, version): &(&str, &str)| Dependency {
                name: (*name).to_owned(),
                version: (*version).to_owned(),
                flags: EQUAL,
            };
            return Ok(FEATURES.iter().map(feature).any(|feature| feature.overlaps(dependency)));
        }
        let mut any = false;
        self.providers(dependency, asking, |_| {
            any = true;
            false
        })?;
        Ok(any)
    }

    /// Tells the packages that a name and its range mean, until `take` wants no more.
    fn providers(
        &self,
        dependency: &Dependency,
        asking: Asking,
        mut take: impl FnMut(usize) -> bool,
    ) -> Result<(), String> {
        if asking.relation == Relation::Obsoletes {
            let named = self.names.get(&dependency.name).into_iter().flatten();
            let meant = named.filter(|package| self.packages[**package].itself.overlaps(dependency));
            let _ = meant.filter(|package| !asking.leaves_out(**package)).all(|package| take(*package));
            return Ok(());
        }
        let provided = self.provides.get(&dependency.name).into_iter().flatten();
        let mut meant =
            provided.filter(|(package, which)| self.packages[*package].provides[*which].overlaps(dependency));
        if !meant.all(|(package, _)| asking.leaves_out(*package) || take(*package)) {
            return Ok(());
        }
        if dependency.name.starts_with('/') {
            // What the package that is verified has may be on its way.
            let counts = |place: &Place| {
                !asking.leaves_out(place.package) && (place.is_installed || place.package == asking.verified)
            };
            self.has_file(&dependency.name, counts, take)?;
        }
        Ok(())
    }

    /// Whether there is a file at a path of those that count; also in a folder that is the same by links. Tells whose
    /// it is, and goes on while `take` wants more.
    fn has_file(
        &self,
        path: &str,
        counts: impl Fn(&Place) -> bool,
        mut take: impl FnMut(usize) -> bool,
    ) -> Result<bool, String> {
        let (folder, name) = split_path(path);
        // Headers have a slash behind folders.
        let folder = folder.trim_end_matches('/');
        let places = self.places.get(name).into_iter().flatten().filter(|place| counts(place));
        let mut any = false;
        let mut undecided = None;
        for place in places {
            let other = place.folder.trim_end_matches('/');
            let is_same = if other == folder {
                Ok(true)
            } else {
                self.real(folder).and_then(|here| Ok(here == self.real(other)?))
            };
            match is_same {
                Ok(true) if !take(place.package) => return Ok(true),
                Ok(is_same) => any |= is_same,
                Err(reason) => undecided = Some(reason),
            }
        }
        undecided.map_or(Ok(any), Err)
    }

    /// The path without links of a folder; of one that is not there, as far as there are folders.
    fn real(&self, folder: &str) -> Result<String, String> {
        if let Some(known) = self.directories.borrow().get(folder) {
            return known.clone();
        }
        let mut at = if folder.len() > LONGEST_PATH { "" } else { folder };
        let real = loop {
            match self.files.directory(if at.is_empty() { "/" } else { at }) {
                Lookup::Found(real) => {
                    break Ok(format!("{}{}", real.trim_end_matches('/'), &folder[at.len()..]));
                }
                Lookup::Missing { reason: None } if at.is_empty() => break Ok(folder.to_owned()),
                Lookup::Missing { reason: None } => at = &at[..at.rfind('/').unwrap_or(0)],
                Lookup::Missing { reason: Some(reason) } => break Err(reason),
                Lookup::Unreadable { reason } => break Err(format!("{at}: {reason}")),
            }
        };
        self.directories.borrow_mut().insert(folder.to_owned(), real.clone());
        real
    }
}

impl Package {
    fn read(header: &Header) -> Self {
        let said = |relation: Relation| {
            let said = |dependency: Dependency| Said {
                is_transient: dependency.is_transient() && !dependency.is_of_rpm(),
                need: Need::of(dependency, relation),
            };
            header.dependencies(relation).into_iter().map(said).collect()
        };
        Self {
            itself: Dependency { name: header.shown(tag::NAME), version: header.evr(), flags: EQUAL },
            is_source: header.is_source(),
            provides: header.dependencies(Relation::Provides),
            requires: said(Relation::Requires),
            conflicts: said(Relation::Conflicts),
            obsoletes: said(Relation::Obsoletes),
        }
    }
}

impl Said {
    /// Whether it may mean what is told; an expression may mean anything in it.
    fn may_mean(&self, other: &Dependency) -> bool {
        match &self.need {
            Need::One(dependency) => dependency.overlaps(other),
            _ => true,
        }
    }
}

/// What was found so far.
#[derive(Default)]
struct Problems {
    any: bool,
    undecided: Option<String>,
}

impl Problems {
    fn note(&mut self, is_problem: Result<bool, String>) {
        match is_problem {
            Ok(is_problem) => self.any |= is_problem,
            Err(reason) => {
                self.undecided.get_or_insert(reason);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::files::{FileState, Listing, Metadata};
    use crate::rpm::header::tests::header;
    use crate::rpm::sqlite;

    const DATABASE: &[u8] = include_bytes!("../../tests/peer/rpm/dependencies.sqlite");

    /// Files of which nothing could be had but what is plainly missing.
    struct Withheld;

    impl Files for Withheld {
        fn read(&self, _: &str) -> FileState<'_> {
            Lookup::absent()
        }

        fn metadata(&self, _: &str) -> Lookup<Metadata> {
            Lookup::absent()
        }

        fn directory(&self, path: &str) -> Lookup<String> {
            Lookup::withheld(format!("{path}: was not collected"))
        }

        fn list(&self, _: &str) -> Lookup<Listing> {
            Lookup::absent()
        }
    }

    /// What RPM says of these packages is in `tests/peer/packages.yaml`, for a root whose folders are known.
    #[test]
    fn what_rests_on_unknown_folders_is_not_decided() {
        let blobs = sqlite::blobs(DATABASE, &[], "Packages").unwrap();
        let headers: Vec<_> = blobs.into_iter().map(|blob| Header::read(blob).unwrap()).collect();
        let dependencies = Dependencies::new(&Withheld, &headers);
        assert_eq!(dependencies.hold("f-found"), Ok(true));
        assert_eq!(dependencies.hold("r-missing"), Ok(false));
        assert_eq!(dependencies.hold("c-bump"), Ok(false));
        for name in ["f-by-link", "c-file-by-link", "c-clash"] {
            assert!(dependencies.hold(name).unwrap_err().contains("was not collected"), "{name}");
        }
    }

    #[test]
    fn an_expression_that_is_not_understood_is_not_decided() {
        let package = |requires: &[u8], count| {
            Header::read(header(&[
                (tag::NAME, 6, 1, b"a\0"),
                (tag::VERSION, 6, 1, b"1\0"),
                (tag::RELEASE, 6, 1, b"1\0"),
                (tag::REQUIRE_NAMES, 8, count, requires),
            ]))
        };
        let hold = |requires: &[u8], count| {
            let headers = [package(requires, count).unwrap()];
            Dependencies::new(&Withheld, &headers).hold("a")
        };
        assert!(hold(b"(a newly b)\0", 1).unwrap_err().contains("(a newly b)"));
        assert!(hold(b"(a without (b and c))\0", 1).unwrap_err().contains("'and'"));
        // What is missing besides is missing whatever the rest means.
        assert_eq!(hold(b"(a newly b)\0b\0", 2), Ok(false));
        // More names are told than there are.
        assert_eq!(hold(b"b\0", u32::MAX), Ok(false));
    }
}
