//! Slices that two ClickHouse servers count together, compared with polars and with a naive count; and loads that are not whole.

use std::{collections::BTreeSet, fs};

use clickhouse::Client;
use jiff::{SignedDuration, Timestamp};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use qamtu_analytics::{
    AnalyticsError,
    clickhouse_slices::{ClickHouseSlices, Load, LoadSelector},
    config::SliceServers,
    slice::slice,
    slice_query::SliceQuery,
};
use qamtu_devstack::testing::WarehouseProgram;

use crate::{
    naive_slices::sides,
    program::{settings_of, slice_output_with},
    random_meetings::{everything, meeting, world},
    random_slices::{check, query},
    warehouse::{TestWarehouse, world as small_world},
    world::{World, after},
};

const DATABASE: &str = "slices";

/// Two ClickHouse servers that know nothing of one another.
struct Servers {
    settings: SliceServers,
    slices: ClickHouseSlices,
    clients: Vec<Client>,
    _programs: Vec<WarehouseProgram>,
    _folder: tempfile::TempDir,
}

impl Servers {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let dirs = [folder.path().join("one"), folder.path().join("other")];
        let first = WarehouseProgram::start(&dirs[0], &[]).expect("a server");
        // Servers that share work have the same passwords; a folder keeps those that it has.
        drop(WarehouseProgram::start(&dirs[1], &[]).expect("a server"));
        for file in fs::read_dir(dirs[0].join("passwords")).expect("passwords").flatten() {
            fs::copy(file.path(), dirs[1].join("passwords").join(file.file_name())).expect("a copy");
        }
        let programs = vec![first, WarehouseProgram::start(&dirs[1], &[]).expect("a server")];
        let logins: Vec<_> = programs.iter().map(|program| program.login("admin").expect("a login")).collect();
        let settings = SliceServers {
            urls: logins.iter().map(|login| login.url.clone()).collect(),
            user: logins[0].user.clone(),
            password: logins[0].password.clone().into(),
            database: DATABASE.to_owned(),
        };
        let client = |url: &String| Client::default().with_url(url).with_user(&logins[0].user).with_password(&logins[0].password);
        let clients: Vec<Client> = settings.urls.iter().map(client).collect();
        for client in &clients {
            client.query("CREATE DATABASE slices").execute().await.expect("a database");
        }
        let slices = ClickHouseSlices::new(&settings).expect("servers");
        Self {
            clients: clients.into_iter().map(|client| client.with_database(DATABASE)).collect(),
            settings,
            slices,
            _programs: programs,
            _folder: folder,
        }
    }

    async fn load(&self, world: &World) -> Load {
        self.slices.load(&world.store(after(), usize::MAX), Timestamp::now()).await.expect("a load")
    }

    async fn find(&self, selector: LoadSelector) -> Option<Load> {
        self.slices.find(&"test".parse().expect("a campaign"), selector).await.expect("loads")
    }

    async fn number(&self, server: usize, sql: &str) -> u64 {
        self.clients[server].query(sql).fetch_one().await.expect("a number")
    }
}

/// A line of CSV without the as-of instant and the definition.
fn cut_instant(line: &str) -> String {
    line.split(",test,").next().unwrap_or_default().to_owned()
}

/// The newest load of the last minutes.
fn of_last(minutes: i64) -> LoadSelector {
    LoadSelector::LoadedSince(Timestamp::now() - SignedDuration::from_mins(minutes))
}

