//! A row of figures, and its columns.

use jiff::civil::Date;
use qamtu_schemas::text::Names;

use super::field::Field;
use crate::{
    coverage::{Denominator, Estimate, Fulfilment, Method},
    locale::composed,
    reach_status::ReachStatus,
};

/// One row. Its fields are in the order of the file.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "each field is a column of the file, described where the figures are defined")]
pub struct CsvRow {
    pub kind: &'static str,
    pub key: String,
    pub names: Option<Names>,
    pub voters: Field,
    pub denominator_date: Option<Date>,
    pub plan: Option<Fulfilment>,
    pub held: Field,
    pub gross: Field,
    pub identified: Field,
    pub contacts: Field,
    pub reached: Field,
    pub lower: Field,
    pub upper: Field,
    pub method: Option<Method>,
    pub over: Option<bool>,
    pub weak: Field,
    pub outside: Field,
    pub unidentified: Field,
    pub headcount_meetings: Field,
    pub identified_meetings: Field,
    pub estimate: Estimate,
}

impl CsvRow {
    /// A row with its key columns; all other fields are empty.
    pub fn new(kind: &'static str, key: impl ToString, names: Option<&Names>) -> Self {
        Self { kind, key: key.to_string(), names: names.cloned(), ..Self::default() }
    }

    /// Adds the registered voters and the date of their count.
    pub fn with_voters(self, denominator: &Denominator) -> Self {
        Self { voters: denominator.known().map_or(Field::Unknown, Field::Count), denominator_date: denominator.date, ..self }
    }

    /// Adds the fulfilment of the plan.
    pub fn with_plan(self, plan: &Fulfilment) -> Self {
        Self { plan: Some(plan.clone()), held: plan.held.into(), ..self }
    }

    /// Empties the reach if no meeting was held, and marks fields as unknown that nobody counted or identified.
    pub fn for_status(self, status: ReachStatus) -> Self {
        match status {
            ReachStatus::Identified => self,
            ReachStatus::CountedOnly | ReachStatus::Unrecognised => Self { reached: Field::Unknown, ..self },
            ReachStatus::Uncounted => {
                Self { gross: Field::Unknown, reached: Field::Unknown, lower: Field::Unknown, upper: Field::Unknown, ..self }
            }
            ReachStatus::NoMeetings => Self { reached: Field::Empty, lower: Field::Empty, upper: Field::Empty, ..self },
        }
    }

    /// Names and contents of the columns that every file has.
    pub(super) fn columns(&self) -> Vec<(&'static str, Field)> {
        let name = |of: fn(&Names) -> &str| self.names.as_ref().map_or(Field::Empty, |names| Field::Text(composed(of(names))));
        let plan = |of: fn(&Fulfilment) -> u64| self.plan.as_ref().map_or(Field::Empty, |plan| Field::Count(of(plan)));
        vec![
            ("kind", Field::text(self.kind)),
            ("key", Field::text(&self.key)),
            ("name_kk", name(|names| &names.kk)),
            ("name_ru", name(|names| &names.ru)),
            ("name_en", name(|names| &names.en)),
            ("voters", self.voters.clone()),
            ("denominator_date", self.denominator_date.map_or(Field::Empty, Field::text)),
            ("planned", plan(|plan| plan.planned)),
            ("due", plan(|plan| plan.due)),
            ("held", self.held.clone()),
            ("held_planned", plan(|plan| plan.held_planned)),
            ("held_extra", plan(|plan| plan.held_extra)),
            ("unlawful", plan(|plan| plan.unlawful)),
            ("cancelled", plan(|plan| plan.cancelled)),
            ("moved", plan(|plan| plan.moved)),
            ("missing", plan(|plan| plan.missing)),
            ("on_time", plan(|plan| plan.on_time)),
            ("late", plan(|plan| plan.late)),
            ("within_72_hours", plan(|plan| plan.within_72_hours)),
            ("contested", plan(|plan| plan.contested)),
            ("nobody_eligible", plan(|plan| plan.nobody_eligible)),
            ("gross", self.gross.clone()),
            ("identified", self.identified.clone()),
            ("contacts", self.contacts.clone()),
            ("reached", self.reached.clone()),
            ("lower", self.lower.clone()),
            ("upper", self.upper.clone()),
            ("coverage_percent", Field::share(&self.reached, &self.voters)),
            ("weak", self.weak.clone()),
            ("outside", self.outside.clone()),
        ]
    }

    /// Columns that only the complete file, `coverage.csv` of `compute` has.
    pub(super) fn details(&self) -> Vec<(&'static str, Field)> {
        let estimate = |of: fn(u64, u64, u64) -> u64| match self.estimate {
            Estimate::Estimated { reached, low, high } => Field::Count(of(reached, low, high)),
            Estimate::FewIdentified | Estimate::NoSolution => Field::Unknown,
            Estimate::Exact | Estimate::NotApplicable => Field::Empty,
        };
        let method = |method: Method| if method == Method::Exact { "exact" } else { "bounds" };
        vec![
            ("method", self.method.map_or(Field::Empty, |value| Field::text(method(value)))),
            ("over", self.over.map_or(Field::Empty, Field::text)),
            ("unidentified", self.unidentified.clone()),
            ("headcount_meetings", self.headcount_meetings.clone()),
            ("identified_meetings", self.identified_meetings.clone()),
            ("estimate", estimate(|reached, _, _| reached)),
            ("estimate_low", estimate(|_, low, _| low)),
            ("estimate_high", estimate(|_, _, high| high)),
        ]
    }
}
