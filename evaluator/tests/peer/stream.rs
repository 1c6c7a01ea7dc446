//! Data streams from fragments of XML.
//!
//! Fragments are short: ids are `rule:a`, `def:1` and so on in place of full ones, versions and comments are filled in, and
//! the parts of an OVAL document may stand in any order. oscap 1.3.7 skips elements that follow another one without
//! white space between them, so every element gets a line break in front.

use std::fmt::Write as _;

const NAMESPACES: [(&str, &str); 10] = [
    ("oval", "http://oval.mitre.org/XMLSchema/oval-common-5"),
    ("ind", "http://oval.mitre.org/XMLSchema/oval-definitions-5#independent"),
    ("unix", "http://oval.mitre.org/XMLSchema/oval-definitions-5#unix"),
    ("linux", "http://oval.mitre.org/XMLSchema/oval-definitions-5#linux"),
    ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ("ds", "http://scap.nist.gov/schema/scap/source/1.2"),
    ("xlink", "http://www.w3.org/1999/xlink"),
    ("cat", "urn:oasis:names:tc:entity:xmlns:xml:catalog"),
    ("cpe-dict", "http://cpe.mitre.org/dictionary/2.0"),
    ("cpe2", "http://cpe.mitre.org/language/2.0"),
];
const OVAL: &str = "http://oval.mitre.org/XMLSchema/oval-definitions-5";
const OCIL: &str = "http://scap.nist.gov/schema/ocil/2";
const XCCDF: &str = "http://checklists.nist.gov/xccdf/1.2";

/// The parts of a data stream.
pub(crate) struct Parts<'a> {
    /// What stands in the Benchmark; none: a rule per definition.
    pub(crate) benchmark: Option<&'a str>,
    /// Definitions, tests, objects, states and variables.
    pub(crate) oval: &'a str,
    /// CPE names, each with the number of its definition in `cpe_oval`.
    pub(crate) platforms: Vec<(&'a str, &'a str)>,
    /// Further items of the dictionary, or of another one: those with `second="true"`.
    pub(crate) dictionary: &'a str,
    /// What the platforms' definitions are in.
    pub(crate) cpe_oval: &'a str,
}

impl Parts<'_> {
    /// The data stream.
    pub(crate) fn xml(&self) -> String {
        let oval = oval(self.oval);
        let benchmark = match self.benchmark {
            Some(text) => benchmark(text),
            None => benchmark(&rule_per_definition(&oval)),
        };
        let cpe_oval = oval_or_nothing(self.cpe_oval);
        let mut namespaces = String::new();
        for (prefix, uri) in NAMESPACES {
            write!(namespaces, r#" xmlns:{prefix}="{uri}""#).unwrap();
        }
        let (mut dictionary, mut dictionary_reference, mut cpe_reference) = Default::default();
        if !self.platforms.is_empty() || !self.dictionary.is_empty() {
            let (second, first): (Vec<_>, Vec<_>) = elements(self.dictionary)
                .into_iter()
                .partition(|(_, text)| !attribute(text, "second").is_empty());
            let mut lists = vec![("dictionary", cpe_list(&self.platforms, first))];
            if !second.is_empty() {
                lists.push(("second-dictionary", cpe_list(&[], second)));
            }
            dictionary = lists.iter().map(|(name, list)| component(name, list)).collect::<String>();
            dictionary += &component("cpe-oval", &cpe_oval);
            let references =
                lists.iter().map(|(name, _)| component_ref(name, &[("cpe-oval.xml", "cpe-oval")]));
            dictionary_reference =
                format!("<ds:dictionaries>\n{}</ds:dictionaries>\n", references.collect::<String>());
            cpe_reference = component_ref("cpe-oval", &[]);
        }
        let text = format!(
            r##"<?xml version="1.0" encoding="UTF-8"?>
<ds:data-stream-collection{namespaces} id="scap_x_collection_x" schematron-version="1.3">
<ds:data-stream id="scap_x_datastream_x" scap-version="1.3" use-case="OTHER">
{dictionary_reference}<ds:checklists>
{}</ds:checklists>
<ds:checks>
{}{cpe_reference}</ds:checks>
</ds:data-stream>
{}{}{dictionary}</ds:data-stream-collection>
"##,
            component_ref("benchmark", &[("oval.xml", "oval")]),
            component_ref("oval", &[]),
            component("benchmark", &benchmark),
            component("oval", &oval),
        );
        finish(&text)
    }
}