#[test]
fn a_thousand_random_slices_are_equal_on_two_servers_in_polars_and_in_a_naive_count() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let servers = runtime.block_on(Servers::start());
    let campaigns = (proptest::collection::vec(meeting(), 0..10), proptest::collection::vec(query(), 25));
    let mut runner = TestRunner::new(Config { max_shrink_iters: 4, ..Config::with_cases(40) });
    let compared = runner.run(&campaigns, |(meetings, queries)| {
        let mut known = meetings.clone();
        known.push(everything());
        let store = world(&known).store(after(), usize::MAX);
        let sides = sides(&known);
        runtime.block_on(async {
            let load = servers.slices.load(&store, Timestamp::now()).await.expect("a load");
            for query in &queries {
                let counted = servers.slices.slice(&load, query).await.expect("a slice");
                prop_assert_eq!(&counted, &slice(&store, query).expect("a slice"), "{:?}", query);
                check(&counted, &sides, query)?;
            }
            Ok(())
        })
    });
    compared.expect("equal slices");
    runtime.block_on(async {
        // Both servers counted somebody, and of forty loads four are left.
        for server in 0..2 {
            assert!(servers.number(server, "SELECT count() FROM slice_attendance").await > 0);
            assert_eq!(servers.number(server, "SELECT uniqExact(load) FROM slice_meetings").await, 4);
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_is_not_whole_gives_no_figure() {
    let servers = Servers::start().await;
    let query = SliceQuery { with_totals: true, ..SliceQuery::default() };
    let gone = async |load: &Load| matches!(servers.slices.slice(load, &query).await, Err(AnalyticsError::LoadGone { .. }));
    assert!(servers.find(of_last(60)).await.is_none());
    for (server, table) in [(0, "slice_attendance"), (1, "slice_attendance"), (0, "slice_meetings"), (1, "slice_meetings")] {
        let load = servers.load(&small_world()).await;
        assert!(!gone(&load).await);
        servers.clients[server].query(&format!("TRUNCATE TABLE {table}")).execute().await.expect("no rows");
        assert!(gone(&load).await, "{table} of server {server} is empty");
        servers.clients[server].query("TRUNCATE TABLE slice_loads").execute().await.expect("no rows");
        assert!(servers.find(of_last(60)).await.is_none(), "server {server} has not finished a load");
    }
    // A load is not found by servers in another order, by fewer or more, or if one server is named twice.
    servers.load(&small_world()).await;
    assert!(servers.find(of_last(60)).await.is_some());
    let [one, other] = [&servers.settings.urls[0], &servers.settings.urls[1]];
    for urls in [vec![other, one], vec![one], vec![one, one], vec![one, other, one]] {
        let settings = SliceServers { urls: urls.into_iter().cloned().collect(), ..servers.settings.clone() };
        let others = ClickHouseSlices::new(&settings).expect("servers");
        assert!(others.find(&"test".parse().expect("a campaign"), of_last(60)).await.expect("loads").is_none(), "{:?}", settings.urls);
    }
    // One server under two addresses would count everybody twice.
    let twice = SliceServers { urls: vec![one.clone(), one.clone()], ..servers.settings.clone() };
    let twice = ClickHouseSlices::new(&twice).expect("servers");
    let load = twice.load(&small_world().store(after(), usize::MAX), Timestamp::now()).await.expect("rows");
    assert!(matches!(twice.slice(&load, &query).await, Err(AnalyticsError::LoadGone { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_is_used_while_it_is_young_and_only_for_its_facts() {
    let servers = Servers::start().await;
    let an_hour_ago = Timestamp::now() - SignedDuration::from_mins(59);
    servers.slices.load(&small_world().store(after(), usize::MAX), an_hour_ago).await.expect("a load");
    assert!(servers.find(of_last(60)).await.is_some());
    assert!(servers.find(of_last(58)).await.is_none());
    let other = "abcdefghijklmnopabcdefgh".parse().expect("an id");
    assert!(servers.find(LoadSelector::Of(other)).await.is_none());
    // Of another campaign.
    assert!(servers.slices.find(&"other".parse().expect("a campaign"), of_last(60)).await.expect("loads").is_none());
    // Of another version of this program.
    for server in &servers.clients {
        server.query("ALTER TABLE slice_loads UPDATE description = replace(description, '\"layout\":', '\"layout\":9') WHERE 1 SETTINGS mutations_sync = 2").execute().await.expect("a change");
    }
    assert!(servers.find(of_last(60)).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_counts_on_servers_what_it_counts_itself_and_loads_once() {
    let (warehouse, servers) = (TestWarehouse::start().await, Servers::start().await);
    warehouse.store(&small_world()).await;
    let urls = serde_json::to_string(&servers.settings.urls).expect("addresses");
    let password = secrecy::ExposeSecret::expose_secret(&servers.settings.password).to_owned();
    let settings = [
        ("QAMTU__SLICES__URLS", urls.as_str()),
        ("QAMTU__SLICES__USER", servers.settings.user.as_str()),
        ("QAMTU__SLICES__PASSWORD", password.as_str()),
        ("QAMTU__SLICES__DATABASE", DATABASE),
    ];
    let settings = [&settings_of(&warehouse.config)[..], &settings].concat();
    let slice = |arguments: &[&str]| slice_output_with(&settings, arguments).expect("a slice");
    let mut seen = BTreeSet::new();
    for arguments in [
        &["--by", "unit,week"][..],
        &["--by", "category,sex", "--where", "unit=A,B"],
        &["--by", "precinct", "--measures", "held,reached,reached_2,first_reached,coverage_percent"],
        &["--by", "residence", "--format", "csv"],
    ] {
        for as_of in [&[][..], &["--as-of", "2026-03-16T07:00:00Z"]] {
            let arguments = [arguments, as_of].concat();
            // The figures without the line that has the as-of instant, which is now unless it is given.
            let figures = |text: String| text.lines().filter(|line| !line.starts_with("test, ")).map(cut_instant).collect::<Vec<_>>();
            let counted = figures(slice(&[&arguments[..], &["--engine", "clickhouse"]].concat()));
            assert_eq!(counted, figures(slice(&arguments)));
            seen.insert(counted);
        }
    }
    assert!(seen.len() >= 4);
    // One load for the newest facts, and one for those of the instant.
    assert_eq!(servers.number(0, "SELECT count() FROM slice_loads").await, 2);
    // No pseudonym and no name of a meeting is in a row.
    let columns = servers
        .number(
            1,
            "SELECT count() FROM system.columns WHERE database = 'slices' AND name IN ('hi', 'lo', 'person_hi', 'person_lo', 'meeting_id')",
        )
        .await;
    assert_eq!(columns, 0);
    let refused = slice_output_with(&settings_of(&warehouse.config), &["--engine", "clickhouse"]).expect_err("no servers");
    assert!(refused.0 == Some(64) && refused.1.contains("set slices.urls to the addresses of ClickHouse servers"), "{refused:?}");
    let unknown = slice_output_with(&settings, &["--engine", "clickhouse", "--where", "unit=C"]).expect_err("no unit");
    assert!(unknown.0 == Some(64) && unknown.1.contains("dimension unit has no value \"C\""), "{unknown:?}");
}
