//! What every path that a regular expression matches begins with, so that a walk need not look everywhere.

use std::cell::RefCell;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::util::start::Config;
use regex_automata::{Anchored, MatchKind};

use crate::pattern::{Pattern, PatternError};

/// The beginning of the paths that a regular expression matches, as far as it can be told.
pub(super) struct Prefix {
    /// The directory where a walk starts: the components in front that are plain text.
    pub(super) start: String,
    /// An expression per component, from the root on.
    components: Vec<Pattern>,
    /// Whether there are no components after these.
    whole: bool,
    /// Tells whether a beginning can be gone on with, where the expression is one that has an automaton.
    automaton: Option<(DFA, RefCell<Cache>)>,
}

impl Prefix {
    /// What can be told of an expression; of most that have groups or alternatives, nothing after those.
    pub(super) fn of(pattern: &str) -> Result<Self, PatternError> {
        let (components, whole) = split(pattern);
        let plain: Vec<String> = components.iter().map_while(|component| plain(component)).collect();
        // The last component may be the name of a file, which is no place to start at.
        let folders = plain.len().min(components.len().saturating_sub(usize::from(whole)));
        let start = plain.iter().take(folders).fold(String::new(), |path, name| format!("{path}/{name}"));
        Ok(Self {
            start: if start.is_empty() { "/".to_owned() } else { start },
            components: components
                .iter()
                .map(|component| Pattern::new(&format!("^(?:{component})$"), false))
                .collect::<Result<_, _>>()?,
            whole,
            automaton: automaton(pattern),
        })
    }

