//! What held meetings tell about the next ones.
//!
//! A figure of few meetings varies by chance. So each is averaged with that of more meetings (of a unit with that of the region, say), as if a few
//! meetings or attendances with the wider average had been added.

use std::collections::HashMap;

use jiff::ToSpan;

use crate::{
    dimension::{Dimension, MeetingDimension, PersonDimension},
    error::AnalyticsError,
    facts_store::{FactsStore, MEETING},
    slice::{MeetingRow, PersonRow, RowKey, SliceRows, slice},
    slice_query::{Comparison, Filter, SliceQuery},
};

/// Meetings of average size that are added to those of a unit or format.
const PRIOR_MEETINGS: f64 = 5.0;

/// Days after which hardly a report comes any more.
const SETTLED_DAYS: i64 = 7;

/// Settled plans that are enough to learn from; with fewer, those until yesterday are taken.
const MIN_SETTLED: u64 = 30;

/// Attendances with average residences that are added to those of a format.
const PRIOR_CONTACTS: f64 = 200.0;

/// Where the voters at a meeting live: in the venue's precinct, in another one of the unit. The rest come from other units.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Shares {
    own: f64,
    unit: f64,
}

/// Figures of held meetings.
pub(crate) struct Learned {
    meetings: u64,
    mean_people: f64,
    people_of_format: HashMap<String, f64>,
    people_of_unit_and_format: HashMap<(String, String), f64>,
    held_of_unit: HashMap<String, f64>,
    held: f64,
    late: f64,
    /// Plans of days before today, cancelled ones included.
    past_plans: u64,
    eligible: f64,
    shares: Shares,
    shares_of_format: HashMap<String, Shares>,
    /// For each unit the category whose people most often came for the first time, and how often compared with all.
    newest: HashMap<String, (String, f64)>,
}

impl Learned {
    pub(crate) fn of(store: &FactsStore) -> Result<Self, AnalyticsError> {
        let [unit, format, category] = [MeetingDimension::Unit, MeetingDimension::Format, MeetingDimension::Category];
        let all = total(store, &[])?;
        let counted = |row: &MeetingRow| row.figures.fulfilment.held.saturating_sub(row.figures.audience.uncounted_meetings) as f64;
        let gross = |row: &MeetingRow| row.figures.audience.gross as f64;
        let mean_people = if counted(&all) > 0.0 { gross(&all) / counted(&all) } else { 0.0 };
        let towards = |row: &MeetingRow, mean: f64| (gross(row) + PRIOR_MEETINGS * mean) / (counted(row) + PRIOR_MEETINGS);
        let people_of_format: HashMap<String, f64> =
            meeting_rows(store, [format], &[])?.into_iter().map(|([format], row)| (format, towards(&row, mean_people))).collect();
        let people_of_unit_and_format = meeting_rows(store, [unit, format], &[])?.into_iter().map(|([unit, format], row)| {
            let mean = people_of_format.get(&format).copied().unwrap_or(mean_people);
            ((unit, format), towards(&row, mean))
        });
        // Plans of today may still be held, and reports come late.
        let plans = |row: &MeetingRow| row.figures.fulfilment.due + row.figures.fulfilment.cancelled;
        let [settled, recent] = [[until(store, SETTLED_DAYS)], [until(store, 1)]];
        let past = if plans(&total(store, &settled)?) >= MIN_SETTLED { settled } else { recent.clone() };
        let kept = |row: &MeetingRow, mean: f64, prior: f64| {
            let plan = &row.figures.fulfilment;
            (plan.held_planned as f64 + prior * mean) / ((plan.due + plan.cancelled) as f64 + prior).max(f64::MIN_POSITIVE)
        };
        let all_past = total(store, &past)?;
        let held = if plans(&all_past) > 0 { kept(&all_past, 1.0, 0.0) } else { 1.0 };
        let recent = total(store, &recent)?.figures.fulfilment;
        let expected = held * (recent.due + recent.cancelled) as f64 - recent.held_planned as f64;
        let held_of_unit = meeting_rows(store, [unit], &past)?.into_iter().map(|([unit], row)| (unit, kept(&row, held, PRIOR_MEETINGS)));
        let audience = &all.figures.audience;
        let shares = Shares::of(store, None, Shares::default(), 0.0)?;
        let mut shares_of_format = HashMap::new();
        for format in people_of_format.keys() {
            shares_of_format.insert(format.clone(), Shares::of(store, Some(format), shares, PRIOR_CONTACTS)?);
        }
        Ok(Self {
            mean_people,
            people_of_unit_and_format: people_of_unit_and_format.collect(),
            held_of_unit: held_of_unit.collect(),
            meetings: counted(&all) as u64,
            past_plans: plans(&all_past),
            late: if recent.missing > 0 { (expected / recent.missing as f64).clamp(0.0, 1.0) } else { 0.0 },
            held,
            eligible: if audience.identified > 0 { audience.contacts as f64 / audience.identified as f64 } else { 1.0 },
            shares,
            shares_of_format,
            newest: newest(meeting_rows(store, [unit, category], &[])?, meeting_rows(store, [category], &[])?, &all),
            people_of_format,
        })
    }

