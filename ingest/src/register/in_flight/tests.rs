//! The life of an id in memory: reserved, unresolved, acknowledged, read, written.

use qamtu_log::Partition;
use qamtu_schemas::{Kind, id::BodyHash};
use uuid::Uuid;

use super::*;

fn id(n: u128) -> EventId {
    EventId(Uuid::from_u128(n))
}

/// An event that names nobody.
fn event(n: u128, hash: BodyHash) -> EventIdentity {
    EventIdentity { id: id(n), hash, public: u64::from(hash.0[0]), about: 0, received_us: 0 }
}

/// An event that names a person, and is the same in all else as [`ONE`].
fn person(n: u128, person: u8) -> EventIdentity {
    EventIdentity { hash: BodyHash([person; 16]), ..event(n, ONE) }
}

fn claim(ids: &InFlightIds, event: &EventIdentity) -> Claim {
    ids.claim(event).unwrap()
}

const ONE: BodyHash = BodyHash([1; 16]);
const TWO: BodyHash = BodyHash([2; 16]);

fn at(offset: u64) -> Position {
    Position { partition: Partition::new("events", 0), offset }
}

fn update(n: u128, next: u64) -> RegisterUpdate {
    let row = read(n, ONE, 0);
    RegisterUpdate { ids: vec![row], next: vec![Partition::new("events", 0).next_offset(next)], ..RegisterUpdate::default() }
}

#[test]
fn an_id_is_reserved_then_acknowledged_then_folded_into_the_file() {
    let ids = InFlightIds::new(Vec::new(), 0);
    assert_eq!(claim(&ids, &event(1, ONE)), Claim::Fresh);
    assert_eq!(claim(&ids, &event(1, TWO)), Claim::Conflict);
    ids.settle(&[event(1, ONE)], &[Ok(at(0))]);
    assert_eq!(claim(&ids, &event(1, ONE)), Claim::Duplicate);
    assert_eq!(claim(&ids, &event(1, TWO)), Claim::Conflict);
    ids.record_written(&update(1, 1));
    assert_eq!((ids.unwritten(), ids.claim(&event(1, ONE))), (0, None));
}

#[test]
fn a_released_id_is_fresh_again_and_an_acknowledged_one_is_not_released() {
    let ids = InFlightIds::new(Vec::new(), 0);
    assert_eq!(claim(&ids, &event(1, ONE)), Claim::Fresh);
    ids.release(&[event(1, ONE)]);
    assert_eq!(claim(&ids, &event(1, TWO)), Claim::Fresh);
    ids.settle(&[event(1, TWO)], &[Ok(at(0))]);
    ids.release(&[event(1, TWO)]);
    assert_eq!(claim(&ids, &event(1, TWO)), Claim::Duplicate);
}

#[test]
fn an_event_that_is_written_before_it_is_settled_does_not_stay_in_memory() {
    let ids = InFlightIds::new(Vec::new(), 0);
    assert_eq!(claim(&ids, &event(1, ONE)), Claim::Fresh);
    ids.record_written(&update(1, 1));
    ids.settle(&[event(1, ONE)], &[Ok(at(0))]);
    assert_eq!(ids.unwritten(), 0);
}

fn failed() -> Result<Position, LogError> {
    Err(LogError::InvalidEntry { topic: "events".into(), reason: "x" })
}

fn unanswered() -> Result<Position, LogError> {
    Err(LogError::Unavailable { action: "appending", source: None })
}

fn read(n: u128, hash: BodyHash, received_us: i64) -> RegisterRow {
    RegisterRow { identity: EventIdentity { received_us, ..event(n, hash) }, kind: Kind::MeetingHeld }
}

#[test]
fn an_id_that_several_requests_reserved_is_released_by_the_last_one() {
    let ids = InFlightIds::new(Vec::new(), 0);
    assert_eq!((claim(&ids, &event(1, ONE)), claim(&ids, &event(1, ONE))), (Claim::Fresh, Claim::Fresh));
    ids.release(&[event(1, ONE)]);
    assert_eq!((ids.unwritten(), claim(&ids, &event(1, TWO))), (1, Claim::Conflict));
    ids.settle(&[event(1, ONE)], &[failed()]);
    assert_eq!((ids.unwritten(), claim(&ids, &event(1, TWO))), (0, Claim::Fresh));
}

#[test]
fn an_append_without_a_result_reserves_its_id_for_its_body_and_counts_as_no_backlog() {
    let ids = InFlightIds::new(Vec::new(), 0);
    let acknowledged = || ids.settle(&[event(1, ONE)], &[Ok(at(0))]);
    let read_back = || ids.record_read(&[read(1, ONE, 5)]);
    for then in [&acknowledged as &dyn Fn(), &read_back] {
        assert_eq!(claim(&ids, &event(1, ONE)), Claim::Fresh);
        ids.settle(&[event(1, ONE)], &[unanswered()]);
        assert_eq!((ids.unwritten(), claim(&ids, &event(1, TWO))), (0, Claim::Unresolved));
        assert_eq!(claim(&ids, &event(1, ONE)), Claim::Fresh);
        then();
        assert_eq!((ids.unwritten(), claim(&ids, &event(1, ONE))), (1, Claim::Duplicate));
        ids.inner().remove(id(1));
        assert_eq!(ids.unwritten(), 0);
    }
}

