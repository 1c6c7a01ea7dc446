//! Differences of times (OVAL 5.11, `TimeDifferenceFunctionType`).

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use virtscap_scap::oval::DateTimeFormat;

/// Seconds from each second time to each first.
pub(super) fn differences(
    first: &[String],
    format_1: DateTimeFormat,
    second: &[String],
    format_2: DateTimeFormat,
) -> Result<Vec<String>, String> {
    let mut differences = Vec::new();
    for a in first {
        for b in second {
            differences.push((seconds(a, format_1)? - seconds(b, format_2)?).to_string());
        }
    }
    Ok(differences)
}

/// Seconds from each time till now.
pub(super) fn differences_till_now(then: &[String], format: DateTimeFormat) -> Result<Vec<String>, String> {
    let now = jiff::Timestamp::now().as_second();
    then.iter().map(|text| Ok((now - seconds(text, format)?).to_string())).collect()
}

/// Seconds since 1970. What does not say its time zone is read as UTC; OpenSCAP takes the scanner's own.
fn seconds(text: &str, format: DateTimeFormat) -> Result<i64, String> {
    let bad = || format!("'{text}' is no time of the format '{format}'");
    if format == DateTimeFormat::SecondsSinceEpoch {
        return text.trim().parse().map_err(|_| bad());
    }
    let parsed = match format {
        DateTimeFormat::YearMonthDay => year_month_day(text),
        DateTimeFormat::MonthDayYear => month_day_year(text),
        DateTimeFormat::DayMonthYear => day_month_year(text),
        DateTimeFormat::CimDateTime => cim(text),
        DateTimeFormat::WinFileTime => {
            return Err(format!("times of the format '{format}' are not supported"));
        }
        DateTimeFormat::SecondsSinceEpoch => None,
    };
    let zoned = parsed.ok_or_else(bad)?.to_zoned(TimeZone::UTC).map_err(|_| bad())?;
    Ok(zoned.timestamp().as_second())
}

fn year_month_day(text: &str) -> Option<DateTime> {
    if let Some((date, time)) = text.split_once('T') {
        let time = digits(time, 6)?;
        return Some(compact(date)?.to_datetime(clock(&time[..2], &time[2..4], &time[4..])?));
    }
    let (date, time) = split(text)?;
    let date = match separated(date) {
        Some([year, month, day]) => day_of(year, month, day)?,
        None => compact(date)?,
    };
    Some(date.to_datetime(time))
}

fn month_day_year(text: &str) -> Option<DateTime> {
    if let Some((month, rest)) = text.split_once(',') {
        let mut words = rest.split_whitespace();
        let (day, year) = (words.next()?, words.next()?);
        let time = words.next().map_or(Some(Time::midnight()), time)?;
        let date = Date::new(year.parse().ok()?, month_of_name(month.trim())?, day.parse().ok()?).ok()?;
        return words.next().is_none().then(|| date.to_datetime(time));
    }
    let (date, time) = split(text)?;
    let [month, day, year] = separated(date)?;
    Some(day_of(year, month, day)?.to_datetime(time))
}

fn day_month_year(text: &str) -> Option<DateTime> {
    let (date, time) = split(text)?;
    let [day, month, year] = separated(date)?;
    Some(day_of(year, month, day)?.to_datetime(time))
}

/// `yyyymmddHHMMSS.mmmmmmsUUU`; the offset of the time zone does not count, as in OpenSCAP.
fn cim(text: &str) -> Option<DateTime> {
    let (digits_of, _) = text.split_once('.')?;
    let all = digits(digits_of, 14)?;
    Some(compact(&all[..8])?.to_datetime(clock(&all[8..10], &all[10..12], &all[12..])?))
}

/// Date, and the time behind it or midnight.
fn split(text: &str) -> Option<(&str, Time)> {
    match text.trim().split_once(char::is_whitespace) {
        Some((date, rest)) => Some((date, time(rest.trim())?)),
        None => Some((text.trim(), Time::midnight())),
    }
}

fn time(text: &str) -> Option<Time> {
    let [hour, minute, second] = parts(text, ':')?;
    clock(hour, minute, second)
}

fn clock(hour: &str, minute: &str, second: &str) -> Option<Time> {
    Time::new(hour.parse().ok()?, minute.parse().ok()?, second.parse().ok()?, 0).ok()
}

fn separated(date: &str) -> Option<[&str; 3]> {
    parts(date, '/').or_else(|| parts(date, '-'))
}

fn parts(text: &str, separator: char) -> Option<[&str; 3]> {
    text.split(separator).collect::<Vec<_>>().try_into().ok()
}

fn day_of(year: &str, month: &str, day: &str) -> Option<Date> {
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn compact(text: &str) -> Option<Date> {
    let text = digits(text, 8)?;
    day_of(&text[..4], &text[4..6], &text[6..])
}

fn digits(text: &str, count: usize) -> Option<&str> {
    (text.len() == count && text.bytes().all(|c| c.is_ascii_digit())).then_some(text)
}

fn month_of_name(name: &str) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let name = name.to_ascii_lowercase();
    let found = NAMES.iter().position(|full| name.len() >= 3 && (*full == name || full[..3] == name))?;
    i8::try_from(found + 1).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use DateTimeFormat::*;

    #[test]
    fn times_are_read() {
        let cases = [
            ("20240229", YearMonthDay, 1_709_164_800),
            ("2024/02/29", YearMonthDay, 1_709_164_800),
            ("2024-02-29 01:00:01", YearMonthDay, 1_709_168_401),
            ("20240229T010001", YearMonthDay, 1_709_168_401),
            ("02/29/2024", MonthDayYear, 1_709_164_800),
            ("Feb, 29 2024", MonthDayYear, 1_709_164_800),
            ("February, 29 2024 01:00:01", MonthDayYear, 1_709_168_401),
            ("29-02-2024", DayMonthYear, 1_709_164_800),
            ("20240229010001.000000+000", CimDateTime, 1_709_168_401),
            ("1709164800", SecondsSinceEpoch, 1_709_164_800),
        ];
        for (text, format, expected) in cases {
            assert_eq!(seconds(text, format), Ok(expected), "{text}");
        }
        for bad in ["", "2024-02-30", "2024-02", "x", "2024-02-01 25:00:00"] {
            assert!(seconds(bad, YearMonthDay).is_err(), "{bad}");
        }
        assert!(seconds("1", WinFileTime).is_err());
    }
}
