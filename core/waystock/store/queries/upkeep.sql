-- What the worker does on schedule. Statements with {table} are completed from a fixed list of names.

-- try_lock --
SELECT pg_try_advisory_xact_lock(%(lock_class)s, %(job)s);

-- has_timescale --
SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb');

-- drop_chunks --
SELECT count(*) FROM drop_chunks(%(table)s::regclass, older_than => now() - make_interval(secs => %(age_s)s));

-- delete_older --
DELETE FROM {table}
WHERE ctid = any(ARRAY(
    SELECT ctid FROM {table} WHERE time < now() - make_interval(secs => %(age_s)s) LIMIT %(batch)s
));

-- delete_dead_letters --
DELETE FROM dead_letter
WHERE ctid = any(ARRAY(
    SELECT ctid FROM dead_letter WHERE received_at < now() - make_interval(secs => %(age_s)s) LIMIT %(batch)s
));

-- thin_checkpoints --
DELETE FROM vehicle_checkpoint AS c
WHERE
    c.at < now() - make_interval(secs => %(age_s)s)
    AND EXISTS (
        SELECT 1
        FROM vehicle_checkpoint AS later
        WHERE
            later.vehicle = c.vehicle
            AND later.at > c.at
            AND date_trunc('day', later.at, 'UTC') = date_trunc('day', c.at, 'UTC')
    );

-- delete_checkpoints --
DELETE FROM vehicle_checkpoint AS c
WHERE
    c.at < now() - make_interval(secs => %(age_s)s)
    AND EXISTS (SELECT 1 FROM vehicle_checkpoint AS later WHERE later.vehicle = c.vehicle AND later.at > c.at);

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
