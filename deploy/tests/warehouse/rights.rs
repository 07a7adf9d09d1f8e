//! Users, rights and quotas over HTTP.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use qamtu_devstack::http;
use qamtu_devstack::warehouse::{CONTRACT_VIEWS, Role, Warehouse};
use secrecy::ExposeSecret;

use crate::support::{admin, ask, make_contract_views, post, start};

/// A warehouse with the real tables and views, one further table, and rows in both.
async fn with_tables(dir: &std::path::Path) -> Warehouse {
    let warehouse = start(dir).await;
    make_contract_views(&warehouse).await;
    for statement in [
        "CREATE DATABASE campaign",
        "CREATE TABLE campaign.facts (id UInt64) ENGINE = MergeTree ORDER BY id",
        "INSERT INTO campaign.facts SELECT number FROM numbers(10)",
        "INSERT INTO qamtu.log (topic, partition, offset, status, body) SELECT 'events', 0, number, 'rejected', 'secret' FROM numbers(10)",
    ] {
        admin(&warehouse, statement).await;
    }
    warehouse
}

async fn assert_refused(warehouse: &Warehouse, role: Role, query: &str, code: u32) {
    let error = ask(warehouse, role, query).await.expect_err(query);
    assert!(error.starts_with(&format!("Code: {code}.")), "{query}: {error}");
}

#[tokio::test]
async fn nobody_can_log_in_without_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    let url = warehouse.url();
    let at = |path: &str| format!("{url}{path}");
    let nobody = ["/", "/?user=default", "/?query=SELECT+1", "/?user=qamtu_admin&query=SELECT+1", "/play", "/dashboard", "/merges"];
    for path in nobody {
        let answer = post(&at(path), &[], "SELECT 1").await.expect_err(path);
        assert!(answer.starts_with("Log in as one of the qamtu_ users"), "{path}: {answer}");
    }
    let basic = |login: &str| format!("Basic {}", BASE64.encode(login));
    let (nobody, wrong, unknown) = (basic("default:"), basic("qamtu_admin:wrong"), basic("qamtu_nobody:"));
    let right = basic(&format!("qamtu_admin:{}", warehouse.password().expose_secret()));
    let passwordless = ("X-ClickHouse-User", "default");
    for headers in [
        vec![("Authorization", nobody.as_str())],
        vec![("Authorization", wrong.as_str())],
        vec![("Authorization", unknown.as_str())],
        vec![passwordless],
        vec![("X-ClickHouse-User", "qamtu_admin")],
        vec![("X-ClickHouse-User", "qamtu_admin"), ("X-ClickHouse-Key", "wrong")],
        vec![("X-ClickHouse-User", "qamtu_nobody"), ("X-ClickHouse-Key", "")],
        vec![("X-ClickHouse-User", "qamtu_admin"), ("Authorization", nobody.as_str())],
        vec![("X-ClickHouse-User", "qamtu_admin"), passwordless],
        vec![passwordless, ("X-ClickHouse-User", "qamtu_admin")],
        vec![passwordless, ("Authorization", right.as_str())],
    ] {
        assert!(post(url, &headers, "SELECT 1").await.is_err(), "{headers:?}");
    }
    // The engine's user without a password, named in the URL together with any login, also a valid one.
    for login in [&nobody, &wrong, &unknown, &right] {
        for path in ["/?user=default", "/?user=default&password=", "/?USER=default", "/?us%65r=default&session_id=1", "/play?user=default"]
        {
            for header in [("Authorization", login.as_str()), ("X-ClickHouse-User", "qamtu_admin")] {
                let answer = post(&at(path), &[header], "SELECT currentUser()").await;
                assert!(answer.is_err(), "{path} {header:?}: {answer:?}");
            }
        }
    }
    assert_eq!(post(url, &[("Authorization", &right)], "SELECT currentUser()").await.unwrap(), "qamtu_admin\n");
    assert_eq!(http::send(http::client().unwrap().get(at("/ping"))).await.unwrap().text(), "Ok.\n");
}

#[tokio::test]
async fn passwords_stay_the_same_and_only_their_owner_can_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let first = start(dir.path()).await;
    let passwords = |warehouse: &Warehouse| Role::ALL.map(|role| warehouse.login(role).password.expose_secret().to_owned());
    let before = passwords(&first);
    for (role, password) in Role::ALL.into_iter().zip(&before) {
        let file = first.password_file(role).unwrap();
        assert_eq!(&std::fs::read_to_string(&file).unwrap(), password);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    first.stop().await;
    let second = start(dir.path()).await;
    assert_eq!(passwords(&second), before);
    second.stop().await;

    std::fs::remove_file(dir.path().join("passwords/analytics")).unwrap();
    let third = start(dir.path()).await;
    let after = passwords(&third);
    assert_eq!(after[..2], before[..2]);
    let headers = [("X-ClickHouse-User", "qamtu_analytics"), ("X-ClickHouse-Key", before[2].as_str())];
    assert!(post(third.url(), &headers, "SELECT 1").await.unwrap_err().contains("Code: 516"));
    assert_eq!(ask(&third, Role::Analytics, "SELECT 1").await.unwrap(), "1\n");
}

