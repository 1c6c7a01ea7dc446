//! The SCAP 1.3 source data stream of a benchmark, in the form that the Compliance Operator and stock OpenSCAP take.

use virtscap_scap::cpe::{CpeCheck, CpeItem, CpeList};
use virtscap_scap::datastream::{
    Component, ComponentContent, ComponentRef, DataStream, DataStreamCollection,
};
use virtscap_scap::id::{
    BenchmarkId, DefinitionId, GroupId, ObjectId, ProfileId, RuleId, StateId, TestId, ValueId,
};
use virtscap_scap::markup::{Markup, MarkupNode};
use virtscap_scap::namespace::{KUBERNETES_FIX, OCIL_SYSTEM, OVAL_DEF};
use virtscap_scap::ocil::{Ocil, Questionnaire};
use virtscap_scap::oval::{
    self, Class, Criteria, CriteriaNode, Entity, Existence, Generator, Object, ObjectKind, Operator,
    OvalDefinitions, State, StateKind, Test, TestKind, TestType,
};
use virtscap_scap::xccdf::{
    self, Check, CheckContentRef, CheckExport, Fix, Group, GuidePlace, Item, Profile, Reference, Role, Rule,
    RuleCheck, ScoringModel, Select, Selectable, SetValue, Value, ValueType,
};

use crate::lower::{self, COLLECTED, DATA_ROOT, Endpoint, OBJECT};
use crate::markdown::labelled;
use crate::model::{self, Scope};

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
const NODE_DEFINITION: &str = "oval:ssg-installed_OS_is_openshift_node:def:1";

/// The prefix that the operator cuts off ids of this kind.
fn id(kind: &str, name: &str) -> String {
    format!("xccdf_org.ssgproject.content_{kind}_{name}")
}

/// The XCCDF id of a rule.
pub fn rule_id(name: &str) -> RuleId {
    RuleId::new(id("rule", name))
}

/// The XCCDF id of a profile.
pub fn profile_id(name: &str) -> ProfileId {
    ProfileId::new(id("profile", name))
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
        platform_specification: Default::default(),
        version: benchmark.version.clone(),
        models: vec![ScoringModel::Default, ScoringModel::Flat],
        profiles: benchmark.profiles.iter().map(|p| profile(benchmark, p)).collect(),
        values,
        items: benchmark.sections.iter().map(section).collect(),
        abstract_items: Default::default(),
    }
}

/// The CPE name of what a scan of this scope looks at.
fn platform(benchmark: &model::Benchmark, scope: Scope) -> &str {
    match scope {
        Scope::Platform => &benchmark.platform.cpe,
        Scope::Node => &benchmark.node.cpe,
    }
}

fn profile(benchmark: &model::Benchmark, profile: &model::Profile) -> Profile {
    let rules: Vec<_> = benchmark.rules().filter(|rule| profile.selects(rule)).collect();
    let used = |value: &&model::Value| rules.iter().any(|rule| rule.values().contains(&value.id.as_str()));
    Profile {
        id: profile_id(&profile.id),
        // The operator does not follow `extends`: a profile has to name all its rules.
        extends: None,
        is_abstract: false,
        title: profile.title.clone(),
        description: profile.description.clone(),
        platforms: vec![platform(benchmark, profile.scope).to_owned()],
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
        complex_values: Vec::new(),
        refine_values: Vec::new(),
        refine_rules: Vec::new(),
        remarks: Default::default(),
    }
}

