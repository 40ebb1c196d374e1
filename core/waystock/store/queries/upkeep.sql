-- What the worker does on schedule. Statements with {table} are completed from the names in the table `retention`.

-- try_lock --
SELECT pg_try_advisory_xact_lock(%(lock_class)s, %(job)s);

-- drop_old_chunks --
SELECT drop_old_chunks(%(table)s::regclass, make_interval(secs => %(age_s)s));

-- delete_older --
-- The oldest of each device, found by (device, time): an index on time alone would cost every reading that is written,
-- and a BRIN one forgets nothing, so that it would find every block once space is used again.
WITH RECURSIVE sender AS (
    (SELECT device FROM {table} ORDER BY device LIMIT 1)
    UNION ALL
    SELECT (SELECT r.device FROM {table} AS r WHERE r.device > s.device ORDER BY r.device LIMIT 1)
    FROM sender AS s
    WHERE s.device IS NOT NULL
)

DELETE FROM {table}
WHERE ctid = any(ARRAY(
    SELECT old.ctid
    FROM sender AS s
    CROSS JOIN LATERAL (
        SELECT r.ctid
        FROM {table} AS r
        WHERE r.device = s.device AND r.time < now() - make_interval(secs => %(age_s)s)
        ORDER BY r.time
        LIMIT (SELECT greatest(1, %(batch)s / greatest(1, count(*))) FROM sender)
    ) AS old
    WHERE s.device IS NOT NULL
    LIMIT %(batch)s
));

-- delete_dead_letters --
DELETE FROM dead_letter
WHERE ctid = any(ARRAY(
    SELECT ctid FROM dead_letter WHERE received_at < now() - make_interval(secs => %(age_s)s) LIMIT %(batch)s
));

-- thin_checkpoints --
DELETE FROM fold_checkpoint AS c
WHERE
    c.at < now() - make_interval(secs => %(age_s)s)
    AND EXISTS (
        SELECT 1
        FROM fold_checkpoint AS later
        WHERE
            later.vehicle = c.vehicle
            AND later.at > c.at
            AND date_trunc('day', later.at, 'UTC') = date_trunc('day', c.at, 'UTC')
    );

-- delete_checkpoints --
DELETE FROM fold_checkpoint AS c
WHERE
    c.at < now() - make_interval(secs => %(age_s)s)
    AND EXISTS (SELECT 1 FROM fold_checkpoint AS later WHERE later.vehicle = c.vehicle AND later.at > c.at);

-- end_sessions --
DELETE FROM session
WHERE expires_at < now();

-- newly_silent --
SELECT
    site,
    gateway
FROM gateway_status
WHERE
    state = 'online'
    AND received_at < now() - make_interval(secs => %(lease_s)s)
    AND received_at >= now() - make_interval(secs => %(lease_s)s + %(window_s)s)
ORDER BY site, gateway;
