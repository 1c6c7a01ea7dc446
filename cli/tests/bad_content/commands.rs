//! What the commands make of one data stream.

use std::path::Path;

use crate::limits::{Ended, run};

/// Runs every command that reads data streams on `xml`, and gives what `virtscap scan` said of the first rule, as
/// `RESULT: MESSAGES`, or instead of results. The other rule passes wherever there are results.
///
/// Panics where commands do not agree: what one refuses none evaluates, and no other one lets the rule pass.
pub(crate) fn said(name: &str, xml: &[u8], root: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("bad.xml"), xml).unwrap();
    let ours = |arguments: &[&str]| run(arguments, folder, root);
    let root_text = root.to_str().unwrap();
    let scan = ["scan", "--datastream", "bad.xml", "--profile", "p", "--root", root_text];
    let scan = ours(&[&scan[..], &["--json", "r.json", "--arf", "arf.xml"]].concat());
    let eval = ours(&["oscap", "xccdf", "eval", "--profile", "p", "--progress", "bad.xml"]);
    let guide = ours(&["oscap", "xccdf", "generate", "guide", "--profile", "p", "bad.xml"]);
    let oval = ours(&["oscap", "oval", "eval", "bad.xml"]);
    let tailor = ["tailor", "--datastream", "bad.xml", "--profile", "p", "--name", "t-node"];
    let tailor = ours(&[&tailor[..], &["--disable", "other=why", "--xccdf", "t.xml"]].concat());
    let info = ours(&["oscap", "info", "bad.xml"]);
    let validate = ours(&["oscap", "ds", "sds-validate", "bad.xml"]);
    for ended in [&guide, &oval, &tailor, &info, &validate] {
        assert!(ended.code <= 1, "{name}: {}", ended.shown());
    }
    for ended in [&scan, &eval, &guide, &oval, &tailor, &info, &validate] {
        let names = ended.code != 1 || ended.stderr.contains("bad.xml");
        assert!(names, "{name}: the error does not name the file: {}", ended.shown());
    }
    assert_eq!(tailor.code == 0, folder.join("t.xml").exists(), "{name}: {}", tailor.shown());
    if scan.code == 1 {
        for ended in [&eval, &guide] {
            assert_eq!((ended.code, &*ended.stdout), (1, ""), "{name}: {}", ended.shown());
        }
        assert!(!folder.join("r.json").exists(), "{name}: something was written");
        return scan.stderr;
    }
    assert_eq!(guide.code, 0, "{name}: {}", guide.shown());
    let said = of_json(name, &scan, folder);
    let result = said.split(':').next().unwrap();
    let lines = [format!("xccdf_x_rule_bad:{result}\n"), "xccdf_x_rule_other:pass\n".to_owned()];
    assert!(lines.iter().all(|line| eval.stdout.contains(line)), "{name}: {said}: {}", eval.shown());
    // The definitions of a rule that was not checked are evaluated all the same; and a long row of definitions is none where
    // each is evaluated for itself, the last one first.
    let holds = oval.stdout.contains("Definition oval:x:def:1: true");
    let may_hold = ["pass", "notchecked"].contains(&result) || said.contains("too long a chain");
    assert!(!holds || may_hold, "{name}: {said}: {}", oval.shown());
    let report = ours(&["report", "arf.xml", "--json", "r.json"]);
    assert_eq!(report.code, scan.code, "{name}: {}", report.shown());
    let again = of_json(name, &report, folder);
    assert!(again.starts_with(&format!("{result}: ")), "{name}: {said}: of the ARF: {again}");
    let page = ours(&["oscap", "xccdf", "generate", "report", "arf.xml"]);
    assert_eq!(page.code, 0, "{name}: {}", page.shown());
    said
}

/// What `r.json` says of the first rule.
fn of_json(name: &str, ended: &Ended, folder: &Path) -> String {
    assert!([0, 2].contains(&ended.code), "{name}: {}", ended.shown());
    let json = std::fs::read_to_string(folder.join("r.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rules = report["rules"].as_array().unwrap();
    let rule = |id: &str| rules.iter().find(|rule| rule["id"] == id).unwrap();
    assert_eq!(rule("other")["result"], "pass", "{name}: {report}");
    format!("{}: {}", rule("bad")["result"].as_str().unwrap(), rule("bad")["messages"])
}
