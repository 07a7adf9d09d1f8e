//! Reference data of a campaign, folded from its events: units, precincts and their voters, coalitions, members, venues.
//!
//! Guarantees: of one unit, precinct and date, member and so on the highest revision holds, ties by event id; of two bodies with one
//! event id the earliest received holds. Taking an event twice, or in another order, changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};

use crate::{
    envelope::Event,
    event::{CampaignConfigured, CoalitionFormed, Data, Kind, MemberJoined, PrecinctCounted, UnitDefined, VenueDescribed},
    id::{BodyHash, CoalitionId, EventId, ImportId, MemberId, PrecinctId, UnitCode, VenueId},
};

/// A value and what it must be beaten by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Revised<T> {
    rank: (u32, EventId),
    value: T,
}

fn revise<K: Ord, T>(map: &mut BTreeMap<K, Revised<T>>, key: K, rank: (u32, EventId), value: T) {
    match map.entry(key) {
        std::collections::btree_map::Entry::Vacant(slot) => {
            slot.insert(Revised { rank, value });
        }
        std::collections::btree_map::Entry::Occupied(mut slot) => {
            if rank > slot.get().rank {
                slot.insert(Revised { rank, value });
            }
        }
    }
}

fn is_reference(data: &Data) -> bool {
    matches!(
        data.kind(),
        Kind::CampaignConfigured
            | Kind::UnitDefined
            | Kind::PrecinctCounted
            | Kind::CoalitionFormed
            | Kind::MemberJoined
            | Kind::VenueDescribed
            | Kind::ImportReversed
    )
}

/// Reference data of one campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// Of each event id the body that holds, and what made it hold.
    bodies: BTreeMap<EventId, ((Timestamp, BodyHash), Data)>,
    campaign: Option<Revised<CampaignConfigured>>,
    units: BTreeMap<UnitCode, Revised<UnitDefined>>,
    precincts: BTreeMap<PrecinctId, BTreeMap<Date, Revised<PrecinctCounted>>>,
    coalitions: BTreeMap<CoalitionId, Revised<CoalitionFormed>>,
    members: BTreeMap<MemberId, Revised<MemberJoined>>,
    venues: BTreeMap<VenueId, Revised<VenueDescribed>>,
    reversed: BTreeSet<ImportId>,
}

impl Reference {
    /// Takes an event; returns whether it was reference data. The events of a reversed import stay: reference data is corrected by a
    /// higher revision, since other events already lean on it.
    pub fn apply(&mut self, event: &Event) -> bool {
        if !is_reference(&event.data) {
            return false;
        }
        let (id, precedence) = (event.envelope.id, event.envelope.precedence());
        match self.bodies.get(&id) {
            Some((held, _)) if *held <= precedence => return true,
            // Another body came first after all: whatever the later one said is unsaid.
            Some(_) => self.forget(id),
            None => {}
        }
        self.show(id, &event.data);
        self.bodies.insert(id, (precedence, event.data.clone()));
        true
    }

    fn forget(&mut self, id: EventId) {
        let mut bodies = std::mem::take(self).bodies;
        bodies.remove(&id);
        for (id, (_, data)) in &bodies {
            self.show(*id, data);
        }
        self.bodies = bodies;
    }

    fn show(&mut self, id: EventId, data: &Data) {
        match data {
            Data::CampaignConfigured(data) => {
                let rank = (data.revision, id);
                if self.campaign.as_ref().is_none_or(|held| rank > held.rank) {
                    self.campaign = Some(Revised { rank, value: data.clone() });
                }
            }
            Data::UnitDefined(data) => revise(&mut self.units, data.unit.clone(), (data.revision, id), data.clone()),
            Data::PrecinctCounted(data) => {
                revise(self.precincts.entry(data.precinct.clone()).or_default(), data.as_of, (data.revision, id), data.clone());
            }
            Data::CoalitionFormed(data) => revise(&mut self.coalitions, data.coalition.clone(), (data.revision, id), data.clone()),
            Data::MemberJoined(data) => revise(&mut self.members, data.member.clone(), (data.revision, id), data.clone()),
            Data::VenueDescribed(data) => revise(&mut self.venues, data.venue.clone(), (data.revision, id), data.clone()),
            Data::ImportReversed(data) => {
                self.reversed.insert(data.import);
            }
            _ => {}
        }
    }

    /// The campaign, once configured.
    pub fn campaign(&self) -> Option<&CampaignConfigured> {
        self.campaign.as_ref().map(|held| &held.value)
    }

    /// Units by code.
    pub fn units(&self) -> impl ExactSizeIterator<Item = &UnitDefined> {
        self.units.values().map(|held| &held.value)
    }

    /// A unit.
    pub fn unit(&self, code: &UnitCode) -> Option<&UnitDefined> {
        self.units.get(code).map(|held| &held.value)
    }

    /// Every precinct's count that is true on a date: the newest `as_of` not after it. Precincts first counted later are absent.
    pub fn precincts(&self, on: Date) -> impl Iterator<Item = &PrecinctCounted> {
        self.precincts.values().filter_map(move |counts| counts.range(..=on).next_back().map(|(_, held)| &held.value))
    }

    /// A precinct's newest count, whatever its date.
    pub fn precinct(&self, id: &PrecinctId) -> Option<&PrecinctCounted> {
        self.precincts.get(id)?.values().next_back().map(|held| &held.value)
    }

    /// Coalitions by id.
    pub fn coalitions(&self) -> impl ExactSizeIterator<Item = &CoalitionFormed> {
        self.coalitions.values().map(|held| &held.value)
    }

    /// A coalition.
    pub fn coalition(&self, id: &CoalitionId) -> Option<&CoalitionFormed> {
        self.coalitions.get(id).map(|held| &held.value)
    }

    /// Members by id.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &MemberJoined> {
        self.members.values().map(|held| &held.value)
    }

    /// A member.
    pub fn member(&self, id: &MemberId) -> Option<&MemberJoined> {
        self.members.get(id).map(|held| &held.value)
    }

    /// A venue.
    pub fn venue(&self, id: &VenueId) -> Option<&VenueDescribed> {
        self.venues.get(id).map(|held| &held.value)
    }

    /// Imports taken back.
    pub fn reversed(&self) -> &BTreeSet<ImportId> {
        &self.reversed
    }
}
