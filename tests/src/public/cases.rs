//! Which public content is evaluated, on what, and under which profiles.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::run::Run;
use super::{root, stream};
use crate::{oscap, say};

/// What is scanned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Root {
    /// This machine's own `/`. Walks of whole trees are cut off, since content walks it dozens of times.
    Machine,
    /// The made root.
    Made,
    /// A dump of an API on the made root.
    Dump(&'static str),
}

/// Content on a root.
#[derive(Clone, Debug)]
pub struct Case {
    /// The product, as `rhel9`.
    pub product: String,
    /// What is scanned.
    pub root: Root,
    /// Whether the platforms stay, and with them the check of the CPE dictionary.
    pub platforms: bool,
    /// The profile: `(all)`, which takes all rules with the default values, or an id.
    pub profile: String,
}

/// All rules.
pub const ALL: &str = "(all)";

/// Whether the content of cases and oscap are there. Where they are not, says so loudly; where peers are required, panics.
/// `nothing` is what is not done then.
pub fn are_there(cases: &[Case], nothing: &str) -> bool {
    let missing: BTreeSet<_> =
        cases.iter().map(|case| stream::path(&case.product)).filter(|path| !path.is_file()).collect();
    if missing.is_empty() {
        return oscap::is_there();
    }
    let message = format!(
        "SKIPPED: {nothing}: {missing:?} are not there (Debian: ssg-debian, ssg-debderived, ssg-nondebian, \
         ssg-applications)"
    );
    assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{message}");
    say(&message);
    false
}

/// What is always run.
pub fn usual() -> Vec<Case> {
    let mut cases = Vec::new();
    for dump in ["ocp4-cis", "ocp4-mixed-1", "ocp4-mixed-2"] {
        cases.push(case("ocp4", Root::Dump(dump), true));
    }
    for dump in ["eks-mixed-1", "eks-mixed-2"] {
        cases.push(case("eks", Root::Dump(dump), true));
    }
    let made = [
        "rhel9",
        "rhel8",
        "ol8",
        "rhcos4",
        "fedora",
        "debian11",
        "ubuntu2204",
        "sle15",
        "chromium",
        "firefox",
    ];
    cases.extend(made.map(|product| case(product, Root::Made, false)));
    cases.push(case("debian11", Root::Machine, true));
    cases.extend(["debian11", "rhel9", "sle15"].map(|product| case(product, Root::Machine, false)));
    for (product, root, profiles) in [
        ("ocp4", Root::Dump("ocp4-cis"), &["cis", "moderate", "pci-dss"][..]),
        ("eks", Root::Dump("eks-mixed-1"), &["cis"]),
        ("rhel9", Root::Made, &["stig", "cis"]),
        ("debian11", Root::Made, &["anssi_np_nt28_high"]),
    ] {
        let platforms = matches!(root, Root::Dump(_));
        cases.extend(
            profiles
                .iter()
                .map(|profile| Case { profile: (*profile).to_owned(), ..case(product, root, platforms) }),
        );
    }
    cases
}

/// All installed content on all roots that mean something to it, under every profile.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for product in stream::products() {
        let roots: &[(Root, bool)] = match product.as_str() {
            "ocp4" => &[
                (Root::Dump("ocp4-cis"), true),
                (Root::Dump("ocp4-mixed-1"), true),
                (Root::Dump("ocp4-mixed-2"), true),
            ],
            "eks" => &[(Root::Dump("eks-mixed-1"), true), (Root::Dump("eks-mixed-2"), true)],
            "debian11" => &[(Root::Made, false), (Root::Machine, true), (Root::Machine, false)],
            _ => &[(Root::Made, false), (Root::Machine, false)],
        };
        let xml = std::fs::read_to_string(stream::path(&product)).unwrap();
        for (root, platforms) in roots {
            cases.push(case(&product, *root, *platforms));
            if *root != Root::Machine {
                let profiles = stream::profiles(&xml);
                cases.extend(
                    profiles.into_iter().map(|profile| Case { profile, ..case(&product, *root, *platforms) }),
                );
            }
        }
    }
    cases
}

fn case(product: &str, root: Root, platforms: bool) -> Case {
    Case { product: product.to_owned(), root, platforms, profile: ALL.to_owned() }
}

impl Case {
    /// What the case is called, also in the file of known differences.
    pub fn name(&self) -> String {
        let root = match self.root {
            Root::Machine => "on this machine",
            Root::Made => "on the made root",
            Root::Dump(dump) => &format!("on {dump}"),
        };
        let platforms = if self.platforms && self.root == Root::Machine { ", with platforms" } else { "" };
        let profile = if self.profile == ALL { String::new() } else { format!(", {}", self.profile) };
        format!("{} {root}{platforms}{profile}", self.product)
    }

    /// Prepares the run. The content's copy is written to the folder.
    pub fn run(&self, roots: &Roots, folder: &Path) -> Run {
        let path = stream::path(&self.product);
        let mut xml = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        if !self.platforms {
            xml = stream::anywhere(&xml);
        }
        if self.root == Root::Machine {
            xml = stream::shallow(&xml);
            if self.platforms && self.product == "debian11" {
                xml = stream::on_debian_12(&xml);
            }
        }
        let copy = folder.join(format!("{}.xml", self.name().replace(' ', "-")));
        std::fs::write(&copy, xml).unwrap();
        let root = match self.root {
            Root::Machine => PathBuf::from("/"),
            Root::Made => roots.made.path().to_owned(),
            Root::Dump(dump) => roots.dump(dump),
        };
        Run { stream: copy, root, profile: self.profile.clone() }
    }
}

/// The roots, made once for all cases.
#[derive(Debug)]
pub struct Roots {
    made: tempfile::TempDir,
    dumps: Vec<(&'static str, tempfile::TempDir)>,
}

impl Roots {
    /// Makes those that the cases want.
    pub fn make(cases: &[Case]) -> Self {
        let mut dumps: Vec<(&str, tempfile::TempDir)> = Vec::new();
        for case in cases {
            if let Root::Dump(dump) = case.root
                && dumps.iter().all(|(name, _)| *name != dump)
            {
                let folder = root::temporary();
                root::add_dump(dump, folder.path());
                dumps.push((dump, folder));
            }
        }
        Self { made: root::temporary(), dumps }
    }

    fn dump(&self, name: &str) -> PathBuf {
        let (_, folder) = self.dumps.iter().find(|(dump, _)| *dump == name).unwrap();
        folder.path().to_owned()
    }
}
