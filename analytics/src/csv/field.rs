//! A field of a CSV file, in two dialects.
//!
//! Guarantees: a number is written as a number or not at all. Texts that a spreadsheet would evaluate as a formula get an apostrophe.

use crate::cell::Cell;

/// Delimiter of fields and decimal separator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Commas between fields and a point in decimals: for programs.
    #[default]
    Comma,
    /// Semicolons between fields and a comma in decimals: what spreadsheets expect in Kazakh and Russian.
    Semicolon,
}

/// A field of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field {
    /// It does not apply to the row.
    #[default]
    Empty,
    /// A name, a code or a date.
    Text(String),
    /// A whole number, written without separators.
    Count(u64),
    /// A percentage, in hundredths of a percent.
    Percent(u64),
    /// Withheld to protect people.
    Withheld,
    /// Unknown, since the data it follows from is missing.
    Unknown,
}

impl From<u64> for Field {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<Cell> for Field {
    fn from(cell: Cell) -> Self {
        cell.shown().map_or(Self::Withheld, Self::Count)
    }
}

/// Puts an apostrophe before everything that a spreadsheet would evaluate as a formula: at the start, and after a delimiter, where a
/// spreadsheet that expects the other dialect begins a cell.
fn escape_formulas(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut at_cell_start = true;
    for letter in text.chars() {
        if at_cell_start && matches!(letter, '=' | '+' | '-' | '@' | '\t' | '\r' | '＝' | '＋' | '－' | '＠') {
            written.push('\'');
        }
        written.push(letter);
        at_cell_start = matches!(letter, ',' | ';' | '\t' | '\n' | '\r');
    }
    written
}

impl Field {
    /// A text field of anything printable.
    pub fn text(text: impl ToString) -> Self {
        Self::Text(text.to_string())
    }

    /// A share as a percentage; withheld or unknown if the part or the whole is.
    pub(crate) fn share(part: &Self, whole: &Self) -> Self {
        match (part, whole) {
            (Self::Count(_), Self::Count(0)) => Self::Empty,
            (Self::Count(part), Self::Count(whole)) => {
                let (part, whole) = (u128::from(*part), u128::from(*whole));
                Self::Percent(u64::try_from((part * 20_000 + whole) / (2 * whole)).unwrap_or(u64::MAX))
            }
            (Self::Count(_), Self::Unknown) => Self::Unknown,
            (Self::Withheld | Self::Unknown, Self::Count(_) | Self::Unknown) => part.clone(),
            _ => Self::Empty,
        }
    }

    pub(crate) fn to_text(&self, dialect: Dialect) -> String {
        match self {
            Self::Text(text) => escape_formulas(text),
            Self::Count(count) => count.to_string(),
            Self::Percent(hundredths) => {
                let point = if dialect == Dialect::Comma { '.' } else { ',' };
                format!("{}{point}{:02}", hundredths / 100, hundredths % 100)
            }
            Self::Empty | Self::Withheld | Self::Unknown => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula_in_either_dialect() {
        for (text, written) in [
            ("=1+1", "'=1+1"),
            ("x;=1+1", "x;'=1+1"),
            ("y,=2+2", "y,'=2+2"),
            ("＝1+1", "'＝1+1"),
            ("a\t@b", "a\t'@b"),
            ("Сарыағаш-2, солтүстік", "Сарыағаш-2, солтүстік"),
        ] {
            for dialect in [Dialect::Comma, Dialect::Semicolon] {
                assert_eq!(Field::text(text).to_text(dialect), written);
            }
        }
    }
}
