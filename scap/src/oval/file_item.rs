//! `unix-sys:file_item`: what is known of a file beside its content.

use super::{FileEntity, FileType};
use crate::xml::XmlWriter;

/// A `unix-sys:file_item`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileItem {
    /// The directory that holds it, or the directory that it is.
    pub path: String,
    /// Its name; none: the item is the directory itself.
    pub filename: Option<String>,
    /// What kind of file it is; a symbolic link is not followed.
    pub file_type: FileType,
    /// The owning group's number.
    pub group_id: u32,
    /// The owner's number.
    pub user_id: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Its mode: permissions, set-id bits and the sticky bit.
    pub mode: u32,
}

impl FileItem {
    /// The whole path of the file, or of the directory.
    pub fn full_path(&self) -> String {
        match &self.filename {
            Some(filename) => format!("{}/{filename}", self.path.trim_end_matches('/')),
            None => self.path.clone(),
        }
    }

    /// The value of an entity, as text; a directory has no `filepath` and no `filename`.
    pub fn value(&self, entity: FileEntity) -> Option<String> {
        let bit = |mask: u32| Some((self.mode & mask != 0).to_string());
        match entity {
            FileEntity::FilePath => self.filename.as_ref().map(|_| self.full_path()),
            FileEntity::Path => Some(self.path.clone()),
            FileEntity::FileName => self.filename.clone(),
            FileEntity::Type => Some(self.file_type.to_string()),
            FileEntity::GroupId => Some(self.group_id.to_string()),
            FileEntity::UserId => Some(self.user_id.to_string()),
            FileEntity::Size => Some(self.size.to_string()),
            FileEntity::Suid => bit(0o4000),
            FileEntity::Sgid => bit(0o2000),
            FileEntity::Sticky => bit(0o1000),
            FileEntity::UserRead => bit(0o400),
            FileEntity::UserWrite => bit(0o200),
            FileEntity::UserExecute => bit(0o100),
            FileEntity::GroupRead => bit(0o040),
            FileEntity::GroupWrite => bit(0o020),
            FileEntity::GroupExecute => bit(0o010),
            FileEntity::OtherRead => bit(0o004),
            FileEntity::OtherWrite => bit(0o002),
            FileEntity::OtherExecute => bit(0o001),
        }
    }

    /// Writes the entities, which the enumeration has in the order of the schema.
    ///
    /// OVAL's schematron wants the numbers of owners above zero, so it objects to root's files, of oscap's results too.
    pub(super) fn write(&self, w: &mut XmlWriter) {
        for entity in FileEntity::ALL {
            let element = format!("unix-sys:{entity}");
            match (self.value(*entity), entity) {
                (Some(value), _) => w.text_element(&element, datatype(*entity), &value),
                (None, FileEntity::FileName) => w.empty(&element, &[("xsi:nil", "true")]),
                (None, _) => {}
            }
        }
    }
}

fn datatype(entity: FileEntity) -> &'static [(&'static str, &'static str)] {
    use FileEntity::{FileName, FilePath, GroupId, Path, Size, Type, UserId};
    match entity {
        FilePath | Path | FileName | Type => &[],
        GroupId | UserId | Size => &[("datatype", "int")],
        _ => &[("datatype", "boolean")],
    }
}

/// Directory and name of a path.
pub fn split_path(filepath: &str) -> (&str, &str) {
    let (path, filename) = filepath.rsplit_once('/').unwrap_or(("", filepath));
    (if path.is_empty() { "/" } else { path }, filename)
}
