//! `linux:inetlisteningservers` and `linux:iflisteners`: sockets of the system that is running, with their processes.
//!
//! As with OpenSCAP, every socket counts, whether it listens or not, and raw ones are told as `udp`.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use virtscap_scap::oval::{ItemEntity, ObjectContent, TestType};

use super::Findings;
use super::process::numbers;
use crate::files::{Files, Lookup, text};
use crate::oval::Session;
use crate::oval::variables::NoValues;

/// Tables of the network's sockets with the protocol that OpenSCAP tells of each.
const TABLES: [(&str, &str); 6] = [
    ("/proc/net/tcp", "tcp"),
    ("/proc/net/tcp6", "tcp"),
    ("/proc/net/udp", "udp"),
    ("/proc/net/udp6", "udp"),
    ("/proc/net/raw", "udp"),
    ("/proc/net/raw6", "udp"),
];

/// Why another root has no sockets.
const NOT_RUNNING: &str =
    "sockets can be asked for on the system that is running alone, and these are files of another";

/// A process that has a socket open.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Owner {
    pid: u32,
    user: u32,
    program: String,
}

/// The owners of sockets, by inode.
#[derive(Default)]
struct Owners {
    by_inode: HashMap<u64, Owner>,
    /// Whether the files of some process could not be looked at.
    hidden: bool,
}

impl Owners {
    /// Looks through all processes. One that vanishes meanwhile is passed over.
    fn read(files: &dyn Files, findings: &mut Findings) -> Option<Self> {
        let listing = findings.take("/proc", files.list("/proc"))?;
        let mut owners = Self::default();
        for pid in numbers(&listing.names) {
            let Some(owner) = owner(files, pid) else { continue };
            let open = format!("/proc/{pid}/fd");
            let names = match files.list(&open) {
                Lookup::Found(listing) => listing.names,
                Lookup::Unreadable { .. } => {
                    owners.hidden = true;
                    continue;
                }
                Lookup::Missing { .. } => continue,
            };
            for name in names {
                let Lookup::Found(found) = files.metadata(&format!("{open}/{name}")) else { continue };
                let inode = found.target.as_deref().and_then(socket_inode);
                if let Some(inode) = inode {
                    owners.by_inode.entry(inode).or_insert_with(|| owner.clone());
                }
            }
        }
        Some(owners)
    }
}

/// The inode that `socket:[123]` names.
fn socket_inode(target: &str) -> Option<u64> {
    target.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

/// What is told of a process; none of threads of the kernel.
fn owner(files: &dyn Files, pid: u32) -> Option<Owner> {
    let Lookup::Found(stat) = files.read(&format!("/proc/{pid}/stat")) else { return None };
    let stat = String::from_utf8_lossy(&stat);
    let (before, after) = stat.rsplit_once(')')?;
    let program = before.split_once('(')?.1;
    let parent: u32 = after.split_ascii_whitespace().nth(1)?.parse().ok()?;
    if pid == 2 || parent == 2 {
        return None;
    }
    let mut user = 0;
    if let Lookup::Found(status) = files.read(&format!("/proc/{pid}/status")) {
        let status = String::from_utf8_lossy(&status);
        let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
        // The second is the effective one.
        user = line.and_then(|ids| ids.split_ascii_whitespace().nth(1)?.parse().ok()).unwrap_or(0);
    }
    Some(Owner { pid, user, program: program.chars().take(15).collect() })
}

/// A line of a table of the network's sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Socket {
    local: (String, u32),
    foreign: (String, u32),
    inode: u64,
}

impl Socket {
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let end = |index: usize| {
            let (host, port) = fields.get(index)?.split_once(':')?;
            Some((address(host)?, u32::from_str_radix(port, 16).ok()?))
        };
        Some(Self { local: end(1)?, foreign: end(2)?, inode: fields.get(9)?.parse().ok()? })
    }
}

/// An address as the kernel writes it: words of 32 bits, in the machine's order of bytes.
fn address(text: &str) -> Option<String> {
    let word = |from: usize| u32::from_str_radix(text.get(from..from + 8)?, 16).ok().map(u32::to_ne_bytes);
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).to_string()),
        32 => {
            let mut octets = [0; 16];
            for (index, octets) in octets.chunks_exact_mut(4).enumerate() {
                octets.copy_from_slice(&word(index * 8)?);
            }
            Some(shown(Ipv6Addr::from(octets)))
        }
        _ => None,
    }
}

/// An address as the C library writes it, with the IPv4 address at the end of what has nothing else.
fn shown(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            format!("::{}", Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
        }
        _ => address.to_string(),
    }
}

