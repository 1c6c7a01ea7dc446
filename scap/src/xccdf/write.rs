//! Writing of benchmarks, with the prefixes that the Compliance Operator expects.

use std::collections::BTreeSet;

use super::*;
use crate::markup::Markup;
use crate::xml::XmlWriter;

impl Benchmark {
    /// Writes `<xccdf-1.2:Benchmark>`. The prefixes have to be declared by an element around it.
    pub fn write(&self, w: &mut XmlWriter) {
        let attributes =
            [("id", self.id.as_str()), ("resolved", "true"), ("style", "SCAP_1.2"), ("xml:lang", "en-US")];
        w.element("xccdf-1.2:Benchmark", &attributes, |w| {
            if let Some((status, date)) = &self.status {
                w.text_element("xccdf-1.2:status", &[("date", date)], status);
            }
            w.text_element("xccdf-1.2:title", &[], &self.title);
            markup("xccdf-1.2:description", &[], &self.description, w);
            if !self.platform_specification.platforms.is_empty() {
                self.platform_specification.write(w);
            }
            platforms(&self.platforms, w);
            w.text_element("xccdf-1.2:version", &[], &self.version);
            for model in &self.models {
                w.empty("xccdf-1.2:model", &[("system", model.as_str())]);
            }
            self.profiles.iter().for_each(|profile| profile.write(w));
            self.values.iter().for_each(|value| value.write(w));
            items(&self.items, w);
        });
    }
}

fn markup(element: &str, attributes: &[(&str, &str)], markup: &Markup, w: &mut XmlWriter) {
    w.element(element, attributes, |w| markup.write(w));
}

fn platforms(platforms: &[String], w: &mut XmlWriter) {
    for platform in platforms {
        w.empty("xccdf-1.2:platform", &[("idref", platform)]);
    }
}

fn items(items: &[Item], w: &mut XmlWriter) {
    for item in items {
        match item {
            Item::Group(group) => group.write(w),
            Item::Rule(rule) => rule.write(w),
        }
    }
}

impl Selectable {
    fn write_attributes<'a>(&'a self, weight: &'a str, attributes: &mut Vec<(&'a str, &'a str)>) {
        if self.weight != 1.0 {
            attributes.push(("weight", weight));
        }
        attributes.extend(self.cluster_id.as_deref().map(|id| ("cluster-id", id)));
    }

    fn write_references(&self, w: &mut XmlWriter) {
        platforms(&self.platforms, w);
        for required in &self.requires {
            w.empty("xccdf-1.2:requires", &[("idref", &required.join(" "))]);
        }
        for conflict in &self.conflicts {
            w.empty("xccdf-1.2:conflicts", &[("idref", conflict)]);
        }
    }
}

impl Group {
    fn write(&self, w: &mut XmlWriter) {
        let selected = self.selectable.selected.to_string();
        let weight = self.selectable.weight.to_string();
        let mut attributes = vec![("id", self.id.as_str())];
        if !self.selectable.selected {
            attributes.push(("selected", &selected));
        }
        self.selectable.write_attributes(&weight, &mut attributes);
        w.element("xccdf-1.2:Group", &attributes, |w| {
            w.text_element("xccdf-1.2:title", &[], &self.title);
            markup("xccdf-1.2:description", &[], &self.description, w);
            self.selectable.write_references(w);
            items(&self.items, w);
        });
    }
}

impl Rule {
    fn write(&self, w: &mut XmlWriter) {
        let selected = self.selectable.selected.to_string();
        let mut attributes = vec![("selected", selected.as_str()), ("id", self.id.as_str())];
        if let Some(severity) = self.severity {
            attributes.push(("severity", severity.as_str()));
        }
        if self.role != Role::Full {
            attributes.push(("role", self.role.as_str()));
        }
        let weight = self.selectable.weight.to_string();
        self.selectable.write_attributes(&weight, &mut attributes);
        w.element("xccdf-1.2:Rule", &attributes, |w| {
            w.text_element("xccdf-1.2:title", &[], &self.title);
            markup("xccdf-1.2:description", &[], &self.description, w);
            for warning in &self.warnings {
                markup("xccdf-1.2:warning", &[("category", "general")], warning, w);
            }
            for reference in &self.references {
                w.text_element("xccdf-1.2:reference", &[("href", &reference.href)], &reference.text);
            }
            if let Some(guide) = &self.guide {
                w.element("xccdf-1.2:metadata", &[], |w| guide.write(w));
            }
            if let Some(rationale) = &self.rationale {
                markup("xccdf-1.2:rationale", &[], rationale, w);
            }
            self.selectable.write_references(w);
            for fixtext in &self.fixtexts {
                markup("xccdf-1.2:fixtext", &[], fixtext, w);
            }
            for fix in &self.fixes {
                let mut attributes = Vec::new();
                if let Some(id) = &fix.id {
                    attributes.push(("id", id.as_str()));
                }
                attributes.push(("system", &fix.system));
                w.text_element("xccdf-1.2:fix", &attributes, &fix.content);
            }
            match &self.check {
                RuleCheck::Simple(checks) => checks.iter().for_each(|check| check.write(w)),
                RuleCheck::Complex(complex) => complex.write(w),
            }
        });
    }
}

impl GuidePlace {
    fn write(&self, w: &mut XmlWriter) {
        let level = self.level.map(|level| level.to_string());
        let mut attributes =
            vec![("xmlns:virtscap", crate::namespace::VIRTSCAP), ("section", self.section.as_str())];
        if let Some(level) = &level {
            attributes.push(("level", level));
        }
        w.empty("virtscap:guide", &attributes);
    }
}

