//! The enumerations of XCCDF, and how results combine (XCCDF 1.2, tables 13 and 14).

use crate::enumeration::enumeration;
use crate::oval::{Class, OvalResult};

enumeration! {
    /// `resultEnumType`: what came of a rule.
    XccdfResult, "XCCDF result" {
        /// The system complies.
        Pass => "pass",
        /// The system does not comply.
        Fail => "fail",
        /// The check went wrong.
        Error => "error",
        /// Not enough is known to tell.
        Unknown => "unknown",
        /// The rule has no meaning on this system.
        NotApplicable => "notapplicable",
        /// Nobody looked.
        NotChecked => "notchecked",
        /// The rule is not in the profile.
        NotSelected => "notselected",
        /// The rule only informs.
        Informational => "informational",
        /// It failed, and was mended.
        Fixed => "fixed",
    }
}

enumeration! {
    /// `severityEnumType`.
    Severity, "XCCDF severity" {
        /// Not told.
        Unknown => "unknown",
        /// Not a problem.
        Info => "info",
        /// Low.
        Low => "low",
        /// Medium.
        Medium => "medium",
        /// High.
        High => "high",
    }
}

enumeration! {
    /// `roleEnumType`: what a rule's result is used for.
    Role, "XCCDF role" {
        /// It counts.
        Full => "full",
        /// It is checked, and does not count.
        Unscored => "unscored",
        /// It is not checked.
        Unchecked => "unchecked",
    }
}

enumeration! {
    /// `ccOperatorEnumType`.
    CheckOperator, "XCCDF complex-check operator" {
        /// All pass.
        And => "AND",
        /// One passes.
        Or => "OR",
    }
}

enumeration! {
    /// `valueTypeType`.
    ValueType, "XCCDF value type" {
        /// A text.
        String => "string",
        /// A number.
        Number => "number",
        /// True or false.
        Boolean => "boolean",
    }
}

enumeration! {
    /// The scoring models of XCCDF 1.2, 7.3.
    ScoringModel, "XCCDF scoring model" {
        /// Means of means, up the tree of Groups.
        Default => "urn:xccdf:scoring:default",
        /// Sum of the weights that pass.
        Flat => "urn:xccdf:scoring:flat",
        /// Number of rules that pass.
        FlatUnweighted => "urn:xccdf:scoring:flat-unweighted",
        /// 1 if all pass, else 0.
        Absolute => "urn:xccdf:scoring:absolute",
    }
}

impl XccdfResult {
    /// What a definition's result says of a rule (XCCDF 1.2, 7.2.3.5.5 and the mapping that OpenSCAP uses).
    ///
    /// A true definition of class vulnerability or patch is bad news, so pass and fail change places there.
    pub fn from_oval(result: OvalResult, class: Class) -> Self {
        let bad_news = matches!(class, Class::Vulnerability | Class::Patch);
        match result {
            OvalResult::True if bad_news => Self::Fail,
            OvalResult::False if bad_news => Self::Pass,
            OvalResult::True => Self::Pass,
            OvalResult::False => Self::Fail,
            OvalResult::Unknown => Self::Unknown,
            OvalResult::Error => Self::Error,
            OvalResult::NotEvaluated => Self::NotChecked,
            OvalResult::NotApplicable => Self::NotApplicable,
        }
    }

    /// Pass and fail change places where `negate` says so.
    pub fn negate_if(self, negate: bool) -> Self {
        match self {
            Self::Pass if negate => Self::Fail,
            Self::Fail if negate => Self::Pass,
            other => other,
        }
    }

    /// Whether the result has no say in a combination.
    fn is_neutral(self) -> bool {
        matches!(self, Self::NotApplicable | Self::NotChecked | Self::NotSelected | Self::Informational)
    }

    /// Whether a rule with this result counts in a score.
    pub fn is_scored(self) -> bool {
        !self.is_neutral()
    }
}

impl CheckOperator {
    /// Combines two results. Results that are neutral (`notapplicable`, `notchecked`, `notselected`,
    /// `informational`) give way to the other one.
    pub fn combine(self, a: XccdfResult, b: XccdfResult) -> XccdfResult {
        use XccdfResult::{Error, Fail, Fixed, Pass, Unknown};
        if a.is_neutral() {
            return b;
        }
        if b.is_neutral() {
            return a;
        }
        let order = match self {
            Self::And => [Fail, Unknown, Error, Pass, Fixed],
            Self::Or => [Pass, Fixed, Unknown, Error, Fail],
        };
        order.into_iter().find(|r| *r == a || *r == b).unwrap_or(Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use XccdfResult::{Error as E, Fail as F, NotChecked as N, Pass as P, Unknown as U};

    #[test]
    fn combinations_follow_the_tables() {
        let order = [P, F, U, E, N];
        let and = [[P, F, U, E, P], [F, F, F, F, F], [U, F, U, U, U], [E, F, U, E, E], [P, F, U, E, N]];
        let or = [[P, P, P, P, P], [P, F, U, E, F], [P, U, U, U, U], [P, E, U, E, E], [P, F, U, E, N]];
        for (i, a) in order.into_iter().enumerate() {
            for (j, b) in order.into_iter().enumerate() {
                assert_eq!(CheckOperator::And.combine(a, b), and[i][j], "{a} AND {b}");
                assert_eq!(CheckOperator::Or.combine(a, b), or[i][j], "{a} OR {b}");
            }
        }
    }

    #[test]
    fn only_true_and_false_depend_on_the_class() {
        for result in OvalResult::ALL {
            let compliance = XccdfResult::from_oval(*result, Class::Compliance);
            let patch = XccdfResult::from_oval(*result, Class::Patch);
            assert_eq!(patch, compliance.negate_if(true));
        }
        assert_eq!(XccdfResult::from_oval(OvalResult::Unknown, Class::Compliance), U);
        assert_eq!(XccdfResult::from_oval(OvalResult::Error, Class::Compliance), E);
        assert_eq!(XccdfResult::from_oval(OvalResult::NotEvaluated, Class::Compliance), N);
    }
}
