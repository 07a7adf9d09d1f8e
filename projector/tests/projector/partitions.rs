//! Several projectors share the partitions, come and go, and still every event counts once.

use crate::{
    events::{campaign, entries},
    on_both_logs,
    rig::Rig,
};

fn member(number: &'static str) -> [(&'static str, &'static str); 2] {
    [("QAMTU__PROJECTOR__MEMBER", number), ("QAMTU__PROJECTOR__MEMBERS", "2")]
}

async fn two_share_the_work(rig: Rig) {
    rig.append(entries(&campaign(1, 3_000))).await;
    let one = rig.projector_with(&member("0")).await;
    let other = rig.projector_with(&member("1")).await;
    rig.append(entries(&campaign(2, 3_000))).await;
    rig.caught_up().await;
    one.counted("qamtu_projector_records_total", 1.0).await;
    other.counted("qamtu_projector_records_total", 1.0).await;
    assert!(one.stop().await.success());
    assert!(other.stop().await.success());
    rig.assert_everything_once().await;
}

async fn members_come_and_go(rig: Rig) {
    rig.append(entries(&campaign(1, 1_000))).await;
    let mut first = rig.projector_with(&member("0")).await;
    let mut second = rig.projector_with(&member("1")).await;
    for round in 0..4 {
        rig.append(entries(&campaign(10 + round, 800))).await;
        if round % 2 == 0 {
            first.kill().await;
            first = rig.projector_with(&member("0")).await;
        } else {
            assert!(second.stop().await.success());
            second = rig.projector_with(&member("1")).await;
        }
    }
    rig.caught_up().await;
    assert!(first.stop().await.success());
    assert!(second.stop().await.success());
    rig.assert_everything_once().await;
}

on_both_logs!(two_share_the_work, members_come_and_go);
