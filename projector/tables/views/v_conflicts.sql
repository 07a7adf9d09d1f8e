-- Event ids with several bodies in the log: the number of bodies, the hash of the winning one, and where each body was first stored and when
-- it was first received.
-- Reads the log copy, because a merged fact table keeps only the winning body. Only ids in hash buckets with a possible duplicate are
-- grouped, as in v_conflicting_attendance_ids and at the same cost: two reads of the ids, and about ten bytes of memory per event.
CREATE OR REPLACE VIEW v_conflicts DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    collisions AS
    (
        SELECT cityHash64(event_id) % 1048576 AS bucket
        FROM log
        WHERE status = 'event'
        GROUP BY bucket
        HAVING count() > groupBitmap(toUInt16(bitShiftRight(cityHash64(event_id), 48)))
    )
SELECT
    campaign,
    event_id,
    count() AS bodies,
    argMin(bodyhash, (earliest, bodyhash)) AS winning_bodyhash,
    min(earliest) AS first_received,
    max(earliest) AS last_received,
    arraySort(groupArray((log_position.1, log_position.2, log_position.3, earliest))) AS places
FROM
(
    SELECT
        campaign,
        event_id,
        bodyhash,
        min(received) AS earliest,
        min((topic, partition, offset)) AS log_position
    FROM log
    WHERE status = 'event' AND cityHash64(event_id) % 1048576 IN (SELECT bucket FROM collisions)
    GROUP BY campaign, event_id, bodyhash
)
GROUP BY campaign, event_id
HAVING bodies > 1
