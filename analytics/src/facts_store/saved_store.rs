//! The facts store on disk: the roll of a campaign and who attended which meeting, so that the next calculation reads only what changed.
//!
//! A folder has Arrow files and a manifest, which names them and says what they are true for. The manifest is replaced last. People at counted
//! meetings are saved in the order in which they are counted, by person. A renewal adds a file with the lists of the meetings that changed; after
//! sixteen files everything is written again.
//!
//! Guarantees: the folder only saves time. If it is missing, damaged, half written, of another version or of another log, everything is
//! read from the warehouse and saved anew. Files can be read by their owner only: they have the pseudonyms of the roll and who met whom.
//! One process at a time saves; another one that wants to does without.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use polars::{frame::DataFrame, prelude::PolarsResult};
use qamtu_schemas::id::{CampaignId, ImportId, MeetingId, PrecinctId};
use serde::{Deserialize, Serialize};

use super::{
    FactsStore,
    arrow_file::{ArrowFile, write_whole},
    attendance_frames,
    attendance_lists::AttendanceLists,
    order_frames, people_frames,
    saved_order::{SavedAttendance, SavedOrder},
};
use crate::{
    error::AnalyticsError,
    facts::{Facts, LogEnd},
    roll::{Roll, RollId},
    snapshot_identity::{Offset, Selection},
};

/// Version of the files, and of how their contents are made from records. Raise it when either changes.
const VERSION: u32 = 2;

/// Age at which a store is not renewed any more, but read as a whole. So an error of the warehouse that was repaired since does not stay.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(1);

/// Files of lists after which everything is written again.
const MAX_FILES: usize = 16;

/// A line with the checksum of the rest, which is a [`Manifest`] as JSON.
const MANIFEST: &str = "manifest";
const LOCK: &str = "lock";
/// How the names of data files end.
const DATA: &str = ".arrow";

/// What the files of a folder are true for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    campaign: CampaignId,
    offsets: Vec<Offset>,
    as_of: Timestamp,
    /// When everything was read, by the server's clock.
    read: Timestamp,
    log_end: LogEnd,
    reversed: BTreeSet<ImportId>,
    roll: RollId,
    roll_fingerprint: u64,
    precincts: Vec<PrecinctId>,
    voters: usize,
    people: ArrowFile,
    /// The people at the counted meetings of the first file of `attendance`, by person.
    order: ArrowFile,
    /// The lists of all meetings, without people if these are in `order`, then those that were read anew, in the order in which they were saved.
    attendance: Vec<ArrowFile>,
}

fn checksum(json: &str) -> String {
    format!("{:08x}", crc32fast::hash(json.as_bytes()))
}

/// The folder of a campaign's facts store.
#[derive(Debug, Clone)]
pub struct StoreFolder {
    path: PathBuf,
}

/// A store on disk whose manifest was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedStore {
    folder: PathBuf,
    manifest: Manifest,
}

/// What is saved beside the store itself.
#[derive(Debug)]
pub struct SaveInputs {
    /// The end of the log that the facts come from.
    pub log_end: LogEnd,
    /// When everything was read, by the server's clock.
    pub read: Timestamp,
    /// The store whose file with the roll is still right.
    pub same_roll: Option<SavedStore>,
    /// The store that this one was renewed from, and the meetings that changed since.
    pub renewed: Option<(SavedStore, BTreeSet<MeetingId>)>,
}

impl StoreFolder {
    /// The folder of a campaign in the directory of the service, which must exist; the folder need not.
    pub fn new(dir: &Path, campaign: &CampaignId) -> Self {
        Self { path: dir.join(format!("facts-{campaign}")) }
    }

    /// The saved store, if there is one that this version can read.
    pub fn open(&self) -> Option<SavedStore> {
        let text = fs::read_to_string(self.path.join(MANIFEST)).ok()?;
        let (checksum, json) = text.split_once('\n')?;
        if checksum != self::checksum(json) {
            return None;
        }
        let manifest: Manifest = serde_json::from_str(json).ok().filter(|manifest: &Manifest| manifest.version == VERSION)?;
        Some(SavedStore { folder: self.path.clone(), manifest })
    }

