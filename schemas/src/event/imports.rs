//! Imports: events that came together and can be taken back together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{id::ImportId, text::Text};

/// `import.accepted`: an import was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportAccepted {
    /// The import.
    pub import: ImportId,
    /// Events that came with it.
    pub events: u32,
    /// What it was: a file name or a form.
    pub name: Text,
}

/// `import.reversed`: an import was taken back; none of its events counts any more, except reference data, which stays until a higher
/// revision replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportReversed {
    /// The import.
    pub import: ImportId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}
