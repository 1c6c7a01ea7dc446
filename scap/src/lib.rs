//! The object model of SCAP 1.3: XCCDF 1.2, OVAL 5.11, OCIL 2.0, CPE, source data streams and ARF 1.1, and its XML
//! reading and writing.
//!
//! The crate evaluates nothing and does no I/O: the generator fills the model, the evaluator reads it, and both agree on
//! its meaning through the result types and their truth tables ([`oval::OvalResult`], [`xccdf::XccdfResult`]).

pub mod arf;
pub mod cpe;
pub mod datastream;
mod enumeration;
pub mod id;
pub mod info;
pub mod markup;
pub mod namespace;
pub mod ocil;
pub mod oval;
pub mod split;
pub mod validate;
pub mod xccdf;
pub mod xml;
