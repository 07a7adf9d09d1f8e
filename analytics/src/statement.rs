//! Statement: the content of the page and the report for one reader in one language, with every number formatted.
//!
//! Guarantees: page and report render the same [`Statement`], so their figures are equal. It is built from [`Published`], so it contains no
//! withheld count. Colours, fonts and layout are left to the renderers; positions are fractions.

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
mod unreachable;
mod weeks;

pub use cards::Card;
pub use definitions::{Definition, Definitions};
pub use figure_formatter::{Figure, FigureState};
pub use gaps::{DataGap, DataGaps};
pub use headline::{ChartBand, ChartMark, Headline, RangeChart};
pub use map::{LegendEntry, MapTile, Shade, TileMap};
pub use tables::{FigureColumn, FigureRow, FigureTable};
pub use trust::{Trust, TrustRow};
pub use weeks::{ColumnHeights, ColumnLabels, WeekChart, WeekColumn};

use figure_formatter::FigureFormatter;
pub(crate) use unreachable::reason as unreachable_reason;

/// Content of the page and the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statement {
    /// Language of all texts.
    pub language: Language,
    /// Name of the campaign.
    pub campaign: String,
    /// What the document is about.
    pub subject: String,
    /// The units in scope; none for the whole campaign.
    pub scope: Option<String>,
    /// Notice that all data is invented; none for a real campaign.
    pub synthetic: Option<SyntheticNotice>,
    /// Local date and time that the figures are true for.
    pub as_of: String,
    /// Notice that no record was received for days.
    pub quiet: Option<String>,
    /// Number of voters reached, of how many registered.
    pub headline: Headline,
    /// Missing data and how to supply it.
    pub gaps: DataGaps,
    /// Figures that compare reach with plan and bounds.
    pub cards: Vec<Card>,
    /// Map of units; none if no unit has a tile.
    pub map: Option<TileMap>,
    /// Figures by unit.
    pub units: FigureTable,
    /// Chart of weeks; none if nobody was identified.
    pub weeks: Option<WeekChart>,
    /// Table of the coalitions that held the meetings.
    pub coalitions: Option<FigureTable>,
    /// Table of the categories that meetings were held for.
    pub categories: Option<FigureTable>,
    /// Data quality: what limits the figures.
    pub trust: Trust,
    /// What the figures mean.
    pub definitions: Definitions,
    /// Snapshot id and definition version, to trace every figure.
    pub foot: String,
}

/// Notice that all data is invented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SyntheticNotice {
    /// A word or two.
    pub label: String,
    /// The notice as a sentence.
    pub note: String,
}

impl Statement {
    /// Formats the published figures in a language.
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
            synthetic: published
                .campaign
                .synthetic
                .then(|| SyntheticNotice { label: fmt.message("synthetic-mark"), note: fmt.message("synthetic-note") }),
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
