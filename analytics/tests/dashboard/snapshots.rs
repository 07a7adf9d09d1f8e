//! What the page shows of stored snapshots, which of them stay, and why there is nothing newer.

use std::sync::Arc;

use axum::http::StatusCode;
use qamtu_analytics::{
    SnapshotStore,
    access::{Reader, Role},
    dashboard::{DashboardState, RefreshStatus, router},
};
use serde_json::json;

use crate::{get, page_of, sample, text};

#[tokio::test]
async fn snapshots_that_were_reported_stay_and_of_the_others_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let mut snapshots = SnapshotStore::open(folder.path()).unwrap();
    let mut at = |next: u64, as_of: &str| {
        let mut coverage = sample::coverage();
        coverage["identity"]["offsets"][0]["next"] = json!(next);
        coverage["identity"]["as_of"] = json!(as_of);
        snapshots.save(serde_json::from_value(coverage).unwrap()).unwrap().0.id
    };
    let downloaded = at(0, "2026-03-11T13:00:00Z");
    let page = |folder| {
        let snapshots = SnapshotStore::open(folder).unwrap();
        router(Arc::new(DashboardState::new("turkistan-2026".parse().unwrap(), snapshots).unwrap()), Reader::of_region(Role::Leader))
    };
    // A table that somebody looks at is no report.
    assert_eq!(get(&page(folder.path()), "/coverage.csv").await.status, StatusCode::OK);
    let reported = at(1, "2026-03-11T13:00:00Z");
    assert_eq!(get(&page(folder.path()), "/report/en.pdf").await.status, StatusCode::OK);
    let later: Vec<_> = (2..=26).map(|next| at(next, "2026-03-11T13:00:00Z")).collect();
    // Computed last for an instant long past: whoever asked for it finds it.
    let past = at(0, "2026-02-20T00:00:00Z");
    let stays = |id| snapshots.get(id).unwrap().is_some();
    assert!(stays(reported) && stays(past) && !stays(downloaded));
    let left: Vec<bool> = later.into_iter().map(stays).collect();
    assert_eq!(left, (2..=26).map(|next| next > 6).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_page_says_why_it_shows_nothing_newer_or_nothing_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let service = |kept: bool| {
        if kept {
            sample::stored(folder.path(), sample::coverage());
        }
        Arc::new(DashboardState::new("turkistan-2026".parse().unwrap(), SnapshotStore::open(folder.path()).unwrap()).unwrap())
    };
    let unknown = RefreshStatus::UnknownCampaign(vec!["small-2026".parse().unwrap(), "test".parse().unwrap()]);
    let none = RefreshStatus::UnknownCampaign(Vec::new());
    let cases = [
        (
            false,
            RefreshStatus::UpToDate,
            200,
            "The first figures of this campaign are being prepared",
            "the first calculation has not ended",
        ),
        (false, RefreshStatus::WarehouseUnavailable, 503, "The warehouse cannot be reached at the moment", "the warehouse does not answer"),
        (false, RefreshStatus::AccessDenied, 503, "must correct clickhouse.user or clickhouse.password", "refuses clickhouse.user"),
        (false, unknown, 503, "Configured campaigns: small-2026, test.", "turkistan-2026 is not configured"),
        (false, none, 503, "No campaign is configured yet", "none is configured yet"),
        (true, RefreshStatus::HeldBack, 200, "would reveal data about a few people", "ready"),
        (true, RefreshStatus::AccessDenied, 200, "The figures of the last snapshot are shown", "ready"),
        (true, RefreshStatus::WarehouseUnavailable, 200, "These are the figures of the last snapshot", "ready"),
    ];
    for (kept, trouble, status, page_says, ready_says) in cases {
        let service = service(kept);
        assert_eq!(service.set_status(trouble.clone()), trouble != RefreshStatus::UpToDate);
        let page = router(service, Reader::of_region(Role::Leader));
        let response = get(&page, "/en").await;
        assert_eq!(response.status.as_u16(), status, "{trouble:?}");
        assert!(text(&response.body).contains(page_says), "{}", text(&response.body));
        let ready = get(&page, "/ready").await;
        assert!(ready.body.contains(ready_says) && ready.status.is_success() == kept, "{} {}", ready.status, ready.body);
    }
}
#[tokio::test]
async fn a_campaign_without_figures_has_a_page_that_says_so() {
    let page = page_of(None, Reader::of_region(Role::Leader));
    let response = get(&page, "/kk").await;
    assert_eq!(response.status, StatusCode::OK);
    assert!(text(&response.body).contains("Әзірге сандар жоқ"));
    assert_eq!(get(&page, "/report/kk.pdf").await.status, StatusCode::SERVICE_UNAVAILABLE);
}
