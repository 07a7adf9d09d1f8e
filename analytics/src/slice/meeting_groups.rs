//! Adds up the meetings that pass by their dimensions, and for each total, with one polars query each; then counts their people.

use polars::{
    frame::DataFrame,
    prelude::{DataType, ExplodeOptions, Expr, IntoLazy, NULL, PolarsResult, by_name, col, lit},
};

use super::{
    distinct_people::{self, PEOPLE, people_counts},
    group_key::GroupKey,
    people_counts::PeopleCounts,
    resolved_query::ResolvedQuery,
};
use crate::{
    error::AnalyticsError,
    facts_store::{ELIGIBLE_MINIMUM, FactsStore, MEETING},
    figures::MeetingSums,
};

/// Meetings with the same values.
#[derive(Debug)]
pub(super) struct MeetingGroup {
    /// In the order of [`ResolvedQuery::meeting_dimensions`].
    pub(super) keys: Vec<GroupKey>,
    pub(super) sums: MeetingSums,
    /// Their people, by number of a group of people; groups without anybody are left out.
    pub(super) people: Vec<(usize, PeopleCounts)>,
}

/// All groups, and their totals over one and over all dimensions. The people of all of them are counted at once.
pub(super) fn groups(store: &FactsStore, query: &ResolvedQuery) -> Result<Vec<MeetingGroup>, AnalyticsError> {
    all_groups(store, query).map_err(|source| AnalyticsError::Frame { what: "the groups of a slice", source })
}

fn all_groups(store: &FactsStore, query: &ResolvedQuery) -> PolarsResult<Vec<MeetingGroup>> {
    let dimensions = query.meeting_dimensions.len();
    let all = (1_u32 << dimensions) - 1;
    let mut kinds = Vec::new();
    let mut frames: Option<DataFrame> = None;
    for subset in if query.with_totals { 0..=all } else { all..=all } {
        let is_grouped: Vec<bool> = (0..dimensions).map(|at| subset >> at & 1 == 1).collect();
        let frame = sum_groups(store, query, &is_grouped)?;
        kinds.extend(std::iter::repeat_n(is_grouped, frame.height()));
        match &mut frames {
            Some(frames) => _ = frames.vstack_mut(&frame)?,
            None => frames = Some(frame),
        }
    }
    let Some(mut frame) = frames else { return Ok(Vec::new()) };
    frame.rechunk_mut();
    let frame = frame.lazy().with_columns([people_counts(col(MEETING), query.counting.clone())]).collect()?;
    read(&frame, query, &kinds)
}

/// Sums and lists of meetings by those dimensions that are grouped; the others have no value.
fn sum_groups(store: &FactsStore, query: &ResolvedQuery, is_grouped: &[bool]) -> PolarsResult<DataFrame> {
    let mut frame = store.meetings().frame().clone().lazy();
    if let Some(condition) = query.condition() {
        frame = frame.filter(condition);
    }
    let mut keys: Vec<Expr> = Vec::new();
    let mut totals: Vec<Expr> = Vec::new();
    for (dimension, is_grouped) in query.meeting_dimensions.iter().zip(is_grouped) {
        if !is_grouped {
            totals.push(lit(NULL).cast(DataType::UInt32).alias(dimension.name()));
            continue;
        }
        if dimension.is_multi_valued() {
            // A meeting without a value stays, in a group of its own.
            let options = ExplodeOptions { empty_as_null: true, keep_nulls: true };
            frame = frame.explode(by_name([dimension.name()], true, false), options);
        }
        keys.push(col(dimension.name()));
    }
    let mut figures: Vec<Expr> = MeetingSums::ALL.iter().map(|(name, _)| col(*name).cast(DataType::UInt64).sum()).collect();
    figures.push(col(ELIGIBLE_MINIMUM).max());
    let columns = query.meeting_dimensions.iter().map(|dimension| dimension.name());
    let columns: Vec<Expr> = columns.chain(MeetingSums::ALL.map(|(name, _)| name)).chain([ELIGIBLE_MINIMUM, MEETING]).map(col).collect();
    let grouped = if keys.is_empty() {
        figures.push(col(MEETING).implode(false));
        frame.select(figures)
    } else {
        figures.push(col(MEETING));
        frame.group_by(keys).agg(figures)
    };
    grouped.with_columns(totals).select(columns).collect()
}

/// `kinds` says for each row which dimensions are grouped.
fn read(frame: &DataFrame, query: &ResolvedQuery, kinds: &[Vec<bool>]) -> PolarsResult<Vec<MeetingGroup>> {
    let mut groups = Vec::with_capacity(frame.height());
    for (row, is_grouped) in kinds.iter().enumerate() {
        let mut keys = Vec::new();
        for (dimension, is_grouped) in query.meeting_dimensions.iter().zip(is_grouped) {
            keys.push(if *is_grouped {
                frame.column(dimension.name())?.u32()?.get(row).map_or(GroupKey::Without, GroupKey::Value)
            } else {
                GroupKey::Total
            });
        }
        let mut sums = MeetingSums::default();
        for (name, sum) in MeetingSums::ALL {
            *sum(&mut sums) = frame.column(name)?.u64()?.get(row).unwrap_or(0);
        }
        sums.eligible_minimum = frame.column(ELIGIBLE_MINIMUM)?.u32()?.get(row).unwrap_or(0).into();
        let people = distinct_people::read(frame.column(PEOPLE)?, row, query.with_exposure)?;
        groups.push(MeetingGroup { keys, sums, people });
    }
    Ok(groups)
}
