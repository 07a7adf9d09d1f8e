//! Every kind of anomaly of sheets, their lines and the consents of attendees is a fact of the submissions.

use std::collections::{BTreeMap, BTreeSet};

use qamtu::{
    submission::{Identifier, Payload},
    synthetic::iin,
};
use qamtu_schemas::{
    Data, Event, Kind, Status,
    event::{AttendanceRecorded, Residence},
    id::{EventId, MeetingId, Pseudonym},
};

use crate::{
    about, assert_within, campaign, figure, full,
    observed::{ObservedMeeting, accepted, observed, refused},
};

/// The people of a sheet in force.
fn attendees(meeting: &ObservedMeeting) -> BTreeSet<Pseudonym> {
    meeting.state.attendance.values().map(|line| line.attendee.id).collect()
}

#[test]
fn sheets_are_copied_typed_twice_reversed_and_stray() {
    let held = figure("/plan/held");
    let count = |condition: &dyn Fn(&ObservedMeeting) -> bool| observed().count(condition);
    let mut sheets: BTreeMap<_, u64> = BTreeMap::new();
    observed().meetings.values().map(attendees).filter(|sheet| !sheet.is_empty()).for_each(|sheet| *sheets.entry(sheet).or_default() += 1);
    assert_eq!(sheets.into_values().filter(|meetings| *meetings > 1).collect::<Vec<_>>(), [3], "meetings with one sheet");
    let rekeyed = |meeting: &ObservedMeeting| {
        let sheets: BTreeSet<_> =
            meeting.state.attendance.values().filter_map(|line| line.sheet.as_ref().map(|sheet| &sheet.sheet)).collect();
        sheets.len() == 2 && attendees(meeting).len() * 2 >= meeting.state.attendance.len()
    };
    assert_within("sheets typed twice", count(&rekeyed), about(10, held));
    let reversed = observed().reference.reversed();
    assert_eq!(reversed.len(), 1);
    let gone = |event: &Event| event.envelope.import.is_some_and(|import| reversed.contains(&import));
    let sent_again = |meeting: &ObservedMeeting| meeting.events.iter().any(gone) && !meeting.state.attendance.is_empty();
    assert_eq!(count(&sent_again), 3, "meetings of the reversed import");
    let stray = |status| count(&|meeting| meeting.state.status == status && !meeting.state.attendance.is_empty());
    assert_eq!((stray(Status::Pending), stray(Status::Planned)), (12, 5), "sheets of unknown and of unreported meetings");
    let uncounted = |meeting: &ObservedMeeting| {
        meeting.state.status == Status::Held && meeting.state.headcount.is_none() && meeting.state.attendance.is_empty()
    };
    assert_within("held without any count", count(&uncounted), 4..=20);
    assert_eq!(figure("/precincts_over"), 1, "more reached than registered");
}

#[test]
fn names_of_a_revealing_audience_are_refused_or_arrive_too_early() {
    let revealing = campaign().revealing();
    let named = |meeting: &ObservedMeeting| meeting.is_revealing(&revealing) && !meeting.state.attendance.is_empty();
    assert_eq!(observed().count(named), 9, "names that arrive before the audience is known");
    let contested = |meeting: &ObservedMeeting| named(meeting) && meeting.state.contested;
    assert_eq!(observed().count(contested), 3, "of them with a contradicting report");
    let refused: Vec<&MeetingId> = refused()
        .filter(|(code, _)| *code == "headcounts-only")
        .map(|(_, submission)| match &submission.data {
            Payload::Attendance(line) => &line.meeting,
            other => panic!("{other:?} is no line of a sheet"),
        })
        .collect();
    assert_eq!(refused.len(), 24);
    assert!(refused.iter().all(|meeting| observed().meetings[*meeting].is_revealing(&revealing)));
}

#[test]
fn lines_are_mistyped_misspelt_and_retracted() {
    let lines = figure("/audience/identified");
    let (mut invalid, mut unknown_on_sheet, mut unknown_in_report) = (0, 0, 0);
    let mut spelt: BTreeSet<String> = BTreeSet::new();
    for (code, submission) in refused() {
        let unknown = |unit| observed().reference.unit(unit).is_none();
        match (code, &submission.data) {
            ("invalid-iin", Payload::Attendance(AttendanceRecorded { attendee: Identifier::Iin(iin), .. })) => {
                invalid += u64::from(!iin::is_valid(*iin));
            }
            ("unknown-unit", Payload::Attendance(AttendanceRecorded { residence: Residence::Unit(unit), .. })) => {
                unknown_on_sheet += u64::from(unknown(unit));
                spelt.insert(unit.to_string());
            }
            ("unknown-unit", Payload::Plain(data)) => match &**data {
                Data::MeetingHeld(held) => unknown_in_report += u64::from(unknown(&held.report.unit)),
                other => panic!("{other:?} is refused"),
            },
            ("headcounts-only", _) => {}
            other => panic!("{other:?} is refused"),
        }
    }
    assert_within("mistyped numbers", invalid, about(16, lines));
    assert_within("misspelt units on sheets", unknown_on_sheet, about(8, lines));
    assert_within("misspelt units in reports", unknown_in_report, about(10, figure("/plan/held")));
    let refused = &full().oracle.stream.refused;
    assert_eq!((refused["invalid-iin"], refused["unknown-unit"]), (invalid, unknown_on_sheet + unknown_in_report));
    for alias in ["saryagash-audany", "saryagashskii-raion", "Saryagash"] {
        assert!(spelt.contains(alias), "{alias} is not among {spelt:?}");
    }
    let lines_of = |event: &Event| if let Data::AttendanceRetracted(data) = &event.data { data.retracts.len() as u64 } else { 0 };
    let retracted: u64 = observed().meetings.values().flat_map(|meeting| &meeting.events).map(lines_of).sum();
    assert_within("retracted lines", retracted, about(10, lines));
    assert_within("weak identifiers", figure("/audience/weak"), about(30, lines));
    assert_within("people from outside", figure("/audience/outside"), about(44, lines));
}

#[test]
fn consents_are_withdrawn_and_given_again() {
    let withdrawals: BTreeSet<EventId> =
        accepted().filter(|submission| submission.kind().kind == Kind::ConsentWithdrawn).map(|submission| submission.id).collect();
    let revoked = accepted().flat_map(|submission| match &submission.data {
        Payload::ConsentGiven(given) => given.supersedes.as_slice(),
        _ => &[],
    });
    assert_eq!((withdrawals.len(), revoked.filter(|id| withdrawals.contains(id)).count()), (46, 6));
    let attended: BTreeSet<_> = observed().meetings.values().flat_map(attendees).collect();
    assert_eq!((observed().withdrawn.len(), observed().withdrawn.difference(&attended).count()), (40, 0), "withdrawals of attendees");
}
