//! Data streams that something is wrong with: a name, the text, and what `virtscap scan` has to say of it.

use crate::stream::*;

type Cases = Vec<(&'static str, String, &'static str)>;

const LITERAL: &str = "<literal_component>a</literal_component>";
const REFERS: &str = "refers to itself";
const TOO_LONG: &str = "is at the end of too long a chain of references";
const TOO_DEEP: &str = "nested more than 100 deep";

/// What leads back to where it began, at once or over several steps.
pub(crate) fn cycles() -> Cases {
    let profile = |name: &str, extends: &str| {
        format!(
            r#"<Profile id="xccdf_x_profile_{name}" extends="xccdf_x_profile_{extends}"><title>p</title></Profile>"#
        )
    };
    let profiles = |profiles: &[(&str, &str)]| Bad {
        profiles: profiles.iter().map(|(name, extends)| profile(name, extends)).collect(),
        ..Bad::default()
    };
    let group = |name: &str, requires: &str| {
        format!(
            r#"<Group id="xccdf_x_group_{name}"><title>g</title><requires idref="xccdf_x_group_{requires}"/></Group>"#
        )
    };
    let value = |name: &str, extends: &str| {
        format!(
            r#"<Value id="xccdf_x_value_{name}" extends="xccdf_x_value_{extends}"><title>v</title><value>1</value></Value>"#
        )
    };
    // The object's pattern is a variable, which is worked out from the object.
    let pattern = OBJECT.replace(">a<", r#" var_ref="oval:x:var:1"><"#);
    let of_object = local(1, r#"<object_component object_ref="oval:x:obj:1" item_field="text"/>"#);
    // What the object finds is filtered by a state, which compares with a variable, which is worked out from the object.
    let filtered =
        OBJECT.replace("</ind:textfile", r#"<filter action="exclude">oval:x:ste:1</filter></ind:textfile"#);
    let state = r#"<ind:textfilecontent54_state id="oval:x:ste:1" version="1"><ind:text var_ref="oval:x:var:1"/></ind:textfilecontent54_state>"#;
    let over_sets = [set(1, &set_of(2)), set(2, &set_of(3)), set(3, &set_of(1))].concat();
    vec![
        ("nothing", Bad::default().write(), "pass: "),
        (
            "a definition that extends itself",
            Bad::criteria(extends(1)).write(),
            "error: [{\"severity\":\"error\",\"text\":\"the definition oval:x:def:1 refers to itself",
        ),
        (
            "definitions in a circle",
            Bad::definitions(&extends(11), definition(11, &extends(12)) + &definition(12, &extends(1)))
                .write(),
            "error: [{\"severity\":\"error\",\"text\":\"the definition oval:x:def:1 refers to itself",
        ),
        (
            "a definition that extends a circle, and denies it",
            Bad::definitions(
                &extends(11).replace("/></", r#" negate="true"/></"#),
                definition(11, &extends(12)) + &definition(12, &extends(11)),
            )
            .write(),
            "error: [{\"severity\":\"error\",\"text\":\"the definition oval:x:def:11 refers to itself",
        ),
        ("a variable that rests on itself", Bad::variables(&local(1, &variable(1))).write(), REFERS),
        (
            "variables in a circle",
            Bad::variables(
                &[local(1, &variable(2)), local(2, &variable(3)), local(3, &variable(1))].concat(),
            )
            .write(),
            REFERS,
        ),
        (
            "a variable of an object of the variable",
            Bad::oval(TEST, &pattern, "", &of_object).write(),
            REFERS,
        ),
        (
            "a filter of the object that it filters",
            Bad::oval(TEST, &filtered, state, &of_object).write(),
            REFERS,
        ),
        ("a set that holds itself", Bad::set(&set_of(1)).write(), REFERS),
        ("sets in a circle", Bad::oval(TEST, &over_sets, "", "").write(), REFERS),
        ("a profile that extends itself", profiles(&[("p", "p")]).write(), "xccdf_x_profile_p extends"),
        (
            "profiles in a circle",
            profiles(&[("p", "q"), ("q", "r"), ("r", "p")]).write(),
            "extends xccdf_x_profile_p, which extends it in turn",
        ),
        (
            "rules in a circle",
            Bad::xccdf(rule("a", r#"extends="xccdf_x_rule_b""#) + &rule("b", r#"extends="xccdf_x_rule_a""#))
                .write(),
            "is extended by it in turn",
        ),
        (
            "values in a circle",
            Bad::xccdf(value("a", "b") + &value("b", "a")).write(),
            "is extended by it in turn",
        ),
        // Nothing leads anywhere here: each is asked for its own selection.
        ("groups that require each other", Bad::xccdf(group("a", "b") + &group("b", "a")).write(), "pass: "),
    ]
}

/// What is nested deep, or refers to each other in a long row.
pub(crate) fn deep() -> Cases {
    const DEEP: usize = 100_000;
    const ROW: usize = 300;
    /// The number of the first in a row.
    const FIRST: usize = 1_000;
    /// Of what may be nested, nearly the deepest.
    const NESTED: usize = 99;
    let criterion = r#"<criterion test_ref="oval:x:tst:1"/>"#;
    let row_of = |each: &dyn Fn(usize) -> String| (FIRST..FIRST + ROW).map(each).collect::<String>();
    let last = FIRST + ROW;
    let definitions = |depth: usize| {
        let each =
            |number| definition(number, &nested(depth, "<criteria>", &extends(number + 1), "</criteria>"));
        row_of(&each) + &definition(last, &format!("<criteria>{criterion}</criteria>"))
    };
    let paragraphs = nested(DEEP, "<x:p>", "x", "</x:p>");
    let described =
        format!(r#"<description xmlns:x="http://www.w3.org/1999/xhtml">{paragraphs}</description>"#);
    let checks = nested(DEEP, r#"<complex-check operator="AND">"#, "", "</complex-check>");
    let checked = rule("a", "").replace("</Rule>", &format!("{checks}</Rule>"));
    let open = r#"<cpe:logical-test operator="AND" negate="false">"#;
    let tests = nested(DEEP, open, "", "</cpe:logical-test>");
    let platforms = format!(
        r#"<cpe:platform-specification xmlns:cpe="http://cpe.mitre.org/language/2.0"><cpe:platform id="p">{tests}</cpe:platform></cpe:platform-specification>"#
    );
    let concat = |inside: &str, depth| nested(depth, "<concat>", inside, "</concat>");
    let sets = |inside: &str, depth| nested(depth, "<set>", inside, "</set>");
    let member = "<object_reference>oval:x:obj:1</object_reference>";
    let criteria = nested(DEEP, "<criteria>", criterion, "</criteria>");
    let groups = nested(DEEP, r#"<Group id="xccdf_x_group_g"><title>g</title>"#, "", "</Group>");
    // What a variable rests on, and what a set holds, with the next one in its place.
    let variables = |each: &dyn Fn(usize) -> String| {
        Bad::variables(&(local(1, &variable(FIRST)) + &row_of(each) + &local(last, LITERAL))).write()
    };
    let in_sets = |n| set(n, &sets(&set_of(n + 1), NESTED));
    let last_object = matching("a").replace("obj:1\"", &format!("obj:{last}\""));
    let row_of_sets = set(1, &set_of(FIRST)) + &row_of(&in_sets) + &last_object;
    vec![
        ("groups in groups", Bad::xccdf(groups).write(), TOO_DEEP),
        ("criteria in criteria", Bad::criteria(criteria).write(), TOO_DEEP),
        ("functions in functions", Bad::variables(&local(1, &concat(LITERAL, DEEP))).write(), TOO_DEEP),
        ("sets in sets", Bad::set(&sets(member, DEEP)).write(), TOO_DEEP),
        ("markup in markup", Bad { rule: described, ..Bad::default() }.write(), TOO_DEEP),
        ("checks in checks", Bad::xccdf(checked).write(), TOO_DEEP),
        ("platforms in platforms", Bad::xccdf(platforms).write(), TOO_DEEP),
        ("definitions in a row", Bad::definitions(&extends(FIRST), definitions(0)).write(), TOO_LONG),
        (
            "definitions in a row, each of which is nested",
            Bad::definitions(&extends(FIRST), definitions(NESTED)).write(),
            TOO_LONG,
        ),
        (
            "definitions in a row, the last of which is an error",
            Bad::definitions(&extends(FIRST), definitions(NESTED).replace("tst:1\"", "tst:7\"")).write(),
            TOO_LONG,
        ),
        ("variables in a row", variables(&|n| local(n, &variable(n + 1))), TOO_LONG),
        (
            "variables in a row, each of which is nested",
            variables(&|n| local(n, &concat(&variable(n + 1), NESTED))),
            TOO_LONG,
        ),
        ("sets in a row, each of which is nested", Bad::oval(TEST, &row_of_sets, "", "").write(), TOO_LONG),
    ]
}

/// Ids that two things have: which of them is meant cannot be told, and one of them may pass.
pub(crate) fn twice() -> Cases {
    let criteria = format!("<criteria>{}</criteria>", r#"<criterion test_ref="oval:x:tst:99"/>"#);
    let value = r#"<Value id="xccdf_x_value_v"><title>v</title><value>1</value></Value>"#;
    let profile = r#"<Profile id="xccdf_x_profile_p"><title>p</title></Profile>"#;
    let state = r#"<ind:textfilecontent54_state id="oval:x:ste:1" version="1"/>"#;
    let twice = |text: &str| text.repeat(2);
    let reference = r##"<ds:component-ref id="scap_x_cref_oval" xlink:href="#scap_x_comp_oval"/>"##;
    vec![
        (
            "a definition",
            Bad::definitions(&criteria, definition(1, &criteria)).write(),
            "the id 'oval:x:def:1' is taken in line",
        ),
        ("a test", Bad::oval(&twice(TEST), OBJECT, "", "").write(), "the id 'oval:x:tst:1' is taken in line"),
        (
            "an object",
            Bad::oval(TEST, &twice(OBJECT), "", "").write(),
            "the id 'oval:x:obj:1' is taken in line",
        ),
        (
            "a state",
            Bad::oval(TEST, OBJECT, &twice(state), "").write(),
            "the id 'oval:x:ste:1' is taken in line",
        ),
        (
            "a variable",
            Bad::variables(&twice(&local(1, LITERAL))).write(),
            "the id 'oval:x:var:1' is taken in line",
        ),
        ("a rule", Bad::xccdf(rule("bad", "")).write(), "the id 'xccdf_x_rule_bad' is taken in line"),
        ("a value", Bad::xccdf(twice(value)).write(), "the id 'xccdf_x_value_v' is taken in line"),
        (
            "a profile",
            Bad { profiles: twice(profile), ..Bad::default() }.write(),
            "the id 'xccdf_x_profile_p' is taken in line",
        ),
        (
            "a reference",
            Bad::replaced(reference, &twice(reference)),
            "the id 'scap_x_cref_oval' is taken in line",
        ),
        (
            "a component",
            Bad::replaced(
                r#"<ds:component id="scap_x_comp_xccdf""#,
                r#"<ds:component id="scap_x_comp_oval"/><ds:component id="scap_x_comp_xccdf""#,
            ),
            "the id 'scap_x_comp_oval' is taken in line",
        ),
    ]
}

/// What leads nowhere, and words that are none of the standard's.
pub(crate) fn meaningless() -> Cases {
    let word = |from: &str, to: &str| Bad::replaced(from, to);
    let of_value = |value_type: &str, value: &str| {
        let value = format!(
            r#"<Value id="xccdf_x_value_v" type="{value_type}"><title>v</title><value>{value}</value></Value>"#
        );
        let state =
            Bad::state(r#"<ind:instance datatype="int" operation="less than" var_ref="oval:x:var:1"/>"#);
        let variables = r#"<variables><external_variable id="oval:x:var:1" version="1" datatype="int" comment="c"/></variables>"#;
        Bad {
            xccdf: value,
            exports: r#"<check-export value-id="xccdf_x_value_v" export-name="oval:x:var:1"/>"#.to_owned(),
            oval: state.oval + variables,
            ..Bad::default()
        }
    };
    let exists = r#"check="all" check_existence="some""#;
    let set = "<set set_operator=\"MINUS\"><object_reference>oval:x:obj:2</object_reference></set>";
    vec![
        (
            "a component that is missing",
            Bad { component: "#scap_x_comp_none", ..Bad::default() }.write(),
            "component '#scap_x_comp_none' is not in the document",
        ),
        ("a wrong href", Bad { href: "other.xml", ..Bad::default() }.write(), "notchecked: "),
        (
            "a test that is not there",
            Bad::criteria(r#"<criteria><criterion test_ref="oval:x:tst:7"/></criteria>"#).write(),
            "the test oval:x:tst:7 is not in the document",
        ),
        (
            "a definition that is not there",
            Bad::criteria(extends(7)).write(),
            "the definition oval:x:def:7 is not in the document",
        ),
        (
            "an object that is not there",
            Bad::oval(TEST, "", "", "").write(),
            "the object oval:x:obj:1 is not in the document",
        ),
        (
            "an operation",
            Bad::state(r#"<ind:text operation="sounds like">a</ind:text>"#).write(),
            "'sounds like' is not a value of OVAL operation",
        ),
        (
            "a type",
            Bad::state(r#"<ind:text datatype="colour">a</ind:text>"#).write(),
            "'colour' is not a value of OVAL datatype",
        ),
        (
            "a place in a text",
            Bad::variables(&local(
                1,
                &format!(r#"<substring substring_start="x" substring_length="1">{LITERAL}</substring>"#),
            ))
            .write(),
            "'x' is not a value of whole numbers",
        ),
        (
            "a check",
            word(
                r#"version="1" check="all" comment="c"><ind:object object_ref="oval:x:obj:1""#,
                r#"version="1" check="most" comment="c"><ind:object object_ref="oval:x:obj:1""#,
            ),
            "'most' is not a value of OVAL",
        ),
        ("an existence", word(r#"check="all""#, exists), "'some' is not a value of OVAL"),
        (
            "an operator of criteria",
            Bad::criteria(r#"<criteria operator="NAND"><criterion test_ref="oval:x:tst:1"/></criteria>"#)
                .write(),
            "'NAND' is not a value of OVAL operator",
        ),
        (
            "an operator of states",
            word(r#"check="all""#, r#"check="all" state_operator="NOR""#),
            "'NOR' is not a value of OVAL operator",
        ),
        ("an operator of sets", Bad::set(set).write(), "'MINUS' is not a value of OVAL"),
        (
            "a negation",
            Bad::criteria(r#"<criteria negate="maybe"/>"#).write(),
            "'maybe' is not a value of boolean",
        ),
        ("a class", word(r#"class="compliance""#, r#"class="upper""#), "'upper' is not a value of OVAL"),
        (
            "a severity",
            Bad::xccdf(rule("a", r#"severity="awful""#)).write(),
            "'awful' is not a value of XCCDF",
        ),
        ("a type of a value", of_value("complex", "1").write(), "'complex' is not a value of XCCDF"),
        ("a number", of_value("number", "5").write(), "pass: "),
        ("a number that is none", of_value("number", "many").write(), "error: "),
        ("a value that is empty", of_value("number", "").write(), "error: "),
        ("links in a circle", Bad::oval(TEST, &OBJECT.replace("/f<", "/loop1<"), "", "").write(), "fail: "),
        (
            "a pipe in place of a file",
            Bad::oval(TEST, &OBJECT.replace("/f<", "/fifo<"), "", "").write(),
            "fail: ",
        ),
        (
            "bytes that are no text",
            Bad::oval(TEST, &OBJECT.replace("/f<", "/latin1<"), "", "").write(),
            "is not UTF-8",
        ),
    ]
}

/// What would be computed for ever, or grow without end.
pub(crate) fn endless() -> Cases {
    let many = format!("<concat>{}</concat>", variable(2).repeat(8));
    let values = "<value>a</value>".repeat(100);
    let constant = format!(
        r#"<constant_variable id="oval:x:var:2" version="1" datatype="string" comment="c">{values}</constant_variable>"#
    );
    let object = |pattern: &str| Bad::oval(TEST, &matching(pattern), "", "").write();
    let paths = |pattern: &str| {
        let object = OBJECT
            .replace("<ind:filepath>/f<", &format!("<ind:filepath operation=\"pattern match\">{pattern}<"));
        Bad::oval(TEST, &object, "", "").write()
    };
    let selects = format!(
        r#"<Profile id="xccdf_x_profile_p"><title>p</title><select idref="{}" selected="true"/></Profile>"#,
        "x".repeat(1_000_000)
    );
    let rules = (0..1000).map(|number| rule(&number.to_string(), "")).collect();
    vec![
        (
            "a long name among many",
            Bad { profiles: selects, xccdf: rules, ..Bad::default() }.write(),
            "which the benchmark does not have",
        ),
        (
            "a pattern that backtracks for ever",
            object("^(a+)+$"),
            "error: [{\"severity\":\"error\",\"text\":\"/f: '^(a+)+$' was given up: ",
        ),
        (
            "such a pattern in a state",
            Bad::state(r#"<ind:text operation="pattern match">^(a+)+$</ind:text>"#).write(),
            "'^(a+)+$' was given up: ",
        ),
        (
            "such a pattern that sets the limit itself",
            object("(*LIMIT_MATCH=4000000000)^(a+)+$"),
            "^(a+)+$' was given up: ",
        ),
        (
            "such a pattern in a function",
            Bad::variables(&local(1, &format!(
                r#"<regex_capture pattern="^(a+)+$"><literal_component>{}b</literal_component></regex_capture>"#,
                "a".repeat(60)
            )))
            .write(),
            "'^(a+)+$' was given up: ",
        ),
        ("no pattern", object("("), "'(' is not a regular expression"),
        ("a pattern that would be huge", object("((a{1000}){1000}){1000}"), "is not a regular expression"),
        ("a huge pattern of paths", paths("^/((a{1000}){1000}){1000}$"), "is not a regular expression"),
        ("values that multiply", Bad::variables(&(constant + &local(1, &many))).write(), "gives more than"),
    ]
}

/// Entities, of whatever shape, and what is read from elsewhere.
pub(crate) fn entities() -> Cases {
    const REFUSED: &str = "bad.xml: not well-formed XML: XML with DTD detected";
    let prolog = |subset: &str| Bad { prolog: format!("<!DOCTYPE x {subset}>\n"), ..Bad::default() };
    let used = |subset: &str| prolog(subset).write().replacen("<title>x", "<title>&a;", 1);
    let mut laughs = r#"<!ENTITY l0 "aaaaaaaaaa">"#.to_owned();
    for level in 1..=20 {
        let ten = format!("&l{};", level - 1).repeat(10);
        laughs.push_str(&format!(r#"<!ENTITY l{level} "{ten}">"#));
    }
    let quadratic = format!(r#"[<!ENTITY a "{}">]"#, "a".repeat(100_000));
    let included = r#"<title>bad</title><description><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/></description>"#;
    vec![
        ("laughs", used(&format!(r#"[{laughs}<!ENTITY a "&l20;">]"#)), REFUSED),
        ("one that is long, often", used(&quadratic).replacen("&a;", &"&a;".repeat(10_000), 1), REFUSED),
        ("some that hold each other", used(r#"[<!ENTITY a "&b;"><!ENTITY b "&a;">]"#), REFUSED),
        ("one that nobody uses", prolog(r#"[<!ENTITY a "a">]"#).write(), REFUSED),
        ("one of a file", used(r#"[<!ENTITY a SYSTEM "file:///etc/passwd">]"#), REFUSED),
        ("one of the net", used(r#"[<!ENTITY a PUBLIC "a" "http://127.0.0.1:9/a">]"#), REFUSED),
        ("one of parameters", prolog(r#"[<!ENTITY % a SYSTEM "file:///dev/zero"> %a;]"#).write(), REFUSED),
        ("a subset of a file", prolog(r#"SYSTEM "file:///dev/zero""#).write(), REFUSED),
        ("a subset of the net", prolog(r#"PUBLIC "-//a//b" "http://127.0.0.1:9/a.dtd""#).write(), REFUSED),
        ("one that is not declared", Bad::replaced("<title>x", "<title>&a;"), "bad.xml: not well-formed XML"),
        ("an inclusion", Bad::replaced("<title>bad</title>", included), "pass: "),
    ]
}
