//! Pages of a list, put together in a file.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use serde_json::{Map, Value};

use super::redact::redact;
use crate::source::Refusal;
use crate::source::cluster::{ClusterPages, Fault, Part};

/// What came of an answer.
pub(super) enum Answered {
    /// It is in the file, with so many objects.
    Objects(u64),
    /// It could not be had, and there is no file.
    Refused(Fault),
}

/// Why a page does not become part of the file.
enum Failed {
    Refused(Fault),
    Io(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

/// Writes an answer, page by page; a list that is read anew is written anew.
pub(super) fn write(pages: &mut ClusterPages, file: &Path) -> io::Result<Answered> {
    match write_pages(pages, file) {
        Ok(objects) => Ok(Answered::Objects(objects)),
        Err(Failed::Io(error)) => Err(error),
        Err(Failed::Refused(fault)) => match std::fs::remove_file(file) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(Answered::Refused(fault)),
        },
    }
}

fn write_pages(pages: &mut ClusterPages, file: &Path) -> Result<u64, Failed> {
    let mut list: Option<ListFile> = None;
    let mut token: Option<String> = None;
    loop {
        let bytes = match pages.part(token.as_deref())? {
            Part::Page(bytes) => bytes,
            Part::Restart => {
                (list, token) = (None, None);
                continue;
            }
            Part::End => break,
        };
        let Page { rest, items, next } = Page::read(&bytes)?;
        drop(bytes);
        let Some(items) = items else {
            // A list does not turn into an object half-way.
            if list.is_some() {
                return Err(Fault::from(Refusal::NotAList).into());
            }
            let mut out = BufWriter::new(File::create(file)?);
            serde_json::to_writer(&mut out, &rest).map_err(io::Error::from)?;
            out.write_all(b"\n")?;
            out.into_inner().map_err(io::IntoInnerError::into_error)?;
            return Ok(1);
        };
        let list = match &mut list {
            Some(list) => list,
            none => none.insert(ListFile::create(file, &rest)?),
        };
        for item in items {
            list.push(item)?;
        }
        match next {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    match list {
        Some(list) => Ok(list.finish()?),
        None => Err(Fault::from(Refusal::Empty).into()),
    }
}

/// What a page holds.
struct Page {
    /// All but the items and what names the next page.
    rest: Map<String, Value>,
    /// The items; none: it is no list.
    items: Option<Vec<Value>>,
    /// The token of the next page.
    next: Option<String>,
}

impl Page {
    fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let malformed = |e: serde_json::Error| Refusal::Malformed { format: "JSON", reason: e.to_string() };
        let Value::Object(mut rest) = serde_json::from_slice(bytes).map_err(malformed)? else {
            return Err(Refusal::NotAnObject.into());
        };
        let is_list = rest.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        let items = match rest.remove("items") {
            Some(Value::Array(items)) if items.iter().all(Value::is_object) => Some(items),
            Some(Value::Array(_)) => return Err(Refusal::NotAList.into()),
            _ if is_list => return Err(Refusal::NotAList.into()),
            Some(other) => {
                rest.insert("items".to_owned(), other);
                None
            }
            None => None,
        };
        let mut next = None;
        if items.is_some()
            && let Some(Value::Object(metadata)) = rest.get_mut("metadata")
        {
            next = metadata.remove("continue").and_then(|token| token.as_str().map(str::to_owned));
            metadata.remove("remainingItemCount");
        }
        let mut rest = Value::Object(rest);
        redact(&mut rest);
        let Value::Object(rest) = rest else { return Err(Refusal::NotAnObject.into()) };
        Ok(Self { rest, items, next: next.filter(|token| !token.is_empty()) })
    }
}

/// A list that is being written.
struct ListFile {
    out: BufWriter<File>,
    objects: u64,
}

impl ListFile {
    /// The list begins, with all that it says beside its items.
    fn create(file: &Path, rest: &Map<String, Value>) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create(file)?);
        out.write_all(b"{")?;
        for (key, value) in rest {
            serde_json::to_writer(&mut out, key)?;
            out.write_all(b":")?;
            serde_json::to_writer(&mut out, value)?;
            out.write_all(b",")?;
        }
        out.write_all(b"\"items\":[")?;
        Ok(Self { out, objects: 0 })
    }

    fn push(&mut self, mut item: Value) -> io::Result<()> {
        redact(&mut item);
        // Each object has a line of its own, so that tools that go by lines can read the file.
        self.out.write_all(if self.objects == 0 { b"\n" } else { b",\n" })?;
        self.objects += 1;
        Ok(serde_json::to_writer(&mut self.out, &item)?)
    }

    fn finish(mut self) -> io::Result<u64> {
        self.out.write_all(b"\n]}\n")?;
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(self.objects)
    }
}
