//! Evaluation of tests: existence, then states (OVAL 5.11, 5.3.5), with OpenSCAP's reading of the object's flag.

use virtscap_scap::id::VariableId;
use virtscap_scap::oval::results::{Flag, ItemField, ItemKind, TestResult};
use virtscap_scap::oval::{
    Check, Comparison, Entity, EntityValue, Existence, FileEntity, ObjectElement, ObjectKind, Operator,
    OvalResult, RecordField, StateKind, Test, TestKind,
};

use super::compare::Comparator;
use super::probes::object_element;
use super::{Session, names};

/// What came of comparing an item, and which of its texts decided it.
struct Compared {
    result: OvalResult,
    /// Texts that do not satisfy the state.
    against: Vec<String>,
    /// Texts that do.
    with: Vec<String>,
    messages: Vec<String>,
}

impl Compared {
    fn nothing(result: OvalResult) -> Self {
        Self { result, against: Vec::new(), with: Vec::new(), messages: Vec::new() }
    }

    fn error(message: String) -> Self {
        Self { messages: vec![message], ..Self::nothing(OvalResult::Error) }
    }

    /// Gives the texts another name.
    fn named(self, name: impl Fn(&str) -> String) -> Self {
        let named = |texts: Vec<String>| texts.iter().map(|text| name(text)).collect();
        Self { against: named(self.against), with: named(self.with), ..self }
    }

    /// Combines results of parts.
    fn combine(parts: Vec<Self>, combine: impl FnOnce(Vec<OvalResult>) -> OvalResult) -> Self {
        let mut all = Self::nothing(combine(parts.iter().map(|part| part.result).collect()));
        for part in parts {
            all.against.extend(part.against);
            all.with.extend(part.with);
            all.messages.extend(part.messages);
        }
        all
    }
}

impl<'a> Session<'a> {
    pub(super) fn evaluate_test(&mut self, test: &'a Test) -> TestResult {
        let mut done = TestResult {
            version: test.version.clone(),
            check: test.check,
            check_existence: test.check_existence,
            state_operator: test.state_operator,
            result: OvalResult::Unknown,
            messages: Vec::new(),
            tested_items: Vec::new(),
            offenders: Vec::new(),
            tested_variables: Vec::new(),
        };
        match &test.kind {
            TestKind::Unknown => {}
            TestKind::Unsupported { name } => {
                done.result = OvalResult::NotEvaluated;
                done.messages.push(format!("{}: tests of this kind ({name}) are not supported", test.id));
            }
            TestKind::YamlFileContent(c)
            | TestKind::TextFileContent54(c)
            | TestKind::Variable(c)
            | TestKind::Family(c)
            | TestKind::File(c) => {
                self.compare_object(test, c, &mut done);
            }
        }
        done
    }

    /// What keeps a test from being evaluated: references that lead nowhere, or to another kind of thing.
    fn broken_reference(&self, test: &Test, comparison: &Comparison) -> Option<String> {
        use {ObjectKind as O, StateKind as S, TestKind as T};
        let id = &comparison.object;
        let Some(object) = self.objects.get(id) else {
            return Some(format!("the object {id} is not in the document"));
        };
        let same_kind = match (&test.kind, &object.kind) {
            (_, O::Unsupported { .. }) => true,
            (T::YamlFileContent(_), kind) => object_element(kind) == Some(ObjectElement::YamlFileContent),
            (T::TextFileContent54(_), kind) => object_element(kind) == Some(ObjectElement::TextFileContent54),
            (T::Variable(_), kind) => matches!(kind, O::Variable { .. }),
            (T::Family(_), kind) => matches!(kind, O::Family),
            (T::File(_), kind) => object_element(kind) == Some(ObjectElement::File),
            (T::Unknown | T::Unsupported { .. }, _) => true,
        };
        if !same_kind {
            return Some(format!("the object {id} is of another kind than the test {}", test.id));
        }
        comparison.states.iter().find_map(|id| {
            let Some(state) = self.states.get(id) else {
                return Some(format!("the state {id} is not in the document"));
            };
            let same_kind = match (&test.kind, &state.kind) {
                (_, S::Unsupported { .. }) => true,
                (T::YamlFileContent(_), kind) => matches!(kind, S::YamlFileContent { .. }),
                (T::TextFileContent54(_), kind) => matches!(kind, S::TextFileContent54 { .. }),
                (T::Variable(_), kind) => matches!(kind, S::Variable { .. }),
                (T::Family(_), kind) => matches!(kind, S::Family { .. }),
                (T::File(_), kind) => matches!(kind, S::File { .. }),
                (T::Unknown | T::Unsupported { .. }, _) => true,
            };
            (!same_kind).then(|| format!("the state {id} is of another kind than the test {}", test.id))
        })
    }

