//! Writes the columns of a facts store to the servers, each attendance to the one that counts the person.

use clickhouse::Row;
use futures::future::try_join_all;
use jiff::Timestamp;
use polars::prelude::PolarsResult;
use qamtu_service::telemetry::error_chain;
use serde::Serialize;
use uuid::Uuid;

use super::{
    ClickHouseSlices, FactsAge,
    load::{Description, Load, LoadRows, are_whole, create_tables, drop_older, drop_rows},
    server::Server,
    sql::NONE,
};
use crate::{
    coverage::DEFINITION,
    dimension::{MeetingDimension, PersonDimension},
    error::AnalyticsError,
    facts_store::{ELIGIBLE_MINIMUM, FactsStore, MEETING, PersonGroups},
    figures::MeetingSums,
    snapshot_identity::{SnapshotId, SnapshotIdentity},
};

#[derive(Row, Serialize)]
struct LoadRow<'a> {
    #[serde(with = "clickhouse::serde::uuid")]
    load: Uuid,
    loaded: u32,
    campaign: &'a str,
    warehouse: &'a str,
    is_newest: bool,
    snapshot: String,
    server: u32,
    servers: u32,
    attendances: u64,
    meetings: u64,
    description: &'a str,
}

#[derive(Row, Serialize)]
struct MeetingRow {
    #[serde(with = "clickhouse::serde::uuid")]
    load: Uuid,
    loaded: u32,
    meeting: u32,
    dimensions: Vec<Vec<u32>>,
    sums: Vec<u32>,
    eligible_minimum: u32,
}

#[derive(Row, Serialize)]
struct AttendanceRow {
    #[serde(with = "clickhouse::serde::uuid")]
    load: Uuid,
    loaded: u32,
    meeting: u32,
    person: u32,
    is_first: bool,
    residence: u32,
    residence_unit: u32,
    birth: u32,
    sex: u32,
}

/// Writes a store. The first server gets the row of the load last, so that a load that is found there is finished everywhere. What a failure
/// leaves is dropped as far as the servers answer.
pub(super) async fn write(slices: &ClickHouseSlices, store: &FactsStore, age: FactsAge, now: Timestamp) -> Result<Load, AnalyticsError> {
    create_tables(slices).await?;
    let selection = &store.facts().selection;
    let identity = SnapshotIdentity::of(selection.clone(), DEFINITION);
    let description = Description::of(store);
    let source = LoadSource {
        store,
        groups: PersonDimension::ALL.map(|dimension| store.person_groups(dimension)),
        load: Uuid::new_v4(),
        loaded: u32::try_from(now.as_second()).unwrap_or(u32::MAX),
        warehouse: slices.warehouse.as_str(),
        age,
        snapshot: SnapshotId::of(&identity),
        servers: slices.servers.len() as u32,
        // INVARIANT: maps with texts as keys, numbers and dates have a JSON form.
        description: serde_json::to_string(&description).expect("a description as JSON"),
    };
    match source.write_all(slices).await {
        Ok(rows) => {
            if let Err(error) = drop_older(slices, &selection.campaign, source.load, now).await {
                tracing::warn!(error = error_chain(&error), "older loads stay on the slice servers until they expire");
            }
            Ok(Load { id: source.load, description, rows })
        }
        Err(error) => {
            for server in &slices.servers {
                // The servers drop the rows a day later in any case.
                let _ = drop_rows(server, source.load).await;
            }
            Err(error)
        }
    }
}

/// A store and what every row of its load has.
struct LoadSource<'a> {
    store: &'a FactsStore,
    /// In the order of [`PersonDimension::ALL`].
    groups: [PersonGroups<'a>; 4],
    load: Uuid,
    loaded: u32,
    warehouse: &'a str,
    age: FactsAge,
    snapshot: SnapshotId,
    servers: u32,
    description: String,
}

