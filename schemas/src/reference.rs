//! Reference data of a campaign, folded from its events: units, precincts and their voters, coalitions, members, venues.
//!
//! Guarantees: of one id the highest revision holds, ties by event id; taking an event twice, or in another order, changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    event::{CampaignConfigured, CoalitionFormed, Data, Event, MemberJoined, PrecinctCounted, UnitDefined, VenueDescribed},
    id::{BatchId, CoalitionId, EventId, MemberId, PrecinctId, UnitCode, VenueId},
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

/// Reference data of one campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    campaign: Option<Revised<CampaignConfigured>>,
    units: BTreeMap<UnitCode, Revised<UnitDefined>>,
    precincts: BTreeMap<PrecinctId, BTreeMap<Date, Revised<PrecinctCounted>>>,
    coalitions: BTreeMap<CoalitionId, Revised<CoalitionFormed>>,
    members: BTreeMap<MemberId, Revised<MemberJoined>>,
    venues: BTreeMap<VenueId, Revised<VenueDescribed>>,
    reversed: BTreeSet<BatchId>,
}

impl Reference {
    /// Takes an event; returns whether it was reference data. The events of a reversed import stay: reference data is corrected by a
    /// higher revision, since other events already lean on it.
    pub fn apply(&mut self, event: &Event) -> bool {
        let id = event.envelope.id;
        match &event.data {
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
            Data::BatchReversed(data) => {
                self.reversed.insert(data.batch);
            }
            _ => return false,
        }
        true
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
    pub fn reversed(&self) -> &BTreeSet<BatchId> {
        &self.reversed
    }
}
