//! Computes the figures of a campaign independently, from `events.ndjson` and `roll.parquet`, to check those of the product.
//!
//! Shares no code with the product: events are plain JSON values, people are strings in hash sets, every figure follows
//! the published definition directly. Supports only campaigns in which every precinct has a roll.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use anyhow::{Context, Result, ensure};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

mod figures;
mod meeting;
mod rule_mutation;
mod slices;

use meeting::{CountingRules, Meeting, meeting};
pub use rule_mutation::RuleMutation;
pub use slices::{Attendances, DIMENSIONS, Slice, SliceFilter, attendances};

/// By person the precincts whose rolls list them, the lowest id first.
type Residences = HashMap<String, Vec<String>>;

/// By person the first year of the birth band and the sex, by the precinct with the lowest id.
type Traits = HashMap<String, (u32, String)>;

/// The exported files of a demo: events and roll.
pub struct DemoFiles {
    events: Vec<Value>,
    roll: Residences,
    roll_precincts: BTreeSet<String>,
    traits: Traits,
}

/// Reads the files that `qamtu demo --out` wrote.
pub fn read(out: &Path) -> Result<DemoFiles> {
    let mut best: HashMap<[String; 3], Value> = HashMap::new();
    for line in BufReader::new(File::open(out.join("events.ndjson"))?).lines() {
        let event: Value = serde_json::from_str(&line?)?;
        let identity = [text(&event, "id").to_owned(), fact_kind(&event).to_owned(), text(&event["data"], "meeting").to_owned()];
        match best.get(&identity) {
            Some(other) if rank(other) <= rank(&event) => {}
            _ => {
                best.insert(identity, event);
            }
        }
    }
    let (roll, roll_precincts, traits) = read_roll(&out.join("roll.parquet"))?;
    let mut events: Vec<Value> = best.into_values().collect();
    events.sort_by(|a, b| text(a, "id").cmp(text(b, "id")));
    Ok(DemoFiles { events, roll, roll_precincts, traits })
}

/// The newest version of each precinct's roll, as precincts by pseudonym; all precincts with a roll; and what the roll says of each person.
fn read_roll(path: &Path) -> Result<(Residences, BTreeSet<String>, Traits)> {
    use parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::RowAccessor,
    };
    let reader = SerializedFileReader::new(File::open(path)?).context("roll.parquet")?;
    let names: Vec<String> = reader.metadata().file_metadata().schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    let column = |name: &str| names.iter().position(|other| other == name).with_context(|| format!("roll.parquet has no column {name}"));
    let (precinct, version, person) = (column("precinct")?, column("version")?, column("pseudonym")?);
    let mut newest: HashMap<String, u32> = HashMap::new();
    let (birth_band, sex) = (column("birth_band")?, column("sex")?);
    let mut rows: Vec<(String, u32, String, u32, String)> = Vec::new();
    for row in reader.get_row_iter(None)? {
        let row = row?;
        let (band, sex) = (u32::from(row.get_ushort(birth_band)?), row.get_string(sex)?.clone());
        let entry = (row.get_string(precinct)?.clone(), row.get_uint(version)?, row.get_string(person)?.clone(), band, sex);
        let highest = newest.entry(entry.0.clone()).or_default();
        *highest = (*highest).max(entry.1);
        rows.push(entry);
    }
    rows.retain(|(precinct, version, ..)| newest[precinct] == *version);
    rows.sort();
    let mut roll = Residences::with_capacity(rows.len());
    let mut traits = HashMap::with_capacity(rows.len());
    for (precinct, _, person, band, sex) in rows {
        traits.entry(person.clone()).or_insert((band, sex));
        roll.entry(person).or_default().push(precinct);
    }
    Ok((roll, newest.into_keys().collect(), traits))
}

/// The kind of fact that an event is. With its meeting and id it is the identity of the event.
fn fact_kind(event: &Value) -> &'static str {
    match kind(event) {
        "attendance.recorded" => "attendance",
        "consent.given" | "consent.withdrawn" => "consent",
        "precinct.enrolled" => "roll",
        _ => "other",
    }
}

