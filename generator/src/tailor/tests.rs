//! Round trips between the two forms, and what is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::LazyLock;

use proptest::prelude::*;
use virtscap_scap::datastream::DataStreamCollection;
use virtscap_scap::xccdf::Tailoring;

use super::*;
use crate::datastream::{data_stream, profile_id, rule_id, value_id};
use crate::load::load;

const TIME: &str = "2026-01-01T00:00:00";

static STREAM: LazyLock<DataStreamCollection> = LazyLock::new(|| {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    data_stream(&load(&folder).unwrap_or_else(|errors| panic!("{errors}")))
});

fn catalog() -> Catalog<'static> {
    Catalog::of(&STREAM).unwrap()
}

fn example() -> Tailored {
    let rule = |name: &str, action| RuleChoice { rule: rule_id(name), action, rationale: "why".to_owned() };
    Tailored {
        name: "acme".to_owned(),
        extends: Some(profile_id("level-1")),
        title: "Acme".to_owned(),
        description: "For Acme".to_owned(),
        rules: vec![rule("vm-shareable-disks", Action::Enable), rule("hco-ksm", Action::Disable)],
        values: vec![ValueChoice {
            id: value_id("var_approved_vm_devices"),
            value: r"nvidia\.com/.*".to_owned(),
            rationale: "GPUs".to_owned(),
        }],
    }
}

/// What is wrong with the example after a change.
fn wrong(change: impl FnOnce(&mut Tailored)) -> String {
    let mut tailored = example();
    change(&mut tailored);
    tailored.check(&catalog()).unwrap_err().to_string()
}

/// What is wrong with the example's manifest after a change of its text.
fn wrong_manifest(from: &str, to: &str) -> String {
    let manifest = example().to_manifest(BUNDLE).unwrap();
    let changed = manifest.replace(from, to);
    assert_ne!(changed, manifest);
    from_manifest(&changed, &catalog()).unwrap_err().to_string()
}

fn wrong_xccdf(from: &str, to: &str) -> String {
    let xml = example().to_xccdf(TIME).write("ds.xml");
    let changed = xml.replace(from, to);
    assert_ne!(changed, xml);
    from_xccdf(&Tailoring::read(&changed).unwrap(), None, &catalog()).unwrap_err().to_string()
}

#[test]
fn the_example_is_right() {
    example().check(&catalog()).unwrap();
}

#[test]
fn the_manifest_has_the_operators_names() {
    let manifest = example().to_manifest(BUNDLE).unwrap();
    for line in [
        "extends: ocp-virt-level-1",
        "name: ocp-virt-hco-ksm",
        "name: ocp-virt-var-approved-vm-devices",
        r"value: nvidia\.com/.*",
    ] {
        assert!(manifest.contains(line), "{manifest}");
    }
}

#[test]
fn names_are_found_whatever_the_bundle_is_called() {
    for bundle in ["x", "my-ocp-virt", "level-1"] {
        let (read, found) = from_manifest(&example().to_manifest(bundle).unwrap(), &catalog()).unwrap();
        assert_eq!((read, found.as_str()), (example(), bundle));
    }
    let node = Tailored { extends: Some(profile_id("level-1-node")), rules: Vec::new(), ..example() };
    let (read, _) = from_manifest(&node.to_manifest("b").unwrap(), &catalog()).unwrap();
    assert_eq!(read.extends, node.extends);
}

#[test]
fn each_error_says_what_is_wrong() {
    let said = wrong(|t| t.rules[0].rationale.clear());
    assert_eq!(said, "vm-shareable-disks: a rationale is missing");
    let said = wrong(|t| t.values[0].rationale.clear());
    assert_eq!(said, "var_approved_vm_devices: a rationale is missing");
    let said = wrong(|t| t.rules[1].rule = rule_id("vm-shareable-disks"));
    assert_eq!(said, "the rule vm-shareable-disks is enabled and disabled");
    let said = wrong(|t| t.values.push(t.values[0].clone()));
    assert_eq!(said, "var_approved_vm_devices is there twice");
    let said = wrong(|t| t.rules[0].rule = rule_id("node-ksm"));
    assert_eq!(said, "the rule node-ksm is a node rule; a platform profile cannot hold it");
    let said = wrong(|t| {
        t.extends = Some(profile_id("level-1-node"));
        t.rules.clear();
    });
    assert!(said.contains("has to end in -node, such as acme-node"), "{said}");
    let said = wrong(|t| {
        t.extends = Some(profile_id("level-1-node"));
        t.name = "acme-node".to_owned();
        t.rules.truncate(1);
    });
    assert_eq!(said, "the rule vm-shareable-disks is a platform rule; a node profile cannot hold it");
    let said = wrong(|t| t.values[0].value = "nvidia(".to_owned());
    assert!(said.contains("'nvidia(', which is no regular expression"), "{said}");
    assert!(wrong(|t| t.values[0].value.clear()).contains("is set to nothing"));
    assert!(wrong(|t| t.values[0].value = "a\nb".to_owned()).contains("a line break"));
    assert!(wrong(|t| t.name = "Acme_1".to_owned()).contains("'Acme_1' cannot be the name of an object"));
}

