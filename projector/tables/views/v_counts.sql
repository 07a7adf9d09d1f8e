-- Distinct events by campaign and type, and the newest of them, whatever was read of the log.
CREATE OR REPLACE VIEW v_counts AS
SELECT campaign, type, count() AS events, max(received) AS newest
FROM v_events
GROUP BY campaign, type
