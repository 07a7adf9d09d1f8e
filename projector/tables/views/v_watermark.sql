-- How far the log copy is whole: per partition the offset after the longest run without a gap, from the lowest offset on.
-- A bitmap of the offsets needs no FINAL (a repeated row is the same offset), and its size against its ends tells at once whether
-- there is a gap; only then is the first missing offset looked for.
-- Rows of facts with a lower offset are all there. The projector starts from here; analytics names its figures by it.
CREATE OR REPLACE VIEW v_watermark DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    topic,
    partition,
    toUInt64(if(
        bitmapCardinality(offsets) = bitmapMax(offsets) - bitmapMin(offsets) + 1,
        bitmapMax(offsets) + 1,
        bitmapMin(offsets) - 1 + arrayFirstIndex(
            (offset, place) -> offset != bitmapMin(offsets) + place - 1,
            bitmapToArray(offsets),
            arrayEnumerate(bitmapToArray(offsets))
        )
    )) AS next_offset
FROM
(
    SELECT topic, partition, groupBitmapState(offset) AS offsets
    FROM log
    GROUP BY topic, partition
)