#[test]
fn without_a_profile_the_name_tells_what_is_scanned() {
    let said = wrong(|t| {
        t.extends = None;
        t.name = "acme-node".to_owned();
    });
    assert!(said.contains("is a platform rule; a node profile cannot hold it"), "{said}");
    Tailored { extends: None, ..example() }.check(&catalog()).unwrap();
}

#[test]
fn values_have_the_type_that_they_are_declared_with() {
    let mut stream = STREAM.clone();
    let mut check = |value_type, value: &str| {
        for component in &mut stream.components {
            if let virtscap_scap::datastream::ComponentContent::Benchmark(benchmark) = &mut component.content
            {
                benchmark.values.iter_mut().for_each(|v| v.value_type = value_type);
            }
        }
        let mut tailored = example();
        tailored.values[0].value = value.to_owned();
        tailored.check(&Catalog::of(&stream).unwrap()).map_err(|e| e.to_string())
    };
    assert_eq!(check(ValueType::Number, "3600"), Ok(()));
    assert!(
        check(ValueType::Number, "many").unwrap_err().ends_with("cannot be 'many': it has to be a number")
    );
    assert_eq!(check(ValueType::Boolean, "true"), Ok(()));
    assert!(check(ValueType::Boolean, "yes").unwrap_err().ends_with("it has to be true or false"));
}

#[test]
fn unknown_names_get_the_nearest_one() {
    let said = wrong_manifest("ocp-virt-level-1", "ocp-virt-levle-1");
    assert!(
        said.starts_with("the content has no profile 'ocp-virt-levle-1' (did you mean 'level-1'?)"),
        "{said}"
    );
    let said = wrong_manifest("ocp-virt-hco-ksm", "ocp-virt-hco-kms");
    assert_eq!(said, "the content has no rule 'hco-kms' (did you mean 'hco-ksm'?)");
    let said = wrong_manifest("ocp-virt-var-approved-vm-devices", "ocp-virt-var-aproved-vm-devices");
    assert!(said.ends_with("(did you mean 'var_approved_vm_devices'?)"), "{said}");
    let said = wrong_xccdf("content_rule_hco-ksm", "content_rule_hco-kms");
    assert!(said.starts_with("the content has no rule"), "{said}");
    let said = wrong_xccdf("content_profile_level-1", "content_profile_level-9");
    assert!(said.starts_with("the content has no profile"), "{said}");
}

#[test]
fn what_the_operator_would_not_take_is_refused() {
    let said = wrong_manifest("ocp-virt-hco-ksm", "other-hco-ksm");
    assert_eq!(said, "'other-hco-ksm' is not of the bundle 'ocp-virt' that the rest belongs to");
    let said = wrong_manifest("  - name: ocp-virt-hco-ksm", "  - kind: CustomRule\n    name: mine");
    assert!(said.starts_with("mine: a CustomRule cannot be"), "{said}");
    assert!(wrong_manifest("disableRules", "disabledRules").contains("disabledRules"));
    assert!(
        wrong_manifest("kind: TailoredProfile", "kind: Profile")
            .contains("no object of kind TailoredProfile")
    );
    assert!(wrong_manifest(r"value: nvidia\.com/.*", "value: 1").contains("not a TailoredProfile"));
}

#[test]
fn what_a_tailored_profile_cannot_say_is_refused() {
    let group =
        "<xccdf-1.2:select idref=\"xccdf_org.ssgproject.content_group_section-1\" selected=\"false\"/>";
    let with = |more: &str| wrong_xccdf(" <xccdf-1.2:set-value", &format!("{more} <xccdf-1.2:set-value"));
    assert_eq!(with(group), "the group section-1 is left out; a TailoredProfile can leave out rules only");
    let refined =
        "<xccdf-1.2:refine-rule idref=\"xccdf_org.ssgproject.content_rule_hco-ksm\" severity=\"low\"/>";
    assert!(with(refined).starts_with("the rule hco-ksm gets another severity"));
    let refined = "<xccdf-1.2:refine-value idref=\"xccdf_org.ssgproject.content_value_var_clone_subjects\" selector=\"x\"/>";
    assert_eq!(with(refined), "the value var_clone_subjects has no alternative 'x'");
    assert!(wrong_xccdf(" </xccdf-1.2:Profile>\n", " </xccdf-1.2:Profile><Profile xmlns=\"http://checklists.nist.gov/xccdf/1.2\" id=\"xccdf_a_profile_b\"/>")
        .contains("holds the profiles acme, b; name one"));
}

