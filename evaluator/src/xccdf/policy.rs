//! What a profile, and a tailoring, make of a benchmark: which rules are selected, and which values count
//! (XCCDF 1.2, 7.2.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use virtscap_scap::id::{ProfileId, RuleId, ValueId};
use virtscap_scap::xccdf::{Benchmark, Item, Profile, Role, Rule, Selectable, Severity, Tailoring, Value};
use virtscap_scap::xml::MAX_DEPTH;

/// Name of the benchmark's own selection, which OpenSCAP takes where no profile is named.
pub const DEFAULT_PROFILE: &str = "(default)";
/// Name of the profile that selects everything. No content has it; OpenSCAP makes it up too.
pub const ALL_PROFILE: &str = "(all)";

static ALL: LazyLock<Profile> = LazyLock::new(|| Profile {
    id: ProfileId::new(ALL_PROFILE),
    extends: None,
    is_abstract: false,
    title: "All rules".to_owned(),
    description: Default::default(),
    platforms: Vec::new(),
    selects: Vec::new(),
    set_values: Vec::new(),
    complex_values: Vec::new(),
    refine_values: Vec::new(),
    refine_rules: Vec::new(),
    remarks: BTreeMap::new(),
});

/// A benchmark as a profile wants it applied.
#[derive(Debug, Clone)]
pub struct Policy<'a> {
    /// The profile; none: the benchmark's own selection.
    pub profile: Option<&'a Profile>,
    /// The title to show for it, inherited where the profile has none.
    pub profile_title: String,
    /// The tailoring, where one was used.
    pub tailoring: Option<&'a Tailoring>,
    selected: BTreeMap<String, bool>,
    values: BTreeMap<ValueId, String>,
    refined: BTreeMap<String, Refinement>,
    /// Values that the profile sets to lists, which is not supported.
    unset: BTreeSet<ValueId>,
    /// Rules that selection, requires and conflicts leave in.
    effective: BTreeSet<RuleId>,
}

#[derive(Debug, Clone, Default)]
struct Refinement {
    severity: Option<Severity>,
    role: Option<Role>,
    weight: Option<f64>,
    selector: Option<String>,
}

/// A rule as the profile wants it.
#[derive(Debug, Clone, Copy)]
pub struct RuleState {
    /// Whether it is evaluated.
    pub selected: bool,
    /// Its severity.
    pub severity: Option<Severity>,
    /// Its role.
    pub role: Role,
    /// Its weight, for the record: as with OpenSCAP, scores go by the benchmark's own.
    pub weight: f64,
}

/// Why a profile cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// There is no such profile.
    #[error("there is no profile '{wanted}'{}; there are: {}", hint(.nearest), .available.join(", "))]
    UnknownProfile {
        /// What was asked for.
        wanted: String,
        /// The name that is most like it.
        nearest: Option<String>,
        /// All names.
        available: Vec<String>,
    },
    /// A short name stands for several profiles.
    #[error("'{wanted}' may be any of {}; name the profile by its full id", .candidates.join(", "))]
    AmbiguousProfile {
        /// What was asked for.
        wanted: String,
        /// Full ids.
        candidates: Vec<String>,
    },
    /// The profile extends itself, or one that is not there.
    #[error("the profile {profile} extends {extends}, which {problem}")]
    Extends {
        /// The profile.
        profile: String,
        /// What it extends.
        extends: String,
        /// What is wrong with that.
        problem: &'static str,
    },
    /// A profile names an item that the benchmark lacks.
    #[error("the profile {profile} names {kind} '{id}', which the benchmark does not have{}", hint(.nearest))]
    UnknownItem {
        /// The profile.
        profile: String,
        /// What kind of item.
        kind: &'static str,
        /// Its id.
        id: String,
        /// The id that is most like it.
        nearest: Option<String>,
    },
    /// A value has no such alternative.
    #[error(
        "the profile {profile} chooses '{selector}' for the value {value}, which has no such alternative"
    )]
    UnknownSelector {
        /// The profile.
        profile: String,
        /// The value.
        value: String,
        /// The alternative.
        selector: String,
    },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean '{name}'?)")).unwrap_or_default()
}

