//! A cluster that is running.

mod connection;

pub use connection::{Access, ConnectError, Connection};
