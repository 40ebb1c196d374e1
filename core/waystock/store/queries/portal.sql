-- What portals could not tell, and what a person decided.

-- undecided --
SELECT
    o.stream_id,
    o.stream_offset,
    o.occurred_at,
    o.device,
    o.lpn,
    o.from_location,
    o.reason,
    r.evidence
FROM operation AS o
INNER JOIN alert AS a
    ON
        o.lpn = a.subject
        AND o.occurred_at = a.opened_at
        AND a.type = 'portal.undecided'
        AND a.cleared_at IS NULL
LEFT JOIN rfid_reading AS r
    ON
        o.device = r.device
        AND o.occurred_at = r.time
        AND o.stream_id = r.stream_id
        AND o.stream_offset = r.stream_offset
WHERE o.kind = 'undecided' AND o.lpn <> '' AND (%(lpn)s::text IS NULL OR o.lpn = %(lpn)s)
ORDER BY o.occurred_at, o.stream_id, o.stream_offset
LIMIT %(limit)s;

-- passage --
-- The reading of an undecided operation; of a decided one the operation that was made of it.
SELECT
    r.stream_id, r.stream_offset, r.time, r.captured_at, r.epc, r.elements::text, r.device
FROM rfid_reading AS r
WHERE
    r.stream_id = %(stream_id)s
    AND r.stream_offset = %(stream_offset)s
    AND r.direction = 'unknown'
    AND NOT r.sighting;

-- remove_operation --
DELETE FROM operation
WHERE stream_id = %(stream_id)s AND stream_offset = %(stream_offset)s
RETURNING
    stream_id, stream_offset, occurred_at, captured_at, device, kind, lpn, gtin, lot, quantity,
    from_location, to_location, document, reason;

-- decide --
INSERT INTO portal_decision (stream_id, stream_offset, direction, decided_by)
VALUES (%(stream_id)s, %(stream_offset)s, %(direction)s, %(decided_by)s)
ON CONFLICT (stream_id, stream_offset) DO UPDATE SET
direction = excluded.direction, decided_at = now(), decided_by = excluded.decided_by;
