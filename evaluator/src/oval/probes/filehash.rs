//! `ind:filehash58`: hashes of files.

use std::fmt::Write as _;

use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use virtscap_scap::oval::{FileType, ItemEntity, ObjectContent, TestType};

use super::{Findings, file_entities};
use crate::files::Lookup;
use crate::oval::Session;
use crate::oval::variables::NoValues;

/// A way to hash, with the name that OVAL has for it (`EntityObjectHashTypeType`).
type Hash = (&'static str, fn(&[u8]) -> String);

/// In the order in which OpenSCAP tries them.
const HASHES: [Hash; 6] = [
    ("MD5", hash::<md5::Md5>),
    ("SHA-1", hash::<sha1::Sha1>),
    ("SHA-224", hash::<Sha224>),
    ("SHA-256", hash::<Sha256>),
    ("SHA-384", hash::<Sha384>),
    ("SHA-512", hash::<Sha512>),
];

impl<'a> Session<'a> {
    /// `ind:filehash58_object`: one item per file and kind of hash.
    ///
    /// A link that leads nowhere, or a file that cannot be read, is an item with an error.
    pub(super) fn file_hash_58(
        &mut self,
        content: &'a ObjectContent,
        findings: &mut Findings,
    ) -> Result<(), NoValues> {
        let wanted = self.wanted(content, "hash_type")?;
        let mut hashes = Vec::new();
        for hash in HASHES {
            if wanted.is_match(hash.0)? {
                hashes.push(hash);
            }
        }
        for filepath in self.files_to_read(content, findings)? {
            let problem = match self.files.read(&filepath) {
                Lookup::Found(bytes) => {
                    for (name, hash) in &hashes {
                        let mut entities = file_entities(&filepath);
                        entities.push(ItemEntity::text("hash_type", *name));
                        entities.push(ItemEntity::text("hash", hash(&bytes)));
                        findings.item(TestType::FileHash58, entities);
                    }
                    continue;
                }
                Lookup::Missing { reason: Some(reason) } => {
                    findings.withhold(Some(reason));
                    continue;
                }
                Lookup::Missing { reason: None } if self.leads_nowhere(&filepath) => {
                    format!("{filepath}: leads nowhere")
                }
                Lookup::Missing { reason: None } => continue,
                Lookup::Unreadable { reason } => format!("{filepath}: {reason}"),
            };
            findings.error(problem);
            for (name, _) in &hashes {
                let mut entities = file_entities(&filepath);
                entities.push(ItemEntity::text("hash_type", *name));
                findings.failed_item(TestType::FileHash58, entities);
            }
        }
        Ok(())
    }

    /// Whether what plainly has no content is a link to what is not there.
    pub(super) fn leads_nowhere(&self, path: &str) -> bool {
        let Lookup::Found(metadata) = self.files.metadata(path) else { return false };
        metadata.file_type == FileType::Link && !matches!(self.files.directory(path), Lookup::Found(_))
    }
}

/// A hash in hexadecimal.
fn hash<D: Digest>(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in D::digest(bytes) {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standards() {
        let starts = HASHES.map(|(_, hash)| hash(b"abc")[..8].to_owned());
        assert_eq!(starts, ["90015098", "a9993e36", "23097d22", "ba7816bf", "cb00753f", "ddaf35a1"]);
        let lengths = HASHES.map(|(_, hash)| hash(b"").len());
        assert_eq!(lengths, [32, 40, 56, 64, 96, 128]);
    }
}
