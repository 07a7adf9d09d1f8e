//! Renders the templates of the server configuration and of the users file (`deploy/devstack/clickhouse/*.xml`), without I/O.
//! Every placeholder in double braces is replaced, and paths are escaped for XML.

use std::path::Path;

use super::layout::Layout;
use super::login::{Logins, Role};
use super::source::ServerProgram;
use crate::error::DevstackError;

const CONFIG: &str = include_str!("../../clickhouse/config.xml");
const USERS: &str = include_str!("../../clickhouse/users.xml");
/// The user without a password that the engine's start command logs in as. A server does not need it.
const START_USER: &str = include_str!("../../clickhouse/start_user.xml");

const KAFKA_GRANT: &str =
    "                <query>GRANT READ ON KAFKA</query>\n                <query>GRANT TABLE ENGINE ON Kafka</query>\n";
/// The views that analytics may read: those that `projector/tables/README.md` marks as contract.
pub const CONTRACT_VIEWS: [&str; 18] = [
    "v_contiguous_offsets",
    "v_meeting_events",
    "v_reference_events",
    "v_attendance_events",
    "v_attendance_retractions",
    "v_reversed_imports",
    "v_consents",
    "v_attendance",
    "v_roll_versions",
    "v_roll",
    "v_other_events",
    "v_events",
    "v_records",
    "v_rejected",
    "v_conflicts",
    "v_references",
    "v_dangling_references",
    "v_lookalike_meetings",
];

/// Memory of the process that ClickHouse does not count: the library's code (210 MB) and freed pages not returned yet, which are
/// more when other programs keep the processors busy (350 MB observed).
const UNCOUNTED_MB: u64 = 580;
/// With less memory ClickHouse cannot merge its tables.
pub(super) const MEMORY_MIN_MB: u64 = 700;

/// Values for the placeholders of both files.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    pub(super) layout: &'a Layout,
    /// The databases whose contract views analytics reads.
    pub(super) databases: &'a [String],
    /// Whether ClickHouse itself may read Kafka.
    pub(super) kafka_engine: bool,
    pub(super) http_port: u16,
    /// Memory of the whole process, at least [`MEMORY_MIN_MB`].
    pub(super) memory_max_mb: u64,
    pub(super) program: &'a ServerProgram,
    /// The logins whose password hashes go into the users file.
    pub(super) logins: &'a Logins,
}

impl Settings<'_> {
    /// The text of the server configuration file.
    pub(super) fn config(&self) -> String {
        fill(
            CONFIG,
            &[
                ("http_port", &self.http_port.to_string()),
                ("data", &escaped(&self.layout.data())),
                ("logs", &escaped(&self.layout.logs())),
                ("users", &escaped(&self.layout.users())),
                ("memory_bytes", &self.memory_bytes().to_string()),
            ],
        )
    }

    /// The text of the users file.
    pub(super) fn users(&self) -> String {
        Users {
            start_user: match self.program {
                ServerProgram::Engine(_) => START_USER,
                ServerProgram::Binary(_) => "",
            },
            clients: "127.0.0.1",
            // A quarter remains for a merge and another query.
            query_memory_bytes: self.memory_bytes() / 4 * 3,
            databases: self.databases,
            kafka_engine: self.kafka_engine,
            logins: self.logins,
        }
        .file()
    }

    fn memory_bytes(&self) -> u64 {
        self.memory_max_mb.max(MEMORY_MIN_MB).saturating_sub(UNCOUNTED_MB).saturating_mul(1_000_000)
    }
}

/// Values for the placeholders of the users file.
struct Users<'a> {
    start_user: &'a str,
    clients: &'a str,
    query_memory_bytes: u64,
    databases: &'a [String],
    kafka_engine: bool,
    logins: &'a Logins,
}

impl Users<'_> {
    fn file(&self) -> String {
        let hash = |role| self.logins.of(role).password_sha256_hex();
        fill(
            USERS,
            &[
                ("start_user", self.start_user),
                ("clients", self.clients),
                ("query_memory_bytes", &self.query_memory_bytes.to_string()),
                ("admin_sha256", &hash(Role::Admin)),
                ("projector_sha256", &hash(Role::Projector)),
                ("analytics_sha256", &hash(Role::Analytics)),
                ("kafka_grant", if self.kafka_engine { KAFKA_GRANT } else { "" }),
                ("contract_grants", &self.contract_grants()),
            ],
        )
    }

    /// One line for each contract view of each database.
    fn contract_grants(&self) -> String {
        let grant = |database: &String, view: &str| format!("                <query>GRANT SELECT ON {database}.{view}</query>\n");
        self.databases.iter().flat_map(|database| CONTRACT_VIEWS.iter().map(move |view| grant(database, view))).collect()
    }
}

