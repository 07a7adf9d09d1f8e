//! A snapshot put into words: everything that the page and the report say to one reader in one language, every number written out.
//!
//! Guarantees: page and report are two renderings of the same [`Statement`], so they cannot show different figures; it is built from
//! [`Published`], so it holds no withheld count. Colours, fonts and layout are left to the renderings; positions are fractions.

use serde::Serialize;

use crate::{access::Scope, locale::Language, published::Published, translations::Translations};

mod cards;
mod definitions;
mod figure_formatter;
mod gaps;
mod headline;
mod map;
mod scale;
mod tables;
mod trust;
mod weeks;

pub use cards::Card;
pub use definitions::{Definition, Definitions};
pub use figure_formatter::{Figure, State};
pub use gaps::{Gap, Gaps};
pub use headline::{Headline, Range};
pub use map::{LegendEntry, Map, MapTile, Shade};
pub use tables::{Column, Table, TableRow};
pub use trust::{Trust, TrustRow};
pub use weeks::{Labels, WeekColumn, Weeks};

use figure_formatter::FigureFormatter;

/// What a snapshot says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Language of all texts.
    pub language: Language,
    /// Name of the campaign.
    pub campaign: String,
    /// What is told about it.
    pub subject: String,
    /// Which part of it, if not all.
    pub scope: Option<String>,
    /// That all data is invented, if it is: a mark and a sentence.
    pub synthetic: Option<(String, String)>,
    /// Local date and time that the figures are true for.
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
        let fmt = FigureFormatter::new(published, Translations::of(language));
        Self {
            language,
            campaign: language.name(&published.campaign.names),
            subject: fmt.message("subject"),
            scope: match &published.reader.scope {
                Scope::Region => None,
                Scope::Units(_) => Some(fmt.message_with("scope-units", &[("units", fmt.units_in_scope().into())])),
            },
            synthetic: published.campaign.synthetic.then(|| (fmt.message("synthetic-mark"), fmt.message("synthetic-note"))),
            as_of: fmt.as_of(),
            quiet: trust::quiet(&fmt),
            headline: headline::headline(&fmt),
            gaps: gaps::gaps(&fmt),
            cards: cards::cards(&fmt),
            map: map::map(&fmt),
            units: tables::units(&fmt),
            weeks: weeks::weeks(&fmt),
            coalitions: tables::coalitions(&fmt),
            categories: tables::categories(&fmt),
            trust: trust::trust(&fmt),
            definitions: definitions::definitions(&fmt),
            foot: fmt.message_with(
                "foot",
                &[
                    ("snapshot", published.snapshot.to_string().into()),
                    ("definition", fmt.count(u64::from(published.identity.definition)).into()),
                ],
            ),
        }
    }
}
