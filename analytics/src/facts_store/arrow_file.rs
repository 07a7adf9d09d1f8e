//! Files of data frames in Arrow's stream format, each with its length and a checksum.
//!
//! Guarantees: a file can be read by its owner only, and not at all if it is cut off or changed. So nothing waits for the disk: a file that
//! a power failure leaves incomplete is a file that is cut off.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use polars::{
    frame::DataFrame,
    prelude::{CompatLevel, PolarsResult, SchemaExt},
};
use polars_arrow::io::ipc::{
    read::{StreamReader, StreamState, read_stream_metadata},
    write::{StreamWriter, WriteOptions},
};
use serde::{Deserialize, Serialize};

/// Bytes that are read at once to check a file.
const CHECKED_BYTES: usize = 1 << 20;

/// A file, and what its contents must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ArrowFile {
    pub(super) name: String,
    bytes: u64,
    crc32: u32,
}

/// Counts and checks what is written.
struct Checked<W> {
    file: W,
    bytes: u64,
    crc32: crc32fast::Hasher,
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.crc32.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a file through a temporary one, so that another process never reads half of it.
pub(super) fn write_whole(folder: &Path, name: &str, content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let temporary = folder.join(format!(".{name}"));
    let mut options = OpenOptions::new();
    let mut file = BufWriter::new(options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?);
    content(&mut file)?;
    file.flush()?;
    fs::rename(temporary, folder.join(name))
}

impl ArrowFile {
    /// Writes frames with the same columns, at least one.
    pub(super) fn write(folder: &Path, name: String, frames: impl Iterator<Item = PolarsResult<DataFrame>>) -> io::Result<Self> {
        let (mut bytes, mut crc32) = (0, 0);
        write_whole(folder, &name, |file| {
            let mut checked = Checked { file, bytes: 0, crc32: crc32fast::Hasher::new() };
            write_frames(&mut checked, frames).map_err(io::Error::other)?;
            (bytes, crc32) = (checked.bytes, checked.crc32.finalize());
            Ok(())
        })?;
        Ok(Self { name, bytes, crc32 })
    }

    /// Checks the file, then reads its frames.
    pub(super) fn read(&self, folder: &Path, each: impl FnMut(&DataFrame) -> PolarsResult<()>) -> io::Result<()> {
        let mut file = File::open(folder.join(&self.name))?;
        self.check(&mut file)?;
        file.rewind()?;
        read_frames(BufReader::new(file), each).map_err(io::Error::other)
    }

    fn check(&self, file: &mut File) -> io::Result<()> {
        let mut crc32 = crc32fast::Hasher::new();
        let mut buffer = vec![0; CHECKED_BYTES];
        let mut bytes = 0;
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => {
                    crc32.update(&buffer[..read]);
                    bytes += read as u64;
                }
            }
        }
        let is_whole = bytes == self.bytes && crc32.finalize() == self.crc32;
        if is_whole { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidData, "the file is not the one that was written")) }
    }
}

fn write_frames(to: impl Write, frames: impl Iterator<Item = PolarsResult<DataFrame>>) -> PolarsResult<()> {
    let mut writer = StreamWriter::new(to, WriteOptions { compression: None });
    let mut is_started = false;
    for frame in frames {
        let frame = frame?;
        if !is_started {
            writer.start(&frame.schema().to_arrow(CompatLevel::newest()), None)?;
            is_started = true;
        }
        for batch in frame.iter_chunks(CompatLevel::newest(), false) {
            writer.write(&batch, None)?;
        }
    }
    writer.finish()
}

fn read_frames(mut from: BufReader<File>, mut each: impl FnMut(&DataFrame) -> PolarsResult<()>) -> PolarsResult<()> {
    let metadata = read_stream_metadata(&mut from)?;
    for state in StreamReader::new(from, metadata, None) {
        match state? {
            StreamState::Some(batch) => each(&DataFrame::from(batch))?,
            StreamState::Waiting => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }
    Ok(())
}
