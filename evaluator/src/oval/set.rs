//! Sets of objects, and filters (OVAL 5.11, 5.3.4.5 and 5.3.4.6).

use std::collections::HashSet;
use std::rc::Rc;

use virtscap_scap::id::StateId;
use virtscap_scap::oval::results::{CollectedObject, Flag};
use virtscap_scap::oval::{
    Filter, FilterAction, ItemContent, OvalResult, Set, SetMembers, SetOperator, Status, TestType,
};

use super::probes::failed;
use super::state::Prepared;
use super::{Distinct, Session, names};

/// Filters whose states are ready to be compared with.
#[derive(Clone, Default)]
pub(super) struct Filters(Vec<(FilterAction, Rc<Prepared>)>);

impl Filters {
    /// Whether an item counts. As with oscap, one that cannot be compared does, and a state that compares nothing decides
    /// nothing.
    pub(super) fn admit(&self, item: &ItemContent) -> bool {
        let mut deciding = self.0.iter().filter(|(_, state)| !state.is_empty());
        deciding.all(|(action, state)| {
            !matches!(
                (action, state.filter(item)),
                (FilterAction::Exclude, OvalResult::True) | (FilterAction::Include, OvalResult::False)
            )
        })
    }

    /// Why it is not known whether an item counts: a filter rests on what could not be had.
    pub(super) fn undecided(&self, item: &ItemContent) -> Option<String> {
        let ItemContent::Entities { entities, .. } = item else { return None };
        let mut missing = entities.iter().filter(|entity| entity.status == Status::Error);
        let missing = missing.find(|entity| {
            let rests =
                |state: &Prepared| state.compares(entity.name) && state.filter(item) == OvalResult::Error;
            self.0.iter().any(|(_, state)| rests(state))
        })?;
        Some(format!("{}: is filtered by '{}', which could not be had", names::item(item), missing.name))
    }

    /// Whether an entity matters to them.
    pub(super) fn mention(&self, entity: &str) -> bool {
        self.0.iter().any(|(_, state)| state.compares(entity))
    }

    /// Whether every item counts.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Session<'a> {
    /// Prepares filters; an error names a state that is not there, or is about something else.
    pub(super) fn filters(&mut self, filters: &[Filter], test_type: TestType) -> Result<Filters, String> {
        let mut prepared = Vec::new();
        for filter in filters {
            let state = self.filter_state(&filter.state, test_type)?;
            prepared.push((filter.action, state));
        }
        Ok(Filters(prepared))
    }

    fn filter_state(&mut self, id: &StateId, test_type: TestType) -> Result<Rc<Prepared>, String> {
        let state = self.prepared(id).ok_or_else(|| format!("the state {id} is not in the document"))?;
        // oscap keeps what it cannot compare. What is kept so may be all that a test asks for.
        if let Some(reason) = &state.broken {
            return Err(format!("the state {id} that filters items cannot be compared with: {reason}"));
        }
        match state.test_type {
            Some(other) if other == test_type => Ok(state),
            Some(_) => Err(format!("the state {id} is of another kind than the items that it filters")),
            None => Err(format!("the state {id} that filters items is not supported")),
        }
    }

    /// The items of a set.
    pub(super) fn set(&mut self, test_type: TestType, set: &'a Set) -> CollectedObject {
        let filters = match self.filters(&set.filters, test_type) {
            Ok(filters) => filters,
            Err(problem) => return failed(problem),
        };
        self.nested += 1;
        let members: Vec<CollectedObject> = match &set.members {
            SetMembers::Sets(sets) => sets.iter().map(|set| self.set(test_type, set)).collect(),
            SetMembers::Objects(objects) => {
                let mut members = Vec::new();
                for id in objects {
                    let kind = self.objects.get(id).and_then(|object| object.kind.test_type());
                    members.push(if kind.is_some_and(|kind| kind != test_type) {
                        failed(format!("the object {id} is of another kind than the set that it is in"))
                    } else {
                        self.object(id)
                    });
                }
                members
            }
        };
        self.nested -= 1;
        let members = members.into_iter().map(|member| self.filtered(member, &filters));
        let mut members = members.collect::<Vec<_>>().into_iter();
        let Some(first) = members.next() else {
            return failed("a set has no members".to_owned());
        };
        let mut whole = members.fold(first, |whole, next| combine(set.operator, whole, next));
        let mut known = HashSet::new();
        whole.items.retain(|id| known.insert(*id));
        whole.flag = settled(whole.flag, whole.items.is_empty());
        whole
    }

