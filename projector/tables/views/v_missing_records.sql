-- Ranges of offsets that should be rows of the log copy and are none: deleted, or lost with a part. Nearly always empty. Offsets that
-- the log itself skipped are not among them.
-- One walk along the key; the projector asks only once v_watermark has told that something is missing.
CREATE OR REPLACE VIEW v_missing_records AS
SELECT topic, partition, toUInt64(follows) AS first_offset, offset - skipped AS next_offset
FROM
(
    SELECT
        topic,
        partition,
        offset,
        skipped,
        lagInFrame(toInt64(offset) + 1, 1, 0)
            OVER (PARTITION BY topic, partition ORDER BY offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS follows
    FROM log FINAL
)
WHERE toInt64(offset - skipped) > follows
