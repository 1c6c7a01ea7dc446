//! Order of versions (OVAL 5.11, `DatatypeEnumeration`), as OpenSCAP and RPM have it.

use std::cmp::Ordering;

/// Versions of RPM packages, `epoch:version-release`.
pub(crate) fn evr(a: &str, b: &str) -> Ordering {
    let (a, b) = (Evr::split(a), Evr::split(b));
    optional(a.epoch, b.epoch)
        .then_with(|| rpm(a.version, b.version))
        .then_with(|| optional(a.release, b.release))
}

/// A part that one version lacks counts as older.
fn optional(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => rpm(a, b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// `epoch:version-release`; epoch and release may be missing.
pub(crate) struct Evr<'a> {
    pub(crate) epoch: Option<&'a str>,
    pub(crate) version: &'a str,
    pub(crate) release: Option<&'a str>,
}

impl<'a> Evr<'a> {
    pub(crate) fn split(text: &'a str) -> Self {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (epoch, rest) = match text[digits..].strip_prefix(':') {
            Some(rest) => (Some(if digits == 0 { "0" } else { &text[..digits] }), rest),
            None => (None, text),
        };
        // A dash within the leading digits there is not.
        match rest.rsplit_once('-') {
            Some((version, release)) => Self { epoch, version, release: Some(release) },
            None => Self { epoch, version: rest, release: None },
        }
    }
}

/// The order of `rpmvercmp` (RPM 4.12 and later): runs of digits as numbers, runs of letters as texts, `~` before
/// everything and `^` after the end but before anything else.
pub(crate) fn rpm(a: &str, b: &str) -> Ordering {
    let skip = |text: &str| {
        let rest = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && c != '~' && c != '^');
        text.len() - rest.len()
    };
    let (mut a, mut b) = (a, b);
    loop {
        a = &a[skip(a)..];
        b = &b[skip(b)..];
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(rest_a), Some(rest_b)) => {
                (a, b) = (rest_a, rest_b);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(rest_a), Some(rest_b)) => {
                (a, b) = (rest_a, rest_b);
                continue;
            }
            (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
            (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
            (None, None) => {}
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let numeric = a.starts_with(|c: char| c.is_ascii_digit());
        let run = |text: &str| {
            let of_kind = |c: &char| if numeric { c.is_ascii_digit() } else { c.is_ascii_alphabetic() };
            text.chars().take_while(of_kind).count()
        };
        let (run_a, run_b) = (run(a), run(b));
        if run_b == 0 {
            return if numeric { Ordering::Greater } else { Ordering::Less };
        }
        let (head_a, head_b) = (&a[..run_a], &b[..run_b]);
        let order = if numeric { numbers_of_digits(head_a, head_b) } else { head_a.cmp(head_b) };
        if order.is_ne() {
            return order;
        }
        (a, b) = (&a[run_a..], &b[run_b..]);
    }
}

fn numbers_of_digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Versions of Debian's packages (deb-version(7)): without an epoch it is 0.
pub(crate) fn debian_evr(a: &str, b: &str) -> Ordering {
    let (a, b) = (Evr::split(a), Evr::split(b));
    let epochs = numbers_of_digits(a.epoch.unwrap_or("0"), b.epoch.unwrap_or("0"));
    let releases = || debian(a.release.unwrap_or_default(), b.release.unwrap_or_default());
    epochs.then_with(|| debian(a.version, b.version)).then_with(releases)
}

fn debian(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.bytes().peekable(), b.bytes().peekable());
    // Letters before everything else, the tilde before the end.
    let weight = |c: Option<&u8>| match c {
        None => 0,
        Some(c) if c.is_ascii_digit() => 0,
        Some(b'~') => -1,
        Some(c) if c.is_ascii_alphabetic() => i32::from(*c),
        Some(c) => i32::from(*c) + 256,
    };
    let digit = |c: Option<&u8>| c.is_some_and(u8::is_ascii_digit);
    while a.peek().is_some() || b.peek().is_some() {
        while a.peek().is_some_and(|c| !c.is_ascii_digit()) || b.peek().is_some_and(|c| !c.is_ascii_digit()) {
            let order = weight(a.peek()).cmp(&weight(b.peek()));
            if order.is_ne() {
                return order;
            }
            a.next();
            b.next();
        }
        let number =
            |of: &mut dyn Iterator<Item = u8>| String::from_utf8_lossy(&of.collect::<Vec<_>>()).into_owned();
        let digits_a = number(&mut std::iter::from_fn(|| if digit(a.peek()) { a.next() } else { None }));
        let digits_b = number(&mut std::iter::from_fn(|| if digit(b.peek()) { b.next() } else { None }));
        let order = numbers_of_digits(&digits_a, &digits_b);
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Numbers separated by one character each. OpenSCAP reads each as C's `atoi` does: what is no number is 0, and what one
/// version lacks is 0 too.
pub(crate) fn numbers(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while !a.is_empty() || !b.is_empty() {
        let order = atoi(a).cmp(&atoi(b));
        if order.is_ne() {
            return order;
        }
        a = next_number(a);
        b = next_number(b);
    }
    Ordering::Equal
}

fn atoi(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|c| c.is_ascii_digit());
    let number = digits.fold(0_i64, |n, c| n.saturating_mul(10).saturating_add(i64::from(c - b'0')));
    if negative { -number } else { number }
}

