//! What items are called where they make a test false.

use virtscap_scap::oval::{FileItem, FileType, ItemContent, ItemEntity, ItemValue, TestType};

/// A line of a file: `PATH: LINE`.
fn line(filepath: &str, text: &str) -> String {
    format!("{filepath}: {text}")
}

/// A file with what its state may be about: `PATH: mode 0777, owner 0:0`. What a file is, is told where that is a
/// surprise.
fn file(file: &FileItem) -> String {
    let FileItem { file_type, mode, user_id, group_id, .. } = file;
    let path = file.full_path();
    match file_type {
        FileType::Regular | FileType::Directory => {
            format!("{path}: mode {mode:04o}, owner {user_id}:{group_id}")
        }
        _ => format!("{path}: {file_type}, mode {mode:04o}, owner {user_id}:{group_id}"),
    }
}

/// The entities that say which thing an item is about, not what about it.
const IDENTITY: [&str; 12] = [
    "filepath",
    "name",
    "username",
    "unit",
    "property",
    "mount_point",
    "stream_id",
    "service_name",
    "interface_name",
    "local_full_address",
    "command_line",
    "pid",
];

/// An item in few words: what it is, or what it is about.
pub(super) fn item(item: &ItemContent) -> String {
    if let ItemContent::File(file) = item {
        return file.full_path();
    }
    let named: Vec<_> = IDENTITY.iter().filter_map(|name| item.first_text(name)).collect();
    if named.is_empty() { format!("the {} item", item.test_type()) } else { named.join(" ") }
}

/// What decided about an item: the texts that were compared, where they are objects in their own right, else the item.
pub(super) fn offenders(content: &ItemContent, texts: Vec<String>) -> Vec<String> {
    match content.test_type() {
        // The filters of the content wrote these texts as names of objects.
        TestType::YamlFileContent | TestType::Variable | TestType::Family => texts,
        _ => vec![described(content)],
    }
}

/// An item with its values.
fn described(content: &ItemContent) -> String {
    if let ItemContent::File(it) = content {
        return file(it);
    }
    if let (Some(filepath), Some(text)) = (content.first_text("filepath"), content.first_text("text")) {
        return line(&filepath, &text);
    }
    let hidden = |entity: &&ItemEntity| {
        // A password's hash is nobody's business.
        IDENTITY.contains(&entity.name) || matches!(entity.name, "path" | "filename" | "password")
    };
    let entities = content.entities();
    let values = entities.iter().filter(|entity| !hidden(entity)).filter_map(|entity| match &entity.value {
        ItemValue::Text(text) if !text.is_empty() => Some(format!("{} {text}", entity.name)),
        _ => None,
    });
    let values: Vec<_> = values.collect();
    let name = item(content);
    if values.is_empty() { name } else { format!("{name}: {}", values.join(", ")) }
}

/// An item that should not be there.
pub(super) fn presence(content: &ItemContent) -> Option<String> {
    match content.test_type() {
        TestType::File => Some(format!("{}: is there", item(content))),
        // Of these an item is no object of the cluster, but all that a filter left.
        TestType::YamlFileContent | TestType::Variable | TestType::Family => None,
        _ => Some(described(content)),
    }
}
