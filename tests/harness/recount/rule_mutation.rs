//! Mutations of the definition's rules, for mutation testing of the generated data.
//!
//! The recount can apply one mutation at a time. If no figure changes, the campaign has no data that tests the rule.

/// A wrong version of one rule of the definition, under which data that tests the rule gives other figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleMutation {
    /// A cancellation wins over a report.
    CancellationWins,
    /// A withdrawn report leaves a meeting that is not reported yet.
    CorrectedToNoneIsOpen,
    /// The audience of a meeting on an unlawful day is not counted.
    UnlawfulAudienceLeftOut,
    /// A plan for an unlawful day is due.
    UnlawfulPlanIsDue,
    /// A meeting that is held before its planned day does not fulfil the plan.
    HeldEarlyIsMissing,
    /// A moved meeting has no plan.
    MoveReplacesPlan,
    /// Of several plans the one received last is in force, whatever it supersedes.
    LastReceivedPlanHolds,
    /// Days are UTC days, not local days.
    DaysOfUtc,
    /// A person on two rolls lives in the precinct with the higher id.
    HigherPrecinctIsResidence,
    /// Names are counted at meetings of revealing audiences.
    NamesCountAtHeadsOnly,
    /// Only the first category decides whether an audience is revealing.
    FirstCategoryReveals,
    /// Only the plan decides whether an audience is revealing.
    PlanReveals,
    /// Only the plan and the report in force decide it, no other report.
    HoldingReportReveals,
    /// Headcounts and names of meetings where nobody was eligible are counted.
    NobodyEligibleIsAudience,
    /// Weak attendances of a slice are counted as different people.
    WeakAreDifferentPeople,
    /// Attendances from outside are counted as different people.
    OutsideAreDifferentPeople,
    /// A contested meeting is counted in its plan's unit.
    ContestedUnderPlan,
    /// A held meeting is counted in its plan's unit.
    HeldUnderPlan,
}

impl RuleMutation {
    /// Every mutation, in the order of the definition.
    pub const ALL: [Self; 18] = [
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
        Self::NobodyEligibleIsAudience,
        Self::WeakAreDifferentPeople,
        Self::OutsideAreDifferentPeople,
        Self::ContestedUnderPlan,
        Self::HeldUnderPlan,
    ];
}