    fn compare_object(&mut self, test: &'a Test, comparison: &'a Comparison, done: &mut TestResult) {
        if let Some(problem) = self.broken_reference(test, comparison) {
            done.messages.push(problem);
            return;
        }
        let object = self.object(&comparison.object);
        let with_state = !comparison.states.is_empty();
        done.tested_items = object.items.iter().map(|id| (*id, OvalResult::NotEvaluated)).collect();
        let existence = existence(test.check_existence, object.flag, object.items.len(), with_state);
        // The states are looked at only where existence holds and there is something to compare.
        if existence != OvalResult::True || !with_state || object.flag == Flag::DoesNotExist {
            done.result = existence;
            if existence == OvalResult::False && test.check_existence == Existence::NoneExist {
                let items = object.items.iter().filter_map(|id| self.item(*id));
                done.offenders.extend(items.filter_map(names::presence));
            }
            return;
        }
        let mut compared = Vec::new();
        for (id, result) in &mut done.tested_items {
            let states = comparison.states.iter().map(|state| self.compare_state(*id, state)).collect();
            let item = Compared::combine(states, |results| test.state_operator.combine(results));
            *result = item.result;
            compared.push(item);
        }
        // Where items may be missing, what they could have changed is not decided.
        let missing = (object.flag == Flag::Incomplete).then_some(OvalResult::Unknown);
        done.result = test.check.combine(compared.iter().map(|item| item.result).chain(missing));
        for item in compared {
            done.messages.extend(item.messages);
            if done.result == OvalResult::False {
                match (test.check, item.result) {
                    (Check::NoneSatisfy, OvalResult::True) => done.offenders.extend(item.with),
                    (Check::All | Check::AtLeastOne, OvalResult::False) => {
                        done.offenders.extend(item.against)
                    }
                    _ => {}
                }
            }
        }
        for state in &comparison.states {
            self.note_variables(state, &mut done.tested_variables);
        }
    }

    fn note_variables(&self, state: &virtscap_scap::id::StateId, noted: &mut Vec<(VariableId, String)>) {
        let Some(state) = self.states.get(state) else { return };
        let entities: Vec<&Entity> = match &state.kind {
            StateKind::YamlFileContent { fields, .. } => fields.iter().map(|field| &field.entity).collect(),
            StateKind::TextFileContent54 { text, subexpression } => {
                text.iter().chain(subexpression).collect()
            }
            StateKind::Variable { value } => value.iter().collect(),
            StateKind::Family { family } => family.iter().collect(),
            StateKind::File { entities } => entities.iter().map(|(_, entity)| entity).collect(),
            StateKind::Unsupported { .. } => Vec::new(),
        };
        for entity in entities {
            if let EntityValue::Variable { var_ref, .. } = &entity.value
                && let Some(Ok(values)) = self.values.get(var_ref)
            {
                noted.extend(values.iter().map(|value| (var_ref.clone(), value.clone())));
            }
        }
    }

    fn compare_state(&mut self, item: u64, state: &virtscap_scap::id::StateId) -> Compared {
        let Some(state) = self.states.get(state).copied() else {
            return Compared::error(format!("the state {state} is not in the document"));
        };
        let Some(item) = self.item(item).cloned() else {
            return Compared::nothing(OvalResult::Error);
        };
        match (&state.kind, &item) {
            (
                StateKind::YamlFileContent { entity_check, fields },
                ItemKind::YamlFileContent { records, .. },
            ) => {
                let records = records.iter().map(|record| self.compare_record(record, fields)).collect();
                Compared::combine(records, |results| entity_check.combine(results))
            }
            (
                StateKind::TextFileContent54 { text, subexpression },
                ItemKind::TextFileContent { filepath, text: found, subexpressions, .. },
            ) => {
                let mut parts = Vec::new();
                if let Some(entity) = text {
                    let compared = self.compare_entity(entity, std::slice::from_ref(found));
                    parts.push(compared.named(|text| names::line(filepath, text)));
                }
                if let Some(entity) = subexpression {
                    let compared = self.compare_entity(entity, subexpressions);
                    parts.push(compared.named(|_| names::line(filepath, found)));
                }
                Compared::combine(parts, |results| combine_entities(state.operator, results))
            }
            (StateKind::File { entities }, ItemKind::File(file)) => {
                let parts = entities
                    .iter()
                    .map(|(name, entity)| match file.value(*name) {
                        Some(value) => self.compare_entity(entity, &[value]),
                        // As oscap has it: a name that is nil is empty, and what is not there is unknown.
                        None if *name == FileEntity::FileName => {
                            self.compare_entity(entity, &[String::new()])
                        }
                        None => Compared {
                            messages: vec![format!("{}: has no '{name}'", file.full_path())],
                            ..Compared::nothing(OvalResult::Unknown)
                        },
                    })
                    .collect();
                let compared = Compared::combine(parts, |results| combine_entities(state.operator, results));
                // Which of its properties decided is plain from the name.
                Compared { against: vec![names::file(file)], with: vec![names::file(file)], ..compared }
            }
            (StateKind::Family { family }, ItemKind::Family { family: found }) => {
                let found = std::slice::from_ref(found);
                let parts = family.iter().map(|entity| self.compare_entity(entity, found)).collect();
                Compared::combine(parts, |results| combine_entities(state.operator, results))
            }
            (StateKind::Variable { value }, ItemKind::Variable { values, .. }) => {
                let parts = value.iter().map(|entity| self.compare_entity(entity, values)).collect();
                Compared::combine(parts, |results| combine_entities(state.operator, results))
            }
            (StateKind::Unsupported { name }, _) => Compared {
                messages: vec![format!("{}: states of this form ({name}) are not supported", state.id)],
                ..Compared::nothing(OvalResult::NotEvaluated)
            },
            _ => Compared::error(format!("the state {} is of another kind than the item", state.id)),
        }
    }

