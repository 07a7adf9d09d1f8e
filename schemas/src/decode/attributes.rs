//! CloudEvents attributes to an [`Envelope`].
//!
//! Guarantees: each attribute of the contract stands once and is valid, or it is named in the error. Every other attribute that
//! CloudEvents allows (`subject`, `dataschema`, `partitionkey`, tracing, the extensions of anybody) carries no fact here and is dropped:
//! client libraries add them by themselves. A name that CloudEvents does not allow is an error, since it may be one of ours misspelt.

use std::str::FromStr;

use super::{DecodeError, place};
use crate::{envelope::Envelope, instant::parse_instant, text::Text};

/// The attributes as found, before they are checked.
#[derive(Default)]
pub(super) struct Found<'a> {
    specversion: Option<&'a str>,
    id: Option<&'a str>,
    kind: Option<&'a str>,
    source: Option<&'a str>,
    time: Option<&'a str>,
    recordedtime: Option<&'a str>,
    receivedtime: Option<&'a str>,
    campaign: Option<&'a str>,
    import: Option<&'a str>,
    bodyhash: Option<&'a str>,
}

impl<'a> Found<'a> {
    /// Takes an attribute; its value is asked for only where the contract has it.
    pub(super) fn take(&mut self, name: &str, value: impl FnOnce() -> Result<&'a str, DecodeError>) -> Result<(), DecodeError> {
        let slot = match name {
            "specversion" => &mut self.specversion,
            "id" => &mut self.id,
            "type" => &mut self.kind,
            "source" => &mut self.source,
            "time" => &mut self.time,
            "recordedtime" => &mut self.recordedtime,
            "receivedtime" => &mut self.receivedtime,
            "campaign" => &mut self.campaign,
            "import" => &mut self.import,
            "bodyhash" => &mut self.bodyhash,
            other if is_attribute_name(other) => return Ok(()),
            other => return Err(wrong(other, "is no attribute name: only a-z and 0-9 are allowed")),
        };
        if slot.replace(value()?).is_some() {
            return Err(wrong(name, "is given twice"));
        }
        Ok(())
    }

    pub(super) fn envelope(self) -> Result<Envelope, DecodeError> {
        if need("specversion", self.specversion)? != "1.0" {
            return Err(wrong("specversion", "must be 1.0"));
        }
        let receivedtime = need("receivedtime", parse("receivedtime", self.receivedtime, parse_instant)?)?;
        if receivedtime.as_nanosecond() % 1000 != 0 {
            return Err(wrong("receivedtime", "must have at most six decimals"));
        }
        Ok(Envelope {
            kind: need("type", self.kind)?.parse().map_err(DecodeError::Type)?,
            id: need("id", parse("id", self.id, FromStr::from_str)?)?,
            source: need("source", parse("source", self.source, Text::new)?)?,
            time: need("time", parse("time", self.time, parse_instant)?)?,
            recordedtime: parse("recordedtime", self.recordedtime, parse_instant)?,
            receivedtime,
            campaign: need("campaign", parse("campaign", self.campaign, FromStr::from_str)?)?,
            import: parse("import", self.import, FromStr::from_str)?,
            bodyhash: need("bodyhash", parse("bodyhash", self.bodyhash, FromStr::from_str)?)?,
        })
    }
}

/// May CloudEvents call an attribute so?
pub fn is_attribute_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// An attribute and what is wrong with it; the name may be anybody's.
pub(super) fn wrong(name: &str, reason: &str) -> DecodeError {
    DecodeError::Attribute { name: place::shown(name, 40), reason: place::shown(reason, 300) }
}

fn parse<T, E: std::fmt::Display>(
    name: &'static str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, DecodeError> {
    text.map(|text| parse(text).map_err(|error| wrong(name, &error.to_string()))).transpose()
}

fn need<T>(name: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Missing(name))
}
