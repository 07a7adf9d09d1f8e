//! The fold of a meeting: corrections, retractions, cycles and reversed imports, each in every order.

use std::{collections::BTreeSet, fmt::Debug, str::FromStr};

use qamtu_schemas::{
    Data, Event, MeetingFold, MeetingState, Status,
    event::{
        AttendanceRecorded, AttendanceRetracted, Count, HeadcountRecounted, HeadcountReported, MeetingCancelled, MeetingCorrected,
        MeetingHeld, MeetingPlanned, MeetingRescheduled, Person, Plan, PseudonymStrength, Residence,
    },
    id::{EventId, ImportId, MeetingId, Pseudonym},
    testing::TestEnvelope,
};
use uuid::Uuid;

const NONE: BTreeSet<ImportId> = BTreeSet::new();

fn parse<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("valid")
}

fn id(number: u128) -> EventId {
    EventId(Uuid::from_u128(number))
}

fn ids(numbers: &[u128]) -> Vec<EventId> {
    numbers.iter().map(|number| id(*number)).collect()
}

fn meeting() -> MeetingId {
    parse("TRK-2026-0220-0042")
}

/// An event with this id, received this many seconds after the campaign's first event.
fn received(number: u128, seconds: i64, data: impl Into<Data>) -> Event {
    envelope(number, seconds, None).event(data.into()).expect("an event")
}

fn event(number: u128, data: impl Into<Data>) -> Event {
    received(number, 0, data)
}

fn envelope(number: u128, seconds: i64, import: Option<ImportId>) -> TestEnvelope {
    let receivedtime = jiff::Timestamp::from_second(1_771_000_000 + seconds).expect("an instant");
    TestEnvelope {
        id: id(number),
        campaign: parse("turkistan-2026"),
        source: parse("/forms/1"),
        time: receivedtime,
        recordedtime: None,
        receivedtime,
        import,
    }
}

fn plan(unit: &str) -> Plan {
    Plan {
        unit: parse(unit),
        precinct: None,
        venue: None,
        coalition: parse("regional"),
        members: Vec::new(),
        category: parse("YOUTH"),
        secondary: Vec::new(),
        format: parse("HALL"),
        language: parse("kk"),
        starts: parse("2026-02-20T10:00:00Z"),
        expected: None,
    }
}

fn planned(supersedes: &[u128]) -> MeetingPlanned {
    MeetingPlanned { meeting: meeting(), supersedes: ids(supersedes), plan: plan("TRK") }
}

fn moved(supersedes: &[u128], starts: &str) -> MeetingRescheduled {
    MeetingRescheduled { meeting: meeting(), supersedes: ids(supersedes), starts: parse(starts), reason: None }
}

fn held(unit: &str) -> MeetingHeld {
    MeetingHeld { meeting: meeting(), report: plan(unit) }
}

fn corrected(supersedes: &[u128], unit: Option<&str>) -> MeetingCorrected {
    MeetingCorrected { meeting: meeting(), supersedes: ids(supersedes), report: unit.map(plan), reason: None }
}

fn cancelled() -> MeetingCancelled {
    MeetingCancelled { meeting: meeting(), reason: None }
}

fn attended(person: u8) -> AttendanceRecorded {
    AttendanceRecorded {
        meeting: meeting(),
        attendee: Person { id: Pseudonym([person; 16]), strength: PseudonymStrength::Strong },
        consent: parse("2026-02-a"),
        residence: Residence::Unknown,
        adult: None,
        sheet: None,
    }
}

fn count(people: &[u32]) -> Vec<Count> {
    let counters = ["1", "2"].map(parse);
    people.iter().zip(counters).map(|(people, counter)| Count { counter, people: *people }).collect()
}

/// The state of the meeting; asserts that it is the same for every order and repetition of its events.
fn state(events: &[Event]) -> MeetingState {
    let mut states = orders(events.to_vec()).into_iter().map(|events| {
        let mut fold = MeetingFold::default();
        events.iter().chain(&events[..1]).for_each(|event| fold.insert(event.clone()));
        fold.state(&NONE)
    });
    let first = states.next().expect("one order at least");
    assert!(states.all(|state| state == first));
    first
}

