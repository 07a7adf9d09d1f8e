//! A strict deserializer with typed errors: it refuses alternative JSON forms that serde would accept.
//!
//! Guarantees: a struct is read only from an object (serde also accepts an array of its fields), and a unit variant only from a string
//! (serde also accepts `{"strong": null}`). So what decodes here also validates against the JSON Schema, and readers of the stored
//! JSON find the fields by name. An error is a [`Mismatch`]; serde_json's errors contain text only, so the typed error is stored in an
//! [`ErrorSlot`] beside it.

use std::{cell::Cell, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::MapAccessDeserializer,
    },
};

use super::{
    mismatch::{ExpectedValue, Mismatch, SyntaxError},
    rule::Rule,
};

/// Stores the typed error while serde_json returns its own.
pub(super) type ErrorSlot = Cell<Option<Mismatch>>;

/// Wraps a deserializer, visitor, seed or access of serde, and everything inside it.
pub(super) struct Strict<'s, T> {
    pub inner: T,
    pub slot: &'s ErrorSlot,
    /// The expected value, if `inner` is a visitor.
    expected: Option<ExpectedValue>,
}

impl<'s, T> Strict<'s, T> {
    pub(super) fn new(inner: T, slot: &'s ErrorSlot) -> Self {
        Self { inner, slot, expected: None }
    }
}

/// Takes the typed error from the slot; serde_json's own errors are about syntax, see [`Mismatch::syntax`].
fn typed<E>(slot: &ErrorSlot) -> impl Fn(E) -> Mismatch + '_ {
    |_| slot.take().unwrap_or(Mismatch::Syntax(SyntaxError::Value))
}

/// Stores the typed error in the slot and returns an error of serde_json.
fn untyped<E: Error>(slot: &ErrorSlot, expected: Option<ExpectedValue>) -> impl Fn(Mismatch) -> E + '_ {
    move |mismatch| {
        slot.set(Some(mismatch.with_expected(expected)));
        E::custom("see the slot")
    }
}

impl<'de, D: Deserializer<'de>> Strict<'_, D> {
    /// Deserializes any value, as JSON is self-describing; the visitor accepts or refuses it.
    fn any<V: Visitor<'de>>(self, visitor: V, expected: impl Into<Option<ExpectedValue>>) -> Result<V::Value, Mismatch> {
        let visitor = Strict { inner: visitor, slot: self.slot, expected: expected.into() };
        self.inner.deserialize_any(visitor).map_err(typed(self.slot))
    }
}

macro_rules! deserialize {
    ($($method:ident: $expected:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            self.any(visitor, $expected)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<'_, D> {
    type Error = Mismatch;

    deserialize! {
        deserialize_any: None;
        deserialize_bool: ExpectedValue::Boolean;
        deserialize_i8: None;
        deserialize_i16: None;
        deserialize_i32: None;
        deserialize_i64: None;
        deserialize_u8: ExpectedValue::Whole(u8::MAX.into());
        deserialize_u16: ExpectedValue::Whole(u16::MAX.into());
        deserialize_u32: ExpectedValue::Whole(u32::MAX);
        deserialize_u64: None;
        deserialize_f32: None;
        deserialize_f64: None;
        deserialize_char: ExpectedValue::Text;
        deserialize_str: ExpectedValue::Text;
        deserialize_string: ExpectedValue::Text;
        deserialize_bytes: None;
        deserialize_byte_buf: None;
        deserialize_unit: None;
        deserialize_seq: ExpectedValue::List;
        deserialize_map: ExpectedValue::Object;
        deserialize_identifier: ExpectedValue::Text;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.inner.deserialize_option(Strict::new(visitor, self.slot)).map_err(typed(self.slot))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.inner.deserialize_ignored_any(Strict::new(visitor, self.slot)).map_err(typed(self.slot))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        self.inner.deserialize_unit_struct(name, Strict::new(visitor, self.slot)).map_err(typed(self.slot))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        self.inner.deserialize_newtype_struct(name, Strict::new(visitor, self.slot)).map_err(typed(self.slot))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.any(visitor, ExpectedValue::Items(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.any(visitor, ExpectedValue::Items(len))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Mismatch> {
        self.any(ObjectOnly(visitor), ExpectedValue::Object)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.any(Choice { visitor, variants }, ExpectedValue::Choice(variants))
    }
}

macro_rules! visit {
    ($($method:ident($kind:ty))*) => {
        $(fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.inner.$method(value).map_err(untyped(self.slot, self.expected))
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool) visit_i64(i64) visit_u64(u64) visit_f64(f64) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none().map_err(untyped(self.slot, self.expected))
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit().map_err(untyped(self.slot, self.expected))
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Strict::new(value, self.slot)).map_err(untyped(self.slot, self.expected))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Strict::new(value, self.slot)).map_err(untyped(self.slot, self.expected))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Strict::new(items, self.slot)).map_err(untyped(self.slot, self.expected))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Strict::new(fields, self.slot)).map_err(untyped(self.slot, self.expected))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Strict::new(from, self.slot)).map_err(untyped(self.slot, None))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<'_, A> {
    type Error = Mismatch;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mismatch> {
        self.inner.next_element_seed(Strict::new(seed, self.slot)).map_err(typed(self.slot))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<'_, A> {
    type Error = Mismatch;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Mismatch> {
        self.inner.next_key_seed(Strict::new(seed, self.slot)).map_err(typed(self.slot))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Mismatch> {
        self.inner.next_value_seed(Strict::new(seed, self.slot)).map_err(typed(self.slot))
    }
}

/// Visitor that reads a struct only from an object.
struct ObjectOnly<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for ObjectOnly<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(fields)
    }
}

/// Visitor for an enum: a string for a unit variant, an object with one field for a variant with a value.
struct Choice<V> {
    visitor: V,
    variants: &'static [&'static str],
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Choice<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.variants.join(", "))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<V::Value, E> {
        self.visitor.visit_enum(name.into_deserializer())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<V::Value, A::Error> {
        let choice = self.visitor.visit_enum(ValueOnly(MapAccessDeserializer::new(&mut fields)))?;
        match fields.next_key::<IgnoredAny>()? {
            None => Ok(choice),
            Some(_) => Err(A::Error::custom(Rule::OneChoice)),
        }
    }
}

/// Access to a variant in an object, which must have a value.
struct ValueOnly<A>(A);

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for ValueOnly<A> {
    type Error = A::Error;
    type Variant = ValueOnly<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        self.0.variant_seed(seed).map(|(name, value)| (name, ValueOnly(value)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for ValueOnly<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        Err(A::Error::custom(Rule::PlainChoice))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, A::Error> {
        self.0.struct_variant(fields, visitor)
    }
}
