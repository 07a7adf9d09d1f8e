//! Recounts and surveys beside the counted figures, by hand and as `qamtu-analytics verification` prints them.

use qamtu_analytics::{
    facts_store::FactsStore,
    verification::{
        SurveyJudgement, Verification,
        lqas::{LqasDecision, LqasTask},
        recounts::RecountSum,
        surveys::{CountedCoverage, Verdict},
        verification,
    },
};
use serde_json::{Value, json};

use crate::{
    program::analytics_output,
    warehouse::TestWarehouse,
    world::{MONDAY, World, after},
};

const AS_OF: &str = "2026-03-16T07:00:00Z";

fn recounted(world: &mut World, meeting: &str, supersedes: &str, people: u32, eligible_minimum: u32) -> String {
    let counts = json!([{"counter": "1", "people": people}]);
    let data = json!({"meeting": meeting, "supersedes": [supersedes], "counts": counts, "eligible_minimum": eligible_minimum});
    world.event("headcount.recounted", data)
}

fn reported(world: &mut World, meeting: &str, people: &[u32]) -> String {
    world.heads(meeting, people, None);
    world.events.last().and_then(|event| event["id"].as_str()).expect("an id").to_owned()
}

/// A survey made at noon in Turkistan.
fn survey(world: &mut World, survey: &str, unit: Option<&str>, day: &str, [reached, asked]: [u32; 2]) {
    let mut data = json!({"survey": survey, "asked": asked, "reached": reached, "method": "by phone"});
    if let Some(unit) = unit {
        data["unit"] = json!(unit);
    }
    world.event("survey.reported", data);
    world.events.last_mut().expect("an event")["time"] = format!("{day}T07:00:00Z").into();
}

/// Until 20 February, reached are 1 to 5 (of A) and 8 (of B). Nobody knows who they are of 55 + 50 + 10 + 26 + 5 = 146 people. At least 45
/// of the voters were at one meeting. On 2 March 6 and 7 (of A) come; nobody was counted the day before.
fn world() -> World {
    let mut world = World::new();
    for (meeting, unit) in [("twice", "A"), ("again", "A"), ("alone", "B"), ("fewer", "B"), ("once", "A")] {
        world.held(meeting, World::place_of(unit, "R", &["YOUTH"], MONDAY));
    }
    world.planned("planned", World::place(MONDAY));
    world.held("uncounted", World::place("2026-03-01T10:00:00Z"));
    world.held("late", World::place("2026-03-02T10:00:00Z"));
    world.strong("twice", 1..=5);
    world.strong("fewer", [8]);
    world.strong("late", [6, 7]);
    let first = reported(&mut world, "twice", &[80, 95]);
    recounted(&mut world, "twice", &first, 60, 0);
    let first = reported(&mut world, "again", &[50]);
    let second = recounted(&mut world, "again", &first, 40, 0);
    recounted(&mut world, "again", &second, 50, 45);
    recounted(&mut world, "alone", "00000000-0000-4000-8000-00000000ffff", 10, 0);
    let first = reported(&mut world, "fewer", &[30]);
    recounted(&mut world, "fewer", &first, 27, 0);
    reported(&mut world, "once", &[5]);
    let first = reported(&mut world, "planned", &[9]);
    recounted(&mut world, "planned", &first, 8, 0);
    world
}

fn with_surveys() -> World {
    let mut world = world();
    survey(&mut world, "households", None, "2026-02-20", [132, 1_200]);
    survey(&mut world, "phones", None, "2026-02-20", [320, 400]);
    survey(&mut world, "streets", None, "2026-02-20", [120, 400]);
    survey(&mut world, "of-b", Some("B"), "2026-02-20", [0, 100]);
    survey(&mut world, "phones-later", None, "2026-03-05", [320, 400]);
    survey(&mut world, "elsewhere", Some("Z"), "2026-03-05", [1, 10]);
    survey(&mut world, "nobody", None, "2026-03-06", [0, 0]);
    survey(&mut world, "nineteen", Some("A"), "2026-03-07", [12, 19]);
    survey(&mut world, "nineteen", Some("A"), "2026-03-07", [13, 19]);
    world
}

fn judged(store: &FactsStore) -> Verification {
    let lqas = LqasTask { higher: 0.8, lower: 0.5, tolerated_reject: 0.1, tolerated_accept: 0.1 };
    verification(store, SurveyJudgement { design_effect: 1.5, lqas: Some(lqas) }).expect("a verification")
}

#[test]
fn a_recount_is_compared_with_the_report_that_it_goes_back_to() {
    let found = judged(&world().store(after(), usize::MAX)).recounts;
    let sum = |sum: &RecountSum| (sum.meetings, sum.unchanged, sum.reported, sum.recounted, sum.factor_percent);
    assert_eq!(sum(&found.region), (3, 1, 160, 137, Some(85.625)));
    let units: Vec<_> = found.units.iter().map(|(unit, of_unit)| (unit.as_str(), sum(of_unit))).collect();
    assert_eq!(units, [("A", (2, 1, 130, 110, Some(11_000.0 / 130.0))), ("B", (1, 0, 30, 27, Some(90.0)))]);
    let before = judged(&world().store("2026-02-16T09:00:00Z".parse().expect("an instant"), usize::MAX)).recounts;
    assert_eq!(sum(&before.region), (0, 0, 0, 0, None), "no meeting had begun");
}

