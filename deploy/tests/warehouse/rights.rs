//! Users, rights and quotas over HTTP.

use qamtu::warehouse::{Role, Warehouse};
use secrecy::ExposeSecret;

use crate::support::{admin, ask, post, start};

/// Every table function that reaches outside of the warehouse, with arguments that would work for somebody who may.
const OUTSIDE: [&str; 10] = [
    "url('http://127.0.0.1:1/', CSV, 'a String')",
    "file('/etc/passwd', LineAsString, 'line String')",
    "s3('http://127.0.0.1:1/bucket/key', CSV, 'a String')",
    "remote('127.0.0.1:1', system.one)",
    "remoteSecure('127.0.0.1:1', system.one)",
    "mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "mongodb('127.0.0.1:1', 'd', 'c', 'u', 'p', 'a String')",
    "sqlite('/tmp/a.sqlite', 't')",
    "executable('id', LineAsString, 'line String')",
];

async fn with_table(dir: &std::path::Path) -> Warehouse {
    let warehouse = start(dir).await;
    admin(&warehouse, "CREATE DATABASE campaign").await;
    admin(&warehouse, "CREATE TABLE campaign.facts (id UInt64) ENGINE = MergeTree ORDER BY id").await;
    admin(&warehouse, "CREATE VIEW campaign.facts_view AS SELECT id FROM campaign.facts").await;
    admin(&warehouse, "INSERT INTO campaign.facts SELECT number FROM numbers(10)").await;
    warehouse
}

async fn assert_refused(warehouse: &Warehouse, role: Role, query: &str, code: u32) {
    let error = ask(warehouse, role, query).await.expect_err(query);
    assert!(error.starts_with(&format!("Code: {code}.")), "{query}: {error}");
}

#[tokio::test]
async fn nobody_gets_in_without_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    let url = warehouse.url();
    let nobody = |path: &str| format!("{url}{path}");
    for path in ["/", "/?user=default", "/?query=SELECT+1", "/?user=qamtu_admin&query=SELECT+1", "/play", "/dashboard", "/merges"] {
        let answer = post(&nobody(path), &[], "SELECT 1").await.expect_err(path);
        assert!(answer.contains("There is no handle"), "{path}: {answer}");
    }
    // base64 of `default:`
    let basic = ("Authorization", "Basic ZGVmYXVsdDo=");
    assert!(post(url, &[basic], "SELECT 1").await.is_err());
    let door = ("X-ClickHouse-User", "default");
    assert!(post(url, &[door], "SELECT 1").await.is_err());
    for headers in [
        vec![("X-ClickHouse-User", "qamtu_admin")],
        vec![("X-ClickHouse-User", "qamtu_admin"), ("X-ClickHouse-Key", "wrong")],
        vec![("X-ClickHouse-User", "qamtu_nobody"), ("X-ClickHouse-Key", "")],
        vec![("X-ClickHouse-User", "qamtu_admin"), basic],
        vec![("X-ClickHouse-User", "qamtu_admin"), door],
        vec![door, ("X-ClickHouse-User", "qamtu_admin")],
    ] {
        assert!(post(url, &headers, "SELECT 1").await.is_err(), "{headers:?}");
        assert!(post(&nobody("/?user=default&password="), &headers, "SELECT 1").await.is_err(), "{headers:?}");
    }
    assert_eq!(reqwest::get(nobody("/ping")).await.unwrap().text().await.unwrap(), "Ok.\n");
}

#[tokio::test]
async fn passwords_are_new_at_every_start() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path()).await;
    let old = first.password().expose_secret().to_owned();
    first.stop().await;
    let second = start(dir.path()).await;
    assert_ne!(second.password().expose_secret(), old);
    let headers = [("X-ClickHouse-User", "qamtu_admin"), ("X-ClickHouse-Key", old.as_str())];
    assert!(post(second.url(), &headers, "SELECT 1").await.unwrap_err().contains("Code: 516"));
}

#[tokio::test]
async fn analytics_reads_tables_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = with_table(dir.path()).await;
    let analytics = |query: &'static str| ask(&warehouse, Role::Analytics, query);
    assert_eq!(analytics("SELECT count() FROM campaign.facts").await.unwrap(), "10\n");
    assert_eq!(analytics("SELECT count() FROM campaign.facts_view SETTINGS max_threads = 1").await.unwrap(), "10\n");
    assert_eq!(analytics("SELECT name FROM system.columns WHERE table = 'facts'").await.unwrap(), "id\n");

    // 164: not in readonly mode; 452: against a constraint; 497: not enough privileges.
    for query in [
        "INSERT INTO campaign.facts VALUES (1)",
        "CREATE TABLE campaign.other (id UInt64) ENGINE = Memory",
        "CREATE TEMPORARY TABLE other (id UInt64)",
        "DROP TABLE campaign.facts",
        "TRUNCATE TABLE campaign.facts",
        "ALTER TABLE campaign.facts DELETE WHERE 1",
        "OPTIMIZE TABLE campaign.facts FINAL",
        "SYSTEM FLUSH LOGS",
        "SYSTEM SHUTDOWN",
        "SYSTEM STOP LISTEN HTTP",
        "SELECT * FROM system.processes",
        "SELECT * FROM system.users",
        "SELECT * FROM system.server_settings",
    ] {
        let error = analytics(query).await.expect_err(query);
        assert!(error.starts_with("Code: 497.") || error.starts_with("Code: 164."), "{query}: {error}");
    }
    // 392: a user without DDL cannot allow it.
    for setting in
        ["readonly = 0", "max_memory_usage = 1", "max_execution_time = 500", "allow_ddl = 1", "async_insert = 1", "max_threads = 64"]
    {
        let error = analytics_with(&warehouse, setting).await.expect_err(setting);
        assert!(["Code: 164.", "Code: 392.", "Code: 452."].iter().any(|code| error.starts_with(code)), "{setting}: {error}");
    }
    assert_eq!(analytics_with(&warehouse, "max_execution_time = 5, output_format_arrow_compression_method = 'none'").await.unwrap(), "1\n");
}