    /// Whether the directory, or anything below it, may match.
    pub(super) fn may_lead(&self, directory: &str) -> Result<bool, PatternError> {
        if let Some((dfa, cache)) = &self.automaton
            && let Some(leads) = leads(dfa, &mut cache.borrow_mut(), directory)
        {
            return Ok(leads);
        }
        let names: Vec<_> = directory.split('/').filter(|name| !name.is_empty()).collect();
        if self.whole && names.len() > self.components.len() {
            return Ok(false);
        }
        for (name, component) in names.iter().zip(&self.components) {
            if !component.is_match(name)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// An automaton that matches at least what PCRE matches from the first character on; none where that is not sure.
fn automaton(pattern: &str) -> Option<(DFA, RefCell<Cache>)> {
    // What these mean here is less than what they mean to PCRE: operations on classes, and ends of words.
    const NARROWER: [&str; 7] = ["&&", "--", "~~", "[[", r"\<", r"\>", r"\b{"];
    let posix = pattern.replace("[[:", "");
    // An expression that may begin anywhere leads everywhere. One that begins with a slash begins with the path, as
    // OpenSCAP has it.
    if !(pattern.starts_with('^') || pattern.starts_with('/')) || NARROWER.iter().any(|n| posix.contains(n)) {
        return None;
    }
    let config =
        DFA::config().match_kind(MatchKind::All).cache_capacity(1 << 20).skip_cache_capacity_check(true);
    let dfa = DFA::builder().configure(config).build(pattern).ok()?;
    let cache = dfa.create_cache();
    Some((dfa, RefCell::new(cache)))
}

/// Whether what begins with the directory can match, or does; none where the automaton gave up.
fn leads(dfa: &DFA, cache: &mut Cache, directory: &str) -> Option<bool> {
    let start = Config::new().anchored(Anchored::Yes);
    let mut state = dfa.start_state(cache, &start).ok()?;
    for byte in directory.bytes() {
        state = dfa.next_state(cache, state, byte).ok()?;
        if state.is_quit() {
            return None;
        }
        // What matched already goes on to match, whatever follows.
        if state.is_match() {
            return Some(true);
        }
        if state.is_dead() {
            return Some(false);
        }
    }
    // It is one itself, or something is below it.
    if dfa.next_eoi_state(cache, state).ok()?.is_match() {
        return Some(true);
    }
    let below = dfa.next_state(cache, state, b'/').ok()?;
    if below.is_quit() { None } else { Some(!below.is_dead()) }
}

/// The components of an expression that begins with `^/`, and whether they are all of it. What could match a slash, or
/// could be read in another way than character by character, ends them.
fn split(pattern: &str) -> (Vec<String>, bool) {
    let nothing = (Vec::new(), false);
    // An alternative may begin with anything. One inside of a group may not: what is before the group holds for all.
    let Some(rest) = pattern.strip_prefix("^/").filter(|rest| !has_alternatives(rest)) else {
        return nothing;
    };
    let mut components = Vec::new();
    let mut component = String::new();
    let mut chars = rest.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if component.is_empty() => return (components, false),
            '/' => {
                // `/?`, `/*` and `/{0}` mean that there may be none.
                if matches!(chars.peek(), Some('?' | '*' | '+' | '{')) {
                    return (components, false);
                }
                components.push(std::mem::take(&mut component));
            }
            '$' if chars.peek().is_none() && !component.is_empty() => {
                components.push(component);
                return (components, true);
            }
            '\\' => match chars.next() {
                Some(escaped)
                    if escaped.is_ascii_punctuation() && escaped != '/' || "dw".contains(escaped) =>
                {
                    component.extend(['\\', escaped]);
                }
                _ => return (components, false),
            },
            '[' => {
                let mut class = String::new();
                for c in chars.by_ref() {
                    if c == ']' {
                        break;
                    }
                    class.push(c);
                }
                let Some(class) = within_component(&class) else { return (components, false) };
                component.push_str(&class);
            }
            '?' | '*' | '+' => component.push(c),
            '{' => {
                let count: String = chars.by_ref().take_while(|c| *c != '}').collect();
                if count.is_empty() || !count.chars().all(|c| c.is_ascii_digit() || c == ',') {
                    return (components, false);
                }
                component.push_str(&format!("{{{count}}}"));
            }
            c if c.is_alphanumeric() || "-_ ~@%,:;=!<>&'\"".contains(c) => component.push(c),
            _ => return (components, false),
        }
    }
    (components, false)
}

/// Whether an expression has alternatives outside of groups; true too where that cannot be told.
fn has_alternatives(pattern: &str) -> bool {
    let mut open = 0_usize;
    let mut in_class = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            // What `\Q` quotes would have to be read otherwise.
            '\\' if chars.next() == Some('Q') => return true,
            '\\' => {}
            // A bracket that comes first in a class stands for itself; where the class ends is then not told here.
            '[' if !in_class => {
                in_class = true;
                let mut rest = chars.clone();
                let first = match rest.next() {
                    Some('^') => rest.next(),
                    first => first,
                };
                if first == Some(']') {
                    return pattern.contains('|');
                }
            }
            ']' => in_class = false,
            '(' if !in_class => open += 1,
            ')' if !in_class => match open.checked_sub(1) {
                Some(less) => open = less,
                None => return true,
            },
            '|' if !in_class && open == 0 => return true,
            _ => {}
        }
    }
    false
}

/// A character class that matches no slash, in brackets.
fn within_component(class: &str) -> Option<String> {
    let simple = |c: char| c.is_ascii_alphanumeric() || "-_.,:@+ ".contains(c);
    match class.strip_prefix('^') {
        Some(negated) => (negated.contains('/') && negated.replace('/', "").chars().all(simple))
            .then(|| format!("[{class}]")),
        None => {
            // Of ranges only those between letters or digits; `+-9` would hold the slash.
            let chars: Vec<char> = class.chars().collect();
            let ranges = chars.windows(3).filter(|w| w[1] == '-');
            let safe =
                ranges.into_iter().all(|w| w[0].is_ascii_alphanumeric() && w[2].is_ascii_alphanumeric());
            (!class.is_empty() && safe && chars.iter().all(|c| simple(*c))).then(|| format!("[{class}]"))
        }
    }
}

