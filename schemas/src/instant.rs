//! Instants and dates in JSON and in headers, and time zones for local days.
//!
//! Guarantees: an instant is in RFC 3339 format and a date as `2026-02-13`, both in the years 2000 to 2100, which rejects clocks that
//! were never set and typing errors in the year. Time zones come from the database built into the program, so that a machine with
//! an old one (Kazakhstan changed in 2024) gives the same days.

use std::fmt;

use jiff::{
    Timestamp,
    civil::Date,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserializer, de};

/// Why a text is not a valid instant, date or time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// Not in RFC 3339 format, or no such time.
    #[error("must be an RFC 3339 instant such as 2026-02-13T15:00:00+05:00")]
    Instant,
    /// Not in the format `2026-02-13`, or no such day.
    #[error("must be a date such as 2026-02-13")]
    Date,
    /// A year outside 2000 to 2100.
    #[error("must be of the years 2000 to 2100")]
    Year,
    /// Not in the IANA time zone database.
    #[error("must be an IANA time zone such as Asia/Almaty")]
    Zone,
}

/// The years that an event may contain.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

/// Parses an instant in RFC 3339 format.
pub fn parse_instant(text: &str) -> Result<Timestamp, InstantError> {
    let bytes = text.as_bytes();
    let zone = match bytes {
        [.., b'Z' | b'z'] => 1,
        [.., b'+' | b'-', h @ b'0'..=b'2', hours, b':', b'0'..=b'5', _] if *h < b'2' || *hours < b'4' => 6,
        _ => return Err(InstantError::Instant),
    };
    // The library also accepts week dates, spaces and zone names; the contract does not.
    let local = &bytes[..bytes.len() - zone];
    let valid_shape = matches_shape(local.get(..19), b"0000-00-00T00:00:00") && matches!(local[19..], [] | [b'.', _, ..]);
    let time: Timestamp = text.parse().map_err(|_| InstantError::Instant)?;
    if !valid_shape {
        return Err(InstantError::Instant);
    }
    check_range(time).map(|()| time)
}

/// Whether an event may contain this instant; readers of the log reject others.
pub fn check_range(time: Timestamp) -> Result<(), InstantError> {
    check_year(time.to_zoned(TimeZone::UTC).year())
}

/// Parses a date such as `2026-02-13`.
pub fn parse_date(text: &str) -> Result<Date, InstantError> {
    if text.len() != 10 || !matches_shape(Some(text.as_bytes()), b"0000-00-00") {
        return Err(InstantError::Date);
    }
    let date: Date = text.parse().map_err(|_| InstantError::Date)?;
    check_year(date.year()).map(|()| date)
}

/// Truncates an instant to microseconds, the precision of `receivedtime` in the tables.
pub fn micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

/// The time zone of an IANA name, the same on every machine.
pub fn time_zone(name: &str) -> Result<TimeZone, InstantError> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| InstantError::Zone)
}

fn check_year(year: i16) -> Result<(), InstantError> {
    if YEARS.contains(&year) { Ok(()) } else { Err(InstantError::Year) }
}

/// Whether the text has this shape, where `0` matches any digit.
fn matches_shape(text: Option<&[u8]>, shape: &[u8]) -> bool {
    text.is_some_and(|text| {
        text.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            wanted => byte.eq_ignore_ascii_case(wanted),
        })
    })
}

struct InstantVisitor<T> {
    parse: fn(&str) -> Result<T, InstantError>,
    expected: &'static str,
}

impl<T> de::Visitor<'_> for InstantVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }
}

/// For `deserialize_with`: an instant.
pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    deserializer.deserialize_str(InstantVisitor { parse: parse_instant, expected: "an RFC 3339 instant" })
}

/// For `deserialize_with`: an instant that may be absent, but not `null`.
pub(crate) fn optional_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    instant(deserializer).map(Some)
}

/// For `deserialize_with`: a date.
pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    deserializer.deserialize_str(InstantVisitor { parse: parse_date, expected: "a date such as 2026-02-13" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_spelled_after_rfc_3339() {
        for text in ["2026-02-13T15:00:00+05:00", "2026-02-13T10:00:00Z", "2026-02-13T10:00:00.000001Z", "2026-02-13t10:00:00z"] {
            assert!(parse_instant(text).is_ok(), "{text}");
        }
        let utc = parse_instant("2026-02-13T10:00:00Z");
        assert_eq!(parse_instant("2026-02-13T15:00:00+05:00"), utc);
        for text in [
            "",
            "Z",
            "2026-02-13",
            "2026-02-13T10:00:00",
            "2026-02-13 10:00:00Z",
            "20260213T100000Z",
            "2026-W07-5T10:00:00Z",
            "2026-02-13T10:00Z",
            "2026-02-13T10:00:00+05",
            "2026-02-13T10:00:00+99:00",
            "2026-02-13T10:00:00+24:00",
            "2026-02-13T10:00:00+05:00[Asia/Almaty]",
            "2026-02-30T10:00:00Z",
            "2026-02-13T25:00:00Z",
            "2026-02-13T10:00:00.Z",
            "+002026-02-13T10:00:00Z",
            "қаңтар",
        ] {
            assert_eq!(parse_instant(text), Err(InstantError::Instant), "{text}");
        }
    }

    #[test]
    fn years_are_bounded() {
        assert!(parse_instant("2000-01-01T00:00:00Z").is_ok());
        assert!(parse_instant("2100-12-31T23:59:59Z").is_ok());
        assert_eq!(parse_instant("2000-01-01T00:00:00+05:00"), Err(InstantError::Year));
        assert_eq!(parse_instant("1970-01-01T00:00:00Z"), Err(InstantError::Year));
        assert_eq!(parse_instant("2101-01-01T00:00:00Z"), Err(InstantError::Year));
        assert_eq!(parse_date("9999-12-31"), Err(InstantError::Year));
    }

    #[test]
    fn dates_are_days_and_nothing_else() {
        assert_eq!(parse_date("2026-02-13"), Ok(jiff::civil::date(2026, 2, 13)));
        for text in ["2026-02-13T10:00:00", "20260213", "2026-02-30", "2026-W07-5", "13.02.2026", ""] {
            assert_eq!(parse_date(text), Err(InstantError::Date), "{text}");
        }
    }

    #[test]
    fn zones_are_built_in() {
        let almaty = time_zone("Asia/Almaty").unwrap();
        let offset = |text| almaty.to_offset(parse_instant(text).unwrap()).seconds() / 3600;
        assert_eq!((offset("2024-02-29T12:00:00Z"), offset("2024-03-01T12:00:00Z")), (6, 5));
        assert_eq!(time_zone("Asia/Turkistan").unwrap_err(), InstantError::Zone);
        assert_eq!(time_zone("../../etc/passwd").unwrap_err(), InstantError::Zone);
    }
}
