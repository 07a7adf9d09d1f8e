//! Properties without I/O: replays, duplicates and batch boundaries do not change the rows; every record is projected exactly once in every interleaving.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*};
use qamtu_log::{Partition, Record};
use qamtu_projector::{
    batch::{Batch, OpenBatch},
    batch_queue::BatchQueue,
    config::BatchLimits,
    decode::decode,
    progress::{Progress, StartPosition},
    projection::project,
};
use qamtu_schemas::{
    Event,
    testing::strategies::{data, event},
};

use crate::{events::records, model::Tables};

fn partition() -> Partition {
    Partition::new("events", 0)
}

fn any_events() -> impl Strategy<Value = Vec<Event>> {
    vec(event(data()), 1..40)
}

fn limits(rows: usize, bytes: usize) -> BatchLimits {
    let (linger, linger_behind) = (Duration::from_millis(500), Duration::from_secs(2));
    BatchLimits { rows, bytes, linger, linger_behind, writers: 2, memory: usize::MAX }
}

fn insert(tables: &mut Tables, records: &[Record]) {
    for record in records {
        tables.insert(&project(record, &decode(record)));
    }
}

fn tables_of(records: &[Record]) -> Tables {
    let mut tables = Tables::default();
    insert(&mut tables, records);
    tables
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_replay_in_any_order_gives_the_same_tables(
        events in any_events(),
        replays in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..12),
        order in any::<prop::sample::Index>(),
    ) {
        let records = records(&partition(), &events);
        let expected = tables_of(&records);
        let mut ranges = vec![(0, records.len())];
        for (from, to) in replays {
            let (from, to) = (from.index(records.len()), to.index(records.len()));
            ranges.push((from.min(to), from.max(to) + 1));
        }
        let shift = order.index(ranges.len());
        ranges.rotate_left(shift);
        let mut tables = Tables::default();
        for (from, to) in ranges {
            insert(&mut tables, &records[from..to]);
        }
        prop_assert_eq!(tables, expected);
    }

    #[test]
    fn batches_are_contiguous_and_cover_every_record(events in any_events(), rows in 1..20_usize, bytes in 100..20_000_usize) {
        let records = records(&partition(), &events);
        let now = Instant::now();
        let mut batches = BatchQueue::new(limits(rows, bytes));
        let mut sealed: Vec<Batch> = Vec::new();
        for record in &records {
            batches.add(record, &project(record, &decode(record)), now);
            while let Some(batch) = batches.take_due(now) {
                batches.mark_written(&batch.partition, now);
                sealed.push(batch);
            }
        }
        while let Some(batch) = batches.take_due(now + Duration::from_secs(2)) {
            batches.mark_written(&batch.partition, now);
            sealed.push(batch);
        }
        prop_assert_eq!(batches.bytes(), 0);
        let mut next = 0;
        let mut combined: BTreeMap<_, Vec<u8>> = BTreeMap::new();
        for batch in &sealed {
            prop_assert_eq!(batch.first_offset, next);
            prop_assert!(batch.end_offset > batch.first_offset);
            prop_assert!(batch.inserts.is_sorted_by_key(|insert| insert.table));
            next = batch.end_offset;
            for insert in &batch.inserts {
                combined.entry(insert.table).or_default().extend_from_slice(&insert.bytes);
            }
        }
        prop_assert_eq!(next, records.len() as u64);
        let mut single = OpenBatch::new(&records[0], now);
        for record in &records {
            single.add(record, &project(record, &decode(record)));
        }
        let single: BTreeMap<_, _> = single.seal().inserts.into_iter().map(|insert| (insert.table, insert.bytes.to_vec())).collect();
        prop_assert_eq!(combined, single);
    }

    #[test]
    fn the_same_range_has_the_same_bytes_and_token(events in any_events()) {
        let records = records(&partition(), &events);
        let sealed = || crate::fixture::batch(&records).seal();
        prop_assert_eq!(sealed(), sealed());
    }

    #[test]
    fn every_interleaving_writes_every_record_exactly_once(events in any_events(), steps in vec(step(), 1..60)) {
        let records = records(&partition(), &events);
        let mut simulation = Simulation::new(&records);
        for step in steps {
            simulation.step(step)?;
        }
        simulation.finish()?;
        prop_assert_eq!(simulation.tables, tables_of(&records));
    }
}