#[test]
fn groups_that_the_operator_selects_say_nothing() {
    let mut tailoring = example().to_xccdf(TIME);
    let group = virtscap_scap::xccdf::Select {
        idref: "xccdf_org.ssgproject.content_group_section-1".to_owned(),
        selected: true,
    };
    tailoring.profiles[0].selects.insert(0, group);
    assert_eq!(from_xccdf(&tailoring, Some("acme"), &catalog()).unwrap(), example());
}

/// A text as people write reasons, and worse; white space at its ends does not count.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z][a-zA-Z0-9 ,.:'\"<>&#|{}%@`!*-]{0,120}",
        "[ -~äß€😀\n]{1,60}",
        "(yes|no|null|~|1|0x1f|1e3|true|---|- a|\\? b|a: b| #c)",
    ]
    .prop_map(|text| text.trim().to_owned())
    .prop_filter("a rationale is not empty", |text| !text.is_empty())
}

fn tailored() -> impl Strategy<Value = Tailored> {
    let of_scope = |scope: Scope| {
        let all = STREAM_RULES.iter().filter(move |(_, of)| *of == scope);
        all.map(|(rule, _)| rule.clone()).collect::<Vec<_>>()
    };
    let values: Vec<_> = catalog_values();
    let action = prop_oneof![Just(Action::Enable), Just(Action::Disable), Just(Action::Manual)];
    let rules = prop::sample::subsequence(of_scope(Scope::Platform), 0..12);
    let value =
        prop_oneof![r"[a-z]{1,8}(\\\.com/\.\*)?", "[ a-z:#'\"<>&|%@-]{1,40}", "(yes|null|1|~|[a-z]+)"];
    (
        ("[a-z]([a-z0-9-]{0,20}[a-z0-9])?", prop::bool::ANY, text(), text()),
        (rules, prop::collection::vec((action, text()), 12)),
        (prop::sample::subsequence(values, 0..6), prop::collection::vec((value, text()), 6)),
    )
        .prop_filter("a platform's name", |((name, ..), ..)| !name.ends_with("-node"))
        .prop_map(|((name, extends, title, description), (rules, actions), (values, set))| {
            let rules = rules.into_iter().zip(actions);
            let mut rules: Vec<_> =
                rules.map(|(rule, (action, rationale))| RuleChoice { rule, action, rationale }).collect();
            rules.sort_by_key(|choice| choice.action);
            let values = values.into_iter().zip(set);
            Tailored {
                name,
                extends: extends.then(|| profile_id("level-2")),
                title: one_line(&title),
                description: one_line(&description),
                rules,
                values: values.map(|(id, (value, rationale))| ValueChoice { id, value, rationale }).collect(),
            }
        })
}

static STREAM_RULES: LazyLock<Vec<(RuleId, Scope)>> = LazyLock::new(|| {
    let catalog = catalog();
    let mut rules = Vec::new();
    for component in &STREAM.components {
        if let virtscap_scap::datastream::ComponentContent::Benchmark(benchmark) = &component.content {
            benchmark.for_each_rule(&mut |_, rule| {
                rules.extend(catalog.rule_scope(&rule.id).map(|scope| (rule.id.clone(), scope)));
            });
        }
    }
    rules
});

fn catalog_values() -> Vec<ValueId> {
    let benchmark = STREAM.components.iter().find_map(|component| match &component.content {
        virtscap_scap::datastream::ComponentContent::Benchmark(benchmark) => Some(benchmark),
        _ => None,
    });
    benchmark.unwrap().values.iter().map(|value| value.id.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn nothing_is_lost_from_xccdf_to_the_manifest_and_back(tailored in tailored()) {
        let catalog = catalog();
        tailored.check(&catalog).unwrap();
        let xml = tailored.to_xccdf(TIME).write("ds.xml");
        let from_xml = from_xccdf(&Tailoring::read(&xml).unwrap(), None, &catalog).unwrap();
        prop_assert_eq!(&from_xml, &tailored);
        let manifest = from_xml.to_manifest(BUNDLE).unwrap();
        let (from_yaml, bundle) = from_manifest(&manifest, &catalog).unwrap();
        prop_assert_eq!(bundle, BUNDLE);
        prop_assert_eq!(from_yaml.to_xccdf(TIME).write("ds.xml"), xml);
    }
}
