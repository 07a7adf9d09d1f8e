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
    let folder = tempfile::tempdir().expect("a folder");
    let snapshots = SnapshotStore::open(folder.path()).expect("a store");
    let facts = world(elders.unwrap_or(12)).store(after(), usize::MAX);
    let coverage = Coverage::of(&facts).expect("a coverage");
    let snapshot = Snapshot { id: SnapshotId::of(&coverage.identity), coverage };
    let state = DashboardState::with_snapshot("test".parse().expect("an id"), snapshots, Some(snapshot));
    if elders.is_some() {
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
    let leader = service(Reader::of_region(Role::Leader));
    let row = |keys: Value, figures: Value, withheld: Value| json!({"keys": keys, "figures": figures, "unknown": [], "withheld": withheld});
    let measures = "held,contacts,reached,upper,voters,coverage_percent";
    // In A 30 came, in B 42, in both 60: 12 came twice.
    assert_eq!(
        leader.json(&format!("by=unit&measures={measures}")).await,
        json!({
            "campaign": "test", "synthetic": true, "where": [], "as_of": "2026-03-16T07:00:00Z", "definition": 5, "rounded_to": 10,
            "by": ["unit"],
            "rows": [
                row(json!({"unit": "A"}), json!({"held": 1, "contacts": 30, "reached": 30, "upper": 40, "voters": 140, "coverage_percent": 21.43}), json!([])),
                row(json!({"unit": "B"}), json!({"held": 2, "contacts": 40, "reached": 40, "upper": 50, "voters": 80, "coverage_percent": 50.0}), json!([])),
                row(json!({}), json!({"held": 3, "contacts": 70, "reached": 60, "upper": 70, "voters": 220, "coverage_percent": 27.27}), json!([])),
            ],
        })
    );
    // Of those in B two live in A-2. They would follow from the 18 who live in B-1, so these are withheld, too.
    assert_eq!(
        leader.json("by=residence&where=unit=B&measures=contacts").await["rows"],
        json!([
            row(json!({"residence": "A-1"}), json!({"contacts": 20}), json!([])),
            row(json!({"residence": "A-2"}), json!({"contacts": null}), json!(["contacts"])),
            row(json!({"residence": "B-1"}), json!({"contacts": null}), json!(["contacts"])),
            row(json!({}), json!({"contacts": 40}), json!([])),
        ])
    );
    let (_, kind, csv) = leader.get("/v1/campaigns/test/slices?by=residence&where=unit%3DB&measures=contacts&format=csv", "en").await;
    assert_eq!(kind, "text/csv; charset=utf-8; header=present");
    let expected = [
        "residence,contacts,unknown,withheld,rounded_to,campaign,as_of,definition",
        "A-1,20,,,10,test,2026-03-16T07:00:00Z,5",
        "A-2,,,contacts,10,test,2026-03-16T07:00:00Z,5",
        "B-1,,,contacts,10,test,2026-03-16T07:00:00Z,5",
        "*,40,,,10,test,2026-03-16T07:00:00Z,5",
    ];
    assert_eq!(csv.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn slices_show_no_people_while_the_published_tables_withhold_a_row() {
    // Of those in A, all but three came to B as well, so the page withholds both units.
    let leader = service_of(Reader::of_region(Role::Leader), Some(27));
    let row = |unit: &str, held: u64| json!({"keys": {"unit": unit}, "figures": {"held": held, "reached": null}, "unknown": [], "withheld": ["reached"]});
    let rows = leader.json("by=unit&measures=held,reached").await["rows"].clone();
    assert_eq!((&rows[0], &rows[1]), (&row("A", 1), &row("B", 2)));
    assert_eq!(
        service_of(Reader::of_region(Role::Leader), Some(12)).json("by=unit&measures=reached").await["rows"][0]["figures"]["reached"],
        30
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_one_unit_gets_its_meetings_alone() {
    let scope = |unit: &str| Scope::Units(BTreeSet::from([unit.parse().expect("a unit")]));
    let of_a = service(Reader { role: Role::Analyst, scope: scope("A") });
    let slice = of_a.json("measures=held,reached").await;
    assert_eq!(slice["rows"], json!([{"keys": {}, "figures": {"held": 1, "reached": 30}, "unknown": [], "withheld": []}]));
    let of_b = of_a.json("where=unit=B&measures=held,reached").await;
    assert_eq!(of_b["rows"][0]["figures"]["held"], 0, "another unit's meetings are not in scope");
    let nowhere = service(Reader { role: Role::Analyst, scope: scope("ZZZ") });
    let (status, problem) = nowhere.refusal("", "en").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
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
        ("format=xml", "Use json or csv"),
        ("group=unit", "no parameter \"group\""),
        ("where=unit=A&where=unit=A&where=unit=A&where=unit=A&where=unit=A", "at most 4 filters"),
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
    assert!(Measure::all().all(|measure| described("measures").contains(&format!("`{}`: {}", measure.name(), measure.meaning()))));
    let names: BTreeSet<&str> = parameters.iter().filter_map(|parameter| parameter["name"].as_str()).collect();
    assert_eq!(names, BTreeSet::from(["by", "campaign", "format", "measures", "where"]));
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    let slice = analyst.json("by=unit").await;
    assert_eq!(keys(&slice), keys(&document["components"]["schemas"]["Slice"]["properties"]));
    assert_eq!(keys(&slice["rows"][0]), keys(&document["components"]["schemas"]["SliceRow"]["properties"]));
}