/// The users file for an external server: clients from any address; the server's own memory limit per query applies.
pub(super) fn server_users(logins: &Logins, databases: &[String]) -> String {
    let start_user = "        <!-- The user that images and packages make, without a password. -->\n        <default remove=\"remove\"/>\n";
    Users { start_user, clients: "::/0", query_memory_bytes: 0, databases, kafka_engine: false, logins }.file()
}

/// Refuses names with other characters, since the names become part of GRANT statements.
pub(super) fn check_databases(names: &[String]) -> Result<(), DevstackError> {
    let is_name = |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match names.iter().find(|name| !is_name(name)) {
        None => Ok(()),
        Some(name) => {
            let reason = format!("`{name}` is no name of a database; use letters, digits and underscores");
            Err(DevstackError::Configuration { name: "--database", reason })
        }
    }
}

/// Replaces each `{{name}}` by its value.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

fn escaped(path: &Path) -> String {
    path.display().to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::login::Login;
    use super::*;
    use std::collections::BTreeSet;

    fn logins() -> Logins {
        Logins::for_each_role(|_| Ok::<_, ()>(Login::fresh_password())).unwrap()
    }

    fn rendered(program: &ServerProgram, logins: &Logins) -> (String, String) {
        let settings = Settings {
            layout: &Layout::new("/w/a & b"),
            databases: &["qamtu".to_owned(), "other".to_owned()],
            kafka_engine: false,
            http_port: 18_123,
            memory_max_mb: 1_600,
            program,
            logins,
        };
        (settings.config(), settings.users())
    }

    #[test]
    fn analytics_may_read_exactly_the_views_that_are_marked_as_contract() {
        let readme = include_str!("../../../../projector/tables/README.md");
        let rows =
            readme.lines().filter(|line| line.starts_with("| `v_") && line.split('|').nth(2).is_some_and(|cell| cell.contains("contract")));
        let marked: BTreeSet<&str> = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2)).collect();
        assert_eq!(marked, BTreeSet::from(CONTRACT_VIEWS));
        let (_, users) = rendered(&ServerProgram::Engine("/cache/libchdb.so".into()), &logins());
        for view in CONTRACT_VIEWS {
            assert!(users.contains(&format!("<query>GRANT SELECT ON qamtu.{view}</query>")), "{users}");
            assert!(users.contains(&format!("<query>GRANT SELECT ON other.{view}</query>")), "{users}");
        }
    }

    #[test]
    fn every_placeholder_is_replaced_and_paths_are_escaped() {
        let (config, users) = rendered(&ServerProgram::Engine("/cache/libchdb.so".into()), &logins());
        assert!(!config.contains("{{") && !users.contains("{{"), "{config}{users}");
        assert!(config.contains("<path>/w/a &amp; b/data/</path>"));
        assert!(config.contains("<http_port>18123</http_port>"));
        assert!(config.contains("<max_server_memory_usage>1020000000</max_server_memory_usage>"));
        assert!(users.contains("<max_memory_usage>765000000</max_memory_usage>"));
    }

    #[test]
    fn only_the_engine_gets_a_user_without_a_password() {
        let (_, engine) = rendered(&ServerProgram::Engine("/cache/libchdb.so".into()), &logins());
        let (_, server) = rendered(&ServerProgram::Binary("/usr/bin/clickhouse".into()), &logins());
        assert!(engine.contains("<password></password>"));
        assert!(!server.contains("<password></password>") && !server.contains("<default>\n            <password"));
        assert_eq!(server.matches("<password_sha256_hex>").count(), 3);
    }

    #[test]
    fn a_server_of_the_users_gets_the_same_users_without_one_that_has_no_password() {
        let logins = logins();
        let users = server_users(&logins, &["qamtu".to_owned()]);
        assert!(!users.contains("{{") && !users.contains("<password></password>"), "{users}");
        assert!(users.contains("<default remove=\"remove\"/>") && users.contains("<ip>::/0</ip>"));
        assert!(users.contains(&logins.of(Role::Analytics).password_sha256_hex()));
        assert_eq!(users.matches("GRANT SELECT ON qamtu.v_").count(), CONTRACT_VIEWS.len());
        assert!(check_databases(&["qamtu".to_owned()]).is_ok());
        let error = check_databases(&["qamtu.log TO x; --".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("--database") && error.contains("no name of a database"), "{error}");
    }

    #[test]
    fn a_password_is_nowhere_in_the_files() {
        use secrecy::ExposeSecret;
        let logins = logins();
        let (config, users) = rendered(&ServerProgram::Binary("/usr/bin/clickhouse".into()), &logins);
        for role in Role::ALL {
            let password = logins.of(role).password.expose_secret();
            assert!(!users.contains(password) && !config.contains(password));
        }
    }
}
