//! Error codes of ClickHouse. Its client passes on the text of a response, which begins with the code.

/// Error code of a ClickHouse server, from the table `system.errors`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClickHouseCode(u32);

impl ClickHouseCode {
    const UNKNOWN_USER: Self = Self(192);
    const WRONG_PASSWORD: Self = Self(193);
    const REQUIRED_PASSWORD: Self = Self(194);
    const AUTHENTICATION_FAILED: Self = Self(516);

    /// The code of a response; none if there was no response.
    pub(super) fn of(error: &clickhouse::error::Error) -> Option<Self> {
        let clickhouse::error::Error::BadResponse(response) = error else { return None };
        let (_, code) = response.split_once("Code: ")?;
        code.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok().map(Self)
    }

    /// Whether the server refuses the user name or the password.
    pub(super) fn is_access_denied(self) -> bool {
        [Self::UNKNOWN_USER, Self::WRONG_PASSWORD, Self::REQUIRED_PASSWORD, Self::AUTHENTICATION_FAILED].contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use clickhouse::error::Error;

    use super::*;

    #[test]
    fn the_code_is_the_first_number_of_a_response() {
        let code = |response: &str| ClickHouseCode::of(&Error::BadResponse(response.to_owned()));
        let refused = code("Code: 516. DB::Exception: qamtu: Authentication failed: Code: 60. (AUTHENTICATION_FAILED)");
        assert_eq!(refused, Some(ClickHouseCode::AUTHENTICATION_FAILED));
        assert!(refused.is_some_and(ClickHouseCode::is_access_denied));
        assert_eq!(code("Code: 60"), Some(ClickHouseCode(60)));
        assert!(!ClickHouseCode(60).is_access_denied());
        assert_eq!(code("502 Bad Gateway"), None);
        assert_eq!(ClickHouseCode::of(&Error::TimedOut), None);
    }
}
