//! `/ready` is 503 while a problem keeps the projector from working, names the problem, and recovers without a restart.

use qamtu_devstack::testing::wait;

use crate::{
    events::{attendance, campaign, entries, event},
    fixture::{DEADLINE, LogKind, ProjectorFixture, ProjectorProcess, run},
    proxy::Proxy,
};

/// Waits until `/ready` has this status and its body contains these texts.
pub async fn wait_ready_status(projector: &ProjectorProcess, status: u16, texts: &[&str]) {
    let check = async || {
        let response = projector.get("/ready").await;
        if response.0 == status && texts.iter().all(|text| response.1.contains(text)) { Ok(()) } else { Err(response) }
    };
    let waited = wait::until(&format!("{status} {texts:?}"), DEADLINE, check).await;
    waited.unwrap_or_else(|error| panic!("{error}\n{}", projector.stderr()));
}

#[test]
fn readiness_reports_a_warehouse_outage_and_recovers() {
    run(async {
        let mut fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let proxy = Proxy::before(&fixture.clickhouse.url).await;
        fixture.clickhouse.url = proxy.url();
        // The outage is detected although nothing is being written.
        let projector = fixture.projector().await;
        wait_ready_status(&projector, 200, &["ready\n"]).await;
        for _ in 0..2 {
            proxy.set_silent(true);
            wait_ready_status(&projector, 503, &["not ready\n", "warehouse: pinging the server"]).await;
            assert_eq!(projector.get("/live").await.0, 200);
            proxy.set_silent(false);
            wait_ready_status(&projector, 200, &["ready\n"]).await;
        }
        let logs = projector.stderr();
        assert_eq!(logs.matches("\"not ready\"").count(), 2, "once for each time: {logs}");
        assert_eq!(logs.matches("the problem has passed").count(), 3, "the start, and both times: {logs}");
        assert!(projector.stop().await.success());
    });
}

#[test]
fn a_wrong_password_is_reported_with_the_setting_to_correct() {
    run(async {
        let mut fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        fixture.clickhouse.password = "mistyped".into();
        let mut refused = fixture.spawn(&[], &[]);
        assert_eq!(refused.wait().await.code(), Some(1), "{}", refused.stderr());
        let response = refused.stderr();
        assert!(response.contains("correct clickhouse.user or clickhouse.password"), "{response}");
    });
}

#[test]
fn readiness_reports_a_rejected_write_until_it_succeeds() {
    run(async {
        let fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        fixture.append(entries(&campaign(1, 100))).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        fixture.query("ALTER TABLE attendance MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1").await;
        fixture.append(entries(&[event(0xabc0, 0, None, attendance(0, 0))])).await;
        wait_ready_status(&projector, 503, &["writing events/", "TOO_MANY_PARTS"]).await;
        fixture.query("ALTER TABLE attendance RESET SETTING parts_to_throw_insert, parts_to_delay_insert").await;
        wait_ready_status(&projector, 200, &["ready\n"]).await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
    });
}

#[test]
fn readiness_reports_why_a_start_fails() {
    run(async {
        let mut fixture = ProjectorFixture::new(LogKind::Embedded).unwrap();
        let url = std::mem::replace(&mut fixture.clickhouse.url, "http://127.0.0.1:1".into());
        // Choose the port here: the projector prints its address only once it runs.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut waiting = fixture.spawn(&[], &[("QAMTU__METRICS__LISTEN", &address.to_string())]);
        waiting.set_address(address);
        wait_ready_status(&waiting, 503, &["not ready\n", "start: warehouse: "]).await;
        assert!(waiting.stop().await.success());
        fixture.clickhouse.url = url;
        wait_ready_status(&fixture.projector().await, 200, &["ready\n"]).await;
    });
}
