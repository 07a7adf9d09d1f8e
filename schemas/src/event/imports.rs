//! Imports: events that were sent together and can be reversed together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{id::ImportId, text::Text};

/// `import.accepted`: ingest accepted an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportAccepted {
    /// Id of the import.
    pub import: ImportId,
    /// Number of events in it.
    pub events: u32,
    /// Name of the file or form it came from.
    pub name: Text,
}

/// `import.reversed`: an import was reversed; its events no longer count, except reference data, which stays until a higher revision
/// replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportReversed {
    /// Id of the import.
    pub import: ImportId,
    /// Reason for the reversal, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}
