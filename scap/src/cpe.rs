//! CPE dictionaries: which definition tells whether a platform is there.

use crate::id::DefinitionId;
use crate::namespace::OVAL_DEF;
use crate::xml::{Node, NodeExt, ReadError, XmlWriter};

/// A `cpe-list`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpeList {
    /// The platforms.
    pub items: Vec<CpeItem>,
}

/// A platform of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpeItem {
    /// Its CPE name, in the form of CPE 2.2 (`cpe:/a:…`).
    pub name: String,
    /// Its title.
    pub title: String,
    /// How to tell whether it is there.
    pub check: Option<CpeCheck>,
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
    /// [`ReadError::MissingAttribute`] for an item without name or a check without href.
    pub fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let items = node.named("cpe-item").map(|item| {
            let check = item.named("check").find(|c| c.attribute("system") == Some(OVAL_DEF));
            Ok(CpeItem {
                name: item.required("name")?.to_owned(),
                title: item.child("title").map(|t| t.full_text()).unwrap_or_default(),
                check: check
                    .map(|c| {
                        Ok::<_, ReadError>(CpeCheck {
                            href: c.required("href")?.to_owned(),
                            definition: DefinitionId::new(c.full_text().trim()),
                        })
                    })
                    .transpose()?,
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
                    if let Some(check) = &item.check {
                        let attributes = [("system", OVAL_DEF), ("href", check.href.as_str())];
                        w.text_element("cpe-dict:check", &attributes, check.definition.as_str());
                    }
                });
            }
        });
    }
}
