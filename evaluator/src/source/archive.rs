//! Archives of folders: `.tar`, and `.tar.gz`.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;

/// How many bytes an archive may unpack to.
const MAX_UNPACKED: u64 = 16 << 30;

/// The size of the blocks that archives are made of.
const BLOCK: u64 = 512;

/// Where the word `ustar` stands in the first header of an archive that is not compressed.
const USTAR: std::ops::Range<usize> = 257..262;

/// What an archive was unpacked to.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// The temporary folder. It goes away with this.
    pub(super) folder: TempDir,
    /// Links in the archive. They are not unpacked: a link could point out of the folder.
    pub(super) links: Vec<PathBuf>,
}

/// Why an archive cannot be unpacked.
#[derive(Debug)]
pub(super) enum ArchiveError {
    /// The file cannot be read.
    Io(io::Error),
    /// It is no archive.
    NotAnArchive,
    /// It is broken, or too large.
    Broken(io::Error),
}

/// Unpacks the regular files that are wanted, by their path in the archive, to a temporary folder.
pub(super) fn unpack(path: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<Unpacked, ArchiveError> {
    let mut file = File::open(path).map_err(ArchiveError::Io)?;
    let mut start = Vec::with_capacity(USTAR.end);
    file.by_ref().take(USTAR.end as u64).read_to_end(&mut start).map_err(ArchiveError::Io)?;
    file.rewind().map_err(ArchiveError::Io)?;
    let file = BufReader::new(file);
    let plain: Box<dyn Read> = if start.starts_with(&[0x1f, 0x8b]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(file))
    } else if start.get(USTAR) == Some(b"ustar") {
        Box::new(file)
    } else {
        return Err(ArchiveError::NotAnArchive);
    };
    // One byte more than allowed, so that an archive that is too large is told from one that just fits.
    let read = Rc::new(Cell::new(0));
    let counted = Counted { inner: plain.take(MAX_UNPACKED + 1), read: read.clone() };
    let mut archive = tar::Archive::new(counted);
    let folder = tempfile::tempdir().map_err(ArchiveError::Io)?;
    let mut links = Vec::new();
    let mut unpacked = 0_u64;
    let mut end = 0;
    for entry in archive.entries().map_err(ArchiveError::Broken)? {
        let mut entry = entry.map_err(ArchiveError::Broken)?;
        unpacked = unpacked.saturating_add(entry.size());
        if unpacked > MAX_UNPACKED {
            let reason = format!("it unpacks to more than {} GiB", MAX_UNPACKED >> 30);
            return Err(ArchiveError::Broken(io::Error::other(reason)));
        }
        let size = entry.header().entry_size().map_err(ArchiveError::Broken)?;
        end = entry.raw_file_position().saturating_add(size).div_ceil(BLOCK).saturating_mul(BLOCK);
        let kind = entry.header().entry_type();
        let name = entry.path().map_err(ArchiveError::Broken)?.into_owned();
        if kind.is_symlink() || kind.is_hard_link() {
            links.push(name);
        } else if kind.is_file() && wanted(&name) {
            entry.unpack_in(folder.path()).map_err(ArchiveError::Broken)?;
        }
    }
    // An archive ends with blocks of zeros. One that was cut off between two files would be taken for a whole one.
    if read.get() < end.saturating_add(BLOCK) {
        return Err(ArchiveError::Broken(io::Error::new(io::ErrorKind::UnexpectedEof, "it was cut off")));
    }
    Ok(Unpacked { folder, links })
}

/// A reader that counts what was read.
struct Counted<R> {
    inner: R,
    read: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}
