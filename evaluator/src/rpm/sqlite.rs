//! As much of SQLite's file format (<https://www.sqlite.org/fileformat2.html>) as RPM's database needs: the blobs of one
//! table, with what the write-ahead log has that the file has not yet.

use std::collections::HashMap;

/// What a database begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// How long the header of a database is, on the first page.
const DATABASE_HEADER: usize = 100;
/// How long the header of a log is, and that of each of its frames.
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// How deep a tree can be: a deeper one would hold more than any file does.
const MAX_DEPTH: usize = 20;

type Result<T> = std::result::Result<T, String>;

fn malformed() -> String {
    "the database is malformed".to_owned()
}

/// The values of the second column of a table, in the order of its rows.
pub(super) fn blobs(database: &[u8], log: &[u8], table: &str) -> Result<Vec<Vec<u8>>> {
    let pages = Pages::of(database, log)?;
    let mut root = None;
    pages.for_each_row(1, &mut |record| {
        if let [Value::Bytes(kind), Value::Bytes(name), _, Value::Int(page), ..] = columns(record)?.as_slice()
            && *kind == b"table"
            && *name == table.as_bytes()
        {
            root = Some(u32::try_from(*page).map_err(|_| malformed())?);
        }
        Ok(())
    })?;
    let root = root.ok_or_else(|| format!("the database has no table {table}"))?;
    let mut blobs = Vec::new();
    pages.for_each_row(root, &mut |record| {
        match columns(record)?.get(1) {
            Some(Value::Bytes(bytes)) => blobs.push(bytes.to_vec()),
            _ => return Err(malformed()),
        }
        Ok(())
    })?;
    Ok(blobs)
}

/// The pages of a database.
struct Pages<'a> {
    database: &'a [u8],
    /// Pages that are newer in the log.
    newer: HashMap<u32, &'a [u8]>,
    size: usize,
    /// How much of a page is used for rows.
    usable: usize,
    /// How many pages there are.
    count: usize,
}

impl<'a> Pages<'a> {
    fn of(database: &'a [u8], log: &'a [u8]) -> Result<Self> {
        let head = match database.get(..DATABASE_HEADER) {
            Some(head) if head.starts_with(MAGIC) => head,
            _ => return Err("is no SQLite database".to_owned()),
        };
        let size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65536,
            size => usize::from(size),
        };
        if size < 512 || !size.is_power_of_two() {
            return Err(malformed());
        }
        let usable = size - usize::from(head[20]);
        if usable < 480 {
            return Err(malformed());
        }
        let newer = Log::of(log).map(|log| log.pages(size)).unwrap_or_default();
        let count = database.len() / size + newer.len();
        Ok(Self { database, newer, size, usable, count })
    }

    fn page(&self, number: u32) -> Result<&'a [u8]> {
        if let Some(newer) = self.newer.get(&number) {
            return Ok(newer);
        }
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let start = index.and_then(|index| index.checked_mul(self.size)).ok_or_else(malformed)?;
        start.checked_add(self.size).and_then(|end| self.database.get(start..end)).ok_or_else(malformed)
    }

    /// Visits the rows of a table, in order.
    fn for_each_row(&self, root: u32, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut walk = Walk { pages: self, left: self.count + 1 };
        walk.tree(root, 0, visit)
    }
}

/// A walk through a tree. It may look at each page once, so that it ends whatever the pages say.
struct Walk<'p, 'a> {
    pages: &'p Pages<'a>,
    left: usize,
}

impl<'a> Walk<'_, 'a> {
    fn next_page(&mut self, number: u32) -> Result<&'a [u8]> {
        self.left = self.left.checked_sub(1).ok_or_else(malformed)?;
        self.pages.page(number)
    }

    fn tree(&mut self, number: u32, depth: usize, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(malformed());
        }
        let page = self.next_page(number)?;
        let start = if number == 1 { DATABASE_HEADER } else { 0 };
        let kind = *page.get(start).ok_or_else(malformed)?;
        let count = usize::from(u16_at(page, start + 3)?);
        let cells = start + if kind == 5 { 12 } else { 8 };
        for index in 0..count {
            let cell = usize::from(u16_at(page, cells + 2 * index)?);
            match kind {
                5 => self.tree(u32_at(page, cell)?, depth + 1, visit)?,
                13 => visit(&self.row(page, cell)?)?,
                _ => return Err(malformed()),
            }
        }
        match kind {
            5 => self.tree(u32_at(page, start + 8)?, depth + 1, visit),
            13 => Ok(()),
            _ => Err(malformed()),
        }
    }

    /// A row's record, put together from the pages over which it goes.
    fn row(&mut self, page: &[u8], cell: usize) -> Result<Vec<u8>> {
        let mut rest = page.get(cell..).ok_or_else(malformed)?;
        let length = usize::try_from(varint(&mut rest)?).map_err(|_| malformed())?;
        varint(&mut rest)?;
        let usable = self.pages.usable;
        if length > self.pages.count * usable {
            return Err(malformed());
        }
        let most = usable - 35;
        if length <= most {
            return Ok(rest.get(..length).ok_or_else(malformed)?.to_vec());
        }
        let least = (usable - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (usable - 4);
        let here = if fitting <= most { fitting } else { least };
        let mut record = rest.get(..here).ok_or_else(malformed)?.to_vec();
        let mut next = u32_at(rest, here)?;
        while record.len() < length {
            let page = self.next_page(next)?;
            let more = (length - record.len()).min(usable - 4);
            record.extend_from_slice(page.get(4..4 + more).ok_or_else(malformed)?);
            next = u32_at(page, 0)?;
        }
        Ok(record)
    }
}

