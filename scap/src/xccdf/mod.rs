//! XCCDF 1.2 (NISTIR 7275r4): the benchmark, tailorings of it, and the results of applying it.

mod enumerations;
mod extends;
mod read;
pub mod results;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use crate::cpe::PlatformSpecification;
use crate::id::{BenchmarkId, GroupId, ProfileId, RuleId, ValueId};
use crate::markup::Markup;

pub use enumerations::{CheckOperator, Role, ScoringModel, Severity, ValueType, XccdfResult};

/// A benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Benchmark {
    /// Its id.
    pub id: BenchmarkId,
    /// Status and date of the text, such as `draft` and `2026-01-01`.
    pub status: Option<(String, String)>,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: Markup,
    /// Platforms that are combined of others, which `platforms` can name by id.
    pub platform_specification: PlatformSpecification,
    /// Platforms it is for (CPE names, or `#` and an id of `platform_specification`); none: for all.
    pub platforms: Vec<String>,
    /// Its version.
    pub version: String,
    /// How scores are computed; none: the default model.
    pub models: Vec<ScoringModel>,
    /// Selections of its rules and values.
    pub profiles: Vec<Profile>,
    /// All Values, those within Groups included.
    pub values: Vec<Value>,
    /// Groups and rules.
    pub items: Vec<Item>,
    /// Ids of Groups and Rules that are `abstract`. They are there to be extended, so `items` does not have them.
    pub abstract_items: BTreeSet<String>,
}

/// A Group or a Rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A Group.
    Group(Group),
    /// A Rule.
    Rule(Box<Rule>),
}

/// What Groups and Rules share (`selectableItemType`).
#[derive(Debug, Clone, PartialEq)]
pub struct Selectable {
    /// Whether it is selected where no profile says otherwise.
    pub selected: bool,
    /// Its weight in scores.
    pub weight: f64,
    /// A name by which profiles can mean it together with others.
    pub cluster_id: Option<String>,
    /// Platforms it is for (CPE names); none: those of what is around it.
    pub platforms: Vec<String>,
    /// Ids that have to be selected too: one of each inner list.
    pub requires: Vec<Vec<String>>,
    /// Ids that must not be selected too.
    pub conflicts: Vec<String>,
}

impl Default for Selectable {
    fn default() -> Self {
        Self {
            selected: true,
            weight: 1.0,
            cluster_id: None,
            platforms: Vec::new(),
            requires: Vec::new(),
            conflicts: Vec::new(),
        }
    }
}

/// A Group: a section of the benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// What it shares with Rules.
    pub selectable: Selectable,
    /// Its title.
    pub title: String,
    /// What it is about.
    pub description: Markup,
    /// What it holds.
    pub items: Vec<Item>,
}

/// A Rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: RuleId,
    /// What it shares with Groups.
    pub selectable: Selectable,
    /// How bad a fail is; none where the document does not say.
    pub severity: Option<Severity>,
    /// What its result is used for.
    pub role: Role,
    /// Its title.
    pub title: String,
    /// What it says.
    pub description: Markup,
    /// Hints and, in content for the Compliance Operator, the API paths that its check reads.
    pub warnings: Vec<Markup>,
    /// Where it comes from.
    pub references: Vec<Reference>,
    /// Where it stands in the guide; virtscap's own metadata.
    pub guide: Option<GuidePlace>,
    /// Why it should hold.
    pub rationale: Option<Markup>,
    /// How to make it hold, for people.
    pub fixtexts: Vec<Markup>,
    /// How to make it hold, for machines.
    pub fixes: Vec<Fix>,
    /// How to tell whether it holds.
    pub check: RuleCheck,
}

/// How a Rule is checked.
#[derive(Debug, Clone, PartialEq)]
pub enum RuleCheck {
    /// By one of several checks, for tools of different kinds or by the profile's choice.
    Simple(Vec<Check>),
    /// By a boolean combination.
    Complex(ComplexCheck),
}

impl RuleCheck {
    /// All checks, also those of a combination.
    pub fn checks(&self) -> Vec<&Check> {
        fn collect<'a>(complex: &'a ComplexCheck, all: &mut Vec<&'a Check>) {
            for child in &complex.children {
                match child {
                    ComplexCheckNode::Check(check) => all.push(check),
                    ComplexCheckNode::Complex(complex) => collect(complex, all),
                }
            }
        }
        let mut all = Vec::new();
        match self {
            Self::Simple(checks) => all.extend(checks),
            Self::Complex(complex) => collect(complex, &mut all),
        }
        all
    }
}

/// A reference to another text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Address of the other text.
    pub href: String,
    /// What is referred to in it.
    pub text: String,
}

/// Where a rule stands in the hardening guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuidePlace {
    /// Number of its section, such as `1.2`.
    pub section: String,
    /// Its level; none for statements that have none.
    pub level: Option<u8>,
}

/// A fix for machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// Its id.
    pub id: Option<String>,
    /// In what it is written.
    pub system: String,
    /// The fix.
    pub content: String,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The language of the check.
    pub system: String,
    /// The name by which a profile chooses it; none where no profile has to.
    pub selector: Option<String>,
    /// Whether pass and fail change places.
    pub negate: bool,
    /// Whether each definition gives a result of its own.
    pub multi_check: bool,
    /// Which values go to which variables.
    pub exports: Vec<CheckExport>,
    /// Where the check is; the first that can be used counts.
    pub content_refs: Vec<CheckContentRef>,
}

