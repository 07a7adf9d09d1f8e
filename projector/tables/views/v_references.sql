-- References between events, one row per referenced id (`named`): the events that a plan, a move, a correction or a recount supersedes, the
-- attendances that a retraction names, and the withdrawals that a consent cancels. `resolved` is the receive time of the referenced event if
-- it is of a type that can be referenced and of the same meeting (for a consent: of the same person); otherwise it is null, and the reference
-- has no effect. A reader of an earlier state compares both receive times.
-- Meetings have few events, and attendances are looked up by the ids that retractions name. So memory grows with the references, and of
-- attendance one column is read.
CREATE OR REPLACE VIEW v_references DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
WITH
    names AS
    (
        SELECT campaign, toString(meeting_id) AS subject, 'meeting' AS relation, event_id, type, import, received, partition, offset,
            arrayJoin(JSONExtract(body, 'data', 'supersedes', 'Array(UUID)')) AS named
        FROM v_meeting_events
        WHERE type NOT LIKE 'qamtu.attendance.retracted.v%'
        UNION ALL
        SELECT campaign, toString(meeting_id) AS subject, 'attendance' AS relation, event_id, type, import, received, partition, offset,
            retracted_id AS named
        FROM v_attendance_retractions
        UNION ALL
        SELECT campaign, hex(person_hi) || hex(person_lo) AS subject, 'withdrawal' AS relation, event_id, type, import, received, partition,
            offset, arrayJoin(supersedes) AS named
        FROM v_consents
    ),
    targets AS
    (
        SELECT campaign, toString(meeting_id) AS subject, 'meeting' AS relation, event_id AS named, toNullable(received) AS resolved
        FROM v_meeting_events
        UNION ALL
        SELECT campaign, toString(meeting_id) AS subject, 'attendance' AS relation, event_id AS named, toNullable(min(received)) AS resolved
        FROM attendance
        WHERE event_id IN (SELECT retracted_id FROM attendance_retractions)
        GROUP BY campaign, meeting_id, event_id
        UNION ALL
        SELECT campaign, hex(person_hi) || hex(person_lo) AS subject, 'withdrawal' AS relation, event_id AS named,
            toNullable(received) AS resolved
        FROM v_consents
        WHERE kind = 'withdrawn'
    )
SELECT names.campaign AS campaign, if(names.relation = 'withdrawal', '', names.subject) AS meeting_id, names.event_id AS event_id,
    names.type AS type, names.named AS named, names.import AS import, names.received AS received, names.partition AS partition,
    names.offset AS offset, targets.resolved AS resolved
FROM names
LEFT JOIN targets ON names.campaign = targets.campaign AND names.subject = targets.subject AND names.relation = targets.relation
    AND names.named = targets.named
