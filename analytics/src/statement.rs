//! A snapshot put into words: everything that the page and the report say to one reader in one language, every number written out.
//!
//! Guarantees: page and report are two renderings of the same [`Statement`], so they cannot show different figures; it is built from
//! [`Published`], so it holds no withheld count. Colours, fonts and layout are left to the renderings; positions are fractions.

use serde::Serialize;

use crate::{access::Scope, locale::Language, published::Published, words::Words};

mod cards;
mod definitions;
mod gaps;
mod headline;
mod map;
mod pen;
mod scale;
mod tables;
mod trust;
mod weeks;

pub use cards::Card;
pub use definitions::{Definition, Definitions};
pub use gaps::{Gap, Gaps};
pub use headline::{Headline, Range};
pub use map::{Legend, Map, MapTile, Shade};
pub use pen::{Figure, State};
pub use tables::{Column, Row, Table};
pub use trust::{Trust, TrustRow};
pub use weeks::{Labels, WeekColumn, Weeks};

use pen::Pen;

/// What a snapshot says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// In which language.
    pub language: Language,
    /// The campaign's name.
    pub campaign: String,
    /// What is told about it.
    pub subject: String,
    /// Which part of it, if not all.
    pub scope: Option<String>,
    /// That all data is invented, if it is: a mark and a sentence.
    pub synthetic: Option<(String, String)>,
    /// True for when.
    pub as_of: String,
    /// That nothing has come in for long, if so.
    pub quiet: Option<String>,
    /// How many were reached, of how many possible.
    pub headline: Headline,
    /// What is not known yet, and what to do about it.
    pub gaps: Gaps,
    /// Compared with plan and possibility.
    pub cards: Vec<Card>,
    /// Where, as a map; none without a unit that has a place on it.
    pub map: Option<Map>,
    /// Where, as a table.
    pub units: Table,
    /// What changed from week to week.
    pub weeks: Option<Weeks>,
    /// Who held the meetings.
    pub coalitions: Option<Table>,
    /// Whom they were held for.
    pub categories: Option<Table>,
    /// What to know before trusting the figures.
    pub trust: Trust,
    /// What the figures mean.
    pub definitions: Definitions,
    /// By which every figure can be traced.
    pub foot: String,
}

impl Statement {
    /// Says what a reader may see, in a language.
    pub fn new(published: &Published, language: Language) -> Self {
        let pen = Pen::new(published, Words::of(language));
        let words = pen.words;
        Self {
            language,
            campaign: language.name(&published.campaign.names),
            subject: words.say("subject"),
            scope: match &published.reader.scope {
                Scope::Region => None,
                Scope::Units(_) => Some(words.say_with("scope-units", &[("units", pen.units_in_scope().into())])),
            },
            synthetic: published.campaign.synthetic.then(|| (words.say("synthetic-mark"), words.say("synthetic-note"))),
            as_of: pen.as_of(),
            quiet: trust::quiet(&pen),
            headline: headline::headline(&pen),
            gaps: gaps::gaps(&pen),
            cards: cards::cards(&pen),
            map: map::map(&pen),
            units: tables::units(&pen),
            weeks: weeks::weeks(&pen),
            coalitions: tables::coalitions(&pen),
            categories: tables::categories(&pen),
            trust: trust::trust(&pen),
            definitions: definitions::definitions(&pen),
            foot: words.say_with(
                "foot",
                &[
                    ("snapshot", published.snapshot.to_string().into()),
                    ("definition", pen.count(u64::from(published.identity.definition)).into()),
                ],
            ),
        }
    }
}
