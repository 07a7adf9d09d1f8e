-- How far the log copy is whole: per partition the offset after the longest run of offsets, from 0 on, each of which is a row or was
-- skipped by the log itself (`skipped` of the row after it). `end_offset` is the one after the last row: where it is higher, rows are
-- missing, and v_missing_records lists them.
-- A bitmap of the offsets needs no FINAL (a repeated row is the same offset; of two counts of skipped offsets the larger is taken).
-- Its size and the skipped offsets against its end tell at once whether all is there; only otherwise the first missing one is looked
-- for: the jumps between neighbouring offsets that no later row accounts for. (Counts overlap where compaction removed records later.)
-- Rows of facts with a lower offset are all there. The projector starts from here; analytics names its figures by it.
CREATE OR REPLACE VIEW v_watermark AS
WITH
    bitmapMax(offsets) + 1 AS beyond,
    arraySort(bitmapToArray(offsets)) AS held,
    arrayFilter(
        jump -> jump.2 > 0,
        arrayMap(
            (offset, follows) -> (offset, toInt64(offset - follows)),
            held,
            arrayPushFront(arrayMap(offset -> toUInt64(offset + 1), arrayPopBack(held)), toUInt64(0))
        )
    ) AS jumps,
    CAST(jumps, 'Map(UInt64, Int64)') AS jumped,
    arrayFilter(
        offset -> NOT arrayExists((behind, count) -> behind >= offset AND behind - count <= offset - jumped[offset], mapKeys(gaps), mapValues(gaps)),
        mapKeys(mapFilter((offset, missing) -> missing > 0, mapSubtract(jumped, gaps)))
    ) AS behind_missing
SELECT
    topic,
    partition,
    toUInt64(if(
        bitmapCardinality(offsets) + arraySum(mapValues(gaps)) = beyond OR empty(behind_missing),
        beyond,
        behind_missing[1] - jumped[behind_missing[1]]
    )) AS next_offset,
    toUInt64(beyond) AS end_offset
FROM
(
    SELECT
        topic,
        partition,
        groupBitmapState(offset) AS offsets,
        arrayReduce('maxMap', arrayMap(
            gap -> map(gap.1, toInt64(gap.2)),
            groupUniqArrayIf((offset, skipped), skipped > 0)
        )) AS gaps
    FROM log
    GROUP BY topic, partition
)
