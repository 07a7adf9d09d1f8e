//! The views on a real ClickHouse equal the fold of the contract, for random events in random order, with random batches and duplicates.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};
use qamtu_log::{Partition, Record};
use qamtu_projector::warehouse::WarehouseConnection;
use qamtu_schemas::{
    Data, Event, MeetingFold, MeetingState,
    decode::decode_structured,
    event::{ConsentGiven, ConsentWithdrawn, PrecinctEnrolled, PseudonymStrength, RollEntry, Sex},
    id::{EventId, ImportId, MeetingId, PrecinctId, Pseudonym},
    testing::strategies::{event, event_id, meeting_data, reference_data},
};

use crate::{
    events::{person, record},
    fixture::{LogKind, ProjectorFixture, batch},
};

const CASES: u32 = 60;

/// Every event type, with few meetings, people, precincts and ids, so that bodies of one id are one event or several.
fn any_data() -> impl Strategy<Value = Data> {
    let who = || (0..4_u32).prop_map(person);
    let notice = || "2026-02-a".parse().unwrap();
    let meeting = select(&["M1", "M2"][..]).prop_flat_map(|meeting| meeting_data(meeting.parse().unwrap()));
    let voters = vec(((0..6_u32), select(&[1980_u16, 1985][..])), 0..5);
    prop_oneof![
        8 => (meeting, who()).prop_map(|(data, attendee)| match data {
            Data::AttendanceRecorded(mut recorded) => {
                recorded.attendee = attendee;
                recorded.into()
            }
            data => data,
        }),
        3 => reference_data(),
        1 => who().prop_map(|person| ConsentWithdrawn { person }.into()),
        1 => (who(), vec(event_id(), 0..3)).prop_map(move |(person, supersedes)| ConsentGiven { person, notice: notice(), supersedes }.into()),
        1 => (select(&["P1", "P2"][..]), 0..3_u32, voters).prop_map(|(precinct, version, voters)| {
            let voters = voters.into_iter().map(|(who, band)| RollEntry(person(who).id, band, Sex::Female)).collect();
            PrecinctEnrolled { precinct: precinct.parse().unwrap(), version, strength: PseudonymStrength::Strong, voters }.into()
        }),
    ]
}

/// Events, with duplicates (some with a later receive time, as after the loss of the register), and batch boundaries.
#[derive(Debug, Clone)]
struct Case {
    sequence: Vec<Event>,
    boundaries: Vec<Index>,
}

fn case() -> impl Strategy<Value = Case> {
    let again = vec((any::<Index>(), select(&[0_i64, 1, 1_000_000][..])), 0..6);
    (vec(event(any_data()), 1..30), again, vec(any::<Index>(), 0..4)).prop_flat_map(|(events, again, boundaries)| {
        let mut sequence = events.clone();
        for (index, later) in again {
            let mut event = index.get(&events).clone();
            let received = event.envelope.receivedtime.as_microsecond() + later;
            event.envelope.receivedtime = jiff::Timestamp::from_microsecond(received).unwrap();
            sequence.push(event);
        }
        Just(sequence).prop_shuffle().prop_map(move |sequence| Case { sequence, boundaries: boundaries.clone() })
    })
}

/// Expected view contents, computed with the fold of the contract.
struct Oracle {
    attendance: BTreeSet<(MeetingId, EventId)>,
    states: BTreeMap<MeetingId, MeetingState>,
    reversed: BTreeSet<ImportId>,
    roll: BTreeSet<(PrecinctId, Pseudonym, u16)>,
    counts: BTreeMap<String, usize>,
    conflicts: usize,
}

/// The kind of fact that an event is, with its meeting if it has one. With campaign and id it is the identity of the event.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum FactKind<'a> {
    Attendance(&'a MeetingId),
    Meeting(&'a MeetingId),
    Consents,
    Rolls,
    Reference,
}

fn fact_kind(data: &Data) -> FactKind<'_> {
    match data {
        Data::AttendanceRecorded(data) => FactKind::Attendance(&data.meeting),
        Data::ConsentGiven(_) | Data::ConsentWithdrawn(_) => FactKind::Consents,
        Data::PrecinctEnrolled(_) => FactKind::Rolls,
        data => data.meeting().map_or(FactKind::Reference, FactKind::Meeting),
    }
}