/// All permutations of a few events.
fn orders(events: Vec<Event>) -> Vec<Vec<Event>> {
    if events.len() < 2 {
        return vec![events];
    }
    let mut all = Vec::new();
    for index in 0..events.len() {
        let mut rest = events.clone();
        let first = rest.remove(index);
        all.extend(orders(rest).into_iter().map(|rest| [vec![first.clone()], rest].concat()));
    }
    all
}

fn unit(state: &MeetingState) -> Option<&str> {
    state.report.as_ref().map(|report| report.unit.as_str())
}

#[test]
fn a_meeting_goes_from_pending_to_held() {
    assert_eq!(state(&[event(1, attended(1))]).status, Status::Pending);
    assert_eq!(state(&[event(1, planned(&[]))]).status, Status::Planned);
    assert_eq!(state(&[event(1, planned(&[])), event(2, cancelled())]).status, Status::Cancelled);
    let extra = state(&[event(2, held("TRK"))]);
    assert_eq!((extra.status, extra.plan), (Status::Held, None));
    let all = state(&[event(1, planned(&[])), event(2, held("KEN")), event(3, attended(1))]);
    assert_eq!((all.status, unit(&all), all.attendance.len(), all.contested), (Status::Held, Some("KEN"), 1, false));
}

#[test]
fn a_correction_replaces_and_is_replaced_in_full() {
    let chain = [event(9, held("TRK")), event(5, corrected(&[9], Some("KEN"))), event(1, corrected(&[5], Some("ARY")))];
    assert_eq!(unit(&state(&chain)), Some("ARY"));
    assert!(!state(&chain).contested);
    assert_eq!(unit(&state(&chain[..2])), Some("KEN"));
    assert_eq!(unit(&state(&chain[1..])), Some("ARY"), "the original need not be there");
}

#[test]
fn a_correction_that_the_meeting_was_not_held_leaves_no_report() {
    let state = state(&[event(2, held("TRK")), event(1, corrected(&[2], None))]);
    assert_eq!((state.status, state.report, state.reported, state.contested), (Status::Cancelled, None, None, false));
}

#[test]
fn several_heads_are_contested_and_the_highest_id_holds() {
    let two = state(&[event(7, held("TRK")), event(8, held("KEN"))]);
    assert_eq!((unit(&two), two.contested), (Some("KEN"), true));
    let settled = state(&[event(7, held("TRK")), event(8, held("KEN")), event(1, corrected(&[7, 8], Some("ARY")))]);
    assert_eq!((unit(&settled), settled.contested), (Some("ARY"), false));
    let both = state(&[event(1, held("TRK")), event(2, cancelled())]);
    assert_eq!((both.status, both.contested), (Status::Held, true));
}

#[test]
fn a_circle_holds_only_where_nothing_else_does() {
    let circle = [event(9, held("TRK")), event(3, corrected(&[4, 9], Some("KEN"))), event(4, corrected(&[3, 9], Some("ARY")))];
    assert_eq!(unit(&state(&circle)), Some("ARY"), "not the report that both replace");
    let with_head = [circle.as_slice(), &[event(2, corrected(&[4], Some("SAU")))]].concat();
    assert_eq!(unit(&state(&with_head)), Some("SAU"));
    let itself = state(&[event(3, corrected(&[3], Some("KEN")))]);
    assert_eq!(unit(&itself), Some("KEN"));
    let moves = [event(1, moved(&[2], "2026-02-21T10:00:00Z")), event(2, moved(&[1], "2026-02-22T10:00:00Z"))];
    assert_eq!(state(&moves).starts, Some("2026-02-22T10:00:00Z".parse().unwrap()));
    let recount = |number, supersedes, people| {
        let (supersedes, counts) = (ids(supersedes), count(&[people]));
        event(
            number,
            HeadcountRecounted { meeting: meeting(), supersedes, counts, eligible_minimum: None, nobody_eligible: false, reason: None },
        )
    };
    assert_eq!(state(&[recount(1, &[2], 10), recount(2, &[1], 20)]).headcount.unwrap().low, 20);
}

