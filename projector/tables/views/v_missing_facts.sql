-- Records whose receipt stands in the log copy although rows of facts are missing: deleted, or lost with a part. Nearly always empty.
-- The projector reads it now and then and writes the rows again. Right only where nothing is being written: facts come before receipts.
-- An event is one row, with its place, in one of five tables, so the places of receipts less the places of facts are candidates. As
-- bitmaps they cost one read of three columns of every table and a bit for each record; repeated rows make no difference.
-- A retraction and a roll are candidates too if fewer rows stand beside them than they name.
-- A candidate misses nothing if another body or copy of its event id that takes precedence is there: the key of the tables has
-- collapsed them. Of the candidates that are left the first million is looked at, which bounds memory while a whole table is missing.
CREATE OR REPLACE VIEW v_missing_facts AS
WITH
    short_retractions AS
    (
        SELECT topic, partition, offset
        FROM meeting_events FINAL
        LEFT JOIN
        (
            SELECT campaign, meeting_id, event_id, bodyhash, uniqExact(retracted_id) AS named
            FROM attendance_retractions
            GROUP BY campaign, meeting_id, event_id, bodyhash
        ) AS rows
        USING (campaign, meeting_id, event_id, bodyhash)
        WHERE type LIKE 'qamtu.attendance.retracted.v%'
          AND length(arrayDistinct(JSONExtract(body, 'data', 'retracts', 'Array(UUID)'))) > named
    ),
    short_rolls AS
    (
        SELECT topic, partition, offset
        FROM roll_versions FINAL
        LEFT JOIN
        (
            SELECT campaign, precinct, version, event_id, bodyhash, count() AS listed
            FROM roll FINAL
            GROUP BY campaign, precinct, version, event_id, bodyhash
        ) AS rows
        USING (campaign, precinct, version, event_id, bodyhash)
        WHERE voters > listed
    ),
    (
        SELECT groupArray(1000000)(place)
        FROM
        (
            SELECT (topic, partition, arrayJoin(bitmapToArray(bitmapAndnot(receipts, facts)))) AS place
            FROM
            (
                SELECT
                    topic,
                    partition,
                    groupBitmapStateIf(offset, is_receipt) AS receipts,
                    groupBitmapStateIf(offset, NOT is_receipt) AS facts
                FROM
                (
                    SELECT topic, partition, offset, true AS is_receipt FROM log WHERE status = 'event'
                    UNION ALL
                    SELECT topic, partition, offset, false AS is_receipt FROM attendance
                    UNION ALL
                    SELECT topic, partition, offset, false AS is_receipt FROM meeting_events
                    UNION ALL
                    SELECT topic, partition, offset, false AS is_receipt FROM reference_events
                    UNION ALL
                    SELECT topic, partition, offset, false AS is_receipt FROM consents
                    UNION ALL
                    SELECT topic, partition, offset, false AS is_receipt FROM roll_versions
                )
                GROUP BY topic, partition
            )
        )
    ) AS without_place,
    candidates AS
    (
        SELECT
            topic,
            partition,
            offset,
            campaign,
            event_id,
            bitShiftLeft(toUInt256(bitNot(toUInt64(toUnixTimestamp64Micro(received)))), 192)
                + bitShiftLeft(toUInt256(bitNot(reinterpretAsUInt128(reverse(bodyhash)))), 64) + bitNot(offset) AS precedence
        FROM log
        WHERE (topic, partition, offset) IN (SELECT arrayJoin(without_place))
    ),
    standing AS
    (
        SELECT campaign, event_id, max(precedence) AS best
        FROM
        (
            SELECT campaign, event_id, precedence FROM attendance
            UNION ALL
            SELECT campaign, event_id, precedence FROM meeting_events
            UNION ALL
            SELECT campaign, event_id, precedence FROM reference_events
            UNION ALL
            SELECT campaign, event_id, precedence FROM consents
            UNION ALL
            SELECT campaign, event_id, precedence FROM roll_versions
        )
        WHERE event_id IN (SELECT event_id FROM candidates)
        GROUP BY campaign, event_id
    )
SELECT topic, partition, offset
FROM candidates
LEFT JOIN standing USING (campaign, event_id)
WHERE precedence > best
UNION DISTINCT
SELECT topic, partition, offset FROM short_retractions
UNION DISTINCT
SELECT topic, partition, offset FROM short_rolls
