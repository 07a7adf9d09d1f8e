-- Every valid record of the log, duplicates included, without merging. Readers use it to see when the newest record arrived. `appended` is a
-- time of the log's clock, `received` one of ingest's clock: if they differ widely, one clock is wrong. `meeting_id` is empty for records that
-- name no meeting; it is parsed from the body, so select few records before.
CREATE OR REPLACE VIEW v_records DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT topic, partition, offset, campaign, type, received, appended, JSONExtractString(body, 'data', 'meeting') AS meeting_id
FROM log
WHERE status = 'event'
