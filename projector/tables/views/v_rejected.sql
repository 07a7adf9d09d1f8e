-- Invalid records: position, reason, and a masked excerpt that shows only structure and field names. `sha256` is the hash of the masked
-- text, `bytes` the size of the value.
-- A record that a later version of the projector can decode disappears from this view, hence FINAL; the key makes it cheap.
CREATE OR REPLACE VIEW v_rejected DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    topic,
    partition,
    offset,
    appended,
    reason,
    JSONExtractString(body, 'excerpt') AS excerpt,
    JSONExtractString(body, 'detail') AS detail,
    JSONExtractUInt(body, 'bytes') AS bytes,
    JSONExtractString(body, 'sha256') AS sha256
FROM log FINAL
WHERE status = 'rejected'
  AND (topic, partition, offset) IN (SELECT topic, partition, offset FROM log WHERE status = 'rejected')
