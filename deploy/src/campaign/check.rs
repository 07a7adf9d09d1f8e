//! Validation beyond the types of a campaign file: order of dates, codes that must exist or be unique, numbers that must agree.
//!
//! Every error gives the file, the line and what to write instead.

use std::{
    collections::BTreeSet,
    fmt::Display,
    path::{Path, PathBuf},
};

use qamtu_schemas::instant::time_zone;
use toml::de::{DeTable, DeValue};

use super::{Campaign, Scenario};

/// Most voters of a precinct: elections law of Kazakhstan, article 23.
pub(crate) const PRECINCT_MAX_VOTERS: u32 = 3_000;

/// Fewest voters the generator gives an ordinary precinct.
pub(crate) const PRECINCT_MIN_VOTERS: u32 = 60;

/// Why a campaign file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// It cannot be read.
    #[error("cannot read the campaign file {}", file.display())]
    Read {
        /// Path of the campaign file.
        file: PathBuf,
        /// Error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// It is not TOML, has a wrong or unknown field, or violates a rule.
    #[error("{}:{line}: {reason}", file.display())]
    Invalid {
        /// Path of the campaign file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and how to fix it.
        reason: String,
    },
}

impl CampaignError {
    /// `field` is the path of the wrong field, such as `units[3].kind`; empty if the text is not TOML.
    pub(super) fn toml(text: &str, file: &Path, field: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().replace('\n', "; ");
        let reason = if matches!(field, "" | ".") { message } else { format!("{field}: {message}") };
        Self::Invalid { file: file.to_owned(), line: line(text, at), reason }
    }
}

/// A violated rule and the path of the field: keys of tables and indexes of arrays.
pub(super) struct CampaignViolation {
    path: Vec<String>,
    reason: String,
}

impl CampaignViolation {
    /// Finds the line of the field in the text.
    pub(super) fn into_error(self, text: &str, file: &Path) -> CampaignError {
        let at = DeTable::parse(text).ok().map_or(0, |document| {
            let mut at = 0;
            let mut here = Some(DeValue::Table(document.into_inner()));
            for step in &self.path {
                let next = match here.take() {
                    Some(DeValue::Table(table)) => table.into_iter().find(|(name, _)| name.get_ref() == step).map(|(_, value)| value),
                    Some(DeValue::Array(array)) => step.parse().ok().and_then(|index: usize| array.into_iter().nth(index)),
                    _ => None,
                };
                let Some(next) = next else { break };
                at = next.span().start;
                here = Some(next.into_inner());
            }
            at
        });
        CampaignError::Invalid { file: file.to_owned(), line: line(text, at), reason: self.reason }
    }
}

