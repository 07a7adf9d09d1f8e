//! Does everything that an event names exist?
//!
//! Guarantees: an unknown code is refused with the pointer of the place; an unknown meeting is taken with a warning, since its plan
//! may still be on its way. Attendance at a meeting of a revealing audience is refused: there only heads are counted.

use std::fmt::Display;

use qamtu_schemas::{
    Data,
    event::{CampaignConfigured, Plan, Residence},
    id::{CampaignId, CategoryCode, CoalitionId, FormatCode, LanguageCode, MeetingId, MemberId, PartyCode, PrecinctId, UnitCode, VenueId},
};

use super::Scope;
use crate::{
    rejection::{Detail, Reason, Rejection, Warning},
    submission::is_plain,
};

/// Checks all that an event names.
pub(super) fn check(data: &Data, campaign: &CampaignId, scope: &Scope<'_>) -> Result<Option<Warning>, Rejection> {
    let names = Names { campaign, scope };
    match data {
        Data::CampaignConfigured(_) | Data::UnitDefined(_) | Data::ImportAccepted(_) | Data::ImportReversed(_) => {}
        Data::ConsentGiven(_) | Data::ConsentWithdrawn(_) => {}
        Data::PrecinctCounted(data) => names.unit("/data/unit", &data.unit)?,
        Data::PrecinctEnrolled(data) => names.precinct("/data/precinct", &data.precinct)?,
        Data::CoalitionFormed(data) => names.each("/data/unit", data.unit.as_ref(), Names::unit)?,
        Data::MemberJoined(data) => {
            names.coalition("/data/coalition", &data.coalition)?;
            names.each("/data/party", data.party.as_ref(), Names::party)?;
        }
        Data::VenueDescribed(data) => {
            names.unit("/data/unit", &data.unit)?;
            if let Some(precinct) = &data.precinct {
                names.precinct_of("/data/precinct", precinct, &data.unit)?;
            }
        }
        Data::MeetingPlanned(data) => names.plan("/data/plan", &data.plan)?,
        Data::MeetingHeld(data) => names.plan("/data/report", &data.report)?,
        Data::MeetingCorrected(data) => names.each("/data/report", data.report.as_ref(), Names::plan)?,
        Data::SurveyReported(data) => names.each("/data/unit", data.unit.as_ref(), Names::unit)?,
        Data::AttendanceRecorded(data) => {
            match &data.residence {
                Residence::Unit(unit) => names.unit("/data/residence/unit", unit)?,
                Residence::Precinct(precinct) => names.precinct("/data/residence/precinct", precinct)?,
                Residence::Unknown | Residence::Outside => {}
            }
            names.identified(&data.meeting)?;
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
        Some(meeting) if !announced && !scope.meeting(campaign, meeting).any(|held| held.known) => Some(Warning::UnknownMeeting),
        _ => None,
    })
}

/// The names of one campaign.
struct Names<'a> {
    campaign: &'a CampaignId,
    scope: &'a Scope<'a>,
}

