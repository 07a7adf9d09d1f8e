//! Forecasts, compared with how random campaigns really went on, and as `qamtu-analytics forecast` prints them.

use qamtu_analytics::{
    coverage::Estimate,
    forecast::{Fan, Forecast, forecast},
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma};
use serde_json::{Value, json};

use crate::{
    program::analytics_output,
    warehouse::TestWarehouse,
    world::{World, after, at},
};

/// After half of the campaign.
const AS_OF: &str = "2026-02-27T19:00:00Z";
const VOTERS: u64 = 3_000;
const MEETINGS: usize = 60;

/// A campaign of 3,000 voters who are unequally ready to come, with meetings of about forty on 28 days. `reported` are the meetings with a report;
/// every third one has only been counted, if `counted`.
fn campaign(seed: u64, reported: usize, counted: bool) -> World {
    campaign_of(seed, reported, counted, MEETINGS)
}

/// The same, of which only so many plans were sent.
fn campaign_of(seed: u64, reported: usize, counted: bool, sent: usize) -> World {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut world = World::new();
    for (precinct, unit, voters) in [("A-1", "A", VOTERS), ("A-2", "A", 1), ("B-1", "B", 1)] {
        let count = json!({"precinct": precinct, "unit": unit, "number": 1, "as_of": "2026-02-22", "revision": 2, "voters": voters, "source": "test"});
        world.event("precinct.counted", count);
    }
    let mut configured: Value = world.events[0]["data"].clone();
    (configured["revision"], configured["planned_meetings"]) = (json!(2), json!(MEETINGS));
    world.event("campaign.configured", configured);
    world.roll = (1..=VOTERS).map(|person| (person, "A-1")).chain([(VOTERS + 1, "A-2"), (VOTERS + 2, "B-1")]).collect();
    let mut until = vec![0.0];
    for _ in 0..VOTERS {
        until.push(until[until.len() - 1] + Gamma::new(0.5, 1.0).expect("a distribution").sample(&mut random));
    }
    for number in 0..MEETINGS {
        let day = at("2026-02-14T10:00:00Z") + jiff::SignedDuration::from_hours(24 * (number * 28 / MEETINGS) as i64);
        let id = format!("m{number:02}");
        let size = Gamma::new(6.0, 40.0 / 6.0).expect("a distribution").sample(&mut random) as usize + 1;
        let mut people = std::collections::BTreeSet::new();
        while people.len() < size {
            let point = random.random_range(0.0..until[until.len() - 1]);
            people.insert(until.partition_point(|sum| *sum <= point) as u64);
        }
        let is_held = random.random_bool(0.9);
        if number < sent {
            world.planned(&id, World::place(&day.to_string()));
        }
        if number < reported && is_held {
            world.held(&id, World::place(&day.to_string()));
            match counted && number % 3 == 0 {
                true => world.heads(&id, &[people.len() as u32], None),
                false => world.strong(&id, people),
            }
        }
    }
    world
}

fn forecast_of(world: &World, as_of: &str) -> Forecast {
    forecast(&world.store(at(as_of), usize::MAX)).expect("a forecast")
}

/// Error of the middle, and whether the fan has the truth.
fn compare(fan: Fan, truth: u64) -> (f64, bool) {
    (fan.middle as f64 / truth as f64 - 1.0, (fan.low..=fan.high).contains(&truth))
}

/// Different voters at the end of a campaign.
fn end_of(seed: u64) -> u64 {
    campaign(seed, MEETINGS, false).coverage(after()).region.figures.audience.reach.reached
}

#[test]
fn forecasts_hold_what_random_campaigns_come_to() {
    const CAMPAIGNS: u64 = 30;
    let (mut errors, mut within) = ([0.0; 5], [0; 5]);
    for seed in 0..CAMPAIGNS {
        let found = forecast_of(&campaign(seed, MEETINGS / 2, false), AS_OF);
        // Who was only counted widens the range of the reach.
        let counted = forecast_of(&campaign(seed, MEETINGS / 2, true), AS_OF);
        let of_counted = compare(counted.days.last().expect("days").reached.expect("a forecast of reach"), end_of(seed));
        let end = campaign(seed, MEETINGS, false).coverage(after()).region.figures.audience;
        let last = found.days.last().expect("days with plans");
        assert_eq!((found.remaining, last.meetings, found.days.len()), (MEETINGS / 2, MEETINGS / 2, 14));
        let of_gross = compare(last.gross, end.gross);
        let of_reach = compare(last.reached.expect("a forecast of reach"), end.reach.reached);
        // If the plans of the second half were not sent yet, they are average meetings.
        let unsent = forecast_of(&campaign_of(seed, MEETINGS / 2, false, MEETINGS / 2), AS_OF);
        assert_eq!((unsent.remaining, unsent.unsent), (0, MEETINGS as u64 / 2));
        let whole = unsent.whole_plan.expect("plans to come");
        let of_plan = [compare(whole.gross, end.gross), compare(whole.reached.expect("a forecast of reach"), end.reach.reached)];
        for (at, (error, is_within)) in [of_gross, of_reach].into_iter().chain(of_plan).chain([of_counted]).enumerate() {
            errors[at] += error / CAMPAIGNS as f64;
            within[at] += u32::from(is_within);
        }
        let fans: Vec<Fan> = found.days.iter().map(|day| day.gross).collect();
        assert!(
            fans.windows(2).all(|pair| pair[0].middle < pair[1].middle && pair[0].high - pair[0].low <= pair[1].high - pair[1].low + 5)
        );
    }
    // Eighty of a hundred, give or take what thirty campaigns leave to chance.
    assert!(within.iter().all(|within| (19..=29).contains(within)), "{within:?}");
    assert!(errors.iter().all(|error| error.abs() < 0.04), "{errors:?}");
}

