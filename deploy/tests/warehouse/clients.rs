//! Third-party clients: login and the discovery of tables.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use qamtu_devstack::http;
use qamtu_devstack::warehouse::{CONTRACT_VIEWS, Role, Warehouse};
use secrecy::ExposeSecret;

use crate::support::{make_contract_views, post, start};

/// The first requests of clickhouse-connect 1.12, path and query, up to a list of tables.
const CLICKHOUSE_CONNECT: [(&str, &str); 6] = [
    ("/?query_id=1", "SELECT version(), timezone()"),
    ("/?wait_end_of_query=1&database=qamtu&query_id=2", "SELECT name, value, readonly FROM system.settings LIMIT 10000\n FORMAT Native"),
    ("/?wait_end_of_query=1&client_protocol_version=54405&database=qamtu&query_id=3", "SELECT 1 AS check\n FORMAT Native"),
    ("/?session_id=4&wait_end_of_query=1&database=qamtu&client_protocol_version=54405&query_id=4", "show tables\n FORMAT Native"),
    ("/?session_id=4&wait_end_of_query=1&database=qamtu&query_id=5", "SELECT name, type FROM system.columns WHERE table = 'v_roll'"),
    ("/?session_id=4&database=qamtu&param_c=x&query_id=6", "SELECT count() FROM v_attendance WHERE campaign = {c:String}"),
];

fn basic(warehouse: &Warehouse, role: Role) -> String {
    let login = warehouse.login(role);
    format!("Basic {}", BASE64.encode(format!("{}:{}", login.user, login.password.expose_secret())))
}

#[tokio::test]
async fn a_client_logs_in_by_basic_authentication_and_finds_the_contract_views() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    make_contract_views(&warehouse).await;
    let basic = basic(&warehouse, Role::Analytics);
    let login = ("Authorization", basic.as_str());
    for (path, query) in CLICKHOUSE_CONNECT {
        let answer = post(&format!("{}{path}", warehouse.url()), &[login], query).await;
        assert!(answer.is_ok(), "{query}: {answer:?}");
    }
    let ask = async |query: &str| post(warehouse.url(), &[login], query).await;
    let listed = |answer: String| answer.lines().map(str::to_owned).collect::<Vec<_>>();
    let views = listed(ask("SELECT name FROM system.tables WHERE database = 'qamtu' ORDER BY name").await.unwrap());
    assert!(views.contains(&"v_roll".to_owned()) && !views.contains(&"roll".to_owned()), "{views:?}");
    for query in [
        "SHOW TABLES FROM qamtu",
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'qamtu' ORDER BY table_name",
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'qamtu' ORDER BY table_name",
        "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'qamtu' ORDER BY TABLE_NAME",
    ] {
        assert_eq!(listed(ask(query).await.unwrap()), views, "{query}");
    }
    // A client that asks by GET, as browsers and BI tools do.
    let get = http::client().unwrap().get(format!("{}/?query=SELECT+currentUser()", warehouse.url())).header(login.0, login.1);
    assert_eq!(http::send(get).await.unwrap().text(), "qamtu_analytics\n");
}

/// `deploy/setup --test` installs the client. If it is missing, this prints a note, and fails in CI.
#[tokio::test]
async fn clickhouse_connect_lists_the_contract_views_and_reads_one() {
    let python = qamtu_devstack::cache_dir().unwrap().join("clickhouse-connect/bin/python");
    if !python.exists() {
        println!("NOT TESTED HERE: clickhouse-connect, which `deploy/setup --test` fetches");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{} is missing", python.display());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(dir.path()).await;
    make_contract_views(&warehouse).await;
    let script = "import os, clickhouse_connect\n\
                  client = clickhouse_connect.get_client(host='127.0.0.1', port=int(os.environ['PORT']), username='qamtu_analytics', \
                  password=os.environ['PASSWORD'], database='qamtu')\n\
                  print(client.command('SELECT currentUser()'))\n\
                  print(len(client.query('SHOW TABLES').result_rows))\n\
                  print(client.query('SELECT count() FROM v_attendance WHERE campaign = {c:String}', parameters={'c': 'x'}).result_rows)\n";
    let output = Command::new(python)
        .args(["-c", script])
        .env("PORT", warehouse.url().rsplit(':').next().unwrap())
        .env("PASSWORD", warehouse.login(Role::Analytics).password.expose_secret())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert_eq!(printed, format!("qamtu_analytics\n{}\n[(0,)]\n", CONTRACT_VIEWS.len()), "{}", String::from_utf8_lossy(&output.stderr));
}
