//! File modes of the embedded log, and a disk that is read-only for a while.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use qamtu_log::{LogConfig, LogError, TopicSpec, ensure_topics, open_reader, open_writer};

use crate::fixture::{LogFixture, append_all, expect_error, member, numbered, options, run_test, start_all, within_deadline};
use crate::process::TestProcess;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("file").permissions().mode() & 0o777
}

/// Every file and folder of a log.
fn all_paths(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    for entry in fs::read_dir(dir).expect("folder").flatten() {
        if entry.path().is_dir() { found.extend(all_paths(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

/// A log that is in use: written to, read by a member of a group, committed.
async fn log_in_use(log: &LogFixture) -> Box<dyn qamtu_log::LogReader> {
    log.topic("events", 2).await;
    append_all(&*log.writer().await, numbered("events", 9, 0..10)).await;
    let mut reader = log.reader(&["events"], member(0, 1)).await;
    let partitions = start_all(&mut *reader).await;
    within_deadline("commit", reader.commit(&[partitions[0].next_offset(1)])).await.expect("commit");
    reader
}

fn assert_private(dir: &Path) {
    let paths = all_paths(dir);
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(&path), wanted, "{} has mode {:o}", path.display(), mode(&path));
    }
}

#[test]
fn only_the_owner_may_read_the_files_of_the_log() {
    run_test(async {
        let log = LogFixture::embedded();
        let _reader = log_in_use(&log).await;
        assert_private(log.dir());
    });
}

#[test]
fn files_that_others_could_read_are_repaired_at_the_next_start() {
    run_test(async {
        let log = LogFixture::embedded();
        drop(log_in_use(&log).await);
        for path in all_paths(log.dir()) {
            let open = if path.is_dir() { 0o755 } else { 0o644 };
            // SQLite removes its side files when the last connection closes, which may be only now.
            let set = fs::set_permissions(&path, Permissions::from_mode(open));
            assert!(set.is_ok() || !path.exists(), "{set:?}");
        }
        let _reader = log_in_use(&log).await;
        assert_private(log.dir());
    });
}

#[test]
fn a_folder_that_holds_other_things_is_refused_and_left_as_it_is() {
    run_test(async {
        let log = LogFixture::embedded();
        fs::create_dir_all(log.dir()).expect("folder");
        fs::set_permissions(log.dir(), Permissions::from_mode(0o755)).expect("mode");
        fs::write(log.dir().join("notes.txt"), "somebody else's").expect("file");
        let topic = [TopicSpec { name: "events".into(), partitions: 2 }];
        let error = expect_error(ensure_topics(&log.config, &topic).await);
        assert!(matches!(error, LogError::InsecurePermissions { .. }) && !error.is_transient(), "{error}");
        assert!(error.to_string().contains("notes.txt") && error.to_string().contains("a folder of its own"), "{error}");
        assert_eq!(mode(log.dir()), 0o755);
    });
}

/// A folder that can be made read-only: by remounting for root, which ignores modes; else by changing modes.
struct SwitchableDisk {
    dir: tempfile::TempDir,
    mounted: bool,
}

impl SwitchableDisk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(dir.path()).status();
        Self { dir, mounted: mounted.is_ok_and(|status| status.success()) }
    }

    fn set(&self, writable: bool) {
        if self.mounted {
            let option = if writable { "remount,rw" } else { "remount,ro" };
            let status = Command::new("mount").args(["-o", option]).arg(self.dir.path()).status().expect("mount");
            assert!(status.success(), "{option}");
            return;
        }
        for path in all_paths(&self.dir.path().join("log")) {
            let owner = if path.is_dir() { 0o500 } else { 0o400 } | if writable { 0o200 } else { 0 };
            fs::set_permissions(&path, Permissions::from_mode(owner)).expect("mode");
        }
    }
}

impl Drop for SwitchableDisk {
    fn drop(&mut self) {
        if self.mounted {
            drop(Command::new("umount").arg("-l").arg(self.dir.path()).status());
        }
    }
}

#[test]
fn a_log_on_a_read_only_disk_is_refused_and_taken_once_the_disk_is_writable() {
    run_test(async {
        let disk = SwitchableDisk::new();
        let log = LogFixture::with_config(LogConfig::embedded(disk.dir.path().join("log")));
        log.topic("events", 2).await;
        drop(log_in_use(&log).await);
        // A killed process leaves SQLite's shared-memory files, with which a read-only connection opens without an error.
        let process = TestProcess::start(&log, "append 10");
        process.wait_for("ack ");
        let acknowledged = 1 + process.kill().iter().filter(|line| line.starts_with("ack ")).count();
        disk.set(false);
        let reader = open_reader(&log.config, options(&["events"], member(0, 1))).await.map(|_| ());
        for refused in [open_writer(&log.config).await.map(|_| ()), reader] {
            let error = expect_error(refused);
            assert!(matches!(error, LogError::ReadOnly { .. }) && error.is_transient(), "{error}");
        }
        disk.set(true);
        append_all(&*log.writer().await, numbered("events", 9, 0..10)).await;
        let stored = log.read_all(&["events"]).await.values().map(Vec::len).sum::<usize>();
        assert!(stored >= 20 + acknowledged, "{stored} records, {acknowledged} of them acknowledged before the kill");
    });
}

#[test]
fn a_writer_goes_on_once_its_file_is_back() {
    run_test(async {
        let log = LogFixture::embedded();
        log.topic("events", 2).await;
        let writer = log.writer().await;
        append_all(&*writer, numbered("events", 9, 0..10)).await;
        let away = log.dir().with_extension("away");
        fs::rename(log.dir(), &away).expect("rename");
        for outcome in within_deadline("append", writer.append(numbered("events", 9, 10..20))).await {
            assert!(matches!(outcome, Err(LogError::Replaced { .. })), "{outcome:?}");
        }
        fs::rename(&away, log.dir()).expect("rename");
        within_deadline("ready", writer.ready()).await.expect("ready again");
        append_all(&*writer, numbered("events", 9, 20..30)).await;
        assert_eq!(log.read_all(&["events"]).await.values().map(Vec::len).sum::<usize>(), 20);
    });
}
