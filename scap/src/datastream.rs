//! SCAP 1.3 source data streams: benchmark, checks and dictionaries in one document.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::cpe::CpeList;
use crate::namespace::*;
use crate::ocil::Ocil;
use crate::oval::OvalDefinitions;
use crate::xccdf::Benchmark;
use crate::xml::{Node, NodeExt, ReadError, XmlWriter, unique_ids};

/// A `data-stream-collection`.
#[derive(Debug, Clone, PartialEq)]
pub struct DataStreamCollection {
    /// Its id.
    pub id: String,
    /// The data streams.
    pub data_streams: Vec<DataStream>,
    /// The documents that the data streams are made of.
    pub components: Vec<Component>,
}

/// A data stream: which components play which part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataStream {
    /// Its id.
    pub id: String,
    /// CPE dictionaries.
    pub dictionaries: Vec<ComponentRef>,
    /// Benchmarks.
    pub checklists: Vec<ComponentRef>,
    /// OVAL and OCIL documents.
    pub checks: Vec<ComponentRef>,
}

/// A reference to a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentRef {
    /// Its id.
    pub id: String,
    /// Id of the component.
    pub component: String,
    /// What names in the component's hrefs mean: name, and id of a component reference.
    pub catalog: Vec<(String, String)>,
}

/// A document within a collection.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub timestamp: String,
    /// The document.
    pub content: ComponentContent,
}

/// The documents that the model knows.
#[derive(Debug, Clone, PartialEq)]
pub enum ComponentContent {
    /// XCCDF.
    Benchmark(Box<Benchmark>),
    /// OVAL.
    Oval(OvalDefinitions),
    /// OCIL.
    Ocil(Ocil),
    /// CPE dictionary.
    CpeList(CpeList),
    /// Another kind.
    Unsupported {
        /// Local name of its root element.
        name: String,
    },
}

impl DataStreamCollection {
    /// Reads a data stream collection.
    ///
    /// # Errors
    /// [`ReadError`] where the document is no data stream collection, or a component breaks its schema in what the
    /// model reads.
    pub fn read(xml: &str) -> Result<Self, ReadError> {
        Self::read_with_fragments(xml).map(|(collection, _)| collection)
    }

    /// Reads a data stream collection, and tells where in the text its parts are.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_with_fragments(xml: &str) -> Result<(Self, Fragments), ReadError> {
        let document = roxmltree::Document::parse(xml)?;
        let root = document.root_element();
        if !root.is(DS, "data-stream-collection") {
            return Err(ReadError::WrongRoot {
                found: root.tag_name().name().to_owned(),
                expected: "<data-stream-collection> of a SCAP 1.2 or 1.3 source data stream",
            });
        }
        unique_ids(root.elements())?;
        let collection = Self {
            id: root.required("id")?.to_owned(),
            data_streams: root.named("data-stream").map(DataStream::read).collect::<Result<_, _>>()?,
            components: root.named("component").map(Component::read).collect::<Result<_, _>>()?,
        };
        Ok((collection, Fragments::of_root(xml, root)))
    }

    /// The component of this id.
    pub fn component(&self, id: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.id == id)
    }

    /// The component that `href` means within the component that `from` refers to.
    pub fn resolve<'a>(
        &'a self,
        stream: &DataStream,
        from: &ComponentRef,
        href: &str,
    ) -> Option<&'a Component> {
        let target = match href.strip_prefix('#') {
            Some(id) => id,
            None => &from.catalog.iter().find(|(name, _)| name == href)?.1,
        };
        let mut refs = stream.checks.iter().chain(&stream.dictionaries).chain(&stream.checklists);
        self.component(&refs.find(|r| r.id == target)?.component)
    }

    /// Writes the collection as a document.
    pub fn write(&self) -> String {
        let namespaces = [
            ("xmlns:cat", CATALOG),
            ("xmlns:cpe-dict", CPE_DICT),
            ("xmlns:ds", DS),
            ("xmlns:html", XHTML),
            ("xmlns:ind", OVAL_DEF_INDEPENDENT),
            ("xmlns:ocil", OCIL),
            ("xmlns:oval", OVAL_COMMON),
            ("xmlns:oval-def", OVAL_DEF),
            ("xmlns:unix", OVAL_DEF_UNIX),
            ("xmlns:xccdf-1.2", XCCDF),
            ("xmlns:xlink", XLINK),
            ("xmlns:xsi", XSI),
        ];
        let mut attributes = namespaces.to_vec();
        attributes.push(("id", &self.id));
        attributes.push(("schematron-version", "1.3"));
        let mut w = XmlWriter::document();
        w.element("ds:data-stream-collection", &attributes, |w| {
            self.data_streams.iter().for_each(|stream| stream.write(w));
            self.components.iter().for_each(|component| component.write(w));
        });
        w.finish()
    }
}