impl<'a> Session<'a> {
    /// `linux:inetlisteningservers_object`: one item per socket.
    pub(super) fn inet_listening_servers(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let mut wants = Vec::new();
        for name in ["protocol", "local_address", "local_port"] {
            wants.push(self.wanted(content, name)?);
        }
        if !self.files.is_running() {
            findings.not_applicable(NOT_RUNNING);
            return Ok(());
        }
        let Some(owners) = Owners::read(self.files, findings) else { return Ok(()) };
        for (table, protocol) in TABLES {
            let Some(text) = findings.take(table, self.files.read(table)) else { continue };
            let text = String::from_utf8_lossy(&text);
            for line in text.lines().skip(1) {
                let Some(socket) = Socket::read(line) else {
                    findings.error(format!("{table}: the line '{line}' tells of no socket"));
                    continue;
                };
                let values = [protocol, &socket.local.0, &socket.local.1.to_string()];
                let mut wanted = true;
                for (want, value) in wants.iter().zip(values) {
                    wanted &= want.is_match(value)?;
                }
                if wanted {
                    let owner = owners.by_inode.get(&socket.inode);
                    findings.item(TestType::InetListeningServers, inet_entities(protocol, &socket, owner));
                }
            }
        }
        Ok(())
    }

    /// `linux:iflisteners_object`: one item per socket on an interface.
    pub(super) fn if_listeners(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        const TABLE: &str = "/proc/net/packet";
        let name = self.wanted(content, "interface_name")?;
        if !self.files.is_running() {
            findings.not_applicable(NOT_RUNNING);
            return Ok(());
        }
        let Some(owners) = Owners::read(self.files, findings) else { return Ok(()) };
        if owners.hidden {
            return Err("what files some processes have open could not be looked at".to_owned().into());
        }
        let Some(text) = findings.take(TABLE, self.files.read(TABLE)) else { return Ok(()) };
        let interfaces = interfaces(self.files);
        for line in String::from_utf8_lossy(&text).lines().skip(1) {
            let fields: Vec<_> = line.split_ascii_whitespace().collect();
            let (Some(protocol), Some(index), Some(inode)) = (
                fields.get(3).and_then(|text| u16::from_str_radix(text, 16).ok()),
                fields.get(4).and_then(|text| text.parse::<u32>().ok()),
                fields.get(8).and_then(|text| text.parse::<u64>().ok()),
            ) else {
                findings.error(format!("{TABLE}: the line '{line}' tells of no socket"));
                continue;
            };
            let (Some(owner), Some((interface, hardware))) =
                (owners.by_inode.get(&inode), interfaces.get(&index))
            else {
                continue;
            };
            if !name.is_match(interface)? {
                continue;
            }
            let mut entities = vec![ItemEntity::text("interface_name", interface)];
            entities.extend(protocol_name(protocol).map(|name| ItemEntity::text("protocol", name)));
            entities.push(ItemEntity::text("hw_address", hardware));
            entities.extend(owner_entities(owner));
            findings.item(TestType::IfListeners, entities);
        }
        Ok(())
    }
}

fn inet_entities(protocol: &str, socket: &Socket, owner: Option<&Owner>) -> Vec<ItemEntity> {
    let full = |(host, port): &(String, u32)| format!("{host}:{port}");
    let owned = owner.map(owner_entities);
    let [program, pid, user] = match owned {
        Some([program, pid, user]) => [Some(program), Some(pid), Some(user)],
        None => [None, None, None],
    };
    let mut entities = vec![
        ItemEntity::text("protocol", protocol),
        ItemEntity::text("local_address", &socket.local.0),
        ItemEntity::int("local_port", socket.local.1),
        ItemEntity::text("local_full_address", full(&socket.local)),
    ];
    entities.extend(program);
    entities.push(ItemEntity::text("foreign_address", &socket.foreign.0));
    entities.push(ItemEntity::int("foreign_port", socket.foreign.1));
    entities.push(ItemEntity::text("foreign_full_address", full(&socket.foreign)));
    entities.extend(pid);
    entities.extend(user);
    entities
}

fn owner_entities(owner: &Owner) -> [ItemEntity; 3] {
    [
        ItemEntity::text("program_name", &owner.program),
        ItemEntity::int("pid", owner.pid),
        ItemEntity::int("user_id", owner.user),
    ]
}

/// Names and hardware addresses of interfaces, by their numbers.
fn interfaces(files: &dyn Files) -> HashMap<u32, (String, String)> {
    const INTERFACES: &str = "/sys/class/net";
    let text = |path: String| text(files, &path).map(|text| text.trim().to_owned());
    let Lookup::Found(listing) = files.list(INTERFACES) else { return HashMap::new() };
    let known = listing.names.into_iter().filter_map(|name| {
        let index = text(format!("{INTERFACES}/{name}/ifindex"))?.parse().ok()?;
        let hardware = text(format!("{INTERFACES}/{name}/address")).unwrap_or_default();
        Some((index, (name, hardware)))
    });
    known.collect()
}

