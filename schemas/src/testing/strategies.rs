//! Proptest strategies for random events.
//!
//! Ids, units and imports come from small pools, so that events refer to, repeat, replace and contradict each other. Strategies are
//! boxed, as they are too large for the stack of a test.

use std::{fmt::Debug, str::FromStr};

use jiff::{Timestamp, civil::Date};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use super::TestEnvelope;
use crate::{
    envelope::Event,
    event::{
        AccessReported, AttendanceRecorded, AttendanceRetracted, CampaignConfigured, Category, CoalitionFormed, CodeNames, ConsentGiven,
        ConsentWithdrawn, Count, Data, HeadcountRecounted, HeadcountReported, ImportAccepted, ImportReversed, MeetingCancelled,
        MeetingCorrected, MeetingHeld, MeetingPlanned, MeetingRescheduled, MemberJoined, Person, Plan, PrecinctCounted, PrecinctEnrolled,
        PrecinctKind, PseudonymStrength, QuestionRaised, Residence, RollEntry, Sex, SheetLine, SurveyReported, Tile, UnitDefined, UnitKind,
        Unreachable, UnreachableReason, VenueDescribed,
    },
    id::{CampaignId, EventId, ImportId, MeetingId, Pseudonym},
    text::{Names, Text},
};

/// The campaign of every generated event.
pub const CAMPAIGN: &str = "turkistan-2026";

/// Valid text of Kazakh, Russian and other letters, digits and signs.
pub fn text() -> BoxedStrategy<Text> {
    prop_oneof!["[а-яәғқңөұүһіА-ЯӘҒҚҢӨҰҮҺІ]{1,12}", "[ -~әғқңөұүһі№«»—]{1,60}", "\\PC{1,20}"]
        .prop_filter_map("refused as a text", |text| Text::new(&text).ok())
        .boxed()
}

fn names() -> BoxedStrategy<Names> {
    (text(), text(), text()).prop_map(|(kk, ru, en)| Names { kk, ru, en }).boxed()
}

/// Any valid code of this type.
pub fn code<T: FromStr + Debug + 'static>() -> BoxedStrategy<T> {
    "[A-Za-z0-9][A-Za-z0-9._-]{0,47}".prop_filter_map("refused as a code", |code| code.parse().ok()).boxed()
}

/// One of a few codes, so that events share them.
fn one_of<T: FromStr + Debug + 'static>(codes: &'static [&'static str]) -> BoxedStrategy<T> {
    select(codes).prop_filter_map("refused as a code", |code| code.parse().ok()).boxed()
}

/// One of a dozen event ids.
pub fn event_id() -> impl Strategy<Value = EventId> {
    (1..=12_u128).prop_map(|number| EventId(Uuid::from_u128(number)))
}

fn event_ids(least: usize) -> impl Strategy<Value = Vec<EventId>> {
    vec(event_id(), least..4)
}

/// One of three imports.
pub fn import_id() -> impl Strategy<Value = ImportId> {
    (1..=3_u128).prop_map(|number| ImportId(Uuid::from_u128(number)))
}

/// An instant during the campaign, in whole microseconds; often one of a few, so that ties occur.
pub fn instant() -> impl Strategy<Value = Timestamp> {
    const START: i64 = 1_770_944_400_000_000;
    prop_oneof![0..5_i64, 0..3_000_000_000_000_i64].prop_filter_map("no instant", |micros| Timestamp::from_microsecond(START + micros).ok())
}

fn date() -> impl Strategy<Value = Date> {
    (0..31_i8).prop_filter_map("no date", |day| Date::new(2026, 3, day + 1).ok())
}

/// A person with a random pseudonym.
pub fn person() -> impl Strategy<Value = Person> {
    let strength = select(&[PseudonymStrength::Strong, PseudonymStrength::Weak][..]);
    (any::<[u8; 16]>(), strength).prop_map(|(id, strength)| Person { id: Pseudonym(id), strength })
}

/// A plan or a report.
pub fn plan() -> BoxedStrategy<Plan> {
    let place = (one_of(&["TRK", "KEN"]), option::of(one_of(&["TRK-001", "KEN-014"])), option::of(code()));
    let who = (one_of(&["regional", "TRK"]), vec(code(), 0..4), one_of(&["YOUTH", "AGRO"]), vec(one_of(&["WOMEN", "LAW"]), 0..3));
    let how = (one_of(&["HALL", "WORKPLACE"]), one_of(&["kk", "uz-Cyrl"]), instant(), option::of(any::<u32>()));
    (place, who, how)
        .prop_map(|((unit, precinct, venue), (coalition, members, category, secondary), (format, language, starts, expected))| Plan {
            unit,
            precinct,
            venue,
            coalition,
            members,
            category,
            secondary,
            format,
            language,
            starts,
            expected,
        })
        .boxed()
}

