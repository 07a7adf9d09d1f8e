//! Groups: ownership of partitions, commits, and recovery after a crash.

use std::collections::BTreeSet;

use qamtu_log::{Delivery, LogError, Partition};

use crate::fixture::{
    LogFixture, append_all, assert_contiguous, assigned, expect_error, member, next, numbered, read_count, read_to_end, start_all,
    within_deadline,
};
use crate::on_both_logs;
use crate::process::TestProcess;

on_both_logs!(group:
    reads_on_from_what_was_committed,
    a_commit_is_all_or_nothing_and_only_for_owned_partitions,
    two_readers_split_the_partitions,
    groups_do_not_see_each_other,
    redelivers_what_a_killed_reader_had_not_committed,
    a_killed_owner_releases_its_partitions,
);

async fn reads_on_from_what_was_committed(log: LogFixture) {
    log.topic("events", 2).await;
    append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
    let (zero, one) = (Partition::new("events", 0), Partition::new("events", 1));
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    start_all(&mut *reader).await;
    read_count(&mut *reader, 100).await;
    within_deadline("commit", reader.commit(&[zero.next_offset(7)])).await.expect("commit");
    within_deadline("commit", reader.commit(&[zero.next_offset(8)])).await.expect("commit");
    drop(reader);
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    assert_eq!(assigned(&mut *reader).await, [(zero.clone(), Some(8)), (one.clone(), None)]);
    within_deadline("start", reader.start_at(&[zero.next_offset(8), one.next_offset(0)])).await.expect("start");
    let all = read_to_end(&mut *reader).await;
    assert_contiguous(&all[&zero], 8);
    assert_contiguous(&all[&one], 0);
}

async fn a_commit_is_all_or_nothing_and_only_for_owned_partitions(log: LogFixture) {
    log.topic("events", 2).await;
    append_all(&*log.writer().await, numbered("events", 9, 0..100)).await;
    let zero = Partition::new("events", 0);
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    start_all(&mut *reader).await;
    for foreign in [Partition::new("events", 2), Partition::new("roll", 0)] {
        let error = expect_error(within_deadline("commit", reader.commit(&[zero.next_offset(5), foreign.next_offset(1)])).await);
        assert!(matches!(&error, LogError::NotOwned { partition } if *partition == foreign), "{error}");
    }
    within_deadline("commit", reader.commit(&[])).await.expect("nothing to commit");
    drop(reader);
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    assert_eq!(assigned(&mut *reader).await[0], (zero, None), "a refused commit left something behind");
}

async fn two_readers_split_the_partitions(log: LogFixture) {
    log.topic("events", 6).await;
    append_all(&*log.writer().await, numbered("events", 60, 0..3_000)).await;
    let mut one = log.reader(&["events"], member(0, 2)).await;
    let mut two = log.reader(&["events"], member(1, 2)).await;
    let ((mine, first), (yours, second)) = tokio::join!(read_assignment(&mut *one, 3), read_assignment(&mut *two, 3));
    assert!(mine.is_disjoint(&yours), "{mine:?} and {yours:?}");
    assert_eq!(mine.len() + yours.len(), 6);
    assert_eq!(first + second, 3_000);
    let strange = yours.first().expect("partition").next_offset(1);
    let error = expect_error(within_deadline("commit", one.commit(&[strange])).await);
    assert!(matches!(error, LogError::NotOwned { .. }), "{error}");
}

