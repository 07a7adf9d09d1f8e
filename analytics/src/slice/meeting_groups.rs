//! Adds up the meetings that pass by their dimensions, and for each total, with one polars query each.

use std::{panic::resume_unwind, thread};

use polars::{
    frame::DataFrame,
    prelude::{DataType, ExplodeOptions, Expr, IntoLazy, PolarsResult, by_name, col},
};

use super::{
    distinct_people::{self, PEOPLE, PeopleCounts, people_counts},
    group_key::GroupKey,
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

/// All groups, and their totals over one and over all dimensions. Each kind of total visits every attendance, so they are counted in parallel.
pub(super) fn groups(store: &FactsStore, query: &ResolvedQuery) -> Result<Vec<MeetingGroup>, AnalyticsError> {
    let dimensions = query.meeting_dimensions.len();
    let all = (1_u32 << dimensions) - 1;
    let of_subset = &|subset: u32| {
        let is_grouped: Vec<bool> = (0..dimensions).map(|at| subset >> at & 1 == 1).collect();
        sum_groups(store, query, &is_grouped).and_then(|frame| read(&frame, query, &is_grouped))
    };
    let results: Vec<PolarsResult<Vec<MeetingGroup>>> = thread::scope(|scope| {
        let subsets = if query.with_totals { 0..=all } else { all..=all };
        let workers: Vec<_> = subsets.map(|subset| scope.spawn(move || of_subset(subset))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    let mut groups = Vec::new();
    for of_subset in results {
        groups.extend(of_subset.map_err(|source| AnalyticsError::Frame { what: "the groups of a slice", source })?);
    }
    Ok(groups)
}

/// Sums and people by those dimensions that are grouped.
fn sum_groups(store: &FactsStore, query: &ResolvedQuery, is_grouped: &[bool]) -> PolarsResult<DataFrame> {
    let mut frame = store.meetings().frame().clone().lazy();
    if let Some(condition) = query.condition() {
        frame = frame.filter(condition);
    }
    let grouped = query.meeting_dimensions.iter().zip(is_grouped).filter(|(_, is_grouped)| **is_grouped).map(|(dimension, _)| *dimension);
    let mut keys: Vec<Expr> = Vec::new();
    for dimension in grouped {
        if dimension.is_multi_valued() {
            // A meeting without a value stays, in a group of its own.
            let options = ExplodeOptions { empty_as_null: true, keep_nulls: true };
            frame = frame.explode(by_name([dimension.name()], true, false), options);
        }
        keys.push(col(dimension.name()));
    }
    let mut figures: Vec<Expr> = MeetingSums::ALL.iter().map(|(name, _)| col(*name).cast(DataType::UInt64).sum()).collect();
    figures.push(col(ELIGIBLE_MINIMUM).max());
    let grouped = if keys.is_empty() {
        figures.push(col(MEETING).implode(false));
        frame.select(figures)
    } else {
        figures.push(col(MEETING));
        frame.group_by(keys).agg(figures)
    };
    grouped.with_columns([people_counts(col(MEETING), query.counting.clone())]).collect()
}

fn read(frame: &DataFrame, query: &ResolvedQuery, is_grouped: &[bool]) -> PolarsResult<Vec<MeetingGroup>> {
    let mut groups = Vec::with_capacity(frame.height());
    for row in 0..frame.height() {
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
