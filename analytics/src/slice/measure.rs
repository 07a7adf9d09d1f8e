//! Measures: the columns that a slice can show, what they mean, and how each follows from a row.

use super::{
    people_counts::{FREQUENCIES, PeopleCounts},
    table::{MeetingRow, PersonRow},
};
use crate::{
    figures::{Audience, Fulfilment, MeetingFigures, Reach},
    reach_status::ReachStatus,
    slice_query::InvalidSlice,
};

/// A column of a slice, by its index in [`MEASURES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure(usize);

/// The value of a measure in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureValue {
    /// A number.
    Count(u64),
    /// A share: part and whole.
    Share(u64, u64),
    /// It does not apply: no meeting was held, the whole of a share is nothing, or it is a figure of meetings.
    NotApplicable,
    /// It is not known: nobody was counted or identified, or the voters were not counted.
    Unknown,
}

/// What a measure is computed from.
enum Kind {
    /// A sum over meetings.
    Plan(fn(&Fulfilment) -> u64),
    /// A sum over counted meetings.
    Audience(fn(&Audience) -> u64),
    /// A share of the figures of meetings.
    Share(fn(&MeetingFigures) -> MeasureValue),
    /// A figure of different people, once their number is known.
    People(fn(&PeopleCounts, &Reach) -> MeasureValue),
    Contacts,
    Lower,
    Upper,
    Voters,
    /// Different people with at least so many attendances.
    AtLeast(usize),
}

struct MeasureDefinition {
    name: &'static str,
    meaning: &'static str,
    kind: Kind,
}

const fn measure(name: &'static str, meaning: &'static str, kind: Kind) -> MeasureDefinition {
    MeasureDefinition { name, meaning, kind }
}

static MEASURES: [MeasureDefinition; 36] = [
    measure("planned", "meetings with a plan, by the dimensions of the plan", Kind::Plan(|plan| plan.planned)),
    measure("due", "planned meetings that should have been held by now", Kind::Plan(|plan| plan.due)),
    measure("held", "meetings that were held, by the dimensions of the report", Kind::Plan(|plan| plan.held)),
    measure("held_planned", "due meetings that were held on a lawful day", Kind::Plan(|plan| plan.held_planned)),
    measure("held_extra", "held meetings without a plan", Kind::Plan(|plan| plan.held_extra)),
    measure("unlawful", "held meetings outside the lawful days", Kind::Plan(|plan| plan.unlawful)),
    measure("cancelled", "planned meetings that were cancelled", Kind::Plan(|plan| plan.cancelled)),
    measure("moved", "planned meetings that were moved", Kind::Plan(|plan| plan.moved)),
    measure("missing", "due meetings without a report", Kind::Plan(|plan| plan.missing)),
    measure("pending", "meetings with neither plan nor report", Kind::Plan(|plan| plan.pending)),
    measure("contested", "meetings with events that contradict each other", Kind::Plan(|plan| plan.contested)),
    measure(
        "fulfilment_percent",
        "held_planned in percent of due",
        Kind::Share(|figures| share(figures.fulfilment.held_planned, figures.fulfilment.due)),
    ),
    measure("gross", "attendances, counted or listed; a person counts at every meeting", Kind::Audience(|audience| audience.gross)),
    measure(
        "gross_per_100_voters",
        "gross in percent of voters; may be above 100",
        Kind::Share(|figures| {
            let voters = figures.audience.reach.denominator.known();
            voters.map_or(MeasureValue::Unknown, |voters| share(figures.audience.gross, voters))
        }),
    ),
    measure("identified", "attendances of people with a national id, voters or not", Kind::Audience(|audience| audience.identified)),
    measure(
        "identified_percent",
        "identified in percent of gross",
        Kind::Share(|figures| share(figures.audience.identified, figures.audience.gross)),
    ),
    measure("weak", "attendances of people known by phone number only", Kind::Audience(|audience| audience.weak)),
    measure("outside", "identified attendances of people who are no voters here", Kind::Audience(|audience| audience.outside)),
    measure("unstated", "attendances of people who may or may not be voters here", Kind::Audience(|audience| audience.unstated)),
    measure(
        "unidentified",
        "people in the room of whom it is unknown whether they are voters",
        Kind::Audience(|audience| audience.unidentified),
    ),
    measure("headcount_meetings", "held meetings with a headcount", Kind::Audience(|audience| audience.headcount_meetings)),
    measure("identified_meetings", "held meetings with an identified attendance", Kind::Audience(|audience| audience.identified_meetings)),
    measure(
        "uncounted_meetings",
        "held meetings with neither a headcount nor a list",
        Kind::Audience(|audience| audience.uncounted_meetings),
    ),
    measure("contacts", "attendances of voters", Kind::Contacts),
    measure("reached", "different voters", Kind::People(|people, _| MeasureValue::Count(people.reached))),
    measure("lower", "lower bound of the different voters", Kind::Lower),
    measure("upper", "upper bound of the different voters", Kind::Upper),
    measure("voters", "registered voters that the row is compared to", Kind::Voters),
    measure(
        "coverage_percent",
        "reached in percent of voters",
        Kind::People(|people, reach| reach.denominator.known().map_or(MeasureValue::Unknown, |voters| share(people.reached, voters))),
    ),
    measure(
        "first_reached",
        "different voters whose first meeting is in the row",
        Kind::People(|people, _| MeasureValue::Count(people.first_reached)),
    ),
    measure(
        "reached_before",
        "different voters whose first meeting is not in the row",
        Kind::People(|people, _| MeasureValue::Count(people.reached - people.first_reached)),
    ),
    measure(
        "duplication_percent",
        "contacts that reached nobody new, in percent",
        Kind::People(|people, _| share(people.contacts - people.reached, people.contacts)),
    ),
    measure("reached_2", "different voters with at least 2 attendances in the row", Kind::AtLeast(2)),
    measure("reached_3", "different voters with at least 3 attendances in the row", Kind::AtLeast(3)),
    measure("reached_4", "different voters with at least 4 attendances in the row", Kind::AtLeast(4)),
    measure("reached_5", "different voters with at least 5 attendances in the row", Kind::AtLeast(5)),
];

