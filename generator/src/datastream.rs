//! The SCAP 1.3 source data stream of a benchmark, in the form that the Compliance Operator and stock OpenSCAP take.

use virtscap_scap::cpe::{CpeCheck, CpeItem, CpeList};
use virtscap_scap::datastream::{
    Component, ComponentContent, ComponentRef, DataStream, DataStreamCollection,
};
use virtscap_scap::id::{BenchmarkId, DefinitionId, GroupId, ObjectId, ProfileId, RuleId, TestId, ValueId};
use virtscap_scap::markup::{Markup, MarkupNode};
use virtscap_scap::namespace::{OCIL_SYSTEM, OVAL_DEF};
use virtscap_scap::ocil::{Ocil, Questionnaire};
use virtscap_scap::oval::{
    self, Class, Comparison, Criteria, CriteriaNode, Datatype, Entity, Existence, FileSpec, Generator,
    Object, ObjectKind, Operation, Operator, OvalDefinitions, Test, TestKind,
};
use virtscap_scap::xccdf::{
    self, Check, CheckContentRef, CheckExport, Group, GuidePlace, Item, Profile, Reference, Role, Rule,
    RuleCheck, ScoringModel, Select, Selectable, SetValue, Value, ValueType,
};

use crate::lower::{self, COLLECTED, DATA_ROOT, Endpoint, OBJECT};
use crate::markdown::labelled;
use crate::model;

/// File name of the data stream, and stem of the names within it.
pub const FILE_NAME: &str = "ssg-ocp-virt-ds.xml";

const XCCDF: &str = "ssg-ocp-virt-xccdf.xml";
const OVAL: &str = "ssg-ocp-virt-oval.xml";
const OCIL: &str = "ssg-ocp-virt-ocil.xml";
const CPE_DICTIONARY: &str = "ssg-ocp-virt-cpe-dictionary.xml";
const CPE_OVAL: &str = "ssg-ocp-virt-cpe-oval.xml";
const DATA_ROOT_VALUE: &str = "ocp_data_root";
/// The address by which the Compliance Operator knows NIST SP 800-53.
const NIST_800_53: &str = "http://nvlpubs.nist.gov/nistpubs/SpecialPublications/NIST.SP.800-53r4.pdf";
const PLATFORM_DEFINITION: &str = "oval:ssg-installed_app_is_openshift_virtualization:def:1";

/// The prefix that the operator cuts off ids of this kind.
fn id(kind: &str, name: &str) -> String {
    format!("xccdf_org.ssgproject.content_{kind}_{name}")
}

/// The XCCDF id of a rule.
pub fn rule_id(name: &str) -> RuleId {
    RuleId::new(id("rule", name))
}

/// The XCCDF id of a value.
pub fn value_id(name: &str) -> ValueId {
    ValueId::new(id("value", name))
}

/// Makes the data stream.
pub fn data_stream(benchmark: &model::Benchmark) -> DataStreamCollection {
    let timestamp = timestamp(benchmark);
    let component = |name: &str, content| Component {
        id: format!("scap_org.open-scap_comp_{name}"),
        timestamp: timestamp.clone(),
        content,
    };
    let reference = |name: &str, catalog: &[&str]| ComponentRef {
        id: cref(name),
        component: format!("scap_org.open-scap_comp_{name}"),
        catalog: catalog.iter().map(|name| ((*name).to_owned(), cref(name))).collect(),
    };
    DataStreamCollection {
        id: format!("scap_org.open-scap_collection_from_xccdf_{XCCDF}"),
        data_streams: vec![DataStream {
            id: format!("scap_org.open-scap_datastream_from_xccdf_{XCCDF}"),
            dictionaries: vec![reference(CPE_DICTIONARY, &[CPE_OVAL])],
            checklists: vec![reference(XCCDF, &[OVAL, OCIL])],
            checks: vec![reference(OVAL, &[]), reference(OCIL, &[]), reference(CPE_OVAL, &[])],
        }],
        // The operator takes the first OVAL component for the rules' one.
        components: vec![
            component(CPE_DICTIONARY, ComponentContent::CpeList(cpe_list(benchmark))),
            component(XCCDF, ComponentContent::Benchmark(Box::new(xccdf(benchmark)))),
            component(OVAL, ComponentContent::Oval(oval(benchmark))),
            component(OCIL, ComponentContent::Ocil(ocil(benchmark))),
            component(CPE_OVAL, ComponentContent::Oval(cpe_oval(benchmark))),
        ],
    }
}

fn cref(name: &str) -> String {
    format!("scap_org.open-scap_cref_{name}")
}

/// The version's date, so that the same benchmark gives the same bytes.
fn timestamp(benchmark: &model::Benchmark) -> String {
    format!("{}T00:00:00", benchmark.date)
}

fn generator(benchmark: &model::Benchmark) -> Generator {
    Generator {
        product_name: Some("virtscap".to_owned()),
        product_version: Some(benchmark.version.clone()),
        schema_version: "5.11".to_owned(),
        timestamp: timestamp(benchmark),
    }
}

