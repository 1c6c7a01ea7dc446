//! `linux:dpkginfo`: packages that dpkg has installed.
//!
//! OpenSCAP asks apt's cache (`dpkginfo-helper.cxx`), which is made of dpkg's status file; here that file is read itself,
//! so that a node without the cache is not taken for one without packages. OpenSCAP takes every name for a plain one,
//! whatever the operation is; here the operation counts.

use std::collections::HashMap;
use std::rc::Rc;

use virtscap_scap::oval::{Datatype, ItemEntity, ObjectContent, TestType};

use super::Findings;
use crate::oval::Session;
use crate::oval::variables::NoValues;

/// Where dpkg keeps what is installed.
const STATUS: &str = "/var/lib/dpkg/status";

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Package {
    name: String,
    arch: String,
    version: String,
}

/// The packages that are installed.
#[derive(Debug, Default)]
pub(in crate::oval) struct Installed {
    packages: Vec<Package>,
    by_name: HashMap<String, Vec<usize>>,
    /// The system's own architecture.
    native: String,
}

impl Installed {
    /// Reads a status file: paragraphs of `Field: value`. What is in no such form is passed over.
    fn read(status: &str) -> Self {
        let mut installed = Self::default();
        for paragraph in status.split("\n\n") {
            let field = |name: &str| {
                let mut lines = paragraph.lines();
                lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
            };
            let (Some(name), Some(status), Some(version)) =
                (field("Package"), field("Status"), field("Version"))
            else {
                continue;
            };
            // As apt has it: what left only its configuration is not installed; what is half installed is.
            let state = status.rsplit(' ').next().unwrap_or_default();
            if name.is_empty() || matches!(state, "not-installed" | "config-files") {
                continue;
            }
            let arch = field("Architecture").unwrap_or_default();
            if name == "dpkg" {
                arch.clone_into(&mut installed.native);
            }
            installed.by_name.entry(name.to_owned()).or_default().push(installed.packages.len());
            installed.packages.push(Package {
                name: name.to_owned(),
                arch: arch.to_owned(),
                version: version.to_owned(),
            });
        }
        installed
    }

    /// The package that a name means: `name` is that of the system's own architecture, `name:arch` of another.
    fn find(&self, name: &str) -> Option<&Package> {
        let (name, arch) = name.split_once(':').unwrap_or((name, &self.native));
        let of_name = self.by_name.get(name)?.iter().filter_map(|index| self.packages.get(*index));
        let suits = |package: &&Package| match package.arch.as_str() {
            "all" => arch == self.native || self.native.is_empty(),
            // Without dpkg itself nothing says which architecture is the system's own.
            own => own == arch || arch.is_empty(),
        };
        of_name.clone().find(suits)
    }
}

/// Epoch, version and release; OpenSCAP splits at the first of each separator.
fn split(version: &str) -> (&str, &str, Option<&str>) {
    let (epoch, rest) = version.split_once(':').unwrap_or(("0", version));
    match rest.split_once('-') {
        Some((version, release)) => (epoch, version, Some(release)),
        None => (epoch, rest, None),
    }
}

fn entities(package: &Package, evr: Datatype) -> Vec<ItemEntity> {
    let (epoch, version, release) = split(&package.version);
    let whole = match release {
        Some(release) => format!("{epoch}:{version}-{release}"),
        None => format!("{epoch}:{version}"),
    };
    vec![
        ItemEntity::text("name", &package.name),
        ItemEntity::text("arch", &package.arch),
        ItemEntity::text("epoch", epoch),
        ItemEntity::text("release", release.unwrap_or_default()),
        ItemEntity::text("version", version),
        ItemEntity::typed("evr", evr, whole),
    ]
}

impl<'a> Session<'a> {
    /// `linux:dpkginfo_object`: one item per package that is installed.
    pub(super) fn dpkg_info(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let name = self.wanted(content, "name")?;
        let installed = match &self.dpkg {
            Some(installed) => installed.clone(),
            None => {
                // Nothing is installed by a dpkg that is not there, and OpenSCAP says so too.
                let Some(status) = findings.take(STATUS, self.files.read(STATUS)) else { return Ok(()) };
                let installed = Rc::new(Installed::read(&String::from_utf8_lossy(&status)));
                self.dpkg = Some(installed.clone());
                installed
            }
        };
        let evr = if self.schema >= [5, 11, 1] { Datatype::DebianEvrString } else { Datatype::EvrString };
        if let Some(names) = name.exactly() {
            let found = names.into_iter().filter_map(|name| installed.find(name));
            for package in found {
                findings.item(TestType::DpkgInfo, entities(package, evr));
            }
            return Ok(());
        }
        for package in &installed.packages {
            if name.is_match(&package.name)? {
                findings.item(TestType::DpkgInfo, entities(package, evr));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const STATUS: &str = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21.22\n\n\
        Package: a\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\n\n\
        Package: a\nStatus: hold ok half-installed\nArchitecture: amd64\nVersion: 2:1-b-2\nDescription: x\n Status: no\n\n\
        Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n\
        Package: data\nStatus: install ok installed\nArchitecture: all\nVersion: 3:4\n\n\
        garbage\n\u{fffd}\n\nPackage: \nStatus:\n\n";

    #[test]
    fn packages_are_found_by_name_and_architecture() {
        let installed = Installed::read(STATUS);
        let version = |name: &str| installed.find(name).map(|package| package.version.as_str());
        assert_eq!(version("a"), Some("2:1-b-2"));
        assert_eq!(version("a:i386"), Some("1"));
        assert_eq!(version("data"), Some("3:4"));
        assert_eq!(version("data:i386"), None);
        assert_eq!(version("gone"), None);
        assert_eq!(version(""), None);
        assert_eq!(installed.packages.len(), 4);
    }

    #[test]
    fn versions_are_split_at_the_first_separators() {
        assert_eq!(split("2:1-b-2"), ("2", "1", Some("b-2")));
        assert_eq!(split("1.0"), ("0", "1.0", None));
        assert_eq!(split(":-"), ("", "", Some("")));
    }
}