impl<'a> Policy<'a> {
    /// Applies a profile, named by its id or short name, of the tailoring or of the benchmark.
    ///
    /// Without a name, a tailoring's only profile is taken, else the benchmark's own selection. [`DEFAULT_PROFILE`] is the
    /// benchmark's own selection in any case, and [`ALL_PROFILE`] selects everything.
    ///
    /// # Errors
    /// [`PolicyError`] where there is no such profile, or it asks for what the benchmark does not have.
    pub fn new(
        benchmark: &'a Benchmark,
        tailoring: Option<&'a Tailoring>,
        profile: Option<&str>,
    ) -> Result<Self, PolicyError> {
        let tailored = tailoring.map_or(&[][..], |t| &t.profiles);
        let profile = match (profile, tailored) {
            (Some(DEFAULT_PROFILE), _) => None,
            (Some(ALL_PROFILE), _) => Some(&*ALL),
            (Some(name), _) => Some(find_profile(name, tailored, &benchmark.profiles)?),
            (None, [only]) => Some(only),
            (None, []) => None,
            (None, [_, _, ..]) => return Err(unknown_profile("", tailored, &benchmark.profiles)),
        };
        let chain = match profile {
            Some(profile) => extension_chain(profile, tailored, &benchmark.profiles)?,
            None => Vec::new(),
        };
        let own_title = chain.iter().rev().map(|p| p.title.clone()).find(|title| !title.is_empty());
        let mut policy = Self {
            profile,
            profile_title: own_title.unwrap_or_default(),
            tailoring,
            selected: BTreeMap::new(),
            values: BTreeMap::new(),
            refined: BTreeMap::new(),
            unset: BTreeSet::new(),
            effective: BTreeSet::new(),
        };
        for value in &benchmark.values {
            if let Some(default) = value.default_value() {
                policy.values.insert(value.id.clone(), default.to_owned());
            }
        }
        let known = KnownItems::of(benchmark);
        if profile.is_some_and(|profile| profile.id.as_str() == ALL_PROFILE) {
            policy.selected.extend(known.selectable.iter().map(|id| ((*id).to_owned(), true)));
        }
        for profile in &chain {
            policy.apply(profile, &known)?;
        }
        // A value that is set counts for more than any alternative that is chosen, also in a profile further up.
        for set in chain.iter().flat_map(|profile| &profile.set_values) {
            // One that has nothing of its own stays without, as with OpenSCAP, and what needs it is unknown.
            if policy.values.contains_key(&set.idref) {
                policy.values.insert(set.idref.clone(), set.value.clone());
            }
        }
        policy.settle(benchmark);
        Ok(policy)
    }

    fn apply(&mut self, profile: &Profile, known: &KnownItems<'_>) -> Result<(), PolicyError> {
        for select in &profile.selects {
            for id in known.meant(profile, "the rule or group", &select.idref)? {
                self.selected.insert(id.to_owned(), select.selected);
            }
        }
        for refine in &profile.refine_values {
            let value = known.value(profile, &refine.idref)?;
            let chosen = match refine.selector.as_str() {
                "" => value.default_value(),
                selector => {
                    Some(value.alternative(selector).ok_or_else(|| PolicyError::UnknownSelector {
                        profile: profile.id.to_string(),
                        value: refine.idref.to_string(),
                        selector: selector.to_owned(),
                    })?)
                }
            };
            if let Some(chosen) = chosen {
                self.values.insert(refine.idref.clone(), chosen.to_owned());
            }
        }
        for set in &profile.set_values {
            known.value(profile, &set.idref)?;
        }
        for id in &profile.complex_values {
            known.value(profile, id)?;
            self.unset.insert(id.clone());
        }
        for refine in &profile.refine_rules {
            for id in known.meant(profile, "the rule", refine.idref.as_str())? {
                let refined = self.refined.entry(id.to_owned()).or_default();
                refined.severity = refine.severity.or(refined.severity);
                refined.role = refine.role.or(refined.role);
                refined.weight = refine.weight.or(refined.weight);
                refined.selector = refine.selector.clone().or_else(|| refined.selector.take());
            }
        }
        Ok(())
    }

    /// Works out which rules stay in: their Groups selected, what they require selected, no conflict selected.
    ///
    /// As OpenSCAP does it: in the order of the document, an item that drops out is out for those behind it; and what is
    /// required or in conflict is asked for its own selection, not for that of its Groups.
    fn settle(&mut self, benchmark: &Benchmark) {
        let mut flags = BTreeMap::new();
        own_flags(&benchmark.items, &self.selected, &mut flags);
        self.settle_items(&benchmark.items, &mut flags);
    }

