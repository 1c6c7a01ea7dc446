//! What is wrong with a benchmark: where, what, and what to do about it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
    /// How many characters from there; what is behind the end of the line does not count.
    pub length: usize,
}

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub path: PathBuf,
    /// Where in it; none: the file as a whole.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// All that is wrong with a benchmark, sorted by place.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostic {
    /// Something wrong with a file as a whole.
    pub fn of_file(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), place: None, message: message.into(), help: None }
    }

    /// Something wrong at a place.
    pub fn at(path: &Path, place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), ..Self::of_file(path, message) }
    }

    /// The same with advice.
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(place) = self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.0 {
            writeln!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl Diagnostics {
    /// The diagnostics as a compiler shows them, with the lines that they are about, in ANSI colours.
    pub fn render(&self) -> String {
        let renderer = Renderer::styled();
        let mut out = String::new();
        for diagnostic in &self.0 {
            let bytes = std::fs::read(&diagnostic.path).unwrap_or_default();
            let source = String::from_utf8_lossy(&bytes);
            out.push_str(&diagnostic.render(source.trim_start_matches(BYTE_ORDER_MARK), &renderer));
            out.push_str("\n\n");
        }
        out
    }
}

/// What some editors put before a text; it counts as no column.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';

impl Diagnostic {
    fn render(&self, source: &str, renderer: &Renderer) -> String {
        let path = self.path.display().to_string();
        let title = Level::ERROR.primary_title(self.message.as_str());
        let group = match self.place.and_then(|place| span(source, place)) {
            Some(span) => title.element(
                Snippet::source(source).path(path.as_str()).annotation(AnnotationKind::Primary.span(span)),
            ),
            None => title.element(annotate_snippets::Origin::path(path.as_str())),
        };
        let mut groups = vec![group];
        if let Some(help) = &self.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
        }
        renderer.render(&groups).to_string()
    }
}

/// The bytes of a place.
fn span(source: &str, place: Place) -> Option<Range<usize>> {
    let start: usize = source.split_inclusive('\n').take(place.line.checked_sub(1)?).map(str::len).sum();
    let line = source.get(start..)?.lines().next()?.trim_end();
    let bytes = |characters: usize| line.char_indices().nth(characters).map_or(line.len(), |(byte, _)| byte);
    let first = place.column.saturating_sub(1);
    Some(start + bytes(first)..start + bytes(first.saturating_add(place.length)))
}