#[test]
fn after_a_partial_append_stored_ids_stay_and_the_others_are_released() {
    let ids = InFlightIds::new(Vec::new(), 0);
    let events = [event(1, ONE), event(2, ONE)];
    assert!(events.iter().all(|event| claim(&ids, event) == Claim::Fresh));
    ids.settle(&events, &[Ok(at(0)), failed()]);
    assert_eq!((claim(&ids, &event(1, ONE)), claim(&ids, &event(2, TWO))), (Claim::Duplicate, Claim::Fresh));
}

#[test]
fn the_body_in_the_log_wins_and_of_two_bodies_the_earliest() {
    let ids = InFlightIds::new(Vec::new(), 0);
    assert_eq!(claim(&ids, &event(1, ONE)), Claim::Fresh);
    ids.record_read(&[read(1, TWO, 5)]);
    assert_eq!((claim(&ids, &event(1, TWO)), claim(&ids, &event(1, ONE))), (Claim::Duplicate, Claim::Conflict));
    ids.settle(&[event(1, ONE)], &[Ok(at(1))]);
    assert_eq!((claim(&ids, &event(1, TWO)), claim(&ids, &event(1, ONE))), (Claim::Duplicate, Claim::Conflict));
    ids.record_read(&[read(1, ONE, 6)]);
    assert_eq!(claim(&ids, &event(1, TWO)), Claim::Duplicate);
    ids.record_read(&[read(1, ONE, 4)]);
    assert_eq!((claim(&ids, &event(1, ONE)), claim(&ids, &event(1, TWO))), (Claim::Duplicate, Claim::Conflict));
}

#[test]
fn a_body_that_differs_in_the_person_alone_is_never_a_conflict() {
    let ids = InFlightIds::new(Vec::new(), 0);
    let (first, other) = (event(1, ONE), person(1, 9));
    assert_eq!((claim(&ids, &first), claim(&ids, &other)), (Claim::Fresh, Claim::Fresh));
    ids.settle(&[first], &[Ok(at(0))]);
    let other_person = |first_received_us| Claim::OtherPerson { first_received_us };
    assert_eq!((claim(&ids, &first), claim(&ids, &other)), (Claim::Duplicate, other_person(0)));
    assert_eq!(claim(&ids, &event(1, TWO)), Claim::Conflict);
    let read = EventIdentity { received_us: 5, ..other };
    ids.record_read(&[RegisterRow { identity: read, kind: Kind::MeetingHeld }]);
    assert_eq!((claim(&ids, &first), claim(&ids, &other)), (other_person(5), Claim::Duplicate));
}

#[test]
fn an_unresolved_id_is_free_again_once_the_log_was_read_without_its_event() {
    let ids = InFlightIds::new(Vec::new(), 0);
    assert_eq!((ids.unresolved(), claim(&ids, &event(1, ONE))), (None, Claim::Fresh));
    ids.settle(&[event(1, ONE)], &[unanswered()]);
    assert_eq!((ids.unresolved(), claim(&ids, &event(1, TWO))), (Some(1), Claim::Unresolved));
    // The body is sent again and fails again: the end of the log that was asked for after the first failure proves nothing now.
    assert_eq!(claim(&ids, &event(1, ONE)), Claim::Fresh);
    ids.settle(&[event(1, ONE)], &[unanswered()]);
    ids.release_unresolved(1);
    assert_eq!((ids.unresolved(), claim(&ids, &event(1, TWO))), (Some(2), Claim::Unresolved));
    // While a third request appends the body, its result decides.
    assert_eq!(claim(&ids, &event(1, ONE)), Claim::Fresh);
    ids.release_unresolved(2);
    assert_eq!((ids.unresolved(), claim(&ids, &event(1, TWO))), (None, Claim::Conflict));
    ids.settle(&[event(1, ONE)], &[failed()]);
    assert_eq!((ids.unwritten(), claim(&ids, &event(1, TWO))), (0, Claim::Fresh));
}

#[test]
fn the_acknowledged_body_is_the_known_one_although_another_person_reserved_the_id_first() {
    let ids = InFlightIds::new(Vec::new(), 0);
    let (first, other) = (event(1, ONE), person(1, 9));
    assert_eq!((claim(&ids, &first), claim(&ids, &other)), (Claim::Fresh, Claim::Fresh));
    ids.settle(&[first], &[failed()]);
    ids.settle(&[other], &[Ok(at(0))]);
    assert_eq!((claim(&ids, &other), claim(&ids, &first)), (Claim::Duplicate, Claim::OtherPerson { first_received_us: 0 }));
}