#[tokio::test]
async fn analytics_reads_the_contract_views_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = with_tables(dir.path()).await;
    let analytics = async |query: &str| ask(&warehouse, Role::Analytics, query).await;
    let all = admin(&warehouse, "SELECT name FROM system.tables WHERE database IN ('qamtu', 'campaign')").await;
    let (readable, closed): (BTreeSet<&str>, BTreeSet<&str>) = all.lines().partition(|name| CONTRACT_VIEWS.contains(name));
    assert_eq!(readable, BTreeSet::from(CONTRACT_VIEWS));
    for view in readable {
        analytics(&format!("SELECT * FROM qamtu.{view} SETTINGS max_threads = 1")).await.unwrap();
    }
    assert!(closed.contains("attendance") && closed.contains("log") && closed.contains("v_withdrawn") && closed.contains("facts"));
    for table in closed {
        let database = if table == "facts" { "campaign" } else { "qamtu" };
        for query in [format!("SELECT * FROM {database}.{table}"), format!("SELECT count() FROM merge('{database}', '^{table}$')")] {
            let error = analytics(&query).await.expect_err(&query);
            assert!(error.starts_with("Code: 497.") || error.contains("CANNOT_EXTRACT_TABLE_STRUCTURE"), "{query}: {error}");
        }
    }
    assert_eq!(analytics("SELECT contiguous_offset FROM qamtu.v_contiguous_offsets").await.unwrap(), "10\n");

    // 164: not in readonly mode; 497: not enough privileges.
    for query in [
        "SELECT body FROM qamtu.log",
        "INSERT INTO campaign.facts VALUES (1)",
        "INSERT INTO qamtu.v_contiguous_offsets VALUES ('events', 0, 1)",
        "CREATE TABLE campaign.other (id UInt64) ENGINE = Memory",
        "CREATE TEMPORARY TABLE other (id UInt64)",
        "CREATE VIEW qamtu.v_mine AS SELECT 1",
        "DROP TABLE campaign.facts",
        "DROP VIEW qamtu.v_contiguous_offsets",
        "TRUNCATE TABLE campaign.facts",
        "ALTER TABLE campaign.facts DELETE WHERE 1",
        "OPTIMIZE TABLE campaign.facts FINAL",
        "SYSTEM FLUSH LOGS",
        "SYSTEM SHUTDOWN",
        "SYSTEM STOP LISTEN HTTP",
        "SELECT * FROM system.processes",
        "SELECT * FROM system.users",
        "SELECT * FROM system.grants",
        "SELECT * FROM system.server_settings",
        "SELECT * FROM system.errors",
    ] {
        let error = analytics(query).await.expect_err(query);
        assert!(error.starts_with("Code: 497.") || error.starts_with("Code: 164."), "{query}: {error}");
    }
    // 392: a user without DDL cannot allow it; 452: against a constraint.
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
    let warehouse = with_tables(dir.path()).await;
    let login = warehouse.login(Role::Analytics);
    let headers = [("X-ClickHouse-User", login.user.as_str()), ("X-ClickHouse-Key", login.password.expose_secret())];
    let url = format!(
        "{}/?default_format=ArrowStream&database=qamtu&query_id=facts-1&compress=0\
         &output_format_arrow_compression_method=none&output_format_arrow_string_as_string=1",
        warehouse.url()
    );
    let request = headers.iter().fold(http::client().unwrap().post(url), |request, (name, value)| request.header(*name, *value));
    let response = http::send(request.body("SELECT contiguous_offset FROM v_contiguous_offsets")).await.unwrap();
    assert!(response.is_success(), "{}", response.text());
    // An Arrow stream begins with a continuation marker.
    assert!(response.body.starts_with(&[0xff; 4]));
}

async fn analytics_with(warehouse: &Warehouse, settings: &str) -> Result<String, String> {
    ask(warehouse, Role::Analytics, &format!("SELECT 1 SETTINGS {settings}")).await
}

#[tokio::test]
async fn the_projector_writes_rows_but_no_tables() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = with_tables(dir.path()).await;
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
async fn a_quota_stops_a_failing_client_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = with_tables(dir.path()).await;
    let failing = "SELECT throwIf(contiguous_offset = 10) FROM qamtu.v_contiguous_offsets";
    let mut stopped = None;
    // The quota allows 300 errors a minute; if a new minute begins in between, twice as many.
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
    for query in ["CREATE USER someone IDENTIFIED BY 'x'", "CREATE ROLE someone", "GRANT SELECT ON *.* TO qamtu_analytics"] {
        let error = ask(&warehouse, Role::Admin, query).await.unwrap_err();
        assert!(error.starts_with("Code: "), "{query}: {error}");
    }
}
