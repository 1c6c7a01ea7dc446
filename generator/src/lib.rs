//! The generator: a benchmark written in YAML becomes a checked model, and the model becomes what scanners and the
//! Compliance Operator take.
//!
//! [`load::load`] reads and checks the tree; [`datastream::data_stream`] makes the SCAP data stream of it;
//! [`artifacts::artifacts`] gives all files of `build/`.

pub mod admission;
pub mod artifacts;
pub mod case;
pub mod cel;
pub mod cel_content;
pub mod datastream;
pub mod diagnostic;
pub mod expr;
mod file;
pub mod load;
mod lower;
mod manifests;
mod markdown;
pub mod model;
mod plain;
mod table;
pub mod tailor;
