//! Collects the results of surveys from their events.
//!
//! Guarantees: the results depend on the set of events alone, not on their order, repetition or a clock. Of two bodies of one event the
//! one received first wins. Of several events about one survey the one with the highest id counts, and the survey is contested if another
//! one has another result. Events of a reversed import are ignored, which is how a result is taken back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    envelope::{Event, Precedence},
    event::{Data, SurveyReported},
    id::{EventId, ImportId, SurveyId},
};

/// The result of a survey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurveyResult {
    /// What was reported.
    pub report: SurveyReported,
    /// When the survey was made.
    pub time: Timestamp,
    /// Whether another event has another result of the same survey.
    pub contested: bool,
}

/// The body that wins among those of its event that were inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WinningBody {
    precedence: Precedence,
    import: Option<ImportId>,
    time: Timestamp,
    report: SurveyReported,
}

/// The surveys of one campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surveys {
    events: BTreeMap<EventId, WinningBody>,
}

impl Surveys {
    /// Adds an event if it is about a survey; idempotent.
    pub fn insert(&mut self, Event { envelope, data }: &Event) {
        let Data::SurveyReported(report) = data else { return };
        let precedence = envelope.precedence();
        if self.events.get(&envelope.id).is_none_or(|winning| precedence < winning.precedence) {
            let body = WinningBody { precedence, import: envelope.import, time: envelope.time, report: report.clone() };
            self.events.insert(envelope.id, body);
        }
    }

    /// The result of each survey, by its id. Events of reversed imports are left out.
    pub fn results(&self, reversed: &BTreeSet<ImportId>) -> BTreeMap<SurveyId, SurveyResult> {
        let mut results: BTreeMap<SurveyId, SurveyResult> = BTreeMap::new();
        let live = self.events.values().filter(|body| body.import.is_none_or(|import| !reversed.contains(&import)));
        for WinningBody { time, report, .. } in live {
            let before = results.get(&report.survey);
            let contested = before.is_some_and(|before| before.contested || before.report != *report || before.time != *time);
            results.insert(report.survey.clone(), SurveyResult { report: report.clone(), time: *time, contested });
        }
        results
    }
}
