//! The HTML report: what stands in it, what it keeps out, and that it is well-formed.
//!
//! The reports are left in cargo's temporary folder for tests, to be looked at in a browser.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use virtscap_evaluator::report::html::render;
use virtscap_evaluator::report::{
    BenchmarkReport, MessageReport, Offender, ProfileReport, Report, ReportTexts, RuleReport, RuleTexts,
    SCHEMA_VERSION, ScoreReport, SourceReport,
};
use virtscap_scap::markup::{Markup, MarkupNode};
use virtscap_scap::xccdf::XccdfResult::{self, *};

// Reports

const FIX: &str = "kind: Example\nspec:\n  text: \"a < b & c\"";

fn rule(
    id: &str,
    section: &str,
    level: u8,
    severity: &'static str,
    result: XccdfResult,
    title: &str,
) -> RuleReport {
    RuleReport {
        id: id.to_owned(),
        xccdf_id: format!("xccdf_org.virtscap.content_rule_{id}"),
        title: title.to_owned(),
        section: Some(section.to_owned()),
        level: Some(level),
        severity,
        result,
        offenders: Vec::new(),
        messages: Vec::new(),
    }
}

fn offenders<const N: usize>(mut rule: RuleReport, texts: [&str; N]) -> RuleReport {
    rule.offenders = texts.into_iter().map(Offender::from_text).collect();
    rule
}

fn message(mut rule: RuleReport, severity: &'static str, text: &str) -> RuleReport {
    rule.messages.push(MessageReport { severity, text: text.to_owned() });
    rule
}

fn report(rules: Vec<RuleReport>) -> Report {
    let mut counts = BTreeMap::new();
    for rule in &rules {
        *counts.entry(rule.result.as_str()).or_default() += 1;
    }
    Report {
        schema_version: SCHEMA_VERSION,
        tool: "virtscap 0.1.0".to_owned(),
        benchmark: BenchmarkReport {
            id: "xccdf_org.virtscap.content_benchmark_OPENSHIFT-VIRTUALIZATION".to_owned(),
            title: "OpenShift Virtualization hardening benchmark".to_owned(),
            version: "0.1.0".to_owned(),
        },
        profile: Some(ProfileReport {
            id: "xccdf_org.virtscap.content_profile_level-2".to_owned(),
            name: "level-2".to_owned(),
            title: "OpenShift Virtualization, Level 2".to_owned(),
            values: [
                ("var_approved_host_devices", "nvidia\\.com/GA100.*|intel\\.com/qat"),
                ("var_approved_vm_devices", "none"),
                ("var_allowed_annotations", ""),
            ]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into(),
            tailoring: Some("xccdf_com.example.cluster-a_tailoring_gpu-hosts".to_owned()),
        }),
        source: SourceReport {
            kind: "snapshot".to_owned(),
            location:
                "/srv/audit/2026/cluster-a.example.com/must-gather-2026-07-26T09-12-44Z/snapshot.tar.gz"
                    .to_owned(),
        },
        started: "2026-07-26T09:14:03Z".to_owned(),
        finished: "2026-07-26T09:14:05Z".to_owned(),
        passed: rules.iter().any(|r| r.result == Pass)
            && !rules.iter().any(|r| matches!(r.result, Fail | Error | Unknown)),
        counts,
        partial: None,
        unsupported: Default::default(),
        scores: vec![
            ScoreReport {
                system: "urn:xccdf:scoring:default".to_owned(),
                score: 41.666_666_666,
                maximum: 100.0,
            },
            ScoreReport { system: "urn:xccdf:scoring:flat-unweighted".to_owned(), score: 3.0, maximum: 8.0 },
        ],
        rules,
    }
}

