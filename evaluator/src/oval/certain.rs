//! Which results would stay with what the source may lack.
//!
//! A list of which a part is missing can only grow: more objects make more values of its item, and more values of the
//! variables that are made of it. A result stays where nothing that is added can change it. That holds for the lists that
//! begin with a marker, as the project's filters write them; what another filter makes of an answer may be anything. It
//! is conservative: what is not known to stay is taken not to.

use std::collections::{BTreeMap, BTreeSet};

use virtscap_scap::id::{DefinitionId, ObjectId, StateId, TestId};
use virtscap_scap::oval::results::{CriteriaNodeResult, CriteriaResult};
use virtscap_scap::oval::{
    Check, Comparison, Entity, EntityValue, Existence, FileSpec, Object, ObjectKind, Operation, OvalResult,
    SetOperator, StateKind, Test, TestKind, TestType,
};

use super::Session;
use super::uses::Below;
use crate::api_path::ApiPath;
use crate::dump::{DUMP_ROOT, NOT_FOUND_MARKER};
use crate::files::{Lookup, below_dump_root};
use crate::gap::{Gap, GapKind};

/// What would stay of a definition's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certain {
    /// The result; `not evaluated` where nothing but gaps of the source keeps it from being decided.
    pub result: OvalResult,
    /// The gaps in what the definition reads.
    pub gaps: BTreeSet<Gap>,
    /// The tests whose results would not stay.
    pub(super) open: BTreeSet<TestId>,
}

/// What a test reads, and how much of it can be relied on.
#[derive(Default)]
struct Reads {
    gaps: BTreeSet<Gap>,
    /// Whether something could not be had for a reason that is no gap.
    failed: bool,
    /// Whether objects of an API were given that it reads.
    given: bool,
}

impl Reads {
    fn has(&self, kind: &GapKind) -> bool {
        self.gaps.iter().any(|gap| gap.kind == *kind)
    }

    /// Whether there may be more than what is there.
    fn is_open(&self) -> bool {
        self.has(&GapKind::Partial) || self.has(&GapKind::Damaged) || self.has(&GapKind::NotContained)
    }
}

/// The versions that are read, by group and resource.
type Versions = BTreeMap<(String, String), BTreeSet<String>>;

/// What the tests of a definition read.
struct Whole {
    reads: Reads,
    versions: Versions,
    /// Whether it compares what one object holds with what another holds.
    joins: bool,
}

