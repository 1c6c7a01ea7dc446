//! Content that is broken or meant to do harm: a clear error, in bounded time and stack.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::datastream::DataStreamCollection;
use crate::namespace::XCCDF;

/// Why a data stream with this in its benchmark is refused.
fn error(content: &str) -> String {
    let xml = collection(&format!(r##"<Benchmark xmlns="{XCCDF}" id="b">{content}</Benchmark>"##), "#c");
    DataStreamCollection::read(&xml).expect_err("refused").to_string()
}

fn collection(document: &str, reference: &str) -> String {
    format!(
        r##"<ds:data-stream-collection xmlns:ds="http://scap.nist.gov/schema/scap/source/1.2"
 xmlns:xlink="http://www.w3.org/1999/xlink" id="i">
<ds:data-stream id="d"><ds:checklists><ds:component-ref id="r" xlink:href="#c"/></ds:checklists>
<ds:checks><ds:component-ref id="o" xlink:href="{reference}"/></ds:checks></ds:data-stream>
<ds:component id="c" timestamp="2026-01-01T00:00:00">{document}</ds:component></ds:data-stream-collection>"##
    )
}

fn nested(start: &str, end: &str) -> String {
    [start.repeat(100_000), end.repeat(100_000)].concat()
}

#[test]
fn deep_nesting_ends_in_an_error() {
    let groups = nested(r#"<Group id="g">"#, "</Group>");
    let checks = nested(r#"<complex-check operator="AND">"#, "</complex-check>");
    let texts = nested(r#"<p xmlns="http://www.w3.org/1999/xhtml">"#, "</p>");
    let contents = [
        groups.clone(),
        format!(r#"<Rule id="r">{checks}</Rule>"#),
        format!("<description>{texts}</description>"),
        format!(r#"<Rule id="r"><rationale>{texts}</rationale></Rule>"#),
    ];
    for content in contents {
        let error = error(&content);
        assert!(error.contains("nested more than 100 deep"), "{error}");
    }
    // What is abstract is not read, and cannot do harm.
    let groups = groups.replace(r#" id="g""#, "");
    let content = format!(
        r#"<Benchmark xmlns="{XCCDF}" id="b"><Group id="a" abstract="1">{groups}</Group></Benchmark>"#
    );
    assert!(DataStreamCollection::read(&collection(&content, "#c")).is_ok());
}

#[test]
fn items_that_extend_themselves_or_nothing_are_refused() {
    let circle = r#"<Rule id="a" extends="b"/><Group id="g"><Rule id="b" extends="c"/></Group><Rule id="c" extends="a"/>"#;
    assert!(error(circle).contains("what extends 'a' is extended by it in turn"), "{}", error(circle));
    let own = r#"<Value id="a" extends="a"/>"#;
    assert!(error(own).contains("what extends 'a' is extended by it in turn"), "{}", error(own));
    for (content, expected) in [
        (r#"<Rule id="a" extends="none"/>"#, "the extended Rule 'none' is not in the document"),
        (r#"<Value id="v" extends="a"/><Rule id="a"/>"#, "the extended Value 'a' is not in the document"),
    ] {
        assert!(error(content).contains(expected), "{}", error(content));
    }
}

#[test]
fn a_long_way_over_extends_ends_in_an_error() {
    let rules: String = (0..100_000).map(|n| format!(r#"<Rule id="r{n}" extends="r{}"/>"#, n + 1)).collect();
    assert!(error(&rules).contains("nested more than"), "{}", error(&rules));
}

#[test]
fn components_that_are_missing_are_an_error_unless_they_are_elsewhere() {
    let benchmark = format!(r#"<Benchmark xmlns="{XCCDF}" id="b"/>"#);
    let error =
        DataStreamCollection::read(&collection(&benchmark, "#none")).expect_err("refused").to_string();
    assert!(error.contains("component '#none' is not in the document"), "{error}");
    assert!(DataStreamCollection::read(&collection(&benchmark, "https://example.com/oval.xml")).is_ok());
}

#[test]
fn entities_are_refused() {
    let bomb =
        r#"<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><b>&b;</b>"#;
    for xml in [bomb, r#"<!DOCTYPE b SYSTEM "file:///etc/passwd"><b/>"#] {
        let error = DataStreamCollection::read(xml).expect_err("refused").to_string();
        assert!(error.contains("not well-formed XML"), "{error}");
        assert!(crate::xccdf::Tailoring::read(xml).is_err());
    }
}
