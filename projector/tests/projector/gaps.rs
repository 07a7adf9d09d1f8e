//! Offsets without a record in Kafka: offsets that the log skipped are not missing; records removed before they were read are lost.

use std::time::Duration;

use qamtu_log::{
    KafkaConfig, LogConfig, Partition,
    testing::{TransactionalProducer, alter_topic, delete_records},
};

use crate::{
    events::{attendance, campaign, entries, entry, event},
    fixture::{DEADLINE, LogKind, ProjectorFixture, run},
    health::wait_ready_status,
};

fn kafka(fixture: &ProjectorFixture) -> KafkaConfig {
    match &fixture.log {
        LogConfig::Kafka(config) => config.clone(),
        LogConfig::Embedded(_) => panic!("this is not Kafka"),
    }
}

#[test]
fn events_of_a_transactional_producer_are_projected_and_aborted_ones_are_not() {
    let Some(fixture) = ProjectorFixture::new(LogKind::Kafka) else { return };
    run(async {
        fixture.append(entries(&campaign(1, 400))).await;
        let foreign = TransactionalProducer::new(&kafka(&fixture)).unwrap();
        let write = |seed: u128, partition: u32, commit: bool| {
            foreign.begin(partition, &entries(&campaign(seed, 60))).unwrap();
            if commit { foreign.commit() } else { foreign.abort() }.unwrap();
        };
        write(2, 3, true);
        write(3, 3, false);
        let projector = fixture.projector_with(&[("QAMTU__PROJECTOR__VERIFY_MS", "100")]).await;
        fixture.wait_caught_up().await;
        fixture.append(entries(&campaign(4, 400))).await;
        write(5, 1, true);
        write(6, 1, false);
        // The last offsets of the partition now have no record.
        write(7, 3, true);
        fixture.wait_caught_up().await;
        assert_eq!(fixture.query("SELECT * FROM v_missing_records").await, "");
        assert_eq!(projector.get("/ready").await, (200, "ready\n".to_owned()));
        // Skipped offsets are counted as skipped and not repaired as missing rows.
        projector.wait_for_metric("qamtu_projector_skipped_offsets_total", 60.0).await;
        assert_eq!(projector.metric("qamtu_projector_repaired_records_total").await, 0.0, "{}", projector.stderr());
        projector.kill().await;
        fixture.append(entries(&campaign(8, 400))).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
        fixture.assert_everything_once().await;
    });
}