fn line(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn ensure(condition: bool, path: &[&dyn Display], reason: impl FnOnce() -> String) -> Result<(), CampaignViolation> {
    if condition { Ok(()) } else { Err(CampaignViolation { path: path.iter().map(ToString::to_string).collect(), reason: reason() }) }
}

/// Checks every rule and returns the first violation.
pub(super) fn check(campaign: &Campaign) -> Result<(), CampaignViolation> {
    calendar(campaign)?;
    unique("parties", campaign.parties.iter().map(|party| &party.code))?;
    unique("categories", campaign.categories.iter().map(|category| &category.code))?;
    unique("formats", campaign.formats.iter().map(|format| &format.code))?;
    unique("languages", campaign.languages.iter().map(|language| &language.code))?;
    unique("units", campaign.units.iter().map(|unit| &unit.code))?;
    unique("units", campaign.units.iter().map(|unit| unit.kato.as_str()))?;
    unique("units", campaign.units.iter().map(|unit| format!("tile {},{}", unit.tile.row, unit.tile.column)))?;
    unique("coalitions", campaign.coalitions.iter().map(|coalition| &coalition.id))?;
    for (index, coalition) in campaign.coalitions.iter().enumerate() {
        let known = coalition.unit.as_ref().is_none_or(|wanted| campaign.units.iter().any(|unit| unit.code == *wanted));
        ensure(known, &[&"coalitions", &index, &"unit"], || {
            format!("coalition {} names a unit that is not under [[units]]", coalition.id)
        })?;
    }
    campaign.synthetic.as_ref().map_or(Ok(()), |scenario| synthetic(campaign, scenario))
}

fn calendar(campaign: &Campaign) -> Result<(), CampaignViolation> {
    let days = campaign.calendar;
    ensure(time_zone(&campaign.time_zone).is_ok(), &[&"time_zone"], || "write an IANA time zone such as Asia/Almaty".to_owned())?;
    ensure(days.opens <= days.closes, &[&"calendar", &"closes"], || "closes must not be before opens".to_owned())?;
    ensure(days.closes < days.silence, &[&"calendar", &"silence"], || "silence must be after closes".to_owned())?;
    ensure(days.silence < days.vote, &[&"calendar", &"vote"], || "vote must be after silence".to_owned())
}

fn unique<T: Ord + Display>(list: &'static str, codes: impl Iterator<Item = T>) -> Result<(), CampaignViolation> {
    let mut seen = BTreeSet::new();
    for (index, code) in codes.enumerate() {
        let reason = format!("{code} stands twice under [[{list}]]; remove one");
        ensure(seen.insert(code), &[&list, &index], || reason)?;
    }
    ensure(!seen.is_empty(), &[&list], || format!("[[{list}]] is empty; name at least one"))
}

fn synthetic(campaign: &Campaign, scenario: &Scenario) -> Result<(), CampaignViolation> {
    let mut meetings = 0;
    for (index, unit) in campaign.units.iter().enumerate() {
        let Some(size) = unit.synthetic else {
            return ensure(false, &[&"units", &index], || {
                format!("unit {} needs `synthetic = {{ voters, precincts, meetings, members }}`", unit.code)
            });
        };
        let fits = size.precincts * PRECINCT_MIN_VOTERS <= size.voters && size.voters <= size.precincts * PRECINCT_MAX_VOTERS;
        ensure(fits && size.members > 0, &[&"units", &index, &"synthetic"], || {
            format!("unit {} needs members, and {PRECINCT_MIN_VOTERS} to {PRECINCT_MAX_VOTERS} voters per precinct", unit.code)
        })?;
        let formed = campaign.coalitions.iter().any(|coalition| coalition.unit.as_ref() == Some(&unit.code));
        ensure(formed, &[&"units", &index], || format!("unit {} has no coalition under [[coalitions]]", unit.code))?;
        meetings += size.meetings;
    }
    ensure(meetings == campaign.plan.meetings, &[&"plan", &"meetings"], || format!("the units plan {meetings} meetings together"))?;
    let regional = campaign.coalitions.iter().any(|coalition| coalition.unit.is_none());
    ensure(regional == (scenario.regional_members > 0), &[&"synthetic", &"regional_members"], || {
        "members of the whole region and a coalition without a unit go together".to_owned()
    })?;
    let days = campaign.calendar;
    let first = days.opens <= scenario.first_meeting && scenario.first_meeting < days.closes;
    ensure(first, &[&"synthetic", &"first_meeting"], || "must be a lawful campaign day before the last".to_owned())?;
    let rising = scenario.counts.windows(2).all(|pair| pair[0] < pair[1]);
    ensure(rising && !scenario.counts.is_empty(), &[&"synthetic", &"counts"], || "name at least one date, in rising order".to_owned())?;
    shares(campaign, scenario)
}

fn shares(campaign: &Campaign, scenario: &Scenario) -> Result<(), CampaignViolation> {
    for code in scenario.party_shares.keys() {
        let known = campaign.parties.iter().any(|party| party.code == *code);
        ensure(known, &[&"synthetic", &"party_shares", code], || format!("{code} is not under [[parties]]"))?;
    }
    for code in scenario.language_shares.keys() {
        let known = campaign.languages.iter().any(|language| language.code == *code);
        ensure(known, &[&"synthetic", &"language_shares", code], || format!("{code} is not under [[languages]]"))?;
    }
    for (index, format) in scenario.formats.iter().enumerate() {
        let known = campaign.formats.iter().any(|known| known.code == format.format);
        ensure(known, &[&"synthetic", &"formats", &index, &"format"], || format!("{} is not under [[formats]]", format.format))?;
        for code in &format.categories {
            let known = campaign.categories.iter().any(|category| category.code == *code);
            ensure(known, &[&"synthetic", &"formats", &index, &"categories"], || format!("{code} is not under [[categories]]"))?;
        }
        let sized = format.median >= 1.0 && format.sigma > 0.0 && !format.categories.is_empty();
        ensure(sized, &[&"synthetic", &"formats", &index], || "needs a median of 1 or more, a sigma above 0 and a category".to_owned())?;
    }
    let weighed = |sum: u32| sum > 0;
    let all = weighed(scenario.party_shares.values().sum())
        && weighed(scenario.language_shares.values().sum())
        && weighed(scenario.formats.iter().map(|format| format.share).sum());
    ensure(all, &[&"synthetic"], || "party_shares, language_shares and formats need weights above 0".to_owned())
}
