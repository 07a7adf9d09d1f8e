-- Attendances, one row per event, whether they hold or not, with what decides that: the time of receipt and the import. A reader of an
-- earlier state takes the retractions, reversals and withdrawals that were received by then; v_attendance takes all of them.
-- In the order of the table's key: by meeting.
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
    import,
    received,
    occurred,
    sheet,
    line,
    partition,
    offset
FROM attendance FINAL
WHERE ('attendance', campaign, meeting_id, event_id) NOT IN (SELECT arrayJoin(beaten))
  AND (campaign, meeting_id, event_id) NOT IN (SELECT arrayJoin(beaten_here))
