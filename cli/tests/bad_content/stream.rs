//! A data stream of two rules, one of which something is wrong with.

use std::fmt::Write as _;

/// The parts of a data stream.
pub(crate) struct Bad {
    /// What stands before the root element.
    pub(crate) prolog: String,
    /// The Profiles.
    pub(crate) profiles: String,
    /// Groups, Rules and Values before the rule.
    pub(crate) xccdf: String,
    /// What stands in the rule before its check.
    pub(crate) rule: String,
    /// What the rule's check exports.
    pub(crate) exports: String,
    /// What the rule's check refers to.
    pub(crate) href: &'static str,
    /// The component that the reference to the OVAL names.
    pub(crate) component: &'static str,
    /// Of the definition that the rule's check names.
    pub(crate) criteria: String,
    /// More definitions.
    pub(crate) definitions: String,
    /// Tests, objects, states and variables, in their sections.
    pub(crate) oval: String,
}

impl Default for Bad {
    fn default() -> Self {
        Self {
            prolog: String::new(),
            profiles: r#"<Profile id="xccdf_x_profile_p"><title>p</title></Profile>"#.to_owned(),
            xccdf: String::new(),
            rule: String::new(),
            exports: String::new(),
            href: "oval.xml",
            component: "#scap_x_comp_oval",
            criteria: r#"<criteria><criterion test_ref="oval:x:tst:1"/></criteria>"#.to_owned(),
            definitions: String::new(),
            oval: sections(TEST, OBJECT, "", ""),
        }
    }
}

pub(crate) const TEST: &str = r#"<ind:textfilecontent54_test id="oval:x:tst:1" version="1" check="all" comment="c"><ind:object object_ref="oval:x:obj:1"/></ind:textfilecontent54_test>"#;
pub(crate) const OBJECT: &str = r#"<ind:textfilecontent54_object id="oval:x:obj:1" version="1"><ind:filepath>/f</ind:filepath><ind:pattern operation="pattern match">a</ind:pattern><ind:instance datatype="int">1</ind:instance></ind:textfilecontent54_object>"#;
pub(crate) const VARIABLE_TEST: &str = r#"<ind:variable_test id="oval:x:tst:1" version="1" check="all" comment="c"><ind:object object_ref="oval:x:obj:1"/></ind:variable_test>"#;
pub(crate) const VARIABLE_OBJECT: &str = r#"<ind:variable_object id="oval:x:obj:1" version="1"><ind:var_ref>oval:x:var:1</ind:var_ref></ind:variable_object>"#;

pub(crate) fn sections(tests: &str, objects: &str, states: &str, variables: &str) -> String {
    let mut all = format!("<tests>{tests}</tests>\n<objects>{objects}</objects>\n");
    for (name, content) in [("states", states), ("variables", variables)] {
        if !content.is_empty() {
            let _ = writeln!(all, "<{name}>{content}</{name}>");
        }
    }
    all
}

/// A definition with criteria.
pub(crate) fn definition(number: usize, criteria: &str) -> String {
    format!(
        r#"<definition id="oval:x:def:{number}" version="1" class="compliance"><metadata><title>d</title><description>d</description></metadata>{criteria}</definition>
"#
    )
}

