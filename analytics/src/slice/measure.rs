//! Measures: the columns that a slice can show, what they mean, and how each follows from a row.

use super::{
    people_counts::{FREQUENCIES, PeopleCounts},
    table::{MeetingRow, PersonRow},
};
use crate::{
    figures::{Audience, Fulfilment, Reach},
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

/// What a measure counts; decides about its disclosure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Meetings or registered voters, which are public.
    Public,
    /// People or attendances.
    People,
    /// A lower bound of people.
    AtLeastPeople,
    /// An upper bound of people.
    AtMostPeople,
    /// A share of two other measures.
    Share {
        /// The measure that is the part.
        part: Measure,
        /// The measure that is the whole.
        whole: Measure,
    },
}

/// What a measure is computed from.
enum Kind {
    /// A sum over meetings.
    Plan(fn(&Fulfilment) -> u64),
    /// A sum over counted meetings.
    Audience(fn(&Audience) -> u64),
    /// A number of counted meetings.
    Meetings(fn(&Audience) -> u64),
    /// A measure as a share of another one, by their names.
    Share(&'static str, &'static str),
    /// A number of different people or of their attendances, once they are known.
    People(fn(&PeopleCounts) -> u64),
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

static MEASURES: [MeasureDefinition; 43] = [
    measure("planned", "meetings with a plan, by the dimensions of the plan", Kind::Plan(|plan| plan.planned)),
    measure("due", "planned meetings that should have been held by now", Kind::Plan(|plan| plan.due)),
    measure("held", "meetings that were held, by the dimensions of the report", Kind::Plan(|plan| plan.held)),
    measure("held_planned", "due meetings that were held on a lawful day", Kind::Plan(|plan| plan.held_planned)),
    measure("held_extra", "held meetings without a plan", Kind::Plan(|plan| plan.held_extra)),
    measure("unlawful", "held meetings outside the lawful days", Kind::Plan(|plan| plan.unlawful)),
    measure("cancelled", "planned meetings that were cancelled", Kind::Plan(|plan| plan.cancelled)),
    measure("moved", "planned meetings that were moved", Kind::Plan(|plan| plan.moved)),
    measure("missing", "due meetings without a report", Kind::Plan(|plan| plan.missing)),
    measure("on_time", "due meetings whose first report was received within 24 hours of the start", Kind::Plan(|plan| plan.on_time)),
    measure("late", "due meetings whose first report was received later", Kind::Plan(|plan| plan.late)),
    measure(
        "within_72_hours",
        "due meetings whose first report was received within 72 hours of the start",
        Kind::Plan(|plan| plan.within_72_hours),
    ),
    measure("pending", "meetings with neither plan nor report", Kind::Plan(|plan| plan.pending)),
    measure("contested", "meetings with events that contradict each other", Kind::Plan(|plan| plan.contested)),
    measure(
        "nobody_eligible",
        "held meetings where nobody was eligible; they are in no figure of people",
        Kind::Plan(|plan| plan.nobody_eligible),
    ),
    measure("fulfilment_percent", "held_planned in percent of due", Kind::Share("held_planned", "due")),
    measure("timeliness_percent", "on_time in percent of due", Kind::Share("on_time", "due")),
    measure("within_72_hours_percent", "within_72_hours in percent of due", Kind::Share("within_72_hours", "due")),
    measure("gross", "attendances, counted or listed; a person counts at every meeting", Kind::Audience(|audience| audience.gross)),
    measure("gross_per_100_voters", "gross in percent of voters; may be above 100", Kind::Share("gross", "voters")),
    measure("identified", "attendances of people with a national id, voters or not", Kind::Audience(|audience| audience.identified)),
    measure("identified_percent", "identified in percent of gross", Kind::Share("identified", "gross")),
    measure("weak", "attendances of people known by phone number only", Kind::Audience(|audience| audience.weak)),
    measure("outside", "identified attendances of people who are no voters here", Kind::Audience(|audience| audience.outside)),
    measure("unstated", "attendances of people who may or may not be voters here", Kind::Audience(|audience| audience.unstated)),
    measure(
        "unidentified",
        "people in the room of whom it is unknown whether they are voters",
        Kind::Audience(|audience| audience.unidentified),
    ),
    measure("headcount_meetings", "held meetings with a headcount", Kind::Meetings(|audience| audience.headcount_meetings)),
    measure("identified_meetings", "held meetings with an identified attendance", Kind::Meetings(|audience| audience.identified_meetings)),
    measure(
        "uncounted_meetings",
        "held meetings with neither a headcount nor a list",
        Kind::Meetings(|audience| audience.uncounted_meetings),
    ),
    measure("contacts", "attendances of voters", Kind::Contacts),
    measure("reached", "different voters", Kind::People(|people| people.reached)),
    measure("lower", "lower bound of the different voters", Kind::Lower),
    measure("upper", "upper bound of the different voters", Kind::Upper),
    measure("voters", "registered voters that the row is compared to", Kind::Voters),
    measure("coverage_percent", "reached in percent of voters", Kind::Share("reached", "voters")),
    measure("first_reached", "different voters whose first meeting is in the row", Kind::People(|people| people.first_reached)),
    measure(
        "reached_before",
        "different voters whose first meeting is not in the row",
        Kind::People(|people| people.reached - people.first_reached),
    ),
    measure("repeated", "attendances of voters after their first one in the row", Kind::People(|people| people.contacts - people.reached)),
    measure("duplication_percent", "repeated in percent of contacts", Kind::Share("repeated", "contacts")),
    measure("reached_2", "different voters with at least 2 attendances in the row", Kind::AtLeast(2)),
    measure("reached_3", "different voters with at least 3 attendances in the row", Kind::AtLeast(3)),
    measure("reached_4", "different voters with at least 4 attendances in the row", Kind::AtLeast(4)),
    measure("reached_5", "different voters with at least 5 attendances in the row", Kind::AtLeast(5)),
];

impl Measure {
    /// Attendances, counted or listed.
    pub const GROSS: Self = Self(18);
    /// Attendances of voters.
    pub const CONTACTS: Self = Self(29);
    /// Different voters.
    pub const REACHED: Self = Self(30);

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
        let chosen: Vec<Self> = names.split(',').filter(|name| !name.trim().is_empty()).map(measure).collect::<Result<_, _>>()?;
        match chosen.iter().enumerate().find(|(at, measure)| chosen[..*at].contains(measure)) {
            Some((_, twice)) => Err(InvalidSlice::Repeated(twice.name().to_owned())),
            None => Ok(chosen),
        }
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
        match self.definition().kind {
            Kind::Plan(_) | Kind::Meetings(_) | Kind::Audience(_) => false,
            Kind::Share(part, whole) => [part, whole].into_iter().all(|name| named(name).is_of_people()),
            Kind::People(_) | Kind::Contacts | Kind::Lower | Kind::Upper | Kind::Voters | Kind::AtLeast(_) => true,
        }
    }

