//! Evaluation of OVAL definitions (OVAL 5.11, section 5), as stock OpenSCAP does it.

mod address;
mod behaviors;
mod certain;
mod compare;
mod functions;
mod glob;
mod matcher;
mod names;
mod prefix;
mod probes;
mod set;
mod state;
mod test;
mod times;
mod uses;
mod variables;
mod walk;

use std::cell::OnceCell;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash as _, Hasher as _};
use std::rc::Rc;

use virtscap_scap::id::{DefinitionId, ObjectId, StateId, TestId, VariableId};
use virtscap_scap::oval::results::{
    CollectedObject, CriteriaNodeResult, CriteriaResult, DefinitionResult, Flag, OvalResults,
};
use virtscap_scap::oval::{
    Criteria, CriteriaNode, Definition, Item, ItemContent, Object, Operator, OvalDefinitions, OvalResult,
    State, Test, TestType, Variable,
};

use crate::files::{Files, Lookup};
pub use certain::Certain;
use variables::NoValues;

/// The values of the external variables: what XCCDF exports to the checks.
pub type ExternalValues = BTreeMap<VariableId, Vec<String>>;

/// What was collected, by object: how well, and the items.
pub(crate) type Recorded = BTreeMap<ObjectId, (Flag, Vec<ItemContent>)>;

/// How many things may refer to each other in a row, with the criteria, sets and functions that they are nested in: all of
/// these are evaluated by recursion.
const MAX_CHAIN: usize = 200;

/// An evaluation of one OVAL document. Everything is evaluated once, when it is first asked for.
pub struct Session<'a> {
    definitions: HashMap<&'a DefinitionId, &'a Definition>,
    tests: HashMap<&'a TestId, &'a Test>,
    objects: HashMap<&'a ObjectId, &'a Object>,
    states: HashMap<&'a StateId, &'a State>,
    variables: HashMap<&'a VariableId, &'a Variable>,
    files: &'a dyn Files,
    /// What was collected by somebody else; none: the files are read.
    recorded: Option<Recorded>,
    external: ExternalValues,
    values: HashMap<&'a VariableId, Result<Vec<String>, NoValues>>,
    prepared: HashMap<StateId, Rc<state::Prepared>>,
    contents: probes::Contents,
    selected: probes::Selected,
    walked: probes::Walked,
    /// The local file systems, once they were asked for.
    local_devices: OnceCell<Option<HashSet<u64>>>,
    /// The document's version of the schema, by which some items differ.
    schema: [u32; 3],
    /// The packages of dpkg, once they were asked for.
    dpkg: Option<Rc<probes::Installed>>,
    /// The packages of RPM, once they were asked for.
    rpm: Option<Lookup<Rc<Vec<crate::rpm::Header>>>>,
    /// The message bus, once it was asked for.
    bus: Option<crate::bus::Connected>,
    /// What fwupd says, once it was asked.
    firmware: Option<Rc<Result<probes::SecurityAttributes, String>>>,
    /// The numbers of items, by their hash: what two objects find is one item.
    known_items: HashMap<u64, Vec<u64>>,
    /// What is being evaluated: meeting it again is a cycle.
    open: BTreeSet<String>,
    /// How many criteria, sets and functions are being evaluated.
    nested: usize,
    /// What is wrong with definitions that others extend.
    problems: HashMap<DefinitionId, String>,
    results: OvalResults,
}

impl<'a> Session<'a> {
    /// Starts an evaluation.
    pub fn new(oval: &'a OvalDefinitions, files: &'a dyn Files, external: ExternalValues) -> Self {
        Self {
            definitions: oval.definitions.iter().map(|d| (&d.id, d)).collect(),
            tests: oval.tests.iter().map(|t| (&t.id, t)).collect(),
            objects: oval.objects.iter().map(|o| (&o.id, o)).collect(),
            states: oval.states.iter().map(|s| (&s.id, s)).collect(),
            variables: oval.variables.iter().map(|v| (&v.id, v)).collect(),
            files,
            recorded: None,
            external,
            values: HashMap::new(),
            prepared: HashMap::new(),
            contents: probes::Contents::default(),
            selected: probes::Selected::default(),
            walked: probes::Walked::default(),
            local_devices: OnceCell::new(),
            schema: schema_version(&oval.generator.schema_version),
            dpkg: None,
            rpm: None,
            bus: None,
            firmware: None,
            known_items: HashMap::new(),
            open: BTreeSet::new(),
            nested: 0,
            problems: HashMap::new(),
            results: OvalResults::default(),
        }
    }

