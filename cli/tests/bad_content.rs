//! Content that does harm: it ends in a clear error or in an `error` result, in bounded time and memory.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a run may take, without optimisation and beside others.
const TIME: Duration = Duration::from_secs(60);
/// How much memory a run may have, in KiB; the shell sees to it.
const MEMORY: u64 = 3 << 20;

/// The parts of a data stream of one rule.
struct Bad {
    /// What stands before the root element.
    prolog: String,
    /// The Groups and Rules.
    xccdf: String,
    /// What the rule's check refers to.
    href: &'static str,
    /// The component that the reference to the OVAL names.
    component: &'static str,
    criteria: String,
    /// Tests, objects, states and variables, in their sections.
    oval: String,
}

impl Default for Bad {
    fn default() -> Self {
        Self {
            prolog: String::new(),
            xccdf: String::new(),
            href: "oval.xml",
            component: "#scap_x_comp_oval",
            criteria: r#"<criteria><criterion test_ref="oval:x:tst:1"/></criteria>"#.to_owned(),
            oval: sections(TEST, OBJECT, "", ""),
        }
    }
}

const TEST: &str = r#"<ind:textfilecontent54_test id="oval:x:tst:1" version="1" check="all" comment="c"><ind:object object_ref="oval:x:obj:1"/></ind:textfilecontent54_test>"#;
const OBJECT: &str = r#"<ind:textfilecontent54_object id="oval:x:obj:1" version="1"><ind:filepath>/f</ind:filepath><ind:pattern operation="pattern match">a</ind:pattern><ind:instance datatype="int">1</ind:instance></ind:textfilecontent54_object>"#;

fn sections(tests: &str, objects: &str, states: &str, variables: &str) -> String {
    let mut all = format!("<tests>{tests}</tests>\n<objects>{objects}</objects>\n");
    for (name, content) in [("states", states), ("variables", variables)] {
        if !content.is_empty() {
            let _ = writeln!(all, "<{name}>{content}</{name}>");
        }
    }
    all
}

/// An object that finds what a pattern matches in `/f`.
fn matching(pattern: &str) -> String {
    OBJECT.replace(">a<", &format!(">{pattern}<"))
}

/// A test of a variable, and the object that it needs.
fn of_variable(component: &str) -> String {
    let test = r#"<ind:variable_test id="oval:x:tst:1" version="1" check="all" comment="c"><ind:object object_ref="oval:x:obj:1"/></ind:variable_test>"#;
    let object = r#"<ind:variable_object id="oval:x:obj:1" version="1"><ind:var_ref>oval:x:var:1</ind:var_ref></ind:variable_object>"#;
    let variable = format!(
        r#"<local_variable id="oval:x:var:1" version="1" datatype="string" comment="c">{component}</local_variable>"#
    );
    sections(test, object, "", &variable)
}

impl Bad {
    fn oval(oval: String) -> Self {
        Self { oval, ..Self::default() }
    }

    fn criteria(criteria: impl Into<String>) -> Self {
        Self { criteria: criteria.into(), ..Self::default() }
    }