#[tokio::test]
async fn analytics_reads_arrow_the_way_its_client_asks_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = with_table(dir.path()).await;
    let login = warehouse.login(Role::Analytics);
    let headers = [("X-ClickHouse-User", login.user.as_str()), ("X-ClickHouse-Key", login.password.expose_secret())];
    let url = format!(
        "{}/?default_format=ArrowStream&database=campaign&query_id=facts-1&compress=0\
         &output_format_arrow_compression_method=none&output_format_arrow_string_as_string=1",
        warehouse.url()
    );
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = headers.iter().fold(client.post(url), |request, (name, value)| request.header(*name, *value));
    let response = request.body("SELECT id FROM facts_view").send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    // An Arrow stream begins with the mark of a continuation.
    assert!(response.bytes().await.unwrap().starts_with(&[0xff; 4]));
}

async fn analytics_with(warehouse: &Warehouse, settings: &str) -> Result<String, String> {
    ask(warehouse, Role::Analytics, &format!("SELECT 1 SETTINGS {settings}")).await
}

#[tokio::test]
async fn no_table_function_reaches_outside_for_analytics_and_projector() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    for role in [Role::Analytics, Role::Projector] {
        for function in OUTSIDE {
            let query = format!("SELECT * FROM {function}");
            let error = ask(&warehouse, role, &query).await.expect_err(&query);
            assert!(error.starts_with("Code: 497."), "{role:?} {query}: {error}");
        }
    }
    for function in ["file('/tmp/a.csv', CSV, 'a String')", "url('http://127.0.0.1:1/', CSV, 'a String')"] {
        let query = format!("INSERT INTO FUNCTION {function} SELECT 'x'");
        assert_refused(&warehouse, Role::Projector, &query, 497).await;
    }
    // What computes without reaching out stays usable.
    assert_eq!(ask(&warehouse, Role::Analytics, "SELECT sum(number) FROM numbers(10)").await.unwrap(), "45\n");
}

#[tokio::test]
async fn the_projector_writes_rows_but_no_tables() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = with_table(dir.path()).await;
    ask(&warehouse, Role::Projector, "INSERT INTO campaign.facts VALUES (10)").await.unwrap();
    ask(&warehouse, Role::Projector, "OPTIMIZE TABLE campaign.facts FINAL").await.unwrap();
    assert_eq!(ask(&warehouse, Role::Projector, "SELECT count() FROM campaign.facts").await.unwrap(), "11\n");
    for query in [
        "CREATE DATABASE other",
        "CREATE TABLE campaign.other (id UInt64) ENGINE = Memory",
        "DROP TABLE campaign.facts",
        "TRUNCATE TABLE campaign.facts",
        "ALTER TABLE campaign.facts ADD COLUMN more UInt8",
        "SYSTEM SHUTDOWN",
        "SYSTEM STOP LISTEN HTTP",
    ] {
        assert_refused(&warehouse, Role::Projector, query, 497).await;
    }
}

#[tokio::test]
async fn a_quota_stops_a_client_gone_wild_and_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = with_table(dir.path()).await;
    let failing = "SELECT throwIf(id = 5) FROM campaign.facts";
    let mut stopped = None;
    // The quota counts by the minute: 300 errors; a minute that turns in between costs as many again.
    for attempt in 1..=605 {
        let error = ask(&warehouse, Role::Analytics, failing).await.expect_err("it always fails");
        if error.contains("QUOTA_EXCEEDED") {
            stopped = Some((attempt, error));
            break;
        }
    }
    let (attempt, error) = stopped.expect("the quota never stopped the client");
    assert!(attempt > 300, "stopped after {attempt} errors");
    assert!(error.starts_with("Code: 201.") && error.contains("qamtu_analytics"), "{error}");
    assert_eq!(admin(&warehouse, "SELECT 1").await, "1");
    assert_eq!(ask(&warehouse, Role::Projector, "SELECT 1").await.unwrap(), "1\n");
}

#[tokio::test]
async fn users_cannot_be_made_by_sql() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    let error = ask(&warehouse, Role::Admin, "CREATE USER someone IDENTIFIED BY 'x'").await.unwrap_err();
    assert!(error.starts_with("Code: "), "{error}");
    assert_eq!(admin(&warehouse, "SELECT count() FROM system.users WHERE name = 'someone'").await, "0");
}
