//! Stock oscap and virtscap say the same of public content: of every rule, definition, test, object and item.
//!
//! Rules are made applicable by taking the platforms out of a copy of the content, which both tools then read; where the
//! names below say "with platforms", and on dumps of an API, they stay. What differs is in
//! `tests/public/known-differences.yaml`, or the test fails. To look into a difference:
//! `cargo run -p virtscap-tests --bin agree -- rhel9 --made --anywhere`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;

use virtscap_tests::public::cases::{self, Case, Root, Roots};
use virtscap_tests::public::compare::{Comparison, Difference, Level, compare};
use virtscap_tests::public::known::{self, Known, fits};
use virtscap_tests::public::run;
use virtscap_tests::public::show::{Wish, difference, summary};
use virtscap_tests::{in_parallel, say};

/// How many new differences of a kind are shown.
const SHOWN: usize = 3;

#[test]
fn usual_content() {
    agree("public content", cases::usual());
}

/// All installed content under every profile. `cargo test -p virtscap-tests --test public_content -- --ignored`
#[test]
#[ignore = "takes an hour"]
fn all_content() {
    agree("all public content", cases::all());
}

fn agree(what: &str, cases: Vec<Case>) {
    if !cases::are_there(&cases, "nothing was compared on public content") {
        return;
    }
    let program = run::build();
    let roots = Roots::make(&cases);
    let folder = tempfile::tempdir().unwrap();
    let found: Mutex<BTreeMap<String, Vec<Difference>>> = Mutex::default();
    let failed: Mutex<Vec<String>> = Mutex::default();
    let totals: Mutex<BTreeMap<Level, (usize, usize)>> = Mutex::default();
    in_parallel(&cases, |case| {
        let comparison = match run_both(case, &roots, folder.path(), &program) {
            Ok(comparison) => comparison,
            Err(e) => return failed.lock().unwrap().push(format!("{}: {e}", case.name())),
        };
        let mut totals = totals.lock().unwrap();
        for level in Level::ALL {
            let (count, total) = (comparison.count(level), totals.entry(level).or_default());
            *total = (total.0 + count.equal, total.1 + count.compared);
        }
        found.lock().unwrap().insert(case.name(), comparison.differences);
    });
    let totals = totals.into_inner().unwrap();
    let totals: Vec<_> =
        totals.iter().map(|(level, (equal, all))| format!("{level} {equal} of {all}")).collect();
    say(&format!("{what}, {} runs: {}", cases.len(), totals.join(", ")));
    judge(&found.into_inner().unwrap(), failed.into_inner().unwrap());
}

fn run_both(
    case: &Case,
    roots: &Roots,
    folder: &std::path::Path,
    program: &std::path::Path,
) -> Result<Comparison, String> {
    let wanted = case.run(roots, folder);
    let once = || {
        let theirs = run::oscap(&wanted)?;
        let ours = run::virtscap(program, &wanted)?;
        Ok::<_, String>((compare(&ours.outcome, &theirs.outcome), ours.took, theirs.took))
    };
    let (mut comparison, ours, theirs) = once()?;
    if case.root == Root::Machine && !comparison.differences.is_empty() {
        // This machine goes on meanwhile: what differs twice does differ.
        let (again, ..) = once()?;
        let again: BTreeSet<_> =
            again.differences.into_iter().map(|one| (one.level, one.cpe, one.id)).collect();
        comparison.differences.retain(|one| again.contains(&(one.level, one.cpe, one.id.clone())));
    }
    say(&format!(
        "{}; virtscap {:.1} s, oscap {:.1} s",
        summary(&case.name(), &comparison),
        ours.as_secs_f32(),
        theirs.as_secs_f32(),
    ));
    std::fs::remove_file(&wanted.stream).unwrap();
    Ok(comparison)
}

/// Holds what was found against what is known.
fn judge(found: &BTreeMap<String, Vec<Difference>>, failed: Vec<String>) {
    let known = known::read();
    let mut report = failed.join("\n");
    let mut groups: BTreeMap<(Level, &str), Vec<(&str, &Difference)>> = BTreeMap::new();
    for (run, differences) in found {
        for one in differences.iter().filter(|one| !is_known(&known, run, one)) {
            groups.entry((one.level, &one.kind)).or_default().push((run, one));
        }
    }
    for ((level, kind), new) in groups {
        report_new(&mut report, level, kind, &new);
    }
    for one in &known {
        let ran = found.keys().any(|run| fits(&one.content, run));
        if ran && one.seen.get() == 0 {
            let _ = writeln!(report, "no longer seen, take it out of known-differences.yaml: {}", one.reason);
        }
    }
    assert!(report.is_empty(), "\n{report}");
}

/// Counts for every entry that covers it.
fn is_known(known: &[Known], run: &str, difference: &Difference) -> bool {
    let covering: Vec<_> = known.iter().filter(|one| one.covers(run, difference)).collect();
    covering.iter().for_each(|one| one.seen.set(one.seen.get() + 1));
    !covering.is_empty()
}

fn report_new(report: &mut String, level: Level, kind: &str, new: &[(&str, &Difference)]) {
    let wish = Wish { examples: SHOWN, items: 2, width: 400, kind: None, id: None, level: None };
    let runs: BTreeSet<_> = new.iter().map(|(run, _)| run).collect();
    let ids: BTreeSet<_> = new.iter().map(|(_, one)| &one.id).collect();
    let count = new.len();
    let _ = writeln!(
        report,
        "{level} {kind}: {count} new differences on {} ids in {} runs:",
        ids.len(),
        runs.len()
    );
    let mut shown = BTreeSet::new();
    for (run, one) in new.iter().filter(|(_, one)| shown.insert(&one.id)).take(SHOWN) {
        let _ = write!(report, "{run}: ");
        difference(report, one, &wish);
    }
}
