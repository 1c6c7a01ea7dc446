//! Capabilities of files: as Linux keeps them in an extended attribute, and as RPM writes them.

/// What Linux calls capabilities, by their numbers.
pub(crate) const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// What a file may do beyond what its user may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sets {
    effective: u64,
    permitted: u64,
    inheritable: u64,
}

/// Reads the attribute; none where it is in no form that is known.
pub(super) fn of_attribute(value: &[u8]) -> Option<Sets> {
    let word = |at: usize| Some(u64::from(u32::from_le_bytes(value.get(at..at + 4)?.try_into().ok()?)));
    let head = word(0)?;
    let (permitted, inheritable) = match head >> 24 {
        1 => (word(4)?, word(8)?),
        2 | 3 => (word(4)? | word(12)? << 32, word(8)? | word(16)? << 32),
        _ => return None,
    };
    let effective = if head & 1 == 1 { permitted | inheritable } else { 0 };
    Some(Sets { effective, permitted, inheritable })
}

/// Reads a text such as `cap_net_raw=ep` or `= cap_net_raw+ep`; none where it is in no form that is known.
pub(super) fn of_text(text: &str) -> Option<Sets> {
    let mut sets = Sets::default();
    for clause in text.split_whitespace() {
        let start = clause.find(['=', '+', '-'])?;
        let (names, mut actions) = clause.split_at(start);
        let mut mask = 0;
        for name in names.split(',').filter(|name| !name.is_empty()) {
            mask |= match name {
                "all" => (1 << NAMES.len()) - 1,
                name => 1 << NAMES.iter().position(|known| Some(*known) == name.strip_prefix("cap_"))?,
            };
        }
        if names.is_empty() {
            mask = (1 << NAMES.len()) - 1;
        }
        while let Some(operator) = actions.chars().next() {
            let flags = &actions[1..];
            let end = flags.find(['=', '+', '-']).unwrap_or(flags.len());
            if operator == '=' {
                for set in [&mut sets.effective, &mut sets.permitted, &mut sets.inheritable] {
                    *set &= !mask;
                }
            }
            for flag in flags[..end].chars() {
                let set = match flag {
                    'e' => &mut sets.effective,
                    'p' => &mut sets.permitted,
                    'i' => &mut sets.inheritable,
                    _ => return None,
                };
                if operator == '-' { *set &= !mask } else { *set |= mask }
            }
            actions = &flags[end..];
        }
    }
    Some(sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same() {
        let raw = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(of_attribute(&raw), of_text("cap_net_raw=ep"));
        assert_eq!(of_text("= cap_net_raw+ep"), of_text("cap_net_raw=ep"));
        assert_eq!(of_text(""), Some(Sets::default()));
        assert_eq!(of_text("="), Some(Sets::default()));
        assert_eq!(of_text("cap_unheard_of=ep"), None);
        assert_eq!(of_text("cap_kill"), None);
        assert_eq!(of_attribute(&[1, 0]), None);
        assert_eq!(of_attribute(&[1, 0, 0, 9]), None);
    }
}
