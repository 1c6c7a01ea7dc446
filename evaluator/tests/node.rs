//! Files of nodes: mounted roots, recordings, and what is made of what they lack.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "peer/root.rs"]
#[allow(dead_code)]
mod root;

use std::path::Path;

use virtscap_evaluator::dump::{Dump, DumpFile};
use virtscap_evaluator::files::{Files, Lookup, Metadata, OnNode};
use virtscap_evaluator::oval::{ExternalValues, Session};
use virtscap_evaluator::source::{Data, HostRoot, NodeSource as _, Recorded, RecordedNode, Recording};
use virtscap_scap::id::DefinitionId;
use virtscap_scap::oval::{FileType, OvalDefinitions, OvalResult};

fn made(files: &str) -> (tempfile::TempDir, HostRoot) {
    let folder = tempfile::tempdir().unwrap();
    root::make(folder.path(), &serde_yaml::from_str(files).unwrap());
    let host = HostRoot::open(folder.path()).unwrap();
    (folder, host)
}

fn text(files: &dyn Files, path: &str) -> Result<String, Option<String>> {
    match files.read(path) {
        Lookup::Found(content) => Ok(String::from_utf8(content.into_owned()).unwrap()),
        Lookup::Missing { reason } => Err(reason),
        Lookup::Unreadable { reason } => Err(Some(format!("unreadable: {reason}"))),
    }
}

#[test]
fn links_are_followed_within_the_root() {
    let (_folder, host) = made(
        "
        /etc/secret: {content: inside}
        /absolute: {link: /etc/secret}
        /absolute-folder: {link: /etc}
        /up: {link: ../../../../../../etc/secret}
        /a/up: {link: ..}
        /loop: {link: other}
        /other: {link: loop}
        /dangling: {link: nowhere}
        /empty/x: {}
        ",
    );
    for path in [
        "/absolute",
        "/absolute-folder/secret",
        "/up",
        "/a/up/etc/secret",
        "/a/../../../etc/secret",
        "//etc/./secret",
        "/a/up/a/up/absolute",
    ] {
        assert_eq!(text(&host, path), Ok("inside".to_owned()), "{path}");
    }
    for path in
        ["/loop", "/loop/x", "/dangling", "/etc", "/etc/secret/", "/etc/secret/x", "/nowhere/../etc/secret"]
    {
        assert_eq!(text(&host, path), Err(None), "{path}");
    }
    assert_eq!(host.directory("/absolute-folder"), Lookup::Found("/etc".to_owned()));
    assert_eq!(host.directory("/a/up"), Lookup::Found("/".to_owned()));
    assert_eq!(host.directory("/absolute"), Lookup::absent());
    let Lookup::Found(link) = host.metadata("/absolute-folder") else { panic!() };
    assert_eq!((link.file_type, link.target.as_deref()), (FileType::Link, Some("/etc")));
    let Lookup::Found(names) = host.list("/absolute-folder") else { panic!() };
    assert_eq!(names.names, ["secret"]);
}

#[test]
fn only_regular_files_are_read() {
    let (_folder, host) = made("{/pipe: {fifo: true}, /folder: {folder: true}, /empty: {}}");
    assert_eq!(text(&host, "/pipe"), Err(None));
    assert_eq!(text(&host, "/folder"), Err(None));
    assert_eq!(text(&host, "/empty"), Ok(String::new()));
    let Lookup::Found(pipe) = host.metadata("/pipe") else { panic!() };
    assert_eq!(pipe.file_type, FileType::Fifo);
}

#[test]
fn too_large_a_file_is_unreadable() {
    let (folder, host) = made("{/large: {}}");
    std::fs::File::options()
        .write(true)
        .open(folder.path().join("large"))
        .unwrap()
        .set_len((64 << 20) + 1)
        .unwrap();
    assert_eq!(text(&host, "/large"), Err(Some("unreadable: it holds more than 64 MiB".to_owned())));
}

#[test]
#[cfg(target_os = "linux")]
fn files_of_the_kernel_are_read_whatever_their_size() {
    let host = HostRoot::open(Path::new("/proc")).unwrap();
    let Lookup::Found(version) = host.metadata("/version") else { panic!() };
    assert_eq!(version.size, 0);
    assert!(text(&host, "/version").unwrap().contains("Linux"));
    // Reading where nothing is mapped is an error, for root too.
    let said = text(&host, "/self/mem").unwrap_err().unwrap();
    assert!(said.starts_with("unreadable: "), "{said}");
}

