//! `/ready` is 503 while something keeps the projector from its work, says what, and recovers by itself.

use std::time::Duration;

use crate::{
    events::{attendance, campaign, entries, event},
    proxy::Proxy,
    rig::{DEADLINE, Kind, Projector, Rig, run},
};

/// Waits until `/ready` has this status and these words in its body.
pub async fn ready(projector: &Projector, status: u16, words: &[&str]) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        let said = projector.get("/ready").await;
        if said.0 == status && words.iter().all(|word| said.1.contains(word)) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "not {status} {words:?}, but {said:?}\n{}", projector.words());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn readiness_names_a_warehouse_that_is_away_and_comes_back_with_it() {
    run(async {
        let mut rig = Rig::new(Kind::Embedded).unwrap();
        let proxy = Proxy::before(&rig.clickhouse.url).await;
        rig.clickhouse.url = proxy.url();
        // Nothing is written: that the warehouse is away is found all the same.
        let projector = rig.projector().await;
        ready(&projector, 200, &["ready\n"]).await;
        for _ in 0..2 {
            proxy.silence(true);
            ready(&projector, 503, &["not ready\n", "warehouse: asking whether it is there"]).await;
            assert_eq!(projector.get("/live").await.0, 200);
            proxy.silence(false);
            ready(&projector, 200, &["ready\n"]).await;
        }
        let words = projector.words();
        assert_eq!(words.matches("\"not ready\"").count(), 2, "once for each time: {words}");
        assert_eq!(words.matches("the problem has passed").count(), 3, "the start, and both times: {words}");
        assert!(projector.stop().await.success());
    });
}

#[test]
fn a_wrong_password_is_named_with_the_setting_to_correct() {
    run(async {
        let mut rig = Rig::new(Kind::Embedded).unwrap();
        rig.clickhouse.password = "mistyped".into();
        let mut refused = rig.spawn(&[], &[]);
        assert_eq!(refused.ended().await.code(), Some(1), "{}", refused.words());
        let said = refused.words();
        assert!(said.contains("correct clickhouse.user or clickhouse.password"), "{said}");
    });
}

#[test]
fn readiness_names_a_write_that_is_refused_until_it_succeeds() {
    run(async {
        let rig = Rig::new(Kind::Embedded).unwrap();
        rig.append(entries(&campaign(1, 100))).await;
        let projector = rig.projector().await;
        rig.caught_up().await;
        rig.ask("ALTER TABLE attendance MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1").await;
        rig.append(entries(&[event(0xabc0, 0, None, attendance(0, 0))])).await;
        ready(&projector, 503, &["writing events/", "TOO_MANY_PARTS"]).await;
        rig.ask("ALTER TABLE attendance RESET SETTING parts_to_throw_insert, parts_to_delay_insert").await;
        ready(&projector, 200, &["ready\n"]).await;
        rig.caught_up().await;
        assert!(projector.stop().await.success());
    });
}

#[test]
fn readiness_says_why_a_start_does_not_succeed() {
    run(async {
        let mut rig = Rig::new(Kind::Embedded).unwrap();
        let url = std::mem::replace(&mut rig.clickhouse.url, "http://127.0.0.1:1".into());
        // A port that is free now; the projector tells its own only once it runs.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut waiting = rig.spawn(&[], &[("QAMTU__METRICS__LISTEN", &address.to_string())]);
        waiting.listens_at(address);
        ready(&waiting, 503, &["not ready\n", "start: warehouse: "]).await;
        assert!(waiting.stop().await.success());
        rig.clickhouse.url = url;
        ready(&rig.projector().await, 200, &["ready\n"]).await;
    });
}
