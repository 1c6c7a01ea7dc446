//! Compares what two tools said: rules, definitions, tests, objects and their items.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;

use super::arf::{Outcome, Report};

/// What a difference is about.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// The result of a rule.
    Rule,
    /// The result of a definition.
    Definition,
    /// The result of a test.
    Test,
    /// The tested items of a test, and the result of each.
    Tested,
    /// The flag of a collected object.
    Object,
    /// The items of a collected object.
    Collected,
    /// The values of the variables of a collected object.
    Variables,
}

impl Level {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Rule,
        Self::Definition,
        Self::Test,
        Self::Tested,
        Self::Object,
        Self::Collected,
        Self::Variables,
    ];

    /// What it is called in the file of known differences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Definition => "definition",
            Self::Test => "test",
            Self::Tested => "tested items",
            Self::Object => "object",
            Self::Collected => "collected items",
            Self::Variables => "variables",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One difference.
#[derive(Clone, Debug)]
pub struct Difference {
    /// What it is about.
    pub level: Level,
    /// The kind of test or object, as `textfilecontent54`.
    pub kind: String,
    /// Whether it is about the content of a CPE dictionary.
    pub cpe: bool,
    /// The id.
    pub id: String,
    /// What virtscap says.
    pub ours: String,
    /// What oscap says.
    pub theirs: String,
    /// What only oscap has.
    pub missing: Vec<String>,
    /// What only virtscap has.
    pub extra: Vec<String>,
    /// What else helps: messages, the flag of a test's object.
    pub notes: Vec<String>,
}

/// How many were compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    /// All.
    pub compared: usize,
    /// Those that are equal.
    pub equal: usize,
    /// Those that both tools could decide, whatever they decided.
    pub decided: usize,
}

/// The outcome of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    /// How many agree, by level and kind.
    pub counts: BTreeMap<(Level, String), Count>,
    /// Where they do not.
    pub differences: Vec<Difference>,
    /// How many results there are, by level, kind, result of ours and of theirs.
    pub results: BTreeMap<(Level, String, String, String), usize>,
    /// How many items oscap collected for the compared objects, and how many of them virtscap has too.
    pub items: (usize, usize),
}

/// What stands for a subject that is not mentioned.
const ABSENT: &str = "not evaluated";

/// Compares two outcomes.
pub fn compare(ours: &Outcome, theirs: &Outcome) -> Comparison {
    let mut comparison = Comparison::default();
    let result = |outcome: &Outcome, id: &str| {
        outcome.rules.get(id).cloned().unwrap_or_else(|| "notselected".to_owned())
    };
    for id in keys(&ours.rules, &theirs.rules) {
        let (ours, theirs) = (result(ours, id), result(theirs, id));
        if ours != "notselected" || theirs != "notselected" {
            comparison.results(Level::Rule, "", false, id, (&ours, &theirs), Vec::new());
        }
    }
    let mut left: Vec<&Report> = ours.reports.iter().collect();
    for report in &theirs.reports {
        let ours = counterpart(&mut left, report).unwrap_or(&NONE);
        comparison.reports(ours, report, report.cpe);
    }
    for report in left {
        comparison.reports(report, &NONE, report.cpe);
    }
    comparison
}

static NONE: LazyLock<Report> = LazyLock::new(Report::default);

/// Takes the report on the same definitions: the ids of reports are each tool's own.
fn counterpart<'a>(left: &mut Vec<&'a Report>, report: &Report) -> Option<&'a Report> {
    let common = |other: &Report| {
        let both = report.definitions.keys().filter(|id| other.definitions.contains_key(*id)).count();
        // A dictionary's OVAL has part of the definitions of the benchmark's.
        2 * both * 1000 / (report.definitions.len() + other.definitions.len()).max(1)
    };
    let (number, _) = left.iter().map(|other| common(other)).enumerate().max_by_key(|(_, common)| *common)?;
    (common(left[number]) > 0).then(|| left.remove(number))
}

fn keys<'a, T>(ours: &'a BTreeMap<String, T>, theirs: &'a BTreeMap<String, T>) -> BTreeSet<&'a String> {
    ours.keys().chain(theirs.keys()).collect()
}

/// Whether a result says something.
fn decides(result: &str) -> bool {
    matches!(result, "pass" | "fail" | "true" | "false" | "complete" | "does not exist")
}

impl Comparison {
    /// The number at a level, of all kinds.
    pub fn count(&self, level: Level) -> Count {
        let mut sum = Count::default();
        for ((_, _), count) in self.counts.iter().filter(|((of, _), _)| *of == level) {
            sum.compared += count.compared;
            sum.equal += count.equal;
            sum.decided += count.decided;
        }
        sum
    }

    fn results(
        &mut self,
        level: Level,
        kind: &str,
        cpe: bool,
        id: &str,
        results: (&str, &str),
        notes: Vec<String>,
    ) {
        let (ours, theirs) = results;
        let count = self.counts.entry((level, kind.to_owned())).or_default();
        count.compared += 1;
        count.equal += usize::from(ours == theirs);
        count.decided += usize::from(decides(ours) && decides(theirs));
        *self.results.entry((level, kind.to_owned(), ours.to_owned(), theirs.to_owned())).or_default() += 1;
        if ours != theirs {
            self.differences.push(Difference {
                level,
                kind: kind.to_owned(),
                cpe,
                id: id.to_owned(),
                ours: ours.to_owned(),
                theirs: theirs.to_owned(),
                missing: Vec::new(),
                extra: Vec::new(),
                notes,
            });
        }
    }

