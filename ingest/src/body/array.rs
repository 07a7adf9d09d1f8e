//! A JSON array split into the byte ranges of its elements, which are parsed one by one later.

use std::{fmt, ops::Range};

use bytes::Bytes;
use qamtu_schemas::decode::Mismatch;
use serde::{
    Deserializer as _,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    rejection::{Detail, ProblemCode, Rejection},
    submission,
};

/// The byte ranges of the elements of the array that `bytes` holds; refuses anything else, and arrays of more than `max` elements.
pub fn split(bytes: &Bytes, max: usize) -> Result<Vec<Range<usize>>, Rejection> {
    let text = submission::text_of(bytes).map_err(|rejection| rejection.at(""))?;
    let offset = bytes.len() - text.len();
    let mut reader = serde_json::Deserializer::from_str(text);
    let elements = reader.deserialize_seq(ElementRanges { text, offset, max }).and_then(|elements| reader.end().map(|()| elements));
    let elements = elements.map_err(|error| match error.is_data() {
        true => Rejection::new(ProblemCode::InvalidJson, Detail::ArrayOfEvents).at(""),
        false => submission::syntax_rejection(Mismatch::syntax(text.as_bytes())).at(""),
    })?;
    elements.ok_or_else(|| Rejection::new(ProblemCode::TooManyEvents, Detail::BatchMax { events: max }).at(""))
}

/// Visitor of an array; its value is `None` if there are more than `max` elements.
struct ElementRanges<'a> {
    text: &'a str,
    /// Bytes of the body before `text`: a byte order mark.
    offset: usize,
    max: usize,
}

impl<'de> Visitor<'de> for ElementRanges<'de> {
    type Value = Option<Vec<Range<usize>>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while elements.len() < self.max {
            let Some(element) = seq.next_element::<&'de RawValue>()? else { return Ok(Some(elements)) };
            let begin = self.offset + element.get().as_ptr() as usize - self.text.as_ptr() as usize;
            elements.push(begin..begin + element.get().len());
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            elements.clear();
        }
        Ok((elements.len() == self.max).then_some(elements))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_split_into_its_elements_and_counted() {
        let bytes = Bytes::from_static(b" [ {\"a\":1} ,[2], 3 ] ");
        let elements: Vec<&[u8]> = split(&bytes, 3).unwrap().into_iter().map(|range| &bytes[range]).collect();
        assert_eq!(elements, [&b"{\"a\":1}"[..], b"[2]", b"3"]);
        let marked = Bytes::from_static(b"\xef\xbb\xbf [ 1 ]");
        let elements: Vec<&[u8]> = split(&marked, 3).unwrap().into_iter().map(|range| &marked[range]).collect();
        assert_eq!(elements, [b"1"]);
        assert_eq!(split(&bytes, 2).unwrap_err().code, ProblemCode::TooManyEvents);
        assert_eq!(split(&Bytes::from_static(b"[]"), 2).unwrap(), Vec::<Range<usize>>::new());
        for bad in [&b"{}"[..], b"[1", b"[1] 2", b"", b"[1,]", b"[\xff]"] {
            assert!(split(&Bytes::copy_from_slice(bad), 9).is_err(), "{bad:?}");
        }
    }
}