#[test]
fn a_move_changes_the_time_and_can_take_a_cancellation_back() {
    let events = [event(5, planned(&[])), event(4, moved(&[5], "2026-02-21T10:00:00Z")), event(3, moved(&[4], "2026-02-22T10:00:00Z"))];
    let moved_twice = state(&events);
    assert_eq!((moved_twice.starts, moved_twice.moved), (Some("2026-02-22T10:00:00Z".parse().unwrap()), true));
    let again = [event(5, planned(&[])), event(6, cancelled()), event(4, moved(&[5, 6], "2026-02-21T10:00:00Z"))];
    assert_eq!(state(&again[..2]).status, Status::Cancelled);
    assert_eq!(state(&again).status, Status::Planned);
    let replanned = state(&[event(5, planned(&[])), event(6, cancelled()), event(7, planned(&[5, 6]))]);
    assert_eq!((replanned.status, replanned.moved), (Status::Planned, false));
    let held_then = state(&[&again[..], &[event(8, held("TRK"))]].concat());
    assert_eq!((held_then.status, held_then.contested), (Status::Held, false));
}

#[test]
fn retracted_attendance_is_absent() {
    let retracted = AttendanceRetracted { meeting: meeting(), retracts: ids(&[1, 77]), reason: None };
    let state = state(&[event(1, attended(1)), event(2, attended(2)), event(3, retracted)]);
    assert_eq!(state.attendance.keys().copied().collect::<Vec<_>>(), ids(&[2]));
}

#[test]
fn two_counters_give_a_range_and_a_recount_replaces_it() {
    let reported = HeadcountReported { meeting: meeting(), counts: count(&[80, 95]), eligible_minimum: Some(60), nobody_eligible: false };
    let heads = state(&[event(2, reported.clone())]).headcount.unwrap();
    assert_eq!((heads.low, heads.high, heads.eligible_minimum), (80, 95, 60));
    let recounted = HeadcountRecounted {
        meeting: meeting(),
        supersedes: ids(&[2]),
        counts: count(&[85]),
        eligible_minimum: None,
        nobody_eligible: false,
        reason: None,
    };
    let again = state(&[event(2, reported), event(1, recounted)]);
    assert_eq!((again.headcount.unwrap().low, again.headcount.unwrap().high, again.contested), (85, 85, false));
}

#[test]
fn the_headcount_that_counts_says_whether_anybody_is_eligible() {
    let reported =
        |nobody_eligible| HeadcountReported { meeting: meeting(), counts: count(&[30]), eligible_minimum: None, nobody_eligible };
    let says = |events: &[Event]| state(events).headcount.map(|count| count.nobody_eligible);
    assert_eq!(says(&[event(2, reported(true))]), Some(true));
    let recounted = HeadcountRecounted {
        meeting: meeting(),
        supersedes: ids(&[2]),
        counts: count(&[30]),
        eligible_minimum: Some(5),
        nobody_eligible: false,
        reason: None,
    };
    assert_eq!(says(&[event(2, reported(true)), event(1, recounted)]), Some(false));
    assert_eq!(says(&[event(2, reported(false)), event(3, reported(true))]), Some(true), "contested: the highest id counts");
}

