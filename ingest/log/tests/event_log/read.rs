//! Reading: batches, ends, starts, cancellation.

use std::time::Duration;

use qamtu_log::{Bounds, Delivery, LogError, Membership, Partition, ReaderOptions, open_reader};

use crate::fixture::{
    LogFixture, append_all, assert_contiguous, assigned, entry, expect_error, member, next, numbered, options, read_count, read_to_end,
    start_all, within_deadline,
};
use crate::on_both_logs;

on_both_logs!(read:
    the_bounds_are_what_the_log_holds,
    a_whole_reader_gets_every_partition_of_every_topic,
    a_whole_reader_never_commits,
    nothing_comes_before_the_start,
    reports_once_that_everything_is_read,
    an_empty_log_is_read_at_once,
    batches_keep_their_limits,
    a_cancelled_next_loses_nothing,
    starting_again_moves_and_drops_what_was_read_ahead,
    starting_again_loses_no_record_behind_a_deferred_one,
    an_offset_that_is_not_there_is_refused,
    a_reader_that_takes_nothing_for_a_while_goes_on,
);

async fn the_bounds_are_what_the_log_holds(log: LogFixture) {
    log.topic("events", 2).await;
    let writer = log.writer().await;
    let reader = log.reader(&["events"], Membership::Standalone).await;
    let empty = within_deadline("bounds", reader.bounds("events")).await.expect("bounds");
    assert_eq!(empty, [0, 1].map(|number| Bounds { partition: Partition::new("events", number), start: 0, end: 0 }));
    let positions = append_all(&*writer, numbered("events", 9, 0..100)).await;
    let filled = within_deadline("bounds", reader.bounds("events")).await.expect("bounds");
    for Bounds { partition, start, end } in filled {
        let count = positions.iter().filter(|position| position.partition == partition).count() as u64;
        assert_eq!((start, end), (0, count), "{partition}");
    }
}

async fn a_whole_reader_gets_every_partition_of_every_topic(log: LogFixture) {
    log.topic("events", 3).await;
    log.topic("roll", 3).await;
    let writer = log.writer().await;
    append_all(&*writer, numbered("events", 20, 0..300)).await;
    append_all(&*writer, numbered("roll", 20, 0..200)).await;
    // Two standalone readers each get everything, and another group does not affect them.
    let mut other = log.reader(&["events"], member(0, 1)).await;
    start_all(&mut *other).await;
    for _ in 0..2 {
        let all = log.read_all(&["events", "roll"]).await;
        let count =
            |topic: &str| all.iter().filter(|(partition, _)| &*partition.topic == topic).map(|(_, records)| records.len()).sum::<usize>();
        assert_eq!((all.len(), count("events"), count("roll")), (6, 300, 200));
        all.values().for_each(|records| assert_contiguous(records, 0));
    }
}

async fn a_whole_reader_never_commits(log: LogFixture) {
    log.topic("events", 1).await;
    append_all(&*log.writer().await, numbered("events", 3, 0..10)).await;
    let mut reader = log.reader(&["events"], Membership::Standalone).await;
    start_all(&mut *reader).await;
    read_count(&mut *reader, 10).await;
    let error = expect_error(within_deadline("commit", reader.commit(&[Partition::new("events", 0).next_offset(10)])).await);
    assert!(matches!(error, LogError::NotOwned { .. }), "{error}");
}

async fn nothing_comes_before_the_start(log: LogFixture) {
    log.topic("events", 2).await;
    append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    let partitions = assigned(&mut *reader).await;
    assert_eq!(partitions, [0, 1].map(|number| (Partition::new("events", number), None)));
    // Nothing is started, so nothing may be delivered.
    let early = tokio::time::timeout(Duration::from_millis(300), reader.next()).await;
    assert!(early.is_err(), "{early:?}");
    // One of the two: only its records come.
    within_deadline("start", reader.start_at(&[Partition::new("events", 1).next_offset(0)])).await.expect("start");
    let all = read_to_end(&mut *reader).await;
    assert_eq!(all.keys().collect::<Vec<_>>(), [&Partition::new("events", 1)]);
}

