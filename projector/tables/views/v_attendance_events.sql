-- All attendances, one row per event, also those that do not count, with receive time and import. A reader of an earlier state applies
-- the retractions, reversals and withdrawals received by then; v_attendance applies all of them.
-- Sorted like the table: by meeting.
CREATE OR REPLACE VIEW v_attendance_events DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
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