#[test]
fn what_is_not_recorded_is_not_absent() {
    let mut node = RecordedNode::of_some("worker-0");
    node.insert("/proc/cmdline", Recorded::regular(0o444, 0, 0, "quiet\n"));
    let Recorded::There { metadata, .. } = Recorded::folder(0o755, 0, 0) else { panic!() };
    node.insert("/var/lib", Recorded::There { metadata, data: Data::Complete });
    node.insert("/var/lib/kubelet", Recorded::folder(0o700, 0, 0));
    node.insert("/gone", Recorded::Absent);
    node.insert("/closed", Recorded::unreadable("permission denied"));
    node.insert("/var/run", Recorded::link("../run"));
    let not_recorded = |path: &str| Err(Some(format!("{path}: not recorded of the node worker-0")));
    assert_eq!(text(&node, "/proc/cmdline"), Ok("quiet\n".to_owned()));
    assert_eq!(text(&node, "/proc/version"), not_recorded("/proc/version"));
    assert_eq!(text(&node, "/var/lib/other"), Err(None));
    assert_eq!(text(&node, "/var/lib/other/x"), Err(None));
    assert_eq!(text(&node, "/var/lib/kubelet/x"), not_recorded("/var/lib/kubelet/x"));
    assert_eq!(text(&node, "/gone/x"), Err(None));
    assert_eq!(text(&node, "/var/run/x"), not_recorded("/run"));
    assert_eq!(text(&node, "/closed/x"), Err(Some("unreadable: permission denied".to_owned())));
    let Lookup::Found(listing) = node.list("/var/lib") else { panic!() };
    assert_eq!((listing.names, listing.withheld), (vec!["kubelet".to_owned()], None));
    let Lookup::Found(listing) = node.list("/") else { panic!() };
    assert_eq!(listing.names, ["closed", "proc", "var"]);
    assert!(listing.withheld.unwrap().contains("not all of its entries"));

    let mut everything = RecordedNode::of_everything("case");
    everything.insert("/a/b", Recorded::regular(0o644, 0, 0, "x"));
    assert_eq!(text(&everything, "/a/c"), Err(None));
    let Lookup::Found(parent) = everything.metadata("/a") else { panic!() };
    assert_eq!((parent.file_type, parent.mode), (FileType::Directory, 0o755));
    let Lookup::Found(listing) = everything.list("/a") else { panic!() };
    assert_eq!((listing.names, listing.withheld), (vec!["b".to_owned()], None));
}

#[test]
fn mistakes_in_a_recording_have_a_line() {
    let cases = [
        (
            "node: x\nfiles:\n- {path: /a, type: absent}\n- {path: /a, type: absent}\n",
            4,
            "'/a' is there twice",
        ),
        ("node: x\nfiles:\n- {path: a, type: absent}\n", 3, "not absolute"),
        ("node: x\nfiles:\n- {path: /a/../b, type: absent}\n", 3, "not absolute and plain"),
        (
            "node: x\nfiles:\n- {path: /a, type: regular, mode: \"999\", uid: 0, gid: 0}\n",
            3,
            "no octal number",
        ),
        ("node: x\nfiles:\n- {path: /a, type: regular, uid: 0, gid: 0}\n", 3, "has no 'mode'"),
        ("node: x\nfiles:\n- {path: /a, type: link, mode: \"0777\", uid: 0, gid: 0}\n", 3, "has no 'target'"),
        ("node: x\nfiles:\n- {path: /a, type: unreadable}\n", 3, "has no 'reason'"),
        ("node: x\nfiles:\n- {path: /a, type: absent, complete: true}\n", 3, "no 'complete'"),
        ("node: x\nfiles:\n- {path: /a, type: door}\n", 3, "door"),
        ("node: x\nfiles:\n- {path: /a, type: absent, colour: red}\n", 3, "colour"),
        ("node: x\nfiles: [\n", 0, ""),
    ];
    for (yaml, line, problem) in cases {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("node.yaml"), yaml).unwrap();
        let said = RecordedNode::open(folder.path()).unwrap_err().to_string();
        assert!(said.contains("node.yaml:") && said.contains(problem), "{said}");
        assert!(line == 0 || said.contains(&format!("node.yaml:{line}: ")), "{said}");
    }
    let said = RecordedNode::open(Path::new("/nowhere")).unwrap_err().to_string();
    assert!(said.starts_with("/nowhere/node.yaml: "), "{said}");
}

