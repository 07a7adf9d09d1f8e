//! A reader that takes JSON as the contract writes it, and no other spelling that serde would also take, with typed errors.
//!
//! Guarantees: a struct is read from an object alone (serde also reads it from an array of its fields), and a plain choice from a
//! string alone (serde also reads `{"strong": null}`). So what decodes here also validates against the JSON Schema, and whoever
//! reads the stored JSON by field names finds them. An error is a [`Mismatch`]; the JSON reader below knows texts only, so the typed
//! error passes it in a slot beside.

use std::{cell::Cell, fmt};

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, EnumAccess, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::MapAccessDeserializer,
    },
};

use super::{
    mismatch::{Mismatch, SyntaxError, Wanted},
    rule::Rule,
};

/// Where a typed error waits while the JSON reader unwinds.
pub(super) type Slot = Cell<Option<Mismatch>>;

/// Anything of serde's, made strict all the way down.
pub(super) struct Strict<'s, T> {
    pub inner: T,
    pub slot: &'s Slot,
    /// What the reader asked for, where `inner` is its visitor.
    wanted: Option<Wanted>,
}

impl<'s, T> Strict<'s, T> {
    pub(super) fn new(inner: T, slot: &'s Slot) -> Self {
        Self { inner, slot, wanted: None }
    }
}

/// The typed error behind an error of the JSON reader; its own errors are about syntax, see [`Mismatch::syntax`].
fn typed<E>(slot: &Slot) -> impl Fn(E) -> Mismatch + '_ {
    |_| slot.take().unwrap_or(Mismatch::Syntax(SyntaxError::Value))
}

/// A typed error as one of the JSON reader.
fn untyped<E: Error>(slot: &Slot, wanted: Option<Wanted>) -> impl Fn(Mismatch) -> E + '_ {
    move |mismatch| {
        slot.set(Some(mismatch.wanting(wanted)));
        E::custom("see the slot")
    }
}

impl<'de, D: Deserializer<'de>> Strict<'_, D> {
    /// Reads whatever comes: JSON says by itself what it is, and the visitor judges.
    fn any<V: Visitor<'de>>(self, visitor: V, wanted: impl Into<Option<Wanted>>) -> Result<V::Value, Mismatch> {
        let visitor = Strict { inner: visitor, slot: self.slot, wanted: wanted.into() };
        self.inner.deserialize_any(visitor).map_err(typed(self.slot))
    }
}

macro_rules! deserialize {
    ($($method:ident: $wanted:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            self.any(visitor, $wanted)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<'_, D> {
    type Error = Mismatch;

    deserialize! {
        deserialize_any: None;
        deserialize_bool: Wanted::Boolean;
        deserialize_i8: None;
        deserialize_i16: None;
        deserialize_i32: None;
        deserialize_i64: None;
        deserialize_u8: Wanted::Whole(u8::MAX.into());
        deserialize_u16: Wanted::Whole(u16::MAX.into());
        deserialize_u32: Wanted::Whole(u32::MAX);
        deserialize_u64: None;
        deserialize_f32: None;
        deserialize_f64: None;
        deserialize_char: Wanted::Text;
        deserialize_str: Wanted::Text;
        deserialize_string: Wanted::Text;
        deserialize_bytes: None;
        deserialize_byte_buf: None;
        deserialize_unit: None;
        deserialize_seq: Wanted::List;
        deserialize_map: Wanted::Object;
        deserialize_identifier: Wanted::Text;
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
        self.any(visitor, Wanted::Items(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.any(visitor, Wanted::Items(len))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Mismatch> {
        self.any(ObjectOnly(visitor), Wanted::Object)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.any(Choice { visitor, variants }, Wanted::Choice(variants))
    }
}

macro_rules! visit {
    ($($method:ident($kind:ty))*) => {
        $(fn $method<E: Error>(self, value: $kind) -> Result<V::Value, E> {
            self.inner.$method(value).map_err(untyped(self.slot, self.wanted))
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
        self.inner.visit_none().map_err(untyped(self.slot, self.wanted))
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit().map_err(untyped(self.slot, self.wanted))
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Strict::new(value, self.slot)).map_err(untyped(self.slot, self.wanted))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Strict::new(value, self.slot)).map_err(untyped(self.slot, self.wanted))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Strict::new(items, self.slot)).map_err(untyped(self.slot, self.wanted))
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Strict::new(fields, self.slot)).map_err(untyped(self.slot, self.wanted))
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

/// Reads a struct from an object and from nothing else.
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

/// Reads one of several variants: a string for a plain one, an object of one field for one that carries a value.
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

/// A variant written as an object: it carries a value.
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
