//! Verification: what recounts and surveys of others say about the counted figures. None of it changes a figure.
//!
//! 1. [`recounts`] compares headcounts with the recounts that replaced them.
//! 2. [`surveys`] compares the share of the asked who had been at a meeting with the counted coverage of the same place, by the interval
//!    of [`wilson`].
//! 3. [`lqas`] decides from a small survey whether a place has at least a higher or at most a lower share.
//!
//! Guarantees: the counted figures are those of [`crate::slice`]. The same facts give the same result.

pub mod lqas;
pub mod recounts;
pub mod surveys;
pub mod wilson;

use serde::Serialize;

use crate::{error::AnalyticsError, facts_store::FactsStore};
use lqas::{LqasDesign, LqasTask};
use recounts::Recounts;
use surveys::SurveyComparison;

/// Design effect of surveys of households in clusters, unless another one is known.
pub const DEFAULT_DESIGN_EFFECT: f64 = 1.5;

/// How surveys are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SurveyJudgement {
    /// How many times as large the variance is as that of a simple random sample: at least 1.
    pub design_effect: f64,
    /// What a small survey is to tell apart, if anything.
    pub lqas: Option<LqasTask>,
}

/// Recounts and surveys of a campaign, beside what was counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// Headcounts that were replaced by recounts.
    pub recounts: Recounts,
    /// Design effect that the intervals were computed with.
    pub design_effect: f64,
    /// What small surveys were to tell apart.
    pub lqas: Option<LqasDesign>,
    /// The surveys, by day and id.
    pub surveys: Vec<SurveyComparison>,
}

/// Compares recounts and surveys with the counted figures.
pub fn verification(store: &FactsStore, judgement: SurveyJudgement) -> Result<Verification, AnalyticsError> {
    Ok(Verification {
        recounts: recounts::recounts(store),
        design_effect: judgement.design_effect,
        lqas: judgement.lqas.map(LqasDesign::of),
        surveys: surveys::compare(store, judgement)?,
    })
}