fn rank(event: &Value) -> (Timestamp, String) {
    (instant(&event["receivedtime"]), text(event, "bodyhash").to_owned())
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn kind(event: &Value) -> &str {
    text(event, "type").trim_start_matches("qamtu.").rsplit_once(".v").map_or("", |(kind, _)| kind)
}

/// Reference values by id: the highest revision, ties broken by event id.
fn newest<'a>(events: &[&'a Value], wanted: &str, id: &str) -> BTreeMap<&'a str, &'a Value> {
    let mut found: BTreeMap<&str, &Value> = BTreeMap::new();
    for event in events.iter().filter(|event| kind(event) == wanted) {
        let rank = |event: &Value| (number(&event["data"]["revision"]), text(event, "id").to_owned());
        let key = event["data"][id].as_str().unwrap_or_default();
        if found.get(key).is_none_or(|other| rank(other) < rank(event)) {
            found.insert(key, event);
        }
    }
    found.into_iter().map(|(key, event)| (key, &event["data"])).collect()
}

/// Audience figures of a set of meetings.
#[derive(Default)]
struct AudienceTotals {
    held: u64,
    gross: u64,
    identified: u64,
    weak: u64,
    unidentified: u64,
    contacts: u64,
    minimum: u64,
    outside: u64,
    times: HashMap<String, u64>,
}

impl AudienceTotals {
    fn of<'a>(meetings: &[&'a Meeting<'a>], roll: &Residences, mutation: Option<RuleMutation>) -> Self {
        let mut totals = Self::default();
        for meeting in meetings {
            totals.held += 1;
            totals.gross += meeting.gross();
            totals.identified += meeting.strong.len() as u64;
            totals.weak += meeting.weak.len() as u64;
            totals.unidentified += meeting.unidentified();
            let eligible = meeting.strong.iter().filter(|person| roll.contains_key(**person)).count() as u64;
            totals.minimum =
                totals.minimum.max(meeting.headcount.map_or(0, |headcount| headcount.2).min(eligible + meeting.unidentified()));
            for person in meeting.strong.iter().filter(|person| roll.contains_key(**person)) {
                totals.contacts += 1;
                *totals.times.entry((*person).to_owned()).or_default() += 1;
            }
        }
        totals.outside = totals.identified - totals.contacts;
        let different = |people: &dyn Fn(&'a Meeting<'a>) -> &'a HashSet<&'a str>, filter: &dyn Fn(&str) -> bool| {
            meetings.iter().flat_map(|meeting| people(meeting)).filter(|person| filter(person)).collect::<HashSet<_>>().len() as u64
        };
        match mutation {
            Some(RuleMutation::WeakAreDifferentPeople) => totals.weak = different(&|meeting| &meeting.weak, &|_| true),
            Some(RuleMutation::OutsideAreDifferentPeople) => {
                totals.outside = different(&|meeting| &meeting.strong, &|person| !roll.contains_key(person));
            }
            _ => {}
        }
        totals
    }
    fn reached(&self) -> u64 {
        self.times.len() as u64
    }
    fn lower(&self) -> u64 {
        self.reached().max(self.minimum)
    }
    fn upper(&self, voters_of_the_region: u64) -> u64 {
        self.lower().max(voters_of_the_region.min(self.reached() + self.unidentified))
    }
}

struct Campaign {
    zone: TimeZone,
    opens: Date,
    closes: Date,
    today: Date,
}

impl Campaign {
    fn day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }
    fn lawful(&self, day: Date) -> bool {
        self.opens <= day && day <= self.closes
    }
    fn week(&self, at: Timestamp) -> String {
        let week = self.day(at).iso_week_date();
        format!("{}-W{:02}", week.year(), week.week())
    }
}

