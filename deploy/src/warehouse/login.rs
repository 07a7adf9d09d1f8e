//! The three users of a warehouse and their passwords, made anew at every start and kept in memory only.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What a connection is for; each has the rights it needs and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything, for migrations and tests.
    Admin,
    /// SELECT, INSERT, OPTIMIZE and dictionaries on every table.
    Projector,
    /// SELECT and dictionaries, `readonly = 1`, no table functions that reach outside, quota.
    Analytics,
}

/// A user name with its password.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password; not shown by `Debug`.
    pub password: SecretString,
}

/// One login per [`Role`].
#[derive(Debug, Clone)]
pub(super) struct Logins {
    admin: Login,
    projector: Login,
    analytics: Login,
}

impl Logins {
    /// Our three users, each with a fresh password of 244 random bits.
    pub(super) fn fresh() -> Self {
        let login = |user: &str| Login {
            user: user.to_owned(),
            password: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).into(),
        };
        Self { admin: login("qamtu_admin"), projector: login("qamtu_projector"), analytics: login("qamtu_analytics") }
    }

    /// The one login of a server that is not ours, for every role.
    pub(super) fn same(login: &Login) -> Self {
        Self { admin: login.clone(), projector: login.clone(), analytics: login.clone() }
    }

    /// The login for a role.
    pub(super) fn of(&self, role: Role) -> &Login {
        match role {
            Role::Admin => &self.admin,
            Role::Projector => &self.projector,
            Role::Analytics => &self.analytics,
        }
    }
}

impl Login {
    /// The SHA-256 of the password in hexadecimal, as ClickHouse's `password_sha256_hex` wants it.
    pub(super) fn password_sha256_hex(&self) -> String {
        Sha256::digest(self.password.expose_secret()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