/// The text that a component matches, where it is only one.
fn plain(component: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = component.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(chars.next().filter(char::is_ascii_punctuation)?),
            '[' | '?' | '*' | '+' | '{' => return None,
            c => text.push(c),
        }
    }
    (!matches!(text.as_str(), "." | "..")).then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn walks_start_where_the_text_is_plain() {
        let cases = [
            (
                r"^/etc/selinux/targeted/active/modules/[0-9]+/virt_launcher$",
                "/etc/selinux/targeted/active/modules",
            ),
            (r"^/sys/a\.b/[^/]+/x$", "/sys/a.b"),
            (r"^/a/one$", "/a"),
            (r"^/a/one/.*$", "/a/one"),
            (r"^/a/one", "/a"),
            (r"^/a/b?/c$", "/a"),
            (r"^/a/(b|c)/d$", "/a"),
            (r"^/a/[|]b/(c|(d|e))/f$", "/a"),
            (r"^/a/b\|c/d$", "/a/b|c"),
            (r"^/a/[]|]/(b)|/c$", "/"),
            (r"^/a/(b)|/c$", "/"),
            (r"^/a/(b)/d$", "/a"),
            (r"^/a/?b/c$", "/"),
            (r"/a/b$", "/"),
            (r"(?i)^/a/b$", "/"),
            (r"^/a/b/|^/c", "/"),
            (r"^/\.\./b/c$", "/"),
            (r"^/$", "/"),
            (r"^//a/b", "/"),
        ];
        for (pattern, start) in cases {
            assert_eq!(Prefix::of(pattern).unwrap().start, start, "{pattern}");
        }
    }

    #[test]
    fn what_cannot_match_is_not_walked() {
        let cases = [
            (r"^/a/[0-9]+/c$", "/a", true),
            (r"^/a/[0-9]+/c$", "/a/12", true),
            (r"^/a/[0-9]+/c$", "/a/x", false),
            (r"^/a/[0-9]+/c$", "/a/12/c", true),
            (r"^/a/[0-9]+/c$", "/a/12/c/d", false),
            (r"^/a/[^/]+/c$", "/a/x/d", false),
            (r"^/a/[^b]+/c$", "/a/x/y/z", true),
            (r"^/a/[+-9]+/c$", "/a/1/2/3", true),
            (r"^/a/[+-9]+/c$", "/a/x/y/z", false),
            (r"^/a/.*/c$", "/a/x/y/z", true),
            (r"^/a/\d{2}/c$", "/a/12", true),
            (r"^/a/\d{2}/c$", "/a/123", false),
            (r"^/a/b", "/a/bcd/e", true),
            (r"^/a/b(?#x)/c$", "/a/b/c/d", true),
            (r"b$", "/x/y", true),
            (r"^\/(|s)bin|^\/usr\/(|local\/)(|s)bin|^\/usr\/libexec", "/etc", false),
            (r"^\/(|s)bin|^\/usr\/(|local\/)(|s)bin|^\/usr\/libexec", "/usr/local", true),
            (r"^\/(|s)bin|^\/usr\/(|local\/)(|s)bin|^\/usr\/libexec", "/usr/share", false),
            (r"^/etc/sudoers(\.d/.*)?$", "/etc/sudoers.d/x", true),
            (r"^/etc/sudoers(\.d/.*)?$", "/etc/ssh", false),
            (r"/etc/cron\.(daily|weekly)", "/usr", false),
            (r"^/a/(?!x)b/c", "/a/y", true),
            (r"^/a/[[]b/c", "/a/[b", true),
            (r"^/a/[0-9]+/virt_launcher$", "/a/1/virt", false),
            (r"^/a/[0-9]+/virt_launcher$", "/a/1/virt_launcher", true),
            (r"^/a/[0-9]+/virt_launcher", "/a/1/virt_launcher_x/y", true),
        ];
        for (pattern, directory, expected) in cases {
            assert_eq!(
                Prefix::of(pattern).unwrap().may_lead(directory).unwrap(),
                expected,
                "{pattern} {directory}"
            );
        }
    }
}