/// Counts, the eligible minimum, and whether nobody is eligible.
fn counts() -> impl Strategy<Value = (Vec<Count>, Option<u32>, bool)> {
    (vec(0..=500_u32, 1..=2), option::of(Just(0)), any::<bool>()).prop_map(|(people, minimum, nobody)| {
        let counter = |index: usize| ["1", "2"][index].parse().ok();
        let counts =
            people.into_iter().enumerate().filter_map(|(index, people)| Some(Count { counter: counter(index)?, people })).collect();
        (counts, minimum, nobody)
    })
}

fn residence() -> impl Strategy<Value = Residence> {
    prop_oneof![
        Just(Residence::Unknown),
        Just(Residence::Outside),
        one_of(&["TRK", "KEN"]).prop_map(Residence::Unit),
        code().prop_map(Residence::Precinct)
    ]
}

/// The payload of an event of this meeting.
pub fn meeting_data(meeting: MeetingId) -> BoxedStrategy<Data> {
    let of = || Just(meeting.clone());
    let why = || option::of(text());
    prop_oneof![
        (of(), event_ids(0), plan()).prop_map(|(meeting, supersedes, plan)| MeetingPlanned { meeting, supersedes, plan }.into()).boxed(),
        (of(), event_ids(1), instant(), why())
            .prop_map(|(meeting, supersedes, starts, reason)| MeetingRescheduled { meeting, supersedes, starts, reason }.into())
            .boxed(),
        (of(), why()).prop_map(|(meeting, reason)| MeetingCancelled { meeting, reason }.into()).boxed(),
        (of(), plan()).prop_map(|(meeting, report)| MeetingHeld { meeting, report }.into()).boxed(),
        (of(), event_ids(1), option::of(plan()), why())
            .prop_map(|(meeting, supersedes, report, reason)| MeetingCorrected { meeting, supersedes, report, reason }.into())
            .boxed(),
        (of(), person(), code(), residence(), option::of(any::<bool>()), option::of((code(), 1..=u32::MAX)))
            .prop_map(|(meeting, attendee, consent, residence, adult, sheet)| {
                let sheet = sheet.map(|(sheet, line)| SheetLine { sheet, line });
                AttendanceRecorded { meeting, attendee, consent, residence, adult, sheet }.into()
            })
            .boxed(),
        (of(), event_ids(1), why())
            .prop_map(|(meeting, retracts, reason)| AttendanceRetracted { meeting, retracts, reason }.into())
            .boxed(),
        (of(), counts())
            .prop_map(|(meeting, (counts, eligible_minimum, nobody_eligible))| {
                HeadcountReported { meeting, counts, eligible_minimum, nobody_eligible }.into()
            })
            .boxed(),
        (of(), event_ids(1), counts(), why())
            .prop_map(|(meeting, supersedes, (counts, eligible_minimum, nobody_eligible), reason)| {
                HeadcountRecounted { meeting, supersedes, counts, eligible_minimum, nobody_eligible, reason }.into()
            })
            .boxed(),
        (of(), code(), 1..=100_000_u32).prop_map(|(meeting, theme, count)| QuestionRaised { meeting, theme, count }.into()).boxed(),
    ]
    .boxed()
}

/// The payload of reference data, or of a reversed import.
pub fn reference_data() -> BoxedStrategy<Data> {
    let revision = 0..4_u32;
    let unit = || one_of(&["TRK", "KEN"]);
    prop_oneof![
        (revision.clone(), names(), vec((code(), names(), any::<bool>()), 0..3), any::<u32>())
            .prop_filter_map("no campaign", |(revision, names, categories, planned)| campaign(revision, names, categories, planned))
            .boxed(),
        (unit(), revision.clone(), "[0-9]{9}", names(), any::<(u8, u8, bool)>())
            .prop_filter_map("no unit", |(unit, revision, kato, names, (row, column, city))| {
                let kind = if city { UnitKind::City } else { UnitKind::District };
                Some(UnitDefined { unit, revision, kato: kato.parse().ok()?, kind, names, tile: Tile { row, column } }.into())
            })
            .boxed(),
        (one_of(&["TRK-001", "KEN-014"]), unit(), any::<u32>(), date(), revision.clone(), 0..=3000_u32, text())
            .prop_map(|(precinct, unit, number, as_of, revision, voters, source)| {
                PrecinctCounted { precinct, unit, number, kind: PrecinctKind::Ordinary, as_of, revision, voters, source }.into()
            })
            .boxed(),
        (one_of(&["TRK-001", "KEN-014"]), revision.clone(), option::of((date(), option::of(text()))))
            .prop_map(|(precinct, revision, unreachable)| {
                let unreachable = unreachable.map(|(since, note)| Unreachable { since, reason: UnreachableReason::Road, note });
                AccessReported { precinct, revision, unreachable }.into()
            })
            .boxed(),
        (one_of(&["regional", "TRK"]), revision.clone(), option::of(unit()), names())
            .prop_map(|(coalition, revision, unit, names)| CoalitionFormed { coalition, revision, unit, names }.into())
            .boxed(),
        (one_of(&["TRK-M01", "TRK-M02"]), revision.clone(), one_of(&["regional", "TRK"]), option::of(code()), option::of(text()))
            .prop_map(|(member, revision, coalition, party, name)| MemberJoined { member, revision, coalition, party, name }.into())
            .boxed(),
        (one_of(&["V1", "V2"]), revision, unit(), option::of(code()), text(), option::of(any::<u32>()))
            .prop_map(|(venue, revision, unit, precinct, name, capacity)| {
                VenueDescribed { venue, revision, unit, precinct, name, capacity }.into()
            })
            .boxed(),
        (import_id(), option::of(text())).prop_map(|(import, reason)| ImportReversed { import, reason }.into()).boxed(),
    ]
    .boxed()
}

