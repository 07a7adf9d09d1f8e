//! Measures: the columns that a slice can show, and how each follows from a row.

use super::{
    distinct_people::FREQUENCIES,
    table::{MeetingFigures, PersonFigures},
};
use crate::{
    figures::{MeetingSums, Reach, Sum},
    reach_status::ReachStatus,
    slice_query::InvalidSlice,
};

/// A column of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// A sum over meetings, by its index in [`MeetingSums::ALL`].
    Sum(usize),
    /// A figure of people.
    OfPeople(PeopleMeasure),
    /// A share of two sums over meetings.
    Ratio(Ratio),
}

/// Figures that rows of meetings and rows of people have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeopleMeasure {
    /// Different eligible people.
    Reached,
    /// Lower bound of their number.
    Lower,
    /// Upper bound of their number.
    Upper,
    /// Registered voters that they are compared to.
    Voters,
    /// Reach in percent of the voters.
    Coverage,
    /// Attendances of eligible people.
    Contacts,
    /// People whose first counted meeting is in the row.
    FirstReached,
    /// People of the row who had been reached before, elsewhere.
    ReachedBefore,
    /// Contacts that reached nobody new, in percent.
    Duplication,
    /// People with at least so many attendances: 2 to 5.
    AtLeast(u8),
}

/// Shares of sums over meetings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ratio {
    /// Due meetings that were held, in percent.
    Fulfilment,
    /// Identified attendances in percent of the gross attendance.
    IdentifiedShare,
    /// Gross attendance for 100 voters; may be above 100.
    GrossPerVoter,
}

/// The value of a measure in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureValue {
    /// A number.
    Count(u64),
    /// A share: part and whole.
    Share(u64, u64),
    /// It does not apply: no meeting was held, the whole of a share is nothing, or it is a figure of meetings.
    NotApplicable,
    /// It is not known: nobody was counted or identified, the voters were not counted, or it was not asked for.
    Unknown,
}

const OF_PEOPLE: [(&str, PeopleMeasure); 12] = [
    ("reached", PeopleMeasure::Reached),
    ("lower", PeopleMeasure::Lower),
    ("upper", PeopleMeasure::Upper),
    ("voters", PeopleMeasure::Voters),
    ("coverage", PeopleMeasure::Coverage),
    ("reached_before", PeopleMeasure::ReachedBefore),
    ("duplication", PeopleMeasure::Duplication),
    ("reached_2", PeopleMeasure::AtLeast(2)),
    ("reached_3", PeopleMeasure::AtLeast(3)),
    ("reached_4", PeopleMeasure::AtLeast(4)),
    ("reached_5", PeopleMeasure::AtLeast(5)),
    ("contacts", PeopleMeasure::Contacts),
];

const RATIOS: [(&str, Ratio); 3] =
    [("fulfilment", Ratio::Fulfilment), ("identified_share", Ratio::IdentifiedShare), ("gross_per_voter", Ratio::GrossPerVoter)];

impl Measure {
    /// Every measure, with its name.
    pub fn all() -> impl Iterator<Item = (&'static str, Self)> {
        let sums = MeetingSums::ALL.iter().enumerate().filter(|(_, (name, _))| !matches!(*name, "contacts" | "first_reached"));
        let sums = sums.map(|(at, (name, _))| (*name, Self::Sum(at)));
        let people = OF_PEOPLE.into_iter().chain([("first_reached", PeopleMeasure::FirstReached)]);
        sums.chain(people.map(|(name, measure)| (name, Self::OfPeople(measure))))
            .chain(RATIOS.into_iter().map(|(name, ratio)| (name, Self::Ratio(ratio))))
    }

    /// The measures that are shown unless others are asked for.
    pub fn defaults(of_people: bool) -> Vec<Self> {
        let names: &[&str] = match of_people {
            true => &["contacts", "reached", "upper", "voters", "coverage"],
            false => &["planned", "held", "gross", "identified_share", "contacts", "reached", "lower", "upper", "voters", "coverage"],
        };
        Self::all().filter(|(name, _)| names.contains(name)).map(|(_, measure)| measure).collect()
    }

    /// Parses names separated by commas.
    pub fn parse(names: &str) -> Result<Vec<Self>, InvalidSlice> {
        let measure = |name: &str| {
            let known = || Self::all().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
            let found = Self::all().find(|(known, _)| *known == name.trim()).map(|(_, measure)| measure);
            found.ok_or_else(|| InvalidSlice::Measure { word: name.trim().to_owned(), known: known() })
        };
        names.split(',').filter(|name| !name.trim().is_empty()).map(measure).collect()
    }

