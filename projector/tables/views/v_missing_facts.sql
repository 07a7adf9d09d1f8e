-- Records with a log copy row whose fact rows are missing: deleted, or lost with a part. Nearly always empty. The projector reads this view
-- periodically and writes the rows again. The log copy and the fact tables are read at different instants, so rows of a write in progress may
-- appear here; the projector ignores offsets at or above its contiguous offset.
-- An event has one row with its position in one of five tables. So the positions in the log copy without those in the fact tables are
-- candidates. As bitmaps they cost one read of three columns of every table and one bit per record; duplicate rows do not matter.
-- A retraction or a roll with fewer rows than it lists is a candidate too.
-- A candidate is complete if another body or copy of the event with higher precedence is stored: then both have collapsed by key. At most
-- one million candidates are examined, which bounds the memory when a whole table is missing.
CREATE OR REPLACE VIEW v_missing_facts DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    incomplete_retractions AS
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
    incomplete_rolls AS
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
        SELECT groupArray(1000000)(log_position)
        FROM
        (
            SELECT (topic, partition, arrayJoin(bitmapToArray(bitmapAndnot(log_copy_offsets, fact_offsets)))) AS log_position
            FROM
            (
                SELECT
                    topic,
                    partition,
                    groupBitmapStateIf(offset, in_log_copy) AS log_copy_offsets,
                    groupBitmapStateIf(offset, NOT in_log_copy) AS fact_offsets
                FROM
                (
                    SELECT topic, partition, offset, true AS in_log_copy FROM log WHERE status = 'event'
                    UNION ALL
                    SELECT topic, partition, offset, false AS in_log_copy FROM attendance
                    UNION ALL
                    SELECT topic, partition, offset, false AS in_log_copy FROM meeting_events
                    UNION ALL
                    SELECT topic, partition, offset, false AS in_log_copy FROM reference_events
                    UNION ALL
                    SELECT topic, partition, offset, false AS in_log_copy FROM consents
                    UNION ALL
                    SELECT topic, partition, offset, false AS in_log_copy FROM roll_versions
                )
                GROUP BY topic, partition
            )
        )
    ) AS unmatched,
    candidates AS
    (
        SELECT
            topic,
            partition,
            offset,
            campaign,
            JSONExtractString(body, 'data', 'meeting') AS meeting_id,
            multiIf(
                type LIKE 'qamtu.attendance.recorded.v%', 'attendance',
                meeting_id != '', 'meeting_events',
                type LIKE 'qamtu.consent.%', 'consents',
                type LIKE 'qamtu.precinct.enrolled.v%', 'roll_versions',
                'reference_events') AS table_name,
            event_id,
            bitShiftLeft(toUInt256(bitNot(toUInt64(toUnixTimestamp64Micro(received)))), 192)
                + bitShiftLeft(toUInt256(bitNot(reinterpretAsUInt128(reverse(bodyhash)))), 64) + bitNot(offset) AS precedence
        FROM log
        WHERE status = 'event' AND (topic, partition, offset) IN (SELECT arrayJoin(unmatched))
    ),
    stored AS
    (
        SELECT table_name, campaign, meeting_id, event_id, max(precedence) AS best_precedence
        FROM
        (
            SELECT 'attendance' AS table_name, campaign, toString(meeting_id) AS meeting_id, event_id, precedence FROM attendance
            UNION ALL
            SELECT 'meeting_events' AS table_name, campaign, toString(meeting_id) AS meeting_id, event_id, precedence FROM meeting_events
            UNION ALL
            SELECT 'reference_events' AS table_name, campaign, '' AS meeting_id, event_id, precedence FROM reference_events
            UNION ALL
            SELECT 'consents' AS table_name, campaign, '' AS meeting_id, event_id, precedence FROM consents
            UNION ALL
            SELECT 'roll_versions' AS table_name, campaign, '' AS meeting_id, event_id, precedence FROM roll_versions
        )
        WHERE event_id IN (SELECT event_id FROM candidates)
        GROUP BY table_name, campaign, meeting_id, event_id
    )
SELECT topic, partition, offset
FROM candidates
LEFT JOIN stored USING (table_name, campaign, meeting_id, event_id)
WHERE precedence > best_precedence
UNION DISTINCT
SELECT topic, partition, offset FROM incomplete_retractions
UNION DISTINCT
SELECT topic, partition, offset FROM incomplete_rolls
