//! Small forms of texts and numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

pub(super) fn severity_rank(severity: &str) -> u8 {
    match severity {
        "high" => 0,
        "medium" => 1,
        "low" => 2,
        "unknown" => 3,
        _ => 4,
    }
}

pub(super) fn message_rank(severity: &str) -> u8 {
    match severity {
        "error" => 0,
        "warning" => 1,
        _ => 2,
    }
}

pub(super) fn rules(n: usize) -> String {
    if n == 1 { "1 rule".to_owned() } else { format!("{} rules", thousands(n)) }
}

pub(super) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2026-07-26T09:14:03Z` as `2026-07-26 09:14:03 UTC`; any other text as it is.
pub(super) fn readable_time(time: &str) -> String {
    match time.strip_suffix('Z').and_then(|t| t.split_once('T')) {
        Some((date, clock)) => format!("{date} {clock} UTC"),
        None => time.to_owned(),
    }
}

/// The source expression of a Content Security Policy that allows exactly this inline style or script.
pub(super) fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_readable() {
        assert_eq!(rules(1), "1 rule");
        assert_eq!(rules(12_345), "12,345 rules");
        assert_eq!(number(87.50), "87.5");
        assert_eq!(readable_time("2026-07-26T09:14:03Z"), "2026-07-26 09:14:03 UTC");
        assert_eq!(readable_time("soon"), "soon");
    }

    #[test]
    fn the_hash_is_that_of_the_text() {
        assert_eq!(hash_source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }
}