impl DataStream {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let refs = |section: &str| {
            references(node, section).into_iter().map(ComponentRef::read).collect::<Result<Vec<_>, _>>()
        };
        unique_ids(node.elements().flat_map(|section| section.children()).filter(Node::is_element))?;
        Ok(Self {
            id: node.required("id")?.to_owned(),
            dictionaries: refs("dictionaries")?,
            checklists: refs("checklists")?,
            checks: refs("checks")?,
        })
    }

    fn write(&self, w: &mut XmlWriter) {
        let attributes = [("id", self.id.as_str()), ("scap-version", "1.3"), ("use-case", "OTHER")];
        w.element("ds:data-stream", &attributes, |w| {
            let sections = [
                ("ds:dictionaries", &self.dictionaries),
                ("ds:checklists", &self.checklists),
                ("ds:checks", &self.checks),
            ];
            for (name, refs) in sections {
                w.element(name, &[], |w| refs.iter().for_each(|r| r.write(w)));
            }
        });
    }
}

impl ComponentRef {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let href = node.attribute((XLINK, "href")).unwrap_or_default();
        let component = href.strip_prefix('#').unwrap_or(href).to_owned();
        let in_document = node.document().root_element().elements().any(|e| {
            matches!(e.tag_name().name(), "component" | "extended-component")
                && e.attribute("id") == Some(&component)
        });
        // What is kept elsewhere is not fetched: checks that refer to it are not checked.
        if !in_document && !is_remote(href) {
            return Err(ReadError::DanglingReference {
                line: node.line(),
                what: "component",
                reference: href.to_owned(),
            });
        }
        let uris: Vec<_> = node.child("catalog").map(|c| c.named("uri").collect()).unwrap_or_default();
        let catalog = uris.into_iter().map(|uri| {
            let target = uri.required("uri")?;
            Ok((uri.required("name")?.to_owned(), target.strip_prefix('#').unwrap_or(target).to_owned()))
        });
        let catalog = catalog.collect::<Result<_, ReadError>>()?;
        Ok(Self { id: node.required("id")?.to_owned(), component, catalog })
    }

    fn write(&self, w: &mut XmlWriter) {
        let href =
            if is_remote(&self.component) { self.component.clone() } else { format!("#{}", self.component) };
        let attributes = [("id", self.id.as_str()), ("xlink:href", &href)];
        if self.catalog.is_empty() {
            return w.empty("ds:component-ref", &attributes);
        }
        w.element("ds:component-ref", &attributes, |w| {
            w.element("cat:catalog", &[], |w| {
                for (name, target) in &self.catalog {
                    w.empty("cat:uri", &[("name", name), ("uri", &format!("#{target}"))]);
                }
            });
        });
    }
}

/// The `component-ref` elements in a section of a `data-stream` element.
pub(crate) fn references<'a, 'i>(stream: Node<'a, 'i>, section: &str) -> Vec<Node<'a, 'i>> {
    stream.child(section).map(|section| section.named("component-ref").collect()).unwrap_or_default()
}

/// Whether a reference leads out of the collection, into the net.
pub fn is_remote(href: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| href.starts_with(scheme))
}

