//! What evaluating OVAL gives: results, and the items they rest on (system characteristics).

use std::collections::{BTreeMap, BTreeSet};

pub use super::write_results::ResultsFrame;

use super::{Check, Existence, Item, Operator, OvalResult};
use crate::enumeration::enumeration;
use crate::id::{DefinitionId, ObjectId, TestId, VariableId};

enumeration! {
    /// `FlagEnumeration`: how well an object was collected.
    Flag, "OVAL flag" {
        /// Everything that matches was collected.
        Complete => "complete",
        /// Something went wrong.
        Error => "error",
        /// Some of what matches was collected.
        Incomplete => "incomplete",
        /// Nothing matches.
        DoesNotExist => "does not exist",
        /// Nobody looked.
        NotCollected => "not collected",
        /// The object has no meaning on this system.
        NotApplicable => "not applicable",
    }
}

/// How an object was collected.
#[derive(Debug, Clone, PartialEq)]
pub struct CollectedObject {
    /// How well.
    pub flag: Flag,
    /// What went wrong or was missing, for people.
    pub messages: Vec<String>,
    /// Numbers of the items.
    pub items: Vec<u64>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct TestResult {
    /// The test's version.
    pub version: String,
    /// Its `check`.
    pub check: Check,
    /// Its `check_existence`.
    pub check_existence: Existence,
    /// Its `state_operator`.
    pub state_operator: Operator,
    /// The result.
    pub result: OvalResult,
    /// Why, where that is not plain.
    pub messages: Vec<String>,
    /// The items, with the result of each.
    pub tested_items: Vec<(u64, OvalResult)>,
    /// The texts within the items that do not satisfy the test's states: what makes a false test false.
    pub offenders: Vec<String>,
    /// The variables that were used; their values are in [`OvalResults::variables`].
    pub tested_variables: BTreeSet<VariableId>,
}

/// What came of a definition.
#[derive(Debug, Clone, PartialEq)]
pub struct DefinitionResult {
    /// The definition's version.
    pub version: String,
    /// The result.
    pub result: OvalResult,
    /// The result of each part; none where the definition has no criteria.
    pub criteria: Option<CriteriaResult>,
}

/// What came of criteria.
#[derive(Debug, Clone, PartialEq)]
pub struct CriteriaResult {
    /// How the children combine.
    pub operator: Operator,
    /// Whether the result was turned round.
    pub negate: bool,
    /// The result, turned round where `negate` says so.
    pub result: OvalResult,
    /// The results of the children.
    pub children: Vec<CriteriaNodeResult>,
}

/// What came of a child of criteria.
#[derive(Debug, Clone, PartialEq)]
pub enum CriteriaNodeResult {
    /// A nested combination.
    Criteria(CriteriaResult),
    /// A test.
    Criterion {
        /// The test.
        test_ref: TestId,
        /// Its version.
        version: String,
        /// Whether the result was turned round.
        negate: bool,
        /// The result.
        result: OvalResult,
    },
    /// Another definition.
    ExtendDefinition {
        /// The definition.
        definition_ref: DefinitionId,
        /// Its version.
        version: String,
        /// Whether the result was turned round.
        negate: bool,
        /// The result.
        result: OvalResult,
    },
}

impl CriteriaNodeResult {
    /// The child's result.
    pub fn result(&self) -> OvalResult {
        match self {
            Self::Criteria(c) => c.result,
            Self::Criterion { result, .. } | Self::ExtendDefinition { result, .. } => *result,
        }
    }
}

/// All that came of evaluating one `oval_definitions` document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OvalResults {
    /// By definition.
    pub definitions: BTreeMap<DefinitionId, DefinitionResult>,
    /// By test.
    pub tests: BTreeMap<TestId, TestResult>,
    /// By object, with its version.
    pub objects: BTreeMap<ObjectId, (String, CollectedObject)>,
    /// The variables that objects rest on.
    pub object_variables: BTreeMap<ObjectId, BTreeSet<VariableId>>,
    /// The values of variables, where they have any.
    pub variables: BTreeMap<VariableId, Vec<String>>,
    /// What the document asks for and the evaluator does not know, by name, with how often it was met.
    pub unsupported: BTreeMap<String, usize>,
    /// The items, numbered from 1.
    pub items: Vec<Item>,
    /// Entities, by the item's number and their name, whose values are kept out of the document.
    pub masked: BTreeSet<(u64, &'static str)>,
}

/// What an `oval_results` document says of the system (`SystemInfoType`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemInfo {
    /// Name of its operating system.
    pub os_name: String,
    /// The operating system's version.
    pub os_version: String,
    /// Its processors' architecture.
    pub architecture: String,
    /// Its own name.
    pub primary_host_name: String,
    /// Its network interfaces.
    pub interfaces: Vec<InterfaceInfo>,
}

/// A network interface of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceInfo {
    /// Its name.
    pub name: String,
    /// Its address.
    pub ip_address: String,
    /// Its hardware's address.
    pub mac_address: String,
}
