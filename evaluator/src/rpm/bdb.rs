//! The values of a hash of Berkeley DB, as RPM kept its packages in before it had SQLite: of versions 8 to 10 of the
//! format, in either order of bytes.

use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, String>;

/// Where a page's entries or data begin.
const HEAD: usize = 26;

/// Types of pages.
const UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const META: u8 = 8;
const HASH: u8 = 13;

/// Types of entries.
const HERE: u8 = 1;
const ELSEWHERE: u8 = 3;

fn malformed() -> String {
    "the database is malformed".to_owned()
}

/// The values by their keys, which are numbers; the key 0 is RPM's own counter and is left out.
///
/// An error where the file is no such hash, is damaged, or is of a form that RPM does not write.
pub(super) fn values(database: &[u8]) -> Result<Vec<Vec<u8>>> {
    let hash = Hash::open(database)?;
    let mut values = BTreeMap::new();
    // What is there is there once, however the pages refer to each other.
    let mut left = database.len();
    let mut pages = 0;
    for bucket in 0..=hash.last_bucket {
        let mut next = hash.first_page(bucket)?;
        while next != 0 {
            pages += 1;
            if pages > hash.last_page {
                return Err("the database's pages lead in a circle".to_owned());
            }
            let page = hash.page(next)?;
            if !matches!(page.kind(), UNSORTED | META | HASH) {
                return Err(malformed());
            }
            for entry in (0..page.count()?).step_by(2) {
                let key = page.entry(entry, &mut left)?;
                let value = page.entry(entry + 1, &mut left)?;
                let key = key.try_into().map(|key| hash.order.u32(key)).map_err(|_| malformed())?;
                if key != 0 && values.insert(key, value).is_some() {
                    return Err(malformed());
                }
            }
            next = page.next()?;
        }
    }
    Ok(values.into_values().collect())
}

#[derive(Debug, Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn u16_at(self, bytes: &[u8], at: usize) -> Result<usize> {
        let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(malformed)?;
        Ok(usize::from(match self {
            Self::Little => u16::from_le_bytes(*bytes),
            Self::Big => u16::from_be_bytes(*bytes),
        }))
    }

    fn u32_at(self, bytes: &[u8], at: usize) -> Result<u32> {
        let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk).ok_or_else(malformed)?;
        Ok(self.u32(*bytes))
    }
}

struct Hash<'d> {
    database: &'d [u8],
    order: Order,
    page_size: usize,
    last_page: u32,
    last_bucket: u32,
}

impl<'d> Hash<'d> {
    fn open(database: &'d [u8]) -> Result<Self> {
        const MAGIC: u32 = 0x61561;
        let order = [Order::Little, Order::Big]
            .into_iter()
            .find(|order| order.u32_at(database, 12) == Ok(MAGIC))
            .ok_or("the file is no hash of Berkeley DB")?;
        let number = |at: usize| order.u32_at(database, at);
        let version = number(16)?;
        if !(8..=10).contains(&version) {
            return Err(format!("version {version} of Berkeley DB's hashes is not supported"));
        }
        // Encryption, checksums, and more than one value of a key.
        if database.get(24) != Some(&0) || database.get(26) != Some(&0) || number(48)? != 0 {
            return Err("Berkeley DB's hashes of this form are not supported".to_owned());
        }
        let page_size = usize::try_from(number(20)?).map_err(|_| malformed())?;
        let (last_page, last_bucket) = (number(32)?, number(72)?);
        // These are the sizes that there are.
        if !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) || last_bucket >= last_page {
            return Err(malformed());
        }
        Ok(Self { database, order, page_size, last_page, last_bucket })
    }

    /// The page that a bucket begins with: buckets are made in groups, each of which doubles their number.
    fn first_page(&self, bucket: u32) -> Result<u32> {
        let group = (u32::BITS - bucket.leading_zeros()) as usize;
        let spares = self.database.get(96..224).ok_or_else(malformed)?;
        bucket.checked_add(self.order.u32_at(spares, 4 * group)?).ok_or_else(malformed)
    }

    fn page(&self, number: u32) -> Result<Page<'_, 'd>> {
        let start = usize::try_from(number).ok().and_then(|number| number.checked_mul(self.page_size));
        let start = start.filter(|_| (1..=self.last_page).contains(&number)).ok_or_else(malformed)?;
        let bytes = self.database.get(start..).and_then(|rest| rest.get(..self.page_size));
        let bytes = bytes.ok_or("the database is cut off")?;
        if self.order.u32_at(bytes, 8)? != number {
            return Err(malformed());
        }
        Ok(Page { hash: self, bytes })
    }
}

