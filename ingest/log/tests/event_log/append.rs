//! Appending: order, positions, durability, refused entries.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use qamtu_log::{Entry, LogError, MAX_ENTRY_BYTES, Partition, TopicSpec, ensure_topics, open_reader};

use crate::fixture::{
    LogFixture, append_all, assert_contiguous, entry, expect_error, member, next, numbered, options, read_count, read_to_end, start_all,
    text, within_deadline,
};
use crate::on_both_logs;
use crate::process::TestProcess;

on_both_logs!(append:
    keeps_the_order_of_a_key_without_gaps,
    puts_keys_where_kafka_puts_them,
    gives_back_what_was_appended,
    answers_with_the_position_of_each_entry,
    appends_of_many_tasks_leave_no_gap,
    keeps_what_it_acknowledged_when_the_writer_is_killed,
    a_cancelled_append_is_whole_or_absent,
    refuses_by_entry_and_takes_the_rest,
    takes_huge_values,
    flushes_and_is_ready,
    topics_are_created_once_and_never_resized,
    an_unknown_topic_is_refused,
);

async fn keeps_the_order_of_a_key_without_gaps(log: LogFixture) {
    log.topic("events", 6).await;
    let writer = log.writer().await;
    for start in (0..5_000).step_by(500) {
        append_all(&*writer, numbered("events", 50, start..start + 500)).await;
    }
    let all = log.read_all(&["events"]).await;
    assert_eq!(all.values().map(Vec::len).sum::<usize>(), 5_000);
    for records in all.values() {
        assert_contiguous(records, 0);
        let mut last = HashMap::new();
        for record in records {
            let number: u64 = text(record).parse().expect("number");
            let before = last.insert(record.key.clone(), number);
            assert!(before.is_none_or(|before| before < number), "{before:?} came before {number}");
        }
    }
}

/// The partitions that Kafka's own default partitioner chooses among 12 (murmur2, sign bit cleared, modulo).
async fn puts_keys_where_kafka_puts_them(log: LogFixture) {
    log.topic("events", 12).await;
    let writer = log.writer().await;
    let positions = [("21", -973_932_308_i32), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536), ("abc", 479_470_107)];
    for (key, hash) in positions {
        let position = append_all(&*writer, vec![entry("events", key, "x")]).await.remove(0);
        assert_eq!(position.partition.number, (hash & 0x7fff_ffff) as u32 % 12, "{key}");
    }
    // Both logs put a key into the same partition.
    let reference = LogFixture::embedded();
    reference.topic("events", 12).await;
    let keys: Vec<_> =
        (0..500).map(|number| entry("events", &"kілт-".repeat(number % 7 + 1).replace('-', &number.to_string()), "x")).collect();
    let wanted = append_all(&*reference.writer().await, keys.clone()).await;
    let found = append_all(&*writer, keys).await;
    let positions = |positions: &[qamtu_log::Position]| positions.iter().map(|position| position.partition.number).collect::<Vec<_>>();
    assert_eq!(positions(&found), positions(&wanted));
}

async fn gives_back_what_was_appended(log: LogFixture) {
    log.topic("events", 1).await;
    let writer = log.writer().await;
    let headers = vec![
        ("ce_type".into(), Bytes::from_static(b"meeting.held")),
        ("empty".into(), Bytes::new()),
        ("twice".into(), Bytes::from_static(b"1")),
        ("twice".into(), Bytes::from_static(&[0, 255, 10])),
    ];
    let sent =
        Entry { topic: "events".into(), key: Bytes::from_static(&[0, 1, 255]), headers, value: Bytes::from_static(&[0, 159, 146, 150]) };
    let bare = Entry { headers: Vec::new(), value: Bytes::new(), ..sent.clone() };
    append_all(&*writer, vec![sent.clone(), bare.clone()]).await;
    let read = log.read_all(&["events"]).await.remove(&Partition::new("events", 0)).expect("records");
    assert_eq!(read[0].headers, sent.headers);
    assert_eq!(read[0].key, Some(sent.key));
    assert_eq!(read[0].value, Some(sent.value));
    assert_eq!((&read[1].headers, &read[1].value), (&Vec::new(), &Some(Bytes::new())));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("clock").as_millis() as i64;
    assert!((now - 60_000..=now + 1_000).contains(&read[0].appended_ms), "{} is not now ({now})", read[0].appended_ms);
}

