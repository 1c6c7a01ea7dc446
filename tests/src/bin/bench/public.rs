//! Rows on public content, on a tree of files and on a large document: both programs with the same command line.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use virtscap_tests::public::{root, stream};

use super::{Job, Row};

/// About how large the YAML document is.
const DOCUMENT: usize = 100 << 20;
/// The row on it.
const DOCUMENT_ROW: &str = "100 MB of YAML";
const PATHS: [&str; 5] =
    [".kind", ".items[:].metadata.name", ".items[:].spec.running", ".items[:].metadata.namespace", ".none"];

/// What the rows work with.
pub(super) struct Public {
    virtscap: PathBuf,
    scratch: PathBuf,
    /// What debian11 is evaluated on.
    root: PathBuf,
}

impl Public {
    /// Writes what is evaluated, for rows with `only` in their names; none where the SCAP Security Guide is not installed.
    pub(super) fn prepare(
        virtscap: &Path,
        scratch: PathBuf,
        root: PathBuf,
        only: Option<&str>,
    ) -> Result<Option<Self>> {
        if !stream::path("ocp4").is_file() || !stream::path("debian11").is_file() {
            return Ok(None);
        }
        let public = Self { virtscap: virtscap.to_owned(), scratch, root };
        root::add_dump("ocp4-cis", &public.at("dump"));
        let debian = std::fs::read_to_string(stream::path("debian11"))?;
        std::fs::write(public.at("debian11.xml"), stream::anywhere(&debian))?;
        std::fs::write(public.at("search.xml"), search(r#"<filter action="exclude">oval:x:ste:1</filter>"#))?;
        std::fs::write(public.at("search-all.xml"), search(""))?;
        let document = public.at("document.json");
        if only.is_none_or(|only| DOCUMENT_ROW.contains(only)) {
            write_document(&document).with_context(|| document.display().to_string())?;
        }
        std::fs::write(public.at("document.xml"), paths(&document.display().to_string(), &PATHS))?;
        Ok(Some(public))
    }

    fn at(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// The same arguments for both.
    fn row(&self, name: &'static str, root: Option<&Path>, arguments: &[OsString], skip: bool) -> Row {
        let job = |program: &Path, before: &[&str]| {
            let mut all: Vec<OsString> = before.iter().map(OsString::from).collect();
            all.extend(arguments.iter().cloned());
            if skip {
                let at = before.len() + 2;
                all.insert(at, "--skip-validation".into());
            }
            let mut environment = vec![("SEXP_VALIDATE_DISABLE", OsString::from("1"))];
            environment.extend(root.map(|root| ("OSCAP_PROBE_ROOT", root.as_os_str().to_owned())));
            Job { program: program.to_owned(), arguments: all, environment, done: &[0, 2], makes: None }
        };
        let (virtscap, oscap) = (job(&self.virtscap, &["oscap"]), job(Path::new("oscap"), &[]));
        Row { name, virtscap, oscap: Some(oscap) }
    }

    fn arguments(&self, before: &[&str], files: &[(&str, &str)], content: PathBuf) -> Vec<OsString> {
        let mut all: Vec<OsString> = before.iter().map(OsString::from).collect();
        for (option, file) in files {
            all.extend([OsString::from(option), self.at(file).into_os_string()]);
        }
        all.push(content.into_os_string());
        all
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let both = [("--results-arf", "arf.xml"), ("--report", "report.html")];
        let mut rows = Vec::new();
        let dump = self.at("dump");
        let mut of_benchmark =
            |names: [&'static str; 2], profile: &str, root: Option<&Path>, content: PathBuf| {
                let evaluation = ["xccdf", "eval", "--profile", profile];
                let arguments = self.arguments(&evaluation, &both, content.clone());
                rows.push(self.row(names[0], root, &arguments, false));
                rows.push(self.row(names[1], root, &arguments, true));
                // Where the time goes is what each of these lacks beside the row above.
                for (name, files) in [("    ARF alone", &both[..1]), ("    nothing written", &[])] {
                    let arguments = self.arguments(&evaluation, files, content.clone());
                    rows.push(self.row(name, root, &arguments, true));
                }
            };
        of_benchmark(["ocp4 cis, ARF, report", "  no validation"], "cis", Some(&dump), stream::path("ocp4"));
        let machine = Some(self.root.as_path()).filter(|root| *root != Path::new("/"));
        let debian = self.at("debian11.xml");
        of_benchmark(["debian11, ARF, report", "  no validation"], "(all)", machine, debian);
        for (names, content) in [
            (["search in /usr, filtered", "  no validation"], "search.xml"),
            (["search in /usr, all kept", "  no validation"], "search-all.xml"),
            ([DOCUMENT_ROW, "  no validation"], "document.xml"),
        ] {
            let arguments =
                self.arguments(&["oval", "eval"], &[("--results", "results.xml")], self.at(content));
            rows.push(self.row(names[0], None, &arguments, false));
            rows.push(self.row(names[1], None, &arguments, true));
        }
        rows
    }
}

fn definitions(tests: &str, objects: &str, states: &str) -> String {
    let ids: Vec<_> = tests.matches("_test id=").enumerate().map(|(number, _)| number + 1).collect();
    let mut all = String::new();
    for id in ids {
        let _ = writeln!(
            all,
            r#"<definition class="compliance" id="oval:x:def:{id}" version="1">
<metadata>
<title>d</title>
<description>d</description>
</metadata>
<criteria>
<criterion test_ref="oval:x:tst:{id}"/>
</criteria>
</definition>"#
        );
    }
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<oval_definitions xmlns="http://oval.mitre.org/XMLSchema/oval-definitions-5" xmlns:oval="http://oval.mitre.org/XMLSchema/oval-common-5" xmlns:ind="http://oval.mitre.org/XMLSchema/oval-definitions-5#independent" xmlns:unix="http://oval.mitre.org/XMLSchema/oval-definitions-5#unix">
<generator>
<oval:schema_version>5.11.3</oval:schema_version>
<oval:timestamp>2026-01-01T00:00:00</oval:timestamp>
</generator>
<definitions>
{all}</definitions>
<tests>
{tests}</tests>
<objects>
{objects}</objects>
{states}</oval_definitions>
"#
    )
}

/// Everything below /usr.
fn search(filter: &str) -> String {
    let test = r#"<unix:file_test id="oval:x:tst:1" version="1" check="all" check_existence="any_exist" comment="c">
<unix:object object_ref="oval:x:obj:1"/>
</unix:file_test>
"#;
    let object = format!(
        r#"<unix:file_object id="oval:x:obj:1" version="1">
<unix:behaviors recurse="directories" recurse_direction="down" max_depth="-1" recurse_file_system="local"/>
<unix:path>/usr</unix:path>
<unix:filename operation="pattern match">.*</unix:filename>
{filter}
</unix:file_object>
"#
    );
    let state = r#"<states>
<unix:file_state id="oval:x:ste:1" version="1">
<unix:user_id datatype="int">0</unix:user_id>
</unix:file_state>
</states>
"#;
    definitions(test, &object, if filter.is_empty() { "" } else { state })
}

/// Paths in one document.
pub(super) fn paths(document: &str, paths: &[&str]) -> String {
    let (mut tests, mut objects) = (String::new(), String::new());
    for (number, path) in (1..).zip(paths) {
        let _ = writeln!(
            tests,
            r#"<ind:yamlfilecontent_test id="oval:x:tst:{number}" version="1" check="all" check_existence="any_exist" comment="c">
<ind:object object_ref="oval:x:obj:{number}"/>
</ind:yamlfilecontent_test>"#
        );
        let _ = writeln!(
            objects,
            r#"<ind:yamlfilecontent_object id="oval:x:obj:{number}" version="1">
<ind:filepath>{document}</ind:filepath>
<ind:yamlpath>{path}</ind:yamlpath>
</ind:yamlfilecontent_object>"#
        );
    }
    definitions(&tests, &objects, "")
}

/// A list of objects of 4 KB, as an API gives it.
fn write_document(path: &Path) -> std::io::Result<()> {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let words = "a value of a label that says a little ".repeat(95);
    write!(file, r#"{{"kind": "VirtualMachineList", "items": ["#)?;
    for number in 0..DOCUMENT / 4000 {
        let comma = if number == 0 { "" } else { "," };
        write!(
            file,
            r#"{comma}{{"metadata": {{"name": "vm-{number}", "namespace": "ns-{}", "annotations": {{"about": "{words}"}}}}, "spec": {{"running": true, "template": {{"domain": {{"devices": {{"disks": [{{"name": "root", "shareable": false}}, {{"name": "data", "shareable": true}}]}}}}}}}}}}"#,
            number % 50
        )?;
    }
    write!(file, "]}}")?;
    file.flush()
}