    /// Whether people must be counted by frequency.
    pub fn needs_frequencies(self) -> bool {
        matches!(self.definition().kind, Kind::AtLeast(_))
    }

    /// What it counts.
    pub fn counted(self) -> Counted {
        match self.definition().kind {
            Kind::Plan(_) | Kind::Meetings(_) | Kind::Voters => Counted::Public,
            Kind::Audience(_) | Kind::People(_) | Kind::Contacts | Kind::AtLeast(_) => Counted::People,
            Kind::Lower => Counted::AtLeastPeople,
            Kind::Upper => Counted::AtMostPeople,
            Kind::Share(part, whole) => Counted::Share { part: named(part), whole: named(whole) },
        }
    }

    /// Whether readers see it: it is public, or one of the few figures of people whose differences disclose nothing.
    pub fn is_for_readers(self) -> bool {
        match self.counted() {
            Counted::Public => true,
            Counted::Share { part, whole } => part.is_for_readers() && whole.is_for_readers(),
            Counted::People => [Self::CONTACTS, Self::REACHED, Self::GROSS].contains(&self),
            Counted::AtLeastPeople | Counted::AtMostPeople => false,
        }
    }

    /// Its value in a row of meetings.
    pub fn of_meetings(self, row: &MeetingRow) -> MeasureValue {
        let audience = &row.figures.audience;
        match &self.definition().kind {
            Kind::Plan(of) => MeasureValue::Count(of(&row.figures.fulfilment)),
            Kind::Meetings(of) => MeasureValue::Count(of(audience)),
            // Nobody counted, so a gross attendance of 0 says nothing.
            Kind::Audience(_) if row.status == ReachStatus::Uncounted && self.name() == "gross" => MeasureValue::Unknown,
            Kind::Audience(of) => MeasureValue::Count(of(audience)),
            Kind::Share(part, whole) => share(named(part).of_meetings(row), named(whole).of_meetings(row)),
            kind => of_people(kind, &audience.reach, &row.people, row.status),
        }
    }