/// A tailoring document around its profiles.
pub(crate) fn tailoring(profiles: &str) -> String {
    finish(&format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Tailoring xmlns="{XCCDF}" id="xccdf_x_tailoring_x">
<version time="2026-01-01T00:00:00">1</version>
{profiles}
</Tailoring>
"#
    ))
}

/// The full form of short ids of XCCDF in attributes.
fn full_ids(text: &str) -> String {
    let mut text = text.to_owned();
    for kind in ["rule", "group", "value", "profile"] {
        for before in ["\"", " "] {
            text = text.replace(&format!("{before}{kind}:"), &format!("{before}xccdf_x_{kind}_"));
        }
    }
    text
}

fn finish(text: &str) -> String {
    let mut text = full_ids(text).replace("/k/", "/kubernetes-api-resources/");
    for kind in ["def", "tst", "obj", "ste", "var"] {
        text = text.replace(&format!("\"{kind}:"), &format!("\"oval:x:{kind}:"));
        text = text.replace(&format!(">{kind}:"), &format!(">oval:x:{kind}:"));
    }
    text = text.replace("system=\"oval\"", &format!("system=\"{OVAL}\""));
    text = text.replace("system=\"ocil\"", &format!("system=\"{OCIL}\""));
    // Not before an end tag: an empty element stays empty.
    text.replace("><", ">\n<").replace(">\n</", "></")
}

fn component(name: &str, content: &str) -> String {
    let id = format!("scap_x_comp_{name}");
    format!("<ds:component id=\"{id}\" timestamp=\"2026-01-01T00:00:00\">\n{content}\n</ds:component>\n")
}

