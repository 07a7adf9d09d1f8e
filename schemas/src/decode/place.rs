//! Where in a JSON text something is wrong, and what, in words that show no more of it than they must.

use serde_path_to_error::{Path, Segment};

use super::DecodeError;
use crate::text::redact;

/// The error of a JSON reader as ours. A field that is missing or stands twice is named by its own pointer.
pub(super) fn flaw(prefix: &str, path: &Path, error: &serde_json::Error) -> DecodeError {
    let mut pointer = format!("{prefix}{}", pointer(path));
    let mut reason = error.to_string();
    if error.is_data() {
        // The pointer says where; lines and columns would be those of the payload, not of what the client sent.
        if let Some(at) = reason.rfind(" at line ") {
            reason.truncate(at);
        }
        let field =
            |message: &str| reason.strip_prefix(message).and_then(|rest| rest.strip_suffix('`')).map(|field| format!("/{}", escape(field)));
        if let Some(field) =
            field("missing field `").or_else(|| field("duplicate field `").filter(|field| !pointer.ends_with(field.as_str())))
        {
            pointer.push_str(&field);
        }
    }
    DecodeError::Payload { pointer, reason: shown(&reason, 300) }
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
