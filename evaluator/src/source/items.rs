//! Answers that are put together of objects in files, one file at a time.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;

use super::objects::{content, documents, objects};
use super::{Format, Next, Page, PageContent, Pages, Refusal};

/// Where objects are: a file, and which of its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InFile {
    pub(super) file: PathBuf,
    pub(super) numbers: Vec<usize>,
}

/// The objects of files, a page each.
pub(super) struct Items {
    files: VecDeque<InFile>,
    ready: VecDeque<Vec<u8>>,
    /// What the pages hold: items of a list, or the one object that was asked for.
    content: PageContent,
}

impl Items {
    pub(super) fn new(files: impl IntoIterator<Item = InFile>, content: PageContent) -> Self {
        Self { files: files.into_iter().collect(), ready: VecDeque::new(), content }
    }
}

impl Pages for Items {
    fn next(&mut self, _: Option<&str>) -> Result<Next, Refusal> {
        while self.ready.is_empty() {
            let Some(InFile { file, numbers }) = self.files.pop_front() else { return Ok(Next::End) };
            let failed = |reason: String| Refusal::Unreadable(format!("{}: {reason}", file.display()));
            let documents = content(&file).and_then(|bytes| documents(&bytes)).map_err(failed)?;
            let found: Vec<_> = documents.into_iter().flat_map(objects).collect();
            for number in numbers {
                // What was there when the file was looked at first may have been changed since.
                let Some(Ok((_, object))) = found.get(number) else {
                    return Err(failed("was changed while it was read".to_owned()));
                };
                self.ready.push_back(object.to_string().into_bytes());
            }
        }
        let body = self.ready.pop_front().unwrap_or_default();
        let body: Box<dyn io::Read + Send> = Box::new(io::Cursor::new(body));
        Ok(Next::Page(Page { content: self.content, format: Format::Json, body }))
    }
}
