//! Features of ClickHouse that the projector and analytics use, and those that the engine library lacks.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use qamtu_devstack::testing::{runs, wait};
use qamtu_devstack::warehouse::{Role, Warehouse};
use secrecy::ExposeSecret;

use crate::support::{admin, ask, post, start, until};

#[tokio::test]
async fn a_repeated_insert_with_the_same_token_is_dropped_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    admin(&warehouse, "CREATE DATABASE campaign").await;
    admin(
        &warehouse,
        "CREATE TABLE campaign.facts (id UInt64) ENGINE = ReplacingMergeTree ORDER BY id \
         SETTINGS non_replicated_deduplication_window = 100",
    )
    .await;
    let insert = |token: &str, id: u8| {
        format!("INSERT INTO campaign.facts SETTINGS async_insert = 0, insert_deduplication_token = '{token}' VALUES ({id})")
    };
    ask(&warehouse, Role::Projector, &insert("events/0:0-9", 1)).await.unwrap();
    ask(&warehouse, Role::Projector, &insert("events/0:0-9", 2)).await.unwrap();
    ask(&warehouse, Role::Projector, &insert("events/0:10-19", 3)).await.unwrap();
    assert_eq!(admin(&warehouse, "SELECT groupArray(id) FROM (SELECT id FROM campaign.facts ORDER BY id)").await, "[1,3]");
    warehouse.stop().await;

    let warehouse = start(dir.path()).await;
    ask(&warehouse, Role::Projector, &insert("events/0:10-19", 4)).await.unwrap();
    assert_eq!(admin(&warehouse, "SELECT sum(id) FROM campaign.facts").await, "4");
}

