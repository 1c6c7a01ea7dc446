//! What a profile, and a tailoring, make of a benchmark: which rules are selected, and which values count
//! (XCCDF 1.2, 7.2.2).

use std::collections::{BTreeMap, BTreeSet};

use virtscap_scap::id::{RuleId, ValueId};
use virtscap_scap::xccdf::{Benchmark, Item, Profile, Role, Rule, Severity, Tailoring, Value};

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
    refined: BTreeMap<RuleId, Refinement>,
    /// Rules that selection, requires and conflicts leave in.
    effective: BTreeSet<RuleId>,
}

#[derive(Debug, Clone, Default)]
struct Refinement {
    severity: Option<Severity>,
    role: Option<Role>,
    weight: Option<f64>,
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
    /// Without a name, a tailoring's only profile is taken, else the benchmark's own selection.
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
            effective: BTreeSet::new(),
        };
        for value in &benchmark.values {
            if let Some(default) = value.default_value() {
                policy.values.insert(value.id.clone(), default.to_owned());
            }
        }
        let known = KnownItems::of(benchmark);
        for profile in &chain {
            policy.apply(profile, &known)?;
        }
        // A value that is set counts for more than any alternative that is chosen, also in a profile further up.
        for set in chain.iter().flat_map(|profile| &profile.set_values) {
            policy.values.insert(set.idref.clone(), set.value.clone());
        }
        policy.settle(benchmark);
        Ok(policy)
    }

    fn apply(&mut self, profile: &Profile, known: &KnownItems<'_>) -> Result<(), PolicyError> {
        for select in &profile.selects {
            known.require(profile, "the rule or group", &select.idref, &known.selectable)?;
            self.selected.insert(select.idref.clone(), select.selected);
        }
        for refine in &profile.refine_values {
            let value = known.value(profile, &refine.idref)?;
            let found = value.values.iter().find(|(selector, _)| selector.as_ref() == Some(&refine.selector));
            let Some((_, chosen)) = found else {
                return Err(PolicyError::UnknownSelector {
                    profile: profile.id.to_string(),
                    value: refine.idref.to_string(),
                    selector: refine.selector.clone(),
                });
            };
            self.values.insert(refine.idref.clone(), chosen.clone());
        }
        for set in &profile.set_values {
            known.value(profile, &set.idref)?;
        }
        for refine in &profile.refine_rules {
            known.require(profile, "the rule", refine.idref.as_str(), &known.selectable)?;
            let refined = self.refined.entry(refine.idref.clone()).or_default();
            refined.severity = refine.severity.or(refined.severity);
            refined.role = refine.role.or(refined.role);
            refined.weight = refine.weight.or(refined.weight);
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
            let (id, selectable) = match item {
                Item::Rule(rule) => (rule.id.as_str(), &rule.selectable),
                Item::Group(group) => (group.id.as_str(), &group.selectable),
            };
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
        let refined = self.refined.get(&rule.id).cloned().unwrap_or_default();
        RuleState {
            selected: self.effective.contains(&rule.id),
            severity: refined.severity.or(rule.severity),
            role: refined.role.unwrap_or(rule.role),
            weight: refined.weight.unwrap_or(rule.selectable.weight),
        }
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

/// The selection of each Group and Rule for itself.
fn own_flags(items: &[Item], selected: &BTreeMap<String, bool>, flags: &mut BTreeMap<String, bool>) {
    for item in items {
        let (id, default) = match item {
            Item::Rule(rule) => (rule.id.as_str(), rule.selectable.selected),
            Item::Group(group) => {
                own_flags(&group.items, selected, flags);
                (group.id.as_str(), group.selectable.selected)
            }
        };
        flags.insert(id.to_owned(), selected.get(id).copied().unwrap_or(default));
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
    selectable: BTreeSet<&'a str>,
    values: BTreeMap<&'a str, &'a Value>,
}

impl<'a> KnownItems<'a> {
    fn of(benchmark: &'a Benchmark) -> Self {
        let mut selectable = BTreeSet::new();
        fn walk<'a>(items: &'a [Item], ids: &mut BTreeSet<&'a str>) {
            for item in items {
                match item {
                    Item::Rule(rule) => {
                        ids.insert(rule.id.as_str());
                    }
                    Item::Group(group) => {
                        ids.insert(group.id.as_str());
                        walk(&group.items, ids);
                    }
                }
            }
        }
        walk(&benchmark.items, &mut selectable);
        Self { selectable, values: benchmark.values.iter().map(|v| (v.id.as_str(), v)).collect() }
    }

    fn require(
        &self,
        profile: &Profile,
        kind: &'static str,
        id: &str,
        known: &BTreeSet<&str>,
    ) -> Result<(), PolicyError> {
        if known.contains(id) {
            return Ok(());
        }
        Err(PolicyError::UnknownItem {
            profile: profile.id.to_string(),
            kind,
            id: id.to_owned(),
            nearest: nearest(id, known.iter().copied()),
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
    let all = || tailored.iter().chain(own);
    if let Some(exact) = all().find(|p| p.id.as_str() == name) {
        return Ok(exact);
    }
    // A tailored profile may carry the name of the one it extends; it is the one that is meant.
    for profiles in [tailored, own] {
        let matching: Vec<_> = profiles.iter().filter(|p| p.id.short_name() == name).collect();
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
    let names: Vec<_> = tailored.iter().chain(own).map(|p| p.id.short_name()).collect();
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
        chain.push(next);
        current = next;
    }
    chain.reverse();
    Ok(chain)
}

/// The name that is most like the one given, if any is like it.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    let best = names.map(|candidate| (strsim::levenshtein(name, candidate), candidate)).min()?;
    (best.0 <= name.chars().count().max(3) / 3).then(|| best.1.to_owned())
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
