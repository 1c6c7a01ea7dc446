//! Values of variables (OVAL 5.11, 5.2.3.2 and 5.3.4).

use virtscap_scap::id::{ObjectId, VariableId};
use virtscap_scap::oval::results::Flag;
use virtscap_scap::oval::{Component, Datatype, Entity, EntityValue, ItemValue, VariableKind};

use super::Session;

/// How many values a variable may have: `concat` multiplies them.
pub(super) const MAX_VALUES: usize = 1_000_000;

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

    /// As what the values of an entity are compared. As oscap has it, a value is of its variable's type, whatever the
    /// entity says.
    pub(super) fn datatype(&self, entity: &Entity) -> Datatype {
        match &entity.value {
            EntityValue::Literal(_) => entity.datatype,
            EntityValue::Variable { var_ref, .. } => {
                self.variables.get(var_ref).map_or(entity.datatype, |variable| variable.datatype)
            }
        }
    }

    pub(super) fn component(&mut self, component: &'a Component) -> Result<Vec<String>, NoValues> {
        match component {
            Component::Literal { value, .. } => Ok(vec![value.clone()]),
            Component::Variable(id) => self.variable(id),
            Component::Object { object_ref, item_field, record_field } => {
                self.object_component(object_ref, item_field, record_field.as_deref())
            }
            function => {
                self.nested += 1;
                let values = self.function(function);
                self.nested -= 1;
                values
            }
        }
    }

    /// The values of several components. Of what is missing, an error counts for most: another component may hold one.
    pub(super) fn components(&mut self, parts: &'a [Component]) -> Result<Vec<Vec<String>>, NoValues> {
        let mut values = Vec::with_capacity(parts.len());
        let mut missing: Option<NoValues> = None;
        for part in parts {
            match self.component(part) {
                Ok(of_part) => values.push(of_part),
                Err(none) if none.flag == Flag::Error => return Err(none),
                Err(none) => {
                    // What was not collected may be there.
                    let replaces = missing.as_ref().is_none_or(|m| m.flag == Flag::DoesNotExist);
                    if replaces {
                        missing = Some(none);
                    }
                }
            }
        }
        missing.map_or(Ok(values), Err)
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
            let Some(item) = self.item(*id) else { continue };
            let entities = item.named(item_field);
            if entities.is_empty() {
                return Err(format!("an item of the object {object} has no field '{item_field}'").into());
            }
            for entity in entities.iter() {
                let expected =
                    |what| format!("the field '{item_field}' of the object {object} is {what}").into();
                match (&entity.value, record_field) {
                    (ItemValue::Record(fields), Some(name)) => {
                        let before = values.len();
                        let named = fields.iter().filter(|field| field.name == name);
                        values.extend(named.map(|field| field.value.clone()));
                        if values.len() == before {
                            return Err(expected("a record without the field that is asked for"));
                        }
                    }
                    (ItemValue::Record(_), None) => {
                        return Err(expected("a record, and no field of it is named"));
                    }
                    (ItemValue::Text(_) | ItemValue::Nil, Some(_)) => return Err(expected("no record")),
                    (ItemValue::Text(text), None) => values.push(text.clone()),
                    (ItemValue::Nil, None) => values.push(String::new()),
                }
            }
        }
        Ok(values)
    }
}

fn with_messages(text: String, messages: &[String]) -> String {
    if messages.is_empty() { text } else { format!("{text}: {}", messages.join("; ")) }
}