async fn reports_once_that_everything_is_read(log: LogFixture) {
    log.topic("events", 3).await;
    log.topic("roll", 3).await;
    let writer = log.writer().await;
    append_all(&*writer, numbered("events", 9, 0..50)).await;
    let mut reader = log.reader(&["events", "roll"], member(0, 1)).await;
    start_all(&mut *reader).await;
    assert_eq!(read_to_end(&mut *reader).await.values().map(Vec::len).sum::<usize>(), 50);
    let again = tokio::time::timeout(Duration::from_millis(300), reader.next()).await;
    assert!(again.is_err(), "{again:?}");
    for topic in ["roll", "events"] {
        append_all(&*writer, vec![entry(topic, "k", "new")]).await;
        assert_eq!(read_to_end(&mut *reader).await.values().map(Vec::len).sum::<usize>(), 1);
    }
}

async fn an_empty_log_is_read_at_once(log: LogFixture) {
    log.topic("events", 4).await;
    assert!(log.read_all(&["events"]).await.is_empty());
}

async fn batches_keep_their_limits(log: LogFixture) {
    log.topic("events", 2).await;
    let mut entries: Vec<_> = (0..200).map(|number| entry("events", &number.to_string(), vec![b'v'; 100])).collect();
    entries.insert(50, entry("events", "large", vec![b'l'; 5_000]));
    append_all(&*log.writer().await, entries).await;
    for (max_records, max_bytes) in [(7, 1 << 20), (1, 1 << 20), (1_000, 1_000), (1_000, 1)] {
        let options = ReaderOptions { max_records, max_bytes, ..options(&["events"], Membership::Standalone) };
        let mut reader = open_reader(&log.config, options).await.expect("reader");
        start_all(&mut *reader).await;
        let mut count = 0;
        while count < 201 {
            if let Delivery::Records(records) = next(&mut *reader).await {
                assert!(!records.is_empty() && records.len() <= max_records);
                let bytes: usize = records.iter().map(qamtu_log::Record::size).sum();
                assert!(bytes <= max_bytes || records.len() == 1, "{bytes} bytes in {} records", records.len());
                count += records.len();
            }
        }
        assert_eq!(count, 201);
    }
}

