//! `unix:file`: what is known of files beside their content.

use std::collections::BTreeMap;

use virtscap_scap::id::ObjectId;
use virtscap_scap::oval::{
    Entity, EntityValue, FileItem, FileType, ItemContent, Object, ObjectContent, ObjectKind, TestType,
};

use super::Findings;
use crate::files::{Files, Lookup, Metadata};
use crate::oval::Session;
use crate::oval::variables::NoValues;
use crate::oval::walk::Found;

impl<'a> Session<'a> {
    /// `unix:file_object`: one item per file.
    ///
    /// A walk through a tree is done once for all objects that want the same but for the names and the filters. What it finds
    /// for the others is kept until they are collected.
    pub(super) fn file(
        &mut self,
        object: &Object,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        if let Some(found) = self.walked.0.remove(&object.id) {
            *findings = found;
            return Ok(());
        }
        let mut query = self.file_query(content)?;
        let mut others = Vec::new();
        for (id, other) in self.same_walk(object, content) {
            if let Ok(filters) = self.filters(&other.filters, other.test_type)
                && self.add_name(&mut query, other).is_ok()
            {
                others.push((id, Findings { filters, ..Findings::default() }));
            }
        }
        let files = self.files;
        let by_path = content.entity("filepath").is_some();
        let mut of_walk = Findings::default();
        self.for_each_file(&query, &mut of_walk, &mut |found, names, of_walk| {
            let Some(metadata) = metadata(files, &found, by_path, of_walk) else { return Ok(()) };
            let item = FileItem {
                path: found.path,
                filename: found.filename.map(String::into_boxed_str),
                file_type: metadata.file_type,
                group_id: metadata.gid,
                user_id: metadata.uid,
                times: metadata.times,
                size: metadata.size,
                mode: metadata.mode,
                has_extended_acl: None,
            };
            for number in names {
                match number.checked_sub(1).and_then(|other| others.get_mut(other)) {
                    None => findings.file(item.clone(), files),
                    Some((_, other)) => other.file(item.clone(), files),
                }
            }
            Ok(())
        })?;
        for (id, mut of_other) in others {
            of_other.note(&of_walk);
            self.walked.0.insert(id.clone(), of_other);
        }
        findings.note(&of_walk);
        Ok(())
    }

    /// The objects, not collected yet, whose files are found by the same walk. They have to depend on no variable: what those
    /// are worked out from may be what is being collected.
    fn same_walk(&self, object: &Object, content: &ObjectContent) -> Vec<(&'a ObjectId, &'a ObjectContent)> {
        fn place(content: &ObjectContent) -> Option<(&Entity, &BTreeMap<String, String>)> {
            let path = content.entity("path").filter(|path| matches!(path.value, EntityValue::Literal(_)))?;
            Some((path, &content.behaviors))
        }
        let walks = content.behaviors.get("recurse_direction").is_some_and(|direction| direction == "down");
        let Some(own) = place(content).filter(|_| walks) else { return Vec::new() };
        let is_plain = |other: &ObjectContent| {
            let name =
                other.entity("filename").is_none_or(|name| matches!(name.value, EntityValue::Literal(_)));
            name && other.filters.iter().all(|filter| {
                let state = self.states.get(&filter.state);
                state.is_some_and(|state| {
                    let mut entities = state.kind.entities().into_iter();
                    entities.all(|entity| matches!(entity.value, EntityValue::Literal(_)))
                })
            })
        };
        let files = self.objects.iter().filter_map(|(id, other)| match &other.kind {
            ObjectKind::Content(content) if content.test_type == TestType::File => Some((*id, content)),
            _ => None,
        });
        let same = files.filter(|(id, other)| {
            **id != object.id
                && place(other) == Some(own)
                && !self.results.objects.contains_key(*id)
                && !self.walked.0.contains_key(*id)
                && is_plain(other)
        });
        let mut same: Vec<_> = same.collect();
        same.sort_by_key(|(id, _)| *id);
        same
    }
}

/// What walks found for objects that are still to be collected.
#[derive(Default)]
pub(in crate::oval) struct Walked(BTreeMap<ObjectId, Findings>);

impl Findings {
    /// Keeps a file, if it counts. To ask for access control lists costs more than all else, and most files do not pass the
    /// filters; so it is asked for afterwards, unless the filters want to know.
    fn file(&mut self, item: FileItem, files: &dyn Files) {
        let lists = |item: FileItem| {
            let has_extended_acl = files.extended_acl(&item.full_path());
            ItemContent::File(FileItem { has_extended_acl, ..item })
        };
        if self.filters.mention("has_extended_acl") {
            self.push(lists(item));
        } else if self.filters.is_empty() {
            self.items.push(lists(item));
        } else {
            match ItemContent::File(item) {
                admitted if !self.filters.admit(&admitted) => {}
                ItemContent::File(item) => self.items.push(lists(item)),
                ItemContent::Entities { .. } => {}
            }
        }
    }

    /// Takes over what was noted on the way.
    fn note(&mut self, way: &Self) {
        self.error |= way.error;
        self.withheld |= way.withheld;
        self.messages.extend(&way.messages.texts);
    }
}

/// What is known of a file that an object names, if it is there and of the kind that the object names.
fn metadata(files: &dyn Files, found: &Found, by_path: bool, findings: &mut Findings) -> Option<Metadata> {
    let path = found.full_path();
    let Some(filename) = &found.filename else {
        findings.take(&path, files.directory(&path))?;
        return findings.take(&path, files.metadata(&path));
    };
    if let Some(folder) = &found.folder {
        return findings.take(&path, files.entry(folder, filename));
    }
    let metadata = findings.take(&path, files.metadata(&path))?;
    match metadata.file_type {
        FileType::Directory => None,
        // What a filepath leads to counts; a filename names the link.
        FileType::Link if by_path => match files.directory(&path) {
            Lookup::Missing { reason: None } => Some(metadata),
            directory => {
                findings.take(&path, directory);
                None
            }
        },
        _ => Some(metadata),
    }
}
