//! What the demo leaves behind: the events and the roll as published, read back from the log.
//!
//! Guarantees: `events.ndjson` holds every record of the topic `events` in CloudEvents structured mode, sorted by event id, and
//! `roll.parquet` every record of the topic `roll`, sorted by precinct and version: the same files from both logs.

use std::{
    fs::File,
    io::{BufWriter, Write},
    ops::Range,
    path::Path,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray, UInt16Array, UInt32Array},
    datatypes::{DataType, Field, Schema},
};
use jiff::Timestamp;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};
use qamtu_log::{Delivery, LogConfig, Record, open_reader};
use qamtu_schemas::{
    Data, Topic, decode,
    encode::structured,
    event::{PrecinctEnrolled, RollEntry, Sex},
    id::{BodyHash, EventId},
};

use super::{DemoError, settle::whole, steps::Step};

/// Reads a topic from its beginning to its present end.
async fn read(log: &LogConfig, topic: Topic, step: &Step, mut take: impl FnMut(Record)) -> Result<(), DemoError> {
    let mut reader = open_reader(log, whole(&[topic])).await?;
    let ends = reader.bounds(topic.name()).await?;
    let mut missing: u64 = ends.iter().map(|bounds| bounds.end - bounds.start).sum();
    step.total(missing);
    while missing > 0 {
        match reader.next().await? {
            Delivery::Assigned(partitions) => {
                let start = |number| ends.iter().find(|bounds| bounds.partition.number == number).map_or(0, |bounds| bounds.start);
                let at: Vec<_> = partitions.iter().map(|(partition, _)| partition.next_offset(start(partition.number))).collect();
                reader.start_at(&at).await?;
            }
            Delivery::Records(records) => {
                missing = missing.saturating_sub(records.len() as u64);
                step.add(records.len() as u64);
                records.into_iter().for_each(&mut take);
            }
            Delivery::Revoked { .. } | Delivery::CaughtUp => {}
        }
    }
    Ok(())
}

fn event(record: &Record) -> Option<qamtu_schemas::Event> {
    let headers = record.headers.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    // What is no event is not published; the projector counts it as rejected.
    decode(headers, record.value.as_deref()).ok()
}

/// Writes `events.ndjson`; returns how many.
pub async fn events(log: &LogConfig, path: &Path, step: &Step) -> Result<usize, DemoError> {
    let mut text: Vec<u8> = Vec::new();
    let mut lines: Vec<((EventId, Timestamp, BodyHash), Range<usize>)> = Vec::new();
    read(log, Topic::Events, step, |record| {
        let Some((event, value)) = event(&record).zip(record.value.as_deref()) else { return };
        let envelope = event.envelope;
        if let Ok(line) = structured(&envelope, value) {
            let start = text.len();
            text.extend(line);
            text.push(b'\n');
            lines.push(((envelope.id, envelope.receivedtime, envelope.bodyhash), start..text.len()));
        }
    })
    .await?;
    lines.sort_unstable_by_key(|(key, _)| *key);
    let failed = |source| DemoError::file(path, source);
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    for (_, range) in &lines {
        file.write_all(&text[range.clone()]).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    Ok(lines.len())
}

/// Writes `roll.parquet`; returns how many lines of precincts' rolls.
pub async fn roll(log: &LogConfig, path: &Path, step: &Step) -> Result<usize, DemoError> {
    let mut rolls: Vec<(PrecinctEnrolled, EventId)> = Vec::new();
    read(log, Topic::Roll, step, |record| {
        if let Some(event) = event(&record)
            && let Data::PrecinctEnrolled(roll) = event.data
        {
            rolls.push((roll, event.envelope.id));
        }
    })
    .await?;
    rolls.sort_by(|(a, a_id), (b, b_id)| (&a.precinct, a.version, a_id).cmp(&(&b.precinct, b.version, b_id)));
    rolls.dedup_by(|(_, a), (_, b)| a == b);
    let path = path.to_owned();
    let written = tokio::task::spawn_blocking(move || {
        let voters = rolls.iter().map(|(roll, _)| roll.voters.len()).sum();
        write_roll(&path, &rolls).map(|()| voters).map_err(|error| DemoError::file(&path, std::io::Error::other(error)))
    });
    written.await.unwrap_or(Err(DemoError::Stopped))
}

fn write_roll(path: &Path, rolls: &[(PrecinctEnrolled, EventId)]) -> Result<(), ParquetError> {
    let schema = Arc::new(Schema::new(vec![
        Field::new("precinct", DataType::Utf8, false),
        Field::new("version", DataType::UInt32, false),
        Field::new("pseudonym", DataType::Utf8, false),
        Field::new("birth_band", DataType::UInt16, false),
        Field::new("sex", DataType::Utf8, false),
    ]));
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        // No two pseudonyms are equal: a dictionary of them only costs memory.
        .set_column_dictionary_enabled("pseudonym".into(), false)
        .set_max_row_group_row_count(Some(200_000))
        .build();
    let mut writer = ArrowWriter::try_new(File::create(path)?, schema.clone(), Some(properties))?;
    for (roll, _) in rolls {
        let rows = roll.voters.len();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(roll.precinct.as_str(), rows))),
            Arc::new(UInt32Array::from_value(roll.version, rows)),
            Arc::new(StringArray::from_iter_values(roll.voters.iter().map(|RollEntry(person, ..)| person.to_string()))),
            Arc::new(UInt16Array::from_iter_values(roll.voters.iter().map(|RollEntry(_, band, _)| *band))),
            Arc::new(StringArray::from_iter_values(roll.voters.iter().map(|RollEntry(.., sex)| letter(*sex)))),
        ];
        writer.write(&RecordBatch::try_new(schema.clone(), columns)?)?;
    }
    writer.close().map(drop)
}

fn letter(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "f",
        Sex::Male => "m",
        Sex::Unknown => "u",
    }
}
