//! `extends` of Rules and Values, resolved while they are read (XCCDF 1.2, 7.2.1, and what OpenSCAP 1.3.7 does).
//!
//! An item takes from what it extends what it does not have itself. Platforms and conflicts add up; what is required is
//! not inherited, as with OpenSCAP. Also as with OpenSCAP, a Group's `extends` means nothing.

use std::collections::HashMap;

use crate::namespace::XCCDF;
use crate::xml::{MAX_DEPTH, Node, NodeExt, ReadError};

/// The items of a benchmark that can be extended, by id.
pub(super) struct Extensible<'a, 'input> {
    rules: HashMap<&'a str, Node<'a, 'input>>,
    values: HashMap<&'a str, Node<'a, 'input>>,
}

/// An item and those that it extends, itself first.
pub(super) struct Lineage<'a, 'input>(Vec<Node<'a, 'input>>);

impl<'a, 'input> Extensible<'a, 'input> {
    /// The Rules and Values of a benchmark, those in Groups included.
    pub(super) fn of(benchmark: Node<'a, 'input>) -> Self {
        let mut found = Self { rules: HashMap::new(), values: HashMap::new() };
        // A list of its own, not recursion: how deep Groups are nested is looked at later.
        let mut open = vec![benchmark];
        while let Some(node) = open.pop() {
            for child in node.elements() {
                let id = child.attribute("id").unwrap_or_default();
                if child.is(XCCDF, "Group") {
                    open.push(child);
                } else if child.is(XCCDF, "Rule") {
                    found.rules.entry(id).or_insert(child);
                } else if child.is(XCCDF, "Value") {
                    found.values.entry(id).or_insert(child);
                }
            }
        }
        found
    }

    /// An item with all that it extends.
    ///
    /// # Errors
    /// [`ReadError`] where it extends itself, or what is not there: an item without what it should inherit would be
    /// judged by something else than was meant.
    pub(super) fn lineage(&self, item: Node<'a, 'input>) -> Result<Lineage<'a, 'input>, ReadError> {
        let (items, what) = match item.tag_name().name() {
            "Value" => (&self.values, "the extended Value"),
            _ => (&self.rules, "the extended Rule"),
        };
        let mut lineage = vec![item];
        let mut current = item;
        while let Some(id) = current.attribute("extends") {
            let reference = id.to_owned();
            let Some(next) = items.get(id) else {
                return Err(ReadError::DanglingReference { line: current.line(), what, reference });
            };
            if lineage.contains(next) {
                return Err(ReadError::ExtendsItself { line: current.line(), id: reference });
            }
            if lineage.len() > MAX_DEPTH {
                return Err(ReadError::TooDeep { line: current.line() });
            }
            lineage.push(*next);
            current = *next;
        }
        Ok(Lineage(lineage))
    }
}

impl<'a, 'input> Lineage<'a, 'input> {
    /// A Group, which extends nothing.
    pub(super) fn alone(item: Node<'a, 'input>) -> Self {
        Self(vec![item])
    }

    /// All, the item itself first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Node<'a, 'input>> + '_ {
        self.0.iter().copied()
    }

    /// The nearest that has an attribute; the item itself where none has it.
    pub(super) fn with_attribute(&self, item: Node<'a, 'input>, name: &str) -> Node<'a, 'input> {
        self.iter().find(|node| node.has_attribute(name)).unwrap_or(item)
    }

    /// The nearest that has one of these children; the item itself where none has.
    pub(super) fn with_child(&self, item: Node<'a, 'input>, names: &[&str]) -> Node<'a, 'input> {
        let has = |node: &Node<'a, 'input>| node.elements().any(|e| names.contains(&e.tag_name().name()));
        self.iter().find(has).unwrap_or(item)
    }
}