    /// Rules besides are `other`, which passes whatever is wrong with the first.
    fn write(&self) -> String {
        let Self { prolog, xccdf, href, component, criteria, oval } = self;
        format!(
            r##"{prolog}<ds:data-stream-collection xmlns:ds="http://scap.nist.gov/schema/scap/source/1.2" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:cat="urn:oasis:names:tc:entity:xmlns:xml:catalog" id="scap_x_collection_x" schematron-version="1.2">
<ds:data-stream id="scap_x_datastream_x" scap-version="1.3" use-case="OTHER"><ds:checklists><ds:component-ref id="scap_x_cref_xccdf" xlink:href="#scap_x_comp_xccdf"><cat:catalog><cat:uri name="oval.xml" uri="#scap_x_cref_oval"/></cat:catalog></ds:component-ref></ds:checklists>
<ds:checks><ds:component-ref id="scap_x_cref_oval" xlink:href="{component}"/></ds:checks></ds:data-stream>
<ds:component id="scap_x_comp_xccdf" timestamp="2026-01-01T00:00:00"><Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_x_benchmark_x"><status>draft</status><title>x</title><version>1</version>
<Profile id="xccdf_x_profile_p"><title>p</title></Profile>
{xccdf}<Rule id="xccdf_x_rule_bad" selected="true"><title>bad</title><check system="http://oval.mitre.org/XMLSchema/oval-definitions-5"><check-content-ref href="{href}" name="oval:x:def:1"/></check></Rule>
<Rule id="xccdf_x_rule_other" selected="true"><title>other</title><check system="http://oval.mitre.org/XMLSchema/oval-definitions-5"><check-content-ref href="oval.xml" name="oval:x:def:2"/></check></Rule>
</Benchmark></ds:component>
<ds:component id="scap_x_comp_oval" timestamp="2026-01-01T00:00:00"><oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5" xmlns:ind="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent" xmlns:unix="http://oval.mitre.org/XMLSchema/oval-definitions-5#unix">
<generator><oval:schema_version>5.11</oval:schema_version><oval:timestamp>2026-01-01T00:00:00</oval:timestamp></generator>
<definitions><definition id="oval:x:def:1" version="1" class="compliance"><metadata><title>d</title><description>d</description></metadata>{criteria}</definition>
<definition id="oval:x:def:2" version="1" class="compliance"><metadata><title>d</title><description>d</description></metadata><criteria><criterion test_ref="oval:x:tst:99"/></criteria></definition></definitions>
{oval}</oval_definitions></ds:component>
</ds:data-stream-collection>
"##
        )
        .replacen("<tests>", r#"<tests><ind:family_test id="oval:x:tst:99" version="1" check="all" comment="c"><ind:object object_ref="oval:x:obj:99"/></ind:family_test>"#, 1)
        .replacen("<objects>", r#"<objects><ind:family_object id="oval:x:obj:99" version="1"/>"#, 1)
    }
}

/// A root with what the objects read.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("f"), format!("{}b\n", "a".repeat(60))).unwrap();
    std::fs::write(root.path().join("latin1"), b"gr\xf6\xdfe a\n").unwrap();
    std::os::unix::fs::symlink("loop2", root.path().join("loop1")).unwrap();
    std::os::unix::fs::symlink("loop1", root.path().join("loop2")).unwrap();
    let fifo = Command::new("mkfifo").arg(root.path().join("fifo")).status().unwrap();
    assert!(fifo.success());
    root
}

/// Runs the program under the limits; panics where it does not end.
fn run(arguments: &[&str], folder: &Path) -> Output {
    let script = format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"");
    let mut child = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_virtscap")])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(folder.join("stdout")).unwrap())
        .stderr(std::fs::File::create(folder.join("stderr")).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > TIME => {
                child.kill().unwrap();
                panic!("{arguments:?} does not end within {TIME:?}");
            }
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    Output { status, stdout: read("stdout"), stderr: read("stderr") }
}

/// What is said of the first rule, or instead of results; the other rule passes wherever there are results.
fn said(name: &str, xml: &[u8], root: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.xml"), xml).unwrap();
    let root = root.to_str().unwrap();
    let arguments = ["scan", "--datastream", "bad.xml", "--profile", "p", "--root", root, "--json", "r.json"];
    let output = run(&arguments, folder.path());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(1) => {
            assert!(!folder.path().join("r.json").exists(), "{name}: something was written");
            stderr
        }
        Some(0 | 2) => {
            let json = std::fs::read_to_string(folder.path().join("r.json")).unwrap();
            let report: serde_json::Value = serde_json::from_str(&json).unwrap();
            let rules = report["rules"].as_array().unwrap();
            let other = rules.iter().find(|rule| rule["id"] == "other").unwrap();
            assert_eq!(other["result"], "pass", "{name}: {report}");
            let bad = rules.iter().find(|rule| rule["id"] == "bad").unwrap();
            format!("{}: {}", bad["result"].as_str().unwrap(), bad["messages"])
        }
        code => panic!("{name}: {code:?}, {:?}: {stderr}", output.status),
    }
}

fn nested(depth: usize, open: &str, inside: &str, close: &str) -> String {
    [open.repeat(depth), inside.to_owned(), close.repeat(depth)].concat()
}

