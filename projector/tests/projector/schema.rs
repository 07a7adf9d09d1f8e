//! Migrations and the start-up check.

use std::{collections::BTreeSet, path::Path};

use qamtu_projector::{
    check::check,
    config::ClickhouseConfig,
    migrate::{MIGRATIONS, MigrationCounts, VIEWS, migrate, statement, verify},
    warehouse::client,
};

use crate::{
    clickhouse_server::shared,
    fixture::{LogKind, ProjectorFixture, run, unique},
};

fn fixture() -> ProjectorFixture {
    ProjectorFixture::new(LogKind::Embedded).unwrap()
}

#[test]
fn files_are_numbered_without_gaps_one_statement_each_and_give_reasons() {
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables");
    let listed = |folder: &Path| -> BTreeSet<String> {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let sql = paths.filter(|path| path.extension().is_some_and(|ending| ending == "sql"));
        sql.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).filter(|name| name != "latest").collect()
    };
    assert_eq!(listed(&tables), MIGRATIONS.iter().map(|file| file.name.to_owned()).collect());
    assert_eq!(listed(&tables.join("views")), VIEWS.iter().map(|file| file.name.to_owned()).collect());
    for (file, number) in MIGRATIONS.iter().zip(1..) {
        assert_eq!(file.number(), number, "{}", file.name);
        let statement = statement(file);
        assert!(statement.starts_with("CREATE TABLE IF NOT EXISTS ") || statement.starts_with("ALTER TABLE "), "{}", file.name);
        for reason in ["-- Engine:", "-- Key:", "TTL"].iter().filter(|_| statement.starts_with("CREATE")) {
            assert!(file.sql.contains(reason), "{} does not say its {reason}", file.name);
        }
        for forbidden in ["DROP ", "TRUNCATE ", "DELETE ", " UPDATE ", "INSERT INTO"] {
            assert!(!statement.to_uppercase().contains(forbidden), "{} changes data", file.name);
        }
    }
    for file in MIGRATIONS.iter().chain(VIEWS) {
        assert!(file.sql.starts_with("-- "), "{} gives no reason", file.name);
        assert!(!statement(file).contains(';'), "{} is more than one statement", file.name);
    }
    for file in VIEWS {
        // Readers of a view have no rights to the tables it reads.
        let begin = format!("CREATE OR REPLACE VIEW {} DEFINER = CURRENT_USER SQL SECURITY DEFINER AS\n", file.name);
        assert!(statement(file).starts_with(&begin), "{}", file.name);
    }
}

#[test]
fn migrations_are_idempotent_also_when_run_concurrently() {
    run(async {
        let fixture = fixture();
        let (one, other) = tokio::join!(migrate(&fixture.client), migrate(&fixture.client));
        one.unwrap();
        other.unwrap();
        verify(&fixture.client).await.unwrap();
        let before =
            fixture.query("SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name").await;
        assert_eq!(migrate(&fixture.client).await.unwrap(), MigrationCounts::default());
        assert_eq!(
            before,
            fixture.query("SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY name").await
        );
        assert_eq!(fixture.query("SELECT count() FROM schema_versions FINAL").await.trim(), (MIGRATIONS.len() + VIEWS.len()).to_string());
    });
}

#[test]
fn the_migrations_add_up_to_the_declared_schema() {
    run(async {
        let fixture = fixture();
        migrate(&fixture.client).await.unwrap();
        let declared = unique("declared");
        fixture.query(&format!("CREATE DATABASE {declared}")).await;
        let there = client(&ClickhouseConfig { database: declared.clone(), ..fixture.clickhouse.clone() });
        let latest = include_str!("../../tables/latest.sql");
        let statements: String = latest.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        for statement in statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            there.query_raw(statement).execute().await.unwrap();
        }
        let columns =
            "SELECT table, position, name, type, default_kind, default_expression, compression_codec, is_in_primary_key, is_in_sorting_key
            FROM system.columns WHERE database = '{db}' AND table NOT LIKE 'v\\_%' ORDER BY table, position";
        let tables = "SELECT name, engine_full, sorting_key, partition_key FROM system.tables WHERE database = '{db}' AND engine != 'View' ORDER BY name";
        for query in [columns, tables] {
            let of = |database: &str| query.replace("{db}", database);
            assert_eq!(fixture.query(&of(&fixture.clickhouse.database)).await, fixture.query(&of(&declared)).await);
        }
    });
}

