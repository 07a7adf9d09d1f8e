-- Rows of facts whose event id has another body elsewhere, of another meeting or in another table, that holds: earliest received,
-- then lowest hash. Within a key FINAL has already chosen; the views leave out what stands here. Nearly always empty.
-- Ids whose bodies all stand in attendance are those of v_beaten_attendance.
-- A body that a merge has dropped was beaten by one that is still there, so the tables of facts know the one that holds.
-- One row, an array: as a scalar it is found once for a query, however many views in it ask; likewise the disputed ids.
CREATE OR REPLACE VIEW v_beaten_bodies DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    (SELECT groupUniqArray(event_id) FROM v_disputed) AS disputed,
    bodies AS
    (
        SELECT 'attendance' AS stands_in, campaign, meeting_id, event_id, received, bodyhash
        FROM attendance FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
        UNION ALL
        SELECT 'meeting_events' AS stands_in, campaign, meeting_id, event_id, received, bodyhash
        FROM meeting_events FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
        UNION ALL
        SELECT 'reference_events' AS stands_in, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM reference_events FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
        UNION ALL
        SELECT 'consents' AS stands_in, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM consents FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
        UNION ALL
        SELECT 'roll_versions' AS stands_in, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM roll_versions FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
    )
SELECT groupArray((stands_in, campaign, meeting_id, event_id)) AS beaten
FROM bodies
WHERE (campaign, event_id, received, bodyhash) NOT IN
(
    SELECT campaign, event_id, min((received, bodyhash)).1, min((received, bodyhash)).2
    FROM bodies
    GROUP BY campaign, event_id
)
