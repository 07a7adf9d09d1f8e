//! Estimates of reach for the region, its units and its weeks.
//!
//! Everybody's meetings are visited once: a person is in a half-sample of a group of meetings if one of their meetings in the group is. Units
//! share one heterogeneity, and so do weeks. Memory: a set of counters for each group and processor.

use std::{collections::BTreeMap, ops::Range, panic::resume_unwind, thread};

use polars::prelude::PolarsResult;

use crate::{
    dimension::MeetingDimension,
    error::AnalyticsError,
    estimate::{
        Estimate, HalfSample, MIN_IDENTIFIED, Observed, ObservedGroup, estimates_above,
        half_samples::{HALF_SAMPLES, masks},
    },
    facts_store::{FactsStore, MEETING, PersonMeetings},
    figures::{Denominator, MeetingFigures, Method},
    mask_counter::MaskCounter,
};

/// What is assumed of people who were only counted, and how many must be identified.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EstimateSettings {
    /// Share of voters among the people who were not identified, from 0 to 1; none takes that of the identified ones.
    pub eligible_share: Option<f64>,
    /// Smallest share of the attendances that must be identified, in percent.
    pub min_identified: f64,
}

/// Those of published figures.
impl Default for EstimateSettings {
    fn default() -> Self {
        Self { eligible_share: None, min_identified: MIN_IDENTIFIED }
    }
}

/// Estimates of every group.
pub(super) struct Estimates {
    pub(super) region: Estimate,
    pub(super) units: BTreeMap<String, Estimate>,
    pub(super) weeks: BTreeMap<String, Estimate>,
}

/// A group of meetings to estimate: its figures, and the voters that it can reach.
pub(super) struct Group<'a> {
    pub(super) key: &'a str,
    pub(super) figures: &'a MeetingFigures,
    pub(super) voters: Denominator,
}

