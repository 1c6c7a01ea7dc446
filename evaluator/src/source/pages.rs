//! Answers page by page: an API server's list comes in pages, a file in one.

use std::io::Read;

use super::Format;

/// A part of an answer.
pub struct Page {
    /// What it holds.
    pub content: PageContent,
    /// How it is written.
    pub format: Format,
    /// Its bytes.
    pub body: Box<dyn Read + Send>,
}

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageContent {
    /// What the API server answers: an object, or (a page of) a list, or its refusal as a `Status`.
    Answer,
    /// One object of the list that was asked for.
    Item,
}

/// What comes next.
pub enum Next {
    /// A page.
    Page(Page),
    /// The list has to be read anew, from its first page: what came so far is void.
    Restart,
    /// There is nothing more.
    End,
}

/// The pages of one answer. They are read on a thread that is given up where it takes too long.
pub trait Pages: Send {
    /// What comes next. `token` is the `metadata.continue` of the page before, where that one has it.
    ///
    /// # Errors
    /// [`Refusal`] where the answer, or the rest of it, cannot be had.
    fn next(&mut self, token: Option<&str>) -> Result<Next, Refusal>;
}

/// Why an answer gives no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The source does not hold the path.
    #[error("the source holds no answer for it")]
    Missing,
    /// The source does not contain it, for this reason, which says nothing about the cluster.
    #[error("{0}")]
    NotContained(String),
    /// It cannot be read, or not to its end.
    #[error("{0}")]
    Unreadable(String),
    /// The API server knows no such path.
    #[error("the API server knows no such path (404)")]
    NotFound,
    /// The API server refused access.
    #[error("access was refused (403): {0}")]
    Forbidden(String),
    /// The API server answered otherwise.
    #[error("the API server answered {code}: {message}")]
    Status {
        /// The HTTP status.
        code: i64,
        /// What it says.
        message: String,
    },
    /// Nothing was answered.
    #[error("the answer is empty")]
    Empty,
    /// It is broken.
    #[error("the answer is not valid {format}, or was cut off: {reason}")]
    Malformed {
        /// What it should be.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// It is no object.
    #[error("the answer is no API object")]
    NotAnObject,
    /// It says that it is a list, and is none.
    #[error("the answer is no list of API objects")]
    NotAList,
    /// The source has no more of the list than this page.
    #[error("the answer is one page of a longer list")]
    OnePage,
    /// Its filter failed.
    #[error("{0}")]
    Filter(String),
    /// Its filter took too long.
    #[error("its filter was given up after {0} seconds")]
    Deadline(u64),
    /// Its filter crashed.
    #[error("its filter crashed")]
    Crashed,
}

/// An answer that is whole in one page.
pub struct OnePage(Option<Page>);

impl OnePage {
    /// The answer of these bytes.
    pub fn new(body: impl Read + Send + 'static, format: Format) -> Self {
        Self(Some(Page { content: PageContent::Answer, format, body: Box::new(body) }))
    }
}

impl Pages for OnePage {
    fn next(&mut self, token: Option<&str>) -> Result<Next, Refusal> {
        match (self.0.take(), token) {
            (Some(page), _) => Ok(Next::Page(page)),
            (None, Some(_)) => Err(Refusal::OnePage),
            (None, None) => Ok(Next::End),
        }
    }
}
