//! Every path that the rules read, every fault that an API server or what is between can have, every rule that reads the path:
//! none passes. The table of it is printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;
use virtscap_evaluator::collect::{Endpoint, collect};
use virtscap_evaluator::dump::{Dump, DumpFile};
use virtscap_evaluator::source::cluster::{ClusterSource, Connection, Limits, Stop};
use virtscap_evaluator::source::{Answer, ApiSource, Snapshot};
use virtscap_generator::model::Rule;
use virtscap_scap::xccdf::XccdfResult;
use virtscap_tests::{
    IN_MEMORY, bytes_of, every_platform_rule, in_parallel, platform_rules, prepared, project, say, verdicts,
};

const JSON: &str = "application/json";

/// What goes wrong with a path. The whole answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// A refusal of the API server.
    Status(u16),
    /// An answer of something else.
    Html(u16),
    /// 200 with a page of HTML.
    HtmlPage,
    /// No answer in time.
    Never,
    /// The connection breaks.
    Reset,
    Empty,
    CutOff,
    Protobuf,
    /// The second page of two has this fault.
    Later(&'static Fault),
    /// The list expires each time before its second page.
    ExpiresAlways,
    /// A list without a list.
    NoItems,
}

const FAULTS: [Fault; 24] = [
    Fault::Status(400),
    Fault::Status(401),
    Fault::Status(403),
    Fault::Status(409),
    Fault::Status(410),
    Fault::Status(429),
    Fault::Status(500),
    Fault::Status(503),
    Fault::Status(504),
    Fault::Html(404),
    Fault::Html(502),
    Fault::HtmlPage,
    Fault::Never,
    Fault::Reset,
    Fault::Empty,
    Fault::CutOff,
    Fault::Protobuf,
    Fault::Later(&Fault::Status(403)),
    Fault::Later(&Fault::Status(404)),
    Fault::Later(&Fault::Status(500)),
    Fault::Later(&Fault::Reset),
    Fault::Later(&Fault::CutOff),
    Fault::ExpiresAlways,
    Fault::NoItems,
];

impl Fault {
    fn name(self) -> String {
        match self {
            Self::Status(code) => code.to_string(),
            Self::Html(code) => format!("{code} of a proxy"),
            Self::HtmlPage => "200 of a proxy".to_owned(),
            Self::Never => "time-out".to_owned(),
            Self::Reset => "reset".to_owned(),
            Self::Empty => "empty".to_owned(),
            Self::CutOff => "cut off".to_owned(),
            Self::Protobuf => "wrong content type".to_owned(),
            Self::Later(fault) => format!("page 2: {}", fault.name()),
            Self::ExpiresAlways => "410 each time".to_owned(),
            Self::NoItems => "items: null".to_owned(),
        }
    }