fn sample() -> Report {
    let mut shareable = rule("vm-shareable-disks", "3.2", 1, "medium", Fail, "Attach no disk as shareable");
    shareable.offenders = (0..300)
        .map(|n| Offender {
            object: format!("team-{:02}/quorum-node-{n:03}", n % 7),
            detail: format!("disk shared-data-{}", n % 3),
        })
        .collect();
    report(vec![
        offenders(
            rule(
                "hco-permitted-host-devices",
                "1.1",
                1,
                "high",
                Fail,
                "Permit only approved host devices for pass-through",
            ),
            ["openshift-cnv/kubevirt-hyperconverged: pciHostDevices nvidia.com/TU104GL_Tesla_T4"],
        ),
        rule("hco-nonroot", "1.2", 1, "high", Pass, "Run virtual machines without root"),
        rule(
            "hco-persistent-reservation",
            "1.3",
            1,
            "medium",
            Pass,
            "Keep SCSI persistent reservations switched off",
        ),
        rule("hco-downward-metrics", "1.4", 1, "low", NotApplicable, "Keep host metrics away from guests"),
        message(
            rule(
                "hco-insecure-registries",
                "1.5",
                1,
                "medium",
                Unknown,
                "Import disk images only from registries with verified TLS",
            ),
            "error",
            "/apis/cdi.kubevirt.io/v1beta1/cdis?limit=500: 403 Forbidden: cdis.cdi.kubevirt.io is forbidden: User \"system:serviceaccount:openshift-compliance:api-resource-collector\" cannot list resource \"cdis\" in API group \"cdi.kubevirt.io\" at the cluster scope",
        ),
        offenders(
            rule(
                "hco-jsonpatch-annotations",
                "1.6",
                1,
                "high",
                Fail,
                "Use no JSON patch annotations on the HyperConverged object",
            ),
            [
                "openshift-cnv/kubevirt-hyperconverged: kubevirt.kubevirt.io/jsonpatch",
                "openshift-cnv/kubevirt-hyperconverged: containerizeddataimporter.kubevirt.io/jsonpatch",
            ],
        ),
        message(
            rule("hco-ksm", "1.7", 2, "medium", NotChecked, "Leave kernel samepage merging off"),
            "warning",
            "The data stream has no check for this rule that virtscap can run; look at the nodes by hand.",
        ),
        offenders(
            rule(
                "vm-host-devices",
                "2.1",
                1,
                "high",
                Fail,
                "Give virtual machines only approved GPUs and host devices",
            ),
            [
                "a-very-long-namespace-name-that-uses-up-all-the-sixty-three-bytes-0/a-virtual-machine-with-a-name-of-the-same-length-for-good-measure: gpu nvidia.com/GRID_T4-1Q_with_an_unusually_long_resource_name_behind_it",
                "batch/render-01",
            ],
        ),
        message(
            rule(
                "vm-memory-overcommit",
                "2.2",
                2,
                "low",
                Error,
                "Reserve the memory overhead of virtual machines",
            ),
            "error",
            "/apis/kubevirt.io/v1/virtualmachines: the answer ends within page 7 of at least 9 (time-out after 30 s)",
        ),
        shareable,
        message(
            rule("vm-disk-error-policy", "3.3", 1, "low", Pass, "Let no disk ignore input and output errors"),
            "info",
            "2,114 virtual machines were read.",
        ),
    ])
}

fn p(children: Vec<MarkupNode>) -> MarkupNode {
    MarkupNode::html("p", children)
}

fn t(text: &str) -> MarkupNode {
    MarkupNode::Text(text.to_owned())
}

fn code(text: &str) -> MarkupNode {
    MarkupNode::html_text("code", &[], text)
}

fn texts(report: &Report) -> ReportTexts {
    let description = Markup(vec![
        p(vec![
            t("A disk with "),
            code("shareable: true"),
            t(
                " may be attached to several running virtual machines at a time. KubeVirt tells the hypervisor not to lock the disk for one machine, and turns the host's cache for it off.",
            ),
        ]),
        p(vec![
            t("Each entry with "),
            code("shareable: true"),
            t(" in "),
            code("spec.template.spec.domain.devices.disks"),
            t(" of a VirtualMachine offends."),
        ]),
        MarkupNode::html(
            "ul",
            vec![
                MarkupNode::html("li", vec![t("running machines,")]),
                MarkupNode::html(
                    "li",
                    vec![
                        t("and those that are stopped; see "),
                        MarkupNode::html_text(
                            "a",
                            &[("href", "https://kubevirt.io/user-guide/storage/disks_and_volumes/")],
                            "the user guide",
                        ),
                        t("."),
                    ],
                ),
            ],
        ),
    ]);
    let rationale = Markup(vec![p(vec![t(
        "Everything on a shared disk is open to each machine that has it attached, past any network policy between them. And unless the file system was made for several writers, two machines that mount the disk overwrite each other's data without any error.",
    )])]);
    let fix = Markup(vec![
        p(vec![t("Make sure that only one machine still needs the disk. Then remove the flag:")]),
        MarkupNode::html(
            "pre",
            vec![code(
                "oc patch virtualmachines.kubevirt.io VM_NAME -n NAMESPACE --type=json -p '[\n  {\"op\": \"test\", \"path\": \"/spec/template/spec/domain/devices/disks/1/name\", \"value\": \"DISK_NAME\"},\n  {\"op\": \"remove\", \"path\": \"/spec/template/spec/domain/devices/disks/1/shareable\"}\n]'\n",
            )],
        ),
        p(vec![t("Restart the machine:")]),
        MarkupNode::html_text("pre", &[], "virtctl restart VM_NAME -n NAMESPACE"),
    ]);
    let section = |title: &str, prefix: &str| {
        let of_section =
            report.rules.iter().filter(|r| r.section.as_deref().is_some_and(|s| s.starts_with(prefix)));
        (title.to_owned(), of_section.map(|r| r.id.clone()).collect())
    };
    ReportTexts {
        sections: vec![
            section("Platform configuration", "1."),
            section("Virtual machine configuration", "2."),
            section("Storage", "3."),
            section("A section without rules in the profile", "4."),
        ],
        rules: report
            .rules
            .iter()
            .map(|r| {
                (
                    r.id.clone(),
                    RuleTexts {
                        description: description.clone(),
                        rationale: Some(rationale.clone()),
                        fixtexts: vec![fix.clone()],
                        fixes: vec![FIX.to_owned()],
                    },
                )
            })
            .collect(),
    }
}

