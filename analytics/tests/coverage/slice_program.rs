//! `qamtu-analytics slice` over a real warehouse, as worked out by hand from [`world`].

use qamtu_analytics::{dimension::Dimension, slice::Measure};
use serde_json::{Value, json};

use crate::{
    program::slice_output,
    warehouse::{TestWarehouse, world},
    world::Residence,
};

const AS_OF: &str = "2026-03-16T07:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_is_printed_as_text_csv_and_json() {
    let warehouse = TestWarehouse::start().await;
    warehouse.store(&world()).await;
    let try_slice = |arguments: &[&str]| slice_output(&warehouse.config, &[&["--as-of", AS_OF], arguments].concat());
    let slice = |arguments: &[&str]| try_slice(arguments).expect("a slice");
    // A: m1 with 1 2 6. B: m3 with 1 2 9, and m2 with a headcount. All: 1 2 6 9. Two meetings that nobody planned or reported have no unit;
    // they are not shown, since there is nothing to say of them.
    assert_eq!(
        slice(&["--by", "unit"]),
        "unit  planned  held  gross  identified_percent  contacts  reached  lower  upper  voters  coverage_percent\n\
         A           2     1      5              60.00%         3        3      3      5     140             2.14%\n\
         B           2     2     13              30.77%         3        3      5     15      80             3.75%\n\
         *           4     3     18              38.89%         6        4      5     18     220             1.82%\n\
         test, as of 2026-03-16T07:00:00Z, definition 6, SYNTHETIC\n"
    );
    let pending = slice(&["--by", "unit", "--measures", "pending"]);
    assert!(pending.contains("\n            2\n*           2\n"), "{pending}");
    // A has 140 voters, B 80, the region 220; CA is compared to A, and R to the region. Nobody was identified at m2, and m4 was not held.
    let measures = "held,gross,contacts,reached,first_reached,coverage_percent";
    let csv = slice(&["--by", "unit,coalition", "--measures", measures, "--format", "csv"]);
    let expected = [
        "unit,coalition,held,gross,contacts,reached,first_reached,coverage_percent,unknown,withheld,rounded_to,campaign,as_of,definition",
        "A,CA,1,5,3,3,3,2.14,,,,test,2026-03-16T07:00:00Z,6",
        "A,R,0,0,0,,,,,,,test,2026-03-16T07:00:00Z,6",
        "A,*,1,5,3,3,3,2.14,,,,test,2026-03-16T07:00:00Z,6",
        "B,CA,1,4,3,3,1,3.75,,,,test,2026-03-16T07:00:00Z,6",
        "B,R,1,9,0,,,,reached first_reached coverage_percent,,,test,2026-03-16T07:00:00Z,6",
        "B,*,2,13,3,3,1,3.75,,,,test,2026-03-16T07:00:00Z,6",
        "*,CA,2,9,6,4,4,2.86,,,,test,2026-03-16T07:00:00Z,6",
        "*,R,1,9,0,,,,reached first_reached coverage_percent,,,test,2026-03-16T07:00:00Z,6",
        "*,*,3,18,6,4,4,1.82,,,,test,2026-03-16T07:00:00Z,6",
    ];
    assert_eq!(csv.lines().collect::<Vec<_>>(), expected);
    // Women: 1 and 6. Men: 2 and 9. Those who came twice: 1 and 2. At m3 in B: 1 2 9.
    let json = |arguments: &[&str]| serde_json::from_str::<Value>(&slice(&[arguments, &["--format", "json"]].concat())).expect("JSON");
    let document = |filters: Value, rows: Vec<Value>| json!({"campaign": "test", "synthetic": true, "where": filters, "as_of": AS_OF, "definition": 6, "by": ["sex"], "rows": rows});
    let row = |keys: Value, reached: u64| json!({"keys": keys, "figures": {"reached": reached, "reached_2": reached / 2}, "unknown": [], "withheld": []});
    assert_eq!(
        json(&["--by", "sex", "--measures", "reached,reached_2"]),
        document(json!([]), vec![row(json!({"sex": "f"}), 2), row(json!({"sex": "m"}), 2), row(json!({}), 4)])
    );
    let row = |keys: Value, reached: u64| json!({"keys": keys, "figures": {"reached": reached}, "unknown": [], "withheld": []});
    assert_eq!(
        json(&["--by", "sex", "--measures", "reached", "--where", "unit=B", "--where", "day>=2026-02-24"]),
        document(json!(["unit=B", "day>=2026-02-24"]), vec![row(json!({"sex": "f"}), 1), row(json!({"sex": "m"}), 2), row(json!({}), 3)])
    );
    // Precincts of other units are not listed, since a filter leaves out their meetings. The reports of B name no precinct.
    assert_eq!(
        slice(&["--by", "precinct", "--where", "unit=B", "--measures", "held"]),
        "precinct  held\n             2\n*            2\ntest, unit=B, as of 2026-03-16T07:00:00Z, definition 6, SYNTHETIC\n"
    );
    let unknown = try_slice(&["--where", "unit=C"]).expect_err("no unit C");
    assert!(unknown.0 == Some(64) && unknown.1.contains("dimension unit has no value \"C\": choose one of A, B"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_roll_nobody_has_a_sex_and_people_live_where_they_state() {
    let warehouse = TestWarehouse::start().await;
    let mut world = world();
    world.roll.clear();
    world.state([Residence::Precinct("A-1"), Residence::Unit("A"), Residence::Outside, Residence::Unstated]);
    warehouse.store(&world).await;
    let slice = |arguments: &[&str]| slice_output(&warehouse.config, &[&["--as-of", AS_OF, "--measures", "reached"], arguments].concat());
    let refused = slice(&["--by", "sex"]).expect_err("no roll");
    assert!(refused.0 == Some(64) && refused.1.contains("dimension sex is known from a roll only"), "{refused:?}");
    let text = slice(&["--by", "residence_unit"]).expect("a slice");
    assert!(
        text.starts_with("residence_unit  reached\nA                     2\nB                     0\n*                     2\n"),
        "{text}"
    );
}

#[test]
fn the_readme_explains_every_measure_and_dimension() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).expect("README.md");
    for measure in Measure::all() {
        let line = format!("| `{}` | {} |", measure.name(), measure.meaning());
        assert!(readme.contains(&line), "README.md lacks the line {line}");
    }
    for dimension in Dimension::all() {
        assert!(readme.contains(&format!("| `{dimension}` |")), "README.md lacks the dimension {dimension}");
    }
}
