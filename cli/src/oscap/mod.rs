//! The command line of oscap 1.3.7, as far as people script it: `virtscap oscap …`, or a link to virtscap that is named
//! `oscap`.
//!
//! Standard output and exit status are oscap's, byte by byte. What goes to standard error says the same in other words.
//! Options that are not there are refused by name, and say what to do instead.

mod ds;
mod generate;
mod info;
mod load;
mod oval;
mod refused;
mod xccdf;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::output;

/// The command line of oscap
///
/// The options, standard output and exit status are those of oscap 1.3.7. OSCAP_PROBE_ROOT names the root that is scanned;
/// without it, that is /. Options may stand before or behind the file.
///
/// Exit status: 0 for success, and for xccdf eval where no rule failed; 2 where some rule of xccdf eval is fail, unknown or
/// error; 1 for an error; 100 or 101 for wrong usage.
#[derive(Debug, Parser)]
#[command(name = "oscap", infer_long_args = true, max_term_width = 100, disable_version_flag = true)]
struct Oscap {
    /// Print what is supported
    #[arg(short = 'V', long)]
    version: bool,

    /// Print less; nothing is printed that this would leave out
    #[arg(short, long)]
    quiet: bool,

    #[command(subcommand)]
    module: Option<Module>,
}

#[derive(Debug, Subcommand)]
enum Module {
    Info(info::Info),
    #[command(subcommand)]
    Xccdf(XccdfCommand),
    #[command(subcommand)]
    Oval(OvalCommand),
    #[command(subcommand)]
    Ds(DsCommand),
}

/// XCCDF: benchmarks
#[derive(Debug, Subcommand)]
#[command(infer_long_args = true)]
enum XccdfCommand {
    Eval(Box<xccdf::Eval>),
    Generate(Box<Generate>),
}

/// Make pages to read: a report of results, or a guide of a benchmark
#[derive(Debug, Args)]
#[command(infer_long_args = true)]
struct Generate {
    /// Profile of the guide, by the end of its id
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    #[command(subcommand)]
    page: GenerateCommand,
}

#[derive(Debug, Subcommand)]
#[command(infer_long_args = true)]
enum GenerateCommand {
    Report(generate::Report),
    Guide(generate::Guide),
}

/// OVAL: definitions
#[derive(Debug, Subcommand)]
#[command(infer_long_args = true)]
enum OvalCommand {
    Eval(oval::Eval),
}

/// Source data streams
#[derive(Debug, Subcommand)]
#[command(infer_long_args = true)]
enum DsCommand {
    SdsSplit(ds::Split),
    SdsValidate(ds::Validate),
}

/// What a command ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Success,
    /// Some rule did not pass.
    Fail,
}

/// oscap's exit status where arguments are wrong.
const BAD_ARGUMENTS: u8 = 100;
/// oscap's exit status where no command is named, or none that there is.
const BAD_COMMAND: u8 = 101;

/// The arguments, where this program was called as oscap: by that name, or by a subcommand of it.
pub(crate) fn asked_for(arguments: &[OsString]) -> Option<&[OsString]> {
    let is_name = |argument: &OsString| Path::new(argument).file_name().is_some_and(|name| name == "oscap");
    match arguments {
        [program, ..] if is_name(program) => Some(arguments),
        [_, command, ..] if command == "oscap" => Some(&arguments[1..]),
        _ => None,
    }
}

/// Runs a command line; the first argument is the program's name.
pub(crate) fn run(arguments: &[OsString]) -> ExitCode {
    let oscap = match Oscap::try_parse_from(arguments) {
        Ok(oscap) => oscap,
        Err(e) => return usage(&e),
    };
    let outcome = match oscap.module {
        _ if oscap.version => print(VERSION),
        Some(module) => module.run(),
        None => {
            anstream::eprintln!("Name a module: info, xccdf, oval or ds. Help: oscap -h");
            return ExitCode::from(BAD_COMMAND);
        }
    };
    match outcome {
        Ok(Status::Success) => ExitCode::SUCCESS,
        Ok(Status::Fail) => ExitCode::from(2),
        Err(e) => {
            anstream::eprintln!("OpenSCAP Error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage(error: &clap::Error) -> ExitCode {
    // Printing fails only where nobody reads.
    let _ = error.print();
    match error.kind() {
        _ if !error.use_stderr() => ExitCode::SUCCESS,
        ErrorKind::MissingSubcommand
        | ErrorKind::InvalidSubcommand
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => ExitCode::from(BAD_COMMAND),
        _ => ExitCode::from(BAD_ARGUMENTS),
    }
}

impl Module {
    fn run(&self) -> Result<Status> {
        match self {
            Self::Info(info) => info.run(),
            Self::Xccdf(XccdfCommand::Eval(eval)) => eval.run(),
            Self::Xccdf(XccdfCommand::Generate(generate)) => match &generate.page {
                GenerateCommand::Report(report) => report.run(),
                GenerateCommand::Guide(guide) => guide.run(generate.profile.as_deref()),
            },
            Self::Oval(OvalCommand::Eval(eval)) => eval.run(),
            Self::Ds(DsCommand::SdsSplit(split)) => split.run(),
            Self::Ds(DsCommand::SdsValidate(validate)) => validate.run(),
        }
    }
}

/// Prints to standard output, at once. Whoever stops reading is no error.
fn print(text: &str) -> Result<Status> {
    output::write(Path::new("-"), text)?;
    Ok(Status::Success)
}

const VERSION: &str = concat!(
    "virtscap ",
    env!("CARGO_PKG_VERSION"),
    ", with the command line of OpenSCAP command line tool (oscap) 1.3.7\n\n",
    "==== Supported specifications ====\n",
    "SCAP Version: 1.3\n",
    "XCCDF Version: 1.2\n",
    "OVAL Version: 5.11.1\n",
    "CPE Version: 2.3\n",
    "Asset Identification Version: 1.1\n",
    "Asset Reporting Format Version: 1.1\n",
);
