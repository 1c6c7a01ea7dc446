//! Reading of files and folders.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde_yaml::{DefaultMessageFormatter, Error, MessageFormatter as _};

use super::Loader;
use super::source::{at, place};
use crate::diagnostic::{BYTE_ORDER_MARK, Diagnostic, Place};

/// The largest file that is read, in bytes. The largest that anybody needs is a tenth of it.
const MAX_FILE: u64 = 1024 * 1024;

const TOO_MUCH: &str = "the YAML is too large or too deep, or its aliases unfold to too much";

impl Loader {
    /// Reads a file; an error in its form is told, and there is nothing more to say about it.
    pub(super) fn read<T: DeserializeOwned>(&mut self, path: &Path) -> Option<T> {
        let source = self.source(path)?;
        let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
        match serde_yaml::from_str_with_options(&source, options) {
            Ok(value) => {
                self.sources.insert(path.to_owned(), source);
                Some(value)
            }
            Err(e) => {
                self.error(structural(path, &source, e.without_snippet()));
                None
            }
        }
    }

    /// The text of a file.
    fn source(&mut self, path: &Path) -> Option<String> {
        let bytes = match read_bounded(path) {
            Ok(bytes) => bytes,
            Err(e) => {
                self.error(unreadable(path, &e));
                return None;
            }
        };
        match String::from_utf8(bytes) {
            Ok(mut source) => {
                if source.starts_with(BYTE_ORDER_MARK) {
                    source.drain(..BYTE_ORDER_MARK.len_utf8());
                }
                Some(source)
            }
            Err(e) => {
                let good =
                    String::from_utf8_lossy(&e.as_bytes()[..e.utf8_error().valid_up_to()]).into_owned();
                let mut place = at(&good, good.len()..good.len());
                place.length = 1;
                let message = "the file is not UTF-8 from here on";
                self.error(Diagnostic::at(path, place, message).help("save it in UTF-8"));
                None
            }
        }
    }

    /// The folders in a folder. What is hidden belongs to other programs.
    pub(super) fn folders(&mut self, folder: &Path, files: &[&str]) -> Vec<PathBuf> {
        let entries = self.entries(folder);
        self.nothing_else(&entries, files);
        entries.into_iter().filter(|path| path.is_dir()).collect()
    }

    /// What is in a folder, sorted: the order in which a file system lists it must not show.
    pub(super) fn entries(&mut self, folder: &Path) -> Vec<PathBuf> {
        match std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
            Ok(entries) => {
                let hidden = |path: &PathBuf| {
                    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
                };
                let paths = entries.iter().map(std::fs::DirEntry::path);
                let mut paths: Vec<_> = paths.filter(|path| !hidden(path)).collect();
                paths.sort();
                paths
            }
            Err(e) => {
                self.error(unreadable(folder, &e));
                Vec::new()
            }
        }
    }

    /// A YAML file that nobody reads is a file with a wrong name, and what it says would be missed.
    pub(super) fn nothing_else(&mut self, entries: &[PathBuf], files: &[&str]) {
        let yaml = |path: &Path| path.extension().is_some_and(|e| e == "yaml" || e == "yml");
        let known = |path: &Path| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| files.contains(&name))
        };
        for path in entries.iter().filter(|path| path.is_file() && yaml(path) && !known(path)) {
            let help = format!("what is read here is {}", files.join(" and "));
            self.error(Diagnostic::of_file(path, "a file of this name is not read").help(help));
        }
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe or a device would block, or never end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("this is no file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("the file is larger than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    match error.kind() {
        io::ErrorKind::NotFound => {
            let missing = Diagnostic::of_file(path, "there is no such file or folder");
            match path.file_name().and_then(|name| name.to_str()) {
                Some("section.yaml") => {
                    missing.help("every folder in benchmark/ is a section and has a section.yaml")
                }
                Some("rule.yaml" | "cases.yaml") => {
                    missing.help("every folder in a section is a rule and has a rule.yaml and a cases.yaml")
                }
                Some("values.yaml") => {
                    missing.help("write [] to it if there is nothing that an auditor can set")
                }
                _ => missing,
            }
        }
        io::ErrorKind::PermissionDenied => Diagnostic::of_file(path, "you may not read this"),
        _ => Diagnostic::of_file(path, error.to_string()),
    }
}