#[tokio::test]
async fn without_a_window_on_the_table_a_token_does_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    admin(&warehouse, "CREATE TABLE plain (id UInt64) ENGINE = MergeTree ORDER BY id").await;
    for _ in 0..2 {
        admin(&warehouse, "INSERT INTO plain SETTINGS insert_deduplication_token = 'a' VALUES (1)").await;
    }
    assert_eq!(admin(&warehouse, "SELECT count() FROM plain").await, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_inserts_over_http_all_arrive() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = Arc::new(start(dir.path()).await);
    admin(&warehouse, "CREATE TABLE wide (writer UInt8, id UInt64) ENGINE = MergeTree ORDER BY (writer, id)").await;
    let writers: Vec<_> = (0..16_u8)
        .map(|writer| {
            let warehouse = Arc::clone(&warehouse);
            tokio::spawn(async move {
                for batch in 0..10_u32 {
                    let rows: String = (0..1_000).map(|row| format!("{writer}\t{}\n", batch * 1_000 + row)).collect();
                    ask(&warehouse, Role::Admin, &format!("INSERT INTO wide FORMAT TSV\n{rows}")).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let sums = "SELECT count(), uniqExact(writer, id), sum(id) FROM wide";
    assert_eq!(admin(&warehouse, sums).await, format!("160000\t160000\t{}", 16_u64 * 49_995_000));
}

#[tokio::test]
async fn an_insert_whose_client_disconnects_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    admin(&warehouse, "CREATE TABLE cut (id UInt64) ENGINE = MergeTree ORDER BY id").await;
    let mut stream = TcpStream::connect(warehouse.url().trim_start_matches("http://")).unwrap();
    let (user, password) = (warehouse.user(), warehouse.password().expose_secret());
    // More than the 256 KiB that ClickHouse reads before it starts the query.
    let rows: String = (0..100_000).map(|id| format!("{id}\n")).collect();
    write!(
        stream,
        "POST /?query=INSERT+INTO+cut+FORMAT+TSV HTTP/1.1\r\nHost: warehouse\r\nX-ClickHouse-User: {user}\r\n\
         X-ClickHouse-Key: {password}\r\nContent-Length: 10000000\r\n\r\n{rows}"
    )
    .unwrap();
    let inserting = "SELECT count() FROM system.processes WHERE query LIKE 'INSERT INTO cut%'";
    // The query must have started, and then have ended.
    wait_for_answer(&warehouse, inserting, "1").await;
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let _ = stream.read(&mut [0_u8; 1_024]);
    drop(stream);
    wait_for_answer(&warehouse, inserting, "0").await;
    assert_eq!(admin(&warehouse, "SELECT count() FROM cut").await, "0");
}

async fn wait_for_answer(warehouse: &Warehouse, query: &str, wanted: &str) {
    let ask = async || Some(admin(warehouse, query).await).filter(|answer| answer == wanted).ok_or("another answer");
    wait::until(&format!("{query} to return {wanted}"), Duration::from_secs(20), ask).await.unwrap();
}

#[tokio::test]
async fn kill_query_ends_a_query_and_killing_the_start_command_ends_the_warehouse() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = Arc::new(start(dir.path()).await);
    let running = Arc::clone(&warehouse);
    let query = tokio::spawn(async move {
        let url = format!("{}/?query_id=long", running.url());
        let login = running.login(Role::Projector);
        let headers = [("X-ClickHouse-User", login.user.as_str()), ("X-ClickHouse-Key", login.password.expose_secret())];
        post(&url, &headers, "SELECT sum(cityHash64(number)) FROM numbers(1000000000000)").await
    });
    wait_for_answer(&warehouse, "SELECT count() FROM system.processes WHERE query_id = 'long'", "1").await;
    // The projector kills its own inserts this way, with its own rights.
    let kill = "KILL QUERY WHERE user = currentUser() AND startsWith(query_id, 'lon') SYNC";
    let killed = ask(&warehouse, Role::Projector, kill).await.unwrap();
    assert!(killed.starts_with("finished\tlong\tqamtu_projector"), "{killed}");
    assert!(query.await.unwrap().unwrap_err().contains("Code: 394"));

    // The endless query that keeps the engine serving has no user; a KILL that matches it ends the engine.
    let pid = warehouse.pid().unwrap();
    assert!(runs(pid));
    let _ = ask(&warehouse, Role::Admin, "KILL QUERY WHERE user = '' ASYNC").await;
    until("the engine is gone", || !runs(pid)).await;
}

#[tokio::test]
async fn the_settings_that_matter_are_as_promised() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    for role in [Role::Admin, Role::Projector, Role::Analytics] {
        let answer = ask(&warehouse, role, "SELECT getSetting('async_insert'), timezone(), getSetting('readonly')").await.unwrap();
        let readonly = u8::from(role == Role::Analytics);
        assert_eq!(answer.trim(), format!("false\tUTC\t{readonly}"));
    }
    let pools = admin(&warehouse, "SELECT value FROM system.server_settings WHERE name = 'background_pool_size'").await;
    assert_eq!(pools, "2");
    assert_eq!(admin(&warehouse, "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'").await, "1020000000");
}

#[tokio::test]
async fn merges_mutations_exchange_and_bitmaps_work() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    for statement in [
        "CREATE TABLE a (id UInt64, version UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY id",
        "CREATE TABLE b AS a",
        "INSERT INTO a SELECT number % 10, number FROM numbers(100)",
        "INSERT INTO a SELECT number % 10, number + 100 FROM numbers(100)",
        "OPTIMIZE TABLE a FINAL",
        "ALTER TABLE a DELETE WHERE id = 9 SETTINGS mutations_sync = 2",
        "EXCHANGE TABLES a AND b",
        "CREATE TABLE reach (day Date, who AggregateFunction(groupBitmap, UInt32)) ENGINE = AggregatingMergeTree ORDER BY day",
        "INSERT INTO reach SELECT '2026-03-01', groupBitmapState(toUInt32(number % 7)) FROM numbers(100)",
    ] {
        ask(&warehouse, Role::Admin, statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    assert_eq!(admin(&warehouse, "SELECT count() FROM a").await, "0");
    assert_eq!(admin(&warehouse, "SELECT count(), min(version) FROM b").await, "9\t190");
    assert_eq!(admin(&warehouse, "SELECT groupBitmapMerge(who) FROM reach").await, "7");
}

#[tokio::test]
async fn log_tables_keeper_and_config_reload_are_missing() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    let tables = admin(&warehouse, "SELECT name FROM system.tables WHERE database = 'system'").await;
    let tables: BTreeSet<&str> = tables.lines().collect();
    for present in ["processes", "parts", "columns", "quota_usage", "errors", "merges", "mutations", "metrics", "events"] {
        assert!(tables.contains(present), "system.{present} is missing");
    }
    for absent in ["query_log", "part_log", "text_log", "trace_log", "query_thread_log", "session_log", "asynchronous_metric_log"] {
        assert!(!tables.contains(absent), "system.{absent} is there");
    }
    let replicated = "CREATE TABLE r (id UInt64) ENGINE = ReplicatedMergeTree('/r', 'a') ORDER BY id";
    assert!(ask(&warehouse, Role::Admin, replicated).await.is_err());
    assert!(ask(&warehouse, Role::Admin, "SYSTEM RELOAD CONFIG").await.is_err());
}
