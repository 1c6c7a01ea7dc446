//! Globs as regular expressions (OVAL 5.11, `GlobToRegexFunctionType`; glob(7)).

/// The expression that matches what a glob matches; none where a class is not closed. `noescape`: a backslash stands for
/// itself.
pub(super) fn to_regex(glob: &str, noescape: bool) -> Option<String> {
    let mut regex = String::from("^");
    // A name's leading dot is matched by a dot only.
    let mut at_start = true;
    let mut chars = glob.chars();
    while let Some(c) = chars.next() {
        match c {
            '?' => regex.push_str(if at_start { "[^./]" } else { "[^/]" }),
            '*' => regex.push_str(if at_start { "(?=[^.])[^/]*" } else { "[^/]*" }),
            '[' => class(&mut regex, &mut chars, noescape)?,
            '\\' if noescape => regex.push_str(r"\\"),
            '\\' => match chars.next() {
                Some(special @ ('?' | '*' | '[' | ']')) => regex.extend(['\\', special]),
                // Before anything else a backslash is an ordinary character.
                other => {
                    regex.push_str(r"\\");
                    regex.extend(other);
                }
            },
            '.' | '|' | '^' | '(' | ')' | '{' | '}' | '+' | '$' => regex.extend(['\\', c]),
            c => regex.push(c),
        }
        at_start = c == '/';
    }
    regex.push('$');
    Some(regex)
}

fn class(regex: &mut String, chars: &mut std::str::Chars<'_>, noescape: bool) -> Option<()> {
    regex.push('[');
    match chars.next()? {
        '!' => regex.push('^'),
        first => regex.push(first),
    }
    loop {
        let c = chars.next()?;
        if c == '\\' && noescape {
            regex.push('\\');
        }
        regex.push(c);
        if c == ']' {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        // From the OVAL schema's own examples and OpenSCAP's tests.
        let cases = [
            ("*a", false, "^(?=[^.])[^/]*a$"),
            ("a*", false, "^a[^/]*$"),
            ("/etc/*.conf", false, r"^/etc/(?=[^.])[^/]*\.conf$"),
            ("a?b", false, "^a[^/]b$"),
            ("?b", false, "^[^./]b$"),
            ("[!a-c]x", false, "^[^a-c]x$"),
            (r"a\*b", false, r"^a\*b$"),
            (r"a\*b", true, r"^a\\[^/]*b$"),
            (r"a\b", false, r"^a\\b$"),
        ];
        for (glob, noescape, expected) in cases {
            assert_eq!(to_regex(glob, noescape).as_deref(), Some(expected), "{glob}");
        }
        assert_eq!(to_regex("a[b", false), None);
    }
}
