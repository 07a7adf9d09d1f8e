-- Similar meeting ids of one campaign: they differ only in case, separator, O and 0, or I, L and 1. A meeting sent under two ids counts
-- twice, so a person should check them. `looks_like` is the same text for all ids of a group.
CREATE OR REPLACE VIEW v_lookalike_meetings DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT campaign, meeting_id, looks_like, first_received
FROM
(
    SELECT campaign, meeting_id, looks_like, first_received, count() OVER (PARTITION BY campaign, looks_like) AS ids
    FROM
    (
        SELECT campaign, toString(meeting_id) AS meeting_id, min(received) AS first_received,
            translate(upper(meeting_id), 'OIL_.', '011--') AS looks_like
        FROM
        (
            SELECT campaign, toString(meeting_id) AS meeting_id, received FROM meeting_events
            UNION ALL
            SELECT campaign, toString(meeting_id) AS meeting_id, min(received) AS received FROM attendance GROUP BY campaign, attendance.meeting_id
        )
        GROUP BY campaign, meeting_id
    )
)
WHERE ids > 1
