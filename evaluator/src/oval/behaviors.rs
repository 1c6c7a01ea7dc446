//! How a probe goes about an object (OVAL 5.11, `FileBehaviors` and their like).

use std::collections::BTreeMap;

use crate::pattern::Options;

/// Where a walk leads from the directories of a `path`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    None,
    Down,
    Up,
}

/// On which file systems a walk goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileSystem {
    All,
    /// Those that are no other machine's.
    Local,
    /// The one where it starts.
    Defined,
}

/// `FileBehaviors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileBehaviors {
    pub(super) direction: Direction,
    /// How many directories deep; none: as deep as there are any.
    pub(super) max_depth: Option<usize>,
    pub(super) follows_directories: bool,
    pub(super) follows_links: bool,
    pub(super) file_system: FileSystem,
}

impl FileBehaviors {
    pub(super) fn of(attributes: &BTreeMap<String, String>) -> Result<Self, String> {
        let text = |name: &str| attributes.get(name).map(String::as_str);
        let bad = |name: &str, value: &str| Err(format!("'{value}' is not a value of the behavior {name}"));
        let (follows_directories, follows_links) = match text("recurse") {
            None | Some("symlinks and directories") => (true, true),
            Some("directories" | "files and directories") => (true, false),
            Some("symlinks") => (false, true),
            Some("none") => (false, false),
            Some(other) => return bad("recurse", other),
        };
        Ok(Self {
            direction: match text("recurse_direction") {
                None | Some("none") => Direction::None,
                Some("down") => Direction::Down,
                Some("up") => Direction::Up,
                Some(other) => return bad("recurse_direction", other),
            },
            max_depth: match text("max_depth") {
                None | Some("-1") => None,
                Some(number) => match number.parse() {
                    Ok(depth) => Some(depth),
                    Err(_) => return bad("max_depth", number),
                },
            },
            follows_directories,
            follows_links,
            file_system: match text("recurse_file_system") {
                None | Some("all") => FileSystem::All,
                Some("local") => FileSystem::Local,
                Some("defined") => FileSystem::Defined,
                Some(other) => return bad("recurse_file_system", other),
            },
        })
    }
}

/// `Textfilecontent54Behaviors`, as far as they are about the regular expression.
pub(super) fn pattern_options(attributes: &BTreeMap<String, String>) -> Result<Options, String> {
    let flag = |name: &str, default| match attributes.get(name).map(String::as_str) {
        None => Ok(default),
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        Some(other) => Err(format!("'{other}' is not a value of the behavior {name}")),
    };
    Ok(Options {
        multi_line: flag("multiline", true)?,
        ignore_case: flag("ignore_case", false)?,
        single_line: flag("singleline", false)?,
    })
}
