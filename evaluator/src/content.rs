//! SCAP content that is evaluated: a data stream, as a model and as the text that reports embed.

pub mod compose;
mod select;

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub use select::Selection;

use virtscap_scap::cpe::{CpeItem, CpeList, CpeName, PlatformTest};
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

    /// A platform that is combined of others, by its id.
    pub fn platform(&self, id: &str) -> Option<&'a PlatformTest> {
        self.benchmark.platform_specification.platforms.iter().find(|platform| platform.id == id)
    }

    /// The definitions of which one has to hold for a platform to be there: those of all items of all dictionaries that
    /// the name matches.
    pub fn platform_checks(&self, name: &CpeName) -> Vec<PlatformCheck<'a>> {
        let mut checks = Vec::new();
        for (reference, list) in self.dictionaries() {
            let is_meant =
                |item: &&CpeItem| CpeName::parse(&item.name).is_some_and(|listed| name.matches(&listed));
            for item in list.items.iter().filter(is_meant) {
                let found = item.checks.iter().filter_map(|check| {
                    let (component, oval) = self.oval_from(reference, &check.href)?;
                    Some(PlatformCheck { title: &item.title, component, oval, definition: &check.definition })
                });
                checks.extend(found);
            }
        }
        checks
    }

    /// The OVAL document that an href of the applicability language means. As with OpenSCAP, it may be a name that only a
    /// dictionary's catalog has.
    pub fn platform_oval(&self, href: &str) -> Option<(&'a str, &'a OvalDefinitions)> {
        let references = std::iter::once(self.reference).chain(&self.stream.dictionaries);
        references.into_iter().find_map(|reference| self.oval_from(reference, href))
    }

    fn dictionaries(&self) -> impl Iterator<Item = (&'a ComponentRef, &'a CpeList)> {
        let collection = self.collection;
        self.stream.dictionaries.iter().filter_map(move |reference| {
            match &collection.component(&reference.component)?.content {
                ComponentContent::CpeList(list) => Some((reference, list)),
                _ => None,
            }
        })
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
