-- How far the log copy is complete. `next_offset` is, per partition, the offset after the longest run from 0 on in which every offset has
-- a row or was skipped by the log itself (`skipped` of the row after it). `end_offset` is the offset after the last row; if it is higher,
-- rows are missing, and v_missing_records lists them.
-- A bitmap of the offsets needs no FINAL (a duplicate row has the same offset; of two values of `skipped` the larger is used). If its
-- size plus the skipped offsets equals the end, nothing is missing. Otherwise the first missing offset is searched among the gaps that no
-- later row covers. (Values of `skipped` overlap if compaction removed records later.)
-- All fact rows below `next_offset` are stored. The projector starts reading from it, and analytics identifies a state by it.
CREATE OR REPLACE VIEW v_watermark DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    bitmapMax(offsets) + 1 AS after_last,
    arraySort(bitmapToArray(offsets)) AS stored_offsets,
    arrayFilter(
        jump -> jump.2 > 0,
        arrayMap(
            (offset, expected) -> (offset, toInt64(offset - expected)),
            stored_offsets,
            arrayPushFront(arrayMap(offset -> toUInt64(offset + 1), arrayPopBack(stored_offsets)), toUInt64(0))
        )
    ) AS jumps,
    CAST(jumps, 'Map(UInt64, Int64)') AS jumped,
    arrayFilter(
        offset -> NOT arrayExists((later, count) -> later >= offset AND later - count <= offset - jumped[offset], mapKeys(gaps), mapValues(gaps)),
        mapKeys(mapFilter((offset, missing) -> missing > 0, mapSubtract(jumped, gaps)))
    ) AS after_missing
SELECT
    topic,
    partition,
    toUInt64(if(
        bitmapCardinality(offsets) + arraySum(mapValues(gaps)) = after_last OR empty(after_missing),
        after_last,
        after_missing[1] - jumped[after_missing[1]]
    )) AS next_offset,
    toUInt64(after_last) AS end_offset
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
