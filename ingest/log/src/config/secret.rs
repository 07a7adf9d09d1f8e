//! Reads secrets of the configuration without ever printing one.

use std::fmt;

use secrecy::SecretString;
use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a secret; a value that is not a string is refused without printing it.
pub(super) fn read<'de, D: Deserializer<'de>>(source: D) -> Result<SecretString, D::Error> {
    struct SecretVisitor;
    impl Visitor<'_> for SecretVisitor {
        type Value = SecretString;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<SecretString, E> {
            Ok(SecretString::from(text))
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<SecretString, E> {
            Err(E::custom("a secret that looks like a number must be written in quotes, in a variable too: '\"123\"'"))
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<SecretString, E> {
            self.visit_u64(0)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<SecretString, E> {
            self.visit_u64(0)
        }

        fn visit_bool<E: Error>(self, _: bool) -> Result<SecretString, E> {
            self.visit_u64(0)
        }
    }
    source.deserialize_any(SecretVisitor)
}

pub(super) fn read_optional<'de, D: Deserializer<'de>>(source: D) -> Result<Option<SecretString>, D::Error> {
    read(source).map(Some)
}
