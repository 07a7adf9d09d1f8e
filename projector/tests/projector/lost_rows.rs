//! Rows that the warehouse has lost are detected, reported and written again without a restart.

use qamtu_devstack::testing::wait;

use crate::{
    events::{campaign, distinct, entries},
    fixture::{DEADLINE, LogKind, ProjectorFixture, ProjectorProcess, batch, run},
    on_both_logs,
};

/// Runs the verification every 100 ms.
const FREQUENT_VERIFICATION: [(&str, &str); 1] = [("QAMTU__PROJECTOR__VERIFY_MS", "100")];

async fn wait_restored(
    fixture: &ProjectorFixture,
    before: &std::collections::BTreeMap<&'static str, String>,
    what: &str,
    projector: &ProjectorProcess,
) {
    let check = async || {
        let now = fixture.table_hashes().await;
        if now == *before { Ok(()) } else { Err(now) }
    };
    let waited = wait::until(&format!("the repair of {what} to {before:?}"), DEADLINE, check).await;
    waited.unwrap_or_else(|error| panic!("{error}\n{}", projector.stderr()));
}

/// Losses that an operator or a disk fault may cause.
const LOSSES: [&str; 9] = [
    "DELETE FROM log WHERE offset BETWEEN 5 AND 9",
    "ALTER TABLE attendance DELETE WHERE offset % 3 = 0 SETTINGS mutations_sync = 2",
    // The same again: the second repair must not be deduplicated.
    "ALTER TABLE attendance DELETE WHERE offset % 3 = 0 SETTINGS mutations_sync = 2",
    "ALTER TABLE meeting_events DROP PARTITION tuple()",
    "ALTER TABLE attendance_retractions DELETE WHERE true SETTINGS mutations_sync = 2",
    "ALTER TABLE roll DELETE WHERE person_lo % 2 = 1 AND person_hi % 2 = 0 SETTINGS mutations_sync = 2",
    "TRUNCATE TABLE consents",
    "TRUNCATE TABLE roll_versions",
    "ALTER TABLE log DETACH PARTITION tuple()",
];

async fn rows_lost_while_it_runs_are_written_again(fixture: ProjectorFixture) {
    fixture.append(entries(&campaign(1, 2_000))).await;
    let projector = fixture.projector_with(&FREQUENT_VERIFICATION).await;
    fixture.wait_caught_up().await;
    let before = fixture.table_hashes().await;
    for loss in LOSSES {
        let repaired = projector.metric("qamtu_projector_repaired_records_total").await;
        fixture.query(loss).await;
        projector.wait_for_metric("qamtu_projector_repaired_records_total", repaired + 1.0).await;
        wait_restored(&fixture, &before, loss, &projector).await;
    }
    fixture.wait_caught_up().await;
    projector.wait_for_metric("qamtu_projector_repaired_records_total{rows=\"log\"}", 2_000.0).await;
    projector.wait_for_metric("qamtu_projector_repaired_records_total{rows=\"facts\"}", 500.0).await;
    let logs = projector.stderr();
    assert!(logs.contains("rows of the log copy are missing; reading their records again") && logs.contains("5..10"), "{logs}");
    assert!(logs.contains("rows of facts are missing; writing them again"), "{logs}");
    fixture.append(entries(&campaign(2, 500))).await;
    fixture.wait_caught_up().await;
    assert!(projector.stop().await.success());
    fixture.assert_everything_once().await;
}

async fn a_range_that_is_read_again_is_not_deduplicated(fixture: ProjectorFixture) {
    fixture.append(entries(&campaign(1, 900))).await;
    for _ in 0..2 {
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
        fixture.assert_everything_once().await;
        // The rows are deleted; the server still knows the tokens of their inserts.
        for table in ["log", "attendance", "meeting_events"] {
            fixture.query(&format!("ALTER TABLE {table} DELETE WHERE true SETTINGS mutations_sync = 2")).await;
        }
    }
    let projector = fixture.projector().await;
    fixture.wait_caught_up().await;
    assert!(projector.stop().await.success());
    fixture.assert_everything_once().await;
}

