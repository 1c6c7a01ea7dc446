//! `unix:runlevel`: in which run levels services are started or stopped, by the links of System V.

use virtscap_scap::oval::{ItemEntity, ObjectContent, TestType};

use super::symlink::leads_to;
use super::{Findings, required};
use crate::files::join;
use crate::oval::Session;
use crate::oval::variables::NoValues;

const LEVELS: [&str; 7] = ["0", "1", "2", "3", "4", "5", "6"];

/// Where a distribution has scripts and links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layout {
    scripts: &'static str,
    /// In front of the level.
    links: &'static str,
    /// Whether a level without a link stops a service.
    stops: bool,
}

const RED_HAT: Layout = Layout { scripts: "/etc/rc.d/init.d", links: "/etc/rc", stops: false };
const SUSE: Layout = Layout { scripts: "/etc/init.d", links: "/etc/init.d/rc", stops: true };

/// The files that distributions are told by, in OpenSCAP's order; without a layout OpenSCAP knows nothing of its services.
const DISTRIBUTIONS: [(&[&str], Option<Layout>); 5] = [
    (&["/etc/debian_version", "/etc/debian_release"], None),
    (&["/etc/oracle-release", "/etc/redhat-release"], Some(RED_HAT)),
    (&["/etc/slackware-release", "/etc/gentoo-release", "/etc/arch-release", "/etc/mandriva-release"], None),
    (&["/etc/SuSE-release", "/etc/sles-release", "/etc/novell-release"], Some(SUSE)),
    (&["/etc/release"], Some(RED_HAT)),
];

impl<'a> Session<'a> {
    /// `unix:runlevel_object`: one item per service and level. The directory of the scripts and the one above it count for
    /// services too, as with OpenSCAP.
    pub(super) fn run_level(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let (service, level) = (required(content, "service_name")?, required(content, "runlevel")?);
        let (services, levels) = (self.matcher(service)?, self.matcher(level)?);
        let Some(layout) = self.layout() else {
            findings.error("nothing is known of run levels on this system".to_owned());
            return Ok(());
        };
        let listing = findings.need(layout.scripts, self.files.list(layout.scripts));
        let Some(listing) = listing else { return Ok(()) };
        findings.withhold(listing.withheld);
        for name in [".", ".."].into_iter().chain(listing.names.iter().map(String::as_str)) {
            if !services.is_match(name)? {
                continue;
            }
            let Some(script) = leads_to(self.files, &join(layout.scripts, name)) else { continue };
            for level in LEVELS {
                if !levels.is_match(level)? {
                    continue;
                }
                let Some([start, kill]) = self.start_and_kill(layout, level, &script, findings) else {
                    continue;
                };
                let entities = vec![
                    ItemEntity::text("service_name", name),
                    ItemEntity::text("runlevel", level),
                    ItemEntity::boolean("start", start),
                    ItemEntity::boolean("kill", kill),
                ];
                findings.item(TestType::RunLevel, entities);
            }
        }
        Ok(())
    }

    fn layout(&self) -> Option<Layout> {
        let is_there = |path: &&str| leads_to(self.files, path).is_some();
        let known = DISTRIBUTIONS.iter().find(|(files, _)| files.iter().any(is_there));
        known.and_then(|(_, layout)| *layout)
    }

    /// Whether the links of a level start and stop a service; none where there is no such level.
    fn start_and_kill(
        &self,
        layout: Layout,
        level: &str,
        script: &str,
        findings: &mut Findings,
    ) -> Option<[bool; 2]> {
        let folder = format!("{}{level}.d", layout.links);
        let links = findings.take(&folder, self.files.list(&folder))?.names;
        for link in links {
            // On SUSE only links that start a service count.
            let decides = match link.as_bytes().first() {
                Some(b'S') => Some([true, false]),
                Some(b'K') if !layout.stops => Some([false, true]),
                _ => None,
            };
            // OpenSCAP compares the numbers of files, of which recordings know nothing.
            if decides.is_some() && leads_to(self.files, &join(&folder, &link)).as_deref() == Some(script) {
                return decides;
            }
        }
        Some([false, layout.stops])
    }
}
