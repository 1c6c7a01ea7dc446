//! Reading of benchmarks and tailorings.

use super::extends::{Extensible, Lineage};
use super::*;
use crate::markup::Markup;
use crate::namespace::{CPE_LANG, VIRTSCAP, XCCDF};
use crate::xml::{MAX_DEPTH, Node, NodeExt, ReadError, unique_ids};

impl Benchmark {
    /// Reads a `Benchmark` element.
    ///
    /// # Errors
    /// [`ReadError`] where the document breaks the XCCDF schema in what the model reads.
    pub fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let mut contents = Contents {
            extensible: Extensible::of(node),
            values: Vec::new(),
            abstract_items: BTreeSet::new(),
        };
        let items = contents.items(node, 0)?;
        let is_item = |n: &Node<'_, '_>| ["Group", "Rule", "Value"].iter().any(|name| n.is(XCCDF, name));
        unique_ids(node.descendants().filter(is_item))?;
        let specification = node.elements().find(|e| e.is(CPE_LANG, "platform-specification"));
        let models =
            node.named("model").filter_map(|m| m.attribute("system").and_then(ScoringModel::from_text));
        Ok(Self {
            id: BenchmarkId::new(node.required("id")?),
            status: node
                .child("status")
                .map(|s| (s.full_text(), s.attribute("date").unwrap_or_default().to_owned())),
            title: text(node, "title"),
            description: markup(node, "description")?,
            platform_specification: specification
                .map(PlatformSpecification::read)
                .transpose()?
                .unwrap_or_default(),
            platforms: idrefs(node, "platform")?,
            version: text(node, "version"),
            models: models.collect(),
            profiles: profiles(node)?,
            values: contents.values,
            items,
            abstract_items: contents.abstract_items,
        })
    }
}

fn text(node: Node<'_, '_>, child: &str) -> String {
    node.child(child).map(|n| n.full_text().trim().to_owned()).unwrap_or_default()
}

fn markup(node: Node<'_, '_>, child: &str) -> Result<Markup, ReadError> {
    node.child(child).map_or(Ok(Markup::default()), Markup::read)
}

fn idrefs(node: Node<'_, '_>, child: &'static str) -> Result<Vec<String>, ReadError> {
    node.named(child).map(|n| n.required("idref").map(str::to_owned)).collect()
}

fn weight(node: Node<'_, '_>) -> Result<Option<f64>, ReadError> {
    node.attribute("weight")
        .map(|text| text.trim().parse().map_err(|_| node.bad_value(text, "XCCDF weight")))
        .transpose()
}

/// What is gathered while Groups are read.
struct Contents<'a, 'input> {
    extensible: Extensible<'a, 'input>,
    values: Vec<Value>,
    abstract_items: BTreeSet<String>,
}

impl<'a, 'input> Contents<'a, 'input> {
    /// Groups and Rules of a Group or of the benchmark. What is abstract is left out, a Group with all that it holds.
    fn items(&mut self, node: Node<'a, 'input>, depth: usize) -> Result<Vec<Item>, ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep { line: node.line() });
        }
        let mut items = Vec::new();
        for child in node.elements() {
            let is_item = |name| child.is(XCCDF, name);
            if !(is_item("Value") || is_item("Rule") || is_item("Group")) {
                continue;
            }
            if child.boolean("abstract", false)? {
                let selectable = child.descendants().filter(|n| n.is(XCCDF, "Rule") || n.is(XCCDF, "Group"));
                let ids = selectable.filter_map(|n| n.attribute("id")).map(str::to_owned);
                self.abstract_items.extend(ids);
            } else if is_item("Value") {
                self.values.push(Value::read(child, &self.extensible.lineage(child)?)?);
            } else if is_item("Rule") {
                let rule = Rule::read(child, &self.extensible.lineage(child)?)?;
                items.push(Item::Rule(Box::new(rule)));
            } else {
                items.push(Item::Group(Group {
                    id: GroupId::new(child.required("id")?),
                    selectable: Selectable::read(child, &Lineage::alone(child))?,
                    title: text(child, "title"),
                    description: markup(child, "description")?,
                    items: self.items(child, depth + 1)?,
                }));
            }
        }
        Ok(items)
    }
}

