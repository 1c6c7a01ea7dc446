//! Probes that ask services on the message bus, with services that the test plays on a bus of its own.
//!
//! What systemd says is also compared with stock `oscap`; OpenSCAP 1.3.7 has no probe for fwupd, so what is expected
//! of that one is what `fwupdsecattr_probe.c` of later releases gives.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "peer/outcome.rs"]
mod outcome;
#[path = "dbus/service.rs"]
mod service;
#[allow(dead_code)]
#[path = "peer/stream.rs"]
mod stream;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use outcome::Outcome;
use service::{Bus, Mood};
use virtscap_evaluator::content::Content;
use virtscap_evaluator::report::{SourceReport, arf};
use virtscap_evaluator::scan::{Prepared, Request};
use virtscap_evaluator::source::HostRoot;

/// Where the bus is, for virtscap and oscap alike.
const ADDRESS: &str = "DBUS_SYSTEM_BUS_ADDRESS";
/// The folder that `evaluate` works in.
const FOLDER: &str = "VIRTSCAP_DBUS_FOLDER";

const SYSTEMD: [&str; 8] = [
    "<linux:unit>a.service</linux:unit><linux:property>Names</linux:property>",
    r#"<linux:unit operation="pattern match">^.*$</linux:unit><linux:property operation="pattern match">^.*$</linux:property>"#,
    "<linux:unit>a.service</linux:unit><linux:property>Absent</linux:property>",
    "<linux:unit>absent.service</linux:unit><linux:property>Id</linux:property>",
    "<linux:unit>m.target</linux:unit>",
    r#"<linux:unit operation="pattern match">^.*$</linux:unit>"#,
    "<linux:unit>lone.target</linux:unit>",
    "<linux:unit>absent.target</linux:unit>",
];
const FWUPD: [&str; 5] = [
    "org.fwupd.hsi.Kernel.Lockdown",
    "org.fwupd.hsi.Unknown",
    "org.fwupd.hsi.Invalid",
    "org.fwupd.hsi.Last",
    "org.fwupd.hsi.Kernel.Absent",
];

/// A data stream with an object and a test per pair of kind and content.
fn data_stream(objects: impl Iterator<Item = (&'static str, String)>) -> String {
    let objects = (1..).zip(objects).map(|(number, (kind, content))| {
        format!(
            r#"<linux:{kind}_object id="obj:{number}">{content}</linux:{kind}_object>
<linux:{kind}_test id="tst:{number}" check_existence="at_least_one_exists"><linux:object object_ref="obj:{number}"/></linux:{kind}_test>
"#
        )
    });
    let oval: String = objects.collect();
    let parts =
        stream::Parts { benchmark: None, oval: &oval, platforms: Vec::new(), dictionary: "", cpe_oval: "" };
    parts.xml()
}

fn of_systemd() -> String {
    data_stream(SYSTEMD.iter().map(|content| {
        let kind = if content.contains("property") { "systemdunitproperty" } else { "systemdunitdependency" };
        (kind, (*content).to_owned())
    }))
}

fn of_fwupd() -> String {
    data_stream(FWUPD.iter().map(|id| ("fwupdsecattr", format!("<linux:stream_id>{id}</linux:stream_id>"))))
}

/// What comes of a data stream on a bus. The address is taken from the environment, so this is a process of its own.
fn virtscap(data_stream: &str, address: &str, root: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ds.xml"), data_stream).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "evaluate"]).env(ADDRESS, address).env(FOLDER, folder.path());
    let output = command.env("VIRTSCAP_DBUS_ROOT", root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    outcome::read(&std::fs::read_to_string(folder.path().join("arf.xml")).unwrap())
}

#[test]
#[ignore = "the other tests start it"]
fn evaluate() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let folder = Path::new(&folder);
    let content = Content::from_xml(std::fs::read_to_string(folder.join("ds.xml")).unwrap()).unwrap();
    let request = Request { content: &content, tailoring: None, profile: None };
    let prepared = Prepared::new(&request).unwrap();
    let source = SourceReport { kind: "root".to_owned(), location: "test".to_owned() };
    let root = std::env::var("VIRTSCAP_DBUS_ROOT").unwrap();
    let scan = prepared.evaluate(&HostRoot::open(Path::new(&root)).unwrap(), source);
    std::fs::write(folder.join("arf.xml"), arf::asset_report(&scan).unwrap()).unwrap();
}

fn oscap(data_stream: &str, address: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("ds.xml"), data_stream).unwrap();
    let mut command = Command::new("oscap");
    command.args(["xccdf", "eval", "--skip-validation", "--results-arf"]).arg(at("arf.xml"));
    command.arg(at("ds.xml")).env("SEXP_VALIDATE_DISABLE", "1").env(ADDRESS, address);
    let output = command.output().unwrap();
    let arf = std::fs::read_to_string(at("arf.xml"));
    outcome::read(&arf.unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr))))
}

