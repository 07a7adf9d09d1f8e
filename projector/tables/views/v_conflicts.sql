-- Event ids with several bodies in the log: the number of bodies, the hash of the one received first, and where each body was first stored
-- and when it was first received. Of the bodies of one meeting and kind of fact the first one counts; others are other events.
-- Reads the log copy, because a merged fact table keeps only the winning body. The log may have 50 million events, so grouping by id is
-- expensive. Instead the ids are hashed into 2^20 buckets. A bucket with more rows than distinct 16-bit fingerprints may contain an id twice
-- (or a hash collision), and only the ids of such buckets are grouped. Two rows with the same id always have the same fingerprint, so no id is
-- missed. Cost: two reads of the ids, and about ten bytes of memory per event.
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
    argMin(bodyhash, (earliest, bodyhash)) AS first_bodyhash,
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