#[test]
fn a_recording_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    std::fs::create_dir_all(folder.path().join("node/files")).unwrap();
    std::os::unix::fs::symlink("../../secret", folder.path().join("node/files/a")).unwrap();
    let yaml = "node: x\nfiles:\n- {path: /a, type: regular, mode: \"0644\", uid: 0, gid: 0}\n\
                - {path: /b, type: regular, mode: 0600, uid: 0, gid: 0}\n";
    std::fs::write(folder.path().join("node/node.yaml"), yaml).unwrap();
    let node = RecordedNode::open(&folder.path().join("node")).unwrap();
    assert!(text(&node, "/a").unwrap_err().unwrap().contains("is no regular file"));
    assert!(text(&node, "/b").unwrap_err().unwrap().contains("its content is not recorded"));
    assert_eq!(node.describe().location, "x");
    let Lookup::Found(file) = node.metadata("/b") else { panic!() };
    assert_eq!(file.mode, 0o600);
}

#[test]
fn a_recording_is_written_whole() {
    let (folder, host) =
        made("{/a/one: {content: x}, /a/link: {link: one}, /etc/hostname: {content: \"worker-1\\n\"}}");
    let recording = Recording::new(&host);
    assert_eq!(text(&recording, "/a/link"), Ok("x".to_owned()));
    assert_eq!(text(&recording, "/a/two/x"), Err(None));
    let node = recording.into_node(host.name());
    assert_eq!(node.name(), "worker-1");
    let paths: Vec<_> = node.iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["/", "/a", "/a/link", "/a/one", "/a/two"]);
    let out = folder.path().join("out/node");
    node.write_to(&out).unwrap();
    let read = RecordedNode::open(&out).unwrap();
    for path in ["/", "/a", "/a/link", "/a/one", "/a/two"] {
        // A recording does not keep when files were read and on which file system they were.
        let lasting = host.metadata(path).map(|found| Metadata { times: None, device: 0, ..found });
        assert_eq!(read.metadata(path), lasting, "{path}");
    }
    assert_eq!(text(&read, "/a/link"), Ok("x".to_owned()));
    assert!(node.write_to(&out).unwrap_err().to_string().contains("is not empty"));
    let left: Vec<_> = std::fs::read_dir(folder.path().join("out")).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary folder is left");
}

/// A definition with one test of every kind that is content with nothing.
const ABSENT: &str = r#"
<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:ind="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent"
 xmlns:unix="http://oval.mitre.org/XMLSchema/oval-definitions-5#unix">
<definitions><definition id="oval:x:def:1" version="1" class="compliance"><criteria>
 <criterion test_ref="oval:x:tst:1"/></criteria></definition></definitions>
<tests><KIND_test id="oval:x:tst:1" version="1" check="all" comment="c" check_existence="none_exist">
 <PREFIX:object object_ref="oval:x:obj:1"/></KIND_test></tests>
<objects><KIND_object id="oval:x:obj:1" version="1">SPEC</KIND_object></objects>
</oval_definitions>"#;

fn absent(kind: &str, spec: &str, files: &dyn Files) -> (OvalResult, Vec<String>) {
    let prefix = kind.split_once(':').unwrap().0;
    let xml = ABSENT.replace("KIND", kind).replace("PREFIX", prefix).replace("SPEC", spec);
    let document = roxmltree::Document::parse(&xml).unwrap();
    let oval = OvalDefinitions::read(document.root_element()).unwrap();
    let mut session = Session::new(&oval, files, ExternalValues::new());
    let id = DefinitionId::new("oval:x:def:1");
    (session.evaluate(&id), session.reasons(&id))
}

