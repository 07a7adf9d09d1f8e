//! Wrong readings of the definition's rules, one at a time.
//!
//! The recount can apply each of them. A campaign whose figures do not change under a misreading holds no data that tests the rule.

/// A wrong reading of one rule of the definition. Data that tests the rule gives other figures under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleMutation {
    /// A cancellation wins over a report.
    CancellationWins,
    /// A report that is corrected to none leaves a meeting that is not reported yet.
    CorrectedToNoneIsOpen,
    /// The audience of a meeting on an unlawful day is left out.
    UnlawfulAudienceLeftOut,
    /// A plan for an unlawful day is due.
    UnlawfulPlanIsDue,
    /// A meeting that is held before its planned day does not fulfil the plan.
    HeldEarlyIsMissing,
    /// A move leaves no plan.
    MoveReplacesPlan,
    /// Of several plans the one that was received last holds, whatever it replaces.
    LastReceivedPlanHolds,
    /// Days are those of UTC.
    DaysOfUtc,
    /// A person on two rolls lives in the precinct with the higher id.
    HigherPrecinctIsResidence,
    /// Names are counted at meetings of revealing audiences.
    NamesCountAtHeadsOnly,
    /// The first category alone decides whether an audience is a revealing one.
    FirstCategoryReveals,
    /// The plan alone decides it.
    PlanReveals,
    /// The plan and the report that holds decide it, other reports do not.
    HoldingReportReveals,
    /// Weak attendances of a slice are different people.
    WeakAreDifferentPeople,
    /// Attendances from outside are different people.
    OutsideAreDifferentPeople,
    /// A contested meeting stands under its plan's unit.
    ContestedUnderPlan,
    /// What was held stands under the plan's unit.
    HeldUnderPlan,
}

impl RuleMutation {
    /// Every rule that is open to a misreading.
    pub const ALL: [Self; 17] = [
        Self::CancellationWins,
        Self::CorrectedToNoneIsOpen,
        Self::UnlawfulAudienceLeftOut,
        Self::UnlawfulPlanIsDue,
        Self::HeldEarlyIsMissing,
        Self::MoveReplacesPlan,
        Self::LastReceivedPlanHolds,
        Self::DaysOfUtc,
        Self::HigherPrecinctIsResidence,
        Self::NamesCountAtHeadsOnly,
        Self::FirstCategoryReveals,
        Self::PlanReveals,
        Self::HoldingReportReveals,
        Self::WeakAreDifferentPeople,
        Self::OutsideAreDifferentPeople,
        Self::ContestedUnderPlan,
        Self::HeldUnderPlan,
    ];
}