#[test]
fn once_nothing_remains_the_forecast_is_the_present_state() {
    let world = campaign(7, MEETINGS, false);
    let end = world.coverage(after()).region.figures.audience;
    let found = forecast_of(&world, "2026-03-16T07:00:00Z");
    let reached = end.reach.reached;
    assert_eq!((found.remaining, found.unsent, found.days.len(), found.expected_held, found.gross), (0, 0, 0, 0, end.gross));
    assert_eq!(found.reached, Some(Fan { low: reached, middle: reached, high: reached }), "everybody was identified");
    assert_eq!(found.run_rate.and_then(|rate| rate.needed), None);
}

#[test]
fn people_who_were_only_counted_widen_the_forecast_and_too_many_prevent_it() {
    let counted = campaign(3, MEETINGS / 2, true);
    let found = forecast_of(&counted, AS_OF);
    let Some(Fan { low, middle, high }) = found.reached else { panic!("no reach: {:?}", found.no_reach) };
    let coverage = counted.coverage(at(AS_OF));
    let Estimate::Estimated { reached, .. } = coverage.region.estimate else { panic!("no estimate") };
    assert!(low < middle && middle < high && middle.abs_diff(reached) * 50 < reached, "{low} {middle} {high}, estimate {reached}");
    let target = u64::from(coverage.campaign.planned_reach);
    let rate = found.run_rate.expect("a target");
    assert_eq!(rate.so_far, middle as f64 / coverage.region.figures.fulfilment.held as f64);
    assert!((rate.needed.expect("meetings") - target.saturating_sub(middle) as f64 / found.expected_held as f64).abs() < 1.0);
    // A meeting that nobody counted leaves the reach open.
    let mut uncounted = campaign(3, MEETINGS / 2, false);
    uncounted.held("uncounted", World::place("2026-02-20T10:00:00Z"));
    assert_eq!(forecast_of(&uncounted, AS_OF).no_reach, Some(Estimate::NotApplicable));
    let mut crowd = counted;
    crowd.held("crowd", World::place("2026-02-20T10:00:00Z"));
    crowd.heads("crowd", &[9_000], None);
    let found = forecast_of(&crowd, AS_OF);
    assert_eq!((found.no_reach, found.reached, found.days[0].reached), (Some(Estimate::FewIdentified), None, None));
    assert!(found.days[0].gross.low > 9_000);
    let nothing = forecast_of(&campaign(3, 0, true), AS_OF);
    assert!(nothing.days.is_empty() && nothing.reached.is_none() && nothing.remaining == MEETINGS / 2 && nothing.run_rate.is_none());
    assert_eq!(nothing.no_reach, Some(Estimate::NotApplicable));
}

#[test]
fn reports_that_come_late_are_expected() {
    // Of the plans until a week ago nine in ten were held. Of those since then none is reported yet.
    let mut world = campaign(5, 0, false);
    for number in 0..40 {
        let id = format!("settled{number:02}");
        world.planned(&id, World::place("2026-02-16T10:00:00Z"));
        if number >= 4 {
            world.held(&id, World::place("2026-02-16T10:00:00Z"));
            world.strong(&id, (1..=40).map(|person| person + 50 * number));
        }
    }
    for number in 0..20 {
        world.planned(&format!("recent{number:02}"), World::place("2026-02-24T10:00:00Z"));
    }
    let found = forecast_of(&world, AS_OF);
    assert_eq!(found.missing, 4 + 20 + MEETINGS / 2);
    // Of the campaign's own meetings none is reported, so 36 of some 58 settled plans were held.
    let coverage = world.coverage(at(AS_OF)).region.figures.fulfilment;
    assert_eq!((coverage.held, coverage.missing), (36, found.missing as u64 + 3), "three are due later today");
    assert!((15..30).contains(&found.expected_late), "{}", found.expected_late);
    assert!(found.days[0].gross.middle > found.gross + 40 * 15, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forecast_is_printed_in_three_languages_and_as_json() {
    let warehouse = TestWarehouse::start().await;
    let mut world = World::new();
    for (id, starts) in [("m1", "2026-02-16T10:00:00Z"), ("m2", "2026-03-05T10:00:00Z"), ("m3", "2026-03-06T10:00:00Z")] {
        world.planned(id, World::place(starts));
    }
    world.held("m1", World::place("2026-02-16T10:00:00Z"));
    world.strong("m1", [1, 2, 3, 4, 5, 6]);
    warehouse.store(&world).await;
    let print = |arguments: &[&str]| {
        analytics_output(&warehouse.config, &[&["forecast", "--campaign", "test", "--as-of", "2026-03-01T07:00:00Z"], arguments].concat())
            .expect("a forecast")
    };
    for (language, told) in [
        ("en", "2 planned meetings remain. Expected to be held: about 2. So far: 6 attendances"),
        ("ru", "Остались 2 запланированные встречи. Ожидается проведённых: около 2. Пока: посещений — 6"),
        ("kk", "Жоспарланған 2 кездесу қалды. Шамамен 2 кездесу өтеді деп күтіледі. Әзірге: қатысу саны — 6"),
    ] {
        let text = print(&["--language", language]);
        assert!(text.contains(told) && text.contains("2026-03-06"), "{text}");
    }
    let document: Value = serde_json::from_str(&print(&["--format", "json"])).expect("JSON");
    assert_eq!(document["forecast"]["unsent"], 7, "ten are configured");
    assert_eq!((&document["forecast"]["remaining"], &document["forecast"]["days"][1]["meetings"]), (&json!(2), &json!(2)));
    assert_eq!(print(&["--format", "json"]), print(&["--format", "json"]), "chance is seeded");
}
