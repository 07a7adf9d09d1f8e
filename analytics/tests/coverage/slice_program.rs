//! `qamtu-analytics slice` over a real warehouse, as worked out by hand from [`world`].

use serde_json::{Value, json};

use crate::{
    program::slice_output,
    warehouse::{TestWarehouse, world},
};

const AS_OF: &str = "2026-03-16T07:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_is_printed_as_text_csv_and_json() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let slice = |arguments: &[&str]| slice_output(&warehouse.config, &[&["--as-of", AS_OF], arguments].concat());
    // A: m1 with 1 2 6. B: m3 with 1 2 9, and m2 with a headcount. All: 1 2 6 9.
    assert_eq!(
        slice(&["--by", "unit", "--measures", "held,reached"]),
        "unit  held  reached\nA        1        3\nB        2        3\n*        3        4\nas of 2026-03-16T07:00:00Z, definition 3\n"
    );
    // A has 140 voters, B 80, the region 220; CA is compared to A, and R to the region. Nobody was identified at m2, and m4 was not held.
    let csv = slice(&["--by", "unit,coalition", "--measures", "held,gross,contacts,reached,first_reached,coverage", "--format", "csv"]);
    let expected = [
        "unit,coalition,held,gross,contacts,reached,first_reached,coverage,unknown,as_of,definition",
        "A,CA,1,5,3,3,3,2.14,,2026-03-16T07:00:00Z,3",
        "A,R,0,0,0,,,,,2026-03-16T07:00:00Z,3",
        "A,*,1,5,3,3,3,2.14,,2026-03-16T07:00:00Z,3",
        "B,CA,1,4,3,3,1,3.75,,2026-03-16T07:00:00Z,3",
        "B,R,1,9,0,,,,reached first_reached coverage,2026-03-16T07:00:00Z,3",
        "B,*,2,13,3,3,1,3.75,,2026-03-16T07:00:00Z,3",
        "*,CA,2,9,6,4,4,2.86,,2026-03-16T07:00:00Z,3",
        "*,R,1,9,0,,,,reached first_reached coverage,2026-03-16T07:00:00Z,3",
        "*,*,3,18,6,4,4,1.82,,2026-03-16T07:00:00Z,3",
    ];
    assert_eq!(csv.lines().collect::<Vec<_>>(), expected);
    // Women: 1 and 6. Men: 2 and 9. Those who came twice: 1 and 2.
    let json: Value = serde_json::from_str(&slice(&["--by", "sex", "--measures", "reached,reached_2", "--format", "json"])).expect("JSON");
    let row = |keys: Value, reached: u64| json!({"keys": keys, "figures": {"reached": reached, "reached_2": reached / 2}, "unknown": []});
    assert_eq!(
        json,
        json!({"as_of": AS_OF, "definition": 3, "by": ["sex"],
            "rows": [row(json!({"sex": "f"}), 2), row(json!({"sex": "m"}), 2), row(json!({}), 4)]})
    );
    // Meetings that nobody planned or reported have no unit.
    let pending = slice(&["--by", "unit", "--measures", "pending"]);
    assert!(pending.contains("\n            2\n*           2\n"), "{pending}");
}