#[test]
fn a_compacted_topic_is_projected_to_its_end() {
    let Some(fixture) = ProjectorFixture::new(LogKind::Kafka) else { return };
    run(async {
        let writer = fixture.writer().await;
        let one = |id: u128| entry(&event(id, 0, None, attendance(0, 1)));
        let append = async |ids: std::ops::Range<u128>| crate::fixture::append(&*writer, ids.map(one).collect()).await;
        append(1..40).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
        append(40..80).await;
        let compacted =
            [("cleanup.policy", "compact"), ("segment.ms", "100"), ("min.cleanable.dirty.ratio", "0.01"), ("max.compaction.lag.ms", "100")];
        alter_topic(&kafka(&fixture), "events", &compacted).await.unwrap();
        let deadline = tokio::time::Instant::now() + DEADLINE;
        for id in 80.. {
            // All events have the same key, as they are about one meeting; the next record closes a segment.
            append(id..id + 1).await;
            if fixture.records().await.values().flatten().any(|record| record.skipped > 0) {
                break;
            }
            assert!(tokio::time::Instant::now() < deadline, "the broker does not compact");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        // The projector refuses to start on a compacted topic; the gaps that compaction has left must not matter.
        alter_topic(&kafka(&fixture), "events", &[("cleanup.policy", "delete"), ("retention.ms", "-1")]).await.unwrap();
        let projector = fixture.projector_with(&[("QAMTU__PROJECTOR__VERIFY_MS", "100")]).await;
        fixture.wait_caught_up().await;
        // Rows of removed records cannot be restored; the projector continues without them.
        fixture.query("ALTER TABLE log DELETE WHERE offset BETWEEN 10 AND 20 SETTINGS mutations_sync = 2").await;
        fixture.wait_caught_up().await;
        assert_eq!(fixture.query("SELECT * FROM v_missing_records").await, "");
        assert_eq!(projector.get("/ready").await, (200, "ready\n".to_owned()));
        append(1_000..1_010).await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
    });
}

#[test]
fn removed_records_are_reported_and_do_not_block_other_partitions() {
    let Some(fixture) = ProjectorFixture::new(LogKind::Kafka) else { return };
    run(async {
        fixture.append(entries(&campaign(1, 800))).await;
        let projector = fixture.projector().await;
        fixture.wait_caught_up().await;
        assert!(projector.stop().await.success());
        let before = fixture.records().await;
        fixture.append(entries(&campaign(2, 800))).await;
        let after = fixture.records().await;
        let events = |number| Partition::new("events", number);
        let end = |number| (before[&events(number)].len() as u64, after[&events(number)].len() as u64);
        let (damaged, (written, end)) = (0..8).map(|number| (number, end(number))).find(|(_, (from, to))| to - from > 20).unwrap();
        delete_records(&kafka(&fixture), &events(damaged).next_offset(written + 10)).await.unwrap();
        let projector = fixture.projector_with(&[("QAMTU__PROJECTOR__VERIFY_MS", "100")]).await;
        let others: u64 =
            after.iter().filter(|(partition, _)| **partition != events(damaged)).map(|(_, records)| records.len() as u64).sum();
        let contiguous_offsets =
            format!("SELECT sumIf(contiguous_offset, NOT (topic = 'events' AND partition = {damaged})) FROM v_contiguous_offsets");
        fixture.wait_until("the others are complete", &contiguous_offsets, |next| next == others.to_string()).await;
        // The remaining records are stored; the contiguous offset stays before the lost ones.
        let stored =
            format!("SELECT contiguous_offset, end_offset FROM v_contiguous_offsets WHERE topic = 'events' AND partition = {damaged}");
        fixture.wait_until("the rest is stored", &stored, |body| body == format!("{written}\t{end}")).await;
        let offsets = format!("{written}..{}", written + 10);
        let (status, body) = projector.get("/ready").await;
        assert_eq!(status, 503);
        assert!(body.contains(&format!("lost records of events/{damaged}")) && body.contains(&offsets), "{body}");
        assert!(projector.stderr().contains("the log removed records before they were written"), "{}", projector.stderr());
        assert_eq!(projector.wait_for_metric("qamtu_projector_lost_records", 10.0).await, 10.0);
        assert!(projector.stop().await.success());
        // An operator gives up the lost records.
        let accepted = format!("{{\"events/{damaged}\"={}}}", written + 10);
        let projector = fixture.projector_with(&[("QAMTU__PROJECTOR__ACCEPT_LOST", &accepted)]).await;
        fixture.wait_until("the contiguous offset passes the loss", &stored, |body| body == format!("{end}\t{end}")).await;
        assert_eq!(projector.get("/ready").await, (200, "ready\n".to_owned()));
        assert!(projector.stop().await.success());
        let projector = fixture.projector().await;
        wait_ready_status(&projector, 200, &["ready\n"]).await;
        assert!(projector.stop().await.success());
    });
}

#[test]
fn a_truncated_log_fills_a_new_database_from_its_start() {
    let Some(fixture) = ProjectorFixture::new(LogKind::Kafka) else { return };
    run(async {
        fixture.append(entries(&campaign(1, 400))).await;
        let partition = Partition::new("events", 2);
        delete_records(&kafka(&fixture), &partition.next_offset(7)).await.unwrap();
        let projector = fixture.projector().await;
        let end = "SELECT min(offset), any(contiguous_offset) = any(end_offset) FROM log, v_contiguous_offsets
            WHERE log.topic = 'events' AND log.partition = 2 AND v_contiguous_offsets.topic = 'events' AND v_contiguous_offsets.partition = 2";
        fixture.wait_until("the partition is complete from offset 7 on", end, |body| body == "7\t1").await;
        assert_eq!(projector.get("/ready").await, (200, "ready\n".to_owned()));
        assert!(projector.stderr().contains("reading starts after records that the log removed"));
        assert!(projector.stop().await.success());
    });
}
