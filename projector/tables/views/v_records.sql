-- Every record of the log that is an event, as often as it stands there: when the newest came, without merging anything.
CREATE OR REPLACE VIEW v_records DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT topic, partition, offset, campaign, received
FROM log
WHERE status = 'event'