// Reading a page

#[derive(Debug, Clone)]
struct Element {
    name: String,
    attributes: BTreeMap<String, String>,
    /// Everything written inside, as it is read.
    text: String,
    /// Names of the elements around it, the outermost first.
    inside: Vec<String>,
}

impl Element {
    fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    fn has_class(&self, class: &str) -> bool {
        self.attribute("class").split(' ').any(|c| c == class)
    }
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#13;", "\r")
        .replace("&amp;", "&")
}

/// The elements of a page, in the order in which they end. The page has to be well-formed XML.
fn elements(html: &str) -> Vec<Element> {
    let mut rest = html.strip_prefix("<!DOCTYPE html>\n").unwrap();
    roxmltree::Document::parse(rest).unwrap();
    let mut open: Vec<Element> = Vec::new();
    let mut done = Vec::new();
    while let Some((text, tail)) = rest.split_once('<') {
        for element in &mut open {
            element.text.push_str(&unescape(text));
        }
        let (tag, tail) = tail.split_once('>').unwrap();
        rest = tail;
        if tag.starts_with('/') {
            done.push(open.pop().unwrap());
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let (name, mut pairs) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = BTreeMap::new();
        while let Some((key, value)) = pairs.split_once("=\"") {
            let (value, tail) = value.split_once('"').unwrap();
            attributes.insert(key.trim().to_owned(), unescape(value));
            pairs = tail;
        }
        let inside = open.iter().map(|e| e.name.clone()).collect();
        let element = Element { name: name.to_owned(), attributes, text: String::new(), inside };
        if empty { done.push(element) } else { open.push(element) }
    }
    done
}

/// Renders, and checks what holds for every page.
fn page(name: &str, report: &Report, texts: &ReportTexts) -> Vec<Element> {
    let html = render(report, texts).unwrap();
    assert_eq!(html, render(report, texts).unwrap(), "same input, same bytes");
    std::fs::write(format!("{}/{name}.html", env!("CARGO_TARGET_TMPDIR")), &html).unwrap();
    let elements = elements(&html);

    let ids: Vec<&str> = elements.iter().map(|e| e.attribute("id")).filter(|id| !id.is_empty()).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id stands twice");
    for element in &elements {
        for key in ["href", "aria-labelledby"] {
            let Some(target) = element.attributes.get(key) else { continue };
            match target.strip_prefix('#').or((key != "href").then_some(target.as_str())) {
                Some(id) => assert!(unique.contains(id), "nothing has the id {id}"),
                None => assert!(
                    element.name == "a" && target.to_ascii_lowercase().starts_with("http"),
                    "{target}"
                ),
            }
        }
        assert!(
            !element.attributes.keys().any(|k| matches!(k.as_str(), "src" | "style") || k.starts_with("on"))
        );
        assert!(!matches!(element.name.as_str(), "link" | "img" | "iframe" | "object" | "base"));
    }
    for text in ["url(", "@import", "fetch(", "XMLHttp"] {
        assert!(!html.contains(text), "{text}");
    }
    let mut last = 0;
    // Headings hold no headings, so that the order of their ends is the order on the page.
    for heading in elements.iter().filter(|e| e.name.len() == 2 && e.name.starts_with('h') && e.name != "hr")
    {
        let level: u8 = heading.name[1..].parse().unwrap();
        assert!(level <= last + 1, "h{level} follows h{last}");
        last = level;
    }
    for name in ["h1", "main", "header", "nav", "footer"] {
        let landmarks =
            elements.iter().filter(|e| e.name == name && !e.inside.iter().any(|i| i == "article"));
        assert_eq!(landmarks.count(), 1, "{name}");
    }
    elements
}

fn with_class<'a>(page: &'a [Element], class: &str) -> Vec<&'a Element> {
    page.iter().filter(|e| e.has_class(class)).collect()
}

