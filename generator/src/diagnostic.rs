//! What is wrong with a benchmark: where, what, and what to do about it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file.
    pub path: PathBuf,
    /// Line and column, from 1; none: the file as a whole.
    pub place: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The expression that is wrong, and where in it.
    pub expression: Option<(String, Range<usize>)>,
}

/// All that is wrong with a benchmark, sorted by place.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostic {
    /// Something wrong with a file as a whole.
    pub fn of_file(path: &Path, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), place: None, message: message.into(), help: None, expression: None }
    }

    /// Something wrong at a place.
    pub fn at(path: &Path, place: (usize, usize), message: impl Into<String>) -> Self {
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
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
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
            let source = std::fs::read_to_string(&diagnostic.path).unwrap_or_default();
            out.push_str(&diagnostic.render(&source, &renderer));
            out.push_str("\n\n");
        }
        out
    }
}

impl Diagnostic {
    fn render(&self, source: &str, renderer: &Renderer) -> String {
        let path = self.path.display().to_string();
        let title = Level::ERROR.primary_title(self.message.as_str());
        let mut group = match self.place.and_then(|(line, column)| span(source, line, column)) {
            Some(span) => title.element(
                Snippet::source(source).path(path.as_str()).annotation(AnnotationKind::Primary.span(span)),
            ),
            None => title.element(annotate_snippets::Origin::path(path.as_str())),
        };
        if let Some((expression, span)) = &self.expression {
            let annotation = AnnotationKind::Primary.span(span.clone());
            group = group.element(Snippet::source(expression.as_str()).path("in the expression").annotation(annotation));
        }
        let mut groups = vec![group];
        if let Some(help) = &self.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
        }
        renderer.render(&groups).to_string()
    }
}

/// The rest of the line from a place on, in bytes.
fn span(source: &str, line: usize, column: usize) -> Option<Range<usize>> {
    let start: usize = source.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let text = source.get(start..)?.lines().next()?;
    let offset: usize = text.chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    let end = start + text.trim_end().len();
    let start = (start + offset).min(end);
    Some(start..end.max(start))
}