impl Names<'_> {
    /// Checks an optional name.
    fn each<T>(&self, pointer: &str, name: Option<&T>, check: impl Fn(&Self, &str, &T) -> Result<(), Rejection>) -> Result<(), Rejection> {
        name.map_or(Ok(()), |name| check(self, pointer, name))
    }

    fn unit(&self, pointer: &str, unit: &UnitCode) -> Result<(), Rejection> {
        let known = self.scope.has(self.campaign, |reference| reference.unit(unit).is_some());
        hold(known, Reason::UnknownUnit, pointer, unit)
    }

    fn precinct(&self, pointer: &str, precinct: &PrecinctId) -> Result<(), Rejection> {
        let known = self.scope.has(self.campaign, |reference| reference.precinct(precinct).is_some());
        hold(known, Reason::UnknownPrecinct, pointer, precinct)
    }

    /// A precinct that lies in this unit.
    fn precinct_of(&self, pointer: &str, precinct: &PrecinctId, unit: &UnitCode) -> Result<(), Rejection> {
        self.precinct(pointer, precinct)?;
        let home = self.scope.find(self.campaign, |reference| reference.precinct(precinct).map(|counted| counted.unit.clone()));
        match home.filter(|home| home != unit) {
            Some(home) => Err(Rejection::new(Reason::ForeignPrecinct, Detail::PrecinctOf { unit: home.to_string() }).at(pointer)),
            None => Ok(()),
        }
    }

    fn venue(&self, pointer: &str, venue: &VenueId) -> Result<(), Rejection> {
        let known = self.scope.has(self.campaign, |reference| reference.venue(venue).is_some());
        hold(known, Reason::UnknownVenue, pointer, venue)
    }

    fn coalition(&self, pointer: &str, coalition: &CoalitionId) -> Result<(), Rejection> {
        let known = self.scope.has(self.campaign, |reference| reference.coalition(coalition).is_some());
        hold(known, Reason::UnknownCoalition, pointer, coalition)
    }

    fn member(&self, pointer: &str, member: &MemberId) -> Result<(), Rejection> {
        let known = self.scope.has(self.campaign, |reference| reference.member(member).is_some());
        hold(known, Reason::UnknownMember, pointer, member)
    }

    /// Looks into the closed lists of the campaign's configuration.
    fn listed(&self, test: impl Fn(&CampaignConfigured) -> bool) -> bool {
        self.scope.config(self.campaign).is_some_and(test)
    }

    fn party(&self, pointer: &str, party: &PartyCode) -> Result<(), Rejection> {
        let known = self.listed(|config| config.parties.iter().any(|listed| listed.code == *party));
        hold(known, Reason::UnknownParty, pointer, party)
    }

    fn category(&self, pointer: &str, category: &CategoryCode) -> Result<(), Rejection> {
        let known = self.listed(|config| config.categories.iter().any(|listed| listed.code == *category));
        hold(known, Reason::UnknownCategory, pointer, category)
    }

    fn format(&self, pointer: &str, format: &FormatCode) -> Result<(), Rejection> {
        let known = self.listed(|config| config.formats.iter().any(|listed| listed.code == *format));
        hold(known, Reason::UnknownFormat, pointer, format)
    }

    fn language(&self, pointer: &str, language: &LanguageCode) -> Result<(), Rejection> {
        let known = self.listed(|config| config.languages.iter().any(|listed| listed.code == *language));
        hold(known, Reason::UnknownLanguage, pointer, language)
    }

    fn plan(&self, pointer: &str, plan: &Plan) -> Result<(), Rejection> {
        self.unit(&format!("{pointer}/unit"), &plan.unit)?;
        if let Some(precinct) = &plan.precinct {
            self.precinct_of(&format!("{pointer}/precinct"), precinct, &plan.unit)?;
        }
        self.each(&format!("{pointer}/venue"), plan.venue.as_ref(), Self::venue)?;
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

    /// May people be named at this meeting?
    fn identified(&self, meeting: &MeetingId) -> Result<(), Rejection> {
        let revealing = |config: &CampaignConfigured, code: &CategoryCode| {
            config.categories.iter().any(|category| category.revealing && category.code == *code)
        };
        let mut audiences = self.scope.meeting(self.campaign, meeting).flat_map(|meeting| &meeting.categories);
        match self.scope.config(self.campaign) {
            Some(config) if audiences.any(|code| revealing(config, code)) => {
                Err(Rejection::new(Reason::HeadcountsOnly, Detail::HeadcountsOnly).at("/data/meeting"))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses an unknown name; it is shown only where it cannot be a person's number that was typed into the wrong field.
fn hold(known: bool, reason: Reason, pointer: &str, name: &impl Display) -> Result<(), Rejection> {
    if known {
        return Ok(());
    }
    let code = name.to_string();
    let detail = if is_plain(&code) { Detail::CodeUnknown { code } } else { Detail::CodeHidden };
    Err(Rejection::new(reason, detail).at(pointer))
}
