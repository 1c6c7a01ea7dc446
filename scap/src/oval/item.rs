//! Items: what was collected (OVAL 5.11 system characteristics, `ItemType`).

use std::borrow::Cow;
use std::sync::Arc;

use super::{Datatype, FileType, TestType};
use crate::enumeration::enumeration;

enumeration! {
    /// `StatusEnumeration`: whether an item or an entity could be had.
    Status, "OVAL status" {
        /// It is there, but could not be collected.
        Error => "error",
        /// It is there.
        Exists => "exists",
        /// It is not there.
        DoesNotExist => "does not exist",
        /// Nobody looked.
        NotCollected => "not collected",
    }
}

/// An item that was collected.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Its number within the results.
    pub id: u64,
    /// What it is.
    pub content: ItemContent,
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ItemContent {
    /// `unix-sys:file_item`. Of these there may be very many, so they have a form of their own.
    File(FileItem),
    /// Any other.
    Entities {
        /// Its kind.
        test_type: TestType,
        /// Whether it could be had.
        status: Status,
        /// Its entities, in the order of the schema.
        entities: Vec<ItemEntity>,
    },
}

/// An entity of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemEntity {
    /// Its name, one of [`TestType::entities`].
    pub name: &'static str,
    /// Its type.
    pub datatype: Datatype,
    /// Whether it could be had.
    pub status: Status,
    /// Its value.
    pub value: ItemValue,
}

/// The value of an entity of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ItemValue {
    /// A text, of whatever type.
    Text(String),
    /// The fields of a record.
    Record(Vec<ItemField>),
    /// None (`xsi:nil`).
    Nil,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemField {
    /// Its name, in OVAL's encoding.
    pub name: String,
    /// Its type.
    pub datatype: Datatype,
    /// Its value.
    pub value: String,
}

/// The entities of one name.
pub type Values<'a> = Cow<'a, [ItemEntity]>;

impl ItemEntity {
    /// A text.
    pub fn text(name: &'static str, value: impl Into<String>) -> Self {
        let value = ItemValue::Text(value.into());
        Self { name, datatype: Datatype::String, status: Status::Exists, value }
    }

    /// A whole number.
    pub fn int(name: &'static str, value: impl Into<i128>) -> Self {
        let number: i128 = value.into();
        Self { datatype: Datatype::Int, ..Self::text(name, number.to_string()) }
    }

    /// True or false.
    pub fn boolean(name: &'static str, value: bool) -> Self {
        Self { datatype: Datatype::Boolean, ..Self::text(name, value.to_string()) }
    }

    /// A text that is to be read as another type.
    pub fn typed(name: &'static str, datatype: Datatype, value: impl Into<String>) -> Self {
        Self { datatype, ..Self::text(name, value) }
    }

    /// A record.
    pub fn record(name: &'static str, fields: Vec<ItemField>) -> Self {
        Self { name, datatype: Datatype::Record, status: Status::Exists, value: ItemValue::Record(fields) }
    }

    /// An entity that has no value (`xsi:nil`).
    pub fn nil(name: &'static str) -> Self {
        Self { name, datatype: Datatype::String, status: Status::Exists, value: ItemValue::Nil }
    }

    /// An entity that is not there, or could not be had.
    pub fn without_value(name: &'static str, datatype: Datatype, status: Status) -> Self {
        Self { name, datatype, status, value: ItemValue::Text(String::new()) }
    }
}

impl ItemContent {
    /// An item that is there.
    pub fn of(test_type: TestType, entities: Vec<ItemEntity>) -> Self {
        Self::Entities { test_type, status: Status::Exists, entities }
    }

    /// Its kind.
    pub fn test_type(&self) -> TestType {
        match self {
            Self::File(_) => TestType::File,
            Self::Entities { test_type, .. } => *test_type,
        }
    }

    /// Whether it could be had.
    pub fn status(&self) -> Status {
        match self {
            Self::File(_) => Status::Exists,
            Self::Entities { status, .. } => *status,
        }
    }

    /// All entities.
    pub fn entities(&self) -> Values<'_> {
        match self {
            Self::File(file) => file.entities().collect(),
            Self::Entities { entities, .. } => Cow::Borrowed(entities),
        }
    }

    /// The entities of one name, in order.
    pub fn named(&self, name: &str) -> Values<'_> {
        match self {
            Self::File(file) => file.entity(name).into_iter().collect(),
            Self::Entities { entities, .. } => {
                // Those of one name stand together.
                let first = entities.iter().position(|entity| entity.name == name).unwrap_or(entities.len());
                let rest = entities.get(first..).unwrap_or_default();
                let count = rest.iter().take_while(|entity| entity.name == name).count();
                Cow::Borrowed(rest.get(..count).unwrap_or_default())
            }
        }
    }

    /// The first value of a name, where it is a text.
    pub fn first_text(&self, name: &str) -> Option<String> {
        match self.named(name).first() {
            Some(ItemEntity { value: ItemValue::Text(text), .. }) => Some(text.clone()),
            _ => None,
        }
    }
}