struct Page<'h, 'd> {
    hash: &'h Hash<'d>,
    bytes: &'d [u8],
}

impl Page<'_, '_> {
    fn kind(&self) -> u8 {
        self.bytes[25]
    }

    fn next(&self) -> Result<u32> {
        self.hash.order.u32_at(self.bytes, 16)
    }

    /// How many entries there are: keys, each with its value.
    fn count(&self) -> Result<usize> {
        let count = self.hash.order.u16_at(self.bytes, 20)?;
        if count % 2 == 0 { Ok(count) } else { Err(malformed()) }
    }

    /// The data of an entry; they are taken off what is left.
    fn entry(&self, number: usize, left: &mut usize) -> Result<Vec<u8>> {
        let start = |number: usize| self.hash.order.u16_at(self.bytes, HEAD + 2 * number);
        // They stand one before the other, from the end.
        let end = if number == 0 { self.hash.page_size } else { start(number - 1)? };
        let entry = self.bytes.get(start(number)?..end).ok_or_else(malformed)?;
        match entry.split_first() {
            Some((&HERE, data)) => {
                take(left, data.len())?;
                Ok(data.to_vec())
            }
            Some((&ELSEWHERE, _)) => {
                let number = |at: usize| self.hash.order.u32_at(entry, at);
                let length = usize::try_from(number(8)?).map_err(|_| malformed())?;
                take(left, length)?;
                self.hash.overflow(number(4)?, length)
            }
            _ => Err(malformed()),
        }
    }
}

impl Hash<'_> {
    /// Data that are on pages of their own.
    fn overflow(&self, mut next: u32, length: usize) -> Result<Vec<u8>> {
        let mut data = Vec::new();
        while data.len() < length {
            let page = self.page(next)?;
            let here = self.order.u16_at(page.bytes, 22)?;
            let bytes = page.bytes.get(HEAD..HEAD + here).ok_or_else(malformed)?;
            if page.kind() != OVERFLOW || bytes.is_empty() || data.len() + here > length {
                return Err(malformed());
            }
            data.extend_from_slice(bytes);
            next = page.next()?;
        }
        Ok(data)
    }
}

fn take(left: &mut usize, length: usize) -> Result<()> {
    *left = left.checked_sub(length).ok_or_else(malformed)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::rpm::sqlite;

    const SQLITE: &[u8] = include_bytes!("../../tests/peer/rpm/rpmdb.sqlite");
    /// Made by Berkeley DB's own `db5.3_load` of what is in `rpmdb.sqlite`; see `tests/peer/rpm/README.md`.
    const LITTLE: &[u8] = include_bytes!("../../tests/peer/rpm/Packages");
    const BIG: &[u8] = include_bytes!("../../tests/peer/rpm/Packages.big-endian");
    const MANY: &[u8] = include_bytes!("../../tests/peer/rpm/Packages.many");
    const MANY_SQLITE: &[u8] = include_bytes!("../../tests/peer/rpm/dependencies.sqlite");

    #[test]
    fn values_are_those_of_sqlite() {
        for (database, same) in [(LITTLE, SQLITE), (BIG, SQLITE), (MANY, MANY_SQLITE)] {
            assert_eq!(values(database), sqlite::blobs(same, &[], "Packages"));
        }
        // Otherwise nothing is said of buckets of several groups.
        assert!(Hash::open(MANY).unwrap().last_bucket > 2);
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for length in (0..LITTLE.len()).step_by(89) {
            assert!(values(&LITTLE[..length]).is_err(), "{length}");
        }
        assert!(values(b"x").unwrap_err().contains("no hash of Berkeley DB"));
    }

    #[test]
    fn what_is_damaged_is_no_panic() {
        let packages = values(LITTLE).unwrap();
        let mut damaged = LITTLE.to_vec();
        for index in (0..damaged.len()).step_by(5) {
            for byte in [0, 0xff, damaged[index] ^ 1] {
                let was = std::mem::replace(&mut damaged[index], byte);
                if let Ok(values) = values(&damaged) {
                    // The counter may look like a package.
                    assert!(values.len() <= packages.len() + 1);
                }
                damaged[index] = was;
            }
        }
    }
}