/// A write-ahead log.
struct Log<'a> {
    frames: &'a [u8],
    salt: &'a [u8],
    big_endian: bool,
    /// The checksum of the header, from which that of the frames goes on.
    sum: (u32, u32),
}

impl<'a> Log<'a> {
    /// Reads the header; none where it is no log, or an empty one.
    fn of(log: &'a [u8]) -> Option<Self> {
        let (head, frames) = log.split_at_checked(LOG_HEADER)?;
        let big_endian = match u32_at(head, 0).ok()? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let sum = checksum((0, 0), &head[..24], big_endian);
        let told = (u32_at(head, 24).ok()?, u32_at(head, 28).ok()?);
        (sum == told).then_some(Self { frames, salt: &head[16..24], big_endian, sum })
    }

    /// The last state of each page that was committed.
    fn pages(&self, size: usize) -> HashMap<u32, &'a [u8]> {
        let mut committed = HashMap::new();
        let mut open = Vec::new();
        let mut sum = self.sum;
        for frame in self.frames.chunks_exact(FRAME_HEADER + size) {
            let (head, page) = frame.split_at(FRAME_HEADER);
            sum = checksum(checksum(sum, &head[..8], self.big_endian), page, self.big_endian);
            let told = (u32_at(head, 16).unwrap_or(0), u32_at(head, 20).unwrap_or(0));
            // What follows was there before the log was begun anew.
            if &head[8..16] != self.salt || sum != told {
                break;
            }
            open.push((u32_at(head, 0).unwrap_or(0), page));
            if u32_at(head, 4).unwrap_or(0) != 0 {
                committed.extend(open.drain(..));
            }
        }
        committed
    }
}

fn checksum((mut a, mut b): (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let word = |bytes: &[u8]| {
        let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
        if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(word(&pair[..4])).wrapping_add(b);
        b = b.wrapping_add(word(&pair[4..])).wrapping_add(a);
    }
    (a, b)
}

/// A value of a column, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
enum Value<'a> {
    Int(u64),
    /// A text or a blob.
    Bytes(&'a [u8]),
    Other,
}

/// The columns of a record.
fn columns(record: &[u8]) -> Result<Vec<Value<'_>>> {
    let mut rest = record;
    let head = usize::try_from(varint(&mut rest)?).map_err(|_| malformed())?;
    let head_rest = head.checked_sub(record.len() - rest.len()).ok_or_else(malformed)?;
    let (mut types, mut data) = rest.split_at_checked(head_rest).ok_or_else(malformed)?;
    let mut values = Vec::new();
    while !types.is_empty() {
        let kind = varint(&mut types)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            _ => usize::try_from(kind.saturating_sub(12) / 2).map_err(|_| malformed())?,
        };
        let (bytes, after) = data.split_at_checked(length).ok_or_else(malformed)?;
        data = after;
        values.push(match kind {
            1..=6 => Value::Int(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
            8 => Value::Int(0),
            9 => Value::Int(1),
            12.. => Value::Bytes(bytes),
            _ => Value::Other,
        });
    }
    Ok(values)
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let bytes = bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u16::from_be_bytes).ok_or_else(malformed)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map(u32::from_be_bytes).ok_or_else(malformed)
}

/// A number of one to nine bytes; takes it off.
fn varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut number = 0;
    for index in 0..9 {
        let (byte, rest) = bytes.split_first().ok_or_else(malformed)?;
        *bytes = rest;
        if index == 8 {
            return Ok(number << 8 | u64::from(*byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Made by `rpm --initdb` and two packages without files; see `tests/peer/rpm/README.md`.
    const DATABASE: &[u8] = include_bytes!("../../tests/peer/rpm/rpmdb.sqlite");

    #[test]
    fn a_table_is_read() {
        let blobs = blobs(DATABASE, &[], "Packages").unwrap();
        assert!(blobs.len() >= 2);
        assert!(super::blobs(DATABASE, &[], "Nothing").unwrap_err().contains("no table"));
    }

    #[test]
    fn what_is_damaged_is_an_error_and_no_panic() {
        for length in (0..DATABASE.len()).step_by(97) {
            let _ = blobs(&DATABASE[..length], &[], "Packages");
        }
        assert!(blobs(&DATABASE[..DATABASE.len() / 8], &[], "Packages").is_err());
        let mut damaged = DATABASE.to_vec();
        for index in (0..damaged.len()).step_by(61) {
            let was = std::mem::replace(&mut damaged[index], 0xff);
            let _ = blobs(&damaged, DATABASE, "Packages");
            damaged[index] = was;
        }
        assert!(blobs(b"", b"", "Packages").is_err());
        assert!(columns(&[0x83, 0x80]).is_err());
    }

    #[test]
    fn numbers_are_of_up_to_nine_bytes() {
        let number = |bytes: &[u8]| varint(&mut &*bytes);
        assert_eq!(number(&[0x81, 0x00]), Ok(128));
        assert_eq!(number(&[0xff; 9]), Ok(u64::MAX));
        assert!(number(&[0xff]).is_err());
    }
}
