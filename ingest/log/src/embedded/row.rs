//! One record as a database row: headers in one blob, and a checksum over all fields.
//!
//! Headers: for each, the length of its name (2 bytes), the name, the length of its value (4 bytes),
//! the value; little-endian, in their order.

use std::borrow::Cow;

use bytes::{Buf, BufMut, Bytes};

use crate::entry::Headers;

/// Encodes headers as one blob; [`crate::entry::Entry::check`] has limited their lengths.
pub(super) fn encode_headers(headers: &Headers) -> Vec<u8> {
    let mut blob = Vec::with_capacity(headers.iter().map(|(name, value)| 6 + name.len() + value.len()).sum());
    for (name, value) in headers {
        blob.put_u16_le(name.len() as u16);
        blob.put_slice(name.as_bytes());
        blob.put_u32_le(value.len() as u32);
        blob.put_slice(value);
    }
    blob
}

/// Decodes headers from a blob; none when it is malformed.
pub(super) fn decode_headers(mut blob: Bytes) -> Option<Headers> {
    let mut headers = Headers::new();
    while !blob.is_empty() {
        let length = usize::from(blob.try_get_u16_le().ok()?);
        let name = (blob.len() >= length).then(|| blob.split_to(length))?;
        let name = std::str::from_utf8(&name).ok()?.to_owned();
        let length = blob.try_get_u32_le().ok()? as usize;
        let value = (blob.len() >= length).then(|| blob.split_to(length))?;
        headers.push((Cow::Owned(name), value));
    }
    Some(headers)
}

/// The fields of a row, headers as a blob.
pub(super) struct RowFields<'a> {
    pub(super) offset: u64,
    pub(super) appended_ms: i64,
    pub(super) key: &'a [u8],
    pub(super) headers: &'a [u8],
    pub(super) value: &'a [u8],
}

impl RowFields<'_> {
    /// CRC-32 over all fields and their lengths.
    pub(super) fn checksum(&self) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        crc.update(&self.offset.to_le_bytes());
        crc.update(&self.appended_ms.to_le_bytes());
        for field in [self.key, self.headers, self.value] {
            crc.update(&(field.len() as u64).to_le_bytes());
            crc.update(field);
        }
        crc.finalize()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checksum(key: &[u8], value: &[u8]) -> u32 {
        RowFields { offset: 1, appended_ms: 2, key, headers: b"", value }.checksum()
    }

    proptest! {
        #[test]
        fn headers_survive_a_round_trip(headers in prop::collection::vec((".{0,20}", prop::collection::vec(any::<u8>(), 0..50)), 0..10)) {
            let headers: Headers = headers.into_iter().map(|(name, value)| (Cow::Owned(name), Bytes::from(value))).collect();
            prop_assert_eq!(decode_headers(Bytes::from(encode_headers(&headers))), Some(headers));
        }

        #[test]
        fn any_bytes_decode_to_headers_or_none(blob in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(headers) = decode_headers(Bytes::from(blob.clone())) {
                prop_assert_eq!(encode_headers(&headers), blob);
            }
        }

        #[test]
        fn one_changed_byte_changes_the_checksum(value in prop::collection::vec(any::<u8>(), 1..100), place in any::<prop::sample::Index>(), flip in 1..=255_u8) {
            let mut changed = value.clone();
            changed[place.index(value.len())] ^= flip;
            prop_assert_ne!(checksum(b"k", &value), checksum(b"k", &changed));
        }
    }

    #[test]
    fn moving_a_byte_between_fields_changes_the_checksum() {
        assert_ne!(checksum(b"ab", b"c"), checksum(b"a", b"bc"));
    }
}
