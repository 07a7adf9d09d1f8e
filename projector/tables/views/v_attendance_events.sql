-- Attendances, one row per event, and whether each holds: not retracted, not of a reversed import, of somebody whose consent stands.
-- Equal to the fold of the contract (a test proves it on random events). In the order of the table's key: by meeting.
CREATE OR REPLACE VIEW v_attendance_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    (SELECT beaten FROM v_beaten_bodies) AS beaten,
    (SELECT beaten FROM v_beaten_attendance) AS beaten_here
SELECT
    campaign,
    meeting_id,
    event_id,
    type,
    person_hi,
    person_lo,
    toUInt8(strength) AS strength,
    residence_kind,
    residence,
    adult,
    received,
    occurred,
    sheet,
    line,
    partition,
    offset,
    toUInt8(
        (campaign, meeting_id, event_id) NOT IN (SELECT campaign, meeting_id, retracted_id FROM v_retractions)
        AND (batch IS NULL OR (campaign, assumeNotNull(batch)) NOT IN (SELECT campaign, batch FROM v_reversed_batches))
        AND (campaign, person_hi, person_lo) NOT IN (SELECT campaign, person_hi, person_lo FROM v_withdrawn)
    ) AS holds
FROM attendance FINAL
WHERE ('attendance', campaign, meeting_id, event_id) NOT IN (SELECT arrayJoin(beaten))
  AND (campaign, meeting_id, event_id) NOT IN (SELECT arrayJoin(beaten_here))
