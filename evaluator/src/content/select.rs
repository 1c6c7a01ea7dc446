//! Which of the parts of a data stream are meant.

use virtscap_scap::datastream::{ComponentContent, ComponentRef, DataStream};
use virtscap_scap::xccdf::Tailoring;

use super::{Checklist, Content, ContentError};

/// Which benchmark of a data stream collection is meant. What is not named is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Id of the data stream.
    pub data_stream: Option<String>,
    /// Id of the reference to the benchmark.
    pub reference: Option<String>,
    /// Id of the benchmark itself.
    pub benchmark: Option<String>,
}

impl Content {
    /// Says which benchmark is meant, where there are several.
    pub fn select(&mut self, selection: Selection) {
        self.selection = selection;
    }

    fn selected_streams(&self) -> impl Iterator<Item = &DataStream> {
        let wanted = self.selection.data_stream.as_deref();
        self.collection.data_streams.iter().filter(move |stream| wanted.is_none_or(|id| stream.id == id))
    }

    /// The benchmark that is meant; where nothing is said, the first of the first data stream that has one.
    ///
    /// # Errors
    /// [`ContentError::NoBenchmark`] or [`ContentError::NotSelected`] where there is none.
    pub fn checklist(&self) -> Result<Checklist<'_>, ContentError> {
        let wanted = &self.selection;
        for stream in self.selected_streams() {
            for reference in &stream.checklists {
                if wanted.reference.as_ref().is_some_and(|id| reference.id != *id) {
                    continue;
                }
                let component = self.collection.component(&reference.component);
                let Some(ComponentContent::Benchmark(benchmark)) = component.map(|c| &c.content) else {
                    continue;
                };
                if wanted.benchmark.as_ref().is_none_or(|id| benchmark.id.as_str() == id) {
                    return Ok(Checklist { collection: &self.collection, stream, reference, benchmark });
                }
            }
        }
        if *wanted == Selection::default() {
            return Err(ContentError::NoBenchmark);
        }
        let any = |id: &Option<String>| id.clone().unwrap_or_else(|| "<any>".to_owned());
        Err(ContentError::NotSelected {
            data_stream: any(&wanted.data_stream),
            reference: any(&wanted.reference),
            benchmark: any(&wanted.benchmark),
            available: self
                .collection
                .data_streams
                .iter()
                .flat_map(|stream| stream.checklists.iter().map(|r| format!("{} in {}", r.id, stream.id)))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    /// A tailoring within the data stream, by the id of the reference to it.
    ///
    /// # Errors
    /// [`ContentError`] where there is no such reference, or it leads to something else.
    pub fn tailoring(&self, reference: &str) -> Result<Tailoring, ContentError> {
        let all = self.selected_streams().flat_map(|stream| &stream.checklists);
        let found = all.into_iter().find(|r| r.id == reference);
        let found = found.ok_or_else(|| ContentError::NoReference { reference: reference.to_owned() })?;
        Ok(Tailoring::read(&self.component_xml(&found.component)?)?)
    }

    /// The OVAL document that a reference of the selected data stream leads to; without a reference, the first check.
    ///
    /// # Errors
    /// [`ContentError`] where there is no such reference, or it leads to something else.
    pub fn oval_component(&self, reference: Option<&str>) -> Result<&ComponentRef, ContentError> {
        let is_oval = |r: &&ComponentRef| {
            let component = self.collection.component(&r.component);
            matches!(component.map(|c| &c.content), Some(ComponentContent::Oval(_)))
        };
        let mut all = self.selected_streams().flat_map(|stream| &stream.checks).filter(is_oval);
        let found = all.find(|r| reference.is_none_or(|id| r.id == id));
        found.ok_or_else(|| ContentError::NoReference {
            reference: reference.unwrap_or("any OVAL definitions").to_owned(),
        })
    }
}

impl<'a> Checklist<'a> {
    /// What the content calls a component: the name in a catalog, else the component's own id.
    pub fn name_of(&self, component: &'a str) -> &'a str {
        let references =
            || self.stream.checks.iter().chain(&self.stream.dictionaries).chain(&self.stream.checklists);
        let target = references().find(|reference| reference.component == component);
        let catalogs = references().flat_map(|reference| &reference.catalog);
        let named = target.and_then(|t| catalogs.into_iter().find(|(_, id)| *id == t.id));
        named.map_or(component, |(name, _)| name)
    }
}
