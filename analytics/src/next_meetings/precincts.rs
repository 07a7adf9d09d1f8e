//! Precincts: their voters, and how many of them were not reached, as far as that can be expected.

use std::collections::{BTreeMap, HashMap};

use super::{
    Reason,
    greedy::{Candidate, Expected, Place},
};
use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    error::AnalyticsError,
    estimate::{Contacts, Heterogeneity, solve},
    facts_store::{FactsStore, MEETING},
    remaining_plans::{Learned, RemainingPlan},
    slice::{MeetingRow, RowKey, SliceRow, SliceRows, slice},
    slice_query::SliceQuery,
};

/// A precinct with counted voters.
pub(super) struct Precinct {
    pub(super) id: String,
    pub(super) unit: String,
    pub(super) unit_number: usize,
    pub(super) voters: f64,
    /// Meetings that were held in it.
    held: u64,
}

/// All precincts with counted voters, sorted by id, and what is expected of them.
pub(super) struct Precincts {
    list: Vec<Precinct>,
    places: Vec<Place>,
    numbers: HashMap<String, usize>,
    units: BTreeMap<String, usize>,
    heterogeneity: Heterogeneity,
}

impl Precincts {
    pub(super) fn of(store: &FactsStore, learned: &Learned) -> Result<Self, AnalyticsError> {
        let mut precincts = Self::identified(store)?;
        let added = {
            let expected = precincts.expected();
            let mut added = vec![0.0; precincts.places.len()];
            for Unidentified { unit, precinct, format, people } in unidentified(store)? {
                let candidate = precincts.candidate(learned, &unit, precinct.as_deref(), &format, people * learned.eligible_share());
                candidate.iter().flat_map(|candidate| expected.contacts(*candidate)).for_each(|(place, more)| added[place] += more);
            }
            added.iter().enumerate().map(|(place, more)| (expected.missed(place, *more), *more)).collect::<Vec<_>>()
        };
        for (place, (missed, more)) in precincts.places.iter_mut().zip(added) {
            *place = Place { missed, contacts: place.contacts + more, ..*place };
        }
        Ok(precincts)
    }

    /// With the attendances of identified people alone.
    fn identified(store: &FactsStore) -> Result<Self, AnalyticsError> {
        let held = held_by_precinct(store)?;
        let residents = SliceQuery::by([Dimension::Person(PersonDimension::Residence)]);
        let SliceRows::People(rows) = slice(store, &residents)?.rows else { return Ok(Self::none()) };
        let mut precincts = Self::none();
        let mut contacts = Vec::new();
        for row in rows {
            let [RowKey::Value(id)] = &row.keys[..] else { continue };
            let voters = row.figures.residents.reach.denominator.voters as f64;
            let Some(unit) = store.voters().unit_of(id).filter(|_| voters > 0.0) else { continue };
            let next = precincts.units.len();
            let unit_number = *precincts.units.entry(unit.to_owned()).or_insert(next);
            let (reached, own) = (row.figures.people.reached as f64, row.figures.people.contacts as f64);
            precincts.numbers.insert(id.clone(), precincts.list.len());
            precincts.places.push(Place { voters, missed: (voters - reached).max(0.0), contacts: own, unit: unit_number });
            contacts.push(Contacts { voters, contacts: own, reached });
            let held = held.get(id).copied().unwrap_or(0);
            precincts.list.push(Precinct { id: id.clone(), unit: unit.to_owned(), unit_number, voters, held });
        }
        precincts.heterogeneity = solve(&contacts).unwrap_or(precincts.heterogeneity);
        Ok(precincts)
    }

    fn none() -> Self {
        let heterogeneity = Heterogeneity::of_shape(None);
        Self { list: Vec::new(), places: Vec::new(), numbers: HashMap::new(), units: BTreeMap::new(), heterogeneity }
    }

    pub(super) fn list(&self) -> &[Precinct] {
        &self.list
    }

