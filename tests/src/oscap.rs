//! Stock oscap as a peer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use virtscap_evaluator::dump::NOT_FOUND_MARKER;
use virtscap_scap::xccdf::XccdfResult;

/// Whether oscap is there. Where it is not, says so loudly; where peers are required, panics.
pub fn is_there() -> bool {
    if Command::new("oscap").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    let message = "SKIPPED: oscap is not installed (Debian: openscap-scanner, openscap-utils); nothing was compared with it";
    assert!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{message}");
    crate::say(message);
    false
}

/// Runs oscap.
pub fn run(arguments: &[&str], probe_root: Option<&Path>) -> Output {
    let mut command = Command::new("oscap");
    command.args(arguments).env("SEXP_VALIDATE_DISABLE", "1");
    if let Some(root) = probe_root {
        command.env("OSCAP_PROBE_ROOT", root);
    }
    command.output().unwrap()
}

/// What `oscap xccdf eval` made of a dump.
pub struct Evaluation {
    /// Its exit status.
    pub status: i32,
    /// The results by the rules' XCCDF ids.
    pub results: BTreeMap<String, XccdfResult>,
    /// The ARF.
    pub arf: String,
}

/// What to evaluate.
pub struct Request<'a> {
    /// The data stream's file.
    pub datastream: &'a Path,
    /// The profile.
    pub profile: &'a str,
    /// The tailoring's file.
    pub tailoring: Option<&'a Path>,
    /// The only rule to evaluate.
    pub rule: Option<&'a str>,
    /// The folder that holds `kubernetes-api-resources`.
    pub probe_root: &'a Path,
}

/// Runs `oscap xccdf eval`.
pub fn evaluate(request: &Request<'_>) -> Evaluation {
    let arf = tempfile::NamedTempFile::new().unwrap();
    // Schemas are checked once, by `oscap ds sds-validate`, and not on each of hundreds of cases.
    let mut arguments =
        vec!["xccdf", "eval", "--skip-validation", "--progress", "--profile", request.profile];
    arguments.extend(["--results-arf", arf.path().to_str().unwrap()]);
    if let Some(tailoring) = request.tailoring {
        arguments.extend(["--tailoring-file", tailoring.to_str().unwrap()]);
    }
    if let Some(rule) = request.rule {
        arguments.extend(["--rule", rule]);
    }
    arguments.push(request.datastream.to_str().unwrap());
    let output = run(&arguments, Some(request.probe_root));
    let stdout = String::from_utf8_lossy(&output.stdout);
    let results = stdout.lines().filter_map(|line| line.split_once(':')).map(|(rule, result)| {
        (rule.to_owned(), XccdfResult::from_text(result).unwrap_or_else(|| panic!("oscap says {result}")))
    });
    let results = results.collect();
    let status = output.status.code().unwrap_or(-1);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(status, 0 | 2), "oscap ended with {status}: {stderr}");
    Evaluation { status, results, arf: std::fs::read_to_string(arf.path()).unwrap() }
}

/// What oscap collected, from the system characteristics of an ARF, as virtscap names offenders: every string of the
/// rule's dumps that is no marker and no expression, every line as `PATH: LINE`, every file as virtscap names its mode.
pub fn findings(arf: &str) -> BTreeSet<String> {
    const SYS: &str = "http://oval.mitre.org/XMLSchema/oval-system-characteristics-5";
    let document = roxmltree::Document::parse(arf).unwrap();
    let mut findings = BTreeSet::new();
    for node in document.descendants() {
        let text = |name: &str| {
            let child = node.children().find(|child| child.tag_name().name() == name);
            child.and_then(|child| child.text()).unwrap_or_default()
        };
        match node.tag_name().name() {
            "field" if node.has_tag_name((SYS, "field")) && node.attribute("name") == Some("#") => {
                let text = node.text().unwrap_or_default();
                findings.extend((!text.starts_with(['@', '^'])).then(|| text.to_owned()));
            }
            "textfilecontent_item" => {
                let (path, text) = (text("filepath"), text("text"));
                findings.extend((text != NOT_FOUND_MARKER).then(|| format!("{path}: {text}")));
            }
            "file_item" => {
                let path = if text("filepath").is_empty() { text("path") } else { text("filepath") };
                let path = path.trim_end_matches('/');
                findings.insert(format!("{path}: is there"));
                let bits = [
                    "suid", "sgid", "sticky", "uread", "uwrite", "uexec", "gread", "gwrite", "gexec",
                    "oread", "owrite", "oexec",
                ];
                let mode = bits.iter().fold(0, |mode, bit| mode << 1 | i32::from(text(bit) == "true"));
                let kind = match text("type") {
                    "regular" | "directory" => String::new(),
                    other => format!("{other}, "),
                };
                let (uid, gid) = (text("user_id"), text("group_id"));
                findings.insert(format!("{path}: {kind}mode {mode:04o}, owner {uid}:{gid}"));
            }
            _ => {}
        }
    }
    findings
}
