//! The JSON envelope of a CloudEvent: attributes by name, `data` untouched.
//!
//! Guarantees: an attribute of the contract stands once and is a string, or `null`, which means absent. Any other attribute that
//! CloudEvents allows is accepted and dropped: client libraries add `subject`, `dataschema`, `partitionkey` and extensions of their
//! own. A name that CloudEvents does not allow is refused, since it may be a misspelt one of ours.

use std::{borrow::Cow, fmt};

use qamtu_schemas::decode::{Duplicate, is_attribute_name};
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::json;

/// A string of the envelope, borrowed where it holds no escape.
#[derive(Debug)]
pub(super) struct Word<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(json::Words).map(Word)
    }
}

/// The attributes as they stand in the JSON.
#[derive(Debug, Default)]
pub(super) struct Wire<'a> {
    pub specversion: Option<Word<'a>>,
    pub id: Option<Word<'a>>,
    pub kind: Option<Word<'a>>,
    pub source: Option<Word<'a>>,
    pub time: Option<Word<'a>>,
    pub recordedtime: Option<Word<'a>>,
    pub receivedtime: Option<Word<'a>>,
    pub campaign: Option<Word<'a>>,
    pub import: Option<Word<'a>>,
    pub bodyhash: Option<Word<'a>>,
    pub datacontenttype: Option<Word<'a>>,
    pub data: Option<&'a RawValue>,
    pub data_base64: Option<Word<'a>>,
}

impl<'a> Wire<'a> {
    /// The place of an attribute; none: it is not ours.
    fn attribute(&mut self, name: &str) -> Option<&mut Option<Word<'a>>> {
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

impl<'de: 'a, 'a> Deserialize<'de> for Wire<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Envelope)
    }
}

struct Envelope;

impl<'de> Visitor<'de> for Envelope {
    type Value = Wire<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event: one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Wire<'de>, A::Error> {
        let mut wire = Wire::default();
        let (mut ours, mut data) = (Vec::with_capacity(12), 0);
        while let Some(Name(name)) = map.next_key()? {
            if name == "data" {
                wire.data = map.next_value()?;
                data += 1;
            } else if let Some(place) = wire.attribute(&name) {
                *place = map.next_value()?;
                ours.push(name);
            } else {
                let Dropped = map.next_value()?;
            }
            if data > 1 {
                return Err(A::Error::custom(Duplicate("data")));
            }
        }
        ours.sort_unstable();
        match ours.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => Err(A::Error::custom(Duplicate(&twice[0]))),
            None => Ok(wire),
        }
    }
}

/// The name of an attribute.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = deserializer.deserialize_str(json::Words)?;
        if is_attribute_name(&name) || name == "data_base64" { Ok(Name(name)) } else { Err(D::Error::unknown_field(&name, &[])) }
    }
}

/// The value of somebody else's attribute: a string, a number, a boolean or `null`, as CloudEvents says.
struct Dropped;

impl<'de> Deserialize<'de> for Dropped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Dropped)
    }
}

impl<'de> Visitor<'de> for Dropped {
    type Value = Dropped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number, true or false")
    }
    fn visit_str<E>(self, _: &str) -> Result<Dropped, E> {
        Ok(Dropped)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Dropped, E> {
        Ok(Dropped)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Dropped, E> {
        Ok(Dropped)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Dropped, E> {
        Ok(Dropped)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Dropped, E> {
        Ok(Dropped)
    }
    fn visit_unit<E>(self) -> Result<Dropped, E> {
        Ok(Dropped)
    }
}
