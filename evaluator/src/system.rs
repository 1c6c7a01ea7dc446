//! What a scanned system says of itself (OVAL 5.11 system characteristics, `SystemInfoType`).

use std::net::IpAddr;

use virtscap_scap::oval::Datatype;
use virtscap_scap::oval::results::{InterfaceInfo, SystemInfo};

use crate::files::{Files, text};

/// What is said where nothing is known, as OpenSCAP says it.
const UNKNOWN: &str = "Unknown";
/// How much OpenSCAP reads of `/etc/os-release`.
const MAX_OS_RELEASE: usize = 4096;

/// What is known of the system whose files these are. What is not the system that is running tells little; the answers of
/// an API tell nothing.
pub(crate) fn info(files: &dyn Files, location: &str) -> SystemInfo {
    let release = text(files, "/etc/os-release");
    let hostname = text(files, "/etc/hostname");
    let known = |value: Option<String>| value.unwrap_or_else(|| UNKNOWN.to_owned());
    if files.is_running() {
        let names = Names::of_running();
        let interface = |address: Address| InterfaceInfo {
            name: address.interface,
            ip_address: address.ip.to_string(),
            mac_address: address.hardware,
        };
        return SystemInfo {
            os_name: known(element(release.as_deref(), "NAME")),
            os_version: known(element(release.as_deref(), "VERSION")),
            architecture: names.machine,
            primary_host_name: names.node,
            interfaces: addresses().unwrap_or_default().into_iter().map(interface).collect(),
        };
    }
    if release.is_none() && hostname.is_none() {
        return SystemInfo {
            os_name: "Kubernetes".to_owned(),
            os_version: UNKNOWN.to_owned(),
            architecture: UNKNOWN.to_owned(),
            primary_host_name: location.to_owned(),
            interfaces: Vec::new(),
        };
    }
    let hostname = hostname.and_then(|text| text.lines().next().map(|name| name.trim().to_owned()));
    SystemInfo {
        os_name: known(element(release.as_deref(), "NAME")),
        os_version: known(element(release.as_deref(), "VERSION")),
        architecture: UNKNOWN.to_owned(),
        primary_host_name: hostname.filter(|name| !name.is_empty()).unwrap_or_else(|| location.to_owned()),
        interfaces: Vec::new(),
    }
}

/// A value of `/etc/os-release`, without its quotes.
fn element(release: Option<&str>, name: &str) -> Option<String> {
    let release = release?;
    let end = release.char_indices().map(|(at, _)| at).find(|at| *at >= MAX_OS_RELEASE);
    let lines = release[..end.unwrap_or(release.len())].lines();
    let value = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).next()?;
    let quotes = ['"', '\''];
    let value = value.strip_prefix(quotes).unwrap_or(value);
    let value = value.strip_suffix(quotes).unwrap_or(value);
    (!value.trim().is_empty()).then(|| value.to_owned())
}

/// What the kernel that is running calls itself and its machine (`uname`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) system: String,
    pub(crate) node: String,
    pub(crate) release: String,
    pub(crate) version: String,
    pub(crate) machine: String,
}

impl Names {
    /// Those of the system that is running.
    #[cfg(unix)]
    pub(crate) fn of_running() -> Self {
        let names = rustix::system::uname();
        let text = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
        Self {
            system: text(names.sysname()),
            node: text(names.nodename()),
            release: text(names.release()),
            version: text(names.version()),
            machine: text(names.machine()),
        }
    }

    /// Those of the system that is running.
    #[cfg(not(unix))]
    pub(crate) fn of_running() -> Self {
        let unknown = || UNKNOWN.to_owned();
        Self {
            system: unknown(),
            node: unknown(),
            release: unknown(),
            version: unknown(),
            machine: unknown(),
        }
    }
}

/// An address of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// The interface.
    pub(crate) interface: String,
    /// The kind of its hardware, as far as OVAL has a name for it; else empty.
    pub(crate) hardware_type: &'static str,
    /// The address of its hardware.
    pub(crate) hardware: String,
    /// The address itself.
    pub(crate) ip: IpAddr,
    /// The bits of it that are the network's.
    pub(crate) mask: Option<IpAddr>,
    /// Where everybody in the network is reached.
    pub(crate) broadcast: Option<IpAddr>,
    /// What the interface is and does.
    pub(crate) flags: Vec<&'static str>,
}

impl Address {
    /// The type of the address.
    pub(crate) fn datatype(&self) -> Datatype {
        if self.ip.is_ipv4() { Datatype::Ipv4Address } else { Datatype::Ipv6Address }
    }

    /// The address; of IPv6 with the length of its network's prefix.
    pub(crate) fn with_prefix(&self) -> String {
        match (self.ip, self.mask) {
            (IpAddr::V6(ip), Some(IpAddr::V6(mask))) => format!("{ip}/{}", mask.to_bits().leading_ones()),
            (IpAddr::V6(ip), _) => format!("{ip}/0"),
            (IpAddr::V4(ip), _) => ip.to_string(),
        }
    }

