//! Writes a slice as aligned text, CSV, JSON, an Excel workbook or a Parquet file.
//!
//! The lines are exact, for those who may read the warehouse, or what [`crate::slice_disclosure`] leaves of them.
//!
//! - CSV: a number column has a number or nothing; the columns `unknown` and `withheld` name those that are empty because they are. `*` is the
//!   key of a total, and an empty key is that of meetings or people without a value. Shares are in percent.
//! - JSON: each row has `keys`, `figures`, `unknown` and `withheld`. The key of a total is left out, and that of meetings or people without
//!   a value is null.
//! - Text: as CSV, but `?` is unknown, `x` is withheld and `-` does not apply.

mod parquet_file;
mod workbook;

use std::io::Write;

use clap::ValueEnum;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    coverage::DEFINITION,
    csv::field::{Dialect, Field},
    dimension::Dimension,
    slice::{Measure, MeasureValue, RowKey, SliceTable},
    slice_query::Filter,
};

/// The key of a total. No code has this sign.
const TOTAL: &str = "*";

/// How a slice is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SliceFormat {
    /// Aligned columns for people.
    Text,
    /// Comma-separated values with a header, for programs and spreadsheets.
    Csv,
    /// One JSON object in one line.
    #[default]
    Json,
    /// An Excel workbook.
    Xlsx,
    /// A Parquet file, for data frames.
    Parquet,
}

impl SliceFormat {
    /// The media type of a response.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Whether a terminal cannot show it.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Xlsx | Self::Parquet)
    }
}

/// What a slice was computed from.
#[derive(Debug, Clone)]
pub struct SliceSource {
    /// Id of the campaign.
    pub campaign: CampaignId,
    /// Whether all of its data is invented.
    pub synthetic: bool,
    /// As-of instant of the figures.
    pub as_of: Timestamp,
    /// Filters of the query.
    pub filters: Vec<Filter>,
    /// Counts of people are withheld below it and rounded down to a multiple of it; none if they are exact.
    pub rounded_to: Option<u64>,
}

/// A row as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceLine {
    /// In the order of [`SliceOutput::by`].
    pub keys: Vec<RowKey>,
    /// In the order of [`SliceOutput::measures`].
    pub values: Vec<Field>,
}

impl SliceLine {
    /// All rows of a table with their exact values.
    pub fn exact(table: &SliceTable, measures: &[Measure]) -> Vec<Self> {
        let line = |row: crate::slice::RowValues<'_>| Self { keys: row.keys.to_vec(), values: row.values.into_iter().map(field).collect() };
        table.values(measures).into_iter().map(line).collect()
    }
}

fn field(value: MeasureValue) -> Field {
    match value {
        MeasureValue::Count(count) => Field::Count(count),
        MeasureValue::Share(part, whole) => Field::share(&Field::Count(part), &Field::Count(whole)),
        MeasureValue::NotApplicable => Field::Empty,
        MeasureValue::Unknown => Field::Unknown,
    }
}

/// A table with the columns that were asked for.
#[derive(Debug)]
pub struct SliceOutput<'a> {
    /// The dimensions of the keys.
    pub by: &'a [Dimension],
    /// The rows.
    pub lines: &'a [SliceLine],
    /// The columns after the keys.
    pub measures: &'a [Measure],
    /// What it was computed from.
    pub source: &'a SliceSource,
}

/// A slice as JSON.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Slice)]
pub struct SliceDocument {
    /// Id of the campaign.
    #[schema(value_type = String)]
    campaign: CampaignId,
    /// Whether all data of the campaign is invented.
    synthetic: bool,
    /// Filters of the query.
    #[serde(rename = "where")]
    filters: Vec<String>,
    /// Records received by then count.
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// Version of the definition of the figures.
    definition: u32,
    /// Counts of people below it are withheld, and the others are rounded down to a multiple of it. Absent if all counts are exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    rounded_to: Option<u64>,
    /// Dimensions of the keys.
    by: Vec<&'static str>,
    /// Sorted by key, totals last.
    rows: Vec<SliceRowDocument>,
}

/// A row of a slice.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SliceRow)]
pub struct SliceRowDocument {
    /// Value by dimension; null for meetings or people without one. A total has no key.
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    keys: Map<String, Value>,
    /// Number by measure; null if it is unknown or withheld, or does not apply. Shares are in percent.
    #[schema(value_type = BTreeMap<String, Option<f64>>)]
    figures: Map<String, Value>,
    /// Measures whose value is unknown, since nobody was counted or identified, or the voters were not counted.
    unknown: Vec<&'static str>,
    /// Measures whose value is withheld, since it or what follows from it concerns few people.
    withheld: Vec<&'static str>,
}

