//! `unix:process58`: processes, by `/proc`.

mod status;

use virtscap_scap::oval::{FileType, ItemEntity, ObjectContent, TestType};

use super::Findings;
use crate::files::{Files, Lookup, text};
use crate::oval::Session;
use crate::oval::variables::NoValues;
use status::{Stat, capabilities, command_line, days_and_time, exec_shield, scheduling_class, user_ids};

impl<'a> Session<'a> {
    /// `unix:process58_object`: one item per process but those of the kernel.
    pub(super) fn process_58(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let command = content.entity("command_line").map(|entity| self.matcher(entity)).transpose()?;
        let pid = content.entity("pid").map(|entity| self.matcher(entity)).transpose()?;
        if command.is_none() && pid.is_none() {
            return Err("the object lacks a command_line and a pid".to_owned().into());
        }
        let files = self.files;
        let Some(processes) = findings.take("/proc", files.list("/proc")) else { return Ok(()) };
        findings.withhold(processes.withheld);
        let system = System::of(files);
        for number in numbers(&processes.names) {
            // The kernel's own first thread; processes that vanish meanwhile are none.
            if number == 2 {
                continue;
            }
            let Some(process) = Process::read(files, number) else { continue };
            if process.stat.parent == 2 {
                continue;
            }
            let is_wanted = command.as_ref().is_none_or_match(&process.command)?
                && pid.as_ref().is_none_or_match(&number.to_string())?;
            if is_wanted {
                findings.item(TestType::Process58, process.entities(files, &system));
            }
        }
        Ok(())
    }
}

/// A matcher that may be missing.
trait NoneOrMatch {
    fn is_none_or_match(&self, value: &str) -> Result<bool, String>;
}

impl NoneOrMatch for Option<&crate::oval::matcher::Matcher> {
    fn is_none_or_match(&self, value: &str) -> Result<bool, String> {
        self.map_or(Ok(true), |matcher| matcher.is_match(value))
    }
}

/// The processes among the names in `/proc`, in order.
pub(super) fn numbers(names: &[String]) -> Vec<u32> {
    let all_digits = |name: &&String| name.bytes().all(|byte| byte.is_ascii_digit());
    let mut numbers: Vec<u32> =
        names.iter().filter(all_digits).filter_map(|name| name.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

/// What is the same for all processes.
struct System {
    /// When the system started, in seconds since 1970.
    boot: i64,
    ticks: u64,
    selinux: bool,
    /// Of terminals: the major number of a driver, its minor numbers, and what its devices are called.
    drivers: Vec<status::Driver>,
}

impl System {
    fn of(files: &dyn Files) -> Self {
        let boot = text(files, "/proc/stat").unwrap_or_default();
        let boot = boot.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok());
        let is_there = |path: &str| matches!(files.metadata(path), Lookup::Found(_));
        Self {
            boot: boot.unwrap_or_default(),
            ticks: ticks(files),
            selinux: is_there("/sys/fs/selinux/enforce") && is_there("/etc/selinux/config"),
            drivers: status::drivers(&text(files, "/proc/tty/drivers").unwrap_or_default()),
        }
    }
}

/// How many ticks a second has in `/proc`: everywhere 100 but on a few old machines.
fn ticks(files: &dyn Files) -> u64 {
    #[cfg(unix)]
    if files.is_running() {
        return rustix::param::clock_ticks_per_second().max(1);
    }
    let _ = files;
    100
}

struct Process {
    number: u32,
    stat: Stat,
    command: String,
}

impl Process {
    fn read(files: &dyn Files, number: u32) -> Option<Self> {
        let Lookup::Found(stat) = files.read(&format!("/proc/{number}/stat")) else { return None };
        let stat = Stat::read(&stat)?;
        let command = if stat.state == 'Z' {
            format!("[{}] <defunct>", stat.name)
        } else {
            match files.read(&format!("/proc/{number}/cmdline")) {
                Lookup::Found(line) if !line.is_empty() => command_line(&line),
                _ => stat.name.clone(),
            }
        };
        Some(Self { number, stat, command })
    }

    fn entities(self, files: &dyn Files, system: &System) -> Vec<ItemEntity> {
        let stat = self.stat;
        let text = |name: &str| text(files, &format!("/proc/{}/{name}", self.number));
        let status = text("status").unwrap_or_default();
        let [real, effective] = user_ids(&status);
        let login = text("loginuid").and_then(|text| text.trim().parse::<u32>().ok()).unwrap_or(u32::MAX);
        let used = stat.user_time / system.ticks + stat.system_time / system.ticks;
        let started = system.boot.saturating_add_unsigned(stat.start / system.ticks);
        let terminal = status::terminal(stat.terminal, &system.drivers, &|path| {
            let found = files.metadata(path);
            matches!(found, Lookup::Found(found) if found.file_type == FileType::CharacterSpecial)
        });
        let mut entities = vec![
            ItemEntity::text("command_line", self.command),
            ItemEntity::text("exec_time", days_and_time(used)),
            ItemEntity::int("pid", self.number),
            ItemEntity::int("ppid", stat.parent),
            ItemEntity::int("priority", stat.priority),
            ItemEntity::int("ruid", real),
            ItemEntity::text("scheduling_class", scheduling_class(stat.policy)),
            ItemEntity::text("start_time", status::start_time(started)),
            ItemEntity::text("tty", terminal),
            ItemEntity::int("user_id", effective),
            ItemEntity::boolean("exec_shield", exec_shield(&text("maps").unwrap_or_default())),
            ItemEntity::int("loginuid", login),
        ];
        let capabilities = capabilities(&status).into_iter();
        entities.extend(capabilities.map(|name| ItemEntity::text("posix_capability", name)));
        if system.selinux
            && let Some(label) = text("attr/current")
            && let Some(domain) = label.trim_end_matches(['\0', '\n']).split(':').nth(2)
        {
            entities.push(ItemEntity::text("selinux_domain_label", domain));
        }
        entities.push(ItemEntity::int("session_id", stat.session));
        entities
    }
}
