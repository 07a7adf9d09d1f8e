-- Records of the log that are no events: where, why, and what can be shown of them: structure and names of fields, everything else
-- masked. `sha256` is that of the masked text, `bytes` the size of the value.
-- A record that a later version of the projector understands stands here no more, hence FINAL; the key makes that cheap.
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
