//! `virtscap report`: results that are there already, virtscap's own and stock oscap's, are shown with their offenders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use virtscap_evaluator::report::read::{ReportError, read};
use virtscap_evaluator::report::{Report, arf, html};
use virtscap_evaluator::scan::{Prepared, Request, Scan, scan};
use virtscap_evaluator::source::Snapshot;
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{READ_BACK, oscap, project, say};

fn neglected() -> Snapshot {
    Snapshot::open(&project().join("tests/snapshots/neglected")).unwrap()
}

fn scanned<T>(work: impl FnOnce(&Scan<'_>) -> T) -> T {
    let request = Request { content: &READ_BACK, tailoring: None, profile: Some("level-2") };
    work(&scan(&request, &neglected()).unwrap())
}

/// Every rule of a scan is in a report, with its result and its offenders, also in HTML.
fn assert_same(expected: &Report, xml: &str) -> Report {
    let (report, texts) = read(xml, None).unwrap();
    let page = html::render(&report, &texts).unwrap();
    assert_eq!(report.rules.len(), expected.rules.len());
    for (rule, expected) in report.rules.iter().zip(&expected.rules) {
        assert_eq!((&rule.id, rule.result), (&expected.id, expected.result));
        assert_eq!(
            (&rule.title, &rule.section, rule.severity),
            (&expected.title, &expected.section, expected.severity)
        );
        assert!(rule.result != XccdfResult::Fail || !rule.offenders.is_empty(), "{}", rule.id);
        for offender in &expected.offenders {
            assert!(
                rule.offenders.contains(offender),
                "{}: {offender:?} is not in {:?}",
                rule.id,
                rule.offenders
            );
            assert!(page.contains(&offender.object), "{offender:?}");
        }
        assert!(page.contains(&rule.id));
    }
    assert_eq!(report.counts, expected.counts);
    report
}

#[test]
fn virtscaps_own_results_are_shown_as_they_were() {
    scanned(|scan| {
        let report = assert_same(&scan.report, &arf::asset_report(scan).unwrap());
        assert_eq!(report, scan.report);
        let report = assert_same(&scan.report, &arf::xccdf_results(scan).unwrap());
        assert_eq!(report, scan.report);
    });
}

#[test]
fn oscaps_results_get_their_offenders() {
    if !oscap::is_there() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let datastream = folder.path().join("ds.xml");
    std::fs::write(&datastream, READ_BACK.xml()).unwrap();
    let request = Request { content: &READ_BACK, tailoring: None, profile: Some("level-2") };
    let dump = Prepared::new(&request).unwrap().collect(&neglected());
    dump.write_to(&folder.path().join("kubernetes-api-resources")).unwrap();
    let evaluation = oscap::evaluate(&oscap::Request {
        datastream: &datastream,
        profile: "level-2",
        tailoring: None,
        rule: None,
        probe_root: folder.path(),
    });
    scanned(|scan| {
        let report = assert_same(&scan.report, &evaluation.arf);
        assert!(report.tool.starts_with("openscap 1."), "{}", report.tool);
        let offenders: usize = report.rules.iter().map(|rule| rule.offenders.len()).sum();
        say(&format!("oscap's ARF: {offenders} offenders of {} rules named", report.rules.len()));
    });
}

#[test]
fn foreign_items_are_shown_as_they_were_collected() {
    // A test of a kind that virtscap does not evaluate.
    let arf = r##"<arf:asset-report-collection xmlns:arf="http://scap.nist.gov/schema/asset-reporting-format/1.1"
 xmlns="http://checklists.nist.gov/xccdf/1.2" xmlns:r="http://oval.mitre.org/XMLSchema/oval-results-5"
 xmlns:d="http://oval.mitre.org/XMLSchema/oval-definitions-5"
 xmlns:s="http://oval.mitre.org/XMLSchema/oval-system-characteristics-5">
<Benchmark id="xccdf_a_benchmark_b"><status>draft</status><title>b</title><version>1</version>
<Rule id="xccdf_a_rule_sysctl"><title>Forward nothing</title></Rule></Benchmark>
<arf:report id="xccdf1"><TestResult id="xccdf_a_testresult_t" end-time="2026-01-01T00:00:00+01:00">
<benchmark href="x" id="xccdf_a_benchmark_b"/><target>node</target>
<rule-result idref="xccdf_a_rule_sysctl"><result>fail</result><check system="http://oval.mitre.org/XMLSchema/oval-definitions-5">
<check-content-ref href="#oval0" name="oval:a:def:1"/></check></rule-result></TestResult></arf:report>
<arf:report id="oval0"><r:oval_results><d:oval_definitions/><r:results><r:system><r:definitions>
<r:definition definition_id="oval:a:def:1" version="1" result="false"><r:criteria operator="AND" result="false">
<r:criterion test_ref="oval:a:tst:1" version="1" result="false"/><r:criterion test_ref="oval:a:tst:2" version="1" result="true"/>
</r:criteria></r:definition></r:definitions><r:tests>
<r:test test_id="oval:a:tst:1" version="1" check="all" result="false"><r:tested_item item_id="1" result="false"/>
<r:tested_item item_id="2" result="true"/></r:test>
<r:test test_id="oval:a:tst:2" version="1" check="all" result="true"><r:tested_item item_id="3" result="true"/></r:test></r:tests>
<s:oval_system_characteristics><s:system_data><sysctl_item id="1"><name>net.ipv4.ip_forward</name><value>1</value></sysctl_item>
<sysctl_item id="2"><name>good</name><value>0</value></sysctl_item><sysctl_item id="3"><name>other</name><value>0</value></sysctl_item>
</s:system_data></s:oval_system_characteristics></r:system></r:results></r:oval_results></arf:report>
</arf:asset-report-collection>"##;
    let (report, _) = read(arf, None).unwrap();
    let offenders: Vec<_> =
        report.rules[0].offenders.iter().map(|o| (o.object.as_str(), o.detail.as_str())).collect();
    assert_eq!(offenders, [("net.ipv4.ip_forward", "value 1")]);
    assert_eq!(report.finished, "2025-12-31T23:00:00Z");
    assert!(!report.passed);
}

#[test]
fn what_holds_no_results_is_refused() {
    let said = |xml: &str| read(xml, None).unwrap_err().to_string();
    assert!(said(READ_BACK.xml()).starts_with("neither an ARF nor XCCDF results"));
    assert!(said("no XML").starts_with("not well-formed XML"));
    let alone = r#"<TestResult xmlns="http://checklists.nist.gov/xccdf/1.2" id="t"><benchmark id="xccdf_a_benchmark_b"/></TestResult>"#;
    assert!(matches!(read(alone, None), Err(ReportError::NoBenchmark { .. })));
    let ours = READ_BACK.checklist().unwrap().benchmark;
    let error = read(alone, Some(ours)).unwrap_err().to_string();
    assert!(error.contains("'xccdf_a_benchmark_b'") && error.contains("OPENSHIFT-VIRTUALIZATION"), "{error}");
    let of_ours = alone.replace("xccdf_a_benchmark_b", ours.id.as_str());
    let rule = r#"<rule-result idref="xccdf_org.ssgproject.content_rule_hco-ksm"><result>pass</result></rule-result>"#;
    let of_ours = of_ours.replace("</TestResult>", &format!("{rule}</TestResult>"));
    let (report, _) = read(&of_ours, Some(ours)).unwrap();
    assert!(report.passed && report.rules[0].title.len() > 10);
}
