//! Times virtscap beside stock oscap on the same content and the same cluster, and weighs both.
//!
//! `cargo run --release -p virtscap-tests --bin bench [-- --runs N --only TEXT --root DIR]`

mod machines;
mod measure;
mod public;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anstream::{eprintln, println};
use anyhow::{Context as _, Result, bail, ensure};
use virtscap_tests::rbac_snapshot;

use measure::{Measured, Scale, WEIGHINGS, measure};

const PROFILE: &str = "level-2";
const SNAPSHOT: &str = "tests/snapshots/neglected";
const DATASTREAM: &str = "build/ssg-ocp-virt-ds.xml";
/// Where oscap looks, under OSCAP_PROBE_ROOT.
const DUMP: &str = "kubernetes-api-resources";
const DEFAULT_RUNS: usize = 15;
const XCCDF: &str = "http://checklists.nist.gov/xccdf/1.2";
const LOUD: &str = "\u{1b}[1;31m";
const CALM: &str = "\u{1b}[0m";
const MISSING: &str =
    "oscap IS MISSING (Debian: openscap-scanner): its columns are empty, and NOTHING WAS COMPARED";

fn main() -> Result<()> {
    let Some(Wish { runs, only, root }) = wish(std::env::args().skip(1))? else {
        println!(
            "usage: bench [--runs N] [--only TEXT] [--root DIR]
  --runs N     timed runs of each command; {DEFAULT_RUNS} unless given
  --only TEXT  only rows with this in their names; `own` are those on the project's own content,
               `machines` those on thousands of virtual
               machines, which no other run has
  --root DIR   what debian11 is evaluated on, instead of /"
        );
        return Ok(());
    };
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the project's folder")?;
    std::env::set_current_dir(project).with_context(|| project.display().to_string())?;

    let virtscap = virtscap()?;
    let oscap = first_line(Command::new("oscap").arg("--version"));
    if oscap.is_none() {
        ensure!(std::env::var_os("VIRTSCAP_REQUIRE_PEERS").is_none(), "{MISSING}");
        eprintln!("{LOUD}{MISSING}{CALM}");
    }
    let scratch = tempfile::tempdir()?;
    let folder = |name: &str| -> Result<PathBuf> {
        let folder = scratch.path().join(name);
        std::fs::create_dir(&folder)?;
        Ok(folder)
    };
    let jobs = Jobs { virtscap: virtscap.clone(), snapshot: SNAPSHOT.into(), scratch: folder("small")? };
    let bindings =
        Jobs { virtscap: virtscap.clone(), snapshot: folder("bindings")?, scratch: folder("large")? };
    let mut rows = Vec::new();
    let mut agreement = None;
    if only.as_deref().is_none_or(|only| only == "own") {
        rbac_snapshot::write(&bindings.snapshot)?;
        rows.extend(jobs.rows());
        rows.extend(bindings.rows_on_bindings());
        // What oscap is to read.
        jobs.collect(DUMP).run()?;
        bindings.collect(DUMP).run()?;
        if oscap.is_some() {
            let bindings = bindings.agreement()?;
            agreement = Some(format!("{}; on the bindings, {bindings}", jobs.agreement()?));
        }
    }
    let mut machines = None;
    // These take minutes a run, so they have to be asked for.
    if only.as_deref() == Some("machines") {
        let prepared = machines::Machines::prepare(&virtscap, folder("machines")?)?;
        rows.extend(machines.insert(prepared).rows());
    }
    if !matches!(only.as_deref(), Some("own" | "machines")) {
        match public::Public::prepare(&virtscap, folder("public")?, root, only.as_deref())? {
            Some(public) => rows.extend(public.rows()),
            None => eprintln!(
                "{LOUD}The SCAP Security Guide IS MISSING (Debian: ssg-nondebian, ssg-debian){CALM}"
            ),
        }
        // A row without validation is named after the one above it.
        let mut wanted = false;
        rows.retain(|row: &Row| {
            if !row.name.starts_with("  ") {
                wanted = only.as_deref().is_none_or(|only| row.name.contains(only));
            }
            wanted
        });
    }
    if oscap.is_none() {
        rows.iter_mut().for_each(|row| row.oscap = None);
    }

    let scale = Scale::find(scratch.path());
    let measured = measure(&rows, runs, &scale)?;

    let virtscap = first_line(Command::new(&virtscap).arg("--version")).context("virtscap has no version")?;
    println!("{virtscap} beside {}", oscap.as_deref().unwrap_or("NO oscap"));
    println!("{}", machine());
    print_table(&rows, &measured);
    print_notes(runs, &scale, agreement.as_deref());
    if oscap.is_none() {
        println!("{LOUD}{MISSING}{CALM}");
    }
    Ok(())
}