    fn filtered(&self, mut member: CollectedObject, filters: &Filters) -> CollectedObject {
        if !filters.is_empty() {
            member.items.retain(|id| self.item(*id).is_none_or(|item| filters.admit(item)));
            let undecided: Vec<_> =
                member.items.iter().filter_map(|id| filters.undecided(self.item(*id)?)).collect();
            if undecided.is_empty() {
                member.flag = settled(member.flag, member.items.is_empty());
            } else {
                member.flag = Flag::Error;
                member.messages.extend(undecided);
            }
        }
        member
    }
}

/// Nothing that was collected is nothing that exists.
fn settled(flag: Flag, empty: bool) -> Flag {
    if flag == Flag::Complete && empty { Flag::DoesNotExist } else { flag }
}

fn combine(operator: SetOperator, a: CollectedObject, b: CollectedObject) -> CollectedObject {
    let of_b: HashSet<u64> = b.items.iter().copied().collect();
    let mut items = a.items;
    match operator {
        SetOperator::Union => items.extend(b.items),
        SetOperator::Intersection => items.retain(|id| of_b.contains(id)),
        SetOperator::Complement => items.retain(|id| !of_b.contains(id)),
    }
    let mut messages = Distinct::default();
    a.messages.into_iter().chain(b.messages).for_each(|message| messages.push(message));
    let flag = combine_flags(operator, a.flag, b.flag, items.is_empty());
    CollectedObject { flag, messages: messages.texts, items }
}

/// The flag of a set (OVAL 5.11, tables of `SetOperatorEnumeration`). An object that nobody collected leaves a union
/// incomplete, so that nothing passes for want of its items; a union of nothing that somebody collected is not collected.
fn combine_flags(operator: SetOperator, a: Flag, b: Flag, empty: bool) -> Flag {
    use Flag::{Complete, DoesNotExist, Error, Incomplete, NotApplicable, NotCollected};
    let has = |flag| a == flag || b == flag;
    match operator {
        SetOperator::Union => {
            if has(Error) {
                Error
            } else if has(Incomplete) || has(NotCollected) && !empty {
                Incomplete
            } else if has(NotCollected) {
                NotCollected
            } else if has(Complete) {
                Complete
            } else if has(DoesNotExist) {
                DoesNotExist
            } else {
                NotApplicable
            }
        }
        SetOperator::Intersection => match (a, b) {
            (DoesNotExist, _) | (_, DoesNotExist) => DoesNotExist,
            _ if has(Error) || has(NotCollected) => Error,
            _ if has(Incomplete) => Incomplete,
            _ if has(Complete) => Complete,
            _ => NotApplicable,
        },
        SetOperator::Complement => match (a, b) {
            (DoesNotExist, _) => DoesNotExist,
            (Complete, Complete | DoesNotExist) => Complete,
            (Incomplete, Complete | DoesNotExist) => Incomplete,
            _ => Error,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Flag::{
        Complete as C, DoesNotExist as D, Error as E, Incomplete as I, NotApplicable as A, NotCollected as N,
    };

    /// OVAL's own tables, but for unions with what nobody collected, of which the module says more.
    #[test]
    fn flags_combine() {
        let flags = [E, C, I, D, N, A];
        let intersection = [
            [E, E, E, D, E, E],
            [E, C, I, D, E, C],
            [E, I, I, D, E, I],
            [D, D, D, D, D, D],
            [E, E, E, D, E, E],
            [E, C, I, D, E, A],
        ];
        let complement = [
            [E, E, E, E, E, E],
            [E, C, E, C, E, E],
            [E, I, E, I, E, E],
            [D, D, D, D, D, D],
            [E, E, E, E, E, E],
            [E, E, E, E, E, E],
        ];
        let union = [
            [E, E, E, E, E, E],
            [E, C, I, C, I, C],
            [E, I, I, I, I, I],
            [E, C, I, D, N, D],
            [E, I, I, N, N, N],
            [E, C, I, D, N, A],
        ];
        let tables = [
            (SetOperator::Intersection, intersection),
            (SetOperator::Complement, complement),
            (SetOperator::Union, union),
        ];
        for (operator, table) in tables {
            for (a, row) in flags.into_iter().zip(table) {
                for (b, expected) in flags.into_iter().zip(row) {
                    let empty = ![C, I].contains(&a) && ![C, I].contains(&b);
                    assert_eq!(combine_flags(operator, a, b, empty), expected, "{operator} {a} {b}");
                }
            }
        }
    }
}
