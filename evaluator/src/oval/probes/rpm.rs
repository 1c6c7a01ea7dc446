//! `linux:rpminfo`, `linux:rpmverifyfile` and `linux:rpmverifypackage`: what RPM has installed.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use virtscap_scap::oval::{
    Datatype, Entity, ItemEntity, ObjectContent, Operation, Status, TestType, split_path,
};

use super::symlink::leads_to;
use super::{Findings, required};
use crate::files::{Files, Lookup};
use crate::oval::Session;
use crate::oval::matcher::Matcher;
use crate::oval::variables::NoValues;
use crate::rpm::dependencies::Dependencies;
use crate::rpm::verify::{Attribute, Problem, Verified, Verifier};
use crate::rpm::{self, Header, NONE, PackageFile, tag};

/// The entities that name a package, with the numbers of their values.
const NAMES: [(&str, u32); 5] = [
    ("name", tag::NAME),
    ("epoch", tag::EPOCH),
    ("version", tag::VERSION),
    ("release", tag::RELEASE),
    ("arch", tag::ARCH),
];

/// The behaviors that leave out what they name, with it.
const OMISSIONS: [(&str, Attribute); 10] = [
    ("nolinkto", Attribute::Link),
    ("nomd5", Attribute::Digest),
    ("nosize", Attribute::Size),
    ("nouser", Attribute::User),
    ("nogroup", Attribute::Group),
    ("nomtime", Attribute::Mtime),
    ("nomode", Attribute::Mode),
    ("nordev", Attribute::Device),
    ("nofiledigest", Attribute::Digest),
    ("nocaps", Attribute::Capabilities),
];

/// The entities of an item that tell what of a file differs, in their order.
const DIFFERENCES: [(&str, Attribute); 10] = [
    ("size_differs", Attribute::Size),
    ("mode_differs", Attribute::Mode),
    ("md5_differs", Attribute::Digest),
    ("filedigest_differs", Attribute::Digest),
    ("device_differs", Attribute::Device),
    ("link_mismatch", Attribute::Link),
    ("ownership_differs", Attribute::User),
    ("group_differs", Attribute::Group),
    ("mtime_differs", Attribute::Mtime),
    ("capabilities_differ", Attribute::Capabilities),
];

/// What a package says of a file, in its flags.
const CONFIG: u32 = 1;
const GHOST: u32 = 1 << 6;
const KINDS: [(&str, u32); 5] = [
    ("configuration_file", CONFIG),
    ("documentation_file", 1 << 1),
    ("ghost_file", GHOST),
    ("license_file", 1 << 7),
    ("readme_file", 1 << 8),
];

/// What OpenSCAP needs to be in a root to verify packages there.
const RPM_SETTINGS: &str = "/usr/lib/rpm/rpmrc";

impl<'a> Session<'a> {
    /// `linux:rpminfo_object`: one item per package.
    pub(super) fn rpm_info(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let name = self.wanted(content, "name")?;
        let Some(packages) = self.packages(findings) else { return Ok(()) };
        let with_names = self.schema >= [5, 10, 0];
        let with_files = with_names && is_set(content, "filepaths");
        for package in packages.iter() {
            if !name.is_match(&package.shown(tag::NAME))? {
                continue;
            }
            let mut entities = vec![
                ItemEntity::text("name", package.shown(tag::NAME)),
                ItemEntity::text("arch", package.shown(tag::ARCH)),
                ItemEntity::text("epoch", package.shown(tag::EPOCH)),
                ItemEntity::text("release", package.shown(tag::RELEASE)),
                ItemEntity::text("version", package.shown(tag::VERSION)),
                ItemEntity::typed("evr", Datatype::EvrString, package.evr()),
                ItemEntity::text("signature_keyid", package.key_id()),
            ];
            if with_names {
                entities.push(ItemEntity::text("extended_name", package.extended_name()));
            }
            if with_files {
                entities.extend(file_paths(package));
            }
            findings.item(TestType::RpmInfo, entities);
        }
        Ok(())
    }