/// Estimates the reach of all meetings, of units, and of weeks.
pub(super) fn of(
    store: &FactsStore,
    region: &MeetingFigures,
    units: &[Group<'_>],
    weeks: &[Group<'_>],
    settings: EstimateSettings,
) -> Result<Estimates, AnalyticsError> {
    let audience = &region.audience;
    let eligible_share = settings.eligible_share.unwrap_or_else(|| eligible_share(region));
    let keyed = |groups: &[Group<'_>], observed: Vec<ObservedGroup>| keyed(groups, &observed, settings.min_identified);
    let whole = [Group { key: "", figures: region, voters: store.voters().region.clone() }];
    if audience.gross == audience.identified {
        let known = |groups: &[Group<'_>]| keyed(groups, groups.iter().map(|group| observed(group, eligible_share, Vec::new())).collect());
        return Ok(Estimates { region: only(known(&whole)), units: known(units), weeks: known(weeks) });
    }
    let meetings = GroupedMeetings::new(store).map_err(|source| AnalyticsError::Frame { what: "the half-samples of meetings", source })?;
    let half_samples = meetings.half_samples(store.person_meetings());
    let of_groups = |groups: &[Group<'_>], dimension: Option<MeetingDimension>| {
        let number = |key: &str| match dimension {
            None => Some(0),
            Some(dimension) => Some(meetings.first_group(dimension) + store.meetings().values(dimension).number(key)? as usize),
        };
        let of = |group: &Group<'_>| {
            let halves = number(group.key).map(|number| half_samples[number].clone()).unwrap_or_default();
            observed(group, eligible_share, halves)
        };
        keyed(groups, groups.iter().map(of).collect())
    };
    Ok(Estimates {
        region: only(of_groups(&whole, None)),
        units: of_groups(units, Some(MeetingDimension::Unit)),
        weeks: of_groups(weeks, Some(MeetingDimension::Week)),
    })
}

/// All meetings as they are observed, with half-samples of them.
pub(crate) fn region_group(store: &FactsStore, region: &MeetingFigures) -> Result<ObservedGroup, AnalyticsError> {
    let meetings = GroupedMeetings::new(store).map_err(|source| AnalyticsError::Frame { what: "the half-samples of meetings", source })?;
    let half_samples = meetings.half_samples(store.person_meetings()).swap_remove(0);
    let group = Group { key: "", figures: region, voters: store.voters().region.clone() };
    Ok(observed(&group, eligible_share(region), half_samples))
}

/// Of unidentified people as many are taken for voters as of those identified.
pub(crate) fn eligible_share(region: &MeetingFigures) -> f64 {
    let audience = &region.audience;
    if audience.identified == 0 { 1.0 } else { audience.contacts as f64 / audience.identified as f64 }
}

fn keyed(groups: &[Group<'_>], observed: &[ObservedGroup], min_identified: f64) -> BTreeMap<String, Estimate> {
    let known = |(group, estimate): (&Group<'_>, Estimate)| match estimate {
        // Two counters differ, or nobody counted: what the estimate takes for everybody is not.
        Estimate::Exact if group.figures.audience.reach.method == Method::Bounds => (group.key.to_owned(), Estimate::NotApplicable),
        estimate => (group.key.to_owned(), estimate),
    };
    groups.iter().zip(estimates_above(observed, min_identified)).map(known).collect()
}

fn only(estimates: BTreeMap<String, Estimate>) -> Estimate {
    estimates.into_values().next().unwrap_or_default()
}

fn observed(group: &Group<'_>, eligible_share: f64, half_samples: Vec<HalfSample>) -> ObservedGroup {
    let audience = &group.figures.audience;
    let unidentified = audience.gross.saturating_sub(audience.identified) as f64 * eligible_share;
    let observed = Observed {
        voters: group.voters.voters,
        contacts: audience.contacts,
        reached: audience.reach.reached,
        unidentified,
        bounds: (audience.reach.lower, audience.reach.upper),
    };
    ObservedGroup { observed, half_samples }
}

/// The groups and half-samples that each counted meeting is in. Group 0 has all meetings; those of units and weeks follow.
struct GroupedMeetings {
    units: usize,
    /// By meeting number; a meeting without a list is in no half-sample.
    masks: Vec<u64>,
    groups: Vec<[usize; 3]>,
    group_count: usize,
}

impl GroupedMeetings {
    fn new(store: &FactsStore) -> PolarsResult<Self> {
        let frame = store.meetings().frame();
        let counts = &store.person_meetings().of_meetings;
        let count = |dimension| store.meetings().values(dimension).values().len();
        let (units, weeks) = (count(MeetingDimension::Unit), count(MeetingDimension::Week));
        let column = |dimension: MeetingDimension| frame.column(dimension.name())?.u32();
        let (unit, week, format) = (column(MeetingDimension::Unit)?, column(MeetingDimension::Week)?, column(MeetingDimension::Format)?);
        let mut groups = vec![[0; 3]; counts.len()];
        let mut strata: BTreeMap<(Option<u32>, Option<u32>), usize> = BTreeMap::new();
        let mut listed: Vec<(usize, usize)> = Vec::new();
        for (row, meeting) in frame.column(MEETING)?.u32()?.iter().enumerate() {
            let Some(meeting) = meeting.map(|meeting| meeting as usize) else { continue };
            let group = |first: usize, value: Option<u32>| value.map_or(0, |value| first + value as usize);
            groups[meeting] = [0, group(1, unit.get(row)), group(1 + units, week.get(row))];
            if counts[meeting].contacts > 0 {
                let next = strata.len();
                listed.push((meeting, *strata.entry((unit.get(row), format.get(row))).or_insert(next)));
            }
        }
        let mut masks_of = vec![0; counts.len()];
        let strata: Vec<usize> = listed.iter().map(|(_, stratum)| *stratum).collect();
        listed.iter().zip(masks(&strata)).for_each(|((meeting, _), mask)| masks_of[*meeting] = mask);
        Ok(Self { units, masks: masks_of, groups, group_count: 1 + units + weeks })
    }

    /// Number of the first group by a dimension.
    fn first_group(&self, dimension: MeetingDimension) -> usize {
        if dimension == MeetingDimension::Week { 1 + self.units } else { 1 }
    }

    /// Contacts and people of each group's half-samples.
    fn half_samples(&self, attendance: &PersonMeetings) -> Vec<Vec<HalfSample>> {
        let mut half_samples = vec![vec![HalfSample::default(); HALF_SAMPLES]; self.group_count];
        for ((groups, mask), counts) in self.groups.iter().zip(&self.masks).zip(&attendance.of_meetings) {
            for group in own_groups(groups) {
                for (sample, half) in half_samples[group].iter_mut().enumerate() {
                    half.contacts += (mask >> sample & 1) * u64::from(counts.contacts);
                }
            }
        }
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = attendance.len().div_ceil(threads).max(1);
        let parts: Vec<Range<usize>> =
            (0..threads).map(|part| (part * share).min(attendance.len())..((part + 1) * share).min(attendance.len())).collect();
        let counters: Vec<Vec<MaskCounter>> = thread::scope(|scope| {
            let workers: Vec<_> = parts.into_iter().map(|part| scope.spawn(|| self.count_people(attendance, part))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        });
        let mut sums = vec![MaskCounter::default(); self.group_count];
        for part in counters {
            sums.iter_mut().zip(part).for_each(|(sum, counter)| sum.merge(counter));
        }
        for (halves, sum) in half_samples.iter_mut().zip(sums) {
            halves.iter_mut().zip(sum.counts()).for_each(|(half, reached)| half.reached = reached);
        }
        half_samples
    }

    fn count_people(&self, attendance: &PersonMeetings, people: Range<usize>) -> Vec<MaskCounter> {
        let mut counters = vec![MaskCounter::default(); self.group_count];
        let mut own: Vec<(usize, u64)> = Vec::new();
        for (_, meetings) in attendance.people(people) {
            own.clear();
            for meeting in meetings.iter().map(|meeting| *meeting as usize) {
                for group in own_groups(&self.groups[meeting]) {
                    match own.iter_mut().find(|(known, _)| *known == group) {
                        Some((_, mask)) => *mask |= self.masks[meeting],
                        None => own.push((group, self.masks[meeting])),
                    }
                }
            }
            own.iter().for_each(|(group, mask)| counters[*group].add(*mask));
        }
        counters
    }
}

/// The different groups of a meeting: a meeting without a unit or a week is in group 0 alone.
fn own_groups(groups: &[usize; 3]) -> impl Iterator<Item = usize> {
    let [all, unit, week] = *groups;
    std::iter::once(all).chain([unit, week].into_iter().filter(|group| *group > 0))
}
