//! States, prepared to be compared with many items (OVAL 5.11, 5.3.6), as OpenSCAP's `eval_item` does it.

use std::rc::Rc;

use virtscap_scap::id::{StateId, VariableId};
use virtscap_scap::oval::results::Flag;
use virtscap_scap::oval::{
    Check, Entity, EntityValue, ItemContent, ItemEntity, ItemField, ItemValue, Operator, OvalResult,
    StateEntity, StateKind, Status, TestType,
};

use super::compare::Comparator;
use super::{Session, names};

/// A state whose variables have values and whose expressions are compiled.
pub(super) struct Prepared {
    /// The kind of its items; none: no item can be compared with it.
    pub(super) test_type: Option<TestType>,
    /// The entities whose values are kept out of the results.
    pub(super) masks: Vec<&'static str>,
    /// The variables that it uses.
    pub(super) variables: Vec<VariableId>,
    operator: Operator,
    entities: Vec<(&'static str, PreparedEntity)>,
    /// What is not known, where the state is not.
    unsupported: Option<String>,
    /// Why a variable that it uses has no values, where that is an error: no item can be told from another by it.
    pub(super) broken: Option<String>,
}

enum PreparedEntity {
    Value(Values),
    Record { entity_check: Check, fields: Vec<(String, Values)> },
}

/// What values are compared with.
struct Values {
    var_check: Check,
    entity_check: Check,
    /// What comes of each comparison, where there is nothing to compare with, and why.
    comparators: Result<Vec<Comparator>, (OvalResult, String)>,
}

/// What was noticed while an item was compared: which of its texts decided, and what went wrong.
#[derive(Default)]
pub(super) struct Notes {
    /// Texts that do not satisfy the state.
    pub(super) against: Vec<String>,
    /// Texts that do.
    pub(super) with: Vec<String>,
    pub(super) messages: Vec<String>,
}

impl<'a> Session<'a> {
    /// A state, ready to be compared with; prepared once.
    pub(super) fn prepared(&mut self, id: &StateId) -> Option<Rc<Prepared>> {
        if let Some(prepared) = self.prepared.get(id) {
            return Some(prepared.clone());
        }
        let state = self.states.get(id).copied()?;
        let mut prepared = Prepared {
            test_type: None,
            masks: Vec::new(),
            variables: Vec::new(),
            operator: state.operator,
            entities: Vec::new(),
            unsupported: None,
            broken: None,
        };
        match &state.kind {
            StateKind::Unsupported { name } => {
                let text = format!("{}: states of this form ({name}) are not supported", state.id);
                prepared.unsupported = Some(text);
                self.note_unsupported(name);
            }
            StateKind::Known { test_type, entities } => {
                prepared.test_type = Some(*test_type);
                for (name, entity) in entities {
                    // The lines of textfilecontent_state are the texts of the items (OVAL 5.4).
                    let name = match (test_type, *name) {
                        (TestType::TextFileContent, "line") => "text",
                        (_, name) => name,
                    };
                    let (mask, entity) = match entity {
                        StateEntity::Value(entity) => {
                            (entity.mask, PreparedEntity::Value(self.values_of(entity)))
                        }
                        StateEntity::Record { entity_check, fields, mask } => {
                            let fields =
                                fields.iter().map(|f| (f.name.clone(), self.values_of(&f.entity))).collect();
                            (*mask, PreparedEntity::Record { entity_check: *entity_check, fields })
                        }
                    };
                    if mask {
                        prepared.masks.push(name);
                    }
                    prepared.entities.push((name, entity));
                }
            }
        }
        for entity in state.kind.entities() {
            if let EntityValue::Variable { var_ref, .. } = &entity.value {
                prepared.variables.push(var_ref.clone());
                let broken = self.variable(var_ref).err().filter(|none| none.flag == Flag::Error);
                prepared.broken = prepared.broken.or(broken.map(|none| none.reason));
            }
        }
        let prepared = Rc::new(prepared);
        self.prepared.insert(id.clone(), prepared.clone());
        Some(prepared)
    }

    fn values_of(&mut self, entity: &'a Entity) -> Values {
        let var_check = match &entity.value {
            EntityValue::Literal(_) => Check::All,
            EntityValue::Variable { var_check, .. } => *var_check,
        };
        let datatype = self.datatype(entity);
        let comparators = match self.entity_values(&entity.value) {
            // What could not be had is no fault of the content.
            Err(none) if none.flag == Flag::NotCollected => Err((OvalResult::Unknown, none.reason)),
            Err(none) => Err((OvalResult::Error, none.reason)),
            Ok(values) if values.is_empty() => {
                Err((OvalResult::Error, "the variable that the state refers to has no values".to_owned()))
            }
            Ok(values) => values
                .iter()
                .map(|with| Comparator::new(entity.operation, datatype, with))
                .collect::<Result<Vec<_>, _>>()
                .map_err(|reason| (OvalResult::Error, reason)),
        };
        Values { var_check, entity_check: entity.entity_check, comparators }
    }
}

impl Prepared {
    /// Whether it compares nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.entities.is_empty()
    }

