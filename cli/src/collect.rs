//! `virtscap collect`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use virtscap_evaluator::collect::collect_always;
use virtscap_evaluator::dump::DumpFile;
use virtscap_evaluator::scan::Prepared;

use crate::Outcome;
use crate::scan::What;

/// Filter a snapshot into a dump, as the Compliance Operator's collector would, for oscap to scan
///
/// oscap reads the dump with OSCAP_PROBE_ROOT set to the folder that holds kubernetes-api-resources.
#[derive(Debug, Args)]
pub(crate) struct Collect {
    #[command(flatten)]
    what: What,

    /// Folder to write to; it stands for /kubernetes-api-resources
    #[arg(long, value_name = "DIR")]
    dump: PathBuf,
}

impl Collect {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let loaded = self.what.load()?;
        let source = self.what.source()?;
        let request = loaded.request();
        let mut dump = Prepared::new(&request)?.collect(&source);
        collect_always(&source, &mut dump);
        dump.write_to(&self.dump)?;
        let mut written = 0;
        for (_, file) in dump.iter() {
            match file {
                DumpFile::Document(_) | DumpFile::NotFound => written += 1,
                DumpFile::Absent { reason } => anstream::eprintln!("not written: {reason}"),
            }
        }
        anstream::eprintln!("{written} files in {}", self.dump.display());
        Ok(Outcome::Success)
    }
}