/// What follows the number and the character behind it.
fn next_number(text: &[u8]) -> &[u8] {
    let Some((_, rest)) = text.split_first() else { return text };
    let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
    rest.get(digits + 1..).unwrap_or_default()
}

/// Versions of Cisco IOS and revisions of HP-UX' filesets: runs of digits as numbers, runs of letters as texts, whatever
/// is between. OpenSCAP does not compare these.
pub(crate) fn mixed(a: &str, b: &str) -> Ordering {
    fn tokens(text: &str) -> Vec<&str> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
            rest = &rest[start..];
            let digits = rest.starts_with(|c: char| c.is_ascii_digit());
            let other = |c: char| {
                !if digits { c.is_ascii_digit() } else { c.is_ascii_alphabetic() }
            };
            let end = rest.find(other).unwrap_or(rest.len());
            tokens.push(&rest[..end]);
            rest = &rest[end..];
        }
        tokens
    }
    let (a, b) = (tokens(a), tokens(b));
    for (a, b) in a.iter().zip(&b) {
        let numeric = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let order = match (numeric(a), numeric(b)) {
            (true, true) => numbers_of_digits(a, b),
            (a_is, b_is) => a_is.cmp(&b_is).then_with(|| a.cmp(b)),
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ordering::{Equal, Greater, Less};

    #[test]
    fn rpm_versions() {
        // From RPM's own tests (tests/rpmvercmp.at).
        let cases = [
            ("1.0", "1.0", Equal),
            ("1.0", "2.0", Less),
            ("2.0.1a", "2.0.1", Greater),
            ("5.5p1", "5.5p10", Less),
            ("10xyz", "10.1xyz", Less),
            ("xyz10", "xyz10.1", Less),
            ("xyz.4", "8", Less),
            ("5.5p2", "5.6p1", Less),
            ("6.0.rc1", "6.0", Greater),
            ("10b2", "10a1", Greater),
            ("1.0010", "1.9", Greater),
            ("1.05", "1.5", Equal),
            ("2_0", "2.0", Equal),
            ("a+", "a_", Equal),
            ("1.0~rc1", "1.0", Less),
            ("1.0~rc1", "1.0~rc1~git123", Greater),
            ("1.0^", "1.0", Greater),
            ("1.0^git1", "1.01", Less),
            ("1.0^20160101", "1.0.1", Less),
        ];
        for (a, b, expected) in cases {
            assert_eq!(rpm(a, b), expected, "{a} {b}");
            assert_eq!(rpm(b, a), expected.reverse(), "{b} {a}");
        }
        assert_eq!(evr("1:1.0-1", "0:2.0-1"), Greater);
        assert_eq!(evr("1.0-1", "1.0"), Greater);
    }

    #[test]
    fn debian_versions() {
        let cases = [
            ("0:1.0-1", "0:1.0-1", Equal),
            ("0:1.0-1", "1:0.5-1", Less),
            ("0:1.0~rc1-1", "0:1.0-1", Less),
            ("0:1.2.10-1", "0:1.2.9-5", Greater),
            ("0:1.0+dfsg-1", "0:1.0-1", Greater),
            ("0:1.0-1+b1", "0:1.0-1", Greater),
            ("0:1.0a-1", "0:1.0+-1", Less),
        ];
        for (a, b, expected) in cases {
            assert_eq!(debian_evr(a, b), expected, "{a} {b}");
            assert_eq!(debian_evr(b, a), expected.reverse(), "{b} {a}");
        }
        assert_eq!(debian_evr("1.0-1", "0:1.0-1"), Equal);
    }

    #[test]
    fn other_versions() {
        assert_eq!(numbers("4.9.1", "4.19"), Less);
        assert_eq!(numbers("4.0", "4"), Equal);
        assert_eq!(numbers("4.x", "4.0"), Equal);
        assert_eq!(mixed("12.4(24)T2", "12.4(9)T"), Greater);
        assert_eq!(mixed("A.03.61.00", "A.03.61.01"), Less);
    }
}
