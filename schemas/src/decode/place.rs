//! Where in a JSON text something is wrong, and what, in words that show no more of it than they must.

use serde_path_to_error::{Path, Segment};

use super::{DecodeError, Mismatch};
use crate::text::redact;

/// An error with its place. A field that is missing or stands twice is named by its own pointer.
pub(super) fn error(prefix: &str, path: &Path, mismatch: Mismatch) -> DecodeError {
    let mut pointer = format!("{prefix}{}", pointer(path));
    let field = match &mismatch {
        Mismatch::MissingField(name) => Some(format!("/{}", escape(name))),
        // serde's own structs find the second one at its place, other readers after the whole object.
        Mismatch::DuplicateField(name) => Some(format!("/{}", escape(name))).filter(|field| !pointer.ends_with(field.as_str())),
        _ => None,
    };
    pointer.extend(field);
    DecodeError::Payload { pointer, mismatch }
}

/// The beginning of a text that somebody sent, without what may be a national id.
pub(super) fn shown(text: &str, chars: usize) -> String {
    redact(text).chars().take(chars).collect()
}

/// RFC 6901 form of a path.
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

/// RFC 6901 escapes; a key is cut where it is longer than any of ours.
pub(super) fn escape(key: &str) -> String {
    shown(key, 64).replace('~', "~0").replace('/', "~1")
}
