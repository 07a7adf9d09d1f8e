//! Counts the attendances and the different people of slices by up to two dimensions.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use anyhow::Result;
use serde_json::Value;

use super::{DemoFiles, Meeting, RecountInput, instant, newest, text, with_input};

/// Names of the dimensions of meetings, then of those of people.
pub const DIMENSIONS: [&str; 16] = [
    "meeting",
    "unit",
    "precinct",
    "coalition",
    "party",
    "member",
    "category",
    "format",
    "language",
    "day",
    "week",
    "evidence",
    "residence",
    "residence_unit",
    "birth",
    "sex",
];

/// The key of all meetings or people.
const ALL: &str = "*";

/// Contacts and different people, by the values of the dimensions. An empty value is that of meetings or people without one.
pub type Slice = BTreeMap<Vec<String>, (u64, u64)>;

/// A condition on a dimension.
pub struct SliceFilter {
    /// Name of the dimension.
    pub dimension: &'static str,
    /// `=`, `>=` or `<=`.
    pub sign: &'static str,
    /// Values, of which one must be equal, or the bound.
    pub values: Vec<String>,
}

/// Values by dimension.
type Values = HashMap<&'static str, HashSet<String>>;

/// Who attended which counted meeting.
pub struct Attendances {
    meetings: Vec<Values>,
    people: Vec<Values>,
    /// Indexes of meeting and person.
    attended: Vec<(usize, usize)>,
}

/// The attendances of voters at the counted meetings of the campaign.
pub fn attendances(files: &DemoFiles, as_of: &str) -> Result<Attendances> {
    with_input(files, as_of, None, |input| {
        let members = newest(input.all, "member.joined", "member");
        let mut found = Attendances { meetings: Vec::new(), people: Vec::new(), attended: Vec::new() };
        let mut number_of: HashMap<&str, usize> = HashMap::new();
        for (meeting, report) in input.held() {
            let of_dimension = |dimension| (dimension, meeting_values(input, &members, meeting, report, dimension));
            let own = DIMENSIONS.into_iter().filter(|dimension| person_value(input, "", dimension).is_none()).map(of_dimension);
            found.meetings.push(own.collect());
            for person in meeting.strong.iter().filter(|person| input.files.roll.contains_key(**person)) {
                let number = *number_of.entry(person).or_insert_with(|| {
                    let own = DIMENSIONS.into_iter().filter_map(|dimension| Some((dimension, person_value(input, person, dimension)?)));
                    found.people.push(own.collect());
                    found.people.len() - 1
                });
                found.attended.push((found.meetings.len() - 1, number));
            }
        }
        found
    })
}

impl Attendances {
    /// Every value that somebody was reached with.
    pub fn values(&self, dimension: &str) -> BTreeSet<String> {
        self.meetings.iter().chain(&self.people).filter_map(|values| values.get(dimension)).flatten().cloned().collect()
    }

    /// Counts a slice.
    pub fn slice(&self, by: &[&str], filters: &[SliceFilter]) -> Slice {
        let mut contacts: HashMap<Vec<String>, u64> = HashMap::new();
        let mut people: HashMap<Vec<String>, HashSet<usize>> = HashMap::new();
        for (meeting, person) in &self.attended {
            let values = |dimension: &str| self.meetings[*meeting].get(dimension).or_else(|| self.people[*person].get(dimension));
            let passes =
                |filter: &SliceFilter| values(filter.dimension).is_some_and(|values| values.iter().any(|value| filter.passes(value)));
            if !filters.iter().all(passes) {
                continue;
            }
            let mut keys: Vec<Vec<String>> = vec![Vec::new()];
            for dimension in by {
                let mut own: Vec<&str> = values(dimension).into_iter().flatten().map(String::as_str).collect();
                if own.is_empty() {
                    own.push("");
                }
                own.push(ALL);
                keys = keys.iter().flat_map(|key| own.iter().map(|value| [&key[..], &[(*value).to_owned()]].concat())).collect();
            }
            for key in keys {
                *contacts.entry(key.clone()).or_default() += 1;
                people.entry(key).or_default().insert(*person);
            }
        }
        contacts.into_iter().map(|(key, contacts)| (key.clone(), (contacts, people[&key].len() as u64))).collect()
    }
}

impl SliceFilter {
    fn passes(&self, value: &String) -> bool {
        self.values.iter().any(|bound| match self.sign {
            ">=" => value >= bound,
            "<=" => value <= bound,
            _ => value == bound,
        })
    }
}

impl std::fmt::Display for SliceFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}{}", self.dimension, self.sign, self.values.join(","))
    }
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
        "meeting" => vec![meeting.id.to_owned()],
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
