-- Event ids that stand in the log with several bodies: how many, which one holds, and where each body was first seen.
-- From the log copy, because a merged table of facts keeps only the body that holds.
CREATE OR REPLACE VIEW v_conflicts AS
SELECT
    campaign,
    event_id,
    count() AS bodies,
    argMin(bodyhash, (earliest, bodyhash)) AS holds,
    min(earliest) AS first_received,
    max(earliest) AS last_received,
    arraySort(groupArray(place)) AS places
FROM
(
    SELECT
        campaign,
        event_id,
        bodyhash,
        min(received) AS earliest,
        min((topic, partition, offset)) AS place
    FROM log
    WHERE status = 'event'
    GROUP BY campaign, event_id, bodyhash
)
GROUP BY campaign, event_id
HAVING bodies > 1
