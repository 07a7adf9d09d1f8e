//! Errors of ClickHouse by their codes, and whether a retry may help.
//!
//! An error with an unknown code, or without one, counts as transient, with an unknown outcome; only the listed codes are permanent. No
//! decision depends on the rest of a message. Messages of the server are shortened, and runs of digits that may be a national id are masked.

use qamtu_service::telemetry::error_chain;

/// Maximum characters of an error message.
const ERROR_MAX_CHARS: usize = 600;

/// An error of the warehouse.
#[derive(Debug, thiserror::Error)]
pub enum ClickhouseError {
    /// The server returned an error, did not respond, or could not be reached.
    #[error("{action}")]
    Server {
        /// What the request was for.
        action: &'static str,
        /// ClickHouse's error code; `None` if the server sent none.
        code: Option<u32>,
        /// Error of the client library.
        #[source]
        source: Box<clickhouse::error::Error>,
    },
    /// Server, schema or login do not meet the requirements of the projector.
    #[error("{0}")]
    Misconfigured(String),
}

const UNKNOWN_TABLE: u32 = 60;
const UNKNOWN_DATABASE: u32 = 81;
const UNKNOWN_USER: u32 = 192;
const WRONG_PASSWORD: u32 = 193;
const REQUIRED_PASSWORD: u32 = 194;
const ACCESS_DENIED: u32 = 497;
const AUTHENTICATION_FAILED: u32 = 516;

/// Codes of errors that a retry cannot fix: somebody must change tables, rights or settings.
const PERMANENT: &[u32] = &[
    16, // NO_SUCH_COLUMN_IN_TABLE
    20, // NUMBER_OF_COLUMNS_DOESNT_MATCH
    36, // BAD_ARGUMENTS
    46, // UNKNOWN_FUNCTION
    47, // UNKNOWN_IDENTIFIER
    48, // NOT_IMPLEMENTED
    50, // UNKNOWN_TYPE
    53, // TYPE_MISMATCH
    57, // TABLE_ALREADY_EXISTS
    UNKNOWN_TABLE,
    62, // SYNTAX_ERROR
    70, // CANNOT_CONVERT_TYPE
    73, // UNKNOWN_FORMAT
    UNKNOWN_DATABASE,
    115, // UNKNOWN_SETTING
    117, // INCORRECT_DATA
    UNKNOWN_USER,
    WRONG_PASSWORD,
    REQUIRED_PASSWORD,
    195, // IP_ADDRESS_NOT_ALLOWED
    291, // DATABASE_ACCESS_DENIED
    452, // SETTING_CONSTRAINT_VIOLATION
    ACCESS_DENIED,
    AUTHENTICATION_FAILED,
];

/// Codes of transient errors: the server is overloaded, full, read-only or shutting down.
const TRANSIENT: &[u32] = &[
    3,   // UNEXPECTED_END_OF_FILE
    107, // FILE_DOESNT_EXIST
    159, // TIMEOUT_EXCEEDED
    164, // READONLY
    202, // TOO_MANY_SIMULTANEOUS_QUERIES
    203, // NO_FREE_CONNECTION
    209, // SOCKET_TIMEOUT
    210, // NETWORK_ERROR
    241, // MEMORY_LIMIT_EXCEEDED
    242, // TABLE_IS_READ_ONLY
    243, // NOT_ENOUGH_SPACE
    252, // TOO_MANY_PARTS
    285, // TOO_FEW_LIVE_REPLICAS
    319, // UNKNOWN_STATUS_OF_INSERT
    394, // QUERY_WAS_CANCELLED
    425, // SYSTEM_ERROR
    999, // KEEPER_EXCEPTION
];

impl ClickhouseError {
    pub(super) fn of(action: &'static str, source: clickhouse::error::Error) -> Self {
        Self::Server { action, code: code(&source), source: Box::new(source) }
    }

