//! Several projectors share the partitions, start and stop, and every event counts once.

use crate::{
    events::{campaign, entries},
    fixture::ProjectorFixture,
    on_both_logs,
};

fn member(number: &'static str) -> [(&'static str, &'static str); 2] {
    [("QAMTU__PROJECTOR__MEMBER", number), ("QAMTU__PROJECTOR__MEMBERS", "2")]
}

async fn two_projectors_share_the_partitions(fixture: ProjectorFixture) {
    fixture.append(entries(&campaign(1, 3_000))).await;
    let one = fixture.projector_with(&member("0")).await;
    let other = fixture.projector_with(&member("1")).await;
    fixture.append(entries(&campaign(2, 3_000))).await;
    fixture.wait_caught_up().await;
    one.wait_for_metric("qamtu_projector_records_total", 1.0).await;
    other.wait_for_metric("qamtu_projector_records_total", 1.0).await;
    assert!(one.stop().await.success());
    assert!(other.stop().await.success());
    fixture.assert_everything_once().await;
}

async fn projectors_join_and_leave(fixture: ProjectorFixture) {
    fixture.append(entries(&campaign(1, 1_000))).await;
    let mut first = fixture.projector_with(&member("0")).await;
    let mut second = fixture.projector_with(&member("1")).await;
    for round in 0..4 {
        fixture.append(entries(&campaign(10 + round, 800))).await;
        if round % 2 == 0 {
            first.kill().await;
            first = fixture.projector_with(&member("0")).await;
        } else {
            assert!(second.stop().await.success());
            second = fixture.projector_with(&member("1")).await;
        }
    }
    fixture.wait_caught_up().await;
    assert!(first.stop().await.success());
    assert!(second.stop().await.success());
    fixture.assert_everything_once().await;
}

on_both_logs!(two_projectors_share_the_partitions, projectors_join_and_leave);
