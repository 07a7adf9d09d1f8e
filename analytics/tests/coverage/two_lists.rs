//! Meetings that were recorded on a sheet and without one, as `qamtu-analytics two-lists` prints them.

use serde_json::{Value, json};

use crate::{
    program::analytics_output,
    warehouse::{TestWarehouse, attendance_id, attendance_row},
    world::{MONDAY, World},
};

const AS_OF: &str = "2026-03-16T07:00:00Z";

/// Who is recorded at a meeting.
struct Recorded<'a> {
    meeting: &'a str,
    people: std::ops::RangeInclusive<u64>,
    on_sheet: bool,
    strong: bool,
}

fn recorded(meeting: &str, people: std::ops::RangeInclusive<u64>, on_sheet: bool) -> Recorded<'_> {
    Recorded { meeting, people, on_sheet, strong: true }
}

/// At `hall` 1 to 30 sign, and 21 to 50 check in, some twice. At `few` three people do both. The others have one list, or were not held.
async fn store(warehouse: &TestWarehouse) {
    let mut world = World::new();
    for meeting in ["hall", "few", "sheet-only", "check-in-only"] {
        world.planned(meeting, World::place(MONDAY));
        world.held(meeting, World::place(MONDAY));
    }
    world.planned("not-held", World::place(MONDAY));
    world.heads("hall", &[90, 85], None);
    let mut rows: Vec<Value> = Vec::new();
    let weak = Recorded { strong: false, ..recorded("hall", 100..=140, false) };
    for Recorded { meeting, people, on_sheet, strong } in [
        recorded("hall", 1..=30, true),
        recorded("hall", 21..=50, false),
        recorded("hall", 21..=25, false),
        weak,
        recorded("few", 1..=10, true),
        recorded("few", 8..=12, false),
        recorded("sheet-only", 1..=40, true),
        recorded("check-in-only", 1..=40, false),
        recorded("not-held", 1..=40, true),
        recorded("not-held", 1..=40, false),
    ] {
        for person in people {
            let mut world = World::new();
            if strong {
                world.strong(meeting, [person])
            } else {
                world.weak(meeting, [person])
            }
            let mut row = attendance_row(rows.len() as u64, &world.attendances[0]);
            if on_sheet {
                row["sheet"] = json!("S-1");
                row["line"] = json!(person);
            }
            rows.push(row);
        }
    }
    // The sheet's last line at `hall` was a mistake: person 30, who checked in as well.
    world.event("attendance.retracted", json!({"meeting": "hall", "retracts": [attendance_id(29)]}));
    warehouse.store(&world).await;
    warehouse.insert("attendance", rows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn meetings_with_two_lists_are_compared_with_their_headcounts() {
    let warehouse = TestWarehouse::start().await;
    store(&warehouse).await;
    let print = |arguments: &[&str]| {
        analytics_output(&warehouse.config, &[&["two-lists", "--campaign", "test", "--as-of", AS_OF], arguments].concat())
    };
    let found: Value = serde_json::from_str(&print(&["--format", "json"]).expect("JSON")).expect("JSON");
    // 30 · 31 / 10 - 1 = 92 people at `hall`; 29 + 30 - 9 of them are known.
    let hall = json!({"meeting": "hall", "unit": "A", "on_sheet": 29, "checked_in": 30, "on_both": 9,
        "estimate": {"people": 92, "low": 55, "high": 129}, "headcount": 85});
    let few = json!({"meeting": "few", "unit": "A", "on_sheet": 10, "checked_in": 5, "on_both": 3, "estimate": null, "headcount": null});
    assert_eq!(found["two_lists"], json!([few, hall]));
    for (language, words) in [
        ("en", ["without a sheet", "about 92 (55 to 129)", "none: too few on both", "at least 7 people"]),
        ("ru", ["без списка", "92", "слишком мало записанных дважды", "не меньше 7 человек"]),
        ("kk", ["тізімсіз", "92", "екеуінде де барлар тым аз", "кемінде 7 адам"]),
    ] {
        let text = print(&["--language", language]).expect("a table");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    let earlier = analytics_output(&warehouse.config, &["two-lists", "--campaign", "test", "--as-of", "2026-02-13T00:00:00Z"]);
    assert_eq!(earlier.expect("a sentence").trim(), "No held meeting was recorded both on a sheet and without one.");
}