#[test]
fn recounts_and_surveys_change_no_figure() {
    let mut without = with_surveys();
    without.events.retain(|event| event["type"] != "qamtu.survey.reported.v1");
    let (one, other) = (with_surveys().coverage(after()), without.coverage(after()));
    assert_eq!((&one.region, &one.units), (&other.region, &other.units));
    // The factor is 85.6 %; gross attendance is that of the recounts and of the one report without a recount.
    assert_eq!(one.region.figures.audience.gross, 60 + 50 + 10 + 27 + 5 + 2);
}

#[test]
fn surveys_are_compared_with_what_was_counted_by_their_day() {
    let found = judged(&with_surveys().store(after(), usize::MAX));
    let survey = |name: &str| found.surveys.iter().find(|survey| survey.survey.as_str() == name).expect("a survey");
    let counted = |name: &str| survey(name).counted;
    let region = CountedCoverage { reached: 6, lower: 45, upper: Some(152), voters: Some(220) };
    assert_eq!((counted("households"), counted("phones"), counted("streets")), (region, region, region));
    assert_eq!(counted("of-b"), CountedCoverage { reached: 1, lower: 1, upper: Some(80), voters: Some(80) });
    assert_eq!(counted("phones-later"), CountedCoverage { reached: 8, lower: 45, upper: None, voters: Some(220) });
    assert_eq!((counted("elsewhere").reached, counted("elsewhere").voters), (0, None));
    assert_eq!(counted("nineteen"), CountedCoverage { reached: 7, lower: 7, upper: None, voters: Some(140) });
    // 11 % (9.0 to 13.4) is below 45 of 220; 80 % is above 152 of 220; 30 % is between; 0 % reaches up to 5.4 %.
    let verdicts = ["households", "phones", "streets", "of-b", "phones-later", "elsewhere", "nobody"].map(|name| survey(name).verdict);
    let agrees = Verdict::NoContradiction;
    let expected = [Verdict::SurveyLower, Verdict::SurveyHigher, agrees, agrees, agrees, Verdict::NotComparable, Verdict::NotComparable];
    assert_eq!(verdicts, expected);
    assert_eq!(survey("nobody").share, None);
    assert_eq!(survey("households").day.to_string(), "2026-02-20");
}

#[test]
fn the_result_with_the_highest_id_counts_and_decides() {
    let found = judged(&with_surveys().store(after(), usize::MAX));
    let last = found.surveys.last().expect("a survey");
    assert_eq!((last.survey.as_str(), last.attended, last.contested), ("nineteen", 13, true));
    assert!(found.surveys.iter().filter(|survey| survey.contested).count() == 1);
    let outcome = last.lqas.expect("a decision");
    assert_eq!((outcome.rule.decision_value, outcome.decision), (13, LqasDecision::AtLeastHigher));
    let small = found.surveys.iter().find(|survey| survey.asked == 10).and_then(|survey| survey.lqas).expect("a decision");
    assert_eq!(small.decision, LqasDecision::SampleTooSmall);
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_is_printed_in_three_languages_and_as_json() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&with_surveys()).await;
    let print = |arguments: &[&str]| {
        analytics_output(&warehouse.config, &[&["verification", "--campaign", "test", "--as-of", AS_OF], arguments].concat())
    };
    for (language, told) in [
        (
            "en",
            [
                "85.6",
                "11.0 (9.0–13.4)",
                "20.5–69.1",
                "survey below the lower bound",
                "cannot be compared",
                "at least 80.0%",
                "from 50.0%: 19",
            ],
        ),
        (
            "ru",
            [
                "85,6",
                "11,0 (9,0–13,4)",
                "20,5–69,1",
                "опрос ниже нижней границы",
                "сравнить нельзя",
                "не ниже 80,0 %",
                "столько человек или больше: 19",
            ],
        ),
        (
            "kk",
            [
                "85,6",
                "11,0 (9,0–13,4)",
                "20,5–69,1",
                "сауалнама төменгі шектен төмен",
                "салыстыруға болмайды",
                "80,0 %-дан кем емес",
                "көп адамнан сұрау жеткілікті: 19",
            ],
        ),
    ] {
        let text = print(&["--language", language, "--lqas-shares", "80,50"]).expect("a text");
        for told in told {
            assert!(text.contains(told), "{told}: {text}");
        }
    }
    let document: Value = serde_json::from_str(&print(&["--format", "json", "--design-effect", "1"]).expect("JSON")).expect("JSON");
    let found = &document["verification"];
    assert_eq!((&found["recounts"]["region"]["recounted"], &found["lqas"]), (&json!(137), &Value::Null));
    let households = found["surveys"].as_array().and_then(|surveys| surveys.iter().find(|survey| survey["survey"] == "households"));
    let households = households.expect("a survey");
    assert_eq!((&households["verdict"], &households["counted"]["upper"]), (&json!("survey_lower"), &json!(152)));
    assert!(households["share"]["low"].as_f64().is_some_and(|low| (9.3..9.4).contains(&low)), "{households}");
    for (argument, value, told) in [
        ("--design-effect", "0.5", "write a number from 1 to 100"),
        ("--lqas-shares", "50,80", "write the higher and the lower share in percent, such as 80,50"),
        ("--lqas-errors", "60,10", "write two percentages above 0 and below 50"),
    ] {
        let refused = print(&[argument, value]);
        assert!(refused.as_ref().is_err_and(|(code, text)| *code == Some(64) && text.contains(told)), "{refused:?}");
    }
}
