//! Messages that say what is wrong and how to correct it, in English, Russian and Kazakh, with typed parameters.
//!
//! Guarantees: every message exists in all languages with the same parameters (tested). No other code writes sentences for clients. The
//! language is chosen when the response is rendered, see [`crate::response`].

use std::fmt;

macro_rules! details {
    ($($variant:ident $({ $($field:ident: $kind:ty),* })? = $en:literal, $ru:literal, $kk:literal;)*) => {
        /// What exactly is wrong and how to correct it.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the English message is the documentation, parameters included")]
        pub enum Detail {
            $(#[doc = $en] $variant $({ $($field: $kind),* })?,)*
        }

        impl Detail {
            /// The message in `language`, with its parameters inserted.
            #[allow(clippy::useless_format, reason = "some messages have no parameters")]
            pub(crate) fn message(&self, language: Language) -> String {
                match self {
                    $(Detail::$variant $({ $($field),* })? => match language {
                        Language::En => format!($en),
                        Language::Ru => format!($ru),
                        Language::Kk => format!($kk),
                    },)*
                }
            }
        }

        #[cfg(test)]
        pub(super) const TABLE: &[[&str; 4]] = &[$([stringify!($variant), $en, $ru, $kk]),*];
    };
}

mod messages;

pub use messages::Detail;

/// JSON pointers, displayed as a comma-separated list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointers(pub Vec<String>);

impl fmt::Display for Pointers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

#[cfg(test)]
mod tests;
