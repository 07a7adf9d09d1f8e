//! A JSON value that borrows from the request, with its canonical form (RFC 8785).
//!
//! Guarantees: unique keys and whole numbers only, so that [`Json::canonical`] is exact; `10.0` is the whole number 10, as in JSON Schema
//! and RFC 8785. Texts without escapes are borrowed. The general canonicalizer of `qamtu_schemas` gives the same bytes (tested) and is ten
//! times slower, too slow for the path of every event.

use std::{borrow::Cow, fmt};

use qamtu_schemas::decode::{Duplicate, Rule};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

/// The largest whole number that a double represents exactly.
const SAFE_MAX: u64 = (1 << 53) - 1;

/// A JSON value; objects are sorted by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json<'a> {
    /// The JSON literal `null`.
    Null,
    /// The JSON literal `true` or `false`.
    Bool(bool),
    /// A whole number within ±(2^53 - 1).
    Number(i64),
    /// A string, borrowed if it contains no escape.
    Text(Cow<'a, str>),
    /// An array of values, in order.
    List(Vec<Json<'a>>),
    /// An object: unique keys in RFC 8785 order.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// The canonical form (RFC 8785) as UTF-8 bytes.
    pub fn canonical(&self) -> Vec<u8> {
        // INVARIANT: writing these variants to memory has no way to fail.
        serde_json::to_vec(self).expect("a tree of plain values")
    }

    /// Copies borrowed texts, so that the value no longer depends on its source.
    pub fn into_owned(self) -> Json<'static> {
        let owned = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        match self {
            Json::Null => Json::Null,
            Json::Bool(value) => Json::Bool(value),
            Json::Number(value) => Json::Number(value),
            Json::Text(text) => Json::Text(owned(text)),
            Json::List(items) => Json::List(items.into_iter().map(Json::into_owned).collect()),
            Json::Object(fields) => Json::Object(fields.into_iter().map(|(key, value)| (owned(key), value.into_owned())).collect()),
        }
    }

    /// The value of a field, if this is an object that has it.
    pub fn field(&self, key: &str) -> Option<&Json<'a>> {
        match self {
            Json::Object(fields) => fields.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// Mutable version of [`Json::field`].
    pub fn field_mut(&mut self, key: &str) -> Option<&mut Json<'a>> {
        match self {
            Json::Object(fields) => fields.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => serializer.serialize_unit(),
            Json::Bool(value) => serializer.serialize_bool(*value),
            Json::Number(value) => serializer.serialize_i64(*value),
            Json::Text(text) => serializer.serialize_str(text),
            Json::List(items) => serializer.collect_seq(items),
            Json::Object(fields) => serializer.collect_map(fields.iter().map(|(key, value)| (key, value))),
        }
    }
}

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// A key, borrowed if it contains no escape.
struct ObjectKey<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for ObjectKey<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(StrVisitor).map(ObjectKey)
    }
}

/// Visitor of a string, which is borrowed if it contains no escape.
pub(super) struct StrVisitor;

impl<'de> Visitor<'de> for StrVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json::Bool(value))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json<'de>, E> {
        if value.unsigned_abs() > SAFE_MAX { Err(E::custom(Rule::NumberSize)) } else { Ok(Json::Number(value)) }
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json<'de>, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => Err(E::custom(Rule::NumberSize)),
        }
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json<'de>, E> {
        if value.fract() != 0.0 {
            return Err(E::custom(Rule::NumberFraction));
        }
        if value.abs() > SAFE_MAX as f64 {
            return Err(E::custom(Rule::NumberSize));
        }
        Ok(Json::Number(value as i64))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Json<'de>, E> {
        Ok(Json::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut fields: Vec<(Cow<'de, str>, Json<'de>)> = Vec::with_capacity(8);
        while let Some((ObjectKey(key), value)) = map.next_entry()? {
            fields.push((key, value));
        }
        if !fields.is_sorted_by(|(a, _), (b, _)| by_utf16(a, b).is_lt()) {
            fields.sort_by(|(a, _), (b, _)| by_utf16(a, b));
            if let Some(twice) = fields.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(de::Error::custom(Duplicate(&twice[0].0)));
            }
        }
        Ok(Json::Object(fields))
    }
}

/// Compares by UTF-16 code units, the key order of RFC 8785.
fn by_utf16(a: &str, b: &str) -> std::cmp::Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(SAFE_MAX as i64)..=SAFE_MAX as i64).prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
            "[\u{0}-\u{1f}\"\\\\/\u{e000}-\u{ffff}\u{10000}-\u{10fff}]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z\u{e000}-\u{ffff}\u{10000}-\u{10fff}]{0,4}", inner, 0..6)
                    .prop_map(|map| Value::from(map.into_iter().collect::<serde_json::Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_form_equals_that_of_the_contract(value in any_json()) {
            let text = serde_json::to_string(&value).unwrap();
            let tree: Json<'_> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(tree.canonical(), qamtu_schemas::encode::canonical(&value).unwrap());
        }

        #[test]
        fn parsing_terminates_on_any_text(text in "\\PC{0,200}") {
            let _ = serde_json::from_str::<Json<'_>>(&text);
        }
    }

    #[test]
    fn duplicates_fractions_and_unsafe_numbers_are_refused() {
        for bad in [
            r#"{"b":1,"a":2,"b":3}"#,
            r#"{"a":1,"\u0061":2}"#,
            "1.5",
            "1e-2",
            "1e300",
            "9007199254740992",
            "-9007199254740992",
            "18446744073709551615",
        ] {
            assert!(serde_json::from_str::<Json<'_>>(bad).is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Json<'_>>("-9007199254740991").is_ok());
        for (written, whole) in [("10.0", 10), ("1e2", 100), ("-0.0", 0), ("-3.00", -3)] {
            assert_eq!(serde_json::from_str::<Json<'_>>(written).unwrap(), Json::Number(whole), "{written}");
        }
    }
}