on_both_logs!(rows_lost_while_it_runs_are_written_again, a_range_that_is_read_again_is_not_deduplicated);

#[test]
fn facts_are_written_again_although_the_log_no_longer_has_them() {
    let Some(fixture) = ProjectorFixture::new(LogKind::Kafka) else { return };
    run(async {
        fixture.append(entries(&campaign(1, 600))).await;
        let projector = fixture.projector_with(&FREQUENT_VERIFICATION).await;
        fixture.wait_caught_up().await;
        let before = fixture.table_hashes().await;
        let qamtu_log::LogConfig::Kafka(log) = &fixture.log else { panic!("Kafka") };
        for (partition, records) in fixture.records().await {
            let end = records.last().map_or(0, |record| record.offset + 1);
            qamtu_log::testing::delete_records(log, &partition.next_offset(end)).await.unwrap();
        }
        fixture.query("TRUNCATE TABLE attendance").await;
        wait_restored(&fixture, &before, "attendance", &projector).await;
        projector.kill().await;
    });
}

#[test]
fn collapsed_rows_are_not_reported_as_missing() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        // Many ids have duplicates and conflicting bodies; a merge keeps one row of each.
        let partition = qamtu_log::Partition::new("events", 0);
        let records = crate::events::records(&partition, &campaign(1, 2_000));
        warehouse.write(&batch(&records).seal()).await.unwrap();
        for table in qamtu_projector::rows::Table::ALL {
            fixture.query(&format!("OPTIMIZE TABLE {} FINAL", table.name())).await;
        }
        let events: u64 = fixture.query("SELECT count() FROM log WHERE status = 'event'").await.trim().parse().unwrap();
        let places = "SELECT count() FROM (SELECT offset FROM attendance UNION ALL SELECT offset FROM meeting_events
            UNION ALL SELECT offset FROM reference_events UNION ALL SELECT offset FROM consents UNION ALL SELECT offset FROM roll_versions)";
        let places: u64 = fixture.query(places).await.trim().parse().unwrap();
        assert!(places < events, "nothing was collapsed");
        assert_eq!(fixture.query("SELECT * FROM v_missing_facts").await, "");
        // The winning body is reported as missing although a losing body is stored again.
        let lost = fixture
            .query("SELECT offset FROM attendance WHERE event_id IN (SELECT event_id FROM v_conflicts) ORDER BY offset LIMIT 1")
            .await;
        let other = format!(
            "SELECT min(offset) FROM log WHERE event_id IN (SELECT event_id FROM attendance WHERE offset = {0}) AND offset != {0}",
            lost.trim()
        );
        let other: usize = fixture.query(&other).await.trim().parse().unwrap();
        fixture.query(&format!("ALTER TABLE attendance DELETE WHERE offset = {} SETTINGS mutations_sync = 2", lost.trim())).await;
        warehouse.with_new_token_epoch().write(&batch(&records[other..=other]).seal()).await.unwrap();
        assert_eq!(fixture.query("SELECT offset FROM v_missing_facts").await, lost);
    });
}

#[test]
fn a_missing_row_of_any_fact_table_is_detected() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let partition = qamtu_log::Partition::new("events", 0);
        let sent = batch(&crate::events::records(&partition, &distinct(1, 1_000))).seal();
        warehouse.write(&sent).await.unwrap();
        assert_eq!(fixture.query("SELECT * FROM v_missing_facts").await, "");
        for insert in sent.inserts.iter().filter(|insert| insert.table != qamtu_projector::rows::Table::Log) {
            let table = insert.table.name();
            let row = if ["roll", "attendance_retractions"].contains(&table) { "event_id" } else { "offset" };
            let one = format!("ALTER TABLE {table} DELETE WHERE {row} = (SELECT max({row}) FROM {table}) SETTINGS mutations_sync = 2");
            fixture.query(&one).await;
            assert_eq!(fixture.query("SELECT count() FROM v_missing_facts").await.trim(), "1", "{table}");
            warehouse.with_new_token_epoch().write(&sent).await.unwrap();
            assert_eq!(fixture.query("SELECT * FROM v_missing_facts").await, "", "{table}");
        }
    });
}
