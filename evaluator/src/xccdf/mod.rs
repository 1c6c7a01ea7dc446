//! Evaluation of XCCDF: selection and values, then results of rules, then scores.

mod evaluate;
mod platforms;
mod policy;
mod score;
mod sessions;

pub use evaluate::{Evaluation, evaluate};
pub use policy::{ALL_PROFILE, DEFAULT_PROFILE, Policy, PolicyError, RuleState};
pub use sessions::OvalComponent;
