//! Confusable ids: they differ only in case, in letters of another script that look the same, or in invisible characters.
//!
//! Guarantees: two ids are look-alikes when they are equal without case, or when they look the same by the table of confusable
//! characters of Unicode (UTS 39), as written or in upper case. `TRK-1`, `trk-1`, `ТRK-1` (Cyrillic Т) and `TRK-l` are one group;
//! `TRK-01` and `TRK_1` look different and are not in it. Memory: three keys for each id.

use std::collections::HashMap;

use qamtu_schemas::{Data, Kind};
use unicode_security::skeleton;

use crate::text_folding;

/// What an event defines or is about, if users choose its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A district or a city.
    Unit,
    /// A precinct (polling district).
    Precinct,
    /// A coalition of parties.
    Coalition,
    /// A member of a coalition.
    Member,
    /// A venue of meetings.
    Venue,
    /// A meeting, planned or held.
    Meeting,
    /// A survey of voters.
    Survey,
}

impl Subject {
    /// The subject of an event type; `None` if it is a person, an import or the campaign itself.
    pub const fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::UnitDefined => Self::Unit,
            Kind::PrecinctCounted | Kind::PrecinctEnrolled | Kind::AccessReported => Self::Precinct,
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

    /// The payload field that holds the id; also the English name of the subject.
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

/// Ids of a campaign, indexed by the forms in which they are compared.
#[derive(Debug, Default)]
pub struct LookAlikes(HashMap<(Subject, ComparedForm), Vec<Box<str>>>);

/// A form in which ids are compared; skeletons are those of UTS 39.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum ComparedForm {
    Lowercase(String),
    Skeleton(String),
    UppercaseSkeleton(String),
}

impl LookAlikes {
    /// Adds the id that an event is about.
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

    /// Whether exactly this id is known.
    pub fn has(&self, subject: Subject, id: &str) -> bool {
        let key = ComparedForm::Lowercase(text_folding::fold(id).trim().to_lowercase());
        self.0.get(&(subject, key)).is_some_and(|similar| similar.iter().any(|known| **known == *id))
    }

    /// Known ids that look like this one and are not equal to it.
    pub fn of(&self, subject: Subject, id: &str) -> impl Iterator<Item = &str> {
        let similar = keys(id).into_iter().filter_map(move |key| self.0.get(&(subject, key))).flatten();
        similar.map(|known| &**known).filter(move |known| *known != id)
    }
}

/// Whether two ids look alike and are not equal.
pub fn look_alike(one: &str, other: &str) -> bool {
    one != other && keys(one).iter().zip(&keys(other)).any(|(one, other)| one == other)
}

fn keys(id: &str) -> [ComparedForm; 3] {
    let folded = text_folding::fold(id);
    let folded = folded.trim();
    let to_skeleton = |text: &str| skeleton(text).collect();
    [
        ComparedForm::Lowercase(folded.to_lowercase()),
        ComparedForm::Skeleton(to_skeleton(folded)),
        ComparedForm::UppercaseSkeleton(to_skeleton(&folded.to_uppercase())),
    ]
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
