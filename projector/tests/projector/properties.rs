//! Pure properties: replay, repetition and any cut of a sequence give the same rows; the protocol holds in every interleaving.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use proptest::{collection::vec, prelude::*};
use qamtu_log::{Partition, Record};
use qamtu_projector::{
    batch::{Batch, OpenBatch},
    batches::Batches,
    config::Limits,
    decode::decode,
    progress::{Progress, Start},
    project::project,
};
use qamtu_schemas::{
    Event,
    testing::strategies::{data, event},
};

use crate::{events::records, model::Tables};

fn partition() -> Partition {
    Partition::new("events", 0)
}

fn some_events() -> impl Strategy<Value = Vec<Event>> {
    vec(event(data()), 1..40)
}

fn limits(rows: usize, bytes: usize) -> Limits {
    let (linger, linger_behind) = (Duration::from_millis(500), Duration::from_secs(2));
    Limits { rows, bytes, linger, linger_behind, writers: 2, memory: usize::MAX }
}

fn insert(tables: &mut Tables, records: &[Record]) {
    for record in records {
        tables.insert(&project(record, &decode(record)));
    }
}

fn once(records: &[Record]) -> Tables {
    let mut tables = Tables::default();
    insert(&mut tables, records);
    tables
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_replay_in_any_order_gives_the_same_tables(
        events in some_events(),
        replays in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..12),
        order in any::<prop::sample::Index>(),
    ) {
        let records = records(&partition(), &events);
        let expected = once(&records);
        let mut ranges = vec![(0, records.len())];
        for (from, to) in replays {
            let (from, to) = (from.index(records.len()), to.index(records.len()));
            ranges.push((from.min(to), from.max(to) + 1));
        }
        let turn = order.index(ranges.len());
        ranges.rotate_left(turn);
        let mut tables = Tables::default();
        for (from, to) in ranges {
            insert(&mut tables, &records[from..to]);
        }
        prop_assert_eq!(tables, expected);
    }

    #[test]
    fn batches_are_contiguous_and_together_the_whole(events in some_events(), rows in 1..20_usize, bytes in 100..20_000_usize) {
        let records = records(&partition(), &events);
        let now = Instant::now();
        let mut batches = Batches::new(limits(rows, bytes));
        let mut cut: Vec<Batch> = Vec::new();
        for record in &records {
            batches.add(record, &project(record, &decode(record)), now);
            while let Some(batch) = batches.take_due(now) {
                batches.written(&batch.partition, now);
                cut.push(batch);
            }
        }
        while let Some(batch) = batches.take_due(now + Duration::from_secs(2)) {
            batches.written(&batch.partition, now);
            cut.push(batch);
        }
        prop_assert_eq!(batches.bytes(), 0);
        let mut next = 0;
        let mut together: BTreeMap<_, Vec<u8>> = BTreeMap::new();
        for batch in &cut {
            prop_assert_eq!(batch.first, next);
            prop_assert!(batch.next > batch.first);
            prop_assert!(batch.inserts.is_sorted_by_key(|insert| insert.table));
            next = batch.next;
            for insert in &batch.inserts {
                together.entry(insert.table).or_default().extend_from_slice(&insert.bytes);
            }
        }
        prop_assert_eq!(next, records.len() as u64);
        let mut whole = OpenBatch::new(&records[0], now);
        for record in &records {
            whole.add(record, &project(record, &decode(record)));
        }
        let whole: BTreeMap<_, _> = whole.seal().inserts.into_iter().map(|insert| (insert.table, insert.bytes.to_vec())).collect();
        prop_assert_eq!(together, whole);
    }

    #[test]
    fn the_same_range_has_the_same_bytes_and_token(events in some_events()) {
        let records = records(&partition(), &events);
        let sealed = || crate::rig::batch(&records).seal();
        prop_assert_eq!(sealed(), sealed());
    }

    #[test]
    fn the_protocol_holds_in_every_interleaving(events in some_events(), steps in vec(step(), 1..60)) {
        let records = records(&partition(), &events);
        let mut world = World::new(&records);
        for step in steps {
            world.step(step)?;
        }
        world.finish()?;
        prop_assert_eq!(world.tables, once(&records));
    }
}

