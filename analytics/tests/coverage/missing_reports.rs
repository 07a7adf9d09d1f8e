//! Due meetings without a report, by hand and as `qamtu-analytics missing-reports` prints them.

use qamtu_analytics::{
    Coverage,
    missing_reports::{ResponsibleMember, missing_reports},
};
use serde_json::{Value, json};

use crate::{
    program::analytics_output,
    warehouse::TestWarehouse,
    world::{World, at},
};

/// 12:00 in Turkistan.
const AS_OF: &str = "2026-03-01T07:00:00Z";

fn place(coalition: &str, members: &[&str], starts: &str) -> Value {
    let mut place = World::place_of("A", coalition, &["YOUTH"], starts);
    place["members"] = json!(members);
    place
}

fn world() -> World {
    let mut world = World::new();
    let member = |name: Option<&str>| {
        let mut data = json!({"member": if name.is_some() { "M1" } else { "M2" }, "revision": 1, "coalition": "R"});
        if let Some(name) = name {
            data["name"] = json!(name);
        }
        data
    };
    world.event("member.joined", member(Some("Әсел Қайратқызы")));
    world.event("member.joined", member(None));
    world.planned("reported", place("R", &["M1"], "2026-02-20T10:00:00Z"));
    world.held("reported", place("R", &["M1"], "2026-02-20T10:00:00Z"));
    world.planned("old", place("R", &["M1", "M2"], "2026-02-20T10:00:00Z"));
    // A day before, to the second: not late yet.
    world.planned("yesterday", place("CA", &[], "2026-02-28T07:00:00Z"));
    world.planned("today", place("R", &["M2"], "2026-03-01T07:30:00Z"));
    world.planned("tomorrow", place("R", &["M2"], "2026-03-02T12:00:00Z"));
    world.planned("cancelled", place("R", &["M2"], "2026-02-20T10:00:00Z"));
    world.cancelled("cancelled");
    world
}

#[test]
fn due_meetings_without_a_report_are_listed_with_their_members() {
    let store = world().store(at(AS_OF), usize::MAX);
    let missing = missing_reports(&store);
    let plan = Coverage::of(&store).expect("a coverage").region.figures.fulfilment;
    assert_eq!((plan.due, plan.missing), (4, missing.len() as u64));
    let listed: Vec<_> = missing.iter().map(|report| (report.meeting.as_str(), report.is_overdue, report.days)).collect();
    assert_eq!(listed, [("yesterday", false, 1), ("old", true, 8), ("today", false, -1)]);
    let member = |member: &str, name: Option<&str>| ResponsibleMember { member: member.to_owned(), name: name.map(str::to_owned) };
    assert_eq!(missing[1].members, [member("M1", Some("Әсел Қайратқызы")), member("M2", None)]);
    assert_eq!((missing[1].local_start.as_str(), missing[1].coalition.as_str()), ("2026-02-20 15:00", "R"));
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_reports_are_printed_in_three_languages_and_as_json() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let print = |arguments: &[&str]| {
        let command = ["missing-reports", "--campaign", "test", "--as-of", AS_OF];
        analytics_output(&warehouse.config, &[&command, arguments].concat()).expect("a list")
    };
    for (language, told) in [
        ("en", "Meetings due: 4. Reported within 24 hours: 1, later: 0. Without a report: 3."),
        ("ru", "Встреч, срок которых наступил: 4. Отчёт в течение 24 часов: 1, позже: 0. Без отчёта: 3."),
        ("kk", "Мерзімі келген кездесулер: 4. Есебі 24 сағат ішінде түскені: 1, кейін түскені: 0. Есебі жоғы: 3."),
    ] {
        let text = print(&["--language", language]);
        assert!(text.contains(told) && text.contains("Әсел Қайратқызы (M1), M2") && text.contains("2026-02-20 15:00"), "{text}");
    }
    let document: Value = serde_json::from_str(&print(&["--coalition", "CA", "--format", "json"])).expect("JSON");
    let found = &document["missing_reports"];
    assert_eq!((&found["due"], &found["missing"], &found["reports"][0]["meeting"]), (&json!(1), &json!(1), &json!("yesterday")));
    assert_eq!(found["reports"].as_array().map(Vec::len), Some(1));
    let nobody = analytics_output(&warehouse.config, &["missing-reports", "--campaign", "test", "--coalition", "NONE"]);
    assert!(nobody.as_ref().is_err_and(|(code, told)| *code == Some(64) && told.contains("choose one of CA, R")), "{nobody:?}");
}
