//! The size of the campaign, counted in the output, and its dependence on the seed.

use qamtu::synthetic::{self, Synthetic};
use qamtu_schemas::Data;

use crate::{
    SEED, assert_within, campaign, figure, full,
    observed::{ObservedMeeting, is_lawful, observed},
};

#[test]
fn the_output_has_the_planned_numbers() {
    let reference = &observed().reference;
    let last_count: Vec<u64> = reference.precincts(campaign().calendar.closes).map(|count| count.voters.into()).collect();
    let planned = |meeting: &ObservedMeeting| meeting.events.iter().any(|event| matches!(event.data, Data::MeetingPlanned(_)));
    let unlawful = |meeting: &ObservedMeeting| meeting.state.report.as_ref().is_some_and(|report| !is_lawful(report.starts));
    for (path, found, wanted) in [
        ("/counts/voters", last_count.iter().sum(), 1_195_000),
        ("/counts/precincts", last_count.len() as u64, 947),
        ("/counts/units", reference.units().len() as u64, 17),
        ("/counts/members", reference.members().len() as u64, 457),
        ("/counts/coalitions", reference.coalitions().len() as u64, 18),
        ("/counts/meetings_planned", observed().count(planned), 1_959),
        ("/plan/planned", observed().count(planned), 1_959),
        ("/plan/unlawful", observed().count(unlawful), 2),
    ] {
        assert_eq!((found, figure(path)), (wanted, wanted), "{path} in the events and in the oracle");
    }
    assert_within("gross attendance", figure("/audience/gross"), 152_000..=165_000);
    assert_within("identified attendances", figure("/audience/identified"), 104_000..=121_000);
}

#[test]
fn equal_seeds_give_equal_bytes_and_other_seeds_other_campaigns() {
    let bytes = |made: &Synthetic| {
        let mut out = serde_json::to_vec(&made.oracle).unwrap();
        made.stream.iter().for_each(|sent| sent.submission.write_line(&mut out).unwrap());
        made.roll_submissions().step_by(50).for_each(|roll| roll.write_line(&mut out).unwrap());
        out
    };
    let first = bytes(full());
    assert!(first == bytes(&synthetic::generate(campaign(), SEED).unwrap()), "two runs of one seed differ");
    let other = synthetic::generate(campaign(), SEED + 1).unwrap();
    assert!(first != bytes(&other), "two seeds give one campaign");
    assert_eq!(other.oracle.figures["counts"]["voters"], 1_195_000);
    // The seed changes who attends, and the total only slightly.
    let gross = |made: &Synthetic| made.oracle.figures["audience"]["gross"].as_u64().unwrap();
    assert_within("gross attendance of another seed", gross(&other), 152_000..=165_000);
    assert_within("difference between two seeds", gross(&other).abs_diff(gross(full())), 1..=6_000);
}