/// Events in the life of the projector and its inserts.
#[derive(Debug, Clone)]
enum Step {
    /// The log delivers this many records.
    Deliver(usize),
    /// The next insert of the current batch is applied and acknowledged.
    Insert,
    /// The insert is applied, but its response is lost: it will be retried with the same token.
    LostResponse,
    /// The process dies. An insert in flight may be applied later.
    Crash { in_flight: bool },
    /// An insert that a dead process left in flight is applied.
    LateInsert,
    /// The deduplication window passes: the server forgets its tokens.
    TokensExpire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..8_usize).prop_map(Step::Deliver),
        5 => Just(Step::Insert),
        2 => Just(Step::LostResponse),
        2 => any::<bool>().prop_map(|in_flight| Step::Crash { in_flight }),
        2 => Just(Step::LateInsert),
        1 => Just(Step::TokensExpire),
    ]
}

/// A simulated log and server, and a projector with the real `BatchQueue` and `Progress`.
struct Simulation<'a> {
    records: &'a [Record],
    tables: Tables,
    tokens: Vec<String>,
    late_inserts: Vec<(Batch, usize)>,
    committed: u64,
    batches: BatchQueue,
    progress: Progress,
    read: usize,
    writing: Option<(Batch, usize)>,
}

impl<'a> Simulation<'a> {
    fn new(records: &'a [Record]) -> Self {
        let mut simulation = Self {
            records,
            tables: Tables::default(),
            tokens: Vec::new(),
            late_inserts: Vec::new(),
            committed: 0,
            batches: BatchQueue::new(limits(4, 4_000)),
            progress: Progress::default(),
            read: 0,
            writing: None,
        };
        simulation.start();
        simulation
    }

    /// First offset without a log copy row.
    fn contiguous_offset(&self) -> u64 {
        let offsets = self.tables.log_copy_offsets();
        (0..).find(|offset| !offsets.contains(offset)).unwrap()
    }

    fn start(&mut self) {
        let start = self.contiguous_offset();
        self.batches.clear();
        self.progress = Progress::default();
        self.progress.assign(vec![StartPosition { partition: partition(), read_from: start, missing: Vec::new(), new_from: start }]);
        self.read = start as usize;
        self.writing = None;
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Deliver(count) => self.deliver(count),
            Step::Insert => self.insert(true),
            Step::LostResponse => self.insert(false),
            Step::Crash { in_flight } => {
                self.late_inserts.extend(self.writing.take().filter(|_| in_flight));
                self.start();
            }
            Step::LateInsert => {
                if let Some((batch, insert)) = self.late_inserts.pop() {
                    self.apply(&batch, insert);
                }
            }
            Step::TokensExpire => self.tokens.clear(),
        }
        prop_assert!(self.committed <= self.contiguous_offset(), "a commit passed the log copy");
        Ok(())
    }

    fn deliver(&mut self, count: usize) {
        let to = (self.read + count).min(self.records.len());
        for record in &self.records[self.read..to] {
            assert!(self.progress.mark_delivered(record));
            self.batches.add(record, &project(record, &decode(record)), Instant::now());
        }
        self.read = to;
    }

    fn insert(&mut self, acknowledged: bool) {
        if self.writing.is_none() {
            let later = Instant::now() + Duration::from_secs(60);
            self.writing = self.batches.take_due(later).map(|batch| (batch, 0));
        }
        let Some((batch, insert)) = self.writing.clone() else { return };
        self.apply(&batch, insert);
        if !acknowledged {
            return;
        }
        if insert + 1 < batch.inserts.len() {
            self.writing = Some((batch, insert + 1));
            return;
        }
        self.writing = None;
        self.batches.mark_written(&batch.partition, Instant::now());
        self.progress.mark_written(&batch.partition, &batch.range());
        let due = self.progress.uncommitted(|_| true);
        self.committed = self.committed.max(due[0].offset);
        self.progress.mark_committed(&due, Instant::now());
    }

    /// Applies an insert unless the server knows its token.
    fn apply(&mut self, batch: &Batch, insert: usize) {
        let insert = &batch.inserts[insert];
        let token = format!("{:?}:{}", insert.table, insert.token);
        if self.tokens.contains(&token) {
            return;
        }
        self.tokens.push(token);
        for record in &self.records[batch.first_offset as usize..batch.end_offset as usize] {
            let decoded = decode(record);
            let rows = project(record, &decoded);
            let of_table: Vec<_> = rows.into_iter().filter(|row| row.table() == insert.table).collect();
            self.tables.insert(&of_table);
        }
    }

    /// Reads and writes everything without further faults.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..10_000 {
            self.step(Step::Deliver(8))?;
            self.step(Step::Insert)?;
            if self.contiguous_offset() == self.records.len() as u64 {
                while !self.late_inserts.is_empty() {
                    self.step(Step::LateInsert)?;
                }
                return Ok(());
            }
        }
        Err(TestCaseError::fail("the tables never became complete"))
    }
}