    /// The mask of an IPv4 address.
    pub(crate) fn netmask(&self) -> Option<IpAddr> {
        self.mask.filter(IpAddr::is_ipv4)
    }
}

/// The addresses of the system that is running, in the order in which the kernel tells them.
#[cfg(target_os = "linux")]
pub(crate) fn addresses() -> Result<Vec<Address>, String> {
    use std::collections::HashMap;

    use nix::ifaddrs::getifaddrs;
    use nix::sys::socket::SockaddrStorage;

    let ip = |address: &SockaddrStorage| {
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        v4.or_else(|| address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip())))
    };
    let all: Vec<_> =
        getifaddrs().map_err(|e| format!("the network's interfaces cannot be had: {e}"))?.collect();
    let mut hardware = HashMap::new();
    for entry in &all {
        if let Some(link) = entry.address.as_ref().and_then(SockaddrStorage::as_link_addr) {
            let mac = link.addr().unwrap_or_default().map(|byte| format!("{byte:02X}")).join(":");
            hardware.insert(entry.interface_name.clone(), (hardware_type(link.hatype()), mac));
        }
    }
    let address = |entry: nix::ifaddrs::InterfaceAddress| {
        let own = ip(entry.address.as_ref()?)?;
        let (hardware_type, mac) = hardware.get(&entry.interface_name).cloned().unwrap_or_default();
        let broadcasts = entry.flags.contains(nix::net::if_::InterfaceFlags::IFF_BROADCAST);
        let broadcast = entry.broadcast.as_ref().filter(|_| broadcasts && own.is_ipv4());
        Some(Address {
            ip: own,
            mask: entry.netmask.as_ref().and_then(ip),
            broadcast: broadcast.and_then(ip),
            flags: flags(entry.flags),
            hardware_type,
            hardware: mac,
            interface: entry.interface_name,
        })
    };
    Ok(all.into_iter().filter_map(address).collect())
}

/// Elsewhere than on Linux nobody asks.
#[cfg(not(target_os = "linux"))]
pub(crate) fn addresses() -> Result<Vec<Address>, String> {
    Err("the network's interfaces are not known on this system".to_owned())
}

/// OVAL's name for a kind of hardware (`EntityItemInterfaceType`), by the number that Linux has for it.
#[cfg(target_os = "linux")]
fn hardware_type(number: u16) -> &'static str {
    match number {
        1 => "ARPHRD_ETHER",
        4 => "ARPHRD_PRONET",
        256 => "ARPHRD_SLIP",
        512 => "ARPHRD_PPP",
        772 => "ARPHRD_LOOPBACK",
        774 => "ARPHRD_FDDI",
        0xffff => "ARPHRD_VOID",
        _ => "",
    }
}

/// The names that OpenSCAP has for flags, with its slip of the pen.
#[cfg(target_os = "linux")]
fn flags(set: nix::net::if_::InterfaceFlags) -> Vec<&'static str> {
    use nix::net::if_::InterfaceFlags as Flags;
    let names = [
        (Flags::IFF_UP, "UP"),
        (Flags::IFF_BROADCAST, "BROADCAST"),
        (Flags::IFF_DEBUG, "DEBUG"),
        (Flags::IFF_LOOPBACK, "LOOPBACK"),
        (Flags::IFF_POINTOPOINT, "POINTOPOINT"),
        (Flags::IFF_NOTRAILERS, "NOTRAILERS"),
        (Flags::IFF_RUNNING, "RUNNING"),
        (Flags::IFF_NOARP, "NOAPP"),
        (Flags::IFF_PROMISC, "PROMISC"),
        (Flags::IFF_ALLMULTI, "ALLMULTI"),
        (Flags::IFF_MASTER, "MASTER"),
        (Flags::IFF_SLAVE, "SLAVE"),
        (Flags::IFF_MULTICAST, "MULTICAST"),
        (Flags::IFF_PORTSEL, "PORTSEL"),
        (Flags::IFF_AUTOMEDIA, "AUTOMEDIA"),
        (Flags::IFF_DYNAMIC, "DYNAMIC"),
    ];
    names.into_iter().filter(|(flag, _)| set.contains(*flag)).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read() {
        let text = "PRETTY_NAME=\"x\"\nNAME=\"Red Hat\"\nVERSION='9.4 (Plow)'\nID=rhel\nEMPTY=\nVERSION=2\n";
        let found = ["NAME", "VERSION", "ID", "EMPTY", "NONE"].map(|name| element(Some(text), name));
        let found = found.each_ref().map(Option::as_deref);
        assert_eq!(found, [Some("Red Hat"), Some("9.4 (Plow)"), Some("rhel"), None, None]);
    }
}
