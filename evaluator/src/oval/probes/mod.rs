//! The probes: what an object's description finds.

mod dpkginfo;
mod environment;
mod file;
mod filehash;
mod fwupd;
mod host;
mod partition;
mod process;
mod rpm;
mod runlevel;
mod selinux;
mod sockets;
mod sql;
mod symlink;
mod sysctl;
mod systemd;
mod text;
mod users;
mod xml;
mod yaml;

pub(super) use dpkginfo::Installed;
pub(super) use file::Walked;
pub(super) use fwupd::SecurityAttributes;
pub(super) use partition::unescaped;
pub(super) use yaml::Selected;

use std::collections::HashSet;
use std::rc::Rc;

use virtscap_scap::id::VariableId;
use virtscap_scap::oval::results::{CollectedObject, Flag};
use virtscap_scap::oval::{
    Entity, EntityValue, ItemContent, ItemEntity, Object, ObjectContent, ObjectKind, Status, TestType,
    split_path,
};

use super::matcher::Matcher;
use super::set::Filters;
use super::variables::NoValues;
use super::{Distinct, Session};
use crate::bus::{Bus, Connected};
use crate::files::Lookup;

/// A collection that went wrong.
pub(super) fn failed(message: String) -> CollectedObject {
    CollectedObject { flag: Flag::Error, messages: vec![message], items: Vec::new() }
}

/// A collection that nobody can do.
fn not_collected(message: String) -> CollectedObject {
    CollectedObject { flag: Flag::NotCollected, messages: vec![message], items: Vec::new() }
}

/// What a probe found so far.
#[derive(Default)]
pub(super) struct Findings {
    items: Vec<ItemContent>,
    messages: Distinct,
    error: bool,
    /// Whether a file is missing because its data could not be had.
    withheld: bool,
    /// Whether the object has no meaning here.
    not_applicable: bool,
    filters: Filters,
}

impl Findings {
    /// Keeps an item, if it counts.
    pub(super) fn push(&mut self, item: ItemContent) {
        if self.filters.admit(&item) {
            if let Some(reason) = self.filters.undecided(&item) {
                self.error(reason);
            }
            self.items.push(item);
        }
    }

    /// Keeps an item of entities, if it counts.
    pub(super) fn item(&mut self, test_type: TestType, entities: Vec<ItemEntity>) {
        self.push(ItemContent::of(test_type, entities));
    }

    /// Keeps an item that is there and could not be collected, if it counts.
    pub(super) fn failed_item(&mut self, test_type: TestType, entities: Vec<ItemEntity>) {
        self.push(ItemContent::Entities { test_type, status: Status::Error, entities });
    }

    pub(super) fn error(&mut self, message: String) {
        self.error = true;
        self.messages.push(message);
    }

    /// Notes why something is missing, where that is known: its data could not be had, which is not the same as that
    /// there is none. A test that is content with nothing must not be true of that.
    pub(super) fn withhold(&mut self, reason: Option<String>) {
        if let Some(reason) = reason {
            self.withheld = true;
            self.messages.push(reason);
        }
    }

    /// The object has no meaning on this system or source, for this reason.
    pub(super) fn not_applicable(&mut self, reason: impl Into<String>) {
        self.not_applicable = true;
        self.messages.push(reason.into());
    }

    /// What was found; what went wrong is noted. A file that is missing is no error.
    pub(super) fn take<T>(&mut self, path: &str, lookup: Lookup<T>) -> Option<T> {
        match lookup {
            Lookup::Found(found) => return Some(found),
            Lookup::Missing { reason } => self.withhold(reason),
            Lookup::Unreadable { reason } => self.error(format!("{path}: {reason}")),
        }
        None
    }

    /// As [`Findings::take`], of what has to be there.
    pub(super) fn need<T>(&mut self, path: &str, lookup: Lookup<T>) -> Option<T> {
        if matches!(lookup, Lookup::Missing { reason: None }) {
            self.error(format!("{path}: is not there"));
        }
        self.take(path, lookup)
    }