impl SliceOutput<'_> {
    /// Writes the table.
    pub fn write(&self, format: SliceFormat, to: &mut impl Write) -> std::io::Result<()> {
        match format {
            SliceFormat::Text => self.write_text(to),
            SliceFormat::Csv => self.write_csv(to).map_err(std::io::Error::other),
            SliceFormat::Json => {
                serde_json::to_writer(&mut *to, &self.document())?;
                writeln!(to)
            }
            SliceFormat::Xlsx => to.write_all(&self.workbook().map_err(std::io::Error::other)?),
            SliceFormat::Parquet => to.write_all(&self.parquet_file().map_err(std::io::Error::other)?),
        }
    }

    /// What the slice was computed from, as names and values.
    fn origin(&self) -> Vec<(&'static str, String)> {
        let SliceSource { campaign, synthetic, as_of, filters, rounded_to } = self.source;
        let mut origin = vec![
            ("campaign", campaign.to_string()),
            ("synthetic", if *synthetic { "yes: all data is invented" } else { "no" }.to_owned()),
            ("as_of", as_of.to_string()),
            ("definition", DEFINITION.to_string()),
            ("where", filters.iter().map(Filter::to_string).collect::<Vec<_>>().join(" and ")),
        ];
        if let Some(k) = rounded_to {
            origin.push(("rounded_to", format!("{k}: counts of people are withheld below it and rounded down to a multiple of it")));
        }
        origin
    }

    /// All lines but those without a value that have nothing to show: meetings of which neither plan nor report is known, for example.
    fn lines(&self) -> impl Iterator<Item = &SliceLine> {
        let shows_something = |line: &SliceLine| {
            let mut values = self.measures.iter().zip(&line.values).filter(|(measure, _)| !measure.is_voters());
            values.any(|(_, value)| matches!(value, Field::Count(1..) | Field::Percent(1..) | Field::Withheld))
        };
        self.lines.iter().filter(move |line| !line.keys.contains(&RowKey::Without) || shows_something(line))
    }

    fn header(&self) -> impl Iterator<Item = &'static str> {
        self.by.iter().map(|dimension| dimension.name()).chain(self.measures.iter().map(|measure| measure.name()))
    }

    fn write_csv(&self, to: &mut impl Write) -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(self.header().chain(["unknown", "withheld", "rounded_to", "campaign", "as_of", "definition"]))?;
        let rounded_to = self.source.rounded_to.map_or(Field::Empty, Field::Count);
        for line in self.lines() {
            let mut record: Vec<Field> = line.keys.iter().map(|key| Field::text(key_text(key))).collect();
            record.extend(line.values.iter().cloned());
            record.extend([Field::Unknown, Field::Withheld].map(|state| Field::text(self.named(line, &state).join(" "))));
            record.extend([rounded_to.clone(), Field::text(&self.source.campaign), Field::text(self.source.as_of)]);
            record.push(Field::Count(DEFINITION.into()));
            writer.write_record(record.iter().map(|field| field.to_text(Dialect::Comma)))?;
        }
        writer.flush().map_err(csv::Error::from)
    }

    /// Names of the measures that are unknown or withheld in a line.
    fn named(&self, line: &SliceLine, state: &Field) -> Vec<&'static str> {
        self.measures.iter().zip(&line.values).filter(|(_, value)| *value == state).map(|(measure, _)| measure.name()).collect()
    }

    fn document(&self) -> SliceDocument {
        let keys = |line: &SliceLine| {
            let keys = self.by.iter().zip(&line.keys).filter(|(_, key)| **key != RowKey::Total);
            keys.map(|(by, key)| (by.name().to_owned(), if let RowKey::Value(value) = key { json!(value) } else { Value::Null })).collect()
        };
        let figures = |line: &SliceLine| -> Map<String, Value> {
            self.measures.iter().zip(&line.values).map(|(measure, value)| (measure.name().to_owned(), number(value))).collect()
        };
        let row = |line: &SliceLine| SliceRowDocument {
            keys: keys(line),
            figures: figures(line),
            unknown: self.named(line, &Field::Unknown),
            withheld: self.named(line, &Field::Withheld),
        };
        SliceDocument {
            campaign: self.source.campaign.clone(),
            synthetic: self.source.synthetic,
            filters: self.source.filters.iter().map(Filter::to_string).collect(),
            as_of: self.source.as_of,
            definition: DEFINITION,
            rounded_to: self.source.rounded_to,
            by: self.by.iter().map(|dimension| dimension.name()).collect(),
            rows: self.lines().map(row).collect(),
        }
    }

    fn write_text(&self, to: &mut impl Write) -> std::io::Result<()> {
        let header: Vec<String> = self.header().map(str::to_owned).collect();
        let cells = |line: &SliceLine| line.keys.iter().map(key_text).chain(line.values.iter().map(shown)).collect();
        let mut lines: Vec<Vec<String>> = vec![header];
        lines.extend(self.lines().map(cells));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
        for line in &lines {
            let padded = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column < self.by.len() {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            });
            writeln!(to, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let SliceSource { campaign, synthetic, as_of, filters, rounded_to } = self.source;
        let filters: String = filters.iter().map(|filter| format!(", {filter}")).collect();
        let rounded = rounded_to.map_or_else(String::new, |k| format!(", people rounded to {k}"));
        let synthetic = if *synthetic { ", SYNTHETIC" } else { "" };
        writeln!(to, "{campaign}{filters}, as of {as_of}, definition {DEFINITION}{rounded}{synthetic}")
    }
}

fn key_text(key: &RowKey) -> String {
    match key {
        RowKey::Value(value) => value.clone(),
        RowKey::Without => String::new(),
        RowKey::Total => TOTAL.to_owned(),
    }
}

/// A number, or nothing. Shares are in percent, rounded to hundredths.
fn number(field: &Field) -> Value {
    match field {
        Field::Count(count) => json!(count),
        Field::Percent(hundredths) => json!(*hundredths as f64 / 100.0),
        _ => Value::Null,
    }
}

fn shown(field: &Field) -> String {
    match field {
        Field::Unknown => "?".to_owned(),
        Field::Withheld => "x".to_owned(),
        Field::Empty => "-".to_owned(),
        Field::Percent(_) => format!("{}%", field.to_text(Dialect::Comma)),
        _ => field.to_text(Dialect::Comma),
    }
}
