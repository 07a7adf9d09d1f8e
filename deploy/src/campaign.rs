//! A campaign file: the definition of a campaign, read from TOML and sent as reference events.
//!
//! An unknown field is an error. Every error gives the line and how to fix it. The same file always gives the same events with the same
//! ids. Precincts, members and meetings come from imports (or from [`crate::synthetic`]).

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

/// The file of the first campaign, compiled in so that the demo needs no file.
pub const TURKISTAN_2026: &str = include_str!("../campaigns/turkistan-2026.toml");

/// A campaign as its file defines it; the fields have the names and meanings of the file's keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Identifies the campaign in every event.
    pub id: CampaignId,
    /// Revision of every reference event of the file; raised with every change that was sent.
    pub revision: u32,
    /// IANA time zone of its local days.
    pub time_zone: Text,
    /// The campaign's name in kk, ru and en.
    pub names: Names,
    /// Name of its area, such as `Turkistan region`.
    pub area: Option<Names>,
    /// Lawful campaign days, silence and vote.
    pub calendar: CampaignDates,
    /// Planned numbers of meetings and voters.
    pub plan: Targets,
    /// Parties that a member may belong to.
    pub parties: Vec<CodeNames<PartyCode>>,
    /// Categories of the population.
    pub categories: Vec<Category>,
    /// Formats that a meeting may have.
    pub formats: Vec<CodeNames<FormatCode>>,
    /// Languages that a meeting may be held in.
    pub languages: Vec<CodeNames<LanguageCode>>,
    /// Districts and cities of the area.
    pub units: Vec<UnitDefinition>,
    /// Coalitions that hold the meetings.
    pub coalitions: Vec<CoalitionDefinition>,
    /// If present, the campaign is synthetic and generated from these parameters.
    pub synthetic: Option<Scenario>,
}

/// Dates of a campaign.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignDates {
    /// First lawful campaign day.
    pub opens: Date,
    /// Last lawful campaign day.
    pub closes: Date,
    /// Day of silence, without campaigning.
    pub silence: Date,
    /// Day of the vote, after the silence.
    pub vote: Date,
}

/// Planned numbers of the whole campaign.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// Number of planned meetings.
    pub meetings: u32,
    /// Number of different voters to reach.
    pub reach: u32,
}

/// A district or city.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitDefinition {
    /// Identifies the unit in every event.
    pub code: UnitCode,
    /// Code in the state classifier of administrative units.
    pub kato: Kato,
    /// Whether it is a district or a city.
    pub kind: UnitKind,
    /// Names in kk, ru and en.
    pub names: Names,
    /// Row and column on the tile map.
    pub tile: Tile,
    /// Size of the generated unit; required in a synthetic campaign.
    pub synthetic: Option<UnitScenario>,
}

/// A coalition of parties that holds meetings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoalitionDefinition {
    /// Identifies the coalition in every event.
    pub id: CoalitionId,
    /// The unit it works in; none means the whole region.
    pub unit: Option<UnitCode>,
    /// Names in kk, ru and en.
    pub names: Names,
}

/// Sizes of a generated unit.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitScenario {
    /// Registered voters of the last count.
    pub voters: u32,
    /// Number of precincts in it.
    pub precincts: u32,
    /// Number of planned meetings.
    pub meetings: u32,
    /// Members of its coalition.
    pub members: u32,
}

/// Parameters of the generator.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Day of the first meeting.
    pub first_meeting: Date,
    /// Days with few meetings.
    pub quiet_days: Vec<Date>,
    /// Dates of the voter counts; the last count has the units' numbers of voters.
    pub counts: Vec<Date>,
    /// Precincts that are hospitals, barracks or places of detention.
    pub special_precincts: u32,
    /// Members of the coalition without a unit.
    pub regional_members: u32,
    /// Members with a party, in percent.
    pub members_with_party: u8,
    /// Relative frequency of parties among members.
    pub party_shares: BTreeMap<PartyCode, u32>,
    /// Relative frequency of meeting languages.
    pub language_shares: BTreeMap<LanguageCode, u32>,
    /// Themes that questions are counted by.
    pub themes: Vec<ThemeCode>,
    /// Size and audience of meetings by format.
    pub formats: Vec<FormatScenario>,
}

/// Size and audience of the generated meetings of one format.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormatScenario {
    /// Code of the format.
    pub format: FormatCode,
    /// Relative frequency of the format.
    pub share: u32,
    /// Median number of people.
    pub median: f64,
    /// Sigma of the log-normal size.
    pub sigma: f64,
    /// Number of precincts that people come from; 0 means the whole unit.
    pub precincts: u32,
    /// Categories that the audience may have.
    pub categories: Vec<CategoryCode>,
}

impl Campaign {
    /// Reads a campaign file.
    pub fn read(path: &Path) -> Result<Self, CampaignError> {
        let text = std::fs::read_to_string(path).map_err(|source| CampaignError::Read { file: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Parses the text of a campaign file; `file` is named in errors and not read.
    pub fn parse(text: &str, file: &Path) -> Result<Self, CampaignError> {
        let document = toml::Deserializer::parse(text).map_err(|error| CampaignError::toml(text, file, "", &error))?;
        let campaign: Campaign = serde_path_to_error::deserialize(document)
            .map_err(|error| CampaignError::toml(text, file, &error.path().to_string(), error.inner()))?;
        check::check(&campaign).map_err(|violation| violation.into_error(text, file))?;
        Ok(campaign)
    }

    /// The id and a hash of the whole file, so that any change of the file changes it.
    pub fn fingerprint(&self) -> String {
        let text = format!("{self:?}");
        format!("{} {}", self.id, Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()))
    }

    /// Time zone of the campaign's local days.
    pub fn zone(&self) -> TimeZone {
        // INVARIANT: `check` has found the time zone.
        time_zone(&self.time_zone).expect("a checked time zone")
    }

    /// Codes of the categories at whose meetings only heads may be counted.
    pub fn revealing(&self) -> BTreeSet<&CategoryCode> {
        self.categories.iter().filter(|category| category.revealing).map(|category| &category.code).collect()
    }

    /// The reference events: campaign, units, coalitions. `received` is the simulated time of arrival, for synthetic campaigns only.
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
            // `compatible` resolves midnight in every time zone, so the fallback is never used.
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

    fn defined(&self, unit: &UnitDefinition) -> UnitDefined {
        UnitDefined {
            unit: unit.code.clone(),
            revision: self.revision,
            kato: unit.kato.clone(),
            kind: unit.kind,
            names: unit.names.clone(),
            tile: unit.tile,
        }
    }

    fn formed(&self, coalition: &CoalitionDefinition) -> CoalitionFormed {
        CoalitionFormed {
            coalition: coalition.id.clone(),
            revision: self.revision,
            unit: coalition.unit.clone(),
            names: coalition.names.clone(),
        }
    }
}
