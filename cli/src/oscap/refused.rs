//! Options of oscap that are not there. Ignoring one would do something else than was asked for.

use anyhow::{Result, bail};
use clap::Args;

/// What evaluations of oscap can do and virtscap cannot.
#[derive(Debug, Args)]
pub(super) struct Refused {
    #[arg(long, hide = true)]
    fetch_remote_resources: bool,
    #[arg(long, hide = true, value_name = "DIR")]
    local_files: Option<String>,
    #[arg(long, hide = true)]
    remediate: bool,
    #[arg(long, hide = true)]
    thin_results: bool,
    #[arg(long, hide = true)]
    without_syschar: bool,
    #[arg(long, hide = true, value_name = "FILE")]
    stig_viewer: Option<String>,
    #[arg(long, hide = true)]
    check_engine_results: bool,
    #[arg(long, hide = true)]
    export_variables: bool,
    #[arg(long, hide = true)]
    enforce_signature: bool,
    #[arg(long, hide = true, value_name = "FILE")]
    directives: Option<String>,
    #[arg(long, hide = true, value_name = "LEVEL")]
    verbose: Option<String>,
    #[arg(long, hide = true, value_name = "FILE")]
    verbose_log_file: Option<String>,
    /// Signatures are not looked at, with or without this option
    #[arg(long, hide = true)]
    skip_signature_validation: bool,
}

impl Refused {
    /// Names the first option that is not there.
    pub(super) fn check(&self) -> Result<()> {
        let all = [
            (
                self.fetch_remote_resources,
                "--fetch-remote-resources",
                "virtscap fetches nothing from the net; leave the option out, and rules that need remote resources are notchecked",
            ),
            (
                self.local_files.is_some(),
                "--local-files",
                "put the files into the data stream with oscap ds sds-compose, or leave the option out",
            ),
            (
                self.remediate,
                "--remediate",
                "virtscap changes no system; apply the fixes of the report by hand, or with oscap",
            ),
            (self.thin_results, "--thin-results", "leave it out: results are written in full"),
            (self.without_syschar, "--without-syschar", "leave it out: results hold what was collected"),
            (self.stig_viewer.is_some(), "--stig-viewer", "write XCCDF results with --results"),
            (
                self.check_engine_results,
                "--check-engine-results",
                "there are no other check engines than OVAL; leave it out",
            ),
            (
                self.export_variables,
                "--export-variables",
                "the values are in the XCCDF results (--results), as set-value elements",
            ),
            (
                self.enforce_signature,
                "--enforce-signature",
                "verify the signature with another tool before, and leave it out",
            ),
            (self.directives.is_some(), "--directives", "leave it out: results are written in full"),
            (self.verbose.is_some(), "--verbose", "leave it out: the report names reasons"),
            (self.verbose_log_file.is_some(), "--verbose-log-file", "leave it out: the report names reasons"),
        ];
        match all.into_iter().find(|(given, ..)| *given) {
            Some((_, option, advice)) => bail!("the option {option} is not supported: {advice}"),
            None => Ok(()),
        }
    }
}
