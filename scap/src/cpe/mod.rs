//! CPE: names of platforms, dictionaries that say which definition tells whether one is there, and the language that
//! combines them.

mod language;
mod name;

use crate::id::DefinitionId;
use crate::namespace::OVAL_DEF;
use crate::xml::{Node, NodeExt, ReadError, XmlWriter};

pub use language::{LogicalTest, PlatformSpecification, PlatformTest, TestNode};
pub use name::CpeName;

/// A `cpe-list`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpeList {
    /// The platforms.
    pub items: Vec<CpeItem>,
}

/// A platform of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpeItem {
    /// Its CPE name, in the form of CPE 2.2 (`cpe:/a:…`) or 2.3 (`cpe:2.3:a:…`).
    pub name: String,
    /// Its title.
    pub title: String,
    /// How to tell whether it is there: one of them has to hold.
    pub checks: Vec<CpeCheck>,
}

/// A check of a platform, in OVAL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpeCheck {
    /// The document, as the data stream's catalog has it.
    pub href: String,
    /// The definition.
    pub definition: DefinitionId,
}

impl CpeList {
    /// Reads a `cpe-list` element.
    ///
    /// # Errors
    /// [`ReadError::MissingAttribute`] for an item without name.
    pub fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let items = node.named("cpe-item").map(|item| {
            // As OpenSCAP does it, the document that is meant tells the language of a check, not its system. Without a
            // document there is nothing to evaluate.
            let checks = item.named("check").filter_map(|check| {
                let href = check.attribute("href")?.to_owned();
                Some(CpeCheck { href, definition: DefinitionId::new(check.full_text().trim()) })
            });
            Ok(CpeItem {
                name: item.required("name")?.to_owned(),
                title: item.child("title").map(|t| t.full_text()).unwrap_or_default(),
                checks: checks.collect(),
            })
        });
        Ok(Self { items: items.collect::<Result<_, ReadError>>()? })
    }

    /// Writes `<cpe-dict:cpe-list>`.
    pub fn write(&self, w: &mut XmlWriter) {
        w.element("cpe-dict:cpe-list", &[], |w| {
            for item in &self.items {
                w.element("cpe-dict:cpe-item", &[("name", &item.name)], |w| {
                    w.text_element("cpe-dict:title", &[("xml:lang", "en-us")], &item.title);
                    for check in &item.checks {
                        let attributes = [("system", OVAL_DEF), ("href", check.href.as_str())];
                        w.text_element("cpe-dict:check", &attributes, check.definition.as_str());
                    }
                });
            }
        });
    }
}