    fn flag(&self) -> Flag {
        match (self.error, self.withheld, self.items.is_empty()) {
            (true, _, _) => Flag::Error,
            _ if self.not_applicable => Flag::NotApplicable,
            (false, true, true) => Flag::NotCollected,
            (false, true, false) => Flag::Incomplete,
            (false, false, true) => Flag::DoesNotExist,
            (false, false, false) => Flag::Complete,
        }
    }
}

impl<'a> Session<'a> {
    pub(super) fn collect(&mut self, object: &'a Object) -> CollectedObject {
        match &object.kind {
            ObjectKind::Content(content) => self.collect_content(object, content),
            ObjectKind::Set { test_type, set } => self.set(*test_type, set),
            ObjectKind::Unsupported { name } => {
                self.note_unsupported(name);
                not_collected(format!("{}: objects of this form ({name}) are not supported", object.id))
            }
        }
    }

    fn collect_content(&mut self, object: &Object, content: &'a ObjectContent) -> CollectedObject {
        let mut findings = match self.filters(&content.filters, content.test_type) {
            Ok(filters) => Findings { filters, ..Findings::default() },
            Err(problem) => return failed(problem),
        };
        // Results name the values of all variables of the object, also where one decides that there is nothing to look for.
        for (_, entity) in &content.entities {
            if let Some(Entity { value: value @ EntityValue::Variable { .. }, .. }) = entity {
                let _ = self.entity_values(value);
            }
        }
        if let Err(none) = self.probe(object, content, &mut findings) {
            return CollectedObject { flag: none.flag, messages: vec![none.reason], items: Vec::new() };
        }
        let flag = findings.flag();
        let mut items: Vec<_> = findings.items.into_iter().map(|item| self.add_item(item)).collect();
        // What was found by two ways is one item.
        let mut known = HashSet::with_capacity(items.len());
        items.retain(|id| known.insert(*id));
        CollectedObject { flag, messages: findings.messages.texts, items }
    }

    /// Looks for what an object describes.
    fn probe(
        &mut self,
        object: &Object,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        match content.test_type {
            TestType::YamlFileContent => self.yaml_file_content(content, findings),
            TestType::TextFileContent54 => self.text_file_content_54(content, findings),
            TestType::TextFileContent => self.text_file_content(content, findings),
            TestType::File => self.file(object, content, findings),
            TestType::Variable => self.variable_items(content, findings),
            TestType::EnvironmentVariable => self.environment_variable(content, findings),
            TestType::EnvironmentVariable58 => self.environment_variable_58(content, findings),
            TestType::FileHash58 => self.file_hash_58(content, findings),
            TestType::Sql57 => self.sql_57(content, findings),
            TestType::XmlFileContent => self.xml_file_content(content, findings),
            TestType::Interface => self.interface(content, findings),
            TestType::Password => self.password(content, findings),
            TestType::Process58 => self.process_58(content, findings),
            TestType::RunLevel => self.run_level(content, findings),
            TestType::Shadow => self.shadow(content, findings),
            TestType::Symlink => self.symlink(content, findings),
            TestType::Sysctl => self.sysctl(content, findings),
            TestType::Uname => self.uname(content, findings),
            TestType::DpkgInfo => self.dpkg_info(content, findings),
            TestType::FwupdSecAttr => self.fwupd_security_attribute(content, findings),
            TestType::IfListeners => self.if_listeners(content, findings),
            TestType::InetListeningServers => self.inet_listening_servers(content, findings),
            TestType::Partition => self.partition(content, findings),
            TestType::RpmInfo => self.rpm_info(content, findings),
            TestType::RpmVerifyFile => self.rpm_verify_file(content, findings),
            TestType::RpmVerifyPackage => self.rpm_verify_package(content, findings),
            TestType::SelinuxBoolean => self.selinux_boolean(content, findings),
            TestType::SelinuxSecurityContext => self.selinux_security_context(content, findings),
            TestType::Family => {
                // Nodes run Linux, and so do the scanners that read dumps.
                findings.item(TestType::Family, vec![ItemEntity::text("family", "unix")]);
                Ok(())
            }
            TestType::SystemdUnitDependency => self.systemd_unit_dependency(content, findings),
            TestType::SystemdUnitProperty => self.systemd_unit_property(content, findings),
            other => {
                self.note_unsupported(other.name());
                findings.withhold(Some(format!(
                    "{}: objects of this kind ({other}) are not supported",
                    object.id
                )));
                Ok(())
            }
        }
    }

