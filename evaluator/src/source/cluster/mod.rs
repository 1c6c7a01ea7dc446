//! A cluster that is running.

mod connection;
mod exec;
mod nodes;

pub use connection::{Access, ConnectError, Connection};
pub use exec::PodExec;
pub use nodes::{ClusterNode, NODE_ROOT, NodesError, nodes};
