//! Connections that end too early, and what is no gzip: a server on a socket, and the client that scans use.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A server that answers each connection's one request with these bytes, and closes. It counts the connections.
fn serve(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> (http::Uri, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let _ = stream.write_all(&answer(count.fetch_add(1, Ordering::SeqCst)));
        }
    });
    (format!("http://{address}").parse().unwrap(), served)
}

fn connect(uri: http::Uri) -> Connection {
    let mut config = kube::Config::new(uri.clone());
    config.default_retry = false;
    Connection::of_client(|| Client::try_from(config).unwrap(), uri.to_string()).unwrap()
}

fn quick() -> Limits {
    Limits { wait: Duration::from_millis(2), tries: 3, ..Limits::default() }
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";

fn response(headers: &str, body: &[u8]) -> Vec<u8> {
    [HEAD.as_bytes(), headers.as_bytes(), b"\r\n", body].concat()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    gz.finish().unwrap()
}

/// The next page of a source, as the collection reads it.
fn first_page(connection: &Connection) -> Result<String, Refusal> {
    let source = ClusterSource::with_limits(connection, quick(), Arc::new(Stop::new(None)), Arc::new(()));
    let Answer::Pages(mut pages) = source.get("/api/v1/pods") else { panic!("a refusal before any request") };
    let Next::Page(mut page) = pages.next(None)? else { panic!("no page") };
    let mut text = String::new();
    page.body.read_to_string(&mut text).unwrap();
    Ok(text)
}

#[test]
fn what_the_connection_breaks_is_tried_again_and_then_refused() {
    let list = r#"{"items":[]}"#;
    let good = response(&format!("content-length: {}\r\n", list.len()), list.as_bytes());
    let squeezed = gzip(list);
    let gzipped = |body: &[u8]| {
        response(&format!("content-encoding: gzip\r\ncontent-length: {}\r\n", body.len()), body)
    };
    let cases = [
        ("a reset", Vec::new()),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-".to_vec()),
        ("a body shorter than announced", response("content-length: 100\r\n", list.as_bytes())),
        ("chunks that end too early", response("transfer-encoding: chunked\r\n", b"5\r\n{\"ite\r\n")),
        ("gzip that is none", gzipped(b"no gzip at all")),
        ("gzip that is cut off", gzipped(&squeezed[..squeezed.len() / 2])),
        ("gzip without its end", gzipped(&squeezed[..squeezed.len() - 4])),
    ];
    for (name, broken) in cases {
        let always = broken.clone();
        let (uri, served) = serve(move |_| always.clone());
        let result = first_page(&connect(uri));
        assert!(matches!(&result, Err(Refusal::Unreadable(_))), "{name}: {result:?}");
        assert_eq!(served.load(Ordering::SeqCst), 3, "{name}");
        let good = good.clone();
        let (uri, _) = serve(move |n| if n == 0 { broken.clone() } else { good.clone() });
        assert_eq!(first_page(&connect(uri)).as_deref(), Ok(list), "{name}");
    }
    let (uri, _) = serve(move |_| gzipped(&squeezed));
    assert_eq!(first_page(&connect(uri)).as_deref(), Ok(list));
}

#[test]
fn a_cluster_that_does_not_answer_is_unreachable() {
    // Nobody listens where somebody did a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refuse = |code: &str| {
        let body = format!(
            r#"{{"kind":"Status","apiVersion":"v1","status":"Failure","code":{code},"message":"who?"}}"#
        );
        let head = format!("HTTP/1.1 {code} No\r\ncontent-type: application/json\r\nconnection: close\r\n");
        [head.as_bytes(), format!("content-length: {}\r\n\r\n", body.len()).as_bytes(), body.as_bytes()]
            .concat()
    };
    let (unauthorized, forbidden) = (refuse("401"), refuse("403"));
    let cases = [
        (
            format!("http://{address}").parse().unwrap(),
            Some("cannot be asked: client error (Connect): tcp connect error: Connection refused"),
        ),
        (serve(move |_| unauthorized.clone()).0, Some("401")),
        (serve(move |_| forbidden.clone()).0, None),
    ];
    for (uri, expected) in cases {
        let connection = connect(uri);
        let source =
            ClusterSource::with_limits(&connection, quick(), Arc::new(Stop::new(None)), Arc::new(()));
        match (source.reach(), expected) {
            (Ok(()), None) => {}
            (Err(e), Some(part)) => assert!(e.to_string().contains(part), "{e}"),
            (reached, _) => panic!("{reached:?}"),
        }
    }
}
