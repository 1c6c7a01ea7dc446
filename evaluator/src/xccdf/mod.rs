//! Evaluation of XCCDF: selection and values, then results of rules, then scores.

mod evaluate;
mod policy;
mod score;

pub use evaluate::{Evaluation, OvalComponent, evaluate};
pub use policy::{Policy, PolicyError, RuleState};
