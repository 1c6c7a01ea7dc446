//! Typed identifiers: an id of one kind cannot stand where another is wanted.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the id as it stands in the document.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as it stands in the document.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// Id of an OVAL definition (`oval:…:def:N`).
    DefinitionId;
    /// Id of an OVAL test (`oval:…:tst:N`).
    TestId;
    /// Id of an OVAL object (`oval:…:obj:N`).
    ObjectId;
    /// Id of an OVAL state (`oval:…:ste:N`).
    StateId;
    /// Id of an OVAL variable (`oval:…:var:N`).
    VariableId;
    /// Id of an XCCDF Benchmark.
    BenchmarkId;
    /// Id of an XCCDF Profile.
    ProfileId;
    /// Id of an XCCDF Group.
    GroupId;
    /// Id of an XCCDF Rule.
    RuleId;
    /// Id of an XCCDF Value.
    ValueId;
}

macro_rules! short_names {
    ($($name:ident: $kind:literal;)*) => {$(
        impl $name {
            /// The part behind `xccdf_<namespace>_<kind>_`, or the whole id where it has another form.
            ///
            /// XCCDF 1.2, 6.2.3: ids are `xccdf_<reverse DNS name>_<kind>_<name>`.
            pub fn short_name(&self) -> &str {
                short_name(&self.0, $kind)
            }
        }
    )*};
}

short_names! {
    BenchmarkId: "benchmark";
    ProfileId: "profile";
    GroupId: "group";
    RuleId: "rule";
    ValueId: "value";
}

fn short_name<'a>(id: &'a str, kind: &str) -> &'a str {
    id.strip_prefix("xccdf_")
        .and_then(|rest| rest.split_once('_'))
        .and_then(|(_, rest)| rest.strip_prefix(kind))
        .and_then(|rest| rest.strip_prefix('_'))
        .unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_drop_the_xccdf_prefix() {
        let id = RuleId::new("xccdf_org.ssgproject.content_rule_hco-nonroot");
        assert_eq!(id.short_name(), "hco-nonroot");
        assert_eq!(RuleId::new("xccdf_org.example_rule_a_b").short_name(), "a_b");
        assert_eq!(RuleId::new("plain").short_name(), "plain");
        assert_eq!(ProfileId::new("xccdf_x_rule_a").short_name(), "xccdf_x_rule_a");
    }
}
