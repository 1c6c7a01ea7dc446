//! `virtscap`: compiles hardening benchmarks, and scans with them.

mod build;
mod collect;
mod content;
mod image;
mod input;
mod live;
mod nodes;
mod oscap;
mod output;
mod progress;
mod rbac;
mod report;
mod scan;
mod shown;
mod tailor;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Compiles hardening benchmarks for OpenShift Virtualization, and scans clusters with them.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Scan(Box<scan::Scan>),
    Collect(Box<collect::Collect>),
    Rbac(rbac::Rbac),
    Tailor(Box<tailor::Tailor>),
    Report(report::Report),
    Image(image::Image),
    Test(test::Test),
    /// Be oscap: its command line, output and exit status, as far as people script them
    ///
    /// A link to virtscap that is named oscap does the same. virtscap oscap --help tells what there is.
    #[command(disable_help_flag = true)]
    Oscap {
        /// What oscap is given
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
}

/// What a command ends with, as oscap does.
#[derive(Clone, Copy)]
enum Outcome {
    /// Every rule passed, or the command did what it should.
    Success,
    /// Some rule did not pass.
    NotPassed,
}

impl Outcome {
    /// What two parts of a command end with together.
    fn and(self, other: Self) -> Self {
        match self {
            Self::Success => other,
            Self::NotPassed => self,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    if let Some(arguments) = oscap::asked_for(&arguments) {
        return oscap::run(arguments);
    }
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(e) => {
            // Printing fails only where nobody reads.
            let _ = e.print();
            // clap's own code for wrong usage is 2, which means here that a rule did not pass.
            return if e.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let outcome = match cli.command {
        Command::Build(build) => build.run(),
        Command::Scan(scan) => scan.run(),
        Command::Collect(collect) => collect.run(),
        Command::Rbac(rbac) => rbac.run(),
        Command::Tailor(tailor) => tailor.run(),
        Command::Report(report) => report.run(),
        Command::Image(image) => image.run(),
        Command::Test(test) => test.run(),
        Command::Oscap { arguments } => {
            let name = std::ffi::OsString::from("oscap");
            return oscap::run(&[vec![name], arguments].concat());
        }
    };
    match outcome {
        Ok(Outcome::Success) => ExitCode::SUCCESS,
        Ok(Outcome::NotPassed) => ExitCode::from(2),
        Err(e) => {
            anstream::eprintln!("{}error:{} {e:#}", "\u{1b}[1;31m", "\u{1b}[0m");
            ExitCode::FAILURE
        }
    }
}