fn xccdf(benchmark: &model::Benchmark) -> xccdf::Benchmark {
    let section = |section: &model::Section| {
        Item::Group(Group {
            id: GroupId::new(id("group", &format!("section-{}", section.number))),
            selectable: Selectable::default(),
            title: format!("{}. {}", section.number, section.title),
            description: section.description.clone(),
            items: section.rules.iter().map(|r| Item::Rule(Box::new(rule(benchmark, r)))).collect(),
        })
    };
    let mut values = vec![Value {
        id: value_id(DATA_ROOT_VALUE),
        value_type: ValueType::String,
        title: "Folder of the dumps".to_owned(),
        description: "Where the filtered API answers are. The Compliance Operator mounts them here.".into(),
        values: vec![(None, DATA_ROOT.to_owned())],
    }];
    values.extend(benchmark.values.iter().map(|value| Value {
        id: value_id(&value.id),
        value_type: ValueType::String,
        title: value.title.clone(),
        description: value.description.clone(),
        values: vec![(None, value.default.clone())],
    }));
    xccdf::Benchmark {
        id: BenchmarkId::new(id("benchmark", &benchmark.id)),
        status: Some(("draft".to_owned(), benchmark.date.clone())),
        title: benchmark.title.clone(),
        description: benchmark.description.clone(),
        // The platform stands at profiles, where the operator looks for it, and at rules, where oscap does.
        platforms: Vec::new(),
        version: benchmark.version.clone(),
        models: vec![ScoringModel::Default, ScoringModel::Flat],
        profiles: benchmark.profiles.iter().map(|p| profile(benchmark, p)).collect(),
        values,
        items: benchmark.sections.iter().map(section).collect(),
    }
}

fn profile(benchmark: &model::Benchmark, profile: &model::Profile) -> Profile {
    let rules: Vec<_> = benchmark.rules().filter(|rule| profile.selects(rule)).collect();
    let used = |value: &&model::Value| rules.iter().any(|rule| rule.values().contains(&value.id.as_str()));
    Profile {
        id: ProfileId::new(id("profile", &profile.id)),
        // The operator does not follow `extends`: a profile has to name all its rules.
        extends: None,
        title: profile.title.clone(),
        description: profile.description.clone(),
        platforms: vec![benchmark.platform.cpe.clone()],
        selects: rules
            .iter()
            .map(|rule| Select { idref: rule_id(&rule.id).to_string(), selected: true })
            .collect(),
        set_values: benchmark
            .values
            .iter()
            .filter(used)
            .map(|value| SetValue { idref: value_id(&value.id), value: value.default.clone() })
            .collect(),
        refine_values: Vec::new(),
        refine_rules: Vec::new(),
    }
}

fn rule(benchmark: &model::Benchmark, rule: &model::Rule) -> Rule {
    let mut description = rule.description.clone();
    description.0.extend(labelled("Impact:", &rule.impact));
    description.0.extend(labelled("Default:", &rule.default_value));
    let nist = rule.nist_800_53.iter();
    let exports = [DATA_ROOT_VALUE].into_iter().chain(rule.values());
    Rule {
        id: rule_id(&rule.id),
        selectable: Selectable {
            selected: false,
            platforms: vec![benchmark.platform.cpe.clone()],
            ..Selectable::default()
        },
        severity: Some(rule.severity),
        role: Role::Full,
        title: rule.title.clone(),
        description,
        warnings: vec![api_warning(&endpoints(benchmark, rule))],
        references: nist
            .map(|control| Reference { href: NIST_800_53.to_owned(), text: control.clone() })
            .collect(),
        guide: Some(GuidePlace { section: rule.section.clone(), level: Some(rule.level) }),
        rationale: Some(rule.rationale.clone()),
        fixtexts: vec![rule.remediation.clone()],
        fixes: Vec::new(),
        check: RuleCheck::Simple(vec![
            Check {
                system: OVAL_DEF.to_owned(),
                negate: false,
                multi_check: false,
                exports: exports
                    .map(|value| CheckExport {
                        value_id: value_id(value),
                        export_name: lower::external(value).to_string(),
                    })
                    .collect(),
                content_refs: vec![CheckContentRef {
                    href: OVAL.to_owned(),
                    name: Some(definition_id(rule).to_string()),
                }],
            },
            Check {
                system: OCIL_SYSTEM.to_owned(),
                negate: false,
                multi_check: false,
                exports: Vec::new(),
                content_refs: vec![CheckContentRef {
                    href: OCIL.to_owned(),
                    name: Some(questionnaire(rule).id()),
                }],
            },
        ]),
    }
}

/// What a rule wants of the API: what its legs read, and what tells whether the product is installed. The operator
/// fetches only what the selected rules name, so each rule names the platform's resource too.
pub(crate) fn endpoints(benchmark: &model::Benchmark, rule: &model::Rule) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = rule.check.iter().flat_map(lower::endpoints).collect();
    endpoints.push(platform_endpoint(benchmark));
    endpoints
}

fn platform_endpoint(benchmark: &model::Benchmark) -> Endpoint {
    Endpoint {
        path: benchmark.platform.resource.path(),
        filter: format!("[\"{COLLECTED}\"] + [.items[] | \"{OBJECT}\"]"),
    }
}