    /// Evaluates what was collected before, and reads no files.
    pub(crate) fn on(self, recorded: Recorded) -> Self {
        Self { recorded: Some(recorded), ..self }
    }

    /// The definition of this id, where the document has it.
    pub fn definition(&self, id: &DefinitionId) -> Option<&'a Definition> {
        self.definitions.get(id).copied()
    }

    /// Every definition of the document. Sorted, so that the same input gives the same bytes.
    pub fn definition_ids(&self) -> BTreeSet<&'a DefinitionId> {
        self.definitions.keys().copied().collect()
    }

    /// Evaluates a definition.
    pub fn evaluate(&mut self, id: &DefinitionId) -> OvalResult {
        if let Some(done) = self.results.definitions.get(id) {
            return done.result;
        }
        let Some(definition) = self.definition(id) else {
            let problem = format!("the definition {id} is not in the document");
            self.problems.insert(id.clone(), problem);
            return OvalResult::Error;
        };
        if let Some(problem) = self.open(id.as_str()) {
            self.problems.insert(id.clone(), format!("the definition {id} {problem}"));
            return OvalResult::Error;
        }
        let criteria = definition.criteria.as_ref().map(|criteria| self.criteria(criteria));
        self.open.remove(id.as_str());
        let result = criteria.as_ref().map_or(OvalResult::NotEvaluated, |criteria| criteria.result);
        let done = DefinitionResult { version: definition.version.clone(), result, criteria };
        self.results.definitions.insert(id.clone(), done);
        result
    }

    /// Notes that something is being evaluated, or says why it cannot be.
    fn open(&mut self, id: &str) -> Option<&'static str> {
        if self.open.contains(id) {
            return Some("refers to itself");
        }
        if self.open.len() + self.nested >= MAX_CHAIN {
            return Some("is at the end of too long a chain of references");
        }
        self.open.insert(id.to_owned());
        None
    }

    fn criteria(&mut self, criteria: &'a Criteria) -> CriteriaResult {
        // Every child is evaluated, also where the first decides: the report shows them all.
        self.nested += 1;
        let children: Vec<_> = criteria.children.iter().map(|child| self.criteria_node(child)).collect();
        self.nested -= 1;
        let combined = criteria.operator.combine(children.iter().map(CriteriaNodeResult::result));
        CriteriaResult {
            operator: criteria.operator,
            negate: criteria.negate,
            result: combined.negate_if(criteria.negate),
            children,
        }
    }

    fn criteria_node(&mut self, node: &'a CriteriaNode) -> CriteriaNodeResult {
        match node {
            CriteriaNode::Criteria(criteria) => CriteriaNodeResult::Criteria(self.criteria(criteria)),
            CriteriaNode::Criterion { test_ref, negate, .. } => CriteriaNodeResult::Criterion {
                test_ref: test_ref.clone(),
                version: self.tests.get(test_ref).map_or_else(|| "1".to_owned(), |t| t.version.clone()),
                negate: *negate,
                result: self.test(test_ref).negate_if(*negate),
            },
            CriteriaNode::ExtendDefinition { definition_ref, negate, .. } => {
                let version =
                    self.definition(definition_ref).map_or_else(|| "1".to_owned(), |d| d.version.clone());
                CriteriaNodeResult::ExtendDefinition {
                    definition_ref: definition_ref.clone(),
                    version,
                    negate: *negate,
                    result: self.evaluate(definition_ref).negate_if(*negate),
                }
            }
        }
    }

    fn test(&mut self, id: &TestId) -> OvalResult {
        if let Some(done) = self.results.tests.get(id) {
            return done.result;
        }
        let Some(test) = self.tests.get(id).copied() else { return OvalResult::Error };
        let done = self.evaluate_test(test);
        let result = done.result;
        self.results.tests.insert(id.clone(), done);
        result
    }

    /// Adds an item to the results, unless it is there already, and gives its number.
    fn add_item(&mut self, content: ItemContent) -> u64 {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(same_hash) = self.known_items.get(&hash)
            && let Some(known) = same_hash.iter().find(|id| self.item(**id) == Some(&content))
        {
            return *known;
        }
        let id = self.results.items.len() as u64 + 1;
        self.results.items.push(Item { id, content });
        self.known_items.entry(hash).or_default().push(id);
        id
    }

    /// An item of the results.
    fn item(&self, id: u64) -> Option<&ItemContent> {
        let index = usize::try_from(id).ok()?.checked_sub(1)?;
        self.results.items.get(index).map(|item| &item.content)
    }

    /// Counts what nobody here knows: a test, an object, a state or a function.
    fn note_unsupported(&mut self, name: &str) {
        *self.results.unsupported.entry(name.to_owned()).or_default() += 1;
    }

    /// All results so far.
    pub fn results(&self) -> &OvalResults {
        &self.results
    }

    /// Ends the evaluation.
    pub fn into_results(mut self) -> OvalResults {
        for (id, values) in std::mem::take(&mut self.values) {
            let counts = self.variables.get(id).is_some_and(|v| v.counts());
            match values {
                Ok(values) => {
                    self.results.variables.insert(id.clone(), values);
                }
                // oscap tells that it counted nothing, though it takes the variable for one that is not there.
                Err(none) if none.flag == Flag::DoesNotExist && counts => {
                    self.results.variables.insert(id.clone(), vec!["0".to_owned()]);
                }
                Err(_) => {}
            }
        }
        self.results
    }

    /// What makes a definition false: the offenders of its false tests, in the order of its criteria. Below criteria that
    /// are not false themselves nothing made the definition false.
    ///
    /// A branch whose children all have to hold, one of them negated (`the file is there AND NOT it is a link AND …`),
    /// is about a situation. Where the negated child is false, the situation is another one and the branch does not
    /// apply: nothing below it is an offender, for nobody could make it hold there.
    ///
    /// Of tests whose results would not stay nothing is told: what one finds may be content with what is missing.
    pub fn offenders(&self, id: &DefinitionId, certain: Option<&Certain>) -> Vec<String> {
        let applies = |criteria: &CriteriaResult| {
            let excluded = |child: &CriteriaNodeResult| {
                let negated = match child {
                    CriteriaNodeResult::Criteria(criteria) => criteria.negate,
                    CriteriaNodeResult::Criterion { negate, .. }
                    | CriteriaNodeResult::ExtendDefinition { negate, .. } => *negate,
                };
                negated && child.result() == OvalResult::False
            };
            criteria.result == OvalResult::False
                && !criteria.negate
                && (criteria.operator != Operator::And || !criteria.children.iter().any(excluded))
        };
        let mut offenders = Distinct::default();
        self.for_each_reference(id, &applies, &mut |node| {
            if let CriteriaNodeResult::Criterion { test_ref, negate: false, .. } = node
                && let Some(test) = self.results.tests.get(test_ref)
                && test.result == OvalResult::False
                && certain.is_none_or(|certain| !certain.open.contains(test_ref))
            {
                offenders.extend(&test.offenders);
            }
        });
        offenders.texts
    }

    /// Why a definition is neither true nor false: messages of its tests and of what they collected.
    pub fn reasons(&self, id: &DefinitionId) -> Vec<String> {
        let mut reasons = Distinct::default();
        let mut unconfirmed = Distinct::default();
        // A part that holds is not what keeps the whole from being decided.
        let open = |criteria: &CriteriaResult| criteria.negate || criteria.result != OvalResult::True;
        self.for_each_reference(id, &open, &mut |node| match node {
            CriteriaNodeResult::Criterion { test_ref, .. } => {
                let Some(test) = self.tests.get(test_ref) else {
                    return reasons.extend([&format!("the test {test_ref} is not in the document")]);
                };
                if let Some(result) = self.results.tests.get(test_ref) {
                    reasons.extend(&result.messages);
                    if result.result == OvalResult::False {
                        unconfirmed.extend([&format!("could not be confirmed: {}", test.comment)]);
                    }
                }
                let object = test.kind.comparison().and_then(|c| self.results.objects.get(&c.object));
                if let Some((_, object)) = object {
                    reasons.extend(&object.messages);
                }
            }
            CriteriaNodeResult::ExtendDefinition { definition_ref, .. } => {
                reasons.extend(self.problems.get(definition_ref));
            }
            CriteriaNodeResult::Criteria(_) => {}
        });
        if reasons.texts.is_empty() { unconfirmed.texts } else { reasons.texts }
    }

    /// Visits the tests and definitions that a definition rests on, but for those below criteria that do not count.
    fn for_each_reference(
        &self,
        id: &DefinitionId,
        counts: &dyn Fn(&CriteriaResult) -> bool,
        visit: &mut dyn FnMut(&CriteriaNodeResult),
    ) {
        // A list, not recursion: definitions that were evaluated one by one may extend each other in a long row.
        let mut open: Vec<std::slice::Iter<'_, CriteriaNodeResult>> = Vec::new();
        let mut seen = HashSet::new();
        let top = self.results.definitions.get(id).and_then(|d| d.criteria.as_ref());
        open.extend(top.filter(|criteria| counts(criteria)).map(|criteria| criteria.children.iter()));
        while let Some(children) = open.last_mut() {
            let Some(child) = children.next() else {
                open.pop();
                continue;
            };
            visit(child);
            let below = match child {
                CriteriaNodeResult::Criteria(criteria) => Some(criteria),
                CriteriaNodeResult::Criterion { .. } => None,
                CriteriaNodeResult::ExtendDefinition { definition_ref, .. } => {
                    let definition = self.results.definitions.get(definition_ref);
                    definition.and_then(|d| d.criteria.as_ref()).filter(|_| seen.insert(definition_ref))
                }
            };
            open.extend(below.filter(|criteria| counts(criteria)).map(|criteria| criteria.children.iter()));
        }
    }

    /// Collects an object, once.
    fn object(&mut self, id: &ObjectId) -> CollectedObject {
        if let Some((_, done)) = self.results.objects.get(id) {
            return done.clone();
        }
        let Some(object) = self.objects.get(id).copied() else {
            return probes::failed(format!("the object {id} is not in the document"));
        };
        if let Some(problem) = self.open(id.as_str()) {
            return probes::failed(format!("the object {id} {problem}"));
        }
        let collected = match &self.recorded {
            // What a variable holds is worked out from the items again.
            Some(recorded) if object.kind.test_type() != Some(TestType::Variable) => {
                let (flag, items) = recorded.get(id).cloned().unwrap_or((Flag::NotCollected, Vec::new()));
                let items = items.into_iter().map(|item| self.add_item(item)).collect();
                CollectedObject { flag, messages: Vec::new(), items }
            }
            _ => self.collect(object),
        };
        self.open.remove(id.as_str());
        let variables = self.variables_of(object);
        if !variables.is_empty() {
            self.results.object_variables.insert(id.clone(), variables);
        }
        self.results.objects.insert(id.clone(), (object.version.clone(), collected.clone()));
        collected
    }
}

/// The numbers of a version such as `5.11.1`.
fn schema_version(text: &str) -> [u32; 3] {
    let mut numbers = text.trim().split('.').map(|number| number.parse().unwrap_or(0));
    std::array::from_fn(|_| numbers.next().unwrap_or(0))
}

/// Texts in the order in which they came, each once.
#[derive(Default)]
struct Distinct {
    texts: Vec<String>,
    seen: HashSet<String>,
}

impl Distinct {
    fn push(&mut self, text: String) {
        if !self.seen.contains(&text) {
            self.seen.insert(text.clone());
            self.texts.push(text);
        }
    }

    fn extend<'t>(&mut self, texts: impl IntoIterator<Item = &'t String>) {
        for text in texts {
            self.push(text.clone());
        }
    }
}
