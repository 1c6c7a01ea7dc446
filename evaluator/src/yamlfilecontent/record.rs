//! How OpenSCAP makes records of the selected events.

use super::filter::Container;
use super::scalar::Scalar;

/// One record of a `<value datatype="record">`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// The fields in document order; a name may occur several times.
    pub fields: Vec<Field>,
}

/// One field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The key in OVAL's encoding (`A`–`Z` are `^a`–`^z`, `^` is `^^`), or `#` for a scalar without one.
    pub name: String,
    /// The value.
    pub value: Scalar,
}

/// A selection that doesn't fit records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StructureProblem {
    /// A sequence in a sequence in a sequence, or a sequence in a sequence in a mapping.
    #[error("a multi-dimensional structure (a map or a sequence containing other sequences)")]
    NestedSequence,
    /// A mapping in a mapping.
    #[error("a multi-dimensional structure (a map containing another map)")]
    NestedMapping,
    /// A mapping beside scalars that belong to a record already, or in a sequence in a sequence.
    #[error("an invalid structure (a map inside or beside the fields of another record)")]
    MixedMapping,
}

/// Collects records out of selected events, in the states that OpenSCAP's probe has.
pub(super) struct Collector {
    records: Vec<Record>,
    open: Option<Record>,
    /// The name of the next field. It outlives its mapping: in `[{a: 1}, 5]` the 5 is named `a` too.
    name: String,
    in_mapping: bool,
    in_sequence: bool,
    /// In a sequence within a sequence, which makes a record of its own.
    in_inner_sequence: bool,
    /// The next scalar of the mapping is a value, not a key.
    at_value: bool,
}

impl Collector {
    pub(super) fn new() -> Self {
        Self {
            records: Vec::new(),
            open: None,
            name: "#".to_owned(),
            in_mapping: false,
            in_sequence: false,
            in_inner_sequence: false,
            at_value: false,
        }
    }

    pub(super) fn open(&mut self, container: Container) -> Result<(), StructureProblem> {
        match container {
            Container::Sequence if !self.in_sequence => {
                self.in_sequence = true;
                self.at_value ^= self.in_mapping;
            }
            Container::Sequence if self.in_mapping || self.in_inner_sequence => {
                return Err(StructureProblem::NestedSequence);
            }
            Container::Sequence => {
                self.in_inner_sequence = true;
                // Scalars before the inner sequence are lost: of `[1, [2]]` OpenSCAP collects only the 2.
                self.open = Some(Record::default());
            }
            Container::Mapping if self.in_mapping => return Err(StructureProblem::NestedMapping),
            Container::Mapping if self.open.is_some() => {
                return Err(StructureProblem::MixedMapping);
            }
            Container::Mapping => {
                self.in_mapping = true;
                self.in_sequence = false;
                self.at_value = false;
                self.open = Some(Record::default());
            }
        }
        Ok(())
    }

    pub(super) fn close(&mut self, container: Container) {
        match container {
            Container::Sequence if self.in_inner_sequence => {
                self.in_inner_sequence = false;
                self.finish_record();
            }
            Container::Sequence => self.in_sequence = false,
            Container::Mapping if self.in_mapping => {
                self.in_mapping = false;
                self.finish_record();
            }
            Container::Mapping => {}
        }
    }

    /// Takes a scalar; `value` types it and is not called for a key.
    pub(super) fn scalar<E>(
        &mut self,
        text: &str,
        value: impl FnOnce() -> Result<Scalar, E>,
    ) -> Result<(), E> {
        if self.in_mapping && !self.in_sequence {
            self.at_value = !self.at_value;
            if self.at_value {
                self.name = encode_name(text);
                return Ok(());
            }
        }
        let field = Field { name: self.name.clone(), value: value()? };
        self.open.get_or_insert_default().fields.push(field);
        Ok(())
    }

    /// The records, with the one that scalars outside of mappings gathered in all documents.
    pub(super) fn finish(mut self) -> Vec<Record> {
        self.records.extend(self.open);
        self.records
    }

    fn finish_record(&mut self) {
        self.records.extend(self.open.take().filter(|record| !record.fields.is_empty()));
    }
}

/// OVAL allows no upper-case letters in the name of a field.
fn encode_name(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 4);
    for character in key.chars() {
        if character.is_ascii_uppercase() || character == '^' {
            name.push('^');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}