/// Computes every figure of `summary.json` except `seed`, `rejected` and `conflicts`, which do not depend on the events.
pub fn figures(files: &DemoFiles, as_of: &str) -> Result<Value> {
    count(files, as_of, None)
}

/// Computes the same figures with one rule mutated.
pub fn figures_with(files: &DemoFiles, as_of: &str, mutation: RuleMutation) -> Result<Value> {
    count(files, as_of, Some(mutation))
}

fn count(files: &DemoFiles, as_of: &str, mutation: Option<RuleMutation>) -> Result<Value> {
    with_input(files, as_of, mutation, figures::assemble)
}

/// Prepares what figures are counted from, and counts.
fn with_input<T>(files: &DemoFiles, as_of: &str, mutation: Option<RuleMutation>, work: impl FnOnce(&RecountInput<'_>) -> T) -> Result<T> {
    let as_of: Timestamp = as_of.parse()?;
    let all: Vec<&Value> = files.events.iter().filter(|event| instant(&event["receivedtime"]) <= as_of).collect();
    let reversed: HashSet<&str> =
        all.iter().filter(|event| kind(event) == "import.reversed").map(|event| text(&event["data"], "import")).collect();
    let live: Vec<&Value> =
        all.iter().copied().filter(|event| event["import"].as_str().is_none_or(|import| !reversed.contains(import))).collect();
    let configured = newest(&all, "campaign.configured", "campaign");
    let (_, configured) = configured.first_key_value().context("no campaign.configured")?;
    let categories = configured["categories"].as_array().into_iter().flatten();
    let revealing: HashSet<&str> =
        categories.filter(|category| category["revealing"] == true).map(|category| text(category, "code")).collect();
    let rules = CountingRules { withdrawn: withdrawn(&live), revealing, as_of, mutation };
    let mut by_meeting: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for event in live.iter().filter(|event| event["data"]["meeting"].is_string()) {
        by_meeting.entry(text(&event["data"], "meeting")).or_default().push(event);
    }
    let meetings: Vec<Meeting> = by_meeting
        .iter()
        .map(|(id, events)| (events, Meeting { id, ..meeting(events, &rules) }))
        .filter(|(events, meeting)| meeting.attendances > 0 || events.iter().any(|event| kind(event) != "attendance.recorded"))
        .map(|(_, meeting)| meeting)
        .collect();
    let zone = match mutation {
        Some(RuleMutation::DaysOfUtc) => TimeZone::UTC,
        _ => TimeZone::get(text(configured, "time_zone"))?,
    };
    let campaign = Campaign {
        today: as_of.to_zoned(zone.clone()).date(),
        zone,
        opens: text(configured, "opens").parse()?,
        closes: text(configured, "closes").parse()?,
    };
    let precincts = precincts(&all, campaign.today)?;
    let unenrolled = precincts.keys().filter(|precinct| !files.roll_precincts.contains(**precinct)).count();
    ensure!(unenrolled == 0, "the recount does not support stated residences, and {unenrolled} precincts have no roll");
    Ok(work(&RecountInput { files, all: &all, configured, campaign: &campaign, precincts: &precincts, meetings: &meetings, mutation }))
}

/// People whose withdrawal of consent is in force.
fn withdrawn<'a>(events: &[&'a Value]) -> HashSet<&'a str> {
    let taken_back: HashSet<&str> = events
        .iter()
        .filter(|event| kind(event) == "consent.given")
        .flat_map(|event| event["data"]["supersedes"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    events
        .iter()
        .filter(|event| kind(event) == "consent.withdrawn" && !taken_back.contains(text(event, "id")))
        .map(|event| text(&event["data"]["person"], "id"))
        .collect()
}

/// Unit and voters by precinct, as of a day.
fn precincts<'a>(events: &[&'a Value], on: Date) -> Result<BTreeMap<&'a str, (&'a str, u64)>> {
    // The rank of a count, the highest of which is valid; and the count.
    type RankedCount<'a> = ((Date, u64, &'a str), (&'a str, u64));
    let mut found: BTreeMap<&str, RankedCount<'_>> = BTreeMap::new();
    for event in events.iter().filter(|event| kind(event) == "precinct.counted") {
        let data = &event["data"];
        let as_of: Date = text(data, "as_of").parse()?;
        if as_of > on {
            continue;
        }
        let entry = ((as_of, number(&data["revision"]), text(event, "id")), (text(data, "unit"), number(&data["voters"])));
        let best = found.entry(text(data, "precinct")).or_insert(entry);
        if entry.0 > best.0 {
            *best = entry;
        }
    }
    Ok(found.into_iter().map(|(precinct, (_, count))| (precinct, count)).collect())
}

