//! Values of variables (OVAL 5.11, 5.2.3.2 and 5.3.4).

use virtscap_scap::id::{ObjectId, VariableId};
use virtscap_scap::oval::results::{Flag, ItemKind};
use virtscap_scap::oval::{Component, EntityValue, FileEntity, VariableKind, split_path};

use super::Session;

/// How many values a variable may have: `concat` multiplies them.
const MAX_VALUES: usize = 1_000_000;

/// Why a variable has no values.
#[derive(Debug, Clone)]
pub(super) struct NoValues {
    pub(super) reason: String,
    /// What becomes of an object that is made of the variable: it does not exist, or was not collected, where that is
    /// so of what the values come from. To compare with such a variable is an error all the same.
    pub(super) flag: Flag,
}

impl From<String> for NoValues {
    fn from(reason: String) -> Self {
        Self { reason, flag: Flag::Error }
    }
}

impl<'a> Session<'a> {
    /// The values of a variable, in order.
    pub(super) fn variable(&mut self, id: &VariableId) -> Result<Vec<String>, NoValues> {
        let Some((id, variable)) = self.variables.get_key_value(id).map(|(id, v)| (*id, *v)) else {
            return Err(format!("the variable {id} is not in the document").into());
        };
        if let Some(values) = self.values.get(id) {
            return values.clone();
        }
        if let Some(problem) = self.open(id.as_str()) {
            return Err(format!("the variable {id} {problem}").into());
        }
        let values = match &variable.kind {
            VariableKind::External => match self.external.get(id) {
                Some(values) => Ok(values.clone()),
                None => Err(format!("the variable {id} was given no value").into()),
            },
            VariableKind::Constant(values) => Ok(values.clone()),
            VariableKind::Local(component) => self.component(component),
        };
        self.open.remove(id.as_str());
        self.values.insert(id, values.clone());
        values
    }

    /// The values of an entity: what it says itself, or those of the variable that it refers to.
    pub(super) fn entity_values(&mut self, value: &EntityValue) -> Result<Vec<String>, NoValues> {
        match value {
            EntityValue::Literal(text) => Ok(vec![text.clone()]),
            EntityValue::Variable { var_ref, .. } => self.variable(var_ref),
        }
    }

    fn component(&mut self, component: &'a Component) -> Result<Vec<String>, NoValues> {
        match component {
            Component::Literal(text) => Ok(vec![text.clone()]),
            Component::Variable(id) => self.variable(id),
            Component::Object { object_ref, item_field, record_field } => {
                self.object_component(object_ref, item_field, record_field.as_deref())
            }
            Component::Concat(parts) => {
                let mut values = vec![String::new()];
                let mut missing = None;
                for part in parts {
                    let more = match self.component(part) {
                        // Another part may hold an error, which counts for more.
                        Err(none) if none.flag == Flag::DoesNotExist => {
                            missing = missing.or(Some(none));
                            continue;
                        }
                        more => more?,
                    };
                    if values.len().saturating_mul(more.len()) > MAX_VALUES {
                        return Err(format!("concat gives more than {MAX_VALUES} values").into());
                    }
                    values =
                        values.iter().flat_map(|v| more.iter().map(move |m| format!("{v}{m}"))).collect();
                }
                missing.map_or(Ok(values), Err)
            }
            Component::EscapeRegex(inner) => {
                Ok(self.component(inner)?.iter().map(|value| escape_regex(value)).collect())
            }
            Component::Unsupported { name } => Err(format!("the function <{name}> is not supported").into()),
        }
    }

    fn object_component(
        &mut self,
        object: &ObjectId,
        item_field: &str,
        record_field: Option<&str>,
    ) -> Result<Vec<String>, NoValues> {
        let collected = self.object(object);
        match collected.flag {
            Flag::Complete => {}
            flag => {
                let reason = with_messages(format!("the object {object} is '{flag}'"), &collected.messages);
                let flag = match flag {
                    Flag::DoesNotExist => flag,
                    // An object that is made of some of the values would look as if it were all of it.
                    Flag::NotCollected | Flag::Incomplete => Flag::NotCollected,
                    _ => Flag::Error,
                };
                return Err(NoValues { reason, flag });
            }
        }
        let mut values = Vec::new();
        for id in &collected.items {
            let found = self.item(*id).and_then(|item| item_values(item, item_field, record_field));
            let Some(found) = found else {
                return Err(format!("the object {object} has no field '{item_field}'").into());
            };
            values.extend(found);
        }
        if values.is_empty() {
            // oscap takes a variable without values for one that exists; a test of mere existence would pass.
            let field = record_field.unwrap_or(item_field);
            return Err(format!("no item of the object {object} has a field '{field}'").into());
        }
        Ok(values)
    }
}

/// The values of an item's entity, as texts; none where items of this kind have no such entity.
fn item_values(item: &ItemKind, field: &str, record_field: Option<&str>) -> Option<Vec<String>> {
    let of_path = |filepath: &String| match field {
        "filepath" => Some(vec![filepath.clone()]),
        "path" => Some(vec![split_path(filepath).0.to_owned()]),
        "filename" => Some(vec![split_path(filepath).1.to_owned()]),
        _ => None,
    };
    match (item, field) {
        (ItemKind::YamlFileContent { records, .. }, "value") => {
            let fields = records.iter().flatten();
            let fields = fields.filter(|field| record_field.is_none_or(|name| field.name == name));
            Some(fields.map(|field| field.value.clone()).collect())
        }
        (ItemKind::YamlFileContent { yamlpath, .. }, "yamlpath") => Some(vec![yamlpath.clone()]),
        (ItemKind::YamlFileContent { filepath, .. }, _) => of_path(filepath),
        (ItemKind::TextFileContent { pattern, .. }, "pattern") => Some(vec![pattern.clone()]),
        (ItemKind::TextFileContent { instance, .. }, "instance") => Some(vec![instance.to_string()]),
        (ItemKind::TextFileContent { text, .. }, "text") => Some(vec![text.clone()]),
        (ItemKind::TextFileContent { subexpressions, .. }, "subexpression") => Some(subexpressions.clone()),
        (ItemKind::TextFileContent { filepath, .. }, _) => of_path(filepath),
        (ItemKind::Variable { values, .. }, "value") => Some(values.clone()),
        (ItemKind::File(file), _) => {
            FileEntity::from_text(field).map(|entity| file.value(entity).into_iter().collect())
        }
        (ItemKind::Family { family }, "family") => Some(vec![family.clone()]),
        (ItemKind::Variable { .. } | ItemKind::Family { .. }, _) => None,
    }
}

fn with_messages(text: String, messages: &[String]) -> String {
    if messages.is_empty() { text } else { format!("{text}: {}", messages.join("; ")) }
}

/// Escapes what is special in a regular expression (OVAL 5.11, `EscapeRegexFunctionType`).
fn escape_regex(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if r"^$\.[](){}*+?|".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
