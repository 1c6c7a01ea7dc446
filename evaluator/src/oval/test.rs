//! Evaluation of tests: existence, then states (OVAL 5.11, 5.3.5), with OpenSCAP's reading of the object's flag.

use std::collections::BTreeSet;
use std::rc::Rc;

use virtscap_scap::oval::results::{Flag, TestResult};
use virtscap_scap::oval::{
    Check, Comparison, Existence, ItemContent, OvalResult, Status, Test, TestKind, TestType,
};

use super::state::{Notes, Prepared};
use super::{Session, names};

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
            tested_variables: BTreeSet::new(),
        };
        match &test.kind {
            TestKind::Unknown => {}
            TestKind::Unsupported { name } => {
                done.result = OvalResult::NotEvaluated;
                done.messages.push(format!("{}: tests of this kind ({name}) are not supported", test.id));
                self.note_unsupported(name);
            }
            TestKind::Known { test_type, comparison } => match self.states_of(test, *test_type, comparison) {
                Ok(states) => self.compare_object(test, comparison, &states, &mut done),
                Err(problem) => done.messages.push(problem),
            },
        }
        done
    }

    /// The states of a test; an error says which reference leads nowhere, or to another kind of thing.
    fn states_of(
        &mut self,
        test: &Test,
        test_type: TestType,
        comparison: &'a Comparison,
    ) -> Result<Vec<Rc<Prepared>>, String> {
        let id = &comparison.object;
        let Some(object) = self.objects.get(id) else {
            return Err(format!("the object {id} is not in the document"));
        };
        if object.kind.test_type().is_some_and(|other| other != test_type) {
            return Err(format!("the object {id} is of another kind than the test {}", test.id));
        }
        let mut states = Vec::new();
        for id in &comparison.states {
            let Some(state) = self.prepared(id) else {
                return Err(format!("the state {id} is not in the document"));
            };
            if state.test_type.is_some_and(|other| other != test_type) {
                return Err(format!("the state {id} is of another kind than the test {}", test.id));
            }
            states.push(state);
        }
        Ok(states)
    }

    fn compare_object(
        &mut self,
        test: &'a Test,
        comparison: &Comparison,
        states: &[Rc<Prepared>],
        done: &mut TestResult,
    ) {
        let object = self.object(&comparison.object);
        let of_object = self.results.object_variables.get(&comparison.object);
        let of_states = states.iter().flat_map(|state| &state.variables);
        done.tested_variables = of_states.chain(of_object.into_iter().flatten()).cloned().collect();
        let with_state = !states.is_empty();
        done.tested_items = object.items.iter().map(|id| (*id, OvalResult::NotEvaluated)).collect();
        if object.items.iter().filter_map(|id| self.item(*id)).any(is_variable_without_values) {
            done.result = match (with_state, test.check_existence) {
                (true, _) => OvalResult::Unknown,
                (false, Existence::AnyExist) => OvalResult::True,
                (false, _) => OvalResult::Error,
            };
            done.tested_items.iter_mut().for_each(|(_, result)| *result = done.result);
            return;
        }
        let statuses = object.items.iter().filter_map(|id| self.item(*id)).map(|item| item.status());
        let existing = Existing::of(statuses);
        let existence = existence(test.check_existence, object.flag, existing, with_state);
        // The states are looked at only where existence holds and there is something to compare.
        if existence != OvalResult::True
            || !with_state
            || !matches!(object.flag, Flag::Complete | Flag::Incomplete)
        {
            done.result = existence;
            if existence == OvalResult::False && test.check_existence == Existence::NoneExist {
                let items = object.items.iter().filter_map(|id| self.item(*id));
                done.offenders.extend(items.filter_map(names::presence));
            }
            return;
        }
        let mut offenders = Vec::new();
        for (id, result) in &mut done.tested_items {
            let Some(item) = self.item(*id) else { continue };
            let mut notes = Notes::default();
            *result = match item.status() {
                Status::Exists => test
                    .state_operator
                    .combine(states.iter().map(|state| state.compare(item, &mut notes)).collect::<Vec<_>>()),
                Status::DoesNotExist => OvalResult::False,
                Status::Error | Status::NotCollected => OvalResult::Error,
            };
            done.messages.append(&mut notes.messages);
            match (test.check, *result) {
                (Check::NoneSatisfy, OvalResult::True) => {
                    offenders.extend(names::offenders(item, notes.with));
                }
                (Check::All | Check::AtLeastOne, OvalResult::False) => {
                    offenders.extend(names::offenders(item, notes.against));
                }
                _ => {}
            }
        }
        let masks = states.iter().flat_map(|state| &state.masks);
        for mask in masks {
            self.results.masked.extend(object.items.iter().map(|id| (*id, *mask)));
        }
        // Where items may be missing, what they could have changed is not decided.
        let missing = (object.flag == Flag::Incomplete).then_some(OvalResult::Unknown);
        done.result = test.check.combine(done.tested_items.iter().map(|(_, result)| *result).chain(missing));
        if done.result == OvalResult::False {
            done.offenders = offenders;
        }
    }
}

/// Whether an item is that of a variable that could not be worked out. For oscap it exists, so that a test of mere existence
/// passes; here it is an error.
fn is_variable_without_values(item: &ItemContent) -> bool {
    item.test_type() == TestType::Variable && item.named("value").is_empty()
}

/// How many items exist, and how many could not be had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Existing {
    exist: usize,
    errors: usize,
}

impl Existing {
    fn of(statuses: impl Iterator<Item = Status>) -> Self {
        statuses.fold(Self::default(), |mut count, status| {
            match status {
                Status::Exists => count.exist += 1,
                Status::Error => count.errors += 1,
                Status::DoesNotExist | Status::NotCollected => {}
            }
            count
        })
    }
}

/// Whether as many items exist as there should, from the object's flag (see `openscap` `oval_resultTest.c`): an error is
/// an error, except that `any_exist` without a state is content with anything.
fn existence(wanted: Existence, flag: Flag, items: Existing, with_state: bool) -> OvalResult {
    let Existing { exist, errors } = items;
    match flag {
        Flag::Error if wanted == Existence::AnyExist && !with_state => OvalResult::True,
        Flag::Error => OvalResult::Error,
        Flag::NotCollected => OvalResult::Unknown,
        Flag::NotApplicable => OvalResult::NotApplicable,
        Flag::DoesNotExist => matches!(wanted, Existence::NoneExist | Existence::AnyExist).into(),
        Flag::Complete => match wanted {
            Existence::AllExist if errors > 0 => OvalResult::Error,
            Existence::AllExist => (exist > 0).into(),
            Existence::AtLeastOneExists if exist > 0 => OvalResult::True,
            Existence::AnyExist if exist > 0 || errors == 0 => OvalResult::True,
            Existence::NoneExist if exist > 0 => OvalResult::False,
            Existence::OnlyOneExists if exist > 1 => OvalResult::False,
            _ if errors > 0 => OvalResult::Error,
            Existence::AtLeastOneExists | Existence::AnyExist => OvalResult::False,
            Existence::NoneExist => OvalResult::True,
            Existence::OnlyOneExists => (exist == 1).into(),
        },
        Flag::Incomplete => match wanted {
            Existence::AnyExist => OvalResult::True,
            Existence::AtLeastOneExists if exist > 0 => OvalResult::True,
            Existence::NoneExist if exist > 0 => OvalResult::False,
            Existence::OnlyOneExists if exist > 1 => OvalResult::False,
            _ => OvalResult::Unknown,
        },
    }
}

#[cfg(test)]
#[path = "test_tests.rs"]
mod tests;