    /// Held meetings whose attendance is known.
    pub(crate) fn meetings(&self) -> u64 {
        self.meetings
    }

    /// Mean attendance of all meetings.
    pub(crate) fn mean_people(&self) -> f64 {
        self.mean_people
    }

    /// Expected attendance of a meeting.
    pub(crate) fn people(&self, unit: &str, format: &str) -> f64 {
        let of_both = self.people_of_unit_and_format.get(&(unit.to_owned(), format.to_owned()));
        *of_both.or_else(|| self.people_of_format.get(format)).unwrap_or(&self.mean_people)
    }

    /// How sizes of meetings vary around the expected attendance: the shape of a negative binomial distribution, by the method of moments; none
    /// if they vary no more than by chance.
    pub(crate) fn size_shape(&self, store: &FactsStore) -> Result<Option<f64>, AnalyticsError> {
        let (meetings, frame) = (&store.facts().meetings, store.meetings().frame());
        let error = |source| AnalyticsError::Frame { what: "the sizes of meetings", source };
        let column = |name: &str| frame.column(name).and_then(|column| column.u32().cloned()).map_err(error);
        let (gross, number) = (column("gross")?, column(MEETING)?);
        let (mut squares, mut excess) = (0.0, 0.0);
        for (gross, meeting) in gross.iter().zip(number.iter()) {
            let report = meeting.and_then(|meeting| meetings.rows()[meeting as usize].report.as_ref());
            let (Some(report), Some(people)) = (report, gross.filter(|people| *people > 0)) else { continue };
            let (unit, format) = (&meetings.units.keys()[report.unit as usize], &meetings.formats.keys()[report.format as usize]);
            let expected = self.people(unit.as_str(), format.as_str());
            squares += expected * expected;
            excess += (f64::from(people) - expected).powi(2) - expected;
        }
        Ok((excess > 0.0 && squares > 0.0).then(|| squares / excess))
    }

    /// Share of the attendances that are of voters.
    pub(crate) fn eligible_share(&self) -> f64 {
        self.eligible
    }

    /// Probability that a meeting without a report by now was held and will be reported: as many of the plans until yesterday as of settled ones.
    pub(crate) fn late(&self) -> f64 {
        self.late
    }

    /// Probability that a planned meeting of a unit is held on a lawful day and reported, as of settled plans: those of days for which reports
    /// hardly come any more. Cancelled ones and those without a report are not, so
    /// plans that are cancelled long before their day make it too low.
    pub(crate) fn held(&self, unit: &str) -> f64 {
        self.held_of_unit.get(unit).copied().unwrap_or(self.held)
    }

    /// Standard error of that probability: of a share of so many plans.
    pub(crate) fn held_error(&self) -> f64 {
        (self.held * (1.0 - self.held) / self.past_plans.max(1) as f64).sqrt()
    }

    /// Standard error of expected attendances, as a share of them: of a mean of so many meetings, whose sizes vary with this shape.
    pub(crate) fn people_error(&self, shape: Option<f64>) -> f64 {
        let relative = shape.map_or(0.0, |shape| 1.0 / shape) + 1.0 / self.mean_people.max(1.0);
        (relative / self.meetings.max(1) as f64).sqrt()
    }

    /// Shares of the voters at a meeting who live in its precinct, and in another one of its unit.
    pub(crate) fn shares(&self, format: &str) -> (f64, f64) {
        let shares = self.shares_of_format.get(format).copied().unwrap_or(self.shares);
        (shares.own, shares.unit)
    }

    /// The same of all meetings.
    pub(crate) fn overall_shares(&self) -> (f64, f64) {
        (self.shares.own, self.shares.unit)
    }

    /// The category whose people in a unit most often came for the first time, and how often compared with all.
    pub(crate) fn newest_category(&self, unit: &str) -> Option<(&str, f64)> {
        self.newest.get(unit).map(|(category, novelty)| (category.as_str(), *novelty))
    }
}

