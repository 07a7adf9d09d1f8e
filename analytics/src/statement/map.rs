//! The map of equal tiles: one per unit, shaded by the share of its residents who were reached. A unit whose tile lies beyond the grid
//! is not drawn; the table of units has it.

use serde::Serialize;

use super::pen::{Figure, Pen, State};
use crate::published::Unit;

/// Shades of the scale.
const LEVELS: u64 = 5;

/// Rows and columns that a map may have.
const GRID: u8 = 32;

/// Steps that a scale may have, in hundredths of a percent; five of the last are more than everybody.
const STEPS: [u64; 14] = [1, 2, 5, 10, 20, 30, 50, 100, 200, 300, 400, 500, 1_000, 2_500];

/// The map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Map {
    /// The finding.
    pub title: String,
    /// What is shown.
    pub note: String,
    /// Rows of the grid, at most 32.
    pub rows: u8,
    /// Columns of the grid, at most 32.
    pub columns: u8,
    /// Its tiles, from the north-west, row by row.
    pub tiles: Vec<MapTile>,
    /// What the shades mean.
    pub legend: Vec<Legend>,
}

/// A unit on the map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapTile {
    /// The unit's code.
    pub unit: String,
    /// Its name.
    pub name: String,
    /// The share of its residents who were reached.
    pub figure: Figure,
    /// All of it in a sentence.
    pub sentence: String,
    /// From the north, 0 first.
    pub row: u8,
    /// From the west, 0 first.
    pub column: u8,
    /// Shade, 0 lightest; none if there is nothing to shade by.
    pub level: Option<u8>,
}

/// What a shade means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Legend {
    /// Shade, 0 lightest.
    pub level: u8,
    /// From so much to less than so much.
    pub text: String,
}

pub(super) fn map(pen: &Pen<'_>) -> Map {
    let step = step(pen);
    let mut tiles: Vec<MapTile> = pen.units_by_name().into_iter().filter_map(|(name, unit)| tile(pen, name, unit, step)).collect();
    tiles.sort_by_key(|tile| (tile.row, tile.column));
    Map {
        title: title(pen),
        note: pen.words.say("map-note"),
        rows: tiles.iter().map(|tile| tile.row + 1).max().unwrap_or(0),
        columns: tiles.iter().map(|tile| tile.column + 1).max().unwrap_or(0),
        legend: legend(pen, step),
        tiles,
    }
}

/// Share of residents reached, in hundredths of a percent.
fn share(unit: &Unit) -> Option<u64> {
    let voters = unit.denominator.voters;
    unit.residents.shown().filter(|_| voters > 0).map(|reached| (u128::from(reached) * 10_000 / u128::from(voters)) as u64)
}

fn step(pen: &Pen<'_>) -> u64 {
    let most = pen.published.units.iter().filter_map(share).max().unwrap_or(0);
    STEPS.into_iter().find(|step| step * LEVELS > most).unwrap_or(STEPS[STEPS.len() - 1])
}

fn tile(pen: &Pen<'_>, name: String, unit: &Unit, step: u64) -> Option<MapTile> {
    let place = unit.tile.filter(|tile| tile.row < GRID && tile.column < GRID)?;
    let figure = pen.share(unit.residents, unit.denominator.voters);
    let args = [
        ("unit", name.clone().into()),
        ("share", figure.text.clone().into()),
        ("reached", pen.cell(unit.residents).text.into()),
        ("voters", pen.count(unit.denominator.voters).into()),
    ];
    let sentence =
        if figure.state == State::Shown { pen.words.say_with("map-tile", &args) } else { pen.words.say_with("map-tile-short", &args) };
    let level = share(unit).map(|share| (share / step).min(LEVELS - 1) as u8);
    Some(MapTile { unit: unit.unit.to_string(), name, figure, sentence, row: place.row, column: place.column, level })
}

/// The finding: where the share is highest and where lowest, written as on their tiles.
fn title(pen: &Pen<'_>) -> String {
    let written = |unit: &Unit| pen.share(unit.residents, unit.denominator.voters).text;
    let units = pen.units_by_name().into_iter();
    let mut shares: Vec<(u64, String, String)> = units.filter_map(|(name, unit)| Some((share(unit)?, name, written(unit)))).collect();
    shares.sort_by_key(|(share, ..)| *share);
    let (Some(low), Some(high)) = (shares.first(), shares.last()) else { return pen.words.say("map-title") };
    if low.0 == high.0 {
        return pen.words.say("map-title");
    }
    let args = [
        ("high", high.1.clone().into()),
        ("high-share", high.2.clone().into()),
        ("low", low.1.clone().into()),
        ("low-share", low.2.clone().into()),
    ];
    pen.words.say_with("map-finding", &args)
}

fn legend(pen: &Pen<'_>, step: u64) -> Vec<Legend> {
    let value = |level: u64| -> String {
        let hundredths = level * step;
        let text = if step.is_multiple_of(100) {
            pen.count(hundredths / 100)
        } else {
            pen.locale.decimals(hundredths, if step.is_multiple_of(10) { 1 } else { 2 })
        };
        pen.words.say_with("percent", &[("value", text.into())])
    };
    (0..LEVELS)
        .map(|level| Legend {
            level: level as u8,
            text: match level + 1 {
                LEVELS => pen.words.say_with("map-legend-last", &[("from", value(level).into())]),
                next => pen.words.say_with("range", &[("from", value(level).into()), ("to", value(next).into())]),
            },
        })
        .collect()
}