struct RecountInput<'a> {
    files: &'a DemoFiles,
    all: &'a [&'a Value],
    configured: &'a Value,
    campaign: &'a Campaign,
    precincts: &'a BTreeMap<&'a str, (&'a str, u64)>,
    meetings: &'a [Meeting<'a>],
    mutation: Option<RuleMutation>,
}

impl<'a> RecountInput<'a> {
    fn held(&self) -> impl Iterator<Item = (&'a Meeting<'a>, &'a Value)> {
        self.meetings.iter().filter_map(|meeting| meeting.report.map(|report| (meeting, report)))
    }
    fn is_mutated(&self, mutation: RuleMutation) -> bool {
        self.mutation == Some(mutation)
    }
    fn totals(&self, filter: impl Fn(&Value) -> bool) -> AudienceTotals {
        let day = |report: &Value| self.campaign.day(instant(&report["starts"]));
        let skip = |report: &Value| self.is_mutated(RuleMutation::UnlawfulAudienceLeftOut) && !self.campaign.lawful(day(report));
        let details = |meeting: &'a Meeting<'a>, report| match meeting.plan {
            Some(plan) if self.is_mutated(RuleMutation::HeldUnderPlan) => plan,
            _ => report,
        };
        let selected = self.held().filter(|(meeting, report)| !skip(report) && filter(details(meeting, report)));
        AudienceTotals::of(&selected.map(|(meeting, _)| meeting).collect::<Vec<_>>(), &self.files.roll, self.mutation)
    }
    /// The precinct of residence of a person on the roll.
    fn residence_precinct(&self, person: &str) -> Option<&'a str> {
        let listed = self.files.roll.get(person)?;
        let residence = if self.is_mutated(RuleMutation::HigherPrecinctIsResidence) { listed.last() } else { listed.first() };
        residence.map(String::as_str)
    }
    fn is_due(&self, meeting: &Meeting) -> bool {
        let day = self.campaign.day(meeting.starts.unwrap_or_default());
        let lawful = self.campaign.lawful(day) || self.is_mutated(RuleMutation::UnlawfulPlanIsDue);
        meeting.plan.is_some() && (meeting.report.is_some() || !meeting.cancelled) && day <= self.campaign.today && lawful
    }
    /// Whether a due meeting fulfils its plan.
    fn fulfils_plan(&self, meeting: &Meeting) -> bool {
        let day = |at| self.campaign.day(at);
        let early = |report: &Value| meeting.starts.is_some_and(|starts| day(instant(&report["starts"])) < day(starts));
        let counts = |report: &Value| !(self.is_mutated(RuleMutation::HeldEarlyIsMissing) && early(report));
        meeting.report.is_some_and(|report| self.campaign.lawful(day(instant(&report["starts"]))) && counts(report))
    }
    fn planned(&self, filter: impl Fn(&Value) -> bool) -> usize {
        self.meetings.iter().filter_map(|meeting| meeting.plan).filter(|plan| filter(plan)).count()
    }
    fn voters(&self, unit: Option<&str>) -> u64 {
        self.precincts.values().filter(|(of_unit, _)| unit.is_none_or(|unit| unit == *of_unit)).map(|(_, voters)| voters).sum()
    }
}
