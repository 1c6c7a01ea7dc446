//! `unix:password` and `unix:shadow`: users and their passwords, by `/etc/passwd` and `/etc/shadow`.
//!
//! Lines are read as glibc's `fgetpwent` and `getspent` read them. OpenSCAP asks the name service on the system that is
//! running; users of other services than these files are not known here.

use virtscap_scap::oval::{Datatype, ItemEntity, ObjectContent, Status, TestType};

use super::Findings;
use crate::files::Lookup;
use crate::oval::Session;
use crate::oval::variables::NoValues;

/// The size of a record of `/var/log/lastlog`: the time, the terminal and the host.
const LASTLOG_RECORD: usize = 4 + 32 + 256;

impl<'a> Session<'a> {
    /// `unix:password_object`: one item per user.
    pub(super) fn password(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let wanted = self.wanted(content, "username")?;
        let Some(passwd) = self.account_file("/etc/passwd", findings) else { return Ok(()) };
        let mut lastlog = None;
        for user in passwd.lines().filter_map(User::read) {
            if !wanted.is_match(user.name)? {
                continue;
            }
            let lastlog = lastlog.get_or_insert_with(|| self.files.read("/var/log/lastlog"));
            let last_login = match lastlog {
                Lookup::Found(lastlog) => ItemEntity::int("last_login", last_login(lastlog, user.uid)),
                Lookup::Missing { reason: None } => ItemEntity::int("last_login", -1),
                // It has a place for each number of a user, so it may be too large to be read.
                _ => ItemEntity::without_value("last_login", Datatype::Int, Status::NotCollected),
            };
            findings.item(
                TestType::Password,
                vec![
                    ItemEntity::text("username", user.name),
                    ItemEntity::text("password", user.password),
                    ItemEntity::int("user_id", user.uid),
                    ItemEntity::int("group_id", user.gid),
                    ItemEntity::text("gcos", user.gecos),
                    ItemEntity::text("home_dir", user.home),
                    ItemEntity::text("login_shell", user.shell),
                    last_login,
                ],
            );
        }
        Ok(())
    }

    /// `unix:shadow_object`: one item per user; only of the system that is running, as with OpenSCAP.
    pub(super) fn shadow(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        if !self.only_where_running(content, findings) {
            return Ok(());
        }
        let wanted = self.wanted(content, "username")?;
        let Some(shadow) = self.account_file("/etc/shadow", findings) else { return Ok(()) };
        for entry in shadow.lines().filter_map(Shadow::read) {
            if !wanted.is_match(entry.name)? {
                continue;
            }
            let mut entities =
                vec![ItemEntity::text("username", entry.name), ItemEntity::text("password", entry.password)];
            let names = ["chg_lst", "chg_allow", "chg_req", "exp_warn", "exp_inact", "exp_date"];
            entities
                .extend(names.into_iter().zip(entry.days).map(|(name, days)| ItemEntity::int(name, days)));
            entities.push(ItemEntity::text("flag", entry.flag.to_string()));
            entities.extend(
                encrypt_method(entry.password).map(|method| ItemEntity::text("encrypt_method", method)),
            );
            findings.item(TestType::Shadow, entities);
        }
        Ok(())
    }

    /// A file of accounts. Without it nothing is known of users, which is not the same as that there are none.
    fn account_file(&self, path: &str, findings: &mut Findings) -> Option<String> {
        let content = findings.need(path, self.files.read(path))?;
        Some(String::from_utf8_lossy(&content).into_owned())
    }
}

/// A line of `/etc/passwd`.
#[derive(Debug, PartialEq, Eq)]
struct User<'l> {
    name: &'l str,
    password: &'l str,
    uid: u32,
    gid: u32,
    gecos: &'l str,
    home: &'l str,
    shell: &'l str,
}

impl<'l> User<'l> {
    /// A user; none where the line is a comment or has no numbers where they have to be.
    fn read(line: &'l str) -> Option<Self> {
        let line = entry(line)?;
        let mut fields = line.splitn(7, ':');
        let mut next = || fields.next().unwrap_or_default();
        let name = next();
        // An entry for NIS needs nothing more.
        let number = |text: &str| match text {
            "" if is_nis(name) => Some(0),
            text => text.trim_start().parse::<u32>().ok(),
        };
        Some(Self {
            name,
            password: next(),
            uid: number(next())?,
            gid: number(next())?,
            gecos: next(),
            home: next(),
            shell: next(),
        })
    }
}

/// A line of `/etc/shadow`.
#[derive(Debug, PartialEq, Eq)]
struct Shadow<'l> {
    name: &'l str,
    password: &'l str,
    /// Last change, minimum, maximum, warning, inactivity and expiry; -1 where nothing is said.
    days: [i32; 6],
    flag: u64,
}