/// A bus, or what to say where there is none.
fn bus(mood: Mood) -> Option<Bus> {
    let bus = Bus::start(mood);
    if bus.is_none() {
        skip("dbus-daemon");
    }
    bus
}

fn skip(missing: &str) {
    assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{missing} not found");
    // Past the test harness, which swallows what a passing test prints.
    let text = format!("SKIPPED: {missing} not found; probes of the message bus were not tested\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// Flags and items of objects, in their order.
fn objects(outcome: &Outcome, number: usize) -> Vec<(&str, &str)> {
    let get = |what: &str, number| outcome.get(&format!("{what} {number}")).map_or("", String::as_str);
    (1..=number).map(|number| (get("object", number), get("items", number))).collect()
}

#[test]
fn units_have_properties_and_dependencies() {
    let Some(bus) = bus(Mood::Answers) else { return };
    let outcome = virtscap(&of_systemd(), &bus.address(), "/");
    let found = objects(&outcome, SYSTEMD.len());
    let circle = "unit=m.target dependency=b.target dependency=c.service dependency=d.service \
                  dependency=m.target dependency=a.service dependency=lone.target";
    assert_eq!(found[0], ("complete", "unit=a.service property=Names value=a.service value=alias.service"));
    assert_eq!(found[2..5], [("does not exist", ""), ("does not exist", ""), ("complete", circle)]);
    assert_eq!(found[6..], [("complete", "unit=lone.target"), ("does not exist", "")]);
    assert_eq!((found[1].0, found[5].0, found[5].1.lines().count()), ("complete", "complete", 4));
    for text in [
        "Byte value=A",
        "Empty value=",
        "Fraction value=1.5",
        "Most value=18446744073709551615",
        "No value=false",
        "Numbers value=1 value=2",
        "Signed value=-5000000000",
        "Small value=-3",
        "Yes value=true",
    ] {
        let item = format!("unit=a.service property={text}");
        assert!(found[1].1.lines().any(|line| line == item), "{item}: {}", found[1].1);
    }
}

#[test]
fn oscap_says_the_same_of_units() {
    if Command::new("oscap").arg("--version").output().is_err() {
        return skip("oscap");
    }
    let Some(bus) = bus(Mood::Answers) else { return };
    let (ours, theirs) = (virtscap(&of_systemd(), &bus.address(), "/"), oscap(&of_systemd(), &bus.address()));
    assert_eq!(objects(&ours, SYSTEMD.len()), objects(&theirs, SYSTEMD.len()));
    let nowhere = service::address(Path::new("/nowhere/bus"));
    let (ours, theirs) = (virtscap(&of_systemd(), &nowhere, "/"), oscap(&of_systemd(), &nowhere));
    assert_eq!(objects(&ours, SYSTEMD.len()), objects(&theirs, SYSTEMD.len()));
}

#[test]
fn attributes_have_results() {
    let Some(bus) = bus(Mood::Answers) else { return };
    let outcome = virtscap(&of_fwupd(), &bus.address(), "/");
    let expected = [
        ("complete", "security_attr=not-enabled"),
        ("complete", "security_attr=unknown"),
        ("complete", "security_attr=invalid-hsi-result"),
        ("complete", "security_attr=not-supported"),
        ("incomplete", "security_attr=not-found"),
    ];
    assert_eq!(objects(&outcome, FWUPD.len()), expected);
    assert_eq!(outcome["test 5"], "unknown");
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = virtscap(&of_fwupd(), &bus.address(), folder.path().to_str().unwrap());
    assert_eq!(objects(&elsewhere, FWUPD.len()), [("not applicable", ""); 5]);
}

#[test]
fn services_that_fail_or_are_absent_are_errors() {
    let nowhere = service::address(Path::new("/nowhere/bus"));
    let check = |address: &str| {
        let outcome = virtscap(&of_systemd(), address, "/");
        assert_eq!(objects(&outcome, SYSTEMD.len()), [("error", ""); 8]);
        let outcome = virtscap(&of_fwupd(), address, "/");
        assert_eq!(objects(&outcome, FWUPD.len()), [("error", ""); 5]);
    };
    check(&nowhere);
    for mood in [Mood::Fails, Mood::Absent] {
        let Some(bus) = bus(mood) else { return };
        check(&bus.address());
    }
}

/// A bus, and a service, that never answers holds up all objects together for one deadline of 25 seconds.
#[test]
fn what_hangs_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let silent = folder.path().join("bus");
    let _listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
    let bus = bus(Mood::Hangs);
    let addresses = [Some(service::address(&silent)), bus.as_ref().map(Bus::address)];
    std::thread::scope(|scope| {
        for address in addresses.into_iter().flatten() {
            scope.spawn(move || {
                let start = Instant::now();
                let outcome = virtscap(&of_systemd(), &address, "/");
                assert_eq!(objects(&outcome, SYSTEMD.len()), [("error", ""); 8]);
                assert!(start.elapsed() < Duration::from_secs(60), "{address}: {:?}", start.elapsed());
            });
        }
    });
}
