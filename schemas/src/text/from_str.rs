//! Deserializes types that implement [`FromStr`] from a JSON string, without copying the string first.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserializer, de};

/// For `deserialize_with`: parses a JSON string; any other JSON value is an error.
pub(crate) fn deserialize_from_str<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(ParseVisitor(PhantomData))
}

struct ParseVisitor<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> de::Visitor<'_> for ParseVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