    /// Saves a store whose roll decides about eligibility. Does nothing while another process is saving, or if a store of later records was
    /// saved.
    pub fn save(&self, store: &FactsStore, inputs: &SaveInputs) -> Result<(), AnalyticsError> {
        self.locked(|| self.save_locked(store, inputs))
    }

    /// Deletes the store, if there is one.
    pub fn delete(&self) -> Result<(), AnalyticsError> {
        if !self.path.exists() {
            return Ok(());
        }
        self.locked(|| {
            fs::remove_file(self.path.join(MANIFEST))
                .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
            self.delete_data(&[])
        })
    }

    fn locked(&self, work: impl FnOnce() -> io::Result<()>) -> Result<(), AnalyticsError> {
        let try_work = || {
            match DirBuilder::new().mode(0o700).create(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => fs::set_permissions(&self.path, Permissions::from_mode(0o700))?,
            }
            let lock = File::create(self.path.join(LOCK))?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let worked = work();
            lock.unlock()?;
            worked
        };
        try_work().map_err(|source| AnalyticsError::Write { path: self.path.clone(), source })
    }

    fn save_locked(&self, store: &FactsStore, inputs: &SaveInputs) -> io::Result<()> {
        let facts = store.facts();
        let present = self.open();
        if present.as_ref().is_some_and(|present| present.outdates(&facts.selection, Timestamp::now())) {
            return Ok(());
        }
        let name = |what: &str| format!("{what}-{}-{:x}{DATA}", std::process::id(), Timestamp::now().as_nanosecond());
        // Another process may have replaced the files meanwhile.
        let present_is = |same: &&SavedStore| present.as_ref() == Some(*same);
        let people = match inputs.same_roll.as_ref().filter(present_is) {
            Some(same) => same.manifest.people.clone(),
            None => ArrowFile::write(&self.path, name("people"), people_frames::frames(&facts.roll))?,
        };
        let renewed =
            inputs.renewed.as_ref().filter(|(previous, _)| present_is(&previous) && previous.manifest.attendance.len() < MAX_FILES);
        let write = |frames: &mut dyn Iterator<Item = PolarsResult<DataFrame>>| ArrowFile::write(&self.path, name("attendance"), frames);
        let (order, attendance) = match renewed {
            Some((SavedStore { manifest: previous, .. }, changed)) => {
                let mut attendance = previous.attendance.clone();
                if !changed.is_empty() {
                    attendance.push(write(&mut attendance_frames::frames(store.attendance().of_meetings(changed)))?);
                }
                (previous.order.clone(), attendance)
            }
            None => {
                let lists = store.attendance();
                let order = ArrowFile::write(&self.path, name("order"), order_frames::frames(store.person_meetings(), lists))?;
                (order, vec![write(&mut attendance_frames::frames(lists.beside_order(&facts.meetings)))?])
            }
        };
        let manifest = Manifest::of(facts, inputs, [people, order], attendance);
        let json = serde_json::to_string(&manifest).map_err(io::Error::other)?;
        write_whole(&self.path, MANIFEST, |file| write!(file, "{}\n{json}", checksum(&json)))?;
        let files: Vec<&ArrowFile> = [&manifest.people, &manifest.order].into_iter().chain(&manifest.attendance).collect();
        self.delete_data(&files)
    }

