//! Which result of a survey counts, whatever the order of its events.

use std::{collections::BTreeSet, fmt::Debug, str::FromStr};

use qamtu_schemas::{
    Event, Surveys,
    event::SurveyReported,
    id::{EventId, ImportId, SurveyId},
    surveys::SurveyResult,
    testing::TestEnvelope,
};
use uuid::Uuid;

const NONE: BTreeSet<ImportId> = BTreeSet::new();

fn parse<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("valid")
}

/// A result with this id, received this many seconds after the campaign's first event.
fn reported(number: u128, seconds: i64, reached: u32, import: Option<ImportId>) -> Event {
    let report = SurveyReported { survey: parse("week-1"), unit: None, asked: 100, reached, method: parse("by phone") };
    let envelope = TestEnvelope {
        id: EventId(Uuid::from_u128(number)),
        campaign: parse("turkistan-2026"),
        source: parse("/forms/1"),
        time: jiff::Timestamp::from_second(1_771_000_000).expect("an instant"),
        recordedtime: None,
        receivedtime: jiff::Timestamp::from_second(1_771_000_000 + seconds).expect("an instant"),
        import,
    };
    envelope.event(report.into()).expect("an event")
}

/// The only result; asserts that it is the same in both orders and with repetition.
fn result(events: &[Event], reversed: &BTreeSet<ImportId>) -> Option<SurveyResult> {
    let (mut forwards, mut backwards) = (Surveys::default(), Surveys::default());
    events.iter().chain(events).for_each(|event| forwards.insert(event));
    events.iter().rev().for_each(|event| backwards.insert(event));
    assert_eq!(forwards, backwards);
    let mut results = forwards.results(reversed);
    assert!(results.len() < 2, "{results:?}");
    results.remove(&parse::<SurveyId>("week-1"))
}

#[test]
fn of_several_results_of_a_survey_the_highest_id_counts_and_it_is_contested() {
    let counted = |events: &[Event]| result(events, &NONE).map(|result| (result.report.reached, result.contested));
    let (one, other) = (reported(1, 900, 10, None), reported(2, 0, 12, None));
    assert_eq!(counted(std::slice::from_ref(&one)), Some((10, false)));
    assert_eq!(counted(&[one.clone(), other.clone()]), Some((12, true)));
    assert_eq!(counted(&[one.clone(), reported(3, 0, 10, None)]), Some((10, false)), "both say the same");
    assert_eq!(counted(&[one, other, reported(3, 0, 12, None)]), Some((12, true)));
}

#[test]
fn the_earliest_received_body_of_a_result_wins_and_a_reversed_import_takes_it_back() {
    let import = ImportId(Uuid::from_u128(77));
    let bodies = [reported(1, 10, 10, Some(import)), reported(1, 5, 11, None), reported(1, 20, 12, None)];
    assert_eq!(result(&bodies, &NONE).map(|result| (result.report.reached, result.contested)), Some((11, false)));
    let imported = [reported(1, 0, 10, None), reported(2, 0, 99, Some(import))];
    let after = result(&imported, &BTreeSet::from([import])).expect("a result");
    assert_eq!((after.report.reached, after.contested), (10, false));
    assert_eq!(result(&imported[1..], &BTreeSet::from([import])), None);
}
