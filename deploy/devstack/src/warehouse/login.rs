//! The three users of a warehouse and their passwords. `folder.rs` stores the passwords.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The purpose of a connection; each role has only the rights it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// All rights, for migrations and tests.
    Admin,
    /// SELECT, INSERT and OPTIMIZE on every table.
    Projector,
    /// SELECT on the contract views and nothing else, `readonly = 1`, quota.
    Analytics,
}

impl Role {
    /// Every role, in the order of the logins.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Projector, Self::Analytics];

    /// Name of the role and of its password file; the user name has the prefix `qamtu_`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Projector => "projector",
            Self::Analytics => "analytics",
        }
    }
}

/// A user name with its password.
#[derive(Debug, Clone)]
pub struct Login {
    /// Name of the ClickHouse user.
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
    /// The three users of Qamtu, with the password of each role.
    pub(super) fn for_each_role<E>(password: impl Fn(Role) -> Result<SecretString, E>) -> Result<Self, E> {
        let login = |role: Role| Ok(Login { user: format!("qamtu_{}", role.name()), password: password(role)? });
        Ok(Self { admin: login(Role::Admin)?, projector: login(Role::Projector)?, analytics: login(Role::Analytics)? })
    }

    /// The single login of an external server, for every role.
    pub(super) fn shared(login: &Login) -> Self {
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
    /// A password of 244 random bits.
    pub(super) fn fresh_password() -> SecretString {
        format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).into()
    }

    /// Checks a password from a file; the error says what is wrong with it.
    pub(super) fn checked(password: &str) -> Result<SecretString, &'static str> {
        if password.chars().count() < 16 {
            return Err("holds fewer than 16 characters");
        }
        Ok(password.into())
    }

    /// The SHA-256 of the password in hexadecimal, for ClickHouse's `password_sha256_hex`.
    pub(super) fn password_sha256_hex(&self) -> String {
        Sha256::digest(self.password.expose_secret()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
