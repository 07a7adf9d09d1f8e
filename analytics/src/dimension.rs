//! Dimensions: what figures can be filtered and grouped by.
//!
//! There is no dimension of single people: a person is never a row.

use std::fmt;

/// A property of a plan or of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeetingDimension {
    /// The meeting itself, by its id: which meetings a figure comes from.
    Meeting,
    /// Unit where it takes place.
    Unit,
    /// Precinct where it takes place.
    Precinct,
    /// Coalition that holds it.
    Coalition,
    /// Kind of meeting, such as `HALL`.
    Format,
    /// Language that is spoken, such as `kk`.
    Language,
    /// Local day, such as `2026-02-20`.
    Day,
    /// Local ISO week, such as `2026-W08`.
    Week,
    /// What is known of its attendees: `headcount`, `headcount+list`, `list` or `none`. Plans have no evidence.
    Evidence,
    /// Parties of the members who speak; a meeting may have several.
    Party,
    /// Members who speak; a meeting may have several.
    Member,
    /// Categories of the audience, first and secondary.
    Category,
}

/// A property of people: by the roll if it decides; otherwise the residence that they state, and no birth band or sex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonDimension {
    /// Precinct where they live.
    Residence,
    /// Unit where they live.
    ResidenceUnit,
    /// Five years in which they were born, such as `1985-1989`.
    Birth,
    /// Sex: `f` or `m`.
    Sex,
}

/// A dimension of meetings or of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// A property of meetings.
    Meeting(MeetingDimension),
    /// A property of people.
    Person(PersonDimension),
}

impl MeetingDimension {
    /// Every one, those with at most one value for each meeting first.
    pub const ALL: [Self; 12] = [
        Self::Meeting,
        Self::Unit,
        Self::Precinct,
        Self::Coalition,
        Self::Format,
        Self::Language,
        Self::Day,
        Self::Week,
        Self::Evidence,
        Self::Party,
        Self::Member,
        Self::Category,
    ];

    /// Whether a meeting may have several values, so that groups overlap.
    pub fn is_multi_valued(self) -> bool {
        matches!(self, Self::Party | Self::Member | Self::Category)
    }

    /// The word in queries, and the name of the column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meeting => "meeting",
            Self::Unit => "unit",
            Self::Precinct => "precinct",
            Self::Coalition => "coalition",
            Self::Format => "format",
            Self::Language => "language",
            Self::Day => "day",
            Self::Week => "week",
            Self::Evidence => "evidence",
            Self::Party => "party",
            Self::Member => "member",
            Self::Category => "category",
        }
    }
}

impl PersonDimension {
    /// Every dimension of people, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Residence, Self::ResidenceUnit, Self::Birth, Self::Sex];

    /// The word in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Residence => "residence",
            Self::ResidenceUnit => "residence_unit",
            Self::Birth => "birth",
            Self::Sex => "sex",
        }
    }
}

impl Dimension {
    /// The dimensions of meetings, then those of people.
    pub fn all() -> impl Iterator<Item = Self> {
        MeetingDimension::ALL.into_iter().map(Self::Meeting).chain(PersonDimension::ALL.into_iter().map(Self::Person))
    }

    /// Whether readers see figures of people by it. Coarse dimensions only: days lie in weeks and precincts in units, so rows by one would disclose
    /// rows by the other. A coalition may be that of a unit; the page shows both, and withholds them together.
    pub fn is_for_readers(self) -> bool {
        match self {
            Self::Meeting(dimension) => !matches!(
                dimension,
                MeetingDimension::Meeting | MeetingDimension::Precinct | MeetingDimension::Day | MeetingDimension::Member
            ),
            Self::Person(dimension) => dimension != PersonDimension::Residence,
        }
    }

    /// The word in queries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meeting(dimension) => dimension.name(),
            Self::Person(dimension) => dimension.name(),
        }
    }

    /// The dimension with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|dimension| dimension.name() == name)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
