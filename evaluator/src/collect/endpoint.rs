//! Which API paths a rule wants.

use virtscap_scap::markup::{Markup, MarkupNode};
use virtscap_scap::xccdf::Rule;

use crate::dump::DUMP_ROOT;
use crate::go_template::{self, TemplateError};

/// An API path that a rule wants, and what becomes of the answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// The API path.
    pub path: String,
    /// The jq filter; none: the answer is kept as it is.
    pub filter: Option<String>,
    /// Where the result goes (`/kubernetes-api-resources/…`).
    pub dump: String,
    /// Why nothing can be asked for: the content says it in a way that is not understood.
    pub refused: Option<String>,
}

/// The texts of a benchmark's values, as warnings use them.
pub struct Texts<'a> {
    /// What stands in the place of a `<sub>`, by the Value's id.
    pub sub: &'a dyn Fn(&str) -> String,
    /// What stands in the place of a Go template's field, by the name that the operator gives the Value.
    pub field: &'a dyn Fn(&str) -> Option<String>,
}

/// The name under which the operator's Go templates know a Value of this short name.
pub fn field_name(short_name: &str) -> String {
    short_name.replace('-', "_")
}

/// The API paths that a rule wants.
pub fn endpoints(rule: &Rule, texts: &Texts<'_>) -> Vec<Endpoint> {
    let mut found = rule.warnings.iter().map(|warning| endpoints_of(warning, texts));
    found.find(|endpoints| !endpoints.is_empty()).unwrap_or_default()
}

fn endpoints_of(warning: &Markup, texts: &Texts<'_>) -> Vec<Endpoint> {
    let elements = warning.html_elements();
    let codes = |class: &str| {
        let class = class.to_owned();
        elements.iter().filter(move |e| e.name == "code" && e.attribute("class") == Some(&class)).map(
            |element| {
                let id = element.attribute("id").unwrap_or_default().to_owned();
                (id, text(element.children, texts.sub))
            },
        )
    };
    let paths: Vec<_> = codes("ocp-api-endpoint").collect();
    let filters: Vec<_> = codes("ocp-api-filter").collect();
    let dumps: Vec<_> = codes("ocp-dump-location").collect();
    let mut endpoints = Vec::new();
    for (id, path) in paths {
        let by_id = |all: &[(String, String)], prefix: &str| {
            all.iter().find(|(other, _)| *other == format!("{prefix}{id}")).map(|(_, text)| text.clone())
        };
        // Without both, the operator keeps the whole answer under the path.
        let parts = match (by_id(&filters, "filter-"), by_id(&dumps, "dump-")) {
            (Some(filter), Some(dump)) if !id.is_empty() => (path, Some((filter, dump))),
            _ => (path, None),
        };
        endpoints.push(Endpoint::new(parts, texts.field));
    }
    endpoints
}

impl Endpoint {
    /// From a path, with filter and place where it has them; any of them may be a Go template.
    fn new(
        (path, filtered): (String, Option<(String, String)>),
        field: &dyn Fn(&str) -> Option<String>,
    ) -> Self {
        let mut refused: Option<TemplateError> = None;
        let mut rendered = |text: String| {
            if !go_template::is_template(&text) {
                return text;
            }
            go_template::render(&text, field).unwrap_or_else(|e| {
                refused.get_or_insert(e);
                text
            })
        };
        // White space around what an `if` chose belongs to nothing.
        let path = rendered(path).trim().to_owned();
        let (filter, dump) = match filtered {
            Some((filter, dump)) => (Some(rendered(filter)), rendered(dump).trim().to_owned()),
            None => (None, format!("{DUMP_ROOT}{path}")),
        };
        Self { path, filter, dump, refused: refused.map(|e| e.to_string()) }
    }
}

fn text(nodes: &[MarkupNode], value: &dyn Fn(&str) -> String) -> String {
    // The operator folds white space too.
    Markup(nodes.to_vec()).plain_text(value).split_whitespace().collect::<Vec<_>>().join(" ")
}
