//! What stands where a file is expected, for every option and argument that names one.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::limits::{LITTLE, run, run_with};
use crate::root;
use crate::stream::{Bad, nested};

/// Command lines; `FILE` is the file in question, `OUT` something to write to, and the capital words good files.
const COMMANDS: [&str; 17] = [
    "scan --datastream FILE --profile p --root ROOT",
    "scan --datastream GOOD --tailoring FILE --profile p --root ROOT",
    "collect --datastream FILE --profile p --root ROOT --node OUT",
    "tailor --datastream FILE --profile p --name t-node --disable other=why --xccdf OUT",
    "tailor --datastream GOOD --profile p --from FILE --xccdf OUT",
    "report FILE",
    "report --datastream FILE GOOD",
    "oscap info FILE",
    "oscap xccdf eval FILE",
    "oscap xccdf eval --tailoring-file FILE --profile p GOOD",
    "oscap xccdf eval --cpe FILE GOOD",
    "oscap xccdf generate guide FILE",
    "oscap xccdf generate report FILE",
    "oscap oval eval FILE",
    "oscap oval eval --variables FILE GOOD",
    "oscap ds sds-validate FILE",
    "oscap ds sds-split FILE OUT",
];
/// A command line with the words filled in.
fn filled<'a>(command: &'a str, file: &'a str, root: &'a Path) -> Vec<&'a str> {
    let fill = |word: &'a str| match word {
        "FILE" => file,
        "GOOD" => "good.xml",
        "OUT" => "out",
        "ROOT" => root.to_str().unwrap(),
        word => word,
    };
    command.split(' ').map(fill).collect()
}

#[test]
fn what_cannot_be_read_is_told_by_every_command() {
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &[u8]| std::fs::write(at(name), text).unwrap();
    std::fs::create_dir(at("folder")).unwrap();
    write("good.xml", Bad::default().write().as_bytes());
    write("latin1", b"<x>gr\xfcn</x>");
    write("secret", b"swordfish");
    let secret = r#"<!DOCTYPE x [<!ENTITY a SYSTEM "secret">]><x>&a;</x>"#;
    write("entity", secret.as_bytes());
    write("deep", nested(100_000, "<x>", "", "</x>").as_bytes());
    write("empty", b"");
    // Nothing of it is on the disk.
    std::fs::File::create(at("huge")).unwrap().set_len(2 << 40).unwrap();
    let files = [
        ("nothing", "No such file"),
        ("folder", "this is a folder; name a file"),
        ("/dev/zero", "this is a device; name a file or a pipe"),
        ("/dev/null", "this is a device; name a file or a pipe"),
        ("huge", "larger than 1073741824 bytes"),
        ("latin1", "not in UTF-8: byte 5 belongs to no character"),
        ("entity", "XML with DTD detected"),
        ("deep", ""),
        ("empty", ""),
    ];
    for (file, expected) in files {
        for command in COMMANDS {
            let arguments = filled(command, file, root.path());
            let ended = run_with(&arguments, folder.path(), root.path(), Stdio::null(), LITTLE);
            assert_eq!(ended.code, 1, "{}", ended.shown());
            let said = &ended.stderr;
            assert!(said.contains(file) && said.contains(expected), "{expected}: {}", ended.shown());
            assert!(!ended.shown().contains("swordfish"), "{}", ended.shown());
            assert!(!at("out").exists(), "{}: something was written", ended.shown());
        }
    }
    let zero = std::fs::File::open("/dev/zero").unwrap();
    let ended = run_with(&["report", "/dev/stdin"], folder.path(), root.path(), zero.into(), LITTLE);
    assert!(ended.code == 1 && ended.stderr.contains("this is a device"), "{}", ended.shown());
}

/// The files beside an XCCDF file, which it names itself.
#[test]
fn what_cannot_be_read_beside_a_file_is_told() {
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    std::fs::write(folder.path().join("latin1"), b"<x>gr\xfcn</x>").unwrap();
    let cases = [("/dev/zero", "this is a device"), ("folder", "this is a folder"), ("latin1", "byte 5")];
    for (href, expected) in cases {
        let xccdf = format!(
            r#"<Benchmark xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_x_benchmark_x"><status>draft</status><version>1</version>
<Rule id="xccdf_x_rule_r" selected="true"><title>r</title><check system="http://oval.mitre.org/XMLSchema/oval-definitions-5"><check-content-ref href="{href}" name="oval:x:def:1"/></check></Rule></Benchmark>"#
        );
        std::fs::write(folder.path().join("x.xml"), xccdf).unwrap();
        let ended = run(&["oscap", "xccdf", "eval", "x.xml"], folder.path(), root.path());
        let told = ended.code == 1 && ended.stderr.contains(href) && ended.stderr.contains(expected);
        assert!(told, "{}", ended.shown());
    }
}

