//! `unix:file`: what is known of files beside their content.

use virtscap_scap::oval::{FileItem, FileType, ItemContent, ObjectContent};

use super::Findings;
use crate::files::{Files, Lookup, Metadata};
use crate::oval::Session;
use crate::oval::variables::NoValues;
use crate::oval::walk::Found;

impl<'a> Session<'a> {
    /// `unix:file_object`: one item per file.
    pub(super) fn file(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let query = self.file_query(content)?;
        let files = self.files;
        let by_path = content.entity("filepath").is_some();
        // To ask for lists costs more than all else, and most files do not pass the filters.
        let lists_matter = findings.filters.mention("has_extended_acl");
        self.for_each_file(&query, findings, &mut |found, findings| {
            let Some(metadata) = metadata(files, &found, by_path, findings) else { return Ok(()) };
            let path = found.full_path();
            let mut item = FileItem {
                path: found.path,
                filename: found.filename.map(String::into_boxed_str),
                file_type: metadata.file_type,
                group_id: metadata.gid,
                user_id: metadata.uid,
                times: metadata.times,
                size: metadata.size,
                mode: metadata.mode,
                has_extended_acl: if lists_matter { files.extended_acl(&path) } else { None },
            };
            if !lists_matter {
                let content = ItemContent::File(item.clone());
                if !findings.filters.is_empty() && !findings.filters.admit(&content) {
                    return Ok(());
                }
                item.has_extended_acl = files.extended_acl(&path);
            }
            findings.push(ItemContent::File(item));
            Ok(())
        })?;
        Ok(())
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
