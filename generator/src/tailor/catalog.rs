//! What a data stream has to be tailored: its profiles, rules and values, by all the names that they go by.

use std::collections::BTreeSet;

use virtscap_scap::datastream::{ComponentContent, DataStreamCollection};
use virtscap_scap::id::{GroupId, ProfileId, RuleId, ValueId, VariableId};
use virtscap_scap::namespace::OVAL_DEF;
use virtscap_scap::oval::{Component, EntityValue, Operation, OvalDefinitions, VariableKind};
use virtscap_scap::xccdf::{
    Benchmark, Check, ComplexCheck, ComplexCheckNode, Item, Profile, Rule, RuleCheck, Value,
};

use super::TailorError;
use crate::model::Scope;

/// Name of the ProfileBundle, which the operator puts before the names of what is in it, unless told otherwise.
pub const BUNDLE: &str = crate::manifests::BUNDLE;

/// The benchmark of a data stream as something to tailor.
#[derive(Debug, Clone)]
pub struct Catalog<'a> {
    benchmark: &'a Benchmark,
    rules: Vec<&'a Rule>,
    groups: Vec<&'a GroupId>,
    /// Values that rules use as regular expressions.
    patterns: BTreeSet<&'a ValueId>,
}

/// The name of a Kubernetes object for a name in XCCDF, as the operator makes it.
pub(super) fn object_name(short_name: &str) -> String {
    short_name.replace('_', "-").to_lowercase()
}

impl<'a> Catalog<'a> {
    /// The first benchmark of a data stream; none where it has none.
    pub fn of(collection: &'a DataStreamCollection) -> Option<Self> {
        let mut contents = collection.components.iter().map(|component| &component.content);
        let benchmark = contents.find_map(|content| match content {
            ComponentContent::Benchmark(benchmark) => Some(&**benchmark),
            _ => None,
        })?;
        let (mut rules, mut groups) = (Vec::new(), Vec::new());
        benchmark.for_each_rule(&mut |_, rule| rules.push(rule));
        group_ids(&benchmark.items, &mut groups);
        let patterned: BTreeSet<_> = collection
            .components
            .iter()
            .filter_map(|component| match &component.content {
                ComponentContent::Oval(oval) => Some(pattern_variables(oval)),
                _ => None,
            })
            .flatten()
            .collect();
        let exports = rules.iter().flat_map(|rule| checks(&rule.check)).flat_map(|check| &check.exports);
        let patterns = exports
            .filter(|export| patterned.contains(&VariableId::new(&*export.export_name)))
            .map(|export| &export.value_id)
            .collect();
        Some(Self { benchmark, rules, groups, patterns })
    }

    /// A profile by its id, its short name or its name in Kubernetes without the bundle's.
    ///
    /// # Errors
    /// [`TailorError::Unknown`] with the nearest name.
    pub fn profile(&self, name: &str) -> Result<&'a ProfileId, TailorError> {
        let known = self.benchmark.profiles.iter().map(|profile| (&profile.id, profile.id.short_name()));
        find("profile", name, known, ProfileId::as_str)
    }

    /// A rule, likewise.
    ///
    /// # Errors
    /// [`TailorError::Unknown`] with the nearest name.
    pub fn rule(&self, name: &str) -> Result<&'a RuleId, TailorError> {
        find("rule", name, self.rules.iter().map(|rule| (&rule.id, rule.id.short_name())), RuleId::as_str)
    }

    /// A value, likewise.
    ///
    /// # Errors
    /// [`TailorError::Unknown`] with the nearest name.
    pub fn value(&self, name: &str) -> Result<&'a ValueId, TailorError> {
        let known = self.benchmark.values.iter().map(|value| (&value.id, value.id.short_name()));
        find("value", name, known, ValueId::as_str)
    }

    /// The profile that a name with a bundle's before it means, and the bundle: of several the one whose own name is the
    /// longest.
    ///
    /// # Errors
    /// [`TailorError::Unknown`] with the nearest name.
    pub(super) fn bundled_profile(&self, name: &str) -> Result<(&'a ProfileId, String), TailorError> {
        let known = self.benchmark.profiles.iter().map(|profile| (&profile.id, profile.id.short_name()));
        longest_suffix(name, known.clone()).ok_or_else(|| TailorError::Unknown {
            kind: "profile",
            name: name.to_owned(),
            nearest: nearest(name, known.map(|(_, short)| short)),
        })
    }

    /// The bundle of the name of a rule or value of this content.
    pub(super) fn bundle_of(&self, name: &str) -> Option<String> {
        let rules = self.rules.iter().map(|rule| (rule.id.as_str(), rule.id.short_name()));
        let values = self.benchmark.values.iter().map(|value| (value.id.as_str(), value.id.short_name()));
        longest_suffix(name, rules.chain(values)).map(|(_, bundle)| bundle)
    }

    /// The group of this id.
    pub(super) fn group(&self, id: &str) -> Option<&'a GroupId> {
        self.groups.iter().find(|group| group.as_str() == id).copied()
    }

    /// The title of a profile.
    pub fn title(&self, id: &ProfileId) -> &'a str {
        self.find_profile(id).map_or("", |profile| profile.title.as_str())
    }

    fn find_profile(&self, id: &ProfileId) -> Option<&'a Profile> {
        self.benchmark.profiles.iter().find(|profile| profile.id == *id)
    }

    pub(super) fn value_of(&self, id: &ValueId) -> Option<&'a Value> {
        self.benchmark.values.iter().find(|value| value.id == *id)
    }

    /// Whether some rule uses the value as a regular expression.
    pub(super) fn is_pattern(&self, id: &ValueId) -> bool {
        self.patterns.contains(id)
    }

    /// What a profile scans, as the operator tells: by its first platform, else the benchmark's. What names no platform
    /// as a CPE URI is for nodes there.
    pub(super) fn profile_scope(&self, id: &ProfileId) -> Option<Scope> {
        let profile = self.find_profile(id)?;
        let platform = profile.platforms.first().or(self.benchmark.platforms.first());
        let is_platform = platform.is_some_and(|cpe| cpe.starts_with("cpe:/") && !cpe.starts_with("cpe:/o:"));
        Some(if is_platform { Scope::Platform } else { Scope::Node })
    }

    /// What a rule looks at, as the operator tells; none for what only a person can judge.
    pub(super) fn rule_scope(&self, id: &RuleId) -> Option<Scope> {
        let rule = self.rules.iter().find(|rule| rule.id == *id)?;
        if !checks(&rule.check).iter().any(|check| check.system == OVAL_DEF) {
            return None;
        }
        let elements = rule.warnings.iter().flat_map(|warning| warning.html_elements());
        let mut classes = elements.filter_map(|element| element.attribute("class").map(str::to_owned));
        let is_platform = classes
            .any(|class| matches!(class.as_str(), "ocp-api-endpoint" | "ocp-api-endpoint-kubeletconfig"));
        Some(if is_platform { Scope::Platform } else { Scope::Node })
    }
}

