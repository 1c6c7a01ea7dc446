//! Collection: which API paths the rules want, and what their filters leave of the answers.
//!
//! Follows the Compliance Operator's api-resource-collector: of a rule's warnings the first with API paths counts; one
//! GET and one jq filter give one file.

mod endpoint;
mod page;
mod pieces;
mod reduce;

use std::collections::BTreeMap;

pub use self::endpoint::{Endpoint, Texts, endpoints, field_name};
use self::reduce::reduce;
use crate::dump::{DUMP_ROOT, Dump, DumpFile};
use crate::parallel;
use crate::source::{Answer, ApiSource, Refusal};

/// What the operator's collector fetches for every scan, whatever the rules say.
pub(crate) const ALWAYS: [&str; 4] = [
    "/version",
    "/apis/config.openshift.io/v1/clusteroperators/openshift-apiserver",
    "/apis/config.openshift.io/v1/infrastructures/cluster",
    "/apis/config.openshift.io/v1/networks/cluster",
];

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
    let files =
        parallel::each(by_path, source.at_a_time(), |(path, endpoints)| fetch(source, &path, endpoints));
    // Of two files in the same place the first path's stays.
    for (endpoint, file) in files.into_iter().flatten() {
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
    let results = match source.get(path) {
        Answer::Refused(refusal) => vec![Err(refusal); endpoints.len()],
        Answer::Pages(pages) => {
            reduce(pages, endpoints.iter().map(|endpoint| endpoint.filter.clone()).collect())
        }
    };
    endpoints.into_iter().zip(results.into_iter().map(file)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::{Format, OnePage};

    fn one(text: &str, format: Format, filter: &str) -> Result<String, Refusal> {
        let body = std::io::Cursor::new(text.as_bytes().to_vec());
        reduce(Box::new(OnePage::new(body, format)), vec![Some(filter.to_owned())]).remove(0)
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
