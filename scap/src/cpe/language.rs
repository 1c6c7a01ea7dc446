//! The CPE applicability language (NISTIR 7698): platforms as combinations of others.

use crate::id::DefinitionId;
use crate::namespace::{CPE_LANG, OVAL_DEF};
use crate::xccdf::CheckOperator;
use crate::xml::{MAX_DEPTH, Node, NodeExt, ReadError, XmlWriter};

/// A `platform-specification`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformSpecification {
    /// The platforms.
    pub platforms: Vec<PlatformTest>,
}

/// A `platform`: a name for a combination of facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformTest {
    /// Its id.
    pub id: String,
    /// Its title; may be empty.
    pub title: String,
    /// What has to hold.
    pub test: LogicalTest,
}

/// A `logical-test`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogicalTest {
    /// How the parts combine.
    pub operator: CheckOperator,
    /// Whether the outcome is turned.
    pub negate: bool,
    /// What is combined; never empty.
    pub children: Vec<TestNode>,
}

/// A part of a [`LogicalTest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestNode {
    /// A nested combination.
    Test(LogicalTest),
    /// `fact-ref`: a name that the dictionaries know.
    Fact {
        /// The CPE name.
        name: String,
    },
    /// `check-fact-ref`: a definition.
    Check {
        /// The document, as the data stream's catalog has it.
        href: String,
        /// The definition.
        definition: DefinitionId,
    },
}

impl PlatformSpecification {
    /// Reads a `platform-specification` element.
    ///
    /// # Errors
    /// [`ReadError`] for what the schema does not allow. OpenSCAP takes a platform that asks for nothing as one that is
    /// there, which nobody can have meant.
    pub fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let platforms = node.named("platform").map(PlatformTest::read).collect::<Result<_, _>>()?;
        Ok(Self { platforms })
    }

    /// Writes `<cpe-lang:platform-specification>`, which declares its prefix.
    pub fn write(&self, w: &mut XmlWriter) {
        w.element("cpe-lang:platform-specification", &[("xmlns:cpe-lang", CPE_LANG)], |w| {
            for platform in &self.platforms {
                w.element("cpe-lang:platform", &[("id", &platform.id)], |w| {
                    if !platform.title.is_empty() {
                        w.text_element("cpe-lang:title", &[], &platform.title);
                    }
                    platform.test.write(w);
                });
            }
        });
    }
}

impl PlatformTest {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        // The schema allows one; of several OpenSCAP takes the last.
        let test = node.named("logical-test").last().ok_or_else(|| node.missing_child("logical-test"))?;
        Ok(Self {
            id: node.required("id")?.to_owned(),
            title: node.child("title").map(|title| title.full_text()).unwrap_or_default(),
            test: LogicalTest::read(test, 0)?,
        })
    }
}

impl LogicalTest {
    fn read(node: Node<'_, '_>, depth: usize) -> Result<Self, ReadError> {
        if depth > MAX_DEPTH {
            return Err(ReadError::TooDeep { line: node.line() });
        }
        let operator = node.required("operator")?;
        let known = CheckOperator::from_text(&operator.to_ascii_uppercase());
        let negate = match node.attribute("negate").map(str::to_ascii_lowercase).as_deref().map(str::trim) {
            None | Some("false" | "0") => false,
            Some("true" | "1") => true,
            Some(other) => return Err(node.bad_value(other, "boolean")),
        };
        let mut children = Vec::new();
        for child in node.elements() {
            children.push(match child.tag_name().name() {
                "logical-test" => TestNode::Test(Self::read(child, depth + 1)?),
                "fact-ref" => TestNode::Fact { name: child.required("name")?.to_owned() },
                "check-fact-ref" => TestNode::Check {
                    href: child.required("href")?.to_owned(),
                    definition: DefinitionId::new(child.required("id-ref")?),
                },
                other => return Err(child.bad_value(other, "CPE logical-test")),
            });
        }
        if children.is_empty() {
            return Err(node.missing_child("fact-ref"));
        }
        let operator = known.ok_or_else(|| node.bad_value(operator, "CPE logical-test operator"))?;
        Ok(Self { operator, negate, children })
    }

    fn write(&self, w: &mut XmlWriter) {
        let negate = self.negate.to_string();
        let attributes = [("operator", self.operator.as_str()), ("negate", &negate)];
        w.element("cpe-lang:logical-test", &attributes, |w| {
            for child in &self.children {
                match child {
                    TestNode::Test(test) => test.write(w),
                    TestNode::Fact { name } => w.empty("cpe-lang:fact-ref", &[("name", name)]),
                    TestNode::Check { href, definition } => {
                        let id = definition.as_str();
                        let attributes = [("system", OVAL_DEF), ("href", href.as_str()), ("id-ref", id)];
                        w.empty("cpe-lang:check-fact-ref", &attributes);
                    }
                }
            }
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<PlatformSpecification, String> {
        let xml =
            format!("<p:platform-specification xmlns:p='{CPE_LANG}'>{content}</p:platform-specification>");
        let document = roxmltree::Document::parse(&xml).map_err(|e| e.to_string())?;
        PlatformSpecification::read(document.root_element()).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let text = "<p:platform id='a'><p:title>A</p:title><p:logical-test operator='or' negate='TRUE'>\
            <p:fact-ref name='cpe:/a:x'/><p:logical-test operator='AND'><p:check-fact-ref href='o.xml' system='s' \
            id-ref='oval:x:def:1'/></p:logical-test></p:logical-test></p:platform>";
        let specification = read(text).unwrap_or_else(|e| panic!("{e}"));
        let mut w = XmlWriter::document();
        specification.write(&mut w);
        let written = w.finish();
        let document = roxmltree::Document::parse(&written).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(PlatformSpecification::read(document.root_element()).ok(), Some(specification));
    }

    #[test]
    fn platforms_that_ask_for_nothing_are_refused() {
        let wrong = [
            ("<p:platform id='a'/>", "line 1: <platform> has no <logical-test>"),
            ("<p:platform id='a'><p:logical-test operator='OR'/></p:platform>", "has no <fact-ref>"),
            (
                "<p:platform id='a'><p:logical-test operator='XOR'><p:fact-ref name='cpe:/a'/></p:logical-test>\
                 </p:platform>",
                "'XOR' is not a value of CPE logical-test operator",
            ),
        ];
        for (text, expected) in wrong {
            let error = read(text).expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn deep_nesting_ends_in_an_error() {
        let (start, end) = ("<p:logical-test operator='AND'>", "</p:logical-test>");
        let text =
            format!("<p:platform id='a'>{}{}</p:platform>", start.repeat(100_000), end.repeat(100_000));
        let error = read(&text).expect_err("too deep");
        assert!(error.contains("nested more than"), "{error}");
    }
}