impl Selectable {
    fn read<'a, 'i>(node: Node<'a, 'i>, lineage: &Lineage<'a, 'i>) -> Result<Self, ReadError> {
        let requires = node.named("requires").map(|r| {
            let ids = r.required("idref")?;
            Ok(ids.split_whitespace().map(str::to_owned).collect())
        });
        let of_all = |child| -> Result<Vec<String>, ReadError> {
            let each = lineage.iter().map(|node| idrefs(node, child));
            Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
        };
        Ok(Self {
            selected: lineage.with_attribute(node, "selected").boolean("selected", true)?,
            weight: weight(lineage.with_attribute(node, "weight"))?.unwrap_or(1.0),
            cluster_id: node.attribute("cluster-id").map(str::to_owned),
            platforms: of_all("platform")?,
            requires: requires.collect::<Result<_, ReadError>>()?,
            conflicts: of_all("conflicts")?,
        })
    }
}

impl Rule {
    fn read<'a, 'i>(node: Node<'a, 'i>, lineage: &Lineage<'a, 'i>) -> Result<Self, ReadError> {
        let with = |name: &'static str| lineage.with_child(node, &[name]);
        let markups =
            |name: &'static str| with(name).named(name).map(Markup::read).collect::<Result<Vec<_>, _>>();
        let guide = node.named("metadata").find_map(|m| m.elements().find(|e| e.is(VIRTSCAP, "guide")));
        let guide = guide.map(|g| {
            let level =
                g.attribute("level").map(|l| l.parse().map_err(|_| g.bad_value(l, "level"))).transpose()?;
            Ok::<_, ReadError>(GuidePlace { section: g.required("section")?.to_owned(), level })
        });
        let checked = lineage.with_child(node, &["complex-check", "check"]);
        let check = match checked.child("complex-check") {
            Some(complex) => RuleCheck::Complex(ComplexCheck::read(complex, 0)?),
            None => RuleCheck::Simple(checked.named("check").map(Check::read).collect::<Result<_, _>>()?),
        };
        Ok(Self {
            id: RuleId::new(node.required("id")?),
            selectable: Selectable::read(node, lineage)?,
            severity: Severity::read(lineage.with_attribute(node, "severity"), "severity")?,
            role: Role::read_or(lineage.with_attribute(node, "role"), "role", Role::Full)?,
            title: text(with("title"), "title"),
            description: markup(with("description"), "description")?,
            warnings: markups("warning")?,
            references: with("reference")
                .named("reference")
                .map(|r| Reference {
                    href: r.attribute("href").unwrap_or_default().to_owned(),
                    text: r.full_text(),
                })
                .collect(),
            guide: guide.transpose()?,
            rationale: with("rationale").child("rationale").map(Markup::read).transpose()?,
            fixtexts: markups("fixtext")?,
            fixes: with("fix").named("fix").map(Fix::read).collect(),
            check,
        })
    }
}

impl Fix {
    fn read(node: Node<'_, '_>) -> Self {
        Self {
            id: node.attribute("id").map(str::to_owned),
            system: node.attribute("system").unwrap_or_default().to_owned(),
            content: node.full_text(),
        }
    }
}

impl Check {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Ok(Self {
            system: node.required("system")?.to_owned(),
            selector: node.attribute("selector").filter(|s| !s.is_empty()).map(str::to_owned),
            negate: node.boolean("negate", false)?,
            multi_check: node.boolean("multi-check", false)?,
            exports: node
                .named("check-export")
                .map(|e| {
                    Ok(CheckExport {
                        value_id: ValueId::new(e.required("value-id")?),
                        export_name: e.required("export-name")?.to_owned(),
                    })
                })
                .collect::<Result<_, ReadError>>()?,
            content_refs: node
                .named("check-content-ref")
                .map(|r| {
                    Ok(CheckContentRef {
                        href: r.required("href")?.to_owned(),
                        name: r.attribute("name").map(str::to_owned),
                    })
                })
                .collect::<Result<_, ReadError>>()?,
        })
    }
}

impl ComplexCheck {
    fn read(node: Node<'_, '_>, depth: usize) -> Result<Self, ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep { line: node.line() });
        }
        let mut children = Vec::new();
        for child in node.elements() {
            children.push(match child.tag_name().name() {
                "check" => ComplexCheckNode::Check(Check::read(child)?),
                "complex-check" => ComplexCheckNode::Complex(Self::read(child, depth + 1)?),
                other => return Err(child.bad_value(other, "XCCDF complex-check")),
            });
        }
        Ok(Self {
            operator: CheckOperator::read_or(node, "operator", CheckOperator::And)?,
            negate: node.boolean("negate", false)?,
            children,
        })
    }
}

