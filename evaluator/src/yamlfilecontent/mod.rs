//! The core of the OVAL `yamlfilecontent` probe: a document and a yamlpath in, records out; no I/O.
//!
//! It follows OpenSCAP 1.3.7, whose probe filters the events of libyaml and builds records of what is left, so nothing of a
//! document but the selected scalars is held. What content can notice of that is pinned by `tests/yamlfilecontent_cases.yaml`,
//! which stock `oscap` runs too.
//!
//! Quirks of OpenSCAP that are kept because a verdict may depend on them:
//! - aliases are not resolved and not counted: of `{a: *x, b: 1}` the value of `a` is the string `b`;
//! - a scalar after a mapping takes the mapping's last key as its name (`[{a: 1}, 5]`);
//! - scalars before an inner list are dropped (`[1, [2], 3]` gives 2 and 3);
//! - an anchor on the root node is not found, nor one at another depth or in a later document than the first found;
//! - a NUL (`"\0"`) ends the text of a scalar.
//!
//! What differs: no crash and no UTF-16, and nesting is bounded (see [`YamlError`]). The parser reads YAML 1.2 and is laxer
//! than libyaml about anchors' names, tabs, keys over several lines and the like, and takes U+0085, U+2028 and U+2029 for
//! text and not for line breaks; the last group of the cases lists what was found. JSON as a tool writes it reads the same,
//! and cut-off JSON is an error in both.

mod filter;
mod path;
mod record;
mod scalar;
mod text;

use std::borrow::Cow;
use std::fmt;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use filter::{ComplexKey, Container, Filter};
pub use path::{YamlPath, YamlPathError, YamlPathProblem};
use record::Collector;
pub use record::{Field, Record, StructureProblem};
pub use scalar::Scalar;
pub use text::EncodingProblem;

/// How deep flow collections, and block collections around them, may nest.
const MAX_NESTING: usize = 512;

/// The length of a key that YAML, and libyaml, allow; anything longer is an error in OpenSCAP.
const MAX_KEY: usize = 1024;

/// A file that gives the object the flag `error`; nothing of it is collected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// Bytes that libyaml's reader refuses, or UTF-16, which libyaml reads and this doesn't.
    #[error("{problem} at {place}")]
    Encoding {
        /// What was found.
        problem: EncodingProblem,
        /// Where.
        place: Place,
    },
    /// Not YAML, anywhere in the file, even after all that the path selects. Also more than 512 nested flow or block
    /// collections, where OpenSCAP has no limit.
    #[error("YAML parser error: {problem} at {place}")]
    Parse {
        /// The parser's words.
        problem: String,
        /// Where.
        place: Place,
    },
    /// What the path selects doesn't fit records.
    #[error("YAML path '{path}' points to {problem} at {place}")]
    Structure {
        /// The path.
        path: String,
        /// What was found.
        problem: StructureProblem,
        /// Where the offending collection starts.
        place: Place,
    },
    /// A selected scalar whose tag contradicts its text, as in `!!int abc`.
    #[error("can't convert '{tag} {text}' at {place}")]
    Cast {
        /// The tag, resolved.
        tag: String,
        /// The scalar.
        text: String,
        /// Where.
        place: Place,
    },
    /// A mapping that the path goes through has an alias or a collection as key. OpenSCAP crashes there.
    #[error("YAML path '{path}' goes through a map with a key that is no scalar at {place}")]
    ComplexKey {
        /// The path.
        path: String,
        /// Where the key is.
        place: Place,
    },
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