/// A `unix-sys:file_item`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileItem {
    /// The directory that holds it, or the directory that it is.
    pub path: Arc<str>,
    /// Its name; none: the item is the directory itself.
    pub filename: Option<Box<str>>,
    /// What kind of file it is; a symbolic link is not followed.
    pub file_type: FileType,
    /// The owning group's number.
    pub group_id: u32,
    /// The owner's number.
    pub user_id: u32,
    /// When it was last read, changed in its metadata and changed in its content, in seconds since 1970; none where the
    /// source does not tell.
    pub times: Option<[i64; 3]>,
    /// Its size in bytes.
    pub size: u64,
    /// Its mode: permissions, set-id bits and the sticky bit.
    pub mode: u32,
    /// Whether an access control list says more than the mode; none where the source does not tell.
    pub has_extended_acl: Option<bool>,
}

/// The bits of a mode with the entities that tell of them, in the order of the schema.
pub const MODE_BITS: [(&str, u32); 12] = [
    ("suid", 0o4000),
    ("sgid", 0o2000),
    ("sticky", 0o1000),
    ("uread", 0o400),
    ("uwrite", 0o200),
    ("uexec", 0o100),
    ("gread", 0o040),
    ("gwrite", 0o020),
    ("gexec", 0o010),
    ("oread", 0o004),
    ("owrite", 0o002),
    ("oexec", 0o001),
];

impl FileItem {
    /// The whole path of the file, or of the directory.
    pub fn full_path(&self) -> String {
        match &self.filename {
            Some(filename) => format!("{}/{filename}", self.path.trim_end_matches('/')),
            None => self.path.to_string(),
        }
    }

    /// An entity; a directory has no `filepath`, and its `filename` is nil.
    pub fn entity(&self, name: &str) -> Option<ItemEntity> {
        let name = TestType::File.entity(name)?;
        let bit = MODE_BITS.iter().find(|(bit, _)| *bit == name);
        let time = |index: usize| self.times.map(|times| ItemEntity::int(name, times[index]));
        Some(match name {
            "filepath" => ItemEntity::text(name, self.filename.as_ref().map(|_| self.full_path())?),
            "path" => ItemEntity::text(name, &*self.path),
            "filename" => match &self.filename {
                Some(filename) => ItemEntity::text(name, &**filename),
                None => ItemEntity::nil(name),
            },
            "type" => ItemEntity::text(name, self.file_type.as_str()),
            "group_id" => ItemEntity::int(name, self.group_id),
            "user_id" => ItemEntity::int(name, self.user_id),
            "a_time" => time(0)?,
            "c_time" => time(1)?,
            "m_time" => time(2)?,
            "size" => ItemEntity::int(name, self.size),
            "has_extended_acl" => match self.has_extended_acl {
                Some(has) => ItemEntity::boolean(name, has),
                // A live file system that knows no lists.
                None if self.times.is_some() => {
                    ItemEntity::without_value(name, Datatype::Boolean, Status::DoesNotExist)
                }
                None => return None,
            },
            _ => ItemEntity::boolean(name, self.mode & bit?.1 != 0),
        })
    }

    fn entities(&self) -> impl Iterator<Item = ItemEntity> + '_ {
        TestType::File.entities().iter().filter_map(|name| self.entity(name))
    }

    /// From entities, as a document has them; none where one is missing.
    pub fn from_texts(text: &dyn Fn(&str) -> Option<String>) -> Option<Self> {
        let number = |name: &str| text(name)?.trim().parse::<i64>().ok();
        let is_set = |name: &str| text(name).is_some_and(|text| matches!(text.trim(), "true" | "1"));
        let filename = text("filename").filter(|name| !name.is_empty());
        let times = (number("a_time"), number("c_time"), number("m_time"));
        Some(Self {
            path: text("path")?.into(),
            filename: filename.map(String::into_boxed_str),
            file_type: FileType::from_text(text("type")?.trim())?,
            group_id: number("group_id")?.try_into().ok()?,
            user_id: number("user_id")?.try_into().ok()?,
            times: match times {
                (Some(a), Some(c), Some(m)) => Some([a, c, m]),
                _ => None,
            },
            size: number("size")?.try_into().ok()?,
            mode: MODE_BITS.iter().filter(|(name, _)| is_set(name)).fold(0, |mode, (_, bit)| mode | bit),
            has_extended_acl: text("has_extended_acl").map(|_| is_set("has_extended_acl")),
        })
    }
}

/// Directory and name of a path.
pub fn split_path(filepath: &str) -> (&str, &str) {
    let (path, filename) = filepath.rsplit_once('/').unwrap_or(("", filepath));
    (if path.is_empty() { "/" } else { path }, filename)
}
