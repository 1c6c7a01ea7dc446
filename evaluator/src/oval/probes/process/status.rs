//! What the kernel tells of a process in the files of `/proc` (proc(5)), read as OpenSCAP reads it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::rpm::capabilities::NAMES;

/// How much OpenSCAP reads of `/proc/PID/stat`, and how much there has to be.
const MAX_STAT: usize = 255;
const MIN_STAT: usize = 40;
/// How much of a name the kernel keeps.
const MAX_NAME: usize = 15;

/// `/proc/PID/stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) name: String,
    pub(super) state: char,
    pub(super) parent: i32,
    pub(super) session: i32,
    pub(super) terminal: u32,
    pub(super) user_time: u64,
    pub(super) system_time: u64,
    pub(super) priority: i64,
    /// In ticks after the start of the system.
    pub(super) start: u64,
    /// None where the file ends before.
    pub(super) policy: Option<u32>,
}

impl Stat {
    /// None where the text is none of the kernel's.
    pub(super) fn read(content: &[u8]) -> Option<Self> {
        if content.len() < MIN_STAT {
            return None;
        }
        // A name may have parentheses in it.
        let front = &content[..content.len().min(MAX_STAT)];
        let close = front.iter().rposition(|byte| *byte == b')')?;
        let open = front[..close].iter().position(|byte| *byte == b'(')?;
        let name = &front[open + 1..close];
        let name = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME)]).into_owned();
        let fields = String::from_utf8_lossy(content.get(close + 1..)?).into_owned();
        let fields: Vec<_> = fields.split_ascii_whitespace().collect();
        let at = |index: usize| fields.get(index).copied();
        Some(Self {
            name,
            state: at(0)?.chars().next()?,
            parent: at(1)?.parse().ok()?,
            session: at(3)?.parse().ok()?,
            terminal: at(4)?.parse::<i32>().ok()?.cast_unsigned(),
            user_time: at(11)?.parse().ok()?,
            system_time: at(12)?.parse().ok()?,
            priority: at(15)?.parse().ok()?,
            start: at(19)?.parse().ok()?,
            policy: at(38).and_then(|policy| policy.parse().ok()),
        })
    }
}

/// A command with its arguments, as `ps` shows it.
pub(super) fn command_line(content: &[u8]) -> String {
    let end = content.iter().rposition(|byte| *byte != 0).unwrap_or_default();
    let shown = content[..=end].iter().map(|byte| match byte {
        0 | b'\n' => ' ',
        b' '..=b'~' => char::from(*byte),
        _ => '.',
    });
    shown.collect()
}

/// Real and effective user of `/proc/PID/status`; -1 where they are not told.
pub(super) fn user_ids(status: &str) -> [i32; 2] {
    let Some(ids) = status.lines().find_map(|line| line.strip_prefix("Uid:")) else { return [-1; 2] };
    let mut ids = ids.split_ascii_whitespace().map(|id| id.parse::<u32>().map_or(-1, u32::cast_signed));
    [ids.next().unwrap_or(-1), ids.next().unwrap_or(-1)]
}

/// How many capabilities OVAL has names for, in the order of their numbers (capabilities(7)).
const CAPABILITIES: usize = 38;

/// The effective capabilities of `/proc/PID/status`.
pub(super) fn capabilities(status: &str) -> Vec<String> {
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let set = set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default();
    let numbered = NAMES.iter().take(CAPABILITIES).enumerate();
    let is_set = numbered.filter(|(number, _)| set >> number & 1 == 1);
    is_set.map(|(_, name)| format!("CAP_{}", name.to_ascii_uppercase())).collect()
}

/// What `ps` calls a policy of scheduling. That children do not inherit it is not told by `/proc`; OpenSCAP, which asks the
/// kernel, says `?` then.
pub(super) fn scheduling_class(policy: Option<u32>) -> &'static str {
    match policy {
        Some(0) => "TS",
        Some(1) => "FF",
        Some(2) => "RR",
        Some(3) => "B",
        Some(5) => "#5",
        _ => "?",
    }
}

/// Whether data cannot be run, by `/proc/PID/maps`: the last mapping decides that is written to and has no name.
pub(super) fn exec_shield(maps: &str) -> bool {
    let decide = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        let flags = fields.nth(1)?.strip_prefix("rw")?;
        let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
        // Device and inode; then the name.
        (fields.count() == 2).then(|| !(flags.starts_with('x') && offset != 0))
    };
    maps.lines().rev().find_map(decide).unwrap_or_default()
}

/// A time in seconds, with days where there are any.
pub(super) fn days_and_time(seconds: u64) -> String {
    let (minutes, second) = (seconds / 60, seconds % 60);
    let (hours, minute) = (minutes / 60, minutes % 60);
    let (days, hour) = (hours / 24, hours % 24);
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    if days > 0 { format!("{days}-{time}") } else { time }
}

/// When a process started: the time of today, or an earlier day.
pub(super) fn start_time(started: i64) -> String {
    shown_start(started, Timestamp::now(), &TimeZone::system())
}

fn shown_start(started: i64, now: Timestamp, zone: &TimeZone) -> String {
    let started = Timestamp::from_second(started).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone());
    let today = started.date() == now.to_zoned(zone.clone()).date();
    started.strftime(if today { "%H:%M:%S" } else { "%b_%d" }).to_string()
}

/// A driver of terminals in `/proc/tty/drivers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Driver {
    device: String,
    major: u32,
    minors: (u32, u32),
}