/// What is wrong with the form of a file, in words of its author.
fn structural(path: &Path, source: &str, error: &Error) -> Diagnostic {
    let (message, help) = words(source, error);
    let mut diagnostic = match error.location() {
        Some(location) => Diagnostic::at(path, place(location), message),
        None => Diagnostic::of_file(path, message),
    };
    if let Some(place) = &mut diagnostic.place {
        match error {
            Error::SerdeMissingField { .. } => first_key(source, place),
            _ if diagnostic.message.ends_with("found a tab") => tab(source, place),
            _ => {}
        }
    }
    diagnostic.help = help;
    diagnostic
}

/// The parser points at the last key of the map that lacks one; its first one leads to the map.
fn first_key(source: &str, place: &mut Place) {
    let lines: Vec<_> = source.lines().take(place.line).enumerate().collect();
    for (index, line) in lines.into_iter().rev() {
        let before: String = line.chars().take(place.column.saturating_sub(1)).collect();
        let key =
            line.chars().nth(place.column.saturating_sub(1)).is_some_and(|c| !c.is_whitespace() && c != '#');
        // The first key of a map that is in a list stands behind the list's hyphens.
        if !before.chars().all(|c| matches!(c, ' ' | '-')) {
            break;
        }
        if key {
            (place.line, place.length) = (index + 1, usize::MAX);
        }
        if before.contains('-') {
            break;
        }
    }
}

/// The parser points at the text before a tab that indents a line.
fn tab(source: &str, place: &mut Place) {
    let lines = source.lines().enumerate().skip(place.line.saturating_sub(1));
    let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
    for (index, line) in lines {
        let column = spaces(line);
        if line[column..].starts_with('\t') {
            *place = Place { line: index + 1, column: column + 1, length: 1 };
            return;
        }
    }
}

fn words(source: &str, error: &Error) -> (String, Option<String>) {
    let message = |text: &str| (text.to_owned(), None);
    let with_help = |text: &str, help: &str| (text.to_owned(), Some(help.to_owned()));
    match error {
        Error::SerdeUnknownField { field, expected, .. } => (
            format!("there is no key '{}' here", field.escape_debug()),
            Some(format!("the keys are {}", expected.join(", "))),
        ),
        Error::SerdeMissingField { field, .. } => (format!("the key '{field}' is missing"), None),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("the key '{}' is there twice", key.escape_debug()), None)
        }
        Error::NullIntoString { .. } => message("there is nothing here; wanted is a text"),
        Error::InvalidScalar { ty, .. } if ty.starts_with(['u', 'i']) => {
            message("wanted is a small whole number")
        }
        Error::InvalidBooleanStrict { .. } => message("wanted is true or false"),
        Error::Unexpected { expected: "string scalar", .. } => with_help(
            "wanted is a text",
            "a text that begins with '[', '{', '&', '*', '!', '|' or '>' needs quotes",
        ),
        Error::Unexpected { expected: "mapping start", .. } => {
            message("wanted are keys with values, as 'key: value'")
        }
        Error::Unexpected { expected: "sequence start", .. } => message("wanted is a list"),
        Error::Unexpected { expected, .. } => (format!("wanted is {expected}"), None),
        Error::Eof { .. } if is_blank(source) => message("the file is empty"),
        Error::Eof { .. } => message("the file ends too early"),
        Error::MultipleDocuments { .. } => {
            message("a second YAML document begins here; only one can be in the file")
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => message(TOO_MUCH),
        Error::UnknownAnchor { .. } => {
            with_help("there is no anchor for this alias", "a text that begins with '*' needs quotes")
        }
        Error::AliasError { error, .. } | Error::WithSnippet { error, .. } => words(source, error),
        _ => syntax(&DefaultMessageFormatter.format_message(error)),
    }
}

/// What the YAML parser says, with advice for the mistakes that its words do not explain.
fn syntax(said: &str) -> (String, Option<String>) {
    let said = said.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"");
    if said.contains("recursion limit") {
        return (TOO_MUCH.to_owned(), None);
    }
    let help = if said.contains("mapping values are not allowed") {
        Some("look for a text with ': ' in it, which needs quotes, or a wrong indentation")
    } else if said.contains("unexpected character") {
        Some("a text that begins with this character needs quotes")
    } else if said.contains("tab") {
        Some("indent with spaces")
    } else if said.contains("quoted scalar") && said.contains("indentation") {
        Some("look for a quote that is not closed")
    } else {
        None
    };
    (format!("this is no YAML: {said}"), help.map(str::to_owned))
}

fn is_blank(source: &str) -> bool {
    source.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}