fn component_ref(name: &str, catalog: &[(&str, &str)]) -> String {
    let mut uris = String::new();
    for (href, component) in catalog {
        writeln!(uris, r##"<cat:uri name="{href}" uri="#scap_x_cref_{component}"/>"##).unwrap();
    }
    let catalog =
        if uris.is_empty() { String::new() } else { format!("<cat:catalog>\n{uris}</cat:catalog>\n") };
    let attributes = format!(r##"id="scap_x_cref_{name}" xlink:href="#scap_x_comp_{name}""##);
    format!("<ds:component-ref {attributes}>\n{catalog}</ds:component-ref>\n")
}

fn cpe_list(platforms: &[(&str, &str)], further: Vec<(String, String)>) -> String {
    let short = further.iter().filter(|(name, _)| name == "item");
    let numbered: Vec<_> =
        short.map(|(_, text)| (attribute(text, "name"), format!("def:{}", attribute(text, "def")))).collect();
    let platforms = platforms.iter().copied().chain(numbered.iter().map(|(name, id)| (*name, id.as_str())));
    let long = further.iter().filter(|(name, _)| name != "item");
    let mut items: String = long.map(|(_, text)| format!("{text}\n")).collect();
    for (name, definition) in platforms {
        writeln!(
            items,
            r#"<cpe-dict:cpe-item name="{name}">
<cpe-dict:title xml:lang="en-us">{name}</cpe-dict:title>
<cpe-dict:check system="oval" href="cpe-oval.xml">{definition}</cpe-dict:check>
</cpe-dict:cpe-item>"#
        )
        .unwrap();
    }
    format!("<cpe-dict:cpe-list>\n{items}</cpe-dict:cpe-list>")
}

/// The full id of a profile.
pub(crate) fn profile_id(name: &str) -> String {
    if name.starts_with('(') { name.to_owned() } else { format!("xccdf_x_profile_{name}") }
}

/// The elements of a fragment: name and text of each.
fn elements(fragment: &str) -> Vec<(String, String)> {
    let mut namespaces = String::new();
    for (prefix, uri) in NAMESPACES {
        write!(namespaces, r#" xmlns:{prefix}="{uri}""#).unwrap();
    }
    let document = format!("<root{namespaces}>{fragment}</root>");
    let parsed = roxmltree::Document::parse(&document).unwrap_or_else(|e| panic!("{e}: {fragment}"));
    let children = parsed.root_element().children().filter(roxmltree::Node::is_element);
    children.map(|c| (c.tag_name().name().to_owned(), document[c.range()].to_owned())).collect()
}

/// Rules with the check of a definition in place of `{1}`.
fn with_checks(text: &str) -> String {
    let mut filled = text.to_owned();
    for number in 1..=60 {
        for (form, negate) in [(format!("{{{number}}}"), ""), (format!("{{!{number}}}"), r#" negate="true""#)]
        {
            let check = format!(
                r#"<check system="oval"{negate}>
<check-content-ref href="oval.xml" name="def:{number}"/>
</check>"#
            );
            filled = filled.replace(&form, &check);
        }
    }
    filled
}

fn benchmark(fragment: &str) -> String {
    let parts = elements(&with_checks(fragment));
    let of = |names: &[&str]| {
        let chosen = parts.iter().filter(|(name, _)| names.contains(&name.as_str()));
        chosen.map(|(_, text)| format!("{text}\n")).collect::<String>()
    };
    format!(
        r#"<Benchmark xmlns="{XCCDF}" id="xccdf_x_benchmark_x" resolved="1">
<status>incomplete</status>
<title>Cases</title>
<description>Cases</description>
{}{}<version>1</version>
{}{}{}{}</Benchmark>"#,
        of(&["platform-specification"]),
        of(&["platform"]),
        of(&["model"]),
        of(&["Profile"]),
        of(&["Value"]),
        of(&["Group", "Rule"]),
    )
}

fn rule_per_definition(oval: &str) -> String {
    let ids = oval.split("id=\"def:").skip(1).filter_map(|rest| rest.split('"').next());
    let rule = |id: &str| {
        format!(
            r#"<Rule id="rule:{id}" selected="true"><title>{id}</title><check system="oval">
<check-content-ref href="oval.xml" name="def:{id}"/>
</check></Rule>"#
        )
    };
    ids.map(rule).collect()
}

fn oval_or_nothing(fragment: &str) -> String {
    if fragment.is_empty() { String::new() } else { oval(fragment) }
}

fn oval(fragment: &str) -> String {
    let mut sections: [(&str, Vec<String>); 5] = [
        ("definition", Vec::new()),
        ("test", Vec::new()),
        ("object", Vec::new()),
        ("state", Vec::new()),
        ("variable", Vec::new()),
    ];
    for (name, text) in elements(fragment) {
        let (name, text) = expanded(name, text);
        let kind = name.rsplit('_').next().unwrap();
        let section = sections.iter_mut().find(|(section, _)| *section == kind);
        section.unwrap_or_else(|| panic!("<{name}>")).1.push(completed(&name, &text));
    }
    if sections[0].1.is_empty() {
        let ids: Vec<_> = sections[1].1.iter().map(|test| attribute(test, "id").to_owned()).collect();
        for id in ids {
            let number = id.trim_start_matches("tst:");
            let text = format!(
                r#"<definition id="def:{number}" class="compliance"><criteria>
<criterion test_ref="{id}"/>
</criteria></definition>"#
            );
            sections[0].1.push(completed("definition", &text));
        }
    }
    let mut body = String::new();
    for (section, parts) in &sections {
        if !parts.is_empty() {
            writeln!(body, "<{section}s>\n{}\n</{section}s>", parts.join("\n")).unwrap();
        }
    }
    format!(
        r#"<oval_definitions xmlns="{OVAL}">
<generator>
<oval:schema_version>5.11.3</oval:schema_version>
<oval:timestamp>2026-01-01T00:00:00</oval:timestamp>
</generator>
{body}</oval_definitions>"#
    )
}

/// Short forms of objects, states and tests:
/// `<yaml id="1" file="/k/a" path=".a"/>`, `<text id="1" file="/k/a" pattern="a" instance="1"/>`,
/// `<file id="1" path="/a"/>`, `<state id="1"><field name="a">x</field></state>`,
/// `<test id="1" kind="text" object="1" state="1 2" check="all"/>`.
fn expanded(name: String, element: String) -> (String, String) {
    let get = |key| attribute(&element, key);
    let id = get("id");
    let kind = match get("kind") {
        "text" => "textfilecontent54",
        "var" => "variable",
        "file" => "file",
        "family" => "family",
        _ => "yamlfilecontent",
    };
    let prefix = if kind == "file" { "unix" } else { "ind" };
    let text = match name.as_str() {
        "yaml" => format!(
            "<ind:yamlfilecontent_object id=\"obj:{id}\"><ind:filepath>{}</ind:filepath>\
             <ind:yamlpath>{}</ind:yamlpath></ind:yamlfilecontent_object>",
            get("file"),
            get("path")
        ),
        "text" => format!(
            "<ind:textfilecontent54_object id=\"obj:{id}\"><ind:filepath>{}</ind:filepath>\
             <ind:pattern operation=\"pattern match\">{}</ind:pattern>\
             <ind:instance datatype=\"int\" operation=\"greater than or equal\">{}</ind:instance>\
             </ind:textfilecontent54_object>",
            get("file"),
            get("pattern"),
            if get("instance").is_empty() { "1" } else { get("instance") }
        ),
        "file" => format!(
            "<unix:file_object id=\"obj:{id}\"><unix:filepath>{}</unix:filepath></unix:file_object>",
            get("path")
        ),
        "state" => {
            let (start, rest) = element.split_once('>').unwrap();
            let fields = rest.trim_end_matches("</state>");
            let entity_check = get("entity_check");
            let entity_check = if entity_check.is_empty() {
                String::new()
            } else {
                format!(" entity_check=\"{entity_check}\"")
            };
            assert!(start.starts_with("<state id"));
            format!(
                "<ind:yamlfilecontent_state id=\"ste:{id}\"><ind:value datatype=\"record\"{entity_check}>{fields}\
                 </ind:value></ind:yamlfilecontent_state>"
            )
        }
        "test" => {
            let mut text = format!("<{prefix}:{kind}_test id=\"tst:{id}\"");
            for key in ["check", "check_existence", "state_operator"] {
                if !get(key).is_empty() {
                    write!(text, " {key}=\"{}\"", get(key)).unwrap();
                }
            }
            write!(text, "><{prefix}:object object_ref=\"obj:{}\"/>", get("object")).unwrap();
            for state in get("state").split_whitespace() {
                write!(text, "<{prefix}:state state_ref=\"ste:{state}\"/>").unwrap();
            }
            format!("{text}</{prefix}:{kind}_test>")
        }
        _ => return (name, element),
    };
    let section = match name.as_str() {
        "yaml" | "text" | "file" => "x_object",
        "state" => "x_state",
        _ => "x_test",
    };
    (section.to_owned(), text)
}

fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let start = element.split('>').next().unwrap();
    start.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

/// The element with the attributes and children that the schema demands.
fn completed(name: &str, element: &str) -> String {
    let mut text = element.to_owned();
    let mut insert = String::new();
    let wanted: &[(&str, &str)] = match name {
        "definition" => &[("version", "1"), ("class", "compliance")],
        _ if name.ends_with("_test") => &[("version", "1"), ("comment", "c"), ("check", "all")],
        _ if name.ends_with("_variable") => &[("version", "1"), ("comment", "c"), ("datatype", "string")],
        _ => &[("version", "1")],
    };
    for (key, value) in wanted {
        if attribute(element, key).is_empty() {
            write!(insert, " {key}=\"{value}\"").unwrap();
        }
    }
    let at = text.find([' ', '>', '/']).unwrap();
    text.insert_str(at, &insert);
    if name == "definition" {
        let at = text.find('>').unwrap() + 1;
        text.insert_str(at, "<metadata><title>t</title><description>d</description></metadata>");
    }
    text
}
