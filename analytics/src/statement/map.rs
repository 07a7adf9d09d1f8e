//! Tile map: an equal tile per unit, shaded by the share of its residents who were reached.
//!
//! Guarantees: tiles do not overlap. A unit without a free place on the grid is not drawn; a note names it, and the table of units has it.
//! A share above 100 % is an error: it has a mark instead of a shade, and is never in the finding.

use serde::{Serialize, Serializer};

use super::{
    figure_formatter::{Figure, FigureFormatter, FigureState},
    scale::Scale,
};
use crate::{locale::RoundedPercent, published::PublishedUnit};

/// Maximum number of rows and of columns.
const GRID: u8 = 32;

/// A grid with a tile for each unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TileMap {
    /// Finding as a sentence, the map's title.
    pub title: String,
    /// What the map shows, and which units are missing on it.
    pub notes: Vec<String>,
    /// Rows of the grid, at most 32.
    pub rows: u8,
    /// Columns of the grid, at most 32.
    pub columns: u8,
    /// Its tiles, from the north-west, row by row.
    pub tiles: Vec<MapTile>,
    /// Meaning of the shades on the map.
    pub legend: Vec<LegendEntry>,
}

/// A unit on the map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapTile {
    /// Code of the unit.
    pub unit: String,
    /// Name of the unit.
    pub name: String,
    /// The share of its residents who were reached.
    pub figure: Figure,
    /// The tile as a sentence, its tooltip.
    pub sentence: String,
    /// Row from the north, starting at 0.
    pub row: u8,
    /// Column from the west, starting at 0.
    pub column: u8,
    /// How the tile is filled.
    pub shade: Shade,
}

/// How a tile is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shade {
    /// By its share, 0 lightest.
    Level(u8),
    /// The share is withheld.
    Withheld,
    /// The share is unknown or not applicable.
    Unknown,
    /// The share is above 100 %.
    Error,
}

impl Shade {
    /// Its name in style sheet and template.
    pub fn name(self) -> &'static str {
        const LEVELS: [&str; super::scale::SHADES] = ["level-0", "level-1", "level-2", "level-3", "level-4"];
        match self {
            Self::Level(level) => LEVELS[usize::from(level).min(LEVELS.len() - 1)],
            Self::Withheld => "level-withheld",
            Self::Unknown => "level-unknown",
            Self::Error => "level-error",
        }
    }
}