/// What is to be measured.
struct Wish {
    runs: usize,
    only: Option<String>,
    root: PathBuf,
}

/// What is wanted; nothing where help is.
fn wish(mut arguments: impl Iterator<Item = String>) -> Result<Option<Wish>> {
    let mut wish = Wish { runs: DEFAULT_RUNS, only: None, root: "/".into() };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--runs" => {
                let number = arguments.next().context("--runs wants a number")?;
                wish.runs = number.parse().with_context(|| format!("--runs {number}"))?;
                ensure!(wish.runs > 0, "--runs 0 measures nothing");
            }
            "--only" => wish.only = Some(arguments.next().context("--only wants a text")?),
            "--root" => wish.root = arguments.next().context("--root wants a folder")?.into(),
            "--help" | "-h" => return Ok(None),
            _ => bail!("{argument} is not known; there are --runs N, --only TEXT and --root DIR"),
        }
    }
    Ok(Some(wish))
}

/// Builds virtscap as it is released; without cargo, takes the one beside this program.
fn virtscap() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["build", "--release", "--locked", "-p", "virtscap", "--message-format", "json-render-diagnostics"];
    let Ok(output) = Command::new(cargo).args(arguments).stderr(Stdio::inherit()).output() else {
        let beside = std::env::current_exe()?.with_file_name("virtscap");
        ensure!(beside.is_file(), "there is no cargo, and no {}", beside.display());
        eprintln!("there is no cargo: measuring {} as it is", beside.display());
        return Ok(beside);
    };
    ensure!(output.status.success(), "virtscap does not build");
    // One message a line; the last is about the program.
    let messages = String::from_utf8(output.stdout)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let program = messages
        .filter(|message| message["target"]["name"] == "virtscap")
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    program.context("cargo names no program virtscap")
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).lines().next()?.to_owned())
}

/// What one program is to do.
struct Job {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
    /// Exit statuses that mean that the work was done.
    done: &'static [i32],
    /// A folder that must not be there beforehand.
    makes: Option<PathBuf>,
}

impl Job {
    fn making(mut self, folder: PathBuf) -> Self {
        self.makes = Some(folder);
        self
    }

    fn clear(&self) -> Result<()> {
        match self.makes.as_ref().filter(|folder| folder.exists()) {
            Some(folder) => std::fs::remove_dir_all(folder).with_context(|| folder.display().to_string()),
            None => Ok(()),
        }
    }

    fn command(&self) -> Command {
        self.prepare(Command::new(&self.program))
    }

    /// The same under a program that runs another.
    fn command_under(&self, mut wrapper: Command) -> Command {
        wrapper.arg(&self.program);
        self.prepare(wrapper)
    }

