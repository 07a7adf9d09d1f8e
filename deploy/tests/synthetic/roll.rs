//! The roll: valid national ids, each person once on a roll, and as many people as the counts say.

use std::collections::{BTreeMap, HashMap, HashSet};

use qamtu::{
    submission::{Identifier, Iin, Payload},
    synthetic::iin,
};
use qamtu_schemas::event::{AttendanceRecorded, RollEntry, Sex};

use crate::{
    assert_within, campaign, figure, full,
    observed::{accepted, observed},
};

/// The voters of each precinct by the newest version of its roll.
fn rolls() -> BTreeMap<String, Vec<RollEntry<Identifier>>> {
    let mut rolls = BTreeMap::new();
    for submission in full().roll_submissions() {
        let Payload::Roll(roll) = submission.data else { panic!("something else in the roll") };
        rolls.insert(roll.precinct.to_string(), roll.voters);
    }
    rolls
}

fn iin(RollEntry(voter, ..): &RollEntry<Identifier>) -> Iin {
    match voter {
        Identifier::Iin(iin) => *iin,
        Identifier::Phone(phone) => panic!("{phone} is on a roll"),
    }
}

#[test]
fn iins_are_valid_and_belong_to_no_living_person() {
    for entry in rolls().values().flatten() {
        let iin = iin(entry);
        let century = iin.to_string().as_bytes()[6];
        assert!(iin::is_valid(iin) && matches!(century, b'1' | b'2'), "{iin}");
    }
    for submission in accepted() {
        if let Payload::Attendance(AttendanceRecorded { attendee: Identifier::Iin(iin), .. }) = &submission.data {
            assert!(iin::is_valid(*iin), "{iin} would be refused");
        }
    }
}

#[test]
fn nobody_is_twice_on_a_roll_and_few_are_on_two_rolls() {
    let mut listed: HashMap<Iin, u64> = HashMap::new();
    for submission in full().roll_submissions() {
        let Payload::Roll(roll) = submission.data else { panic!("something else in the roll") };
        let distinct: HashSet<Iin> = roll.voters.iter().map(iin).collect();
        assert_eq!(distinct.len(), roll.voters.len(), "a person stands twice on version {} of {}", roll.version, roll.precinct);
    }
    rolls().values().flatten().for_each(|entry| *listed.entry(iin(entry)).or_default() += 1);
    assert_eq!((listed.len() as u64, figure("/counts/roll_voters")), (1_195_000, 1_195_000));
    let on_two: Vec<u64> = listed.into_values().filter(|rolls| *rolls > 1).collect();
    assert_eq!((on_two.len(), on_two.iter().all(|rolls| *rolls == 2)), (150, true));
}

#[test]
fn ages_and_sexes_are_those_of_the_region() {
    let rolls = rolls();
    let all: Vec<&RollEntry<Identifier>> = rolls.values().flatten().collect();
    let permille = |condition: &dyn Fn(u16, Sex) -> bool| {
        all.iter().filter(|RollEntry(_, band, sex)| condition(*band, *sex)).count() as u64 * 1_000 / all.len() as u64
    };
    assert_within("men", permille(&|_, sex| sex == Sex::Male), 485..=499);
    assert_within("women", permille(&|_, sex| sex == Sex::Female), 501..=515);
    // Bands of five years: the first begins with people of 95, the last has those who turn 18 in the year of the vote.
    assert_within("born in 1930 to 2009", permille(&|band, _| (1930..=2005).contains(&band)), 1_000..=1_000);
    assert_within("born in 1980 or later", permille(&|band, _| band >= 1980), 570..=670);
    assert_within("born before 1950", permille(&|band, _| band < 1950), 15..=40);
}

#[test]
fn the_roll_has_as_many_people_as_the_last_counts() {
    let reference = &observed().reference;
    let last = campaign().calendar.closes;
    let counted: BTreeMap<String, u32> = reference.precincts(last).map(|count| (count.precinct.to_string(), count.voters)).collect();
    let enrolled: BTreeMap<String, u32> = rolls().into_iter().map(|(precinct, voters)| (precinct, voters.len() as u32)).collect();
    // One precinct is counted too low and another too high by the same number; some rolls also list voters of another precinct.
    assert!(enrolled.keys().eq(counted.keys()), "a precinct without a roll, or without a count");
    assert_eq!((enrolled.len() as u64, figure("/counts/roll_precincts"), figure("/counts/precincts_without_roll")), (947, 947, 0));
    let differences = enrolled.values().zip(counted.values()).map(|(roll, count)| i64::from(*count) - i64::from(*roll));
    let mut differ: Vec<i64> = differences.filter(|by| *by != 0).collect();
    differ.sort_unstable();
    assert_eq!(differ, [-25, -25, -25, -25, -25, -25, -20, 20]);
    assert!(counted.values().all(|voters| (10..=3_000).contains(voters)), "a precinct outside the legal limit");
    let sum = |on| reference.precincts(on).map(|count| u64::from(count.voters)).sum::<u64>();
    let dates = &campaign().synthetic.as_ref().unwrap().counts;
    // 0.4 % fewer, then 0.2 % more than in the end.
    assert_within("the first count", sum(dates[0]), 1_189_000..=1_191_400);
    assert_within("the second count", sum(dates[1]), 1_196_200..=1_198_600);
    assert_eq!(sum(dates[2]), 1_195_000);
}

#[test]
fn every_line_of_the_roll_is_shorter_than_a_megabyte() {
    for submission in full().roll_submissions() {
        let mut line = Vec::new();
        submission.write_line(&mut line).unwrap();
        assert!(line.len() < 1_000_000, "a line of {} bytes", line.len());
    }
}