impl Measure {
    /// Every measure, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..MEASURES.len()).map(Self)
    }

    /// The measures that are shown unless others are asked for.
    pub fn defaults(of_people: bool) -> Vec<Self> {
        let names: &[&str] = match of_people {
            true => &["contacts", "reached", "upper", "voters", "coverage_percent"],
            false => {
                &["planned", "held", "gross", "identified_percent", "contacts", "reached", "lower", "upper", "voters", "coverage_percent"]
            }
        };
        Self::all().filter(|measure| names.contains(&measure.name())).collect()
    }

    /// Parses names separated by commas.
    pub fn parse(names: &str) -> Result<Vec<Self>, InvalidSlice> {
        let measure = |name: &str| {
            let known = || Self::all().map(Self::name).collect::<Vec<_>>().join(", ");
            let found = Self::all().find(|measure| measure.name() == name.trim());
            found.ok_or_else(|| InvalidSlice::Measure { word: name.trim().to_owned(), known: known() })
        };
        names.split(',').filter(|name| !name.trim().is_empty()).map(measure).collect()
    }

    fn definition(self) -> &'static MeasureDefinition {
        &MEASURES[self.0]
    }

    /// The word in queries and the name of the column.
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// What it counts.
    pub fn meaning(self) -> &'static str {
        self.definition().meaning
    }

    /// Whether it compares a row to voters, and says nothing of the row alone.
    pub fn is_voters(self) -> bool {
        matches!(self.definition().kind, Kind::Voters)
    }

    /// Whether rows of people have it.
    pub fn is_of_people(self) -> bool {
        !matches!(self.definition().kind, Kind::Plan(_) | Kind::Audience(_) | Kind::Share(_))
    }

    /// Whether people must be counted by frequency.
    pub fn needs_frequencies(self) -> bool {
        matches!(self.definition().kind, Kind::AtLeast(_))
    }

    /// Its value in a row of meetings.
    pub fn of_meetings(self, row: &MeetingRow) -> MeasureValue {
        let figures = &row.figures;
        let is_uncounted = row.status == ReachStatus::Uncounted;
        match &self.definition().kind {
            Kind::Plan(of) => MeasureValue::Count(of(&figures.fulfilment)),
            // Nobody counted, so a gross attendance of 0 says nothing.
            Kind::Audience(of) if is_uncounted && of(&figures.audience) == 0 && self.name() == "gross" => MeasureValue::Unknown,
            Kind::Audience(of) => MeasureValue::Count(of(&figures.audience)),
            Kind::Share(_) if is_uncounted && self.name() != "fulfilment_percent" => MeasureValue::Unknown,
            Kind::Share(of) => of(figures),
            kind => of_people(kind, &figures.audience.reach, &row.people, row.status),
        }
    }

    /// Its value in a row of people; not applicable if it is a figure of meetings.
    pub fn of_people(self, row: &PersonRow) -> MeasureValue {
        of_people(&self.definition().kind, &row.residents.reach, &row.people, row.status)
    }
}

/// A figure of people, as far as their number is known.
fn of_people(kind: &Kind, reach: &Reach, people: &PeopleCounts, status: ReachStatus) -> MeasureValue {
    match (kind, status) {
        (Kind::Plan(_) | Kind::Audience(_) | Kind::Share(_), _) => MeasureValue::NotApplicable,
        (Kind::Voters, _) => reach.denominator.known().map_or(MeasureValue::Unknown, MeasureValue::Count),
        (Kind::Contacts, _) => MeasureValue::Count(people.contacts),
        (_, ReachStatus::NoMeetings) => MeasureValue::NotApplicable,
        (_, ReachStatus::Uncounted) => MeasureValue::Unknown,
        (Kind::Lower, _) => MeasureValue::Count(reach.lower),
        (Kind::Upper, _) => MeasureValue::Count(reach.upper),
        (Kind::People(of), ReachStatus::Identified) => of(people, reach),
        (Kind::AtLeast(times), ReachStatus::Identified) => {
            let frequencies = people.frequencies.unwrap_or_default();
            MeasureValue::Count(frequencies[(times - 1).min(FREQUENCIES - 1)..].iter().sum())
        }
        (Kind::People(_) | Kind::AtLeast(_), _) => MeasureValue::Unknown,
    }
}

/// A share; not applicable if the whole is nothing.
fn share(part: u64, whole: u64) -> MeasureValue {
    if whole == 0 { MeasureValue::NotApplicable } else { MeasureValue::Share(part, whole) }
}