    fn sets(
        &mut self,
        level: Level,
        kind: &str,
        cpe: bool,
        id: &str,
        sets: (&BTreeMap<String, usize>, &BTreeMap<String, usize>),
        notes: Vec<String>,
    ) {
        let (ours, theirs) = sets;
        let less = |all: &BTreeMap<String, usize>, other: &BTreeMap<String, usize>| {
            let mut left = Vec::new();
            for (item, number) in all {
                let number = number.saturating_sub(other.get(item).copied().unwrap_or_default());
                left.extend(std::iter::repeat_n(item.clone(), number));
            }
            left
        };
        let (missing, extra) = (less(theirs, ours), less(ours, theirs));
        let equal = missing.is_empty() && extra.is_empty();
        let count = self.counts.entry((level, kind.to_owned())).or_default();
        count.compared += 1;
        count.equal += usize::from(equal);
        let number = |all: &BTreeMap<String, usize>| all.values().sum::<usize>();
        if level == Level::Collected {
            self.items.0 += number(theirs);
            self.items.1 += number(theirs) - missing.len();
        }
        if !equal {
            self.differences.push(Difference {
                level,
                kind: kind.to_owned(),
                cpe,
                id: id.to_owned(),
                ours: format!("{} items", number(ours)),
                theirs: format!("{} items", number(theirs)),
                missing,
                extra,
                notes,
            });
        }
    }

    fn reports(&mut self, ours: &Report, theirs: &Report, cpe: bool) {
        for id in keys(&ours.definitions, &theirs.definitions) {
            let result =
                |report: &Report| report.definitions.get(id).map_or(ABSENT, String::as_str).to_owned();
            let (ours, theirs) = (result(ours), result(theirs));
            if ours != ABSENT || theirs != ABSENT {
                self.results(Level::Definition, "", cpe, id, (&ours, &theirs), Vec::new());
            }
        }
        for id in keys(&ours.tests, &theirs.tests) {
            self.test(ours, theirs, cpe, id);
        }
        // oscap does not list all objects that it used: what only virtscap lists is no difference.
        let listed = |id: &&String| theirs.tests.is_empty() || theirs.objects.contains_key(*id);
        for id in keys(&ours.objects, &theirs.objects).into_iter().filter(listed) {
            self.object(ours, theirs, cpe, id);
        }
    }

    fn test(&mut self, ours: &Report, theirs: &Report, cpe: bool, id: &str) {
        let result = |report: &Report| report.tests.get(id).map_or(ABSENT, |test| &test.result).to_owned();
        let results = (result(ours), result(theirs));
        if results.0 == ABSENT && results.1 == ABSENT {
            return;
        }
        let kind = theirs.kind(id);
        let notes = || {
            let flag = |report: &Report| {
                let object = report.object_of.get(id).and_then(|object| report.objects.get(object));
                object.map_or("not collected at all".to_owned(), |object| object.flag.clone())
            };
            let mut notes = Vec::new();
            if let Some(object) = theirs.object_of.get(id) {
                notes.push(format!("object {object}: {} / {}", flag(ours), flag(theirs)));
                notes.extend(messages(ours, theirs, object));
            }
            notes
        };
        self.results(Level::Test, kind, cpe, id, (&results.0, &results.1), notes());
        let tested =
            |report: &Report| report.tests.get(id).map(|test| report.tested(test)).unwrap_or_default();
        self.sets(Level::Tested, kind, cpe, id, (&tested(ours), &tested(theirs)), notes());
    }

    fn object(&mut self, ours: &Report, theirs: &Report, cpe: bool, id: &str) {
        let flag =
            |report: &Report| report.objects.get(id).map_or("absent", |object| &object.flag).to_owned();
        let kind = match theirs.kind(id) {
            "unknown kind" => ours.kind(id),
            kind => kind,
        };
        let notes = messages(ours, theirs, id);
        self.results(Level::Object, kind, cpe, id, (&flag(ours), &flag(theirs)), notes.clone());
        let collected = |report: &Report| {
            report.objects.get(id).map(|object| report.collected(object)).unwrap_or_default()
        };
        self.sets(Level::Collected, kind, cpe, id, (&collected(ours), &collected(theirs)), notes);
        let variables = |report: &Report| -> BTreeMap<String, usize> {
            let object = report.objects.get(id);
            object.into_iter().flat_map(|object| &object.variables).map(|value| (value.clone(), 1)).collect()
        };
        let (ours, theirs) = (variables(ours), variables(theirs));
        if !ours.is_empty() || !theirs.is_empty() {
            self.sets(Level::Variables, kind, cpe, id, (&ours, &theirs), Vec::new());
        }
    }
}

fn messages(ours: &Report, theirs: &Report, object: &str) -> Vec<String> {
    let of = |report: &Report, who: &str| -> Vec<String> {
        let object = report.objects.get(object);
        object.into_iter().flat_map(|object| &object.messages).map(|text| format!("{who}: {text}")).collect()
    };
    let mut all = of(ours, "virtscap says");
    all.extend(of(theirs, "oscap says"));
    all
}