    /// `linux:rpmverifyfile_object`: one item per file of a package.
    pub(super) fn rpm_verify_file(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let path = required(content, "filepath")?;
        let paths = self.paths(path)?;
        let names = self.names_of_packages(content)?;
        let omitted = OMISSIONS.iter().filter(|(behavior, _)| is_set(content, behavior));
        let omitted: Vec<_> = omitted.map(|(_, attribute)| *attribute).collect();
        let skipped = [("noconfigfiles", CONFIG), ("noghostfiles", GHOST)];
        let skipped = skipped.iter().filter(|(behavior, _)| is_set(content, behavior));
        let skipped = skipped.fold(0, |flags, (_, flag)| flags | flag);
        let Some(packages) = self.packages(findings) else { return Ok(()) };
        let mut verifier = Verifier::new(self.files, &omitted);
        for package in packages.iter() {
            if !is_named(&names, package)? {
                continue;
            }
            let algorithm = package.digest_algorithm();
            let files = package.files();
            for (file, path) in wanted_files(self.files, &paths, &files)? {
                if file.flags & skipped != 0 {
                    continue;
                }
                match verifier.verify(file, algorithm) {
                    Ok(verified) => {
                        let mut entities = name_entities(package);
                        entities.push(ItemEntity::text("filepath", path));
                        entities.push(ItemEntity::text("extended_name", package.extended_name()));
                        entities.extend(self.differences(&verified));
                        let kind = |(name, flag): (_, u32)| ItemEntity::boolean(name, file.flags & flag != 0);
                        entities.extend(KINDS.map(kind));
                        findings.item(TestType::RpmVerifyFile, entities);
                    }
                    Err(Problem::Withheld(reason)) => findings.withhold(Some(reason)),
                    Err(Problem::Failed(reason)) => findings.error(reason),
                }
            }
        }
        Ok(())
    }

    /// `linux:rpmverifypackage_object`: one item per package. RPM is asked by names, so packages of one name share what is
    /// found. Nothing of a package is run: where one has a script to verify it, whether that is successful is not known.
    ///
    /// Where OpenSCAP 1.3.7 looks at a root, or at every second package if a behavior leaves something out, it verifies
    /// nothing and says that all is well. Here everything is verified.
    pub(super) fn rpm_verify_package(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let names = self.names_of_packages(content)?;
        if !self.files.is_running() {
            let settings = self.files.metadata(RPM_SETTINGS);
            if matches!(settings, Lookup::Missing { reason: None }) {
                findings.not_applicable(format!("{RPM_SETTINGS}: is missing; there is no RPM in this root"));
                return Ok(());
            }
        }
        let Some(packages) = self.packages(findings) else { return Ok(()) };
        let mut dependencies = None;
        let mut checked = HashMap::new();
        let with_script = packages.iter().filter(|package| package.has(tag::VERIFY_SCRIPT));
        let with_script: HashSet<_> = with_script.map(|package| package.shown(tag::NAME)).collect();
        for package in packages.iter() {
            if !is_named(&names, package)? {
                continue;
            }
            let name = package.shown(tag::NAME);
            let mut entities = name_entities(package);
            entities.push(ItemEntity::text("extended_name", package.extended_name()));
            if !is_set(content, "nodeps") {
                let all = dependencies.get_or_insert_with(|| Dependencies::new(self.files, &packages));
                let hold = checked.entry(name.clone()).or_insert_with(|| all.hold(&name)).clone();
                entities.push(findings.decided("dependency_check_passed", &name, hold));
            }
            if !is_set(content, "noscripts") {
                let successful = if with_script.contains(&name) {
                    Err("its script to verify it is not run".to_owned())
                } else {
                    Ok(true)
                };
                entities.push(findings.decided("verification_script_successful", &name, successful));
            }
            findings.item(TestType::RpmVerifyPackage, entities);
        }
        Ok(())
    }

    /// The packages that are installed, read once; none where there is no database, or it could not be read.
    fn packages(&mut self, findings: &mut Findings) -> Option<Rc<Vec<Header>>> {
        let packages = self.rpm.get_or_insert_with(|| rpm::packages(self.files).map(Rc::new));
        match packages {
            Lookup::Found(packages) => Some(packages.clone()),
            Lookup::Missing { reason } => {
                findings.withhold(reason.clone());
                None
            }
            Lookup::Unreadable { reason } => {
                findings.error(reason.clone());
                None
            }
        }
    }

    /// What an object wants of the paths of files.
    fn paths(&mut self, path: &Entity) -> Result<Paths, NoValues> {
        let matcher = self.matcher(path)?;
        Ok(match (path.operation, matcher.exactly(), matcher.values()) {
            (Operation::Equals, Some(paths), _) => {
                Paths::These(paths.into_iter().map(str::to_owned).collect())
            }
            (Operation::NotEqual, _, [path]) => Paths::Other(path.clone()),
            _ => Paths::Matching(matcher),
        })
    }

