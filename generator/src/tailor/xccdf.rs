//! Tailorings as XCCDF tailoring files, with the ids that the Compliance Operator gives them.

use std::collections::BTreeMap;

use virtscap_scap::id::ProfileId;
use virtscap_scap::xccdf::{self, Profile, RefineRule, Role, Select, SetValue, Tailoring};

use super::catalog::object_name;
use super::{Action, Catalog, RuleChoice, TailorError, TailorErrors, Tailored, ValueChoice, one_line};

/// By whom the operator's tailorings are, in XCCDF ids.
const NAMESPACE: &str = "compliance.openshift.io";

impl Tailored {
    /// The tailoring in XCCDF; `time` says when it was made (`xsd:dateTime`).
    pub fn to_xccdf(&self, time: &str) -> Tailoring {
        let mut remarks = BTreeMap::new();
        let mut selects = Vec::new();
        let mut refine_rules = Vec::new();
        for action in [Action::Enable, Action::Disable, Action::Manual] {
            for choice in self.rules.iter().filter(|choice| choice.action == action) {
                let id = choice.rule.to_string();
                selects.push(Select { idref: id.clone(), selected: action != Action::Disable });
                if action == Action::Manual {
                    let rule = choice.rule.clone();
                    let role = Some(Role::Unchecked);
                    refine_rules.push(RefineRule {
                        idref: rule,
                        severity: None,
                        role,
                        weight: None,
                        selector: None,
                    });
                }
                remarks.insert(id, choice.rationale.clone());
            }
        }
        let mut set_values = Vec::new();
        for choice in &self.values {
            set_values.push(SetValue { idref: choice.id.clone(), value: choice.value.clone() });
            remarks.insert(choice.id.to_string(), choice.rationale.clone());
        }
        remarks.retain(|_, remark| !remark.is_empty());
        Tailoring {
            id: format!("xccdf_{NAMESPACE}_tailoring_{}", self.name),
            version: "1".to_owned(),
            version_time: Some(time.to_owned()),
            profiles: vec![Profile {
                id: ProfileId::new(format!("xccdf_{NAMESPACE}_profile_{}", self.name)),
                extends: self.extends.clone(),
                is_abstract: false,
                title: self.title.clone(),
                description: self.description.as_str().into(),
                platforms: Vec::new(),
                selects,
                set_values,
                complex_values: Vec::new(),
                refine_values: Vec::new(),
                refine_rules,
                remarks,
            }],
        }
    }
}

/// Reads the tailoring of an XCCDF tailoring file. Of several profiles `profile` names one, by its id or short name.
///
/// The groups that are selected are left out, since the operator selects all groups. The caller checks the tailoring
/// ([`Tailored::check`]).
///
/// # Errors
/// [`TailorErrors`] where it holds what the content does not have, or what a [`Tailored`] cannot express.
pub fn from_xccdf(
    tailoring: &Tailoring,
    profile: Option<&str>,
    catalog: &Catalog<'_>,
) -> Result<Tailored, TailorErrors> {
    let wanted = |p: &&Profile| profile.is_none_or(|name| p.id.as_str() == name || p.id.short_name() == name);
    let mut found = tailoring.profiles.iter().filter(wanted);
    let (Some(profile), None) = (found.next(), found.next()) else {
        let profiles = tailoring.profiles.iter().map(|p| p.id.short_name().to_owned()).collect();
        return Err(TailorError::Profiles { profiles }.into());
    };
    let mut errors = Vec::new();
    let mut known = |result: Result<(), TailorError>| errors.extend(result.err());
    let remark = |id: &str| profile.remarks.get(id).cloned().unwrap_or_default();
    if let Some(base) = &profile.extends {
        known(catalog.profile(base.as_str()).map(drop));
    }
    let manual = manual_rules(profile, &mut known);
    let mut rules: Vec<RuleChoice> = Vec::new();
    for select in &profile.selects {
        match (catalog.group(&select.idref), select.selected) {
            (Some(_), true) => continue,
            (Some(group), false) => {
                known(Err(TailorError::Group { group: group.short_name().to_owned() }));
                continue;
            }
            (None, _) => {}
        }
        match catalog.rule(&select.idref) {
            Ok(rule) => {
                let action = match select.selected {
                    true if manual.contains(&rule) => Action::Manual,
                    true => Action::Enable,
                    false => Action::Disable,
                };
                rules.push(RuleChoice { rule: rule.clone(), action, rationale: remark(&select.idref) });
            }
            Err(error) => known(Err(error)),
        }
    }
    for rule in manual {
        known(catalog.rule(rule.as_str()).map(drop));
        if rules.iter().all(|choice| choice.rule != *rule) {
            let (rule, rationale) = (rule.clone(), remark(rule.as_str()));
            rules.push(RuleChoice { rule, action: Action::Manual, rationale });
        }
    }
    rules.sort_by_key(|choice| choice.action);
    let values = values(profile, catalog, &mut known);
    if !errors.is_empty() {
        return Err(TailorErrors(errors));
    }
    Ok(Tailored {
        name: object_name(profile.id.short_name()),
        extends: profile.extends.clone(),
        title: one_line(&profile.title),
        description: one_line(&profile.description.plain_text(&|_| String::new())),
        rules,
        values,
    })
}

/// The rules that are not checked; other refinements have no place in a [`Tailored`].
fn manual_rules<'a>(
    profile: &'a Profile,
    known: &mut impl FnMut(Result<(), TailorError>),
) -> Vec<&'a virtscap_scap::id::RuleId> {
    let mut manual = Vec::new();
    for refine in &profile.refine_rules {
        let only_role = refine.severity.is_none() && refine.weight.is_none() && refine.selector.is_none();
        match refine.role {
            Some(Role::Unchecked) if only_role => manual.push(&refine.idref),
            _ => known(Err(TailorError::Refined { rule: refine.idref.short_name().to_owned() })),
        }
    }
    manual
}

/// What values are set to: a value that is set counts for more than an alternative that is chosen.
fn values(
    profile: &Profile,
    catalog: &Catalog<'_>,
    known: &mut impl FnMut(Result<(), TailorError>),
) -> Vec<ValueChoice> {
    let set = profile.set_values.iter().map(|set| (&set.idref, Ok(set.value.clone())));
    let refined = profile
        .refine_values
        .iter()
        .filter(|refine| profile.set_values.iter().all(|set| set.idref != refine.idref))
        .map(|refine| (&refine.idref, Err(&refine.selector)));
    for id in &profile.complex_values {
        known(Err(TailorError::List { id: id.short_name().to_owned() }));
    }
    let mut values = Vec::new();
    for (id, chosen) in set.chain(refined) {
        let value = match catalog.value(id.as_str()) {
            Ok(id) => chosen.or_else(|selector| alternative(catalog.value_of(id), selector)),
            Err(error) => Err(error),
        };
        match value {
            Ok(value) => {
                let rationale = profile.remarks.get(id.as_str()).cloned().unwrap_or_default();
                values.push(ValueChoice { id: id.clone(), value, rationale });
            }
            Err(error) => known(Err(error)),
        }
    }
    values
}

fn alternative(value: Option<&xccdf::Value>, selector: &str) -> Result<String, TailorError> {
    let found = value.and_then(|value| match selector {
        "" => value.default_value(),
        selector => value.alternative(selector),
    });
    found.map(str::to_owned).ok_or_else(|| TailorError::Selector {
        id: value.map(|value| value.id.short_name().to_owned()).unwrap_or_default(),
        selector: selector.to_owned(),
    })
}
