//! A campaign file: everything that makes a campaign this one, read from TOML and published as reference events.
//!
//! Guarantees: the file is closed (an unknown name is an error), every mistake names the line and the mend, and the same file always
//! gives the same events with the same ids. Leaves precincts, members and meetings to imports (or to [`crate::synthetic`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use qamtu_schemas::{
    Data,
    event::{CampaignConfigured, Category, CoalitionFormed, CodeNames, Kato, Tile, UnitDefined, UnitKind},
    id::{CampaignId, CategoryCode, CoalitionId, EventId, FormatCode, LanguageCode, PartyCode, ThemeCode, UnitCode},
    instant::time_zone,
    text::{Names, Text},
};
use serde::Deserialize;
use uuid::Uuid;

use crate::submission::Submission;

mod check;

pub use check::CampaignError;
pub(crate) use check::{PRECINCT_MAX_VOTERS, PRECINCT_MIN_VOTERS};

/// The file of the first campaign, part of the program so that the demo needs no file.
pub const TURKISTAN_2026: &str = include_str!("../campaigns/turkistan-2026.toml");

/// A campaign as its file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// Revision of every reference event of the file; raised with every published change.
    pub revision: u32,
    /// IANA time zone of its local days.
    pub time_zone: Text,
    /// What it is called.
    pub names: Names,
    /// What its area is called, such as `Turkistan region`.
    pub area: Option<Names>,
    /// Its dates.
    pub calendar: Calendar,
    /// What is planned.
    pub plan: Targets,
    /// Parties of members.
    pub parties: Vec<CodeNames<PartyCode>>,
    /// Categories of the population.
    pub categories: Vec<Category>,
    /// Formats of meetings.
    pub formats: Vec<CodeNames<FormatCode>>,
    /// Languages of meetings.
    pub languages: Vec<CodeNames<LanguageCode>>,
    /// Districts and cities.
    pub units: Vec<Unit>,
    /// Coalitions.
    pub coalitions: Vec<Coalition>,
    /// Present: everything of this campaign is invented, after these numbers.
    pub synthetic: Option<Scenario>,
}

/// Dates of a campaign.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// First lawful campaign day.
    pub opens: Date,
    /// Last lawful campaign day.
    pub closes: Date,
    /// Day of silence.
    pub silence: Date,
    /// Day of the vote.
    pub vote: Date,
}

/// What is planned.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Meetings.
    pub meetings: u32,
    /// Different voters to reach.
    pub reach: u32,
}

/// A district or city.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its code.
    pub code: UnitCode,
    /// Its code in the state classifier.
    pub kato: Kato,
    /// District or city.
    pub kind: UnitKind,
    /// Its names.
    pub names: Names,
    /// Its tile.
    pub tile: Tile,
    /// How much of it is invented; needed in a synthetic campaign.
    pub synthetic: Option<UnitScenario>,
}

/// A coalition.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coalition {
    /// Its id.
    pub id: CoalitionId,
    /// Its unit; none: the whole region.
    pub unit: Option<UnitCode>,
    /// Its names.
    pub names: Names,
}

/// How much is invented in a unit.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitScenario {
    /// Registered voters of the last count.
    pub voters: u32,
    /// Precincts.
    pub precincts: u32,
    /// Planned meetings.
    pub meetings: u32,
    /// Members of its coalition.
    pub members: u32,
}

/// What the generator invents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Day of the first meeting.
    pub first_meeting: Date,
    /// Days with few meetings.
    pub quiet_days: Vec<Date>,
    /// Dates of the voter counts; the last holds the units' numbers.
    pub counts: Vec<Date>,
    /// Precincts that are hospitals, barracks or places of detention.
    pub special_precincts: u32,
    /// Members of the coalition without a unit.
    pub regional_members: u32,
    /// Members with a party, in percent.
    pub members_with_party: u8,
    /// Weights of parties.
    pub party_shares: BTreeMap<PartyCode, u32>,
    /// Weights of languages.
    pub language_shares: BTreeMap<LanguageCode, u32>,
    /// Themes of questions.
    pub themes: Vec<ThemeCode>,
    /// What meetings are like.
    pub formats: Vec<FormatScenario>,
}

