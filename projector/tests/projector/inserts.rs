//! Inserts of one batch are applied completely and once, whatever happens to the connection.

use std::time::Duration;

use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use qamtu_log::Partition;
use qamtu_projector::{
    check::check,
    config::ClickhouseConfig,
    rows::Table,
    warehouse::{WarehouseConnection, client},
};
use qamtu_schemas::testing::strategies::{data, event};

use crate::{
    events::{campaign, distinct, records},
    fixture::{LogKind, ProjectorFixture, batch, run},
    proxy::Proxy,
};

/// Stored rows by table, duplicates included.
async fn stored_rows(fixture: &ProjectorFixture) -> Vec<(String, u64)> {
    let values = fixture.query("SELECT name, total_rows FROM system.tables WHERE database = currentDatabase() AND total_rows > 0 AND name NOT IN ('schema_versions', 'insert_checks') ORDER BY name").await;
    values.lines().map(|line| line.split_once('\t').unwrap()).map(|(name, rows)| (name.to_owned(), rows.parse().unwrap())).collect()
}

fn expected(batch: &qamtu_projector::batch::Batch) -> Vec<(String, u64)> {
    let mut rows: Vec<_> = batch.inserts.iter().map(|insert| (insert.table.name().to_owned(), insert.rows as u64)).collect();
    rows.sort();
    rows
}

#[test]
fn rows_arrive_as_they_were_sent() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let events = vec(event(data()), 300).new_tree(&mut TestRunner::deterministic()).unwrap().current();
        let records = records(&Partition::new("events", 5), &events);
        let sent = batch(&records).seal();
        fixture.query("SYSTEM STOP MERGES").await;
        warehouse.write(&sent).await.unwrap();
        for insert in &sent.inserts {
            // Reading returns the inserted bytes, in the order of the table's key.
            let columns: Vec<_> = insert.table.columns().into_iter().map(|column| column.name).collect();
            let query = format!("SELECT {} FROM {} FINAL FORMAT RowBinary", columns.join(", "), insert.table.name());
            let mut bytes = fixture.client.query_raw(&query).fetch_bytes("RowBinary").unwrap();
            let back = bytes.collect().await.unwrap();
            if insert.table == Table::Log {
                assert_eq!(back, insert.bytes, "the log copy keeps the order of offsets");
            }
        }
        fixture.query("SYSTEM START MERGES").await;
        let names = "SELECT arraySort(groupUniqArray(concat(toString(strength), '/', toString(residence_kind), '/', toString(adult)))) FROM attendance FINAL";
        let values = fixture.query(names).await;
        for name in ["strong", "weak", "unknown", "outside", "unit", "precinct", "yes", "no"] {
            assert!(values.contains(name), "{name} of {values}");
        }
        assert_eq!(fixture.query("SELECT arraySort(groupUniqArray(toString(kind))) FROM consents").await.trim(), "['given','withdrawn']");
        assert_eq!(fixture.query("SELECT arraySort(groupUniqArray(toString(sex))) FROM roll").await.trim(), "['f','m','u']");
        assert_eq!(fixture.query("SELECT count() FROM log WHERE JSONExtractString(body, 'type') != type OR toString(event_id) != JSONExtractString(body, 'id')").await.trim(), "0");
    });
}

#[test]
fn a_batch_sent_twice_is_stored_once() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let sent = batch(&records(&Partition::new("events", 0), &distinct(1, 3_000))).seal();
        assert!(sent.inserts.len() > 6);
        warehouse.write(&sent).await.unwrap();
        let parts = "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'log' AND active";
        assert_eq!(fixture.query(parts).await.trim(), "1", "an insert is one part, so it is atomic");
        assert_eq!(stored_rows(&fixture).await, expected(&sent));
        warehouse.write(&sent).await.unwrap();
        assert_eq!(stored_rows(&fixture).await, expected(&sent), "the repeated insert was not deduplicated");
    });
}