#[test]
fn pipes_are_read_as_files_are() {
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    let good = Bad::default().write();
    let file = folder.path().join("good.xml");
    std::fs::write(&file, &good).unwrap();
    let fifo = folder.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let reading = |command: &str| command.contains("--datastream FILE") || command.contains("eval FILE");
    let commands = COMMANDS.iter().filter(|command| reading(command) || command.ends_with("info FILE"));
    for command in commands.filter(|command| !command.starts_with("report")) {
        let run = |name: &str, stdin: Stdio| {
            let _ = std::fs::remove_dir_all(folder.path().join("out"));
            let _ = std::fs::remove_file(folder.path().join("out"));
            let arguments = filled(command, name, root.path());
            let ended = run_with(&arguments, folder.path(), root.path(), stdin, LITTLE);
            assert_eq!(ended.code, 0, "{}", ended.shown());
        };
        std::thread::scope(|scope| {
            scope.spawn(|| std::fs::write(&fifo, &good).unwrap());
            run("fifo", Stdio::null());
        });
        let (reader, mut writer) = std::io::pipe().unwrap();
        std::thread::scope(|scope| {
            let good = &good;
            scope.spawn(move || writer.write_all(good.as_bytes()).unwrap());
            run("/dev/stdin", reader.into());
        });
        run("/dev/stdin", std::fs::File::open(&file).unwrap().into());
        run("/dev/fd/0", std::fs::File::open(&file).unwrap().into());
    }
}

#[test]
fn bad_tailorings_are_told() {
    let tailoring = |profiles: &str| {
        format!(
            r#"<Tailoring xmlns="http://checklists.nist.gov/xccdf/1.2" id="xccdf_x_tailoring_t"><benchmark href="good.xml"/><version time="2026-01-01T00:00:00">1</version>{profiles}</Tailoring>"#
        )
    };
    let profile = |name: &str, extends: &str| {
        format!(
            r#"<Profile id="xccdf_x_profile_{name}" extends="xccdf_x_profile_{extends}"><title>t</title></Profile>"#
        )
    };
    let manifest = |spec: &str| {
        format!(
            "apiVersion: compliance.openshift.io/v1alpha1\nkind: TailoredProfile\nmetadata: {{name: t}}\nspec: {spec}\n"
        )
    };
    let mut laughs = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        laughs.push_str(&format!("a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]\n"));
    }
    let cases = [
        ("profiles in a circle", tailoring(&(profile("t", "u") + &profile("u", "t"))), "xccdf_x_profile_u"),
        (
            "a profile twice",
            tailoring(&profile("t", "p").repeat(2)),
            "the id 'xccdf_x_profile_t' is taken in line",
        ),
        ("a profile of nothing", tailoring(&profile("t", "nothing")), "nothing"),
        ("another document", "<x/>".to_owned(), "the root element is <x>"),
        ("YAML that laughs", laughs, ""),
        ("YAML that is deep", manifest(&nested(100_000, "[", "", "]")), ""),
        ("YAML that is none", manifest("["), ""),
        (
            "a rule that is not there",
            manifest("{extends: x-p, disableRules: [{name: x-nothing, rationale: r}]}"),
            "nothing",
        ),
    ];
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.xml"), Bad::default().write()).unwrap();
    for (name, text, expected) in cases {
        std::fs::write(folder.path().join("tailored.bad"), &text).unwrap();
        for command in COMMANDS.iter().filter(|command| command.contains("GOOD") && command.contains("FILE"))
        {
            if !["--tailoring", "--from"].iter().any(|option| command.contains(option)) {
                continue;
            }
            let command = command.replace("--profile p", "--profile t");
            let ended = run(&filled(&command, "tailored.bad", root.path()), folder.path(), root.path());
            assert_eq!(ended.code, 1, "{name}: {}", ended.shown());
            // oscap takes XML alone.
            let is_known = text.starts_with('<') || !command.starts_with("oscap");
            let expected = if is_known { expected } else { "not well-formed XML" };
            let said = ended.stderr.contains("tailored.bad") && ended.stderr.contains(expected);
            assert!(said, "{name}: {}", ended.shown());
        }
    }
}
