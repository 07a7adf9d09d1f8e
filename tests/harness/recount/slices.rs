//! Counts the attendances and the different people of slices by two dimensions.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Result;
use serde_json::Value;

use super::{DemoFiles, Meeting, RecountInput, instant, newest, text, with_input};

/// The key of all meetings or people.
const ALL: &str = "*";

/// Contacts and different people, by the values of two dimensions. An empty value is that of meetings or people without one.
pub type Slice = BTreeMap<[String; 2], (u64, u64)>;

/// Counts the slice by two dimensions of the campaign.
pub fn slice(files: &DemoFiles, as_of: &str, by: [&str; 2]) -> Result<Slice> {
    with_input(files, as_of, None, |input| count(input, by))
}

fn count(input: &RecountInput<'_>, by: [&str; 2]) -> Slice {
    let members = newest(input.all, "member.joined", "member");
    let mut contacts: HashMap<[String; 2], u64> = HashMap::new();
    let mut people: HashMap<[String; 2], HashSet<&str>> = HashMap::new();
    for (meeting, report) in input.held() {
        for person in meeting.strong.iter().filter(|person| input.files.roll.contains_key(**person)) {
            let [one, other] = by.map(|dimension| {
                let of_person = person_value(input, person, dimension);
                let mut values = of_person.unwrap_or_else(|| meeting_values(input, &members, meeting, report, dimension));
                if values.is_empty() {
                    values.insert(String::new());
                }
                values.insert(ALL.to_owned());
                values
            });
            for key in one.iter().flat_map(|one| other.iter().map(|other| [one.clone(), other.clone()])) {
                *contacts.entry(key.clone()).or_default() += 1;
                people.entry(key).or_default().insert(person);
            }
        }
    }
    contacts.into_iter().map(|(key, contacts)| (key.clone(), (contacts, people[&key].len() as u64))).collect()
}

/// Values of a dimension of people; none for a dimension of meetings.
fn person_value(input: &RecountInput<'_>, person: &str, dimension: &str) -> Option<HashSet<String>> {
    let residence = || input.residence_precinct(person);
    let (band, sex) = input.files.traits.get(person).cloned().unwrap_or_default();
    let value = match dimension {
        "residence" => residence().map(str::to_owned),
        "residence_unit" => residence().and_then(|precinct| input.precincts.get(precinct)).map(|(unit, _)| (*unit).to_owned()),
        "birth" => (band > 0).then(|| format!("{band}-{}", band + 4)),
        "sex" => (sex != "u").then_some(sex),
        _ => return None,
    };
    Some(value.into_iter().collect())
}

fn meeting_values(
    input: &RecountInput<'_>,
    members: &BTreeMap<&str, &Value>,
    meeting: &Meeting<'_>,
    report: &Value,
    dimension: &str,
) -> HashSet<String> {
    let list =
        |field: &str| report[field].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>();
    let starts = instant(&report["starts"]);
    let values: Vec<String> = match dimension {
        "category" => [vec![text(report, "category").to_owned()], list("secondary")].concat(),
        "member" => list("members"),
        "party" => list("members").iter().filter_map(|member| members.get(member.as_str())?["party"].as_str().map(str::to_owned)).collect(),
        "day" => vec![input.campaign.day(starts).to_string()],
        "week" => vec![input.campaign.week(starts)],
        "evidence" => {
            let is_listed = !meeting.strong.is_empty() || !meeting.weak.is_empty();
            vec![
                match (meeting.headcount.is_some(), is_listed) {
                    (true, true) => "headcount+list",
                    (true, false) => "headcount",
                    (false, true) => "list",
                    (false, false) => "none",
                }
                .to_owned(),
            ]
        }
        field => report[field].as_str().map(str::to_owned).into_iter().collect(),
    };
    values.into_iter().collect()
}
