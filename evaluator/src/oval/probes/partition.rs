//! `linux:partition`: mounted file systems, from the table of mounts.

use virtscap_scap::oval::{Datatype, ItemEntity, ObjectContent, Status, TestType};

use super::Findings;
use crate::files::{Files, Lookup, Space};
use crate::oval::Session;
use crate::oval::variables::NoValues;

/// Where the kernel tells of mounts.
const MOUNTS: &str = "/proc/mounts";

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    device: String,
    point: String,
    file_system: String,
    options: Vec<String>,
}

impl Mount {
    /// Reads a line as `getmntent` does; none where it tells of no mount.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split([' ', '\t']).filter(|field| !field.is_empty());
        let device = unescaped(fields.next().filter(|device| !device.starts_with('#'))?);
        let point = unescaped(fields.next()?);
        let file_system = unescaped(fields.next()?);
        let options = unescaped(fields.next().unwrap_or_default());
        let options: Vec<_> =
            options.split(',').filter(|option| !option.is_empty()).map(str::to_owned).collect();
        let left_out = file_system == "rootfs"
            || (file_system == "autofs" && options.iter().any(|option| option == "ignore"));
        (!left_out).then_some(Self { device, point, file_system, options })
    }
}

/// A field of a table of mounts without the octal numbers that stand for blanks, tabs, ends of lines and backslashes.
pub(in crate::oval) fn unescaped(field: &str) -> String {
    let mut text = field.to_owned();
    for (code, character) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        text = text.replace(code, character);
    }
    text
}

/// What OpenSCAP adds to the options by the flags of `statvfs`. It takes them for those of `mount`, so that `relatime`
/// shows as `bind`, and `nosymfollow` as `move`.
fn options_by_flags(flags: u64) -> impl Iterator<Item = &'static str> {
    [(4096, "bind"), (8192, "move")]
        .into_iter()
        .filter(move |(flag, _)| flags & flag != 0)
        .map(|(_, name)| name)
}

fn entities(mount: &Mount, uuid: Option<String>, space: Space, with_block_size: bool) -> Vec<ItemEntity> {
    let mut entities = vec![
        ItemEntity::text("mount_point", &mount.point),
        ItemEntity::text("device", &mount.device),
        match uuid {
            Some(uuid) => ItemEntity::text("uuid", uuid),
            None => ItemEntity::without_value("uuid", Datatype::String, Status::DoesNotExist),
        },
        ItemEntity::text("fs_type", &mount.file_system),
    ];
    entities.extend(mount.options.iter().map(|option| ItemEntity::text("mount_options", option)));
    entities.extend(options_by_flags(space.flags).map(|option| ItemEntity::text("mount_options", option)));
    entities.push(ItemEntity::int("total_space", space.blocks));
    entities.push(ItemEntity::int("space_used", space.blocks.saturating_sub(space.free)));
    entities.push(ItemEntity::int("space_left", space.free));
    if with_block_size {
        entities.push(ItemEntity::int("block_size", space.block_size));
    }
    entities
}

/// The UUID of a device, by the links that udev makes of them.
fn uuid(files: &dyn Files, device: &str) -> Option<String> {
    const LINKS: &str = "/dev/disk/by-uuid";
    let name = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let target = |path: &str| match files.metadata(path) {
        Lookup::Found(found) => found.target.as_deref().and_then(name),
        _ => None,
    };
    let wanted = device.strip_prefix("/dev/")?;
    let wanted = target(device).or_else(|| name(wanted))?;
    let Lookup::Found(listing) = files.list(LINKS) else { return None };
    listing.names.into_iter().find(|uuid| target(&format!("{LINKS}/{uuid}")).as_ref() == Some(&wanted))
}

impl<'a> Session<'a> {
    /// `linux:partition_object`: one item per mount; where the object names the place itself, the first counts.
    pub(super) fn partition(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let point = self.wanted(content, "mount_point")?;
        let Some(table) = self.mounts(findings)? else { return Ok(()) };
        let mounts: Vec<_> = String::from_utf8_lossy(&table).lines().filter_map(Mount::read).collect();
        let wanted: Vec<&Mount> = match point.exactly() {
            Some(points) => {
                points.iter().filter_map(|point| mounts.iter().find(|m| m.point == *point)).collect()
            }
            None => {
                let mut wanted = Vec::new();
                for mount in &mounts {
                    if point.is_match(&mount.point)? {
                        wanted.push(mount);
                    }
                }
                wanted
            }
        };
        for mount in wanted {
            // OpenSCAP leaves such a mount out, and a test that asks for none would hold.
            let Some(space) = self.files.space(&mount.point) else {
                let reason = format!("{}: the file system there cannot be asked for its room", mount.point);
                findings.withhold(Some(reason));
                continue;
            };
            let uuid = uuid(self.files, &mount.device);
            findings.item(TestType::Partition, entities(mount, uuid, space, self.schema >= [5, 11, 2]));
        }
        Ok(())
    }

    /// The table of mounts. As with OpenSCAP, a root without it has no mounts; on the system that is running its lack is
    /// an error.
    fn mounts(&self, findings: &mut Findings) -> Result<Option<Vec<u8>>, NoValues> {
        match self.files.read(MOUNTS) {
            Lookup::Missing { reason: None } if self.files.is_running() => {
                Err(format!("{MOUNTS}: is missing").into())
            }
            found => Ok(findings.take(MOUNTS, found).map(std::borrow::Cow::into_owned)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_getmntent_does() {
        let mount = Mount::read("/dev/a\\040b /mnt/x\\134y ext4 rw,relatime,,nodev 0 0").unwrap();
        assert_eq!((mount.device.as_str(), mount.point.as_str()), ("/dev/a b", "/mnt/x\\y"));
        assert_eq!(mount.options, ["rw", "relatime", "nodev"]);
        assert_eq!(Mount::read("# a comment"), None);
        assert_eq!(Mount::read(""), None);
        assert_eq!(Mount::read("only two"), None);
        assert_eq!(Mount::read("x / rootfs rw 0 0"), None);
        assert_eq!(Mount::read("x /net autofs rw,ignore 0 0"), None);
    }

    #[test]
    fn flags_show_as_other_options() {
        assert_eq!(options_by_flags(4096 | 32 | 1).collect::<Vec<_>>(), ["bind"]);
        assert_eq!(options_by_flags(8192).collect::<Vec<_>>(), ["move"]);
    }
}
