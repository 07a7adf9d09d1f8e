-- How far the log copy is complete. `contiguous_offset` is, per partition, the lowest offset that is missing: every offset below it has a row or
-- was skipped by the log itself (`skipped` of a later row). `end_offset` is the offset after the last row. If it is higher, rows are missing,
-- and v_missing_records lists them. All fact rows below `contiguous_offset` are stored too. The projector starts reading from it, and
-- analytics identifies a state by it.
-- `skipped_before` and `absent_before` have an entry for a row that does not directly follow the row before it: how many offsets directly
-- before the row the log skipped, and how many have no row. If the second number is higher, records before the row are missing, unless
-- `skipped` of a later row covers them too (compaction may have removed them later).
-- A bitmap of the offsets needs no FINAL: a duplicate row has the same offset, and of two values of `skipped` the larger is used. The search
-- for missing records is skipped if the number of rows plus the number of skipped offsets equals the end.
CREATE OR REPLACE VIEW v_contiguous_offsets DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    bitmapMax(offsets) + 1 AS after_last,
    arraySort(bitmapToArray(offsets)) AS stored_offsets,
    CAST(
        arrayFilter(
            pair -> pair.2 > 0,
            arrayMap(
                (offset, expected) -> (offset, toInt64(offset - expected)),
                stored_offsets,
                arrayPushFront(arrayMap(offset -> toUInt64(offset + 1), arrayPopBack(stored_offsets)), toUInt64(0))
            )
        ),
        'Map(UInt64, Int64)'
    ) AS absent_before,
    arrayFilter(
        offset -> NOT arrayExists(
            (later, count) -> later >= offset AND later - count <= offset - absent_before[offset],
            mapKeys(skipped_before), mapValues(skipped_before)
        ),
        mapKeys(mapFilter((offset, missing) -> missing > 0, mapSubtract(absent_before, skipped_before)))
    ) AS rows_after_missing
SELECT
    topic,
    partition,
    toUInt64(if(
        bitmapCardinality(offsets) + arraySum(mapValues(skipped_before)) = after_last OR empty(rows_after_missing),
        after_last,
        rows_after_missing[1] - absent_before[rows_after_missing[1]]
    )) AS contiguous_offset,
    toUInt64(after_last) AS end_offset
FROM
(
    SELECT
        topic,
        partition,
        groupBitmapState(offset) AS offsets,
        arrayReduce('maxMap', arrayMap(
            pair -> map(pair.1, toInt64(pair.2)),
            groupUniqArrayIf((offset, skipped), skipped > 0)
        )) AS skipped_before
    FROM log
    GROUP BY topic, partition
)
