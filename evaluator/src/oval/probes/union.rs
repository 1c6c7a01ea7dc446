//! Unions of objects (OVAL 5.11, 5.3.4.5).

use std::collections::HashSet;

use virtscap_scap::id::ObjectId;
use virtscap_scap::oval::results::{CollectedObject, Flag};
use virtscap_scap::oval::{ObjectElement, ObjectKind};

use super::failed;
use crate::oval::Session;

impl Session<'_> {
    /// The items of all objects, each once.
    pub(super) fn union(&mut self, element: ObjectElement, objects: &[ObjectId]) -> CollectedObject {
        let mut union = CollectedObject { flag: Flag::Complete, messages: Vec::new(), items: Vec::new() };
        let mut flags = Vec::new();
        for id in objects {
            let of_another_kind = self
                .objects
                .get(id)
                .is_some_and(|object| object_element(&object.kind).is_some_and(|other| other != element));
            let collected = if of_another_kind {
                failed(format!("the object {id} is of another kind than the union that it is in"))
            } else {
                self.object(id)
            };
            flags.push(collected.flag);
            for message in collected.messages {
                if !union.messages.contains(&message) {
                    union.messages.push(message);
                }
            }
            union.items.extend(collected.items);
        }
        let mut known = HashSet::new();
        union.items.retain(|id| self.item(*id).is_some_and(|item| known.insert(item)));
        union.flag = combine(&flags, union.items.is_empty());
        union
    }
}

/// The kind of element that an object is, where the model knows it and it may be in a union.
pub(in crate::oval) fn object_element(kind: &ObjectKind) -> Option<ObjectElement> {
    match kind {
        ObjectKind::YamlFileContent { .. } => Some(ObjectElement::YamlFileContent),
        ObjectKind::TextFileContent54 { .. } => Some(ObjectElement::TextFileContent54),
        ObjectKind::File { .. } => Some(ObjectElement::File),
        ObjectKind::Union { element, .. } => Some(*element),
        ObjectKind::Variable { .. } | ObjectKind::Family | ObjectKind::Unsupported { .. } => None,
    }
}

/// The flag of a union (OVAL 5.11, table of `SetOperatorEnumeration`). An object that nobody collected leaves the union
/// incomplete, so that nothing passes for want of its items.
fn combine(flags: &[Flag], empty: bool) -> Flag {
    let has = |flag| flags.contains(&flag);
    if has(Flag::Error) {
        Flag::Error
    } else if has(Flag::Incomplete) || has(Flag::NotCollected) && !empty {
        Flag::Incomplete
    } else if has(Flag::NotCollected) || flags.is_empty() {
        Flag::NotCollected
    } else if has(Flag::Complete) {
        Flag::Complete
    } else if has(Flag::DoesNotExist) {
        Flag::DoesNotExist
    } else {
        Flag::NotApplicable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Flag::{Complete, DoesNotExist, Error, Incomplete, NotApplicable, NotCollected};

    #[test]
    fn flags_combine() {
        let cases: [(&[Flag], bool, Flag); 9] = [
            (&[Complete, DoesNotExist], false, Complete),
            (&[Complete, Error], false, Error),
            (&[Complete, Incomplete], false, Incomplete),
            (&[Complete, NotCollected], false, Incomplete),
            (&[DoesNotExist, NotCollected], true, NotCollected),
            (&[DoesNotExist, DoesNotExist], true, DoesNotExist),
            (&[DoesNotExist, NotApplicable], true, DoesNotExist),
            (&[NotCollected, Error], true, Error),
            (&[], true, NotCollected),
        ];
        for (flags, empty, expected) in cases {
            assert_eq!(combine(flags, empty), expected, "{flags:?}");
        }
    }
}