#[test]
fn a_suitable_server_passes_the_check() {
    run(async {
        let fixture = fixture();
        migrate(&fixture.client).await.unwrap();
        let server = check(&fixture.client).await.unwrap();
        assert!(!server.version.is_empty());
        assert!(server.table_uuids.values().all(|table_uuid| !table_uuid.is_nil()));
        assert_eq!(fixture.query("SELECT count() FROM insert_checks").await.trim(), "1");
    });
}

/// Applies a change after the migrations and asserts that the check fails with one line that contains these texts.
async fn assert_check_fails(change: &str, texts: &[&str]) {
    let fixture = fixture();
    migrate(&fixture.client).await.unwrap();
    fixture.query(change).await;
    let error = check(&fixture.client).await.expect_err(change).to_string();
    assert!(texts.iter().all(|text| error.contains(text)) && !error.contains('\n'), "{change}: {error}");
}

#[test]
fn requirements_of_exactly_once_are_checked() {
    run(async {
        assert_check_fails("ALTER TABLE log MODIFY SETTING non_replicated_deduplication_window = 0", &["log", "MODIFY SETTING"]).await;
        assert_check_fails("ALTER TABLE attendance RESET SETTING non_replicated_deduplication_window", &["attendance", "MODIFY SETTING"])
            .await;
        assert_check_fails("ALTER TABLE insert_checks MODIFY SETTING non_replicated_deduplication_window = 0", &["counts 2 times"]).await;
        assert_check_fails("DROP TABLE consents", &["consents", "missing"]).await;
        assert_check_fails("ALTER TABLE attendance DROP COLUMN line", &["attendance.line", "missing"]).await;
        assert_check_fails("ALTER TABLE log MODIFY COLUMN reason String", &["log.reason", "String"]).await;
        assert_check_fails("DROP VIEW v_roll", &["v_roll", "qamtu-projector migrate"]).await;
        let newer = "INSERT INTO schema_versions (kind, number, name, sha256) VALUES ('table', 99, '0099_new', '')";
        assert_check_fails(newer, &["0099_new", "newer"]).await;
    });
}

#[test]
fn an_edited_migration_is_refused_and_a_missing_or_changed_view_is_recreated() {
    run(async {
        let fixture = fixture();
        migrate(&fixture.client).await.unwrap();
        fixture.query("DROP VIEW v_roll").await;
        assert_eq!(migrate(&fixture.client).await.unwrap(), MigrationCounts { migrations: 0, views: 1 });
        fixture.query("INSERT INTO schema_versions (kind, number, name, sha256) VALUES ('view', 0, 'v_events', 'other')").await;
        assert_eq!(migrate(&fixture.client).await.unwrap(), MigrationCounts { migrations: 0, views: 1 });
        fixture.query("INSERT INTO schema_versions (kind, number, name, sha256) VALUES ('table', 2, '0002_log', 'other')").await;
        let error = migrate(&fixture.client).await.unwrap_err().to_string();
        assert!(error.contains("0002_log") && error.contains("another statement"), "{error}");
    });
}

#[test]
fn after_the_migrations_a_login_that_may_only_read_and_insert_is_enough() {
    run(async {
        let mut limited = fixture();
        limited.clickhouse = shared("projector", &limited.clickhouse.database);
        if limited.clickhouse.user == shared("admin", "x").user {
            // An external server may have one login for all roles.
            return;
        }
        let mut refused = limited.spawn(&[], &[]);
        assert_eq!(refused.wait().await.code(), Some(1));
        assert!(refused.stderr().contains("run `qamtu-projector migrate`"), "{}", refused.stderr());
        migrate(&limited.client).await.unwrap();
        let projector = limited.projector().await;
        assert!(projector.stop().await.success());
    });
}
