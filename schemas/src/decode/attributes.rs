//! Decodes CloudEvents attributes to an [`Envelope`].
//!
//! Guarantees: each attribute of the contract occurs once and is valid, or the error names it. All other attributes that CloudEvents
//! allows (`subject`, `dataschema`, `partitionkey`, tracing, extensions) are dropped, as client libraries add them by themselves. A
//! name that CloudEvents does not allow is an error, since it may be a misspelt attribute of the contract.

use std::str::FromStr;

use super::DecodeError;
use crate::{
    envelope::Envelope,
    instant::parse_instant,
    text::{Text, excerpt},
};

/// The attributes of the contract as received, before validation.
#[derive(Default)]
pub(super) struct RawAttributes<'a> {
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

impl<'a> RawAttributes<'a> {
    /// Adds an attribute; calls `value` only if the contract has this attribute.
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
            other => return Err(attribute_error(other, "is no attribute name: only a-z and 0-9 are allowed")),
        };
        if slot.replace(value()?).is_some() {
            return Err(attribute_error(name, "is given twice"));
        }
        Ok(())
    }

    pub(super) fn envelope(self) -> Result<Envelope, DecodeError> {
        if required("specversion", self.specversion)? != "1.0" {
            return Err(attribute_error("specversion", "must be 1.0"));
        }
        let receivedtime = required("receivedtime", parse("receivedtime", self.receivedtime, parse_instant)?)?;
        if receivedtime.as_nanosecond() % 1000 != 0 {
            return Err(attribute_error("receivedtime", "must have at most six decimals"));
        }
        Ok(Envelope {
            kind: required("type", self.kind)?.parse().map_err(DecodeError::Type)?,
            id: required("id", parse("id", self.id, FromStr::from_str)?)?,
            source: required("source", parse("source", self.source, Text::new)?)?,
            time: required("time", parse("time", self.time, parse_instant)?)?,
            recordedtime: parse("recordedtime", self.recordedtime, parse_instant)?,
            receivedtime,
            campaign: required("campaign", parse("campaign", self.campaign, FromStr::from_str)?)?,
            import: parse("import", self.import, FromStr::from_str)?,
            bodyhash: required("bodyhash", parse("bodyhash", self.bodyhash, FromStr::from_str)?)?,
        })
    }
}

/// Whether CloudEvents allows this attribute name.
pub fn is_attribute_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// An attribute error; name and reason are redacted and truncated, as they may come from the client.
pub(super) fn attribute_error(name: &str, reason: &str) -> DecodeError {
    DecodeError::Attribute { name: excerpt(name, 40), reason: excerpt(reason, 300) }
}

fn parse<T, E: std::fmt::Display>(
    name: &'static str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, DecodeError> {
    text.map(|text| parse(text).map_err(|error| attribute_error(name, &error.to_string()))).transpose()
}

fn required<T>(name: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Missing(name))
}