/// The filter of meetings that were planned for a day at least so many days ago.
fn until(store: &FactsStore, days: i64) -> Filter {
    let last = store.today().checked_sub(days.days()).unwrap_or(store.today());
    Filter { dimension: Dimension::Meeting(MeetingDimension::Day), comparison: Comparison::AtMost, values: vec![last.to_string()] }
}

/// Rows of meetings with a value in every dimension.
fn meeting_rows<const BY: usize>(
    store: &FactsStore,
    by: [MeetingDimension; BY],
    filters: &[Filter],
) -> Result<Vec<([String; BY], MeetingRow)>, AnalyticsError> {
    let SliceRows::Meetings(rows) =
        slice(store, &SliceQuery { filters: filters.to_vec(), ..SliceQuery::by(by.map(Dimension::Meeting)) })?.rows
    else {
        return Ok(Vec::new());
    };
    let named = |keys: Vec<RowKey>| -> Option<[String; BY]> {
        let values: Vec<String> =
            keys.into_iter().filter_map(|key| if let RowKey::Value(value) = key { Some(value) } else { None }).collect();
        values.try_into().ok()
    };
    Ok(rows.into_iter().filter_map(|row| Some((named(row.keys)?, row.figures))).collect())
}

fn total(store: &FactsStore, filters: &[Filter]) -> Result<MeetingRow, AnalyticsError> {
    // INVARIANT: a query without a dimension has one row, of meetings.
    Ok(meeting_rows(store, [], filters)?.pop().expect("a total").1)
}

/// Attendances by precinct of the venue and precinct of residence, of meetings of one format or of all.
fn contacts_by_residence(store: &FactsStore, format: Option<&str>) -> Result<Vec<([String; 2], PersonRow)>, AnalyticsError> {
    let by = [Dimension::Meeting(MeetingDimension::Precinct), Dimension::Person(PersonDimension::Residence)];
    let filter = |format: &str| Filter {
        dimension: Dimension::Meeting(MeetingDimension::Format),
        comparison: Comparison::Equal,
        values: vec![format.to_owned()],
    };
    let query = SliceQuery { filters: format.map(filter).into_iter().collect(), ..SliceQuery::by(by) };
    let SliceRows::People(rows) = slice(store, &query)?.rows else { return Ok(Vec::new()) };
    let named = |keys: Vec<RowKey>| match <[RowKey; 2]>::try_from(keys) {
        Ok([RowKey::Value(venue), RowKey::Value(residence)]) => Some([venue, residence]),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(|row| Some((named(row.keys)?, row.figures))).collect())
}

impl Shares {
    /// Of meetings with a precinct, drawn towards wider shares as if so many more had attended.
    fn of(store: &FactsStore, format: Option<&str>, wider: Self, prior: f64) -> Result<Self, AnalyticsError> {
        let (mut own, mut unit, mut all) = (prior * wider.own, prior * wider.unit, prior);
        for ([venue, residence], row) in contacts_by_residence(store, format)? {
            let contacts = row.people.contacts as f64;
            all += contacts;
            if venue == residence {
                own += contacts;
            } else if store.voters().unit_of(&venue).is_some_and(|of_venue| store.voters().unit_of(&residence) == Some(of_venue)) {
                unit += contacts;
            }
        }
        Ok(if all > 0.0 { Self { own: own / all, unit: unit / all } } else { Self { own: 0.5, unit: 0.5 } })
    }
}

/// For each unit the category with the largest share of attendances that were somebody's first, drawn towards that of the category in the
/// region, and that towards the share of all.
fn newest(
    of_units: Vec<([String; 2], MeetingRow)>,
    of_categories: Vec<([String; 1], MeetingRow)>,
    all: &MeetingRow,
) -> HashMap<String, (String, f64)> {
    let share =
        |row: &MeetingRow, mean: f64, prior: f64| (row.people.first_reached as f64 + prior * mean) / (row.people.contacts as f64 + prior);
    if all.people.contacts == 0 {
        return HashMap::new();
    }
    let mean = share(all, 0.0, 0.0);
    let seen = of_categories.into_iter().filter(|(_, row)| row.people.contacts > 0);
    let regional: HashMap<String, f64> = seen.map(|([category], row)| (category, share(&row, mean, PRIOR_CONTACTS))).collect();
    let mut newest: HashMap<String, (String, f64)> = HashMap::new();
    for ([unit, category], row) in of_units {
        let Some(wider) = regional.get(&category) else { continue };
        let novelty = share(&row, *wider, PRIOR_CONTACTS) / mean;
        let best = newest.entry(unit).or_insert_with(|| (category.clone(), novelty));
        if novelty > best.1 {
            *best = (category, novelty);
        }
    }
    newest
}
