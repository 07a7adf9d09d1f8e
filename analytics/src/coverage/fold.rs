//! Computes coverage from facts and attendance: prepares slices, adds attendance run by run, and sums up.

use qamtu_schemas::{
    event::CampaignConfigured,
    id::{CategoryCode, PrecinctId},
};

use super::{
    Counts, Coverage, DEFINITION,
    attendance_counter::AttendanceCounter,
    attendance_run::AttendanceRun,
    bounds,
    breakdowns::{CategoryCoverage, CoalitionCoverage, PrecinctCoverage, RegionCoverage, UnitCoverage, WeekCoverage},
    calendar::{LocalCalendar, week_name},
    campaign_settings::CampaignSettings,
    definition,
    distinct_people::{DistinctPeople, ResidentCounts},
    residents::{self, ResidenceIndex, Voters},
    slice::{Audience, Denominator, Fulfilment, Slice},
    slices::{REGION, Slices},
    sums::MeetingSums,
};
use crate::{
    error::AnalyticsError,
    facts::Facts,
    roll::Roll,
    snapshot_identity::{Selection, SnapshotIdentity},
};

/// Whether the roll decides about eligibility: only if it has every precinct of the denominator. Otherwise it follows from what people
/// state.
pub fn roll_decides(facts: &Facts) -> Result<bool, AnalyticsError> {
    let calendar = LocalCalendar::of(configured(facts)?, facts.selection.as_of)?;
    Ok(eligibility_roll(facts, &calendar).is_some())
}

fn configured(facts: &Facts) -> Result<&CampaignConfigured, AnalyticsError> {
    let Selection { campaign, as_of, .. } = &facts.selection;
    let not_yet = || AnalyticsError::NotConfiguredYet { campaign: campaign.clone(), as_of: *as_of };
    facts.reference.campaign().ok_or_else(not_yet)
}

/// The roll, if it decides about eligibility.
fn eligibility_roll<'a>(facts: &'a Facts, calendar: &LocalCalendar) -> Option<&'a Roll> {
    let is_complete = residents::precincts_without_roll(&facts.reference, &facts.roll, calendar.today) == 0;
    Some(&facts.roll).filter(|roll| is_complete && !roll.is_empty())
}

/// A calculation to which attendance is being added.
#[derive(Debug)]
pub struct CoverageFold<'a> {
    facts: &'a Facts,
    identity: SnapshotIdentity,
    campaign: CampaignSettings,
    residences: ResidenceIndex,
    voters: Voters,
    attendance: AttendanceCounter<'a>,
    /// Attendance events, those that do not count included.
    events: u64,
}

impl<'a> CoverageFold<'a> {
    /// Fails if the campaign is not configured yet at the as-of instant.
    pub fn new(facts: &'a Facts) -> Result<Self, AnalyticsError> {
        let configured = configured(facts)?;
        let Selection { campaign, offsets, as_of } = facts.selection.clone();
        let calendar = LocalCalendar::of(configured, as_of)?;
        let roll = eligibility_roll(facts, &calendar);
        let residences = ResidenceIndex::of(&facts.reference, &facts.roll, calendar.today);
        let voters = Voters::of(&facts.reference, calendar.today);
        let slices = Slices::new(calendar, &facts.reference, &facts.meetings);
        Ok(Self {
            identity: SnapshotIdentity { campaign, as_of, offsets, definition: DEFINITION, redaction_epoch: 0 },
            campaign: CampaignSettings::from(configured),
            residences,
            voters,
            attendance: AttendanceCounter::new(roll, &facts.meetings, slices),
            events: 0,
            facts,
        })
    }

    /// Whether the roll decides who is eligible; then runs need no residences.
    pub fn uses_roll(&self) -> bool {
        self.attendance.uses_roll()
    }

    /// The residences that stated residences are numbered by.
    pub fn residences(&self) -> &ResidenceIndex {
        &self.residences
    }

    /// Adds attendance events to the counts, those that do not count as attendance included.
    pub fn add_events(&mut self, events: u64) {
        self.events += events;
    }

    /// Adds attendances that count; runs of a meeting must be consecutive.
    pub fn add_run(&mut self, run: AttendanceRun<'_>) -> Result<(), AnalyticsError> {
        self.attendance.add_run(run)
    }

    /// Computes the coverage from all runs that were added.
    pub fn finish(mut self) -> Result<Coverage, AnalyticsError> {
        self.attendance.finish()?;
        let people = self.attendance.distinct_people(&self.residences.of_roll(&self.facts.roll), self.residences.len());
        let mut fulfilments = vec![Fulfilment::default(); self.slices().len()];
        self.facts.meetings.rows().iter().for_each(|meeting| self.slices().add_fulfilment(meeting, &mut fulfilments));
        // A meeting known by attendance alone has neither plan nor report.
        fulfilments[REGION].pending += self.attendance.unknown_meetings();
        let totals = SliceTotals { fulfilments, sums: self.attendance.sums().to_vec(), people, region: self.voters.region.clone() };
        Ok(Coverage {
            region: self.region(&totals),
            units: self.units(&totals),
            precincts: self.precincts(&totals),
            coalitions: self.coalitions(&totals),
            categories: self.categories(&totals),
            weeks: self.weeks(&totals),
            counts: self.counts(&totals),
            quality: self.facts.quality.clone(),
            identity: self.identity,
            campaign: self.campaign,
        })
    }

    fn slices(&self) -> &Slices {
        self.attendance.slices()
    }