impl Serialize for Shade {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Meaning of a shade.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegendEntry {
    /// The shade that is explained.
    pub shade: Shade,
    /// Range of shares, or why there is no share.
    pub text: String,
}

/// None if no unit has a place on it.
pub(super) fn map(fmt: &FigureFormatter<'_>) -> Option<TileMap> {
    let (drawn, left_out) = places(fmt);
    if drawn.is_empty() {
        return None;
    }
    let scale = Scale::new(drawn.iter().filter_map(|(_, unit)| share(fmt, unit)).collect());
    let mut tiles: Vec<MapTile> = drawn.into_iter().filter_map(|(name, unit)| tile(fmt, name, unit, &scale)).collect();
    tiles.sort_by_key(|tile| (tile.row, tile.column));
    let mut notes = vec![fmt.message("map-note")];
    if !left_out.is_empty() {
        notes.push(fmt.message_with("map-left-out", &[("units", left_out.join(", ").into())]));
    }
    Some(TileMap {
        title: title(fmt),
        notes,
        rows: tiles.iter().map(|tile| tile.row + 1).max().unwrap_or(0),
        columns: tiles.iter().map(|tile| tile.column + 1).max().unwrap_or(0),
        legend: legend(fmt, &scale, &tiles),
        tiles,
    })
}

/// Units with a free place, and the names of the others. Of two units at one place the first by name is drawn.
fn places<'a>(fmt: &FigureFormatter<'a>) -> (Vec<(String, &'a PublishedUnit)>, Vec<String>) {
    let mut taken = std::collections::BTreeSet::new();
    let (drawn, left_out): (Vec<_>, Vec<_>) = fmt.units_by_name().into_iter().partition(|(_, unit)| {
        let place = unit.tile.filter(|tile| tile.row < GRID && tile.column < GRID);
        place.is_some_and(|tile| taken.insert((tile.row, tile.column)))
    });
    (drawn, left_out.into_iter().map(|(name, _)| name).collect())
}

/// Rounded share of residents reached; none if it is withheld, unknown or an error.
fn share(fmt: &FigureFormatter<'_>, unit: &PublishedUnit) -> Option<RoundedPercent> {
    let figure = fmt.residents_share(unit.residents, &unit.denominator);
    let (reached, voters) = unit.residents.shown().zip(unit.denominator.known())?;
    RoundedPercent::of(reached, voters).filter(|_| figure.state == FigureState::Shown)
}

fn tile(fmt: &FigureFormatter<'_>, name: String, unit: &PublishedUnit, scale: &Scale) -> Option<MapTile> {
    let place = unit.tile?;
    let figure = fmt.residents_share(unit.residents, &unit.denominator);
    let args = [
        ("unit", name.clone().into()),
        ("share", figure.text.clone().into()),
        ("reached", fmt.cell(unit.residents).text.into()),
        ("voters", fmt.count(unit.denominator.voters).into()),
    ];
    let counted = matches!(figure.state, FigureState::Shown | FigureState::Error);
    let sentence = if counted { fmt.message_with("map-tile", &args) } else { fmt.message_with("map-tile-short", &args) };
    let shade = match figure.state {
        FigureState::Withheld => Shade::Withheld,
        FigureState::Error => Shade::Error,
        FigureState::Shown | FigureState::Unknown | FigureState::None => {
            share(fmt, unit).and_then(|share| scale.shade(share)).map_or(Shade::Unknown, Shade::Level)
        }
    };
    Some(MapTile { unit: unit.unit.to_string(), name, figure, sentence, row: place.row, column: place.column, shade })
}

struct UnitShare<'a> {
    share: RoundedPercent,
    name: String,
    unit: &'a PublishedUnit,
}

/// Finding: the units with the highest and the lowest share, formatted as on their tiles.
fn title(fmt: &FigureFormatter<'_>) -> String {
    let units = fmt.units_by_name().into_iter();
    let mut shares: Vec<UnitShare<'_>> =
        units.filter_map(|(name, unit)| Some(UnitShare { share: share(fmt, unit)?, name, unit })).collect();
    shares.sort_by_key(|unit| unit.share);
    let (Some(low), Some(high)) = (shares.first(), shares.last()) else { return fmt.message("map-title") };
    if low.share == high.share {
        return fmt.message("map-title");
    }
    let text = |unit: &UnitShare<'_>| fmt.coverage(unit.unit.residents, &unit.unit.denominator).text;
    let args = [
        ("high", high.name.clone().into()),
        ("high-share", text(high).into()),
        ("low", low.name.clone().into()),
        ("low-share", text(low).into()),
    ];
    fmt.message_with("map-finding", &args)
}

/// Entries for shades that are on the map only.
fn legend(fmt: &FigureFormatter<'_>, scale: &Scale, tiles: &[MapTile]) -> Vec<LegendEntry> {
    let value = |share: RoundedPercent| match share.hundredths {
        0 | 10_000 => fmt.count(share.hundredths / 100),
        _ => fmt.locale.decimals(share.hundredths, share.decimals()),
    };
    let levels = scale.classes.iter().map(|class| {
        let (from, to) = (value(class.lowest), value(class.highest));
        let text = if from == to { fmt.message_with("percent", &[("value", from.into())]) } else { fmt.percent_range(&from, &to) };
        LegendEntry { shade: Shade::Level(class.shade), text }
    });
    let others = [Shade::Withheld, Shade::Unknown, Shade::Error].into_iter().filter_map(|shade| {
        let mut texts: Vec<String> = tiles.iter().filter(|tile| tile.shade == shade).map(|tile| tile.figure.text.clone()).collect();
        texts.sort();
        texts.dedup();
        let text = if shade == Shade::Error { fmt.message("map-legend-error") } else { texts.join(", ") };
        (!texts.is_empty()).then_some(LegendEntry { shade, text })
    });
    levels.chain(others).collect()
}