    /// ClickHouse's error code; `None` if the server sent none.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Server { code, .. } => *code,
            Self::Misconfigured(_) => None,
        }
    }

    /// Whether the database does not exist.
    pub fn is_unknown_database(&self) -> bool {
        self.code() == Some(UNKNOWN_DATABASE)
    }

    /// Whether the table does not exist.
    pub fn is_unknown_table(&self) -> bool {
        self.code() == Some(UNKNOWN_TABLE)
    }

    /// Whether the server rejects the user name or the password.
    pub fn is_login_rejected(&self) -> bool {
        matches!(self.code(), Some(UNKNOWN_USER | WRONG_PASSWORD | REQUIRED_PASSWORD | AUTHENTICATION_FAILED))
    }

    /// Whether the user lacks a right.
    pub fn is_access_denied(&self) -> bool {
        self.code() == Some(ACCESS_DENIED)
    }

    /// Whether a retry may help.
    pub fn is_transient(&self) -> bool {
        use clickhouse::error::Error as Client;
        match self {
            Self::Misconfigured(_) => false,
            Self::Server { code, source, .. } => match source.as_ref() {
                Client::Network(_) | Client::TimedOut | Client::Other(_) => true,
                Client::BadResponse(_) => code.is_none_or(|code| !PERMANENT.contains(&code)),
                // All others are errors of encoding or decoding, which a retry repeats.
                _ => false,
            },
        }
    }

    /// Whether the server rejects the statement itself: the error is permanent and not about rights.
    pub fn is_statement_error(&self) -> bool {
        self.code().is_some_and(|code| code != ACCESS_DENIED && !TRANSIENT.contains(&code))
    }

    /// Value of the metric label `kind`, from a closed set.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Misconfigured(_) => "misconfigured",
            Self::Server { source, .. } => match source.as_ref() {
                clickhouse::error::Error::Network(_) => "network",
                clickhouse::error::Error::TimedOut => "timeout",
                clickhouse::error::Error::BadResponse(_) => "refused",
                _ => "client",
            },
        }
    }

    /// The error with its causes on one line, shortened, and without numbers that may be national ids.
    pub fn chain(&self) -> String {
        let line: String = error_chain(self).chars().map(|c| if c.is_control() { ' ' } else { c }).take(ERROR_MAX_CHARS).collect();
        qamtu_schemas::text::redact(&line)
    }
}

/// The error code of a response: the number in `Code: 241. DB::Exception: ...`, or the whole text if the body of the response was empty and
/// the client library returns the header `X-ClickHouse-Exception-Code` instead.
fn code(error: &clickhouse::error::Error) -> Option<u32> {
    let clickhouse::error::Error::BadResponse(text) = error else { return None };
    let code = match text.strip_prefix("Code: ") {
        Some(rest) => rest.split_once('.')?.0,
        None => text,
    };
    code.parse().ok()
}

#[cfg(test)]
mod tests {
    use clickhouse::error::Error as Client;

    use super::*;

    fn bad_response(text: &str) -> ClickhouseError {
        ClickhouseError::of("testing", Client::BadResponse(text.to_owned()))
    }

    #[test]
    fn error_codes_are_parsed_and_classified() {
        let memory = bad_response("Code: 241. DB::Exception: Memory limit (total) exceeded (MEMORY_LIMIT_EXCEEDED)");
        assert_eq!((memory.code(), memory.is_transient()), (Some(241), true));
        let denied = bad_response("Code: 497. DB::Exception: qamtu_projector: Not enough privileges");
        assert_eq!((denied.code(), denied.is_transient()), (Some(497), false));
        assert_eq!(bad_response("497").code(), Some(497));
        for other in ["502 Bad Gateway", "the proxy says: Code: 497. DB::Exception: x"] {
            let proxy = bad_response(other);
            assert_eq!((proxy.code(), proxy.is_transient()), (None, true));
        }
        assert!(ClickhouseError::of("testing", Client::TimedOut).is_transient());
        for transient in TRANSIENT {
            let error = bad_response(&format!("Code: {transient}. DB::Exception: x"));
            assert!(error.is_transient() && !error.is_statement_error(), "{transient}");
        }
        assert!(bad_response("Code: 184. DB::Exception: x").is_statement_error());
    }

    #[test]
    fn a_message_is_one_short_line_without_national_ids() {
        let chain = bad_response(&format!("Code: 27. DB::Exception: row 1\n850615101233 {}", "x".repeat(5000))).chain();
        assert!(!chain.contains('\n') && !chain.contains("850615101233") && chain.len() < 700, "{chain}");
    }
}