/// The drivers of terminals; OpenSCAP looks at the last first.
pub(super) fn drivers(text: &str) -> Vec<Driver> {
    let read = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip_while(|field| !field.starts_with("/dev/"));
        let device = fields.next()?.trim_end_matches("%d").to_owned();
        let major = fields.next()?.parse().ok()?;
        let minors = fields.next()?;
        let (first, last) = minors.split_once('-').unwrap_or((minors, minors));
        Some(Driver { device, major, minors: (first.parse().ok()?, last.parse().ok()?) })
    };
    let mut drivers: Vec<_> = text.lines().filter_map(read).collect();
    drivers.reverse();
    drivers
}

/// The name of a terminal; `?` where there is none, or nobody knows.
pub(super) fn terminal(device: u32, drivers: &[Driver], exists: &dyn Fn(&str) -> bool) -> String {
    let major = device >> 8 & 0xfff;
    let minor = device & 0xff | (device & 0xfff0_0000) >> 12;
    let mut names = Vec::new();
    if device != 0 {
        let driver = drivers
            .iter()
            .find(|driver| driver.major == major && (driver.minors.0..=driver.minors.1).contains(&minor));
        if let Some(Driver { device, .. }) = driver {
            names.extend([format!("{device}{minor}"), device.clone()]);
        }
        names.extend(match major {
            4 if minor < 64 => Some(format!("/dev/tty{minor}")),
            4 => Some(format!("/dev/ttyS{}", minor - 64)),
            136..=143 => Some(format!("/dev/pts/{}", minor + (major - 136) * 256)),
            _ => None,
        });
    }
    let found = names.into_iter().find(|name| exists(name));
    found.and_then(|name| name.strip_prefix("/dev/").map(str::to_owned)).unwrap_or_else(|| "?".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const STAT: &str = "7 (my cmd) S 1 7 9 34816 0 4194560 1 2 3 4 12345 67890 1 2 20 0 1 0 5000 4 3 1 1 1 0 0 0 0 \
        0 4096 1256 0 0 0 17 0 0 5 0 0 0 0 0 0 0 0 0 0 0";

    #[test]
    fn stat_is_read() {
        let stat = Stat::read(STAT.as_bytes()).unwrap();
        assert_eq!((stat.name.as_str(), stat.state, stat.parent, stat.session), ("my cmd", 'S', 1, 9));
        assert_eq!((stat.user_time, stat.priority, stat.start, stat.policy), (12345, 20, 5000, Some(5)));
        let named = Stat::read(STAT.replace("my cmd", "a)b (c").as_bytes()).unwrap();
        assert_eq!(named.name, "a)b (c");
        for bad in ["", "7 (x) S 1", &STAT.replace(['(', ')'], ""), &"x".repeat(300), &STAT[..60]] {
            assert_eq!(Stat::read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn commands_are_shown_as_by_ps() {
        assert_eq!(command_line(b"a\0b\xc3\xa4\nc\0\0\0"), "a b.. c");
        assert_eq!(command_line(b"\0\0"), " ");
        assert_eq!(command_line(b"x"), "x");
    }

    #[test]
    fn status_is_read() {
        let status = "Name:\tx\nUid:\t5\t6\t7\t8\nCapEff:\t0000000000000003\n";
        assert_eq!(user_ids(status), [5, 6]);
        assert_eq!(capabilities(status), ["CAP_CHOWN", "CAP_DAC_OVERRIDE"]);
        assert_eq!(capabilities("CapEff:\tffffffffffffffff").len(), 38);
        assert_eq!((user_ids(""), capabilities("CapEff: x").len()), ([-1; 2], 0));
    }

    #[test]
    fn times_are_shown() {
        assert_eq!(days_and_time(59), "00:00:59");
        assert_eq!(days_and_time(90_061), "1-01:01:01");
        let now = Timestamp::from_second(86_400 * 40 + 3_600).unwrap();
        assert_eq!(shown_start(86_400 * 40 + 61, now, &TimeZone::UTC), "00:01:01");
        assert_eq!(shown_start(86_400 * 39, now, &TimeZone::UTC), "Feb_09");
        assert_eq!(shown_start(i64::MAX, now, &TimeZone::UTC), "Jan_01");
    }

    #[test]
    fn mappings_are_judged() {
        assert!(exec_shield("1-2 r-xp 0 0:0 0\n1-2 rw-p 10 0:0 0 \n1-2 rwxp 10 0:0 0 [heap]\n"));
        assert!(!exec_shield("1-2 rw-p 0 0:0 0\n1-2 rwxp 10 0:0 0 \n"));
        assert!(!exec_shield("1-2 rw-p 0 0:0 9 /bin/x\nnonsense\n"));
    }

    #[test]
    fn terminals_have_names() {
        let drivers = drivers(
            "pty_slave /dev/pts 136 0-1048575 pty:slave\nserial /dev/ttyS 4 64-95 serial\nbad /dev/x y\n",
        );
        let there = |names: &'static [&'static str]| move |name: &str| names.contains(&name);
        assert_eq!(terminal(0x8803, &drivers, &there(&["/dev/pts/3"])), "pts/3");
        assert_eq!(terminal(0x440, &drivers, &there(&["/dev/ttyS0", "/dev/ttyS64"])), "ttyS64");
        assert_eq!(terminal(0x401, &drivers, &there(&["/dev/tty1"])), "tty1");
        assert_eq!(terminal(0x401, &[], &there(&[])), "?");
        assert_eq!(terminal(0, &drivers, &|_| true), "?");
    }
}