fn rule(benchmark: &model::Benchmark, rule: &model::Rule) -> Rule {
    let mut description = rule.description.clone();
    description.0.extend(labelled("Impact:", &rule.impact));
    description.0.extend(labelled("Default:", &rule.default_value));
    let nist = rule.nist_800_53.iter();
    let endpoints = endpoints(benchmark, rule);
    let exports = (!endpoints.is_empty()).then_some(DATA_ROOT_VALUE).into_iter().chain(rule.values());
    Rule {
        id: rule_id(&rule.id),
        selectable: Selectable {
            selected: false,
            platforms: vec![platform(benchmark, rule.scope()).to_owned()],
            ..Selectable::default()
        },
        severity: Some(rule.severity),
        role: Role::Full,
        title: rule.title.clone(),
        description,
        // By this warning the operator also tells a platform rule from a node rule.
        warnings: if endpoints.is_empty() { Vec::new() } else { vec![api_warning(&endpoints)] },
        references: nist
            .map(|control| Reference { href: NIST_800_53.to_owned(), text: control.clone() })
            .collect(),
        guide: Some(GuidePlace { section: rule.section.clone(), level: rule.level }),
        rationale: Some(rule.rationale.clone()),
        fixtexts: vec![rule.remediation.clone()],
        fixes: fix(rule).into_iter().collect(),
        check: RuleCheck::Simple(vec![
            Check {
                system: OVAL_DEF.to_owned(),
                selector: None,
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
                selector: None,
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

/// All objects of a rule in one fix: of several fixes the operator takes the first and loses the others.
fn fix(rule: &model::Rule) -> Option<Fix> {
    let objects: Vec<_> = rule.fixes.iter().map(|fix| fix.yaml.as_str()).collect();
    (!objects.is_empty()).then(|| Fix {
        // Names of remediations are made of it, which have to be in lower case; ids of rules are.
        id: Some(rule.id.clone()),
        system: KUBERNETES_FIX.to_owned(),
        content: objects.join("---\n"),
    })
}

/// What a rule wants of the API: what its legs read, and what tells whether the product is installed. The operator
/// fetches only what the selected rules name, so each rule names the platform's resources too.
pub(crate) fn endpoints(benchmark: &model::Benchmark, rule: &model::Rule) -> Vec<Endpoint> {
    if rule.scope() == Scope::Node {
        return Vec::new();
    }
    let mut endpoints = Vec::new();
    let of_platform = benchmark.platform.resources.iter().map(platform_endpoint);
    for endpoint in rule.check.iter().flat_map(lower::endpoints).chain(of_platform) {
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    endpoints
}

fn platform_endpoint(resource: &model::Resource) -> Endpoint {
    Endpoint { path: resource.path(), filter: format!("[\"{COLLECTED}\"] + [.items[] | \"{OBJECT}\"]") }
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
    let item = |cpe: &str, title: &str, definition: &str| CpeItem {
        name: cpe.to_owned(),
        title: title.to_owned(),
        checks: vec![CpeCheck { href: CPE_OVAL.to_owned(), definition: DefinitionId::new(definition) }],
    };
    CpeList {
        items: vec![
            item(&benchmark.platform.cpe, &benchmark.platform.title, PLATFORM_DEFINITION),
            item(&benchmark.node.cpe, &benchmark.node.title, NODE_DEFINITION),
        ],
    }
}

fn inventory(id: &str, title: &str, description: String, criteria: Criteria) -> oval::Definition {
    oval::Definition {
        id: DefinitionId::new(id),
        version: "1".to_owned(),
        class: Class::Inventory,
        title: title.to_owned(),
        description,
        criteria: Some(criteria),
    }
}

fn cpe_test(id: &str, comment: String, kind: TestKind) -> Test {
    Test {
        id: TestId::new(id),
        version: "1".to_owned(),
        comment,
        check: oval::Check::All,
        check_existence: Existence::AtLeastOneExists,
        state_operator: Operator::And,
        kind,
    }
}

/// The product counts as installed unless the API server was asked and said that it serves none of its resources: an
/// answer that could not be had must not make every rule `notapplicable`. A node counts as one whatever is there of it;
/// each rule has a proof of its own.
fn cpe_oval(benchmark: &model::Benchmark) -> OvalDefinitions {
    let object =
        |id: String, kind| Object { id: ObjectId::new(id), version: "1".to_owned(), comment: None, kind };
    let mut tests = Vec::new();
    let mut objects = Vec::new();
    let mut not_found = Vec::new();
    let mut names = Vec::new();
    for (number, resource) in (1..).zip(&benchmark.platform.resources) {
        let stem = format!("oval:ssg-openshift_virtualization_not_found_{number}");
        let dump = format!("{DATA_ROOT}{}", platform_endpoint(resource).dump());
        let file = vec![("filepath", Some(Entity::equals(dump)))];
        let dump = object(format!("{stem}:obj:1"), lower::text_object(file, lower::NOT_FOUND));
        let kind = TestKind::of(TestType::TextFileContent54, dump.id.clone(), Vec::new());
        let comment = format!("the API server knows no {}", resource.full_name());
        let test = cpe_test(&format!("{stem}:tst:1"), comment, kind);
        not_found.push(CriteriaNode::Criterion { test_ref: test.id.clone(), negate: false, comment: None });
        names.push(resource.full_name());
        tests.push(test);
        objects.push(dump);
    }
    let family = object(
        "oval:ssg-openshift_node_family:obj:1".to_owned(),
        ObjectKind::plain(TestType::Family, Vec::new()),
    );
    let unix = State {
        id: StateId::new("oval:ssg-openshift_node_family:ste:1"),
        version: "1".to_owned(),
        comment: None,
        operator: Operator::And,
        kind: StateKind::one(TestType::Family, "family", Entity::equals("unix")),
    };
    let kind = TestKind::of(TestType::Family, family.id.clone(), vec![unix.id.clone()]);
    let node =
        cpe_test("oval:ssg-openshift_node_family:tst:1", "the system is of the family unix".to_owned(), kind);
    let is_node = CriteriaNode::Criterion { test_ref: node.id.clone(), negate: false, comment: None };
    tests.push(node);
    objects.push(family);
    let criteria = |negate, children| Criteria { operator: Operator::And, negate, comment: None, children };
    OvalDefinitions {
        generator: generator(benchmark),
        definitions: vec![
            inventory(
                PLATFORM_DEFINITION,
                &format!("{} is installed", benchmark.platform.title),
                format!("The API server does not say that it knows none of {}.", names.join(", ")),
                criteria(true, not_found),
            ),
            inventory(
                NODE_DEFINITION,
                &benchmark.node.title,
                "The system is of the family unix.".to_owned(),
                criteria(false, vec![is_node]),
            ),
        ],
        tests,
        objects,
        states: vec![unix],
        variables: Vec::new(),
    }
}