/// The name of a protocol in `linux/if_ether.h`, as far as OpenSCAP knows it.
fn protocol_name(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0060 => "ETH_P_LOOP",
        0x0200 => "ETH_P_PUP",
        0x0201 => "ETH_P_PUPAT",
        0x0800 => "ETH_P_IP",
        0x0805 => "ETH_P_X25",
        0x0806 => "ETH_P_ARP",
        0x08ff => "ETH_P_BPQ",
        0x0a00 => "ETH_P_IEEEPUP",
        0x0a01 => "ETH_P_IEEEPUPAT",
        0x6000 => "ETH_P_DEC",
        0x6001 => "ETH_P_DNA_DL",
        0x6002 => "ETH_P_DNA_RC",
        0x6003 => "ETH_P_DNA_RT",
        0x6004 => "ETH_P_LAT",
        0x6005 => "ETH_P_DIAG",
        0x6006 => "ETH_P_CUST",
        0x6007 => "ETH_P_SCA",
        0x6558 => "ETH_P_TEB",
        0x8035 => "ETH_P_RARP",
        0x809b => "ETH_P_ATALK",
        0x80f3 => "ETH_P_AARP",
        0x8100 => "ETH_P_8021Q",
        0x8137 => "ETH_P_IPX",
        0x86dd => "ETH_P_IPV6",
        0x8808 => "ETH_P_PAUSE",
        0x8809 => "ETH_P_SLOW",
        0x883e => "ETH_P_WCCP",
        0x8863 => "ETH_P_PPP_DISC",
        0x8864 => "ETH_P_PPP_SES",
        0x8847 => "ETH_P_MPLS_UC",
        0x8848 => "ETH_P_MPLS_MC",
        0x884c => "ETH_P_ATMMPOA",
        0x886c => "ETH_P_LINK_CTL",
        0x8884 => "ETH_P_ATMFATE",
        0x888e => "ETH_P_PAE",
        0x88a2 => "ETH_P_AOE",
        0x88ca => "ETH_P_TIPC",
        0x88f7 => "ETH_P_1588",
        0x8906 => "ETH_P_FCOE",
        0x8914 => "ETH_P_FIP",
        0xdada => "ETH_P_EDSA",
        0x0001 => "ETH_P_802_3",
        0x0002 => "ETH_P_AX25",
        0x0003 => "ETH_P_ALL",
        0x0004 => "ETH_P_802_2",
        0x0005 => "ETH_P_SNAP",
        0x0006 => "ETH_P_DDCMP",
        0x0007 => "ETH_P_WAN_PPP",
        0x0008 => "ETH_P_PPP_MP",
        0x0009 => "ETH_P_LOCALTALK",
        0x000c => "ETH_P_CAN",
        0x0010 => "ETH_P_PPPTALK",
        0x0011 => "ETH_P_TR_802_2",
        0x0015 => "ETH_P_MOBITEX",
        0x0016 => "ETH_P_CONTROL",
        0x0017 => "ETH_P_IRDA",
        0x0018 => "ETH_P_ECONET",
        0x0019 => "ETH_P_HDLC",
        0x001a => "ETH_P_ARCNET",
        0x001b => "ETH_P_DSA",
        0x001c => "ETH_P_TRAILER",
        0x00f5 => "ETH_P_PHONET",
        0x00f6 => "ETH_P_IEEE802154",
        0x00f7 => "ETH_P_CAIF",
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_of_sockets() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0";
        let socket = Socket::read(line).unwrap();
        assert_eq!(socket.local, ("127.0.0.1".to_owned(), 8080));
        assert_eq!(socket.inode, 4711);
        assert_eq!(Socket::read(""), None);
        assert_eq!(Socket::read("0: x:y 1 2 3 4 5 6 7 8"), None);
        assert_eq!(address("0000000000000000FFFF00000100007F").as_deref(), Some("::ffff:127.0.0.1"));
        assert_eq!(address("00000000000000000000000001000000").as_deref(), Some("::1"));
        assert_eq!(address("ééé").as_deref(), None);
        assert_eq!(address("éééé").as_deref(), None);
    }

    #[test]
    fn links_name_sockets() {
        assert_eq!(socket_inode("socket:[12]"), Some(12));
        assert_eq!(socket_inode("socket:["), None);
        assert_eq!(socket_inode("pipe:[12]"), None);
    }
}
