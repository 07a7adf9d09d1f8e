//! The closed lists of the tables (`Enum8`) and their numbers.
//!
//! A number is never reused for another name. The `Enum8` types are stated next to the columns in `rows.rs`; a test checks all names.

use qamtu_schemas::event::{PseudonymStrength, Sex};
use serde::Serialize;

use super::row_binary::ToRowBinary;

macro_rules! enum8 {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant = $number,)*
        }

        impl ToRowBinary for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(*self as u8);
            }
        }
    };
}

enum8! {
    /// Whether a record is a valid event.
    RecordStatus {
        /// The record is a valid event.
        Event = 1 "event",
        /// The record was rejected as invalid.
        Rejected = 2 "rejected",
    }
}

enum8! {
    /// How precisely an attendee's residence is known.
    ResidenceKind {
        /// The residence is not known.
        Unknown = 1 "unknown",
        /// Outside the area of the campaign.
        Outside = 2 "outside",
        /// The administrative unit is known.
        Unit = 3 "unit",
        /// The precinct is known.
        Precinct = 4 "precinct",
    }
}

enum8! {
    /// Whether an attendee is stated to be 18 or older.
    Adult {
        /// The source does not state it.
        Unknown = 1 "unknown",
        /// Stated to be 18 or older.
        Yes = 2 "yes",
        /// Stated to be under 18.
        No = 3 "no",
    }
}

enum8! {
    /// Whether consent was given or withdrawn.
    ConsentKind {
        /// Consent was given, perhaps again.
        Given = 1 "given",
        /// Consent was withdrawn by the person.
        Withdrawn = 2 "withdrawn",
    }
}

impl From<Option<bool>> for Adult {
    fn from(stated: Option<bool>) -> Self {
        match stated {
            None => Adult::Unknown,
            Some(true) => Adult::Yes,
            Some(false) => Adult::No,
        }
    }
}

impl ToRowBinary for PseudonymStrength {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(match self {
            PseudonymStrength::Strong => 1,
            PseudonymStrength::Weak => 2,
        });
    }
}

impl ToRowBinary for Sex {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Sex::Female => 1,
            Sex::Male => 2,
            Sex::Unknown => 3,
        });
    }
}
