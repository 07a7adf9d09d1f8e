//! `GET /v1/campaigns/{campaign}/slices` and its description, over the facts of a small campaign.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use qamtu_analytics::{
    Coverage, Snapshot, SnapshotId, SnapshotStore,
    access::{Reader, Role, Scope},
    dashboard::{DashboardState, router},
    dimension::Dimension,
    slice::Measure,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::world::{MONDAY, World, after};

/// Sixty people on the roll: 1 to 40 in A-1, 41 and 42 in A-2, the others in B-1. At `a`, in A: 1 to 30. At `b`, in B: 31 to 60. At `c`, in B,
/// for elders: so many people of those at `a`.
fn world(elders: u64) -> World {
    let mut world = World::new();
    let home = |person| match person {
        1..=40 => "A-1",
        41 | 42 => "A-2",
        _ => "B-1",
    };
    world.roll = (1..=60).map(|person| (person, home(person))).collect();
    for (meeting, unit, category, people) in
        [("a", "A", "YOUTH", 1..=30_u64), ("b", "B", "YOUTH", 31..=60), ("c", "B", "ELDER", 1..=elders)]
    {
        world.held(meeting, World::place_of(unit, "R", &[category], MONDAY));
        world.strong(meeting, people);
    }
    world
}

struct Service {
    router: Router,
    _folder: TempDir,
}

fn service(reader: Reader) -> Service {
    service_of(reader, Some(12))
}

/// A service with so many elders; none has no facts yet.
fn service_of(reader: Reader, elders: Option<u64>) -> Service {
    service_with(reader, &world(elders.unwrap_or(12)), elders.is_some())
}

fn service_with(reader: Reader, world: &World, has_facts: bool) -> Service {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshots = SnapshotStore::open(folder.path()).expect("a store");
    let facts = world.store(after(), usize::MAX);
    let coverage = Coverage::of(&facts).expect("a coverage");
    let snapshot = Snapshot { id: SnapshotId::of(&coverage.identity), coverage };
    let state = DashboardState::with_snapshot("test".parse().expect("an id"), snapshots, Some(snapshot));
    if has_facts {
        state.set_facts(Arc::new(facts));
    }
    Service { router: router(Arc::new(state), reader), _folder: folder }
}

impl Service {
    async fn get(&self, address: &str, language: &str) -> (StatusCode, String, String) {
        let request = Request::get(address).header("accept-language", language).body(Body::empty()).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("a response");
        let kind = response.headers()["content-type"].to_str().expect("a media type").to_owned();
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        (status, kind, String::from_utf8(body.to_vec()).expect("UTF-8"))
    }

