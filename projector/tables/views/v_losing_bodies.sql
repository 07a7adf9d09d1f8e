-- Losing bodies. Several bodies may have one event id; one of them wins: the earliest received, then the one with the lowest hash. FINAL has
-- already selected among bodies with the same key. This view lists the fact rows that lose against a body for another meeting or in another
-- table, and the other views exclude them. Nearly always empty. Ids whose bodies are all in attendance are in v_losing_attendance.
-- A body that a merge has removed lost against one that is still stored, so the fact tables always contain the winning body.
-- The result is one row with an array: as a scalar subquery it is computed once per query, however many views use it.
CREATE OR REPLACE VIEW v_losing_bodies DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    (SELECT groupUniqArray(event_id) FROM v_conflicting_ids) AS conflicting_ids,
    bodies AS
    (
        SELECT 'attendance' AS table_name, campaign, meeting_id, event_id, received, bodyhash
        FROM attendance FINAL
        WHERE event_id IN (SELECT arrayJoin(conflicting_ids))
        UNION ALL
        SELECT 'meeting_events' AS table_name, campaign, meeting_id, event_id, received, bodyhash
        FROM meeting_events FINAL
        WHERE event_id IN (SELECT arrayJoin(conflicting_ids))
        UNION ALL
        SELECT 'reference_events' AS table_name, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM reference_events FINAL
        WHERE event_id IN (SELECT arrayJoin(conflicting_ids))
        UNION ALL
        SELECT 'consents' AS table_name, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM consents FINAL
        WHERE event_id IN (SELECT arrayJoin(conflicting_ids))
        UNION ALL
        SELECT 'roll_versions' AS table_name, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM roll_versions FINAL
        WHERE event_id IN (SELECT arrayJoin(conflicting_ids))
    )
SELECT groupArray((table_name, campaign, meeting_id, event_id)) AS losing
FROM bodies
WHERE (campaign, event_id, received, bodyhash) NOT IN
(
    SELECT campaign, event_id, min((received, bodyhash)).1, min((received, bodyhash)).2
    FROM bodies
    GROUP BY campaign, event_id
)
