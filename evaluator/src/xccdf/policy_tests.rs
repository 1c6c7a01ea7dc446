//! What is refused, and what is said of it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use virtscap_scap::xccdf::Tailoring;

use super::{Policy, PolicyError};
use crate::content::Content;

/// A benchmark with a rule `hco-nonroot`, a group `g`, a value `v` with an alternative `strict`, and these profiles.
fn content(profiles: &str) -> Content {
    let benchmark = format!(
        r##"<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_a_benchmark_b"><status>draft</status>
<title>b</title><version>1</version>{profiles}
<Value id="xccdf_a_value_v"><title>v</title><value>1</value><value selector="strict">2</value></Value>
<Group id="xccdf_a_group_g"><title>g</title><Rule id="xccdf_a_rule_hco-nonroot"><title>r</title></Rule></Group>
</Benchmark>"##
    );
    Content::from_xml(format!(
        r##"<ds:data-stream-collection xmlns:ds="http://scap.nist.gov/schema/scap/source/1.2"
 xmlns:xlink="http://www.w3.org/1999/xlink" id="scap_a_collection_c" schematron-version="1.3">
<ds:data-stream id="scap_a_datastream_d" scap-version="1.3" use-case="OTHER"><ds:checklists>
<ds:component-ref id="scap_a_cref_b" xlink:href="#scap_a_comp_b"/></ds:checklists></ds:data-stream>
<ds:component id="scap_a_comp_b" timestamp="2026-01-01T00:00:00">{benchmark}</ds:component>
</ds:data-stream-collection>"##
    ))
    .unwrap()
}

fn tailoring(profiles: &str) -> Tailoring {
    Tailoring::read(&format!(
        r#"<Tailoring xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_a_tailoring_t">
<version time="2026-01-01T00:00:00">1</version>{profiles}</Tailoring>"#
    ))
    .unwrap()
}