/// Criteria that extend a definition.
pub(crate) fn extends(number: usize) -> String {
    format!(r#"<criteria><extend_definition definition_ref="oval:x:def:{number}"/></criteria>"#)
}

/// A local variable.
pub(crate) fn local(number: usize, component: &str) -> String {
    format!(
        r#"<local_variable id="oval:x:var:{number}" version="1" datatype="string" comment="c">{component}</local_variable>
"#
    )
}

/// A component that is a variable.
pub(crate) fn variable(number: usize) -> String {
    format!(r#"<variable_component var_ref="oval:x:var:{number}"/>"#)
}

/// An object that is a set.
pub(crate) fn set(number: usize, members: &str) -> String {
    format!(
        r#"<ind:textfilecontent54_object id="oval:x:obj:{number}" version="1">{members}</ind:textfilecontent54_object>
"#
    )
}

/// A set of one object.
pub(crate) fn set_of(number: usize) -> String {
    format!("<set><object_reference>oval:x:obj:{number}</object_reference></set>")
}

/// An object that finds what a pattern matches in `/f`.
pub(crate) fn matching(pattern: &str) -> String {
    OBJECT.replace(">a<", &format!(">{pattern}<"))
}

/// A rule beside the two, which is not selected.
pub(crate) fn rule(name: &str, attributes: &str) -> String {
    format!(
        r#"<Rule id="xccdf_x_rule_{name}" selected="false" {attributes}><title>r</title></Rule>
"#
    )
}

pub(crate) fn nested(depth: usize, open: &str, inside: &str, close: &str) -> String {
    [&*open.repeat(depth), inside, &*close.repeat(depth)].concat()
}

impl Bad {
    pub(crate) fn oval(tests: &str, objects: &str, states: &str, variables: &str) -> Self {
        Self { oval: sections(tests, objects, states, variables), ..Self::default() }
    }

    pub(crate) fn criteria(criteria: impl Into<String>) -> Self {
        Self { criteria: criteria.into(), ..Self::default() }
    }

    /// Criteria, and more definitions.
    pub(crate) fn definitions(criteria: &str, definitions: impl Into<String>) -> Self {
        Self { definitions: definitions.into(), ..Self::criteria(criteria) }
    }

    pub(crate) fn xccdf(xccdf: impl Into<String>) -> Self {
        Self { xccdf: xccdf.into(), ..Self::default() }
    }

    /// A test of variables.
    pub(crate) fn variables(variables: &str) -> Self {
        Self::oval(VARIABLE_TEST, VARIABLE_OBJECT, "", variables)
    }

    /// An object that is a set.
    pub(crate) fn set(members: &str) -> Self {
        Self::oval(TEST, &set(1, members), "", "")
    }

    /// What is found in `/f` has to be as an entity of a state says.
    pub(crate) fn state(entity: &str) -> Self {
        let test = TEST.replace("</ind:textfile", r#"<ind:state state_ref="oval:x:ste:1"/></ind:textfile"#);
        let state = format!(
            r#"<ind:textfilecontent54_state id="oval:x:ste:1" version="1">{entity}</ind:textfilecontent54_state>"#
        );
        Self::oval(&test, &matching("^.*$"), &state, "")
    }

    /// The good content with one text replaced by another.
    pub(crate) fn replaced(from: &str, to: &str) -> String {
        let good = Self::default().write();
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    }

    /// Rules besides are `other`, which passes whatever is wrong with the first.
    pub(crate) fn write(&self) -> String {
        let Self { prolog, profiles, xccdf, rule, exports, href, component, criteria, definitions, oval } =
            self;
        let bad = definition(1, criteria);
        let other = definition(2, r#"<criteria><criterion test_ref="oval:x:tst:99"/></criteria>"#);
        format!(
            r##"{prolog}<ds:data-stream-collection xmlns:ds="http://scap.nist.gov/schema/scap/source/1.2" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:cat="urn:oasis:names:tc:entity:xmlns:xml:catalog" id="scap_x_collection_x" schematron-version="1.2">
<ds:data-stream id="scap_x_datastream_x" scap-version="1.3" use-case="OTHER"><ds:checklists><ds:component-ref id="scap_x_cref_xccdf" xlink:href="#scap_x_comp_xccdf"><cat:catalog><cat:uri name="oval.xml" uri="#scap_x_cref_oval"/></cat:catalog></ds:component-ref></ds:checklists>
<ds:checks><ds:component-ref id="scap_x_cref_oval" xlink:href="{component}"/></ds:checks></ds:data-stream>
<ds:component id="scap_x_comp_xccdf" timestamp="2026-01-01T00:00:00"><Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_x_benchmark_x"><status>draft</status><title>x</title><version>1</version>
{profiles}
{xccdf}<Rule id="xccdf_x_rule_bad" selected="true"><title>bad</title>{rule}<check system="http://oval.mitre.org/XMLSchema/oval-definitions-5">{exports}<check-content-ref href="{href}" name="oval:x:def:1"/></check></Rule>
<Rule id="xccdf_x_rule_other" selected="true"><title>other</title><check system="http://oval.mitre.org/XMLSchema/oval-definitions-5"><check-content-ref href="oval.xml" name="oval:x:def:2"/></check></Rule>
</Benchmark></ds:component>
<ds:component id="scap_x_comp_oval" timestamp="2026-01-01T00:00:00"><oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5" xmlns:ind="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent" xmlns:unix="http://oval.mitre.org/XMLSchema/oval-definitions-5#unix">
<generator><oval:schema_version>5.11</oval:schema_version><oval:timestamp>2026-01-01T00:00:00</oval:timestamp></generator>
<definitions>{bad}{other}{definitions}</definitions>
{oval}</oval_definitions></ds:component>
</ds:data-stream-collection>
"##
        )
        .replacen("<tests>", r#"<tests><ind:family_test id="oval:x:tst:99" version="1" check="all" comment="c"><ind:object object_ref="oval:x:obj:99"/></ind:family_test>"#, 1)
        .replacen("<objects>", r#"<objects><ind:family_object id="oval:x:obj:99" version="1"/>"#, 1)
    }
}
