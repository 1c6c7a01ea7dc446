//! How long to wait before an API server is asked again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// What is asked at a time, how much is taken, and how long is waited.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many requests are under way at a time.
    pub in_flight: usize,
    /// How many objects a page has at the most.
    pub page_items: u32,
    /// How many bytes a page should have at the most: a larger one is asked for again with fewer objects.
    pub page_bytes: usize,
    /// How many bytes are taken of an answer that has no smaller pages.
    pub answer_bytes: usize,
    /// How often a page is asked for before it is given up.
    pub tries: u32,
    /// How long an answer may take, to its last byte.
    pub request: Duration,
    /// The first wait before a page is asked for again. Each further one is twice as long.
    pub wait: Duration,
    /// The longest wait, also where the API server asks for a longer one.
    pub longest_wait: Duration,
    /// How often a list is read anew because its continuation has expired.
    pub restarts: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 6,
            page_items: 500,
            page_bytes: 16 << 20,
            answer_bytes: 64 << 20,
            tries: 6,
            request: Duration::from_secs(60),
            wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            restarts: 3,
        }
    }
}

impl Limits {
    /// How long to wait after this many tries: as long as the API server asks for, or exponentially longer. Half of the
    /// latter is up to chance, so that those who were refused together do not come back together.
    pub(super) fn wait_after(&self, tries: u32, asked_for: Option<Duration>) -> Duration {
        if let Some(asked_for) = asked_for {
            return asked_for.min(self.longest_wait);
        }
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        let full = self.wait.saturating_mul(doubled).min(self.longest_wait);
        // A new hasher's keys are random.
        let chance = f64::from(RandomState::new().hash_one(tries) as u32) / f64::from(u32::MAX);
        full.mul_f64(0.5 + chance / 2.0)
    }
}

/// What `Retry-After` asks for: a number of seconds, or a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: jiff::Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    // A date that is over asks for no wait.
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let cases = [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Thu, 01 Jan 2026 00:02:00 GMT", Some(120)),
            ("Wed, 31 Dec 2025 00:00:00 GMT", Some(0)),
            ("-3", None),
            ("soon", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let limits = Limits::default();
        for (tries, full) in [(1, 500), (2, 1000), (3, 2000), (6, 16_000), (7, 30_000), (40, 30_000)] {
            let full = Duration::from_millis(full);
            for _ in 0..20 {
                let wait = limits.wait_after(tries, None);
                assert!(full / 2 <= wait && wait <= full, "{tries}: {wait:?}");
            }
        }
        assert_eq!(limits.wait_after(1, Some(Duration::from_secs(9))), Duration::from_secs(9));
        assert_eq!(limits.wait_after(1, Some(Duration::from_secs(9000))), Duration::from_secs(30));
    }
}