#[test]
fn a_lost_response_changes_nothing() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        fixture.warehouse().await;
        let proxy = Proxy::before(&fixture.clickhouse.url).await;
        let proxied = client(&ClickhouseConfig { url: proxy.url(), ..fixture.clickhouse.clone() });
        let server = check(&proxied).await.unwrap();
        let warehouse = WarehouseConnection::new(proxied, "test", server.table_uuids);
        let sent = batch(&records(&Partition::new("events", 0), &distinct(2, 2_000))).seal();
        proxy.drop_insert_responses(3);
        warehouse.write(&sent).await.unwrap();
        assert_eq!(proxy.dropped(), 3);
        assert_eq!(stored_rows(&fixture).await, expected(&sent), "a retry after a lost response was stored");
    });
}

#[test]
fn a_write_waits_for_an_unresponsive_warehouse() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        fixture.warehouse().await;
        let proxy = Proxy::before(&fixture.clickhouse.url).await;
        let proxied = client(&ClickhouseConfig { url: proxy.url(), ..fixture.clickhouse.clone() });
        let server = check(&proxied).await.unwrap();
        let warehouse = WarehouseConnection::new(proxied, "test", server.table_uuids);
        let sent = batch(&records(&Partition::new("events", 0), &distinct(3, 500))).seal();
        proxy.set_silent(true);
        let writing = tokio::spawn({
            let (warehouse, sent) = (warehouse.clone(), sent.clone());
            async move { warehouse.write(&sent).await }
        });
        assert!(
            tokio::time::timeout(Duration::from_secs(2), async {
                while !writing.is_finished() {
                    tokio::task::yield_now().await
                }
            })
            .await
            .is_err()
        );
        proxy.set_silent(false);
        writing.await.unwrap().unwrap();
        assert_eq!(stored_rows(&fixture).await, expected(&sent));
    });
}

#[test]
fn a_range_with_other_batch_boundaries_collapses_by_key() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let records = records(&Partition::new("events", 0), &campaign(4, 1_000));
        warehouse.write(&batch(&records).seal()).await.unwrap();
        let before = fixture.table_hashes().await;
        for range in [&records[..700], &records[300..], &records[500..501]] {
            warehouse.write(&batch(range).seal()).await.unwrap();
        }
        assert_eq!(fixture.table_hashes().await, before);
        assert!(stored_rows(&fixture).await.iter().map(|(_, rows)| rows).sum::<u64>() > 1_000);
    });
}

#[test]
fn an_incomplete_insert_stores_nothing() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        fixture.warehouse().await;
        let sent = batch(&records(&Partition::new("events", 0), &campaign(5, 20_000))).seal();
        let log = sent.inserts.last().unwrap();
        for part in [1, 3, 7] {
            let mut insert = fixture.client.insert_formatted_with("INSERT INTO log FORMAT RowBinary");
            insert.send(log.bytes.slice(..log.bytes.len() * part / 8)).await.unwrap();
            drop(insert);
        }
        fixture
            .wait_until("no insert is left", "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO log%'", |left| left == "0")
            .await;
        assert_eq!(fixture.query("SELECT count() FROM log").await.trim(), "0");
    });
}

#[test]
fn inserts_of_an_earlier_owner_are_killed() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let warehouse = fixture.warehouse().await;
        let left = |partition: u32| {
            let client = fixture
                .client
                .clone()
                .with_setting("query_id", format!("qamtu-test-events-{partition}-left-{}", fixture.clickhouse.database));
            tokio::spawn(
                async move { client.query_raw("SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1").execute().await },
            )
        };
        let (ours, others) = (left(1), left(11));
        let running = format!("SELECT count() FROM system.processes WHERE query_id LIKE '%left-{}'", fixture.clickhouse.database);
        fixture.wait_until("both run", &running, |count| count == "2").await;
        warehouse.kill_leftover_inserts(&[Partition::new("events", 1)]).await.unwrap();
        assert_eq!(fixture.query(&running).await.trim(), "1");
        assert!(ours.await.unwrap().is_err());
        others.abort();
        warehouse.kill_leftover_inserts(&[Partition::new("events", 11)]).await.unwrap();
    });
}
