//! What the API server answers, and what becomes of it. Time is paused: waits cost none, and are measured exactly.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const PODS: &str = "/api/v1/pods";

fn unreadable(part: &'static str) -> impl Fn(&Refusal) -> bool {
    move |refusal| matches!(refusal, Refusal::Unreadable(reason) if reason.contains(part))
}

fn is(expected: Refusal) -> impl Fn(&Refusal) -> bool {
    move |refusal| *refusal == expected
}

fn status(code: i64) -> impl Fn(&Refusal) -> bool {
    is(Refusal::Status { code, message: format!("made {code}") })
}

type Case = (&'static str, Vec<Reply>, Box<dyn Fn(&Refusal) -> bool>, usize);

fn case(
    name: &'static str,
    replies: impl Into<Vec<Reply>>,
    expected: impl Fn(&Refusal) -> bool + 'static,
    requests: usize,
) -> Case {
    (name, replies.into(), Box::new(expected), requests)
}

#[tokio::test(start_paused = true)]
async fn each_fault_has_its_refusal() {
    let page = || Reply::page(2, "next");
    let html = |code| Reply::new(code, "<html>no</html>").header("content-type", "text/html");
    let forbidden = || Refusal::Forbidden("made 403".to_owned());
    let cases = [
        case("401", [Reply::status(401)], status(401), 1),
        case("403", [Reply::status(403)], is(forbidden()), 1),
        case("404", [Reply::status(404)], is(Refusal::NotFound), 1),
        case("404 of a proxy", [html(404)], unreadable("not by a Kubernetes API server: text/html"), 1),
        case("403 of a proxy", [html(403)], unreadable("403 was answered, and not by"), 1),
        case("404 of a later page", [page(), Reply::status(404)], unreadable("no longer (404)"), 2),
        case("403 of a later page", [page(), Reply::status(403)], is(forbidden()), 2),
        case(
            "404 of the first page read anew",
            [page(), Reply::status(410), Reply::status(404)],
            unreadable("no longer (404)"),
            3,
        ),
        case("409", [Reply::status(409)], status(409), 1),
        case("410 of the first page", [Reply::status(410)], status(410), 1),
        case("429 for ever", [Reply::status(429)], status(429), 6),
        case("500 for ever", [Reply::status(500)], status(500), 6),
        case("502 of a proxy for ever", [html(502)], unreadable("502 was answered"), 6),
        case("503 for ever", [Reply::status(503)], status(503), 6),
        case("504 for ever", [Reply::status(504)], status(504), 6),
        case("505", [Reply::status(505)], status(505), 1),
        case(
            "never",
            [page().after(Duration::from_secs(3600))],
            unreadable("no whole answer within 60 s (tried 6 times)"),
            6,
        ),
        case("HTML", [html(200)], unreadable("the answer is text/html, not JSON"), 1),
        case(
            "protobuf",
            [Reply::new(200, "k8s\0").header("content-type", "application/vnd.kubernetes.protobuf")],
            unreadable("protobuf, not JSON"),
            1,
        ),
        case(
            "redirect",
            [Reply::new(302, "").header("location", "https://login.example.com/")],
            unreadable("redirect (302) to https://login.example.com/"),
            1,
        ),
        case("part of the content", [Reply::new(206, "{}")], unreadable("206 was answered"), 1),
        case("nothing", [Reply::new(200, "")], is(Refusal::Empty), 1),
        case(
            "shorter than announced",
            [Reply::new(200, "{}").header("content-length", "10")],
            unreadable("2 bytes of 10"),
            6,
        ),
        case(
            "cut off",
            [Reply::new(200, r#"{"items":[{}"#)],
            |r: &Refusal| matches!(r, Refusal::Malformed { .. }),
            6,
        ),
        case("no JSON", [Reply::new(200, "items")], |r: &Refusal| matches!(r, Refusal::Malformed { .. }), 1),
    ];
    for (name, made, expected, requests) in cases {
        let (client, asked) = replies(made);
        let result = read_all(&mut pages(&fetcher(client, Stop::new(None)), PODS)).await;
        let Err(refusal) = &result else { panic!("{name}: {result:?}") };
        assert!(expected(refusal), "{name}: {refusal:?}");
        assert_eq!(uris(&asked).len(), requests, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_again() {
    for passing in [429, 500, 502, 503, 504] {
        let (client, asked) = replies([Reply::status(passing), Reply::status(passing), Reply::page(3, "")]);
        let result = read_all(&mut pages(&fetcher(client, Stop::new(None)), PODS)).await;
        assert_eq!(result.unwrap(), ["3"], "{passing}");
        assert_eq!(uris(&asked).len(), 3, "{passing}");
    }
    let slow = Reply::page(1, "").after(Duration::from_secs(61));
    let (client, _) = replies([slow, Reply::page(3, "")]);
    assert_eq!(read_all(&mut pages(&fetcher(client, Stop::new(None)), PODS)).await.unwrap(), ["3"]);
}

#[tokio::test(start_paused = true)]
async fn requests_name_their_page_and_want_json() {
    let (client, asked) = client(|uri, headers| {
        assert_eq!(headers["accept"], "application/json");
        match uri.split_once("continue=") {
            None => Reply::page(500, "a+b"),
            Some((_, "a%2Bb")) => Reply::page(500, "c"),
            Some(_) => Reply::page(1, ""),
        }
    });
    let fetcher = fetcher(client, Stop::new(None));
    assert_eq!(read_all(&mut pages(&fetcher, PODS)).await.unwrap(), ["500", "500", "1"]);
    let query = "/api/v1/pods?fieldSelector=a%3Db";
    assert_eq!(read_all(&mut pages(&fetcher, query)).await.unwrap(), ["500", "500", "1"]);
    read_all(&mut pages(&fetcher, "/apis/config.openshift.io/v1/networks/cluster")).await.unwrap();
    read_all(&mut pages(&fetcher, "/version")).await.unwrap();
    let expected = [
        "/api/v1/pods?limit=500",
        "/api/v1/pods?limit=500&continue=a%2Bb",
        "/api/v1/pods?limit=500&continue=c",
        "/api/v1/pods?fieldSelector=a%3Db&limit=500",
        "/api/v1/pods?fieldSelector=a%3Db&limit=500&continue=a%2Bb",
        "/api/v1/pods?fieldSelector=a%3Db&limit=500&continue=c",
        "/apis/config.openshift.io/v1/networks/cluster",
    ];
    assert_eq!(uris(&asked)[..7], expected);
}

#[tokio::test(start_paused = true)]
async fn an_expired_list_is_read_anew_three_times() {
    let round = |rounds| std::iter::repeat_n([Reply::page(2, "x"), Reply::status(410)], rounds).flatten();
    let (first, _) = replies(round(3).chain([Reply::page(2, "x"), Reply::page(1, "")]));
    let result = read_all(&mut pages(&fetcher(first, Stop::new(None)), PODS)).await;
    assert_eq!(result.unwrap(), ["2", "R", "2", "R", "2", "R", "2", "1"]);
    let (client, asked) = replies(round(10));
    let result = read_all(&mut pages(&fetcher(client, Stop::new(None)), PODS)).await;
    assert_eq!(result, Err(Refusal::Status { code: 410, message: "made 410".to_owned() }));
    assert_eq!(uris(&asked).len(), 8);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_waited_for_and_capped() {
    let cases = [("7", 7), ("0", 0), ("86400", 30)];
    for (asked_for, waited) in cases {
        let (client, asked) =
            replies([Reply::status(429).header("retry-after", asked_for), Reply::page(1, "")]);
        read_all(&mut pages(&fetcher(client, Stop::new(None)), PODS)).await.unwrap();
        let asked = asked.lock().unwrap();
        let wait = asked[1].1 - asked[0].1;
        let waited = Duration::from_secs(waited);
        assert!(waited <= wait && wait < waited + Duration::from_millis(10), "{asked_for}: {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_under_way_than_allowed() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let service = tower::service_fn(move |_: Request<Body>| {
        let now = Arc::clone(&counted);
        highest.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>(Response::new(Body::from(b"{}".to_vec())))
        }
    });
    let fetcher = fetcher(Client::new(service, "default"), Stop::new(None));
    let mut all = tokio::task::JoinSet::new();
    for n in 0..20 {
        let mut pages = pages(&fetcher, &format!("/api/v1/x{n}"));
        all.spawn(async move { read_all(&mut pages).await });
    }
    assert!(all.join_all().await.into_iter().all(|result| result.is_ok()));
    assert_eq!(most.load(Ordering::SeqCst), fetcher.limits.in_flight);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_and_an_interruption_end_every_wait() {
    let cases: [(&str, Vec<Reply>); 3] = [
        ("an answer", vec![Reply::page(1, "").after(Duration::from_secs(50))]),
        ("a wait", vec![Reply::status(429).header("retry-after", "20")]),
        ("a later page", vec![Reply::page(1, "x"), Reply::page(1, "").after(Duration::from_secs(50))]),
    ];
    for (name, made) in cases {
        let (client, _) = replies(made.clone());
        let deadlined = fetcher(client, Stop::new(Some(Duration::from_secs(10))));
        let begun = tokio::time::Instant::now();
        let result = read_all(&mut pages(&deadlined, PODS)).await;
        assert!(unreadable("deadline")(result.as_ref().unwrap_err()), "{name}: {result:?}");
        let took = begun.elapsed();
        assert!(Duration::from_secs(10) <= took && took < Duration::from_millis(10_010), "{name}: {took:?}");
        assert_eq!(deadlined.stop.cut(), Some(StopReason::Deadline(Duration::from_secs(10))), "{name}");

        let (client, _) = replies(made);
        let interrupted = fetcher(client, Stop::new(Some(Duration::from_secs(600))));
        let stop = Arc::clone(&interrupted.stop);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            stop.interrupt();
        });
        let begun = tokio::time::Instant::now();
        let result = read_all(&mut pages(&interrupted, PODS)).await;
        assert_eq!(result, Err(Refusal::Unreadable("the scan was interrupted".to_owned())), "{name}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{name}");
        // What comes after it is not even asked for.
        assert!(read_all(&mut pages(&interrupted, PODS)).await.is_err(), "{name}");
    }
    let (client, _) = replies([Reply::page(1, "")]);
    let fetcher = fetcher(client, Stop::new(Some(Duration::from_secs(10))));
    read_all(&mut pages(&fetcher, PODS)).await.unwrap();
    assert_eq!(fetcher.stop.cut(), None, "nothing was cut off");
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let (client, asked) = client(|uri, _| {
        let limit: usize = uri.split(['=', '&']).nth(1).unwrap().parse().unwrap();
        let token = if uri.contains("continue") { "" } else { "x" };
        let mut reply = Reply::page(limit, token);
        // 200 kB for each object.
        reply.body.push_str(&" ".repeat(limit * 200_000));
        reply
    });
    let fetcher = fetcher(client, Stop::new(None));
    assert_eq!(read_all(&mut pages(&fetcher, PODS)).await.unwrap(), ["31", "31"]);
    let limits: Vec<_> =
        uris(&asked).iter().map(|uri| uri.split(['=', '&']).nth(1).unwrap().to_owned()).collect();
    assert_eq!(limits, ["500", "125", "31", "31"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_large_for_any_page_is_refused() {
    let (client, asked) = replies([Reply::new(200, " ".repeat((64 << 20) + 1))]);
    let result = read_all(&mut pages(&fetcher(client, Stop::new(None)), PODS)).await;
    assert_eq!(result, Err(Refusal::Unreadable("the answer is larger than 64 MiB".to_owned())));
    assert_eq!(uris(&asked).last().unwrap(), "/api/v1/pods?limit=1");
}
