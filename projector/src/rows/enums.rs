//! The closed lists of the tables (`Enum8`), with the numbers they have there.
//!
//! A number is never given to another name. The lists of ClickHouse stand beside the columns in `rows.rs`; a test writes every
//! name and reads it back.

use qamtu_schemas::event;
use serde::Serialize;

use super::row_binary::Column;

macro_rules! enum8 {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant = $number,)*
        }

        impl Column for $name {
            fn put(&self, out: &mut Vec<u8>) {
                out.push(*self as u8);
            }
        }
    };
}

enum8! {
    /// Is a record an event?
    Status {
        /// It is.
        Event = 1 "event",
        /// It is not.
        Rejected = 2 "rejected",
    }
}

enum8! {
    /// What a pseudonym was made from.
    Strength {
        /// A national id.
        Strong = 1 "strong",
        /// A phone number.
        Weak = 2 "weak",
    }
}

enum8! {
    /// What is known of an attendee's residence.
    ResidenceKind {
        /// Nothing.
        Unknown = 1 "unknown",
        /// Outside the campaign.
        Outside = 2 "outside",
        /// The unit.
        Unit = 3 "unit",
        /// The precinct.
        Precinct = 4 "precinct",
    }
}

enum8! {
    /// Is an attendee 18 or older, as stated?
    Adult {
        /// Not stated.
        Unknown = 1 "unknown",
        /// Yes.
        Yes = 2 "yes",
        /// No.
        No = 3 "no",
    }
}

enum8! {
    /// Consent given or withdrawn.
    ConsentKind {
        /// Given.
        Given = 1 "given",
        /// Withdrawn.
        Withdrawn = 2 "withdrawn",
    }
}

enum8! {
    /// Sex as the roll states it.
    Sex {
        /// Female.
        Female = 1 "f",
        /// Male.
        Male = 2 "m",
        /// Not stated.
        Unknown = 3 "u",
    }
}

impl From<event::Strength> for Strength {
    fn from(strength: event::Strength) -> Self {
        match strength {
            event::Strength::Strong => Strength::Strong,
            event::Strength::Weak => Strength::Weak,
        }
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

impl From<event::Sex> for Sex {
    fn from(sex: event::Sex) -> Self {
        match sex {
            event::Sex::Female => Sex::Female,
            event::Sex::Male => Sex::Male,
            event::Sex::Unknown => Sex::Unknown,
        }
    }
}