fn with_id<'a>(page: &'a [Element], id: &str) -> &'a Element {
    page.iter().find(|e| e.attribute("id") == id).unwrap()
}

fn verdict(page: &[Element]) -> (String, String) {
    let text = |class| with_class(page, class)[0].text.trim().to_owned();
    (text("verdict-word"), text("verdict-sentence"))
}

fn tiles(page: &[Element]) -> Vec<String> {
    with_class(page, "tile").iter().map(|e| e.text.trim().to_owned()).collect()
}

// Tests

#[test]
fn the_verdict_and_the_counts_stand_at_the_top() {
    let report = sample();
    let page = page("sample", &report, &texts(&report));
    assert_eq!(verdict(&page), ("NOT PASSED".into(), "4 rules failed, and 3 could not be decided.".into()));
    assert_eq!(
        tiles(&page),
        ["3 Pass", "4 Fail", "3 Could not be decided 1 error, 1 unknown, 1 not checked", "1 Not applicable"]
    );
    let scan = &with_id(&page, "scan").text;
    for fact in [
        "snapshot: /srv/audit/2026/cluster-a.example.com/must-gather-2026-07-26T09-12-44Z/snapshot.tar.gz",
        "2026-07-26 09:14:03 UTC",
        "virtscap 0.1.0",
        "version 0.1.0",
        "xccdf_org.virtscap.content_profile_level-2",
        "xccdf_com.example.cluster-a_tailoring_gpu-hosts",
        "nvidia\\.com/GA100.*|intel\\.com/qat",
        "Default: 41.67 of 100",
        "Flat, unweighted: 3 of 8",
    ] {
        assert!(scan.contains(fact), "{fact}");
    }
}

#[test]
fn every_rule_stands_in_its_section_with_all_that_was_found() {
    let report = sample();
    let page = page("sample", &report, &texts(&report));
    let sections: Vec<&str> = page.iter().filter(|e| e.name == "h3").map(|e| e.text.as_str()).collect();
    assert_eq!(sections, ["1 Platform configuration", "2 Virtual machine configuration", "3 Storage"]);
    for rule in &report.rules {
        let text = &with_id(&page, &format!("rule-{}", rule.id)).text;
        let found = rule.offenders.iter().flat_map(|o| [&o.object, &o.detail]);
        let said = rule.messages.iter().map(|m| &m.text);
        for part in [&rule.title, &rule.xccdf_id].into_iter().chain(found).chain(said) {
            assert!(text.contains(part.as_str()), "{}: {part}", rule.id);
        }
    }
    let rows: Vec<&Element> = page.iter().filter(|e| e.name == "td" && e.has_class("object")).collect();
    assert_eq!(rows.len(), 305);
    let folded = rows.iter().filter(|e| e.inside.iter().any(|i| i == "details")).count();
    assert_eq!(folded, 280, "the first 20 of the 300 offenders are in sight");
    assert!(with_id(&page, "rule-vm-shareable-disks").text.contains("Show the other 280"));
    let blocks = page.iter().filter(|e| e.name == "pre" && e.inside.iter().any(|i| i == "details")).count();
    assert_eq!(blocks, 3 * report.rules.len());
    let fixes = page.iter().filter(|e| e.name == "pre" && e.text.contains(FIX)).count();
    assert_eq!(fixes, report.rules.len(), "an object is shown as it is written, to be copied");
}