impl Check {
    fn write(&self, w: &mut XmlWriter) {
        let mut attributes = vec![("system", self.system.as_str())];
        attributes.extend(self.selector.as_deref().map(|selector| ("selector", selector)));
        if self.negate {
            attributes.push(("negate", "true"));
        }
        if self.multi_check {
            attributes.push(("multi-check", "true"));
        }
        w.element("xccdf-1.2:check", &attributes, |w| {
            for export in &self.exports {
                let attributes =
                    [("export-name", export.export_name.as_str()), ("value-id", export.value_id.as_str())];
                w.empty("xccdf-1.2:check-export", &attributes);
            }
            for reference in &self.content_refs {
                let mut attributes = vec![("href", reference.href.as_str())];
                if let Some(name) = &reference.name {
                    attributes.push(("name", name));
                }
                w.empty("xccdf-1.2:check-content-ref", &attributes);
            }
        });
    }
}

impl ComplexCheck {
    fn write(&self, w: &mut XmlWriter) {
        let mut attributes = vec![("operator", self.operator.as_str())];
        if self.negate {
            attributes.push(("negate", "true"));
        }
        w.element("xccdf-1.2:complex-check", &attributes, |w| {
            for child in &self.children {
                match child {
                    ComplexCheckNode::Check(check) => check.write(w),
                    ComplexCheckNode::Complex(complex) => complex.write(w),
                }
            }
        });
    }
}

impl Profile {
    fn write(&self, w: &mut XmlWriter) {
        let mut attributes = vec![("id", self.id.as_str())];
        if let Some(extends) = &self.extends {
            attributes.push(("extends", extends.as_str()));
        }
        if self.is_abstract {
            attributes.push(("abstract", "true"));
        }
        w.element("xccdf-1.2:Profile", &attributes, |w| {
            w.text_element("xccdf-1.2:title", &[("override", "true")], &self.title);
            markup("xccdf-1.2:description", &[("override", "true")], &self.description, w);
            platforms(&self.platforms, w);
            // What a remark is on has it once: the first entry that names it and can hold one.
            let mut written = BTreeSet::new();
            let mut entry =
                |w: &mut XmlWriter, element: &str, attributes: &[(&str, &str)], id: &str| match self
                    .remarks
                    .get(id)
                    .filter(|_| written.insert(id.to_owned()))
                {
                    None => w.empty(element, attributes),
                    Some(remark) => {
                        w.element(element, attributes, |w| w.text_element("xccdf-1.2:remark", &[], remark));
                    }
                };
            for select in &self.selects {
                let selected = select.selected.to_string();
                let attributes = [("idref", select.idref.as_str()), ("selected", &selected)];
                entry(w, "xccdf-1.2:select", &attributes, &select.idref);
            }
            for set in &self.set_values {
                let id = set.idref.as_str();
                w.text_element("xccdf-1.2:set-value", &[("idref", id)], &set.value);
                // The schema has no remarks on values that are set. A refinement that refines nothing can hold one.
                if self.remarks.contains_key(id) && self.refine_values.iter().all(|r| r.idref != set.idref) {
                    entry(w, "xccdf-1.2:refine-value", &[("idref", id)], id);
                }
            }
            for refine in &self.refine_values {
                let mut attributes = vec![("idref", refine.idref.as_str())];
                if !refine.selector.is_empty() {
                    attributes.push(("selector", &refine.selector));
                }
                entry(w, "xccdf-1.2:refine-value", &attributes, refine.idref.as_str());
            }
            for refine in &self.refine_rules {
                let weight = refine.weight.map(|weight| weight.to_string());
                let mut attributes = vec![("idref", refine.idref.as_str())];
                attributes.extend(weight.as_deref().map(|weight| ("weight", weight)));
                attributes.extend(refine.severity.map(|severity| ("severity", severity.as_str())));
                attributes.extend(refine.role.map(|role| ("role", role.as_str())));
                attributes.extend(refine.selector.as_deref().map(|selector| ("selector", selector)));
                entry(w, "xccdf-1.2:refine-rule", &attributes, refine.idref.as_str());
            }
        });
    }
}

impl Value {
    fn write(&self, w: &mut XmlWriter) {
        let attributes = [("id", self.id.as_str()), ("type", self.value_type.as_str())];
        w.element("xccdf-1.2:Value", &attributes, |w| {
            w.text_element("xccdf-1.2:title", &[], &self.title);
            markup("xccdf-1.2:description", &[], &self.description, w);
            for (selector, value) in &self.values {
                let attributes: Vec<_> = selector.iter().map(|s| ("selector", s.as_str())).collect();
                w.text_element("xccdf-1.2:value", &attributes, value);
            }
        });
    }
}

impl Tailoring {
    /// Writes the tailoring as a document; `benchmark_href` says where the benchmark is.
    ///
    /// It is indented: stock oscap 1.3.7 skips every second `<select>` of a tailoring that is not.
    pub fn write(&self, benchmark_href: &str) -> String {
        let mut w = XmlWriter::document();
        let namespaces = [
            ("xmlns:xccdf-1.2", crate::namespace::XCCDF),
            ("xmlns:html", crate::namespace::XHTML),
            ("id", self.id.as_str()),
        ];
        w.element("xccdf-1.2:Tailoring", &namespaces, |w| {
            w.empty("xccdf-1.2:benchmark", &[("href", benchmark_href)]);
            let time: Vec<_> = self.version_time.iter().map(|time| ("time", time.as_str())).collect();
            w.text_element("xccdf-1.2:version", &time, &self.version);
            self.profiles.iter().for_each(|profile| profile.write(w));
        });
        w.finish()
    }
}