#[test]
fn nothing_passes_for_want_of_files() {
    const TEXT: &str = r#"<ind:pattern operation="pattern match">.</ind:pattern><ind:instance datatype="int">1</ind:instance>"#;
    let specs = [
        ("unix:file", "<unix:filepath>/a/x</unix:filepath>".to_owned()),
        ("unix:file", r#"<unix:path>/a/x</unix:path><unix:filename xsi:nil="true"/>"#.to_owned()),
        (
            "unix:file",
            r#"<unix:path>/a</unix:path><unix:filename operation="pattern match">x</unix:filename>"#
                .to_owned(),
        ),
        (
            "unix:file",
            r#"<unix:path operation="pattern match">^/a/.*$</unix:path><unix:filename>x</unix:filename>"#
                .to_owned(),
        ),
        (
            "unix:file",
            r#"<unix:path operation="pattern match">^/a/b/[0-9]$</unix:path><unix:filename xsi:nil="true"/>"#
                .to_owned(),
        ),
        ("ind:textfilecontent54", format!("<ind:filepath>/a/x</ind:filepath>{TEXT}")),
        (
            "ind:textfilecontent54",
            format!(r#"<ind:filepath operation="pattern match">^/a/x</ind:filepath>{TEXT}"#),
        ),
    ];
    let mut some = RecordedNode::of_some("n");
    some.insert("/a/other", Recorded::regular(0o644, 0, 0, ""));
    let mut everything = RecordedNode::of_everything("n");
    everything.insert("/a/other", Recorded::regular(0o644, 0, 0, ""));
    let mut closed = RecordedNode::of_everything("n");
    closed.insert("/a", Recorded::unreadable("permission denied"));
    let dump = Dump::default();
    for (kind, spec) in specs {
        let (result, reasons) = absent(kind, &spec, &some);
        assert_eq!(result, OvalResult::Unknown, "{spec}");
        assert!(
            reasons.iter().any(|reason| reason.contains("recorded of the node n")),
            "{spec}: {reasons:?}"
        );
        assert_eq!(absent(kind, &spec, &everything).0, OvalResult::True, "{spec}");
        let (result, reasons) = absent(kind, &spec, &closed);
        assert_eq!(result, OvalResult::Error, "{spec}");
        assert!(reasons.iter().any(|reason| reason.contains("permission denied")), "{spec}: {reasons:?}");
        let (result, reasons) = absent(kind, &spec, &dump);
        assert_eq!(result, OvalResult::Unknown, "{spec}");
        assert_eq!(reasons, ["this source has no files of a node"], "{spec}");
    }
    let of_api = r#"<ind:filepath>/kubernetes-api-resources/x</ind:filepath><ind:yamlpath>.a</ind:yamlpath>"#;
    let (result, reasons) = absent("ind:yamlfilecontent", of_api, &OnNode(&everything));
    assert_eq!((result, reasons), (OvalResult::Unknown, vec!["this source has no API answers".to_owned()]));
    assert_eq!(absent("ind:yamlfilecontent", of_api, &dump).0, OvalResult::True);
}

#[test]
fn a_dump_is_a_set_of_files() {
    let mut dump = Dump::default();
    let at = |path: &str| format!("/kubernetes-api-resources{path}");
    dump.insert(at("/apis/x/one"), DumpFile::Document("a: b".to_owned()));
    dump.insert(at("/apis/x/two"), DumpFile::Absent { reason: "forbidden".to_owned() });
    assert_eq!(dump.directory(&at("/apis")), Lookup::Found(at("/apis")));
    assert_eq!(dump.directory(&at("/api")), Lookup::absent());
    let Lookup::Found(listing) = dump.list(&at("/apis/x")) else { panic!() };
    assert_eq!(listing.names, ["one", "two"]);
    let Lookup::Found(one) = dump.metadata(&at("/apis/x/one")) else { panic!() };
    assert_eq!((one.file_type, one.size), (FileType::Regular, 4));
    assert_eq!(dump.metadata(&at("/apis/x/two")), Lookup::withheld("forbidden"));
    let walk = r#"<ind:filepath operation="pattern match">^/kubernetes-api-resources/apis/x/two$</ind:filepath><ind:yamlpath>.a</ind:yamlpath>"#;
    let (result, reasons) = absent("ind:yamlfilecontent", walk, &dump);
    assert_eq!((result, reasons), (OvalResult::Unknown, vec!["forbidden".to_owned()]));
}