fn profile(id: &str, attributes: &str, content: &str) -> String {
    format!(r#"<Profile id="xccdf_{id}" {attributes}><title>{id}</title>{content}</Profile>"#)
}

/// What is wrong with applying a profile.
fn error(profiles: &str, tailored: Option<&str>, name: Option<&str>) -> PolicyError {
    let content = content(profiles);
    let tailoring = tailored.map(tailoring);
    Policy::new(content.checklist().unwrap().benchmark, tailoring.as_ref(), name).unwrap_err()
}

#[test]
fn an_unknown_profile_gets_the_nearest_name() {
    let profiles = profile("a_profile_level-1", "", "") + &profile("a_profile_level-2-node", "", "");
    let text = error(&profiles, None, Some("level1")).to_string();
    assert_eq!(
        text,
        "there is no profile 'level1' (did you mean 'level-1'?); there are: level-1, level-2-node"
    );
    let text = error(&profiles, None, Some("pci-dss")).to_string();
    assert_eq!(text, "there is no profile 'pci-dss'; there are: level-1, level-2-node");
}

#[test]
fn a_short_name_of_several_profiles_is_refused() {
    let profiles = profile("a_profile_p", "", "") + &profile("b_profile_p", "", "");
    let text = error(&profiles, None, Some("p")).to_string();
    let expected = "'p' may be any of xccdf_a_profile_p, xccdf_b_profile_p; name the profile by its full id";
    assert_eq!(text, expected);
    let content = content(&profiles);
    let benchmark = content.checklist().unwrap().benchmark;
    let policy = Policy::new(benchmark, None, Some("xccdf_b_profile_p")).unwrap();
    assert_eq!(policy.profile.unwrap().id.as_str(), "xccdf_b_profile_p");
}

#[test]
fn a_tailored_profile_goes_before_the_benchmarks_of_the_same_name() {
    let content = content(&profile("a_profile_p", "", ""));
    let tailoring = tailoring(&profile("b_profile_p", r#"extends="xccdf_a_profile_p""#, ""));
    let benchmark = content.checklist().unwrap().benchmark;
    let policy = Policy::new(benchmark, Some(&tailoring), Some("p")).unwrap();
    assert_eq!(policy.profile.unwrap().id.as_str(), "xccdf_b_profile_p");
    // The only profile of a tailoring need not be named.
    assert_eq!(Policy::new(benchmark, Some(&tailoring), None).unwrap().profile, policy.profile);
}

#[test]
fn the_benchmarks_own_selection_and_everything_have_names() {
    let content = content(&profile("a_profile_p", "", ""));
    let tailoring = tailoring(&profile("b_profile_q", "", ""));
    let benchmark = content.checklist().unwrap().benchmark;
    let policy = |name| Policy::new(benchmark, Some(&tailoring), Some(name)).unwrap();
    assert_eq!(policy("(default)").profile, None);
    assert_eq!(policy("(all)").profile.unwrap().id.as_str(), "(all)");
}

#[test]
fn a_long_way_over_extends_ends_in_an_error() {
    let base = |n: usize| format!(r#"extends="xccdf_a_profile_p{}""#, n + 1);
    let profiles: String = (0..100_000).map(|n| profile(&format!("a_profile_p{n}"), &base(n), "")).collect();
    let text = error(&profiles, None, Some("p0")).to_string();
    assert!(text.ends_with("which is too far away"), "{text}");
}

#[test]
fn several_tailored_profiles_have_to_be_named() {
    let tailored = profile("a_profile_one", "", "") + &profile("a_profile_two", "", "");
    let error = error("", Some(&tailored), None);
    assert!(
        matches!(&error, PolicyError::UnknownProfile { available, .. } if *available == ["one", "two"]),
        "{error}"
    );
}

#[test]
fn profiles_that_extend_each_other_or_nothing_are_refused() {
    let circle = profile("a_profile_p", r#"extends="xccdf_a_profile_q""#, "")
        + &profile("a_profile_q", r#"extends="xccdf_a_profile_p""#, "");
    assert_eq!(
        error(&circle, None, Some("p")).to_string(),
        "the profile xccdf_a_profile_q extends xccdf_a_profile_p, which extends it in turn"
    );
    for own in ["xccdf_a_profile_p", "xccdf_a_profile_none"] {
        let profiles = profile("a_profile_p", &format!(r#"extends="{own}""#), "");
        let text = error(&profiles, None, Some("p")).to_string();
        assert_eq!(text, format!("the profile xccdf_a_profile_p extends {own}, which is not there"));
    }
}

#[test]
fn what_the_benchmark_lacks_is_named() {
    let cases = [
        (
            r#"<select idref="xccdf_a_rule_hco-noroot" selected="true"/>"#,
            "names the rule or group 'xccdf_a_rule_hco-noroot', which the benchmark does not have \
             (did you mean 'xccdf_a_rule_hco-nonroot'?)",
        ),
        (
            r#"<refine-rule idref="nothing-like-it" severity="low"/>"#,
            "names the rule 'nothing-like-it', which the benchmark does not have",
        ),
        (
            r#"<set-value idref="xccdf_a_value_w">1</set-value>"#,
            "names the value 'xccdf_a_value_w', which the benchmark does not have (did you mean 'xccdf_a_value_v'?)",
        ),
        (
            r#"<refine-value idref="xccdf_a_value_w" selector="strict"/>"#,
            "names the value 'xccdf_a_value_w', which the benchmark does not have (did you mean 'xccdf_a_value_v'?)",
        ),
        (
            r#"<refine-value idref="xccdf_a_value_v" selector="lax"/>"#,
            "chooses 'lax' for the value xccdf_a_value_v, which has no such alternative",
        ),
    ];
    for (content, expected) in cases {
        let text = error(&profile("a_profile_p", "", content), None, Some("p")).to_string();
        assert_eq!(text, format!("the profile xccdf_a_profile_p {expected}"));
    }
}