impl<'l> Shadow<'l> {
    fn read(line: &'l str) -> Option<Self> {
        let line = entry(line)?;
        let fields: Vec<_> = line.splitn(9, ':').collect();
        let mut days = [-1; 6];
        let at = |index: usize| fields.get(index).copied();
        // A number that may be left out, but not the colon behind it.
        let day = |text: &str, is_last: bool| match text {
            "" if is_last => None,
            "" => Some(-1),
            // As in C, where a long becomes an int.
            text => text.trim_start().parse::<u32>().ok().map(|days| days as i32),
        };
        if fields.len() <= 2 && is_nis(at(0)?) {
            return Some(Self { name: at(0)?, password: at(1).unwrap_or_default(), days, flag: u64::MAX });
        }
        // The old form ends with the maximum.
        let rest_is_empty = fields.len() <= 6 && at(5).unwrap_or_default().trim().is_empty();
        let count = if rest_is_empty { 3 } else { 6 };
        for (index, days) in days.iter_mut().enumerate().take(count) {
            *days = day(at(index + 2)?, index + 3 == fields.len())?;
        }
        let flag = match at(8) {
            None | Some("") => u64::MAX,
            Some(text) => text.trim_start().parse::<u32>().ok()?.into(),
        };
        Some(Self { name: at(0)?, password: at(1)?, days, flag })
    }
}

/// What a line says; none for empty ones and comments.
fn entry(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(|c: char| c.is_ascii_whitespace());
    (!line.is_empty() && !line.starts_with('#')).then_some(line)
}

/// Whether a name stands for users of the Network Information Service.
fn is_nis(name: &str) -> bool {
    name.starts_with(['+', '-'])
}

/// When a user last logged in, in seconds since 1970; -1 where that is not known.
fn last_login(lastlog: &[u8], uid: u32) -> i32 {
    let start = usize::try_from(uid).ok().and_then(|uid| uid.checked_mul(LASTLOG_RECORD));
    let record = start.and_then(|start| lastlog.get(start..start.checked_add(LASTLOG_RECORD)?));
    match record {
        Some([a, b, c, d, ..]) => i32::from_ne_bytes([*a, *b, *c, *d]),
        _ => -1,
    }
}

/// How a password is hashed, by its prefix, as far as OVAL has names for it.
fn encrypt_method(password: &str) -> Option<&'static str> {
    let Some(prefix) = password.strip_prefix('$') else {
        return Some(if password.starts_with('_') { "BSDi" } else { "DES" });
    };
    Some(match prefix.split_once('$')?.0 {
        "1" => "MD5",
        "2" | "2a" => "Blowfish",
        "5" => "SHA-256",
        "6" => "SHA-512",
        "md5" => "Sun MD5",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_passwd() {
        let found =
            |line| User::read(line).map(|user| (user.name, user.uid, user.gid, user.home, user.shell));
        assert_eq!(found("root:x:0:0:root:/root:/bin/sh"), Some(("root", 0, 0, "/root", "/bin/sh")));
        assert_eq!(found("a:x:1:2:g:/h:/s:more"), Some(("a", 1, 2, "/h", "/s:more")));
        assert_eq!(found("a:x:1:2"), Some(("a", 1, 2, "", "")));
        assert_eq!(found("+nis::::::"), Some(("+nis", 0, 0, "", "")));
        assert_eq!(found("+"), Some(("+", 0, 0, "", "")));
        assert_eq!(found(":x:3:3::/:/s"), Some(("", 3, 3, "/", "/s")));
        let bad = ["", "# c", "a:x", "a:x:-1:5::/h:", "a:x:4294967296:1::/:/", "a:x:a:b:c:d:e", "a:x::1:::"];
        for line in bad {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn lines_of_shadow() {
        let found = |line| Shadow::read(line).map(|entry| (entry.name, entry.days, entry.flag));
        assert_eq!(found("r:$6$a$b:1:2:3:4:5:6:7"), Some(("r", [1, 2, 3, 4, 5, 6], 7)));
        assert_eq!(found("a:x:::::::"), Some(("a", [-1; 6], u64::MAX)));
        assert_eq!(found("c:*:1:2:3"), Some(("c", [1, 2, 3, -1, -1, -1], u64::MAX)));
        assert_eq!(found("+k::::::::"), Some(("+k", [-1; 6], u64::MAX)));
        for line in
            ["d:*", "g::1:2:3:4", "h:x:-1:2:3:4:5:6:", "l:x:a:2:3:4:5:6:", "m:x:4294967297:2:3:4:5:6:"]
        {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn methods_are_told_by_prefix() {
        let found = ["$6$a$b", "$y$x", "$2b$x", "$2a$x", "_x", "$md5$x", "$md5,r$x", "$5", "!", ""];
        let found = found.map(encrypt_method);
        let expected = [
            Some("SHA-512"),
            None,
            None,
            Some("Blowfish"),
            Some("BSDi"),
            Some("Sun MD5"),
            None,
            None,
            Some("DES"),
            Some("DES"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn last_logins_are_at_the_place_of_the_number() {
        let mut lastlog = vec![0; LASTLOG_RECORD * 2];
        lastlog[LASTLOG_RECORD..LASTLOG_RECORD + 4].copy_from_slice(&1234_i32.to_ne_bytes());
        assert_eq!([0, 1, 2, u32::MAX].map(|uid| last_login(&lastlog, uid)), [0, 1234, -1, -1]);
    }
}
