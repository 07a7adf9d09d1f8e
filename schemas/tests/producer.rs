//! The README's instructions for producers, computed here without this crate's encoder, decode like an event of ingest.

use qamtu_schemas::{Event, decode, encode::canonical, encode::encode};
use sha2::{Digest, Sha256};

const README: &str = include_str!("../README.md");

/// The example record of the README: key, headers, value.
fn example() -> (&'static str, Vec<(&'static str, &'static str)>, &'static str) {
    let (_, rest) = README.split_once("prints key, headers and value:\n\n```text\n").expect("the example");
    let mut lines = rest.split_once("\n```").expect("its end").0.lines();
    let (key, value) = (lines.next().expect("a key"), lines.next_back().expect("a value"));
    (key, lines.map(|line| line.split_once(": ").expect("a header")).collect(), value)
}

fn event() -> Event {
    let (_, headers, value) = example();
    decode(headers.iter().map(|(name, text)| (*name, text.as_bytes())), Some(value.as_bytes())).expect("the example decodes")
}

/// The first half of a digest in letters, as the README describes.
fn letters(digest: &[u8]) -> String {
    digest[..16].iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| char::from(b'a' + half)).collect()
}

#[test]
fn the_recipe_for_producers_gives_what_ingest_would_write() {
    let (key, headers, value) = example();
    let header = |name: &str| headers.iter().find(|(found, _)| *found == name).expect(name).1;
    // By hand, following the README: 2026-02-13T11:00:00Z is 1,770,980,400 seconds after 1970.
    let nanoseconds = 1_770_980_400_i128 * 1_000_000_000;
    let id: Vec<u8> = header("ce_id")
        .replace('-', "")
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
        .collect();
    let parts: [&[u8]; 8] = [
        &id,
        header("ce_type").as_bytes(),
        header("ce_source").as_bytes(),
        &nanoseconds.to_be_bytes(),
        &[&[0x80][..], &[0; 15]].concat(),
        header("ce_campaign").as_bytes(),
        &[0; 16],
        value.as_bytes(),
    ];
    let hashed: Vec<u8> = parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat()).collect();
    assert_eq!(letters(&Sha256::digest(&hashed)), header("ce_bodyhash"));

    // Ingest writes the same key and value for this event; its headers have the time in UTC.
    let event = event();
    let written = encode(&event.envelope, &event.data, canonical(&event.data).expect("JSON"));
    assert_eq!(written.key, key);
    assert_eq!(written.topic.name(), "events");
    for (name, text) in &written.headers {
        let text = if *name == "ce_time" { "2026-02-13T16:00:00+05:00" } else { text };
        assert_eq!(header(name), text, "{name}");
    }
    assert_eq!(headers.len(), written.headers.len());
}

#[test]
fn the_value_of_the_recipe_is_in_canonical_form() {
    let (_, _, value) = example();
    let tree: serde_json::Value = serde_json::from_str(value).expect("JSON");
    assert_eq!(canonical(&tree).expect("JSON"), value.as_bytes());
}