    fn settle_items(&mut self, items: &[Item], flags: &mut BTreeMap<String, bool>) {
        for item in items {
            let (id, selectable) = item_parts(item);
            let is_selected = |id: &String| flags.get(id).copied().unwrap_or(false);
            if !flags.get(id).copied().unwrap_or(false) {
                continue;
            }
            let stays = selectable.requires.iter().all(|any| any.iter().any(is_selected))
                && !selectable.conflicts.iter().any(is_selected);
            if !stays {
                drop_out(item, flags);
                continue;
            }
            match item {
                Item::Rule(rule) => {
                    self.effective.insert(rule.id.clone());
                }
                Item::Group(group) => self.settle_items(&group.items, flags),
            }
        }
    }

    /// How the profile wants a rule.
    pub fn rule(&self, rule: &Rule) -> RuleState {
        let refined = self.refined.get(rule.id.as_str());
        RuleState {
            selected: self.effective.contains(&rule.id),
            severity: refined.and_then(|r| r.severity).or(rule.severity),
            role: refined.and_then(|r| r.role).unwrap_or(rule.role),
            weight: refined.and_then(|r| r.weight).unwrap_or(rule.selectable.weight),
        }
    }

    /// Which of a rule's checks the profile chooses.
    pub fn selector(&self, rule: &Rule) -> Option<&str> {
        let selector = self.refined.get(rule.id.as_str())?.selector.as_deref();
        selector.filter(|selector| !selector.is_empty())
    }

    /// Whether the profile sets the value to a list, which is not supported: the value is what it would be without that.
    pub fn is_unset(&self, id: &ValueId) -> bool {
        self.unset.contains(id)
    }

    /// Evaluates rules by name, whether they are selected or not, and leaves others out, as `oscap --rule` and
    /// `--skip-rule` do. Where none is named, those that are selected stay.
    pub fn restrict(&mut self, only: &BTreeSet<RuleId>, skip: &BTreeSet<RuleId>) {
        if !only.is_empty() {
            self.effective.clone_from(only);
        }
        self.effective.retain(|rule| !skip.contains(rule));
    }

    /// The value that counts.
    pub fn value(&self, id: &ValueId) -> Option<&str> {
        self.values.get(id).map(String::as_str)
    }

    /// All values that count.
    pub fn values(&self) -> &BTreeMap<ValueId, String> {
        &self.values
    }
}

/// Id of a Group or Rule, and what both have.
fn item_parts(item: &Item) -> (&str, &Selectable) {
    match item {
        Item::Rule(rule) => (rule.id.as_str(), &rule.selectable),
        Item::Group(group) => (group.id.as_str(), &group.selectable),
    }
}

/// The selection of each Group and Rule for itself.
fn own_flags(items: &[Item], selected: &BTreeMap<String, bool>, flags: &mut BTreeMap<String, bool>) {
    for item in items {
        let (id, selectable) = item_parts(item);
        flags.insert(id.to_owned(), selected.get(id).copied().unwrap_or(selectable.selected));
        if let Item::Group(group) = item {
            own_flags(&group.items, selected, flags);
        }
    }
}

/// Takes an item out, with all that it holds.
fn drop_out(item: &Item, flags: &mut BTreeMap<String, bool>) {
    match item {
        Item::Rule(rule) => flags.insert(rule.id.to_string(), false),
        Item::Group(group) => {
            group.items.iter().for_each(|item| drop_out(item, flags));
            flags.insert(group.id.to_string(), false)
        }
    };
}

/// What profiles can name.
struct KnownItems<'a> {
    /// Groups and Rules.
    selectable: BTreeSet<&'a str>,
    /// Groups and Rules that share a `cluster-id`.
    clusters: BTreeMap<&'a str, Vec<&'a str>>,
    values: BTreeMap<&'a str, &'a Value>,
}

impl<'a> KnownItems<'a> {
    fn of(benchmark: &'a Benchmark) -> Self {
        let mut known = Self {
            // What is abstract is no item any more, and may still be named.
            selectable: benchmark.abstract_items.iter().map(String::as_str).collect(),
            clusters: BTreeMap::new(),
            values: benchmark.values.iter().map(|v| (v.id.as_str(), v)).collect(),
        };
        known.add(&benchmark.items);
        known
    }

