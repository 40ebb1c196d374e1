-- Dead letters in a person's hands: looked at, tried again, dropped, brought back. Whoever changes one locks its row
-- and skips those that another has locked, so that each is dealt with once.

-- list --
SELECT
    dead_letter_id,
    received_at,
    topic,
    stream,
    stream_offset,
    stage,
    reason,
    times,
    octet_length(payload) AS payload_bytes
FROM dead_letter
WHERE
    (%(stage)s::text IS NULL OR stage = %(stage)s)
    AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
    AND (%(after)s::bigint IS NULL OR dead_letter_id < %(after)s)
ORDER BY dead_letter_id DESC
LIMIT %(limit)s;

-- list_dropped --
SELECT
    dead_letter_id,
    received_at,
    topic,
    stream,
    stream_offset,
    stage,
    reason,
    times,
    octet_length(payload) AS payload_bytes,
    dropped_at,
    dropped_by,
    dropped_because,
    corrected_payload IS NOT NULL AS is_corrected
FROM dead_letter_dropped
WHERE
    (%(stage)s::text IS NULL OR stage = %(stage)s)
    AND (%(since)s::timestamptz IS NULL OR received_at >= %(since)s)
    AND (%(after)s::bigint IS NULL OR dead_letter_id < %(after)s)
ORDER BY dead_letter_id DESC
LIMIT %(limit)s;

-- read --
SELECT
    d.dead_letter_id,
    d.received_at,
    d.topic,
    d.stream,
    d.stream_offset,
    d.stage,
    d.reason,
    d.times,
    d.payload,
    s.stream_id,
    coalesce(s.committed @> d.stream_offset, false) AS is_committed
FROM dead_letter AS d
LEFT JOIN stream AS s USING (stream)
WHERE d.dead_letter_id = any(%(ids)s::bigint []);

-- lock --
SELECT
    d.dead_letter_id,
    d.received_at,
    d.topic,
    d.stream,
    d.stream_offset,
    d.stage,
    d.reason,
    d.times,
    d.payload,
    s.stream_id,
    coalesce(s.committed @> d.stream_offset, false) AS is_committed
FROM dead_letter AS d
LEFT JOIN stream AS s USING (stream)
WHERE d.dead_letter_id = any(%(ids)s::bigint [])
ORDER BY d.dead_letter_id
FOR UPDATE OF d SKIP LOCKED;

-- waiting --
SELECT
    dead_letter_id,
    stream_offset IS NULL AS is_message
FROM dead_letter
WHERE
    (%(ids)s::bigint [] IS NULL OR dead_letter_id = any(%(ids)s))
    AND (%(stage)s::text IS NULL OR stage = %(stage)s)
ORDER BY dead_letter_id;

-- delete --
DELETE FROM dead_letter
WHERE dead_letter_id = any(%(ids)s::bigint []);

-- put_aside_now --
SELECT count(*)
FROM dead_letter
WHERE stream = %(stream)s AND received_at = now();

-- refuse_again --
UPDATE dead_letter AS d SET
    stage = coalesce(r.stage, d.stage),
    reason = coalesce(r.reason, d.reason),
    times = d.times + 1
FROM unnest(%(ids)s::bigint [], %(stages)s::text [], %(reasons)s::text []) AS r (dead_letter_id, stage, reason)
WHERE d.dead_letter_id = r.dead_letter_id;

-- keep_corrected --
INSERT INTO dead_letter_dropped (
    dead_letter_id, received_at, topic, stream, stream_offset, stage, reason, payload, times,
    dropped_by, dropped_because, corrected_payload
)
SELECT
    dead_letter_id,
    received_at,
    topic,
    stream,
    stream_offset,
    stage,
    reason,
    payload,
    times,
    %(by)s,
    'stored as corrected by hand',
    %(corrected)s
FROM dead_letter
WHERE dead_letter_id = %(id)s;

-- drop --
WITH taken AS (
    SELECT dead_letter_id
    FROM dead_letter
    WHERE
        (%(ids)s::bigint [] IS NULL OR dead_letter_id = any(%(ids)s))
        AND (%(stage)s::text IS NULL OR stage = %(stage)s)
    ORDER BY dead_letter_id
    FOR UPDATE SKIP LOCKED
),

gone AS (
    DELETE FROM dead_letter AS d
    USING taken AS t
    WHERE d.dead_letter_id = t.dead_letter_id
    RETURNING d.*
)

INSERT INTO dead_letter_dropped (
    dead_letter_id, received_at, topic, stream, stream_offset, stage, reason, payload, times,
    dropped_by, dropped_because
)
SELECT
    dead_letter_id,
    received_at,
    topic,
    stream,
    stream_offset,
    stage,
    reason,
    payload,
    times,
    %(by)s,
    %(because)s
FROM gone
RETURNING dead_letter_id;

-- restore --
WITH taken AS (
    DELETE FROM dead_letter_dropped
    WHERE dead_letter_id = %(id)s AND corrected_payload IS NULL
    RETURNING *
)

INSERT INTO dead_letter AS d (
    dead_letter_id, received_at, topic, stream, stream_offset, stage, reason, payload, times
)
OVERRIDING SYSTEM VALUE
SELECT
    dead_letter_id,
    received_at,
    topic,
    stream,
    stream_offset,
    stage,
    reason,
    payload,
    times
FROM taken
ON CONFLICT (topic, md5(payload)) WHERE stream_offset IS NULL DO UPDATE SET
times = d.times + excluded.times
RETURNING d.dead_letter_id;

-- is_corrected --
SELECT corrected_payload IS NOT NULL
FROM dead_letter_dropped
WHERE dead_letter_id = %(id)s;