impl Component {
    fn read(node: Node<'_, '_>) -> Result<Self, ReadError> {
        let content = match node.elements().next() {
            Some(n) if n.is(XCCDF, "Benchmark") => ComponentContent::Benchmark(Box::new(Benchmark::read(n)?)),
            Some(n) if n.is(OVAL_DEF, "oval_definitions") => {
                ComponentContent::Oval(OvalDefinitions::read(n)?)
            }
            Some(n) if n.is(OCIL, "ocil") => ComponentContent::Ocil(Ocil::read(n)?),
            Some(n) if n.is(CPE_DICT, "cpe-list") => ComponentContent::CpeList(CpeList::read(n)?),
            other => ComponentContent::Unsupported {
                name: other.map(|n| n.tag_name().name().to_owned()).unwrap_or_default(),
            },
        };
        Ok(Self {
            id: node.required("id")?.to_owned(),
            timestamp: node.attribute("timestamp").unwrap_or_default().to_owned(),
            content,
        })
    }

    fn write(&self, w: &mut XmlWriter) {
        w.element("ds:component", &[("id", &self.id), ("timestamp", &self.timestamp)], |w| {
            match &self.content {
                ComponentContent::Benchmark(benchmark) => benchmark.write(w),
                ComponentContent::Oval(oval) => oval.write(w, &[]),
                ComponentContent::Ocil(ocil) => ocil.write(w),
                ComponentContent::CpeList(list) => list.write(w),
                ComponentContent::Unsupported { .. } => {}
            }
        });
    }
}

/// Where the parts of a data stream are in its text.
///
/// Results embed what was evaluated as it was written, so that nothing of it is lost in reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragments {
    root: Range<usize>,
    /// By id of the component; the first of an id counts.
    components: BTreeMap<String, Fragment>,
}

/// The root element of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fragment {
    range: Range<usize>,
    /// The end of its tag's name, behind which declarations go.
    name_end: usize,
    /// What it takes from the elements around it.
    declarations: String,
}

impl Fragments {
    /// Looks for the parts in a text.
    ///
    /// # Errors
    /// [`ReadError::Malformed`] where the text is not XML.
    pub fn of(xml: &str) -> Result<Self, ReadError> {
        let document = roxmltree::Document::parse(xml)?;
        Ok(Self::of_root(xml, document.root_element()))
    }

    fn of_root(xml: &str, root: Node<'_, '_>) -> Self {
        let mut components = BTreeMap::new();
        for component in root.named("component") {
            let (Some(id), Some(node)) = (component.attribute("id"), component.elements().next()) else {
                continue;
            };
            components.entry(id.to_owned()).or_insert_with(|| Fragment::of(xml, node));
        }
        Self { root: root.range(), components }
    }

    /// The document's root element as a fragment: without the XML declaration and what else stands before it.
    ///
    /// `xml` is the text that this was made of.
    pub fn root<'x>(&self, xml: &'x str) -> &'x str {
        xml.get(self.root.clone()).unwrap_or_default()
    }

    /// The root element of a component, as a fragment that declares its own namespaces.
    ///
    /// `xml` is the text that this was made of.
    ///
    /// # Errors
    /// [`ReadError::DanglingReference`] where it has no such component.
    pub fn component(&self, xml: &str, id: &str) -> Result<String, ReadError> {
        let fragment = self.components.get(id);
        let parts = fragment.and_then(|fragment| {
            let Range { start, end } = fragment.range;
            let head = xml.get(start..fragment.name_end)?;
            Some([head, &fragment.declarations, xml.get(fragment.name_end..end)?].concat())
        });
        parts.ok_or_else(|| ReadError::DanglingReference {
            line: 1,
            what: "component",
            reference: id.to_owned(),
        })
    }
}

impl Fragment {
    fn of(xml: &str, node: Node<'_, '_>) -> Self {
        let range = node.range();
        let text = &xml[range.clone()];
        // The tag's name ends at white space, `/` or `>`; declarations go right behind it.
        let name_end = text.find(|c: char| c.is_whitespace() || c == '/' || c == '>').unwrap_or(text.len());
        let tag_end = text.find('>').unwrap_or(text.len());
        let mut declarations = String::new();
        for namespace in node.namespaces() {
            let declaration = match namespace.name() {
                Some("xml") => continue,
                Some(prefix) => format!("xmlns:{prefix}="),
                None => "xmlns=".to_owned(),
            };
            if !text[name_end..tag_end].contains(&declaration) {
                declarations.push_str(&format!(" {declaration}\"{}\"", crate::xml::escape(namespace.uri())));
            }
        }
        Self { name_end: range.start + name_end, range, declarations }
    }
}