    /// Whether it compares an entity.
    pub(super) fn compares(&self, entity: &str) -> bool {
        self.entities.iter().any(|(name, _)| *name == entity)
    }

    /// Compares an item, and notes what decided.
    pub(super) fn compare(&self, item: &ItemContent, notes: &mut Notes) -> OvalResult {
        self.compare_with(item, notes, OvalResult::Unknown)
    }

    /// Compares an item for a filter. As with oscap, what an item lacks does not satisfy.
    pub(super) fn filter(&self, item: &ItemContent) -> OvalResult {
        self.compare_with(item, &mut Notes::default(), OvalResult::False)
    }

    fn compare_with(&self, item: &ItemContent, notes: &mut Notes, missing: OvalResult) -> OvalResult {
        if let Some(text) = &self.unsupported {
            notes.messages.push(text.clone());
            return OvalResult::NotEvaluated;
        }
        let mut results = Vec::with_capacity(self.entities.len());
        for (name, entity) in &self.entities {
            let found = item.named(name);
            if found.is_empty() {
                notes.messages.push(format!("{}: has no '{name}'", names::item(item)));
                results.push(missing);
                continue;
            }
            let mut of_entity = Notes::default();
            results.push(entity.compare(&found, &mut of_entity));
            notes.against.extend(of_entity.against);
            notes.with.extend(of_entity.with);
            notes.messages.extend(of_entity.messages);
        }
        // A state without entities is satisfied by every item.
        if results.is_empty() { OvalResult::True } else { self.operator.combine(results) }
    }
}

impl PreparedEntity {
    fn compare(&self, found: &[ItemEntity], notes: &mut Notes) -> OvalResult {
        match self {
            Self::Value(values) => {
                let all = found.iter().map(|entity| match (&entity.value, entity.status) {
                    (_, Status::DoesNotExist) => Err(OvalResult::False),
                    (_, Status::Error | Status::NotCollected) => Err(OvalResult::Error),
                    (ItemValue::Text(text), Status::Exists) => Ok(text.as_str()),
                    // A name that is nil is empty.
                    (ItemValue::Nil, Status::Exists) => Ok(""),
                    (ItemValue::Record(_), Status::Exists) => Err(OvalResult::Error),
                });
                values.compare(all, notes)
            }
            Self::Record { entity_check, fields } => {
                let results = found.iter().map(|entity| match &entity.value {
                    ItemValue::Record(record) => compare_record(record, fields, notes),
                    _ => {
                        notes.messages.push(format!("'{}' is no record", entity.name));
                        OvalResult::Error
                    }
                });
                entity_check.combine(results.collect::<Vec<_>>())
            }
        }
    }
}

/// All fields have to hold; a field that the record lacks is an error.
fn compare_record(record: &[ItemField], fields: &[(String, Values)], notes: &mut Notes) -> OvalResult {
    let mut results = Vec::with_capacity(fields.len());
    for (name, values) in fields {
        let mut found = record.iter().filter(|field| field.name == *name).peekable();
        results.push(if found.peek().is_none() {
            notes.messages.push(format!("the record has no field '{name}'"));
            OvalResult::Error
        } else {
            values.compare(found.map(|field| Ok(field.value.as_str())), notes)
        });
    }
    Operator::And.combine(results)
}

impl Values {
    /// Compares values: `var_check` over the variable's values, `entity_check` over the item's.
    fn compare<'v>(
        &self,
        found: impl Iterator<Item = Result<&'v str, OvalResult>>,
        notes: &mut Notes,
    ) -> OvalResult {
        let comparators = match &self.comparators {
            Ok(comparators) => comparators,
            Err((result, reason)) => {
                notes.messages.push(reason.clone());
                return *result;
            }
        };
        let (mut with, mut against) = (Vec::new(), Vec::new());
        let mut results = Vec::new();
        for value in found {
            let value = match value {
                Ok(value) => value,
                Err(result) => {
                    results.push(result);
                    continue;
                }
            };
            let mut compare = |comparator: &Comparator| {
                comparator.compare(value).unwrap_or_else(|message| {
                    notes.messages.push(message);
                    OvalResult::Error
                })
            };
            let result = match comparators.as_slice() {
                [only] => self.var_check.combine([compare(only)]),
                many => self.var_check.combine(many.iter().map(compare).collect::<Vec<_>>()),
            };
            match result {
                OvalResult::True => with.push(noted(value, comparators)),
                OvalResult::False => against.push(value.to_owned()),
                _ => {}
            }
            results.push(result);
        }
        if self.entity_check == Check::NoneSatisfy {
            std::mem::swap(&mut with, &mut against);
        }
        notes.with.extend(with);
        notes.against.extend(against);
        self.entity_check.combine(results)
    }
}

/// A value that was matched, with what the expression that matched it says in a comment: `VALUE (COMMENT)`.
fn noted(value: &str, comparators: &[Comparator]) -> String {
    let matching = comparators
        .iter()
        .filter(|comparator| comparator.note.is_some())
        .find(|comparator| comparator.compare(value) == Ok(OvalResult::True));
    match matching.and_then(|comparator| comparator.note.as_ref()) {
        Some(note) => format!("{value} ({note})"),
        None => value.to_owned(),
    }
}