impl Session<'_> {
    /// What would stay of the result of a definition that was evaluated; none where the source lacks nothing of what it
    /// reads.
    pub fn certain(&self, id: &DefinitionId) -> Option<Certain> {
        // Most sources lack nothing, and to look at all that a definition reads takes a while.
        self.files.gap(None)?;
        let mut tests = BTreeSet::new();
        self.for_each_reference(id, &|_| true, &mut |node| {
            if let CriteriaNodeResult::Criterion { test_ref, .. } = node {
                tests.insert(test_ref.clone());
            }
        });
        let mut whole = Whole { reads: Reads::default(), versions: Versions::new(), joins: false };
        let mut below = BTreeSet::new();
        for test in tests.iter().filter_map(|id| self.tests.get(id)) {
            let Some(comparison) = test.kind.comparison() else { continue };
            below.extend(self.objects_below(&comparison.object).objects);
            let joined = self.joined(comparison).objects;
            whole.joins |= joined.iter().any(|id| self.is_of_the_api(id));
            below.extend(joined);
        }
        for (text, _) in
            below.iter().filter_map(|id| self.objects.get(id)).flat_map(|o| self.texts_of_paths(o))
        {
            if let Some(asked) = api_path(&text).and_then(ApiPath::of_objects) {
                whole.versions.entry((asked.group, asked.resource)).or_default().insert(asked.version);
            }
        }
        whole.reads = self.reads(&below, &whole.versions);
        if whole.reads.gaps.is_empty() {
            return None;
        }
        let mut result = self.certain_definition(id, &whole, &mut Vec::new());
        // Lists that are empty because nothing was given say nothing by themselves.
        let is_decided = |result| matches!(result, OvalResult::True | OvalResult::False);
        if is_decided(result) && self.results.definitions.get(id).is_none_or(|done| done.result != result) {
            // A gap takes results away and gives none.
            result = OvalResult::Unknown;
        }
        if is_decided(result) && whole.reads.has(&GapKind::NoneGiven) && !whole.reads.given {
            result = OvalResult::NotEvaluated;
        }
        // Nobody knows what could not be read; it is no matter of more or fewer objects.
        if result == OvalResult::True && whole.reads.has(&GapKind::Damaged) {
            result = OvalResult::Unknown;
        }
        let of_test = |id: &TestId| {
            let plain = self.results.tests.get(id)?.result;
            Some(self.certain_test(id, self.tests.get(id)?, plain, &whole) != plain)
        };
        let open = tests.into_iter().filter(|id| of_test(id) == Some(true)).collect();
        Some(Certain { result, gaps: whole.reads.gaps, open })
    }

    fn certain_definition<'s>(
        &'s self,
        id: &'s DefinitionId,
        whole: &Whole,
        open: &mut Vec<&'s DefinitionId>,
    ) -> OvalResult {
        let Some(definition) = self.results.definitions.get(id) else { return OvalResult::Error };
        let Some(criteria) = &definition.criteria else { return definition.result };
        if open.contains(&id) {
            return OvalResult::Error;
        }
        open.push(id);
        let result = self.certain_criteria(criteria, whole, open);
        open.pop();
        result
    }

    fn certain_criteria<'s>(
        &'s self,
        criteria: &'s CriteriaResult,
        whole: &Whole,
        open: &mut Vec<&'s DefinitionId>,
    ) -> OvalResult {
        let mut results = Vec::with_capacity(criteria.children.len());
        // `unknown` as a word of the content ("could not be had AND unknown") is no news beside the gap that it is about.
        let mut words = 0;
        for child in &criteria.children {
            results.push(match child {
                CriteriaNodeResult::Criteria(criteria) => self.certain_criteria(criteria, whole, open),
                CriteriaNodeResult::Criterion { test_ref, negate, result, .. } => {
                    match self.tests.get(test_ref) {
                        Some(test) if test.kind == TestKind::Unknown => {
                            words += 1;
                            continue;
                        }
                        Some(test) => {
                            let plain = result.negate_if(*negate);
                            self.certain_test(test_ref, test, plain, whole).negate_if(*negate)
                        }
                        None => *result,
                    }
                }
                CriteriaNodeResult::ExtendDefinition { definition_ref, negate, .. } => {
                    self.certain_definition(definition_ref, whole, open).negate_if(*negate)
                }
            });
        }
        if !results.contains(&OvalResult::NotEvaluated) {
            results.extend(std::iter::repeat_n(OvalResult::Unknown, words));
        }
        criteria.operator.combine(results).negate_if(criteria.negate)
    }

    fn certain_test(&self, id: &TestId, test: &Test, plain: OvalResult, whole: &Whole) -> OvalResult {
        let TestKind::Known { test_type, comparison } = &test.kind else { return plain };
        let (own_objects, joined_objects) = (self.objects_below(&comparison.object), self.joined(comparison));
        let own = self.reads(&own_objects.objects, &whole.versions);
        let joined = self.reads(&joined_objects.objects, &whole.versions);
        let has = |kind: &GapKind| own.has(kind) || joined.has(kind);
        match plain {
            OvalResult::Unknown => {
                let failed = own.failed || joined.failed || has(&GapKind::Damaged);
                let gap = has(&GapKind::NotContained) || has(&GapKind::NoneGiven);
                if gap && !failed { OvalResult::NotEvaluated } else { plain }
            }
            OvalResult::True | OvalResult::False => {
                let truth = plain == OvalResult::True;
                if own.has(&GapKind::NoneGiven) && (whole.joins || !truth) {
                    return OvalResult::NotEvaluated;
                }
                // Whether an answer is the API server's 404 does not depend on what a list holds, but on whether it was given.
                let is_form = *test_type == TestType::TextFileContent54 && self.is_marker(&comparison.object);
                if is_form && own.has(&GapKind::NotContained) {
                    return OvalResult::NotEvaluated;
                }
                let open = Open {
                    own: own.is_open() && !is_form,
                    joined: joined.is_open() || joined.has(&GapKind::NoneGiven),
                };
                let grows =
                    (!open.own || self.grows(&own_objects)) && (!open.joined || self.grows(&joined_objects));
                if !open.own && !open.joined || grows && self.stays(id, test, comparison, truth, open) {
                    plain
                } else if has(&GapKind::Damaged) {
                    OvalResult::Unknown
                } else {
                    OvalResult::NotEvaluated
                }
            }
            OvalResult::Error | OvalResult::NotEvaluated | OvalResult::NotApplicable => plain,
        }
    }

    /// The objects that the states of a test compare with.
    fn joined(&self, comparison: &Comparison) -> Below {
        let states = comparison.states.iter().filter_map(|id| self.states.get(id));
        let entities = states.flat_map(|state| state.kind.entities());
        let variables = entities.filter_map(|entity| match &entity.value {
            EntityValue::Variable { var_ref, .. } => Some(var_ref),
            EntityValue::Literal(_) => None,
        });
        variables.map(|variable| self.objects_of(variable)).fold(Below::default(), |mut all, of_variable| {
            all.objects.extend(of_variable.objects);
            all.counted |= of_variable.counted;
            all
        })
    }

    /// Whether an object looks for the line that stands for the API server's 404.
    fn is_marker(&self, id: &ObjectId) -> bool {
        let Some(ObjectKind::Content(content)) = self.objects.get(id).map(|object| &object.kind) else {
            return false;
        };
        let pattern = content.entity("pattern").map(|entity| &entity.value);
        matches!(pattern, Some(EntityValue::Literal(text)) if text.contains(NOT_FOUND_MARKER))
    }

    /// Whether an object's files are answers of an API.
    fn is_of_the_api(&self, id: &ObjectId) -> bool {
        self.objects.get(id).is_some_and(|object| {
            self.texts_of_paths(object).iter().any(|(text, _)| text.contains(DUMP_ROOT))
        })
    }

    /// What objects read.
    fn reads(&self, objects: &BTreeSet<ObjectId>, versions: &Versions) -> Reads {
        let mut reads = Reads::default();
        for object in objects.iter().filter_map(|id| self.objects.get(id)) {
            for (text, is_path) in self.texts_of_paths(object) {
                // What a pattern matches may be any of the answers.
                let path = (is_path || !text.contains(DUMP_ROOT)).then_some(text.as_str());
                let gap = self.files.gap(path);
                reads.gaps.extend(gap.and_then(|gap| settled(gap, &text, versions)));
                if !is_path {
                    continue;
                }
                match self.files.read(&text) {
                    Lookup::Found(content) => {
                        let answered = content.trim_ascii_end() != NOT_FOUND_MARKER.as_bytes();
                        reads.given |= below_dump_root(&text) && answered && !gap.is_some_and(is_none_given);
                    }
                    Lookup::Missing { reason: None } => {}
                    Lookup::Missing { .. } | Lookup::Unreadable { .. } => reads.failed |= gap.is_none(),
                }
            }
        }
        reads
    }

    /// The paths that an object names, and whether they are paths and no patterns; of what is about no files `/`.
    fn texts_of_paths(&self, object: &Object) -> Vec<(String, bool)> {
        let ObjectKind::Content(content) = &object.kind else { return Vec::new() };
        let texts = |entity: &Entity| match &entity.value {
            EntityValue::Literal(text) => vec![text.clone()],
            EntityValue::Variable { var_ref, .. } => match self.values.get(var_ref) {
                Some(Ok(values)) => values.clone(),
                Some(Err(_)) | None => Vec::new(),
            },
        };
        match content.file() {
            _ if content.test_type == TestType::Variable => Vec::new(),
            Some(FileSpec::FilePath(entity)) => {
                let is_path = entity.operation == Operation::Equals;
                texts(entity).into_iter().map(|text| (text, is_path)).collect()
            }
            Some(FileSpec::PathAndName { path, filename }) => {
                let equals = |entity: &Entity| entity.operation == Operation::Equals;
                let is_path = equals(path) && filename.is_none_or(equals) && content.behaviors.is_empty();
                let names = filename.map_or_else(|| vec![String::new()], texts);
                let paths = texts(path).into_iter();
                let joined = paths.flat_map(|path| names.iter().map(move |name| format!("{path}/{name}")));
                joined.map(|text| (text, is_path)).collect()
            }
            None => vec![("/".to_owned(), false)],
        }
    }

    /// Whether a test stays true, or false, whatever is added to what is open.
    fn stays(&self, id: &TestId, test: &Test, comparison: &Comparison, truth: bool, open: Open) -> bool {
        if comparison.states.is_empty() {
            return match test.check_existence {
                Existence::AtLeastOneExists | Existence::AnyExist => truth,
                Existence::NoneExist => !truth,
                Existence::AllExist | Existence::OnlyOneExists => false,
            };
        }
        let compared = self.results.tests.get(id).is_some_and(|done| !done.tested_items.is_empty());
        if !compared || !matches!(test.check_existence, Existence::AtLeastOneExists | Existence::AnyExist) {
            return false;
        }
        // The items of an answer are the strings of one list. What is added to the list is added to its item.
        let state = match (test.check, truth) {
            (Check::All, truth) => truth,
            (Check::AtLeastOne, true) => true,
            (Check::NoneSatisfy, truth) => !truth,
            (Check::AtLeastOne | Check::OnlyOne, _) => return false,
        };
        // Of several items, another that is added may be different.
        let items = self.results.tests.get(id).map_or(0, |done| done.tested_items.len());
        if open.own && items > 1 && matches!((test.check, truth), (Check::All | Check::NoneSatisfy, true)) {
            return false;
        }
        comparison.states.iter().all(|id| self.state_stays(id, state, open))
    }

    fn state_stays(&self, id: &StateId, truth: bool, open: Open) -> bool {
        let Some(state) = self.states.get(id) else { return false };
        if matches!(state.kind, StateKind::Unsupported { .. }) {
            return false;
        }
        state.kind.entities().into_iter().all(|entity| {
            let own = match entity.entity_check {
                Check::AtLeastOne => truth,
                Check::All | Check::NoneSatisfy => !truth,
                Check::OnlyOne => false,
            };
            let joined = match &entity.value {
                EntityValue::Literal(_) => true,
                EntityValue::Variable { var_ref, .. } if self.objects_of(var_ref).objects.is_empty() => true,
                // With more values of the variable, more of what is compared satisfies, or less.
                EntityValue::Variable { var_check, .. } => match (var_check, entity.entity_check) {
                    (Check::AtLeastOne, Check::All | Check::AtLeastOne)
                    | (Check::All, Check::NoneSatisfy) => truth,
                    (Check::AtLeastOne, Check::NoneSatisfy)
                    | (Check::All, Check::All | Check::AtLeastOne) => !truth,
                    _ => false,
                },
            };
            (own || !open.own) && (joined || !open.joined)
        })
    }

    /// Whether more data can only mean more values.
    fn grows(&self, below: &Below) -> bool {
        let of_object = |id: &ObjectId| {
            let Some(object) = self.objects.get(id) else { return false };
            match &object.kind {
                ObjectKind::Content(content) if content.test_type == TestType::Variable => true,
                ObjectKind::Content(content) => {
                    content.test_type == TestType::YamlFileContent
                        && content.filters.is_empty()
                        && self
                            .texts_of_paths(object)
                            .iter()
                            .all(|(text, is_path)| self.is_list(text, *is_path))
                }
                ObjectKind::Set { set, .. } => set.filters.is_empty() && set.operator == SetOperator::Union,
                ObjectKind::Unsupported { .. } => false,
            }
        };
        !below.counted && below.objects.iter().all(of_object)
    }

    /// Whether a file is whole, or a list that begins with a marker, as filters and expressions write it.
    fn is_list(&self, text: &str, is_path: bool) -> bool {
        let begins = |content: &[u8]| [r#"["@"#, r#"["^@"#].iter().any(|b| content.starts_with(b.as_bytes()));
        is_path
            && (self.files.gap(Some(text)).is_none()
                || matches!(self.files.read(text), Lookup::Found(content) if begins(&content)))
    }
}

/// Where there may be more.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// In what is compared.
    own: bool,
    /// In what it is compared with.
    joined: bool,
}

/// The API path of a file of a dump.
fn api_path(text: &str) -> Option<&str> {
    let below = text.strip_prefix(DUMP_ROOT)?;
    Some(below.split_once('#').map_or(below, |(path, _)| path))
}

/// What a gap means for who reads these versions.
fn settled(gap: &Gap, text: &str, versions: &Versions) -> Option<Gap> {
    let GapKind::Versions(given) = &gap.kind else { return Some(gap.clone()) };
    let asked = api_path(text).and_then(ApiPath::of_objects);
    let read = asked.and_then(|asked| versions.get(&(asked.group, asked.resource)));
    if read.is_some_and(|read| given.is_subset(read)) {
        return None;
    }
    Some(Gap { kind: GapKind::NotContained, reason: gap.reason.clone() })
}

fn is_none_given(gap: &Gap) -> bool {
    gap.kind == GapKind::NoneGiven
}

#[cfg(test)]
#[path = "certain_tests.rs"]
mod tests;