/// What meetings of a format are like.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormatScenario {
    /// The format.
    pub format: FormatCode,
    /// Its weight.
    pub share: u32,
    /// Median of people.
    pub median: f64,
    /// Sigma of the log-normal size.
    pub sigma: f64,
    /// From how many precincts people come; 0: from the whole unit.
    pub precincts: u32,
    /// Its audiences.
    pub categories: Vec<CategoryCode>,
}

impl Campaign {
    /// Reads a campaign file.
    pub fn read(path: &Path) -> Result<Self, CampaignError> {
        let text = std::fs::read_to_string(path).map_err(|source| CampaignError::Read { file: path.display().to_string(), source })?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads the text of a campaign file; `file` is what errors call it.
    pub fn parse(text: &str, file: &str) -> Result<Self, CampaignError> {
        let document = toml::Deserializer::parse(text).map_err(|error| CampaignError::toml(text, file, "", &error))?;
        let campaign: Campaign = serde_path_to_error::deserialize(document)
            .map_err(|error| CampaignError::toml(text, file, &error.path().to_string(), error.inner()))?;
        check::check(&campaign).map_err(|violation| violation.into_error(text, file))?;
        Ok(campaign)
    }

    /// Its id and a hash of everything that the file says: another file, another fingerprint.
    pub fn fingerprint(&self) -> String {
        let text = format!("{self:?}");
        format!("{} {}", self.id, Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()))
    }

    /// The time zone.
    pub fn zone(&self) -> TimeZone {
        // INVARIANT: a campaign exists only after its time zone was found.
        time_zone(&self.time_zone).expect("a checked time zone")
    }

    /// Codes of categories whose meetings take headcounts only.
    pub fn revealing(&self) -> BTreeSet<&CategoryCode> {
        self.categories.iter().filter(|category| category.revealing).map(|category| &category.code).collect()
    }

    /// Its reference events: the campaign, its units, its coalitions. `received` is the simulated arrival, for synthetic campaigns only.
    pub fn submissions(&self, received: Option<Timestamp>) -> Vec<Submission> {
        std::iter::once(Data::from(self.configured()))
            .chain(self.units.iter().map(|unit| self.defined(unit).into()))
            .chain(self.coalitions.iter().map(|coalition| self.formed(coalition).into()))
            .map(|data| self.submission(data, received))
            .collect()
    }

    fn submission(&self, data: Data, received: Option<Timestamp>) -> Submission {
        let time = self.zone().to_ambiguous_zoned(self.calendar.opens.at(0, 0, 0, 0)).compatible().map(|zoned| zoned.timestamp());
        let name = format!("{}|{}|{}", data.kind().name(), data.subject(), self.revision);
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("urn:qamtu:campaign:{}", self.id).as_bytes());
        Submission {
            id: EventId(Uuid::new_v5(&namespace, name.as_bytes())),
            source: "campaign-file".into(),
            // Midnight of a civil date of our calendar exists in every time zone; the epoch never comes.
            time: time.unwrap_or(Timestamp::UNIX_EPOCH),
            recordedtime: None,
            receivedtime: received,
            campaign: Arc::new(self.id.clone()),
            import: None,
            data: data.into(),
        }
    }

    fn configured(&self) -> CampaignConfigured {
        CampaignConfigured {
            campaign: self.id.clone(),
            revision: self.revision,
            names: self.names.clone(),
            synthetic: self.synthetic.is_some(),
            time_zone: self.time_zone.clone(),
            opens: self.calendar.opens,
            closes: self.calendar.closes,
            silence_day: self.calendar.silence,
            vote_day: self.calendar.vote,
            planned_meetings: self.plan.meetings,
            planned_reach: self.plan.reach,
            area: self.area.clone(),
            categories: self.categories.clone(),
            formats: self.formats.clone(),
            parties: self.parties.clone(),
            languages: self.languages.clone(),
        }
    }

    fn defined(&self, unit: &Unit) -> UnitDefined {
        UnitDefined {
            unit: unit.code.clone(),
            revision: self.revision,
            kato: unit.kato.clone(),
            kind: unit.kind,
            names: unit.names.clone(),
            tile: unit.tile,
        }
    }

    fn formed(&self, coalition: &Coalition) -> CoalitionFormed {
        CoalitionFormed {
            coalition: coalition.id.clone(),
            revision: self.revision,
            unit: coalition.unit.clone(),
            names: coalition.names.clone(),
        }
    }
}
