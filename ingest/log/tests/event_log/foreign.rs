//! Records of other producers that a reader must accept.
//!
//! The client library accepts only UTF-8 header names, so the request is encoded here byte by byte
//! (Kafka's protocol: Produce version 3, record batches of version 2).

use std::borrow::Cow;
use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use qamtu_log::{LogConfig, Membership, Partition};

use crate::fixture::{LogFixture, append_all, assert_contiguous, member, numbered, read_count, run_test, start_all, text};

/// Encodes a length as a zigzag varint.
fn length(out: &mut Vec<u8>, bytes: usize) {
    let mut rest = bytes << 1;
    while rest >= 0x80 {
        out.push((rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// CRC-32C of a record batch.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(!0_u32, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

/// Encodes a batch of one record with one header of this name.
fn batch(name: &[u8], value: &[u8]) -> Vec<u8> {
    // Attributes, timestamp delta, offset delta.
    let mut record = vec![0, 0, 0];
    let mut field = |bytes: &[u8]| {
        length(&mut record, bytes.len());
        record.extend_from_slice(bytes);
    };
    field(b"key");
    field(value);
    length(&mut record, 1);
    for bytes in [name, b"x"] {
        length(&mut record, bytes.len());
        record.extend_from_slice(bytes);
    }
    // Attributes, last offset delta, first and last timestamp, no producer id, epoch and sequence, record count.
    let mut body = Vec::new();
    body.extend_from_slice(&0_i16.to_be_bytes());
    body.extend_from_slice(&0_i32.to_be_bytes());
    body.extend_from_slice(&[0; 16]);
    body.extend_from_slice(&[0xFF; 14]);
    body.extend_from_slice(&1_i32.to_be_bytes());
    length(&mut body, record.len());
    body.extend_from_slice(&record);
    // Base offset, length, leader epoch, version, checksum.
    let mut batch = vec![0; 8];
    batch.extend_from_slice(&(4 + 1 + 4 + body.len() as u32).to_be_bytes());
    batch.extend_from_slice(&(-1_i32).to_be_bytes());
    batch.push(2);
    batch.extend_from_slice(&checksum(&body).to_be_bytes());
    batch.extend_from_slice(&body);
    batch
}

/// Produces a batch to partition 0 of a topic; returns the broker's error code.
fn produce(address: &str, topic: &str, batch: &[u8]) -> i16 {
    let mut request = Vec::new();
    let name = u16::try_from(topic.len()).expect("a short name").to_be_bytes();
    // API key, version, correlation id, no client id, no transactional id, acks from all replicas, timeout.
    request.extend_from_slice(&0_i16.to_be_bytes());
    request.extend_from_slice(&3_i16.to_be_bytes());
    request.extend_from_slice(&1_i32.to_be_bytes());
    request.extend_from_slice(&[0xFF; 6]);
    request.extend_from_slice(&30_000_i32.to_be_bytes());
    // One topic with one partition and its records.
    request.extend_from_slice(&1_i32.to_be_bytes());
    request.extend_from_slice(&name);
    request.extend_from_slice(topic.as_bytes());
    request.extend_from_slice(&1_i32.to_be_bytes());
    request.extend_from_slice(&0_i32.to_be_bytes());
    request.extend_from_slice(&(batch.len() as u32).to_be_bytes());
    request.extend_from_slice(batch);
    let mut stream = TcpStream::connect(address).expect("the broker listens");
    stream.write_all(&(request.len() as u32).to_be_bytes()).expect("sent");
    stream.write_all(&request).expect("sent");
    let mut size = [0; 4];
    stream.read_exact(&mut size).expect("an answer");
    let mut answer = vec![0; u32::from_be_bytes(size) as usize];
    stream.read_exact(&mut answer).expect("an answer");
    // After the correlation id, the topic array with the name, and the partition array with the number.
    let at = 4 + 4 + 2 + topic.len() + 4 + 4;
    i16::from_be_bytes([answer[at], answer[at + 1]])
}

#[test]
fn a_header_whose_name_is_no_text_stops_no_reader() {
    run_test(async {
        let Some(log) = LogFixture::kafka() else { return };
        let LogConfig::Kafka(config) = &log.config else { panic!("this is not Kafka") };
        log.topic("events", 1).await;
        let writer = log.writer().await;
        append_all(&*writer, numbered("events", 1, 0..1)).await;
        let topic = format!("{}events", config.topic_prefix);
        assert_eq!(produce(&config.brokers, &topic, &batch(b"\xff", b"no text")), 0);
        assert_eq!(produce(&config.brokers, &topic, &batch(b"text", b"text")), 0);
        append_all(&*writer, numbered("events", 1, 1..2)).await;
        for membership in [Membership::Standalone, member(0, 1)] {
            let mut reader = log.reader(&["events"], membership).await;
            start_all(&mut *reader).await;
            let records = read_count(&mut *reader, 4).await;
            assert_contiguous(&records, 0);
            assert!(records.iter().all(|record| record.partition == Partition::new("events", 0)));
            assert_eq!(records.iter().map(text).collect::<Vec<_>>(), ["0", "no text", "text", "1"]);
            assert_eq!(records[1].key.as_deref(), Some(&b"key"[..]));
            assert!(records[1].headers.is_empty());
            assert_eq!(records[2].headers, vec![(Cow::Borrowed("text"), Bytes::from_static(b"x"))]);
        }
    });
}
