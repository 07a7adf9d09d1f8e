//! Folds the reference data of a campaign from its events: units, precincts with their voters and access, coalitions, members, venues.
//!
//! Guarantees: for each unit, precinct and date, member and so on the highest revision counts, ties by event id; of two bodies of
//! one event the one received first counts. Repetition and order of events do not matter.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::{
    envelope::{Event, Precedence},
    event::{
        AccessReported, CampaignConfigured, CoalitionFormed, Data, Kind, MemberJoined, PrecinctCounted, UnitDefined, Unreachable,
        VenueDescribed,
    },
    id::{CoalitionId, EventId, ImportId, MemberId, PrecinctId, UnitCode, VenueId},
};

/// Order of the events about one subject: the highest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    revision: u32,
    id: EventId,
}

/// A value with its rank; a higher rank replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Revised<T> {
    rank: Rank,
    value: T,
}

/// The body that wins among those of its event that were applied.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WinningBody {
    precedence: Precedence,
    data: Data,
}

fn insert_if_newer<K: Ord, T>(map: &mut BTreeMap<K, Revised<T>>, key: K, rank: Rank, value: T) {
    if map.get(&key).is_none_or(|current| rank > current.rank) {
        map.insert(key, Revised { rank, value });
    }
}

fn is_reference(data: &Data) -> bool {
    matches!(
        data.kind(),
        Kind::CampaignConfigured
            | Kind::UnitDefined
            | Kind::PrecinctCounted
            | Kind::AccessReported
            | Kind::CoalitionFormed
            | Kind::MemberJoined
            | Kind::VenueDescribed
            | Kind::ImportReversed
    )
}

/// The reference data of one campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    bodies: BTreeMap<EventId, WinningBody>,
    campaign: Option<Revised<CampaignConfigured>>,
    units: BTreeMap<UnitCode, Revised<UnitDefined>>,
    precincts: BTreeMap<PrecinctId, BTreeMap<Date, Revised<PrecinctCounted>>>,
    access: BTreeMap<PrecinctId, Revised<AccessReported>>,
    coalitions: BTreeMap<CoalitionId, Revised<CoalitionFormed>>,
    members: BTreeMap<MemberId, Revised<MemberJoined>>,
    venues: BTreeMap<VenueId, Revised<VenueDescribed>>,
    reversed: BTreeSet<ImportId>,
}

impl Reference {
    /// Adds an event; returns whether it is reference data. Events of a reversed import stay, since other events already refer to
    /// them: a higher revision corrects them.
    pub fn apply(&mut self, event: &Event) -> bool {
        if !is_reference(&event.data) {
            return false;
        }
        let (id, precedence) = (event.envelope.id, event.envelope.precedence());
        match self.bodies.get(&id) {
            Some(current) if current.precedence <= precedence => return true,
            // This body was received first, so undo the effect of the other one.
            Some(_) => self.remove_body(id),
            None => {}
        }
        self.apply_data(id, &event.data);
        self.bodies.insert(id, WinningBody { precedence, data: event.data.clone() });
        true
    }

    fn remove_body(&mut self, id: EventId) {
        let mut bodies = std::mem::take(self).bodies;
        bodies.remove(&id);
        for (id, body) in &bodies {
            self.apply_data(*id, &body.data);
        }
        self.bodies = bodies;
    }

    fn apply_data(&mut self, id: EventId, data: &Data) {
        let rank = |revision| Rank { revision, id };
        match data {
            Data::CampaignConfigured(data) => {
                let rank = rank(data.revision);
                if self.campaign.as_ref().is_none_or(|current| rank > current.rank) {
                    self.campaign = Some(Revised { rank, value: data.clone() });
                }
            }
            Data::UnitDefined(data) => insert_if_newer(&mut self.units, data.unit.clone(), rank(data.revision), data.clone()),
            Data::PrecinctCounted(data) => {
                insert_if_newer(self.precincts.entry(data.precinct.clone()).or_default(), data.as_of, rank(data.revision), data.clone());
            }
            Data::AccessReported(data) => insert_if_newer(&mut self.access, data.precinct.clone(), rank(data.revision), data.clone()),
            Data::CoalitionFormed(data) => insert_if_newer(&mut self.coalitions, data.coalition.clone(), rank(data.revision), data.clone()),
            Data::MemberJoined(data) => insert_if_newer(&mut self.members, data.member.clone(), rank(data.revision), data.clone()),
            Data::VenueDescribed(data) => insert_if_newer(&mut self.venues, data.venue.clone(), rank(data.revision), data.clone()),
            Data::ImportReversed(data) => {
                self.reversed.insert(data.import);
            }
            _ => {}
        }
    }

    /// The campaign's configuration, once received.
    pub fn campaign(&self) -> Option<&CampaignConfigured> {
        self.campaign.as_ref().map(|current| &current.value)
    }

    /// All units, ordered by code.
    pub fn units(&self) -> impl ExactSizeIterator<Item = &UnitDefined> {
        self.units.values().map(|current| &current.value)
    }

    /// The unit with this code.
    pub fn unit(&self, code: &UnitCode) -> Option<&UnitDefined> {
        self.units.get(code).map(|current| &current.value)
    }

    /// For each precinct the count in effect on a date: the latest `as_of` not after it. Precincts first counted later are absent.
    pub fn precincts(&self, on: Date) -> impl Iterator<Item = &PrecinctCounted> {
        self.precincts.values().filter_map(move |counts| counts.range(..=on).next_back().map(|(_, current)| &current.value))
    }

    /// The latest count of a precinct, by `as_of`.
    pub fn precinct(&self, id: &PrecinctId) -> Option<&PrecinctCounted> {
        self.precincts.get(id)?.values().next_back().map(|current| &current.value)
    }

    /// What was last reported about the access to a precinct.
    pub fn access(&self, precinct: &PrecinctId) -> Option<&AccessReported> {
        self.access.get(precinct).map(|current| &current.value)
    }

    /// The precincts where no meeting can be held on a date, ordered by id, and why.
    pub fn unreachable(&self, on: Date) -> impl Iterator<Item = (&PrecinctId, &Unreachable)> {
        let reported = self.access.iter().filter_map(|(precinct, current)| Some((precinct, current.value.unreachable.as_ref()?)));
        reported.filter(move |(_, unreachable)| unreachable.since <= on)
    }

    /// All coalitions, ordered by id.
    pub fn coalitions(&self) -> impl ExactSizeIterator<Item = &CoalitionFormed> {
        self.coalitions.values().map(|current| &current.value)
    }

    /// The coalition with this id.
    pub fn coalition(&self, id: &CoalitionId) -> Option<&CoalitionFormed> {
        self.coalitions.get(id).map(|current| &current.value)
    }

    /// All members, ordered by id.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &MemberJoined> {
        self.members.values().map(|current| &current.value)
    }

    /// The member with this id.
    pub fn member(&self, id: &MemberId) -> Option<&MemberJoined> {
        self.members.get(id).map(|current| &current.value)
    }

    /// The venue with this id.
    pub fn venue(&self, id: &VenueId) -> Option<&VenueDescribed> {
        self.venues.get(id).map(|current| &current.value)
    }

    /// Ids of all reversed imports.
    pub fn reversed(&self) -> &BTreeSet<ImportId> {
        &self.reversed
    }
}
