//! Benchmarks and tailorings: ids, references and enumerations.

use std::collections::{BTreeMap, BTreeSet};

use super::{BOOLEANS, Check};
use crate::namespace::{OVAL_DEF, XCCDF, XLINK};
use crate::xccdf::{CheckOperator, Role, Severity};
use crate::xml::{Node, NodeExt as _};

/// The ids of a benchmark that others can name.
#[derive(Default)]
pub(super) struct Known<'a> {
    /// Groups and Rules, by id and by `cluster-id`.
    selectable: BTreeSet<&'a str>,
    values: BTreeSet<&'a str>,
}

/// By href: the ids that the file defines. None where no catalog names the file; none within where the file is not here.
type Targets<'a> = BTreeMap<&'a str, Option<Option<BTreeSet<&'a str>>>>;

impl Check {
    pub(super) fn benchmark(&mut self, benchmark: Node<'_, '_>) {
        self.form_of(benchmark, "benchmark");
        let mut targets = Targets::new();
        for name in ["status", "version"] {
            self.child(benchmark, name);
        }
        let mut ids = BTreeMap::new();
        let mut known = Known::default();
        let items: Vec<_> =
            benchmark.descendants().filter(|n| n.tag_name().namespace() == Some(XCCDF)).collect();
        for item in &items {
            let kind = match item.tag_name().name() {
                "Group" => "group",
                "Rule" => "rule",
                "Value" => "value",
                "Profile" => "profile",
                _ => continue,
            };
            self.unique(*item, &mut ids);
            self.form_of(*item, kind);
            let into = if kind == "value" { &mut known.values } else { &mut known.selectable };
            if kind != "profile" {
                into.extend(item.attribute("id"));
                into.extend(item.attribute("cluster-id"));
            }
        }
        for item in &items {
            match item.tag_name().name() {
                "Group" | "Rule" => self.selectable(*item, &known),
                "check-export" => {
                    self.required(*item, "export-name");
                    self.names(*item, "value-id", &known.values, "Value");
                }
                "sub" => self.names(*item, "idref", &known.values, "Value"),
                "check" if item.parent().is_some_and(|p| p.tag_name().name() != "rule-result") => {
                    self.check(*item, &mut targets);
                }
                "complex-check" => {
                    self.required(*item, "operator");
                    self.one_of(*item, "operator", CheckOperator::TEXTS);
                }
                _ => {}
            }
        }
        self.profiles(benchmark, Some(&known));
    }

    fn selectable(&mut self, item: Node<'_, '_>, known: &Known<'_>) {
        self.child(item, "title");
        self.one_of(item, "selected", &BOOLEANS);
        if item.tag_name().name() == "Rule" {
            self.one_of(item, "severity", Severity::TEXTS);
            self.one_of(item, "role", Role::TEXTS);
        }
        for node in item.named("requires").chain(item.named("conflicts")) {
            for id in node.attribute("idref").unwrap_or_default().split_whitespace() {
                if !known.selectable.contains(id) {
                    let what = format!("<{}> names '{id}'", node.tag_name().name());
                    self.problem(node, what, "name a Rule or Group of the benchmark");
                }
            }
        }
    }

    /// Profiles; of a tailoring, what they name is in another document.
    pub(super) fn profiles(&mut self, of: Node<'_, '_>, known: Option<&Known<'_>>) {
        for profile in of.named("Profile") {
            self.required(profile, "id");
            for node in profile.elements() {
                let name = node.tag_name().name();
                match name {
                    "select" => {
                        self.required(node, "selected");
                        self.one_of(node, "selected", &BOOLEANS);
                    }
                    "refine-rule" => {
                        self.one_of(node, "severity", Severity::TEXTS);
                        self.one_of(node, "role", Role::TEXTS);
                    }
                    "set-value" | "refine-value" => {}
                    _ => continue,
                }
                match known {
                    None => {
                        self.required(node, "idref");
                    }
                    Some(known) if matches!(name, "select" | "refine-rule") => {
                        self.names(node, "idref", &known.selectable, "Rule or Group");
                    }
                    Some(known) => self.names(node, "idref", &known.values, "Value"),
                }
            }
        }
    }

