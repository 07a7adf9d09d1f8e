//! Exports the events and the roll from the log: `events.ndjson` and `roll.parquet`.
//!
//! `events.ndjson` has every record of the topic `events` in CloudEvents structured mode, sorted by event id. `roll.parquet` has every
//! record of the topic `roll`, sorted by precinct and version. Both logs give the same files.

use std::{
    fs::File,
    io::{BufWriter, Write},
    ops::Range,
    path::Path,
    sync::Arc,
};

use jiff::Timestamp;
use parquet::{
    basic::{Compression, ZstdLevel},
    data_type::{ByteArrayType, DataType, Int32Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedFileWriter, SerializedRowGroupWriter},
    },
    schema::parser::parse_message_type,
};
use qamtu_log::{Delivery, LogConfig, Record, open_reader};
use qamtu_schemas::{
    Data, Topic, decode,
    encode::structured,
    event::{PrecinctEnrolled, RollEntry, Sex},
    id::{BodyHash, EventId},
};

use super::{DemoError, catch_up::whole_log, steps::Step};

/// Rows of a row group: it is held in memory whole.
const ROW_GROUP: usize = 200_000;

/// Columns of `roll.parquet`.
const ROLL_SCHEMA: &str = "message roll {
    required binary precinct (STRING);
    required int32 version (INTEGER(32, false));
    required binary pseudonym (STRING);
    required int32 birth_band (INTEGER(16, false));
    required binary sex (STRING);
}";

/// Reads a topic from its first record to its current end.
async fn read(log: &LogConfig, topic: Topic, step: &Step, mut take: impl FnMut(Record)) -> Result<(), DemoError> {
    let mut reader = open_reader(log, whole_log(&[topic])).await?;
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
    // A record that cannot be decoded is not exported; the projector counts it as rejected.
    decode(headers, record.value.as_deref()).ok()
}

/// Writes `events.ndjson`; returns the number of events.
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

/// Writes `roll.parquet`; returns the number of rows.
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
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        // All pseudonyms differ, so a dictionary would only cost memory.
        .set_column_dictionary_enabled("pseudonym".into(), false)
        .build();
    let mut writer = SerializedFileWriter::new(File::create(path)?, Arc::new(parse_message_type(ROLL_SCHEMA)?), Arc::new(properties))?;
    let lines: Vec<_> = rolls.iter().flat_map(|(roll, _)| roll.voters.iter().map(move |voter| (roll, voter))).collect();
    for lines in lines.chunks(ROW_GROUP) {
        let mut group = writer.next_row_group()?;
        write_column::<ByteArrayType>(&mut group, lines.iter().map(|(roll, _)| roll.precinct.as_str().into()))?;
        // Parquet keeps unsigned numbers in signed ones.
        write_column::<Int32Type>(&mut group, lines.iter().map(|(roll, _)| roll.version.cast_signed()))?;
        write_column::<ByteArrayType>(&mut group, lines.iter().map(|(_, RollEntry(person, ..))| person.to_string().as_str().into()))?;
        write_column::<Int32Type>(&mut group, lines.iter().map(|(_, RollEntry(_, band, _))| i32::from(*band)))?;
        write_column::<ByteArrayType>(&mut group, lines.iter().map(|(_, RollEntry(.., sex))| letter(*sex).into()))?;
        group.close()?;
    }
    writer.close().map(drop)
}

/// Writes the next column of a row group.
fn write_column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: impl Iterator<Item = T::T>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column = column.ok_or_else(|| ParquetError::General("more columns than the schema of the roll has".to_owned()))?;
    column.typed::<T>().write_batch(&values.collect::<Vec<_>>(), None, None)?;
    column.close()
}

fn letter(sex: Sex) -> &'static str {
    match sex {
        Sex::Female => "f",
        Sex::Male => "m",
        Sex::Unknown => "u",
    }
}
