//! Checks that the codes in an event exist.
//!
//! Guarantees: an unknown code is refused with its JSON pointer; an unknown meeting is accepted with a warning, since its plan may arrive
//! later. Attendance at a meeting of a revealing audience is refused: such meetings take headcounts only.

use std::fmt::Display;

use qamtu_schemas::{
    Data,
    event::{CampaignConfigured, Plan, Residence},
    id::{CampaignId, CategoryCode, CoalitionId, FormatCode, LanguageCode, MeetingId, MemberId, PartyCode, PrecinctId, UnitCode, VenueId},
};

use super::KnownState;
use crate::{
    rejection::{Detail, ProblemCode, Rejection, Warning},
    submission::is_safe_to_show,
};

/// Checks every code that an event contains; the warning says that its meeting is unknown.
pub(super) fn check(data: &Data, campaign: &CampaignId, known: &KnownState<'_>) -> Result<Option<Warning>, Rejection> {
    let references = References { campaign, known };
    match data {
        Data::CampaignConfigured(_) | Data::UnitDefined(_) | Data::ImportAccepted(_) | Data::ImportReversed(_) => {}
        Data::ConsentGiven(_) | Data::ConsentWithdrawn(_) => {}
        Data::PrecinctCounted(data) => references.unit("/data/unit", &data.unit)?,
        Data::AccessReported(data) => references.precinct("/data/precinct", &data.precinct)?,
        Data::PrecinctEnrolled(data) => references.precinct("/data/precinct", &data.precinct)?,
        Data::CoalitionFormed(data) => references.optional("/data/unit", data.unit.as_ref(), References::unit)?,
        Data::MemberJoined(data) => {
            references.coalition("/data/coalition", &data.coalition)?;
            references.optional("/data/party", data.party.as_ref(), References::party)?;
        }
        Data::VenueDescribed(data) => {
            references.unit("/data/unit", &data.unit)?;
            if let Some(precinct) = &data.precinct {
                references.precinct_of("/data/precinct", precinct, &data.unit)?;
            }
        }
        Data::MeetingPlanned(data) => references.plan("/data/plan", &data.plan)?,
        Data::MeetingHeld(data) => references.plan("/data/report", &data.report)?,
        Data::MeetingCorrected(data) => references.optional("/data/report", data.report.as_ref(), References::plan)?,
        Data::SurveyReported(data) => references.optional("/data/unit", data.unit.as_ref(), References::unit)?,
        Data::AttendanceRecorded(data) => {
            match &data.residence {
                Residence::Unit(unit) => references.unit("/data/residence/unit", unit)?,
                Residence::Precinct(precinct) => references.precinct("/data/residence/precinct", precinct)?,
                Residence::Unknown | Residence::Outside => {}
            }
            references.identified(&data.meeting)?;
        }
        Data::MeetingRescheduled(_)
        | Data::MeetingCancelled(_)
        | Data::AttendanceRetracted(_)
        | Data::HeadcountReported(_)
        | Data::HeadcountRecounted(_)
        | Data::QuestionRaised(_) => {}
    }
    let announced = match data {
        Data::MeetingPlanned(_) | Data::MeetingHeld(_) => true,
        Data::MeetingCorrected(data) => data.report.is_some(),
        _ => false,
    };
    Ok(match data.meeting() {
        Some(meeting) if !announced && !known.meeting(campaign, meeting).any(|meeting| meeting.known) => Some(Warning::UnknownMeeting),
        _ => None,
    })
}

/// Checks codes against the state of one campaign.
struct References<'a> {
    campaign: &'a CampaignId,
    known: &'a KnownState<'a>,
}

