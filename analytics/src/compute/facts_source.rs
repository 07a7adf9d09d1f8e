//! Reads a selection into a facts store: from the warehouse, or from the store on disk and what changed since.
//!
//! Guarantees: both ways give the same store, unless the warehouse lost rows and got them again. A store on disk is renewed only if it has
//! the same log and roll, and no record that the selection lacks; otherwise everything is read, and so an hour after the last time. A failure
//! to save is logged, and the figures are returned all the same.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use jiff::Timestamp;
use polars::frame::DataFrame;
use qamtu_schemas::id::MeetingId;
use qamtu_service::telemetry::error_chain;
use tokio::task::spawn_blocking;

use super::attendance;
use crate::{
    config::Config,
    error::AnalyticsError,
    facts::{ArrowBatches, Facts, LogEnd, WarehouseReader},
    facts_store::{
        AttendanceCollector, FactsStore, SaveInputs, SavedAttendance, SavedStore, StoreFolder, has_other_meetings, roll_decides,
    },
    roll::{Roll, RollId},
    snapshot_identity::Selection,
};

/// Attendances of changed meetings that are held in memory until they are counted, of some fifty bytes. If there are more, everything is
/// read.
const MAX_CHANGED_ROWS: usize = 1_000_000;

/// Where facts come from.
#[derive(Clone)]
pub struct FactsSource {
    /// Reads the views of the warehouse.
    pub warehouse: WarehouseReader,
    /// Directory of this service, which has a folder with the facts store of each campaign. None reads everything from the warehouse.
    pub dir: Option<PathBuf>,
    /// Whether stores are saved there.
    pub saves: bool,
}

/// The attendance of the store on disk that is still true, and that of the meetings that changed.
struct Renewal {
    saved: SavedStore,
    kept: SavedAttendance,
    changed: BTreeSet<MeetingId>,
    attendance: Vec<DataFrame>,
}

impl FactsSource {
    /// The warehouse and the directory of the settings, where stores are saved.
    pub fn new(config: &Config) -> Self {
        Self { warehouse: WarehouseReader::new(&config.clickhouse), dir: Some(config.analytics.dir.clone()), saves: true }
    }

    /// The same, but nothing is saved.
    pub fn without_saving(self) -> Self {
        Self { saves: false, ..self }
    }

