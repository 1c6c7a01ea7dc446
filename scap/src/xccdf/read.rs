//! Reading of benchmarks and tailorings.

use super::*;
use crate::markup::Markup;
use crate::namespace::{VIRTSCAP, XCCDF};
use crate::xml::{MAX_DEPTH, Node, NodeExt, ReadError};

impl Benchmark {
    /// Reads a `Benchmark` element.
    ///
    /// # Errors
    /// [`ReadError`] where the document breaks the XCCDF schema in what the model reads.
    pub fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let mut values = Vec::new();
        let items = read_items(node, &mut values, 0)?;
        let models =
            node.named("model").filter_map(|m| m.attribute("system").and_then(ScoringModel::from_text));
        Ok(Self {
            id: BenchmarkId::new(node.required("id")?),
            status: node
                .child("status")
                .map(|s| (s.full_text(), s.attribute("date").unwrap_or_default().to_owned())),
            title: text(node, "title"),
            description: markup(node, "description")?,
            platforms: idrefs(node, "platform")?,
            version: text(node, "version"),
            models: models.collect(),
            profiles: node.named("Profile").map(Profile::read).collect::<Result<_, _>>()?,
            values,
            items,
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

fn read_items(node: Node<'_, '_>, values: &mut Vec<Value>, depth: usize) -> Result<Vec<Item>, ReadError> {
    if depth > MAX_DEPTH {
        return Err(ReadError::TooDeep { line: node.line() });
    }
    let mut items = Vec::new();
    for child in node.elements() {
        if child.is(XCCDF, "Value") {
            values.push(Value::read(child)?);
        } else if child.is(XCCDF, "Rule") {
            items.push(Item::Rule(Box::new(Rule::read(child)?)));
        } else if child.is(XCCDF, "Group") {
            items.push(Item::Group(Group {
                id: GroupId::new(child.required("id")?),
                selectable: Selectable::read(child)?,
                title: text(child, "title"),
                description: markup(child, "description")?,
                items: read_items(child, values, depth + 1)?,
            }));
        }
    }
    Ok(items)
}

impl Selectable {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let requires = node.named("requires").map(|r| {
            let ids = r.required("idref")?;
            Ok(ids.split_whitespace().map(str::to_owned).collect())
        });
        Ok(Self {
            selected: node.boolean("selected", true)?,
            weight: weight(node)?.unwrap_or(1.0),
            platforms: idrefs(node, "platform")?,
            requires: requires.collect::<Result<_, ReadError>>()?,
            conflicts: idrefs(node, "conflicts")?,
        })
    }
}

impl Rule {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let markups = |name: &'static str| node.named(name).map(Markup::read).collect::<Result<Vec<_>, _>>();
        let guide = node.named("metadata").find_map(|m| m.elements().find(|e| e.is(VIRTSCAP, "guide")));
        let guide = guide.map(|g| {
            let level =
                g.attribute("level").map(|l| l.parse().map_err(|_| g.bad_value(l, "level"))).transpose()?;
            Ok::<_, ReadError>(GuidePlace { section: g.required("section")?.to_owned(), level })
        });
        let check = match node.child("complex-check") {
            Some(complex) => RuleCheck::Complex(ComplexCheck::read(complex, 0)?),
            None => RuleCheck::Simple(node.named("check").map(Check::read).collect::<Result<_, _>>()?),
        };
        Ok(Self {
            id: RuleId::new(node.required("id")?),
            selectable: Selectable::read(node)?,
            severity: Severity::read(node, "severity")?,
            role: Role::read_or(node, "role", Role::Full)?,
            title: text(node, "title"),
            description: markup(node, "description")?,
            warnings: markups("warning")?,
            references: node
                .named("reference")
                .map(|r| Reference {
                    href: r.attribute("href").unwrap_or_default().to_owned(),
                    text: r.full_text(),
                })
                .collect(),
            guide: guide.transpose()?,
            rationale: node.child("rationale").map(Markup::read).transpose()?,
            fixtexts: markups("fixtext")?,
            fixes: node.named("fix").map(Fix::read).collect(),
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

impl Profile {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Ok(Self {
            id: ProfileId::new(node.required("id")?),
            extends: node.attribute("extends").map(ProfileId::new),
            title: text(node, "title"),
            description: markup(node, "description")?,
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
            refine_values: node
                .named("refine-value")
                .filter(|v| v.has_attribute("selector"))
                .map(|v| {
                    Ok(RefineValue {
                        idref: ValueId::new(v.required("idref")?),
                        selector: v.required("selector")?.to_owned(),
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
                    })
                })
                .collect::<Result<_, ReadError>>()?,
            remarks: remarks(node)?,
        })
    }
}

impl Value {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        Ok(Self {
            id: ValueId::new(node.required("id")?),
            value_type: ValueType::read_or(node, "type", ValueType::String)?,
            title: text(node, "title"),
            description: markup(node, "description")?,
            values: node
                .named("value")
                .map(|v| (v.attribute("selector").map(str::to_owned), v.full_text()))
                .collect(),
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
            profiles: root.named("Profile").map(Profile::read).collect::<Result<_, _>>()?,
        })
    }
}