impl References<'_> {
    /// Checks an optional code, if it is given.
    fn optional<T>(
        &self,
        pointer: &str,
        name: Option<&T>,
        check: impl Fn(&Self, &str, &T) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        name.map_or(Ok(()), |name| check(self, pointer, name))
    }

    fn unit(&self, pointer: &str, unit: &UnitCode) -> Result<(), Rejection> {
        let known = self.known.has(self.campaign, |reference| reference.unit(unit).is_some());
        ensure(known, ProblemCode::UnknownUnit, pointer, unit)
    }

    fn precinct(&self, pointer: &str, precinct: &PrecinctId) -> Result<(), Rejection> {
        let known = self.known.has(self.campaign, |reference| reference.precinct(precinct).is_some());
        ensure(known, ProblemCode::UnknownPrecinct, pointer, precinct)
    }

    /// Requires a precinct that lies in this unit.
    fn precinct_of(&self, pointer: &str, precinct: &PrecinctId, unit: &UnitCode) -> Result<(), Rejection> {
        self.precinct(pointer, precinct)?;
        let actual = self.known.find(self.campaign, |reference| reference.precinct(precinct).map(|counted| counted.unit.clone()));
        match actual.filter(|actual| actual != unit) {
            Some(actual) => Err(Rejection::new(ProblemCode::ForeignPrecinct, Detail::PrecinctOf { unit: actual.to_string() }).at(pointer)),
            None => Ok(()),
        }
    }

    fn venue(&self, pointer: &str, venue: &VenueId) -> Result<(), Rejection> {
        let known = self.known.has(self.campaign, |reference| reference.venue(venue).is_some());
        ensure(known, ProblemCode::UnknownVenue, pointer, venue)
    }

    fn coalition(&self, pointer: &str, coalition: &CoalitionId) -> Result<(), Rejection> {
        let known = self.known.has(self.campaign, |reference| reference.coalition(coalition).is_some());
        ensure(known, ProblemCode::UnknownCoalition, pointer, coalition)
    }

    fn member(&self, pointer: &str, member: &MemberId) -> Result<(), Rejection> {
        let known = self.known.has(self.campaign, |reference| reference.member(member).is_some());
        ensure(known, ProblemCode::UnknownMember, pointer, member)
    }

    /// Tests the lists of the campaign's configuration.
    fn listed(&self, test: impl Fn(&CampaignConfigured) -> bool) -> bool {
        self.known.config(self.campaign).is_some_and(test)
    }

    fn party(&self, pointer: &str, party: &PartyCode) -> Result<(), Rejection> {
        let known = self.listed(|config| config.parties.iter().any(|listed| listed.code == *party));
        ensure(known, ProblemCode::UnknownParty, pointer, party)
    }

    fn category(&self, pointer: &str, category: &CategoryCode) -> Result<(), Rejection> {
        let known = self.listed(|config| config.categories.iter().any(|listed| listed.code == *category));
        ensure(known, ProblemCode::UnknownCategory, pointer, category)
    }

    fn format(&self, pointer: &str, format: &FormatCode) -> Result<(), Rejection> {
        let known = self.listed(|config| config.formats.iter().any(|listed| listed.code == *format));
        ensure(known, ProblemCode::UnknownFormat, pointer, format)
    }

    fn language(&self, pointer: &str, language: &LanguageCode) -> Result<(), Rejection> {
        let known = self.listed(|config| config.languages.iter().any(|listed| listed.code == *language));
        ensure(known, ProblemCode::UnknownLanguage, pointer, language)
    }

    fn plan(&self, pointer: &str, plan: &Plan) -> Result<(), Rejection> {
        self.unit(&format!("{pointer}/unit"), &plan.unit)?;
        if let Some(precinct) = &plan.precinct {
            self.precinct_of(&format!("{pointer}/precinct"), precinct, &plan.unit)?;
        }
        self.optional(&format!("{pointer}/venue"), plan.venue.as_ref(), Self::venue)?;
        self.coalition(&format!("{pointer}/coalition"), &plan.coalition)?;
        for (index, member) in plan.members.iter().enumerate() {
            self.member(&format!("{pointer}/members/{index}"), member)?;
        }
        self.category(&format!("{pointer}/category"), &plan.category)?;
        for (index, category) in plan.secondary.iter().enumerate() {
            self.category(&format!("{pointer}/secondary/{index}"), category)?;
        }
        self.format(&format!("{pointer}/format"), &plan.format)?;
        self.language(&format!("{pointer}/language"), &plan.language)
    }

    /// Refuses attendance at a meeting whose audience is revealing.
    fn identified(&self, meeting: &MeetingId) -> Result<(), Rejection> {
        let revealing = |config: &CampaignConfigured, code: &CategoryCode| {
            config.categories.iter().any(|category| category.revealing && category.code == *code)
        };
        let mut audiences = self.known.meeting(self.campaign, meeting).flat_map(|meeting| &meeting.categories);
        match self.known.config(self.campaign) {
            Some(config) if audiences.any(|code| revealing(config, code)) => {
                Err(Rejection::new(ProblemCode::HeadcountsOnly, Detail::HeadcountsOnly).at("/data/meeting"))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses an unknown code. The refusal shows it only if it cannot be a person's number that was typed into the wrong field.
fn ensure(known: bool, code: ProblemCode, pointer: &str, name: &impl Display) -> Result<(), Rejection> {
    if known {
        return Ok(());
    }
    let name = name.to_string();
    let detail = if is_safe_to_show(&name) { Detail::CodeUnknown { code: name } } else { Detail::CodeHidden };
    Err(Rejection::new(code, detail).at(pointer))
}