/// Follows rebalances until this many partitions are owned and read from 0 to their end.
async fn read_assignment(reader: &mut dyn qamtu_log::LogReader, wanted: usize) -> (BTreeSet<Partition>, usize) {
    let (mut owned, mut count) = (BTreeSet::new(), 0);
    loop {
        match next(reader).await {
            Delivery::Assigned(partitions) => {
                owned = partitions.iter().map(|(partition, _)| partition.clone()).collect();
                count = 0;
                let at: Vec<_> = owned.iter().map(|partition| partition.next_offset(0)).collect();
                within_deadline("start", reader.start_at(&at)).await.expect("start");
            }
            Delivery::Records(records) => {
                assert!(records.iter().all(|record| owned.contains(&record.partition)));
                count += records.len();
            }
            Delivery::Revoked { partitions, lost: false } => {
                within_deadline("release", reader.release(&partitions)).await.expect("release");
                owned.clear();
            }
            Delivery::Revoked { lost: true, .. } => panic!("nothing may be lost here"),
            Delivery::CaughtUp if owned.len() == wanted => return (owned, count),
            Delivery::CaughtUp => {}
        }
    }
}

async fn groups_do_not_see_each_other(log: LogFixture) {
    log.topic("events", 1).await;
    append_all(&*log.writer().await, numbered("events", 9, 0..10)).await;
    let events = Partition::new("events", 0);
    let mut projector = log.reader(&["events"], member(0, 1)).await;
    start_all(&mut *projector).await;
    within_deadline("commit", projector.commit(&[events.next_offset(4)])).await.expect("commit");
    let register = qamtu_log::Membership::Group { group: "register".into(), member: 0, members: 1 };
    let mut register = log.reader(&["events"], register).await;
    assert_eq!(assigned(&mut *register).await, [(events, None)]);
}

async fn redelivers_what_a_killed_reader_had_not_committed(log: LogFixture) {
    log.topic("events", 3).await;
    append_all(&*log.writer().await, numbered("events", 60, 0..3_000)).await;
    let mut got = BTreeSet::<(u32, u64)>::new();
    let mut committed = [0_u64; 3];
    for round in 0..4 {
        let process = TestProcess::start(&log, "read");
        for _ in 0..20 + round {
            process.lines_until("committed ").iter().for_each(|line| parse_line(line, &mut got, &mut committed));
        }
        process.kill().iter().for_each(|line| parse_line(line, &mut got, &mut committed));
    }
    // The next reader starts exactly where the killed ones had committed.
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    let at = assigned(&mut *reader).await;
    for (partition, next) in &at {
        let next = next.unwrap_or(0);
        let printed = committed[partition.number as usize];
        // A kill between a commit and its output leaves one batch that was committed but not printed.
        assert!((printed..=printed + 10).contains(&next), "{partition}: committed {next}, printed {printed}");
        assert!(
            (0..next).all(|offset| got.contains(&(partition.number, offset))),
            "{partition}: something before {next} was never delivered"
        );
    }
    let at: Vec<_> = at.iter().map(|(partition, next)| partition.next_offset(next.unwrap_or(0))).collect();
    within_deadline("start", reader.start_at(&at)).await.expect("start");
    let rest = read_to_end(&mut *reader).await;
    for next in &at {
        assert_contiguous(rest.get(&next.partition).map_or(&[][..], |records| records), next.offset);
    }
    assert!(at.iter().map(|next| next.offset).sum::<u64>() > 300, "{at:?}");
}

fn parse_line(line: &str, got: &mut BTreeSet<(u32, u64)>, committed: &mut [u64; 3]) {
    let words: Vec<_> = line.split(' ').collect();
    if let [what, partition, offset] = words[..]
        && let (Ok(partition), Ok(offset)) = (partition.parse::<usize>(), offset.parse())
    {
        match what {
            "got" => drop(got.insert((partition as u32, offset))),
            "committed" => committed[partition] = offset,
            _ => {}
        }
    }
}

async fn a_killed_owner_releases_its_partitions(log: LogFixture) {
    log.topic("events", 4).await;
    for _ in 0..3 {
        let process = TestProcess::start(&log, "hold");
        assert_eq!(process.wait_for("assigned"), "4");
        process.kill();
        let mut reader = log.reader(&["events"], member(0, 1)).await;
        assert_eq!(assigned(&mut *reader).await.len(), 4);
    }
}
