//! Figures of a past instant: records received by then, and their anomalies.

use qamtu_analytics::{Coverage, compute, identity::Selection};
use serde_json::{Value, json};

use super::{Views, expected, selection, world};
use crate::world::{at, key};

/// Records received later change nothing at an earlier instant: neither new attendance nor revocations.
pub(super) async fn an_instant_of_the_past(views: Views) {
    let world = world();
    views.fill(&world).await;
    let then = || async {
        let offsets = views.warehouse.offsets().await.expect("offsets");
        let past = Selection { as_of: at("2026-02-28T00:00:00Z"), ..selection(offsets) };
        compute::coverage(&views.warehouse, past).await.expect("a coverage")
    };
    let before = then().await;
    assert_eq!(before.region.slice.audience.reach.reached, 4);
    let (import, later) = ("00000000-0000-4000-8002-000000000007", "2026-03-01 00:00:00");
    let person = |number: u64| key(number);
    let new = |number: u64, fields: Value| {
        let mut row = json!({"campaign": "test", "event_id": format!("00000000-0000-4000-8009-{number:012x}"), "received": later,
            "partition": 0, "offset": 4000 + number});
        row.as_object_mut().expect("a row").extend(fields.as_object().expect("fields").clone());
        row
    };
    // A person more at m1, and four events that take somebody away: m1 has the people 1, 2 and 6, the rows 5 to 7 of the world.
    let (hi, lo) = person(7);
    let attendance =
        json!({"meeting_id": "m1", "person_hi": hi, "person_lo": lo, "strength": 1, "residence_kind": "unknown", "adult": "unknown"});
    views.insert("v_attendance_events", [new(1, attendance)]).await;
    let retraction = new(2, json!({"meeting_id": "m1", "retracted_id": "00000000-0000-4000-8001-000000000005"}));
    views.insert("v_attendance_retractions", [retraction]).await;
    let ((hi, lo), (given_hi, given_lo)) = (person(2), person(9));
    let withdrawal = new(3, json!({"person_hi": hi, "person_lo": lo, "kind": "withdrawn", "supersedes": []}));
    // This withdrawal was answered at once; without the answer it would stand.
    let early = new(4, json!({"person_hi": given_hi, "person_lo": given_lo, "kind": "withdrawn", "supersedes": []}));
    let answer = new(5, json!({"person_hi": given_hi, "person_lo": given_lo, "kind": "given", "supersedes": [early["event_id"]]}));
    views.insert("v_consents", [withdrawal, early, answer]).await;
    let set = "ALTER TABLE v_attendance_events UPDATE import = toUUID('00000000-0000-4000-8002-000000000007') \
               WHERE event_id = toUUID('00000000-0000-4000-8001-000000000007') SETTINGS mutations_sync = 1";
    views.client.query(set).execute().await.expect("an import");
    views
        .insert("v_reversed_imports", [json!({"campaign": "test", "import": import, "received": later, "partition": 0, "offset": 4006})])
        .await;
    assert_eq!(then().await, before);
    // Later the new one counts, the one whose attendance was retracted is still at m3, and the two others are gone.
    let now = views.coverage().await.region.slice.audience;
    assert_eq!((now.reach.reached, now.contacts), (before.region.slice.audience.reach.reached - 2 + 1, 3));
}

/// Anomalies are counted as of the instant, and change no figure.
pub(super) async fn odd_records(views: Views) {
    let world = world();
    views.fill(&world).await;
    let reference = |number: u64, received: &str, resolved: Option<&str>| {
        json!({"campaign": "test", "meeting_id": "m1", "event_id": format!("00000000-0000-4000-8005-{number:012x}"),
            "named": "00000000-0000-4000-8005-00000000ffff", "received": received, "resolved": resolved, "partition": 0, "offset": number})
    };
    let (past, later) = ("2026-02-20 00:00:00", "2026-04-01 00:00:00");
    // Without effect, with effect, with effect only later, not received yet.
    let references = [(1, past, None), (2, past, Some(past)), (3, past, Some(later)), (4, later, None)];
    views.insert("v_references", references.map(|(number, received, resolved)| reference(number, received, resolved))).await;
    let alike = [("TRK-1", "TRK-1", past), ("trk-1", "TRK-1", past), ("TRK-2", "TRK-2", past), ("trk-2", "TRK-2", later)];
    let alike = alike
        .map(|(id, looks_like, first)| json!({"campaign": "test", "meeting_id": id, "looks_like": looks_like, "first_received": first}));
    views.insert("v_lookalike_meetings", alike).await;
    let coverage = views.coverage().await;
    assert_eq!((coverage.quality.dangling_references, coverage.quality.lookalike_meetings), (2, 2));
    assert_eq!(coverage, Coverage { quality: coverage.quality.clone(), ..expected(&world, &coverage) });
}