    /// `ind:variable_object`: one item with the variable's values.
    fn variable_items(&mut self, content: &ObjectContent, findings: &mut Findings) -> Result<(), NoValues> {
        let Some(EntityValue::Literal(id)) = content.entity("var_ref").map(|entity| &entity.value) else {
            return Err("the object names no variable".to_owned().into());
        };
        let id = VariableId::new(id.trim());
        let known = self.variables.contains_key(&id);
        let values = match self.variable(&id) {
            // To oscap such a variable is there, without values. What compares with it is not decided; see `test`.
            Err(none) if none.flag == Flag::Error && known => {
                findings.messages.push(none.reason);
                findings.item(TestType::Variable, vec![ItemEntity::text("var_ref", id.as_str())]);
                return Ok(());
            }
            values => values?,
        };
        if !values.is_empty() {
            // As with oscap, of whatever type the variable is.
            let mut entities = vec![ItemEntity::text("var_ref", id.as_str())];
            entities.extend(values.into_iter().map(|value| ItemEntity::text("value", value)));
            findings.item(TestType::Variable, entities);
        }
        Ok(())
    }

    /// What an entity wants that an object has to have.
    fn wanted(&mut self, content: &ObjectContent, name: &str) -> Result<Matcher, NoValues> {
        self.matcher(required(content, name)?)
    }

    /// The message bus. Also that there is none is found out once: one that hangs does so for long.
    fn message_bus(&mut self) -> Connected {
        self.bus.get_or_insert_with(|| Rc::new(Bus::connect())).clone()
    }

    /// The content of a file, read once for all objects that want it, as long as there is room to keep it.
    fn content(&mut self, filepath: &str, findings: &mut Findings) -> Option<Rc<[u8]>> {
        if let Some(known) = self.contents.get(filepath) {
            return Some(known.clone());
        }
        let content: Rc<[u8]> = findings.take(filepath, self.files.read(filepath))?.as_ref().into();
        self.contents.keep(filepath, &content);
        Some(content)
    }
}

/// The contents of files that were read, as long as there is room.
#[derive(Default)]
pub(super) struct Contents {
    kept: std::collections::HashMap<String, Rc<[u8]>>,
    size: usize,
}

/// How many bytes of files are kept.
const KEPT: usize = 8 << 20;

impl Contents {
    fn get(&self, filepath: &str) -> Option<&Rc<[u8]>> {
        self.kept.get(filepath)
    }

    fn keep(&mut self, filepath: &str, content: &Rc<[u8]>) {
        if content.len() > KEPT / 4 {
            return;
        }
        if self.size + content.len() > KEPT {
            self.kept.clear();
            self.size = 0;
        }
        self.size += content.len();
        self.kept.insert(filepath.to_owned(), content.clone());
    }
}

/// An entity that an object has to have.
fn required<'c>(content: &'c ObjectContent, name: &str) -> Result<&'c Entity, NoValues> {
    // As these are said: an engine, an interface, an XPath.
    let article = if name.starts_with(['e', 'i', 'x']) { "an" } else { "a" };
    content.entity(name).ok_or_else(|| format!("the object lacks {article} {name}").into())
}

/// The entities that name a file.
fn file_entities(filepath: &str) -> Vec<ItemEntity> {
    let (path, filename) = split_path(filepath);
    vec![
        ItemEntity::text("filepath", filepath),
        ItemEntity::text("path", path),
        ItemEntity::text("filename", filename),
    ]
}
