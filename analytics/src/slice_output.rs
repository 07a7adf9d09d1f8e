//! Writes a slice as aligned text, CSV or JSON.
//!
//! All counts are shown, also small ones: the output is for those who may read the warehouse.
//!
//! - CSV: a number column has a number or nothing; the column `unknown` names those that are empty because they are unknown. `*` is the key of
//!   a total, and an empty key is that of meetings or people without a value. Shares are in percent.
//! - JSON: each row has `keys`, `figures` and `unknown`. The key of a total is left out, and that of meetings or people without a value is
//!   null.
//! - Text: as CSV, but `?` is unknown and `-` does not apply.

use std::io::Write;

use clap::ValueEnum;
use jiff::Timestamp;
use qamtu_schemas::id::CampaignId;
use serde_json::{Map, Value, json};

use crate::{
    coverage::DEFINITION,
    csv::field::{Dialect, Field},
    slice::{Measure, MeasureValue, RowKey, SliceRows, SliceTable},
    slice_query::Filter,
};

/// The key of a total. No code has this sign.
const TOTAL: &str = "*";

/// How a slice is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SliceFormat {
    /// Aligned columns for people.
    Text,
    /// Comma-separated values with a header, for programs and spreadsheets.
    Csv,
    /// One JSON object.
    Json,
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
}

/// A table with the columns that were asked for.
#[derive(Debug)]
pub struct SliceOutput<'a> {
    /// The rows.
    pub table: &'a SliceTable,
    /// The columns after the keys.
    pub measures: &'a [Measure],
    /// What it was computed from.
    pub source: &'a SliceSource,
}

/// One line: its keys and values.
struct Line<'a> {
    keys: &'a [RowKey],
    values: Vec<MeasureValue>,
}

impl SliceOutput<'_> {
    /// Writes the table.
    pub fn write(&self, format: SliceFormat, to: &mut impl Write) -> std::io::Result<()> {
        match format {
            SliceFormat::Text => self.write_text(to),
            SliceFormat::Csv => self.write_csv(to).map_err(std::io::Error::other),
            SliceFormat::Json => {
                serde_json::to_writer_pretty(&mut *to, &self.json())?;
                writeln!(to)
            }
        }
    }

    /// All lines but those without a value that have nothing to show: meetings of which neither plan nor report is known, for example.
    fn lines(&self) -> Vec<Line<'_>> {
        let mut lines = self.all_lines();
        let shows_something = |line: &Line<'_>| {
            let mut values = self.measures.iter().zip(&line.values).filter(|(measure, _)| !measure.is_voters());
            values.any(|(_, value)| matches!(value, MeasureValue::Count(1..) | MeasureValue::Share(1.., _)))
        };
        lines.retain(|line| !line.keys.contains(&RowKey::Without) || shows_something(line));
        lines
    }

    fn all_lines(&self) -> Vec<Line<'_>> {
        let values = |of: &dyn Fn(Measure) -> MeasureValue| self.measures.iter().map(|measure| of(*measure)).collect();
        match &self.table.rows {
            SliceRows::Meetings(rows) => {
                rows.iter().map(|row| Line { keys: &row.keys, values: values(&|measure| measure.of_meetings(&row.figures)) }).collect()
            }
            SliceRows::People(rows) => {
                rows.iter().map(|row| Line { keys: &row.keys, values: values(&|measure| measure.of_people(&row.figures)) }).collect()
            }
        }
    }

    fn header(&self) -> Vec<&'static str> {
        self.table.by.iter().map(|dimension| dimension.name()).chain(self.measures.iter().map(|measure| measure.name())).collect()
    }

    fn write_csv(&self, to: &mut impl Write) -> Result<(), csv::Error> {
        let mut writer = csv::Writer::from_writer(to);
        let source = ["unknown", "campaign", "as_of", "definition"];
        writer.write_record(self.header().into_iter().chain(source))?;
        for line in self.lines() {
            let mut record: Vec<Field> = line.keys.iter().map(|key| Field::text(key_text(key))).collect();
            record.extend(line.values.iter().map(|value| field(*value)));
            record.push(Field::text(self.unknown(&line).join(" ")));
            record.extend([Field::text(&self.source.campaign), Field::text(self.source.as_of), Field::Count(DEFINITION.into())]);
            writer.write_record(record.iter().map(|field| field.to_text(Dialect::Comma)))?;
        }
        writer.flush().map_err(csv::Error::from)
    }

    /// Names of the measures that are unknown in a line.
    fn unknown(&self, line: &Line<'_>) -> Vec<&'static str> {
        self.measures
            .iter()
            .zip(&line.values)
            .filter(|(_, value)| **value == MeasureValue::Unknown)
            .map(|(measure, _)| measure.name())
            .collect()
    }

    fn json(&self) -> Value {
        let lines = self.lines();
        let row = |line: &Line<'_>| {
            let keys = self.table.by.iter().zip(line.keys).filter(|(_, key)| **key != RowKey::Total);
            let keys: Map<String, Value> = keys
                .map(|(by, key)| (by.name().to_owned(), if let RowKey::Value(value) = key { json!(value) } else { Value::Null }))
                .collect();
            let figures = self.measures.iter().zip(&line.values).map(|(measure, value)| (measure.name().to_owned(), number(*value)));
            json!({"keys": keys, "figures": figures.collect::<Map<_, _>>(), "unknown": self.unknown(line)})
        };
        json!({
            "campaign": self.source.campaign,
            "synthetic": self.source.synthetic,
            "where": self.source.filters.iter().map(Filter::to_string).collect::<Vec<_>>(),
            "as_of": self.source.as_of,
            "definition": DEFINITION,
            "by": self.table.by.iter().map(|dimension| dimension.name()).collect::<Vec<_>>(),
            "rows": lines.iter().map(row).collect::<Vec<_>>(),
        })
    }

    fn write_text(&self, to: &mut impl Write) -> std::io::Result<()> {
        let header: Vec<String> = self.header().into_iter().map(str::to_owned).collect();
        let cells = |line: Line<'_>| line.keys.iter().map(key_text).chain(line.values.iter().map(|value| shown(*value))).collect();
        let mut lines: Vec<Vec<String>> = vec![header];
        lines.extend(self.lines().into_iter().map(cells));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
        for line in &lines {
            let padded = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column < self.table.by.len() {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            });
            writeln!(to, "{}", padded.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        let SliceSource { campaign, synthetic, as_of, filters } = self.source;
        let filters: String = filters.iter().map(|filter| format!(", {filter}")).collect();
        let synthetic = if *synthetic { ", SYNTHETIC" } else { "" };
        writeln!(to, "{campaign}{filters}, as of {as_of}, definition {DEFINITION}{synthetic}")
    }
}

fn key_text(key: &RowKey) -> String {
    match key {
        RowKey::Value(value) => value.clone(),
        RowKey::Without => String::new(),
        RowKey::Total => TOTAL.to_owned(),
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

/// A number, or nothing. Shares are in percent, rounded to hundredths.
fn number(value: MeasureValue) -> Value {
    match field(value) {
        Field::Count(count) => json!(count),
        Field::Percent(hundredths) => json!(hundredths as f64 / 100.0),
        _ => Value::Null,
    }
}

fn shown(value: MeasureValue) -> String {
    match (value, field(value)) {
        (_, Field::Unknown) => "?".to_owned(),
        (_, Field::Empty) => "-".to_owned(),
        (MeasureValue::Share(..), share) => format!("{}%", share.to_text(Dialect::Comma)),
        (_, field) => field.to_text(Dialect::Comma),
    }
}
