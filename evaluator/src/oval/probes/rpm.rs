//! `linux:rpminfo`, `linux:rpmverifyfile` and `linux:rpmverifypackage`: what RPM has installed.

use std::rc::Rc;

use virtscap_scap::oval::{Datatype, ItemEntity, ObjectContent, TestType};

use super::Findings;
use crate::oval::Session;
use crate::oval::matcher::Matcher;
use crate::oval::variables::NoValues;
use crate::rpm::verify::{Attribute, Verifier, Verified};
use crate::rpm::{self, Header, tag};

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
        let name = content.entity("name").ok_or_else(|| "the object lacks a name".to_owned())?;
        let name = self.matcher(name)?;
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
        let path = content.entity("filepath").ok_or_else(|| "the object lacks a filepath".to_owned())?;
        let path = self.matcher(path)?;
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
            for file in package.files() {
                if file.flags & skipped != 0 || !path.is_match(&file.path)? {
                    continue;
                }
                match verifier.verify(&file, algorithm) {
                    Ok(verified) => {
                        let mut entities = name_entities(package);
                        entities.push(ItemEntity::text("filepath", &file.path));
                        entities.push(ItemEntity::text("extended_name", package.extended_name()));
                        entities.extend(self.differences(&verified));
                        let kind = |(name, flag): (_, u32)| ItemEntity::boolean(name, file.flags & flag != 0);
                        entities.extend(KINDS.map(kind));
                        findings.item(TestType::RpmVerifyFile, entities);
                    }
                    Err(crate::rpm::verify::Problem::Withheld(reason)) => findings.withhold(Some(reason)),
                    Err(crate::rpm::verify::Problem::Failed(reason)) => findings.error(reason),
                }
            }
        }
        Ok(())
    }

    /// `linux:rpmverifypackage_object`. To verify packages means to run their scripts and to resolve their dependencies,
    /// which is RPM's own business: of packages that are there it is not decided.
    pub(super) fn rpm_verify_package(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let names = self.names_of_packages(content)?;
        if !self.files.is_running() {
            let settings = self.files.metadata(RPM_SETTINGS);
            if matches!(settings, crate::files::Lookup::Missing { reason: None }) {
                findings.not_applicable(format!("{RPM_SETTINGS}: is missing; there is no RPM in this root"));
                return Ok(());
            }
        }
        let Some(packages) = self.packages(findings) else { return Ok(()) };
        for package in packages.iter() {
            if is_named(&names, package)? {
                let name = package.extended_name();
                findings.withhold(Some(format!("{name}: verifying whole packages is not supported")));
                self.note_unsupported(content.test_type.name());
                break;
            }
        }
        Ok(())
    }

    /// The packages that are installed, read once; none where there is no database, or it could not be read.
    fn packages(&mut self, findings: &mut Findings) -> Option<Rc<Vec<Header>>> {
        let packages = self.rpm.get_or_insert_with(|| rpm::packages(self.files).map(Rc::new));
        match packages {
            crate::files::Lookup::Found(packages) => Some(packages.clone()),
            crate::files::Lookup::Missing { reason } => {
                findings.withhold(reason.clone());
                None
            }
            crate::files::Lookup::Unreadable { reason } => {
                findings.error(reason.clone());
                None
            }
        }
    }

    /// What an object wants of the names of packages.
    fn names_of_packages(&mut self, content: &'a ObjectContent) -> Result<Vec<(u32, Matcher)>, NoValues> {
        let mut names = Vec::new();
        for (name, tag) in NAMES {
            if let Some(entity) = content.entity(name) {
                names.push((tag, self.matcher(entity)?));
            }
        }
        Ok(names)
    }

    fn differences(&self, verified: &Verified) -> Vec<ItemEntity> {
        let known = |(name, _): &&(&str, Attribute)| *name != "filedigest_differs" || self.schema >= [5, 11, 1];
        let entity = |(name, attribute): &(&'static str, Attribute)| {
            ItemEntity::text(name, verified.result(*attribute))
        };
        DIFFERENCES.iter().filter(known).map(entity).collect()
    }
}

fn is_set(content: &ObjectContent, behavior: &str) -> bool {
    content.behaviors.get(behavior).is_some_and(|value| value == "true")
}

fn is_named(names: &[(u32, Matcher)], package: &Header) -> Result<bool, String> {
    for (tag, name) in names {
        if !name.is_match(&package.shown(*tag))? {
            return Ok(false);
        }
        // OpenSCAP lets RPM filter too, for which no epoch is the epoch 0.
        if *tag == tag::EPOCH && package.shown(*tag) == "(none)" && !name.is_match("0")? {
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