async fn a_cancelled_next_loses_nothing(log: LogFixture) {
    log.topic("events", 3).await;
    append_all(&*log.writer().await, numbered("events", 50, 0..3_000)).await;
    let options = ReaderOptions { max_records: 10, ..options(&["events"], Membership::Standalone) };
    let mut reader = open_reader(&log.config, options).await.expect("reader");
    start_all(&mut *reader).await;
    let mut all = std::collections::BTreeMap::<Partition, Vec<_>>::new();
    let deadline = tokio::time::Instant::now() + crate::fixture::DEADLINE;
    for wait in [0, 50, 200, 1_000].into_iter().cycle() {
        assert!(tokio::time::Instant::now() < deadline, "too slow");
        match tokio::time::timeout(Duration::from_micros(wait), reader.next()).await {
            Ok(Ok(Delivery::Records(records))) => {
                records.into_iter().for_each(|record| all.entry(record.partition.clone()).or_default().push(record))
            }
            Ok(Ok(Delivery::CaughtUp)) => break,
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    }
    assert_eq!(all.values().map(Vec::len).sum::<usize>(), 3_000);
    all.values().for_each(|records| assert_contiguous(records, 0));
}

async fn starting_again_moves_and_drops_what_was_read_ahead(log: LogFixture) {
    log.topic("events", 2).await;
    let positions = append_all(&*log.writer().await, numbered("events", 50, 0..2_000)).await;
    let count = |number| positions.iter().filter(|position| position.partition.number == number).count() as u64;
    let options = ReaderOptions { max_records: 50, ..options(&["events"], Membership::Standalone) };
    let mut reader = open_reader(&log.config, options).await.expect("reader");
    start_all(&mut *reader).await;
    let (zero, one) = (Partition::new("events", 0), Partition::new("events", 1));
    // After reading and reading ahead, partition 0 seeks; partition 1 continues unchanged.
    let before = match next(&mut *reader).await {
        Delivery::Records(records) => records,
        other => panic!("{other:?}"),
    };
    within_deadline("start", reader.start_at(&[zero.next_offset(100)])).await.expect("start");
    let after = read_to_end(&mut *reader).await;
    assert_contiguous(&after[&zero], 100);
    assert_eq!(after[&zero].len() as u64, count(0) - 100);
    let of_one: Vec<_> = before.into_iter().filter(|record| record.partition == one).chain(after[&one].iter().cloned()).collect();
    assert_contiguous(&of_one, 0);
    assert_eq!(of_one.len() as u64, count(1));
    // Back to the start once everything was read.
    within_deadline("start", reader.start_at(&[zero.next_offset(0), one.next_offset(count(1))])).await.expect("start");
    let again = read_to_end(&mut *reader).await;
    assert_eq!((again[&zero].len() as u64, again.contains_key(&one)), (count(0), false));
}

async fn starting_again_loses_no_record_behind_a_deferred_one(log: LogFixture) {
    log.topic("events", 2).await;
    append_all(&*log.writer().await, numbered("events", 50, 0..2_000)).await;
    // So few bytes that nearly every batch defers a record to the next one.
    let options = ReaderOptions { max_bytes: 300, ..options(&["events"], Membership::Standalone) };
    let mut reader = open_reader(&log.config, options).await.expect("reader");
    start_all(&mut *reader).await;
    let zero = Partition::new("events", 0);
    for round in 0..30 {
        // Nothing is taken meanwhile, so the client has records of the new start when the deferred one is sent.
        tokio::time::sleep(Duration::from_millis(100)).await;
        within_deadline("start", reader.start_at(&[zero.next_offset(round)])).await.expect("start");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut records = Vec::new();
        while records.len() < 30 {
            if let Delivery::Records(batch) = next(&mut *reader).await {
                records.extend(batch.into_iter().filter(|record| record.partition == zero));
            }
        }
        assert_contiguous(&records, round);
    }
}

async fn an_offset_that_is_not_there_is_refused(log: LogFixture) {
    log.topic("events", 1).await;
    append_all(&*log.writer().await, numbered("events", 3, 0..10)).await;
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    start_all(&mut *reader).await;
    let events = Partition::new("events", 0);
    let error = expect_error(within_deadline("start", reader.start_at(&[events.next_offset(11)])).await);
    assert!(matches!(error, LogError::OutOfRange { offset: 11, start: 0, end: 10, .. }), "{error}");
    let error = expect_error(within_deadline("start", reader.start_at(&[Partition::new("events", 1).next_offset(0)])).await);
    assert!(matches!(error, LogError::NotOwned { .. }), "{error}");
    // After a refused start the partition is stopped until it is started again.
    within_deadline("start", reader.start_at(&[events.next_offset(9)])).await.expect("start");
    assert_contiguous(&read_to_end(&mut *reader).await[&events], 9);
}

async fn a_reader_that_takes_nothing_for_a_while_goes_on(log: LogFixture) {
    log.topic("events", 3).await;
    append_all(&*log.writer().await, numbered("events", 50, 0..5_000)).await;
    let options = ReaderOptions { max_records: 100, ..options(&["events"], member(0, 1)) };
    let mut reader = open_reader(&log.config, options).await.expect("reader");
    start_all(&mut *reader).await;
    let mut all = read_count(&mut *reader, 100).await;
    // Longer than the time after which the reader pauses fetching.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for (_, records) in read_to_end(&mut *reader).await {
        all.extend(records);
    }
    assert_eq!(all.len(), 5_000);
    let mut positions: Vec<_> = all.iter().map(|record| (record.partition.number, record.offset)).collect();
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions.len(), 5_000);
    let events = Partition::new("events", 0);
    within_deadline("commit", reader.commit(&[events.next_offset(1)])).await.expect("still a member");
}
