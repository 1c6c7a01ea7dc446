//! What is asked of a node, as the script reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What is wanted of a path beside what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Want {
    /// The entries of the directory.
    pub(super) entries: bool,
    /// The content of the regular file.
    pub(super) content: bool,
}

/// The questions of one run of the script.
pub(super) struct Questions {
    /// What the script reads.
    pub(super) input: String,
    /// The paths by their numbers in the questions and answers. The root has 0.
    pub(super) paths: Vec<String>,
}

/// A path with those below it.
#[derive(Default)]
struct Step<'a> {
    number: usize,
    want: Want,
    below: BTreeMap<&'a str, Step<'a>>,
}

impl Questions {
    /// Questions about paths, which are absolute and plain, and about all that lead to them.
    pub(super) fn new(wanted: &BTreeMap<String, Want>) -> Self {
        let mut paths = vec!["/".to_owned()];
        let mut root = Step::default();
        for (path, want) in wanted {
            let mut at = &mut root;
            for name in path.split('/').filter(|name| !name.is_empty()) {
                let known = &paths[at.number];
                let path = crate::files::join(known, name);
                at = at.below.entry(name).or_insert_with(|| {
                    paths.push(path);
                    Step { number: paths.len() - 1, ..Step::default() }
                });
            }
            at.want = *want;
        }
        let mut input = String::new();
        within(&root, &mut input);
        input.push_str(".\n");
        Self { input, paths }
    }
}

/// What is asked in a directory that was entered. Writing to a String does not fail.
fn within(step: &Step<'_>, input: &mut String) {
    if step.want.entries {
        let _ = writeln!(input, "l {}", step.number);
    }
    for (name, step) in &step.below {
        let number = step.number;
        let name = encoded(name);
        if step.want.content {
            let _ = writeln!(input, "c {number} {name}");
        }
        if step.want.entries || !step.below.is_empty() {
            let _ = writeln!(input, "d {number} {name}");
            within(step, input);
            input.push_str("u\n");
        } else if !step.want.content {
            let _ = writeln!(input, "s {number} {name}");
        }
    }
}

/// A name for printf's `%b`: no space, no backslash and nothing that a shell knows is in it.
fn encoded(name: &str) -> String {
    name.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-') {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "\\0{byte:03o}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_directory_is_entered_once() {
        let content = Want { content: true, ..Want::default() };
        let entries = Want { entries: true, ..Want::default() };
        let wanted = [
            ("/", entries),
            ("/a", Want::default()),
            ("/a/b c", content),
            ("/a/b c/d", Want::default()),
            ("/a/\u{101}\n", Want::default()),
            ("/e", entries),
        ];
        let wanted = wanted.map(|(path, want)| (path.to_owned(), want)).into();
        let questions = Questions::new(&wanted);
        let expected =
            "l 0\nd 1 a\nc 2 b\\0040c\nd 2 b\\0040c\ns 3 d\nu\ns 4 \\0304\\0201\\0012\nu\nd 5 e\nl 5\nu\n.\n";
        assert_eq!(questions.input, expected);
        assert_eq!(questions.paths, ["/", "/a", "/a/b c", "/a/b c/d", "/a/\u{101}\n", "/e"]);
    }
}
