-- Attendances whose event id has another body at another meeting that holds: earliest received, then lowest hash. As v_beaten_bodies,
-- for ids that stand in attendance alone; an id that stands elsewhere too is in both, and is beaten if it is beaten in either.
-- One row, an array: as a scalar it is found once for a query, however many views in it ask.
CREATE OR REPLACE VIEW v_beaten_attendance DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    (SELECT groupUniqArray(event_id) FROM v_disputed_attendance) AS disputed,
    bodies AS
    (
        SELECT campaign, meeting_id, event_id, received, bodyhash
        FROM attendance FINAL
        WHERE event_id IN (SELECT arrayJoin(disputed))
    )
SELECT groupArray((campaign, meeting_id, event_id)) AS beaten
FROM bodies
WHERE (campaign, event_id, received, bodyhash) NOT IN
(
    SELECT campaign, event_id, min((received, bodyhash)).1, min((received, bodyhash)).2
    FROM bodies
    GROUP BY campaign, event_id
)