    /// An attribute that names something of the benchmark.
    fn names(&mut self, node: Node<'_, '_>, attribute: &str, known: &BTreeSet<&str>, kind: &str) {
        if let Some(id) = self.required(node, attribute).filter(|id| !known.contains(id)) {
            let what = format!("<{}> names '{id}'", node.tag_name().name());
            self.problem(node, what, format!("name a {kind} of the benchmark"));
        }
    }

    /// The checks in OVAL: the file has to be in the catalog, the definition in the file.
    fn check<'a>(&mut self, check: Node<'a, '_>, targets: &mut Targets<'a>) {
        self.required(check, "system");
        self.one_of(check, "negate", &BOOLEANS);
        self.one_of(check, "multi-check", &BOOLEANS);
        if check.attribute("system") != Some(OVAL_DEF) {
            return;
        }
        for reference in check.named("check-content-ref") {
            let Some(href) = self.required(reference, "href") else { continue };
            // Thousands of checks are in the same few files.
            let target = targets.entry(href).or_insert_with(|| {
                catalogued(check, href).map(|target| {
                    let definitions = target.child("definitions")?;
                    Some(definitions.elements().filter_map(|d| d.attribute("id")).collect())
                })
            });
            let Some(definitions) = target else {
                let what = format!("the check is in '{href}', which no catalog names");
                self.problem(reference, what, "add a <uri> for it to the catalog of the checklist");
                continue;
            };
            let (Some(definitions), Some(name)) = (definitions, reference.attribute("name")) else {
                continue;
            };
            if !definitions.contains(name) {
                let what = format!("the check is '{name}', which '{href}' does not define");
                self.problem(reference, what, "name a definition that is there");
            }
        }
    }

    /// Ids in XCCDF 1.2 are `xccdf_<reverse DNS name>_<kind>_<name>`.
    fn form_of(&mut self, node: Node<'_, '_>, kind: &str) {
        let Some(id) = node.attribute("id") else { return };
        let rest = id.strip_prefix("xccdf_").and_then(|rest| rest.split_once('_'));
        let name = rest.and_then(|(_, rest)| rest.strip_prefix(kind)?.strip_prefix('_'));
        if name.is_none_or(str::is_empty) {
            let what = format!("the id '{id}' is of another form");
            self.problem(node, what, format!("write it as xccdf_<reverse DNS name>_{kind}_<name>"));
        }
    }
}

/// What an href means in the component of a check; something without children where it is kept elsewhere.
fn catalogued<'a, 'i>(check: Node<'a, 'i>, href: &str) -> Option<Node<'a, 'i>> {
    let component = check.ancestors().find(|node| node.tag_name().name() == "component")?;
    let id = component.attribute("id")?;
    let root = check.document().root_element();
    let references = || {
        root.named("data-stream").flat_map(|stream| {
            let all = stream.descendants().filter(|node| node.tag_name().name() == "component-ref");
            all.collect::<Vec<_>>()
        })
    };
    let leads_to = |reference: &Node<'_, '_>| reference.attribute((XLINK, "href")).map(str::to_owned);
    let own = references().filter(|r| leads_to(r).is_some_and(|href| href.strip_prefix('#') == Some(id)));
    let uris = own.filter_map(|reference| reference.child("catalog"));
    let target = match href.strip_prefix('#') {
        Some(target) => target.to_owned(),
        None => {
            let mut named = uris.flat_map(|catalog| catalog.named("uri").collect::<Vec<_>>());
            let uri = named.find(|uri| uri.attribute("name") == Some(href))?.attribute("uri")?;
            uri.trim_start_matches('#').to_owned()
        }
    };
    let reference = references().find(|reference| reference.attribute("id") == Some(&target))?;
    let component = leads_to(&reference)?;
    let found = root
        .elements()
        .find(|node| node.attribute("id").is_some() && component.strip_prefix('#') == node.attribute("id"));
    // What is remote, or missing, is told elsewhere.
    Some(found.and_then(|node| node.elements().next()).unwrap_or(reference))
}