async fn answers_with_the_position_of_each_entry(log: LogFixture) {
    log.topic("events", 4).await;
    let writer = log.writer().await;
    let entries = numbered("events", 40, 0..1_000);
    let positions = append_all(&*writer, entries.clone()).await;
    let all = log.read_all(&["events"]).await;
    for (entry, position) in entries.iter().zip(positions) {
        let record = &all[&position.partition][position.offset as usize];
        assert_eq!((record.offset, record.value.as_ref()), (position.offset, Some(&entry.value)));
    }
}

async fn appends_of_many_tasks_leave_no_gap(log: LogFixture) {
    log.topic("events", 3).await;
    let writer = log.writer().await;
    let tasks: Vec<_> = (0..20_u64)
        .map(|task| {
            let writer = writer.clone();
            tokio::spawn(async move {
                for round in 0..20 {
                    let start = task * 1_000 + round * 10;
                    append_all(&*writer, numbered("events", 7, start..start + 10)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("task");
    }
    let all = log.read_all(&["events"]).await;
    all.values().for_each(|records| assert_contiguous(records, 0));
    let mut numbers: Vec<u64> = all.values().flatten().map(|record| text(record).parse().expect("number")).collect();
    numbers.sort_unstable();
    let wanted: Vec<_> = (0..20).flat_map(|task| task * 1_000..task * 1_000 + 200).collect();
    assert_eq!(numbers, wanted);
}

async fn keeps_what_it_acknowledged_when_the_writer_is_killed(log: LogFixture) {
    log.topic("events", 3).await;
    let mut acknowledged = BTreeMap::<(u32, u64), String>::new();
    for round in 0..if log.is_kafka() { 5_u32 } else { 20 } {
        let process = TestProcess::start(&log, "append 100");
        let mut lines: Vec<_> = (0..1 + round % 4).map(|_| format!("ack {}", process.wait_for("ack "))).collect();
        // Kills at a different point of the next append in each round.
        tokio::time::sleep(std::time::Duration::from_micros(u64::from(round) * 700)).await;
        lines.extend(process.kill());
        for line in lines {
            let words: Vec<_> = line.split(' ').collect();
            if let ["ack", partition, offset, value] = words[..] {
                let position = (partition.parse().expect("partition"), offset.parse().expect("offset"));
                assert_eq!(acknowledged.insert(position, value.into()), None, "{position:?} was given twice");
            }
        }
        let all = log.read_all(&["events"]).await;
        all.values().for_each(|records| assert_contiguous(records, 0));
        for ((partition, offset), value) in &acknowledged {
            let record = &all[&Partition::new("events", *partition)][*offset as usize];
            // The kill may cut the last line.
            assert!(text(record).starts_with(value.as_str()), "events/{partition} at {offset}: {value} was lost");
        }
    }
    assert!(acknowledged.len() > 100, "only {} acknowledged", acknowledged.len());
}

async fn a_cancelled_append_is_whole_or_absent(log: LogFixture) {
    log.topic("events", 2).await;
    let writer = log.writer().await;
    for round in 0..50_u64 {
        let append = writer.append(numbered("events", 9, round * 100..round * 100 + 100));
        let _ = tokio::time::timeout(std::time::Duration::from_micros(round * 40), append).await;
    }
    within_deadline("flush", writer.flush(crate::fixture::DEADLINE)).await.expect("flush");
    let all = log.read_all(&["events"]).await;
    let mut rounds = HashMap::<u64, u64>::new();
    for record in all.values().flatten() {
        *rounds.entry(text(record).parse::<u64>().expect("number") / 100).or_default() += 1;
    }
    assert!(rounds.values().all(|count| *count == 100), "{rounds:?}");
    all.values().for_each(|records| assert_contiguous(records, 0));
}

async fn refuses_by_entry_and_takes_the_rest(log: LogFixture) {
    log.topic("events", 1).await;
    let writer = log.writer().await;
    let huge = entry("events", "k", vec![b'x'; MAX_ENTRY_BYTES]);
    let nameless = Entry { headers: vec![("".into(), Bytes::new())], ..entry("events", "k", "nameless") };
    let outcomes = within_deadline(
        "append",
        writer.append(vec![
            entry("events", "k", "first"),
            entry("events", "", "no key"),
            huge,
            entry("nowhere", "k", "unknown topic"),
            nameless,
            entry("events", "k", "last"),
        ]),
    )
    .await;
    let [first, no_key, huge, unknown, nameless, last]: [_; 6] = outcomes.try_into().expect("one outcome per entry");
    assert_eq!((first.expect("first").offset, last.expect("last").offset), (0, 1));
    assert!(matches!(no_key, Err(LogError::InvalidEntry { .. })), "{no_key:?}");
    assert!(matches!(huge, Err(LogError::TooLarge { limit: MAX_ENTRY_BYTES, .. })), "{huge:?}");
    assert!(matches!(unknown, Err(LogError::UnknownTopic { .. })), "{unknown:?}");
    assert!(matches!(nameless, Err(LogError::InvalidEntry { .. })), "{nameless:?}");
    assert!(expect_error(unknown).is_invalid_entry());
    let all = log.read_all(&["events"]).await;
    assert_eq!(all.values().flatten().map(text).collect::<Vec<_>>(), ["first", "last"]);
}

async fn takes_huge_values(log: LogFixture) {
    log.topic("roll", 2).await;
    let writer = log.writer().await;
    let value = |number: u8, size: usize| {
        (0..size).map(|position| number.wrapping_mul(31).wrapping_add((position % 251) as u8)).collect::<Vec<u8>>()
    };
    let mut entries: Vec<_> = (0..20).map(|number| entry("roll", &format!("p{number}"), value(number, 200_000))).collect();
    entries.push(entry("roll", "p", value(99, MAX_ENTRY_BYTES - 1)));
    append_all(&*writer, entries.clone()).await;
    let mut reader = log.reader(&["roll"], qamtu_log::Membership::Standalone).await;
    start_all(&mut *reader).await;
    let read = read_count(&mut *reader, entries.len()).await;
    for sent in &entries {
        assert!(read.iter().any(|record| record.key.as_ref() == Some(&sent.key) && record.value.as_ref() == Some(&sent.value)));
    }
}

async fn flushes_and_is_ready(log: LogFixture) {
    log.topic("events", 2).await;
    let writer = log.writer().await;
    within_deadline("ready", writer.ready()).await.expect("ready");
    let appending = {
        let writer = writer.clone();
        tokio::spawn(async move { writer.append(numbered("events", 9, 0..20_000)).await })
    };
    // Waits until the append has begun.
    let mut reader = log.reader(&["events"], qamtu_log::Membership::Standalone).await;
    start_all(&mut *reader).await;
    while !matches!(next(&mut *reader).await, qamtu_log::Delivery::Records(_)) {}
    within_deadline("flush", writer.flush(crate::fixture::DEADLINE)).await.expect("flush");
    let stored: usize = log.read_all(&["events"]).await.values().map(Vec::len).sum();
    assert_eq!(stored, 20_000, "a flush returned before everything was settled");
    assert!(within_deadline("append", appending).await.expect("task").iter().all(Result::is_ok));
    within_deadline("ready", writer.ready()).await.expect("ready");
}

async fn topics_are_created_once_and_never_resized(log: LogFixture) {
    let spec = |partitions| [TopicSpec { name: "events".into(), partitions }];
    let (first, second) = (spec(3), spec(3));
    let (one, two) = tokio::join!(ensure_topics(&log.config, &first), ensure_topics(&log.config, &second));
    one.and(two).expect("created by both at once");
    append_all(&*log.writer().await, numbered("events", 9, 0..10)).await;
    ensure_topics(&log.config, &spec(3)).await.expect("again");
    let error = expect_error(ensure_topics(&log.config, &spec(4)).await);
    assert!(matches!(error, LogError::PartitionCount { found: 3, wanted: 4, .. }), "{error}");
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    assert_eq!(start_all(&mut *reader).await.len(), 3);
    assert_eq!(read_to_end(&mut *reader).await.values().map(Vec::len).sum::<usize>(), 10);
}

async fn an_unknown_topic_is_refused(log: LogFixture) {
    log.topic("events", 1).await;
    let unknown = |error: LogError| assert!(matches!(&error, LogError::UnknownTopic { topic } if topic == "nowhere"), "{error}");
    unknown(open_reader(&log.config, options(&["nowhere"], member(0, 1))).await.map(|_| ()).expect_err("reader"));
    let reader = log.reader(&["events"], qamtu_log::Membership::Standalone).await;
    unknown(expect_error(within_deadline("bounds", reader.bounds("nowhere")).await));
    unknown(expect_error(within_deadline("append", log.writer().await.append(vec![entry("nowhere", "k", "v")])).await.remove(0)));
}