impl From<&Marker> for Place {
    fn from(marker: &Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

impl From<ScanError> for YamlError {
    fn from(error: ScanError) -> Self {
        Self::Parse { problem: error.info().to_owned(), place: error.marker().into() }
    }
}

/// Collects the records that `path` selects in the YAML or JSON documents of `text`.
///
/// No records mean that the object does not exist: an empty file, no such key, an empty collection. Time is linear in the
/// length of `text`; memory is that of the result and of the nesting.
///
/// # Errors
/// [`YamlError`], wherever OpenSCAP sets the object's flag to `error` because of this file.
pub fn select(text: &[u8], path: &YamlPath) -> Result<Vec<Record>, YamlError> {
    select_each(text, std::slice::from_ref(path)).pop().unwrap_or_else(|| Ok(Vec::new()))
}

/// As [`select`], for several paths while the text is parsed once. The results are in the order of the paths.
pub fn select_each(text: &[u8], paths: &[YamlPath]) -> Vec<Result<Vec<Record>, YamlError>> {
    let mut selections: Vec<_> = paths.iter().map(|path| Ok(Selection::new(path))).collect();
    // What is wrong with the text is wrong for all paths that have not failed by themselves before.
    if let Err(error) = parse(text, &mut selections) {
        for selection in &mut selections {
            if selection.is_ok() {
                *selection = Err(error.clone());
            }
        }
    }
    selections.into_iter().map(|selection| Ok(selection?.collector.finish())).collect()
}

/// Gives the events of the documents to the selections; each ends with its own first error.
fn parse(text: &[u8], selections: &mut [Result<Selection<'_>, YamlError>]) -> Result<(), YamlError> {
    let text = text::decode(text).map_err(|(problem, place)| YamlError::Encoding { problem, place })?;
    let named = selections.iter().flatten().any(|selection| selection.filter.wants_anchors());
    let options = granit_parser::options! {
        emit_comments: false,
        emit_anchor_events: named,
        // libyaml leaves aliases to its callers, and OpenSCAP ignores them.
        emit_unresolved_aliases: true,
        simple_key_max_lookahead: MAX_KEY,
        flow_nesting_limit: MAX_NESTING,
        block_nesting_limit: MAX_NESTING,
    };
    let mut each = |visit: &mut dyn FnMut(&mut Selection<'_>) -> Result<(), YamlError>| {
        for selection in selections.iter_mut() {
            if let Ok(open) = selection
                && let Err(error) = visit(open)
            {
                *selection = Err(error);
            }
        }
    };
    let mut events = Parser::new_from_str_with_options(text, options);
    while let Some(event) = events.next() {
        let (event, span) = event?;
        let place = Place::from(&span.start);
        match event {
            Event::DocumentStart(_, version) => {
                if version.is_some_and(|version| version.major != 1 || !matches!(version.minor, 1 | 2)) {
                    return Err(parse_error("found incompatible YAML document", place));
                }
                each(&mut |selection| {
                    selection.filter.document_start();
                    Ok(())
                });
            }
            Event::DocumentEnd => each(&mut |selection| {
                selection.filter.document_end();
                Ok(())
            }),
            Event::SequenceStart(_, anchor, _) => {
                let anchor = anchor_name(&mut events, named && anchor != 0)?;
                each(&mut |selection| selection.open(Container::Sequence, anchor.as_deref(), place));
            }
            Event::MappingStart(_, anchor, _) => {
                let anchor = anchor_name(&mut events, named && anchor != 0)?;
                each(&mut |selection| selection.open(Container::Mapping, anchor.as_deref(), place));
            }
            Event::SequenceEnd => each(&mut |selection| {
                selection.close(Container::Sequence);
                Ok(())
            }),
            Event::MappingEnd => each(&mut |selection| {
                selection.close(Container::Mapping);
                Ok(())
            }),
            Event::Scalar(value, style, anchor, tag) => {
                let anchor = anchor_name(&mut events, named && anchor != 0)?;
                if let Cow::Owned(value) = &value
                    && style == ScalarStyle::DoubleQuoted
                    && text::has_escaped_surrogates(value, span.slice(text).unwrap_or_default())
                {
                    return Err(parse_error("found invalid Unicode character escape code", place));
                }
                // The parser writes a node that isn't there as `~`.
                let value = if span.is_empty() { "" } else { value.as_ref() };
                each(&mut |selection| {
                    selection.scalar(value, style, tag.as_deref(), anchor.as_deref(), place)
                });
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => each(&mut |selection| selection.alias(place)),
            _ => {}
        }
    }
    Ok(())
}

/// What happens to the events of a document.
struct Selection<'p> {
    path: &'p YamlPath,
    filter: Filter<'p>,
    collector: Collector,
}

impl<'p> Selection<'p> {
    fn new(path: &'p YamlPath) -> Self {
        Self { path, filter: Filter::new(path), collector: Collector::new() }
    }

    fn open(&mut self, container: Container, anchor: Option<&str>, place: Place) -> Result<(), YamlError> {
        if self.filter.open(container, anchor).map_err(|problem| self.complex_key(problem, place))? {
            self.collector.open(container).map_err(|problem| YamlError::Structure {
                path: self.path.to_string(),
                problem,
                place,
            })?;
        }
        Ok(())
    }

    fn close(&mut self, container: Container) {
        if self.filter.close() {
            self.collector.close(container);
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        anchor: Option<&str>,
        place: Place,
    ) -> Result<(), YamlError> {
        if self.filter.leaf(Some(text), anchor).map_err(|problem| self.complex_key(problem, place))? {
            self.collector.scalar(c_str(text), || typed(text, style, tag, place))?;
        }
        Ok(())
    }

    /// The filter counts an alias; the probe has no use for it, selected or not.
    fn alias(&mut self, place: Place) -> Result<(), YamlError> {
        self.filter.leaf(None, None).map_err(|problem| self.complex_key(problem, place))?;
        Ok(())
    }

    fn complex_key(&self, ComplexKey: ComplexKey, place: Place) -> YamlError {
        YamlError::ComplexKey { path: self.path.to_string(), place }
    }
}

/// Reads the name of the anchor on the node that was just read, which the parser tells in an event of its own.
fn anchor_name<'a, T>(events: &mut T, anchored: bool) -> Result<Option<String>, ScanError>
where
    T: Iterator<Item = Result<(Event<'a>, Span), ScanError>>,
{
    if !anchored {
        return Ok(None);
    }
    match events.next().transpose()? {
        Some((Event::Anchor(_, name), _)) => Ok(Some(name.into_owned())),
        _ => Ok(None),
    }
}

fn typed(text: &str, style: ScalarStyle, tag: Option<&Tag>, place: Place) -> Result<Scalar, YamlError> {
    let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
    Scalar::resolve(text, style == ScalarStyle::Plain, tag.as_deref()).ok_or_else(|| YamlError::Cast {
        tag: tag.unwrap_or_default(),
        text: text.to_owned(),
        place,
    })
}

fn parse_error(problem: &str, place: Place) -> YamlError {
    YamlError::Parse { problem: problem.to_owned(), place }
}

/// What a C program sees of `text`.
fn c_str(text: &str) -> &str {
    text.split_once('\0').map_or(text, |(seen, _)| seen)
}
