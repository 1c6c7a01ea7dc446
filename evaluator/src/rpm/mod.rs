//! The packages that RPM has installed, read from its database without RPM.

mod bdb;
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

/// The file of SUSE's databases.
const NDB: &str = "Packages.db";

/// The file of older databases.
const BERKELEY: &str = "Packages";

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
                    Lookup::Found(log) => parsed(&path, sqlite::blobs(&database, &log, "Packages")),
                    Lookup::Missing { reason: None } => {
                        parsed(&path, sqlite::blobs(&database, &[], "Packages"))
                    }
                    // What was installed last may be there and nowhere else.
                    Lookup::Missing { reason } => Lookup::Missing { reason },
                    Lookup::Unreadable { reason } => {
                        Lookup::Unreadable { reason: format!("{log}: {reason}") }
                    }
                };
            }
        }
        let path = format!("{folder}/{NDB}");
        match files.metadata(&path) {
            Lookup::Missing { reason: None } => {}
            Lookup::Missing { reason } => return Lookup::Missing { reason },
            _ => {
                return Lookup::unreadable(format!("{path}: RPM databases in this format are not supported"));
            }
        }
        let path = format!("{folder}/{BERKELEY}");
        match files.read(&path) {
            Lookup::Missing { reason: None } => {}
            Lookup::Missing { reason } => return Lookup::Missing { reason },
            Lookup::Unreadable { reason } => {
                return Lookup::Unreadable { reason: format!("{path}: {reason}") };
            }
            Lookup::Found(database) => return parsed(&path, bdb::values(&database)),
        }
    }
    Lookup::absent()
}

fn parsed(path: &str, headers: Result<Vec<Vec<u8>>, String>) -> Lookup<Vec<Header>> {
    let packages =
        headers.and_then(|blobs| blobs.into_iter().map(Header::read).collect::<Result<Vec<_>, _>>());
    match packages {
        Ok(packages) => Lookup::Found(packages),
        Err(problem) => Lookup::unreadable(format!("{path}: {problem}")),
    }
}