    /// The answer to a request, of which there may be a token; nothing where the connection breaks.
    async fn answer(self, whole: &[u8], token: bool) -> Option<Response<Body>> {
        let reply = |code: u16, kind: &str, body: Vec<u8>| {
            Some(
                Response::builder().status(code).header("content-type", kind).body(Body::from(body)).unwrap(),
            )
        };
        let status = |code: u16| {
            let body = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": "made"});
            reply(code, JSON, body.to_string().into_bytes())
        };
        match self {
            Self::Status(code) => status(code),
            Self::Html(code) => reply(code, "text/html", b"<html>no</html>".to_vec()),
            Self::HtmlPage => reply(200, "text/html", b"<html>log in</html>".to_vec()),
            Self::Never => std::future::pending().await,
            Self::Reset => None,
            Self::Empty => reply(200, JSON, Vec::new()),
            Self::CutOff => reply(200, JSON, whole[..whole.len() * 2 / 3].to_vec()),
            Self::Protobuf => reply(200, "application/vnd.kubernetes.protobuf", whole.to_vec()),
            Self::NoItems => reply(200, JSON, br#"{"kind": "XList", "items": null}"#.to_vec()),
            Self::Later(fault) if token => Box::pin(fault.answer(whole, false)).await,
            Self::ExpiresAlways if token => status(410),
            Self::Later(_) | Self::ExpiresAlways => {
                let mut list: serde_json::Value = serde_json::from_slice(whole).unwrap();
                list["metadata"] = serde_json::json!({"resourceVersion": "1", "continue": "next"});
                reply(200, JSON, list.to_string().into_bytes())
            }
        }
    }
}

/// A cluster of which every path has the fault.
fn cluster(fault: Fault, answers: Arc<BTreeMap<String, Vec<u8>>>) -> Connection {
    let service = tower::service_fn(move |request: Request<Body>| {
        let answers = Arc::clone(&answers);
        async move {
            let token = request.uri().query().unwrap_or_default().contains("continue=");
            let whole = &answers[request.uri().path()];
            let reset = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            fault.answer(whole, token).await.ok_or_else(reset)
        }
    });
    Connection::of_client(|| Client::new(service, "default"), "https://cluster.example").unwrap()
}

fn reads(rule: &Rule, path: &str) -> bool {
    rule.resources().iter().any(|resource| resource.path() == path)
}

#[test]
fn no_fault_passes_a_rule() {
    let limits = Limits {
        tries: 2,
        request: Duration::from_millis(40),
        wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(1),
        ..Limits::default()
    };
    let judged = AtomicUsize::new(0);
    let table = Mutex::new(BTreeMap::<(String, Fault), BTreeMap<&'static str, usize>>::new());
    let snapshot = Snapshot::open(&project().join("tests/snapshots/hardened")).unwrap();
    let paths: BTreeSet<String> = prepared(&IN_MEMORY, &every_platform_rule(), |prepared| {
        prepared.endpoints().into_iter().map(|endpoint| endpoint.path).collect()
    });
    let answers: BTreeMap<String, Vec<u8>> = paths
        .iter()
        .map(|path| match snapshot.get(path) {
            Answer::Pages(pages) => {
                let bytes = bytes_of(pages);
                // A version that is not served there would be served here.
                let served = !bytes.windows(8).any(|part| part == b"\"Status\"");
                (path.clone(), if served { bytes } else { br#"{"kind": "XList", "items": []}"#.to_vec() })
            }
            Answer::Refused(refusal) => panic!("{path}: {refusal}"),
        })
        .collect();
    let answers = Arc::new(answers);
    in_parallel(&FAULTS, |&fault| {
        let connection = cluster(fault, Arc::clone(&answers));
        let source =
            ClusterSource::with_limits(&connection, limits.clone(), Arc::new(Stop::new(None)), Arc::new(()));
        prepared(&IN_MEMORY, &every_platform_rule(), |prepared| {
            let endpoints: Vec<Endpoint> = prepared.endpoints().into_iter().collect();
            let faulty = collect(&source, endpoints.clone());
            let healthy = collect(&snapshot, endpoints.clone());
            for path in &paths {
                // This path has the fault, and no other.
                let mut dump = Dump::default();
                for endpoint in &endpoints {
                    let of = if endpoint.path == *path { &faulty } else { &healthy };
                    let file = of.get(&endpoint.dump).unwrap();
                    if endpoint.path == *path {
                        let absent = matches!(file, DumpFile::Absent { .. });
                        assert!(absent, "{path}, {}: {file:?}", fault.name());
                    }
                    dump.insert(endpoint.dump.clone(), file.clone());
                }
                let mut counts = BTreeMap::new();
                let verdicts = verdicts(prepared, &dump);
                for rule in platform_rules().filter(|rule| reads(rule, path)) {
                    let verdict = &verdicts[&rule.id];
                    let what = format!("{}, {path}, {}: {verdict:?}", rule.id, fault.name());
                    assert_eq!(verdict.result, XccdfResult::Unknown, "{what}");
                    assert!(verdict.messages.iter().any(|message| message.contains(path.as_str())), "{what}");
                    judged.fetch_add(1, Ordering::Relaxed);
                    *counts.entry(verdict.result.as_str()).or_insert(0) += 1;
                }
                // Rules that do not read it are not touched.
                for rule in platform_rules().filter(|rule| !reads(rule, path)) {
                    let verdict = &verdicts[&rule.id];
                    assert_eq!(verdict.result, XccdfResult::Pass, "{}, {path}, {}", rule.id, fault.name());
                }
                table.lock().unwrap().insert((path.clone(), fault), counts);
            }
        });
    });
    let table = table.into_inner().unwrap();
    for path in &paths {
        let cells = FAULTS.iter().map(|fault| {
            let counts = &table[&(path.clone(), *fault)];
            let counts: Vec<_> = counts.iter().map(|(result, count)| format!("{count} {result}")).collect();
            format!("{}: {}", fault.name(), counts.join(", "))
        });
        say(&format!("{path}\n    {}", cells.collect::<Vec<_>>().join("; ")));
    }
    let judged = judged.into_inner();
    assert!(judged > 1_000, "{judged}");
    say(&format!(
        "faults of a cluster: {} paths x {} faults, {judged} verdicts, none passes",
        paths.len(),
        FAULTS.len()
    ));
}
