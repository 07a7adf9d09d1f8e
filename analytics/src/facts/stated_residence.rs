//! What a person states about age and residence, encoded in one string column of the attendance query: a letter, then a code.
//!
//! The query writes the column with [`sql`], the calculation reads it with [`StatedResidence::parse`].

const OUTSIDE: &str = "x";
const PRECINCT_OF_ADULT: &str = "p";
const PRECINCT: &str = "P";
const UNIT_OF_ADULT: &str = "u";
const UNIT: &str = "U";

/// What a person states about age and residence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatedResidence<'a> {
    /// No residence. An adult without a residence is not distinguished.
    Unstated,
    /// A minor, or a resident of another region.
    Outside,
    /// A resident of a precinct.
    Precinct {
        /// Id of the precinct; it may be undefined.
        id: &'a str,
        /// Whether the person states to be an adult; else the age is not stated.
        is_adult: bool,
    },
    /// A resident of a unit who states no precinct.
    Unit {
        /// Code of the unit; it may be undefined.
        code: &'a str,
        /// Whether the person states to be an adult; else the age is not stated.
        is_adult: bool,
    },
}

impl<'a> StatedResidence<'a> {
    /// Reads the column; a letter that the query does not write counts as outside.
    pub fn parse(column: &'a str) -> Self {
        match column.split_at_checked(1) {
            None => Self::Unstated,
            Some((PRECINCT_OF_ADULT, id)) => Self::Precinct { id, is_adult: true },
            Some((PRECINCT, id)) => Self::Precinct { id, is_adult: false },
            Some((UNIT_OF_ADULT, code)) => Self::Unit { code, is_adult: true },
            Some((UNIT, code)) => Self::Unit { code, is_adult: false },
            Some(_) => Self::Outside,
        }
    }
}

/// The expression of the column over `v_attendance_events`.
pub(super) fn sql() -> String {
    let with_code = |adult: &str, other: &str| format!("concat(if(toString(adult) = 'yes', '{adult}', '{other}'), toString(residence))");
    format!(
        "multiIf(toString(adult) = 'no' OR toString(residence_kind) = 'outside', '{OUTSIDE}', \
         toString(residence_kind) = 'precinct', {}, toString(residence_kind) = 'unit', {}, '')",
        with_code(PRECINCT_OF_ADULT, PRECINCT),
        with_code(UNIT_OF_ADULT, UNIT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_is_read_as_it_is_written() {
        let stated = ["", "x", "pA-1", "PA-1", "uA", "UA", "?"].map(StatedResidence::parse);
        let (id, code) = ("A-1", "A");
        assert_eq!(
            stated,
            [
                StatedResidence::Unstated,
                StatedResidence::Outside,
                StatedResidence::Precinct { id, is_adult: true },
                StatedResidence::Precinct { id, is_adult: false },
                StatedResidence::Unit { code, is_adult: true },
                StatedResidence::Unit { code, is_adult: false },
                StatedResidence::Outside,
            ]
        );
        assert!(["'x'", "'p', 'P'", "'u', 'U'"].iter().all(|letters| sql().contains(letters)));
    }
}
