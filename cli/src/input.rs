//! Reading of the files that a user names: bounded, and with an error that says what is wrong.

use std::fs::{File, FileType};
use std::io::{IsTerminal as _, Read};
use std::path::Path;

/// The most bytes that a file may have, and what it expands to if it is compressed. Content has up to some 60 MB, an ARF
/// some hundred.
pub(crate) const LIMIT: u64 = 1 << 30;

/// Why a file cannot be read. Whoever reads it names it, in the words of the command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// The system says why.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A folder.
    #[error("this is a folder; name a file")]
    Folder,
    /// A device, which may never end.
    #[error("this is a device; name a file or a pipe")]
    Device,
    /// More than [`LIMIT`].
    #[error("the file is larger than {LIMIT} bytes (1 GiB), which is the most that is read")]
    TooLarge,
    /// Not UTF-8.
    #[error(
        "the text is not in UTF-8: byte {offset} belongs to no character; write it in UTF-8 (iconv -t UTF-8)"
    )]
    NotUtf8 {
        /// Where the first such byte is, from 0.
        offset: usize,
    },
}

/// The bytes of a regular file, of a pipe, or of what is typed. `/dev/stdin` and `/dev/fd/N` are what they stand for.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>, InputError> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(InputError::Folder);
    }
    // A terminal is a device that ends.
    if is_device(metadata.file_type()) && !file.is_terminal() {
        return Err(InputError::Device);
    }
    if metadata.len() > LIMIT {
        return Err(InputError::TooLarge);
    }
    bounded(file)
}

/// Everything that a reader gives, up to the limit.
pub(crate) fn bounded(reader: impl Read) -> Result<Vec<u8>, InputError> {
    up_to(reader, LIMIT)
}

fn up_to(reader: impl Read, limit: u64) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    reader.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(InputError::TooLarge) } else { Ok(bytes) }
}

/// The text of a file.
pub(crate) fn text(path: &Path) -> Result<String, InputError> {
    utf8(bytes(path)?)
}

/// Bytes as text, without a byte order mark.
pub(crate) fn utf8(bytes: Vec<u8>) -> Result<String, InputError> {
    let mut text =
        String::from_utf8(bytes).map_err(|e| InputError::NotUtf8 { offset: e.utf8_error().valid_up_to() })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

#[cfg(unix)]
fn is_device(kind: FileType) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    kind.is_char_device() || kind.is_block_device()
}

#[cfg(not(unix))]
fn is_device(_: FileType) -> bool {
    false
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_end_is_given_up_at_the_limit() {
        assert_eq!(up_to(&b"four"[..], 4).unwrap(), b"four");
        assert!(matches!(up_to(&b"five!"[..], 4), Err(InputError::TooLarge)));
        assert!(matches!(up_to(std::io::repeat(0), 4), Err(InputError::TooLarge)));
    }

    #[test]
    fn a_text_has_no_byte_order_mark_and_no_bad_bytes() {
        assert_eq!(utf8("\u{feff}\u{feff}ä".into()).unwrap(), "\u{feff}ä");
        let error = utf8(b"\xef\xbb\xbfgr\xf6\xdfe".to_vec()).unwrap_err();
        assert!(matches!(error, InputError::NotUtf8 { offset: 5 }), "{error}");
    }
}
