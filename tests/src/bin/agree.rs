//! Runs stock oscap and virtscap on one data stream and shows where they differ, by kinds of tests.
//!
//! `cargo run -p virtscap-tests --bin agree -- STREAM [--root DIR] [--profile P] …`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of this is test code")]

use std::path::{Path, PathBuf};

use anstream::println;
use anyhow::{Context as _, Result, bail};
use virtscap_tests::public::compare::compare;
use virtscap_tests::public::run::{self, Run};
use virtscap_tests::public::show::{Wish, show, summary};
use virtscap_tests::public::{arf, root as public_root, stream as public_stream};

const USAGE: &str = "usage: agree STREAM [options]     STREAM: a file, or the ABC of Debian's ssg-ABC-ds.xml
  --root DIR        what is scanned; / unless given
  --made            scans the made root, tests/public/root.yaml
  --dump NAME       scans the dump of an API, tests/public/dumps/NAME; with --made both
  --shallow         with walks of whole trees cut off after one folder, for /
  --debian12        Debian 11's content, applicable on Debian 12
  --anywhere        without any platform, so that every rule is applicable
  --profile P       an id, its last part, or (all), which is taken unless given
  --twice           oscap against oscap
  --ours ARF        compares this ARF instead of running virtscap
  --theirs ARF      compares this ARF instead of running oscap
  --kind K          only tests and objects of this kind, as textfilecontent54
  --id TEXT         only ids with this in them
  --level L         only this: rule, definition, test, tested items, object, collected items, variables
  --examples N      differences shown of each kind (5)
  --items N         items shown of each difference (3)
  --width N         characters shown of each item (600)
$VIRTSCAP is the program, which is built unless set; ARFs are kept in $VIRTSCAP_KEEP_ARF.";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (mut stream, mut root, mut profile) = (None, PathBuf::from("/"), "(all)".to_owned());
    let (mut made, mut dump) = (None, None);
    let (mut anywhere, mut shallow, mut debian) = (false, false, false);
    let (mut twice, mut ours, mut theirs) = (false, None, None);
    let mut wish = Wish { examples: 5, items: 3, width: 600, kind: None, id: None, level: None };
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{argument} wants a value"));
        match argument.as_str() {
            "--root" => root = value()?.into(),
            "--made" => made = Some(public_root::temporary()),
            "--dump" => dump = Some(value()?),
            "--shallow" => shallow = true,
            "--debian12" => debian = true,
            "--anywhere" => anywhere = true,
            "--profile" => profile = value()?,
            "--twice" => twice = true,
            "--ours" => ours = Some(value()?),
            "--theirs" => theirs = Some(value()?),
            "--kind" => wish.kind = Some(value()?),
            "--id" => wish.id = Some(value()?),
            "--level" => wish.level = Some(value()?),
            "--examples" => wish.examples = value()?.parse()?,
            "--items" => wish.items = value()?.parse()?,
            "--width" => wish.width = value()?.parse()?,
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            _ if stream.is_none() && !argument.starts_with("--") => stream = Some(argument),
            _ => bail!("{argument} is not known\n{USAGE}"),
        }
    }
    let stream: String = stream.context(USAGE)?;
    let mut path = PathBuf::from(&stream);
    if !path.is_file() {
        path = public_stream::path(&stream);
    }
    if let Some(dump) = dump {
        let folder = made.get_or_insert(tempfile::tempdir()?);
        public_root::add_dump(&dump, folder.path());
    }
    if let Some(made) = &made {
        root = made.path().to_owned();
    }
    let changed = tempfile::NamedTempFile::new()?;
    let mut xml = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for (wanted, change) in [
        (anywhere, public_stream::anywhere as fn(&str) -> String),
        (shallow, public_stream::shallow),
        (debian, public_stream::on_debian_12),
    ] {
        if wanted {
            xml = change(&xml);
        }
    }
    if anywhere || shallow || debian {
        std::fs::write(changed.path(), xml)?;
        path = changed.path().to_owned();
    }
    let run = Run { stream: path, root, profile };
    let said = |arf: Option<String>, tool: &dyn Fn(&Run) -> Result<run::Said, String>| match arf {
        Some(arf) => arf::read(Path::new(&arf)),
        None => {
            let said = tool(&run).unwrap_or_else(|e| panic!("{e}"));
            println!("{:.1} s\n{}", said.took.as_secs_f32(), last(&said.stderr));
            said.outcome
        }
    };
    let theirs = said(theirs, &run::oscap);
    let virtscap = |run: &Run| run::virtscap(&run::build(), run);
    let ours = if twice { said(ours, &run::oscap) } else { said(ours, &virtscap) };
    let comparison = compare(&ours, &theirs);
    println!("{}", show(&comparison, &wish));
    println!("{}", summary(&stream, &comparison));
    Ok(())
}

/// The last lines of what was said on standard error.
fn last(stderr: &str) -> String {
    let lines: Vec<_> = stderr.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
