//! Ids that people take for one another: in capitals or not, with letters of another script, with signs that nobody sees.
//!
//! Guarantees: two ids are look-alikes when they are equal without case, or when they look the same by the table of confusable
//! characters of Unicode (UTS 39), as written or in capitals. `TRK-1`, `trk-1`, `ТRK-1` (Cyrillic Т) and `TRK-l` are one group;
//! `TRK-01` and `TRK_1` are others, since they look otherwise. Memory: about three keys for each id that is known.

use std::collections::HashMap;

use qamtu_schemas::{Data, Kind};
use unicode_security::skeleton;

use crate::notation;

/// What an event defines or is about, as far as people name it by a code of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A district or city.
    Unit,
    /// A precinct.
    Precinct,
    /// A coalition.
    Coalition,
    /// A member of a coalition.
    Member,
    /// A venue.
    Venue,
    /// A meeting.
    Meeting,
    /// A survey.
    Survey,
}

impl Subject {
    /// The subject of events of a type; none where it is a person, an import or the campaign itself.
    pub const fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::UnitDefined => Self::Unit,
            Kind::PrecinctCounted | Kind::PrecinctEnrolled => Self::Precinct,
            Kind::CoalitionFormed => Self::Coalition,
            Kind::MemberJoined => Self::Member,
            Kind::VenueDescribed => Self::Venue,
            Kind::SurveyReported => Self::Survey,
            Kind::MeetingPlanned
            | Kind::MeetingRescheduled
            | Kind::MeetingCancelled
            | Kind::MeetingHeld
            | Kind::MeetingCorrected
            | Kind::AttendanceRecorded
            | Kind::AttendanceRetracted
            | Kind::HeadcountReported
            | Kind::HeadcountRecounted
            | Kind::QuestionRaised => Self::Meeting,
            Kind::CampaignConfigured | Kind::ConsentGiven | Kind::ConsentWithdrawn | Kind::ImportAccepted | Kind::ImportReversed => {
                return None;
            }
        })
    }

    /// The field of a payload that holds its id, which is also its name in English.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Precinct => "precinct",
            Self::Coalition => "coalition",
            Self::Member => "member",
            Self::Venue => "venue",
            Self::Meeting => "meeting",
            Self::Survey => "survey",
        }
    }
}

/// Ids of a campaign by what they look like.
#[derive(Debug, Default)]
pub struct LookAlikes(HashMap<(Subject, Key), Vec<Box<str>>>);

/// One of the forms in which ids are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    SmallLetters(String),
    Looks(String),
    LooksInCapitals(String),
}

impl LookAlikes {
    /// Takes the id that an event is about.
    pub fn insert(&mut self, data: &Data) {
        let Some(subject) = Subject::of(data.kind()) else { return };
        let id = data.subject();
        if self.has(subject, &id) {
            return;
        }
        for key in keys(&id) {
            self.0.entry((subject, key)).or_default().push(id.as_str().into());
        }
    }

    /// Is exactly this id known?
    pub fn has(&self, subject: Subject, id: &str) -> bool {
        let key = Key::SmallLetters(notation::plain(id).trim().to_lowercase());
        self.0.get(&(subject, key)).is_some_and(|alike| alike.iter().any(|held| **held == *id))
    }

    /// Other ids that look like this one.
    pub fn of(&self, subject: Subject, id: &str) -> impl Iterator<Item = &str> {
        let alike = keys(id).into_iter().filter_map(move |key| self.0.get(&(subject, key))).flatten();
        alike.map(|held| &**held).filter(move |held| *held != id)
    }
}

/// Do two ids look alike without being equal?
pub fn look_alike(one: &str, other: &str) -> bool {
    one != other && keys(one).iter().zip(&keys(other)).any(|(one, other)| one == other)
}

fn keys(id: &str) -> [Key; 3] {
    let plain = notation::plain(id);
    let plain = plain.trim();
    let looks = |text: &str| skeleton(text).collect();
    [Key::SmallLetters(plain.to_lowercase()), Key::Looks(looks(plain)), Key::LooksInCapitals(looks(&plain.to_uppercase()))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_people_take_for_one_another_look_alike() {
        for other in [
            "trk-1",
            "Trk-1",
            "TRK-1 ",
            " TRK-1",
            "TRK-1\u{200B}",
            "TRK\u{2011}1",
            "ТRK-1",
            "ТRК-1",
            "TRK-l",
            "TRK-I",
            "ＴＲＫ-１",
            "тRK-1",
            "TRK-①",
        ] {
            assert!(look_alike("TRK-1", other), "{other}");
        }
        assert!(look_alike("TRK-0", "TRK-O") && look_alike("M-10", "m-1O"));
    }

    #[test]
    fn ids_that_look_otherwise_do_not() {
        for other in ["TRK-1", "TRK-01", "TRK-2", "TRK_1", "TRK.1", "TRK1", "TRK-11", "TRK-L", "TRL-1", "KEN-1", "TRK-X1"] {
            assert!(!look_alike("TRK-1", other), "{other}");
        }
    }
}
