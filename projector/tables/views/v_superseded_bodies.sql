-- Fact rows whose event id has a winning body (earliest received, then lowest hash) for another meeting or in another table. FINAL has
-- already resolved bodies with the same key; the other views exclude the rows listed here. Nearly always empty. Ids whose bodies are all
-- in attendance are in v_superseded_attendance. A body that a merge has removed lost to one that is still stored, so the fact tables
-- always contain the winning body. The result is one row with an array: as a scalar subquery it is computed once per query, however many
-- views use it.
CREATE OR REPLACE VIEW v_superseded_bodies DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    (SELECT groupUniqArray(event_id) FROM v_disputed) AS disputed,
    bodies AS
    (
        SELECT 'attendance' AS table_name, campaign, meeting_id, event_id, received, bodyhash
        FROM attendance FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
        UNION ALL
        SELECT 'meeting_events' AS table_name, campaign, meeting_id, event_id, received, bodyhash
        FROM meeting_events FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
        UNION ALL
        SELECT 'reference_events' AS table_name, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM reference_events FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
        UNION ALL
        SELECT 'consents' AS table_name, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM consents FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
        UNION ALL
        SELECT 'roll_versions' AS table_name, campaign, '' AS meeting_id, event_id, received, bodyhash
        FROM roll_versions FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
    )
SELECT groupArray((table_name, campaign, meeting_id, event_id)) AS superseded
FROM bodies
WHERE (campaign, event_id, received, bodyhash) NOT IN
(
    SELECT campaign, event_id, min((received, bodyhash)).1, min((received, bodyhash)).2
    FROM bodies
    GROUP BY campaign, event_id
)
