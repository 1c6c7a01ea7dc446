//! What a scanned system says of itself (OVAL 5.11 system characteristics, `SystemInfoType`).

use virtscap_scap::oval::results::SystemInfo;

use crate::files::Files;

/// What is known of the system whose files these are. What is not the system that is running tells little.
pub(crate) fn info(_files: &dyn Files, location: &str) -> SystemInfo {
    SystemInfo {
        os_name: "Kubernetes".to_owned(),
        os_version: "Unknown".to_owned(),
        architecture: "Unknown".to_owned(),
        primary_host_name: location.to_owned(),
        interfaces: Vec::new(),
    }
}