/// The export of a Value to a variable of the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckExport {
    /// The Value.
    pub value_id: ValueId,
    /// The variable.
    pub export_name: String,
}

/// Where a check is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckContentRef {
    /// Name of the document, as the data stream's catalog has it.
    pub href: String,
    /// Definition in the document; none: all.
    pub name: Option<String>,
}

/// A boolean combination of checks.
#[derive(Debug, Clone, PartialEq)]
pub struct ComplexCheck {
    /// How they combine.
    pub operator: CheckOperator,
    /// Whether pass and fail change places.
    pub negate: bool,
    /// What is combined.
    pub children: Vec<ComplexCheckNode>,
}

/// A part of a [`ComplexCheck`].
#[derive(Debug, Clone, PartialEq)]
pub enum ComplexCheckNode {
    /// A check.
    Check(Check),
    /// A nested combination.
    Complex(ComplexCheck),
}

/// A profile: a selection of rules and values.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// The profile it starts from.
    pub extends: Option<ProfileId>,
    /// Its title.
    pub title: String,
    /// What it is for.
    pub description: Markup,
    /// Whether it is only there to be extended.
    pub is_abstract: bool,
    /// Platforms; the Compliance Operator tells Node from Platform profiles by them.
    pub platforms: Vec<String>,
    /// Which Groups and Rules are in or out, in order.
    pub selects: Vec<Select>,
    /// Values that are set, in order.
    pub set_values: Vec<SetValue>,
    /// Values that are set to lists (`set-complex-value`), which is not supported: as with OpenSCAP, they stay as they are.
    pub complex_values: Vec<ValueId>,
    /// Values of which another alternative is chosen.
    pub refine_values: Vec<RefineValue>,
    /// Rules whose severity, role or weight is changed.
    pub refine_rules: Vec<RefineRule>,
    /// Why, by id of what is selected, set or refined.
    pub remarks: BTreeMap<String, String>,
}

/// A selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// A Group or Rule.
    pub idref: String,
    /// In or out.
    pub selected: bool,
}

/// A value that is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetValue {
    /// The Value.
    pub idref: ValueId,
    /// What it is set to.
    pub value: String,
}

/// An alternative that is chosen.
///
/// An operator that is chosen changes no verdict, with OpenSCAP neither: how a variable is compared is up to the check.
/// But the last refinement of a value counts as a whole, so one that names only an operator chooses the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefineValue {
    /// The Value.
    pub idref: ValueId,
    /// The alternative; empty: the default.
    pub selector: String,
}

/// A change of a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RefineRule {
    /// The Rule.
    pub idref: RuleId,
    /// Its new severity.
    pub severity: Option<Severity>,
    /// Its new role.
    pub role: Option<Role>,
    /// Its new weight.
    pub weight: Option<f64>,
    /// Which of its checks is used.
    pub selector: Option<String>,
}

/// A Value: what an auditor can set. Its operator, bounds and choices change no verdict, with OpenSCAP neither.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// Its id.
    pub id: ValueId,
    /// Its type.
    pub value_type: ValueType,
    /// Its title.
    pub title: String,
    /// What it means.
    pub description: Markup,
    /// The alternatives: selector and value. The one without a selector is the default.
    pub values: Vec<(Option<String>, String)>,
}

impl Value {
    /// The value that counts where nothing chooses one: without selector, else the first.
    pub fn default_value(&self) -> Option<&str> {
        self.alternative("").or_else(|| self.values.first().map(|(_, value)| value.as_str()))
    }

    /// The alternative of this selector; of several the last, as OpenSCAP has it.
    pub fn alternative(&self, selector: &str) -> Option<&str> {
        let found = self.values.iter().rfind(|(own, _)| own.as_deref().unwrap_or_default() == selector);
        found.map(|(_, value)| value.as_str())
    }
}

/// A tailoring: profiles kept outside of the benchmark (XCCDF 1.2, 6.7).
#[derive(Debug, Clone, PartialEq)]
pub struct Tailoring {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// When that version was made.
    pub version_time: Option<String>,
    /// The profiles.
    pub profiles: Vec<Profile>,
}

impl Benchmark {
    /// The values that checks of rules export, for the rules that are selected.
    pub fn values_of(&self, selected: &dyn Fn(&Rule) -> bool) -> BTreeSet<&ValueId> {
        let mut values = BTreeSet::new();
        self.for_each_rule(&mut |_, rule| {
            if selected(rule) {
                let exports = rule.check.checks().into_iter().flat_map(|check| &check.exports);
                values.extend(exports.map(|export| &export.value_id));
            }
        });
        values
    }

    /// Calls `visit` for every rule in document order, with the Groups around it, outermost first.
    pub fn for_each_rule<'a>(&'a self, visit: &mut dyn FnMut(&[&'a Group], &'a Rule)) {
        fn walk<'a>(
            items: &'a [Item],
            groups: &mut Vec<&'a Group>,
            visit: &mut dyn FnMut(&[&'a Group], &'a Rule),
        ) {
            for item in items {
                match item {
                    Item::Rule(rule) => visit(groups, rule),
                    Item::Group(group) => {
                        groups.push(group);
                        walk(&group.items, groups, visit);
                        groups.pop();
                    }
                }
            }
        }
        walk(&self.items, &mut Vec::new(), visit);
    }
}