    fn prepare(&self, mut command: Command) -> Command {
        command.args(&self.arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn complete(&self, mut command: Command) -> Result<()> {
        let output = command.output().with_context(|| self.program.display().to_string())?;
        self.check(output.status, &String::from_utf8_lossy(&output.stderr))
    }

    fn check(&self, status: std::process::ExitStatus, stderr: &str) -> Result<()> {
        let done = status.code().is_some_and(|code| self.done.contains(&code));
        ensure!(done, "{} {:?} ended with {status}: {stderr}", self.program.display(), self.arguments);
        Ok(())
    }

    fn run(&self) -> Result<()> {
        self.clear()?;
        self.complete(self.command())
    }

    /// From before the program is started to after it has ended.
    fn time(&self) -> Result<Duration> {
        self.clear()?;
        let command = self.command();
        let start = Instant::now();
        self.complete(command)?;
        Ok(start.elapsed())
    }
}

/// A line of the table.
struct Row {
    name: &'static str,
    virtscap: Job,
    oscap: Option<Job>,
}

/// The commands on one snapshot.
struct Jobs {
    virtscap: PathBuf,
    snapshot: PathBuf,
    scratch: PathBuf,
}

impl Jobs {
    fn virtscap(&self, arguments: &[&str], files: &[(&str, &str)], done: &'static [i32]) -> Job {
        let program = self.virtscap.clone();
        Job {
            program,
            arguments: self.arguments(arguments, files),
            environment: Vec::new(),
            done,
            makes: None,
        }
    }

    fn oscap(&self, validate: bool, files: &[(&str, &str)]) -> Job {
        let mut arguments = vec!["xccdf", "eval", "--profile", PROFILE];
        if !validate {
            arguments.push("--skip-validation");
        }
        let mut arguments = self.arguments(&arguments, files);
        arguments.push(DATASTREAM.into());
        let environment = vec![
            ("OSCAP_PROBE_ROOT", self.scratch.clone().into_os_string()),
            ("SEXP_VALIDATE_DISABLE", "1".into()),
        ];
        Job { program: "oscap".into(), arguments, environment, done: &[0, 2], makes: None }
    }

    /// Arguments with options that name files among the scratch.
    fn arguments(&self, arguments: &[&str], files: &[(&str, &str)]) -> Vec<OsString> {
        let files = files
            .iter()
            .flat_map(|(option, file)| [OsString::from(option), self.scratch.join(file).into_os_string()]);
        arguments.iter().map(OsString::from).chain(files).collect()
    }

    fn build(&self) -> Job {
        self.virtscap(&["build"], &[("--out", "build")], &[0]).making(self.scratch.join("build"))
    }

    /// Filters the snapshot into a folder: [`DUMP`] is oscap's.
    fn collect(&self, folder: &str) -> Job {
        let arguments = ["collect", "--profile", PROFILE, "--datastream", DATASTREAM];
        self.on_snapshot(&arguments, &[("--dump", folder)], &[0]).making(self.scratch.join(folder))
    }

    fn scan(&self, files: &[(&str, &str)]) -> Job {
        let arguments = ["scan", "--profile", PROFILE, "--datastream", DATASTREAM];
        self.on_snapshot(&arguments, files, &[0, 2])
    }

    fn on_snapshot(&self, arguments: &[&str], files: &[(&str, &str)], done: &'static [i32]) -> Job {
        let mut job = self.virtscap(arguments, files, done);
        job.arguments.extend(["--snapshot".into(), self.snapshot.clone().into_os_string()]);
        job
    }

    fn rows(&self) -> Vec<Row> {
        let both = [("--arf", "virtscap.xml"), ("--html", "virtscap.html")];
        let oscap_both = [("--results-arf", "oscap.xml"), ("--report", "oscap.html")];
        let row = |name, virtscap, oscap| Row { name, virtscap, oscap };
        vec![
            row("build", self.build(), None),
            row("collect", self.collect("collected"), None),
            row("scan, ARF and HTML", self.scan(&both), Some(self.oscap(true, &oscap_both))),
            row("  oscap --skip-validation", self.scan(&both), Some(self.oscap(false, &oscap_both))),
            row("scan, ARF", self.scan(&both[..1]), Some(self.oscap(true, &oscap_both[..1]))),
            row(
                "  oscap --skip-validation",
                self.scan(&both[..1]),
                Some(self.oscap(false, &oscap_both[..1])),
            ),
        ]
    }

    fn rows_on_bindings(&self) -> Vec<Row> {
        let (ours, theirs) = ([("--arf", "virtscap.xml")], [("--results-arf", "oscap.xml")]);
        let row = |name, validate| Row {
            name,
            virtscap: self.scan(&ours),
            oscap: Some(self.oscap(validate, &theirs)),
        };
        vec![row("who_can, ARF", true), row("  oscap --skip-validation", false)]
    }

    /// Fails unless both programs say the same of every rule.
    fn agreement(&self) -> Result<String> {
        self.scan(&[("--arf", "virtscap.xml")]).run()?;
        self.oscap(true, &[("--results-arf", "oscap.xml")]).run()?;
        let ours = results(&self.scratch.join("virtscap.xml"))?;
        let theirs = results(&self.scratch.join("oscap.xml"))?;
        let rules: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
        let said = |by: &BTreeMap<String, String>, rule: &String| {
            by.get(rule).map_or("nothing", String::as_str).to_owned()
        };
        let differences: Vec<_> = rules
            .iter()
            .map(|rule| (rule, said(&ours, rule), said(&theirs, rule)))
            .filter(|(_, ours, theirs)| ours != theirs)
            .map(|(rule, ours, theirs)| format!("{rule}: virtscap says {ours}, oscap says {theirs}"))
            .collect();
        ensure!(
            differences.is_empty(),
            "they differ, so there is nothing to time:\n{}",
            differences.join("\n")
        );
        let mut counts = BTreeMap::new();
        ours.values().for_each(|result| *counts.entry(result.as_str()).or_insert(0) += 1);
        ensure!(!counts.is_empty(), "no rule has a result, so there is nothing to time");
        let counts: Vec<_> = counts.iter().map(|(result, count)| format!("{count} {result}")).collect();
        Ok(format!("{} rules: {}", ours.len(), counts.join(", ")))
    }
}

/// The result of every rule that an ARF has.
fn results(arf: &Path) -> Result<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(arf)?;
    let document = roxmltree::Document::parse(&text).with_context(|| arf.display().to_string())?;
    let rules = document.descendants().filter(|node| node.has_tag_name((XCCDF, "rule-result")));
    let results = rules.filter_map(|rule| {
        let result = rule.children().find(|child| child.has_tag_name((XCCDF, "result")))?.text()?;
        Some((rule.attribute("idref")?.to_owned(), result.trim().to_owned()))
    });
    Ok(results.collect())
}

fn machine() -> String {
    let read = |file| std::fs::read_to_string(file).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let cpu = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cpu = cpu.map_or("an unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or_default();
    format!("{cpu}, {cores} cores; load {load} at the end (well above 1: others were working too)")
}

fn print_table(rows: &[Row], measured: &[(Measured, Option<Measured>)]) {
    let programs = |first: &str, second: &str, third: &str| {
        println!("{:26}   {first:^31}   {second:^31}   {third:^15}", "");
    };
    println!();
    programs("virtscap", "oscap", "oscap/virtscap");
    let columns = format!("{:>10} {:>9} {:>10}", "median", "min", "peak");
    println!("{:26}   {columns}   {columns}   {:>7} {:>7}", "", "time", "memory");
    let cells = |measured: &Measured| {
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let (median, min) = (milliseconds(measured.median()), milliseconds(measured.min()));
        format!("{median:>7.1} ms {min:>6.1} ms {:>6.1} MiB", measured.mib())
    };
    for (row, (virtscap, oscap)) in rows.iter().zip(measured) {
        let (theirs, ratios) = match oscap {
            Some(oscap) => {
                let time = oscap.median().as_secs_f64() / virtscap.median().as_secs_f64();
                let memory = oscap.mib() / virtscap.mib();
                (cells(oscap), format!("{time:>6.2}x {memory:>6.2}x"))
            }
            None if matches!(row.name, "build" | "collect")
                || row.name.starts_with("    list")
                || row.name.ends_with("API server") =>
            {
                ("(no peer)".to_owned(), String::new())
            }
            None => ("oscap IS MISSING".to_owned(), String::new()),
        };
        println!("{:26}   {}   {theirs:^31}   {ratios}", row.name, cells(virtscap));
    }
    println!();
}

fn print_notes(runs: usize, scale: &Scale, agreement: Option<&str>) {
    match agreement {
        Some(agreement) => {
            println!("Both gave every rule the same result before anything was timed; {agreement}.")
        }
        None => println!("What both say was not compared here; the tests do that."),
    }
    println!("Scan: {SNAPSHOT}, profile {PROFILE}, both programs with {DATASTREAM}.");
    println!("who_can: {}.", rbac_snapshot::DESCRIPTION);
    println!(
        "machines: all rules of the profile; oscap evaluates as many paths as these have filters on machines, and no more."
    );
    println!("virtscap's time includes that it filters the raw API answers, which is what `collect` does;");
    println!("oscap's does not: it reads the dump that `virtscap collect` wrote beforehand.");
    println!(
        "virtscap never validates against XML schemas. oscap does unless told not to, hence both lines."
    );
    println!(
        "oscap always has SEXP_VALIDATE_DISABLE=1: Debian's build checks itself at run time without it, which"
    );
    println!("would only slow it down.");
    println!(
        "Time: wall clock around start and end of each process, {runs} runs after one that is discarded, warm"
    );
    println!("caches, all commands by turns. Ratios are of medians; above 1, virtscap takes less.");
    println!("Memory: {}, highest of {}.", scale.describe(), runs.min(WEIGHINGS));
}