    /// The word in queries and the name of the column.
    pub fn name(self) -> &'static str {
        Self::all().find(|(_, measure)| *measure == self).map_or("", |(name, _)| name)
    }

    /// Whether rows may be added up if no meeting is in two of them.
    pub fn is_additive(self) -> bool {
        matches!(self, Self::Sum(_) | Self::OfPeople(PeopleMeasure::Contacts | PeopleMeasure::FirstReached))
    }

    /// Whether rows of people have it.
    pub fn is_of_people(self) -> bool {
        matches!(self, Self::OfPeople(_))
    }

    /// Whether people must be counted by frequency.
    pub fn needs_exposure(self) -> bool {
        matches!(self, Self::OfPeople(PeopleMeasure::AtLeast(_)))
    }

    /// Its value in a row of meetings.
    pub fn of_meetings(self, row: &MeetingFigures) -> MeasureValue {
        let slice = &row.slice;
        let status = row.status;
        let mut sums = MeetingSums { fulfilment: slice.fulfilment.clone(), audience: slice.audience.clone(), ..MeetingSums::default() };
        match self {
            Self::Sum(at) => {
                let (name, sum): Sum = MeetingSums::ALL[at];
                match status {
                    ReachStatus::Uncounted if name == "gross" => MeasureValue::Unknown,
                    _ => MeasureValue::Count(*sum(&mut sums)),
                }
            }
            Self::OfPeople(measure) => measure.of(&Counted { reach: &slice.audience.reach, people: row.people, status }),
            Self::Ratio(Ratio::Fulfilment) => share(slice.fulfilment.held_planned, slice.fulfilment.due),
            Self::Ratio(_) if status == ReachStatus::Uncounted => MeasureValue::Unknown,
            Self::Ratio(Ratio::IdentifiedShare) => share(slice.audience.identified, slice.audience.gross),
            Self::Ratio(Ratio::GrossPerVoter) => {
                slice.audience.reach.denominator.known().map_or(MeasureValue::Unknown, |voters| share(slice.audience.gross, voters))
            }
        }
    }

    /// Its value in a row of people; not applicable if it is a figure of meetings.
    pub fn of_people(self, row: &PersonFigures) -> MeasureValue {
        match self {
            Self::OfPeople(measure) => measure.of(&Counted { reach: &row.residents.reach, people: row.people, status: row.status }),
            Self::Sum(_) | Self::Ratio(_) => MeasureValue::NotApplicable,
        }
    }
}

/// What is known of the people of a row.
struct Counted<'a> {
    reach: &'a Reach,
    people: super::distinct_people::PeopleCounts,
    status: ReachStatus,
}

impl PeopleMeasure {
    fn of(self, row: &Counted<'_>) -> MeasureValue {
        let Counted { reach, people, status } = row;
        let voters = || reach.denominator.known();
        match self {
            Self::Voters => return voters().map_or(MeasureValue::Unknown, MeasureValue::Count),
            Self::Contacts => return MeasureValue::Count(people.contacts),
            _ if *status == ReachStatus::NoMeetings => return MeasureValue::NotApplicable,
            _ if *status == ReachStatus::Uncounted => return MeasureValue::Unknown,
            Self::Lower => return MeasureValue::Count(reach.lower),
            Self::Upper => return MeasureValue::Count(reach.upper),
            _ if *status != ReachStatus::Identified => return MeasureValue::Unknown,
            _ => {}
        }
        match self {
            Self::Reached | Self::Lower | Self::Upper | Self::Voters | Self::Contacts => MeasureValue::Count(people.reached),
            Self::Coverage => voters().map_or(MeasureValue::Unknown, |voters| share(people.reached, voters)),
            Self::FirstReached => MeasureValue::Count(people.first_reached),
            Self::ReachedBefore => MeasureValue::Count(people.reached - people.first_reached),
            Self::Duplication => share(people.contacts - people.reached, people.contacts),
            Self::AtLeast(times) => match people.exposure {
                Some(exposure) => MeasureValue::Count(exposure[usize::from(times - 1).min(FREQUENCIES - 1)..].iter().sum()),
                None => MeasureValue::Unknown,
            },
        }
    }
}

/// A share; not applicable if the whole is nothing.
fn share(part: u64, whole: u64) -> MeasureValue {
    if whole == 0 { MeasureValue::NotApplicable } else { MeasureValue::Share(part, whole) }
}