    /// Its value in a row of people; not applicable if it is a figure of meetings.
    pub fn of_people(self, row: &PersonRow) -> MeasureValue {
        match &self.definition().kind {
            Kind::Share(part, whole) => share(named(part).of_people(row), named(whole).of_people(row)),
            kind => of_people(kind, &row.residents.reach, &row.people, row.status),
        }
    }
}

/// The measure with this name.
fn named(name: &str) -> Measure {
    // INVARIANT: a test evaluates every measure, and the names are those of the table above.
    Measure(MEASURES.iter().position(|measure| measure.name == name).expect("a measure of the table"))
}

/// A figure of people, as far as their number is known.
fn of_people(kind: &Kind, reach: &Reach, people: &PeopleCounts, status: ReachStatus) -> MeasureValue {
    match (kind, status) {
        (Kind::Plan(_) | Kind::Meetings(_) | Kind::Audience(_) | Kind::Share(..), _) => MeasureValue::NotApplicable,
        (Kind::Voters, _) => reach.denominator.known().map_or(MeasureValue::Unknown, MeasureValue::Count),
        (Kind::Contacts, _) => MeasureValue::Count(people.contacts),
        (_, ReachStatus::NoMeetings) => MeasureValue::NotApplicable,
        (_, ReachStatus::Uncounted) => MeasureValue::Unknown,
        (Kind::Lower, _) => MeasureValue::Count(reach.lower),
        (Kind::Upper, _) => MeasureValue::Count(reach.upper),
        (Kind::People(of), ReachStatus::Identified) => MeasureValue::Count(of(people)),
        (Kind::AtLeast(times), ReachStatus::Identified) => {
            let frequencies = people.frequencies.unwrap_or_default();
            MeasureValue::Count(frequencies[(times - 1).min(FREQUENCIES - 1)..].iter().sum())
        }
        (Kind::People(_) | Kind::AtLeast(_), _) => MeasureValue::Unknown,
    }
}

/// A share of two counts; not applicable if the whole is nothing.
fn share(part: MeasureValue, whole: MeasureValue) -> MeasureValue {
    match (part, whole) {
        (MeasureValue::NotApplicable, _) | (_, MeasureValue::NotApplicable | MeasureValue::Count(0)) => MeasureValue::NotApplicable,
        (MeasureValue::Count(part), MeasureValue::Count(whole)) => MeasureValue::Share(part, whole),
        _ => MeasureValue::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_used_is_one_of_the_table() {
        assert_eq!([Measure::GROSS, Measure::CONTACTS, Measure::REACHED].map(Measure::name), ["gross", "contacts", "reached"]);
        for measure in Measure::all() {
            if let Counted::Share { part, whole } = measure.counted() {
                assert!(![part, whole].iter().any(|one| matches!(one.counted(), Counted::Share { .. })));
            }
        }
    }
}
