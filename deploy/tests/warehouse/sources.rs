//! No query can read or write a file outside the warehouse, connect to an address or start a process, by any feature of the engine.
//!
//! The lists of functions come from the engine itself, so that new ones of a later version are tested too. The queries run as the
//! administrator, who has the most rights and no quota. A file with a secret and a listener detect violations.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use qamtu_devstack::warehouse::{Role, Warehouse};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{admin, ask, options, start};

const SECRET: &str = "3b1f-a-pseudonym-key-9c0d";

/// A warehouse, a world-readable file outside it, and a listener that counts connections.
struct ExternalTargets {
    warehouse: Arc<Warehouse>,
    file: PathBuf,
    written: PathBuf,
    address: String,
    connections: Arc<AtomicUsize>,
    dir: TempDir,
}

impl ExternalTargets {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("campaign.key");
        std::fs::write(&file, SECRET).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        let warehouse = Arc::new(start(&dir.path().join("warehouse")).await);
        let written = dir.path().join("written");
        Self { warehouse, file, written, address, connections, dir }
    }

    /// Argument lists that a function or an engine could interpret as a file or an address.
    fn arguments(&self) -> Vec<String> {
        let (file, folder, address) = (self.file.display(), self.dir.path().display(), &self.address);
        let mut lists = Vec::new();
        for path in [file.to_string(), format!("file://{file}"), "/etc/passwd".into(), "/proc/self/environ".into(), folder.to_string()] {
            lists.extend([
                format!("'{path}'"),
                format!("'{path}', ''"),
                format!("'{path}', NULL"),
                format!("'LineAsString', '{path}'"),
                format!("'{path}', 'LineAsString'"),
                format!("'{path}', 'LineAsString', 'a String'"),
                format!("'{path}', 't'"),
            ]);
        }
        for url in [format!("http://{address}/bucket/key"), address.clone()] {
            lists.extend([
                format!("'{url}'"),
                format!("'{url}', 'LineAsString', 'a String'"),
                format!("'{url}', 'id', 'secret', 'LineAsString', 'a String'"),
                format!("'{url}', 'd', 't'"),
                format!("'{url}', 'd', 't', 'u', 'p'"),
                format!("'{url}', 'd', 't', 'u', 'p', 'a String'"),
                format!("'{url}', 't', 'g', 'LineAsString'"),
            ]);
        }
        lists.push("'id', 'LineAsString', 'a String'".to_owned());
        lists
    }

    /// Runs every query and fails if a result contains the secret or the system's accounts.
    async fn assert_no_leak(&self, queries: impl IntoIterator<Item = (Role, String)>) {
        let answers = futures::stream::iter(queries).map(|(role, query)| {
            let warehouse = Arc::clone(&self.warehouse);
            async move { (ask(&warehouse, role, &query).await.unwrap_or_else(|error| error), query) }
        });
        let mut answers = answers.buffer_unordered(8);
        let mut queries_run = 0;
        while let Some((answer, query)) = answers.next().await {
            let leaked = [SECRET, "root:x:0:0", "TZ=UTC"].iter().find(|word| answer.contains(**word) && !query.contains(**word));
            assert!(leaked.is_none(), "{query} returned: {}", answer.chars().take(300).collect::<String>());
            queries_run += 1;
        }
        assert!(queries_run > 0, "no query was run");
        assert_eq!(self.connections.load(Ordering::SeqCst), 0, "a connection was opened");
        assert!(!self.written.exists(), "a file was written");
        assert_eq!(admin(&self.warehouse, "SELECT 1").await, "1");
    }

    async fn names(&self, query: &str) -> Vec<String> {
        admin(&self.warehouse, query).await.lines().map(str::to_owned).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_function_reads_a_file() {
    let outside = ExternalTargets::start().await;
    let functions = outside.names("SELECT name FROM system.functions WHERE NOT is_aggregate").await;
    assert!(functions.len() > 1_000 && functions.iter().any(|name| name == "file"));
    let path = outside.file.display().to_string();
    let forms = [format!("'{path}'"), format!("'{path}', ''"), format!("materialize('{path}'), NULL")];
    let queries = functions.iter().flat_map(|name| forms.iter().map(move |form| (name.clone(), form)));
    // A result may contain the file's name (`upper`, `concat`), but not its content.
    let queries: Vec<_> = queries.map(|(name, form)| (Role::Admin, format!("SELECT `{name}`({form})"))).collect();
    outside.assert_no_leak(queries).await;
    // As every role, and in other positions than a result.
    let mut more = Vec::new();
    for role in Role::ALL {
        for path in [path.as_str(), "/etc/passwd", "/proc/self/environ", "campaign.key"] {
            more.push((role, format!("SELECT file('{path}')")));
            more.push((role, format!("SELECT throwIf(1, file('{path}'))")));
            more.push((role, format!("SELECT file(name, '') FROM (SELECT '{path}' AS name)")));
            more.push((role, format!("SELECT 1 SETTINGS log_comment = file('{path}')")));
            more.push((role, format!("WITH file('{path}') AS content SELECT length(content), substring(content, 1, 100)")));
        }
    }
    outside.assert_no_leak(more).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_table_function_reaches_outside() {
    let outside = ExternalTargets::start().await;
    let functions = outside.names("SELECT name FROM system.table_functions").await;
    assert!(functions.iter().any(|name| name == "url") && functions.iter().any(|name| name == "fileCluster"));
    let mut queries = Vec::new();
    for name in &functions {
        // These generate a given number of rows and take no string arguments.
        if name.starts_with("generate") || name.starts_with("numbers") || name.starts_with("zeros") || name == "primes" || name == "loop" {
            continue;
        }
        for arguments in outside.arguments() {
            queries.push((Role::Admin, format!("SELECT * FROM `{name}`({arguments}) LIMIT 10")));
            queries.push((Role::Admin, format!("SELECT * FROM `{name}`('default', {arguments}) LIMIT 10")));
        }
        let written = outside.written.display();
        queries.push((Role::Admin, format!("INSERT INTO FUNCTION `{name}`('{written}', 'LineAsString', 'a String') VALUES ('x')")));
    }
    outside.assert_no_leak(queries).await;
    // The other roles lack the rights, so their queries fail first.
    for role in [Role::Analytics, Role::Projector] {
        for function in [
            "url('http://127.0.0.1:1/', 'CSV', 'a String')",
            "s3('http://127.0.0.1:1/bucket/key', 'CSV', 'a String')",
            "remote('127.0.0.1:1', system.one)",
            "mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
            "postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
            "filesystem('/etc')",
        ] {
            let error = ask(&outside.warehouse, role, &format!("SELECT * FROM {function}")).await.expect_err(function);
            assert!(error.starts_with("Code: 497."), "{role:?} {function}: {error}");
        }
    }
    assert_eq!(ask(&outside.warehouse, Role::Analytics, "SELECT sum(number) FROM numbers(10)").await.unwrap(), "45\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_engine_of_a_table_or_a_database_reaches_outside() {
    let outside = ExternalTargets::start().await;
    admin(&outside.warehouse, "CREATE DATABASE made").await;
    let tables = outside.names("SELECT name FROM system.table_engines").await;
    let databases = outside.names("SELECT name FROM system.database_engines").await;
    assert!(tables.iter().any(|name| name == "URL") && databases.iter().any(|name| name == "Filesystem"));
    let mut made = Vec::new();
    for (number, (engine, arguments)) in
        tables.iter().flat_map(|engine| outside.arguments().into_iter().map(move |arguments| (engine, arguments))).enumerate()
    {
        made.push((
            format!("CREATE TABLE made.t{number} (a String) ENGINE = {engine}({arguments})"),
            format!("SELECT * FROM made.t{number}"),
        ));
        made.push((format!("CREATE TABLE made.u{number} ENGINE = {engine}({arguments})"), format!("SELECT * FROM made.u{number}")));
    }
    for (number, (engine, arguments)) in
        databases.iter().flat_map(|engine| outside.arguments().into_iter().map(move |arguments| (engine, arguments))).enumerate()
    {
        let read = format!("SELECT * FROM d{number}.`campaign.key`");
        made.push((format!("CREATE DATABASE d{number} ENGINE = {engine}({arguments})"), read));
    }
    let (make, read): (Vec<_>, Vec<_>) = made.into_iter().map(|(make, read)| ((Role::Admin, make), (Role::Admin, read))).unzip();
    outside.assert_no_leak(make).await;
    outside.assert_no_leak(read).await;
    let engines = "SELECT DISTINCT engine FROM system.tables WHERE database = 'made'";
    for engine in outside.names(engines).await {
        assert!(engine.ends_with("MergeTree") || ["Memory", "Null", "View"].contains(&engine.as_str()), "a table of {engine} was made");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_reads_writes_or_starts_what_is_outside() {
    let outside = ExternalTargets::start().await;
    let (file, written, address) = (outside.file.display(), outside.written.display(), &outside.address);
    let passwords = outside.dir.path().join("warehouse/passwords/admin");
    for statement in ["CREATE DATABASE made", "CREATE TABLE made.lines (a String) ENGINE = MergeTree ORDER BY a"] {
        admin(&outside.warehouse, statement).await;
    }
    let mut statements = vec![
        format!("SELECT 1 INTO OUTFILE '{written}'"),
        format!("BACKUP DATABASE made TO File('{written}')"),
        format!("BACKUP DATABASE made TO Disk('default', '{written}')"),
        format!("BACKUP DATABASE made TO S3('http://{address}/b', 'i', 's')"),
        format!("RESTORE DATABASE made FROM File('{file}')"),
        format!("ATTACH TABLE made.there FROM '{}' (a String) ENGINE = MergeTree ORDER BY a", outside.dir.path().display()),
        format!("CREATE FUNCTION mine AS (x) -> file('{file}')"),
        "CREATE NAMED COLLECTION mine AS url = 'x'".to_owned(),
        format!("SELECT * FROM made.lines FORMAT Protobuf SETTINGS format_schema = '{file}:M'"),
        format!("INSERT INTO made.lines SETTINGS format_schema = '{file}:M' FORMAT CapnProto x"),
        format!("SELECT * FROM format('Protobuf', 'x') SETTINGS format_schema = '{file}:M'"),
        format!("SELECT 1 FORMAT Template SETTINGS format_template_resultset = '{file}', format_template_row = '{file}'"),
        format!("SELECT catboostEvaluate('{file}', 1.0)"),
        format!("CREATE TABLE made.disk (a String) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = local, path = '{written}/')"),
        format!(
            "CREATE TABLE made.web (a String) ENGINE = MergeTree ORDER BY a SETTINGS disk = disk(type = web, endpoint = 'http://{address}/')"
        ),
        format!("CREATE TABLE made.away (a String) ENGINE = MergeTree ORDER BY a TTL now() + INTERVAL 1 DAY TO DISK '{written}'"),
        format!("ALTER TABLE made.lines FETCH PARTITION tuple() FROM '/{address}'"),
        "SYSTEM RELOAD CONFIG".to_owned(),
    ];
    for source in [
        format!("FILE(PATH '{file}' FORMAT 'LineAsString')"),
        format!("HTTP(URL 'http://{address}/' FORMAT 'LineAsString')"),
        "EXECUTABLE(COMMAND 'id' FORMAT 'LineAsString')".to_owned(),
        format!("CLICKHOUSE(HOST '127.0.0.1' PORT {} TABLE 'one' DB 'system')", address.rsplit(':').next().unwrap()),
    ] {
        let name = format!("made.names_{}", source.split('(').next().unwrap());
        statements
            .push(format!("CREATE DICTIONARY {name} (a String) PRIMARY KEY a SOURCE({source}) LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(0)"));
        statements.push(format!("SELECT * FROM {name}"));
    }
    for path in [file.to_string(), "/etc/passwd".into(), "/proc/1/environ".into(), passwords.display().to_string()] {
        statements.push(format!("INSERT INTO made.lines FROM INFILE '{path}' FORMAT LineAsString"));
    }
    statements.push("SELECT * FROM made.lines".to_owned());
    let queries: Vec<_> = statements.iter().flat_map(|text| [Role::Admin, Role::Projector].map(|role| (role, text.clone()))).collect();
    outside.assert_no_leak(queries).await;
    assert_eq!(admin(&outside.warehouse, "SELECT count() FROM made.lines").await, "0", "a file was read into a table");
}

#[tokio::test]
async fn the_serving_process_has_no_secrets_and_no_unneeded_rights() {
    let dir = tempfile::tempdir().unwrap();
    let warehouse = start(&dir.path().join("warehouse")).await;
    let pid = warehouse.pid().unwrap();
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    let names: Vec<&str> = environment.split_terminator('\0').map(|pair| pair.split('=').next().unwrap()).collect();
    assert_eq!(names, ["JE_MALLOC_CONF", "TZ"]);
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let fields: BTreeMap<&str, &str> =
        status.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name, value.trim())).collect();
    assert_ne!(fields["Uid"].split_whitespace().next(), Some("0"), "it runs as root");
    assert_eq!(fields["CapEff"], "0000000000000000");
    assert_eq!(fields["NoNewPrivs"], "1");
    assert_eq!(warehouse.gaps(), [] as [&str; 0], "this machine cannot confine a process; run the tests on Linux 6.12 or newer");
}

#[tokio::test]
async fn only_the_owner_can_access_the_files_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("warehouse");
    let warehouse = start(&root).await;
    admin(&warehouse, "CREATE TABLE rows (id UInt64) ENGINE = MergeTree ORDER BY id").await;
    admin(&warehouse, "INSERT INTO rows VALUES (1)").await;
    let mut folders = vec![root];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o077, 0, "{}", folder.display());
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // A merge may have removed it meanwhile.
            let Ok(metadata) = std::fs::symlink_metadata(&path) else { continue };
            if metadata.is_dir() {
                folders.push(path);
            } else if !metadata.is_symlink() {
                assert_eq!(metadata.mode() & 0o077, 0, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 10, "{files} files");
}

#[tokio::test]
async fn a_folder_that_only_root_can_traverse_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    restrict(&closed);
    let beside = closed.join("campaign.key");
    std::fs::write(&beside, SECRET).unwrap();
    let root = closed.join("deep/down/warehouse");
    let warehouse = Warehouse::start(options(&root)).await.unwrap();
    admin(&warehouse, "CREATE TABLE rows (id UInt64) ENGINE = MergeTree ORDER BY id").await;
    admin(&warehouse, "INSERT INTO rows VALUES (7)").await;
    warehouse.stop().await;
    let warehouse = Warehouse::start(options(&root)).await.unwrap();
    assert_eq!(admin(&warehouse, "SELECT sum(id) FROM rows").await, "7");
    assert_eq!(std::fs::read_to_string(beside).unwrap(), SECRET);
}

fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
}