#[test]
fn bad_content_is_told_and_harms_nobody() {
    const DEEP: usize = 100_000;
    let root = root();
    let with_state = |entity: &str| {
        let test = TEST.replace("</ind:textfile", r#"<ind:state state_ref="oval:x:ste:1"/></ind:textfile"#);
        let state = format!(
            r#"<ind:textfilecontent54_state id="oval:x:ste:1" version="1">{entity}</ind:textfilecontent54_state>"#
        );
        Bad::oval(sections(&test, &matching("^.*$"), &state, ""))
    };
    let set = |content: &str| {
        let object = format!(
            r#"<ind:textfilecontent54_object id="oval:x:obj:1" version="1">{content}</ind:textfilecontent54_object>"#
        );
        Bad::oval(sections(TEST, &object, "", ""))
    };
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    let external = r#"<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>"#;
    let literal = "<literal_component>a</literal_component>";
    let many =
        nested(1, "<concat>", &"<variable_component var_ref=\"oval:x:var:2\"/>".repeat(8), "</concat>");
    let values = "<value>a</value>".repeat(100);
    let multiplied = of_variable(&many).replace(
        "<variables>",
        &format!(r#"<variables><constant_variable id="oval:x:var:2" version="1" datatype="string" comment="c">{values}</constant_variable>"#),
    );
    let cases: Vec<(&str, Bad, &str)> = vec![
        ("nothing bad", Bad::default(), "pass: "),
        (
            "a definition that extends itself",
            Bad::criteria(r#"<criteria><extend_definition definition_ref="oval:x:def:1"/></criteria>"#),
            "error: [{\"severity\":\"error\",\"text\":\"the definition oval:x:def:1 refers to itself",
        ),
        (
            "a variable that rests on itself",
            Bad::oval(of_variable(r#"<variable_component var_ref="oval:x:var:1"/>"#)),
            "refers to itself",
        ),
        (
            "a set that holds itself",
            set("<set><object_reference>oval:x:obj:1</object_reference></set>"),
            "refers to itself",
        ),
        (
            "a component that is missing",
            Bad { component: "#scap_x_comp_none", ..Bad::default() },
            "component '#scap_x_comp_none' is not in the document",
        ),
        ("a wrong href", Bad { href: "other.xml", ..Bad::default() }, "notchecked: "),
        (
            "a bomb of entities",
            Bad { prolog: bomb.to_owned(), ..Bad::default() },
            "bad.xml: not well-formed XML",
        ),
        (
            "an external entity",
            Bad { prolog: external.to_owned(), ..Bad::default() },
            "bad.xml: not well-formed XML",
        ),
        (
            "a pattern that backtracks for ever",
            Bad::oval(sections(TEST, &matching("^(a+)+$"), "", "")),
            "error: ",
        ),
        (
            "such a pattern in a state",
            with_state(r#"<ind:text operation="pattern match">^(a+)+$</ind:text>"#),
            "was given up",
        ),
        ("no pattern", Bad::oval(sections(TEST, &matching("("), "", "")), "is not a regular expression"),
        (
            "groups in groups",
            Bad {
                xccdf: nested(DEEP, "<Group id=\"xccdf_x_group_g\"><title>g</title>", "", "</Group>"),
                ..Bad::default()
            },
            "nested more than",
        ),
        (
            "criteria in criteria",
            Bad::criteria(nested(
                DEEP,
                "<criteria>",
                r#"<criterion test_ref="oval:x:tst:1"/>"#,
                "</criteria>",
            )),
            "nested more than",
        ),
        (
            "functions in functions",
            Bad::oval(of_variable(&nested(DEEP, "<concat>", literal, "</concat>"))),
            "nested more than",
        ),
        (
            "sets in sets",
            set(&nested(DEEP, "<set>", "<object_reference>oval:x:obj:1</object_reference>", "</set>")),
            "nested more than",
        ),
        ("values that multiply", Bad::oval(multiplied), "gives more than"),
        (
            "an operation that there is not",
            with_state(r#"<ind:text operation="sounds like">a</ind:text>"#),
            "'sounds like' is not a value of OVAL operation",
        ),
        (
            "a type that there is not",
            with_state(r#"<ind:text datatype="colour">a</ind:text>"#),
            "'colour' is not a value of OVAL datatype",
        ),
        (
            "a piece from nowhere",
            Bad::oval(of_variable(&format!(
                r#"<substring substring_start="x" substring_length="1">{literal}</substring>"#
            ))),
            "'x' is not a value of whole numbers",
        ),
        (
            "a test that is not there",
            Bad::criteria(r#"<criteria><criterion test_ref="oval:x:tst:7"/></criteria>"#),
            "the test oval:x:tst:7 is not in the document",
        ),
        (
            "an object that is not there",
            Bad::oval(sections(TEST, "", "", "")),
            "the object oval:x:obj:1 is not in the document",
        ),
        ("links in a circle", Bad::oval(sections(TEST, &OBJECT.replace("/f<", "/loop1<"), "", "")), "fail: "),
        (
            "a pipe in place of a file",
            Bad::oval(sections(TEST, &OBJECT.replace("/f<", "/fifo<"), "", "")),
            "fail: ",
        ),
        (
            "bytes that are no text",
            Bad::oval(sections(TEST, &OBJECT.replace("/f<", "/latin1<"), "", "")),
            "is not UTF-8",
        ),
    ];
    for (name, bad, expected) in cases {
        let said = said(name, bad.write().as_bytes(), root.path());
        assert!(said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn what_is_no_content_is_told() {
    let root = root();
    let good = Bad::default().write();
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&str, Vec<u8>); 5] = [
        ("nothing", Vec::new()),
        ("cut off", good.as_bytes()[..good.len() / 2].to_vec()),
        ("binary", (0_u8..=255).cycle().take(10_000).collect()),
        ("UTF-16", utf_16),
        ("other XML", b"<html/>".to_vec()),
    ];
    for (name, xml) in cases {
        let said = said(name, &xml, root.path());
        assert!(said.starts_with("error: bad.xml: ") || said.contains("bad.xml"), "{name}: {said}");
    }
}

#[test]
fn much_of_it_is_read_in_time() {
    let root = root();
    // A hundred thousand definitions that nobody asks for, and an attribute of 20 MB.
    let definition = r#"<definition id="oval:x:def:NUMBER" version="1" class="compliance"><metadata><title>d</title><description>d</description></metadata><criteria><criterion test_ref="oval:x:tst:1"/></criteria></definition>"#;
    let mut definitions = String::new();
    for number in 1000..101_000 {
        definitions.push_str(&definition.replace("NUMBER", &number.to_string()));
    }
    let many = Bad::default().write().replace("</definitions>", &format!("{definitions}</definitions>"));
    assert!(said("many definitions", many.as_bytes(), root.path()).starts_with("pass: "));
    let long =
        Bad::default().write().replacen("comment=\"c\"", &format!("comment=\"{}\"", "c".repeat(20 << 20)), 1);
    assert!(said("a long attribute", long.as_bytes(), root.path()).starts_with("pass: "));
}