/// Of each event the body that was received first.
fn winners(events: &[Event]) -> Vec<&Event> {
    let mut found: BTreeMap<_, &Event> = BTreeMap::new();
    for event in events {
        found
            .entry((fact_kind(&event.data), event.envelope.id))
            .and_modify(|best| {
                if event.envelope.precedence() < best.envelope.precedence() {
                    *best = event
                }
            })
            .or_insert(event);
    }
    found.into_values().collect()
}

fn is_consent(event: &Event) -> bool {
    matches!(event.data, Data::ConsentGiven(_) | Data::ConsentWithdrawn(_))
}

impl Oracle {
    fn of(events: &[Event]) -> Self {
        let winning = winners(events);
        let consents = || winning.iter().copied().filter(|event| is_consent(event));
        let roll = || winning.iter().copied().filter(|event| matches!(event.data, Data::PrecinctEnrolled(_)));
        let reversed: BTreeSet<ImportId> = winning
            .iter()
            .filter_map(|event| match &event.data {
                Data::ImportReversed(data) => Some(data.import),
                _ => None,
            })
            .collect();
        let withdrawn = withdrawn(consents().filter(|event| event.envelope.import.is_none_or(|import| !reversed.contains(&import))));
        let mut folds: BTreeMap<MeetingId, MeetingFold> = BTreeMap::new();
        for event in &winning {
            if let Some(meeting) = event.data.meeting() {
                folds.entry(meeting.clone()).or_default().insert((*event).clone());
            }
        }
        let states: BTreeMap<_, _> = folds.iter().map(|(meeting, fold)| (meeting.clone(), fold.state(&reversed))).collect();
        let attendances = states.iter().flat_map(|(meeting, state)| state.attendance.iter().map(move |(id, data)| (meeting, id, data)));
        let attendance = attendances
            .filter(|(_, _, data)| !withdrawn.contains(&data.attendee.id))
            .map(|(meeting, id, _)| (meeting.clone(), *id))
            .collect();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for event in &winning {
            *counts.entry(event.envelope.kind.to_string()).or_default() += 1;
        }
        let mut bodies: BTreeMap<EventId, BTreeSet<[u8; 16]>> = BTreeMap::new();
        for event in events {
            bodies.entry(event.envelope.id).or_default().insert(event.envelope.bodyhash.0);
        }
        let conflicts = bodies.values().filter(|bodies| bodies.len() > 1).count();
        Self { attendance, states, reversed, roll: newest_roll(roll()), counts, conflicts }
    }
}

/// People with a withdrawal that no later consent cancels.
fn withdrawn<'a>(live: impl Iterator<Item = &'a Event>) -> BTreeSet<Pseudonym> {
    let live: Vec<_> = live.collect();
    let taken_back = |id: EventId, who: Pseudonym| {
        live.iter()
            .any(|event| matches!(&event.data, Data::ConsentGiven(given) if given.person.id == who && given.supersedes.contains(&id)))
    };
    let effective = |event: &&&Event| match &event.data {
        Data::ConsentWithdrawn(data) => (!taken_back(event.envelope.id, data.person.id)).then_some(data.person.id),
        _ => None,
    };
    live.iter().filter_map(|event| effective(&event)).collect()
}

fn newest_roll<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeSet<(PrecinctId, Pseudonym, u16)> {
    let mut newest: BTreeMap<PrecinctId, ((u32, EventId), &PrecinctEnrolled)> = BTreeMap::new();
    for event in events {
        let Data::PrecinctEnrolled(data) = &event.data else { continue };
        let rank = (data.version, event.envelope.id);
        newest
            .entry(data.precinct.clone())
            .and_modify(|best| {
                if rank > best.0 {
                    *best = (rank, data)
                }
            })
            .or_insert((rank, data));
    }
    let mut found = BTreeSet::new();
    for (precinct, (_, data)) in newest {
        let mut listed = BTreeSet::new();
        found.extend(data.voters.iter().filter(|voter| listed.insert(voter.0)).map(|voter| (precinct.clone(), voter.0, voter.1)));
    }
    found
}

