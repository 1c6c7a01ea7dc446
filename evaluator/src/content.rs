//! SCAP content that is evaluated: a data stream, as a model and as the text that reports embed.

pub mod compose;
mod select;

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub use select::Selection;

use virtscap_scap::datastream::{
    ComponentContent, ComponentRef, DataStream, DataStreamCollection, Fragments,
};
use virtscap_scap::oval::OvalDefinitions;
use virtscap_scap::xccdf::Benchmark;
use virtscap_scap::xml::ReadError;

/// A source data stream.
#[derive(Debug, Clone)]
pub struct Content {
    collection: DataStreamCollection,
    xml: String,
    /// Where the components are in `xml`, from the first time that it was read.
    fragments: OnceLock<Fragments>,
    /// Which benchmark is meant.
    selection: Selection,
    /// Components beside the data stream, by id: their texts.
    extra: BTreeMap<String, String>,
}

/// The benchmark of a data stream, with what its references mean.
#[derive(Debug, Clone, Copy)]
pub struct Checklist<'a> {
    collection: &'a DataStreamCollection,
    stream: &'a DataStream,
    reference: &'a ComponentRef,
    /// The benchmark.
    pub benchmark: &'a Benchmark,
}

/// Why content cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// It is no SCAP source data stream.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It holds no benchmark.
    #[error("the data stream holds no XCCDF benchmark")]
    NoBenchmark,
    /// It holds no benchmark that is the one asked for.
    #[error(
        "there is no data stream '{data_stream}' with a checklist '{reference}' that is the benchmark '{benchmark}'; there are: {available}"
    )]
    NotSelected {
        /// Id of the data stream.
        data_stream: String,
        /// Id of the reference.
        reference: String,
        /// Id of the benchmark.
        benchmark: String,
        /// What there is.
        available: String,
    },
    /// It has no such reference to a component.
    #[error("the data stream has no reference '{reference}'; oscap info lists those it has")]
    NoReference {
        /// Id of the reference.
        reference: String,
    },
}

impl Content {
    /// From the text of a source data stream.
    ///
    /// # Errors
    /// [`ContentError::Read`] where the text is none.
    pub fn from_xml(xml: String) -> Result<Self, ContentError> {
        let (collection, fragments) = DataStreamCollection::read_with_fragments(&xml)?;
        Ok(Self::new(collection, xml, fragments.into()))
    }

    /// From a model that was made in memory.
    pub fn from_model(collection: DataStreamCollection) -> Self {
        let xml = collection.write();
        Self::new(collection, xml, OnceLock::new())
    }

    fn new(collection: DataStreamCollection, xml: String, fragments: OnceLock<Fragments>) -> Self {
        Self { collection, xml, fragments, selection: Selection::default(), extra: BTreeMap::new() }
    }

    /// The data stream as a model.
    pub fn collection(&self) -> &DataStreamCollection {
        &self.collection
    }

    /// The text of the data stream.
    pub fn xml(&self) -> &str {
        &self.xml
    }

    /// The text of the data stream, from its first tag on.
    ///
    /// # Errors
    /// [`ReadError`] where the text cannot be read, which the model was written to.
    pub fn root_xml(&self) -> Result<&str, ReadError> {
        Ok(self.fragments()?.root(&self.xml))
    }

    /// The text of a component, as a fragment that declares its own namespaces.
    ///
    /// # Errors
    /// [`ReadError`] where there is no such component.
    pub fn component_xml(&self, id: &str) -> Result<String, ReadError> {
        match self.extra.get(id) {
            Some(xml) => Ok(xml.clone()),
            None => self.fragments()?.component(&self.xml, id),
        }
    }

    fn fragments(&self) -> Result<&Fragments, ReadError> {
        if let Some(fragments) = self.fragments.get() {
            return Ok(fragments);
        }
        let fragments = Fragments::of(&self.xml)?;
        Ok(self.fragments.get_or_init(|| fragments))
    }
}

impl<'a> Checklist<'a> {
    /// Id of the benchmark's component.
    pub fn component_id(&self) -> &'a str {
        &self.reference.component
    }

    /// The OVAL document that an href in the benchmark means, with the id of its component.
    pub fn oval(&self, href: &str) -> Option<(&'a str, &'a OvalDefinitions)> {
        self.oval_from(self.reference, href)
    }

    /// The OVAL definition that tells whether a platform is there, with its document.
    pub fn platform_check(&self, cpe_name: &str) -> Option<PlatformCheck<'a>> {
        for reference in &self.stream.dictionaries {
            let component = self.collection.component(&reference.component)?;
            let ComponentContent::CpeList(list) = &component.content else { continue };
            let Some(item) = list.items.iter().find(|item| item.name == cpe_name) else { continue };
            let check = item.check.as_ref()?;
            let (component, oval) = self.oval_from(reference, &check.href)?;
            return Some(PlatformCheck {
                title: &item.title,
                component,
                oval,
                definition: &check.definition,
            });
        }
        None
    }

    fn oval_from(&self, from: &ComponentRef, href: &str) -> Option<(&'a str, &'a OvalDefinitions)> {
        let component = self.collection.resolve(self.stream, from, href)?;
        match &component.content {
            ComponentContent::Oval(oval) => Some((&component.id, oval)),
            _ => None,
        }
    }
}

/// How a data stream tells whether a platform is there.
#[derive(Debug, Clone, Copy)]
pub struct PlatformCheck<'a> {
    /// The platform's title.
    pub title: &'a str,
    /// Id of the component that holds the check.
    pub component: &'a str,
    /// The OVAL document.
    pub oval: &'a OvalDefinitions,
    /// The definition in it.
    pub definition: &'a virtscap_scap::id::DefinitionId,
}