fn find<'a, T>(
    kind: &'static str,
    name: &str,
    known: impl Iterator<Item = (&'a T, &'a str)> + Clone,
    full: impl Fn(&T) -> &str,
) -> Result<&'a T, TailorError> {
    let same = |(id, short): &(&'a T, &str)| full(id) == name || *short == name || object_name(short) == name;
    let found = known.clone().find(same);
    found.map(|(id, _)| id).ok_or_else(|| TailorError::Unknown {
        kind,
        name: name.to_owned(),
        nearest: nearest(name, known.map(|(_, short)| short)),
    })
}

fn longest_suffix<'a, T: ?Sized>(
    name: &str,
    known: impl Iterator<Item = (&'a T, &'a str)>,
) -> Option<(&'a T, String)> {
    let matching = known.filter_map(|(id, short)| {
        let bundle = name.strip_suffix(&object_name(short))?.strip_suffix('-')?;
        (!bundle.is_empty()).then(|| (id, bundle.to_owned()))
    });
    matching.min_by_key(|(_, bundle)| bundle.len())
}

/// The name that is most like the one given, or like an end of it with a bundle's name before it, if any is.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = object_name(name);
    let ends = name.match_indices('-').map(|(index, _)| &name[index + 1..]);
    let ends: Vec<_> = std::iter::once(name.as_str()).chain(ends).collect();
    let near = names.flat_map(|known| {
        let object = object_name(known);
        let distances = ends.iter().map(move |end| (strsim::levenshtein(end, &object), *end, known));
        distances.collect::<Vec<_>>()
    });
    let near = near.filter(|(distance, end, _)| *distance <= end.chars().count().max(3) / 3);
    near.min_by_key(|(distance, end, _)| (*distance, std::cmp::Reverse(end.len())))
        .map(|(.., known)| known.to_owned())
}

fn group_ids<'a>(items: &'a [Item], ids: &mut Vec<&'a GroupId>) {
    for item in items {
        if let Item::Group(group) = item {
            ids.push(&group.id);
            group_ids(&group.items, ids);
        }
    }
}

fn checks(check: &RuleCheck) -> Vec<&Check> {
    fn of_complex<'a>(complex: &'a ComplexCheck, all: &mut Vec<&'a Check>) {
        for child in &complex.children {
            match child {
                ComplexCheckNode::Check(check) => all.push(check),
                ComplexCheckNode::Complex(complex) => of_complex(complex, all),
            }
        }
    }
    let mut all = Vec::new();
    match check {
        RuleCheck::Simple(checks) => all.extend(checks),
        RuleCheck::Complex(complex) => of_complex(complex, &mut all),
    }
    all
}

/// The variables of a document that are used as regular expressions, or as parts of some.
fn pattern_variables(oval: &OvalDefinitions) -> BTreeSet<VariableId> {
    let entities = oval.states.iter().flat_map(|state| state.kind.entities());
    let matched = entities.filter(|entity| entity.operation == Operation::PatternMatch);
    let mut waiting: Vec<&VariableId> = matched
        .filter_map(|entity| match &entity.value {
            EntityValue::Variable { var_ref, .. } => Some(var_ref),
            EntityValue::Literal(_) => None,
        })
        .collect();
    let mut found = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !found.insert(id.clone()) {
            continue;
        }
        for variable in oval.variables.iter().filter(|variable| variable.id == *id) {
            if let VariableKind::Local(component) = &variable.kind {
                parts(component, &mut waiting);
            }
        }
    }
    found
}

/// The variables that a component takes as they are, and does not escape.
fn parts<'a>(component: &'a Component, all: &mut Vec<&'a VariableId>) {
    match component {
        Component::Variable(id) => all.push(id),
        Component::Concat(components) | Component::Unique(components) => {
            components.iter().for_each(|component| parts(component, all));
        }
        Component::Begin { component, .. } | Component::End { component, .. } => parts(component, all),
        Component::Literal { .. }
        | Component::Object { .. }
        | Component::EscapeRegex(_)
        // Of these the values are no more what they were.
        | Component::Arithmetic { .. }
        | Component::Count(_)
        | Component::GlobToRegex { .. }
        | Component::RegexCapture { .. }
        | Component::Split { .. }
        | Component::Substring { .. }
        | Component::TimeDifference { .. }
        | Component::Unsupported { .. } => {}
    }
}