/// The warning by which the operator's collector knows what to fetch.
fn api_warning(endpoints: &[Endpoint]) -> Markup {
    let text = |text: &str| MarkupNode::Text(text.to_owned());
    let entry = |endpoint: &Endpoint| {
        let hash = endpoint.hash();
        let code = |class: &str, id: String, children| MarkupNode::Html {
            name: "code".to_owned(),
            attributes: vec![("class".to_owned(), class.to_owned()), ("id".to_owned(), id)],
            children,
        };
        let dump =
            vec![MarkupNode::Sub { idref: value_id(DATA_ROOT_VALUE).to_string() }, text(&endpoint.dump())];
        MarkupNode::html(
            "li",
            vec![
                code("ocp-api-endpoint", hash.clone(), vec![text(&endpoint.path)]),
                text(" through the jq filter "),
                code("ocp-api-filter", format!("filter-{hash}"), vec![text(&endpoint.filter)]),
                text(" into "),
                code("ocp-dump-location", format!("dump-{hash}"), dump),
            ],
        )
    };
    Markup(vec![
        text("This rule's check reads answers of the cluster's API: "),
        MarkupNode::html("ul", endpoints.iter().map(entry).collect()),
    ])
}

fn definition_id(rule: &model::Rule) -> DefinitionId {
    DefinitionId::new(format!("oval:ssg-{}:def:1", rule.id))
}

fn oval(benchmark: &model::Benchmark) -> OvalDefinitions {
    let mut oval = OvalDefinitions { generator: generator(benchmark), ..OvalDefinitions::default() };
    lower::add_common(&mut oval);
    for value in &benchmark.values {
        lower::add_external(&mut oval, &value.id, &value.title);
    }
    for rule in benchmark.rules() {
        let criteria = lower::add_check(&mut oval, rule);
        oval.definitions.push(oval::Definition {
            id: definition_id(rule),
            version: "1".to_owned(),
            class: Class::Compliance,
            title: rule.title.clone(),
            description: rule.description.plain_text(&|_| String::new()),
            criteria: Some(criteria),
        });
    }
    oval
}

fn questionnaire(rule: &model::Rule) -> Questionnaire {
    Questionnaire {
        id_stem: format!("ocil:ssg-{}", rule.id),
        title: rule.title.clone(),
        // The operator drops the last line and shows the rest as the rule's instructions.
        question: format!("{}\nIs it the case that something offends?", rule.audit),
    }
}

fn ocil(benchmark: &model::Benchmark) -> Ocil {
    Ocil { timestamp: timestamp(benchmark), questionnaires: benchmark.rules().map(questionnaire).collect() }
}

fn cpe_list(benchmark: &model::Benchmark) -> CpeList {
    CpeList {
        items: vec![CpeItem {
            name: benchmark.platform.cpe.clone(),
            title: benchmark.platform.title.clone(),
            check: Some(CpeCheck {
                href: CPE_OVAL.to_owned(),
                definition: DefinitionId::new(PLATFORM_DEFINITION),
            }),
        }],
    }
}

/// The product counts as installed unless the API server was asked and said that it does not know its resource: an
/// answer that could not be had must not make every rule `notapplicable`.
fn cpe_oval(benchmark: &model::Benchmark) -> OvalDefinitions {
    let dump = format!("{DATA_ROOT}{}", platform_endpoint(benchmark).dump());
    let test_id = TestId::new("oval:ssg-openshift_virtualization_not_found:tst:1");
    let object_id = ObjectId::new("oval:ssg-openshift_virtualization_not_found:obj:1");
    let resource = benchmark.platform.resource.full_name();
    OvalDefinitions {
        generator: generator(benchmark),
        definitions: vec![oval::Definition {
            id: DefinitionId::new(PLATFORM_DEFINITION),
            version: "1".to_owned(),
            class: Class::Inventory,
            title: format!("{} is installed", benchmark.platform.title),
            description: format!("The API server does not say that it knows no {resource}."),
            criteria: Some(Criteria {
                operator: Operator::And,
                negate: false,
                comment: None,
                children: vec![CriteriaNode::Criterion {
                    test_ref: test_id.clone(),
                    negate: true,
                    comment: None,
                }],
            }),
        }],
        tests: vec![Test {
            id: test_id,
            version: "1".to_owned(),
            comment: format!("the API server knows no {resource}"),
            check: oval::Check::All,
            check_existence: Existence::AtLeastOneExists,
            state_operator: Operator::And,
            kind: TestKind::TextFileContent54(Comparison { object: object_id.clone(), states: Vec::new() }),
        }],
        objects: vec![Object {
            id: object_id,
            version: "1".to_owned(),
            comment: None,
            kind: ObjectKind::TextFileContent54 {
                file: FileSpec::FilePath(Entity::equals(dump)),
                pattern: Entity::matches("^# kube-api-error=NotFound$"),
                instance: Entity {
                    operation: Operation::GreaterThanOrEqual,
                    datatype: Datatype::Int,
                    ..Entity::equals("1")
                },
            },
        }],
        states: Vec::new(),
        variables: Vec::new(),
    }
}
