//! Collection: which API paths the rules want, and what their filters leave of the answers.
//!
//! Follows the Compliance Operator's api-resource-collector: of a rule's warnings the first with API paths counts; one
//! GET and one jq filter give one file.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use jaq_json::Val;
use virtscap_scap::markup::{Markup, MarkupNode};
use virtscap_scap::xccdf::Rule;

use crate::dump::{DUMP_ROOT, Dump, DumpFile};
use crate::filter;
use crate::go_template::{self, TemplateError};
use crate::source::{Answer, ApiSource, Format, Next, Pages, Refusal};

/// How long a filter may run on one answer.
const DEADLINE: Duration = Duration::from_secs(120);
/// How many answers are fetched and filtered at a time. All of them are in memory.
const AT_A_TIME: usize = 2;
/// Stack of the thread that parses and filters: recursion in jq needs more than the default.
const STACK: usize = 64 << 20;

/// What the operator's collector fetches for every scan, whatever the rules say.
pub(crate) const ALWAYS: [&str; 4] = [
    "/version",
    "/apis/config.openshift.io/v1/clusteroperators/openshift-apiserver",
    "/apis/config.openshift.io/v1/infrastructures/cluster",
    "/apis/config.openshift.io/v1/networks/cluster",
];

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

/// Fetches and filters what the endpoints name. Each path is fetched and parsed once, whatever filters want it.
pub fn collect(source: &dyn ApiSource, endpoints: impl IntoIterator<Item = Endpoint>) -> Dump {
    let mut by_path: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
    let mut dump = Dump::default();
    for endpoint in endpoints {
        if let Some(refused) = endpoint.refused {
            let reason = format!("{}: {refused}", endpoint.path);
            dump.insert(endpoint.dump, DumpFile::Absent { reason });
            continue;
        }
        by_path.entry(endpoint.path.clone()).or_default().push(endpoint);
    }
    let paths = Mutex::new(by_path.into_iter());
    let next = || paths.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut files = Vec::new();
        while let Some((path, endpoints)) = next() {
            files.extend(fetch(source, &path, endpoints));
        }
        files
    };
    let mut files = thread::scope(|scope| {
        let others: Vec<_> =
            (1..AT_A_TIME).map(|_| thread::Builder::new().spawn_scoped(scope, work)).collect();
        let mut files = work();
        for other in others.into_iter().flatten() {
            match other.join() {
                Ok(more) => files.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        files
    });
    // Of two files in the same place the first path's stays, whoever was faster.
    files.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
    for (endpoint, file) in files {
        dump.insert(endpoint.dump, file);
    }
    dump
}

/// Adds what the operator's collector fetches for every scan, where the source holds it.
pub fn collect_always(source: &dyn ApiSource, dump: &mut Dump) {
    for path in ALWAYS {
        let endpoint = Endpoint {
            path: path.to_owned(),
            filter: None,
            dump: format!("{DUMP_ROOT}{path}"),
            refused: None,
        };
        for (endpoint, file) in fetch(source, path, vec![endpoint]) {
            if !matches!(file, DumpFile::Absent { .. }) {
                dump.insert(endpoint.dump, file);
            }
        }
    }
}

/// What the endpoints of one path give.
fn fetch(source: &dyn ApiSource, path: &str, endpoints: Vec<Endpoint>) -> Vec<(Endpoint, DumpFile)> {
    let file = |result: Result<String, Refusal>| match result {
        Ok(document) => DumpFile::Document(document),
        Err(Refusal::NotFound) => DumpFile::NotFound,
        Err(refusal) => DumpFile::Absent { reason: format!("{path}: {refusal}") },
    };
    let all = |refusal: Refusal| vec![Err(refusal); endpoints.len()];
    let filters = || endpoints.iter().map(|endpoint| endpoint.filter.clone()).collect();
    let results = match source.get(path) {
        Answer::Refused(refusal) => all(refusal),
        Answer::Pages(mut pages) => match only_page(&mut *pages) {
            Ok((bytes, format)) => reduce_under_deadline(bytes, format, filters()),
            Err(refusal) => all(refusal),
        },
    };
    endpoints.into_iter().zip(results.into_iter().map(file)).collect()
}

fn only_page(pages: &mut dyn Pages) -> Result<(Vec<u8>, Format), Refusal> {
    let Next::Page(mut page) = pages.next(None)? else { return Err(Refusal::Empty) };
    let mut bytes = Vec::new();
    page.body.read_to_end(&mut bytes).map_err(|e| Refusal::Unreadable(e.to_string()))?;
    Ok((bytes, page.format))
}

/// Filters one answer on a thread of its own. Where a filter takes too long or crashes, it and those behind it give
/// nothing.
fn reduce_under_deadline(
    bytes: Vec<u8>,
    format: Format,
    filters: Vec<Option<String>>,
) -> Vec<Result<String, Refusal>> {
    let wanted = filters.len();
    let (sender, receiver) = mpsc::sync_channel(wanted);
    let work = move || {
        let value = parse(&bytes, format).and_then(|value| check(&value).map(|()| value));
        drop(bytes);
        for filter in filters {
            let result = value.clone().and_then(|value| reduce(value, filter.as_deref()));
            // The receiver is gone only after the deadline, when nobody wants the results any more.
            if sender.send(result).is_err() {
                return;
            }
        }
    };
    if thread::Builder::new().name("filter".to_owned()).stack_size(STACK).spawn(work).is_err() {
        return vec![Err(Refusal::Crashed); wanted];
    }
    let mut results = Vec::with_capacity(wanted);
    while results.len() < wanted {
        match receiver.recv_timeout(DEADLINE) {
            Ok(result) => results.push(result),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                results.resize(wanted, Err(Refusal::Deadline(DEADLINE.as_secs())))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => results.resize(wanted, Err(Refusal::Crashed)),
        }
    }
    results
}

fn reduce(value: Val, filter: Option<&str>) -> Result<String, Refusal> {
    match filter {
        Some(filter) => {
            filter::run(filter, value).map(|v| v.to_string()).map_err(|e| Refusal::Filter(e.to_string()))
        }
        None => Ok(value.to_string()),
    }
}

fn parse(bytes: &[u8], format: Format) -> Result<Val, Refusal> {
    if bytes.trim_ascii().is_empty() {
        return Err(Refusal::Empty);
    }
    match format {
        Format::Json => serde_json::from_slice(bytes)
            .map_err(|e| Refusal::Malformed { format: "JSON", reason: e.to_string() }),
        Format::Yaml => {
            let options = serde_yaml::options! {
                budget: None,
                strict_booleans: true,
                leading_zero_numbers_as_strings: true,
            };
            let malformed = |reason: String| Refusal::Malformed { format: "YAML", reason };
            let text = std::str::from_utf8(bytes).map_err(|e| malformed(e.to_string()))?;
            let value: serde_json::Value =
                serde_yaml::from_str_with_options(text, options).map_err(|e| malformed(e.to_string()))?;
            serde_json::from_value(value).map_err(|e| malformed(e.to_string()))
        }
    }
}

/// Tells an answer that can be judged from a refusal, from a page of a list, and from what is no answer.
fn check(value: &Val) -> Result<(), Refusal> {
    if !matches!(value, Val::Obj(_)) {
        return Err(Refusal::NotAnObject);
    }
    let text = |path: &[&str]| get(value, path).and_then(as_text);
    if text(&["kind"]).as_deref() == Some("Status") && text(&["status"]).as_deref() != Some("Success") {
        let code = get(value, &["code"]).and_then(|code| code.to_string().parse().ok()).unwrap_or_default();
        let message = text(&["message"]).unwrap_or_default();
        return Err(match code {
            404 => Refusal::NotFound,
            403 => Refusal::Forbidden(message),
            code => Refusal::Status { code, message },
        });
    }
    let is_list = text(&["kind"]).is_some_and(|kind| kind.ends_with("List"));
    match get(value, &["items"]) {
        Some(Val::Arr(items)) if !items.iter().all(|item| matches!(item, Val::Obj(_))) => {
            return Err(Refusal::NotAList);
        }
        Some(Val::Arr(_)) => {}
        _ if is_list => return Err(Refusal::NotAList),
        _ => {}
    }
    match text(&["metadata", "continue"]) {
        Some(token) if !token.is_empty() => Err(Refusal::OnePage),
        _ => Ok(()),
    }
}

fn get<'a>(value: &'a Val, path: &[&str]) -> Option<&'a Val> {
    path.iter().try_fold(value, |value, key| match value {
        Val::Obj(map) => map.get(&Val::utf8_str((*key).to_owned().into_bytes())),
        _ => None,
    })
}