    fn region(&self, totals: &SliceTotals) -> RegionCoverage {
        let slice = totals.slice(REGION, &self.voters.region);
        RegionCoverage {
            exposure: totals.people.exposure,
            attendance_without_report: self.attendance.without_report(),
            ceiling: definition::ceiling(
                self.campaign.planned_meetings,
                slice.audience.gross,
                slice.fulfilment.held.saturating_sub(slice.audience.uncounted_meetings),
                self.voters.region.known(),
            ),
            slice,
        }
    }

    fn units(&self, totals: &SliceTotals) -> Vec<UnitCoverage> {
        let unit = |(code, number): (&_, usize)| {
            let defined = self.facts.reference.unit(code);
            let voters = self.voters.unit(code);
            UnitCoverage {
                unit: code.clone(),
                names: defined.map(|unit| unit.names.clone()),
                kind: defined.map(|unit| unit.kind),
                tile: defined.map(|unit| unit.tile),
                slice: totals.slice(number, &voters),
                residents: residents::figures(self.residences.residents(code, &totals.people.by_residence), totals.all_meetings(), voters),
            }
        };
        self.slices().units.iter().map(unit).collect()
    }

    fn precincts(&self, totals: &SliceTotals) -> Vec<PrecinctCoverage> {
        let mut named = std::collections::BTreeMap::<_, u64>::new();
        let meetings = &self.facts.meetings;
        for number in meetings.rows().iter().filter_map(|meeting| meeting.report.as_ref()?.precinct) {
            *named.entry(&meetings.precincts.keys()[number as usize]).or_default() += 1;
        }
        let counts = residents::precinct_counts(&self.facts.reference, self.slices().calendar.today);
        let precinct = |(id, residents): (&PrecinctId, ResidentCounts)| {
            let counted = counts.get(id);
            let voters = self.voters.precincts.get(id);
            // A precinct whose first count comes later is not in the denominator; it is listed once one of its residents is reached.
            (voters.is_some() || residents.reached > 0).then(|| PrecinctCoverage {
                precinct: id.clone(),
                unit: counted.map(|count| count.unit.clone()),
                number: counted.map(|count| count.number),
                meetings: named.get(id).copied().unwrap_or(0),
                residents: residents::figures(residents, totals.all_meetings(), voters.cloned().unwrap_or_default()),
            })
        };
        self.residences.precincts(&totals.people.by_residence).filter_map(precinct).collect()
    }

    fn coalitions(&self, totals: &SliceTotals) -> Vec<CoalitionCoverage> {
        let coalition = |(id, number): (&_, usize)| {
            let formed = self.facts.reference.coalition(id);
            let unit = formed.and_then(|coalition| coalition.unit.clone());
            let voters = unit.as_ref().map_or_else(|| self.voters.region.clone(), |unit| self.voters.unit(unit));
            CoalitionCoverage {
                coalition: id.clone(),
                names: formed.map(|coalition| coalition.names.clone()),
                unit,
                slice: totals.slice(number, &voters),
            }
        };
        self.slices().coalitions.iter().map(coalition).collect()
    }

    fn categories(&self, totals: &SliceTotals) -> Vec<CategoryCoverage> {
        let listed = || self.facts.reference.campaign().into_iter().flat_map(|campaign| &campaign.categories);
        let category = |(code, number): (&CategoryCode, usize)| CategoryCoverage {
            category: code.clone(),
            names: listed().find(|category| category.code == *code).map(|category| category.names.clone()),
            slice: totals.slice(number, &self.voters.region),
        };
        self.slices().categories.iter().map(category).collect()
    }

    fn weeks(&self, totals: &SliceTotals) -> Vec<WeekCoverage> {
        let mut reached_to_date = 0;
        let week = |(monday, number): (&_, usize)| {
            let first_reached = totals.people.by_first_week[number];
            reached_to_date += first_reached;
            WeekCoverage {
                week: week_name(*monday),
                monday: *monday,
                slice: totals.slice(number, &self.voters.region),
                first_reached,
                reached_to_date,
            }
        };
        self.slices().weeks.iter().map(week).collect()
    }

    fn counts(&self, totals: &SliceTotals) -> Counts {
        let reference = &self.facts.reference;
        Counts {
            voters: self.voters.region.known(),
            precincts: self.voters.precincts.len() as u64,
            units: reference.units().len() as u64,
            members: reference.members().len() as u64,
            coalitions: reference.coalitions().len() as u64,
            meetings_planned: totals.fulfilments[REGION].planned,
            meetings_known: self.facts.meetings.rows().len() as u64 + self.attendance.unknown_meetings(),
            events: self.facts.record_counts.events + self.events,
            roll_voters: self.facts.roll.len() as u64,
            roll_precincts: self.facts.roll.precincts().len() as u64,
            precincts_without_roll: residents::precincts_without_roll(reference, &self.facts.roll, self.slices().calendar.today),
            rejected: self.facts.record_counts.rejected,
            conflicts: self.facts.record_counts.conflicts,
        }
    }
}

/// Sums and different people, by slice.
struct SliceTotals {
    fulfilments: Vec<Fulfilment>,
    sums: Vec<MeetingSums>,
    people: DistinctPeople,
    /// Voters of the whole region.
    region: Denominator,
}

impl SliceTotals {
    /// `voters` are those that the slice is compared to.
    fn slice(&self, number: usize, voters: &Denominator) -> Slice {
        let sums = &self.sums[number];
        let reach = bounds::of_meetings(self.people.by_slice[number], sums, voters.clone(), &self.region);
        Slice { fulfilment: self.fulfilments[number].clone(), audience: Audience { reach, ..sums.audience.clone() } }
    }

    /// The audience of all counted meetings.
    fn all_meetings(&self) -> &Audience {
        &self.sums[REGION].audience
    }
}
