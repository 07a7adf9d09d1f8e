//! Fills in the server configuration and the users (`deploy/clickhouse/*.xml`). Pure: paths, numbers and hashes in, text out.
//! Guarantees that no word in double braces is left and that a path cannot break out of its element.

use std::path::Path;

use super::login::{Logins, Role};
use super::source::Program;

const CONFIG: &str = include_str!("../../clickhouse/config.xml");
const USERS: &str = include_str!("../../clickhouse/users.xml");
/// The user without a password that the engine's own start command logs in as. A server has no need of it.
const DOOR_USER: &str = include_str!("../../clickhouse/door_user.xml");

/// Memory that the process takes beside what ClickHouse counts: the library's code (210 MB) and freed pages not given back yet,
/// which are more when other programs keep the processors busy (160 MB seen).
const UNCOUNTED_MB: u64 = 450;
/// Less than this and ClickHouse cannot merge its tables.
pub(super) const MEMORY_MIN_MB: u64 = 700;

/// What the configuration depends on.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    /// Folder of the tables.
    pub(super) data: &'a Path,
    /// Folder of ClickHouse's own log files.
    pub(super) logs: &'a Path,
    /// Where the users file is.
    pub(super) users: &'a Path,
    /// The HTTP port on 127.0.0.1.
    pub(super) http_port: u16,
    /// Memory of the whole process, at least [`MEMORY_MIN_MB`].
    pub(super) memory_max_mb: u64,
    /// What reads the configuration.
    pub(super) program: &'a Program,
    /// Whose hashes go into the users file.
    pub(super) logins: &'a Logins,
}

impl Settings<'_> {
    /// The text of the server configuration file.
    pub(super) fn config(&self) -> String {
        fill(
            CONFIG,
            &[
                ("http_port", &self.http_port.to_string()),
                ("data", &escaped(self.data)),
                ("logs", &escaped(self.logs)),
                ("users", &escaped(self.users)),
                ("memory_bytes", &self.memory_bytes().to_string()),
            ],
        )
    }

    /// The text of the users file.
    pub(super) fn users(&self) -> String {
        let door_user = match self.program {
            Program::Engine(_) => DOOR_USER,
            Program::Binary(_) => "",
        };
        let hash = |role| self.logins.of(role).password_sha256_hex();
        fill(
            USERS,
            &[
                ("door_user", door_user),
                // One query leaves room for a merge and for another one.
                ("query_memory_bytes", &(self.memory_bytes() / 4 * 3).to_string()),
                ("admin_sha256", &hash(Role::Admin)),
                ("projector_sha256", &hash(Role::Projector)),
                ("analytics_sha256", &hash(Role::Analytics)),
            ],
        )
    }

    fn memory_bytes(&self) -> u64 {
        self.memory_max_mb.max(MEMORY_MIN_MB).saturating_sub(UNCOUNTED_MB).saturating_mul(1_000_000)
    }
}

/// Puts values in the place of `{{name}}`.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

/// A path as XML text.
fn escaped(path: &Path) -> String {
    path.display().to_string().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(program: &Program) -> (String, String) {
        let logins = Logins::fresh();
        let settings = Settings {
            data: Path::new("/w/a & b/data"),
            logs: Path::new("/w/logs"),
            users: Path::new("/w/users.xml"),
            http_port: 18_123,
            memory_max_mb: 1_600,
            program,
            logins: &logins,
        };
        (settings.config(), settings.users())
    }

    #[test]
    fn every_blank_is_filled_in_and_paths_are_escaped() {
        let (config, users) = rendered(&Program::Engine("/cache/libchdb.so".into()));
        assert!(!config.contains("{{") && !users.contains("{{"), "{config}{users}");
        assert!(config.contains("<path>/w/a &amp; b/data/</path>"));
        assert!(config.contains("<http_port>18123</http_port>"));
        assert!(config.contains("<max_server_memory_usage>1150000000</max_server_memory_usage>"));
        assert!(users.contains("<max_memory_usage>862500000</max_memory_usage>"));
    }

    #[test]
    fn only_the_engine_gets_a_user_without_a_password() {
        let (_, engine) = rendered(&Program::Engine("/cache/libchdb.so".into()));
        let (_, server) = rendered(&Program::Binary("/usr/bin/clickhouse".into()));
        assert!(engine.contains("<password></password>"));
        assert!(!server.contains("<password></password>") && !server.contains("<default>\n            <password"));
        assert_eq!(server.matches("<password_sha256_hex>").count(), 3);
    }

    #[test]
    fn a_password_is_nowhere_in_the_files() {
        use secrecy::ExposeSecret;
        let logins = Logins::fresh();
        let program = Program::Binary("/usr/bin/clickhouse".into());
        let settings = Settings {
            data: Path::new("/d"),
            logs: Path::new("/l"),
            users: Path::new("/u"),
            http_port: 1,
            memory_max_mb: 0,
            program: &program,
            logins: &logins,
        };
        for role in [Role::Admin, Role::Projector, Role::Analytics] {
            let password = logins.of(role).password.expose_secret();
            assert!(!settings.users().contains(password) && !settings.config().contains(password));
        }
    }
}