#[test]
fn what_failed_comes_before_what_could_not_be_decided() {
    let report = sample();
    let page = page("sample", &report, &texts(&report));
    let items = &with_id(&page, "attention").text;
    let places: Vec<usize> = [
        "Permit only approved host devices",
        "Use no JSON patch annotations",
        "Give virtual machines only approved",
        "Attach no disk as shareable",
        "Reserve the memory overhead",
        "Import disk images only",
        "Leave kernel samepage merging off",
    ]
    .iter()
    .map(|title| items.find(title).unwrap())
    .collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(items.contains("300 offenders") && items.contains("1 offender\n"), "{items}");
    assert!(items.contains("403 Forbidden"), "the reason stands beside the rule");
    assert!(!items.contains("Run virtual machines without root"));
}

#[test]
fn the_matrix_counts_by_section_and_level() {
    let report = sample();
    let page = page("sample", &report, &texts(&report));
    let matrix: Vec<String> = page
        .iter()
        .filter(|e| {
            e.name == "tr"
                && e.inside.contains(&"section".to_owned())
                && !e.inside.contains(&"article".to_owned())
        })
        .map(|e| {
            let cells = e.text.replace("Level ", "L");
            cells.trim().to_owned()
        })
        .collect();
    // Pass, fail, error, unknown, not checked, not applicable, all.
    assert_eq!(
        matrix[1..],
        [
            "1 Platform configuration",
            "L12201016",
            "L20000101",
            "2 Virtual machine configuration",
            "L10100001",
            "L20010001",
            "3 Storage",
            "L11100002",
            "All sections",
            "L13401019",
            "L20010102",
            "All rules34111111",
        ]
    );
}

#[test]
fn names_and_titles_cannot_become_markup() {
    let mut bad = offenders(
        rule("a\"b <c>&d/é", "1.1", 1, "high", Fail, "\"Quotes\" & 'ampersands' <b>bold</b>"),
        ["<script>alert(1)</script>: <img src=x onerror=alert(2)>", "ns/\u{202E}evil\u{1}: \u{200B}"],
    );
    bad.section = Some("<i>1</i>".to_owned());
    let bad = message(bad, "error", "</li></ul><script>alert(3)</script>");
    let mut report = report(vec![bad]);
    report.benchmark.title = "B&B \"<title>\"".to_owned();
    report.source.location = "</dd><script>".to_owned();
    let href = |value| MarkupNode::html_text("a", &[("href", value), ("onclick", "alert(4)")], "link");
    let description = Markup(vec![
        MarkupNode::html_text("script", &[], "alert(5)"),
        MarkupNode::html_text("marquee", &[("onstart", "alert(6)")], "5 < 6 & 7"),
        href("javascript:alert(7)"),
        href("data:text/html,x"),
        href("HTTPS://example.com/?a=\"b\"&c"),
        MarkupNode::html_text("p", &[("style", "position:fixed"), ("id", "main")], "styled"),
        MarkupNode::html("br", vec![t("dropped")]),
        MarkupNode::html_text("h1", &[], "heading"),
        MarkupNode::Sub { idref: "value<1>".to_owned() },
    ]);
    let id = report.rules[0].id.clone();
    let texts = ReportTexts {
        sections: vec![("</h3><script>".to_owned(), vec![id.clone()])],
        rules: [(id, RuleTexts { description, ..RuleTexts::default() })].into(),
    };
    let page = page("escaped", &report, &texts);
    assert_eq!(page.iter().filter(|e| e.name == "script").count(), 1, "the page's own");
    assert!(!page.iter().any(|e| matches!(e.name.as_str(), "img" | "b" | "i" | "marquee" | "title") && e.inside.len() > 2));
    let found = &with_id(&page, "rule-a-b--c--d--").text;
    for text in [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(2)>",
        "ns/[U+202E]evil\u{FFFD}",
        "[U+200B]",
        "\"Quotes\" & 'ampersands' <b>bold</b>",
        "</li></ul><script>alert(3)</script>",
        "5 < 6 & 7",
        "value<1>",
    ] {
        assert!(found.contains(text), "{text}");
    }
    assert!(!found.contains("alert(5)"));
    let links: Vec<&str> = page
        .iter()
        .filter(|e| e.name == "a")
        .map(|e| e.attribute("href"))
        .filter(|h| !h.starts_with('#'))
        .collect();
    assert_eq!(links, ["HTTPS://example.com/?a=\"b\"&c"]);
    assert!(page.iter().any(|e| e.name == "h5" && e.text == "heading"));
}

