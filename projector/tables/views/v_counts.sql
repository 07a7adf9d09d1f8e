-- Distinct events by campaign and type, and the newest of them. Retracted, reversed and withdrawn ones are events too.
-- From the tables of facts: they are sorted by event, so nothing has to be held in memory.
CREATE OR REPLACE VIEW v_counts AS
SELECT campaign, type, count() AS events, max(received) AS newest
FROM
(
    SELECT campaign, type, received
    FROM attendance FINAL
    WHERE (campaign, meeting_id, event_id) NOT IN
    (
        SELECT campaign, meeting_id, event_id FROM v_beaten_bodies WHERE stands_in = 'attendance'
    )
    UNION ALL
    SELECT campaign, type, received FROM v_meeting_events
    UNION ALL
    SELECT campaign, type, received FROM reference_events FINAL
    UNION ALL
    SELECT campaign, type, received FROM consents FINAL
    UNION ALL
    SELECT campaign, type, received FROM roll_versions FINAL
)
GROUP BY campaign, type
