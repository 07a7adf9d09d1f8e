//! Instants and dates as they stand in JSON and in headers, and the time zones that make local days of them.
//!
//! Guarantees: an instant is spelled after RFC 3339 and a date as `2026-02-13`, both of the years 2000 to 2100: a clock that was
//! never set, or a typing error in the year, is refused and not counted in a strange week. Time zones come from the database built
//! into the program: a machine with an old one (Kazakhstan changed in 2024) gives the same days.

use std::fmt;

use jiff::{
    Timestamp,
    civil::Date,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserializer, de};

/// Why a text is no instant or date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// Not RFC 3339, or no such time.
    #[error("must be an RFC 3339 instant such as 2026-02-13T15:00:00+05:00")]
    Instant,
    /// Not `2026-02-13`, or no such day.
    #[error("must be a date such as 2026-02-13")]
    Date,
    /// A year that no campaign of ours can be in.
    #[error("must be of the years 2000 to 2100")]
    Year,
    /// Not in the IANA time zone database.
    #[error("must be an IANA time zone such as Asia/Almaty")]
    Zone,
}

/// The years that an event may speak of.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

/// Reads an instant.
pub fn parse_instant(text: &str) -> Result<Timestamp, InstantError> {
    let bytes = text.as_bytes();
    let zone = match bytes {
        [.., b'Z' | b'z'] => 1,
        [.., b'+' | b'-', h @ b'0'..=b'2', hours, b':', b'0'..=b'5', _] if *h < b'2' || *hours < b'4' => 6,
        _ => return Err(InstantError::Instant),
    };
    // The library also takes week dates, spaces and zone names; one instant here has few spellings.
    let local = &bytes[..bytes.len() - zone];
    let shaped = like(local.get(..19), b"0000-00-00T00:00:00") && matches!(local[19..], [] | [b'.', _, ..]);
    let time: Timestamp = text.parse().map_err(|_| InstantError::Instant)?;
    if !shaped {
        return Err(InstantError::Instant);
    }
    in_contract(time).map(|()| time)
}

/// May an event carry this instant? Every reader of the log refuses others.
pub fn in_contract(time: Timestamp) -> Result<(), InstantError> {
    in_years(time.to_zoned(TimeZone::UTC).year())
}

/// Reads a date.
pub fn parse_date(text: &str) -> Result<Date, InstantError> {
    if text.len() != 10 || !like(Some(text.as_bytes()), b"0000-00-00") {
        return Err(InstantError::Date);
    }
    let date: Date = text.parse().map_err(|_| InstantError::Date)?;
    in_years(date.year()).map(|()| date)
}

/// The instant without what is finer than a microsecond: the form of `receivedtime`, which tables hold in microseconds.
pub fn micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

/// The time zone of an IANA name, the same on every machine.
pub fn time_zone(name: &str) -> Result<TimeZone, InstantError> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| InstantError::Zone)
}

fn in_years(year: i16) -> Result<(), InstantError> {
    if YEARS.contains(&year) { Ok(()) } else { Err(InstantError::Year) }
}

/// Has the text the shape, where `0` stands for any digit?
fn like(text: Option<&[u8]>, shape: &[u8]) -> bool {
    text.is_some_and(|text| {
        text.iter().zip(shape).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            wanted => byte.eq_ignore_ascii_case(wanted),
        })
    })
}

struct Spelled<T>(fn(&str) -> Result<T, InstantError>, &'static str);

impl<T> de::Visitor<'_> for Spelled<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

/// For `deserialize_with`: an instant.
pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    deserializer.deserialize_str(Spelled(parse_instant, "an RFC 3339 instant"))
}

/// For `deserialize_with`: an instant that may be left out, but is no `null`.
pub(crate) fn given_instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    instant(deserializer).map(Some)
}

/// For `deserialize_with`: a date.
pub(crate) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    deserializer.deserialize_str(Spelled(parse_date, "a date such as 2026-02-13"))
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
