-- Attendances that currently count, one row per event: not retracted, not of a reversed import, and without a withdrawn consent.
-- Equal to the fold of the contract (tested with random events).
CREATE OR REPLACE VIEW v_attendance DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    campaign,
    meeting_id,
    event_id,
    person_hi,
    person_lo,
    strength,
    residence_kind,
    residence,
    adult,
    received,
    occurred,
    sheet,
    line,
    partition,
    offset
FROM v_attendance_events
WHERE (campaign, meeting_id, event_id) NOT IN (SELECT campaign, meeting_id, retracted_id FROM v_retractions)
  AND (import IS NULL OR (campaign, assumeNotNull(import)) NOT IN (SELECT campaign, import FROM v_reversed_imports))
  AND (campaign, person_hi, person_lo) NOT IN (SELECT campaign, person_hi, person_lo FROM v_withdrawn)
