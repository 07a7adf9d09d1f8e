//! Slices that two ClickHouse servers count together, compared with polars and with a naive count; and loads that are not whole.

use std::{cell::Cell, fs};

use clickhouse::Client;
use jiff::{SignedDuration, Timestamp};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use qamtu_analytics::{
    AnalyticsError,
    clickhouse_slices::{ClickHouseSlices, FactsAge, Load, LoadSelector},
    config::SliceServers,
    facts::WarehouseId,
    facts_store::FactsStore,
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
    world::{Residence, World, after, key},
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
        let slices = ClickHouseSlices::new(&settings, WarehouseId::of(&["warehouse"])).expect("servers");
        Self {
            clients: clients.into_iter().map(|client| client.with_database(DATABASE)).collect(),
            settings,
            slices,
            _programs: programs,
            _folder: folder,
        }
    }

    async fn load(&self, world: &World) -> Load {
        self.load_at(world, FactsAge::Newest, Timestamp::now()).await
    }

    async fn load_at(&self, world: &World, age: FactsAge, now: Timestamp) -> Load {
        self.slices.load(&world.store(after(), usize::MAX), age, now).await.expect("a load")
    }

    /// The same servers under other addresses, or for another warehouse.
    fn other(&self, urls: &[&String], facts: &str) -> Result<ClickHouseSlices, AnalyticsError> {
        let settings = SliceServers { urls: urls.iter().map(|url| (*url).clone()).collect(), ..self.settings.clone() };
        ClickHouseSlices::new(&settings, WarehouseId::of(&[facts]))
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

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

/// The newest load of the last minutes.
fn of_last(minutes: i64) -> LoadSelector {
    LoadSelector::NewestSince(ago(minutes))
}

#[test]
fn a_thousand_random_slices_are_equal_on_two_servers_in_polars_and_in_a_naive_count() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let servers = runtime.block_on(Servers::start());
    let campaigns = (proptest::collection::vec(meeting(), 0..10), proptest::collection::vec(query(), 25));
    let mut runner = TestRunner::new(Config { max_shrink_iters: 4, ..Config::with_cases(40) });
    // So far apart that nobody can be reading an older one when the next is loaded.
    let age = Cell::new(20 * 60);
    let compared = runner.run(&campaigns, |(meetings, queries)| {
        let mut known = meetings.clone();
        known.push(everything());
        let store = world(&known).store(after(), usize::MAX);
        let sides = sides(&known);
        runtime.block_on(async {
            age.set(age.get() - 15);
            let load = servers.slices.load(&store, FactsAge::Newest, ago(age.get())).await.expect("a load");
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
        assert!(!gone(&load).await && servers.find(of_last(60)).await.is_some());
        servers.clients[server].query(&format!("TRUNCATE TABLE {table}")).execute().await.expect("no rows");
        assert!(gone(&load).await, "{table} of server {server} is empty");
        assert!(servers.find(of_last(60)).await.is_none(), "a load without rows would be found again and again");
    }
    servers.load(&small_world()).await;
    servers.clients[1].query("TRUNCATE TABLE slice_loads").execute().await.expect("no rows");
    assert!(servers.find(of_last(60)).await.is_none(), "the second server has not finished it");
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_are_not_those_of_a_load_give_no_figure() {
    let servers = Servers::start().await;
    let [one, other] = [&servers.settings.urls[0], &servers.settings.urls[1]];
    servers.load(&small_world()).await;
    let campaign = "test".parse().expect("a campaign");
    for urls in [vec![other, one], vec![one], vec![other]] {
        let others = servers.other(&urls, "warehouse").expect("servers");
        assert!(others.find(&campaign, of_last(60)).await.expect("loads").is_none(), "{urls:?}");
    }
    // One server under two addresses would count everybody twice.
    let refused = servers.other(&[one, other, one], "warehouse").expect_err("a server twice");
    assert!(matches!(refused, AnalyticsError::SliceServerTwice { .. }) && refused.exit_code() == 64);
    let alias = one.replace("127.0.0.1", "localhost");
    let before = servers.number(0, "SELECT count() FROM slice_meetings").await;
    let twice = servers.other(&[one, &alias], "warehouse").expect("two addresses");
    let refused = twice.load(&small_world().store(after(), usize::MAX), FactsAge::Newest, Timestamp::now()).await.expect_err("one server");
    assert!(matches!(refused, AnalyticsError::SliceServersShared), "{refused:?}");
    assert_eq!(servers.number(0, "SELECT count() FROM slice_meetings").await, before, "what it wrote is dropped");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_is_used_while_it_is_young_and_only_for_its_facts() {
    let servers = Servers::start().await;
    let load = servers.load_at(&small_world(), FactsAge::Newest, ago(59)).await;
    assert!(servers.find(of_last(60)).await.is_some() && servers.find(of_last(58)).await.is_none());
    let other = "abcdefghijklmnopabcdefgh".parse().expect("an id");
    assert!(servers.find(LoadSelector::Of(other)).await.is_none());
    // The facts of an instant that somebody chose answer no query without one.
    let earlier = "2026-02-24T00:00:00Z".parse().expect("an instant");
    let store = small_world().store(earlier, usize::MAX);
    servers.slices.load(&store, FactsAge::OfInstant, Timestamp::now()).await.expect("a load");
    assert_eq!(servers.find(of_last(60)).await.map(|load| load.as_of()), Some(load.as_of()));
    // Of another campaign, and of a campaign of the same name in another warehouse.
    assert!(servers.slices.find(&"other".parse().expect("a campaign"), of_last(60)).await.expect("loads").is_none());
    let urls: Vec<&String> = servers.settings.urls.iter().collect();
    let elsewhere = servers.other(&urls, "elsewhere").expect("servers");
    assert!(elsewhere.find(&"test".parse().expect("a campaign"), of_last(60)).await.expect("loads").is_none());
    // Of another version of this program, or of the definition.
    for field in ["layout", "definition"] {
        servers.load(&small_world()).await;
        assert!(servers.find(of_last(5)).await.is_some());
        let change = format!("ALTER TABLE slice_loads UPDATE description = replace(description, '\"{field}\":', '\"{field}\":9') WHERE 1");
        servers.clients[0].query(&format!("{change} SETTINGS mutations_sync = 2")).execute().await.expect("a change");
        assert!(servers.find(of_last(60)).await.is_none(), "another {field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_load_drops_none_that_may_be_read_and_what_was_never_finished() {
    let servers = Servers::start().await;
    let loads = "SELECT count() FROM slice_loads";
    for _ in 0..6 {
        servers.load(&small_world()).await;
    }
    assert_eq!(servers.number(0, loads).await, 6, "all of them may still be read");
    // A clock that is behind: the new load is older than four others.
    let behind = servers.load_at(&small_world(), FactsAge::Newest, ago(30)).await;
    let query = SliceQuery { with_totals: true, ..SliceQuery::default() };
    servers.slices.slice(&behind, &query).await.expect("its own load stays");
    // A process that was killed while it loaded.
    for client in &servers.clients {
        client
            .query("INSERT INTO slice_meetings SELECT generateUUIDv4(), now() - 3 * 3600, 0, [], [], 0 FROM numbers(1)")
            .execute()
            .await
            .expect("a row");
    }
    servers.load(&small_world()).await;
    for server in 0..2 {
        // That of the clock that was behind is old, and four newer ones are there.
        assert_eq!(servers.number(server, loads).await, 7);
        assert_eq!(servers.number(server, "SELECT uniqExact(load) FROM slice_meetings").await, 7);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_roll_servers_count_by_what_people_state() {
    let servers = Servers::start().await;
    let mut world = small_world();
    world.roll.clear();
    world.state([Residence::Precinct("A-1"), Residence::Unit("A"), Residence::Outside, Residence::Unstated]);
    let store: FactsStore = world.store(after(), usize::MAX);
    let load = servers.slices.load(&store, FactsAge::Newest, Timestamp::now()).await.expect("a load");
    for by in ["residence,unit", "residence_unit", "unit,category", "residence,residence_unit"] {
        let query = SliceQuery::parse(by, &[]).expect("a query");
        let counted = slice(&store, &query).expect("a slice");
        assert!(!counted.is_empty());
        assert_eq!(servers.slices.slice(&load, &query).await.expect("a slice"), counted, "{by}");
    }
    let refused = servers.slices.slice(&load, &SliceQuery::parse("sex", &[]).expect("a query")).await.expect_err("no roll");
    assert!(matches!(refused, AnalyticsError::InvalidSlice(_)), "{refused:?}");
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
    // The figures without the line that has the as-of instant, which is now unless it is given.
    let figures = |text: String| text.lines().filter(|line| !line.starts_with("test, ")).map(cut_instant).collect::<Vec<_>>();
    for arguments in [
        &["--by", "unit,week"][..],
        &["--by", "category,sex", "--where", "unit=A,B"],
        &["--by", "precinct", "--measures", "held,reached,reached_2,first_reached,coverage_percent"],
        &["--by", "residence", "--format", "csv"],
    ] {
        // Before the meetings, and then now: the earlier load must not answer the later question.
        let [earlier, newest] = [&["--as-of", "2026-02-20T07:00:00Z"][..], &[]].map(|as_of| {
            let arguments = [arguments, as_of].concat();
            let counted = figures(slice(&[&arguments[..], &["--engine", "clickhouse"]].concat()));
            assert_eq!(counted, figures(slice(&arguments)), "{arguments:?}");
            counted
        });
        assert_ne!(earlier, newest, "{arguments:?}");
    }
    // One load for the newest facts, and one for those of the instant.
    assert_eq!(servers.number(0, "SELECT count() FROM slice_loads").await, 2);
    // A pseudonym has two numbers of 64 bits: rows have no room for them, and the catalog does not have them.
    let (hi, lo) = key(1);
    for server in 0..2 {
        let wide = "SELECT count() FROM system.columns WHERE database = 'slices' AND table = 'slice_attendance' \
                    AND type NOT IN ('UUID', 'DateTime', 'UInt32', 'Bool')";
        assert_eq!(servers.number(server, wide).await, 0);
        let named = format!("SELECT count() FROM slice_loads WHERE description LIKE '%{hi}%' OR description LIKE '%{lo}%'");
        assert_eq!(servers.number(server, &named).await, 0);
    }
    let refused = slice_output_with(&settings_of(&warehouse.config), &["--engine", "clickhouse"]).expect_err("no servers");
    assert!(refused.0 == Some(64) && refused.1.contains("set slices.urls to the addresses of ClickHouse servers"), "{refused:?}");
    let unknown = slice_output_with(&settings, &["--engine", "clickhouse", "--where", "unit=C"]).expect_err("no unit");
    assert!(unknown.0 == Some(64) && unknown.1.contains("dimension unit has no value \"C\""), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_that_was_made_anew_is_another_one() {
    let warehouse = TestWarehouse::start().await;
    let identity = async || warehouse.reader.identity().await.expect("an identity");
    let first = identity().await;
    assert_eq!(identity().await, first);
    let admin = warehouse.admin.clone().with_database("default");
    for sql in ["DROP DATABASE qamtu SYNC", "CREATE DATABASE qamtu"] {
        admin.query(sql).execute().await.expect(sql);
    }
    assert_ne!(identity().await, first, "address and name are the same");
}