impl LoadSource<'_> {
    /// Writes everything to all servers, and finishes the load if each server has the rows that it was sent and no others.
    async fn write_all(&self, slices: &ClickHouseSlices) -> Result<Vec<LoadRows>, AnalyticsError> {
        let rows = try_join_all(slices.servers.iter().zip(0..).map(|(server, place)| self.write_rows(server, place))).await?;
        if !are_whole(slices, self.load, &rows).await? {
            return Err(AnalyticsError::SliceServersShared);
        }
        for (server, rows) in slices.servers.iter().zip(&rows).rev() {
            self.finish(server, rows).await?;
        }
        Ok(rows)
    }

    async fn write_rows(&self, server: &Server, place: u32) -> Result<LoadRows, AnalyticsError> {
        let meetings = self.write_meetings(server).await?;
        let attendances = self.write_attendances(server, place).await?;
        Ok(LoadRows { server: place, servers: self.servers, attendances, meetings })
    }

    async fn write_meetings(&self, server: &Server) -> Result<u64, AnalyticsError> {
        let failed = server.failed("the meetings of a load");
        let rows = self.meeting_rows().map_err(|source| AnalyticsError::Frame { what: "the meetings", source })?;
        let mut insert = server.client.insert::<MeetingRow>("slice_meetings").await.map_err(&failed)?;
        for row in &rows {
            insert.write(row).await.map_err(&failed)?;
        }
        insert.end().await.map_err(&failed)?;
        Ok(rows.len() as u64)
    }

    fn meeting_rows(&self) -> PolarsResult<Vec<MeetingRow>> {
        let frame = self.store.meetings().frame();
        let (numbers, minima) = (frame.column(MEETING)?.u32()?, frame.column(ELIGIBLE_MINIMUM)?.u32()?);
        let mut rows = Vec::with_capacity(frame.height());
        for row in 0..frame.height() {
            let mut dimensions = Vec::with_capacity(MeetingDimension::ALL.len());
            for dimension in MeetingDimension::ALL {
                let column = frame.column(dimension.name())?;
                dimensions.push(match dimension.is_multi_valued() {
                    true => match column.list()?.get_as_series(row) {
                        Some(list) => list.u32()?.iter().flatten().collect(),
                        None => Vec::new(),
                    },
                    false => Vec::from_iter(column.u32()?.get(row)),
                });
            }
            let mut sums = Vec::with_capacity(MeetingSums::ALL.len());
            for (name, _) in MeetingSums::ALL {
                sums.push(frame.column(name)?.u32()?.get(row).unwrap_or(0));
            }
            rows.push(MeetingRow {
                load: self.load,
                loaded: self.loaded,
                meeting: numbers.get(row).unwrap_or(NONE),
                dimensions,
                sums,
                eligible_minimum: minima.get(row).unwrap_or(0),
            });
        }
        Ok(rows)
    }

    /// The attendances of a server's share of the people: those whose number leaves `place` when it is divided by the number of servers. On the
    /// server they have the quotient as number, so that its numbers are dense.
    async fn write_attendances(&self, server: &Server, place: u32) -> Result<u64, AnalyticsError> {
        let failed = server.failed("the attendances of a load");
        let attendance = self.store.person_meetings();
        let mut insert = server.client.insert::<AttendanceRow>("slice_attendance").await.map_err(&failed)?;
        let mut rows = 0;
        for (person, meetings) in attendance.people(0..attendance.len()).filter(|(person, _)| person % self.servers == place) {
            let [residence, residence_unit, birth, sex] = std::array::from_fn(|at| self.groups[at].of(person) as u32);
            for (at, meeting) in meetings.iter().enumerate() {
                let row = AttendanceRow {
                    load: self.load,
                    loaded: self.loaded,
                    meeting: *meeting,
                    person: person / self.servers,
                    is_first: at == 0,
                    residence,
                    residence_unit,
                    birth,
                    sex,
                };
                insert.write(&row).await.map_err(&failed)?;
                rows += 1;
            }
        }
        insert.end().await.map_err(&failed)?;
        Ok(rows)
    }

    async fn finish(&self, server: &Server, rows: &LoadRows) -> Result<(), AnalyticsError> {
        let failed = server.failed("a finished load");
        let mut insert = server.client.insert::<LoadRow<'_>>("slice_loads").await.map_err(&failed)?;
        let row = LoadRow {
            load: self.load,
            loaded: self.loaded,
            campaign: self.store.facts().selection.campaign.as_str(),
            warehouse: self.warehouse,
            is_newest: self.age == FactsAge::Newest,
            snapshot: self.snapshot.to_string(),
            server: rows.server,
            servers: rows.servers,
            attendances: rows.attendances,
            meetings: rows.meetings,
            description: if rows.server == 0 { &self.description } else { "" },
        };
        insert.write(&row).await.map_err(&failed)?;
        insert.end().await.map_err(&failed)
    }
}