/// What may happen to the projector and its inserts.
#[derive(Debug, Clone)]
enum Step {
    /// The log delivers so many records.
    Deliver(usize),
    /// The next insert of the batch that is being written lands and is acknowledged.
    Insert,
    /// It lands, but the acknowledgement is lost: it will be sent again with the same token.
    LostReply,
    /// The process dies. An insert that was under way may land later.
    Crash { under_way: bool },
    /// What was left under way by a dead process lands now.
    Late,
    /// The server forgets its tokens.
    WindowPasses,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..8_usize).prop_map(Step::Deliver),
        5 => Just(Step::Insert),
        2 => Just(Step::LostReply),
        2 => any::<bool>().prop_map(|under_way| Step::Crash { under_way }),
        2 => Just(Step::Late),
        1 => Just(Step::WindowPasses),
    ]
}

/// A log, a server, and a projector made of the real batches and the real progress.
struct World<'a> {
    records: &'a [Record],
    tables: Tables,
    tokens: Vec<String>,
    zombies: Vec<(Batch, usize)>,
    committed: u64,
    batches: Batches,
    progress: Progress,
    read: usize,
    writing: Option<(Batch, usize)>,
}

impl<'a> World<'a> {
    fn new(records: &'a [Record]) -> Self {
        let mut world = Self {
            records,
            tables: Tables::default(),
            tokens: Vec::new(),
            zombies: Vec::new(),
            committed: 0,
            batches: Batches::new(limits(4, 4_000)),
            progress: Progress::default(),
            read: 0,
            writing: None,
        };
        world.start();
        world
    }

    /// First offset that the log copy lacks.
    fn whole_below(&self) -> u64 {
        let receipts = self.tables.receipts();
        (0..).find(|offset| !receipts.contains(offset)).unwrap()
    }

    fn start(&mut self) {
        let start = self.whole_below();
        self.batches.clear();
        self.progress = Progress::default();
        self.progress.assign(vec![Start { partition: partition(), at: start, missing: Vec::new(), end: start }]);
        self.read = start as usize;
        self.writing = None;
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Deliver(count) => self.deliver(count),
            Step::Insert => self.insert(true),
            Step::LostReply => self.insert(false),
            Step::Crash { under_way } => {
                self.zombies.extend(self.writing.take().filter(|_| under_way));
                self.start();
            }
            Step::Late => {
                if let Some((batch, insert)) = self.zombies.pop() {
                    self.land(&batch, insert);
                }
            }
            Step::WindowPasses => self.tokens.clear(),
        }
        prop_assert!(self.committed <= self.whole_below(), "a commit passed the receipt");
        Ok(())
    }

    fn deliver(&mut self, count: usize) {
        let to = (self.read + count).min(self.records.len());
        for record in &self.records[self.read..to] {
            assert!(self.progress.take(record));
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
        self.land(&batch, insert);
        if !acknowledged {
            return;
        }
        if insert + 1 < batch.inserts.len() {
            self.writing = Some((batch, insert + 1));
            return;
        }
        self.writing = None;
        self.batches.written(&batch.partition, Instant::now());
        self.progress.written(&batch.partition, &batch.range());
        let due = self.progress.uncommitted(|_| true);
        self.committed = self.committed.max(due[0].offset);
        self.progress.committed(&due, Instant::now());
    }

    /// The server takes an insert, unless it knows its token.
    fn land(&mut self, batch: &Batch, insert: usize) {
        let insert = &batch.inserts[insert];
        let token = format!("{:?}:{}", insert.table, insert.token);
        if self.tokens.contains(&token) {
            return;
        }
        self.tokens.push(token);
        for record in &self.records[batch.first as usize..batch.next as usize] {
            let fate = decode(record);
            let rows = project(record, &fate);
            let of_table: Vec<_> = rows.into_iter().filter(|row| row.table() == insert.table).collect();
            self.tables.insert(&of_table);
        }
    }

    /// Faults stop: everything is read and written.
    fn finish(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..10_000 {
            self.step(Step::Deliver(8))?;
            self.step(Step::Insert)?;
            if self.whole_below() == self.records.len() as u64 {
                while !self.zombies.is_empty() {
                    self.step(Step::Late)?;
                }
                return Ok(());
            }
        }
        Err(TestCaseError::fail("the tables never became whole"))
    }
}
