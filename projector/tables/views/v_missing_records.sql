-- Ranges of offsets that should be rows of the log copy and are none: deleted, or lost with a part. Nearly always empty. Offsets that
-- the log itself skipped are not among them, whichever later row says so.
-- From the last row to the first, each knows the lowest offset that it or a later row accounts for. The projector asks only once
-- v_watermark has told that something is missing.
CREATE OR REPLACE VIEW v_missing_records AS
SELECT topic, partition, toUInt64(earlier + 1) AS first_offset, toUInt64(accounted) AS next_offset
FROM
(
    SELECT
        topic,
        partition,
        leadInFrame(toInt64(offset), 1, -1)
            OVER (PARTITION BY topic, partition ORDER BY offset DESC ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS earlier,
        min(toInt64(offset - skipped))
            OVER (PARTITION BY topic, partition ORDER BY offset DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS accounted
    FROM log FINAL
)
WHERE accounted > earlier + 1
