//! Claims on ids: an id is reserved for its claimant until the append of its event succeeds or fails.
//!
//! Guarantees: claims that are dropped without a result of an append release their ids.

use std::sync::Arc;

use qamtu_log::{LogError, Position};
use qamtu_schemas::Event;

use super::{
    Register,
    event_identity::{Comparison, EventIdentity},
    store::StoreError,
};

/// Result of a claim: whether the caller may append an event with this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The id is not known to be in the log; it is now reserved for the caller, perhaps for other requests with the same body too.
    Fresh,
    /// The log holds an event with this id and the same body.
    Duplicate,
    /// The log holds an event with this id whose body differs only in the person that it names.
    OtherPerson {
        /// `receivedtime` of that event, in microseconds since 1970.
        first_received_us: i64,
    },
    /// Another body has this id, in the log or in a running append.
    Conflict,
    /// An append of another body with this id failed, and it is not known yet whether the log holds that body.
    Unresolved,
}

impl Claim {
    /// The claim on an id for `sent`, if the log holds `stored` with this id.
    pub fn of_stored(stored: &EventIdentity, sent: &EventIdentity) -> Self {
        match stored.compare(sent) {
            Comparison::Same => Self::Duplicate,
            Comparison::OtherPerson => Self::OtherPerson { first_received_us: stored.received_us },
            Comparison::Different => Self::Conflict,
        }
    }
}

/// The ids that one chunk has claimed and not settled. Dropping it releases them, so it must not be dropped once they are appended.
#[derive(Debug)]
pub struct Claims {
    register: Arc<Register>,
    claimed: Vec<EventIdentity>,
}

impl Claims {
    /// Claims in this register, none so far.
    pub fn new(register: Arc<Register>) -> Self {
        Self { register, claimed: Vec::new() }
    }

    /// Claims an id and records it if it is fresh.
    pub fn claim(&mut self, sent: &EventIdentity) -> Result<Claim, StoreError> {
        let claim = self.register.claim(sent)?;
        if claim == Claim::Fresh {
            self.claimed.push(*sent);
        }
        Ok(claim)
    }

    /// Records the results of the append, one per claim in the order of the claims, and applies `events` if all succeeded.
    pub fn settle(mut self, results: &[Result<Position, LogError>], events: &[Event]) {
        // Events are not matched with claims: after a partial append they are applied when they are read back from the log.
        if results.iter().all(Result::is_ok) {
            self.register.apply(events);
        }
        self.register.in_flight.settle(&std::mem::take(&mut self.claimed), results);
    }
}

impl Drop for Claims {
    fn drop(&mut self) {
        self.register.in_flight.release(&self.claimed);
    }
}
