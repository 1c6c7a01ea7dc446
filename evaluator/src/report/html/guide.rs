//! The guide of a benchmark: the rules of a profile with their texts.

use serde::Serialize;

use super::STYLE;
use super::format::{hash_source, thousands};
use super::markup::markup_to_html;
use super::page::Anchors;
use crate::report::ReportTexts;
use crate::scan::{Prepared, TOOL};
use virtscap_scap::markup::Markup;
use virtscap_scap::xccdf::{Rule, Severity};

/// What the template is given.
#[derive(Serialize)]
pub(super) struct Guide {
    style: &'static str,
    style_hash: String,
    tool: &'static str,
    title: String,
    version: String,
    id: String,
    description: String,
    profile: Option<ProfileView>,
    values: Vec<(String, String)>,
    rule_count: String,
    sections: Vec<Section>,
}

#[derive(Serialize)]
struct ProfileView {
    id: String,
    title: String,
    description: String,
}

#[derive(Serialize)]
struct Section {
    title: String,
    anchor: String,
    count: usize,
    rules: Vec<RuleView>,
}

#[derive(Serialize)]
struct RuleView {
    anchor: String,
    id: String,
    title: String,
    severity: &'static str,
    description: String,
    rationale: String,
    fixtexts: Vec<String>,
    fixes: Vec<String>,
}

impl Guide {
    pub(super) fn new(prepared: &Prepared<'_>) -> Self {
        let benchmark = prepared.checklist().benchmark;
        let policy = prepared.policy();
        let selected = |rule: &Rule| policy.rule(rule).selected;
        let mut texts = ReportTexts::of(benchmark, &selected, &|id| prepared.value(id));
        let resolved =
            |markup: &Markup| markup_to_html(&crate::report::resolved(markup, &|id| prepared.value(id)));
        let mut anchors = Anchors::default();
        let mut sections: Vec<Section> = Vec::new();
        let mut count = 0;
        benchmark.for_each_rule(&mut |groups, rule| {
            if !selected(rule) {
                return;
            }
            count += 1;
            // Content nests its groups deeply; the innermost alone often says little.
            let from = groups.len().saturating_sub(2);
            let titles: Vec<_> = groups[from..].iter().map(|group| group.title.as_str()).collect();
            let title = if titles.is_empty() { "Rules".to_owned() } else { titles.join(" / ") };
            if sections.last().is_none_or(|section| section.title != title) {
                let anchor = anchors.take("section", &title);
                sections.push(Section { title, anchor, count: 0, rules: Vec::new() });
            }
            let rule_texts = texts.rules.remove(rule.id.short_name()).unwrap_or_default();
            let view = RuleView {
                anchor: anchors.take("rule", rule.id.short_name()),
                id: rule.id.short_name().to_owned(),
                title: rule.title.clone(),
                severity: policy.rule(rule).severity.unwrap_or(Severity::Unknown).as_str(),
                description: markup_to_html(&rule_texts.description),
                rationale: rule_texts.rationale.as_ref().map(markup_to_html).unwrap_or_default(),
                fixtexts: rule_texts
                    .fixtexts
                    .iter()
                    .map(markup_to_html)
                    .filter(|html| !html.is_empty())
                    .collect(),
                fixes: rule_texts.fixes,
            };
            if let Some(section) = sections.last_mut() {
                section.count += 1;
                section.rules.push(view);
            }
        });
        Self {
            style: STYLE,
            style_hash: hash_source(STYLE),
            tool: TOOL,
            title: benchmark.title.clone(),
            version: benchmark.version.clone(),
            id: benchmark.id.to_string(),
            description: resolved(&benchmark.description),
            profile: policy.profile.map(|profile| ProfileView {
                id: profile.id.to_string(),
                title: policy.profile_title.clone(),
                description: resolved(&profile.description),
            }),
            values: prepared.used_values().collect(),
            rule_count: thousands(count),
            sections,
        }
    }
}