fn as_text(value: &Val) -> Option<String> {
    match value {
        Val::TStr(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn one(text: &str, format: Format, filter: &str) -> Result<String, Refusal> {
        reduce_under_deadline(text.as_bytes().to_vec(), format, vec![Some(filter.to_owned())]).remove(0)
    }

    fn json(text: &str) -> Result<String, Refusal> {
        one(text, Format::Json, "[\"@collected\"] + [.items[] | .metadata.name]")
    }

    #[test]
    fn a_list_is_filtered() {
        let list = r#"{"kind": "PodList", "items": [{"metadata": {"name": "a\u00e9\u0001"}}]}"#;
        assert_eq!(json(list).unwrap(), "[\"@collected\",\"aé\\u0001\"]");
    }

    #[test]
    fn what_is_no_whole_answer_is_refused() {
        let cases = [
            ("", Refusal::Empty),
            (" \n", Refusal::Empty),
            ("[]", Refusal::NotAnObject),
            (r#"{"kind": "PodList"}"#, Refusal::NotAList),
            (r#"{"kind": "PodList", "items": null}"#, Refusal::NotAList),
            (r#"{"kind": "PodList", "items": [1]}"#, Refusal::NotAList),
            (r#"{"items": [], "metadata": {"continue": "x"}}"#, Refusal::OnePage),
            (r#"{"kind": "Status", "status": "Failure", "code": 404}"#, Refusal::NotFound),
            (
                r#"{"kind": "Status", "status": "Failure", "code": 403, "message": "no"}"#,
                Refusal::Forbidden("no".to_owned()),
            ),
            (
                r#"{"kind": "Status", "status": "Failure", "code": 500, "message": "oh"}"#,
                Refusal::Status { code: 500, message: "oh".to_owned() },
            ),
        ];
        for (text, refusal) in cases {
            assert_eq!(json(text), Err(refusal), "{text}");
        }
        assert!(matches!(json(r#"{"items": [{"a"#), Err(Refusal::Malformed { .. })));
        assert!(matches!(json(r#"{"items": []} x"#), Err(Refusal::Malformed { .. })));
        assert!(matches!(json("{}"), Err(Refusal::Filter(_))));
    }

    #[test]
    fn yaml_is_read_without_yaml_1_1_surprises() {
        let yaml = "kind: PodList\nitems:\n- metadata: {name: on, version: 0755}\n";
        let filter = "[.items[].metadata | .name, .version]";
        assert_eq!(one(yaml, Format::Yaml, filter).unwrap(), "[\"on\",\"0755\"]");
    }
}
