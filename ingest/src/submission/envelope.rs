//! The JSON envelope of a CloudEvent: attributes by name, `data` unparsed.
//!
//! Guarantees: an attribute of the contract occurs once and is a string, or `null`, which means absent. Any other valid CloudEvents
//! attribute is ignored: client libraries add `subject`, `dataschema`, `partitionkey` and extensions. A name that CloudEvents does not
//! allow is refused, since it may be a misspelt attribute of the contract.

use std::{borrow::Cow, fmt};

use qamtu_schemas::decode::{Duplicate, is_attribute_name};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::json;

/// A string of the envelope, borrowed if it contains no escape.
#[derive(Debug)]
pub(super) struct JsonString<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for JsonString<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(json::StrVisitor).map(JsonString)
    }
}

/// The attributes as strings, before they are parsed.
#[derive(Debug, Default)]
pub(super) struct RawEnvelope<'a> {
    pub specversion: Option<JsonString<'a>>,
    pub id: Option<JsonString<'a>>,
    pub kind: Option<JsonString<'a>>,
    pub source: Option<JsonString<'a>>,
    pub time: Option<JsonString<'a>>,
    pub recordedtime: Option<JsonString<'a>>,
    pub receivedtime: Option<JsonString<'a>>,
    pub campaign: Option<JsonString<'a>>,
    pub import: Option<JsonString<'a>>,
    pub bodyhash: Option<JsonString<'a>>,
    pub datacontenttype: Option<JsonString<'a>>,
    pub data: Option<&'a RawValue>,
    pub data_base64: Option<JsonString<'a>>,
}

impl<'a> RawEnvelope<'a> {
    /// The field of an attribute; `None` if the contract does not have it.
    fn attribute(&mut self, name: &str) -> Option<&mut Option<JsonString<'a>>> {
        Some(match name {
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
            "datacontenttype" => &mut self.datacontenttype,
            "data_base64" => &mut self.data_base64,
            _ => return None,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for RawEnvelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EnvelopeVisitor)
    }
}

struct EnvelopeVisitor;

impl<'de> Visitor<'de> for EnvelopeVisitor {
    type Value = RawEnvelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawEnvelope<'de>, A::Error> {
        let mut envelope = RawEnvelope::default();
        let (mut names, mut data) = (Vec::with_capacity(12), 0);
        while let Some(AttributeName(name)) = map.next_key()? {
            if name == "data" {
                envelope.data = map.next_value()?;
                data += 1;
            } else if let Some(slot) = envelope.attribute(&name) {
                *slot = map.next_value()?;
                names.push(name);
            } else {
                let IgnoredAttribute = map.next_value()?;
            }
            if data > 1 {
                return Err(A::Error::custom(Duplicate("data")));
            }
        }
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(A::Error::custom(Duplicate(&twice[0]))),
            None => Ok(envelope),
        }
    }
}

/// A valid name of a CloudEvents attribute.
struct AttributeName<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for AttributeName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = deserializer.deserialize_str(json::StrVisitor)?;
        if is_attribute_name(&name) || name == "data_base64" { Ok(AttributeName(name)) } else { Err(D::Error::unknown_field(&name, &[])) }
    }
}

/// The value of an ignored attribute: a string, a number, a boolean or `null`, as CloudEvents allows.
struct IgnoredAttribute;

impl<'de> Deserialize<'de> for IgnoredAttribute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IgnoredAttribute)
    }
}

impl<'de> Visitor<'de> for IgnoredAttribute {
    type Value = IgnoredAttribute;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number, true or false")
    }
    fn visit_str<E>(self, _: &str) -> Result<IgnoredAttribute, E> {
        Ok(IgnoredAttribute)
    }
    fn visit_bool<E>(self, _: bool) -> Result<IgnoredAttribute, E> {
        Ok(IgnoredAttribute)
    }
    fn visit_i64<E>(self, _: i64) -> Result<IgnoredAttribute, E> {
        Ok(IgnoredAttribute)
    }
    fn visit_u64<E>(self, _: u64) -> Result<IgnoredAttribute, E> {
        Ok(IgnoredAttribute)
    }
    fn visit_f64<E>(self, _: f64) -> Result<IgnoredAttribute, E> {
        Ok(IgnoredAttribute)
    }
    fn visit_unit<E>(self) -> Result<IgnoredAttribute, E> {
        Ok(IgnoredAttribute)
    }
}
