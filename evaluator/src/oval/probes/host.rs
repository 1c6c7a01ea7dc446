//! `unix:uname` and `unix:interface`: what the system that is running calls itself, and its network interfaces.

use virtscap_scap::oval::{ItemEntity, ObjectContent, TestType};

use super::Findings;
use crate::oval::Session;
use crate::oval::variables::NoValues;
use crate::system;

impl<'a> Session<'a> {
    /// Whether the files are those of the system that is running. Objects on anything else have no meaning elsewhere, as
    /// with OpenSCAP, whose probes say of themselves whether they support that.
    pub(super) fn only_where_running(&self, content: &ObjectContent, findings: &mut Findings) -> bool {
        let running = self.files.is_running();
        if !running {
            findings.not_applicable(format!(
                "{} objects are about the system that is running, and this source is another",
                content.test_type
            ));
        }
        running
    }

    /// `unix:uname_object`: one item.
    pub(super) fn uname(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        if self.only_where_running(content, findings) {
            let names = system::Names::of_running();
            findings.item(
                TestType::Uname,
                vec![
                    ItemEntity::text("machine_class", names.machine.clone()),
                    ItemEntity::text("node_name", names.node),
                    ItemEntity::text("os_name", names.system),
                    ItemEntity::text("os_release", names.release),
                    ItemEntity::text("os_version", names.version),
                    ItemEntity::text("processor_type", names.machine),
                ],
            );
        }
        Ok(())
    }

    /// `unix:interface_object`: one item per address of an interface.
    pub(super) fn interface(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        if !self.only_where_running(content, findings) {
            return Ok(());
        }
        let wanted = self.wanted(content, "name")?;
        for address in system::addresses()? {
            if !wanted.is_match(&address.interface)? {
                continue;
            }
            let typed = |name, text: String| ItemEntity::typed(name, address.datatype(), text);
            let mut entities = vec![
                ItemEntity::text("name", address.interface.clone()),
                ItemEntity::text("type", address.hardware_type),
                ItemEntity::text("hardware_addr", address.hardware.clone()),
                typed("inet_addr", address.with_prefix()),
                typed("broadcast_addr", address.broadcast.map(|ip| ip.to_string()).unwrap_or_default()),
                typed("netmask", address.netmask().map(|ip| ip.to_string()).unwrap_or_default()),
            ];
            entities.extend(address.flags.iter().map(|flag| ItemEntity::text("flag", *flag)));
            findings.item(TestType::Interface, entities);
        }
        Ok(())
    }
}
