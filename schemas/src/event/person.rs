//! A person in an event: a pseudonym, and how reliably it identifies the person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::Pseudonym;

/// How reliably a pseudonym identifies a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Strength")]
pub enum PseudonymStrength {
    /// Computed from a national id: one person, one pseudonym.
    Strong,
    /// Computed from a phone number, which may be shared or changed; never counts for exact reach.
    Weak,
}

/// A person as stored in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The pseudonym, computed with the campaign's key.
    pub id: Pseudonym,
    /// What the pseudonym was computed from.
    pub strength: PseudonymStrength,
}

impl std::fmt::Display for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.id.fmt(f)
    }
}
