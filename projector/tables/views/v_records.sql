-- Every record of the log that is an event, as often as it stands there: when the newest came, without merging anything. `appended` is
-- the clock of the log, `received` that of the service that took the event: far apart, one of them was wrong.
CREATE OR REPLACE VIEW v_records DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT topic, partition, offset, campaign, received, appended
FROM log
WHERE status = 'event'
