-- Event ids that stand in the log with several bodies: how many, which one holds, and where each body was first seen,
-- with the time at which it was first received.
-- From the log copy, because a merged table of facts keeps only the body that holds. Grouped are only the ids of crowded buckets,
-- as v_disputed_attendance explains, with the same costs: two reads of the ids, and memory of some ten bytes for an event.
CREATE OR REPLACE VIEW v_conflicts DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    crowded AS
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
    argMin(bodyhash, (earliest, bodyhash)) AS holds,
    min(earliest) AS first_received,
    max(earliest) AS last_received,
    arraySort(groupArray((place.1, place.2, place.3, earliest))) AS places
FROM
(
    SELECT
        campaign,
        event_id,
        bodyhash,
        min(received) AS earliest,
        min((topic, partition, offset)) AS place
    FROM log
    WHERE status = 'event' AND cityHash64(event_id) % 1048576 IN (SELECT bucket FROM crowded)
    GROUP BY campaign, event_id, bodyhash
)
GROUP BY campaign, event_id
HAVING bodies > 1
