//! The evaluator: sources of data, collection, probes, OVAL, XCCDF and reports.
//!
//! A scan goes one way: a [`source`] answers API paths, [`collect`] reduces the answers with the content's own jq filters
//! to a [`dump::Dump`], the probes of [`oval`] read that dump, [`xccdf`] makes results of rules from results of
//! definitions, and [`report`] writes them down. [`scan::scan`] is the whole way.

pub mod api_path;
mod bus;
pub mod collect;
pub mod content;
pub mod dump;
pub mod files;
mod filter;
pub mod folder;
pub mod gap;
mod go_template;
pub mod nodes;
pub mod oval;
pub mod oval_scan;
mod parallel;
mod pattern;
pub mod record;
pub mod report;
mod rpm;
pub mod scan;
pub mod source;
mod system;
pub mod time;
mod versions;
pub mod xccdf;
mod xmlfilecontent;
pub mod yamlfilecontent;