#[test]
fn nothing_looks_passed_that_is_not() {
    let one = |id: &str, result| rule(id, "1.1", 1, "high", result, "Title");
    for (name, passed, rules, word, sentence) in [
        ("empty", false, vec![], "NOT PASSED", "The profile selects no rule, so nothing was checked."),
        ("empty-passed", true, vec![], "NOT PASSED", "The profile selects no rule, so nothing was checked."),
        (
            "only-pass",
            true,
            vec![one("a", Pass), one("b", Pass), one("c", NotApplicable)],
            "PASSED",
            "All 2 rules that apply passed.",
        ),
        ("one-pass", true, vec![one("a", Pass)], "PASSED", "The only rule that applies passed."),
        (
            "contradiction",
            false,
            vec![one("a", Pass)],
            "NOT PASSED",
            "No rule failed, but the scan as a whole is not reported as passed.",
        ),
        (
            "undecided",
            false,
            vec![one("a", Unknown), one("b", Error)],
            "NOT PASSED",
            "No rule failed, but 2 rules could not be decided.",
        ),
        (
            "not-checked",
            true,
            vec![one("a", Pass), one("b", NotChecked)],
            "NOT PASSED",
            "No rule failed, but 1 rule could not be decided.",
        ),
        ("fail", true, vec![one("a", Pass), one("b", Fail)], "NOT PASSED", "1 rule failed."),
        (
            "not-applicable",
            true,
            vec![one("a", NotApplicable)],
            "NOT PASSED",
            "No rule failed, but none passed either: nothing was shown to hold.",
        ),
    ] {
        let mut report = report(rules);
        report.passed = passed;
        let page = page(name, &report, &texts(&report));
        assert_eq!(verdict(&page), (word.to_owned(), sentence.to_owned()), "{name}");
        let title = page.iter().find(|e| e.name == "title").unwrap();
        assert!(title.text.starts_with(&format!("{word}: ")), "{name}");
        assert_eq!(with_id(&page, "result").has_class("pass"), word == "PASSED", "{name}");
    }
}

#[test]
fn content_without_sections_levels_and_texts_is_listed() {
    let mut rules: Vec<RuleReport> =
        [("api_server_tls", Pass), ("api_server_tls", Fail), ("other", Informational), ("fixed", Fixed)]
            .map(|(id, result)| rule(id, "", 1, "unknown", result, "Title"))
            .into();
    for rule in &mut rules {
        (rule.section, rule.level) = (None, None);
    }
    let mut report = report(rules);
    (report.profile, report.scores) = (None, Vec::new());
    let page_without = page("foreign", &report, &ReportTexts::default());
    assert_eq!(
        page_without.iter().filter(|e| e.name == "h3").map(|e| e.text.as_str()).collect::<Vec<_>>(),
        ["All rules"]
    );
    with_id(&page_without, "rule-api_server_tls");
    with_id(&page_without, "rule-api_server_tls--2");
    assert_eq!(tiles(&page_without)[4], "2 Other 1 fixed, 1 informational");
    assert!(with_id(&page_without, "rules").text.contains("The check names no single objects."));

    let texts = ReportTexts {
        sections: vec![("Services".to_owned(), vec!["other".to_owned()])],
        rules: BTreeMap::new(),
    };
    let page_with = page("foreign-sections", &report, &texts);
    assert_eq!(
        page_with.iter().filter(|e| e.name == "h3").map(|e| e.text.as_str()).collect::<Vec<_>>(),
        ["Services", "Other rules"]
    );
}

#[test]
fn many_offenders_are_all_in_the_file() {
    let mut many = rule("many", "1.1", 1, "high", Fail, "Title");
    many.offenders =
        (1..=5000).map(|n| Offender { object: format!("ns/vm-{n}."), detail: String::new() }).collect();
    let report = report(vec![many]);
    let page = page("many", &report, &texts(&report));
    let text = &with_id(&page, "rule-many").text;
    assert!(text.contains("5,000 offenders") && text.contains("Show the other 4,980"));
    let listed: Vec<&str> = page.iter().filter(|e| e.has_class("object")).map(|e| e.text.as_str()).collect();
    assert_eq!(listed.len(), 5000);
    assert!((1..=5000).zip(listed).all(|(n, text)| text == format!("ns/vm-{n}.")));
    assert!(!page.iter().any(|e| e.has_class("detail")), "no column without content");
}

#[test]
fn a_score_is_not_rounded_to_its_maximum() {
    let mut report = sample();
    report.scores = vec![ScoreReport { system: "urn:x".to_owned(), score: 99.9999, maximum: 100.0 }];
    let page = page("score", &report, &texts(&report));
    assert!(with_id(&page, "scan").text.contains("Score: 99.9999 of 100"));
}