    fn add(&mut self, items: &'a [Item]) {
        for item in items {
            let (id, selectable) = item_parts(item);
            self.selectable.insert(id);
            if let Some(cluster) = &selectable.cluster_id {
                self.clusters.entry(cluster).or_default().push(id);
            }
            if let Item::Group(group) = item {
                self.add(&group.items);
            }
        }
    }

    /// The items that a profile means by a name: the one of that id, else all of that cluster.
    fn meant<'n>(
        &'n self,
        profile: &Profile,
        kind: &'static str,
        id: &'n str,
    ) -> Result<Vec<&'n str>, PolicyError> {
        if self.selectable.contains(id) {
            return Ok(vec![id]);
        }
        self.clusters.get(id).cloned().ok_or_else(|| PolicyError::UnknownItem {
            profile: profile.id.to_string(),
            kind,
            id: id.to_owned(),
            nearest: nearest(id, self.selectable.iter().copied()),
        })
    }

    fn value(&self, profile: &Profile, id: &ValueId) -> Result<&'a Value, PolicyError> {
        self.values.get(id.as_str()).copied().ok_or_else(|| PolicyError::UnknownItem {
            profile: profile.id.to_string(),
            kind: "the value",
            id: id.to_string(),
            nearest: nearest(id.as_str(), self.values.keys().copied()),
        })
    }
}

fn find_profile<'a>(
    name: &str,
    tailored: &'a [Profile],
    own: &'a [Profile],
) -> Result<&'a Profile, PolicyError> {
    let usable = |profiles: &'a [Profile]| profiles.iter().filter(|profile| !profile.is_abstract);
    let all = || usable(tailored).chain(usable(own));
    if let Some(exact) = all().find(|p| p.id.as_str() == name) {
        return Ok(exact);
    }
    // A tailored profile may carry the name of the one it extends; it is the one that is meant.
    for profiles in [tailored, own] {
        let matching: Vec<_> = usable(profiles).filter(|p| p.id.short_name() == name).collect();
        match matching.as_slice() {
            [] => {}
            [one] => return Ok(one),
            several => {
                return Err(PolicyError::AmbiguousProfile {
                    wanted: name.to_owned(),
                    candidates: several.iter().map(|p| p.id.to_string()).collect(),
                });
            }
        }
    }
    Err(unknown_profile(name, tailored, own))
}

fn unknown_profile(name: &str, tailored: &[Profile], own: &[Profile]) -> PolicyError {
    let usable = tailored.iter().chain(own).filter(|profile| !profile.is_abstract);
    let names: Vec<_> = usable.map(|p| p.id.short_name()).collect();
    PolicyError::UnknownProfile {
        wanted: name.to_owned(),
        nearest: nearest(name, names.iter().copied()),
        available: names.into_iter().map(str::to_owned).collect(),
    }
}

/// The profile and those it extends, the base first.
fn extension_chain<'a>(
    profile: &'a Profile,
    tailored: &'a [Profile],
    own: &'a [Profile],
) -> Result<Vec<&'a Profile>, PolicyError> {
    let mut chain = vec![profile];
    let mut current = profile;
    while let Some(base) = &current.extends {
        let error = |problem| PolicyError::Extends {
            profile: current.id.to_string(),
            extends: base.to_string(),
            problem,
        };
        let is_base = |p: &&Profile| p.id == *base && !std::ptr::eq(*p, current);
        let next = own.iter().find(is_base).or_else(|| tailored.iter().find(is_base));
        let next = next.ok_or_else(|| error("is not there"))?;
        if chain.iter().any(|p: &&Profile| std::ptr::eq(*p, next)) {
            return Err(error("extends it in turn"));
        }
        if chain.len() > MAX_DEPTH {
            return Err(error("is too far away"));
        }
        chain.push(next);
        current = next;
    }
    chain.reverse();
    Ok(chain)
}

/// The longest name that others are compared with: the time that this takes grows with the product of the lengths.
const LONGEST: usize = 200;

/// The name that is most like the one given, if any is like it.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names = names.filter(|candidate| name.len().max(candidate.len()) <= LONGEST);
    let best = names.map(|candidate| (strsim::levenshtein(name, candidate), candidate)).min()?;
    (best.0 <= name.chars().count().max(3) / 3).then(|| best.1.to_owned())
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
