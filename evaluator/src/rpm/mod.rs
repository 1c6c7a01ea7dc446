//! The packages that RPM has installed, read from its database without RPM.

pub(crate) mod capabilities;
pub(crate) mod dependencies;
mod dependency;
mod header;
mod signature;
mod sqlite;
pub(crate) mod verify;

use crate::files::{Files, Lookup};

pub(crate) use header::{Header, NONE, PackageFile, tag};

/// Where the database may be, on systems of various makes.
const FOLDERS: [&str; 3] = ["/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm"];

/// The file of today's databases.
const SQLITE: &str = "rpmdb.sqlite";

/// The files of databases in older formats.
const OTHERS: [&str; 2] = ["Packages.db", "Packages"];

/// Reads the packages, in the order in which they were installed. There plainly are none where there is no database.
pub(crate) fn packages(files: &dyn Files) -> Lookup<Vec<Header>> {
    for folder in FOLDERS {
        let path = format!("{folder}/{SQLITE}");
        match files.read(&path) {
            Lookup::Missing { reason: None } => {}
            Lookup::Missing { reason } => return Lookup::Missing { reason },
            Lookup::Unreadable { reason } => {
                return Lookup::Unreadable { reason: format!("{path}: {reason}") };
            }
            Lookup::Found(database) => {
                let log = format!("{path}-wal");
                return match files.read(&log) {
                    Lookup::Found(log) => parsed(&path, &database, &log),
                    Lookup::Missing { reason: None } => parsed(&path, &database, &[]),
                    // What was installed last may be there and nowhere else.
                    Lookup::Missing { reason } => Lookup::Missing { reason },
                    Lookup::Unreadable { reason } => {
                        Lookup::Unreadable { reason: format!("{log}: {reason}") }
                    }
                };
            }
        }
        for name in OTHERS {
            let path = format!("{folder}/{name}");
            match files.metadata(&path) {
                Lookup::Missing { reason: None } => {}
                Lookup::Missing { reason } => return Lookup::Missing { reason },
                _ => {
                    return Lookup::unreadable(format!(
                        "{path}: RPM databases in this format are not supported"
                    ));
                }
            }
        }
    }
    Lookup::absent()
}

fn parsed(path: &str, database: &[u8], log: &[u8]) -> Lookup<Vec<Header>> {
    let packages = sqlite::blobs(database, log, "Packages")
        .and_then(|blobs| blobs.into_iter().map(Header::read).collect::<Result<Vec<_>, _>>());
    match packages {
        Ok(packages) => Lookup::Found(packages),
        Err(problem) => Lookup::unreadable(format!("{path}: {problem}")),
    }
}
