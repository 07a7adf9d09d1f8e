-- Attendances that hold, one row per event: what v_attendance_events keeps.
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
WHERE holds
