//! The texts of the benchmark that the HTML report shows beside the results.

use std::collections::BTreeMap;

use virtscap_scap::markup::{Markup, MarkupNode};
use virtscap_scap::namespace::KUBERNETES_FIX;
use virtscap_scap::xccdf::{Benchmark, Group, Rule};

/// The texts of the benchmark that the HTML report shows beside the results.
#[derive(Debug, Clone, Default)]
pub struct ReportTexts {
    /// Per section of the benchmark, in order: title, and the short names of its rules in order.
    pub sections: Vec<(String, Vec<String>)>,
    /// By short name of the rule.
    pub rules: BTreeMap<String, RuleTexts>,
}

/// The texts of a rule.
#[derive(Debug, Clone, Default)]
pub struct RuleTexts {
    /// What it says; `<sub>`s are already replaced by the values.
    pub description: Markup,
    /// Why it should hold.
    pub rationale: Option<Markup>,
    /// How to make it hold.
    pub fixtexts: Vec<Markup>,
    /// The same as objects of Kubernetes, in YAML.
    pub fixes: Vec<String>,
}

impl ReportTexts {
    /// The texts of the rules that are selected; `value` gives the text for each `<sub>`.
    pub(crate) fn of(
        benchmark: &Benchmark,
        selected: &dyn Fn(&Rule) -> bool,
        value: &dyn Fn(&str) -> String,
    ) -> Self {
        let mut texts = Self::default();
        benchmark.for_each_rule(&mut |groups: &[&Group], rule| {
            if !selected(rule) {
                return;
            }
            let name = rule.id.short_name().to_owned();
            let section = groups.last().map(|group| group.title.clone()).unwrap_or_default();
            match texts.sections.last_mut() {
                Some((title, rules)) if *title == section => rules.push(name.clone()),
                _ => texts.sections.push((section, vec![name.clone()])),
            }
            let resolve = |markup: &Markup| resolved(markup, value);
            texts.rules.insert(
                name,
                RuleTexts {
                    description: resolve(&rule.description),
                    rationale: rule.rationale.as_ref().map(resolve),
                    fixtexts: rule.fixtexts.iter().map(resolve).collect(),
                    fixes: rule
                        .fixes
                        .iter()
                        .filter(|fix| fix.system == KUBERNETES_FIX)
                        .map(|fix| fix.content.trim().to_owned())
                        .collect(),
                },
            );
        });
        texts
    }
}

/// A text with the values in the place of `<sub>`s.
pub(crate) fn resolved(markup: &Markup, value: &dyn Fn(&str) -> String) -> Markup {
    Markup(resolve(&markup.0, value))
}

/// Puts the values in the place of `<sub>`s.
fn resolve(nodes: &[MarkupNode], value: &dyn Fn(&str) -> String) -> Vec<MarkupNode> {
    let resolved = nodes.iter().map(|node| match node {
        MarkupNode::Text(text) => MarkupNode::Text(text.clone()),
        MarkupNode::Sub { idref } => MarkupNode::Text(value(idref)),
        MarkupNode::Html { name, attributes, children } => MarkupNode::Html {
            name: name.clone(),
            attributes: attributes.clone(),
            children: resolve(children, value),
        },
    });
    resolved.collect()
}
