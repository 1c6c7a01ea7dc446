//! Shows a comparison to the one who looks for the cause of a difference.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::compare::{Comparison, Difference, Level};

/// What of a comparison is shown.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How many differences of a level and kind are shown.
    pub examples: usize,
    /// How many items of a difference are shown.
    pub items: usize,
    /// How long an item may be.
    pub width: usize,
    /// Only the kind with this name.
    pub kind: Option<String>,
    /// Only ids that contain this.
    pub id: Option<String>,
    /// Only this level.
    pub level: Option<String>,
}

/// The whole comparison as text.
pub fn show(comparison: &Comparison, wish: &Wish) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "RESULTS (virtscap / oscap)");
    for ((level, kind, ours, theirs), number) in &comparison.results {
        let mark = if ours == theirs { " " } else { "!" };
        let _ = writeln!(text, "{mark} {level:<11} {kind:<24} {ours:>16} / {theirs:<16} {number:>7}");
    }
    let _ =
        writeln!(text, "\n{:<16} {:<30} {:>9} {:>9} {:>9}", "LEVEL", "KIND", "compared", "equal", "decided");
    for ((level, kind), count) in &comparison.counts {
        let mark = if count.compared == count.equal { " " } else { "!" };
        let (compared, equal, decided) = (count.compared, count.equal, count.decided);
        let _ = writeln!(text, "{mark} {level:<14} {kind:<30} {compared:>9} {equal:>9} {decided:>9}");
    }
    let _ =
        writeln!(text, "  {:<14} {:<30} {:>9} {:>9}", "items", "", comparison.items.0, comparison.items.1);
    let mut groups: BTreeMap<(Level, &str), Vec<&Difference>> = BTreeMap::new();
    for one in &comparison.differences {
        let wanted = wish.kind.as_ref().is_none_or(|kind| *kind == one.kind)
            && wish.id.as_ref().is_none_or(|id| one.id.contains(id))
            && wish.level.as_ref().is_none_or(|level| level == one.level.name());
        if wanted {
            groups.entry((one.level, &one.kind)).or_default().push(one);
        }
    }
    for ((level, kind), all) in groups {
        let _ = writeln!(text, "\n== {level} {kind}: {} differ", all.len());
        for one in all.iter().take(wish.examples) {
            difference(&mut text, one, wish);
        }
    }
    text
}

/// One difference as text.
pub fn difference(text: &mut String, one: &Difference, wish: &Wish) {
    let cpe = if one.cpe { " (CPE)" } else { "" };
    let _ = writeln!(text, "{}{cpe}: virtscap {} / oscap {}", one.id, one.ours, one.theirs);
    for note in &one.notes {
        let _ = writeln!(text, "    {}", cut(note, wish.width));
    }
    for (mark, items) in [("oscap only   ", &one.missing), ("virtscap only", &one.extra)] {
        for item in items.iter().take(wish.items) {
            let _ = writeln!(text, "    {mark} {}", cut(item, wish.width));
        }
        if items.len() > wish.items {
            let _ = writeln!(text, "    {mark} … {} more", items.len() - wish.items);
        }
    }
}

fn cut(text: &str, width: usize) -> String {
    let text = text.replace('\n', "\\n");
    match text.char_indices().nth(width) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// One line about a run.
pub fn summary(name: &str, comparison: &Comparison) -> String {
    let [rules, definitions, tests, tested, objects, collected] =
        [Level::Rule, Level::Definition, Level::Test, Level::Tested, Level::Object, Level::Collected]
            .map(|level| comparison.count(level));
    format!(
        "{name}: rules {} of {} agree, both can evaluate {}; definitions {} of {}; tests {} of {} (items of {}); \
         objects {} of {} (items of {}); items {} of {}",
        rules.equal,
        rules.compared,
        rules.decided,
        definitions.equal,
        definitions.compared,
        tests.equal,
        tests.compared,
        tested.equal,
        objects.equal,
        objects.compared,
        collected.equal,
        comparison.items.1,
        comparison.items.0,
    )
}