    pub(super) fn expected(&self) -> Expected<'_> {
        Expected::new(&self.places, self.heterogeneity, self.units.len())
    }

    /// Where the voters at a planned meeting are expected to live; none if its unit has no counted precinct.
    pub(super) fn candidate_of_plan(&self, learned: &Learned, plan: &RemainingPlan) -> Option<Candidate> {
        let people = learned.people(&plan.unit, &plan.format) * learned.eligible_share() * learned.held(&plan.unit);
        self.candidate(learned, &plan.unit, plan.precinct.as_deref(), &plan.format, people)
    }

    fn candidate(&self, learned: &Learned, unit: &str, precinct: Option<&str>, format: &str, voters: f64) -> Option<Candidate> {
        let unit = *self.units.get(unit)?;
        let (own, spread) = learned.shares(format);
        let venue = precinct.and_then(|precinct| self.numbers.get(precinct).copied()).filter(|venue| self.places[*venue].unit == unit);
        Some(match venue {
            Some(_) => Candidate { unit, venue, own: voters * own, spread: voters * spread, novelty: 1.0 },
            None => Candidate { unit, venue, own: 0.0, spread: voters * (own + spread), novelty: 1.0 },
        })
    }

    /// Why a meeting in a precinct, or somewhere in a unit, reaches many or few new voters. `large` is its expected attendance, if that is large.
    pub(super) fn reason(&self, unit: &str, precinct: Option<&str>, large: Option<f64>) -> Reason {
        let venue = precinct.and_then(|precinct| self.numbers.get(precinct).copied());
        if let Some(venue) = venue.filter(|venue| self.list[*venue].held == 0) {
            return Reason::NoMeetingYet { voters: self.list[venue].voters as u64 };
        }
        let of_unit = self.units.get(unit).copied();
        let own = |(number, place): (usize, &Place)| {
            if venue.map_or(of_unit == Some(place.unit), |venue| venue == number) { Some(*place) } else { None }
        };
        let (reached, voters) = reached_of(self.places.iter().enumerate().filter_map(own));
        let (all_reached, all_voters) = reached_of(self.places.iter().copied());
        let (counted, registered) = (reached.round() as u64, voters as u64);
        match large {
            _ if reached * all_voters < all_reached * voters => Reason::FewReached { reached: counted, voters: registered },
            Some(people) => Reason::LargeAudience { people: people.round() as u64 },
            None => Reason::WellReached { reached: counted, voters: registered },
        }
    }
}

/// Expected voters who came, and registered ones.
fn reached_of(places: impl Iterator<Item = Place>) -> (f64, f64) {
    places.fold((0.0, 0.0), |(reached, voters), place| (reached + place.voters - place.missed, voters + place.voters))
}

fn held_by_precinct(store: &FactsStore) -> Result<HashMap<String, u64>, AnalyticsError> {
    let SliceRows::Meetings(rows) = slice(store, &SliceQuery::by([Dimension::Meeting(MeetingDimension::Precinct)]))?.rows else {
        return Ok(HashMap::new());
    };
    let held = |row: SliceRow<MeetingRow>| match &row.keys[..] {
        [RowKey::Value(id)] => Some((id.clone(), row.figures.figures.fulfilment.held)),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(held).collect())
}

/// People at a held meeting who were not identified.
struct Unidentified {
    unit: String,
    precinct: Option<String>,
    format: String,
    people: f64,
}

fn unidentified(store: &FactsStore) -> Result<Vec<Unidentified>, AnalyticsError> {
    let (meetings, frame) = (&store.facts().meetings, store.meetings().frame());
    let error = |source| AnalyticsError::Frame { what: "unidentified people", source };
    let column = |name: &str| frame.column(name).and_then(|column| column.u32().cloned()).map_err(error);
    let (gross, identified, number) = (column("gross")?, column("identified")?, column(MEETING)?);
    let mut found = Vec::new();
    for (row, meeting) in number.iter().enumerate() {
        let Some(report) = meeting.and_then(|meeting| meetings.rows()[meeting as usize].report.as_ref()) else { continue };
        let people = gross.get(row).unwrap_or(0).saturating_sub(identified.get(row).unwrap_or(0));
        if people > 0 {
            found.push(Unidentified {
                unit: meetings.units.keys()[report.unit as usize].to_string(),
                precinct: report.precinct.map(|precinct| meetings.precincts.keys()[precinct as usize].to_string()),
                format: meetings.formats.keys()[report.format as usize].to_string(),
                people: people.into(),
            });
        }
    }
    Ok(found)
}