    /// Deletes data files but the named ones: those of earlier stores, and what an interrupted save left.
    fn delete_data(&self, named: &[&ArrowFile]) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_string_lossy().ends_with(DATA) && !named.iter().any(|file| name == *file.name) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Manifest {
    fn of(facts: &Facts, inputs: &SaveInputs, [people, order]: [ArrowFile; 2], attendance: Vec<ArrowFile>) -> Self {
        let Selection { campaign, offsets, as_of } = facts.selection.clone();
        Self {
            version: VERSION,
            campaign,
            offsets,
            as_of,
            read: inputs.read,
            log_end: inputs.log_end.clone(),
            reversed: facts.reference.reversed().clone(),
            roll: facts.roll_id.clone(),
            roll_fingerprint: facts.roll.fingerprint(),
            precincts: facts.roll.precincts().to_vec(),
            voters: facts.roll.len(),
            people,
            order,
            attendance,
        }
    }
}

impl SavedStore {
    /// The records that it is true for.
    pub fn selection(&self) -> Selection {
        let Manifest { campaign, offsets, as_of, .. } = &self.manifest;
        Selection { campaign: campaign.clone(), offsets: offsets.clone(), as_of: *as_of }
    }

    /// When everything was read, by the server's clock.
    pub fn read(&self) -> Timestamp {
        self.manifest.read
    }

    /// Whether a store of a later selection may be made of this one: it lacks no record of this one, and not everything has to be read again.
    pub fn precedes(&self, later: &Selection, now: Timestamp) -> bool {
        let age = now.duration_since(self.manifest.read);
        self.selection().is_within(later) && (SignedDuration::ZERO..MAX_AGE).contains(&age)
    }

    /// Whether its lists are those of the same log and roll as `facts`. `log_end` is the end of the log at the offsets of this store.
    pub fn fits(&self, facts: &Facts, log_end: &LogEnd) -> bool {
        let manifest = &self.manifest;
        !log_end.is_empty()
            && manifest.log_end == *log_end
            && manifest.roll == facts.roll_id
            && manifest.roll_fingerprint == facts.roll.fingerprint()
            && manifest.reversed.is_subset(facts.reference.reversed())
    }

    /// Whether it stays in place of a store of another selection: it has all of its records and further ones, and can still be renewed.
    fn outdates(&self, other: &Selection, now: Timestamp) -> bool {
        let own = self.selection();
        other.is_within(&own) && own != *other && now.duration_since(self.manifest.read) < MAX_AGE
    }

    /// The roll, if it is the wanted one and its file is whole.
    pub fn roll(&self, wanted: &RollId) -> Option<Roll> {
        if self.manifest.roll != *wanted {
            return None;
        }
        let mut roll = Roll::to_fill(self.manifest.precincts.clone(), self.manifest.voters);
        let read = self.manifest.people.read(&self.folder, |frame| people_frames::read(frame, &mut roll));
        self.whole(&self.manifest.people, read)?;
        roll.filled(self.manifest.voters)
    }

    /// Who attended which meeting, if all files are whole. True only with facts that this store [`fits`](Self::fits).
    pub fn attendance(&self) -> Option<SavedAttendance> {
        let lists = |file: &ArrowFile, has_order| {
            let mut lists = AttendanceLists::default();
            let read = |frame: &DataFrame| attendance_frames::read(frame, &mut lists, self.manifest.voters, has_order);
            self.whole(file, file.read(&self.folder, read)).map(|()| lists)
        };
        let (all, changes) = self.manifest.attendance.split_first()?;
        let (mut order, mut lists, changes) =
            (SavedOrder::default(), lists(all, true)?, changes.iter().map(|file| lists(file, false)).collect::<Option<Vec<_>>>()?);
        let number = lists.len();
        let file = &self.manifest.order;
        self.whole(file, file.read(&self.folder, |frame| order_frames::read(frame, &mut order, self.manifest.voters, number)))?;
        changes.into_iter().for_each(|newer| lists.replace(newer));
        lists.remove_empty();
        Some(SavedAttendance { lists, order })
    }

    /// Logs why a file was not read.
    fn whole(&self, file: &ArrowFile, read: io::Result<()>) -> Option<()> {
        let path = self.folder.join(&file.name);
        match &read {
            // Another process replaced the store meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(file = %path.display(), %error, "the facts store is damaged: everything is read again"),
            Ok(()) => {}
        }
        read.ok()
    }
}
