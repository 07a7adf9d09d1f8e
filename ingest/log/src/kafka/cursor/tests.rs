//! Offsets, ends and their ambiguity, without a broker.

use super::*;

fn events(number: u32) -> Partition {
    Partition::new("events", number)
}

fn read_up_to(partition: &Partition, position: u64, end: u64) -> ReadUpTo {
    ReadUpTo { partition: partition.clone(), position, end }
}

fn cursors(partitions: &[Partition]) -> Cursors {
    let mut cursors = Cursors::default();
    cursors.assign(partitions.iter().cloned());
    let at: Vec<_> = partitions.iter().map(|partition| partition.next_offset(0)).collect();
    cursors.start(&at, 1);
    cursors
}

#[test]
fn takes_each_offset_once_and_counts_those_without_a_record() {
    let mut cursors = cursors(&[events(0)]);
    assert_eq!(cursors.advance(&events(0), 0), Some(Advance { epoch: 1, skipped: 0 }));
    assert_eq!(cursors.advance(&events(0), 0), None);
    assert_eq!(cursors.advance(&events(0), 1), Some(Advance { epoch: 1, skipped: 0 }));
    assert_eq!(cursors.advance(&events(0), 4), Some(Advance { epoch: 1, skipped: 2 }));
    assert_eq!(cursors.advance(&events(0), 3), None);
    assert_eq!(cursors.advance(&events(0), 5), Some(Advance { epoch: 1, skipped: 0 }));
}

#[test]
fn drops_what_is_not_started() {
    let mut cursors = cursors(&[events(0)]);
    assert_eq!(cursors.advance(&events(1), 5), None);
    cursors.stop(&[events(0).next_offset(0)]);
    assert_eq!(cursors.advance(&events(0), 0), None);
}

#[test]
fn reports_once_that_everything_is_read() {
    let mut cursors = cursors(&[events(0), events(1)]);
    cursors.mark_end(0);
    assert_eq!(cursors.caught_up(), None);
    cursors.mark_end(1);
    assert_eq!(cursors.caught_up(), Some(1));
    assert_eq!(cursors.caught_up(), None);
    assert_eq!(cursors.advance(&events(1), 0), Some(Advance { epoch: 1, skipped: 0 }));
    assert_eq!(cursors.caught_up(), None);
    cursors.mark_end(1);
    assert_eq!(cursors.caught_up(), Some(1));
}

#[test]
fn an_empty_assignment_is_caught_up() {
    let mut cursors = Cursors::default();
    assert_eq!(cursors.caught_up(), None);
    cursors.assign([]);
    assert_eq!(cursors.caught_up(), Some(0));
    cursors.unassign();
    assert_eq!(cursors.caught_up(), None);
}

#[test]
fn an_ambiguous_end_of_two_topics_is_resolved_by_their_end_offsets() {
    let roll = Partition::new("roll", 0);
    let mut cursors = cursors(&[events(0), roll.clone()]);
    cursors.mark_end(0);
    assert_eq!(cursors.caught_up(), None);
    assert_eq!(cursors.ambiguous_ends(), vec![events(0), roll.clone()]);
    cursors.resolve_ends(&[read_up_to(&events(0), 0, 7), read_up_to(&roll, 0, 0)]);
    assert_eq!(cursors.caught_up(), None);
    assert!(cursors.ambiguous_ends().is_empty());
    for offset in 0..7 {
        cursors.advance(&events(0), offset).expect("record");
    }
    cursors.mark_end(0);
    assert_eq!(cursors.caught_up(), Some(1));
}

#[test]
fn a_transaction_marker_at_the_end_is_no_missing_record() {
    let roll = Partition::new("roll", 0);
    let mut cursors = cursors(&[events(0), roll.clone()]);
    cursors.advance(&events(0), 0).expect("record");
    cursors.mark_end(0);
    cursors.resolve_ends(&[read_up_to(&events(0), 1, 2), read_up_to(&roll, 0, 0)]);
    assert_eq!(cursors.caught_up(), None, "the marker has not been read yet");
    cursors.resolve_ends(&[read_up_to(&events(0), 2, 2)]);
    assert_eq!(cursors.caught_up(), Some(1));
}
