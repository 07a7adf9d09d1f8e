-- People who have taken their consent back and not given it again: a withdrawal stands until a consent of the same person names it.
-- Consent that came with a reversed import counts for nothing. For v_attendance.
CREATE OR REPLACE VIEW v_withdrawn DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH live AS
(
    SELECT campaign, person_hi, person_lo, event_id, kind, supersedes
    FROM v_consents
    WHERE import IS NULL OR (campaign, assumeNotNull(import)) NOT IN (SELECT campaign, import FROM v_reversed_imports)
)
SELECT DISTINCT campaign, person_hi, person_lo
FROM live
WHERE kind = 'withdrawn'
  AND (campaign, person_hi, person_lo, event_id) NOT IN
  (
      SELECT campaign, person_hi, person_lo, arrayJoin(supersedes) FROM live WHERE kind = 'given'
  )
