//! ClickHouse's RowBinary format: the encoding of one column of one row.
//!
//! Implemented here because the projector needs the bytes of a batch before it sends them, to hash them for the token and to retry with
//! exactly these bytes; the client library serializes while it sends. Numbers are little-endian, strings have their length in front
//! (LEB128), a UUID is two halves, `Nullable` has a byte in front of the value, and `LowCardinality` is encoded as its inner type.

use std::io::Write;

use jiff::Timestamp;
use qamtu_schemas::{
    EventType,
    id::{BodyHash, EventId, ImportId},
};
use serde::Serialize;

/// A value that is encoded as one column in RowBinary.
pub trait ToRowBinary {
    /// Appends the encoded value.
    fn put(&self, out: &mut Vec<u8>);
}

/// An instant, stored in microseconds as `DateTime64(6)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Micros(pub Timestamp);

/// Milliseconds since 1970, stored as `DateTime64(3)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Millis(pub i64);

macro_rules! little_endian {
    ($($number:ty),*) => {
        $(impl ToRowBinary for $number {
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        })*
    };
}

little_endian!(u16, u32, u64, i64);

impl ToRowBinary for Micros {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.as_microsecond().put(out);
    }
}

impl ToRowBinary for Millis {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }
}

fn put_length(mut length: usize, out: &mut Vec<u8>) {
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
}

impl ToRowBinary for &str {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        out.extend_from_slice(self.as_bytes());
    }
}

impl ToRowBinary for std::borrow::Cow<'_, str> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }
}

impl ToRowBinary for Option<EventType> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Some(kind) => kind.put(out),
            None => "".put(out),
        }
    }
}

impl ToRowBinary for EventType {
    fn put(&self, out: &mut Vec<u8>) {
        let at = out.len();
        out.push(0);
        // INVARIANT: writing to a `Vec` does not fail.
        write!(out, "{self}").expect("a write into memory");
        // Every type name is far shorter than 128 bytes, so its length is one byte.
        out[at] = (out.len() - at - 1) as u8;
    }
}

impl ToRowBinary for EventId {
    fn put(&self, out: &mut Vec<u8>) {
        let (high, low) = self.0.as_u64_pair();
        high.put(out);
        low.put(out);
    }
}

impl ToRowBinary for BodyHash {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl ToRowBinary for Option<ImportId> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Some(import) => {
                out.push(0);
                EventId(import.0).put(out);
            }
            None => out.push(1),
        }
    }
}

impl ToRowBinary for &[EventId] {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(self.len(), out);
        self.iter().for_each(|id| id.put(out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(column: impl ToRowBinary) -> Vec<u8> {
        let mut out = Vec::new();
        column.put(&mut out);
        out
    }

    #[test]
    fn lengths_are_leb128() {
        for (length, expected) in
            [(0, vec![0]), (127, vec![127]), (128, vec![0x80, 1]), (300, vec![0xac, 2]), (1 << 20, vec![0x80, 0x80, 0x40])]
        {
            let mut out = Vec::new();
            put_length(length, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_type_is_a_string() {
        let kind: EventType = "qamtu.meeting.held.v1".parse().unwrap();
        assert_eq!(bytes(kind), bytes("qamtu.meeting.held.v1"));
        assert_eq!(bytes(None::<EventType>), bytes(""));
    }

    #[test]
    fn a_uuid_is_two_little_endian_halves() {
        let id: EventId = "00010203-0405-0607-0809-0a0b0c0d0e0f".parse().unwrap();
        assert_eq!(bytes(id), [7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8]);
    }
}