#[test]
fn a_recount_names_the_report_that_it_replaced_through_any_chain() {
    let reported = |number, people: &[u32]| {
        event(number, HeadcountReported { meeting: meeting(), counts: count(people), eligible_minimum: None, nobody_eligible: false })
    };
    let recounted = |number, supersedes, people| {
        let (supersedes, counts) = (ids(supersedes), count(&[people]));
        event(
            number,
            HeadcountRecounted { meeting: meeting(), supersedes, counts, eligible_minimum: None, nobody_eligible: false, reason: None },
        )
    };
    let pair = |events: &[Event]| {
        let state = state(events);
        (state.replaced_headcount.map(|count| (count.low, count.high)), state.headcount.map(|count| count.low))
    };
    assert_eq!(pair(&[reported(2, &[80, 95])]), (None, Some(80)));
    assert_eq!(pair(&[reported(2, &[80, 95]), recounted(1, &[2], 85)]), (Some((80, 95)), Some(85)));
    let chain = [reported(9, &[80]), recounted(5, &[9], 70), recounted(1, &[5], 75)];
    assert_eq!(pair(&chain), (Some((80, 80)), Some(75)), "not what the first recount said");
    assert_eq!(pair(&[chain[0].clone(), chain[2].clone()]), (None, Some(80)), "the link is missing: two counts contradict each other");
    assert_eq!(pair(&chain[1..]), (None, Some(75)), "the report is missing");
    let two = [reported(3, &[80]), reported(4, &[90]), recounted(1, &[3, 4], 85)];
    assert_eq!(pair(&two), (Some((90, 90)), Some(85)), "the report that counted before");
    assert_eq!(pair(&[reported(3, &[80]), reported(4, &[90]), recounted(1, &[3], 85)]), (None, Some(90)), "a report counts");
    assert_eq!(pair(&[recounted(1, &[2], 10), recounted(2, &[1], 20)]), (None, Some(20)), "a circle");
    let import = ImportId(Uuid::from_u128(77));
    let mut fold = MeetingFold::default();
    let recount = HeadcountRecounted {
        meeting: meeting(),
        supersedes: ids(&[2]),
        counts: count(&[85]),
        eligible_minimum: None,
        nobody_eligible: false,
        reason: None,
    };
    fold.insert(envelope(1, 0, Some(import)).event(recount.into()).unwrap());
    fold.insert(reported(2, &[80]));
    assert!(fold.state(&NONE).replaced_headcount.is_some());
    assert_eq!(fold.state(&BTreeSet::from([import])).replaced_headcount, None, "the recount was reversed");
}

#[test]
fn the_earliest_received_body_of_an_id_wins() {
    let bodies = [received(1, 10, held("TRK")), received(1, 5, held("KEN")), received(1, 20, cancelled())];
    let state = state(&bodies);
    assert_eq!((unit(&state), state.contested), (Some("KEN"), false));
}

#[test]
fn a_correction_does_not_make_a_report_late() {
    let state = state(&[received(2, 10, held("TRK")), received(1, 9000, corrected(&[2], Some("KEN")))]);
    assert_eq!(state.reported, Some(jiff::Timestamp::from_second(1_771_000_010).unwrap()));
}

#[test]
fn events_of_a_reversed_import_are_absent_and_what_they_replaced_is_back() {
    let import = ImportId(Uuid::from_u128(77));
    let correction = envelope(2, 0, Some(import)).event(corrected(&[1], None).into()).unwrap();
    let mut fold = MeetingFold::default();
    fold.insert(correction);
    fold.insert(event(1, held("TRK")));
    assert_eq!(fold.state(&NONE).status, Status::Cancelled);
    assert_eq!(fold.state(&BTreeSet::from([import])).status, Status::Held);
}

#[test]
fn the_audiences_are_those_of_every_standing_plan_and_report() {
    let of = |category: &str, other: &str| Plan { category: parse(category), secondary: vec![parse(other)], ..plan("TRK") };
    let report = |category, other| MeetingHeld { meeting: meeting(), report: of(category, other) };
    let correction = MeetingCorrected { meeting: meeting(), supersedes: ids(&[1]), report: Some(of("STAFF", "RURAL")), reason: None };
    let planned = MeetingPlanned { meeting: meeting(), supersedes: Vec::new(), plan: of("WOMEN", "YOUTH") };
    let audiences = |state: MeetingState| state.audiences.iter().map(ToString::to_string).collect::<Vec<_>>();
    // The audiences of the report that does not count are included too.
    let two = [event(1, report("CLERGY", "YOUTH")), event(2, report("STAFF", "YOUTH")), event(3, planned)];
    assert_eq!(audiences(state(&two)), ["CLERGY", "STAFF", "WOMEN", "YOUTH"]);
    let settled = [event(1, report("CLERGY", "YOUTH")), event(5, correction)];
    assert_eq!(audiences(state(&settled)), ["RURAL", "STAFF"], "what was replaced does not count");
}
