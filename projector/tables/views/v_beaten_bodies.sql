-- Bodies of one event id and meeting that stand in two tables, without the one that holds (earliest received, then lowest hash).
-- Within a table FINAL has already chosen; this is for an id that is an attendance in one body and another event in the other.
-- Nearly always empty. The ids of meeting_events are few, so the large table is read once, its event ids only. For the other views.
CREATE OR REPLACE VIEW v_beaten_bodies AS
WITH
    shared AS
    (
        SELECT event_id FROM attendance WHERE event_id IN (SELECT event_id FROM meeting_events)
    ),
    bodies AS
    (
        SELECT campaign, meeting_id, event_id, received, bodyhash, 'attendance' AS stands_in
        FROM attendance FINAL
        WHERE event_id IN (SELECT event_id FROM shared)
        UNION ALL
        SELECT campaign, meeting_id, event_id, received, bodyhash, 'meeting_events' AS stands_in
        FROM meeting_events FINAL
        WHERE event_id IN (SELECT event_id FROM shared)
    )
SELECT campaign, meeting_id, event_id, stands_in
FROM bodies
WHERE (campaign, meeting_id, event_id, received, bodyhash) NOT IN
(
    SELECT campaign, meeting_id, event_id, min((received, bodyhash)).1, min((received, bodyhash)).2
    FROM bodies
    GROUP BY campaign, meeting_id, event_id
)
