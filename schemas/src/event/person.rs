//! How a person is named in an event: by a pseudonym, and how well that pseudonym identifies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::Pseudonym;

/// How well a pseudonym identifies a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Strength {
    /// Made from a national id: one person, one pseudonym.
    Strong,
    /// Made from a phone number: may be shared or changed; never enters exact reach.
    Weak,
}

/// A person as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The pseudonym, made with the campaign's key.
    pub id: Pseudonym,
    /// What it was made from.
    pub strength: Strength,
}

impl std::fmt::Display for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.id.fmt(f)
    }
}