    /// Reads the facts of a selection, and runs `work` over them on a blocking thread. `work` may keep the store.
    pub async fn with_store<T: Send + 'static>(
        &self,
        selection: Selection,
        work: impl FnOnce(&Arc<FactsStore>) -> Result<T, AnalyticsError> + Send + 'static,
    ) -> Result<T, AnalyticsError> {
        let folder = self.dir.as_ref().map(|dir| StoreFolder::new(dir, &selection.campaign));
        let saved = folder.as_ref().and_then(StoreFolder::open).filter(|saved| saved.precedes(&selection, Timestamp::now()));
        let is_roll_saved = Arc::new(AtomicBool::new(false));
        let facts = self.warehouse.facts(selection.clone(), saved_roll(saved.clone(), Arc::clone(&is_roll_saved)));
        let log_ends = async {
            if folder.is_none() {
                return Ok([LogEnd::default(), LogEnd::default()]);
            }
            let since = saved.as_ref().map_or_else(|| selection.clone(), SavedStore::selection);
            self.warehouse.log_ends([&since, &selection]).await
        };
        let begin = Instant::now();
        let (facts, renewal, [saved_end, log_end]) = tokio::try_join!(facts, self.renewal(saved.as_ref(), &selection), log_ends)?;
        let facts_read = begin.elapsed();
        let with_residence = !roll_decides(&facts)?;
        let renewal = renewal.filter(|renewal| !with_residence && renewal.fits(&facts, &saved_end));
        let is_roll_saved = is_roll_saved.load(Ordering::Relaxed);
        let is_partly_saved = renewal.is_some() || is_roll_saved;
        let read = saved.as_ref().filter(|_| is_partly_saved).map_or_else(Timestamp::now, SavedStore::read);
        let inputs = SaveInputs {
            log_end,
            read,
            same_roll: saved.filter(|_| is_roll_saved),
            renewed: renewal.as_ref().map(|renewal| (renewal.saved.clone(), renewal.changed.clone())),
        };
        let save = folder.filter(|_| self.saves).map(|folder| Save { folder, inputs: (!with_residence).then_some(inputs) });
        let finish = move |store: FactsStore| {
            let store = Arc::new(store);
            std::thread::scope(|scope| {
                let saving = scope.spawn(|| save.iter().for_each(|save| save.run(&store)));
                let store_built = begin.elapsed();
                let worked = work(&store);
                tracing::debug!(?facts_read, ?store_built, worked = ?begin.elapsed(), "times since the first query for facts");
                if saving.join().is_err() {
                    tracing::error!("saving the facts store failed with a panic");
                }
                worked
            })
        };
        match renewal {
            Some(Renewal { kept, attendance, .. }) => {
                let collect = move |collector: &mut AttendanceCollector<'_>| {
                    attendance.iter().try_for_each(|frame| attendance::collect_frame(collector, frame))
                };
                let renewed = move || finish(FactsStore::renewed(facts, kept, collect)?);
                spawn_blocking(renewed).await.map_err(AnalyticsError::TaskFailed)?
            }
            None => {
                let reversed = facts.reference.reversed().clone();
                let read = move |batches| finish(FactsStore::new(facts, |collector| attendance::collect(collector, batches))?);
                self.warehouse.attendance(&selection, None, &reversed, with_residence, read).await
            }
        }
    }

    /// What changed since a store was saved; none if everything may have changed.
    async fn renewal(&self, saved: Option<&SavedStore>, selection: &Selection) -> Result<Option<Renewal>, AnalyticsError> {
        let Some(saved) = saved.cloned() else { return Ok(None) };
        let since = saved.selection();
        let source = saved.clone();
        let kept = async { spawn_blocking(move || source.attendance()).await.map_err(AnalyticsError::TaskFailed) };
        let changed = self.changed_attendance(&since, selection);
        let (changed, kept) = tokio::try_join!(changed, kept)?;
        Ok(kept.zip(changed).map(|(mut kept, (changed, attendance))| {
            kept.lists.remove(&changed);
            Renewal { saved, kept, changed, attendance }
        }))
    }

    /// The meetings that changed, and their attendance without residences: a store is saved only if the roll decides about eligibility.
    async fn changed_attendance(
        &self,
        since: &Selection,
        selection: &Selection,
    ) -> Result<Option<(BTreeSet<MeetingId>, Vec<DataFrame>)>, AnalyticsError> {
        // A condition that lists the imports costs a fraction of one with a subquery.
        let (changed, reversed) =
            tokio::try_join!(self.warehouse.changed_meetings(since, selection), self.warehouse.reversed_imports(selection))?;
        let Some(changed) = changed else { return Ok(None) };
        if changed.is_empty() {
            return Ok(Some((changed, Vec::new())));
        }
        let attendance = self.warehouse.attendance(selection, Some(&changed), &reversed, false, collect_frames).await?;
        Ok(attendance.map(|attendance| (changed, attendance)))
    }
}

/// All batches in memory; none if they are too many.
fn collect_frames(batches: ArrowBatches) -> Result<Option<Vec<DataFrame>>, AnalyticsError> {
    let mut frames: Vec<DataFrame> = Vec::new();
    for frame in batches {
        frames.push(frame?);
        if frames.iter().map(DataFrame::height).sum::<usize>() > MAX_CHANGED_ROWS {
            return Ok(None);
        }
    }
    Ok(Some(frames))
}

/// Reads the roll of a saved store, if it is the wanted one, and tells whether it did.
fn saved_roll(saved: Option<SavedStore>, is_read: Arc<AtomicBool>) -> impl FnOnce(&RollId) -> Option<Roll> + Send + 'static {
    move |wanted| {
        let roll = saved?.roll(wanted);
        is_read.store(roll.is_some(), Ordering::Relaxed);
        roll
    }
}

impl Renewal {
    /// Whether the attendance is that of the facts. Whether people are counted depends on the audience and the report of their meeting. `log_end` is
    /// the end of the log at the offsets of the saved store, as it is now.
    fn fits(&self, facts: &Facts, log_end: &LogEnd) -> bool {
        self.saved.fits(facts, log_end) && !has_other_meetings(facts, &self.kept)
    }
}

/// What happens to the folder: a store is saved or, without inputs, deleted, since it is true no longer and has who met whom.
struct Save {
    folder: StoreFolder,
    inputs: Option<SaveInputs>,
}

impl Save {
    fn run(&self, store: &FactsStore) {
        let done = self.inputs.as_ref().map_or_else(|| self.folder.delete(), |inputs| self.folder.save(store, inputs));
        if let Err(error) = done {
            tracing::warn!(error = error_chain(&error), "the facts store is not saved: the next calculation reads more");
        }
    }
}