/// Compares the views of one campaign with the oracle.
async fn assert_views(fixture: &ProjectorFixture, campaign: &str, oracle: &Oracle) {
    let of = |query: &str| query.replace("{c}", &format!("campaign = '{campaign}'"));
    let attendance =
        fixture.query(&of("SELECT meeting_id, event_id FROM v_attendance WHERE {c} ORDER BY meeting_id, toUInt128(event_id)")).await;
    let expected: String = oracle.attendance.iter().map(|(meeting, id)| format!("{meeting}\t{id}\n")).collect();
    assert_eq!(attendance, expected, "v_attendance");
    let mut folds: BTreeMap<MeetingId, MeetingFold> = BTreeMap::new();
    for line in fixture.query(&of("SELECT meeting_id, hex(body) FROM v_meeting_events WHERE {c}")).await.lines() {
        let (meeting, body) = line.split_once('\t').unwrap();
        folds.entry(meeting.parse().unwrap()).or_default().insert(decode_structured(&from_hex(body)).unwrap());
    }
    for (meeting, expected) in &oracle.states {
        let found = folds.remove(meeting).unwrap_or_default().state(&oracle.reversed);
        assert_eq!(MeetingState { attendance: BTreeMap::new(), ..expected.clone() }, found, "v_meeting_events");
    }
    assert!(folds.is_empty());
    let newest = "SELECT precinct, argMax((version, event_id), (version, toUInt128(event_id))) AS chosen FROM v_roll_versions \
                  WHERE {c} GROUP BY precinct";
    let roll = format!(
        "SELECT precinct, person_hi, person_lo, birth_band, toString(sex) FROM v_roll \
         WHERE {{c}} AND event_id IN (SELECT chosen.2 FROM ({newest})) ORDER BY 1, 2, 3"
    );
    let expected: String = oracle
        .roll
        .iter()
        .map(|(precinct, who, band)| {
            let number = u128::from_be_bytes(who.0);
            format!("{precinct}\t{}\t{}\t{band}\tf\n", number >> 64, number as u64)
        })
        .collect();
    assert_eq!(fixture.query(&of(&roll)).await, expected, "v_roll");
    let counts: String = oracle.counts.iter().map(|(kind, count)| format!("{kind}\t{count}\n")).collect();
    assert_eq!(fixture.query(&of("SELECT type, count() FROM v_events WHERE {c} GROUP BY type ORDER BY type")).await, counts, "v_events");
    assert_eq!(fixture.query(&of("SELECT count() FROM v_conflicts WHERE {c}")).await, format!("{}\n", oracle.conflicts), "v_conflicts");
}

fn from_hex(text: &str) -> Vec<u8> {
    let digit = |c: u8| (c as char).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

async fn write(warehouse: &WarehouseConnection, records: &[Record], boundaries: &[Index]) {
    let mut boundaries: BTreeSet<usize> = boundaries.iter().map(|boundary| boundary.index(records.len())).collect();
    boundaries.insert(0);
    boundaries.insert(records.len());
    let boundaries: Vec<_> = boundaries.into_iter().collect();
    for range in boundaries.windows(2) {
        warehouse.write(&batch(&records[range[0]..range[1]]).seal()).await.unwrap();
    }
    // Half of the records again with other batch boundaries, as after a crash.
    warehouse.write(&batch(&records[records.len() / 2..]).seal()).await.unwrap();
}

#[test]
fn views_equal_the_fold_before_and_after_merges() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
    let warehouse = runtime.block_on(fixture.warehouse());
    let cases = std::sync::Mutex::new(Vec::new());
    let mut runner = TestRunner::new(Config { cases: CASES, max_shrink_iters: 200, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&case(), |mut case| {
        let number = cases.lock().unwrap().len() as u32;
        let campaign = format!("case-{number}");
        for event in &mut case.sequence {
            event.envelope.campaign = campaign.parse().unwrap();
            if let Data::CampaignConfigured(data) = &mut event.data {
                data.campaign = event.envelope.campaign.clone();
            }
        }
        // One partition per case, with contiguous offsets.
        let partition = Partition::new("events", number);
        let records: Vec<_> = case.sequence.iter().zip(0..).map(|(event, offset)| record(&partition, offset, event)).collect();
        let oracle = Oracle::of(&case.sequence);
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runtime.block_on(async {
                write(&warehouse, &records, &case.boundaries).await;
                assert_views(&fixture, &campaign, &oracle).await;
            });
        }));
        cases.lock().unwrap().push((campaign, oracle));
        checked.map_err(|panic| TestCaseError::fail(panic_message(&*panic)))
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    runtime.block_on(async {
        let before = fixture.table_hashes().await;
        for table in qamtu_projector::rows::Table::ALL {
            fixture.query(&format!("OPTIMIZE TABLE {} FINAL", table.name())).await;
        }
        assert_eq!(before, fixture.table_hashes().await, "merging changed what FINAL shows");
        let cases = cases.into_inner().unwrap();
        for (campaign, oracle) in &cases {
            assert_views(&fixture, campaign, oracle).await;
        }
    });
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
