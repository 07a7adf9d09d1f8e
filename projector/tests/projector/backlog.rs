//! A backlog of any size is projected in bounded memory.

use qamtu_schemas::{
    Event,
    event::{PrecinctEnrolled, PseudonymStrength, RollEntry, Sex},
};

use crate::{
    events::{attendance, entries, event, person},
    fixture::{LogKind, ProjectorFixture, run},
};

const MEMORY_MAX_MB: u64 = 400;
const ATTENDANCES: u32 = 150_000;
const PRECINCTS: u32 = 60;
const VOTERS: u32 = 10_000;

fn attendances(from: u32, to: u32) -> Vec<Event> {
    (from..to)
        .map(|n| event(u128::from(n) + 1, i64::from(n), None, attendance(n / 80, n.wrapping_mul(2_654_435_761) % 1_195_000)))
        .collect()
}

fn roll(precinct: u32) -> Event {
    let voters = (0..VOTERS).map(|n| RollEntry(person(precinct * VOTERS + n).id, 1985, Sex::Unknown)).collect();
    let precinct_id = format!("TRK-{precinct:03}").parse().unwrap();
    let enrolled = PrecinctEnrolled { precinct: precinct_id, version: 1, strength: PseudonymStrength::Strong, voters };
    event(1 << 64 | u128::from(precinct), 0, None, enrolled)
}

fn peak_mb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn memory_is_bounded_for_any_backlog() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        for from in (0..ATTENDANCES).step_by(10_000) {
            fixture.append(entries(&attendances(from, from + 10_000))).await;
        }
        for precinct in 0..PRECINCTS {
            fixture.append(entries(&[roll(precinct)])).await;
        }
        let projector = fixture.projector().await;
        let expected = (ATTENDANCES + PRECINCTS).to_string();
        fixture
            .wait_until("the backlog is projected", "SELECT sum(contiguous_offset) FROM v_contiguous_offsets", |next| next == expected)
            .await;
        let peak_mb = peak_mb(projector.pid());
        assert!(peak_mb < MEMORY_MAX_MB, "the projector took {peak_mb} MB");
        assert_eq!(fixture.query("SELECT count() FROM v_attendance").await.trim(), ATTENDANCES.to_string());
        assert_eq!(fixture.query("SELECT count() FROM v_roll").await.trim(), (PRECINCTS * VOTERS).to_string());
        assert!(projector.stop().await.success());
    });
}
