-- Ranges of offsets that should have rows in the log copy but have none: deleted, or lost with a part. `end_offset` is the offset after the
-- range. Nearly always empty. Offsets that the log itself skipped are excluded, whichever later row covers them. Going backwards, each row
-- knows the lowest offset that it or a later row covers. The projector reads this view only if v_contiguous_offsets shows missing rows.
CREATE OR REPLACE VIEW v_missing_records DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT topic, partition, toUInt64(previous_offset + 1) AS first_offset, toUInt64(covered_from) AS end_offset
FROM
(
    SELECT
        topic,
        partition,
        leadInFrame(toInt64(offset), 1, -1)
            OVER (PARTITION BY topic, partition ORDER BY offset DESC ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS previous_offset,
        min(toInt64(offset - skipped))
            OVER (PARTITION BY topic, partition ORDER BY offset DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS covered_from
    FROM log FINAL
)
WHERE covered_from > previous_offset + 1
