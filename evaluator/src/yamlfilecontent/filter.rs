//! The streaming filter: which events of a document a path selects.
//!
//! The state is that of OpenSCAP's filter, because what it selects in unusual places follows from it: a step keeps
//! whether its last candidate matched, a path starts at the first matching anchor and never again, and several documents
//! run through the same state.

use super::c_str;
use super::path::{Segment, YamlPath};

/// A collection that opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Mapping,
    Sequence,
}

/// A key of a mapping on the path is itself a mapping, a sequence or an alias.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ComplexKey;

/// The position in the document, relative to a path.
pub(super) struct Filter<'p> {
    steps: Vec<Step<'p>>,
    depth: isize,
    /// The depth at which the first step applies; 0 while it isn't known, so an anchor at depth 0 (on the root node) is
    /// never found.
    base: isize,
}

struct Step<'p> {
    segment: &'p Segment,
    /// What the nodes that this step looks at are in.
    inside: Option<Container>,
    /// How many nodes of that collection went by.
    seen: u64,
    key_hit: bool,
    hit: bool,
}

impl<'p> Filter<'p> {
    pub(super) fn new(path: &'p YamlPath) -> Self {
        let steps = path
            .segments()
            .iter()
            .map(|segment| Step { segment, inside: None, seen: 0, key_hit: false, hit: false })
            .collect();
        Self { steps, depth: 0, base: 0 }
    }

    /// Whether the names of anchors matter to this path.
    pub(super) fn wants_anchors(&self) -> bool {
        self.steps.first().is_some_and(|step| matches!(step.segment, Segment::Anchor(_)))
    }

    pub(super) fn document_start(&mut self) {
        if self.base == 0
            && let Some(step) = self.steps.first_mut()
            && *step.segment == Segment::Root
        {
            self.base = 1;
            step.hit = true;
        }
        if self.base == 1 {
            self.depth += 1;
        }
    }

    pub(super) fn document_end(&mut self) {
        if self.base == 1 {
            self.depth -= 1;
        }
    }

    /// A collection opens; says whether it is selected.
    pub(super) fn open(&mut self, container: Container, anchor: Option<&str>) -> Result<bool, ComplexKey> {
        self.visit(None, anchor)?;
        let selected = self.holds_collection();
        self.depth += 1;
        if let Some(step) = self.current_mut() {
            step.inside = Some(container);
            step.seen = 0;
        }
        Ok(selected || self.keeps_collection())
    }

    /// The innermost collection closes; says whether its opening was selected.
    pub(super) fn close(&mut self) -> bool {
        let kept = self.keeps_collection();
        self.depth -= 1;
        self.holds_collection() || kept
    }

    /// A scalar, or an alias (which has no text); says whether it is selected.
    pub(super) fn leaf(&mut self, text: Option<&str>, anchor: Option<&str>) -> Result<bool, ComplexKey> {
        self.visit(text, anchor)?;
        let Some((at, step)) = self.current() else {
            return Ok(self.depth >= self.base && self.hits_up_to(self.steps.len()));
        };
        let whole_path = at + 1 == self.steps.len() && self.hits_up_to(self.steps.len());
        // A selected key names the field, even where the path goes on below it.
        let names_a_field = step.hit && step.seen % 2 == 1 && step.selects_keys() && self.hits_up_to(at);
        Ok(whole_path || names_a_field)
    }

    /// Counts a node in the step that looks at it and notes whether it matches.
    fn visit(&mut self, text: Option<&str>, anchor: Option<&str>) -> Result<(), ComplexKey> {
        if self.base == 0
            && let Some(Segment::Anchor(wanted)) = self.steps.first().map(|step| step.segment)
            && anchor == Some(wanted)
        {
            self.base = self.depth;
        }
        match self.current_mut() {
            Some(step) => step.visit(text, anchor),
            None => Ok(()),
        }
    }

    /// Whether the path selects a collection at this depth, or selected one that this is in.
    fn holds_collection(&self) -> bool {
        match self.current() {
            Some((at, _)) => at + 1 == self.steps.len() && self.hits_up_to(at + 1),
            None => self.depth > self.base && self.hits_up_to(self.steps.len()),
        }
    }

    /// Whether the collection that was just entered, or is about to be left, is kept around its selected members.
    fn keeps_collection(&self) -> bool {
        self.current().is_some_and(|(at, step)| step.selects() && self.hits_up_to(at))
    }

    fn hits_up_to(&self, end: usize) -> bool {
        self.steps.iter().take(end).all(|step| step.hit)
    }

    fn position(&self) -> Option<usize> {
        if self.base == 0 { None } else { usize::try_from(self.depth - self.base).ok() }
    }

    fn current(&self) -> Option<(usize, &Step<'p>)> {
        let at = self.position()?;
        Some((at, self.steps.get(at)?))
    }

    fn current_mut(&mut self) -> Option<&mut Step<'p>> {
        let at = self.position()?;
        self.steps.get_mut(at)
    }
}

impl Step<'_> {
    fn visit(&mut self, text: Option<&str>, anchor: Option<&str>) -> Result<(), ComplexKey> {
        match self.inside {
            None => {
                if let Segment::Anchor(wanted) = self.segment {
                    self.hit = anchor == Some(wanted);
                }
            }
            Some(Container::Mapping) if self.seen.is_multiple_of(2) => {
                let is = |key: &String| text.map(|text| c_str(text) == key).ok_or(ComplexKey);
                self.key_hit = match self.segment {
                    Segment::Key(key) => is(key)?,
                    Segment::Keys(keys) => match keys.iter().map(is).find(|found| *found != Ok(false)) {
                        Some(found) => found?,
                        None => false,
                    },
                    Segment::AllKeys => true,
                    _ => false,
                };
                self.hit = self.key_hit && self.selects_keys();
            }
            Some(Container::Mapping) => self.hit = std::mem::take(&mut self.key_hit),
            Some(Container::Sequence) => {
                self.hit = match self.segment {
                    Segment::Index(index) => *index == self.seen,
                    Segment::Indices(indices) => indices.contains(&self.seen),
                    Segment::AllIndices => true,
                    _ => false,
                };
            }
        }
        self.seen += 1;
        Ok(())
    }

    fn selects_keys(&self) -> bool {
        matches!(self.segment, Segment::Keys(_) | Segment::AllKeys) && self.inside == Some(Container::Mapping)
    }

    fn selects(&self) -> bool {
        let indices = matches!(self.segment, Segment::Indices(_) | Segment::AllIndices);
        self.selects_keys() || (indices && self.inside == Some(Container::Sequence))
    }
}
