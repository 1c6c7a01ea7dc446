//! `ind:sql57`: what a database answers. No database is ever asked.

use virtscap_scap::oval::ObjectContent;

use super::{Findings, required};
use crate::oval::Session;
use crate::oval::variables::NoValues;

/// The engines that OpenSCAP knows a library for.
const SUPPORTED: [&str; 8] =
    ["firebird", "mssql", "mysql", "oracle", "postgre", "sqlite", "sqlite3", "sybase"];

impl<'a> Session<'a> {
    /// `ind:sql57_object`: an error that says so, as OpenSCAP gives it without the library for the engine.
    ///
    /// The connection's text is not shown: there are passwords in such texts.
    pub(super) fn sql_57(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        if !self.only_where_running(content, findings) {
            return Ok(());
        }
        let engine = required(content, "engine")?;
        for engine in self.entity_values(&engine.value)? {
            let engine = engine.trim();
            findings.error(if SUPPORTED.contains(&engine) {
                format!("the database ({engine}) was not asked: virtscap connects to none")
            } else {
                format!("the engine '{engine}' is not supported")
            });
        }
        Ok(())
    }
}
