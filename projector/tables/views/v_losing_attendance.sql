-- Losing bodies in attendance: rows whose event id has a winning body (earliest received, then lowest hash) at another meeting. Like
-- v_losing_bodies, but for ids that are only in attendance. An id that is in other tables too is in both views; a row in either view loses.
-- The result is one row with an array: as a scalar subquery it is computed once per query, however many views use it.
CREATE OR REPLACE VIEW v_losing_attendance DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    (SELECT groupUniqArray(event_id) FROM v_conflicting_attendance_ids) AS conflicting_ids,
    bodies AS
    (
        SELECT campaign, meeting_id, event_id, received, bodyhash
        FROM attendance FINAL
        WHERE event_id IN (SELECT arrayJoin(conflicting_ids))
    )
SELECT groupArray((campaign, meeting_id, event_id)) AS losing
FROM bodies
WHERE (campaign, event_id, received, bodyhash) NOT IN
(
    SELECT campaign, event_id, min((received, bodyhash)).1, min((received, bodyhash)).2
    FROM bodies
    GROUP BY campaign, event_id
)
