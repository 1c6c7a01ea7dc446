//! The clock of the reports.

use jiff::{Timestamp, Unit};

/// Now, or the time that `SOURCE_DATE_EPOCH` holds (seconds since 1970): with it, the same input gives the same bytes.
pub fn now() -> Timestamp {
    let now = source_date().unwrap_or_else(Timestamp::now);
    now.round(Unit::Second).unwrap_or(now)
}

/// The time that `SOURCE_DATE_EPOCH` holds.
pub fn source_date() -> Option<Timestamp> {
    let seconds = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.trim().parse().ok());
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok())
}
