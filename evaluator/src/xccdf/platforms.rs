//! Which platforms are there (XCCDF 1.2, 6.2.5; NISTIR 7697 and 7698), as OpenSCAP 1.3.7 finds out.
//!
//! A platform is there only where a definition says so: what is unknown, fails to be evaluated or is named nowhere counts as
//! not there. OpenSCAP also asks a dictionary of its own, of Red Hat's systems; this knows only what the content brings, so
//! that a verdict does not depend on the files of the machine that scans.

use std::collections::{BTreeMap, BTreeSet};

use virtscap_scap::cpe::{CpeName, LogicalTest, TestNode};
use virtscap_scap::id::DefinitionId;
use virtscap_scap::oval::{OvalDefinitions, OvalResult};
use virtscap_scap::xccdf::CheckOperator;

use super::sessions::{OvalComponent, Sessions};
use crate::content::Checklist;
use crate::files::Files;
use crate::gap::Gap;
use crate::oval::ExternalValues;

/// The platforms that were asked for.
pub(super) struct Platforms<'a> {
    checklist: &'a Checklist<'a>,
    sessions: Sessions<'a>,
    /// Evaluations that know why data is missing, where the source lacks something.
    with_reasons: Option<Sessions<'a>>,
    /// By what a benchmark calls them.
    known: BTreeMap<String, bool>,
    /// What keeps it from being known whether a platform is there, for the last platform that was asked for.
    gaps: BTreeSet<Gap>,
    /// The same, of those that are not there.
    open: BTreeMap<String, BTreeSet<Gap>>,
    /// What those that are missing are called: many rules miss the same one.
    titles: BTreeMap<String, String>,
}

/// Platforms of which none is there.
pub(super) struct Missing {
    /// What they are called.
    pub(super) titles: String,
    /// Why one may be there all the same: what the source lacks.
    pub(super) reasons: BTreeSet<String>,
}

impl<'a> Platforms<'a> {
    /// `plain` are the files without reasons for what is missing.
    pub(super) fn new(checklist: &'a Checklist<'a>, plain: &'a dyn Files, files: &'a dyn Files) -> Self {
        Self {
            checklist,
            sessions: Sessions::new(plain, ExternalValues::new()),
            with_reasons: files.gap(None).map(|_| Sessions::new(files, ExternalValues::new())),
            known: BTreeMap::new(),
            gaps: BTreeSet::new(),
            open: BTreeMap::new(),
            titles: BTreeMap::new(),
        }
    }

    /// Why a rule is not applicable: of the platforms of some level none is there.
    pub(super) fn missing(&mut self, levels: &[&[String]]) -> Option<Missing> {
        for platforms in levels {
            // All are asked for, although one suffices: results name each that is there.
            let found = platforms.iter().filter(|name| self.is_there(name)).count();
            if found == 0 && !platforms.is_empty() {
                let titles: Vec<_> = platforms.iter().map(|name| self.title(name)).collect();
                let titles = titles.join(", ");
                let open = platforms.iter().filter_map(|name| self.open.get(name)).flatten();
                let reasons: BTreeSet<_> = open.map(|gap| gap.reason.clone()).collect();
                return Some(Missing { reasons, titles });
            }
        }
        None
    }

    /// What a `platform` element names: a CPE name, or a platform of the applicability language by its id, with or
    /// without `#`.
    fn is_there(&mut self, idref: &str) -> bool {
        if let Some(known) = self.known.get(idref) {
            return *known;
        }
        let checklist = self.checklist;
        let combined = checklist.platform(idref.strip_prefix('#').unwrap_or(idref));
        self.gaps.clear();
        let found = combined.is_some_and(|platform| self.holds(&platform.test)) || self.fact(idref);
        if !found {
            self.open.insert(idref.to_owned(), std::mem::take(&mut self.gaps));
        }
        self.known.insert(idref.to_owned(), found);
        found
    }

    fn holds(&mut self, test: &'a LogicalTest) -> bool {
        let mut children = test.children.iter();
        let combined = match test.operator {
            CheckOperator::And => children.all(|child| self.node_holds(child)),
            CheckOperator::Or => children.any(|child| self.node_holds(child)),
        };
        combined != test.negate
    }

    fn node_holds(&mut self, node: &'a TestNode) -> bool {
        match node {
            TestNode::Test(test) => self.holds(test),
            TestNode::Fact { name } => self.fact(name),
            TestNode::Check { href, definition } => {
                let found = self.checklist.platform_oval(href);
                found.is_some_and(|(component, oval)| self.is_true(component, oval, definition))
            }
        }
    }

    fn fact(&mut self, name: &str) -> bool {
        let Some(name) = CpeName::parse(name) else { return false };
        let checks = self.checklist.platform_checks(&name);
        checks.iter().any(|check| self.is_true(check.component, check.oval, check.definition))
    }

    fn is_true(&mut self, component: &str, oval: &'a OvalDefinitions, definition: &DefinitionId) -> bool {
        let (_, session) = self.sessions.of(component, oval, ExternalValues::new());
        let found = session.evaluate(definition) == OvalResult::True;
        let Some(with_reasons) = &mut self.with_reasons else { return found };
        let (_, session) = with_reasons.of(component, oval, ExternalValues::new());
        session.evaluate(definition);
        if let Some(certain) = session.certain(definition)
            && !matches!(certain.result, OvalResult::True | OvalResult::False)
        {
            self.gaps.extend(certain.gaps);
        }
        found
    }

    fn title(&mut self, idref: &str) -> String {
        if let Some(known) = self.titles.get(idref) {
            return known.clone();
        }
        let title = self.find_title(idref);
        self.titles.insert(idref.to_owned(), title.clone());
        title
    }

    fn find_title(&self, idref: &str) -> String {
        let combined = self.checklist.platform(idref.strip_prefix('#').unwrap_or(idref));
        let checks = CpeName::parse(idref).map(|name| self.checklist.platform_checks(&name));
        let titles = combined.map(|platform| platform.title.as_str());
        let mut titles = titles.into_iter().chain(checks.iter().flatten().map(|check| check.title));
        match titles.next() {
            Some("") => idref.to_owned(),
            Some(title) => format!("{title} ({idref})"),
            None => format!("{idref} (the content cannot tell whether it is there)"),
        }
    }

    /// The platforms that were found, and the results in OVAL that told so.
    pub(super) fn finish(self, first_report: usize) -> (Vec<String>, Vec<OvalComponent>) {
        let found = self.known.into_iter().filter(|(_, found)| *found);
        (found.map(|(name, _)| name).collect(), self.sessions.finish(first_report))
    }
}
