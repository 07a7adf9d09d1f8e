//! JSON pointers to errors in a payload; they contain as little of the payload as possible.

use serde_path_to_error::{Path, Segment};

use super::{DecodeError, Mismatch};
use crate::text::excerpt;

/// An error with its JSON pointer. For a missing or duplicate field the pointer is that of the field itself.
pub(super) fn payload_error(prefix: &str, path: &Path, mismatch: Mismatch) -> DecodeError {
    let mut pointer = format!("{prefix}{}", pointer(path));
    let field = match &mismatch {
        Mismatch::MissingField(name) => Some(format!("/{}", escape(name))),
        // serde's derived code reports a duplicate at the field, other visitors at the object.
        Mismatch::DuplicateField(name) => Some(format!("/{}", escape(name))).filter(|field| !pointer.ends_with(field.as_str())),
        _ => None,
    };
    pointer.extend(field);
    DecodeError::Payload { pointer, mismatch }
}

/// A path as a JSON pointer (RFC 6901).
fn pointer(path: &Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape(key)),
            Segment::Enum { variant } => format!("/{}", escape(variant)),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// Escapes a key by RFC 6901; truncates keys longer than any of the contract.
pub(super) fn escape(key: &str) -> String {
    excerpt(key, 64).replace('~', "~0").replace('/', "~1")
}