    /// What an object wants of the names of packages.
    fn names_of_packages(&mut self, content: &'a ObjectContent) -> Result<Vec<Wanted>, NoValues> {
        let mut names = Vec::new();
        for (name, tag) in NAMES {
            if let Some(entity) = content.entity(name) {
                let is_number = entity.datatype == Datatype::Int;
                let filters = matches!(entity.operation, Operation::Equals | Operation::PatternMatch);
                names.push(Wanted { tag, matcher: self.matcher(entity)?, is_number, filters });
            }
        }
        Ok(names)
    }

    fn differences(&self, verified: &Verified) -> Vec<ItemEntity> {
        let known =
            |(name, _): &&(&str, Attribute)| *name != "filedigest_differs" || self.schema >= [5, 11, 1];
        let entity = |(name, attribute): &(&'static str, Attribute)| {
            ItemEntity::text(name, verified.result(*attribute))
        };
        DIFFERENCES.iter().filter(known).map(entity).collect()
    }
}

impl Findings {
    /// What is known of a package; what is not known is an error to what compares it, and to nothing else.
    fn decided(&mut self, entity: &'static str, package: &str, result: Result<bool, String>) -> ItemEntity {
        match result {
            Ok(value) => ItemEntity::boolean(entity, value),
            Err(reason) => {
                self.messages.push(format!("{package}: {reason}"));
                ItemEntity::without_value(entity, Datatype::Boolean, Status::Error)
            }
        }
    }
}

/// Which files of packages an object wants.
enum Paths {
    These(Vec<String>),
    Other(String),
    Matching(Matcher),
}

/// The files of a package that an object wants, with the paths under which they are told, as OpenSCAP has it: a plain
/// path is that of all files of its package that it leads to, or that cannot be followed.
fn wanted_files<'p>(
    files: &dyn Files,
    paths: &Paths,
    all: &'p [PackageFile],
) -> Result<Vec<(&'p PackageFile, String)>, String> {
    let mut wanted = Vec::new();
    match paths {
        Paths::These(paths) => {
            for path in paths {
                if !all.iter().any(|file| same_place(files, &file.path, path)) {
                    continue;
                }
                let real = leads_to(files, path);
                let other = |file: &PackageFile| {
                    let own = leads_to(files, &file.path);
                    file.path != *path && own.is_some() && real.is_some() && own != real
                };
                wanted.extend(all.iter().filter(|file| !other(file)).map(|file| (file, path.clone())));
            }
        }
        Paths::Other(path) => {
            let real = leads_to(files, path);
            for file in all {
                let own = leads_to(files, &file.path);
                if file.path != *path && (own.is_none() || own != real) {
                    wanted.push((file, own.unwrap_or_else(|| file.path.clone())));
                }
            }
        }
        Paths::Matching(matcher) => {
            for file in all {
                if matcher.is_match(&file.path)? {
                    wanted.push((file, file.path.clone()));
                }
            }
        }
    }
    Ok(wanted)
}

/// Whether two paths name the same entry of the same directory.
fn same_place(files: &dyn Files, a: &str, b: &str) -> bool {
    let ((folder_a, name_a), (folder_b, name_b)) = (split_path(a), split_path(b));
    let directory = |folder: &str| match files.directory(folder) {
        Lookup::Found(directory) => Some(directory),
        _ => None,
    };
    name_a == name_b
        && (folder_a == folder_b || directory(folder_a).is_some_and(|a| directory(folder_b) == Some(a)))
}

fn is_set(content: &ObjectContent, behavior: &str) -> bool {
    content.behaviors.get(behavior).is_some_and(|value| value == "true")
}

/// What an object wants of one of a package's names.
struct Wanted {
    tag: u32,
    matcher: Matcher,
    is_number: bool,
    /// Whether OpenSCAP lets RPM filter by this too.
    filters: bool,
}

fn is_named(wants: &[Wanted], package: &Header) -> Result<bool, String> {
    for want in wants {
        let mut shown = package.shown(want.tag);
        if shown == NONE {
            // For RPM's own filter no epoch is the epoch 0.
            if want.tag == tag::EPOCH && want.filters && !want.matcher.is_match("0")? {
                return Ok(false);
            }
            if want.is_number {
                "0".clone_into(&mut shown);
            }
        }
        if !want.matcher.is_match(&shown)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn name_entities(package: &Header) -> Vec<ItemEntity> {
    NAMES.iter().map(|(name, tag)| ItemEntity::text(name, package.shown(*tag))).collect()
}

/// The paths of a package's files; OpenSCAP goes through them twice.
fn file_paths(package: &Header) -> Vec<ItemEntity> {
    let paths: Vec<_> =
        package.files().into_iter().map(|file| ItemEntity::text("filepath", file.path)).collect();
    [paths.clone(), paths].concat()
}
