-- Statements of the ingest transaction. All are set-wise: one call a batch, not one a reading.

-- register_streams --
INSERT INTO stream (stream, site, gateway)
SELECT s.stream, s.site, s.gateway
FROM unnest(%(streams)s::uuid [], %(sites)s::text [], %(gateways)s::text [])
    AS s (stream, site, gateway)
ORDER BY s.stream
ON CONFLICT (stream) DO NOTHING;

-- find_streams --
SELECT stream_id, stream, committed, site, gateway
FROM stream
WHERE stream = any(%(streams)s::uuid []);

-- lock_streams --
SELECT stream_id, stream, committed, site, gateway
FROM stream
WHERE stream = any(%(streams)s::uuid [])
ORDER BY stream
FOR UPDATE;

-- is_waited_for --
SELECT EXISTS (
    SELECT 1 FROM pg_locks
    WHERE NOT granted AND pg_backend_pid() = any(pg_blocking_pids(pid))
);

-- unite_offsets --
UPDATE stream
SET committed = stream.committed + u.ranges, last_batch_at = now()
FROM unnest(%(stream_ids)s::integer [], %(ranges)s::int8multirange []) AS u (stream_id, ranges)
WHERE stream.stream_id = u.stream_id;

-- committed --
SELECT site, gateway, committed
FROM stream
WHERE stream = %(stream)s;

-- master_version --
SELECT version FROM master_version;

-- master_version_held --
SELECT master_version_held() AS version;

-- dead_letter --
INSERT INTO dead_letter (topic, stream, stream_offset, stage, reason, payload)
VALUES (
    %(topic)s, %(stream)s, %(stream_offset)s, %(stage)s, %(reason)s, %(payload)s
)
ON CONFLICT (topic, md5(payload)) WHERE stream_offset IS NULL DO UPDATE SET
times = dead_letter.times + 1, received_at = now();

-- gateway_status --
INSERT INTO gateway_status (site, gateway, state, reported_at, received_at, report)
VALUES (%(site)s, %(gateway)s, %(state)s, %(reported_at)s, clock_timestamp(), %(report)s)
ON CONFLICT (site, gateway) DO UPDATE SET
state = excluded.state,
reported_at = excluded.reported_at,
received_at = excluded.received_at,
report = excluded.report;
