//! Scores (XCCDF 1.2, 7.3).

use std::collections::HashMap;

use virtscap_scap::id::RuleId;
use virtscap_scap::xccdf::results::{RuleResult, Score};
use virtscap_scap::xccdf::{Benchmark, Item, Role, ScoringModel, XccdfResult};

/// The scores that the benchmark asks for; the default model where it asks for none.
pub(super) fn scores(benchmark: &Benchmark, results: &[RuleResult]) -> Vec<Score> {
    let default = [ScoringModel::Default];
    let models = if benchmark.models.is_empty() { &default[..] } else { &benchmark.models };
    // Not the rule-result's weight: as with OpenSCAP, a profile's refine-rule does not change scores.
    let mut weights = HashMap::new();
    benchmark.for_each_rule(&mut |_, rule| {
        weights.insert(&rule.id, rule.selectable.weight);
    });
    models.iter().map(|model| score(*model, benchmark, results, &weights)).collect()
}

fn counts(result: &RuleResult) -> bool {
    result.role != Role::Unscored && result.result.is_scored()
}

fn passes(result: &RuleResult) -> bool {
    matches!(result.result, XccdfResult::Pass | XccdfResult::Fixed)
}

fn score(
    model: ScoringModel,
    benchmark: &Benchmark,
    results: &[RuleResult],
    weights: &HashMap<&RuleId, f64>,
) -> Score {
    let counted = || results.iter().filter(|result| counts(result));
    let sum = |weigh: fn(f64) -> f64| -> (f64, f64) {
        counted().fold((0.0, 0.0), |(score, maximum), result| {
            let weight = weigh(weights.get(&result.rule).copied().unwrap_or(1.0));
            (score + if passes(result) { weight } else { 0.0 }, maximum + weight)
        })
    };
    let (score, maximum) = match model {
        ScoringModel::Default => {
            let mut by_rule: HashMap<&RuleId, Vec<&RuleResult>> = HashMap::new();
            for result in counted() {
                by_rule.entry(&result.rule).or_default().push(result);
            }
            let (score, _, _) = weighted_mean(&benchmark.items, &by_rule);
            (score, 100.0)
        }
        ScoringModel::Flat => sum(|weight| weight),
        ScoringModel::FlatUnweighted => sum(|weight| if weight == 0.0 { 0.0 } else { 1.0 }),
        ScoringModel::Absolute => {
            let all = counted().all(passes);
            (f64::from(u8::from(all)), 1.0)
        }
    };
    Score { model, maximum, score }
}

/// The default model: the mean of the items' scores by weight, and how many items counted.
fn weighted_mean(items: &[Item], results: &HashMap<&RuleId, Vec<&RuleResult>>) -> (f64, f64, usize) {
    let (mut sum, mut weights, mut count) = (0.0, 0.0, 0);
    for item in items {
        let (score, weight, counted) = match item {
            Item::Rule(rule) => match results.get(&rule.id) {
                // All results of a multi-check have to pass.
                Some(all) => {
                    let passes = all.iter().all(|result| passes(result));
                    (if passes { 100.0 } else { 0.0 }, rule.selectable.weight, 1)
                }
                None => continue,
            },
            Item::Group(group) => {
                let (score, _, counted) = weighted_mean(&group.items, results);
                (score, group.selectable.weight, counted)
            }
        };
        if counted > 0 {
            sum += score * weight;
            weights += weight;
            count += counted;
        }
    }
    (if weights > 0.0 { sum / weights } else { 0.0 }, weights, count)
}