    async fn json(&self, query: &str) -> Value {
        let (status, kind, body) = self.get(&format!("/v1/campaigns/test/slices?{query}"), "en").await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "application/json"), "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    async fn refusal(&self, query: &str, language: &str) -> (StatusCode, Value) {
        let (status, kind, body) = self.get(&format!("/v1/campaigns/test/slices?{query}"), language).await;
        assert_eq!(kind, "application/problem+json", "{body}");
        (status, serde_json::from_str(&body).expect("JSON"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_gets_rounded_counts_and_small_ones_are_withheld() {
    let analyst = service(Reader::of_region(Role::Analyst));
    let row = |keys: Value, figures: Value, withheld: Value| json!({"keys": keys, "figures": figures, "unknown": [], "withheld": withheld});
    let measures = "held,contacts,reached,voters,coverage_percent";
    // In A 30 came, in B 42, in both 60: 12 came twice.
    assert_eq!(
        analyst.json(&format!("by=unit&measures={measures}")).await,
        json!({
            "campaign": "test", "synthetic": true, "where": [], "as_of": "2026-03-16T07:00:00Z", "definition": 6, "rounded_to": 10,
            "by": ["unit"],
            "rows": [
                row(json!({"unit": "A"}), json!({"held": 1, "contacts": 30, "reached": 30, "voters": 140, "coverage_percent": 21.43}), json!([])),
                row(json!({"unit": "B"}), json!({"held": 2, "contacts": 40, "reached": 40, "voters": 80, "coverage_percent": 50.0}), json!([])),
                row(json!({}), json!({"held": 3, "contacts": 70, "reached": 60, "voters": 220, "coverage_percent": 27.27}), json!([])),
            ],
        })
    );
    // A single category is the same as one of the rows by it, and as their total.
    let rows = analyst.json("by=category&where=unit=B&measures=held,contacts").await["rows"].clone();
    assert_eq!(
        rows,
        json!([
            row(json!({"category": "ELDER"}), json!({"held": 1, "contacts": 10}), json!([])),
            row(json!({"category": "YOUTH"}), json!({"held": 1, "contacts": 30}), json!([])),
            row(json!({}), json!({"held": 2, "contacts": 40}), json!([])),
        ])
    );
    let one = analyst.json("by=category&where=unit=B&where=category=YOUTH&measures=held,contacts").await["rows"].clone();
    assert_eq!((&one[0], &one[1]["figures"]), (&rows[1], &rows[1]["figures"]));
    // Of the 42 in B 8 are neither women nor men by the roll. They are left out, and those who would disclose them.
    let by_sex = [row(json!({}), json!({"contacts": 40}), json!([]))];
    assert_eq!(analyst.json("by=sex&where=unit=B&measures=contacts").await["rows"], json!(by_sex));
    assert_eq!(analyst.json("where=sex=f&where=unit=B&measures=contacts").await["rows"], json!([]));
    let nobody = analyst.json("where=sex=f&where=unit=B&where=week=2026-W09&measures=contacts");
    assert_eq!(nobody.await["rows"], json!([]), "nobody looks like few");
    let (_, kind, csv) = analyst.get("/v1/campaigns/test/slices?by=sex&measures=contacts&format=csv", "en").await;
    assert_eq!(kind, "text/csv; charset=utf-8; header=present");
    let expected = [
        "sex,contacts,unknown,withheld,rounded_to,campaign,as_of,definition",
        "f,20,,,10,test,2026-03-16T07:00:00Z,6",
        "m,20,,,10,test,2026-03-16T07:00:00Z,6",
        ",10,,,10,test,2026-03-16T07:00:00Z,6",
        "*,70,,,10,test,2026-03-16T07:00:00Z,6",
    ];
    assert_eq!(csv.lines().collect::<Vec<_>>(), expected);
    // Figures of meetings are public: by any dimensions, and with any filters.
    let public = analyst.json("by=day,precinct&where=unit=A,B&where=day%3E%3D2026-02-02&measures=held,missing").await;
    assert_eq!(public["rows"][0]["figures"], json!({"held": 3, "missing": 0}), "{public}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_show_no_people_while_the_published_tables_withhold_a_row() {
    // Of those in A, all but three came to B as well, so the page withholds both units.
    let leader = service_of(Reader::of_region(Role::Leader), Some(27));
    let row = |unit: &str, held: u64| json!({"keys": {"unit": unit}, "figures": {"held": held, "reached": null}, "unknown": [], "withheld": ["reached"]});
    let rows = leader.json("by=unit&measures=held,reached").await["rows"].clone();
    assert_eq!((&rows[0], &rows[1]), (&row("A", 1), &row("B", 2)));
    assert_eq!(
        service_of(Reader::of_region(Role::Analyst), Some(12)).json("by=unit&measures=reached").await["rows"][0]["figures"]["reached"],
        30
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn gross_attendance_does_not_tell_how_few_others_came() {
    let gross = async |heads: u32| {
        let mut world = world(12);
        world.heads("a", &[heads], None);
        let analyst = service_with(Reader::of_region(Role::Analyst), &world, true);
        let rows = analyst.json("by=unit&measures=gross,contacts,gross_per_100_voters").await["rows"].clone();
        assert_eq!(rows[0]["figures"]["contacts"], 30, "{rows}");
        rows[0]["figures"].clone()
    };
    // Thirty voters are on the list of `a`.
    assert_eq!(gross(30).await["gross"], 30);
    for heads in [31, 39] {
        let figures = gross(heads).await;
        assert!(figures["gross"].is_null() && figures["gross_per_100_voters"].is_null(), "{heads}: {figures}");
    }
    assert_eq!(gross(40).await["gross"], 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_one_unit_gets_its_meetings_alone() {
    let scope = |unit: &str| Scope::Units(BTreeSet::from([unit.parse().expect("a unit")]));
    let of_a = service(Reader { role: Role::Analyst, scope: scope("A") });
    let slice = of_a.json("measures=held,reached").await;
    assert_eq!(slice["rows"], json!([{"keys": {}, "figures": {"held": 1, "reached": 30}, "unknown": [], "withheld": []}]));
    let of_b = of_a.json("where=unit=B&measures=held,reached").await;
    assert_eq!(of_b["rows"][0]["figures"]["held"], 0, "another unit's meetings are not in scope");
    // Two units may share people, so a reader of both chooses one or sees them apart.
    let units = BTreeSet::from(["A", "B"].map(|unit| unit.parse().expect("a unit")));
    let of_both = service(Reader { role: Role::Analyst, scope: Scope::Units(units) });
    let by_unit = of_both.json("by=unit&measures=reached").await["rows"].clone();
    assert_eq!(
        by_unit.as_array().map(|rows| rows.iter().map(|row| row["keys"]["unit"].clone()).collect::<Vec<_>>()),
        Some(vec![json!("A"), json!("B")])
    );
    assert_eq!(of_both.json("where=unit=B&measures=reached").await["rows"][0]["figures"], by_unit[1]["figures"]);
    let (status, problem) = of_both.refusal("measures=reached", "en").await;
    assert!(
        status == StatusCode::BAD_REQUEST && problem["detail"].as_str().is_some_and(|detail| detail.contains("one of: A, B")),
        "{problem}"
    );
    let nowhere = service(Reader { role: Role::Analyst, scope: scope("ZZZ") });
    let (status, problem) = nowhere.refusal("", "en").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "whoever runs the service must correct it");
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("ZZZ") && detail.contains("reader.units")), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_a_query_is_explained_in_the_readers_language() {
    let leader = service(Reader::of_region(Role::Leader));
    for (query, told) in [
        ("by=person", "dimension \"person\""),
        ("where=unit%3DC", "no value \"C\". Choose from: A, B."),
        ("where=day%3E%3D20.02.2026", "Write it like 2026-02-20"),
        ("where=unit", "is not a filter"),
        ("where=unit%3E%3DA", "have no order"),
        ("by=unit,unit", "at most two dimensions"),
        ("measures=people", "no measure \"people\""),
        ("by=sex&measures=held", "figure of meetings"),
        ("format=xml", "Use json, csv, xlsx or parquet"),
        ("group=unit", "no parameter \"group\""),
        ("measures=held,due,held", "\"held\" is named twice"),
        ("by=unit&by=week", "\"by\" is named twice"),
        ("by=unit&measures=outside", "measure outside is not shown here. Choose from: planned"),
        ("by=precinct", "not shown by precinct. Choose from: unit, coalition"),
        ("where=day=2026-02-23", "not shown by day"),
        ("by=unit,week&where=sex=f&where=category=YOUTH", "at most 3 dimensions"),
        ("where=category=YOUTH&where=category=ELDER", "The filter \"category=ELDER\" is not possible"),
        ("where=unit=A,B", "The filter \"unit=A,B\" is not possible"),
        ("where=week%3E%3D2026-W08", "The filter \"week>=2026-W08\" is not possible"),
    ] {
        let (status, problem) = leader.refusal(query, "en").await;
        assert_eq!((status, &problem["type"]), (StatusCode::BAD_REQUEST, &json!("urn:qamtu:problem:invalid-slice")), "{query}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(told)), "{query}: {problem}");
        let mut seen = BTreeSet::new();
        for language in ["kk", "ru", "en"] {
            seen.insert(leader.refusal(query, language).await.1["detail"].to_string());
        }
        assert_eq!(seen.len(), 3, "{query}: {seen:?}");
    }
    let (status, kind, body) = leader.get("/v1/campaigns/other/slices", "en").await;
    assert!((status, kind.as_str()) == (StatusCode::NOT_FOUND, "application/problem+json") && body.contains("campaign test"), "{body}");
    let (status, problem) = service_of(Reader::of_region(Role::Leader), None).refusal("by=unit", "kk").await;
    assert!(status == StatusCode::SERVICE_UNAVAILABLE && problem["detail"].as_str().is_some_and(|detail| detail.contains("Деректер")));
    for role in [Role::Operator, Role::Public] {
        assert_eq!(service(Reader::of_region(role)).refusal("by=unit", "en").await.0, StatusCode::FORBIDDEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_lists_every_dimension_and_measure_and_fits_the_response() {
    let analyst = service(Reader::of_region(Role::Analyst));
    let (status, _, body) = analyst.get("/v1/openapi.json", "en").await;
    assert_eq!(status, StatusCode::OK);
    let document: Value = serde_json::from_str(&body).expect("JSON");
    let parameters = document["paths"]["/v1/campaigns/{campaign}/slices"]["get"]["parameters"].as_array().expect("parameters");
    let described = |name: &str| {
        let parameter = parameters.iter().find(|parameter| parameter["name"] == name).expect("a parameter");
        parameter["description"].as_str().expect("a description")
    };
    assert!(Dimension::all().all(|dimension| described("by").contains(dimension.name())));
    assert!(Measure::all().filter(|measure| measure.is_for_readers()).all(|measure| described("measures").contains(&format!(
        "`{}`: {}",
        measure.name(),
        measure.meaning()
    ))));
    let names: BTreeSet<&str> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
    assert_eq!(names, BTreeSet::from(["by", "campaign", "format", "measures", "where"]));
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    let slice = analyst.json("by=unit").await;
    assert_eq!(keys(&slice), keys(&document["components"]["schemas"]["Slice"]["properties"]));
    assert_eq!(keys(&slice["rows"][0]), keys(&document["components"]["schemas"]["SliceRow"]["properties"]));
}