/// The remarks of a profile's entries; those on one id follow each other in lines.
fn remarks(profile: Node<'_, '_>) -> Result<BTreeMap<String, String>, ReadError> {
    let mut remarks: BTreeMap<String, String> = BTreeMap::new();
    for entry in profile.elements() {
        for remark in entry.named("remark") {
            let text = remark.full_text();
            let known = remarks.entry(entry.required("idref")?.to_owned()).or_default();
            if !known.is_empty() {
                known.push('\n');
            }
            known.push_str(text.trim());
        }
    }
    remarks.retain(|_, text| !text.is_empty());
    Ok(remarks)
}

/// The Profiles of a benchmark or a tailoring.
fn profiles(node: Node<'_, '_>) -> Result<Vec<Profile>, ReadError> {
    unique_ids(node.named("Profile"))?;
    node.named("Profile").map(Profile::read).collect()
}

impl Profile {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Ok(Self {
            id: ProfileId::new(node.required("id")?),
            extends: node.attribute("extends").map(ProfileId::new),
            title: text(node, "title"),
            description: markup(node, "description")?,
            is_abstract: node.boolean("abstract", false)?,
            platforms: idrefs(node, "platform")?,
            selects: node
                .named("select")
                .map(|s| {
                    Ok(Select {
                        idref: s.required("idref")?.to_owned(),
                        selected: s.boolean("selected", true)?,
                    })
                })
                .collect::<Result<_, ReadError>>()?,
            set_values: node
                .named("set-value")
                .map(|v| Ok(SetValue { idref: ValueId::new(v.required("idref")?), value: v.full_text() }))
                .collect::<Result<_, ReadError>>()?,
            complex_values: node
                .named("set-complex-value")
                .map(|v| Ok(ValueId::new(v.required("idref")?)))
                .collect::<Result<_, ReadError>>()?,
            refine_values: node
                .named("refine-value")
                .map(|v| {
                    Ok(RefineValue {
                        idref: ValueId::new(v.required("idref")?),
                        selector: v.attribute("selector").unwrap_or_default().to_owned(),
                    })
                })
                .collect::<Result<_, ReadError>>()?,
            refine_rules: node
                .named("refine-rule")
                .map(|r| {
                    Ok(RefineRule {
                        idref: RuleId::new(r.required("idref")?),
                        severity: Severity::read(r, "severity")?,
                        role: Role::read(r, "role")?,
                        weight: weight(r)?,
                        selector: r.attribute("selector").map(str::to_owned),
                    })
                })
                .collect::<Result<_, ReadError>>()?,
            remarks: remarks(node)?,
        })
    }
}

impl Value {
    fn read<'a, 'i>(node: Node<'a, 'i>, lineage: &Lineage<'a, 'i>) -> Result<Self, ReadError> {
        let mut values: Vec<(Option<String>, String)> = Vec::new();
        for generation in lineage.iter() {
            let alternatives = generation.named("value").map(|v| (v.attribute("selector"), v.full_text()));
            let selector = |own: Option<&str>| own.unwrap_or_default().to_owned();
            let known: BTreeSet<_> = values.iter().map(|(own, _)| selector(own.as_deref())).collect();
            let new = alternatives.filter(|(own, _)| !known.contains(&selector(*own)));
            values.extend(new.map(|(own, text)| (own.map(str::to_owned), text)));
        }
        let with = |name: &'static str| lineage.with_child(node, &[name]);
        let typed = lineage.with_attribute(node, "type");
        Ok(Self {
            id: ValueId::new(node.required("id")?),
            value_type: ValueType::read_or(typed, "type", ValueType::String)?,
            title: text(with("title"), "title"),
            description: markup(with("description"), "description")?,
            values,
        })
    }
}

impl Tailoring {
    /// Reads a document with a `Tailoring` root element.
    ///
    /// # Errors
    /// [`ReadError`] where the document is no tailoring.
    pub fn read(xml: &str) -> Result<Self, ReadError> {
        let document = roxmltree::Document::parse(xml)?;
        let root = document.root_element();
        if !root.is(XCCDF, "Tailoring") {
            return Err(ReadError::WrongRoot {
                found: root.tag_name().name().to_owned(),
                expected: "<Tailoring> of XCCDF 1.2",
            });
        }
        let version = root.child("version");
        Ok(Self {
            id: root.required("id")?.to_owned(),
            version: text(root, "version"),
            version_time: version.and_then(|v| v.attribute("time")).map(str::to_owned),
            profiles: profiles(root)?,
        })
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