fn campaign(revision: u32, names: Names, categories: Vec<(crate::id::CategoryCode, Names, bool)>, planned: u32) -> Option<Data> {
    Some(
        CampaignConfigured {
            campaign: CAMPAIGN.parse().ok()?,
            revision,
            time_zone: Text::new("Asia/Almaty").ok()?,
            synthetic: true,
            opens: jiff::civil::date(2026, 2, 13),
            closes: jiff::civil::date(2026, 3, 13),
            silence_day: jiff::civil::date(2026, 3, 14),
            vote_day: jiff::civil::date(2026, 3, 15),
            planned_meetings: planned,
            planned_reach: planned,
            area: Some(names.clone()).filter(|_| revision.is_multiple_of(2)),
            categories: categories.into_iter().map(|(code, names, revealing)| Category { code, names, revealing }).collect(),
            formats: Vec::new(),
            parties: Vec::new(),
            languages: vec![CodeNames { code: "kk".parse().ok()?, names: names.clone() }],
            names,
        }
        .into(),
    )
}

/// The payload of any event type.
pub fn data() -> BoxedStrategy<Data> {
    let sex = select(&[Sex::Female, Sex::Male, Sex::Unknown][..]);
    let voter = (any::<[u8; 16]>(), prop_oneof![Just(0), (380..=420_u16).prop_map(|band| band * 5)], sex);
    let voter = voter.prop_map(|(id, band, sex)| RollEntry(Pseudonym(id), band, sex));
    let strength = select(&[PseudonymStrength::Strong, PseudonymStrength::Weak][..]);
    prop_oneof![
        4 => code().prop_flat_map(meeting_data),
        3 => reference_data(),
        1 => (code(), any::<u32>(), strength, vec(voter, 0..5))
            .prop_map(|(precinct, version, strength, voters)| PrecinctEnrolled { precinct, version, strength, voters }.into()).boxed(),
        1 => (code(), option::of(code()), 0..=1000_u32, 0..=1000_u32, text())
            .prop_map(|(survey, unit, asked, reached, method)| SurveyReported { survey, unit, asked, reached: reached.min(asked), method }.into()).boxed(),
        1 => (person(), code(), event_ids(0)).prop_map(|(person, notice, supersedes)| ConsentGiven { person, notice, supersedes }.into()).boxed(),
        1 => person().prop_map(|person| ConsentWithdrawn { person }.into()).boxed(),
        1 => (import_id(), any::<u32>(), text()).prop_map(|(import, events, name)| ImportAccepted { import, events, name }.into()).boxed(),
    ]
    .boxed()
}

/// An event with a payload of this strategy; there are few ids, so two bodies often share one.
pub fn event(data: impl Strategy<Value = Data>) -> impl Strategy<Value = Event> {
    let times = (instant(), option::of(instant()), instant());
    (event_id(), text(), times, option::of(import_id()), data).prop_filter_map(
        "no event",
        |(id, source, (time, recordedtime, receivedtime), import, data)| {
            let campaign: CampaignId = CAMPAIGN.parse().ok()?;
            TestEnvelope { id, campaign, source, time, recordedtime, receivedtime, import }.event(data).ok()
        },
    )
}

/// Up to 15 events of one meeting.
pub fn meeting_events() -> impl Strategy<Value = Vec<Event>> {
    one_of(&["TRK-2026-0220-0042"]).prop_flat_map(|meeting| vec(event(meeting_data(meeting)), 0..16))
}

/// Up to 15 reference events of one campaign.
pub fn reference_events() -> impl Strategy<Value = Vec<Event>> {
    vec(event(reference_data()), 0..16)
}