    /// All fields have to hold; a field that the record lacks is an error.
    fn compare_record(&mut self, record: &[ItemField], fields: &'a [RecordField]) -> Compared {
        let mut parts = Vec::new();
        for field in fields {
            let values: Vec<String> =
                record.iter().filter(|f| f.name == field.name).map(|f| f.value.clone()).collect();
            parts.push(if values.is_empty() {
                Compared::error(format!("the record has no field '{}'", field.name))
            } else {
                self.compare_entity(&field.entity, &values)
            });
        }
        Compared::combine(parts, |results| Operator::And.combine(results))
    }

    /// Compares values with an entity: `var_check` over the variable's values, `entity_check` over the item's.
    fn compare_entity(&mut self, entity: &'a Entity, values: &[String]) -> Compared {
        let var_check = match &entity.value {
            EntityValue::Literal(_) => Check::All,
            EntityValue::Variable { var_check, .. } => *var_check,
        };
        let withs = match self.entity_values(&entity.value) {
            Ok(withs) => withs,
            // What could not be had is no fault of the content.
            Err(none) if none.flag == Flag::NotCollected => {
                return Compared { messages: vec![none.reason], ..Compared::nothing(OvalResult::Unknown) };
            }
            Err(none) => return Compared::error(none.reason),
        };
        let comparators = withs
            .iter()
            .map(|with| Comparator::new(entity.operation, entity.datatype, with))
            .collect::<Result<Vec<_>, _>>();
        let comparators = match comparators {
            Ok(comparators) if comparators.is_empty() => {
                return Compared::error("the variable that the state refers to has no values".to_owned());
            }
            Ok(comparators) => comparators,
            Err(message) => return Compared::error(message),
        };
        let mut all = Compared::nothing(OvalResult::Unknown);
        let mut results = Vec::new();
        for value in values {
            let mut of_value = Vec::new();
            for comparator in &comparators {
                of_value.push(comparator.compare(value).unwrap_or_else(|message| {
                    all.messages.push(message);
                    OvalResult::Error
                }));
            }
            let result = var_check.combine(of_value);
            match result {
                OvalResult::True => all.with.push(noted(value, &comparators)),
                OvalResult::False => all.against.push(value.clone()),
                _ => {}
            }
            results.push(result);
        }
        all.result = entity.entity_check.combine(results);
        if entity.entity_check == Check::NoneSatisfy {
            std::mem::swap(&mut all.with, &mut all.against);
        }
        all
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

/// A state without entities is satisfied by every item.
fn combine_entities(operator: Operator, results: Vec<OvalResult>) -> OvalResult {
    if results.is_empty() { OvalResult::True } else { operator.combine(results) }
}

/// Whether as many items exist as there should, from the object's flag (see `openscap` `oval_agent`): an error is an
/// error, except that `any_exist` without a state is content with anything.
fn existence(wanted: Existence, flag: Flag, items: usize, with_state: bool) -> OvalResult {
    match flag {
        Flag::Error if wanted == Existence::AnyExist && !with_state => OvalResult::True,
        Flag::Error => OvalResult::Error,
        Flag::NotCollected => OvalResult::Unknown,
        Flag::NotApplicable => OvalResult::NotApplicable,
        Flag::DoesNotExist => matches!(wanted, Existence::NoneExist | Existence::AnyExist).into(),
        Flag::Complete => match wanted {
            Existence::AllExist | Existence::AtLeastOneExists => items > 0,
            Existence::AnyExist => true,
            Existence::NoneExist => items == 0,
            Existence::OnlyOneExists => items == 1,
        }
        .into(),
        Flag::Incomplete => match wanted {
            Existence::AnyExist => OvalResult::True,
            Existence::AtLeastOneExists if items > 0 => OvalResult::True,
            Existence::NoneExist if items > 0 => OvalResult::False,
            Existence::OnlyOneExists if items > 1 => OvalResult::False,
            _ => OvalResult::Unknown,
        },
    }
}

#[cfg(test)]
#[path = "test_tests.rs"]
mod tests;
